//! What grows: the arrays of an open file with rows that are not stored yet.

use std::sync::Arc;

use stook_core::Result;

use crate::ragged::Ragged;
use crate::rows::Rows;

/// An array that grows, shared by all handles to it.
#[derive(Clone, Debug)]
pub(crate) enum Live {
    /// Rows of one shape.
    Rows(Arc<Rows>),
    /// Rows of different lengths.
    Ragged(Arc<Ragged>),
}

impl Live {
    /// Stores what was appended.
    pub(crate) fn settle(&self) -> Result<()> {
        match self {
            Self::Rows(rows) => rows.settle(),
            Self::Ragged(rows) => rows.settle(),
        }
    }

    /// The shape, with what is not stored yet.
    pub(crate) fn shape(&self) -> Vec<u64> {
        match self {
            Self::Rows(rows) => rows.shape(),
            Self::Ragged(rows) => vec![rows.n_rows()],
        }
    }

    /// The number of rows that its attribute must be told, if it has not been.
    pub(crate) fn untold(&self) -> Option<u64> {
        match self {
            Self::Rows(rows) => rows.untold(),
            Self::Ragged(rows) => rows.untold(),
        }
    }

    /// The attribute says `n_rows`.
    pub(crate) fn told(&self, n_rows: u64) {
        match self {
            Self::Rows(rows) => rows.told(n_rows),
            Self::Ragged(rows) => rows.told(n_rows),
        }
    }

    /// The node is removed or moved: handles to it append no more.
    pub(crate) fn end(&self) {
        match self {
            Self::Rows(rows) => rows.end(),
            Self::Ragged(rows) => rows.end(),
        }
    }

    /// Whether nobody but the file has a handle.
    pub(crate) fn is_let_go(&self) -> bool {
        match self {
            Self::Rows(rows) => Arc::strong_count(rows) == 1,
            Self::Ragged(rows) => Arc::strong_count(rows) == 1,
        }
    }
}
