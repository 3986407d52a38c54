//! The two axes of a loom.

use stook::{Error, Result};

/// An axis of a loom: rows are genes, columns are cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// Axis 0: genes.
    Rows,
    /// Axis 1: cells.
    Columns,
}

impl Axis {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::Rows, Self::Columns];

    /// The axis of that number: 0 or 1.
    ///
    /// # Errors
    /// `InvalidInput` for any other number.
    pub fn from_number(number: usize) -> Result<Self> {
        match number {
            0 => Ok(Self::Rows),
            1 => Ok(Self::Columns),
            other => Err(Error::invalid(format!("axis: expected 0 or 1, found {other}"))),
        }
    }

    /// Its number: 0 or 1.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::Rows => 0,
            Self::Columns => 1,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Rows => Self::Columns,
            Self::Columns => Self::Rows,
        }
    }

    /// Of a pair of things, the one of this axis.
    pub(crate) fn of<T: Copy>(self, pair: [T; 2]) -> T {
        let [rows, columns] = pair;
        match self {
            Self::Rows => rows,
            Self::Columns => columns,
        }
    }

    /// `pair` with `value` at this axis.
    pub(crate) fn with<T: Copy>(self, pair: [T; 2], value: T) -> [T; 2] {
        let [rows, columns] = pair;
        match self {
            Self::Rows => [value, columns],
            Self::Columns => [rows, value],
        }
    }

    /// What errors call one of its elements.
    pub(crate) fn word(self) -> &'static str {
        self.of(["row", "column"])
    }

    /// The group of its attributes.
    pub(crate) fn attributes(self) -> &'static str {
        self.of(["/row_attrs", "/col_attrs"])
    }

    /// The group of its graphs.
    pub(crate) fn graphs(self) -> &'static str {
        self.of(["/row_graphs", "/col_graphs"])
    }

    /// The group in which versions before 2 have its graphs.
    pub(crate) fn edges(self) -> &'static str {
        self.of(["/row_edges", "/col_edges"])
    }
}
