//! Shards: read together, written whole, never mixed with what replaced them.

use std::sync::Arc;

use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{
    Array, ArraySpec, ChunkGrid, CodecSpec, Container, DType, Format, OpenOptions, Selection,
    Values,
};
use stook_zarr::ZarrContainer;

use crate::store::{Counting, array, below, fixtures, open, path, values};

fn sharded(store: Arc<dyn ByteStore>, shape: &[u64], chunk: &[u64], shard: &[u64]) -> Array {
    let options = OpenOptions::read_write();
    let container = ZarrContainer::create(store, Format::ZarrV3, &options).unwrap();
    let mut spec = ArraySpec::new(DType::Int32, shape);
    spec.grid = ChunkGrid::regular(chunk).unwrap();
    spec.shards = Some(ChunkGrid::regular(shard).unwrap());
    container.create_array(&path("a"), &spec).unwrap();
    array(&container, "a").unwrap()
}

#[test]
fn half_of_a_shard_is_a_handful_of_reads() {
    let store = Counting::new(Arc::new(MemoryStore::new()));
    let shared = Arc::<Counting>::clone(&store);
    let array = sharded(shared, &[1024, 64], &[1, 64], &[1024, 64]);
    let elements: Vec<i32> = (0..1024 * 64).collect();
    array.write_elements(&Selection::All, &[1024, 64], &elements).unwrap();
    *store.reads.lock().unwrap() = (0, 0);
    let half = array.read_as::<i32>(&Selection::ranges([256..768, 0..64])).unwrap();
    assert_eq!(half, elements[256 * 64..768 * 64]);
    let (n, len) = *store.reads.lock().unwrap();
    assert!(n <= 32, "{n} reads");
    // The chunks, and the index once or twice while two threads look for it.
    assert!(len <= 512 * 256 + 8 * (1024 * 16 + 4), "{len} bytes");
}

#[test]
fn a_part_of_a_shard_is_written_and_the_rest_kept() {
    let store = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&store);
    let array = sharded(shared, &[10, 10], &[2, 2], &[4, 6]);
    let mut model = vec![0; 100];
    for (step, (rows, columns)) in
        [(0..3, 0..10), (2..9, 3..4), (9..10, 9..10), (0..10, 0..10), (5..6, 5..9)]
            .into_iter()
            .enumerate()
    {
        let shape = [rows.end - rows.start, columns.end - columns.start];
        let elements: Vec<i32> =
            (0..shape[0] * shape[1]).map(|i| 1 + (step * 1000) as i32 + i as i32).collect();
        for (i, row) in rows.clone().enumerate() {
            for (j, column) in columns.clone().enumerate() {
                model[(row * 10 + column) as usize] = elements[i * shape[1] as usize + j];
            }
        }
        array.write_elements(&Selection::ranges([rows, columns]), &shape, &elements).unwrap();
        assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), model, "step {step}");
    }
}

#[test]
fn a_shard_without_chunks_is_erased() {
    let store = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&store);
    let array = sharded(shared, &[4, 4], &[2, 2], &[4, 4]);
    array.write_elements::<i32>(&Selection::ranges([0..2, 0..2]), &[], &[5]).unwrap();
    assert_eq!(array.source().n_stored().unwrap(), 1);
    array.write_elements::<i32>(&Selection::All, &[], &[0]).unwrap();
    assert_eq!(array.source().n_stored().unwrap(), 0);
    assert!(values(&*store, "a/c").is_empty());
}

#[test]
fn strings_in_a_shard_keep_their_fill_value() {
    // A missing chunk of strings must not take the text of its neighbour.
    for shards in [None, Some(ChunkGrid::regular([2]).unwrap())] {
        let store = Arc::new(MemoryStore::new());
        let options = OpenOptions::read_write();
        let container = ZarrContainer::create(store, Format::ZarrV3, &options).unwrap();
        let mut spec = ArraySpec::new(DType::string(), vec![2]);
        spec.grid = ChunkGrid::regular([1]).unwrap();
        spec.shards = shards;
        spec.fill_value = Some(Values::text("ab"));
        spec.codecs = vec![CodecSpec::VlenUtf8, CodecSpec::Zstd { level: 1, checksum: true }];
        container.create_array(&path("a"), &spec).unwrap();
        let array = array(&container, "a").unwrap();
        let texts = Values::from_strings(vec![2], &["a", "bab"]).unwrap();
        array.write(&Selection::All, &texts).unwrap();
        assert_eq!(array.read(&Selection::All).unwrap(), texts);
        let texts = Values::from_strings(vec![2], &["ab", "bab"]).unwrap();
        array.write(&Selection::All, &texts).unwrap();
        assert_eq!(array.read(&Selection::All).unwrap(), texts);
    }
}

#[test]
fn points_in_missing_chunks_are_the_fill_value() {
    let all = fixtures();
    let container = open(&below(&all, "v3"));
    for name in ["/shard/nested_partial", "/shard/partial", "/shard/fill"] {
        let array = array(&container, name).unwrap();
        let whole = array.read_as::<i32>(&Selection::All).unwrap();
        let coordinates = vec![vec![0, 11, 3, 11], vec![0, 19, 5, 0]];
        let points = Selection::Points { coordinates: coordinates.clone(), shape: vec![4] };
        let found = array.read_as::<i32>(&points).unwrap();
        let at = |i: usize| whole[(coordinates[0][i] * 20 + coordinates[1][i]) as usize];
        assert_eq!(found, [at(0), at(1), at(2), at(3)], "{name}");
    }
}

#[test]
fn a_shard_replaced_during_a_read_is_read_again() {
    let shard = |step: i32| {
        let store = Arc::new(MemoryStore::new());
        let shared = Arc::<MemoryStore>::clone(&store);
        let array = sharded(shared, &[4, 4], &[2, 2], &[4, 4]);
        // Another number of chunks, so that the chunks lie elsewhere.
        let rows = if step == 1 { 0..4 } else { 2..4 };
        array.write_elements::<i32>(&Selection::ranges([rows, 0..4]), &[], &[step]).unwrap();
        values(&*store, "a/c").into_values().next().unwrap()
    };
    let store = Counting::new(Arc::new(MemoryStore::new()));
    let shared = Arc::<Counting>::clone(&store);
    let array = sharded(shared, &[4, 4], &[2, 2], &[4, 4]);
    store.inner.set("a/c/0/0", &shard(1)).unwrap();
    let lower = Selection::ranges([2..4, 0..4]);
    assert_eq!(array.read_as::<i32>(&lower).unwrap(), [1; 8]);
    // The index is known now; the next read of chunks finds another shard.
    store.inner.set("a/c/0/0", &shard(1)).unwrap();
    *store.swap.lock().unwrap() = Some(("a/c/0/0".to_owned(), shard(2)));
    assert_eq!(array.read_as::<i32>(&lower).unwrap(), [2; 8]);
    // A handle that keeps the index sees what another process wrote.
    store.inner.set("a/c/0/0", &shard(1)).unwrap();
    assert_eq!(array.read_as::<i32>(&lower).unwrap(), [1; 8]);
}

#[test]
fn a_nested_shard_does_not_ask_for_more_memory_than_there_is() {
    let sharding = |chunk: u64, inner: serde_json::Value| {
        serde_json::json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [chunk], "codecs": inner,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, "crc32c"]}}])
    };
    let document = serde_json::json!({
        "zarr_format": 3, "node_type": "array", "shape": [1_u64 << 40], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1_u64 << 40]}},
        "chunk_key_encoding": "default", "fill_value": 0,
        "codecs": sharding(1 << 20, sharding(1, serde_json::json!(["bytes"]))),
    });
    let store = Arc::new(MemoryStore::new());
    store.set("zarr.json", document.to_string().as_bytes()).unwrap();
    let error = open(&store).open_array(&path("/")).unwrap_err();
    assert_eq!(error.kind(), stook_core::ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn parts_of_shards_of_every_kind_are_written() {
    let all = fixtures();
    let container = open(&below(&all, "v3"));
    for name in [
        "/shard/raw",
        "/shard/transpose",
        "/shard/index_first",
        "/shard/index_big_no_checksum",
        "/shard/nested",
        "/shard/nested_mixed",
        "/shard/nested_partial",
        "/shard/behind_transpose",
        "/shard/before_gzip",
    ] {
        let array = array(&container, name).unwrap();
        let mut model = array.read_as::<i32>(&Selection::All).unwrap();
        for (row, column, value) in [(0, 0, 7), (11, 19, 8), (5, 13, 9), (6, 3, 10)] {
            let item = Selection::ranges([row..row + 1, column..column + 1]);
            array.write_elements::<i32>(&item, &[], &[value]).unwrap();
            model[(row * 20 + column) as usize] = value;
            assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), model, "{name}");
        }
        array.write_elements::<i32>(&Selection::ranges([3..9, 2..17]), &[], &[0]).unwrap();
        for at in (3..9).flat_map(|row| (2..17).map(move |column| row * 20 + column)) {
            model[at] = 0;
        }
        assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), model, "{name}");
    }
}
