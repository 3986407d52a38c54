//! Copies the elements of one array to another, a block at a time.

use std::sync::{Mutex, PoisonError};

use stook_core::engine::Pipeline;
use stook_core::{ArraySpec, ChunkList, ChunkWrite, Error, Result, Selection, Values};

use crate::array::Array;
use crate::equivalence::Recast;

/// The boxes in which an array is copied or compared: whole chunks of both sides where they fit
/// the budget.
#[derive(Debug)]
pub(crate) struct Blocks {
    shape: Vec<u64>,
    block: Vec<u64>,
    at: Option<Vec<u64>>,
}

/// Items of variable length are taken to have this many bytes when blocks are sized.
const GUESSED_ITEM_LEN: u64 = 64;

impl Blocks {
    /// Blocks of about `budget` bytes of an array stored as `from` and as `to`.
    pub(crate) fn new(from: &ArraySpec, to: &ArraySpec, budget: u64) -> Self {
        let shape = to.shape().to_vec();
        let item = (from.dtype.item_size() as u64).max(1);
        let item = if from.dtype.has_heap() { item + GUESSED_ITEM_LEN } else { item };
        let room = (budget / item).max(1);
        let unit = |spec: &ArraySpec, axis: usize| match spec.contiguous {
            true => 1,
            false => spec.write_grid().extent(axis, 0).1.max(1),
        };
        let axes = 0..shape.len();
        let fine: Vec<u64> = axes.map(|axis| unit(to, axis).min(shape[axis].max(1))).collect();
        // From chunks of the target to chunks of both, as long as they fit.
        let mut block = fine.clone();
        let fits =
            |block: &[u64]| block.iter().fold(1_u64, |n, &len| n.saturating_mul(len)) <= room;
        for axis in (0..shape.len()).rev() {
            let mut wider = block.clone();
            let both = unit(from, axis).checked_next_multiple_of(fine[axis]);
            wider[axis] = both.unwrap_or(u64::MAX).min(shape[axis].max(1));
            if fits(&wider) {
                block = wider;
            }
        }
        for axis in (0..shape.len()).rev() {
            let others = block.iter().enumerate().filter(|(i, _)| *i != axis);
            let others = others.fold(1_u64, |n, (_, &len)| n.saturating_mul(len));
            let most = (room / others / block[axis]).max(1);
            block[axis] = block[axis].saturating_mul(most).min(shape[axis].max(1));
        }
        let at = (!shape.contains(&0)).then(|| vec![0; shape.len()]);
        Self { shape, block, at }
    }
}

impl Iterator for Blocks {
    type Item = Selection;

    fn next(&mut self) -> Option<Selection> {
        let at = self.at.clone()?;
        let ends = at.iter().zip(&self.block).zip(&self.shape);
        let ranges = ends.map(|((&at, &block), &len)| at..len.min(at.saturating_add(block)));
        let ranges: Vec<_> = ranges.collect();
        let mut next = at;
        let mut axis = next.len();
        self.at = loop {
            let Some(last) = axis.checked_sub(1) else { break None };
            axis = last;
            next[axis] = next[axis].saturating_add(self.block[axis]);
            if next[axis] < self.shape[axis] {
                break Some(next);
            }
            next[axis] = 0;
        };
        Some(Selection::ranges(ranges))
    }
}

/// Copies all elements of `from` to `to`, which has the same shape, within about `budget` bytes.
/// Calls `progress` with the bytes of items that were copied since the last call.
pub(crate) fn elements(
    from: &Array,
    to: &Array,
    budget: u64,
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let (source, target) = (from.spec(), to.spec());
    if source.is_null() || source.shape().contains(&0) {
        return Ok(());
    }
    let recast = Recast::new(&source.dtype, &target.dtype).ok_or_else(|| {
        Error::unsupported(format!("items of type {} cannot become {}", source.dtype, target.dtype))
            .at_node(to.path())
    })?;
    if is_stored_alike(from, to, &source, &target) {
        return chunks(from, to, &source, budget, progress);
    }
    for block in Blocks::new(&source, &target, budget / 2) {
        let values = from.read(&block)?;
        let len = values.items().len() as u64;
        let (dtype, shape, items, heap) = values.into_parts();
        drop(dtype);
        let items = if recast.is_identity() { items } else { recast.apply(&items) };
        to.write(&block, &Values::new(target.dtype.clone(), shape, items, heap)?)?;
        progress(len)?;
    }
    Ok(())
}

/// Whether stored chunks of the one are stored chunks of the other.
fn is_stored_alike(from: &Array, to: &Array, source: &ArraySpec, target: &ArraySpec) -> bool {
    let is_plain_grid = |array: &Array, spec: &ArraySpec| {
        !spec.contiguous && spec.shards.is_none() && array.source().values().is_none()
    };
    is_plain_grid(from, source)
        && is_plain_grid(to, target)
        && source.dtype == target.dtype
        && source.grid == target.grid
        && source.codecs == target.codecs
        && source.fill_value == target.fill_value
        // A codec that is not known here would be passed on unseen.
        && Pipeline::new(source).is_ok()
}

/// `part / whole` of `len_bytes`: the parts of a whole add up to it.
fn share(len_bytes: u64, part: u64, whole: u64) -> u64 {
    let share = u128::from(len_bytes) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(share).unwrap_or(len_bytes)
}

/// Copies stored chunks as they are.
fn chunks(
    from: &Array,
    to: &Array,
    spec: &ArraySpec,
    budget: u64,
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let counts = spec.grid.counts(spec.shape());
    let rank = counts.len();
    let n = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count));
    let n = n.ok_or_else(|| Error::limit("the grid has too many chunks").at_node(from.path()))?;
    let chunk_len = (spec.n_bytes() / n.max(1)).max(1);
    let step = (budget / 2 / chunk_len).clamp(1, 4096);
    let (mut flat, mut done) = (Vec::new(), 0);
    while done < n {
        let end = n.min(done + step);
        flat.clear();
        for i in done..end {
            let (start, mut rest) = (flat.len(), i);
            flat.resize(start + rank, 0);
            for (place, &count) in flat[start..].iter_mut().zip(&counts).rev() {
                *place = rest % count;
                rest /= count;
            }
        }
        let len = usize::try_from(end - done).unwrap_or(usize::MAX);
        batch(from, to, ChunkList::new(rank, len, &flat))?;
        progress(share(spec.n_bytes(), end, n) - share(spec.n_bytes(), done, n))?;
        done = end;
    }
    Ok(())
}

fn batch(from: &Array, to: &Array, list: ChunkList<'_>) -> Result<()> {
    let slots: Vec<Mutex<Option<Vec<u8>>>> = list.iter().map(|_| Mutex::new(None)).collect();
    let skipping = Mutex::new(Vec::new());
    from.source().read_chunks(list, &|i, chunk| {
        match chunk {
            Some(chunk) if chunk.skipped != 0 => {
                skipping.lock().unwrap_or_else(PoisonError::into_inner).push(list.get(i));
            }
            Some(chunk) => {
                let mut slot = slots[i].lock().unwrap_or_else(PoisonError::into_inner);
                *slot = Some(chunk.bytes.to_vec());
            }
            None => {}
        }
        Ok(())
    })?;
    let slots: Vec<_> = slots
        .into_iter()
        .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect();
    let writes: Vec<_> = list
        .iter()
        .zip(&slots)
        .filter_map(|(index, bytes)| {
            bytes.as_deref().map(|bytes| ChunkWrite { index, bytes: Some(bytes) })
        })
        .collect();
    if !writes.is_empty() {
        to.source().write_chunks(&writes)?;
    }
    let skipping = skipping.into_inner().unwrap_or_else(PoisonError::into_inner);
    skipping.into_iter().try_for_each(|index| recode(from, to, index))
}

/// Copies the chunk at `index` by its values: one that skips codecs is stored with all of them.
fn recode(from: &Array, to: &Array, index: &[u64]) -> Result<()> {
    let spec = from.spec();
    let axes = index.iter().zip(spec.shape()).enumerate();
    let block = Selection::ranges(axes.map(|(axis, (&at, &len))| {
        let (start, chunk_len) = spec.grid.extent(axis, at);
        start..start.saturating_add(chunk_len).min(len)
    }));
    to.write(&block, &from.read(&block)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::{ChunkGrid, DType};

    #[test]
    fn blocks_cover_the_array_once_within_the_budget() {
        let mut from = ArraySpec::new(DType::UInt8, [10, 7]);
        from.grid = ChunkGrid::regular([3, 7]).unwrap();
        let mut to = ArraySpec::new(DType::UInt8, [10, 7]);
        to.grid = ChunkGrid::regular([2, 2]).unwrap();
        for budget in [1, 4, 20, 30, 1000] {
            let mut seen = vec![0; 70];
            for block in Blocks::new(&from, &to, budget) {
                let shape = block.result_shape(&[10, 7], &to.grid).unwrap();
                let n: u64 = shape.iter().product();
                assert!(n <= budget.max(4), "{budget}: {shape:?}");
                let Selection::Axes(axes) = &block else { panic!("axes") };
                let start = |axis: usize| match axes[axis] {
                    stook_core::AxisSelection::Slice { start: Some(start), .. } => start as usize,
                    _ => panic!("a range"),
                };
                for r in 0..shape[0] as usize {
                    for c in 0..shape[1] as usize {
                        seen[(start(0) + r) * 7 + start(1) + c] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|&n| n == 1), "{budget}");
        }
        let empty = ArraySpec::new(DType::UInt8, [0, 3]);
        assert_eq!(Blocks::new(&empty, &empty, 10).count(), 0);
        let scalar = ArraySpec::new(DType::UInt8, []);
        assert_eq!(Blocks::new(&scalar, &scalar, 10).count(), 1);
    }
}
