//! The chunks of a Zarr array: a key each, or together in shards.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use stook_core::chunk::{Access, Deliver, VisitStored};
use stook_core::grid::AxisEdges;
use stook_core::store::ByteStore;
use stook_core::{
    ArraySpec, ChunkGrid, ChunkList, ChunkSource, ChunkWrite, EncodedChunk, ErrorKind, Extent,
    Limits, NodePath, Result,
};

use crate::keys::ChunkKeys;
use crate::layout::ArrayLayout;
use crate::node::Nodes;
use crate::shard::{self, Change, IndexCache, ShardLevel};

/// A larger buffer is given back after the call.
const KEPT_LEN_BYTES: usize = 8 << 20;

thread_local! {
    /// A key and an encoded chunk.
    static BUFFERS: Cell<(String, Vec<u8>)> = const { Cell::new((String::new(), Vec::new())) };
}

/// What a walk calls with a key, the index in the write grid, and the length in bytes.
type Visit<'a> = dyn FnMut(&str, &[u64], u64) -> Result<()> + 'a;

/// Runs `work` with this thread's buffers; a call within `work` gets fresh ones.
fn with_buffers<T>(work: impl FnOnce(&mut String, &mut Vec<u8>) -> T) -> T {
    let (mut key, mut bytes) = BUFFERS.take();
    let result = work(&mut key, &mut bytes);
    if bytes.capacity() <= KEPT_LEN_BYTES {
        BUFFERS.set((key, bytes));
    }
    result
}

/// Whether one grid is the other, or that with more chunks at the end of an axis: then the
/// chunks of both have the same keys.
fn is_grown(one: &ChunkGrid, other: &ChunkGrid) -> bool {
    match (one, other) {
        (ChunkGrid::Rectilinear(one), ChunkGrid::Rectilinear(other)) => {
            let is_begun = |(one, other): (&AxisEdges, &AxisEdges)| {
                one.lengths().zip(other.lengths()).all(|(one, other)| one == other)
            };
            one.len() == other.len() && one.iter().zip(other).all(is_begun)
        }
        _ => one == other,
    }
}

/// One array's chunks.
#[derive(Debug)]
pub(crate) struct ArraySource {
    nodes: Arc<Nodes>,
    path: NodePath,
    keys: ChunkKeys,
    levels: Vec<ShardLevel>,
    /// Chunks of a shard along each axis; empty without shards.
    counts: Vec<u64>,
    cache: IndexCache,
    spec: RwLock<Arc<ArraySpec>>,
    /// Held while the metadata is changed.
    resizing: Mutex<()>,
    identity: u64,
}

impl ArraySource {
    /// The chunks of the array at `path`.
    pub(crate) fn new(nodes: Arc<Nodes>, path: NodePath, layout: ArrayLayout) -> Self {
        let mut hasher = DefaultHasher::new();
        (nodes.store().identity(), path.as_str()).hash(&mut hasher);
        Self {
            nodes,
            path,
            keys: layout.keys,
            counts: shard::total_counts(&layout.shards),
            levels: layout.shards,
            cache: IndexCache::default(),
            spec: RwLock::new(Arc::new(layout.spec)),
            resizing: Mutex::default(),
            identity: hasher.finish(),
        }
    }

    /// Takes over the shape of `layout`, as it is in the store now; false if it is another array
    /// than this one.
    pub(crate) fn refresh(&self, layout: &ArrayLayout) -> bool {
        let mut spec = self.spec.write().unwrap_or_else(PoisonError::into_inner);
        let is_same = self.keys == layout.keys
            && self.levels == layout.shards
            && spec.shape().len() == layout.spec.shape().len()
            && is_grown(&spec.grid, &layout.spec.grid)
            && ArraySpec {
                extent: layout.spec.extent.clone(),
                grid: layout.spec.grid.clone(),
                ..(**spec).clone()
            } == layout.spec;
        if is_same && **spec != layout.spec {
            *spec = Arc::new(layout.spec.clone());
        }
        is_same
    }

    fn store(&self) -> &dyn ByteStore {
        self.nodes.store()
    }

    fn limits(&self) -> &Limits {
        self.nodes.limits()
    }

    fn located<T>(&self, result: Result<T>) -> Result<T> {
        self.nodes.located(&self.path, result)
    }

    fn shards(&self) -> shard::Shards<'_> {
        shard::Shards {
            store: self.store(),
            keys: &self.keys,
            levels: &self.levels,
            counts: &self.counts,
            cache: &self.cache,
            limits: self.limits(),
        }
    }

    /// Reads chunks that have a key each.
    fn read_keys(&self, list: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        let (store, limit) = (self.store(), self.limits().chunk_len_bytes);
        if store.requests_in_flight().is_some() {
            let keys: Vec<String> = list.iter().map(|index| self.keys.key(index)).collect();
            return store.get_many(&keys, limit, &|i, value| {
                let value = value.map_err(|error| error.at_chunk(list.get(i)))?;
                deliver(i, value.map(|bytes| EncodedChunk { bytes, skipped: 0 }))
            });
        }
        with_buffers(|key, bytes| {
            list.iter().enumerate().try_for_each(|(i, index)| {
                self.keys.write(index, key);
                bytes.clear();
                let is_there =
                    store.get(key, bytes, limit).map_err(|error| error.at_chunk(index))?;
                deliver(i, is_there.then_some(EncodedChunk { bytes, skipped: 0 }))
            })
        })
    }

    /// Makes `changes`, given by chunk index, to the shards that they lie in.
    fn change<'c>(
        &self,
        changes: impl Iterator<Item = (&'c [u64], Option<&'c [u8]>)>,
    ) -> Result<()> {
        let mut by_shard: Vec<(Vec<u64>, Vec<Change<'c>>)> = Vec::new();
        let mut index_of = std::collections::HashMap::new();
        for (index, bytes) in changes {
            let mut shard = Vec::with_capacity(index.len());
            let flat = shard::locate(&self.counts, index, &mut shard);
            let at = *index_of.entry(shard.clone()).or_insert(by_shard.len());
            if at == by_shard.len() {
                by_shard.push((shard, Vec::new()));
            }
            if let Some((_, changes)) = by_shard.get_mut(at) {
                changes.push(Change { flat, bytes });
            }
        }
        let mut key = String::new();
        for (shard, changes) in by_shard {
            self.keys.write(&shard, &mut key);
            shard::change_shard(self.store(), &key, &self.levels, &changes, self.limits())
                .map_err(|error| error.at_chunk(&shard))?;
        }
        Ok(())
    }

    /// Calls `visit` with the key, the index in the write grid and the length of every stored object.
    fn walk(&self, visit: &mut Visit<'_>) -> Result<()> {
        let rank = self.spec().shape().len();
        let prefix = self.keys.walk_prefix();
        // A scalar's only key has nothing below it.
        if rank == 0 {
            let mut key = String::new();
            self.keys.write(&[], &mut key);
            let len = self.store().len_bytes(&key)?;
            return len.map_or(Ok(()), |len| visit(&key, &[], len));
        }
        self.store().walk(&prefix, &mut |key, len| match self.keys.read(key, rank) {
            Some(index) => visit(key, &index, len),
            None => Ok(()),
        })
    }

    fn resize_to(&self, shape: &[u64]) -> Result<()> {
        let _guard = self.resizing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.spec();
        if shape.len() != old.shape().len() {
            return Err(stook_core::Error::invalid(format!(
                "expected a shape of {} axes, found {shape:?}",
                old.shape().len()
            )));
        }
        let (before, grid) = self.nodes.set_shape(&self.path, &old, shape)?;
        let new = ArraySpec { extent: Extent::Shape(shape.to_vec()), grid, ..(*old).clone() };
        let write_grid = new.write_grid().clone();
        *self.spec.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        if before.iter().zip(shape).all(|(before, now)| now >= before) {
            return Ok(());
        }
        let counts = write_grid.counts(shape);
        let mut outside = Vec::new();
        self.walk(&mut |key, index, _| {
            if index.iter().zip(&counts).any(|(at, count)| at >= count) {
                outside.push(key.to_owned());
            }
            Ok(())
        })?;
        outside.iter().try_for_each(|key| self.store().erase(key))
    }
}

impl ChunkSource for ArraySource {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn access(&self) -> Access {
        let batch = if self.levels.is_empty() { 1 } else { 64 };
        let calls = self.store().requests_in_flight();
        let is_concurrent = calls.is_some() && self.levels.is_empty();
        Access { batch, is_concurrent, calls: calls.unwrap_or(1), skips_empty: true }
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        let result = if self.levels.is_empty() {
            self.read_keys(at, deliver)
        } else {
            shard::read_chunks(self.shards(), at, deliver)
        };
        self.located(result)
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        let write = || {
            self.nodes.check_writable()?;
            if !self.levels.is_empty() {
                return self.change(chunks.iter().map(|chunk| (chunk.index, chunk.bytes)));
            }
            with_buffers(|key, _| {
                chunks.iter().try_for_each(|chunk| {
                    self.keys.write(chunk.index, key);
                    let done = match chunk.bytes {
                        Some(bytes) => self.store().set(key, bytes),
                        None => self.store().erase(key),
                    };
                    done.map_err(|error| error.at_chunk(chunk.index))
                })
            })
        };
        self.located(write())
    }

    fn erase_chunks(&self, at: ChunkList<'_>) -> Result<()> {
        let erase = || {
            self.nodes.check_writable()?;
            if !self.levels.is_empty() {
                return self.change(at.iter().map(|index| (index, None)));
            }
            with_buffers(|key, _| {
                at.iter().try_for_each(|index| {
                    self.keys.write(index, key);
                    self.store().erase(key).map_err(|error| error.at_chunk(index))
                })
            })
        };
        self.located(erase())
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        self.located(self.nodes.check_writable().and_then(|()| self.resize_to(shape)))
    }

    fn chunk_version(&self, at: &[u64]) -> Result<Option<u64>> {
        if self.store().requests_in_flight().is_some() {
            return Ok(None);
        }
        let version = with_buffers(|key, _| {
            if self.levels.is_empty() {
                self.keys.write(at, key);
            } else {
                let mut shard = Vec::with_capacity(at.len());
                shard::locate(&self.counts, at, &mut shard);
                self.keys.write(&shard, key);
            }
            self.store().version(key)
        });
        self.located(version)
    }

    fn is_stored(&self, unit: &[u64]) -> Result<Option<bool>> {
        let found = with_buffers(|key, _| {
            self.keys.write(unit, key);
            self.store().len_bytes(key)
        });
        self.located(found).map(|len| Some(len.is_some()))
    }

    fn visit_stored(&self, visit: &mut VisitStored<'_>) -> Result<bool> {
        let walked = self.walk(&mut |_, index, _| visit(index));
        match self.located(walked) {
            // Some stores cannot list what they hold.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn n_stored(&self) -> Result<u64> {
        let mut n = 0;
        let counts = self.spec().write_grid().counts(self.spec().shape());
        let walked = self.walk(&mut |_, index, _| {
            n += u64::from(index.iter().zip(&counts).all(|(at, count)| at < count));
            Ok(())
        });
        self.located(walked.map(|()| n))
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        let mut total = 0_u64;
        let walked = self.walk(&mut |_, _, len| {
            total = total.saturating_add(len);
            Ok(())
        });
        self.located(walked.map(|()| total))
    }
}
