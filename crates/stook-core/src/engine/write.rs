//! Writing: from the caller's memory to stored chunks, a write unit at a time.

use std::sync::{Mutex, PoisonError};

use super::copy::{self, Direction};
use super::read::{ChunkLayout, Io};
use super::transfer::{Chunk, Layout, Transfer};
use super::view::View;
use super::work;
use super::{blocks, in_place, locks, parallel};
use crate::array::EmptyChunks;
use crate::chunk::{ChunkList, ChunkWrite, EncodedChunk};
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::selection::Resolved;
use crate::selection::plan::Plan;
use crate::values::{HeapItem, for_each_heap_item, relocate};

impl Io<'_> {
    /// Writes `view`, which has the shape of `selection`, to what `selection` takes.
    pub(crate) fn write(&self, selection: &Resolved, view: &View<'_>) -> Result<()> {
        if self.item_size() == 0 || view.shape.contains(&0) {
            return Ok(());
        }
        if let Some(place) = in_place::of(self).filter(|place| place.is_writable()) {
            return in_place::write(self, place, selection, view);
        }
        if let Some(values) = self.source.values() {
            return blocks::write(self, values, selection, view);
        }
        let plan =
            Plan::new(selection, self.spec.shape(), &self.spec.grid, self.spec.shards.as_ref())?;
        let regular = self.regular_layout()?;
        let chunk_len = regular.map_or(1 << 20, |layout| layout.len_bytes);
        let len = plan.n_chunks().saturating_mul(chunk_len);
        let all = self.engine.threads_for(plan.n_chunks(), len);
        let access = self.source.access();
        let n_held = self.engine.config.memory_len_bytes / unit_len(&plan, chunk_len);
        let threads = access.threads(all, n_held).min(plan.n_units());
        let array = view.layout(self.item_size());
        let fill = self.fill_item()?;
        // Without a fill value the item is zero, as it is for a chunk that is missing.
        let may_skip = self.empty_chunks == EmptyChunks::Skipped;
        let inner_threads = (all / threads.max(1)).max(1);
        let writer = Writer {
            io: *self,
            plan: &plan,
            view,
            regular,
            fill,
            skips_empty: may_skip && access.skips_empty,
            skips_empty_parts: may_skip && access.skips_empty_parts,
            guards_edges: access.is_guarded,
            array,
            inner_threads,
        };
        parallel::for_each(plan.n_units(), threads, &|unit| writer.unit(unit))
    }
}

/// Bytes that the chunks of one write unit may take.
fn unit_len(plan: &Plan, chunk_len: usize) -> usize {
    let n = plan.n_chunks().div_ceil(plan.n_units().max(1));
    n.saturating_mul(chunk_len).max(1)
}

struct Writer<'w> {
    io: Io<'w>,
    plan: &'w Plan,
    view: &'w View<'w>,
    regular: Option<ChunkLayout>,
    fill: Vec<u8>,
    skips_empty: bool,
    /// The same of chunks that are written in part and of which something is stored.
    skips_empty_parts: bool,
    /// Whether a chunk that reaches beyond the shape counts as written in part.
    guards_edges: bool,
    array: Layout<'w>,
    /// Threads for the chunks of one unit.
    inner_threads: usize,
}

impl Writer<'_> {
    fn unit(&self, unit: usize) -> Result<()> {
        let mut loan = work::lend();
        let mut indices = std::mem::take(&mut loan.indices);
        let chunks = self.plan.unit(unit);
        self.plan.indices(chunks.start, chunks.end, &mut indices);
        let rank = self.io.spec.shape().len();
        let list = ChunkList::new(rank, chunks.len(), &indices);
        let result = self.locked(chunks.start, list);
        loan.indices = indices;
        result
    }

    /// Writes the chunks of one unit, of which `first` is the first, under its lock.
    fn locked(&self, first: usize, list: ChunkList<'_>) -> Result<()> {
        let (identity, index) = (self.io.source.identity(), list.get(0));
        let _guard = match &self.io.spec.shards {
            None => locks::unit(self.io.engine, identity, index),
            Some(shards) => {
                let grid = &self.io.spec.grid;
                let origins =
                    index.iter().enumerate().map(|(axis, &at)| (axis, grid.extent(axis, at).0));
                let unit: Vec<u64> = origins.map(|(axis, at)| shards.locate(axis, at).0).collect();
                locks::unit(self.io.engine, identity, &unit)
            }
        };
        match list.len() {
            1 => self.one(first, list).map_err(|error| error.at_chunk(index)),
            _ => self.many(first, list),
        }
    }

    /// Writes touched chunk `i` with the buffers of this thread.
    fn one(&self, i: usize, list: ChunkList<'_>) -> Result<()> {
        let index = list.get(0);
        if self.is_whole(i, index) {
            return self.encode(i, index, None, &mut |bytes| self.store(index, bytes));
        }
        self.io.source.change_unit(&[], list, &mut |_, old, new| self.edit(i, index, old, new))
    }

    /// Appends touched chunk `i`, as it is to be, to `new`; false if it is better not stored.
    fn edit(
        &self,
        i: usize,
        index: &[u64],
        old: Option<EncodedChunk<'_>>,
        new: &mut Vec<u8>,
    ) -> Result<bool> {
        let mut is_stored = false;
        self.encode(i, index, Some(old), &mut |bytes| {
            is_stored = bytes.is_some();
            new.extend_from_slice(bytes.unwrap_or_default());
            Ok(())
        })?;
        Ok(is_stored)
    }

    fn store(&self, index: &[u64], bytes: Option<&[u8]>) -> Result<()> {
        match bytes {
            Some(_) => self.io.source.write_chunks(&[ChunkWrite { index, bytes }]),
            None => self.io.source.erase_chunks(ChunkList::one(index)),
        }
    }

    /// Writes the chunks of one unit in one call to the source.
    fn many(&self, first: usize, list: ChunkList<'_>) -> Result<()> {
        let slots: Vec<Mutex<Option<Vec<u8>>>> = list.iter().map(|_| Mutex::new(None)).collect();
        let put = |k: usize, bytes: Option<&[u8]>| {
            *slots[k].lock().unwrap_or_else(PoisonError::into_inner) = bytes.map(<[u8]>::to_vec);
        };
        let (mut partial, mut whole, mut flat) = (Vec::new(), Vec::new(), Vec::new());
        for (k, index) in list.iter().enumerate() {
            if self.is_whole(first + k, index) {
                whole.push(k);
            } else {
                partial.push(k);
                flat.extend_from_slice(index);
            }
        }
        parallel::for_each(whole.len(), self.inner_threads, &|at| {
            let (k, index) = (whole[at], list.get(whole[at]));
            let encoded = self.encode(first + k, index, None, &mut |bytes| {
                put(k, bytes);
                Ok(())
            });
            encoded.map_err(|error| error.at_chunk(index))
        })?;
        let encoded: Vec<Option<Vec<u8>>> = slots
            .into_iter()
            .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let bytes = whole.iter().map(|&k| encoded.get(k).and_then(Option::as_deref));
        let writes: Vec<ChunkWrite<'_>> = whole
            .iter()
            .zip(bytes)
            .map(|(&k, bytes)| ChunkWrite { index: list.get(k), bytes })
            .collect();
        if partial.is_empty() {
            return self.io.source.write_chunks(&writes);
        }
        let parts = ChunkList::new(self.io.spec.shape().len(), partial.len(), &flat);
        self.io.source.change_unit(&writes, parts, &mut |at, old, new| {
            let (k, index) = (partial[at], parts.get(at));
            self.edit(first + k, index, old, new).map_err(|error| error.at_chunk(index))
        })
    }

    /// Whether all of touched chunk `i`, which is at `index`, is written.
    fn is_whole(&self, i: usize, index: &[u64]) -> bool {
        let reaches_beyond = || {
            let axes = index.iter().zip(self.io.spec.shape()).enumerate();
            { axes }.any(|(axis, (&at, &end))| {
                let (start, len) = self.io.spec.grid.extent(axis, at);
                start.saturating_add(len) > end
            })
        };
        self.covers(i) && !(self.guards_edges && reaches_beyond())
    }

    /// Whether what is written covers touched chunk `i` within the shape.
    fn covers(&self, i: usize) -> bool {
        match self.plan {
            Plan::Box(plan) => plan.parts(i).is_whole(),
            Plan::Points(_) => false,
        }
    }

    /// Encodes touched chunk `i` with what is written over `old` (`None` where the whole chunk
    /// is written, `Some(None)` where nothing is stored) and hands the bytes to `store`; no
    /// bytes where the chunk holds nothing but the fill value and is better not stored.
    fn encode(
        &self,
        i: usize,
        index: &[u64],
        old: Option<Option<EncodedChunk<'_>>>,
        store: &mut dyn FnMut(Option<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let layout = self.io.layout_at(self.regular, index)?;
        let replaces = old.is_some_and(|old| old.is_some());
        let mut loan = work::lend();
        let mut heap = std::mem::take(&mut loan.heap);
        let (mut work, buffer, encoded, _) = loan.split();
        let has_heap = self.io.pipeline.has_heap();
        let direct = if old.is_none() { self.direct(i, layout) } else { None };
        let (raw, payload): (&[u8], &[u8]) = match (direct, old) {
            (Some(raw), _) => (raw, self.view.heap),
            (None, old) => {
                let bytes = buffer.get(layout.len_bytes);
                heap.clear();
                match old.flatten() {
                    Some(old) if has_heap => {
                        let limits = &self.io.engine.config.limits;
                        self.io.pipeline.decode_heap(old, (bytes, &mut heap), limits, &mut work)?;
                    }
                    Some(old) => match self.io.pipeline.decode(old, bytes, &mut work) {
                        // All that is known to be of the array is replaced.
                        Err(error) if error.kind() == ErrorKind::Corrupt && self.covers(i) => {
                            self.blank(bytes, &mut heap);
                        }
                        decoded => decoded?,
                    },
                    None => self.blank(bytes, &mut heap),
                }
                if has_heap {
                    self.overlay_heap(i, layout, bytes, &mut heap)?;
                } else {
                    self.overlay(i, layout, bytes);
                }
                (bytes, &heap)
            }
        };
        let skips_empty = if replaces { self.skips_empty_parts } else { self.skips_empty };
        let is_empty = skips_empty && !has_heap && copy::is_filled(raw, &self.fill);
        let stored = if is_empty {
            store(None)
        } else if self.io.pipeline.is_plain() {
            store(Some(raw))
        } else {
            self.io.pipeline.encode(raw, payload, encoded, &mut work)?;
            store(Some(encoded))
        };
        loan.heap = heap;
        stored
    }

    /// The whole chunk where it lies contiguously in the caller's memory.
    fn direct(&self, i: usize, layout: ChunkLayout) -> Option<&[u8]> {
        let Plan::Box(plan) = self.plan else { return None };
        let (from, to, len) = self.transfer(layout.chunk(self.io.spec)).nest(plan, i).as_run()?;
        if to != 0 || len != layout.len_bytes {
            return None;
        }
        // SAFETY: the nest's source runs lie within the view.
        #[expect(unsafe_code, reason = "encoding straight from the caller's memory")]
        Some(unsafe { std::slice::from_raw_parts(self.view.items.offset(from), len) })
    }

    fn blank(&self, bytes: &mut [u8], heap: &mut Vec<u8>) {
        copy::fill(bytes, &self.fill);
        if let Some(fill) = &self.io.spec.fill_value {
            heap.extend_from_slice(fill.heap());
        }
    }

    fn transfer<'t>(&'t self, chunk: Chunk<'t>) -> Transfer<'t> {
        Transfer { direction: Direction::Write, chunk, array: self.array }
    }

    /// Copies the caller's items over those of the chunk.
    fn overlay(&self, i: usize, layout: ChunkLayout, bytes: &mut [u8]) {
        let transfer = self.transfer(layout.chunk(self.io.spec));
        // SAFETY: the plan keeps within the view and within the chunk's buffer.
        #[expect(unsafe_code, reason = "the view is a pointer with strides")]
        unsafe {
            transfer.run(self.plan, i, self.view.items, bytes.as_mut_ptr());
        }
    }

    /// The same for heap items: those of the chunk point into `heap` already, the payload of
    /// those that come from the caller follows.
    fn overlay_heap(
        &self,
        i: usize,
        layout: ChunkLayout,
        bytes: &mut [u8],
        heap: &mut Vec<u8>,
    ) -> Result<()> {
        let dtype = &self.io.spec.dtype;
        mark(dtype, bytes);
        self.overlay(i, layout, bytes);
        adopt(dtype, bytes, self.view.heap, heap)
    }
}

/// Offsets in a heap are far below this bit.
const MARK: u64 = 1 << 63;

/// Marks every heap item as one that was there before.
pub(super) fn mark(dtype: &DType, items: &mut [u8]) {
    for_each_heap_item(dtype, items, &mut |_, item| {
        let mut at = HeapItem::from_bytes(item);
        at.offset |= MARK;
        item.copy_from_slice(&at.to_bytes());
    });
}

/// Moves the payload of items that are not marked from `from` to `heap`, and takes the marks off.
///
/// # Errors
/// `InvalidInput` if an item points out of `from`.
pub(super) fn adopt(
    dtype: &DType,
    items: &mut [u8],
    from: &[u8],
    heap: &mut Vec<u8>,
) -> Result<()> {
    let mut failure = None;
    for_each_heap_item(dtype, items, &mut |dtype, item| {
        let mut at = HeapItem::from_bytes(item);
        if at.offset & MARK != 0 {
            at.offset &= !MARK;
            item.copy_from_slice(&at.to_bytes());
        } else if let Err(error) = relocate(dtype, item, from, heap) {
            failure.get_or_insert(error);
        }
    });
    failure.map_or(Ok(()), |error: Error| Err(Error::invalid(error.message().to_owned())))
}
