//! The nonzero elements of a layer.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use stook::{Array, DType, Error, Result};

use super::FusedOptions;
use super::bands::{Bands, Cut, Fold, Sorted, for_each_nonzero};
use crate::Axis;
use crate::matrix::{Compressed, Coo, Number, Numbers, Picked, with_number_type};

/// The nonzero elements of a band: how many each row has, their columns, and their numbers.
#[derive(Default)]
struct Found<T> {
    ends: Vec<usize>,
    columns: Vec<i32>,
    numbers: Vec<T>,
}

/// A band whose numbers have the type of the result.
struct Part {
    ends: Vec<usize>,
    columns: Vec<i32>,
    numbers: Numbers<'static>,
}

/// Where in the result each column that is read goes: to one place, or to some.
enum Targets {
    Same,
    Some { starts: Vec<usize>, places: Vec<i32> },
}

impl Targets {
    fn new(columns: &Sorted, distinct: &[u64]) -> Self {
        if columns.is_in_order() && distinct.len() == columns.len {
            return Self::Same;
        }
        let mut starts = Vec::with_capacity(distinct.len() + 1);
        let mut places = Vec::with_capacity(columns.len);
        let mut at = 0;
        for &column in distinct {
            starts.push(at);
            let first = at;
            while at < columns.len && columns.position(at) == column {
                places.push(columns.place(at) as i32);
                at += 1;
            }
            if let Some(places) = places.get_mut(first..) {
                places.sort_unstable();
            }
        }
        starts.push(at);
        Self::Some { starts, places }
    }

    #[inline(always)]
    fn put<T: Copy>(&self, found: &mut Found<T>, column: usize, number: T) {
        match self {
            Self::Same => {
                found.columns.push(column as i32);
                found.numbers.push(number);
            }
            Self::Some { starts, places } => {
                let range = starts.get(column).copied().unwrap_or(0)
                    ..starts.get(column + 1).copied().unwrap_or(0);
                for &place in places.get(range).unwrap_or_default() {
                    found.columns.push(place);
                    found.numbers.push(number);
                }
            }
        }
    }
}

/// The nonzero elements of what is `picked` of `array`, row by row, as numbers of `dtype`; those
/// of a row in the order of their columns.
///
/// # Errors
/// `InvalidInput` for picks out of bounds, and numbers that `dtype` has no room for;
/// `Unsupported` for a type that is none of numbers and for 2^31 rows or columns; what reading
/// may give.
pub fn csr(
    array: &Array,
    picked: Picked<'_>,
    dtype: &DType,
    options: &FusedOptions,
) -> Result<Compressed<'static>> {
    with_number_type!(&array.dtype(), T => extract::<T>(array, picked, (dtype, Keeps::Numbers), options))
        .map_err(|error| error.at_node(array.path()).at_file(array.file().path()))
}

/// The same, with zeros that have a sign: all of which a matrix must be made anew.
///
/// # Errors
/// As [`csr`].
pub(crate) fn csr_kept(
    array: &Array,
    picked: Picked<'_>,
    dtype: &DType,
    options: &FusedOptions,
) -> Result<Compressed<'static>> {
    with_number_type!(&array.dtype(), T => extract::<T>(array, picked, (dtype, Keeps::Bits), options))
        .map_err(|error| error.at_node(array.path()).at_file(array.file().path()))
}

/// Which elements are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// Those that are not zero.
    Numbers,
    /// Those with a bit set: negative zeros, too.
    Bits,
}

/// The nonzero elements of what is `picked` of `array`, in C order, as numbers of `dtype`, with
/// `i32` indices.
///
/// # Errors
/// As [`csr`].
pub fn sparse(
    array: &Array,
    picked: Picked<'_>,
    dtype: &DType,
    options: &FusedOptions,
) -> Result<Coo<'static>> {
    let csr = csr(array, picked, dtype, options)?;
    let lens = csr.lens();
    let (pointers, columns, numbers) = csr.into_parts();
    let mut rows = Vec::new();
    rows.try_reserve_exact(numbers.len())
        .map_err(|error| Error::limit("the rows of a sparse matrix").with_source(error))?;
    for row in 0..lens[0] {
        rows.resize(pointers.get(row + 1).min(numbers.len()), row as i32);
    }
    Coo::new(lens, rows, columns, numbers)
}

fn extract<T: Number>(
    array: &Array,
    picked: Picked<'_>,
    (dtype, keeps): (&DType, Keeps),
    options: &FusedOptions,
) -> Result<Compressed<'static>> {
    // What is picked twice is read once.
    let distinct = |picks: Option<&[u64]>| {
        picks.map(|picks| {
            let mut distinct = picks.to_vec();
            distinct.sort_unstable();
            distinct.dedup();
            distinct
        })
    };
    let (rows, columns) = (distinct(picked.rows), distinct(picked.columns));
    let read = Picked { rows: rows.as_deref(), columns: columns.as_deref() };
    let bands = Bands::new(array, read, Axis::Rows, Cut::Small, options)?;
    let shape = array.shape();
    let len = |axis: usize| shape.get(axis).copied().unwrap_or(0);
    let wanted_rows = Sorted::new(picked.rows, len(0), Axis::Rows)?;
    let wanted_columns = Sorted::new(picked.columns, len(1), Axis::Columns)?;
    let lens = [wanted_rows.len, wanted_columns.len];
    if lens.iter().any(|&len| i32::try_from(len).is_err()) {
        return Err(Error::unsupported(format!("a sparse matrix of shape {lens:?}")));
    }
    let targets = match &columns {
        Some(columns) => Targets::new(&wanted_columns, columns),
        None => Targets::Same,
    };
    let parts: Mutex<Vec<(usize, Part)>> = Mutex::default();
    bands.fold::<T, Vec<Found<T>>>(&Fold {
        start: &|_| Vec::new(),
        // The boxes of a band lie side by side.
        add: &|boxes, tile| {
            let mut found = Found::default();
            for line in tile.lines() {
                let mut put = |j, item| targets.put(&mut found, tile.columns.start + j, item);
                match keeps {
                    Keeps::Numbers => for_each_nonzero(line, put),
                    Keeps::Bits => line
                        .iter()
                        .enumerate()
                        .filter(|(_, item)| !item.is_nothing())
                        .for_each(|(j, &item)| put(j, item)),
                }
                found.ends.push(found.numbers.len());
            }
            boxes.push(found);
            Ok(())
        },
        end: &|band: Range<usize>, boxes| {
            let part = side_by_side(boxes, band.len(), dtype, wanted_columns.is_in_order())?;
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.push((band.start, part));
            Ok(())
        },
    })?;
    let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_unstable_by_key(|(start, _)| *start);
    let is_same = picked.rows.is_none_or(|picks| picks.is_sorted_by(|a, b| a < b));
    let order = if is_same { None } else { Some((&wanted_rows, rows.unwrap_or_default())) };
    with_number_type!(dtype, U => assemble::<U>(parts, lens, order))
}

/// The boxes of a band of `n_rows` as one.
fn side_by_side<T: Number>(
    boxes: Vec<Found<T>>,
    n_rows: usize,
    dtype: &DType,
    is_in_order: bool,
) -> Result<Part> {
    let mut whole = Found::default();
    let n = boxes.iter().map(|found| found.numbers.len()).sum();
    whole.columns.reserve_exact(n);
    whole.numbers.reserve_exact(n);
    for row in 0..n_rows {
        let first = whole.numbers.len();
        for found in &boxes {
            let start = row.checked_sub(1).and_then(|row| found.ends.get(row)).copied();
            let range = start.unwrap_or(0)..found.ends.get(row).copied().unwrap_or(0);
            let columns = found.columns.get(range.clone()).unwrap_or_default();
            whole.columns.extend_from_slice(columns);
            whole.numbers.extend_from_slice(found.numbers.get(range).unwrap_or_default());
        }
        if !is_in_order {
            sort_row(&mut whole, first);
        }
        whole.ends.push(whole.numbers.len());
    }
    let numbers = T::into_numbers(whole.numbers);
    let numbers = if numbers.dtype() == *dtype { numbers } else { numbers.cast(dtype)? };
    Ok(Part { ends: whole.ends, columns: whole.columns, numbers })
}

/// Sorts the elements from `first` on by their columns.
fn sort_row<T: Number>(found: &mut Found<T>, first: usize) {
    let columns = found.columns.get(first..).unwrap_or_default();
    let numbers = found.numbers.get(first..).unwrap_or_default();
    let mut row: Vec<(i32, T)> = columns.iter().copied().zip(numbers.iter().copied()).collect();
    row.sort_by_key(|(column, _)| *column);
    let places = found.columns.iter_mut().zip(&mut found.numbers).skip(first);
    places.zip(row).for_each(|((column, number), sorted)| (*column, *number) = sorted);
}

/// The parts as one matrix; where rows come in another order, `order` has the wanted ones and
/// the distinct ones that were read.
fn assemble<U: Number>(
    parts: Vec<(usize, Part)>,
    lens: [usize; 2],
    order: Option<(&Sorted, Vec<u64>)>,
) -> Result<Compressed<'static>> {
    let n_bytes = |error| Error::limit("the elements of a sparse matrix").with_source(error);
    let n: usize = parts.iter().map(|(_, part)| part.columns.len()).sum();
    let mut pointers = Vec::with_capacity(lens[0] + 1);
    pointers.push(0_i64);
    let (mut columns, mut numbers) = (Vec::new(), Vec::<U>::new());
    if order.is_none() {
        columns.try_reserve_exact(n).map_err(n_bytes)?;
        numbers.try_reserve_exact(n).map_err(n_bytes)?;
        // Each part goes once it is copied, so that all is in memory once and little more.
        for (_, part) in parts {
            let base = columns.len();
            pointers.extend(part.ends.iter().map(|&end| (base + end) as i64));
            columns.extend_from_slice(&part.columns);
            numbers.extend_from_slice(U::of(&part.numbers).unwrap_or_default());
        }
        return Compressed::csr(lens, pointers, columns, U::into_numbers(numbers));
    }
    let Some((wanted, distinct)) = order else { return Err(Error::invalid("no order of rows")) };
    let mut read_as = vec![0; wanted.len];
    for at in 0..wanted.len {
        let row = distinct.binary_search(&wanted.position(at)).unwrap_or(0);
        if let Some(place) = read_as.get_mut(wanted.place(at)) {
            *place = row;
        }
    }
    for row in read_as {
        let band = parts.partition_point(|(start, _)| *start <= row).saturating_sub(1);
        if let Some((start, part)) = parts.get(band) {
            let within = row - start;
            let first = within.checked_sub(1).and_then(|row| part.ends.get(row)).copied();
            let range = first.unwrap_or(0)..part.ends.get(within).copied().unwrap_or(0);
            columns.extend_from_slice(part.columns.get(range.clone()).unwrap_or_default());
            let all = U::of(&part.numbers).unwrap_or_default();
            numbers.extend_from_slice(all.get(range).unwrap_or_default());
        }
        pointers.push(columns.len() as i64);
    }
    Compressed::csr(lens, pointers, columns, U::into_numbers(numbers))
}
