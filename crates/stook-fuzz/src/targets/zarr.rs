//! Zarr: documents, and chunks below a document that is sound.

use std::sync::Arc;

use serde_json::json;
use stook_core::store::MemoryStore;
use stook_core::{ByteStore, NodePath, OpenOptions};
use stook_zarr::ZarrContainer;

use super::{read_array, read_tree};
use crate::limits;

fn open(entries: &[(&str, &[u8])]) -> Option<ZarrContainer> {
    let store = Arc::new(MemoryStore::new());
    for (key, value) in entries {
        store.set(key, value).ok()?;
    }
    let options = OpenOptions { limits: limits(), ..OpenOptions::read() };
    ZarrContainer::open(store, &options).ok()
}

/// A `zarr.json`, of a group (consolidated or not) or an array whose chunks are there.
pub(crate) fn document_v3(data: &[u8]) {
    let chunk = [7_u8; 64];
    let entries = [("zarr.json", data), ("c/0", &chunk), ("c/0/0", &chunk), ("c", &chunk)];
    if let Some(container) = open(&entries) {
        read_tree(&container);
    }
}

/// A `.zarray` or `.zmetadata`, and attributes: two documents, with a zero between them.
pub(crate) fn document_v2(data: &[u8]) {
    let at = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (first, second) = data.split_at(at);
    let second = second.get(1..).unwrap_or_default();
    let chunk = [7_u8; 64];
    let entries = [(".zarray", first), (".zattrs", second), ("0", &chunk), ("0.0", &chunk)];
    if let Some(container) = open(&entries) {
        read_tree(&container);
    }
    let group = br#"{"zarr_format": 2}"#.as_slice();
    let entries = [(".zgroup", group), (".zmetadata", first), ("a/.zarray", second)];
    if let Some(container) = open(&entries) {
        read_tree(&container);
    }
}

/// The documents under which chunks are read; the first byte says which.
pub(crate) fn documents() -> Vec<serde_json::Value> {
    let array = |dtype: &str, codecs: serde_json::Value| {
        json!({
            "zarr_format": 3, "node_type": "array", "shape": [8, 8], "data_type": dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [8, 8]}},
            "chunk_key_encoding": {"name": "default"}, "fill_value": 0, "codecs": codecs,
        })
    };
    let shard = |codecs: serde_json::Value, location: &str| {
        json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [4, 4], "codecs": codecs, "index_location": location,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}},
                             {"name": "crc32c"}]}}])
    };
    let bytes = json!({"name": "bytes", "configuration": {"endian": "little"}});
    let unchecked = json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": [2, 2], "codecs": [bytes, {"name": "gzip", "configuration": {"level": 1}}],
        "index_codecs": [bytes]}}]);
    let mut text = array("string", json!([{"name": "vlen-utf8"}]));
    text["fill_value"] = json!("");
    vec![
        array("int32", json!([bytes])),
        array("int32", json!([bytes, {"name": "zstd", "configuration": {"level": 0}}])),
        array("float32", shard(json!([bytes]), "end")),
        array("int16", shard(json!([bytes, {"name": "crc32c"}]), "start")),
        array("int16", unchecked),
        array("uint8", shard(shard(json!([{"name": "bytes"}]), "end"), "end")),
        text,
    ]
}

/// A chunk or shard.
pub(crate) fn chunk(data: &[u8]) {
    let Some((&which, chunk)) = data.split_first() else { return };
    let documents = documents();
    let Some(document) = documents.get(usize::from(which) % documents.len()) else { return };
    let document = document.to_string();
    if let Some(container) = open(&[("zarr.json", document.as_bytes()), ("c/0/0", chunk)]) {
        read_array(&container, NodePath::root());
    }
}
