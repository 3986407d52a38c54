//! Nodes that are created from documents: as they are given, or not at all.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{Container, ErrorKind, Format, NodeKind, NodePath, OpenOptions, Selection};
use stook_zarr::ZarrContainer;

use crate::store::{array, fixtures, path, values};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn empty(format: Option<Format>) -> (Arc<MemoryStore>, ZarrContainer) {
    let store = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&store);
    (store, ZarrContainer::of_store(shared, format, &OpenOptions::read_write()).unwrap())
}

fn v3() -> Map<String, Value> {
    object(json!({
        "shape": [4], "data_type": "int16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": {"name": "v2", "configuration": {"separator": "."}},
        "fill_value": 7, "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}],
        "attributes": {"unit": "m"}, "zarr_format": 3, "node_type": "array",
        "storage_transformers": [],
    }))
}

fn v2() -> Map<String, Value> {
    object(json!({
        "shape": [4], "chunks": [2], "dtype": "<i2", "fill_value": null, "order": "C",
        "filters": [{"id": "delta", "dtype": "<i2"}], "dimension_separator": "/",
        "compressor": {"id": "lz4", "acceleration": 3}, "zarr_format": 2,
    }))
}

#[test]
fn documents_are_written_as_they_are_given() {
    let (store, container) = empty(None);
    assert_eq!(container.kind(&NodePath::root()).unwrap(), None);
    container.create_document(&path("a/x"), &v3(), None, false).unwrap();
    let attributes = object(json!({"b": 1}));
    container.create_document(&path("b/y"), &v2(), Some(&attributes), false).unwrap();
    container.create_document(&path("b/z"), &v2(), None, false).unwrap();
    let written = values(&*store, "");
    let keys: Vec<_> = written.keys().map(String::as_str).collect();
    let expected =
        ["a/x/zarr.json", "a/zarr.json", "b/.zgroup", "b/y/.zarray", "b/y/.zattrs", "b/z/.zarray"];
    assert_eq!(keys, [&expected[..], &["zarr.json"]].concat());
    for (key, doc) in [("a/x/zarr.json", v3()), ("b/y/.zarray", v2()), ("b/y/.zattrs", attributes)]
    {
        assert_eq!(written[key], serde_json::to_vec_pretty(&doc).unwrap());
    }
    for node in ["a/x", "b/y"] {
        let array = array(&container, node).unwrap();
        array.write_elements::<i16>(&Selection::parse("1:3").unwrap(), &[], &[5]).unwrap();
        let fill = if node == "a/x" { 7 } else { 0 };
        assert_eq!(array.read_as::<i16>(&Selection::All).unwrap(), [fill, 5, 5, fill]);
    }
    assert_eq!(container.attributes(&path("b/y")).unwrap().len(), 1);
}

#[test]
fn every_document_of_zarr_python_is_taken() {
    let all = fixtures();
    let mut n = 0;
    for (key, text) in values(&*all, "") {
        let Some((node, name)) = key.rsplit_once('/') else { continue };
        if !matches!(name, "zarr.json" | ".zarray" | ".zgroup") || node == "v2" {
            continue;
        }
        let (store, container) = empty(None);
        let Ok(Value::Object(doc)) = serde_json::from_slice(&text) else { continue };
        container
            .create_document(&path(node), &doc, None, false)
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!(values(&*store, "")[&key], text, "{key}");
        n += 1;
    }
    assert!(n > 120, "{n}");
}

#[test]
fn attributes_take_the_place_of_those_in_the_document() {
    let (_, container) = empty(Some(Format::ZarrV2));
    container.create_document(&path("a"), &v3(), Some(&object(json!({"x": 1}))), false).unwrap();
    let doc = container.document(&path("a")).unwrap().unwrap();
    assert_eq!(doc["attributes"], json!({"x": 1}));
    // The groups above are of the version of the document.
    assert_eq!(container.format_of(&NodePath::root()).unwrap(), Format::ZarrV3);
    assert_eq!(container.document(&path("b")).unwrap(), None);
}

#[test]
fn what_is_not_in_order_changes_nothing() {
    let (store, container) = empty(None);
    container.create_document(&path("a"), &v3(), None, false).unwrap();
    let before = values(&*store, "");
    let with = |doc: &Map<String, Value>, key: &str, value: Value| {
        let mut doc = doc.clone();
        doc.insert(key.to_owned(), value);
        doc
    };
    let sharded = |codecs: Value| {
        let inner = json!({"chunk_shape": [1], "codecs": codecs, "index_location": "end",
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]});
        json!({"name": "sharding_indexed", "configuration": inner})
    };
    let gone = json!(["bytes", {"name": "acme.squeeze"}]);
    let bad = [
        (ErrorKind::Unsupported, "acme.squeeze", with(&v3(), "codecs", gone.clone())),
        (
            ErrorKind::Unsupported,
            "acme.squeeze",
            with(&v3(), "codecs", json!([sharded(gone.clone())])),
        ),
        (
            ErrorKind::Unsupported,
            "acme.squeeze",
            with(
                &v3(),
                "codecs",
                json!([sharded(gone), {"name": "gzip", "configuration": {"level": 1}}]),
            ),
        ),
        (ErrorKind::Unsupported, "acme", with(&v2(), "compressor", json!({"id": "acme"}))),
        (ErrorKind::Unsupported, "float8", with(&v3(), "data_type", json!("float8_of_mine"))),
        (ErrorKind::Unsupported, "x-vendor", with(&v3(), "x-vendor", json!({}))),
        (ErrorKind::InvalidInput, "shape", with(&v3(), "shape", json!([-1]))),
        (ErrorKind::InvalidInput, "fill", with(&v3(), "fill_value", json!("seven"))),
        (ErrorKind::InvalidInput, "node_type", with(&v3(), "node_type", json!("nod"))),
        (ErrorKind::InvalidInput, "attributes", with(&v3(), "attributes", json!([1]))),
        (ErrorKind::InvalidInput, "zarr_format", object(json!({"shape": [1]}))),
        (ErrorKind::InvalidInput, "chunks", with(&v2(), "chunks", json!("all"))),
    ];
    for (kind, named, doc) in bad {
        for overwrite in [false, true] {
            let error = container.create_document(&path("a"), &doc, None, overwrite).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(named), "{named}: {error}");
            assert_eq!(values(&*store, ""), before);
        }
        assert!(container.check_document(&path("a"), &doc).is_err());
    }
    let error = container.create_document(&path("a"), &v3(), None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let error = container.create_document(&path("a/b"), &v3(), None, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(values(&*store, ""), before);
    container.check_document(&path("a"), &v2()).unwrap();
}

#[test]
fn what_is_overwritten_goes_with_all_below_it() {
    let (store, container) = empty(None);
    container.create_document(&path("g/a"), &v3(), None, false).unwrap();
    let group = object(json!({"attributes": {}, "zarr_format": 3, "node_type": "group"}));
    let open = array(&container, "g/a").unwrap();
    open.write_elements::<i16>(&Selection::All, &[], &[5]).unwrap();
    container.consolidate(&NodePath::root()).unwrap();
    assert!(container.consolidated(&NodePath::root()).unwrap().is_some());
    container.create_document(&path("g"), &group, None, true).unwrap();
    assert_eq!(values(&*store, "").len(), 2);
    assert_eq!(container.consolidated(&NodePath::root()).unwrap(), None);
    container.create_document(&NodePath::root(), &v2(), Some(&Map::new()), true).unwrap();
    assert_eq!(values(&*store, "").into_keys().collect::<Vec<_>>(), [".zarray", ".zattrs"]);
    assert_eq!(container.kind(&NodePath::root()).unwrap(), Some(NodeKind::Array));
}

#[test]
fn a_store_of_no_node_can_be_read_and_a_read_only_one_not_written() {
    let store = Arc::new(MemoryStore::new());
    let shared = || Arc::<MemoryStore>::clone(&store);
    let reader = ZarrContainer::of_store(shared(), None, &OpenOptions::read()).unwrap();
    assert_eq!(reader.kind(&path("a")).unwrap(), None);
    let error = reader.create_document(&path("a"), &v3(), None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    let writer = ZarrContainer::of_store(shared(), None, &OpenOptions::read_write()).unwrap();
    writer.create_document(&path("a"), &v3(), None, false).unwrap();
    assert_eq!(reader.kind(&path("a")).unwrap(), Some(NodeKind::Array));
    let error = ZarrContainer::of_store(shared(), Some(Format::Npy), &OpenOptions::read());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(store.len_bytes("zarr.json").unwrap().is_some());
}
