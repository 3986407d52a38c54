//! A selection cut into parts: which elements it holds, axis by axis, and the boxes in which they
//! are read one after the other, so that a selection of any size takes bounded memory.

use std::ops::Range;
use std::sync::Arc;

use stook_core::{ArraySpec, AxisSelection, Error, Result, Selection};

/// Items of variable length are taken to have this many bytes.
const GUESSED_ITEM_LEN: u64 = 64;

/// A box of a result: a range of each axis that it has.
pub type Ranges = Vec<Range<u64>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Positions {
    Slice { start: u64, step: i64 },
    List(Arc<[u64]>),
}

/// What is selected along one axis of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartsAxis {
    positions: Positions,
    len: u64,
    is_kept: bool,
}

impl PartsAxis {
    fn slice(start: u64, step: i64, len: u64) -> Self {
        Self { positions: Positions::Slice { start, step }, len, is_kept: true }
    }

    /// The number of elements.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "the length of an axis, not of a collection")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the axis is in the result; an integer drops it.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The position in the array of element `i` of the selection.
    #[must_use]
    pub fn at(&self, i: u64) -> u64 {
        match &self.positions {
            Positions::Slice { start, step } => {
                let at = i128::from(*start) + i128::from(i) * i128::from(*step);
                u64::try_from(at).unwrap_or(0)
            }
            Positions::List(list) => {
                usize::try_from(i).ok().and_then(|i| list.get(i)).copied().unwrap_or(0)
            }
        }
    }

    /// Elements between neighbours of the selection.
    fn step(&self) -> u64 {
        match &self.positions {
            Positions::Slice { step, .. } => step.unsigned_abs().max(1),
            Positions::List(_) => 1,
        }
    }

    fn range(&self, range: Range<u64>) -> AxisSelection {
        let end = |at: u64| Some(i64::try_from(at).unwrap_or(i64::MAX));
        if !self.is_kept {
            return AxisSelection::Index(i64::try_from(self.at(0)).unwrap_or(i64::MAX));
        }
        if range.is_empty() {
            return AxisSelection::range(0, 0);
        }
        let Positions::Slice { step, .. } = self.positions else {
            return self.list(range);
        };
        let (first, last) = (self.at(range.start), self.at(range.end - 1));
        let stop = if step > 0 { end(last + 1) } else { last.checked_sub(1).and_then(end) };
        AxisSelection::Slice { start: end(first), stop, step }
    }

    fn list(&self, picks: impl Iterator<Item = u64>) -> AxisSelection {
        let at = picks.map(|i| i64::try_from(self.at(i)).unwrap_or(i64::MAX));
        AxisSelection::List(at.collect())
    }
}

/// A selection of an array, cut into parts.
///
/// ```
/// use stook::{ArraySpec, DType, Parts, Selection};
///
/// # fn main() -> stook::Result<()> {
/// let spec = ArraySpec::new(DType::UInt8, [10, 4]);
/// let parts = Parts::new(&Selection::parse("::3, 1")?, &spec)?;
/// assert_eq!(parts.shape(), [4]);
/// assert_eq!(parts.axes()[0].at(2), 6);
/// assert_eq!(parts.rows(&spec, 2).count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    axes: Vec<PartsAxis>,
    shape: Vec<u64>,
}

impl Parts {
    /// The parts of `selection`, which goes axis by axis, of an array of `spec`.
    ///
    /// # Errors
    /// `InvalidInput` where the selection does not fit; `Unsupported` for points, blocks and a
    /// mask over the whole array.
    pub fn new(selection: &Selection, spec: &ArraySpec) -> Result<Self> {
        if !matches!(selection, Selection::All | Selection::Axes(_)) {
            return Err(Error::unsupported("the selection does not go axis by axis"));
        }
        let shape = selection.result_shape(spec.shape(), &spec.grid)?;
        let mut kept = shape.iter();
        let full = full(selection, spec.shape().len()).into_iter().zip(spec.shape());
        let axes = full.map(|(axis, &len)| match axis {
            AxisSelection::Index(at) => {
                PartsAxis { is_kept: false, ..PartsAxis::slice(from_start(at, len), 1, 1) }
            }
            AxisSelection::Slice { start, step, .. } => {
                let n = kept.next().copied().unwrap_or(0);
                PartsAxis::slice(first(start, step, len), step, n)
            }
            AxisSelection::List(list) => {
                let list: Arc<[u64]> = list.iter().map(|&at| from_start(at, len)).collect();
                let n = kept.next().copied().unwrap_or(0);
                PartsAxis { positions: Positions::List(list), len: n, is_kept: true }
            }
            AxisSelection::Mask(mask) => {
                let on = mask.iter().enumerate().filter(|(_, on)| **on);
                let list: Arc<[u64]> = on.map(|(at, _)| at as u64).collect();
                let n = kept.next().copied().unwrap_or(0);
                PartsAxis { positions: Positions::List(list), len: n, is_kept: true }
            }
            _ => PartsAxis::slice(0, 1, kept.next().copied().unwrap_or(0)),
        });
        Ok(Self { axes: axes.collect(), shape })
    }

    /// All axes of the array.
    #[must_use]
    pub fn axes(&self) -> &[PartsAxis] {
        &self.axes
    }

    /// The lengths of the axes that are kept: the shape of the result.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The number of elements, saturating.
    #[must_use]
    pub fn n_elements(&self) -> u64 {
        self.shape.iter().fold(1, |n: u64, &len| n.saturating_mul(len))
    }

    /// The selection of a box of the result: a range for each axis that is kept.
    #[must_use]
    pub fn part(&self, ranges: &[Range<u64>]) -> Selection {
        let mut ranges = ranges.iter().cloned();
        let axes = self.axes.iter().map(|axis| {
            let range = if axis.is_kept { ranges.next().unwrap_or(0..axis.len) } else { 0..1 };
            axis.range(range)
        });
        Selection::Axes(axes.collect())
    }

    /// The selection of some elements along each axis that is kept.
    #[must_use]
    pub fn pick(&self, picks: &[Vec<u64>]) -> Selection {
        let mut picks = picks.iter();
        let axes = self.axes.iter().map(|axis| match picks.as_slice().first() {
            Some(pick) if axis.is_kept => {
                picks.next();
                axis.list(pick.iter().copied())
            }
            _ => axis.range(0..axis.len),
        });
        Selection::Axes(axes.collect())
    }

    /// The position in the array of an element of the result.
    #[must_use]
    pub fn position(&self, index: &[u64]) -> Vec<u64> {
        let mut index = index.iter();
        let at = |axis: &PartsAxis| match axis.is_kept {
            true => axis.at(index.next().copied().unwrap_or(0)),
            false => axis.at(0),
        };
        self.axes.iter().map(at).collect()
    }

    /// Boxes of about `budget_len_bytes` that cover the result in C order: the elements of one
    /// follow those of the one before.
    pub fn rows(
        &self,
        spec: &ArraySpec,
        budget_len_bytes: u64,
    ) -> impl Iterator<Item = Ranges> + use<> {
        rows(&self.shape, room(spec, budget_len_bytes), &self.chunk_lengths(spec))
    }

    /// Boxes of about `budget_len_bytes` that cover the result in any order: of whole chunks, so
    /// that none is decoded twice.
    pub fn boxes(
        &self,
        spec: &ArraySpec,
        budget_len_bytes: u64,
    ) -> impl Iterator<Item = Ranges> + Send + use<> {
        Boxes::new(&self.shape, room(spec, budget_len_bytes), &self.chunk_lengths(spec))
    }

    /// How many elements of the selection lie in one chunk, along each axis that is kept.
    fn chunk_lengths(&self, spec: &ArraySpec) -> Vec<u64> {
        let axes = self.axes.iter().enumerate().filter(|(_, axis)| axis.is_kept);
        let unit = |(at, axis): (usize, &PartsAxis)| match spec.contiguous {
            true => 1,
            false => (spec.grid.extent(at, 0).1 / axis.step()).max(1),
        };
        axes.map(unit).collect()
    }
}

/// Boxes of about `budget_len_bytes` that cover a box of an array, which begins with a chunk, in
/// any order: of whole chunks, so that none is decoded twice.
pub(crate) fn boxes_within(
    within: &[Range<u64>],
    spec: &ArraySpec,
    budget_len_bytes: u64,
) -> impl Iterator<Item = Ranges> + Send + use<> {
    let starts: Vec<u64> = within.iter().map(|range| range.start).collect();
    let shape: Vec<u64> =
        within.iter().map(|range| range.end.saturating_sub(range.start)).collect();
    let unit = |(axis, &start): (usize, &u64)| match spec.contiguous {
        true => 1,
        false => spec.grid.extent(axis, spec.grid.locate(axis, start).0).1.max(1),
    };
    let chunks: Vec<u64> = starts.iter().enumerate().map(unit).collect();
    Boxes::new(&shape, room(spec, budget_len_bytes), &chunks).map(move |ranges| {
        let moved = ranges.into_iter().zip(&starts);
        moved.map(|(range, start)| range.start + start..range.end + start).collect()
    })
}

/// How many elements have room in so many bytes.
fn room(spec: &ArraySpec, budget_len_bytes: u64) -> u64 {
    let payload = if spec.dtype.has_heap() { GUESSED_ITEM_LEN } else { 0 };
    (budget_len_bytes / (spec.dtype.item_size() as u64 + payload).max(1)).max(1)
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

/// A position within the axis, counted from its start.
fn from_start(at: i64, len: u64) -> u64 {
    if at < 0 { len.saturating_sub(at.unsigned_abs()) } else { at.unsigned_abs() }
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
fn rows(shape: &[u64], room: u64, chunks: &[u64]) -> impl Iterator<Item = Ranges> + use<> {
    let below =
        |axis: usize| shape.iter().skip(axis + 1).fold(1_u64, |n, &len| n.saturating_mul(len));
    // The axis along which boxes are cut: what is above it goes one by one, what is below whole.
    let cut = (0..shape.len()).find(|&axis| below(axis) <= room).unwrap_or(0);
    let len = shape.get(cut).copied().unwrap_or(1);
    let most = (room / below(cut).max(1)).max(1);
    let chunk = chunks.get(cut).copied().unwrap_or(1).max(1);
    // Whole chunks, so that none is decoded twice.
    let step = if most > chunk { most - most % chunk } else { most };
    let shape = shape.to_vec();
    let is_empty = shape.contains(&0);
    let n_above = shape.iter().take(cut).fold(1_u64, |n, &len| n.saturating_mul(len));
    let n_above = if is_empty { 0 } else { n_above };
    (0..n_above).flat_map(move |mut above| {
        let mut prefix = vec![0..0; cut];
        for (range, &len) in prefix.iter_mut().zip(&shape).rev() {
            *range = above % len.max(1)..above % len.max(1) + 1;
            above /= len.max(1);
        }
        let below: Vec<Range<u64>> = shape.iter().skip(cut + 1).map(|&len| 0..len).collect();
        let is_scalar = shape.is_empty();
        (0..len.div_ceil(step)).map(move |i| {
            let mut ranges = prefix.clone();
            if !is_scalar {
                ranges.push(i * step..len.min((i + 1).saturating_mul(step)));
            }
            ranges.extend(below.iter().cloned());
            ranges
        })
    })
}

/// Boxes of whole chunks that cover a shape once.
#[derive(Debug)]
struct Boxes {
    shape: Vec<u64>,
    lengths: Vec<u64>,
    at: Option<Vec<u64>>,
}

impl Boxes {
    fn new(shape: &[u64], room: u64, chunks: &[u64]) -> Self {
        let clipped = chunks.iter().zip(shape).map(|(&chunk, &len)| chunk.clamp(1, len.max(1)));
        let mut lengths: Vec<u64> = clipped.collect();
        let mut n = lengths.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
        // From one chunk to as many as have room, along the last axes first.
        for (length, &len) in lengths.iter_mut().zip(shape).rev() {
            let others = n / (*length).max(1);
            let most = (room / others.max(1) / *length).max(1);
            *length = length.saturating_mul(most).min(len.max(1));
            n = others.saturating_mul(*length);
        }
        let at = (!shape.contains(&0)).then(|| vec![0; shape.len()]);
        Self { shape: shape.to_vec(), lengths, at }
    }
}

impl Iterator for Boxes {
    type Item = Ranges;

    fn next(&mut self) -> Option<Ranges> {
        let at = self.at.take()?;
        let ends = at.iter().zip(&self.lengths).zip(&self.shape);
        let ranges =
            ends.map(|((&at, &length), &len)| at..len.min(at.saturating_add(length))).collect();
        let mut next = at;
        let axes = next.iter_mut().zip(&self.lengths).zip(&self.shape).rev();
        for ((at, &length), &len) in axes {
            *at = at.saturating_add(length);
            if *at < len {
                self.at = Some(next);
                break;
            }
            *at = 0;
        }
        Some(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::DType;

    fn positions(text: &str, len: u64) -> Vec<u64> {
        let spec = ArraySpec::new(DType::UInt8, [len]);
        let parts = Parts::new(&Selection::parse(text).unwrap(), &spec).unwrap();
        (0..parts.axes[0].len).map(|i| parts.axes[0].at(i)).collect()
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
        let parts = Parts::new(&Selection::parse("::-3, 1").unwrap(), &spec).unwrap();
        let slice = |start, stop| AxisSelection::Slice { start: Some(start), stop, step: -3 };
        assert_eq!(
            parts.part(&[1..3]),
            Selection::Axes(vec![slice(6, Some(2)), AxisSelection::Index(1)])
        );
        assert_eq!(
            parts.part(&[2..4]),
            Selection::Axes(vec![slice(3, None), AxisSelection::Index(1)])
        );
        let list = AxisSelection::List(vec![9, 0]);
        assert_eq!(parts.pick(&[vec![0, 3]]), Selection::Axes(vec![list, AxisSelection::Index(1)]));
        assert_eq!(parts.position(&[2]), [3, 1]);
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "a range for each axis that is kept")]
    fn lists_and_masks_are_positions() {
        let spec = ArraySpec::new(DType::UInt8, [5]);
        for axis in [
            AxisSelection::List(vec![-1, 0, 3]),
            AxisSelection::Mask(vec![true, false, false, true, true]),
        ] {
            let parts = Parts::new(&Selection::Axes(vec![axis.clone()]), &spec).unwrap();
            assert_eq!(parts.shape(), [3]);
            let all: Vec<u64> = (0..3).map(|i| parts.axes[0].at(i)).collect();
            match axis {
                AxisSelection::List(_) => assert_eq!(all, [4, 0, 3]),
                _ => assert_eq!(all, [0, 3, 4]),
            }
            let tail = all[1..].iter().map(|&at| at as i64).collect();
            assert_eq!(parts.part(&[1..3]), Selection::Axes(vec![AxisSelection::List(tail)]));
        }
    }

    #[test]
    fn rows_cover_the_result_in_c_order_and_boxes_in_some() {
        for (room, chunk) in [(1, 1), (3, 1), (4, 2), (7, 1), (8, 1), (13, 1), (1000, 1)] {
            let shape = [3, 4, 2];
            let elements = |ranges: Ranges| {
                let mut seen = Vec::new();
                for i in ranges[0].clone() {
                    for j in ranges[1].clone() {
                        seen.extend(ranges[2].clone().map(|k| (i * 4 + j) * 2 + k));
                    }
                }
                seen
            };
            let seen: Vec<u64> = rows(&shape, room, &[1, chunk, 1]).flat_map(elements).collect();
            assert_eq!(seen, (0..24).collect::<Vec<_>>(), "{room}");
            let boxes = Boxes::new(&shape, room, &[2, chunk, 1]);
            let mut seen: Vec<u64> = boxes.flat_map(elements).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..24).collect::<Vec<_>>(), "{room}");
        }
        assert_eq!(rows(&[], 1, &[]).collect::<Vec<_>>(), [vec![]]);
        assert_eq!(Boxes::new(&[], 1, &[]).collect::<Vec<_>>(), [vec![]]);
        assert_eq!(rows(&[2, 0], 1, &[1, 1]).count() + Boxes::new(&[0], 9, &[1]).count(), 0);
    }
}
