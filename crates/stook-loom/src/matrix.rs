//! Matrices that layers are filled from: dense or sparse, in memory or streamed.
//!
//! All of them go to an array tile by tile ([`store`](crate::source::MatrixSource::store)): a
//! sparse one is never dense but for the tiles at hand, which are encoded in parallel.

mod compressed;
mod coo;
mod dense;
mod indices;
mod numbers;
mod panel;
mod select;
mod store;
mod stored;
mod stream;

pub use compressed::Compressed;
pub use coo::Coo;
pub use dense::Dense;
pub use indices::Indices;
pub use numbers::{Number, Numbers, Variant, Wide};
pub use select::{Picked, copy_picked};
pub use store::{TileWriter, WriteOptions, Zeros};
pub use stream::{NextBlock, Stream};

pub(crate) use indices::{Index, with_indices};
pub(crate) use numbers::{no_numbers, numbers_of, whole_numbers, with_number_type, with_numbers};
pub(crate) use select::{Picks, run_of};
pub(crate) use store::{one_thread, threads_of, tile_of};
pub(crate) use stored::StoredSparse;

use stook::{Array, DType, Result};

use crate::source::MatrixSource;

/// A matrix in memory.
#[derive(Clone, Debug)]
pub enum Matrix<'a> {
    /// Every element.
    Dense(Dense<'a>),
    /// Nonzero elements, row by row (CSR) or column by column (CSC).
    Compressed(Compressed<'a>),
    /// Nonzero elements with their rows and columns, in any order (COO).
    Coo(Coo<'a>),
}

impl<'a> From<Dense<'a>> for Matrix<'a> {
    fn from(matrix: Dense<'a>) -> Self {
        Self::Dense(matrix)
    }
}

impl<'a> From<Compressed<'a>> for Matrix<'a> {
    fn from(matrix: Compressed<'a>) -> Self {
        Self::Compressed(matrix)
    }
}

impl<'a> From<Coo<'a>> for Matrix<'a> {
    fn from(matrix: Coo<'a>) -> Self {
        Self::Coo(matrix)
    }
}

impl Matrix<'_> {
    /// Its numbers: of a sparse one those that are listed.
    #[must_use]
    pub fn numbers(&self) -> &Numbers<'_> {
        match self {
            Self::Dense(matrix) => matrix.numbers(),
            Self::Compressed(matrix) => matrix.numbers(),
            Self::Coo(matrix) => matrix.numbers(),
        }
    }

    /// All elements, in C order, as numbers of `dtype`.
    ///
    /// # Errors
    /// `InvalidInput` for a number that it has no room for, `LimitExceeded`.
    pub fn to_dense(&self, dtype: &DType) -> Result<Dense<'static>> {
        let ranges = self.lens().map(|len| 0..len);
        with_number_type!(dtype, T => store::dense_of::<T>(self, ranges))
    }

    /// How many rows and columns.
    #[must_use]
    pub fn lens(&self) -> [usize; 2] {
        match self {
            Self::Dense(matrix) => matrix.lens(),
            Self::Compressed(matrix) => matrix.lens(),
            Self::Coo(matrix) => matrix.lens(),
        }
    }
}

/// Something that can give the elements of any box of it.
pub(crate) trait Fill: Sync {
    /// How many rows and columns it has.
    fn lens(&self) -> [usize; 2];

    /// Adds the elements of rows and columns `ranges` to a panel of zeros.
    fn fill<T: Number>(
        &self,
        ranges: [std::ops::Range<usize>; 2],
        to: &mut panel::Place<'_, T>,
    ) -> Result<()>;

    /// The axis along which it is best cut: the one that pieces are long across.
    fn major(&self) -> crate::Axis;
}

impl Fill for Matrix<'_> {
    fn lens(&self) -> [usize; 2] {
        Matrix::lens(self)
    }

    fn fill<T: Number>(
        &self,
        ranges: [std::ops::Range<usize>; 2],
        to: &mut panel::Place<'_, T>,
    ) -> Result<()> {
        match self {
            Self::Dense(matrix) => matrix.fill(ranges, to),
            Self::Compressed(matrix) => matrix.fill(ranges, to),
            Self::Coo(matrix) => matrix.fill(ranges, to),
        }
    }

    fn major(&self) -> crate::Axis {
        match self {
            Self::Dense(matrix) => matrix.major(),
            Self::Compressed(matrix) => matrix.major(),
            Self::Coo(matrix) => matrix.major(),
        }
    }
}

impl MatrixSource for Matrix<'_> {
    fn shape(&self) -> [u64; 2] {
        self.lens().map(|len| len as u64)
    }

    fn dtype(&self) -> DType {
        self.numbers().dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        match self {
            // Its elements are sorted first.
            Self::Coo(matrix) => matrix.store(target, at),
            _ => store::store(self, target, at, &options),
        }
    }
}
