//! A service that fails, stalls, and sends too little or something else: the request is made
//! again, or the error says where and what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stook_core::store::{ByteRange, ByteStore};
use stook_core::{ErrorKind, Format, Selection};
use stook_testkit::store::get;

use crate::arrays::{self, elements, root_array};
use crate::server::{Fault, Server};

const OPTIONS: [(&str, &str); 3] =
    [("read_timeout", "0.5"), ("max_retries", "2"), ("retry_timeout", "20")];

fn server() -> (Server, Arc<dyn ByteStore>) {
    let value: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    let server = Server::of(BTreeMap::from([("a/v".to_owned(), value)]));
    let store = stook_remote::open(&format!("{}/a", server.url()), OPTIONS, false).unwrap();
    (server, store)
}

#[test]
fn what_fails_once_is_asked_for_again() {
    let (server, store) = server();
    let expected = get(&*store, "v").unwrap();
    let once = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Close,
        Fault::CutBody(0),
        Fault::CutBody(1000),
        Fault::Stall,
        Fault::StallBody(1000),
    ];
    for fault in once {
        server.log();
        server.fail_at("GET", [fault.clone()]);
        assert_eq!(get(&*store, "v").unwrap(), expected, "{fault:?}");
        assert_eq!(server.log().len(), 2, "{fault:?}");
        server.fail_at("GET", [fault.clone()]);
        let mut part = Vec::new();
        let mut take = |_: usize, bytes: Option<&[u8]>| {
            part = bytes.unwrap().to_vec();
            Ok(())
        };
        let range = [ByteRange::At { offset: 5000, len: 50_000 }];
        assert!(store.get_ranges("v", &range, &mut take).unwrap());
        assert!(part == expected[5000..55_000], "{fault:?}");
    }
}

#[test]
fn what_keeps_failing_is_an_error_that_names_place_and_key_in_time() {
    for fault in [Fault::Status(500), Fault::Close, Fault::CutBody(10), Fault::Stall] {
        let (server, store) = server();
        let always = fault.clone();
        server.fail(move |_| Some(always.clone()));
        let begun = Instant::now();
        let mut out = b"before".to_vec();
        let error = store.get("v", &mut out, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{fault:?}: {error}");
        let text = error.to_string();
        assert!(text.contains("`v`") && text.contains(store.location()), "{text}");
        assert_eq!(out, b"before");
        assert!(begun.elapsed() < Duration::from_secs(15), "{fault:?}: {:?}", begun.elapsed());
        assert!(server.log().len() <= 8, "{fault:?}");
    }
}

#[test]
fn a_refusal_is_not_asked_again() {
    for (status, kind) in
        [(403, ErrorKind::ReadOnly), (401, ErrorKind::ReadOnly), (400, ErrorKind::Io)]
    {
        let (server, store) = server();
        server.fail(move |_| Some(Fault::Status(status)));
        let error = store.get("v", &mut Vec::new(), 1 << 20).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert_eq!(server.log().len(), 1);
    }
    let (server, store) = server();
    assert_eq!(get(&*store, "none"), None);
    assert_eq!(server.log(), ["GET /a/none"]);
}

#[test]
fn a_length_that_is_announced_is_checked_before_it_is_believed() {
    let (server, store) = server();
    let mut out = Vec::new();
    let error = store.get("v", &mut out, 99_999).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    server.fail(|_| Some(Fault::Header("content-length", (1_u64 << 60).to_string())));
    let error = store.get("v", &mut out, 1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    // Less is announced than comes, and the connection is of no use after that.
    server.fail_at("GET", [Fault::Header("content-length", "10".to_owned())]);
    assert_eq!(get(&*store, "v").map(|value| value.len()), Some(10));
    assert_eq!(get(&*store, "v").map(|value| value.len()), Some(100_000));
    // Another part than the one asked for.
    let range = [ByteRange::At { offset: 10, len: 10 }];
    let other = "bytes 20-29/100000".to_owned();
    server.fail(move |_| Some(Fault::Header("content-range", other.clone())));
    let error = store.get_ranges("v", &range, &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}

#[test]
fn a_value_that_changes_between_ranges_is_not_mixed() {
    let (server, store) = server();
    let other = server.clone();
    let mut n = 0;
    server.fail(move |_| {
        n += 1;
        if n == 2 {
            other.put("a/v", &[7; 100_000]);
        }
        None
    });
    let ranges = [ByteRange::At { offset: 0, len: 10 }, ByteRange::Last(10)];
    let error = store.get_ranges("v", &ranges, &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert!(store.get_ranges("v", &ranges, &mut |_, _| Ok(())).unwrap());
}

#[test]
fn a_server_without_ranges_is_named() {
    let values = BTreeMap::from([("v".to_owned(), vec![1; 100])]);
    let server = Server::without_ranges(values);
    let store = stook_remote::open(&server.url(), OPTIONS, true).unwrap();
    let range = [ByteRange::At { offset: 10, len: 10 }];
    let error = store.get_ranges("v", &range, &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert_eq!(get(&*store, "v").unwrap(), [1; 100]);
}

#[test]
fn a_chunk_that_does_not_come_names_array_and_chunk() {
    let server = Server::of(root_array(Format::ZarrV3, None, "a"));
    let store = stook_remote::open(&format!("{}/a", server.url()), OPTIONS, true).unwrap();
    let array = arrays::open(store, "").unwrap();
    server.fail_at("/c/3/2", [Fault::Status(500), Fault::CutBody(3)]);
    assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), elements());
    server.fail(|request| request.target.ends_with("/c/3/2").then_some(Fault::Status(500)));
    let error = array.read_as::<i32>(&Selection::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.location().chunk.as_deref(), Some(&[3, 2][..]), "{error}");
    assert!(error.to_string().contains(&server.url()), "{error}");
    // A chunk that is cut short in the store, and announced so.
    let cut = root_array(Format::ZarrV3, None, "a")["a/c/1/1"][..7].to_vec();
    server.fail(|_| None);
    server.put("a/c/1/1", &cut);
    let error = array.read_as::<i32>(&Selection::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(error.location().chunk.as_deref(), Some(&[1, 1][..]), "{error}");
}
