//! Trees that change: creating, moving, removing, attributes, consolidated metadata.

use std::sync::Arc;

use serde_json::json;
use stook_core::dtype::{Field, StructType};
use stook_core::store::{ByteStore, LocalStore, MemoryStore, ZipStore};
use stook_core::{
    Array, ArraySpec, AttributeEdits, AttributeValue, ChunkGrid, Container, DType, Durability,
    ErrorKind, Format, Limits, Mode, NodeKind, NodePath, OpenOptions, Selection,
};
use stook_zarr::{ZarrContainer, is_zarr};

use crate::store::{array, below, fixtures, open, path, values};

const FORMATS: [Format; 2] = [Format::ZarrV2, Format::ZarrV3];

fn create(format: Format) -> (Arc<MemoryStore>, ZarrContainer) {
    let store = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&store);
    let container = ZarrContainer::create(shared, format, &OpenOptions::read_write()).unwrap();
    (store, container)
}

fn reader(store: &Arc<MemoryStore>) -> ZarrContainer {
    ZarrContainer::open(Arc::<MemoryStore>::clone(store), &OpenOptions::read()).unwrap()
}

fn numbers() -> ArraySpec {
    let mut spec = ArraySpec::new(DType::Int32, vec![6, 6]);
    spec.grid = ChunkGrid::regular([2, 3]).unwrap();
    spec
}

fn fill(container: &ZarrContainer, node: &str) -> Array {
    container.create_array(&path(node), &numbers()).unwrap();
    let array = array(container, node).unwrap();
    let elements: Vec<i32> = (1..37).collect();
    array.write_elements(&Selection::All, &[6, 6], &elements).unwrap();
    array
}

#[test]
fn nodes_are_created_listed_moved_and_removed() {
    for format in FORMATS {
        let (store, container) = create(format);
        assert!(is_zarr(&*store).unwrap());
        fill(&container, "/a/b/x");
        container.create_group(&path("/a/c")).unwrap();
        container.create_group(&path("/ab")).unwrap();
        let names = |container: &ZarrContainer, group: &str| {
            let children = container.children(&path(group)).unwrap();
            children.into_iter().map(|child| child.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&container, "/"), ["a", "ab"]);
        assert_eq!(names(&container, "/a"), ["b", "c"]);
        container.rename(&path("/a/b"), &path("/d/e")).unwrap();
        let moved = array(&container, "/d/e/x").unwrap();
        assert_eq!(moved.read_as::<i32>(&Selection::All).unwrap()[35], 36);
        assert_eq!(container.kind(&path("/a/b")).unwrap(), None);
        assert_eq!(container.kind(&path("/d")).unwrap(), Some(NodeKind::Group));
        container.remove(&path("/a")).unwrap();
        assert_eq!(names(&container, "/"), ["ab", "d"]);
        assert!(values(&*store, "a").is_empty());
        container.commit(Durability::Flush).unwrap();
    }
}

#[test]
fn what_cannot_be_done_is_told_and_changes_nothing() {
    for format in FORMATS {
        let (store, container) = create(format);
        fill(&container, "/a/x");
        let before = values(&*store, "");
        let fails = |kind: ErrorKind, result: stook_core::Result<()>| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.location().node.is_some() && error.location().file.is_some());
        };
        let spec = numbers();
        let create = |node: &str| container.create_array(&path(node), &spec).map(|_| ());
        fails(ErrorKind::AlreadyExists, container.create_group(&path("/a")));
        fails(ErrorKind::AlreadyExists, container.create_group(&path("/a/x")));
        fails(ErrorKind::AlreadyExists, create("/a"));
        fails(ErrorKind::AlreadyExists, create("/a/x"));
        fails(ErrorKind::InvalidInput, create("/a/x/y"));
        fails(ErrorKind::InvalidInput, create("/a/.zarray"));
        fails(ErrorKind::InvalidInput, container.create_group(&path("/zarr.json/b")));
        fails(ErrorKind::NotFound, container.remove(&path("/b")));
        fails(ErrorKind::InvalidInput, container.remove(&NodePath::root()));
        fails(ErrorKind::NotFound, container.rename(&path("/b"), &path("/c")));
        fails(ErrorKind::InvalidInput, container.rename(&path("/a"), &path("/a/b")));
        fails(ErrorKind::AlreadyExists, container.rename(&path("/a/x"), &path("/a")));
        fails(ErrorKind::InvalidInput, container.open_array(&path("/a")).map(|_| ()));
        fails(ErrorKind::NotFound, container.open_array(&path("/b")).map(|_| ()));
        fails(ErrorKind::InvalidInput, container.children(&path("/a/x")).map(|_| ()));
        fails(ErrorKind::NotFound, container.attributes(&path("/b")).map(|_| ()));
        let field = Field { name: "a".to_owned(), dtype: DType::Int8, offset: 3 };
        let padded = StructType { fields: vec![field], size: 8 };
        let odd = ArraySpec::new(DType::Struct(Arc::new(padded)), vec![3]);
        fails(ErrorKind::Unsupported, container.create_array(&path("/new/odd"), &odd).map(|_| ()));
        assert_eq!(values(&*store, ""), before);
        let reader = reader(&store);
        fails(ErrorKind::ReadOnly, reader.create_group(&path("/z")));
        fails(ErrorKind::ReadOnly, reader.remove(&path("/a")));
        fails(ErrorKind::ReadOnly, reader.edit_attributes(&path("/a"), &AttributeEdits::new()));
        fails(ErrorKind::ReadOnly, reader.open_array(&path("/a/x")).unwrap().resize(&[1, 1]));
        let shared = Arc::<MemoryStore>::clone(&store);
        let again = ZarrContainer::create(shared, format, &OpenOptions::read_write());
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    let empty = Arc::new(MemoryStore::new());
    let error = ZarrContainer::open(empty, &OpenOptions::read()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn cleared_attributes_of_version_2_leave_no_document() {
    for format in FORMATS {
        let (store, container) = create(format);
        let (root, edits) = (NodePath::root(), AttributeEdits::new());
        container
            .edit_attributes(&root, &edits.clone().set("b", json!(1)).set("a", json!(f64::MAX)))
            .unwrap();
        container.edit_attributes(&root, &edits.clone().remove("b").set("c", json!("é"))).unwrap();
        let attributes = container.attributes(&root).unwrap();
        assert_eq!(attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "c"]);
        container.edit_attributes(&root, &edits.clear()).unwrap();
        assert!(container.attributes(&root).unwrap().is_empty());
        assert_eq!(values(&*store, "").len(), 1, "{format}");
    }
}

#[test]
fn axis_names_of_version_2_are_an_attribute() {
    let (_, container) = create(Format::ZarrV2);
    let mut spec = numbers();
    spec.dimension_names = Some(vec![Some("y".to_owned()), Some("x".to_owned())]);
    container.create_array(&path("a"), &spec).unwrap();
    let found = container.open_array(&path("a")).unwrap().spec();
    assert_eq!(found.dimension_names, spec.dimension_names);
    assert_eq!(container.attributes(&path("a")).unwrap().len(), 1);
}

#[test]
fn a_smaller_array_loses_its_chunks() {
    for format in FORMATS {
        let (store, container) = create(format);
        let array = fill(&container, "a");
        assert_eq!(array.source().n_stored().unwrap(), 6);
        assert_eq!(array.source().len_stored_bytes().unwrap(), 144);
        array.resize(&[3, 3]).unwrap();
        assert_eq!(array.source().n_stored().unwrap(), 2);
        assert_eq!(values(&*store, "a").len(), 3);
        array.resize(&[4, 4]).unwrap();
        let found = crate::store::array(&container, "a").unwrap();
        let found = found.read_as::<i32>(&Selection::All).unwrap();
        assert_eq!(found, [1, 2, 3, 0, 7, 8, 9, 0, 13, 14, 15, 0, 0, 0, 0, 0]);
        let scalar = container.create_array(&path("s"), &ArraySpec::new(DType::Int8, vec![]));
        let scalar = Array::new(scalar.unwrap(), "", path("s"));
        scalar.write_elements::<i8>(&Selection::All, &[], &[7]).unwrap();
        assert_eq!(scalar.source().n_stored().unwrap(), 1);
    }
}

#[test]
fn a_shape_changed_by_one_handle_keeps_the_attributes_set_by_another() {
    for format in FORMATS {
        let (_, container) = create(format);
        let array = fill(&container, "a");
        let edits = AttributeEdits::new().set("unit", json!("m"));
        container.edit_attributes(&path("a"), &edits).unwrap();
        array.resize(&[7, 6]).unwrap();
        assert_eq!(container.attributes(&path("a")).unwrap().len(), 1);
    }
}

#[test]
fn handles_to_one_array_see_one_shape() {
    for format in FORMATS {
        let (store, container) = create(format);
        let one = fill(&container, "a");
        let two = array(&container, "a").unwrap();
        two.resize(&[8, 6]).unwrap();
        assert_eq!(one.shape(), [8, 6]);
        // Another container on the same store grows it further and writes there.
        let other = array(&open(&store), "a").unwrap();
        other.resize(&[12, 6]).unwrap();
        other.write_elements::<i32>(&Selection::ranges([8..12, 0..6]), &[], &[7]).unwrap();
        // What this handle, which does not know of it, cuts off must not come back.
        one.resize(&[10, 6]).unwrap();
        one.resize(&[12, 6]).unwrap();
        let rows = one.read_as::<i32>(&Selection::ranges([8..12, 0..6])).unwrap();
        assert_eq!(rows, [[7; 12], [0; 12]].concat());
    }
}

#[test]
fn consolidated_metadata_is_read_and_never_out_of_date() {
    for format in FORMATS {
        let (store, container) = create(format);
        fill(&container, "/g/x");
        let edits = AttributeEdits::new().set("a", json!([1, 2]));
        container.edit_attributes(&path("/g"), &edits).unwrap();
        container.consolidate(&NodePath::root()).unwrap();
        let reader = reader(&store);
        let hidden = values(&*store, "g");
        assert_eq!(reader.children(&path("/g")).unwrap()[0].name, "x");
        // Read from the one document: the others are not looked at.
        for key in hidden.keys().filter(|key| !key.contains("/c/") && key.contains(".z")) {
            store.erase(key).unwrap();
        }
        assert_eq!(reader.children(&NodePath::root()).unwrap()[0].name, "g");
        assert_eq!(reader.attributes(&path("/g")).unwrap().len(), 1);
        let found = array(&reader, "/g/x").unwrap().read_as::<i32>(&Selection::All).unwrap();
        assert_eq!(found[0], 1);
        hidden.iter().for_each(|(key, value)| store.set(key, value).unwrap());
        array(&container, "/g/x").unwrap().resize(&[9, 6]).unwrap();
        assert_eq!(reader.open_array(&path("/g/x")).unwrap().spec().shape(), [9, 6]);
        assert_eq!(store.len_bytes(".zmetadata").unwrap(), None);
        container.consolidate(&path("/g")).unwrap();
        container.consolidate(&NodePath::root()).unwrap();
        container.remove(&path("/g/x")).unwrap();
        assert_eq!(reader.kind(&path("/g/x")).unwrap(), None);
        assert!(reader.children(&path("/g")).unwrap().is_empty());
    }
}

#[test]
fn a_reader_of_a_folder_sees_each_change_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let root = folder.path().join(format.to_string());
        let store = Arc::new(LocalStore::create(&root).unwrap());
        let container = ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap();
        let store = Arc::new(LocalStore::open(&root, Mode::Read).unwrap());
        let reader = ZarrContainer::open(store, &OpenOptions::read()).unwrap();
        let array = fill(&container, "a");
        for rows in 7..20 {
            container.consolidate(&NodePath::root()).unwrap();
            assert_eq!(reader.children(&NodePath::root()).unwrap().len(), 1);
            array.resize(&[rows, 6]).unwrap();
            let found = reader.open_array(&path("a")).unwrap().spec();
            assert_eq!(found.shape(), [rows, 6], "{format}");
        }
    }
}

#[test]
fn versions_may_be_mixed_and_the_newer_one_counts() {
    let (store, container) = create(Format::ZarrV3);
    let all = fixtures();
    for (key, value) in values(&*below(&all, "v2/layout"), "") {
        store.set(&format!("old/{key}"), &value).unwrap();
    }
    store.set("old/.zgroup", b"{\"zarr_format\": 2}").unwrap();
    assert_eq!(container.format_of(&path("/old/cube")).unwrap(), Format::ZarrV2);
    assert!(array(&container, "/old/cube").unwrap().read(&Selection::All).is_ok());
    fill(&container, "/old/new");
    assert_eq!(container.format_of(&path("/old/new")).unwrap(), Format::ZarrV3);
    assert_eq!(
        container.consolidate(&NodePath::root()).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    store.set("old/cube/zarr.json", br#"{"zarr_format": 3, "node_type": "group"}"#).unwrap();
    assert_eq!(container.kind(&path("/old/cube")).unwrap(), Some(NodeKind::Group));
}

#[test]
fn numbers_that_json_lacks_are_kept_in_attributes() {
    let all = fixtures();
    for version in ["v2", "v3"] {
        let store = below(&all, version);
        let container = open(&store);
        let root = NodePath::root();
        let attributes = container.attributes(&root).unwrap();
        let Some(AttributeValue::Values(nan)) = attributes.get("é") else { panic!() };
        assert_eq!((nan.dtype(), nan.shape().len()), (&DType::Float64, 0));
        let edits = AttributeEdits::new().set("copy", nan.clone()).remove("deep");
        container.edit_attributes(&root, &edits).unwrap();
        let key = if version == "v2" { ".zattrs" } else { "zarr.json" };
        let text = String::from_utf8(values(&*store, "")[key].clone()).unwrap();
        assert!(text.contains("\"\\u00e9\": NaN") && text.contains("\"copy\": NaN"), "{text}");
        assert!(text.contains("Infinity\n"), "{text}");
    }
}

#[test]
fn a_folder_holds_what_memory_does() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let root = folder.path().join(format.to_string());
        let store = Arc::new(LocalStore::create(&root).unwrap());
        let container = ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap();
        fill(&container, "/a/b");
        container.rename(&path("/a"), &path("/c")).unwrap();
        container.commit(Durability::Fsync).unwrap();
        let store = Arc::new(LocalStore::open(&root, Mode::Read).unwrap());
        let reader = ZarrContainer::open(store, &OpenOptions::read()).unwrap();
        let found = array(&reader, "/c/b").unwrap().read_as::<i32>(&Selection::All).unwrap();
        assert_eq!(found, (1..37).collect::<Vec<_>>());
        let error =
            array(&reader, "/c/b").unwrap().write_elements::<i32>(&Selection::All, &[], &[0]);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::ReadOnly);
    }
}

#[test]
fn an_archive_holds_what_a_folder_does() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    for format in FORMATS {
        let file = folder.path().join(format!("{format}.zip"));
        let store = Arc::new(ZipStore::create(&file, &limits).unwrap());
        let container = ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap();
        fill(&container, "/a/b").resize(&[5, 6]).unwrap();
        container.rename(&path("/a"), &path("/c")).unwrap();
        container.consolidate(&NodePath::root()).unwrap();
        container.commit(Durability::Flush).unwrap();
        let store = Arc::new(ZipStore::open(&file, Mode::Read, &limits).unwrap());
        let reader = ZarrContainer::open(store, &OpenOptions::read()).unwrap();
        let found = array(&reader, "/c/b").unwrap().read_as::<i32>(&Selection::All).unwrap();
        assert_eq!(found, (1..31).collect::<Vec<_>>());
        assert_eq!(reader.children(&NodePath::root()).unwrap().len(), 1);
    }
}

#[test]
fn two_creators_of_one_array_do_not_both_succeed() {
    for format in FORMATS {
        let (_, container) = create(format);
        let n = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match container.create_array(&path("/p/q/r"), &numbers()) {
                    Ok(_) => {
                        n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
                });
            }
        });
        assert_eq!(n.into_inner(), 1);
    }
}
