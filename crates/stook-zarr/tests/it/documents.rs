//! Metadata documents: equal to those of zarr-python, key for key, and kept where not changed.

use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::codec::{Blosc, BloscCompressor, BloscShuffle, Endian};
use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, ChunkGrid, CodecSpec, Container, DType, Format,
    NodePath, OpenOptions, Values,
};
use stook_zarr::ZarrContainer;

use crate::fixtures;
use crate::store::{open, path};

fn document(spec: &ArraySpec, format: Format) -> String {
    let store = Arc::new(MemoryStore::new());
    let container = ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap();
    container.create_array(&path("a"), spec).unwrap();
    serde_json::to_string(&container.metadata(&path("a")).unwrap()).unwrap()
}

/// What a spec cannot say: other chunk keys, several levels of shards, other shard indices,
/// settings left out, attributes.
const OTHERWISE: [&str; 22] = [
    "layout/slash",
    "layout/dots",
    "layout/v2_keys",
    "layout/transpose_big",
    "layout/named",
    "big/mixed",
    "codec/filters_only",
    "codec/blosc_auto",
    "codec/blosc_auto_bytes",
    "codec/n_gzip",
    "codec/n_zstd",
    "codec/n_blosc",
    "codec/n_crc32c",
    "codec/n_lz4",
    "shard/index_first",
    "shard/index_big_no_checksum",
    "shard/nested",
    "shard/nested_mixed",
    "shard/nested_partial",
    "shard/behind_transpose",
    "shard/before_gzip",
    "dtype/nested",
];

#[test]
fn documents_are_those_of_zarr_python() {
    for (version, format) in [("v2", Format::ZarrV2), ("v3", Format::ZarrV3)] {
        let (mut n_equal, mut differ) = (0, Vec::new());
        fixtures::each(version, &mut |_, container, name| {
            if OTHERWISE.contains(&name.trim_start_matches('/')) {
                return;
            }
            let source = container.open_array(&path(name)).unwrap();
            let theirs = container.metadata(&path(name)).unwrap();
            let theirs = serde_json::to_string(&theirs).unwrap();
            let ours = document(&source.spec(), format);
            if ours == theirs {
                n_equal += 1;
            } else {
                differ.push(format!("{version}{name}:\n{ours}\n{theirs}"));
            }
        });
        assert!(differ.is_empty(), "{}", differ.join("\n"));
        assert!(n_equal > 50, "{n_equal}");
    }
}

#[test]
fn a_sharded_array_of_version_3() {
    let mut spec = ArraySpec::new(DType::Float32, vec![10, 20]);
    spec.grid = ChunkGrid::regular([2, 5]).unwrap();
    spec.shards = Some(ChunkGrid::regular([10, 10]).unwrap());
    spec.dimension_names = Some(vec![Some("y".to_owned()), None]);
    spec.codecs = vec![
        CodecSpec::Transpose { order: vec![1, 0] },
        CodecSpec::ByteOrder(Endian::Big),
        CodecSpec::Shuffle { item_size: 4 },
        CodecSpec::Blosc(Blosc {
            compressor: BloscCompressor::Zstd,
            level: 5,
            shuffle: BloscShuffle::None,
            item_size: 4,
            block_len_bytes: 0,
        }),
        CodecSpec::Crc32c,
    ];
    insta::assert_snapshot!(document(&spec, Format::ZarrV3), @r#"{"shape":[10,20],"data_type":"float32","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[10,10]}},"chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":0.0,"codecs":[{"name":"sharding_indexed","configuration":{"chunk_shape":[2,5],"codecs":[{"name":"transpose","configuration":{"order":[1,0]}},{"name":"bytes","configuration":{"endian":"big"}},{"name":"numcodecs.shuffle","configuration":{"elementsize":4}},{"name":"blosc","configuration":{"typesize":4,"cname":"zstd","clevel":5,"shuffle":"noshuffle","blocksize":0}},{"name":"crc32c"}],"index_codecs":[{"name":"bytes","configuration":{"endian":"little"}},{"name":"crc32c"}],"index_location":"end"}}],"attributes":{},"dimension_names":["y",null],"zarr_format":3,"node_type":"array","storage_transformers":[]}"#);
}

#[test]
fn an_array_of_version_2() {
    let mut spec = ArraySpec::new(DType::Int16, vec![3, 4]);
    spec.dimension_names = Some(vec![Some("y".to_owned()), Some("x".to_owned())]);
    spec.codecs = vec![
        CodecSpec::Transpose { order: vec![1, 0] },
        CodecSpec::ByteOrder(Endian::Big),
        CodecSpec::Shuffle { item_size: 2 },
        CodecSpec::Zlib { level: 4 },
    ];
    insta::assert_snapshot!(document(&spec, Format::ZarrV2), @r#"{"shape":[3,4],"chunks":[3,4],"dtype":">i2","fill_value":null,"order":"F","filters":[{"id":"shuffle","elementsize":2}],"dimension_separator":".","compressor":{"id":"zlib","level":4},"zarr_format":2}"#);
    spec.dimension_names = None;
    spec.codecs.push(CodecSpec::Fletcher32);
    insta::assert_snapshot!(document(&spec, Format::ZarrV2), @r#"{"shape":[3,4],"chunks":[3,4],"dtype":">i2","fill_value":null,"order":"F","filters":[{"id":"shuffle","elementsize":2},{"id":"zlib","level":4},{"id":"fletcher32"}],"dimension_separator":".","compressor":null,"zarr_format":2}"#);
}

#[test]
fn a_change_keeps_what_it_does_not_know() {
    let store = Arc::new(MemoryStore::new());
    let text = json!({
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "r16",
        "x-vendor": {"must_understand": false, "a": [1.0, 1e300]},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": {"name": "default"}, "fill_value": [0, 0], "codecs": ["bytes"],
        "attributes": {"nan": "x"},
    });
    let text = text.to_string().replace("\"x\"", "NaN");
    store.set("zarr.json", text.as_bytes()).unwrap();
    let container = open(&store);
    let root = NodePath::root();
    container.edit_attributes(&root, &AttributeEdits::new().set("b", json!([2]))).unwrap();
    container.open_array(&root).unwrap().resize(&[6]).unwrap();
    let mut found = Vec::new();
    store.get("zarr.json", &mut found, 1 << 20).unwrap();
    let found = String::from_utf8(found).unwrap();
    let squeezed: String = found.split_whitespace().collect();
    let expected = text.replace("[4]", "[6]").replace("NaN}", "NaN,\"b\":[2]}");
    assert_eq!(squeezed, expected.replace("1e300", "1e+300"));
    let attributes = container.attributes(&root).unwrap();
    assert!(matches!(attributes.get("nan"), Some(AttributeValue::Values(_))));
}

#[test]
fn fill_values_of_every_kind_come_back() {
    let text = |text: &str| Values::text(text);
    let number =
        |dtype: DType, bytes: &[u8]| Values::new(dtype, vec![], bytes.to_vec(), vec![]).unwrap();
    let fills = [
        text("ab"),
        number(DType::Float32, &f32::NAN.to_ne_bytes()),
        number(DType::Float64, &f64::NEG_INFINITY.to_ne_bytes()),
        number(DType::Float64, &(-0.0_f64).to_ne_bytes()),
        number(DType::Complex64, &[0, 0, 192, 127, 0, 0, 128, 63]),
        number(DType::fixed_bytes(3), b"a\0b"),
        number(DType::opaque(2), &[0, 255]),
        number(DType::UInt64, &u64::MAX.to_ne_bytes()),
        number(DType::Unicode(2), &[0x41, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for format in [Format::ZarrV2, Format::ZarrV3] {
        for fill in &fills {
            let mut spec = ArraySpec::new(fill.dtype().clone(), vec![3]);
            spec.fill_value = Some(fill.clone());
            if fill.dtype().has_heap() {
                spec.codecs = vec![CodecSpec::VlenUtf8];
            }
            let store = Arc::new(MemoryStore::new());
            let options = OpenOptions::read_write();
            let container = ZarrContainer::create(store, format, &options).unwrap();
            container.create_array(&path("a"), &spec).unwrap();
            let found = container.open_array(&path("a")).unwrap().spec();
            assert_eq!(found.fill_value.as_ref(), Some(fill), "{format} {}", fill.dtype());
        }
    }
}

#[test]
fn version_2_reads_axis_names_where_xarray_keeps_them() {
    let all = crate::store::fixtures();
    let container = open(&crate::store::below(&all, "v2"));
    let spec = container.open_array(&path("/layout/named")).unwrap().spec();
    let names = spec.dimension_names.clone().unwrap();
    assert_eq!(names, [Some("y".to_owned()), Some("x".to_owned())]);
    let attributes = container.attributes(&path("/layout/named")).unwrap();
    let expected = AttributeValue::Json(json!(["y", "x"]));
    assert_eq!(attributes.get("_ARRAY_DIMENSIONS"), Some(&expected));
    assert_eq!(Value::from("y"), json!("y"));
}
