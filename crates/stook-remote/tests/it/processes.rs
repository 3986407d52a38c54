//! Several processes that change one hierarchy at once: nothing that one was told is stored is lost.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use stook_core::store::ByteStore;
use stook_core::{
    Array, ArraySpec, AttributeEdits, AxisSelection, ChunkGrid, Container, DType, Format, NodePath,
    OpenOptions, Selection, Values,
};
use stook_zarr::ZarrContainer;

use crate::s3;

/// What a child process is told: where, at which endpoint, and its number.
const PLACE: &str = "STOOK_TEST_PLACE";

/// Processes at once.
const N: u64 = 3;
/// What each of them does in turn: appends, and sets an attribute.
const ROUNDS: u64 = 8;
/// Elements of the array that each writes every so-manieth element of.
const LEN: u64 = 60;

fn store(url: &str, endpoint: &str) -> Arc<dyn ByteStore> {
    if endpoint.is_empty() {
        return stook_remote::open(url, [], false).unwrap();
    }
    s3::open(endpoint, url, &[])
}

fn container(url: &str, endpoint: &str) -> ZarrContainer {
    ZarrContainer::open(store(url, endpoint), &OpenOptions::read_write()).unwrap()
}

fn path(name: &str) -> NodePath {
    NodePath::parse(name).unwrap()
}

fn array(container: &ZarrContainer, name: &str) -> Array {
    let source = container.open_array(&path(name)).unwrap();
    Array::new(source, container.location(), path(name))
}

fn values(elements: &[i64]) -> Values {
    let items = elements.iter().flat_map(|element| element.to_ne_bytes()).collect();
    Values::new(DType::Int64, vec![elements.len() as u64], items, Vec::new()).unwrap()
}

/// A hierarchy of arrays that processes share chunks and shards of.
fn create(url: &str, endpoint: &str, format: Format) {
    let options = OpenOptions::read_write();
    let container = ZarrContainer::create(store(url, endpoint), format, &options).unwrap();
    let spec = |shape: u64, chunk: u64| ArraySpec {
        grid: ChunkGrid::regular([chunk]).unwrap(),
        fill_value: Some(values(&[-1]).reshaped(Vec::new()).unwrap()),
        ..ArraySpec::new(DType::Int64, vec![shape])
    };
    container.create_array(&path("rows"), &spec(0, 7)).unwrap();
    container.create_array(&path("chunks"), &spec(LEN, 20)).unwrap();
    if format == Format::ZarrV3 {
        let shards = Some(ChunkGrid::regular([20]).unwrap());
        let sharded = ArraySpec { shards, ..spec(LEN, 4) };
        container.create_array(&path("shards"), &sharded).unwrap();
    }
}

/// What a child process does, where it is one.
#[test]
fn a_process_among_others() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let [url, endpoint, number] = place.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let number: u64 = number.parse().unwrap();
    let container = container(url, endpoint);
    let rows = array(&container, "rows");
    for round in 0..ROUNDS {
        let len = 1 + (round + number) % 3;
        let row = i64::try_from(number * 100 + round).unwrap();
        rows.append(&values(&vec![row; usize::try_from(len).unwrap()]), 0).unwrap();
        println!("ack {row} {len}");
        let edits = AttributeEdits::default().set(format!("row {row}"), row);
        container.edit_attributes(&path("rows"), &edits).unwrap();
    }
    for name in ["chunks", "shards"] {
        if container.kind(&path(name)).unwrap().is_none() {
            continue;
        }
        let array = array(&container, name);
        for at in (number..LEN).step_by(usize::try_from(N).unwrap()) {
            let selection = Selection::Axes(vec![AxisSelection::range(at, at + 1)]);
            array.write(&selection, &values(&[i64::try_from(at).unwrap()])).unwrap();
        }
    }
}

fn spawn(url: &str, endpoint: &str, number: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::a_process_among_others", "--nocapture"])
        .env(PLACE, format!("{url} {endpoint} {number}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn processes_lose_nothing(url: &str, endpoint: &str, format: Format) {
    create(url, endpoint, format);
    let children: Vec<Child> = (0..N).map(|number| spawn(url, endpoint, number)).collect();
    let mut expected = Vec::new();
    for child in children {
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        let stdout = String::from_utf8(stdout).unwrap();
        for line in stdout.lines().filter_map(|line| line.strip_prefix("ack ")) {
            let (row, len) = line.split_once(' ').unwrap();
            expected.push((row.parse::<i64>().unwrap(), len.parse::<usize>().unwrap()));
        }
    }
    assert_eq!(expected.len() as u64, N * ROUNDS);
    let container = container(url, endpoint);
    let rows = array(&container, "rows").read_as::<i64>(&Selection::All).unwrap();
    let mut runs = Vec::new();
    let mut rest = rows.as_slice();
    while let Some(&first) = rest.first() {
        let len = rest.iter().take_while(|&&row| row == first).count();
        runs.push((first, len));
        rest = &rest[len..];
    }
    runs.sort_unstable();
    expected.sort_unstable();
    assert_eq!(runs, expected, "each append is there once, in one piece: {rows:?}");
    let attributes = container.attributes(&path("rows")).unwrap();
    let found: BTreeSet<String> = attributes.into_iter().map(|(name, _)| name).collect();
    let all = expected.iter().map(|(row, _)| format!("row {row}")).collect();
    assert_eq!(found, all, "every attribute is there");
    for name in ["chunks", "shards"] {
        if container.kind(&path(name)).unwrap().is_some() {
            let found = array(&container, name).read_as::<i64>(&Selection::All).unwrap();
            assert_eq!(found, (0..LEN as i64).collect::<Vec<_>>(), "{name}");
        }
    }
}

#[test]
fn in_a_folder_processes_lose_nothing() {
    if !cfg!(unix) {
        return;
    }
    for format in [Format::ZarrV3, Format::ZarrV2] {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("file://{}/a", dir.path().display());
        processes_lose_nothing(&url, "", format);
    }
}

#[test]
fn on_s3_processes_lose_nothing() {
    let Some(server) = s3::moto() else { return };
    let (endpoint, bucket) = (format!("http://{server}"), s3::bucket(server));
    processes_lose_nothing(&format!("s3://{bucket}/a"), &endpoint, Format::ZarrV3);
}
