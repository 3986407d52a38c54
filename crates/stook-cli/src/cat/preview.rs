//! Elements for a person at a terminal: what fits, with positions beside it, an ellipsis for what
//! is missing and a note that says so.

use stook::{AxisSelection, Selection, Values};

use super::cell;
use super::layout::{Layout, unravel};
use super::source::Source;
use crate::error::{Failure, say};
use crate::output::{Ink, Output, cut, human_count, width};

/// Tables, and the rows of each where there are several.
const MOST_TABLES: u64 = 4;
const ROWS_OF_MANY: u64 = 8;
/// The rows of a single table on a terminal of no great height.
const LEAST_ROWS: u64 = 10;
/// Lines that are no rows: the command, the heading, the gap, the note, the prompt.
const OTHER_LINES: u64 = 5;
/// The columns of a terminal that one cell may take.
const MOST_WIDTH: usize = 40;
/// The columns of a terminal that a label may take.
const MOST_LABEL: usize = 24;

pub(super) fn write(
    source: &Source<'_>,
    terminal: (usize, usize),
    out: &mut Output,
) -> Result<(), Failure> {
    let layout = Layout::new(source);
    if source.shape().contains(&0) {
        say(&format!("note: the selection holds no elements: its shape is {:?}", source.shape()));
        return Ok(());
    }
    let picks = picks(source, &layout, terminal);
    let values = source.read(&source.parts.pick(&picks))?;
    let page = Page { layout: &layout, source, picks: &picks, columns: terminal.0 };
    let n_columns = page.write(&values, out)?;
    page.note(n_columns, out)
}

/// The elements that are shown along each axis that is kept: of rows and tables those at both
/// ends, of columns the first.
fn picks(
    source: &Source<'_>,
    layout: &Layout<'_>,
    (columns, lines): (usize, usize),
) -> Vec<Vec<u64>> {
    let is_one = layout.above().iter().all(|&len| len == 1);
    let most_rows = match is_one {
        true => (lines as u64).saturating_sub(OTHER_LINES).max(LEAST_ROWS),
        false => ROWS_OF_MANY,
    };
    let has_members = !layout.fields().is_empty();
    let n_kept = source.shape().len();
    let ends = |len: u64, most: u64| -> Vec<u64> {
        if len <= most {
            (0..len).collect()
        } else {
            (0..most.div_ceil(2)).chain(len - most / 2..len).collect()
        }
    };
    let mut tables = MOST_TABLES;
    let pick = |(at, &len): (usize, &u64)| {
        if at < layout.n_above {
            let picked = ends(len, tables.max(1));
            tables /= (picked.len() as u64).max(1);
            picked
        } else if at + 1 == n_kept && n_kept > 1 && !has_members {
            // A column takes three characters at least.
            (0..len.min(columns as u64 / 3)).collect()
        } else {
            ends(len, most_rows)
        }
    };
    source.shape().iter().enumerate().map(pick).collect()
}

struct Page<'a> {
    layout: &'a Layout<'a>,
    source: &'a Source<'a>,
    picks: &'a [Vec<u64>],
    /// The width of the terminal.
    columns: usize,
}

impl Page<'_> {
    /// Writes all tables; returns how many columns the narrowest shows.
    fn write(&self, values: &Values, out: &mut Output) -> Result<usize, Failure> {
        let above: Vec<u64> =
            self.picks.iter().take(self.layout.n_above).map(|pick| pick.len() as u64).collect();
        let n_tables = above.iter().product::<u64>();
        let n_items = values.len() / usize::try_from(n_tables).unwrap_or(1).max(1);
        let mut shown = usize::MAX;
        let mut cells = Vec::new();
        for table in 0..n_tables {
            let at: Vec<u64> = unravel(table, &above)
                .iter()
                .zip(self.picks)
                .map(|(&i, pick)| {
                    usize::try_from(i).ok().and_then(|i| pick.get(i)).copied().unwrap_or(0)
                })
                .collect();
            if let Some(title) = self.layout.title(&at) {
                let gap = if table > 0 { "\n" } else { "" };
                let title = format!("{gap}{}", out.paint.ink(Ink::Name, &title));
                out.line(&title)?;
            }
            cells.clear();
            let first = usize::try_from(table).unwrap_or(0) * n_items;
            for i in first..first + n_items {
                self.layout.cells(values.item(i).unwrap_or_default(), values.heap(), &mut cells)?;
            }
            shown = shown.min(self.table(&cells, out)?);
        }
        Ok(shown)
    }

    /// The positions of the rows in the array, where there are rows.
    fn row_positions(&self) -> Vec<u64> {
        let kept: Vec<_> = self.source.parts.axes().iter().filter(|axis| axis.is_kept()).collect();
        match (kept.get(self.layout.n_above), self.picks.get(self.layout.n_above)) {
            (Some(axis), Some(pick)) => pick.iter().map(|&i| axis.at(i)).collect(),
            _ => Vec::new(),
        }
    }

    /// The columns that are read: all members of structs, else as many as may fit.
    fn n_picked(&self) -> usize {
        match self.has_columns() {
            true => self.picks.last().map_or(1, Vec::len),
            false => usize::try_from(self.layout.n_columns).unwrap_or(1),
        }
    }

    /// Whether the last axis lies along the rows.
    fn has_columns(&self) -> bool {
        self.layout.fields().is_empty() && self.source.shape().len() > 1
    }

    /// The names of members, or what stands for the columns.
    fn headings(&self) -> Vec<String> {
        let axes = self.source.parts.axes().iter().enumerate();
        match axes.rev().find(|(_, axis)| axis.is_kept()) {
            Some((at, axis)) if self.has_columns() => {
                let positions: Vec<u64> = (0..self.n_picked() as u64).map(|i| axis.at(i)).collect();
                self.labels(at, &positions)
            }
            _ => self.layout.headings(),
        }
    }

    /// What stands for positions along an axis of the array: the values of the array beside it
    /// that has the name of the axis, where there is one, or else the positions.
    fn labels(&self, axis: usize, positions: &[u64]) -> Vec<String> {
        let values =
            self.coordinates(axis, positions).filter(|labels| labels.len() == positions.len());
        values.unwrap_or_else(|| positions.iter().map(ToString::to_string).collect())
    }

    fn coordinates(&self, axis: usize, positions: &[u64]) -> Option<Vec<String>> {
        let array = self.source.array();
        let spec = array.spec();
        let name = spec.dimension_names.as_ref()?.get(axis)?.as_deref()?;
        let path = array.path().parent()?.join(name).ok().filter(|path| path != array.path())?;
        let beside = array.file().array(path.as_str()).ok()?;
        if beside.shape() != [*spec.shape().get(axis)?] {
            return None;
        }
        let at = positions.iter().map(|&at| i64::try_from(at).unwrap_or(i64::MAX));
        let values = beside.read(&Selection::Axes(vec![AxisSelection::List(at.collect())])).ok()?;
        let label = |at| {
            let item = values.item(at).unwrap_or_default();
            let text = cell::text(values.dtype(), item, values.heap(), true).ok()?;
            Some(cut(&text, MOST_LABEL).into_owned())
        };
        (0..values.len()).map(label).collect()
    }

    /// The names of the axes of the table, where they have any: `y\x`.
    fn corner(&self) -> String {
        let spec = self.source.array().spec();
        let names = spec.dimension_names.as_deref().unwrap_or_default();
        let axes = self.source.parts.axes().iter().enumerate();
        let kept = axes.filter(|(_, axis)| axis.is_kept()).map(|(at, _)| at);
        let of_table: Vec<_> =
            kept.skip(self.layout.n_above).map(|at| names.get(at).cloned().flatten()).collect();
        if of_table.iter().all(Option::is_none) {
            return String::new();
        }
        let names = of_table.into_iter().map(|name| name.unwrap_or_else(|| "·".to_owned()));
        names.collect::<Vec<_>>().join("\\")
    }

    /// Writes a table; returns how many columns it shows.
    fn table(&self, cells: &[String], out: &mut Output) -> Result<usize, Failure> {
        let positions = self.row_positions();
        let kept = self.source.parts.axes().iter().enumerate().filter(|(_, axis)| axis.is_kept());
        let rows = kept.map(|(at, _)| at).nth(self.layout.n_above);
        let labels = rows.map_or_else(Vec::new, |axis| self.labels(axis, &positions));
        let corner = self.corner();
        let label_width = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let label_width = label_width.max(width(&corner));
        let headings = self.headings();
        let cells: Vec<_> = cells.iter().map(|cell| cut(cell, MOST_WIDTH)).collect();
        let n_picked = self.n_picked().max(1);
        let mut widths = vec![0; n_picked];
        for (at, cell) in headings
            .iter()
            .map(String::as_str)
            .enumerate()
            .chain(cells.iter().enumerate().map(|(at, cell)| (at % n_picked, cell.as_ref())))
        {
            if let Some(widest) = widths.get_mut(at) {
                *widest = (*widest).max(width(cell));
            }
        }
        widths.truncate(self.n_fitting(label_width, &widths));
        let paint = out.paint;
        let gap = if labels.is_empty() { "" } else { "  " };
        if !headings.is_empty() {
            let headings = self.line(headings.iter().map(String::as_str), &widths);
            let headings = format!("{corner:label_width$}{gap}{headings}");
            out.line(&paint.ink(Ink::Faint, &headings))?;
        }
        for (at, row) in cells.chunks(n_picked).enumerate() {
            if at > 0 && self.is_gap(at) {
                out.line(&format!("{:>label_width$}", "⋮"))?;
            }
            let label = format!("{:>label_width$}", labels.get(at).map_or("", String::as_str));
            let row = self.line(row.iter().map(AsRef::as_ref), &widths);
            out.line(&format!("{}{gap}{row}", paint.ink(Ink::Faint, &label)))?;
        }
        Ok(widths.len())
    }

    /// The cells of a row that have a width, aligned.
    fn line<'t>(&self, row: impl Iterator<Item = &'t str>, widths: &[usize]) -> String {
        let aligned = row.zip(widths).enumerate().map(|(at, (cell, &to))| {
            if self.layout.is_right(at) { format!("{cell:>to$}") } else { format!("{cell:<to$}") }
        });
        let mut line = aligned.collect::<Vec<_>>().join("  ");
        if (widths.len() as u64) < self.layout.n_columns {
            line.push_str("  …");
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Whether rows are missing before row `at`.
    fn is_gap(&self, at: usize) -> bool {
        let pick = self.picks.get(self.layout.n_above).map(Vec::as_slice).unwrap_or_default();
        matches!((pick.get(at - 1), pick.get(at)), (Some(a), Some(b)) if a + 1 != *b)
    }

    fn n_fitting(&self, label_width: usize, widths: &[usize]) -> usize {
        let mut used = label_width + 1;
        let fitting = widths.iter().take_while(|&&width| {
            used += width + 2;
            // Room for the ellipsis.
            used + 2 < self.columns
        });
        fitting.count().max(1).min(widths.len())
    }

    /// Says what is missing.
    fn note(&self, n_columns: usize, out: &mut Output) -> Result<(), Failure> {
        let layout = self.layout;
        let mut parts = Vec::new();
        let of = |shown: u64, all: u64, what: &str| {
            (shown < all).then(|| format!("{} of {} {what}", human_count(shown), human_count(all)))
        };
        let tables =
            |lens: &mut dyn Iterator<Item = u64>| lens.fold(1_u64, |n, len| n.saturating_mul(len));
        let shown =
            tables(&mut self.picks.iter().take(layout.n_above).map(|pick| pick.len() as u64));
        parts.extend(of(shown, tables(&mut layout.above().iter().copied()), "slices"));
        let rows = self.picks.get(layout.n_above).map_or(1, |pick| pick.len() as u64);
        parts.extend(of(rows, layout.n_rows, "rows"));
        parts.extend(of(n_columns as u64, layout.n_columns, "columns"));
        if !parts.is_empty() {
            std::io::Write::flush(out)?;
            say(&format!("note: {} are shown; pipe the output to see all", parts.join(", ")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook::{DType, File, Values};

    /// What a terminal shows of an array of `shape` that counts its elements.
    fn shown(shape: &[u64], selection: &str, terminal: (usize, usize)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a.zarr")).unwrap();
        let builder = file.root_group().unwrap().array("a").dtype(DType::Int32).shape(shape);
        let array = builder.create().unwrap();
        let n: u64 = shape.iter().product();
        let items: Vec<i32> = (0..i32::try_from(n).unwrap()).collect();
        array.write_elements(&Selection::All, shape, &items).unwrap();
        let selection = Selection::parse(selection).unwrap();
        let picked = crate::selection::Picked { selection, member: None };
        let source = Source::new(&array, &picked, 1 << 20).unwrap();
        Output::capture(terminal, |out| write(&source, terminal, out).unwrap())
    }

    #[test]
    fn what_fits_is_whole() {
        insta::assert_snapshot!(shown(&[2, 3], "", (80, 24)), @"
           0  1  2
        0  0  1  2
        1  3  4  5
        ");
        insta::assert_snapshot!(shown(&[3], "::-1", (80, 24)), @"
        2  2
        1  1
        0  0
        ");
        insta::assert_snapshot!(shown(&[], "", (80, 24)), @"0");
    }

    #[test]
    fn axes_that_have_names_are_named() {
        let file = File::in_memory().unwrap();
        let builder = file.root_group().unwrap().array("a").dtype(DType::Int8).shape([2, 2]);
        let array = builder.dimension_names(["time", "x"]).create().unwrap();
        let source = Source::new(&array, &crate::selection::Picked::default(), 1 << 20).unwrap();
        let shown = Output::capture((80, 24), |out| write(&source, (80, 24), out).unwrap());
        insta::assert_snapshot!(shown, @r"
        time\x  0  1
             0  0  0
             1  0  0
        ");
        // Arrays that have the names of axes say what stands at their positions.
        let days = file.root_group().unwrap().array("time").dtype(DType::string()).shape([2]);
        let names = Values::from_strings(vec![2], &["Monday", "Tuesday"]).unwrap();
        days.create().unwrap().write(&Selection::All, &names).unwrap();
        let shown = Output::capture((80, 24), |out| write(&source, (80, 24), out).unwrap());
        insta::assert_snapshot!(shown, @r"
        time\x   0  1
         Monday  0  0
        Tuesday  0  0
        ");
    }

    #[test]
    fn rows_are_cut_in_the_middle_and_columns_at_the_end() {
        insta::assert_snapshot!(shown(&[100, 100], "::2, 1::3", (30, 10)), @"
               1     4     7    10  …
         0     1     4     7    10  …
         2   201   204   207   210  …
         4   401   404   407   410  …
         6   601   604   607   610  …
         8   801   804   807   810  …
         ⋮
        90  9001  9004  9007  9010  …
        92  9201  9204  9207  9210  …
        94  9401  9404  9407  9410  …
        96  9601  9604  9607  9610  …
        98  9801  9804  9807  9810  …
        ");
    }

    #[test]
    fn of_many_slices_both_ends_are_shown() {
        insta::assert_snapshot!(shown(&[9, 2, 2, 2], "3:, 1", (80, 24)), @"
        [3, 1, :, :]
            0   1
        0  28  29
        1  30  31

        [4, 1, :, :]
            0   1
        0  36  37
        1  38  39

        [7, 1, :, :]
            0   1
        0  60  61
        1  62  63

        [8, 1, :, :]
            0   1
        0  68  69
        1  70  71
        ");
    }
}
