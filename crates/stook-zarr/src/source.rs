//! The chunks of a Zarr array: a key each, or together in shards.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use stook_core::chunk::{Access, ChunkPart, Deliver, EditChunk, VisitStored};
use stook_core::grid::AxisEdges;
use stook_core::store::{ByteStore, Edit, Guard, ReadTo};
use stook_core::{
    ArraySpec, ChunkGrid, ChunkList, ChunkSource, ChunkWrite, EncodedChunk, Error, ErrorKind,
    Extent, Format, Limits, NodePath, Result,
};

use crate::keys::ChunkKeys;
use crate::layout::{self, ArrayLayout};
use crate::node::Nodes;
use crate::shard::{self, Change, IndexCache, ShardLevel};

/// A larger buffer is given back after the call.
const KEPT_LEN_BYTES: usize = 8 << 20;

thread_local! {
    /// A key and an encoded chunk.
    static BUFFERS: Cell<(String, Vec<u8>)> = const { Cell::new((String::new(), Vec::new())) };
}

/// What a walk calls with a key, and the index in the write grid.
type Visit<'a> = dyn FnMut(&str, &[u64]) -> Result<()> + 'a;

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
    format: Format,
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
            format: layout.format,
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
        let is_same = self.format == layout.format
            && self.keys == layout.keys
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
            shard::change_shard(self.shard(&key), &changes, &[], &mut |_, _, _| Ok(false))
                .map_err(|error| error.at_chunk(&shard))?;
        }
        Ok(())
    }

    fn shard<'s>(&'s self, key: &'s str) -> shard::Shard<'s> {
        shard::Shard { store: self.store(), key, levels: &self.levels, limits: self.limits() }
    }

    /// Makes changes to one shard, to some of its chunks in part.
    fn change_in_part(
        &self,
        whole: &[ChunkWrite<'_>],
        parts: ChunkList<'_>,
        edit: &mut EditChunk<'_>,
    ) -> Result<()> {
        let (mut shard, mut key) = (Vec::new(), String::new());
        let mut locate = |index: &[u64]| shard::locate(&self.counts, index, &mut shard);
        let changes: Vec<Change<'_>> = whole
            .iter()
            .map(|chunk| Change { flat: locate(chunk.index), bytes: chunk.bytes })
            .collect();
        let places: Vec<usize> = parts.iter().map(locate).collect();
        self.keys.write(&shard, &mut key);
        shard::change_shard(self.shard(&key), &changes, &places, edit)
            .map_err(|error| error.at_chunk(&shard))
    }

    /// Stores or erases chunks that have a key each.
    fn write_keys(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
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
    }

    /// Changes chunks that have a key each, each in part.
    fn change_keys(&self, parts: ChunkList<'_>, edit: &mut EditChunk<'_>) -> Result<()> {
        let (limit, mut key) = (self.limits().chunk_len_bytes, String::new());
        parts.iter().enumerate().try_for_each(|(i, index)| {
            self.keys.write(index, &mut key);
            let updated = self.store().update(&key, limit, &mut |old, new| {
                let old = old.map(|bytes| EncodedChunk { bytes, skipped: 0 });
                Ok(if edit(i, old, new)? { Edit::Set } else { Edit::Erase })
            });
            updated.map_err(|error| error.at_chunk(index))
        })
    }

    /// Calls `visit` with the key of every stored object and its index in the write grid.
    fn walk(&self, visit: &mut Visit<'_>) -> Result<()> {
        let rank = self.spec().shape().len();
        if rank == 0 {
            return match self.scalar()? {
                Some((key, _)) => visit(&key, &[]),
                None => Ok(()),
            };
        }
        self.store().walk_keys(&self.keys.walk_prefix(), &mut |key| {
            self.keys.read(key, rank).map_or(Ok(()), |index| visit(key, &index))
        })
    }

    /// The same with the length in bytes, which some stores have to ask for one by one.
    fn walk_lengths(&self, visit: &mut dyn FnMut(u64) -> Result<()>) -> Result<()> {
        let rank = self.spec().shape().len();
        if rank == 0 {
            return self.scalar()?.map_or(Ok(()), |(_, len)| visit(len));
        }
        self.store().walk(&self.keys.walk_prefix(), &mut |key, len| {
            self.keys.read(key, rank).map_or(Ok(()), |_| visit(len))
        })
    }

    /// A scalar's only key, which has nothing below it, and its length if it is stored.
    fn scalar(&self) -> Result<Option<(String, u64)>> {
        let mut key = String::new();
        self.keys.write(&[], &mut key);
        Ok(self.store().len_bytes(&key)?.map(|len| (key, len)))
    }

    /// Changes the shape, from `from` if that is given; false if it is another.
    ///
    /// Chunks that come to lie outside go first, so that nobody who appends behind the new end has
    /// his removed.
    fn reshape(&self, from: Option<&[u64]>, shape: &[u64]) -> Result<bool> {
        self.nodes.check_writable()?;
        let _guard = self.resizing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.spec();
        if shape.len() != old.shape().len() {
            return Err(Error::invalid(format!(
                "expected a shape of {} axes, found {shape:?}",
                old.shape().len()
            )));
        }
        let mut new = None;
        self.nodes.edit_array(&self.path, self.format, &mut |mut doc| {
            let before = layout::shape(&doc)?;
            if from.is_some_and(|from| from != before) {
                new = None;
                return Ok(None);
            }
            let grid = layout::set_shape(&mut doc, &old, shape, self.limits())?;
            let spec = ArraySpec { extent: Extent::Shape(shape.to_vec()), grid, ..(*old).clone() };
            if before.iter().zip(shape).any(|(before, now)| now < before) {
                self.erase_outside(&spec)?;
            }
            new = Some(spec);
            Ok(Some(doc))
        })?;
        let Some(new) = new else { return self.look_again().map(|()| false) };
        *self.spec.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(true)
    }

    /// Erases what lies outside the shape of `spec`.
    fn erase_outside(&self, spec: &ArraySpec) -> Result<()> {
        let counts = spec.write_grid().counts(spec.shape());
        let mut outside = Vec::new();
        self.walk(&mut |key, index| {
            if index.iter().zip(&counts).any(|(at, count)| at >= count) {
                outside.push(key.to_owned());
            }
            Ok(())
        })?;
        outside.iter().try_for_each(|key| self.store().erase(key))
    }

    /// Takes over the shape that the array has in the store.
    fn look_again(&self) -> Result<()> {
        let node = self.nodes.expect_own(&self.path)?;
        if self.refresh(&self.nodes.layout(&self.path, &node)?) {
            return Ok(());
        }
        Err(Error::not_found("the array that was opened is gone: there is another in its place"))
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
        Access {
            batch,
            is_concurrent,
            calls: calls.unwrap_or(1),
            skips_empty: true,
            skips_empty_parts: self.store().can_erase_guarded(),
            is_guarded: self.store().guard() == Guard::Everyone,
        }
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        let result = if self.levels.is_empty() {
            self.read_keys(at, deliver)
        } else {
            shard::read_chunks(self.shards(), at, deliver)
        };
        self.located(result)
    }

    fn read_part(&self, part: ChunkPart<'_>, out: &mut [u8]) -> Result<ReadTo> {
        if !self.levels.is_empty() || !part.is_whole(out.len()) {
            return Ok(ReadTo::Unable);
        }
        let read = with_buffers(|key, _| {
            self.keys.write(part.index, key);
            self.store().get_to(key, out)
        });
        self.located(read.map_err(|error| error.at_chunk(part.index)))
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        let write = || {
            self.nodes.check_writable()?;
            if !self.levels.is_empty() {
                return self.change(chunks.iter().map(|chunk| (chunk.index, chunk.bytes)));
            }
            self.write_keys(chunks)
        };
        self.located(write())
    }

    fn change_unit(
        &self,
        whole: &[ChunkWrite<'_>],
        parts: ChunkList<'_>,
        edit: &mut EditChunk<'_>,
    ) -> Result<()> {
        let mut change = || {
            self.nodes.check_writable()?;
            if !self.levels.is_empty() {
                return self.change_in_part(whole, parts, edit);
            }
            self.write_keys(whole)?;
            self.change_keys(parts, edit)
        };
        self.located(change())
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
        self.located(self.reshape(None, shape).map(drop))
    }

    fn resize_from(&self, from: &[u64], shape: &[u64]) -> Result<bool> {
        self.located(self.reshape(Some(from), shape))
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
        let walked = self.walk(&mut |_, index| visit(index));
        match self.located(walked) {
            // Some stores cannot list what they hold.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn n_stored(&self) -> Result<u64> {
        let mut n = 0;
        let counts = self.spec().write_grid().counts(self.spec().shape());
        let walked = self.walk(&mut |_, index| {
            n += u64::from(index.iter().zip(&counts).all(|(at, count)| at < count));
            Ok(())
        });
        self.located(walked.map(|()| n))
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        let mut total = 0_u64;
        let walked = self.walk_lengths(&mut |len| {
            total = total.saturating_add(len);
            Ok(())
        });
        self.located(walked.map(|()| total))
    }
}
