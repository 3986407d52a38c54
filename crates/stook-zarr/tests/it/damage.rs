//! Damaged files: an error or data, never a panic, nor more memory than the limits allow.

use std::sync::Arc;

use stook_core::store::{ByteStore, LocalStore, MemoryStore};
use stook_core::{
    Array, ArraySpec, ChunkGrid, Container, DType, ErrorKind, Format, Limits, OpenOptions,
    Selection, Values,
};
use stook_testkit::corrupt::{bit_flips, truncations};
use stook_zarr::ZarrContainer;

use crate::store::{array, below, fixtures, open, path, values};

/// Opens everything there is and reads it.
fn read_all(store: &Arc<MemoryStore>) -> stook_core::Result<()> {
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 1 << 20;
    limits.metadata_len_bytes = 1 << 20;
    limits.heap_len_bytes = 1 << 20;
    let options = OpenOptions { limits: limits.clone(), ..OpenOptions::read() };
    let container = ZarrContainer::open(Arc::<MemoryStore>::clone(store), &options)?;
    let root = path("/");
    let _ = container.children(&root);
    let _ = container.attributes(&root);
    let source = container.open_array(&root)?;
    // What a damaged shape makes of a small array may be far too large to be read.
    if source.spec().n_bytes() > 1 << 20
        || source.spec().grid.counts(source.spec().shape()).iter().product::<u64>() > 1 << 16
    {
        return Ok(());
    }
    let engine = stook_core::Engine::new(stook_core::EngineConfig::default().limits(limits));
    let array = stook_core::Array::new(source, "memory", root).with_engine(engine);
    array.read(&Selection::All).map(|_| ())
}

const SAMPLES: [&str; 9] = [
    "v2/dtype/struct",
    "v2/layout/fortran",
    "v2/codec/shuffle_zlib",
    "v3/dtype/string",
    "v3/layout/transpose_big",
    "v3/shard/zstd",
    "v3/shard/nested_mixed",
    "v3/shard/index_first",
    "v3/shard/before_gzip",
];

/// Calls back with up to so many damaged forms of some bytes.
type Damage = fn(&[u8], usize, &mut dyn FnMut(&[u8]));

fn damage(max: usize, each: Damage) {
    let all = fixtures();
    for sample in SAMPLES {
        let store = below(&all, sample);
        read_all(&store).unwrap();
        for (key, value) in values(&*store, "") {
            each(&value, max, &mut |damaged| {
                store.set(&key, damaged).unwrap();
                if let Err(error) = read_all(&store) {
                    assert!(!error.to_string().is_empty());
                }
            });
            store.set(&key, &value).unwrap();
        }
    }
}

#[test]
fn truncated_files_are_errors_or_data() {
    damage(48, truncations);
}

#[test]
fn flipped_bits_are_errors_or_data() {
    damage(96, bit_flips);
}

#[test]
fn every_bit_of_a_shard_index_is_covered_by_its_checksum() {
    let all = fixtures();
    let store = below(&all, "v3/shard/raw");
    let shard = values(&*store, "")["c/0/0"].clone();
    let index_len = 6 * 16 + 4;
    for at in 0..index_len {
        for bit in 0..8 {
            let mut damaged = shard.clone();
            let at = shard.len() - index_len + at;
            damaged[at] ^= 1 << bit;
            store.set("c/0/0", &damaged).unwrap();
            let error = read_all(&store).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.location().chunk.is_some(), "{error}");
        }
    }
}

#[test]
fn a_damaged_shard_is_not_written_over_in_part() {
    let all = fixtures();
    let store = below(&all, "v3/shard/raw");
    let shard = values(&*store, "")["c/0/0"].clone();
    let damaged = &shard[..shard.len() - 3];
    store.set("c/0/0", damaged).unwrap();
    let array = array(&open(&store), "/").unwrap();
    let part = Selection::ranges([0..2, 0..4]);
    assert_eq!(
        array.write_elements::<i32>(&part, &[], &[1]).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(values(&*store, "")["c/0/0"], damaged);
    // All of it may be replaced.
    array.write_elements::<i32>(&Selection::All, &[], &[1]).unwrap();
    assert!(array.read_as::<i32>(&Selection::All).unwrap().iter().all(|&item| item == 1));
}

#[test]
fn a_claimed_chunk_larger_than_the_limits_is_refused() {
    let all = fixtures();
    let store = below(&all, "v2/layout/cube");
    let text = String::from_utf8(values(&*store, "")[".zarray"].clone()).unwrap();
    let huge = text.replace("    2,\n    3,\n    4", "    200000,\n    300000,\n    400000");
    assert_ne!(huge, text);
    store.set(".zarray", huge.as_bytes()).unwrap();
    assert_eq!(read_all(&store).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_claimed_item_larger_than_the_limits_is_refused() {
    let all = fixtures();
    let store = below(&all, "v2/dtype/S3");
    let text = String::from_utf8(values(&*store, "")[".zarray"].clone()).unwrap();
    for size in ["8000000000", "9000000000000000000", "99999999999999999999"] {
        let huge = text.replace("|S3", &format!("|S{size}"));
        store.set(".zarray", huge.as_bytes()).unwrap();
        let error = open(&store).open_array(&path("/")).unwrap_err();
        let kinds = [ErrorKind::LimitExceeded, ErrorKind::Unsupported];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
}

#[test]
fn strange_documents_are_errors_or_data() {
    let base = serde_json::json!({
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": "default", "fill_value": 0, "codecs": ["bytes"],
    });
    let sized = |name: &str, len: u64| serde_json::json!({"name": name, "configuration": {"length_bytes": len}});
    let grid = |chunk: &[u64]| serde_json::json!({"name": "regular", "configuration": {"chunk_shape": chunk}});
    let shards = |chunk: &[u64], codecs: serde_json::Value| {
        serde_json::json!([{"name": "sharding_indexed", "configuration":
            {"chunk_shape": chunk, "codecs": codecs, "index_codecs": ["bytes", "crc32c"]}}])
    };
    let deep = (0..40).fold(serde_json::json!("int8"), |inner, _| {
        serde_json::json!({"name": "structured", "configuration": {"fields": [["a", inner]]}})
    });
    let levels = (0..24).fold(serde_json::json!(["bytes"]), |inner, _| shards(&[2], inner));
    let changes = [
        serde_json::json!({"shape": [u64::MAX], "chunk_grid": grid(&[1])}),
        serde_json::json!({"shape": [u64::MAX], "chunk_grid": grid(&[u64::MAX])}),
        serde_json::json!({"shape": [u64::MAX, u64::MAX], "chunk_grid": grid(&[1, 1])}),
        serde_json::json!({"shape": [0], "chunk_grid": grid(&[0])}),
        serde_json::json!({"shape": vec![1; 65], "chunk_grid": grid(&[1; 65])}),
        serde_json::json!({"shape": vec![1; 64], "chunk_grid": grid(&[1; 64])}),
        serde_json::json!({"data_type": sized("raw_bytes", 0), "fill_value": ""}),
        serde_json::json!({"data_type": sized("fixed_length_utf32", 0), "fill_value": ""}),
        serde_json::json!({"data_type": sized("null_terminated_bytes", 1 << 40), "fill_value": ""}),
        serde_json::json!({"data_type": deep, "fill_value": "AA=="}),
        serde_json::json!({"codecs": levels}),
        serde_json::json!({"codecs": shards(&[0], serde_json::json!(["bytes"]))}),
        serde_json::json!({"codecs": shards(&[3], serde_json::json!(["bytes"]))}),
        serde_json::json!({"codecs": shards(&[1, 1], serde_json::json!(["bytes"]))}),
        serde_json::json!({"codecs": shards(&[1], serde_json::json!([]))}),
        serde_json::json!({"codecs": []}),
        serde_json::json!({"codecs": ["bytes", "bytes", {"name": "transpose"}]}),
        serde_json::json!({"data_type": "string", "fill_value": ""}),
        serde_json::json!({"codecs": ["vlen-utf8"]}),
        serde_json::json!({"shape": [1_u64 << 40], "chunk_grid": grid(&[1 << 40]),
            "codecs": shards(&[1], serde_json::json!(["bytes"]))}),
    ];
    for change in changes {
        let store = Arc::new(MemoryStore::new());
        let mut document = base.clone();
        for (key, value) in change.as_object().unwrap() {
            document[key] = value.clone();
        }
        store.set("zarr.json", document.to_string().as_bytes()).unwrap();
        for key in ["c/0", "c/0/0"] {
            store.set(key, &[1; 2]).unwrap();
        }
        let _ = read_all(&store);
        let shared = Arc::<MemoryStore>::clone(&store);
        let container = ZarrContainer::open(shared, &OpenOptions::read_write());
        let source = container.and_then(|container| container.open_array(&path("/")));
        let Ok(source) = source else { continue };
        let last: Vec<u64> =
            source.spec().shape().iter().map(|len| len.saturating_sub(1)).collect();
        let array = stook_core::Array::new(source, "memory", path("/"));
        let point = Selection::ranges(last.iter().map(|&at| at..at.saturating_add(1)));
        let _ = array.read(&point);
        let _ = array.write_elements::<u8>(&point, &[], &[1]);
        let _ = array.source().n_stored();
    }
}

#[test]
fn chunks_without_codecs_are_read_to_their_place_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::create(folder.path().join("a.zarr")).unwrap());
    let options = OpenOptions::read_write();
    let container =
        ZarrContainer::create(Arc::<LocalStore>::clone(&store), Format::ZarrV3, &options).unwrap();
    let mut spec = ArraySpec::new(DType::UInt16, vec![7, 4]);
    spec.grid = ChunkGrid::regular(vec![2, 4]).unwrap();
    spec.codecs.clear();
    spec.fill_value =
        Some(Values::new(DType::UInt16, vec![], 9_u16.to_ne_bytes().into(), vec![]).unwrap());
    let source = container.create_array(&path("/a"), &spec).unwrap();
    let array = Array::new(source, "a.zarr", path("/a"));
    let items: Vec<u16> = (0..28).collect();
    array.write_elements(&Selection::All, &[7, 4], &items).unwrap();
    let read = |text| array.read_as::<u16>(&Selection::parse(text).unwrap());
    // Whole chunks, parts of chunks, one that reaches beyond the shape, other directions.
    assert_eq!(read(":").unwrap(), items);
    assert_eq!(read("2:6").unwrap(), items[8..24]);
    assert_eq!(read("1:7, 1:3").unwrap().len(), 12);
    assert_eq!(read("5::-1, 0").unwrap(), [20, 16, 12, 8, 4, 0]);
    store.erase("a/c/1/0").unwrap();
    assert_eq!(read("2:4").unwrap(), [9; 8]);
    for len in [0, 15, 17] {
        store.set("a/c/0/0", &vec![0; len]).unwrap();
        let error = read("0:4").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(&format!("expected 16 bytes, found {len}")), "{error}");
        assert_eq!(error.location().chunk.as_deref(), Some(&[0, 0][..]), "{error}");
        assert!(error.location().node.is_some() && error.location().file.is_some(), "{error}");
    }
}
