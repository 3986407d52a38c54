//! Zarr arrays for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{
    Array, ArraySpec, ChunkGrid, Container, DType, Format, NodePath, OpenOptions, Selection,
};
use stook_zarr::ZarrContainer;

pub(crate) const SHAPE: [u64; 2] = [60, 50];

pub(crate) fn elements() -> Vec<i32> {
    (0..60 * 50).collect()
}

/// Creates an array of [`elements`].
pub(crate) fn create(
    container: &ZarrContainer,
    name: &str,
    chunk: [u64; 2],
    shard: Option<[u64; 2]>,
) {
    let mut spec = ArraySpec::new(DType::Int32, SHAPE);
    spec.grid = ChunkGrid::regular(chunk).unwrap();
    spec.shards = shard.map(|shard| ChunkGrid::regular(shard).unwrap());
    let path = NodePath::parse(name).unwrap();
    let source = container.create_array(&path, &spec).unwrap();
    let array = Array::new(source, container.location(), path);
    array.write_elements(&Selection::All, &SHAPE, &elements()).unwrap();
}

/// A group in `store` with two arrays.
pub(crate) fn write(store: Arc<dyn ByteStore>) {
    let options = OpenOptions::read_write();
    let container = ZarrContainer::create(store, Format::ZarrV3, &options).unwrap();
    create(&container, "plain", [7, 50], None);
    create(&container, "sharded", [5, 10], Some([20, 50]));
}

/// The array `name` of the hierarchy in `store`.
pub(crate) fn open(store: Arc<dyn ByteStore>, name: &str) -> stook_core::Result<Array> {
    let container = ZarrContainer::open(store, &OpenOptions::read())?;
    let path = if name.is_empty() { NodePath::root() } else { NodePath::parse(name).unwrap() };
    let source = container.open_array(&path)?;
    Ok(Array::new(source, container.location(), path))
}

/// Keys and values of a root array of `version`, below `prefix`.
pub(crate) fn root_array(
    format: Format,
    shard: Option<[u64; 2]>,
    prefix: &str,
) -> BTreeMap<String, Vec<u8>> {
    let store: Arc<dyn ByteStore> = Arc::new(MemoryStore::new());
    let options = OpenOptions::read_write();
    let container = ZarrContainer::empty(Arc::clone(&store), format, &options).unwrap();
    create(&container, "", [5, 10], shard);
    let mut values = BTreeMap::new();
    let mut visit = |key: &str, _| {
        let value = stook_testkit::store::get(&*store, key).unwrap();
        values.insert(format!("{prefix}/{key}"), value);
        Ok(())
    };
    store.walk("", &mut visit).unwrap();
    values
}
