use std::fs;
use std::path::Path;

use stook_core::{
    Array, AttributeEdits, DType, Durability, ErrorKind, Mode, NodeKind, NodePath, OpenOptions,
    Selection, Values,
};
use stook_npy::{create_npy, is_npy, open_npy};

use crate::{array, fixture, fixtures, read};

fn open(name: &str) -> std::sync::Arc<dyn stook_core::Container> {
    open_npy(fixture(name), &OpenOptions::read()).unwrap()
}

fn mapped() -> OpenOptions {
    OpenOptions { memory_map: true, ..OpenOptions::read() }
}

#[test]
fn numbers_of_both_byte_orders_are_read() {
    for name in fixtures(".npy").iter().filter(|name| name.starts_with("num_")) {
        let values = read(open(name).as_ref(), "/").unwrap();
        assert_eq!(values.shape(), [6], "{name}");
        let item = |i: usize| values.item(i).unwrap();
        for i in 0..6_usize {
            let expected = match values.dtype() {
                DType::Int8 | DType::UInt8 => vec![i as u8],
                DType::Int16 => (i as i16).to_ne_bytes().to_vec(),
                DType::UInt32 => (i as u32).to_ne_bytes().to_vec(),
                DType::Int64 => (i as i64).to_ne_bytes().to_vec(),
                DType::Float32 => (i as f32).to_ne_bytes().to_vec(),
                DType::Float64 => (i as f64).to_ne_bytes().to_vec(),
                DType::Complex64 => [(i as f32).to_ne_bytes(), [0; 4]].concat(),
                DType::Complex128 => [(i as f64).to_ne_bytes(), [0; 8]].concat(),
                DType::Float16 | DType::LongDouble => item(i).to_vec(),
                other => panic!("{name}: {other}"),
            };
            assert_eq!(item(i), expected, "{name}[{i}]");
        }
    }
    let values = read(open("bool.npy").as_ref(), "/").unwrap();
    assert_eq!((values.dtype(), values.items()), (&DType::Bool, &[0, 1, 0, 1, 0, 1][..]));
}

#[test]
fn texts_and_times_are_read() {
    for name in ["unicode_le.npy", "unicode_be.npy"] {
        let values = read(open(name).as_ref(), "/").unwrap();
        let texts: Vec<_> = (0..3).map(|i| values.text_at(i).unwrap()).collect();
        assert_eq!(texts, ["a", "é中", ""], "{name}");
    }
    let values = read(open("bytes.npy").as_ref(), "/").unwrap();
    assert_eq!(values.text_at(1).unwrap(), "bcd");
    let values = read(open("datetime.npy").as_ref(), "/").unwrap();
    assert_eq!(values.dtype().to_string(), "datetime64[D]");
    assert_eq!(values.items(), [1_i64.to_ne_bytes(), i64::MIN.to_ne_bytes()].concat());
    let values = read(open("timedelta.npy").as_ref(), "/").unwrap();
    assert_eq!(values.dtype().to_string(), "timedelta64[10ms]");
    assert_eq!(values.item(2).unwrap(), 2_i64.to_ne_bytes());
}

#[test]
fn structs_of_any_byte_order_hold_the_same() {
    let values = read(open("struct.npy").as_ref(), "/").unwrap();
    assert_eq!(
        values.dtype().to_string(),
        "{a: int32, b: float64[2], s: S3, in: {x: int16, y: U1}}"
    );
    assert_eq!(read(open("struct_be.npy").as_ref(), "/").unwrap(), values);
    let mixed = read(open("struct_mixed.npy").as_ref(), "/").unwrap();
    let numbers: [&[u8]; 4] =
        [&3_i32.to_ne_bytes(), &2.5_f64.to_ne_bytes(), &6_i16.to_ne_bytes(), &9_i16.to_ne_bytes()];
    assert_eq!(mixed.item(2).unwrap(), numbers.concat());
    let padded = read(open("struct_padded.npy").as_ref(), "/").unwrap();
    assert_eq!(padded.dtype().item_size(), 16);
    assert_eq!(padded.item(1).unwrap()[8..12], 4_f32.to_ne_bytes());
    for (name, dtype) in [("titled", "{a: int32}"), ("unicode", "{λ'\": int32}"), ("empty", "{}")]
    {
        let container = open(&format!("struct_{name}.npy"));
        assert_eq!(array(container.as_ref(), "/").unwrap().dtype().to_string(), dtype);
    }
}

#[test]
fn shapes_and_orders_are_read_in_place_and_mapped() {
    let numbers = |n: i32| (0..n).flat_map(i32::to_ne_bytes).collect::<Vec<u8>>();
    for options in [OpenOptions::read(), mapped()] {
        for (name, shape) in [("fortran.npy", &[2, 3, 4][..]), ("fortran_be.npy", &[2, 3])] {
            let container = open_npy(fixture(name), &options).unwrap();
            let values = read(container.as_ref(), "/").unwrap();
            assert_eq!(values.shape(), shape);
            assert_eq!(values.items(), numbers(shape.iter().product::<u64>() as i32), "{name}");
        }
        for name in ["version_2.npy", "version_3.npy"] {
            let container = open_npy(fixture(name), &options).unwrap();
            assert_eq!(read(container.as_ref(), "/").unwrap().items(), numbers(6));
            let source = container.open_array(&NodePath::root()).unwrap();
            let is_mapped = source.in_place().unwrap().mapped().is_some();
            assert_eq!(is_mapped, options.memory_map);
        }
        let scalar = open_npy(fixture("scalar.npy"), &options).unwrap();
        assert_eq!(read(scalar.as_ref(), "/").unwrap().items(), 7_i64.to_ne_bytes());
        let empty = open_npy(fixture("empty.npy"), &options).unwrap();
        assert_eq!(read(empty.as_ref(), "/").unwrap().shape(), [0, 3]);
    }
}

#[test]
fn objects_as_members_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let header = b"{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}  ";
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(&path, [b"\x93NUMPY\x01\x00".as_slice(), &len, header].concat()).unwrap();
    let error = open_npy(&path, &OpenOptions::read()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "objects (dtype `|O`) as members of a struct");
    assert!(error.location().file.is_some());
}

/// Copies the array of a file to a new file as stook writes it.
fn copy(from: &Path, to: &Path) {
    let source = open_npy(from, &OpenOptions::read()).unwrap();
    let spec = source.open_array(&NodePath::root()).unwrap().spec();
    let target = create_npy(to, &OpenOptions::read_write()).unwrap();
    let adapted = target.adapt_array(&spec).unwrap();
    assert!(adapted.losses.is_empty(), "{:?}", adapted.losses);
    let created = target.create_array(&NodePath::root(), &adapted.value).unwrap();
    let array = Array::new(created, to, NodePath::root());
    array.write(&Selection::All, &read(source.as_ref(), "/").unwrap()).unwrap();
    assert!(!to.exists(), "a file comes to be with the commit");
    target.commit(Durability::Flush).unwrap();
}

#[test]
fn files_are_written_byte_for_byte_as_numpy_does() {
    let dir = tempfile::tempdir().unwrap();
    for name in fixtures(".npy") {
        // Other versions, titles and members of mixed order are not written.
        if ["version", "object", "struct_titled", "struct_mixed"]
            .iter()
            .any(|n| name.starts_with(n))
        {
            continue;
        }
        let path = dir.path().join(&name);
        copy(&fixture(&name), &path);
        assert!(fs::read(fixture(&name)).unwrap() == fs::read(&path).unwrap(), "{name}");
        assert!(is_npy(&fs::read(&path).unwrap()));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), fixtures(".npy").len() - 5);
}

#[test]
fn elements_are_written_in_place() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["fortran.npy", "num_be_i8.npy", "struct_mixed.npy"] {
        let path = dir.path().join(name);
        fs::copy(fixture(name), &path).unwrap();
        let container = open_npy(&path, &OpenOptions::read_write()).unwrap();
        let array = array(container.as_ref(), "/").unwrap();
        let before = array.read(&Selection::All).unwrap();
        let zero = Values::zeroed(array.dtype(), array.shape()).unwrap();
        array.write(&Selection::All, &zero).unwrap();
        container.commit(Durability::Fsync).unwrap();
        let reader = open_npy(&path, &OpenOptions::read()).unwrap();
        assert_eq!(read(reader.as_ref(), "/").unwrap(), zero, "{name}");
        array.write(&Selection::All, &before).unwrap();
        assert!(fs::read(&path).unwrap() == fs::read(fixture(name)).unwrap(), "{name}");
    }
}

#[test]
fn the_slowest_axis_grows_and_shrinks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    fs::copy(fixture("fortran.npy"), &path).unwrap();
    let container = open_npy(&path, &OpenOptions::read_write()).unwrap();
    let array = array(container.as_ref(), "/").unwrap();
    assert_eq!(array.resize(&[3, 3, 4]).unwrap_err().kind(), ErrorKind::InvalidInput);
    array.resize(&[2, 3, 5]).unwrap();
    let reader = open_npy(&path, &OpenOptions::read()).unwrap();
    let grown = read(reader.as_ref(), "/").unwrap();
    assert_eq!(grown.shape(), [2, 3, 5]);
    assert_eq!(grown.item(4).unwrap(), [0; 4]);
    assert_eq!(grown.item(5).unwrap(), 4_i32.to_ne_bytes());
    array.resize(&[2, 3, 4]).unwrap();
    assert!(fs::read(&path).unwrap() == fs::read(fixture("fortran.npy")).unwrap());
    let reader = open_npy(&path, &OpenOptions::read()).unwrap();
    let source = reader.open_array(&NodePath::root()).unwrap();
    assert_eq!(source.resize(&[2, 3, 5]).unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[test]
fn the_tree_is_its_root() {
    let container = open("scalar.npy");
    let (root, other) = (NodePath::root(), NodePath::parse("/a").unwrap());
    assert_eq!(container.kind(&root).unwrap(), Some(NodeKind::Array));
    assert_eq!(container.kind(&other).unwrap(), None);
    assert_eq!(container.children(&root).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(container.open_array(&other).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(container.attributes(&root).unwrap().is_empty());
    let spec = container.open_array(&root).unwrap().spec();
    assert_eq!(container.create_array(&root, &spec).unwrap_err().kind(), ErrorKind::ReadOnly);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let container = create_npy(&path, &OpenOptions::default()).unwrap();
    assert_eq!((container.mode(), container.kind(&root).unwrap()), (Mode::ReadWrite, None));
    assert_eq!(container.create_group(&other).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(container.create_array(&other, &spec).unwrap_err().kind(), ErrorKind::Unsupported);
    container.create_array(&root, &spec).unwrap();
    assert_eq!(container.create_array(&root, &spec).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(container.remove(&root).unwrap_err().kind(), ErrorKind::InvalidInput);
    let edits = AttributeEdits::new().set("units", Values::text("m"));
    assert_eq!(
        container.edit_attributes(&root, &edits).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    container.edit_attributes(&root, &AttributeEdits::new().clear()).unwrap();
    drop(container);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
