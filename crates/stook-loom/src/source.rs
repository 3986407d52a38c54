//! What the layers of a loom are filled from.

use std::fmt::Debug;

use stook::{Array, AxisSelection, DType, Error, Result, Selection, Values, View};

use crate::items;

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

/// The selection of a block of a matrix.
pub(crate) fn block(at: [u64; 2], shape: [u64; 2]) -> Result<Selection> {
    let range = |at: u64, len: u64| {
        let end = at.checked_add(len).ok_or_else(|| Error::limit("the shape overflows"))?;
        Ok(AxisSelection::range(at, end))
    };
    let ([row, column], [n_rows, n_columns]) = (at, shape);
    Ok(Selection::Axes(vec![range(row, n_rows)?, range(column, n_columns)?]))
}

/// The shape of something with two axes.
///
/// # Errors
/// `InvalidInput` where it has more or fewer.
pub(crate) fn matrix_shape(shape: &[u64]) -> Result<[u64; 2]> {
    <[u64; 2]>::try_from(shape).map_err(|_| {
        Error::invalid(format!("expected a matrix of two axes, found shape {shape:?}"))
    })
}

/// Rows of a matrix in memory that are converted at once.
const CONVERTED_LEN_BYTES: usize = 16 << 20;

impl MatrixSource for Values {
    fn shape(&self) -> [u64; 2] {
        // One that is no matrix is refused by who asks for a source.
        matrix_shape(Values::shape(self)).unwrap_or([0, 0])
    }

    fn dtype(&self) -> DType {
        Values::dtype(self).clone()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let [n_rows, n_columns] = matrix_shape(Values::shape(self))?;
        if n_rows == 0 || n_columns == 0 {
            return Ok(());
        }
        let to = target.dtype();
        if *Values::dtype(self) == to {
            return target.write(&block(at, [n_rows, n_columns])?, self);
        }
        let row_len = self.items().len() / usize::try_from(n_rows).unwrap_or(1).max(1);
        let many = (CONVERTED_LEN_BYTES / row_len.max(1)).max(1);
        let mut row = at[0];
        for part in self.items().chunks(many * row_len.max(1)) {
            let rows = (part.len() / row_len.max(1)) as u64;
            let items = items::cast_items(Values::dtype(self), part, &to)
                .map_err(|error| error.at_node(target.path()))?;
            let view = View::new(&items, &[rows, n_columns], to.item_size(), &[])?;
            target.write_from(&block([row, at[1]], [rows, n_columns])?, &view)?;
            row += rows;
        }
        Ok(())
    }
}
