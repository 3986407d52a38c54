//! Types that Zarr has no name for: kept beside the nearest that it has; and grids that grow.

use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::dtype::StructType;
use stook_core::grid::AxisEdges;
use stook_core::store::{ByteStore, MemoryStore};
use stook_core::values::{HeapItem, push_heap_item};
use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, ChunkGrid, Container, DType, Format, OpenOptions,
    Selection, Values,
};
use stook_zarr::ZarrContainer;

use crate::store::{array, path, values};

const FORMATS: [Format; 2] = [Format::ZarrV2, Format::ZarrV3];

fn create(format: Format) -> (Arc<MemoryStore>, ZarrContainer) {
    let store = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&store);
    let container = ZarrContainer::create(shared, format, &OpenOptions::read_write()).unwrap();
    (store, container)
}

/// Types that JSON has no name for, on groups and arrays, and what others make of them.
#[test]
fn attributes_keep_their_types_until_another_writer_changes_them() {
    for format in FORMATS {
        let (store, container) = create(format);
        container.create_array(&path("/a/x"), &ArraySpec::new(DType::Int8, [2])).unwrap();
        let short = Values::new(DType::Int16, vec![2], vec![1, 0, 2, 0], Vec::new()).unwrap();
        for node in ["/", "/a", "/a/x"] {
            let edits = AttributeEdits::new()
                .set("short", short.clone())
                .set("none", AttributeValue::Null(DType::Float32))
                .set("plain", json!({"x": [1, null]}));
            container.edit_attributes(&path(node), &edits).unwrap();
            let found = container.attributes(&path(node)).unwrap();
            let names: Vec<_> = found.iter().map(|(name, _)| name.to_owned()).collect();
            assert_eq!(names, ["short", "none", "plain"], "{node}");
            assert_eq!(found.get("short"), Some(&short.clone().into()));
            assert_eq!(found.get("none"), Some(&AttributeValue::Null(DType::Float32)));
        }
        // Another writer changes one of them, as JSON.
        for (key, value) in values(&*store, "") {
            let Ok(mut doc) = serde_json::from_slice::<Value>(&value) else { continue };
            let attributes = if format == Format::ZarrV2 { "" } else { "/attributes" };
            let Some(short) = doc.pointer_mut(&format!("{attributes}/short")) else { continue };
            *short = json!([7, 8]);
            store.set(&key, doc.to_string().as_bytes()).unwrap();
        }
        for node in ["/", "/a", "/a/x"] {
            let found = container.attributes(&path(node)).unwrap();
            assert_eq!(found.get("short"), Some(&json!([7, 8]).into()), "{node}");
            let edits = AttributeEdits::new().set("short", json!(1)).remove("none");
            container.edit_attributes(&path(node), &edits).unwrap();
            let found = container.attributes(&path(node)).unwrap();
            assert_eq!(found.get("short"), Some(&json!(1).into()));
            assert_eq!(found.len(), 2);
        }
        let text: String = values(&*store, "")
            .into_values()
            .map(|value| String::from_utf8_lossy(&value).into_owned())
            .collect();
        assert!(!text.contains("stook"), "no record is left: {text}");
    }
}

/// A struct with text and a sequence in it, written and read in pieces.
#[test]
fn structs_with_text_are_written_and_read() {
    let sequence = DType::Sequence(Arc::new(DType::Int16));
    let fields = [("n", DType::Int32), ("t", DType::string()), ("s", sequence)];
    let fields = fields.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(fields).unwrap()));
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    for i in 0..5_u8 {
        items.extend_from_slice(&[i, 0, 0, 0]);
        push_heap_item(&mut items, &mut heap, "né".repeat(i.into()).as_bytes());
        let at = heap.len() as u64;
        heap.extend_from_slice(&[i, 0].repeat(i.into()));
        items.extend_from_slice(&HeapItem { offset: at, len: i.into() }.to_bytes());
    }
    let expected = Values::new(dtype.clone(), vec![5], items, heap).unwrap();
    for format in FORMATS {
        let (_, container) = create(format);
        let mut spec = ArraySpec::new(dtype.clone(), vec![7]);
        spec.grid = ChunkGrid::regular([2]).unwrap();
        let spec = container.adapt_array(&spec).unwrap();
        assert_eq!(spec.losses, []);
        container.create_array(&path("/x"), &spec.value).unwrap();
        let part = Selection::parse("1:6").unwrap();
        array(&container, "/x").unwrap().write(&part, &expected).unwrap();
        let again = array(&container, "/x").unwrap();
        assert_eq!(again.dtype(), dtype);
        assert_eq!(again.read(&part).unwrap(), expected);
        let empty = again.read(&Selection::parse("6:").unwrap()).unwrap();
        assert!(empty.items().iter().all(|&byte| byte == 0));
        let kind = container.metadata(&path("/x")).unwrap();
        assert!(kind.get("dtype").or(kind.get("data_type")).is_some_and(|it| it.is_string()));
    }
}

/// As zarr-python 3.4.2 has it: a length for all chunks stays, a list of lengths gets one more.
#[test]
fn rectilinear_grids_grow() {
    let (store, container) = create(Format::ZarrV3);
    let mut spec = ArraySpec::new(DType::Int16, [7, 5]);
    let edges = [vec![2, 5], vec![2, 2, 1]];
    let edges = edges.map(|lengths| AxisEdges::from_lengths(&lengths).unwrap());
    spec.grid = ChunkGrid::Rectilinear(edges.to_vec());
    let source = container.create_array(&path("/x"), &spec).unwrap();
    let mut doc = container.metadata(&path("/x")).unwrap();
    doc["chunk_grid"]["configuration"]["chunk_shapes"] = json!([[2, 5], 2]);
    store.set("x/zarr.json", Value::Object(doc).to_string().as_bytes()).unwrap();
    drop(source);
    let grown = array(&container, "/x").unwrap();
    let before: Vec<i16> = (0..35).collect();
    grown.write_elements(&Selection::All, &[7, 5], &before).unwrap();
    grown.resize(&[11, 9]).unwrap();
    let doc = container.metadata(&path("/x")).unwrap();
    let shapes = &doc["chunk_grid"]["configuration"]["chunk_shapes"];
    assert_eq!(*shapes, json!([[2, 5, 4], 2]));
    let old = Selection::parse("0:7, 0:5").unwrap();
    let new = Selection::parse("6:11, 4:9").unwrap();
    let more: Vec<i16> = (100..125).collect();
    grown.write_elements(&new, &[5, 5], &more).unwrap();
    for handle in [grown.clone(), array(&container, "/x").unwrap()] {
        assert_eq!(handle.shape(), [11, 9]);
        assert_eq!(handle.read_as::<i16>(&new).unwrap(), more);
        assert_eq!(handle.read_as::<i16>(&old).unwrap()[..34], before[..34]);
    }
    grown.resize(&[3, 9]).unwrap();
    let doc = container.metadata(&path("/x")).unwrap();
    assert_eq!(doc["chunk_grid"]["configuration"]["chunk_shapes"], json!([[2, 5, 4], 2]));
    grown.resize(&[11, 9]).unwrap();
    let rest = grown.read_as::<i16>(&Selection::parse("7:, 4:").unwrap()).unwrap();
    assert!(rest.iter().all(|&item| item == 0), "{rest:?}");
}
