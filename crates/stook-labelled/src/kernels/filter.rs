//! Picking elements by truth.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use stook_core::{DType, Error, Result};

use super::gather::FromAny;
use super::item::{Item, Truth};
use super::memory::{Strided, bytes_of};
use super::memory_mut::StridedMut;
use super::pick::{Along, take};
use super::threads::for_each_range;
use super::tiles::{Buffer, TILE, Tile, Walk};

/// How many elements of an array of truth values are true; numbers other than zero are.
///
/// # Errors
/// `Unsupported` for what is no number.
pub fn count_true(mask: &Strided<'_>) -> Result<usize> {
    let n = AtomicUsize::new(0);
    Walk::reading([mask.clone()])?.run::<Buffer<Truth>>(|tile, buffer| {
        n.fetch_add(count(tile.input(0, buffer)?), Ordering::Relaxed);
        Ok(())
    })?;
    Ok(n.into_inner())
}

fn count(mask: &[Truth]) -> usize {
    // Counted in bytes as long as they hold it, which is many at a time.
    let parts = mask.chunks(255);
    parts
        .map(|part| usize::from(part.iter().fold(0_u8, |n, truth| n + u8::from(truth.get()))))
        .sum()
}

/// Ranges of tiles of a walk in C order, with how many elements each has that are true.
struct Counts {
    per_range: usize,
    n_tiles: usize,
    counts: Vec<usize>,
}

impl Counts {
    /// Counts the input `which` of a walk.
    fn of<const N: usize>(walk: &Walk<'_, N>, which: usize, len: usize) -> Result<Self> {
        let n_tiles = walk.n_tiles();
        let per_range = n_tiles.div_ceil(64).max(16);
        let n_ranges = n_tiles.div_ceil(per_range);
        let counts: Vec<AtomicUsize> = (0..n_ranges).map(|_| 0.into()).collect();
        let of_range = |range: usize| range * per_range..n_tiles.min((range + 1) * per_range);
        for_each_range(n_ranges, len, &|ranges| {
            let (mut tile, mut buffer) = (Tile::of(walk), Buffer::default());
            for range in ranges {
                let mut n = 0;
                for at in of_range(range) {
                    tile.set(at);
                    n += count(tile.input(which, &mut buffer)?);
                }
                if let Some(place) = counts.get(range) {
                    place.store(n, Ordering::Relaxed);
                }
            }
            Ok(())
        })?;
        let counts = counts.into_iter().map(AtomicUsize::into_inner).collect();
        Ok(Self { per_range, n_tiles, counts })
    }

    fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    fn tiles(&self, range: usize) -> std::ops::Range<usize> {
        range * self.per_range..self.n_tiles.min((range + 1) * self.per_range)
    }

    /// The part of `places`, `width` of them an element, that is each range's.
    fn parts<'p, T>(&self, mut places: &'p mut [T], width: usize) -> Vec<Mutex<&'p mut [T]>> {
        let cut = |n: &usize| {
            let len = (n * width).min(places.len());
            let (part, rest) = std::mem::take(&mut places).split_at_mut(len);
            places = rest;
            Mutex::new(part)
        };
        self.counts.iter().map(cut).collect()
    }
}

/// The positions, counted in C order, of the elements that are true.
///
/// # Errors
/// `Unsupported` for what is no number.
pub fn true_positions(mask: &Strided<'_>) -> Result<Vec<i64>> {
    let walk = Walk::in_order([mask.clone()])?;
    let counts = Counts::of(&walk, 0, mask.len())?;
    let mut positions = vec![0_i64; counts.total()];
    let parts = counts.parts(&mut positions, 1);
    for_each_range(parts.len(), mask.len().saturating_mul(4), &|ranges| {
        let (mut tile, mut buffer) = (Tile::of(&walk), Buffer::default());
        let mut room = vec![0_i64; TILE];
        for range in ranges {
            let Some(part) = parts.get(range) else { continue };
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let mut rest: &mut [i64] = &mut part;
            for at in counts.tiles(range) {
                tile.set(at);
                let first = first_of(&walk, &tile);
                let truths = tile.input::<Truth>(0, &mut buffer)?;
                if bytes_of(truths).iter().all(|byte| *byte == 0) {
                    continue;
                }
                // What is not true is overwritten by the next one, or cut off.
                let mut n = 0;
                for (truth, position) in truths.iter().zip(first..) {
                    if let Some(place) = room.get_mut(n) {
                        *place = position;
                    }
                    n += usize::from(truth.get());
                }
                let found = room.get(..n).unwrap_or_default();
                let (place, after) = rest.split_at_mut_checked(n).ok_or_else(changed)?;
                place.copy_from_slice(found);
                rest = after;
            }
        }
        Ok(())
    })?;
    drop(parts);
    Ok(positions)
}

#[cold]
fn changed() -> Error {
    Error::invalid("the mask changed while it was used")
}

/// The position in C order of the first element of a tile.
fn first_of<const N: usize>(walk: &Walk<'_, N>, tile: &Tile<'_, N>) -> i64 {
    let axes = walk.dims().iter().zip(tile.starts());
    axes.fold(0_usize, |at, (dim, start)| at * dim.len + start) as i64
}

/// Positions in C order as positions along each axis of an array of `shape`.
///
/// # Errors
/// Those of a checkpoint.
pub fn unravel(positions: &[i64], shape: &[usize]) -> Result<Vec<Vec<i64>>> {
    const PART: usize = 1 << 15;
    let mut axes = vec![vec![0_i64; positions.len()]; shape.len()];
    let mut columns: Vec<_> = axes.iter_mut().map(|axis| axis.chunks_mut(PART)).collect();
    let parts: Vec<Mutex<Vec<&mut [i64]>>> = positions
        .chunks(PART)
        .map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>().into())
        .collect();
    let len_bytes = positions.len().saturating_mul(8 * (shape.len() + 1));
    for_each_range(parts.len(), len_bytes, &|range| {
        let from = positions.chunks(PART).skip(range.start);
        for (part, positions) in parts.get(range.clone()).unwrap_or_default().iter().zip(from) {
            let mut columns = part.lock().unwrap_or_else(PoisonError::into_inner);
            unravel_part(positions, shape, &mut columns);
        }
        Ok(())
    })?;
    drop(parts);
    Ok(axes)
}

/// Divides only where the next row begins, because neighbours are mostly of one.
fn unravel_part(positions: &[i64], shape: &[usize], columns: &mut [&mut [i64]]) {
    let Some((&last, outer)) = shape.split_last() else { return };
    let Some((last_column, outer_columns)) = columns.split_last_mut() else { return };
    let last = (last as i64).max(1);
    let mut row = vec![0_i64; outer.len()];
    let mut start = i64::MIN;
    for (i, &position) in positions.iter().enumerate() {
        if !(0..last).contains(&position.wrapping_sub(start)) {
            let mut rest = position / last;
            start = rest * last;
            for (place, &len) in row.iter_mut().zip(outer).rev() {
                let len = (len as i64).max(1);
                *place = rest % len;
                rest /= len;
            }
        }
        for (column, at) in outer_columns.iter_mut().zip(&row) {
            if let Some(place) = column.get_mut(i) {
                *place = *at;
            }
        }
        if let Some(place) = last_column.get_mut(i) {
            *place = position - start;
        }
    }
}

/// The elements of an array for which a mask is true: counted first, so that their place can be
/// made, and picked then.
#[derive(Debug)]
pub struct Filter<'a> {
    array: Strided<'a>,
    mask: Strided<'a>,
    n: usize,
}

impl<'a> Filter<'a> {
    /// What a mask of the shape of `array` picks. Nothing is copied yet.
    ///
    /// # Errors
    /// `InvalidInput` where the shapes differ, `Unsupported` where the mask is of no number.
    pub fn new(array: &Strided<'a>, mask: &Strided<'a>) -> Result<Self> {
        if array.shape() != mask.shape() {
            let (expected, found) = (array.shape(), mask.shape());
            return Err(Error::invalid(format!(
                "expected a mask of shape {expected:?}, found {found:?}"
            )));
        }
        Ok(Self { array: array.clone(), mask: mask.clone(), n: count_true(mask)? })
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Fills `out`, of one axis, with the elements in C order.
    ///
    /// # Errors
    /// `InvalidInput` where `out` has another length or type, or the mask has changed meanwhile.
    pub fn fill(&self, out: &mut StridedMut<'_>) -> Result<()> {
        out.check_dtype(self.array.dtype())?;
        out.check_shape(&[self.n])?;
        match self.array.dtype().item_size() {
            1 => self.compress::<u8>(DType::UInt8, out),
            2 => self.compress::<u16>(DType::UInt16, out),
            4 => self.compress::<u32>(DType::UInt32, out),
            8 => self.compress::<u64>(DType::UInt64, out),
            16 => self.compress::<[f64; 2]>(DType::Complex128, out),
            _ => self.pick(out),
        }
    }

    fn pick(&self, out: &mut StridedMut<'_>) -> Result<()> {
        let points = unravel(&true_positions(&self.mask)?, self.array.shape())?;
        let points: Vec<Vec<usize>> =
            points.iter().map(|axis| axis.iter().map(|&at| at as usize).collect()).collect();
        let along: Vec<Along<'_>> = points.iter().map(|axis| Along::Points(axis)).collect();
        if along.is_empty() {
            let all = [Along::all(self.n)];
            return take(&self.array.broadcast_to(&[self.n])?, &all, out);
        }
        take(&self.array, &along, out)
    }

    fn compress<T: FromAny>(&self, plain: DType, out: &mut StridedMut<'_>) -> Result<()> {
        let walk = Walk::in_order([self.array.reinterpreted(plain), self.mask.clone()])?;
        let counts = Counts::of(&walk, 1, self.mask.len())?;
        if counts.total() != self.n {
            return Err(changed());
        }
        let not_one = || Error::invalid("expected room in one piece");
        let places = out.bytes_mut().ok_or_else(not_one)?;
        let parts = counts.parts(places, size_of::<T>());
        let len_bytes = self.array.len_bytes().saturating_add(self.mask.len());
        for_each_range(parts.len(), len_bytes, &|ranges| {
            let mut tile = Tile::of(&walk);
            let (mut items, mut mask, mut picked) = (Buffer::default(), Buffer::default(), vec![]);
            for range in ranges {
                let Some(part) = parts.get(range) else { continue };
                let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                let mut rest: &mut [u8] = &mut part;
                for at in counts.tiles(range) {
                    tile.set(at);
                    let truths = tile.input::<Truth>(1, &mut mask)?;
                    if bytes_of(truths).iter().all(|byte| *byte == 0) {
                        continue;
                    }
                    let found = compress(tile.input::<T>(0, &mut items)?, truths, &mut picked);
                    let found = bytes_of(found);
                    let (place, after) =
                        rest.split_at_mut_checked(found.len()).ok_or_else(changed)?;
                    place.copy_from_slice(found);
                    rest = after;
                }
            }
            Ok(())
        })
    }
}

/// The items whose truths are, in `room`.
fn compress<'r, T: Item>(items: &[T], truths: &[Truth], room: &'r mut Vec<T>) -> &'r [T] {
    room.resize(items.len().max(room.len()), T::default());
    let mut n = 0;
    for (items, truths) in items.chunks(8).zip(truths.chunks(8)) {
        let bytes = bytes_of(truths);
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        // What is not picked is overwritten by the next one, or cut off.
        if let Some(places) = room.get_mut(n..).and_then(|rest| rest.get_mut(..items.len())) {
            let mut at = 0;
            for (item, truth) in items.iter().zip(truths) {
                if let Some(place) = places.get_mut(at) {
                    *place = *item;
                }
                at += usize::from(truth.get());
            }
            n += at;
        }
    }
    room.get(..n).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_unravelled() {
        let unravel = |positions: &[i64], shape: &[usize]| unravel(positions, shape).unwrap();
        assert_eq!(unravel(&[0, 5, 11], &[3, 4]), [vec![0, 1, 2], vec![0, 1, 3]]);
        assert_eq!(unravel(&[23, 0, 7], &[2, 3, 4])[2], [3, 0, 3]);
        assert!(unravel(&[0], &[]).is_empty());
    }

    #[test]
    fn what_is_true_is_kept_in_order() {
        let items: Vec<u32> = (0..100).collect();
        let truths: Vec<Truth> = items.iter().map(|i| Truth::from(i % 3 == 0 || *i > 70)).collect();
        let expected: Vec<u32> = items.iter().copied().filter(|i| i % 3 == 0 || *i > 70).collect();
        assert_eq!(compress(&items, &truths, &mut vec![]), expected);
        assert_eq!(count(&truths), expected.len());
    }
}
