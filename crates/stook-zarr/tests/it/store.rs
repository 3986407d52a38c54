//! Stores for tests: the fixtures in memory, and a memory store that counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use stook_core::store::{ByteRange, ByteStore, DeliverBytes, Listing, MemoryStore, ZipStore};
use stook_core::{Array, Container, Durability, Mode, NodePath, OpenOptions, Result};
use stook_zarr::ZarrContainer;

/// The archive that tests/fixtures/generate.py writes.
pub(crate) fn fixtures() -> Arc<MemoryStore> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zarr-python-3.1.6.zip");
    let archive = ZipStore::open(path, Mode::Read, &stook_core::Limits::default()).unwrap();
    let store = Arc::new(MemoryStore::new());
    let mut value = Vec::new();
    archive
        .walk("", &mut |key, _| {
            value.clear();
            assert!(archive.get(key, &mut value, 1 << 30)?);
            store.set(key, &value)
        })
        .unwrap();
    store
}

/// The part of `store` below `prefix` as a store of its own.
pub(crate) fn below(store: &MemoryStore, prefix: &str) -> Arc<MemoryStore> {
    let part = Arc::new(MemoryStore::new());
    for (key, value) in values(store, prefix) {
        part.set(key.strip_prefix(prefix).unwrap().trim_start_matches('/'), &value).unwrap();
    }
    part
}

/// All keys and values below `prefix`.
pub(crate) fn values(store: &dyn ByteStore, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    store
        .walk(prefix, &mut |key, _| {
            let mut value = Vec::new();
            assert!(store.get(key, &mut value, 1 << 30)?);
            all.insert(key.to_owned(), value);
            Ok(())
        })
        .unwrap();
    all
}

pub(crate) fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

/// A container for changes.
pub(crate) fn open(store: &Arc<MemoryStore>) -> ZarrContainer {
    ZarrContainer::open(Arc::<MemoryStore>::clone(store), &OpenOptions::read_write()).unwrap()
}

pub(crate) fn array(container: &ZarrContainer, node: &str) -> Result<Array> {
    let source = container.open_array(&path(node))?;
    Ok(Array::new(source, container.location(), path(node)))
}

/// A store that counts reads and can swap a value behind a reader's back.
#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) inner: Arc<MemoryStore>,
    /// How many calls read bytes of values, and how many bytes they delivered.
    pub(crate) reads: Mutex<(usize, usize)>,
    /// What to store at the next ranged read, once it was served.
    pub(crate) swap: Mutex<Option<(String, Vec<u8>)>>,
}

impl Counting {
    pub(crate) fn new(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, reads: Mutex::default(), swap: Mutex::default() })
    }
}

impl ByteStore for Counting {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let start = out.len();
        let found = self.inner.get(key, out, limit);
        let mut reads = self.reads.lock().unwrap();
        *reads = (reads.0 + 1, reads.1 + out.len() - start);
        found
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        self.reads.lock().unwrap().0 += 1;
        let found = self.inner.get_ranges(key, ranges, &mut |i, bytes| {
            self.reads.lock().unwrap().1 += bytes.map_or(0, <[u8]>::len);
            deliver(i, bytes)
        });
        if let Some((key, value)) = self.swap.lock().unwrap().take() {
            self.inner.set(&key, &value)?;
        }
        found
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        self.inner.len_bytes(key)
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        self.inner.version(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.inner.set(key, value)
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        self.inner.set_new(key, value)
    }

    fn erase(&self, key: &str) -> Result<()> {
        self.inner.erase(key)
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        self.inner.erase_prefix(prefix)
    }

    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        self.inner.rename_prefix(from, to)
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        self.inner.list(prefix)
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        self.inner.walk(prefix, visit)
    }

    fn sync(&self, durability: Durability) -> Result<()> {
        self.inner.sync(durability)
    }
}
