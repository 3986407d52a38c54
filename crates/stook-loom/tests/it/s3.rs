//! A loom on a server of S3 (moto's), where `STOOK_TEST_PYTHON` names a Python that has it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use stook::{AxisSelection, ErrorKind, Format, Selection};
use stook_loom::fused::{Statistic, statistics};
use stook_loom::matrix::Picked;
use stook_loom::validate::{Level, validate_file};
use stook_loom::{Addition, Axis, Loom, numbers};

use crate::support::{all, column, matrix, scratch, small, texts};

/// The URL of a loom that the test in a process of its own makes.
const PLACE: &str = "STOOK_TEST_LOOM_ON_S3";

/// A server of S3, which ends with its standard input, and its port.
fn moto() -> Option<(Child, u16)> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stook-remote/tests/fixtures");
    let mut command = Command::new(std::env::var_os("STOOK_TEST_PYTHON")?);
    command.arg(fixture.join("serve.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    Some((child, port.trim().parse().expect("the Python for tests has moto, and it starts")))
}

fn make_bucket(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "PUT /bucket HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                   content-length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
}

#[test]
fn a_loom_lives_on_s3() {
    let Some((_server, port)) = moto() else { return };
    make_bucket(port);
    // Options come from the environment, as they do for programs.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "s3::what_is_done_to_a_loom_on_s3", "--nocapture"])
        .env(PLACE, "s3://bucket/atlas/x.loom")
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .envs([("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// What the process does that has the options of the server in its environment.
#[test]
fn what_is_done_to_a_loom_on_s3() {
    let Some(url) = std::env::var_os(PLACE) else { return };
    let url = Path::new(&url);
    let loom = small(url);
    assert_eq!(loom.file().unwrap().format(), Format::ZarrV3);
    assert_eq!(Loom::builder(url).create().unwrap_err().kind(), ErrorKind::AlreadyExists);

    let reader = Loom::open(url).unwrap();
    assert_eq!(reader.shape().unwrap(), [3, 4]);
    assert_eq!(all(&reader, ""), matrix(3, 4));
    assert_eq!(column(&reader, "CellID"), texts(&["a", "b", "c", "d"]));
    let graph = reader.graphs(Axis::Columns).get("KNN").unwrap();
    assert_eq!((graph.a(), graph.b()), (&[0, 1, 1][..], &[3, 2, 2][..]));

    let (new, more) = (matrix(3, 1), numbers(vec![3, 1], &[7_i16, 8, 9]).unwrap());
    let addition = Addition::new()
        .layer("", &new)
        .layer("spliced", &more)
        .attribute("CellID", texts(&["é"]))
        .attribute("Age", numbers(vec![1], &[5_i64]).unwrap());
    loom.add(Axis::Columns, addition).unwrap();
    loom.permute(Axis::Columns, &[4, 3, 2, 1, 0]).unwrap();

    let after = Loom::open(url).unwrap();
    assert_eq!(column(&after, "CellID"), texts(&["é", "d", "c", "b", "a"]));
    let layer = after.layer("spliced").unwrap();
    let row = layer.read(&Selection::parse("1, :").unwrap()).unwrap();
    assert_eq!(row, numbers(vec![5], &[8_i16, 7, 6, 5, 4]).unwrap());
    let all_of_it = Picked { rows: None, columns: None };
    let array = after.layer_array("").unwrap();
    let options = after.fused_options("").unwrap();
    let sums = statistics(&array, Axis::Rows, all_of_it, &[Statistic::Sum], &options).unwrap();
    assert_eq!(sums, [[6.0, 506.0, 1006.0]]);
    let report = validate_file(&after.file().unwrap(), Level::Specification).unwrap();
    assert!(report.is_valid(), "{report:?}");

    // And to a file of this machine.
    let (_folder, path) = scratch();
    after.subset(&path, [&AxisSelection::ALL; 2], |builder| builder).unwrap();
    let local = Loom::open(&path).unwrap();
    assert_eq!(local.file().unwrap().format(), Format::Hdf5);
    assert_eq!(all(&local, ""), all(&after, ""));
    assert_eq!(column(&local, "CellID"), column(&after, "CellID"));
}
