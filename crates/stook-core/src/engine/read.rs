//! Reading: from stored chunks to the caller's memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::copy::{self, Direction, Nest};
use super::transfer::{Chunk, Layout, Transfer};
use super::view::{self, ViewMut};
use super::work;
use super::{Engine, Pipeline, blocks, gate, in_place, parallel};
use crate::array::EmptyChunks;
use crate::chunk::{ChunkList, ChunkPart, ChunkSource, EncodedChunk};
use crate::error::{Error, Result};
use crate::selection::Resolved;
use crate::selection::plan::{BoxPlan, MAX_RANK, Plan};
use crate::spec::ArraySpec;
use crate::store::ReadTo;
use crate::values::{Values, byte_len, rebase};

/// An array at work: what a read or write needs to know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Io<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) source: &'a dyn ChunkSource,
    pub(crate) spec: &'a ArraySpec,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) empty_chunks: EmptyChunks,
}

/// Where items go.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(super) items: *mut u8,
    pub(super) shape: &'a [u64],
    pub(super) strides: &'a [isize],
    pub(super) is_contiguous: bool,
    /// Whether the memory is all zero, so that a fill value of zero need not be written.
    is_zeroed: bool,
    /// The payload of heap items.
    pub(super) heap: Mutex<Vec<u8>>,
}

// SAFETY: threads write to disjoint items, as the plan cuts them.
#[expect(unsafe_code, reason = "threads fill disjoint parts of one exclusively borrowed buffer")]
unsafe impl Sync for Target<'_> {}

impl<'a> Target<'a> {
    pub(crate) fn new(view: &'a ViewMut<'_>, item: usize, is_zeroed: bool) -> Self {
        let is_contiguous = view::is_contiguous(&view.shape, &view.strides, item);
        let (shape, strides) = (view.shape.as_slice(), view.strides.as_slice());
        Self { items: view.items, shape, strides, is_contiguous, is_zeroed, heap: Mutex::default() }
    }

    /// The payload of the heap items that were read.
    pub(crate) fn into_heap(self) -> Vec<u8> {
        self.heap.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes from `offset` on of a run that lies in the target.
    ///
    /// # Safety
    /// The run lies in the target and no other thread touches it.
    #[expect(unsafe_code, reason = "a disjoint part of the exclusively borrowed target")]
    #[expect(clippy::mut_from_ref, reason = "threads take disjoint parts")]
    pub(super) unsafe fn run(&self, offset: isize, len: usize) -> &mut [u8] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.items.offset(offset), len) }
    }

    /// Where its items lie.
    pub(super) fn layout(&self, item: usize) -> Layout<'_> {
        Layout { shape: self.shape, strides: self.strides, is_contiguous: self.is_contiguous, item }
    }
}

/// The stored layout of one chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkLayout {
    pub(super) strides: [isize; MAX_RANK],
    pub(super) len_bytes: usize,
}

impl ChunkLayout {
    /// A chunk of `spec` that lies so.
    pub(super) fn chunk(&self, spec: &ArraySpec) -> Chunk<'_> {
        Chunk { strides: &self.strides[..spec.shape().len()], shift: 0 }
    }
}

impl<'a> Io<'a> {
    pub(super) fn item_size(&self) -> usize {
        self.spec.dtype.item_size()
    }

    /// The fill value's item, zeros where it is undefined.
    ///
    /// # Errors
    /// `InvalidInput` if the fill value is not one item.
    pub(super) fn fill_item(&self) -> Result<Vec<u8>> {
        let expected = self.item_size();
        match self.spec.fill_value.as_ref().map(Values::items) {
            None => Ok(vec![0; expected]),
            Some(item) if item.len() == expected => Ok(item.to_vec()),
            Some(item) => Err(Error::invalid(format!(
                "fill value: expected one item of {expected} bytes, found {} bytes",
                item.len()
            ))),
        }
    }

    /// The layout of every chunk of a regular grid.
    pub(super) fn regular_layout(&self) -> Result<Option<ChunkLayout>> {
        self.spec.grid.regular_shape().map(|shape| self.layout(shape)).transpose()
    }

    /// The layout of the chunk at `index`.
    pub(super) fn layout_at(
        &self,
        regular: Option<ChunkLayout>,
        index: &[u64],
    ) -> Result<ChunkLayout> {
        regular.map_or_else(
            || {
                let mut shape = Vec::new();
                self.spec.grid.chunk_shape(index, &mut shape);
                self.layout(&shape)
            },
            Ok,
        )
    }

    fn layout(&self, shape: &[u64]) -> Result<ChunkLayout> {
        let len = byte_len(shape, self.item_size())?;
        let len_bytes = self.engine.config.limits.chunk(len as u64)?;
        let mut strides = [0; MAX_RANK];
        copy::strides(shape, self.pipeline.order(), self.item_size(), &mut strides);
        Ok(ChunkLayout { strides, len_bytes })
    }

    /// Reads what `selection` takes to `target`.
    pub(crate) fn read(&self, selection: &Resolved, target: &Target<'_>) -> Result<()> {
        if self.item_size() == 0 || target.shape.contains(&0) {
            return Ok(());
        }
        if let Some(place) = in_place::of(self) {
            return in_place::read(self, place, selection, target);
        }
        if let Some(values) = self.source.values() {
            return blocks::read(self, values, selection, target);
        }
        let plan =
            Plan::new(selection, self.spec.shape(), &self.spec.grid, self.spec.shards.as_ref())?;
        if let (true, Some(fill)) = (self.pipeline.has_heap(), &self.spec.fill_value) {
            *target.heap.lock().unwrap_or_else(PoisonError::into_inner) = fill.heap().to_vec();
        }
        let regular = self.regular_layout()?;
        let fill = self.fill_item()?;
        let fill_is_zero = fill.iter().all(|&byte| byte == 0);
        Reader { io: *self, plan: &plan, target, regular, fill, fill_is_zero }.run()
    }
}

/// Chunks that a concurrent source is asked for in one call.
const HANDED_OVER: usize = 1 << 16;

struct Reader<'r> {
    io: Io<'r>,
    plan: &'r Plan,
    target: &'r Target<'r>,
    regular: Option<ChunkLayout>,
    fill: Vec<u8>,
    fill_is_zero: bool,
}

impl Reader<'_> {
    fn run(&self) -> Result<()> {
        let n = self.plan.n_chunks();
        let chunk_len = self.regular.map_or(1 << 20, |layout| layout.len_bytes).max(1);
        let access = self.io.source.access();
        let config = &self.io.engine.config;
        if access.is_concurrent {
            // The source bounds the chunks that it holds; this bounds their indices.
            let batches = n.div_ceil(HANDED_OVER);
            return parallel::for_each(batches, 1, &|i| {
                self.batch(i * HANDED_OVER, n.min((i + 1) * HANDED_OVER), false)
            });
        }
        let working = self.io.engine.threads_for(n, n.saturating_mul(chunk_len));
        let threads = access.threads(working, config.memory_len_bytes / chunk_len).min(n);
        let held = (config.memory_len_bytes / threads / chunk_len).max(1);
        let wants_cache = self.wants_cache(n, chunk_len);
        // Enough batches to keep the threads busy to the end, each of enough chunks to be worth
        // a call to the source.
        let ideal =
            (n / (threads * 4)).clamp(1, 64).max(access.batch).min(held).min(n.div_ceil(threads));
        if self.io.spec.shards.is_none() {
            let batches = n.div_ceil(ideal);
            return parallel::for_each(batches, threads, &|i| {
                self.batch(i * ideal, n.min((i + 1) * ideal), wants_cache)
            });
        }
        // The chunks of a shard are asked for together, so that the source reads neighbours at
        // once; a few large shards are cut so that every thread has some.
        let n_units = self.plan.n_units();
        let pieces = if access.calls > 1 { 1 } else { (threads * 2).div_ceil(n_units).max(1) };
        parallel::for_each(n_units * pieces, threads, &|i| {
            let unit = self.plan.unit(i / pieces);
            let step = unit.len().div_ceil(pieces);
            let from = unit.start + (i % pieces) * step;
            let to = unit.end.min(from + step);
            let mut at = from;
            while at < to {
                gate::checkpoint()?;
                let end = to.min(at + held);
                self.batch(at, end, wants_cache)?;
                at = end;
            }
            Ok(())
        })
    }

    fn wants_cache(&self, n: usize, chunk_len: usize) -> bool {
        let taken = byte_len(self.target.shape, self.io.item_size()).unwrap_or(usize::MAX);
        !self.io.pipeline.is_plain()
            && !self.io.pipeline.has_heap()
            && self.regular.is_some()
            && taken < n.saturating_mul(chunk_len)
            && self.io.engine.cache.is_worth(n, chunk_len)
    }

    /// Reads touched chunks `from` to before `to`.
    fn batch(&self, from: usize, to: usize, wants_cache: bool) -> Result<()> {
        if from >= to {
            return Ok(());
        }
        let mut loan = work::lend();
        let mut indices = std::mem::take(&mut loan.indices);
        self.plan.indices(from, to, &mut indices);
        let rank = self.io.spec.shape().len();
        let list = ChunkList::new(rank, to - from, &indices);
        let result = if wants_cache {
            self.batch_cached(from, list)
        } else if self.io.pipeline.is_plain() {
            self.batch_plain(from, list)
        } else {
            self.batch_stored(from, list)
        };
        loan.indices = indices;
        result
    }

    fn batch_stored(&self, from: usize, list: ChunkList<'_>) -> Result<()> {
        self.io.source.read_chunks(list, &|i, chunk| {
            let index = list.get(i);
            self.deliver(from + i, index, chunk).map_err(|error| error.at_chunk(index))
        })
    }

    /// Reads chunks of items as they are: straight to where they go, if the source does that and
    /// they lie there in one piece.
    fn batch_plain(&self, from: usize, list: ChunkList<'_>) -> Result<()> {
        for (i, index) in list.iter().enumerate() {
            let layout = self.layout(index)?;
            let read = match self.run_of(from + i, layout) {
                Some((from, out)) => {
                    let (len_chunk, is_alone) = (layout.len_bytes, list.len() == 1);
                    let part = ChunkPart { index, from, len_chunk, is_alone };
                    self.io.source.read_part(part, out)?
                }
                None => ReadTo::Unable,
            };
            match read {
                ReadTo::Done => {}
                ReadTo::Missing => self.fill(from + i, layout)?,
                ReadTo::Unable => return self.batch_stored(from + i, list.slice(i, list.len())),
            }
        }
        Ok(())
    }

    /// What is taken of touched chunk `i`, if that is one piece there and in the target: its first
    /// byte, and where it goes.
    #[expect(clippy::mut_from_ref, reason = "the plan gives each chunk a part of its own")]
    fn run_of(&self, i: usize, layout: ChunkLayout) -> Option<(usize, &mut [u8])> {
        let Plan::Box(plan) = self.plan else { return None };
        let (from, to, len) = self.nest(plan, i, layout).as_run()?;
        let from = usize::try_from(from).ok()?;
        // SAFETY: the plan gives each chunk a part of the target of its own.
        #[expect(unsafe_code, reason = "a disjoint part of the target")]
        let out = unsafe { self.target.run(to, len) };
        Some((from, out))
    }

    fn batch_cached(&self, from: usize, list: ChunkList<'_>) -> Result<()> {
        let cache = &self.io.engine.cache;
        let identity = self.io.source.identity();
        let (mut missing, mut versions, mut flat) = (Vec::new(), Vec::new(), Vec::new());
        for (i, index) in list.iter().enumerate() {
            let version = self.io.source.chunk_version(index)?;
            match version.and_then(|version| cache.get(identity, index, version)) {
                Some(bytes) => self.place(from + i, self.layout(index)?, &bytes)?,
                None => {
                    missing.push(from + i);
                    versions.push(version);
                    flat.extend_from_slice(index);
                }
            }
        }
        let rank = self.io.spec.shape().len();
        let list = ChunkList::new(rank, missing.len(), &flat);
        if list.is_empty() {
            return Ok(());
        }
        self.io.source.read_chunks(list, &|i, chunk| {
            let index = list.get(i);
            let deliver = || match (chunk, versions[i]) {
                (Some(chunk), Some(version)) => {
                    let layout = self.layout(index)?;
                    let mut loan = work::lend();
                    let (mut work, buffer, ..) = loan.split();
                    let bytes = buffer.get(layout.len_bytes);
                    self.io.pipeline.decode(chunk, bytes, &mut work)?;
                    self.place(missing[i], layout, bytes)?;
                    cache.put(identity, index, version, Arc::from(&*bytes));
                    Ok(())
                }
                _ => self.deliver(missing[i], index, chunk),
            };
            deliver().map_err(|error: Error| error.at_chunk(index))
        })
    }

    fn layout(&self, index: &[u64]) -> Result<ChunkLayout> {
        self.io.layout_at(self.regular, index)
    }

    /// Decodes touched chunk `i` to where it goes; `None` is the fill value.
    fn deliver(&self, i: usize, index: &[u64], chunk: Option<EncodedChunk<'_>>) -> Result<()> {
        let layout = self.layout(index)?;
        let Some(chunk) = chunk else { return self.fill(i, layout) };
        if self.io.pipeline.has_heap() {
            return self.deliver_heap(i, layout, chunk);
        }
        if self.io.pipeline.is_plain() {
            if chunk.bytes.len() != layout.len_bytes {
                return Err(Error::corrupt(format!(
                    "expected {} bytes, found {}",
                    layout.len_bytes,
                    chunk.bytes.len()
                )));
            }
            return self.place(i, layout, chunk.bytes);
        }
        let mut loan = work::lend();
        let (mut work, buffer, ..) = loan.split();
        if let Some((0, out)) = self.run_of(i, layout)
            && out.len() == layout.len_bytes
        {
            return self.io.pipeline.decode(chunk, out, &mut work);
        }
        let bytes = buffer.get(layout.len_bytes);
        self.io.pipeline.decode(chunk, bytes, &mut work)?;
        self.place(i, layout, bytes)
    }

    fn deliver_heap(&self, i: usize, layout: ChunkLayout, chunk: EncodedChunk<'_>) -> Result<()> {
        let mut loan = work::lend();
        let mut heap = std::mem::take(&mut loan.heap);
        heap.clear();
        let (mut work, buffer, ..) = loan.split();
        let items = buffer.get(layout.len_bytes);
        let limits = &self.io.engine.config.limits;
        self.io.pipeline.decode_heap(chunk, (items, &mut heap), limits, &mut work)?;
        {
            let mut all = self.target.heap.lock().unwrap_or_else(PoisonError::into_inner);
            let base = all.len() as u64;
            limits.heap(base.saturating_add(heap.len() as u64))?;
            all.extend_from_slice(&heap);
            rebase(&self.io.spec.dtype, items, &mut all, base)?;
        }
        self.place(i, layout, items)?;
        loan.heap = heap;
        Ok(())
    }

    fn nest<'p>(&self, plan: &'p BoxPlan, i: usize, layout: ChunkLayout) -> Nest<'p> {
        self.transfer(layout.chunk(self.io.spec)).nest(plan, i)
    }

    fn transfer<'t>(&'t self, chunk: Chunk<'t>) -> Transfer<'t> {
        let array = self.target.layout(self.io.item_size());
        Transfer { direction: Direction::Read, chunk, array }
    }

    /// Copies what is selected of a decoded chunk to where it goes.
    fn place(&self, i: usize, layout: ChunkLayout, bytes: &[u8]) -> Result<()> {
        if bytes.len() < layout.len_bytes {
            return Err(Error::corrupt("a decoded chunk is too short"));
        }
        let transfer = self.transfer(layout.chunk(self.io.spec));
        // SAFETY: the plan keeps within the chunk, whose length was checked, and within the
        // target, whose shape is that of the selection; no two chunks share a place in it.
        #[expect(unsafe_code, reason = "filling a disjoint part of the target")]
        unsafe {
            transfer.run(self.plan, i, bytes.as_ptr(), self.target.items);
        }
        Ok(())
    }

    fn fill(&self, i: usize, layout: ChunkLayout) -> Result<()> {
        if self.target.is_zeroed && self.fill_is_zero {
            return Ok(());
        }
        if let Plan::Box(plan) = self.plan
            && let Some((_, to, len)) = self.nest(plan, i, layout).as_run()
        {
            // SAFETY: the plan gives each chunk a part of the target of its own.
            #[expect(unsafe_code, reason = "filling a disjoint part of the target")]
            copy::fill(unsafe { self.target.run(to, len) }, &self.fill);
            return Ok(());
        }
        // A chunk whose items are all one: no bytes apart along any axis.
        let chunk = Chunk { strides: &[0; MAX_RANK][..self.io.spec.shape().len()], shift: 0 };
        let transfer = self.transfer(chunk);
        // SAFETY: as in `place`; of the chunk nothing but its one item is read.
        #[expect(unsafe_code, reason = "filling a disjoint part of the target")]
        unsafe {
            transfer.run(self.plan, i, self.fill.as_ptr(), self.target.items);
        }
        Ok(())
    }
}
