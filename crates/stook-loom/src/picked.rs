//! A layer with rows and columns picked and put into another order: what new layers are copied
//! from, a band at a time.

use std::borrow::Cow;

use stook::{Array, AxisSelection, DType, Result};

use crate::axis::Axis;
use crate::matrix::{self, WriteOptions, Zeros, copy_picked};
use crate::source::{MatrixSource, matrix_shape};

/// Which elements of an axis are picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picks {
    /// All, in their order; how many there are.
    All(u64),
    /// Those at these positions.
    List(Vec<u64>),
}

impl Picks {
    /// How many are picked.
    #[must_use]
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::All(len) => *len,
            Self::List(list) => list.len() as u64,
        }
    }

    /// The positions.
    #[must_use]
    pub(crate) fn positions(&self) -> Vec<u64> {
        match self {
            Self::All(len) => (0..*len).collect(),
            Self::List(list) => list.clone(),
        }
    }

    /// The positions, unless they are all of an axis of length `len`.
    fn list(&self, len: u64) -> Option<Cow<'_, [u64]>> {
        match self {
            // An array that is copied into itself has grown since.
            Self::All(n) => (*n != len).then(|| (0..*n).collect()),
            Self::List(list) => Some(Cow::Borrowed(list)),
        }
    }
}

/// Positions as a selection.
pub(crate) fn list(positions: &[u64]) -> AxisSelection {
    let index = |&at: &u64| i64::try_from(at).unwrap_or(i64::MAX);
    AxisSelection::List(positions.iter().map(index).collect())
}

/// An array with rows and columns picked, as the source of a layer. About `budget_len_bytes` of it
/// are in memory at once.
#[derive(Clone, Debug)]
pub(crate) struct Picked {
    array: Array,
    picks: [Picks; 2],
    budget_len_bytes: usize,
}

impl Picked {
    /// The elements of `array`, which has two axes, in the rows and columns of `picks`.
    ///
    /// # Errors
    /// `InvalidInput` where there are not two axes, or a position is out of bounds.
    pub(crate) fn new(array: Array, picks: [Picks; 2], budget_len_bytes: usize) -> Result<Self> {
        let shape = matrix_shape(&array.shape())?;
        for axis in Axis::BOTH {
            let [rows, columns] = &picks;
            let (picks, len) = (axis.of([rows, columns]), axis.of(shape));
            let word = axis.word();
            let is_out = match picks {
                Picks::All(n) => *n != len,
                Picks::List(list) => list.iter().any(|&at| at >= len),
            };
            if is_out {
                let message = format!("a {word} is picked that is none of {len}");
                return Err(stook::Error::invalid(message).at_node(array.path()));
            }
        }
        Ok(Self { array, picks, budget_len_bytes })
    }

    /// All of `array`.
    ///
    /// # Errors
    /// As [`Picked::new`].
    pub(crate) fn all(array: Array, budget_len_bytes: usize) -> Result<Self> {
        let [rows, columns] = matrix_shape(&array.shape())?;
        Self::new(array, [Picks::All(rows), Picks::All(columns)], budget_len_bytes)
    }
}

impl MatrixSource for Picked {
    fn shape(&self) -> [u64; 2] {
        let [rows, columns] = &self.picks;
        [rows.len(), columns.len()]
    }

    fn dtype(&self) -> DType {
        self.array.dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let ([rows, columns], [n_rows, n_columns]) =
            (&self.picks, matrix_shape(&self.array.shape())?);
        let (rows, columns) = (rows.list(n_rows), columns.list(n_columns));
        let picked = matrix::Picked { rows: rows.as_deref(), columns: columns.as_deref() };
        let options = WriteOptions::new().memory_len_bytes(self.budget_len_bytes as u64);
        copy_picked(&self.array, picked, target, at, &options.zeros(Zeros::Skipped))
    }
}
