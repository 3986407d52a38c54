//! Sparse matrices whose nonzero elements are listed in any order.

use std::ops::Range;

use stook::{Array, DType, Error, Result};

use super::indices::{Index, Indices, with_indices};
use super::numbers::{Number, Numbers, Variant, with_numbers};
use super::panel::Place;
use super::store::{self, WriteOptions, Zeros};
use super::{Compressed, Fill, with_number_type};
use crate::Axis;
use crate::source::MatrixSource;

/// The nonzero elements of a matrix with their rows and columns; what is listed twice is added.
#[derive(Clone, Debug, PartialEq)]
pub struct Coo<'a> {
    lens: [usize; 2],
    rows: Indices<'a>,
    columns: Indices<'a>,
    numbers: Numbers<'a>,
}

impl<'a> Coo<'a> {
    /// Number `i` is in row `rows[i]` and column `columns[i]`.
    ///
    /// # Errors
    /// `InvalidInput` where lengths or indices do not fit.
    pub fn new(
        shape: [usize; 2],
        rows: impl Into<Indices<'a>>,
        columns: impl Into<Indices<'a>>,
        numbers: impl Into<Numbers<'a>>,
    ) -> Result<Self> {
        let (rows, columns, numbers) = (rows.into(), columns.into(), numbers.into());
        if rows.len() != numbers.len() || columns.len() != numbers.len() {
            let (n, rows, columns) = (numbers.len(), rows.len(), columns.len());
            return Err(Error::invalid(format!(
                "a sparse matrix of {n} elements: found {rows} rows and {columns} columns of them"
            )));
        }
        rows.check("row index", shape[0])?;
        columns.check("column index", shape[1])?;
        Ok(Self { lens: shape, rows, columns, numbers })
    }

    /// The row of each element.
    #[must_use]
    pub fn rows(&self) -> &Indices<'a> {
        &self.rows
    }

    /// The column of each element.
    #[must_use]
    pub fn columns(&self) -> &Indices<'a> {
        &self.columns
    }

    /// The elements that are listed.
    #[must_use]
    pub fn numbers(&self) -> &Numbers<'a> {
        &self.numbers
    }

    /// How many rows and columns.
    #[must_use]
    pub fn lens(&self) -> [usize; 2] {
        self.lens
    }

    /// The parts: rows, columns and numbers.
    #[must_use]
    pub fn into_parts(self) -> (Indices<'a>, Indices<'a>, Numbers<'a>) {
        (self.rows, self.columns, self.numbers)
    }

    /// The same row by row, the elements of a row in the order in which they are listed.
    ///
    /// # Errors
    /// `Unsupported` for 2^32 columns and more.
    pub fn to_csr(&self) -> Result<Compressed<'static>> {
        self.rows_of(0..self.lens[0], &self.counts())
    }

    /// All that is listed in some matrices of one shape and type: their sum.
    ///
    /// # Errors
    /// `InvalidInput` where shapes or types differ, or there is none.
    pub fn joined(parts: Vec<Coo<'_>>) -> Result<Coo<'static>> {
        let Some(first) = parts.first() else {
            return Err(Error::invalid("no matrices have no sum"));
        };
        let (lens, dtype) = (first.lens, first.numbers.dtype());
        if parts.iter().any(|part| part.lens != lens || part.numbers.dtype() != dtype) {
            return Err(Error::invalid("matrices of different shapes or types have no sum"));
        }
        let indices = |of: fn(&Coo<'_>) -> Vec<u64>| parts.iter().flat_map(of).collect::<Vec<_>>();
        let rows = indices(|part| positions(&part.rows));
        let columns = indices(|part| positions(&part.columns));
        let numbers = with_number_type!(&dtype, T => {
            let all = parts.iter().filter_map(|part| T::of(&part.numbers));
            Ok(T::into_numbers(all.flatten().copied().collect()))
        })?;
        Coo::new(lens, rows, columns, numbers)
    }

    /// The same with column `j` moved to `to[j]` of `n` columns, or left out.
    ///
    /// # Errors
    /// `InvalidInput` where a column moves beyond the others.
    pub fn with_columns(&self, to: &[Option<u64>], n: usize) -> Result<Coo<'static>> {
        let column = |at: usize| to.get(self.columns.get(at)).copied().flatten();
        let kept = || (0..self.numbers.len()).filter(|&at| column(at).is_some());
        let rows: Vec<u64> = kept().map(|at| self.rows.get(at) as u64).collect();
        let columns: Vec<u64> = kept().filter_map(column).collect();
        let numbers = with_numbers!(&self.numbers, numbers => {
            Variant::into_numbers(kept().filter_map(|at| numbers.get(at).copied()).collect())
        });
        Coo::new([self.lens[0], n], rows, columns, numbers)
    }

    /// How many elements each row has.
    fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.lens[0]];
        with_indices!(&self.rows, rows => for row in rows.iter() {
            if let Some(count) = counts.get_mut(row.position()) {
                *count += 1;
            }
        });
        counts
    }

    /// Some rows, one by one.
    fn rows_of(&self, range: Range<usize>, counts: &[u64]) -> Result<Compressed<'static>> {
        if u32::try_from(self.lens[1]).is_err() {
            return Err(Error::unsupported(format!("a sparse matrix of {} columns", self.lens[1])));
        }
        let mut pointers = Vec::with_capacity(range.len() + 1);
        pointers.push(0);
        let mut n = 0;
        for count in counts.get(range.clone()).unwrap_or_default() {
            n += count;
            pointers.push(n);
        }
        let shape = [range.len(), self.lens[1]];
        with_indices!(&self.rows, rows => with_indices!(&self.columns, columns => {
            with_numbers!(&self.numbers, numbers => {
                let (columns, numbers) = sorted(rows, (columns, numbers), range, &pointers);
                Compressed::csr(shape, pointers, columns, Variant::into_numbers(numbers))
            })
        }))
    }
}

fn positions(indices: &Indices<'_>) -> Vec<u64> {
    (0..indices.len()).map(|at| indices.get(at) as u64).collect()
}

/// The columns and numbers of the elements in the rows of `range`, row by row.
fn sorted<R: Index, C: Index, T: Number>(
    rows: &[R],
    (columns, numbers): (&[C], &[T]),
    range: Range<usize>,
    pointers: &[u64],
) -> (Vec<u32>, Vec<T>) {
    let mut next: Vec<usize> = pointers.iter().map(|&pointer| pointer as usize).collect();
    let n = next.last().copied().unwrap_or(0);
    let (mut sorted_columns, mut sorted_numbers) = (vec![0; n], vec![T::default(); n]);
    for ((row, column), &number) in rows.iter().zip(columns).zip(numbers) {
        let row = row.position();
        if !range.contains(&row) {
            continue;
        }
        let at = next[row - range.start];
        next[row - range.start] += 1;
        sorted_columns[at] = column.position() as u32;
        sorted_numbers[at] = number;
    }
    (sorted_columns, sorted_numbers)
}

impl Fill for Coo<'_> {
    fn lens(&self) -> [usize; 2] {
        self.lens
    }

    fn fill<T: Number>(&self, ranges: [Range<usize>; 2], to: &mut Place<'_, T>) -> Result<()> {
        let [rows, columns] = ranges;
        for (at, &number) in self.numbers.to::<T>(0..self.numbers.len())?.iter().enumerate() {
            let (row, column) = (self.rows.get(at), self.columns.get(at));
            if rows.contains(&row) && columns.contains(&column) {
                to.add(row - rows.start, column - columns.start, number);
            }
        }
        Ok(())
    }

    fn major(&self) -> Axis {
        Axis::Rows
    }
}

impl MatrixSource for Coo<'_> {
    fn shape(&self) -> [u64; 2] {
        self.lens.map(|len| len as u64)
    }

    fn dtype(&self) -> DType {
        self.numbers.dtype()
    }

    /// As many rows at once as there is memory to sort.
    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let item = self.numbers.dtype().item_size() as u64 + size_of::<u32>() as u64;
        let room = (options.memory_len_bytes / 2 / item.max(1)).max(1);
        let [tile, _] = store::tile_of(target);
        let counts = self.counts();
        let mut start = 0;
        while start < self.lens[0] {
            let is_edge = |row: usize| (at[0] + row as u64).is_multiple_of(tile);
            let end = cut(&counts, start, room, &is_edge);
            let rows = self.rows_of(start..end, &counts)?;
            store::store(&rows, target, [at[0] + start as u64, at[1]], &options)?;
            start = end;
        }
        Ok(())
    }
}

/// Where rows from `start` on are cut so that they have at most `room` elements: at the edge of
/// a tile, with at least one tile before it.
fn cut(counts: &[u64], start: usize, room: u64, is_edge: &dyn Fn(usize) -> bool) -> usize {
    let (mut edge, mut n) = (None, 0_u64);
    for (row, count) in counts.iter().enumerate().skip(start) {
        if row > start && is_edge(row) {
            if n > room {
                return edge.unwrap_or(row);
            }
            edge = Some(row);
        }
        n = n.saturating_add(*count);
    }
    if n > room { edge.unwrap_or(counts.len()) } else { counts.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_at_the_edges_of_tiles() {
        let cuts = |counts: &[u64], room| {
            let (mut cuts, mut start) = (Vec::new(), 0);
            while start < counts.len() {
                start = cut(counts, start, room, &|row| row.is_multiple_of(2));
                cuts.push(start);
            }
            cuts
        };
        assert_eq!(cuts(&[1; 7], 100), [7]);
        assert_eq!(cuts(&[1; 7], 4), [4, 7]);
        assert_eq!(cuts(&[1; 7], 2), [2, 4, 6, 7]);
        assert_eq!(cuts(&[9; 5], 1), [2, 4, 5]);
    }

    #[test]
    fn rows_keep_the_order_of_their_elements() {
        let coo = Coo::new([3, 9], vec![2_i32, 0, 2], vec![8_i64, 1, 3], vec![1_u8, 2, 3]).unwrap();
        let csr = coo.to_csr().unwrap();
        assert_eq!(*csr.pointers(), vec![0_u64, 1, 1, 3].into());
        assert_eq!(*csr.indices(), vec![1_u32, 8, 3].into());
        assert_eq!(*csr.numbers(), vec![2_u8, 1, 3].into());
        assert!(Coo::new([3, 9], vec![3_i32], vec![0_i32], vec![0_u8]).is_err());
    }
}
