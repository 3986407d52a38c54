//! The tree: names, links, changes, and what is refused.

use stook_core::container::{Container, Link, NodeKind, OpenOptions};
use stook_core::{ArraySpec, DType, ErrorKind};
use stook_hdf5::{CreateOptions, Hdf5File};

use crate::support::{array, fixture, node, open, scratch};

#[test]
fn links_are_listed_with_where_they_lead() {
    let file = open("links.h5");
    let children = file.children(&node("/")).unwrap();
    let names: Vec<_> = children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(
        names,
        ["dangling", "external", "group", "hard", "relative", "soft", "type", "typed", "é name"]
    );
    let child = |name: &str| children.iter().find(|child| child.name == name).unwrap();
    assert_eq!(child("dangling").kind, None);
    assert_eq!(child("dangling").link, Link::Soft("/nothing".into()));
    let external = Link::External { file: "layouts.h5".into(), target: "/contiguous".into() };
    assert_eq!((child("external").kind, &child("external").link), (None, &external));
    assert_eq!(child("relative").kind, Some(NodeKind::Group));
    assert_eq!(child("type").kind, Some(NodeKind::NamedType));
    let inner = file.children(&node("group")).unwrap();
    assert_eq!(inner[0].identity, child("hard").identity);
    assert_ne!(child("typed").identity, child("hard").identity);
}

#[test]
fn links_are_followed() {
    let file = open("links.h5");
    assert_eq!(array(&file, "soft").shape(), [7, 5]);
    assert_eq!(array(&file, "relative/data").shape(), [7, 5]);
    assert_eq!(file.kind(&node("dangling")).unwrap(), None);
    assert_eq!(file.kind(&node("soft/x")).unwrap(), None);
    assert_eq!(file.kind(&node("external")).unwrap(), Some(NodeKind::Array));
    assert_eq!(file.open_array(&node("external")).unwrap().spec().shape(), [7, 5]);
    let error = file.open_array(&node("dangling")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn groups_and_links_are_made_moved_and_removed() {
    let (_dir, path, file) = scratch();
    file.create_group(&node("a/b/c")).unwrap();
    file.create_link(&node("s"), &Link::Soft("/a/b".into())).unwrap();
    let external = Link::External { file: "y.h5".into(), target: "/z".into() };
    file.create_link(&node("a/e"), &external).unwrap();
    assert_eq!(file.kind(&node("s/c")).unwrap(), Some(NodeKind::Group));
    file.rename(&node("a/b/c"), &node("new/place")).unwrap();
    assert_eq!(file.kind(&node("a/b/c")).unwrap(), None);
    file.remove(&node("s")).unwrap();
    assert_eq!(file.kind(&node("a/b")).unwrap(), Some(NodeKind::Group));
    drop(file);
    let file = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    assert_eq!(file.kind(&node("new/place")).unwrap(), Some(NodeKind::Group));
    assert_eq!(file.children(&node("a")).unwrap()[1].link, external);
}

#[test]
fn a_refused_change_leaves_the_tree_as_it_was() {
    let (_dir, _path, file) = scratch();
    file.create_group(&node("a")).unwrap();
    file.create_array(&node("data"), &ArraySpec::new(DType::Int8, [2])).unwrap();
    let refused = |result: stook_core::Result<()>, kind| {
        assert_eq!(result.unwrap_err().kind(), kind);
    };
    refused(file.create_group(&node("a")), ErrorKind::AlreadyExists);
    refused(file.create_group(&node("/")), ErrorKind::AlreadyExists);
    refused(file.create_group(&node("data/x")), ErrorKind::InvalidInput);
    refused(file.rename(&node("a"), &node("a/b")), ErrorKind::InvalidInput);
    refused(file.rename(&node("a"), &node("data")), ErrorKind::AlreadyExists);
    refused(file.rename(&node("x"), &node("y")), ErrorKind::NotFound);
    refused(file.remove(&node("/")), ErrorKind::InvalidInput);
    refused(file.remove(&node("x/y")), ErrorKind::NotFound);
    let narrow = ArraySpec::new("int4".parse().unwrap(), [2]);
    let result = file.create_array(&node("new/deep/array"), &narrow);
    refused(result.map(drop), ErrorKind::Unsupported);
    let names: Vec<_> = file.children(&node("/")).unwrap().into_iter().map(|c| c.name).collect();
    assert_eq!(names, ["a", "data"]);
}

#[test]
fn a_file_for_reading_refuses_changes() {
    let file = open("links.h5");
    let error = file.create_group(&node("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(file.remove(&node("hard")).unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[test]
fn what_is_no_hdf5_file_is_refused_with_what_was_found() {
    let open = |name: &str| Hdf5File::open(fixture(name), &OpenOptions::read()).unwrap_err();
    assert_eq!(open("missing.h5").kind(), ErrorKind::NotFound);
    let error = open("generate.py");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("HDF5 signature"), "{error}");
    assert!(error.message().contains("the file begins with"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("cut.h5");
    std::fs::write(&cut, &std::fs::read(fixture("links.h5")).unwrap()[..1000]).unwrap();
    let error = Hdf5File::open(&cut, &OpenOptions::read()).unwrap_err();
    let len = std::fs::metadata(fixture("links.h5")).unwrap().len();
    let expected = format!("the file is truncated: expected {len} bytes, found 1000");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Corrupt, expected.as_str()));
    let (_dir, path, file) = scratch();
    drop(file);
    let error = Hdf5File::create(&path, &CreateOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_file_that_is_written_can_be_read_meanwhile() {
    let (_dir, path, file) = scratch();
    file.create_group(&node("a")).unwrap();
    file.commit(stook_core::Durability::Fsync).unwrap();
    let reader = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    assert_eq!(reader.kind(&node("a")).unwrap(), Some(NodeKind::Group));
}

#[test]
fn thousands_of_nodes_are_listed_fast() {
    let (_dir, _path, file) = scratch();
    let spec = ArraySpec::new(DType::Int8, [2]);
    for i in 0..2000 {
        file.create_array(&node(&format!("d{i:05}")), &spec).unwrap();
    }
    let started = std::time::Instant::now();
    let children = file.children(&node("/")).unwrap();
    assert_eq!(children.len(), 2000);
    assert!(children.iter().all(|child| child.kind == Some(NodeKind::Array)));
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
}

#[test]
fn a_group_of_more_names_than_the_limit_is_refused() {
    let mut options = OpenOptions::read();
    options.limits.n_nodes = 3;
    let file = Hdf5File::open(fixture("links.h5"), &options).unwrap();
    let error = file.children(&node("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert_eq!(file.children(&node("group")).unwrap().len(), 1);
}

#[test]
fn many_threads_share_a_file() {
    let (_dir, _path, file) = scratch();
    let mut spec = ArraySpec::new(DType::Int32, [64, 64]);
    spec.grid = stook_core::ChunkGrid::regular([8, 8]).unwrap();
    spec.codecs = vec![stook_core::CodecSpec::Zlib { level: 1 }];
    std::thread::scope(|scope| {
        for thread in 0..8_i32 {
            let (file, spec) = (&file, &spec);
            scope.spawn(move || {
                let own = node(&format!("t{thread}/a"));
                let made = crate::support::create(file, own.as_str(), spec);
                for round in 0..20 {
                    let edits =
                        stook_core::AttributeEdits::new().set("n", serde_json::json!(round));
                    file.edit_attributes(&own, &edits).unwrap();
                    let row = stook_core::Selection::parse(&format!("{}", round * 3)).unwrap();
                    made.write_elements(&row, &[64], &[thread; 64]).unwrap();
                    assert_eq!(made.read_as::<i32>(&row).unwrap(), [thread; 64]);
                    assert!(!file.children(&node("/")).unwrap().is_empty());
                    assert_eq!(array(file, own.as_str()).shape(), [64, 64]);
                    if round % 7 == 0 {
                        file.commit(stook_core::Durability::Flush).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(file.children(&node("/")).unwrap().len(), 8);
}
