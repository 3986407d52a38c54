//! How elements lie on the page: tables of rows and columns, one for each slice of what has more
//! than two axes. Structs have a column for each member.

use stook::dtype::Field;
use stook::{DType, Result};

use super::cell;
use super::source::Source;

/// How elements lie on the page.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    source: &'a Source<'a>,
    dtype: &'a DType,
    /// How many of the kept axes are above the tables.
    pub(super) n_above: usize,
    /// The rows of a table.
    pub(super) n_rows: u64,
    /// The columns of a table.
    pub(super) n_columns: u64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        let (shape, dtype) = (source.shape(), &source.dtype);
        let last = shape.last().copied().unwrap_or(1);
        let (n_above, n_rows, n_columns) = match (dtype, shape.len()) {
            (DType::Struct(r#struct), rank) => {
                (rank.saturating_sub(1), last, r#struct.fields.len() as u64)
            }
            (_, 0 | 1) => (0, last, 1),
            (_, rank) => (rank - 2, shape.get(rank - 2).copied().unwrap_or(1), last),
        };
        Self { source, dtype, n_above, n_rows, n_columns }
    }

    /// The members of a struct.
    pub(super) fn fields(&self) -> &'a [Field] {
        match self.dtype {
            DType::Struct(r#struct) => &r#struct.fields,
            _ => &[],
        }
    }

    /// The names of the columns, where they have any.
    pub(super) fn headings(&self) -> Vec<String> {
        self.fields().iter().map(|field| field.name.clone()).collect()
    }

    /// Whether column `at` is aligned to the right.
    pub(super) fn is_right(&self, at: usize) -> bool {
        cell::is_number(self.fields().get(at).map_or(self.dtype, |field| &field.dtype))
    }

    /// Appends the cells of one item.
    pub(super) fn cells(&self, item: &[u8], heap: &[u8], cells: &mut Vec<String>) -> Result<()> {
        let is_alone = self.n_columns == 1;
        if !matches!(self.dtype, DType::Struct(_)) {
            cells.push(cell::text(self.dtype, item, heap, is_alone)?);
            return Ok(());
        }
        for field in self.fields() {
            let end = field.offset.saturating_add(field.dtype.item_size());
            let part = item.get(field.offset..end).unwrap_or_default();
            cells.push(cell::text(&field.dtype, part, heap, is_alone)?);
        }
        Ok(())
    }

    /// The heading of the table at `above`, in positions of the array: `[3, :, :]`. `None` where
    /// there is one table only.
    pub(super) fn title(&self, above: &[u64]) -> Option<String> {
        if self.n_above == 0 {
            return None;
        }
        let mut above = above.iter();
        let axes = self.source.parts.axes().iter().map(|axis| match axis.is_kept() {
            true => above.next().map_or_else(|| ":".to_owned(), |&i| axis.at(i).to_string()),
            false => axis.at(0).to_string(),
        });
        Some(format!("[{}]", axes.collect::<Vec<_>>().join(", ")))
    }

    /// The lengths of the axes above the tables.
    pub(super) fn above(&self) -> &'a [u64] {
        self.source.shape().get(..self.n_above).unwrap_or_default()
    }
}

/// The indices of number `flat` in C order.
pub(super) fn unravel(mut flat: u64, shape: &[u64]) -> Vec<u64> {
    let mut indices = vec![0; shape.len()];
    for (index, &len) in indices.iter_mut().zip(shape).rev() {
        *index = flat % len.max(1);
        flat /= len.max(1);
    }
    indices
}
