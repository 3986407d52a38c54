//! Dense matrices in memory, with any strides.

use std::ops::Range;

use stook::{Array, DType, Error, Result, Selection};

use super::numbers::{Number, Numbers, Variant, with_numbers};
use super::panel::Place;
use super::store::{self, WriteOptions, Zeros};
use super::{Fill, with_number_type};
use crate::Axis;
use crate::source::MatrixSource;

/// Rows that are taken of each column in turn, of a matrix that lies column by column.
const ROWS_OF_COLUMNS: usize = 64;

/// Every element of a matrix.
#[derive(Clone, Debug)]
pub struct Dense<'a> {
    numbers: Numbers<'a>,
    lens: [usize; 2],
    first: usize,
    strides: [isize; 2],
}

impl<'a> Dense<'a> {
    /// Numbers in C order: row after row.
    ///
    /// # Errors
    /// `InvalidInput` where there are more or fewer than the shape says.
    pub fn new(shape: [usize; 2], numbers: impl Into<Numbers<'a>>) -> Result<Self> {
        let numbers = numbers.into();
        let [n_rows, n_columns] = shape;
        if n_rows.checked_mul(n_columns) != Some(numbers.len()) {
            let found = numbers.len();
            return Err(Error::invalid(format!("shape {shape:?}: found {found} numbers")));
        }
        Self::strided(shape, 0, [n_columns as isize, 1], numbers)
    }

    /// Numbers in Fortran's order: column after column.
    ///
    /// # Errors
    /// As [`Dense::new`].
    pub fn columns(shape: [usize; 2], numbers: impl Into<Numbers<'a>>) -> Result<Self> {
        let matrix = Self::new(shape, numbers)?;
        Ok(Self { strides: [1, shape[0] as isize], ..matrix })
    }

    /// The element of row `i` and column `j` is number `first + i * strides[0] + j * strides[1]`.
    ///
    /// # Errors
    /// `InvalidInput` where that is beyond the numbers.
    pub fn strided(
        shape: [usize; 2],
        first: usize,
        strides: [isize; 2],
        numbers: impl Into<Numbers<'a>>,
    ) -> Result<Self> {
        let numbers = numbers.into();
        let beyond = || {
            Error::invalid(format!(
                "shape {shape:?} with strides {strides:?} from {first} on is beyond {} numbers",
                numbers.len()
            ))
        };
        if !shape.contains(&0) {
            let (mut lowest, mut highest) = (first as i128, first as i128);
            for (&len, &stride) in shape.iter().zip(&strides) {
                let reach = (len as i128 - 1) * stride as i128;
                lowest += reach.min(0);
                highest += reach.max(0);
            }
            if lowest < 0 || highest >= numbers.len() as i128 {
                return Err(beyond());
            }
        }
        Ok(Self { numbers, lens: shape, first, strides })
    }

    /// The elements that rows and columns of `array` select.
    ///
    /// # Errors
    /// `InvalidInput` for a selection of other than two axes, `Unsupported` for a type that is
    /// none of numbers, what reading may give.
    pub fn read(array: &Array, selection: &Selection) -> Result<Dense<'static>> {
        let spec = array.spec();
        let shape = selection.result_shape(spec.shape(), &spec.grid)?;
        let lens = shape.iter().map(|&len| usize::try_from(len).ok()).collect::<Option<Vec<_>>>();
        let Some(&[n_rows, n_columns]) = lens.as_deref() else {
            return Err(Error::invalid(format!("expected two axes, found a shape of {shape:?}")));
        };
        let numbers = with_number_type!(&spec.dtype, T => {
            Ok(T::into_numbers(array.read_as::<T>(selection)?))
        })?;
        Dense::new([n_rows, n_columns], numbers)
    }

    /// Its numbers, in the order in which they were given.
    #[must_use]
    pub fn numbers(&self) -> &Numbers<'a> {
        &self.numbers
    }

    /// Its numbers, in the order in which they were given.
    #[must_use]
    pub fn into_numbers(self) -> Numbers<'a> {
        self.numbers
    }

    /// The type of its numbers.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.numbers.dtype()
    }

    /// How many rows and columns.
    #[must_use]
    pub fn lens(&self) -> [usize; 2] {
        self.lens
    }

    /// Where the element is among the numbers.
    fn position(&self, row: usize, column: usize) -> usize {
        let along = |axis: usize, at: usize| (at as isize).wrapping_mul(self.strides[axis]);
        self.first.wrapping_add_signed(along(0, row).wrapping_add(along(1, column)))
    }

    fn fill_from<S: Number, T: Number>(
        &self,
        numbers: &[S],
        [rows, columns]: [Range<usize>; 2],
        to: &mut Place<'_, T>,
    ) -> Result<()> {
        for (i, row) in rows.enumerate() {
            for (j, column) in columns.clone().enumerate() {
                let number = numbers.get(self.position(row, column)).copied().unwrap_or_default();
                let number = match T::from_wide(number.to_wide()) {
                    Some(number) => number,
                    None => return Err(no_room::<S, T>(number, [row, column])),
                };
                to.add(i, j, number);
            }
        }
        Ok(())
    }
}

#[cold]
fn no_room<S: Number, T: Number>(number: S, at: [usize; 2]) -> Error {
    Error::invalid(format!("element {at:?}: {number:?} is no number of type {}", T::DTYPE))
}

impl Fill for Dense<'_> {
    fn lens(&self) -> [usize; 2] {
        self.lens
    }

    fn fill<T: Number>(&self, ranges: [Range<usize>; 2], to: &mut Place<'_, T>) -> Result<()> {
        let [rows, columns] = ranges.clone();
        let Some(numbers) = T::of(&self.numbers) else {
            return with_numbers!(&self.numbers, numbers => self.fill_from(numbers, ranges, to));
        };
        if columns.is_empty() {
            return Ok(());
        }
        if self.strides[1] == 1 {
            for (i, row) in rows.enumerate() {
                let at = self.position(row, columns.start);
                to.set_row(i, 0, numbers.get(at..at + columns.len()).unwrap_or_default());
            }
            return Ok(());
        }
        // A few rows of all columns at a time, so that where they go stays in the cache.
        for block in (0..rows.len()).step_by(ROWS_OF_COLUMNS) {
            let within = block..rows.len().min(block + ROWS_OF_COLUMNS);
            for (j, column) in columns.clone().enumerate() {
                let mut at = self.position(rows.start + within.start, column);
                if self.strides[0] == 1 {
                    let part = numbers.get(at..at + within.len()).unwrap_or_default();
                    to.set_column(within.start, j, part);
                    continue;
                }
                for i in within.clone() {
                    to.add(i, j, numbers.get(at).copied().unwrap_or_default());
                    at = at.wrapping_add_signed(self.strides[0]);
                }
            }
        }
        Ok(())
    }

    fn major(&self) -> Axis {
        if self.strides[1].unsigned_abs() <= self.strides[0].unsigned_abs() {
            Axis::Rows
        } else {
            Axis::Columns
        }
    }
}

impl MatrixSource for Dense<'_> {
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
