//! A strip of tiles in memory, each of them in one piece.
//!
//! A strip is one tile high or one tile wide, so that the place of an element is `first + row *
//! width`, both looked up by its column.

use std::ops::Range;

use stook::{Error, Result};

use super::numbers::Number;

/// A strip of tiles of an array, in the coordinates of that.
#[derive(Debug, Default)]
pub(crate) struct Panel<T> {
    ranges: [Range<u64>; 2],
    /// Of each column, where its first row is, and the width of its tile.
    columns: Vec<(usize, usize)>,
    /// Where tiles are cut along both axes: relative to the panel, its ends included.
    cuts: [Vec<usize>; 2],
    items: Vec<T>,
}

/// A part of a panel that is filled: a first row and column.
#[derive(Debug)]
pub(crate) struct Place<'p, T> {
    panel: &'p mut Panel<T>,
    first: [usize; 2],
}

/// Where tiles of `len` cut `range`.
fn cuts(range: &Range<u64>, len: u64) -> Vec<usize> {
    let len = len.max(1);
    let mut cuts = vec![0];
    let mut at = range.start;
    while at < range.end {
        at = (at / len).saturating_add(1).saturating_mul(len).min(range.end);
        cuts.push((at - range.start) as usize);
    }
    cuts
}

impl<T: Number> Panel<T> {
    /// Begins a strip of zeros with the elements of `ranges` of an array with `tiles`.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory for them.
    pub(crate) fn begin(&mut self, ranges: [Range<u64>; 2], tiles: [u64; 2]) -> Result<()> {
        let [n_rows, n_columns] = ranges.clone().map(|range| (range.end - range.start) as usize);
        let n = n_rows.checked_mul(n_columns).ok_or_else(|| {
            Error::limit(format!(
                "{n_rows} rows of {n_columns} elements exceed the memory there is"
            ))
        })?;
        self.cuts = [cuts(&ranges[0], tiles[0]), cuts(&ranges[1], tiles[1])];
        self.ranges = ranges;
        self.items.clear();
        self.items.try_reserve(n).map_err(|error| {
            let what = format!("{} bytes of memory", n.saturating_mul(size_of::<T>()));
            Error::limit(what).with_source(error)
        })?;
        self.items.resize(n, T::default());
        self.columns.clear();
        for cut in self.cuts[1].windows(2) {
            let (start, width) = (cut[0], cut[1] - cut[0]);
            let first = n_rows * start;
            self.columns.extend((0..width).map(|column| (first + column, width)));
        }
        Ok(())
    }

    /// The panel from an element on.
    pub(crate) fn from(&mut self, first: [usize; 2]) -> Place<'_, T> {
        Place { panel: self, first }
    }

    /// The items of a strip of one tile.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Each tile: its elements in the array, and its items.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = ([Range<u64>; 2], &[T])> {
        let n_rows = self.cuts[0].last().copied().unwrap_or(0);
        self.cuts[1].windows(2).flat_map(move |columns| {
            self.cuts[0].windows(2).map(move |rows| {
                let width = columns[1] - columns[0];
                let start = n_rows * columns[0] + rows[0] * width;
                let items = &self.items[start..start + (rows[1] - rows[0]) * width];
                let range = |axis: usize, cut: &[usize]| {
                    let first = self.ranges[axis].start;
                    first + cut[0] as u64..first + cut[1] as u64
                };
                ([range(0, rows), range(1, columns)], items)
            })
        })
    }
}

impl<T: Number> Place<'_, T> {
    /// The same panel, from an element further on.
    pub(crate) fn further(&mut self, by: [usize; 2]) -> Place<'_, T> {
        let first = [self.first[0] + by[0], self.first[1] + by[1]];
        Place { panel: self.panel, first }
    }

    /// Adds `number` to the element at `row` and `column`.
    #[inline(always)]
    pub(crate) fn add(&mut self, row: usize, column: usize, number: T) {
        let (first, width) = self.panel.columns[self.first[1] + column];
        let item = &mut self.panel.items[first + (self.first[0] + row) * width];
        // A negative zero is kept: zero plus it would be none.
        *item = if item.is_zero() { number } else { item.plus(number) };
    }

    /// Sets elements of `row`, from `column` on.
    pub(crate) fn set_row(&mut self, row: usize, column: usize, mut numbers: &[T]) {
        let row = self.first[0] + row;
        let mut column = self.first[1] + column;
        while !numbers.is_empty() {
            let (first, width) = self.panel.columns[column];
            let (part, rest) = numbers.split_at(numbers.len().min(self.left_of_tile(column)));
            let at = first + row * width;
            self.panel.items[at..at + part.len()].copy_from_slice(part);
            numbers = rest;
            column += part.len();
        }
    }

    /// Sets elements of `column`, from `row` on.
    pub(crate) fn set_column(&mut self, row: usize, column: usize, numbers: &[T]) {
        let (first, width) = self.panel.columns[self.first[1] + column];
        let start = first + (self.first[0] + row) * width;
        let items = self.panel.items.get_mut(start..).unwrap_or_default();
        let places = items.iter_mut().step_by(width.max(1));
        places.zip(numbers).for_each(|(place, number)| *place = *number);
    }

    /// Sets elements of `row` to what `number` makes of `of`.
    pub(crate) fn set_row_with<O>(&mut self, row: usize, mut of: &[O], number: impl Fn(&O) -> T) {
        let row = self.first[0] + row;
        let mut column = self.first[1];
        while !of.is_empty() {
            let (first, width) = self.panel.columns[column];
            let (part, rest) = of.split_at(of.len().min(self.left_of_tile(column)));
            let at = first + row * width;
            let items = &mut self.panel.items[at..at + part.len()];
            items.iter_mut().zip(part).for_each(|(item, of)| *item = number(of));
            of = rest;
            column += part.len();
        }
    }

    /// How many columns there are from `column` to the end of its tile.
    fn left_of_tile(&self, column: usize) -> usize {
        let cuts = &self.panel.cuts[1];
        let after = cuts.partition_point(|&cut| cut <= column);
        cuts.get(after).map_or(1, |cut| cut - column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_in_one_piece_each() {
        for ranges in [[5..8, 3..12], [3..12, 5..8], [4..8, 4..8]] {
            let mut panel = Panel::<i32>::default();
            panel.begin(ranges.clone(), [4, 4]).unwrap();
            let [rows, columns] = ranges.clone();
            let number = |row: u64, column: u64| (row * 100 + column) as i32;
            for (i, row) in rows.clone().enumerate() {
                if i % 3 == 0 {
                    let whole: Vec<i32> =
                        columns.clone().map(|column| number(row, column)).collect();
                    panel.from([i, 0]).set_row(0, 0, &whole);
                } else if i % 3 == 1 {
                    // The next row, too, if there is one, less what is added to it below.
                    for (j, column) in columns.clone().enumerate() {
                        let numbers = [number(row, column), number(row + 1, column) - 5];
                        let n = numbers.len().min((rows.end - row) as usize);
                        panel.from([0, j]).set_column(i, 0, &numbers[..n]);
                    }
                } else {
                    (0..columns.clone().count()).for_each(|j| panel.from([0, j]).add(i, 0, 5));
                }
            }
            let mut n = 0;
            for ([rows, columns], items) in panel.tiles() {
                let expected =
                    rows.flat_map(|row| columns.clone().map(move |column| number(row, column)));
                assert!(items.iter().copied().eq(expected));
                n += items.len();
            }
            assert_eq!(n as u64, (rows.end - rows.start) * (columns.end - columns.start));
        }
    }
}
