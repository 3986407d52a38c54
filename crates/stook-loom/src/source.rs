//! What the layers of a loom are filled from.

use std::fmt::Debug;

use stook::{Array, DType, Result};

/// A matrix that can put itself into an array, a part at a time: whatever it is (dense, sparse,
/// computed), nothing of its whole size need ever be in memory.
pub trait MatrixSource: Debug + Sync {
    /// Its rows and columns.
    fn shape(&self) -> [u64; 2];

    /// The type of its numbers, which a layer made from it has.
    fn dtype(&self) -> DType;

    /// Writes all of it into `target`, from the row and column `at` on, converted to the type of
    /// that. What lies there was never written, and reads as zero: zeros may be left out.
    ///
    /// # Errors
    /// `InvalidInput` for a value that the type of `target` has no room for, what writing gives.
    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()>;
}
