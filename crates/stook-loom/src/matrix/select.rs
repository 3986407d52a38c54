//! From one array to another, some rows and columns in any order, within bounds on memory.
//!
//! The source is read in bands across the axis whose order is kept, so that each of its chunks is
//! decoded once or little more; within a band elements are put in their order.

use std::ops::Range;

use stook::{Array, AxisSelection, Error, Result, Selection};

use super::numbers::{Number, Numbers, Variant};
use super::panel::Place;
use super::store::{Strips, WriteOptions, one_thread, threads_of, tile_of};
use super::with_number_type;
use crate::Axis;

/// Which rows and columns, in which order; all of them where it is not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Picked<'p> {
    /// The rows.
    pub rows: Option<&'p [u64]>,
    /// The columns.
    pub columns: Option<&'p [u64]>,
}

/// What to read along one axis, where in it each pick is, and how long it is.
pub(crate) type Source = (AxisSelection, Vec<u32>, usize);

/// What is picked along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picks<'p> {
    list: Option<&'p [u64]>,
    len: u64,
}

impl Picks<'_> {
    pub(crate) fn new<'p>(list: Option<&'p [u64]>, len: u64, axis: Axis) -> Result<Picks<'p>> {
        if let Some(at) = list.unwrap_or_default().iter().find(|&&at| at >= len) {
            let word = axis.word();
            return Err(Error::invalid(format!("{word} {at} is out of bounds for {len} {word}s")));
        }
        Ok(Picks { list, len: list.map_or(len, |list| list.len() as u64) })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn is_in_order(&self) -> bool {
        self.list.is_none_or(<[u64]>::is_sorted)
    }

    /// What to read for those of `range`, and where each of them is in it.
    pub(crate) fn source(&self, range: Range<u64>) -> Source {
        let Some(list) = self.list else {
            let n = (range.end - range.start) as u32;
            return (AxisSelection::range(range.start, range.end), (0..n).collect(), n as usize);
        };
        let list = list.get(range.start as usize..range.end as usize).unwrap_or_default();
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let (first, last) = (sorted.first().copied(), sorted.last().copied());
        let (first, end) = (first.unwrap_or(0), last.map_or(0, |last| last + 1));
        // Most of a range is read as one.
        if (end - first) / 2 <= sorted.len() as u64 {
            let places = list.iter().map(|at| (at - first) as u32).collect();
            return (AxisSelection::range(first, end), places, (end - first) as usize);
        }
        let place = |at: &u64| sorted.binary_search(at).unwrap_or(0) as u32;
        let (places, n) = (list.iter().map(place).collect(), sorted.len());
        (AxisSelection::List(sorted.iter().map(|&at| at as i64).collect()), places, n)
    }
}

/// Copies what is `picked` of `source` to `target`, from element `at` on, as numbers of its type.
///
/// # Errors
/// `InvalidInput` where rows or columns are out of bounds, reach beyond the target, or numbers
/// have no room in its type; what reading and writing may give.
pub fn copy_picked(
    source: &Array,
    picked: Picked<'_>,
    target: &Array,
    at: [u64; 2],
    options: &WriteOptions,
) -> Result<()> {
    let shape = source.shape();
    let &[n_rows, n_columns] = shape.as_slice() else {
        return Err(Error::invalid(format!("expected two axes, found a shape of {shape:?}"))
            .at_node(source.path()));
    };
    let picks = [
        Picks::new(picked.rows, n_rows, Axis::Rows)?,
        Picks::new(picked.columns, n_columns, Axis::Columns)?,
    ];
    let major =
        if !picks[0].is_in_order() && picks[1].is_in_order() { Axis::Columns } else { Axis::Rows };
    Copying { source, picks, target, at, options, major }.run()
}

struct Copying<'c> {
    source: &'c Array,
    picks: [Picks<'c>; 2],
    target: &'c Array,
    at: [u64; 2],
    options: &'c WriteOptions,
    /// The axis along which bands follow one another.
    major: Axis,
}

impl Copying<'_> {
    fn run(&self) -> Result<()> {
        let (dtype, threads) = (self.source.dtype(), threads_of(self.target));
        let lens = self.picks.map(|picks| picks.len);
        let item = dtype.item_size().max(self.target.dtype().item_size()) as u64;
        let len_line = self.major.other().of(lens).saturating_mul(item).max(1);
        let tile = self.major.of(tile_of(self.target));
        let room = self.options.memory_len_bytes;
        // Of a band there is what is read, what it becomes, and a strip of tiles.
        let threads =
            (room / tile.saturating_mul(len_line).saturating_mul(3)).clamp(1, threads as u64);
        let n = self.major.of(lens);
        let most = room / (len_line.saturating_mul(3).saturating_mul(threads));
        let wanted = if self.major.of(self.picks).is_in_order() {
            // Some bands for each thread.
            most.min(8 * tile).min(n / (4 * threads))
        } else {
            // Each band decodes much of the source.
            most
        };
        let band = (wanted / tile).max(1) * tile;
        let start = self.major.of(self.at);
        let first_band = start / band;
        let n_bands = if n == 0 { 0 } else { (start + n).div_ceil(band) - first_band };
        let n_bands = usize::try_from(n_bands).map_err(|_| Error::limit("too many bands"))?;
        let across = self.major.other().of(self.picks);
        let across = across.source(0..across.len);
        let reader = one_thread(self.source);
        stook_core::engine::for_each(n_bands, threads as usize, &|i| {
            let from = ((first_band + i as u64) * band).max(start);
            let to = ((first_band + i as u64 + 1) * band).min(start + n);
            self.band(&reader, &across, from - start..to - start)
        })
    }

    /// Copies the picks of `range` along the major axis.
    fn band(&self, reader: &stook_core::Array, across: &Source, range: Range<u64>) -> Result<()> {
        let (along, places, n) = self.major.of(self.picks).source(range.clone());
        let (cross, cross_places, n_cross) = across;
        let cross = cross.clone();
        let (axes, places, lens) = match self.major {
            Axis::Rows => (vec![along, cross], [&*places, cross_places], [n, *n_cross]),
            Axis::Columns => (vec![cross, along], [&**cross_places, &places], [*n_cross, n]),
        };
        let selection = Selection::Axes(axes);
        let numbers: Numbers<'static> = with_number_type!(&self.source.dtype(), T => {
            reader.read_as::<T>(&selection).map(T::into_numbers)
        })?;
        let at = self.major.with(self.at, self.major.of(self.at) + range.start);
        let lens_out = [places[0].len() as u64, places[1].len() as u64];
        let area = [at[0]..at[0] + lens_out[0], at[1]..at[1] + lens_out[1]];
        let strips = Strips::new(self.target, area, self.major, self.options)?.threads(1);
        with_number_type!(&self.target.dtype(), T => {
            let numbers = numbers.to::<T>(0..numbers.len())?;
            let band = Gathered { numbers: &numbers, width: lens[1], places };
            strips.store::<T>(&|ranges, to| {
                band.fill(ranges, to);
                Ok(())
            })
        })
    }
}

/// The range that `places` are, if they are those of a part in its own order.
pub(crate) fn run_of(places: &[u32]) -> Option<Range<usize>> {
    let first = places.first().copied().unwrap_or(0);
    let is_run = places.iter().zip(first..).all(|(&place, expected)| place == expected);
    is_run.then_some(first as usize..first as usize + places.len())
}

/// Rows and columns of a band, in their new order.
struct Gathered<'g, T> {
    numbers: &'g [T],
    width: usize,
    places: [&'g [u32]; 2],
}

impl<T: Number> Gathered<'_, T> {
    fn fill(&self, [rows, columns]: [Range<usize>; 2], to: &mut Place<'_, T>) {
        let columns = self.places[1].get(columns).unwrap_or_default();
        let run = run_of(columns);
        for (i, &row) in self.places[0].get(rows).unwrap_or_default().iter().enumerate() {
            let start = row as usize * self.width;
            let row = self.numbers.get(start..start + self.width).unwrap_or_default();
            if let Some(run) = &run {
                to.set_row(i, 0, row.get(run.clone()).unwrap_or_default());
                continue;
            }
            to.set_row_with(i, columns, |&column| {
                row.get(column as usize).copied().unwrap_or_default()
            });
        }
    }
}
