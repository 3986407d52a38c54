//! Metadata past the library: read as the library reads them, and made as it makes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::chunk::ChunkSource;
use stook_core::codec::CodecSpec;
use stook_core::container::{Child, Container, NodeKind, OpenOptions, WholeArray};
use stook_core::dtype::{Charset, FixedString, Padding};
use stook_core::{
    Array, ArraySpec, AttributeEdits, AttributeValue, AxisSelection, ChunkGrid, DType, Link,
    NodePath, Selection, Values,
};
use stook_hdf5::{CreateOptions, Hdf5File, Readers};

use crate::support::{array, create, fixture, node, open_again, scratch};

fn fixtures() -> Vec<PathBuf> {
    let folders = [fixture(""), fixture("matrix")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|suffix| suffix == "h5"));
    files.sort();
    files
}

/// What a child is, but for the file it is in.
fn told(child: &Child) -> String {
    format!("{} {:?} {:?} {:?}", child.name, child.kind, child.link, child.identity)
}

/// Compares the tree below `group` as two handles tell it; returns how many nodes there are.
fn compare(ours: &Hdf5File, library: &Hdf5File, group: &NodePath, depth: usize) -> usize {
    let (found, expected) = (ours.children(group), library.children(group));
    let (Ok(found), Ok(expected)) = (found, expected) else { return 0 };
    let (told_here, told_there): (Vec<_>, Vec<_>) =
        (found.iter().map(told).collect(), expected.iter().map(told).collect());
    assert_eq!(told_here, told_there, "{} {group}", ours.path().display());
    let mut n = found.len();
    for child in found {
        let Ok(at) = group.join(&child.name) else { continue };
        if child.link != Link::Hard {
            continue;
        }
        for name in library.attribute_names(&at).unwrap_or_default() {
            for (found, expected) in [
                (ours.stored_attribute(&at, &name), library.stored_attribute(&at, &name)),
                (ours.attribute(&at, &name), library.attribute(&at, &name)),
            ] {
                // NaN is not equal to itself.
                let [found, expected] = [found, expected].map(|value| format!("{:?}", value.ok()));
                assert_eq!(found, expected, "{} {at} `{name}`", ours.path().display());
            }
        }
        assert_eq!(ours.stored_attribute(&at, "no such").ok(), Some(None));
        if child.kind == Some(NodeKind::Array) {
            compare_arrays(ours, library, &at);
        }
        if child.kind == Some(NodeKind::Group) && depth < 8 {
            n += compare(ours, library, &at, depth + 1);
            // The group was not the one that was listed last any more.
            assert_eq!(ours.kind(&at).unwrap(), Some(NodeKind::Group));
        }
    }
    n
}

/// Compares an array as two handles tell and read it: all of it, its rows backwards, and one.
fn compare_arrays(ours: &Hdf5File, library: &Hdf5File, at: &NodePath) {
    let (found, expected) = (ours.open_array(at), library.open_array(at));
    let where_ = format!("{} {at}", ours.path().display());
    let (Ok(found), Ok(expected)) = (&found, &expected) else {
        let [found, expected] = [found, expected].map(|it| it.err().map(|error| error.kind()));
        return assert_eq!(found, expected, "{where_}");
    };
    if !format!("{found:?}").starts_with("PlainArray") {
        return;
    }
    assert_eq!(format!("{:?}", found.spec()), format!("{:?}", expected.spec()), "{where_}");
    assert_eq!(found.n_stored().ok(), expected.n_stored().ok(), "{where_}");
    assert_eq!(found.len_stored_bytes().ok(), expected.len_stored_bytes().ok(), "{where_}");
    let array = |source: &Arc<dyn ChunkSource>, file: &Hdf5File| {
        Array::new(Arc::clone(source), file.path(), at.clone())
    };
    let (found, expected) = (array(found, ours), array(expected, library));
    let backwards = AxisSelection::Slice { start: None, stop: None, step: -1 };
    let mut selections = vec![Selection::All];
    if !found.shape().is_empty() {
        selections.extend([backwards, AxisSelection::Index(0)].map(|axis| vec![axis].into()));
    }
    for selection in selections {
        let (found, expected) = (found.read(&selection), expected.read(&selection));
        let is_same = match (&found, &expected) {
            // NaN is not equal to itself.
            (Ok(a), Ok(b)) => a == b || (a.heap().is_empty() && a.items() == b.items()),
            (Err(a), Err(b)) => a.kind() == b.kind(),
            _ => false,
        };
        assert!(is_same, "{where_} {selection:?}: {found:?} is not {expected:?}");
    }
}

/// A file that is opened for writing is read by the library, which may hold what is not in the
/// file yet.
#[test]
fn trees_are_as_the_library_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let (mut n_files, mut n_nodes) = (0, 0);
    for path in fixtures() {
        let copy = dir.path().join("copy.h5");
        let _ = std::fs::remove_file(&copy);
        std::fs::copy(&path, &copy).unwrap();
        let Ok(ours) = Hdf5File::open(&path, &OpenOptions::read()) else { continue };
        let Ok(library) = Hdf5File::open(&copy, &OpenOptions::read_write()) else { continue };
        n_nodes += compare(&ours, &library, &NodePath::root(), 0);
        n_files += 1;
    }
    assert!(n_files >= 14 && n_nodes > 1000, "{n_nodes} nodes in {n_files} files");
}

fn text(text: &str) -> AttributeValue {
    let (len_bytes, charset, padding) = (text.len(), Charset::Utf8, Padding::NullTerminated);
    let dtype = DType::FixedString(FixedString { len_bytes, charset, padding });
    let items = text.as_bytes().to_vec();
    AttributeValue::Values(Values::new(dtype, Vec::new(), items, Vec::new()).unwrap())
}

fn attributes(n: usize) -> AttributeEdits {
    let empty =
        FixedString { len_bytes: 1, charset: Charset::Ascii, padding: Padding::NullTerminated };
    let edits = AttributeEdits::new()
        .set("CLASS", text("CARRAY"))
        .set("TITLE", AttributeValue::Null(DType::FixedString(empty)))
        .set("größe", Values::zeroed(DType::Float64, vec![3]).unwrap())
        .set("number", Values::zeroed(DType::Int32, vec![]).unwrap());
    (4..n).fold(edits, |edits, at| edits.set(format!("a{at}"), text("x")))
}

/// Arrays made in both ways.
fn shapes() -> Vec<(DType, Vec<u64>)> {
    let text =
        FixedString { len_bytes: 5, charset: Charset::Ascii, padding: Padding::NullTerminated };
    vec![
        (DType::Float64, vec![]),
        (DType::Float64, vec![1]),
        (DType::Int16, vec![3, 1, 2]),
        (DType::Bool, vec![7]),
        (DType::Complex64, vec![2]),
        (DType::UInt8, vec![0, 4]),
        (DType::FixedString(text), vec![2]),
        (DType::Float32, vec![100, 100]),
        // These elements have a place of their own.
        (DType::Int64, vec![101, 100]),
        (DType::UInt8, vec![200_003]),
    ]
}

fn make(file: &Hdf5File, at: &str, (dtype, shape): &(DType, Vec<u64>), n: usize) -> bool {
    let mut items = Values::zeroed(dtype.clone(), shape.clone()).unwrap().items().to_vec();
    items.iter_mut().zip([1, 0, 1].iter().cycle()).for_each(|(byte, value)| *byte = *value);
    let attributes = &attributes(n);
    let whole = WholeArray { dtype, shape, items: &items, attributes };
    file.create_whole(&node(at), &whole).unwrap()
}

fn make_by_steps(file: &Hdf5File, at: &str, (dtype, shape): &(DType, Vec<u64>), n: usize) {
    let mut items = Values::zeroed(dtype.clone(), shape.clone()).unwrap().items().to_vec();
    items.iter_mut().zip([1, 0, 1].iter().cycle()).for_each(|(byte, value)| *byte = *value);
    let mut spec = ArraySpec::new(dtype.clone(), shape.clone());
    spec.grid = ChunkGrid::whole(shape);
    spec.contiguous = true;
    let made = create(file, at, &spec);
    let values = Values::new(dtype.clone(), shape.clone(), items, Vec::new()).unwrap();
    if !values.is_empty() {
        made.write(&Selection::All, &values).unwrap();
    }
    file.edit_attributes(&node(at), &attributes(n)).unwrap();
}

/// All that a handle tells of an array.
fn told_of(file: &Hdf5File, at: &str) -> String {
    let opened = array(file, at);
    let attributes = file.attributes(&node(at)).unwrap();
    let values = opened.read(&Selection::All).unwrap();
    format!("{:?} {:?} {attributes:?}", opened.spec(), values.items())
}

#[test]
fn arrays_in_one_piece_are_as_the_library_makes_them() {
    let (_dir, path, file) = scratch();
    file.create_group(&node("/ours")).unwrap();
    file.create_group(&node("/theirs")).unwrap();
    for (at, shape) in shapes().iter().enumerate() {
        assert!(make(&file, &format!("/ours/{at}"), shape, 4 + at), "{shape:?}");
        make_by_steps(&file, &format!("/theirs/{at}"), shape, 4 + at);
    }
    drop(file);
    for mode in [OpenOptions::read(), OpenOptions::read_write()] {
        let file = Hdf5File::open(&path, &mode).unwrap();
        for at in 0..shapes().len() {
            let [ours, theirs] =
                ["ours", "theirs"].map(|group| told_of(&file, &format!("/{group}/{at}")));
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn arrays_in_one_piece_can_be_changed_and_removed() {
    let (_dir, path, file) = scratch();
    let shape = (DType::Float64, vec![4]);
    for at in 0..200 {
        assert!(make(&file, &format!("/a{at:03}"), &shape, 9));
    }
    for at in 0..200 {
        let here = node(&format!("/a{at:03}"));
        match at % 4 {
            0 => file.remove(&here).unwrap(),
            1 => {
                let edits = AttributeEdits::new().set("CLASS", text("something longer"));
                let many = (0..80).fold(edits, |edits, at| edits.set(format!("m{at}"), text("m")));
                file.edit_attributes(&here, &many).unwrap();
            }
            2 => file.rename(&here, &node(&format!("/b/{at}"))).unwrap(),
            _ => {}
        }
    }
    assert!(make(&file, "/a000", &shape, 4));
    drop(file);
    let file = open_again(&path);
    assert_eq!(file.children(&NodePath::root()).unwrap().len(), 102);
    assert_eq!(file.children(&node("/b")).unwrap().len(), 50);
    assert_eq!(file.attributes(&node("/a001")).unwrap().iter().count(), 9 + 80);
    for at in ["/a000", "/a001", "/a003", "/b/2", "/b/198"] {
        let values = array(&file, at).read(&Selection::All).unwrap();
        assert_eq!(values.items().len(), 32, "{at}");
    }
}

/// The library writes the end of the file where it takes space itself: it must know of ours.
#[test]
fn arrays_in_one_piece_are_there_after_each_commit() {
    let (dir, path, file) = scratch();
    file.commit(stook_core::Durability::Flush).unwrap();
    let copy = dir.path().join("copy.h5");
    for at in 0..300 {
        assert!(make(&file, &format!("/a{at:03}"), &(DType::Float64, vec![1]), 7));
        if at % 37 == 0 || at == 299 {
            file.commit(stook_core::Durability::Flush).unwrap();
            std::fs::copy(&path, &copy).unwrap();
            check_all(&copy, at + 1);
        }
    }
}

fn check_all(path: &Path, n: usize) {
    let file = Hdf5File::open(path, &OpenOptions::read()).unwrap();
    assert_eq!(file.children(&NodePath::root()).unwrap().len(), n);
    let last = array(&file, &format!("/a{:03}", n - 1));
    assert_eq!(last.read(&Selection::All).unwrap().items()[0], 1);
    drop(last);
    drop(file);
    let file = open_again(path);
    assert_eq!(file.children(&NodePath::root()).unwrap().len(), n);
}

#[test]
fn what_cannot_be_made_in_one_piece_leaves_nothing_behind() {
    let (_dir, path, file) = scratch();
    let shape = (DType::Float64, vec![1]);
    assert!(make(&file, "/a", &shape, 4));
    assert!(!make(&file, "/a", &shape, 4), "the name is taken");
    assert!(!make(&file, "/missing/a", &shape, 4), "the group is missing");
    assert!(!make(&file, "/a/b", &shape, 4), "an array is no group");
    assert!(!make(&file, "/many", &shape, 100), "more attributes than a header holds");
    let sequence = DType::Sequence(DType::Int8.into());
    let attributes = &AttributeEdits::new();
    let whole = WholeArray { dtype: &sequence, shape: &[0], items: &[], attributes };
    assert!(!file.create_whole(&node("/heap"), &whole).unwrap());
    // A group in the place of one that is gone is another group.
    file.create_group(&node("/g")).unwrap();
    assert!(make(&file, "/g/a", &shape, 4));
    file.remove(&node("/g")).unwrap();
    assert!(!make(&file, "/g/a", &shape, 4));
    file.create_group(&node("/g")).unwrap();
    assert!(make(&file, "/g/b", &shape, 4));
    drop(file);
    let file = open_again(&path);
    let names = |at: &str| {
        let children = file.children(&node(at)).unwrap();
        children.into_iter().map(|child| child.name).collect::<Vec<_>>()
    };
    assert_eq!((names("/"), names("/g")), (vec!["a".into(), "g".into()], vec!["b".to_owned()]));
}

/// What is of the plain forms is not left to the library.
#[test]
fn trees_of_plain_forms_are_read_past_the_library() {
    let (_dir, path, file) = scratch();
    for group in 0..20 {
        file.create_group(&node(&format!("/g{group}"))).unwrap();
        for at in 0..50 {
            make(&file, &format!("/g{group}/a{at}"), &(DType::Float64, vec![1]), 5);
        }
    }
    drop(file);
    let walk = |path: &Path| {
        let file = stook_core::file::LocalFile::open(path).unwrap();
        stook_hdf5::walk_natively(std::sync::Arc::new(file), &stook_core::Limits::default())
    };
    assert_eq!(walk(&path), 20 * 51);
}

/// Whether the array is read past the library.
fn is_plain(file: &Hdf5File, at: &str) -> bool {
    format!("{:?}", file.open_array(&node(at)).unwrap()).starts_with("PlainArray")
}

/// Numbers and text in chunks are read past the library, with many levels of the tree of chunks, in
/// the order of the array and any other, and where chunks are missing.
#[test]
fn arrays_of_plain_forms_are_read_past_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plain.h5");
    let options = CreateOptions { readers: Readers::Oldest, ..CreateOptions::default() };
    let file = Hdf5File::create(&path, &options).unwrap();
    let n: u32 = 300;
    let mut spec = ArraySpec::new(DType::UInt32, vec![n.into(), 200]);
    spec.grid = ChunkGrid::regular(vec![2, 3]).unwrap();
    spec.codecs = vec![CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Zlib { level: 1 }];
    spec.max_shape = Some(vec![Some(n.into()), None]);
    file.create_array(&node("/numbers"), &spec).unwrap();
    let numbers = array(&file, "/numbers");
    let all: Vec<u8> = (0..n * 200).flat_map(|at| (at * 7919 + 1).to_ne_bytes()).collect();
    let all = Values::new(DType::UInt32, vec![n.into(), 200], all, Vec::new()).unwrap();
    numbers.write(&Selection::All, &all).unwrap();
    let texts: Vec<String> = (0..5000).map(|at| "é".repeat(at % 50)).collect();
    let texts = Values::from_strings(vec![5000], &texts).unwrap();
    let mut spec = ArraySpec::new(DType::string(), vec![6000]);
    spec.grid = ChunkGrid::regular(vec![700]).unwrap();
    spec.codecs = vec![CodecSpec::Zlib { level: 2 }];
    file.create_array(&node("/texts"), &spec).unwrap();
    let some = Selection::Axes(vec![AxisSelection::range(0, 5000)]);
    array(&file, "/texts").write(&some, &texts).unwrap();
    file.create_array(&node("/one"), &ArraySpec::new(DType::string(), vec![])).unwrap();
    array(&file, "/one").write(&Selection::All, &Values::text("größe")).unwrap();
    drop((numbers, file));
    let copy = dir.path().join("copy.h5");
    std::fs::copy(&path, &copy).unwrap();
    let ours = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    let library = Hdf5File::open(&copy, &OpenOptions::read_write()).unwrap();
    for at in ["/numbers", "/texts", "/one"] {
        assert!(is_plain(&ours, at) && !is_plain(&library, at), "{at}");
        compare_arrays(&ours, &library, &node(at));
    }
    // Single rows, before anything is known of where chunks lie.
    let again = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    for row in [0, 1, 150, 298, 299] {
        let row = Selection::Axes(vec![AxisSelection::Index(row), AxisSelection::ALL]);
        let expected = array(&library, "/numbers").read(&row).unwrap();
        assert_eq!(array(&again, "/numbers").read(&row).unwrap(), expected, "{row:?}");
    }
    // Between the chunks of a box lie many others. These are not gone through for ever.
    let again = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    let source = again.open_array(&node("/numbers")).unwrap();
    let boxes = Array::new(Arc::clone(&source), &path, node("/numbers"));
    let is_unread = || format!("{source:?}").contains("index: OnceLock(<uninit>)");
    for at in 0..100 {
        let chosen = Selection::ranges([at..at + 20, 30..36]);
        let expected = array(&library, "/numbers").read(&chosen).unwrap();
        assert_eq!(boxes.read(&chosen).unwrap(), expected, "{chosen:?}");
        assert!(at > 0 || is_unread());
    }
    assert!(!is_unread());
    let picked = Selection::Axes(vec![AxisSelection::List(vec![4999, -1, 3, 3])]);
    let found = array(&again, "/texts").read(&picked).unwrap();
    assert_eq!(found.text_at(0).unwrap(), "é".repeat(49));
    assert_eq!([found.text_at(1).unwrap(), found.text_at(3).unwrap()], ["", "ééé"]);
    let error = array(&again, "/numbers").write(&Selection::All, &all).unwrap_err();
    assert_eq!(error.kind(), stook_core::ErrorKind::ReadOnly);
}
