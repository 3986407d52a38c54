//! The boxes in which an array is copied or compared.

use std::ops::Range;

use stook_core::{ArraySpec, Selection};

/// The boxes in which an array is copied or compared: whole chunks of both sides where they fit
/// the budget.
#[derive(Debug)]
pub(crate) struct Blocks {
    shape: Vec<u64>,
    block: Vec<u64>,
    /// The smallest box that is worth reading by itself: whole chunks of the target, and of the
    /// source as far as they fit.
    part: Vec<u64>,
    /// Where the boxes begin along each axis.
    start: Vec<u64>,
    at: Option<Vec<u64>>,
}

/// Items of variable length are taken to have this many bytes when blocks are sized.
pub(super) const GUESSED_ITEM_LEN: u64 = 64;
/// What is kept for each chunk of a block, beside its items.
const CHUNK_OVERHEAD: u64 = 256;

/// The bytes of an item that count when blocks are sized.
pub(super) fn item_len(spec: &ArraySpec) -> u64 {
    let item = (spec.dtype.item_size() as u64).max(1);
    if spec.dtype.has_heap() { item + GUESSED_ITEM_LEN } else { item }
}

/// The lengths of the boxes that `spec` is stored in; of elements in one piece, single elements.
pub(super) fn unit(spec: &ArraySpec, axis: usize) -> u64 {
    match spec.contiguous {
        true => 1,
        false => spec.write_grid().extent(axis, 0).1.max(1),
    }
}

fn product(lengths: &[u64]) -> u64 {
    lengths.iter().fold(1_u64, |n, &len| n.saturating_mul(len))
}

impl Blocks {
    /// Blocks of about `budget` bytes of an array stored as `from` and as `to`.
    pub(crate) fn new(from: &ArraySpec, to: &ArraySpec, budget: u64) -> Self {
        let units: Vec<u64> = (0..to.shape().len()).map(|axis| unit(from, axis)).collect();
        Self::of_units(&units, item_len(from).max(item_len(to)), to, budget)
    }

    /// Blocks of about `budget` bytes of items that count `item` bytes each, read in boxes of
    /// `units` and written as `to` is stored.
    pub(super) fn of_units(units: &[u64], item: u64, to: &ArraySpec, budget: u64) -> Self {
        let shape = to.shape().to_vec();
        let most = |axis: usize| shape.get(axis).copied().unwrap_or(1).max(1);
        let fine: Vec<u64> = (0..shape.len()).map(|axis| unit(to, axis).min(most(axis))).collect();
        let smallest = match (product(units), product(&fine)) {
            (1, 1) => u64::MAX,
            (1, n) | (n, 1) => n,
            (a, b) => a.min(b),
        };
        let item = item.saturating_add(CHUNK_OVERHEAD / smallest);
        let room = (budget / item).max(1);
        // From chunks of the target to chunks of both, as long as they fit.
        let mut block = fine.clone();
        for axis in (0..shape.len()).rev() {
            let mut wider = block.clone();
            let both = units.get(axis).and_then(|unit| unit.checked_next_multiple_of(fine[axis]));
            wider[axis] = both.unwrap_or(u64::MAX).min(most(axis));
            if product(&wider) <= room {
                block = wider;
            }
        }
        let part = block.clone();
        for axis in (0..shape.len()).rev() {
            let times = (room / product(&block)).max(1);
            block[axis] = block[axis].saturating_mul(times).min(most(axis));
        }
        let start = vec![0; shape.len()];
        let at = (!shape.contains(&0)).then(|| start.clone());
        Self { shape, block, part, start, at }
    }

    /// The parts of `block`, one of the boxes, that are worth reading by themselves.
    pub(super) fn parts(&self, block: &[Range<u64>]) -> Self {
        // Boxes are whole parts but at the upper edge, so that those of the rest are the same.
        let shape = block.iter().map(|range| range.end).collect();
        let at: Vec<u64> = block.iter().map(|range| range.start).collect();
        let part = self.part.clone();
        Self { shape, block: part.clone(), part, start: Vec::clone(&at), at: Some(at) }
    }

    /// The next box.
    pub(crate) fn next_box(&mut self) -> Option<Vec<Range<u64>>> {
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
            next[axis] = self.start[axis];
        };
        Some(ranges)
    }
}

impl Iterator for Blocks {
    type Item = Selection;

    fn next(&mut self) -> Option<Selection> {
        self.next_box().map(Selection::ranges)
    }
}

/// The boxes of a regular or listed grid that meet `block`, in order: their indices.
#[derive(Debug)]
pub(crate) struct Units {
    first: Vec<u64>,
    last: Vec<u64>,
    at: Option<Vec<u64>>,
}

impl Units {
    /// The units of `grid` that meet `block`, which is not empty.
    pub(crate) fn new(grid: &stook_core::ChunkGrid, block: &[Range<u64>]) -> Self {
        let locate = |(axis, at): (usize, u64)| grid.locate(axis, at).0;
        let first: Vec<u64> =
            block.iter().map(|range| range.start).enumerate().map(locate).collect();
        let ends = block.iter().map(|range| range.end.saturating_sub(1));
        let last = ends.enumerate().map(locate).collect();
        let at = block.iter().all(|range| range.start < range.end).then(|| first.clone());
        Self { first, last, at }
    }
}

impl Iterator for Units {
    type Item = Vec<u64>;

    fn next(&mut self) -> Option<Vec<u64>> {
        let at = self.at.take()?;
        let mut next = at.clone();
        for axis in (0..next.len()).rev() {
            if next[axis] < self.last[axis] {
                next[axis] += 1;
                self.at = Some(next);
                break;
            }
            next[axis] = self.first[axis];
        }
        Some(at)
    }
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
        for budget in [1, 4, 300, 1500, 100_000] {
            let mut seen = vec![0; 70];
            let mut blocks = Blocks::new(&from, &to, budget);
            while let Some(block) = blocks.next_box() {
                let n: u64 = block.iter().map(|range| range.end - range.start).product();
                assert!(n * 65 <= budget.max(4 * 65), "{budget}: {block:?}");
                for r in block[0].clone() {
                    for c in block[1].clone() {
                        seen[(r * 7 + c) as usize] += 1;
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

    #[test]
    fn units_are_those_that_a_block_meets() {
        let grid = ChunkGrid::regular([4, 3]).unwrap();
        let units: Vec<_> = Units::new(&grid, &[3..9, 3..6]).collect();
        assert_eq!(units, [[0, 1], [1, 1], [2, 1]]);
        assert_eq!(Units::new(&grid, &[3..3, 0..1]).count(), 0);
        assert_eq!(Units::new(&ChunkGrid::whole(&[]), &[]).count(), 1);
    }
}
