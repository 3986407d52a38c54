//! Sparse matrices whose nonzero elements are listed row by row (CSR) or column by column (CSC).

use std::ops::Range;

use stook::{Array, DType, Error, Result};

use super::Fill;
use super::indices::{Index, Indices, with_indices};
use super::numbers::{Number, Numbers, Variant, with_numbers};
use super::panel::Place;
use super::store::{self, WriteOptions, Zeros};
use crate::Axis;
use crate::source::MatrixSource;

/// The nonzero elements of a matrix, line by line: rows in CSR, columns in CSC. Those of a line
/// may be in any order; what is listed twice is added.
#[derive(Clone, Debug)]
pub struct Compressed<'a> {
    major: Axis,
    lens: [usize; 2],
    pointers: Indices<'a>,
    indices: Indices<'a>,
    numbers: Numbers<'a>,
    /// Whether the elements of each line are in order.
    is_sorted: bool,
}

impl<'a> Compressed<'a> {
    /// The elements of row `i` are numbers `pointers[i]` to before `pointers[i + 1]`, in the
    /// columns that `indices` has for them.
    ///
    /// # Errors
    /// `InvalidInput` where lengths, pointers or indices do not fit.
    pub fn csr(
        shape: [usize; 2],
        pointers: impl Into<Indices<'a>>,
        indices: impl Into<Indices<'a>>,
        numbers: impl Into<Numbers<'a>>,
    ) -> Result<Self> {
        Self::along(Axis::Rows, shape, (pointers.into(), indices.into(), numbers.into()))
    }

    /// The elements of column `j` are numbers `pointers[j]` to before `pointers[j + 1]`, in the
    /// rows that `indices` has for them.
    ///
    /// # Errors
    /// As [`Compressed::csr`].
    pub fn csc(
        shape: [usize; 2],
        pointers: impl Into<Indices<'a>>,
        indices: impl Into<Indices<'a>>,
        numbers: impl Into<Numbers<'a>>,
    ) -> Result<Self> {
        Self::along(Axis::Columns, shape, (pointers.into(), indices.into(), numbers.into()))
    }

    /// Lines along `major`, by their pointers, indices and numbers.
    fn along(
        major: Axis,
        lens: [usize; 2],
        (pointers, indices, numbers): (Indices<'a>, Indices<'a>, Numbers<'a>),
    ) -> Result<Self> {
        Self { major, lens, pointers, indices, numbers, is_sorted: false }.checked()
    }

    fn checked(mut self) -> Result<Self> {
        let n_lines = self.major.of(self.lens);
        let wrong = |what: &str, expected: usize, found: usize| {
            Err(Error::invalid(format!(
                "{what} of a sparse matrix: expected {expected}, found {found}"
            )))
        };
        if self.indices.len() != self.numbers.len() {
            return wrong("indices", self.numbers.len(), self.indices.len());
        }
        if Some(self.pointers.len()) != n_lines.checked_add(1) {
            return wrong("pointers", n_lines.saturating_add(1), self.pointers.len());
        }
        if self.pointers.get(0) != 0 {
            return wrong("first pointer", 0, self.pointers.get(0));
        }
        if self.pointers.get(n_lines) != self.numbers.len() {
            return wrong("last pointer", self.numbers.len(), self.pointers.get(n_lines));
        }
        let falls = with_indices!(&self.pointers, pointers => {
            pointers.windows(2).position(|pair| pair[0].position() > pair[1].position())
        });
        if let Some(line) = falls {
            let word = self.major.word();
            return Err(Error::invalid(format!("the pointer of {word} {line} is beyond the next")));
        }
        let other = self.major.other();
        self.indices.check(&format!("{} index", other.word()), other.of(self.lens))?;
        self.is_sorted = with_indices!(&self.indices, indices => {
            let listed = |line: usize| {
                indices.get(self.pointers.get(line)..self.pointers.get(line + 1)).unwrap_or_default()
            };
            (0..n_lines).all(|line| listed(line).is_sorted())
        });
        Ok(self)
    }

    /// The axis whose lines are listed: rows in CSR, columns in CSC.
    #[must_use]
    pub fn major(&self) -> Axis {
        self.major
    }

    /// Where the elements of each line begin, and where those of the last one end.
    #[must_use]
    pub fn pointers(&self) -> &Indices<'a> {
        &self.pointers
    }

    /// Where in its line each element is.
    #[must_use]
    pub fn indices(&self) -> &Indices<'a> {
        &self.indices
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

    /// Whether the elements of each line are in order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.is_sorted
    }

    /// Whether the elements of each line are in order, none is listed twice, and none is nothing
    /// but zero bits.
    pub(crate) fn is_canonical(&self) -> bool {
        let size = self.numbers.dtype().item_size().max(1);
        let is_nothing = |item: &[u8]| item.iter().all(|&byte| byte == 0);
        self.is_sorted
            && !self.numbers.as_bytes().chunks_exact(size).any(is_nothing)
            && with_indices!(&self.indices, indices => {
                let n_lines = self.pointers.len().saturating_sub(1);
                (0..n_lines).all(|line| {
                    let range = self.pointers.get(line)..self.pointers.get(line + 1);
                    let listed = indices.get(range).unwrap_or_default();
                    listed.is_sorted_by(|a, b| a.position() < b.position())
                })
            })
    }

    /// The same listed along the other axis, the elements of a line in order of the lines here.
    pub(crate) fn turned(&self) -> Result<Compressed<'static>> {
        let (n_lines, n_across) = (self.major.of(self.lens), self.major.other().of(self.lens));
        let mut ends = vec![0_u64; n_across + 1];
        for at in 0..self.indices.len() {
            if let Some(end) = ends.get_mut(self.indices.get(at) + 1) {
                *end += 1;
            }
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut next = ends.clone();
        let mut from = vec![0_usize; self.indices.len()];
        let mut lines = vec![0_u64; self.indices.len()];
        for line in 0..n_lines {
            for at in self.pointers.get(line)..self.pointers.get(line + 1) {
                let place = &mut next[self.indices.get(at)];
                (from[*place as usize], lines[*place as usize]) = (at, line as u64);
                *place += 1;
            }
        }
        let numbers = with_numbers!(&self.numbers, numbers => {
            Variant::into_numbers(from.iter().filter_map(|&at| numbers.get(at).copied()).collect())
        });
        match self.major {
            Axis::Rows => Compressed::csc(self.lens, ends, lines, numbers),
            Axis::Columns => Compressed::csr(self.lens, ends, lines, numbers),
        }
    }

    /// The parts: pointers, indices and numbers.
    #[must_use]
    pub fn into_parts(self) -> (Indices<'a>, Indices<'a>, Numbers<'a>) {
        (self.pointers, self.indices, self.numbers)
    }

    fn fill_lines<I: Index, T: Number>(
        &self,
        indices: &[I],
        [lines, within]: [Range<usize>; 2],
        to: &mut Place<'_, T>,
    ) -> Result<()> {
        let is_whole = within == (0..self.major.other().of(self.lens));
        let is_rows = self.major == Axis::Rows;
        for (i, line) in lines.enumerate() {
            let mut range = self.pointers.get(line)..self.pointers.get(line.saturating_add(1));
            let listed = indices.get(range.clone()).unwrap_or_default();
            if self.is_sorted && !is_whole {
                let first = listed.partition_point(|index| index.position() < within.start);
                let last = listed.partition_point(|index| index.position() < within.end);
                range = range.start + first..range.start + last.max(first);
            }
            let listed = indices.get(range.clone()).unwrap_or_default();
            let numbers = self.numbers.to::<T>(range)?;
            for (index, &number) in listed.iter().zip(numbers.iter()) {
                let Some(j) = index.position().checked_sub(within.start) else { continue };
                if j >= within.len() {
                    continue;
                }
                if is_rows {
                    to.add(i, j, number);
                } else {
                    to.add(j, i, number);
                }
            }
        }
        Ok(())
    }
}

impl Fill for Compressed<'_> {
    fn lens(&self) -> [usize; 2] {
        self.lens
    }

    fn fill<T: Number>(&self, ranges: [Range<usize>; 2], to: &mut Place<'_, T>) -> Result<()> {
        let [rows, columns] = ranges;
        let lines = match self.major {
            Axis::Rows => [rows, columns],
            Axis::Columns => [columns, rows],
        };
        with_indices!(&self.indices, indices => self.fill_lines(indices, lines, to))
    }

    fn major(&self) -> Axis {
        self.major
    }
}

impl MatrixSource for Compressed<'_> {
    fn shape(&self) -> [u64; 2] {
        self.lens.map(|len| len as u64)
    }

    fn dtype(&self) -> DType {
        self.numbers.dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        store::store(self, target, at, &WriteOptions::new().zeros(Zeros::Skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use stook::DType;

    #[test]
    fn elements_are_where_they_are_listed_and_duplicates_are_added() {
        let csr = Compressed::csr(
            [2, 3],
            vec![0_i32, 3, 4],
            vec![2_i32, 0, 2, 1],
            vec![1.0_f32, 2.0, 3.0, 4.0],
        );
        let dense = Matrix::from(csr.unwrap()).to_dense(&DType::Float32).unwrap();
        assert_eq!(*dense.numbers(), vec![2.0_f32, 0.0, 4.0, 0.0, 4.0, 0.0].into());
        let csc = Compressed::csc([2, 3], vec![0_u64, 1, 1, 2], vec![1_i64, 0], vec![7_u8, 255]);
        let dense = Matrix::from(csc.unwrap()).to_dense(&DType::Int16).unwrap();
        assert_eq!(*dense.numbers(), vec![0_i16, 0, 255, 7, 0, 0].into());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |pointers: Vec<i64>, indices: Vec<i64>, n: usize| {
            let numbers = vec![1_u8; n];
            Compressed::csr([2, 3], pointers, indices, numbers).unwrap_err().to_string()
        };
        assert!(message(vec![0, 1], vec![0], 1).contains("pointers"));
        assert!(message(vec![0, 1, 2], vec![0], 1).contains("last pointer"));
        assert!(message(vec![1, 1, 1], vec![0], 1).contains("first pointer"));
        assert!(message(vec![0, 5, 1], vec![0], 1).contains("beyond the next"));
        assert!(message(vec![0, 1, 1], vec![3], 1).contains("below 3, found 3"));
        assert!(message(vec![0, 1, 1], vec![-1], 1).contains("found -1"));
        assert!(message(vec![0, 1, 1], vec![0, 1], 1).contains("indices"));
    }
}
