//! Elements for a person at a terminal: what fits, with positions beside it, an ellipsis for what
//! is missing and a note that says so.

use stook::{Array, Values};

use super::layout::{Layout, unravel};
use super::plan::Plan;
use crate::error::{Failure, say};
use crate::output::{Ink, Output, cut, human_count, width};

/// Rows of a table, half of them from the beginning and half from the end.
const MOST_ROWS: u64 = 60;
/// Tables.
const MOST_TABLES: u64 = 6;
/// The columns of a terminal that one cell may take.
const MOST_WIDTH: usize = 40;

pub(super) fn write(
    array: &Array,
    plan: &Plan,
    (columns, _): (usize, usize),
    out: &mut Output,
) -> Result<(), Failure> {
    let dtype = array.dtype();
    let layout = Layout::new(plan, &dtype);
    if plan.shape.contains(&0) {
        say(&format!("note: the selection holds no elements: its shape is {:?}", plan.shape));
        return Ok(());
    }
    let picks = picks(plan, &layout, columns);
    let values = array.read(&plan.pick(&picks))?;
    let page = Page { layout: &layout, plan, picks: &picks, columns };
    let n_columns = page.write(&values, out)?;
    page.note(n_columns, out)
}

/// The elements that are shown along each axis that is kept.
fn picks(plan: &Plan, layout: &Layout<'_>, columns: usize) -> Vec<Vec<u64>> {
    let has_members = !layout.fields().is_empty();
    let n_kept = plan.shape.len();
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
            ends(len, MOST_ROWS)
        }
    };
    plan.shape.iter().enumerate().map(pick).collect()
}

struct Page<'a> {
    layout: &'a Layout<'a>,
    plan: &'a Plan,
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
        let kept: Vec<_> = self.plan.axes.iter().filter(|axis| axis.is_kept).collect();
        match (kept.get(self.layout.n_above), self.picks.get(self.layout.n_above)) {
            (Some(axis), Some(pick)) => pick.iter().map(|&i| axis.at(i)).collect(),
            _ => Vec::new(),
        }
    }

    fn table(&self, cells: &[String], out: &mut Output) -> Result<usize, Failure> {
        let positions = self.row_positions();
        let labels: Vec<String> = positions.iter().map(ToString::to_string).collect();
        let label_width = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let n_picked = if self.layout.fields().is_empty() && self.plan.shape.len() > 1 {
            self.picks.last().map_or(1, Vec::len)
        } else {
            usize::try_from(self.layout.n_columns).unwrap_or(1)
        };
        let mut headings = self.layout.headings();
        if headings.is_empty() && self.plan.shape.len() > 1 {
            let axis = self.plan.axes.iter().rfind(|axis| axis.is_kept);
            headings = axis.map_or_else(Vec::new, |axis| {
                (0..n_picked as u64).map(|i| axis.at(i).to_string()).collect()
            });
        }
        let cells: Vec<_> = cells.iter().map(|cell| cut(cell, MOST_WIDTH)).collect();
        let rows: Vec<_> = cells.chunks(n_picked.max(1)).collect();
        let widths: Vec<usize> = (0..n_picked)
            .map(|at| {
                let widest = rows
                    .iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| width(cell))
                    .max()
                    .unwrap_or(0);
                widest.max(headings.get(at).map_or(0, |heading| width(heading)))
            })
            .collect();
        let n_shown = self.n_fitting(label_width, &widths);
        let is_cut = (n_shown as u64) < self.layout.n_columns;
        let line = |row: &[String]| {
            let aligned =
                row.iter().zip(&widths).take(n_shown).enumerate().map(|(at, (cell, &to))| {
                    if self.layout.is_right(at) {
                        format!("{cell:>to$}")
                    } else {
                        format!("{cell:<to$}")
                    }
                });
            let mut line = aligned.collect::<Vec<_>>().join("  ");
            line.push_str(if is_cut { "  …" } else { "" });
            line.trim_end().to_owned()
        };
        let paint = out.paint;
        let gap = if labels.is_empty() { "" } else { "  " };
        if !headings.is_empty() {
            out.line(&format!(
                "{:label_width$}{gap}{}",
                "",
                paint.ink(Ink::Faint, &line(&headings))
            ))?;
        }
        for (at, row) in rows.iter().enumerate() {
            let is_gap = at > 0 && self.is_gap(at);
            if is_gap {
                out.line(&format!("{:>label_width$}", "⋮"))?;
            }
            let row: Vec<String> = row.iter().map(|cell| cell.to_string()).collect();
            let label = labels.get(at).map_or("", String::as_str);
            out.line(&format!(
                "{}{gap}{}",
                paint.ink(Ink::Faint, &format!("{label:>label_width$}")),
                line(&row)
            ))?;
        }
        Ok(n_shown)
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
