//! Other files that a file leads to: read where they may be, refused by name where not.

use std::path::Path;

use stook_core::container::{Container, OpenOptions, Outside};
use stook_core::{ErrorKind, Link, NodeKind, Result, Selection};
use stook_hdf5::Hdf5File;

use crate::support::{array, fixture, node};

fn open(name: &str, outside: Outside) -> Hdf5File {
    let path = fixture("outside/inner").join(name);
    Hdf5File::open(path, &OpenOptions { outside, ..OpenOptions::read() }).unwrap()
}

fn floats(file: &Hdf5File, path: &str) -> Result<Vec<f32>> {
    let source = file.open_array(&node(path))?;
    stook_core::Array::new(source, file.path(), node(path)).read_as(&Selection::All)
}

fn rows(rows: std::ops::Range<u16>) -> Vec<f32> {
    (rows.start * 5..rows.end * 5).map(f32::from).collect()
}

#[track_caller]
fn expect_refused<T>(result: Result<T>, name: &str) {
    let Err(error) = result else { panic!("`{name}` was followed") };
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let said = error.to_string();
    assert!(said.contains(name), "{said}");
}

#[test]
fn virtual_arrays_are_read_from_sources_beside_them() {
    let file = open("virtual.h5", Outside::Refused);
    assert_eq!(floats(&file, "parts").unwrap(), rows(0..3));
    let gaps = [rows(0..1), vec![-1.0; 10]].concat();
    assert_eq!(floats(&file, "gaps").unwrap(), gaps);
    assert_eq!(floats(&file, "here").unwrap(), rows(0..1).repeat(3));
    assert_eq!(array(&file, "numbered").shape(), [3, 5]);
    assert_eq!(floats(&file, "numbered").unwrap(), rows(0..3));
    assert_eq!(array(&file, "growing").shape(), [3, 5]);
    assert_eq!(floats(&file, "growing").unwrap(), rows(0..3));
    let part = array(&file, "parts").read_as::<f32>(&Selection::parse("1:3, ::-2").unwrap());
    assert_eq!(part.unwrap(), [9.0, 7.0, 5.0, 14.0, 12.0, 10.0]);
}

#[test]
fn sources_may_be_open_themselves() {
    // The library holds sources open once it has read them, and finds those that are open.
    let part = open("part-1.h5", Outside::Refused);
    let held = array(&part, "data");
    let file = open("virtual.h5", Outside::Refused);
    let parts = array(&file, "parts");
    assert_eq!(parts.read_as::<f32>(&Selection::All).unwrap(), rows(0..3));
    assert_eq!(floats(&file, "numbered").unwrap(), rows(0..3));
    let again = open("part-0.h5", Outside::Refused);
    assert_eq!(floats(&again, "data").unwrap(), rows(0..1));
    drop((file, again));
    assert_eq!(held.read_as::<f32>(&Selection::All).unwrap(), rows(1..2));
    assert_eq!(parts.read_as::<f32>(&Selection::All).unwrap(), rows(0..3));
}

#[test]
fn sources_elsewhere_are_refused_by_name() {
    let file = open("virtual.h5", Outside::Refused);
    for (name, source) in [
        ("up", "../outer.h5"),
        ("absolute", "/etc/passwd"),
        ("numbered-up", "../part-0.h5"),
        ("of-virtual", "../outer.h5"),
        ("of-raw", "external storage"),
        ("linked", "leaves"),
    ] {
        let result = floats(&file, name);
        assert!(result.as_ref().is_err_and(|e| e.to_string().contains(name)), "{name}");
        expect_refused(result, source);
    }
    let error = floats(&file, "of-itself").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    // A file that may lead to others still may not do so by a link in a source's path.
    let file = open("virtual.h5", Outside::Followed);
    let expected = [rows(0..1), rows(0..1)].concat();
    assert_eq!(floats(&file, "up").unwrap()[..5], expected[..5]);
    expect_refused(floats(&file, "linked"), "leaves");
    let file = open("virtual.h5", Outside::Below(fixture("outside")));
    assert!(floats(&file, "up").is_ok());
    expect_refused(floats(&file, "absolute"), "/etc/passwd");
}

#[test]
fn external_storage_is_read_beside_its_file() {
    let file = open("external.h5", Outside::Refused);
    assert_eq!(floats(&file, "one").unwrap(), rows(0..7));
    assert_eq!(floats(&file, "two").unwrap(), rows(0..7));
    let column = array(&file, "two").read_as::<f32>(&Selection::parse(":, 2").unwrap());
    assert_eq!(column.unwrap(), [2.0, 7.0, 12.0, 17.0, 22.0, 27.0, 32.0]);
    // Behind the end of a file there are zeros.
    assert_eq!(floats(&file, "short").unwrap()[23..], [0.0; 12]);
    assert_eq!(floats(&file, "missing").unwrap_err().kind(), ErrorKind::NotFound);
    expect_refused(floats(&file, "up"), "../outer.h5");
    expect_refused(floats(&file, "absolute"), "/etc/passwd");
    let file = open("external.h5", Outside::Below(fixture("outside")));
    assert_eq!(floats(&file, "up").unwrap().len(), 35);
    expect_refused(floats(&file, "absolute"), "/etc/passwd");
}

#[test]
fn external_links_are_followed_beside_their_file() {
    let file = open("links.h5", Outside::Refused);
    assert_eq!(floats(&file, "near").unwrap(), rows(1..2));
    assert_eq!(floats(&file, "moved").unwrap(), rows(1..2));
    assert_eq!(floats(&file, "deep/data").unwrap(), rows(0..7));
    assert_eq!(floats(&file, "through").unwrap(), rows(0..7));
    assert_eq!(floats(&file, "twice").unwrap(), rows(1..2));
    assert_eq!(file.kind(&node("near")).unwrap(), Some(NodeKind::Array));
    assert_eq!(file.kind(&node("deep")).unwrap(), Some(NodeKind::Group));
    assert_eq!(file.children(&node("deep")).unwrap()[0].name, "data");
    assert!(file.attributes(&node("deep")).unwrap().is_empty());
    for name in ["missing", "no-node", "near/more", "deep/nothing"] {
        assert_eq!(file.kind(&node(name)).unwrap(), None, "{name}");
        assert_eq!(floats(&file, name).unwrap_err().kind(), ErrorKind::NotFound, "{name}");
    }
    assert_eq!(floats(&file, "circle").unwrap_err().kind(), ErrorKind::LimitExceeded);
    expect_refused(floats(&file, "up"), "../outer.h5");
    expect_refused(file.kind(&node("absolute")), "/etc/passwd");
    expect_refused(file.children(&node("up/below")), "../outer.h5");
    // They are listed for what they are.
    let children = file.children(&node("/")).unwrap();
    let near = children.iter().find(|child| child.name == "near").unwrap();
    assert_eq!(near.kind, None);
    assert_eq!(near.link, Link::External { file: "part-1.h5".into(), target: "data".into() });
    let file = open("links.h5", Outside::Below(fixture("outside")));
    assert_eq!(floats(&file, "up").unwrap(), rows(0..7));
}

#[test]
fn other_files_are_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &str| {
        let to = dir.path().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, &to).unwrap();
        to
    };
    for name in ["part-0.h5", "part-1.h5", "part-2.h5", "raw-all.bin", "links.h5"] {
        copy(&fixture("outside/inner").join(name), name);
    }
    for (name, arrays) in [("virtual.h5", "parts"), ("external.h5", "one"), ("links.h5", "near")] {
        let path = copy(&fixture("outside/inner").join(name), name);
        let file = crate::support::open_again(&path);
        let before = floats(&file, arrays).unwrap();
        let array = array(&file, arrays);
        let part = Selection::parse("...").unwrap();
        let error = array.write_elements(&part, &array.shape(), &vec![9_f32; before.len()]);
        let kind = error.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Unsupported | ErrorKind::ReadOnly), "{name}");
        assert_eq!(floats(&file, arrays).unwrap(), before, "{name}");
    }
}
