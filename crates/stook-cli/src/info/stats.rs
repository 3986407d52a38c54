//! `stook info --stats`: what there is to know of elements, in a table and as JSON.

mod json;

use indicatif::ProgressBar;
use serde_json::json;
use stook::stats::{FieldStats, Histogram, Scalar, Stats, StatsOptions, Summary, stats};
use stook::{Array, DType, File, Link, NodeKind, NodePath, Result, Selection, walk};

use crate::cli::InfoArgs;
use crate::error::Failure;
use crate::numbers;
use crate::output::{Ink, Output, cut, human_count, pad, width};
use crate::progress;
use crate::time;
pub(super) use json::fields_json;

/// The columns that a histogram takes.
const SPARK_WIDTH: usize = 24;
/// And where there is little room.
const LEAST_SPARK: usize = 10;
/// Names are not cut to fewer columns than this.
const LEAST_NAME: usize = 20;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What there is to know of the elements of an array.
pub(super) fn of_array(array: &Array, selection: Selection, args: &InfoArgs) -> Result<Stats> {
    let bar = progress::bar(args.json);
    let parts = stook::Parts::new(&selection, &array.spec());
    let item = array.spec().dtype.item_size() as u64;
    bar.set_length(parts.map_or(0, |parts| parts.n_elements().saturating_mul(item)));
    let found = look(array, selection, args, &bar);
    bar.finish_and_clear();
    found
}

fn look(array: &Array, selection: Selection, args: &InfoArgs, bar: &ProgressBar) -> Result<Stats> {
    bar.set_message(array.path().to_string());
    let mut on_bytes = |len| {
        bar.inc(len);
        Ok(())
    };
    let mut options = StatsOptions {
        selection,
        memory_len_bytes: args.means.memory,
        progress: Some(&mut on_bytes),
    };
    stats(array, &mut options)
}

/// A line for each array of a file, or for each of its members.
pub(super) fn of_file(file: &File, args: &InfoArgs, out: &mut Output) -> Result<(), Failure> {
    let mut arrays = Vec::new();
    walk(file, &NodePath::root(), &mut |visit| {
        let is_array = visit.child.kind == Some(NodeKind::Array)
            && visit.child.link == Link::Hard
            && visit.seen_at.is_none();
        if is_array {
            arrays.push(visit.path.clone());
        }
        Ok(true)
    })?;
    let bar = progress::bar(args.json);
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    let mut n_failed = 0_u64;
    for path in arrays {
        let found = file.array(path.as_str()).and_then(|array| {
            bar.inc_length(array.spec().n_bytes());
            look(&array, Selection::All, args, &bar)
        });
        match found {
            Ok(found) => {
                rows.extend(table_rows(path.as_str(), &found));
                documents.push(json::to_json(path.as_str(), &found));
            }
            Err(error) => {
                n_failed += 1;
                let text = format!("! {}: {}", error.kind().as_str(), error.message());
                rows.push(Row { name: path.to_string(), note: text, ..Row::default() });
                documents.push(json!({
                    "path": path.as_str(),
                    "error": { "kind": error.kind().as_str(), "message": error.message() },
                }));
            }
        }
    }
    bar.finish_and_clear();
    if args.json {
        out.json(&json!({ "file": file.path().to_string_lossy(), "arrays": documents }))?;
    } else {
        table(&rows, out)?;
    }
    if n_failed == 0 { Ok(()) } else { Err(Failure::Said) }
}

/// The lines below the description of an array.
pub(super) fn write(found: &Stats, out: &mut Output) -> Result<(), Failure> {
    match &found.fields[..] {
        [FieldStats { name, dtype, summary }] if name.is_empty() => {
            let fields = fields(dtype, summary);
            let heading = format!("{} elements", human_count(found.n));
            let heading = out.paint.ink(Ink::Name, &heading).into_owned();
            out.line(&heading)?;
            Ok(out.fields(&fields)?)
        }
        _ => {
            let heading = format!("{} elements", human_count(found.n));
            let heading = out.paint.ink(Ink::Name, &heading).into_owned();
            out.line(&heading)?;
            table(&table_rows("", found), out)
        }
    }
}

fn fields(dtype: &DType, summary: &Summary) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut say = |label: &str, text: String| fields.push((format!("  {label}"), text));
    match summary {
        Summary::Numbers(numbers) | Summary::Magnitudes(numbers) => {
            let of = if matches!(summary, Summary::Magnitudes(_)) {
                "magnitude"
            } else {
                dtype_note(dtype)
            };
            if !of.is_empty() {
                say("of", of.to_owned());
            }
            let show = |x: Option<Scalar>| x.map_or("none".to_owned(), |x| scalar(dtype, x));
            let round = |x: Option<f64>| x.map_or("none".to_owned(), numbers::brief);
            say("min", show(numbers.min));
            say("max", show(numbers.max));
            say("mean", round(numbers.mean()));
            say("std", round(numbers.std()));
            if numbers.n > 0 {
                say("sum", scalar(&DType::Float64, numbers.sum()));
            }
            say("nonzero", share(numbers.n_nonzero, numbers.n));
            if numbers.n_nan > 0 {
                say("NaN", share(numbers.n_nan, numbers.n));
            }
            let (above, below) = (numbers.n_positive_infinite, numbers.n_negative_infinite);
            if above + below > 0 {
                say(
                    "infinite",
                    format!(
                        "{} (inf {}, -inf {})",
                        share(above + below, numbers.n),
                        human_count(above),
                        human_count(below)
                    ),
                );
            }
            if numbers.histogram.counts().len() > 1 {
                say("spread", spark(&numbers.histogram, SPARK_WIDTH));
            }
        }
        Summary::Bools { n, n_true } => {
            say("true", share(*n_true, *n));
            say("false", share(n - n_true, *n));
        }
        Summary::Times { n, n_nat, range } => {
            let show = |x: Option<i64>| x.map_or("none".to_owned(), |x| moment(dtype, x));
            say("min", show(range.map(|(min, _)| min)));
            say("max", show(range.map(|(_, max)| max)));
            say("NaT", share(*n_nat, *n));
        }
        Summary::Texts(texts) => {
            let (shortest, longest) = texts.lengths.unwrap_or((0, 0));
            say("shortest", format!("{} {}", human_count(shortest), length_unit(dtype)));
            say("longest", format!("{} {}", human_count(longest), length_unit(dtype)));
            say("empty", share(texts.n_empty, texts.n));
            say("distinct", texts.n_distinct().map_or("65,536 or more".to_owned(), human_count));
        }
        Summary::Raw { n, n_nonzero } => say("nonzero", share(*n_nonzero, *n)),
        _ => {}
    }
    fields
}

fn dtype_note(dtype: &DType) -> &'static str {
    if matches!(dtype, DType::Enum(_)) { "the numbers that names stand for" } else { "" }
}

fn length_unit(dtype: &DType) -> &'static str {
    match dtype {
        DType::Bytes => "bytes",
        DType::Sequence(_) => "items",
        _ => "characters",
    }
}

fn share(n: u64, of: u64) -> String {
    if of == 0 || n == 0 {
        return human_count(n);
    }
    let percent = n as f64 / of as f64 * 100.0;
    // What is not all must not look like it.
    let percent = if n < of { percent.min(99.9) } else { percent };
    match percent {
        p if p < 0.1 => format!("{} (below 0.1 %)", human_count(n)),
        p if p >= 100.0 => format!("{} (all)", human_count(n)),
        p => format!("{} ({p:.1} %)", human_count(n)),
    }
}

/// A row of the table of arrays or members.
#[derive(Default)]
struct Row {
    name: String,
    dtype: String,
    n: String,
    min: String,
    max: String,
    mean: String,
    std: String,
    nonzero: String,
    nan: String,
    histogram: Option<Histogram>,
    /// What other kinds of values have, and what is left to say of numbers.
    note: String,
}

const HEADINGS: [&str; 9] =
    ["", "dtype", "elements", "min", "max", "mean", "std", "nonzero", "NaN"];

impl Row {
    fn cells(&self) -> [&str; 9] {
        [
            &self.name,
            &self.dtype,
            &self.n,
            &self.min,
            &self.max,
            &self.mean,
            &self.std,
            &self.nonzero,
            &self.nan,
        ]
    }
}

fn table_rows(path: &str, found: &Stats) -> Vec<Row> {
    let row = |field: &FieldStats| {
        let name = match (path, field.name.as_str()) {
            (path, "") => path.to_owned(),
            ("", name) => name.to_owned(),
            (path, name) => format!("{path} .{name}"),
        };
        let dtype = crate::describe::dtype_brief(&field.dtype);
        let mut row = Row { name, dtype, n: human_count(found.n), ..Row::default() };
        fill(&mut row, &field.dtype, &field.summary);
        row
    };
    found.fields.iter().map(row).collect()
}

fn fill(row: &mut Row, dtype: &DType, summary: &Summary) {
    match summary {
        Summary::Numbers(numbers) | Summary::Magnitudes(numbers) => {
            let show = |x: Option<Scalar>| x.map_or(String::new(), |x| brief(dtype, x));
            (row.min, row.max) = (show(numbers.min), show(numbers.max));
            row.mean = numbers.mean().map_or(String::new(), numbers::brief);
            row.std = numbers.std().map_or(String::new(), numbers::brief);
            row.n = human_count(numbers.n);
            row.nonzero = human_count(numbers.n_nonzero);
            row.nan = if numbers.n_nan > 0 { human_count(numbers.n_nan) } else { String::new() };
            row.histogram = Some(numbers.histogram.clone());
            let n_infinite = numbers.n_positive_infinite + numbers.n_negative_infinite;
            if n_infinite > 0 {
                row.note = format!("  {} infinite", human_count(n_infinite));
            }
        }
        Summary::Bools { n, n_true } => {
            row.n = human_count(*n);
            row.nonzero = human_count(*n_true);
        }
        Summary::Times { n, n_nat, range } => {
            row.n = human_count(*n);
            row.min = range.map_or(String::new(), |(min, _)| moment(dtype, min));
            row.max = range.map_or(String::new(), |(_, max)| moment(dtype, max));
            row.nan = if *n_nat > 0 { human_count(*n_nat) } else { String::new() };
        }
        Summary::Texts(texts) => {
            row.n = human_count(texts.n);
            if let Some((shortest, longest)) = texts.lengths {
                let distinct = texts.n_distinct().map_or("many".to_owned(), human_count);
                let unit = length_unit(dtype);
                row.note = format!("{distinct} distinct, {shortest} to {longest} {unit}");
            }
        }
        Summary::Raw { n, n_nonzero } => {
            row.n = human_count(*n);
            row.nonzero = human_count(*n_nonzero);
        }
        _ => {}
    }
}

fn table(rows: &[Row], out: &mut Output) -> Result<(), Failure> {
    let mut widths = HEADINGS.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row.cells()) {
            *widest = (*widest).max(width(cell));
        }
    }
    // A column that all leave empty is left out.
    let is_used: Vec<bool> =
        (0..HEADINGS.len()).map(|at| rows.iter().any(|row| !row.cells()[at].is_empty())).collect();
    let mut room = usize::MAX;
    if let Some((columns, _)) = out.terminal {
        // Names and histograms give way where lines would not fit, as far as they can.
        let used = widths.iter().zip(&is_used).filter(|(_, is_used)| **is_used);
        let others = used.skip(1).map(|(width, _)| width + 2).sum::<usize>() + 2;
        if let Some(name) = widths.first_mut() {
            let most = columns.saturating_sub(others + LEAST_SPARK + 3).max(LEAST_NAME);
            *name = (*name).min(most);
            room = columns.saturating_sub(others + *name + 1);
        }
    }
    let line = |cells: [&str; 9], note: &str| {
        let cells = cells.iter().zip(widths).zip(&is_used).enumerate();
        let cells = cells.filter(|(_, (_, is_used))| **is_used);
        let aligned = cells.map(|(at, ((cell, to), _))| match at {
            0 => pad(&cut_left(cell, to), to),
            1 => pad(cell, to),
            _ => format!("{cell:>to$}"),
        });
        let mut line = aligned.collect::<Vec<_>>().join("  ");
        line.push_str("  ");
        line.push_str(&cut(note, room));
        line.truncate(line.trim_end().len());
        line
    };
    let headings = line(HEADINGS, "spread");
    let headings = out.paint.ink(Ink::Faint, &headings).into_owned();
    out.line(&headings)?;
    for row in rows {
        let spark_width = room.saturating_sub(2).clamp(LEAST_SPARK, SPARK_WIDTH);
        let spread = row.histogram.as_ref().map(|histogram| spark(histogram, spark_width));
        let note = format!("{}{}", spread.unwrap_or_default(), row.note);
        out.line(&line(row.cells(), &note))?;
    }
    Ok(())
}

/// The end of `text`: where paths differ.
fn cut_left(text: &str, to: usize) -> String {
    match width(text).checked_sub(to) {
        None | Some(0) => text.to_owned(),
        Some(surplus) => {
            let end: String = text.chars().skip(surplus + 1).collect();
            format!("…{end}")
        }
    }
}

/// A histogram in a line: the tallest bar is the fullest column, and no bar at all an empty one.
fn spark(histogram: &Histogram, n_columns: usize) -> String {
    let columns = histogram.columns(n_columns);
    let most = columns.iter().copied().fold(0.0, f64::max);
    if columns.len() < 2 || most <= 0.0 {
        return String::new();
    }
    let bar = |count: &f64| {
        if *count <= 0.0 {
            return ' ';
        }
        let height = (count / most * BARS.len() as f64).ceil() as usize;
        BARS.get(height.clamp(1, BARS.len()) - 1).copied().unwrap_or(' ')
    };
    // A frame, so that empty ends are seen.
    format!("▕{}▏", columns.iter().map(bar).collect::<String>())
}

/// A number as it was stored.
fn scalar(dtype: &DType, x: Scalar) -> String {
    match x {
        Scalar::Integer(n) => n.to_string(),
        Scalar::Float(x) if *dtype == DType::Float32 || *dtype == DType::Complex64 => {
            format!("{:?}", x as f32)
        }
        Scalar::Float(x) => format!("{x:?}"),
    }
}

/// The same, where there is little room.
fn brief(dtype: &DType, x: Scalar) -> String {
    let whole = scalar(dtype, x);
    match x {
        Scalar::Float(x) if whole.len() > 10 => numbers::brief(x),
        _ => whole,
    }
}

fn moment(dtype: &DType, count: i64) -> String {
    match dtype {
        DType::DateTime(unit) => time::date_time(count, *unit),
        DType::TimeDelta(unit) => time::span(count, *unit),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_exaggerate() {
        let shown =
            [(0, 5), (5, 5), (1, 3), (99_999, 100_000), (1, 100_000)].map(|(n, of)| share(n, of));
        assert_eq!(shown, ["0", "5 (all)", "1 (33.3 %)", "99,999 (99.9 %)", "1 (below 0.1 %)"]);
    }
}
