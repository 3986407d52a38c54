//! Files that nobody should trust.

use stook::{DType, ErrorKind, Values};
use stook_nodes::{Acquisition, Depth};

use super::{Places, reopened};

#[test]
fn a_text_that_would_run_something_is_refused_by_name() {
    let places = Places::new();
    let path = places.path("run.h5");
    let run = Acquisition::create(&path).unwrap();
    let root = run.root().unwrap();
    root.create_string_array("log", "").unwrap().append("a").unwrap();
    // What `pickle.dumps` makes of an object that calls `os.system` when it is read.
    let call = b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x94\x85\x94R\x94.";
    run.append_row(&run.root().unwrap().child("log").unwrap().path().clone(), call).unwrap();
    let text = r#"{"module": "builtins", "type": "str", "data": "os.system('ls')"}"#;
    run.set_text(root.path(), "note", text).unwrap();
    run.close().unwrap();
    let run = reopened(&path);
    let error = run.string_array("/log").unwrap().read().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("posix.system"), "{error}");
    let error = run.root().unwrap().attribute("note").unwrap_err();
    assert!(error.to_string().contains("`os.system`"), "{error}");
}

#[test]
fn a_group_within_itself_is_refused() {
    let places = Places::new();
    let path = places.path("run.h5");
    let file = stook::File::create(&path).unwrap();
    let inner = file.root_group().unwrap().create_group("a/b").unwrap();
    let node = |path: &str| stook::NodePath::parse(path).unwrap();
    let container = inner.file().container();
    container.create_hard_link(&node("/a/b/again"), &node("/a")).unwrap();
    file.commit().unwrap();
    drop((inner, file));
    let error = reopened(&path).walk("/", Depth::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("/a/b/again"), "{error}");
}

#[test]
fn a_node_of_another_program_has_the_class_of_what_it_is() {
    let places = Places::new();
    let path = places.path("run.h5");
    let file = stook::File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    let values = Values::zeroed(DType::Int16, vec![2]).unwrap();
    let plain = root.array("plain").dtype(DType::Int16).shape([2]).create().unwrap();
    plain.write(&stook::Selection::All, &values).unwrap();
    plain.set_attribute("CLASS", "TABLE").unwrap();
    root.array("grows")
        .dtype(DType::Int16)
        .shape([2])
        .max_shape([None])
        .chunks([2])
        .create()
        .unwrap();
    file.commit().unwrap();
    drop((plain, root, file));
    let run = reopened(&path);
    let classes: Vec<&str> =
        run.walk("/", Depth::All).unwrap().iter().map(|visit| visit.class.name()).collect();
    assert_eq!(classes, ["GROUP", "EARRAY", "CARRAY"]);
    run.earray("/grows").unwrap().append_elements(&[1_i16, 2]).unwrap();
    assert_eq!(run.earray("/grows").unwrap().shape().unwrap(), [4]);
}
