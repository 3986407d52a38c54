//! A real S3 server (moto's), where `STOOK_TEST_PYTHON` names a Python that has it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use stook_core::store::ByteStore;
use stook_core::{ErrorKind, Selection};
use stook_testkit::store::{get, walk};
use stook_testkit::store_suite;

use crate::arrays::{self, elements};
use crate::server::{Fault, Server};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn python() -> Option<std::ffi::OsString> {
    std::env::var_os("STOOK_TEST_PYTHON")
}

/// The server, which ends with its standard input, and so with this process; none without a Python for tests.
pub(crate) fn moto() -> Option<SocketAddr> {
    static SERVER: OnceLock<Option<(SocketAddr, Child)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let mut command = Command::new(python()?);
        command.arg(fixture("serve.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("the Python for tests has moto, and it starts");
        Some((SocketAddr::from(([127, 0, 0, 1], port)), child))
    });
    server.as_ref().map(|(address, _)| *address)
}

/// A new bucket.
pub(crate) fn bucket(server: SocketAddr) -> String {
    static N: AtomicU32 = AtomicU32::new(0);
    let name = format!("bucket-{}", N.fetch_add(1, Ordering::Relaxed));
    let mut stream = TcpStream::connect(server).unwrap();
    let request = format!(
        "PUT /{name} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    name
}

pub(crate) fn open(endpoint: &str, url: &str, further: &[(&str, &str)]) -> Arc<dyn ByteStore> {
    let options = [
        ("endpoint", endpoint),
        ("allow_http", "true"),
        ("access_key_id", "test"),
        ("secret_access_key", "test"),
        ("region", "us-east-1"),
    ];
    stook_remote::open(url, options.into_iter().chain(further.iter().copied()), false).unwrap()
}

#[test]
fn s3_is_a_byte_store() {
    let Some(server) = moto() else { return };
    let endpoint = format!("http://{server}");
    store_suite(&|| open(&endpoint, &format!("s3://{}/below/here", bucket(server)), &[]));
    let store = open(&endpoint, &format!("s3://{}", bucket(server)), &[]);
    store.set("a/b", b"1").unwrap();
    assert_eq!(store.list("").unwrap().prefixes, ["a"]);
}

#[test]
fn peers_read_what_is_written_here_and_the_other_way() {
    let (Some(server), Some(python)) = (moto(), python()) else { return };
    let (endpoint, bucket) = (format!("http://{server}"), bucket(server));
    arrays::write(open(&endpoint, &format!("s3://{bucket}/ours"), &[]));
    for name in ["plain", "sharded"] {
        let array = arrays::open(open(&endpoint, &format!("s3://{bucket}/ours"), &[]), name);
        assert_eq!(array.unwrap().read_as::<i32>(&Selection::All).unwrap(), elements());
    }
    let script = Command::new(python).arg(fixture("peers.py")).arg(&endpoint).arg(&bucket).output();
    let output = script.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    for (url, name) in [("theirs", "plain"), ("theirs", "sharded"), ("old", "")] {
        let array = arrays::open(open(&endpoint, &format!("s3://{bucket}/{url}"), &[]), name);
        assert_eq!(array.unwrap().read_as::<i32>(&Selection::All).unwrap(), elements(), "{url}");
    }
}

#[test]
fn one_of_two_creators_wins_and_the_other_is_told() {
    let Some(server) = moto() else { return };
    let (endpoint, bucket) = (format!("http://{server}"), bucket(server));
    for round in 0..5 {
        let url = format!("s3://{bucket}/{round}");
        let create = || {
            let options = stook_core::OpenOptions::read_write();
            let store = open(&endpoint, &url, &[]);
            let format = stook_core::Format::ZarrV3;
            stook_zarr::ZarrContainer::create(store, format, &options).map(drop)
        };
        let results = std::thread::scope(|scope| {
            let other = scope.spawn(create);
            [create(), other.join().unwrap()]
        });
        let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(failed.len(), 1, "{results:?}");
        assert_eq!(failed[0].kind(), ErrorKind::AlreadyExists);
    }
}

#[test]
fn long_values_are_stored_in_parts_and_appear_whole() {
    let Some(server) = moto() else { return };
    let proxy = Server::before(server);
    let url = format!("s3://{}", bucket(server));
    let options = [("part_len_bytes", "5242880"), ("max_retries", "1")];
    let store = open(&proxy.url(), &url, &options);
    let value: Vec<u8> = (0..12_000_000_u32).map(|i| (i / 7) as u8).collect();
    store.set("long", &value).unwrap();
    let log = proxy.log();
    assert_eq!(log.iter().filter(|line| line.contains("partNumber")).count(), 3, "{log:?}");
    assert!(get(&*store, "long").unwrap() == value);

    // A part that cannot be stored leaves the old value, and no parts.
    proxy.log();
    proxy.fail(|request| request.target.contains("partNumber=2").then_some(Fault::Status(500)));
    let error = store.set("long", &vec![0; 12_000_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("long"), "{error}");
    assert!(proxy.log().iter().any(|line| line.starts_with("DELETE")), "the upload is given up");
    proxy.fail(|_| None);
    assert!(get(&*store, "long").unwrap() == value);
}

#[test]
fn a_put_that_fails_is_made_again_or_told() {
    let Some(server) = moto() else { return };
    let proxy = Server::before(server);
    let url = format!("s3://{}/a", bucket(server));
    let store = open(&proxy.url(), &url, &[("max_retries", "2"), ("read_timeout", "0.5")]);
    for fault in [Fault::Status(500), Fault::Close, Fault::Stall] {
        proxy.fail_at("PUT", [fault.clone()]);
        store.set("k", format!("{fault:?}").as_bytes()).unwrap();
        assert_eq!(get(&*store, "k").unwrap(), format!("{fault:?}").as_bytes());
    }
    proxy.fail(|request| (request.method == "PUT").then_some(Fault::Status(500)));
    let error = store.set("k", b"new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("`k`") && error.to_string().contains(&url), "{error}");
    assert_eq!(get(&*store, "k").unwrap(), b"Stall");
}

#[test]
fn many_keys_are_removed_in_few_requests() {
    let Some(server) = moto() else { return };
    let proxy = Server::before(server);
    let store = open(&proxy.url(), &format!("s3://{}/a", bucket(server)), &[]);
    (0..30).for_each(|i| store.set(&format!("x/{i}"), b"1").unwrap());
    store.set("xy", b"1").unwrap();
    proxy.log();
    store.erase_prefix("x").unwrap();
    let log = proxy.log();
    assert!(log.len() <= 3, "{log:?}");
    assert_eq!(walk(&*store, "").into_keys().collect::<Vec<_>>(), ["xy"]);
}

#[test]
fn a_bucket_that_is_not_there_is_not_an_empty_one() {
    let Some(server) = moto() else { return };
    let store = open(&format!("http://{server}"), "s3://no-such-bucket/a", &[]);
    let error = store.get("zarr.json", &mut Vec::new(), 1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.message().contains("bucket"), "{error}");
    assert_eq!(store.set("k", b"1").unwrap_err().kind(), ErrorKind::NotFound);
}
