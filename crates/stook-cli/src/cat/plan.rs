//! Which elements are printed, axis by axis, and in what blocks they are read.

use std::ops::Range;

use stook::{Array, ArraySpec, AxisSelection, Result, Selection, Values};

/// Bytes of items that are read at once: enough for rows of chunks of the usual sizes, so that
/// few chunks are decoded more than once.
const BLOCK_LEN_BYTES: u64 = 32 << 20;
/// Items of variable length are taken to have this many bytes.
const GUESSED_ITEM_LEN: u64 = 64;

/// A selection along one axis of the array: `start`, `start + step`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    start: u64,
    step: i64,
    /// How many elements.
    pub(super) len: u64,
    /// Whether the axis is in the result; an integer drops it.
    pub(super) is_kept: bool,
}

impl Axis {
    /// The position in the array of element `i` of the selection.
    pub(super) fn at(&self, i: u64) -> u64 {
        let at = i128::from(self.start) + i128::from(i) * i128::from(self.step);
        u64::try_from(at).unwrap_or(0)
    }

    fn range(&self, range: Range<u64>) -> AxisSelection {
        let end = |at: u64| Some(i64::try_from(at).unwrap_or(i64::MAX));
        if !self.is_kept {
            return AxisSelection::Index(i64::try_from(self.start).unwrap_or(i64::MAX));
        }
        if range.is_empty() {
            return AxisSelection::range(0, 0);
        }
        let (first, last) = (self.at(range.start), self.at(range.end - 1));
        let stop = if self.step > 0 { end(last + 1) } else { last.checked_sub(1).and_then(end) };
        AxisSelection::Slice { start: end(first), stop, step: self.step }
    }
}

/// What is printed of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// All axes of the array.
    pub(super) axes: Vec<Axis>,
    /// The lengths of the axes that are kept.
    pub(super) shape: Vec<u64>,
}

impl Plan {
    /// # Errors
    /// `InvalidInput` where the selection does not fit.
    pub(super) fn new(selection: &Selection, spec: &ArraySpec) -> Result<Self> {
        let shape = selection.result_shape(spec.shape(), &spec.grid)?;
        let mut kept = shape.iter();
        let axes = full(selection, spec.shape().len()).into_iter().zip(spec.shape());
        let axes = axes.map(|(axis, &len)| match axis {
            AxisSelection::Index(at) => {
                let start =
                    if at < 0 { len.saturating_sub(at.unsigned_abs()) } else { at.unsigned_abs() };
                Axis { start, step: 1, len: 1, is_kept: false }
            }
            AxisSelection::Slice { start, step, .. } => {
                let n = kept.next().copied().unwrap_or(0);
                Axis { start: first(start, step, len), step, len: n, is_kept: true }
            }
            _ => Axis { start: 0, step: 1, len: kept.next().copied().unwrap_or(0), is_kept: true },
        });
        Ok(Self { axes: axes.collect(), shape })
    }

    /// The selection of a box of the result: a range for each axis that is kept.
    fn part(&self, ranges: &[Range<u64>]) -> Selection {
        let mut ranges = ranges.iter().cloned();
        let axes = self.axes.iter().map(|axis| {
            let range = if axis.is_kept { ranges.next().unwrap_or(0..axis.len) } else { 0..1 };
            axis.range(range)
        });
        Selection::Axes(axes.collect())
    }

    /// The selection of some elements along each axis that is kept.
    pub(super) fn pick(&self, picks: &[Vec<u64>]) -> Selection {
        let mut picks = picks.iter();
        let axes = self.axes.iter().map(|axis| match picks.as_slice().first() {
            Some(pick) if axis.is_kept => {
                picks.next();
                let at = pick.iter().map(|&i| i64::try_from(axis.at(i)).unwrap_or(i64::MAX));
                AxisSelection::List(at.collect())
            }
            _ => axis.range(0..axis.len),
        });
        Selection::Axes(axes.collect())
    }

    /// Reads all elements in C order and calls `each` with one block after the other.
    pub(super) fn for_each_block<E: From<stook::Error>>(
        &self,
        array: &Array,
        each: &mut dyn FnMut(&Values) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if self.shape.contains(&0) {
            return Ok(());
        }
        let spec = array.spec();
        let payload = if spec.dtype.has_heap() { GUESSED_ITEM_LEN } else { 0 };
        let item = (spec.dtype.item_size() as u64 + payload).max(1);
        let room = (BLOCK_LEN_BYTES / item).max(1);
        for block in blocks(&self.shape, room, &self.chunk_lengths(&spec)) {
            each(&array.read(&self.part(&block))?)?;
        }
        Ok(())
    }

    /// How many elements of the selection lie in one chunk, along each axis that is kept.
    fn chunk_lengths(&self, spec: &ArraySpec) -> Vec<u64> {
        let axes = self.axes.iter().enumerate().filter(|(_, axis)| axis.is_kept);
        axes.map(|(at, axis)| (spec.grid.extent(at, 0).1 / axis.step.unsigned_abs().max(1)).max(1))
            .collect()
    }
}

/// An entry for each axis.
fn full(selection: &Selection, rank: usize) -> Vec<AxisSelection> {
    let Selection::Axes(axes) = selection else { return vec![AxisSelection::ALL; rank] };
    let mut full = Vec::with_capacity(rank);
    let n_named = axes.iter().filter(|axis| **axis != AxisSelection::Ellipsis).count();
    for axis in axes {
        match axis {
            AxisSelection::Ellipsis => {
                full.resize(full.len() + rank.saturating_sub(n_named), AxisSelection::ALL)
            }
            other => full.push(other.clone()),
        }
    }
    full.resize(rank, AxisSelection::ALL);
    full
}

/// Where a Python slice of an axis of `len` elements begins, if it is not empty.
fn first(start: Option<i64>, step: i64, len: u64) -> u64 {
    let len = i128::from(len);
    let last = if step > 0 { len } else { len - 1 };
    let default = if step > 0 { 0 } else { len - 1 };
    let at = start.map_or(default, |start| {
        let start = i128::from(start);
        (if start < 0 { start + len } else { start }).clamp(0, last.max(0))
    });
    u64::try_from(at).unwrap_or(0)
}

/// Boxes that cover `shape` in C order, each one piece of it of about `room` elements.
fn blocks(shape: &[u64], room: u64, chunks: &[u64]) -> impl Iterator<Item = Vec<Range<u64>>> {
    let below =
        |axis: usize| shape.iter().skip(axis + 1).fold(1_u64, |n, &len| n.saturating_mul(len));
    // The axis along which blocks are cut: what is above it goes one by one, what is below whole.
    let cut = (0..shape.len()).find(|&axis| below(axis) <= room).unwrap_or(0);
    let len = shape.get(cut).copied().unwrap_or(1);
    let most = (room / below(cut).max(1)).max(1);
    let chunk = chunks.get(cut).copied().unwrap_or(1).max(1);
    // Whole chunks, so that none is decoded twice.
    let step = if most > chunk { most - most % chunk } else { most };
    let shape = shape.to_vec();
    let n_above = shape.iter().take(cut).fold(1_u64, |n, &len| n.saturating_mul(len));
    (0..n_above).flat_map(move |mut above| {
        let mut prefix = vec![0..0; cut];
        for (range, &len) in prefix.iter_mut().zip(&shape).rev() {
            *range = above % len.max(1)..above % len.max(1) + 1;
            above /= len.max(1);
        }
        let below: Vec<Range<u64>> = shape.iter().skip(cut + 1).map(|&len| 0..len).collect();
        let is_scalar = shape.is_empty();
        (0..len.div_ceil(step)).map(move |i| {
            let mut block = prefix.clone();
            if !is_scalar {
                block.push(i * step..len.min((i + 1).saturating_mul(step)));
            }
            block.extend(below.iter().cloned());
            block
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook::DType;

    fn positions(text: &str, len: u64) -> Vec<u64> {
        let spec = ArraySpec::new(DType::UInt8, [len]);
        let plan = Plan::new(&Selection::parse(text).unwrap(), &spec).unwrap();
        (0..plan.axes[0].len).map(|i| plan.axes[0].at(i)).collect()
    }

    #[test]
    fn positions_are_those_of_python() {
        assert_eq!(positions("::2", 5), [0, 2, 4]);
        assert_eq!(positions("::-2", 5), [4, 2, 0]);
        assert_eq!(positions("-2:", 5), [3, 4]);
        assert_eq!(positions("-99:2", 5), [0, 1]);
        assert_eq!(positions("9::-3", 5), [4, 1]);
        assert_eq!(positions("3:1", 5), [0; 0]);
        assert_eq!(positions("-1", 5), [4]);
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "a range for each axis that is kept")]
    fn a_part_of_a_part_is_selected_from_the_array() {
        let spec = ArraySpec::new(DType::UInt8, [10, 4]);
        let plan = Plan::new(&Selection::parse("::-3, 1").unwrap(), &spec).unwrap();
        let slice = |start, stop| AxisSelection::Slice { start: Some(start), stop, step: -3 };
        assert_eq!(
            plan.part(&[1..3]),
            Selection::Axes(vec![slice(6, Some(2)), AxisSelection::Index(1)])
        );
        assert_eq!(
            plan.part(&[2..4]),
            Selection::Axes(vec![slice(3, None), AxisSelection::Index(1)])
        );
        let list = AxisSelection::List(vec![9, 0]);
        assert_eq!(plan.pick(&[vec![0, 3]]), Selection::Axes(vec![list, AxisSelection::Index(1)]));
    }

    #[test]
    fn blocks_cover_the_result_in_c_order() {
        for (room, chunk) in [(1, 1), (3, 1), (4, 2), (7, 1), (8, 1), (13, 1), (1000, 1)] {
            let shape = [3, 4, 2];
            let mut seen = Vec::new();
            for block in blocks(&shape, room, &[1, chunk, 1]) {
                for i in block[0].clone() {
                    for j in block[1].clone() {
                        seen.extend(block[2].clone().map(|k| (i * 4 + j) * 2 + k));
                    }
                }
            }
            assert_eq!(seen, (0..24).collect::<Vec<_>>(), "{room}");
        }
        assert_eq!(blocks(&[], 1, &[]).collect::<Vec<_>>(), [vec![]]);
    }
}
