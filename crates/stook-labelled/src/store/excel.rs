//! Sessions as Excel workbooks: a sheet an array, `__metadata__` first.
//!
//! Sheets have the layout of [`super::table`]; index cells that larray merged are filled down. What
//! a sheet cannot say is kept in `<file>.stook.json` beside the workbook, if that is asked for, with
//! the checksum of the workbook that it is of: it counts for no other. Characters that Excel refuses in
//! names of sheets are `_` there; an array has its own name again by what is kept of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use calamine::{Data, Range, Reader as _, Xlsx};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use stook_core::file::write_atomic;
use stook_core::{Durability, Error, ErrorKind, Limits, Result};

use super::sidecar::{self, Sidecar};
use super::table::{self, Cell, Grid, MOMENT, Table};
use crate::Array;
use crate::item::Item;
use crate::metadata::Metadata;
use crate::scalar::{Date, Scalar, Time};
use crate::session::{LoadReport, NotKept, SaveOptions, SaveReport, Session, TableLayout};

const METADATA: &str = "__metadata__";
/// Excel's longest name of a sheet, in units of UTF-16.
const LONGEST: usize = 31;

/// Loads the sheets called `names`, or all, in their order.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    layout: TableLayout,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let bytes = sidecar::bytes(path, limits.chunk_len_bytes)?;
    let crc = crc32c::crc32c(&bytes);
    let broken = |error| broken(error).at_file(path);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let (mut session, mut report) = (Session::new(), LoadReport::default());
    let kept = sidecar::read(&beside(path), limits)?.filter(|kept| kept.is_of(crc));
    let renamed = kept.as_ref().map(renamed).unwrap_or_default();
    let name_of = |sheet: &str| renamed.get(sheet).map_or(sheet, String::as_str).to_owned();
    let names: Option<Vec<String>> =
        names.map(|names| names.iter().map(|name| name_of(name)).collect());
    let all = book.sheet_names();
    for sheet_name in &all {
        let name = name_of(sheet_name);
        let is_wanted = names.as_ref().is_none_or(|names| names.contains(&name));
        if sheet_name != METADATA && !is_wanted {
            continue;
        }
        let range = book.worksheet_range(sheet_name).map_err(broken)?;
        let sheet = Sheet::new(range, layout, limits)
            .map_err(|error| error.within(format_args!("sheet `{sheet_name}`")).at_file(path))?;
        if sheet_name == METADATA {
            *session.metadata_mut() = sheet.metadata();
            continue;
        }
        if all.len() == 1 && sheet.range.is_empty() {
            // Workbooks have a sheet at least.
            continue;
        }
        let noted = kept.as_ref().and_then(|kept| kept.array(&name));
        let noted = match &noted {
            Some((axes, dtype)) => table::read_noted(&sheet, layout, axes, dtype).transpose(),
            None => None,
        };
        match noted.unwrap_or_else(|| table::read(&sheet, layout)) {
            Ok(array) => drop(session.insert(name.as_str(), array)),
            Err(error) if sheet.n_rows() == 0 => report.skip(name, error.message()),
            Err(error) => {
                return Err(error.within(format_args!("sheet `{sheet_name}`")).at_file(path));
            }
        }
    }
    if let Some(kept) = kept {
        session = kept.applied(session, names.as_deref())?;
    }
    report.loaded = session.keys().map(str::to_owned).collect();
    Ok((session, report))
}

/// The names of arrays whose sheets could not be called so, by those of the sheets.
fn renamed(kept: &Sidecar) -> HashMap<String, String> {
    let arrays = kept.objects().into_iter().filter(|(_, object)| object.get("axes").is_some());
    let pairs = arrays.map(|(name, _)| (allowed(name), name.to_owned()));
    pairs.filter(|(sheet, name)| sheet != name).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn broken(error: calamine::XlsxError) -> Error {
    Error::corrupt(format!("no Excel workbook: {error}"))
}

/// Which sheet of a workbook is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetRef<'a> {
    /// The one of that name.
    Name(&'a str),
    /// The one at that place, counted from 0.
    Index(usize),
}

/// The cells of a sheet as they are, row by row from its first cell on; empty ones are nothing.
///
/// # Errors
/// `NotFound` if there is no such file or sheet, `Corrupt`, `LimitExceeded`, `Io`.
pub fn sheet_rows(path: &Path, sheet: SheetRef<'_>, limits: &Limits) -> Result<Vec<Vec<Scalar>>> {
    let bytes = sidecar::bytes(path, limits.chunk_len_bytes)?;
    let broken = |error| broken(error).at_file(path);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    let name = match sheet {
        SheetRef::Name(name) => names.iter().find(|own| *own == name),
        SheetRef::Index(at) => names.get(at),
    };
    let name = name.ok_or_else(|| {
        let which = match sheet {
            SheetRef::Name(name) => format!("Worksheet named '{name}' not found"),
            SheetRef::Index(at) => {
                format!("Worksheet index {at} is invalid, {} worksheets found", names.len())
            }
        };
        Error::not_found(which).at_file(path)
    })?;
    let range = book.worksheet_range(name).map_err(broken)?;
    let sheet = Sheet::new(range, TableLayout::Wide, limits).map_err(|e| e.at_file(path))?;
    let rows = sheet.range.end().map_or(0, |(row, _)| row as usize + 1);
    let row = |row: usize| (0..sheet.n_columns(row)).map(|at| sheet.value(row, at)).collect();
    Ok((0..rows).map(row).collect())
}

/// Where what a workbook cannot say is kept.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".stook.json");
    name.into()
}

/// A sheet, whose empty cells of labels are those of merged ones.
struct Sheet {
    range: Range<Data>,
    n_filled: usize,
    layout: TableLayout,
}

impl Sheet {
    /// # Errors
    /// `LimitExceeded` if cells lie so far from the first one that those between are too many.
    fn new(range: Range<Data>, layout: TableLayout, limits: &Limits) -> Result<Self> {
        let end = range.end().unwrap_or_default();
        let n_cells = (u64::from(end.0) + 1) * (u64::from(end.1) + 1);
        limits.chunk(n_cells.saturating_mul(size_of::<Data>() as u64))?;
        let mut sheet = Self { range, n_filled: 0, layout };
        if layout == TableLayout::Narrow {
            sheet.n_filled = sheet.n_columns(0).saturating_sub(1);
            return Ok(sheet);
        }
        let header = (0..sheet.n_columns(0)).position(|at| sheet.text(0, at).contains('\\'));
        sheet.n_filled = header.unwrap_or(0);
        Ok(sheet)
    }

    /// A cell as a value.
    fn value(&self, row: usize, column: usize) -> Scalar {
        match self.cell(row, column) {
            Data::Empty => Scalar::None,
            Data::Bool(value) => Scalar::Bool(*value),
            Data::String(text) => Scalar::Text(text.as_str().into()),
            Data::DateTime(time) => moment(time.as_f64())
                .map_or(Scalar::None, |(date, time)| Scalar::DateTime(date, time)),
            Data::Int(value) => Scalar::Int((*value).into()),
            Data::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Scalar::guess(&number(*value))
            }
            Data::Float(value) => Scalar::Float(*value),
            _ => Scalar::guess(&self.text(row, column)),
        }
    }

    /// The cell, counted from the first one of the sheet.
    fn cell(&self, row: usize, column: usize) -> &Data {
        let at = (u32::try_from(row), u32::try_from(column));
        let (Ok(row), Ok(column)) = at else { return &Data::Empty };
        self.range.get_value((row, column)).unwrap_or(&Data::Empty)
    }

    fn metadata(&self) -> Metadata {
        let pairs = (1..self.n_rows()).map(|row| {
            let value = match self.cell(row, 1) {
                Data::DateTime(time) => moment(time.as_f64())
                    .map_or(Scalar::None, |(date, time)| Scalar::DateTime(date, time)),
                Data::Bool(value) => Scalar::Bool(*value),
                Data::String(text) => Scalar::Text(text.as_str().into()),
                _ => Scalar::guess(&self.text(row, 1)),
            };
            (self.text(row, 0).into_owned(), value)
        });
        pairs.collect()
    }
}

impl Table for Sheet {
    fn n_rows(&self) -> usize {
        let n_rows = self.range.end().map_or(0, |(row, _)| row as usize + 1);
        // The only row of an array of one axis, all of whose elements are missing, is not there.
        let has_rows = (0..self.n_columns(0)).any(|at| self.text(0, at).contains('\\'));
        if n_rows == 1 && !has_rows && self.layout == TableLayout::Wide { 2 } else { n_rows }
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let mut from = row;
        while from > 1 && column < self.n_filled && *self.cell(from, column) == Data::Empty {
            from -= 1;
        }
        match self.cell(from, column) {
            Data::Empty => "".into(),
            Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.into(),
            Data::Int(value) => value.to_string().into(),
            Data::Float(value) => number(*value).into(),
            Data::Bool(value) => if *value { "True" } else { "False" }.into(),
            Data::DateTime(time) => match moment(time.as_f64()) {
                Some((date, clock)) => format!("{MOMENT}{date}T{clock}").into(),
                None => number(time.as_f64()).into(),
            },
            Data::Error(error) => error.to_string().into(),
        }
    }

    fn n_columns(&self, _row: usize) -> usize {
        self.range.end().map_or(0, |(_, column)| column as usize + 1)
    }
}

/// Excel has whole numbers as any others.
fn number(value: f64) -> String {
    let mut text = String::new();
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() < 9e15 && !is_negative_zero {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
        text.push_str(&(value as i64).to_string());
    } else {
        table::push_float(&mut text, value);
    }
    text
}

/// The moment that is so many days after 1899-12-30, to the microsecond.
fn moment(days: f64) -> Option<(Date, Time)> {
    /// From there to 1970-01-01.
    const DAYS: i64 = 25_569;
    const DAY: i64 = 86_400_000_000;
    if !days.is_finite() || days.abs() > 4e6 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be small")]
    let millis = (days * 86_400_000.0).round() as i64;
    let micros = millis * 1000;
    let date = Date::from_days(micros.div_euclid(DAY) - DAYS)?;
    Some((date, Time(u64::try_from(micros.rem_euclid(DAY)).ok()?)))
}

/// Saves arrays as a new workbook in place of what is there.
pub(crate) fn save(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    path: &Path,
    options: &SaveOptions,
) -> Result<SaveReport> {
    let mut report = SaveReport::default();
    let mut book = Workbook::new();
    let at = |error: XlsxError| Error::invalid(error.to_string()).at_file(path);
    let mut taken: Vec<String> = Vec::new();
    if !metadata.is_empty() {
        write_metadata(book.add_worksheet(), metadata).map_err(at)?;
    }
    for (name, item) in items {
        let Item::Array(array, own) = item else {
            if options.sidecar && Sidecar::holds(item) {
                report.saved.push((*name).to_owned());
            } else {
                let kind = item.type_name();
                report.skip(*name, format!("workbooks hold arrays, and this is a {kind}"));
            }
            continue;
        };
        if name.eq_ignore_ascii_case(METADATA) {
            report.skip(*name, "it has the name of metadata");
            continue;
        }
        let sheet_name = sheet_name(name, &taken)?;
        taken.push(sheet_name.to_lowercase());
        match cells(array, options.layout) {
            Ok(cells) => {
                let sheet = book.add_worksheet();
                sheet.set_name(&sheet_name).map_err(at)?;
                write(sheet, &cells).map_err(at)?;
                report.saved.push((*name).to_owned());
                let changed = |why: String| NotKept { name: (*name).to_owned(), why };
                if !own.is_empty() && !options.sidecar {
                    let why = "workbooks hold no metadata of arrays".to_owned();
                    report.changed.push(changed(why));
                }
                if sheet_name != *name && !options.sidecar {
                    report.changed.push(changed(format!("its sheet is called `{sheet_name}`")));
                }
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                report.skip(*name, error.message());
            }
            Err(error) => return Err(error),
        }
    }
    if taken.is_empty() && metadata.is_empty() {
        book.add_worksheet();
    }
    let bytes = book.save_to_buffer().map_err(at)?;
    if options.sidecar {
        let is_saved = |name: &str| report.saved.iter().any(|saved| saved == name);
        let kept: Vec<_> = items.iter().filter(|(name, _)| is_saved(name)).copied().collect();
        let kept = Sidecar::of(&kept, metadata)?.made_for(crc32c::crc32c(&bytes));
        write_atomic(&beside(path), &kept.to_bytes()?, Durability::Flush)?;
    }
    write_atomic(path, &bytes, Durability::Flush)?;
    Ok(report)
}

/// The name with `_` where Excel refuses what it has.
fn allowed(name: &str) -> String {
    let mut sheet = name.replace(['[', ']', ':', '*', '?', '/', '\\'], "_");
    if sheet.starts_with('\'') {
        sheet.replace_range(..1, "_");
    }
    if sheet.ends_with('\'') {
        sheet.replace_range(sheet.len() - 1.., "_");
    }
    sheet
}

/// The name of a sheet that Excel takes.
fn sheet_name(name: &str, taken: &[String]) -> Result<String> {
    let sheet = allowed(name);
    if sheet.encode_utf16().count() > LONGEST {
        let message = format!("`{name}`: names of sheets have at most {LONGEST} characters");
        return Err(Error::invalid(message));
    }
    if taken.contains(&sheet.to_lowercase()) {
        let message = format!(
            "`{name}`: another sheet is called `{sheet}` too, but for upper and lower case"
        );
        return Err(Error::invalid(message));
    }
    Ok(sheet)
}

/// The rows of an array as cells.
fn cells(array: &Array, layout: TableLayout) -> Result<Vec<Vec<Cell>>> {
    let grid = Grid::new(array, layout);
    let mut rows = vec![grid.header().to_vec()];
    for row in 0..grid.n_rows() {
        let mut cells: Vec<Cell> = grid.labels(row).cloned().collect();
        for column in 0..grid.n_columns() {
            cells.push(grid.cell(row, column)?);
        }
        rows.push(cells);
    }
    Ok(rows)
}

fn write(sheet: &mut Worksheet, rows: &[Vec<Cell>]) -> std::result::Result<(), XlsxError> {
    for (row, cells) in rows.iter().enumerate() {
        let row = u32::try_from(row).map_err(|_| XlsxError::RowColumnLimitError)?;
        for (column, cell) in cells.iter().enumerate() {
            let column = u16::try_from(column).map_err(|_| XlsxError::RowColumnLimitError)?;
            match cell {
                Cell::Empty => {}
                Cell::Bool(value) => drop(sheet.write_boolean(row, column, *value)?),
                #[expect(clippy::cast_precision_loss, reason = "checked to be small")]
                Cell::Int(value) if value.unsigned_abs() <= 1 << 53 => {
                    sheet.write_number(row, column, *value as f64)?;
                }
                Cell::Float(value) if value.is_finite() => {
                    sheet.write_number(row, column, *value)?;
                }
                other => {
                    let text = table::text_of(other);
                    if !text.is_empty() {
                        sheet.write_string(row, column, text)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn write_metadata(
    sheet: &mut Worksheet,
    metadata: &Metadata,
) -> std::result::Result<(), XlsxError> {
    sheet.set_name(METADATA)?;
    let cell = |value: &Scalar| match value {
        Scalar::Bool(value) => Cell::Bool(*value),
        Scalar::Int(value) => i64::try_from(*value).map_or(Cell::Empty, Cell::Int),
        Scalar::Float(value) => Cell::Float(*value),
        other => Cell::Text(other.to_string()),
    };
    let mut rows = vec![vec![Cell::Text("metadata".to_owned())]];
    for (name, value) in metadata.iter() {
        rows.push(vec![Cell::Text(name.to_owned()), cell(value)]);
    }
    write(sheet, &rows)
}
