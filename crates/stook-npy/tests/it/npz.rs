use std::fs;
use std::sync::Arc;

use stook_core::{
    Array, ArraySpec, Container, DType, Durability, ErrorKind, NodeKind, NodePath, OpenOptions,
    Selection, Values,
};
use stook_npy::{create_npz, is_npz, open_npz};

use crate::{array, fixture, read};

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn names(container: &dyn Container, group: &str) -> Vec<String> {
    container.children(&path(group)).unwrap().into_iter().map(|child| child.name).collect()
}

fn numbers(n: i32) -> Vec<u8> {
    (0..n).flat_map(i32::to_ne_bytes).collect()
}

#[test]
fn archives_of_numpy_are_trees() {
    for name in ["stored.npz", "deflated.npz"] {
        assert!(is_npz(&fs::read(fixture(name)).unwrap()));
        let container = open_npz(fixture(name), &OpenOptions::read()).unwrap();
        assert_eq!(names(container.as_ref(), "/"), ["arr_0", "empty", "group"]);
        assert_eq!(names(container.as_ref(), "/group"), ["fortran", "inner"]);
        assert_eq!(container.kind(&path("/group/inner")).unwrap(), Some(NodeKind::Group));
        assert_eq!(read(container.as_ref(), "/group/fortran").unwrap().items(), numbers(6));
        let values = read(container.as_ref(), "/arr_0").unwrap();
        assert_eq!(
            (values.shape(), values.item(5).unwrap()),
            (&[2, 3][..], &5_f64.to_ne_bytes()[..])
        );
        let x = array(container.as_ref(), "/group/inner/x").unwrap();
        let expected: Vec<i16> = (0..10).collect();
        assert_eq!(x.read_as::<i16>(&Selection::All).unwrap(), expected);
        assert!(read(container.as_ref(), "/empty").unwrap().is_empty());
        let error = read(container.as_ref(), "/group/none").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn changes_reach_the_archive_with_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["stored.npz", "deflated.npz"] {
        let file = dir.path().join(name);
        fs::copy(fixture(name), &file).unwrap();
        let before = fs::read(&file).unwrap();
        let container = open_npz(&file, &OpenOptions::read_write()).unwrap();
        let fortran = array(container.as_ref(), "/group/fortran").unwrap();
        let other = array(container.as_ref(), "/group/fortran").unwrap();
        other.read(&Selection::All).unwrap();
        let values =
            Values::new(DType::Int32, vec![2, 3], numbers(7)[4..].to_vec(), Vec::new()).unwrap();
        fortran.write(&Selection::All, &values).unwrap();
        assert_eq!(other.read(&Selection::All).unwrap(), values, "handles see each other");
        let grown = array(container.as_ref(), "/arr_0").unwrap();
        grown.resize(&[3, 3]).unwrap();
        container.rename(&path("/group/inner"), &path("/moved/deep")).unwrap();
        container.remove(&path("/empty")).unwrap();
        container.create_group(&path("/nothing/here")).unwrap();
        assert!(fs::read(&file).unwrap() == before);
        container.commit(Durability::Flush).unwrap();

        let reader = open_npz(&file, &OpenOptions::read()).unwrap();
        assert_eq!(names(reader.as_ref(), "/"), ["arr_0", "group", "moved", "nothing"]);
        assert_eq!(names(reader.as_ref(), "/nothing"), ["here"]);
        assert_eq!(read(reader.as_ref(), "/group/fortran").unwrap(), values);
        assert_eq!(read(reader.as_ref(), "/moved/deep/x").unwrap().shape(), [10]);
        let grown = read(reader.as_ref(), "/arr_0").unwrap();
        assert_eq!(
            (grown.shape(), grown.item(5).unwrap()),
            (&[3, 3][..], &5_f64.to_ne_bytes()[..])
        );
        assert!(grown.items()[48..].iter().all(|&byte| byte == 0));
        assert_eq!(
            open_npz(&file, &OpenOptions::read_write()).unwrap_err().kind(),
            ErrorKind::Locked
        );
    }
}

#[test]
fn new_archives_hold_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.npz");
    let container: Arc<dyn Container> = create_npz(&file, &OpenOptions::default()).unwrap();
    let spec = ArraySpec::new(DType::Int32, [2, 3]);
    let source = container.create_array(&path("/a/é"), &spec).unwrap();
    let values = Values::new(DType::Int32, vec![2, 3], numbers(6), Vec::new()).unwrap();
    Array::new(source, &file, path("/a/é")).write(&Selection::All, &values).unwrap();
    let mut bad = spec.clone();
    bad.codecs = vec![stook_core::CodecSpec::Zlib { level: 1 }];
    for (node, spec, kind) in [
        ("/a/é", &spec, ErrorKind::AlreadyExists),
        ("/a", &spec, ErrorKind::AlreadyExists),
        ("/", &spec, ErrorKind::AlreadyExists),
        ("/a/é/b", &spec, ErrorKind::InvalidInput),
        ("/new", &bad, ErrorKind::Unsupported),
    ] {
        assert_eq!(container.create_array(&path(node), spec).unwrap_err().kind(), kind, "{node}");
    }
    assert_eq!(names(container.as_ref(), "/"), ["a"]);
    container.commit(Durability::Fsync).unwrap();
    let reader = open_npz(&file, &OpenOptions::read()).unwrap();
    assert_eq!(read(reader.as_ref(), "/a/é").unwrap(), values);
    assert_eq!(reader.remove(&path("/a")).unwrap_err().kind(), ErrorKind::ReadOnly);
}
