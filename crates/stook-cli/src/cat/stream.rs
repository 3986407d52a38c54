//! Elements for programs: all of them, in bounded memory. Columns are aligned by what has been
//! seen so far, so a wider cell later may push its row to the right.

use std::io::{self, Write};

use super::layout::{Layout, unravel};
use super::source::Source;
use crate::error::Failure;
use crate::output::{Output, width};

/// Cells that are aligned together.
const CELLS_AT_ONCE: usize = 1 << 16;

pub(super) fn write(source: &Source<'_>, out: &mut Output) -> Result<(), Failure> {
    let layout = Layout::new(source);
    let mut page = Page::new(&layout, out);
    let mut cells = Vec::new();
    source.for_each_block::<Failure>(&mut |values| {
        for at in 0..values.len() {
            layout.cells(values.item(at).unwrap_or_default(), values.heap(), &mut cells)?;
            // Texts are larger than the items they come from.
            if cells.len() >= CELLS_AT_ONCE || at + 1 == values.len() {
                page.cells(&cells)?;
                cells.clear();
            }
        }
        Ok(())
    })
}

/// The page as it is written: a cell, a row, a table after the other.
struct Page<'a, 'l> {
    layout: &'a Layout<'l>,
    out: &'a mut Output,
    headings: Vec<String>,
    /// The widest cell of each member; of other dtypes, of all.
    widths: Vec<usize>,
    n_written: u64,
}

impl<'a, 'l> Page<'a, 'l> {
    fn new(layout: &'a Layout<'l>, out: &'a mut Output) -> Self {
        let headings = layout.headings();
        let widths = if headings.is_empty() {
            vec![0]
        } else {
            headings.iter().map(|name| width(name)).collect()
        };
        Self { layout, out, headings, widths, n_written: 0 }
    }

    fn cells(&mut self, cells: &[String]) -> io::Result<()> {
        let n_widths = self.widths.len();
        for (at, cell) in cells.iter().enumerate() {
            if let Some(widest) = self.widths.get_mut(at % n_widths) {
                *widest = (*widest).max(width(cell));
            }
        }
        for cell in cells {
            let column = self.n_written % self.layout.n_columns.max(1);
            if column == 0 {
                self.begin_row()?;
            }
            let is_last = column + 1 == self.layout.n_columns;
            self.cell(cell, usize::try_from(column).unwrap_or(usize::MAX), is_last)?;
            self.n_written += 1;
        }
        Ok(())
    }

    fn begin_row(&mut self) -> io::Result<()> {
        let row = self.n_written / self.layout.n_columns.max(1);
        let (table, row) = (row / self.layout.n_rows.max(1), row % self.layout.n_rows.max(1));
        if row > 0 {
            return Ok(());
        }
        if let Some(title) = self.layout.title(&unravel(table, self.layout.above())) {
            let gap = if table > 0 { "\n" } else { "" };
            writeln!(self.out, "{gap}{title}")?;
        }
        let headings = std::mem::take(&mut self.headings);
        for (at, heading) in headings.iter().enumerate() {
            self.cell(heading, at, at + 1 == headings.len())?;
        }
        self.headings = headings;
        Ok(())
    }

    fn cell(&mut self, cell: &str, column: usize, is_last: bool) -> io::Result<()> {
        let to = self.widths.get(column).or(self.widths.last()).copied().unwrap_or(0);
        let is_alone = self.layout.n_columns == 1;
        match self.layout.is_right(column) {
            _ if is_alone => write!(self.out, "{cell}")?,
            true => write!(self.out, "{cell:>to$}")?,
            false if is_last => write!(self.out, "{cell}")?,
            false => write!(self.out, "{cell:<to$}")?,
        }
        self.out.write_all(if is_last { b"\n" } else { b"  " })
    }
}
