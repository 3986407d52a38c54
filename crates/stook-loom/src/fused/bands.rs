//! Bands and boxes of an array, read by several threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use stook::{Array, AxisSelection, Error, Result, Selection};

use super::FusedOptions;
use super::listed::read_box;
use crate::Axis;
use crate::matrix::{Compressed, Number, Picked, one_thread, threads_of, tile_of};
use crate::progress;

/// Bytes of a box: enough to be worth a call, few enough to stay in the cache.
const BOX_LEN_BYTES: usize = 1 << 20;
/// Columns or rows of a band that is folded across its lines.
const MOST_BAND_LEN: u64 = 512;

/// The picks of one axis in the order of the array.
#[derive(Clone, Debug)]
pub(super) struct Sorted {
    /// `None` where all are picked.
    list: Option<Vec<u64>>,
    /// Where in the result each pick of `list` goes, where that is another order.
    order: Option<Vec<usize>>,
    pub(super) len: usize,
}

impl Sorted {
    pub(super) fn new(picks: Option<&[u64]>, len: u64, axis: Axis) -> Result<Self> {
        let Some(picks) = picks else {
            let len = usize::try_from(len).map_err(|_| Error::limit("the axis is too long"))?;
            return Ok(Self { list: None, order: None, len });
        };
        if let Some(at) = picks.iter().find(|&&at| at >= len) {
            let word = axis.word();
            return Err(Error::invalid(format!("{word} {at} is out of bounds for {len} {word}s")));
        }
        let len = picks.len();
        if picks.is_sorted() {
            return Ok(Self { list: Some(picks.to_vec()), order: None, len });
        }
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_by_key(|&at| picks.get(at));
        let list = order.iter().filter_map(|&at| picks.get(at).copied()).collect();
        Ok(Self { list: Some(list), order: Some(order), len })
    }

    /// Where in the result the pick at `at` of the sorted ones goes.
    pub(super) fn place(&self, at: usize) -> usize {
        self.order.as_ref().and_then(|order| order.get(at)).copied().unwrap_or(at)
    }

    /// Whether the order of the result is that of the array.
    pub(super) fn is_in_order(&self) -> bool {
        self.order.is_none()
    }

    /// The position in the array of the pick at `at` of the sorted ones.
    pub(super) fn position(&self, at: usize) -> u64 {
        self.list.as_ref().and_then(|list| list.get(at)).copied().unwrap_or(at as u64)
    }

    fn selection(&self, range: Range<usize>) -> AxisSelection {
        let Some(list) = &self.list else {
            return AxisSelection::range(range.start as u64, range.end as u64);
        };
        let list = list.get(range).unwrap_or_default();
        match (list.first(), list.last()) {
            (Some(&first), Some(&last)) if is_run(list) => AxisSelection::range(first, last + 1),
            _ => AxisSelection::List(list.iter().map(|&at| at as i64).collect()),
        }
    }

    /// Cuts the picks at edges of tiles, to pieces of about `len`.
    pub(super) fn cut(&self, tile: u64, len: u64) -> Vec<Range<usize>> {
        let step = (len / tile).max(1) * tile;
        let Some(list) = &self.list else {
            let (n, step) = (self.len, usize::try_from(step).unwrap_or(usize::MAX));
            return (0..n.div_ceil(step))
                .map(|i| i * step..(i + 1).saturating_mul(step).min(n))
                .collect();
        };
        let mut pieces: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for group in list.chunk_by(|a, b| a / tile == b / tile) {
            let end = start + group.len();
            // Tiles of which little is picked come together.
            match pieces.last_mut() {
                Some(last) if (end - last.start) as u64 <= step => last.end = end,
                _ => pieces.push(start..end),
            }
            start = end;
        }
        pieces
    }
}

fn is_run(list: &[u64]) -> bool {
    list.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]))
}

/// A box of elements, in C order; rows and columns are those of the picks.
#[derive(Clone, Debug)]
pub(super) struct Tile<'t, T> {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) items: &'t [T],
}

impl<T> Tile<'_, T> {
    /// The rows, one by one.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[T]> {
        self.items.chunks_exact(self.columns.len().max(1))
    }
}

/// Elements that are looked at together for which of them are zero.
const RUN: usize = 64;

/// Calls `visit` with the place and number of every element of `line` that is not zero, in order.
#[inline(always)]
pub(super) fn for_each_nonzero<T: Number>(line: &[T], mut visit: impl FnMut(usize, T)) {
    let (runs, rest) = line.as_chunks::<RUN>();
    for (i, run) in runs.iter().enumerate() {
        let mut bits = nonzero_bits(run);
        while bits != 0 {
            let j = bits.trailing_zeros() as usize;
            visit(i * RUN + j, run[j]);
            bits &= bits - 1;
        }
    }
    for (j, item) in rest.iter().enumerate() {
        if !item.is_zero() {
            visit(runs.len() * RUN + j, *item);
        }
    }
}

/// Which of a run are not zero, a bit each. Nothing branches: where there are few, nobody could
/// foretell where they are.
#[inline(always)]
fn nonzero_bits<T: Number>(run: &[T; RUN]) -> u64 {
    let (groups, _) = run.as_chunks::<8>();
    // Eight at a time become bytes, as processors compare; each group takes one bit of those.
    let bits = groups.iter().enumerate().fold(0, |bits, (i, group)| {
        let flags = group.map(|item| u8::from(!item.is_zero()));
        bits | u64::from_le_bytes(flags) << i
    });
    transposed(bits)
}

/// Eight rows of eight bits, as columns.
#[inline(always)]
fn transposed(mut bits: u64) -> u64 {
    // Squares of one, two, four bits change places across the diagonal.
    for (by, corner) in
        [(7, 0x00AA_00AA_00AA_00AA), (14, 0x0000_CCCC_0000_CCCC), (28, 0x0000_0000_F0F0_F0F0)]
    {
        let differing = (bits ^ (bits >> by)) & corner;
        bits ^= differing ^ (differing << by);
    }
    bits
}

/// An array that is read in bands along an axis.
#[derive(Debug)]
pub(super) struct Bands {
    array: stook_core::Array,
    pub(super) picks: [Sorted; 2],
    axis: Axis,
    bands: Vec<Range<usize>>,
    boxes: Vec<Range<usize>>,
    threads: usize,
    sparse: Option<Arc<Compressed<'static>>>,
}

/// What is done with each band.
pub(super) struct Fold<'f, T, S> {
    /// What is kept of the band with these lines.
    pub(super) start: &'f (dyn Fn(Range<usize>) -> S + Sync),
    /// Takes a box of it.
    pub(super) add: &'f (dyn Fn(&mut S, &Tile<'_, T>) -> Result<()> + Sync),
    /// Takes what was kept; the bands come in any order.
    pub(super) end: &'f (dyn Fn(Range<usize>, S) -> Result<()> + Sync),
}

/// How boxes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// To what the cache holds.
    Small,
    /// A band is one box.
    Whole,
}

impl Bands {
    pub(super) fn new(
        array: &Array,
        picked: Picked<'_>,
        axis: Axis,
        cut: Cut,
        options: &FusedOptions,
    ) -> Result<Self> {
        let shape = array.shape();
        let &[n_rows, n_columns] = shape.as_slice() else {
            let what = format!("expected a matrix of two axes, found shape {shape:?}");
            return Err(Error::invalid(what).at_node(array.path()));
        };
        let picks = [
            Sorted::new(picked.rows, n_rows, Axis::Rows)?,
            Sorted::new(picked.columns, n_columns, Axis::Columns)?,
        ];
        let threads = if options.threads == 0 { threads_of(array) } else { options.threads };
        let tile = tile_of(array);
        let item = array.dtype().item_size().max(1);
        let (along, across) = (axis.number(), axis.other().number());
        let (n_along, n_across) = (picks[along].len as u64, picks[across].len as u64);
        let share = options.memory_len_bytes / threads as u64 / item as u64;
        let mut len = match (axis, cut) {
            // A row is folded along its elements, columns are folded side by side.
            (Axis::Columns, Cut::Small) => (n_along / (4 * threads as u64)).min(MOST_BAND_LEN),
            _ => tile[along],
        };
        let mut tile_along = tile[along];
        if cut == Cut::Whole && len.saturating_mul(n_across) > share {
            // Rather is a chunk decoded twice.
            len = (share / n_across.max(1)).clamp(1, len);
            tile_along = len;
        }
        let bands = picks[along].cut(tile_along.max(1), len);
        let widest = bands.iter().map(Range::len).max().unwrap_or(1).max(1);
        let box_len = (BOX_LEN_BYTES as u64).min(share.saturating_mul(item as u64));
        let boxes = match cut {
            Cut::Whole => std::iter::once(0..picks[across].len).collect(),
            Cut::Small => picks[across].cut(tile[across], box_len / (widest * item) as u64),
        };
        let sparse = options.sparse.clone().filter(|sparse| {
            sparse.major() == Axis::Rows
                && sparse.is_in_order()
                && sparse.lens().map(|len| len as u64) == [n_rows, n_columns]
                && sparse.numbers().dtype() == array.dtype()
        });
        Ok(Self { array: one_thread(array), picks, axis, bands, boxes, threads, sparse })
    }

    /// Says how much there is to read.
    pub(super) fn announce(&self) {
        let [rows, columns] = &self.picks;
        progress::expect(rows.len as u64 * columns.len as u64);
    }

    /// Reads everything, band by band, on several threads.
    pub(super) fn fold<T: Number, S: Send>(&self, fold: &Fold<'_, T, S>) -> Result<()> {
        let buffers: Mutex<Vec<Vec<T>>> = Mutex::default();
        let lock = || buffers.lock().unwrap_or_else(PoisonError::into_inner);
        stook_core::engine::for_each(self.bands.len(), self.threads, &|i| {
            let band = self.bands.get(i).cloned().unwrap_or_default();
            let mut buffer = lock().pop().unwrap_or_default();
            let mut kept = (fold.start)(band.clone());
            for across in &self.boxes {
                let [rows, columns] = match self.axis {
                    Axis::Rows => [band.clone(), across.clone()],
                    Axis::Columns => [across.clone(), band.clone()],
                };
                let items = self.read(&mut buffer, [&rows, &columns])?;
                (fold.add)(&mut kept, &Tile { rows, columns, items })?;
            }
            lock().push(buffer);
            let across = self.picks[self.axis.other().number()].len;
            progress::advance(band.len() as u64 * across as u64);
            (fold.end)(band, kept)
        })
    }

    fn read<'b, T: Number>(
        &self,
        buffer: &'b mut Vec<T>,
        [rows, columns]: [&Range<usize>; 2],
    ) -> Result<&'b [T]> {
        let n = rows.len().checked_mul(columns.len());
        let n = n.ok_or_else(|| Error::limit("a box of the matrix exceeds memory"))?;
        if buffer.len() < n {
            buffer.try_reserve(n - buffer.len()).map_err(|error| {
                Error::limit(format!("{n} elements exceed the memory there is")).with_source(error)
            })?;
            buffer.resize(n, T::default());
        }
        let items = buffer.get_mut(..n).unwrap_or_default();
        let axes =
            [self.picks[0].selection(rows.clone()), self.picks[1].selection(columns.clone())];
        if let Some(sparse) = &self.sparse {
            let [rows, columns] = &axes;
            read_box(sparse, [rows, columns], items)?;
            return Ok(items);
        }
        let axes = axes.to_vec();
        self.array.read_elements_into(&Selection::Axes(axes), items)?;
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_are_cut_at_tiles() {
        let all = Sorted::new(None, 10, Axis::Rows).unwrap();
        assert_eq!(all.cut(4, 4), [0..4, 4..8, 8..10]);
        assert_eq!(all.cut(4, 9), [0..8, 8..10]);
        let some = Sorted::new(Some(&[1, 2, 9, 9, 17, 4]), 20, Axis::Rows).unwrap();
        assert_eq!(some.list.as_deref(), Some(&[1, 2, 4, 9, 9, 17][..]));
        assert_eq!(some.cut(4, 4), [0..3, 3..6]);
        assert_eq!(some.cut(1, 1), [0..1, 1..2, 2..3, 3..5, 5..6]);
        let places: Vec<usize> = (0..6).map(|at| some.place(at)).collect();
        assert_eq!(places, [0, 1, 5, 2, 3, 4]);
        assert!(Sorted::new(Some(&[20]), 20, Axis::Columns).is_err());
    }

    #[test]
    fn all_that_is_not_zero_is_found_in_order() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for len in [0, 1, 8, 63, 64, 65, 200, 500] {
            for every in [1, 2, 20] {
                let number = |_| if next() % every == 0 { f32::from(next() as u8) } else { -0.0 };
                let line: Vec<f32> = (0..len).map(number).collect();
                let wide: Vec<i64> = line.iter().map(|&item| item as i64).collect();
                let (mut found, mut found_wide) = (Vec::new(), Vec::new());
                for_each_nonzero(&line, |j, item| found.push((j, item)));
                for_each_nonzero(&wide, |j, item| found_wide.push((j, item as f32)));
                let all = line.iter().copied().enumerate();
                let expected: Vec<_> = all.filter(|&(_, item)| item != 0.0).collect();
                assert_eq!((&found, &found_wide), (&expected, &expected), "{len} {every}");
            }
        }
        let mut nan = [0.0_f64; 64];
        nan[9] = f64::NAN;
        let mut places = Vec::new();
        for_each_nonzero(&nan, |j, _| places.push(j));
        assert_eq!(places, [9]);
    }

    #[test]
    fn runs_are_read_as_one() {
        let some = Sorted::new(Some(&[3, 4, 5, 7]), 9, Axis::Rows).unwrap();
        assert_eq!(some.selection(0..3), AxisSelection::range(3, 6));
        assert_eq!(some.selection(1..4), AxisSelection::List(vec![4, 5, 7]));
    }
}
