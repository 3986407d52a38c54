//! Sessions as text: a folder with a csv file for each array, or one such file.
//!
//! Metadata is `__metadata__.csv`. What csv cannot say is kept in `__stook__.json` beside it, if
//! that is asked for ([`super::sidecar`]). A folder is made anew under another name where there is
//! none, else its files are replaced one by one, each as a whole. Bytes: docs/formats/labelled.md.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use stook_core::element::as_bytes;
use stook_core::file::place::{PlaceKind, create_folders, draft_of, kind_of, publish, remove};
use stook_core::file::{FileIo, LocalFile, write_atomic};
use stook_core::store::{ByteStore as _, LocalStore};
use stook_core::{DType, Durability, Error, ErrorKind, Limits, Mode, Result, Values};

use super::sidecar::{self, Sidecar};
use super::table::{self, Grid, Table};
use crate::item::Item;
use crate::metadata::Metadata;
use crate::scalar::Scalar;
use crate::session::{LoadReport, SaveOptions, SaveReport, Session, TableLayout};
use crate::text::{self, Cells, Numbers, Rows};
use crate::{Array, AxisCollection};

/// The file of a session's metadata.
const METADATA: &str = "__metadata__";
/// The file of what csv cannot say.
const SIDECAR: &str = "__stook__.json";

/// Loads the arrays called `names`, or all, sorted by name; from a file the one that it is called.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    layout: TableLayout,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let mut session = Session::new();
    let mut report = LoadReport::default();
    let wanted = |name: &str| names.is_none_or(|names| names.iter().any(|wanted| wanted == name));
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    let (mut notes, mut read) = (None, Vec::new());
    if kind_of(path)? == Some(PlaceKind::Folder) {
        let listing = LocalStore::open(path, Mode::Read)?.list("")?;
        for file in listing.keys {
            if let Some(name) = file.strip_suffix(".csv") {
                files.push((name.to_owned(), path.join(&file)));
            }
        }
        notes = sidecar::read(&path.join(SIDECAR), limits)?;
    } else {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, path.to_owned()));
    }
    files.sort();
    if notes.is_some() {
        for (name, file) in &files {
            read.push((format!("{name}.csv"), sidecar::bytes(file, limits.chunk_len_bytes)?));
        }
        if notes.as_ref().is_some_and(|notes| !notes.is_of(checksum(&mut read.iter()))) {
            report.skip("", format!("`{SIDECAR}` is of other files, and does not count"));
            notes = None;
        }
    }
    for (name, file) in files {
        if name == METADATA {
            *session.metadata_mut() = metadata(&file, limits)?;
        } else if wanted(&name) {
            let noted = notes.as_ref().and_then(|notes| notes.array(&name));
            match array(&file, layout, noted.as_ref(), limits) {
                Ok(array) => drop(session.insert(name.as_str(), array)),
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    report.skip(name, error.message());
                }
                Err(error) => return Err(error.at_file(&file)),
            }
        }
    }
    if let Some(notes) = notes {
        session = notes.applied(session, names)?;
    }
    report.loaded = session.keys().map(str::to_owned).collect();
    Ok((session, report))
}

/// The checksum of files, in the order of their names.
fn checksum(files: &mut dyn Iterator<Item = &(String, Vec<u8>)>) -> u32 {
    let mut files: Vec<_> = files.collect();
    files.sort();
    files.iter().fold(0, |crc, (name, bytes)| {
        crc32c::crc32c_append(crc32c::crc32c_append(crc, name.as_bytes()), bytes)
    })
}

/// The records of a file.
struct Records(Vec<csv::StringRecord>);

impl Table for Records {
    fn n_rows(&self) -> usize {
        self.0.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.0.get(row).and_then(|record| record.get(column)).unwrap_or_default().into()
    }

    fn n_columns(&self, row: usize) -> usize {
        self.0.get(row).map_or(0, csv::StringRecord::len)
    }
}

/// A table of numbers, and labels before them.
struct Plain {
    heading: Vec<String>,
    table: text::Table,
}

impl Plain {
    /// The table in `bytes`; `None` if it has other cells, or quotes.
    fn of(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
        let (first, rest) = bytes.split_at(end);
        let first = first.strip_suffix(b"\r").unwrap_or(first);
        let Ok(first) = std::str::from_utf8(first) else { return Ok(None) };
        if first.is_empty() || first.contains(['"', '\r']) {
            return Ok(None);
        }
        let heading: Vec<String> = first.split(',').map(str::to_owned).collect();
        let (_, n_labels) = table::label_columns(&heading);
        let n_cells = heading.len().saturating_sub(n_labels);
        let table = text::parse(rest, b',', (n_labels, n_cells))?;
        Ok(table.filter(|table| table.n_rows > 0).map(|table| Self { heading, table }))
    }

    /// Whether it has as many columns of labels and cells as a table of an array of these axes.
    fn is_of(&self, axes: &AxisCollection) -> bool {
        let n_labels = axes.len().saturating_sub(1).max(1);
        let n_cells = match &self.table.cells {
            Cells::Ints(cells) => cells.len(),
            Cells::Floats(cells) => cells.len(),
        };
        !axes.is_empty()
            && self.table.labels.len() == n_labels
            && axes.n_elements() == Some(n_cells)
    }
}

impl Table for Plain {
    fn n_rows(&self) -> usize {
        self.table.n_rows + 1
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(row) = row.checked_sub(1) else {
            return self.heading.get(column).map_or("", String::as_str).into();
        };
        let labels = self.table.labels.get(column);
        let text = labels
            .and_then(|labels| labels.texts.get(usize::try_from(*labels.codes.get(row)?).ok()?));
        text.map_or("", String::as_str).into()
    }

    fn n_columns(&self, _: usize) -> usize {
        self.heading.len()
    }

    fn numbers(&self, first: usize) -> Option<Values> {
        if first != self.table.labels.len() {
            return None;
        }
        let (dtype, bytes) = match &self.table.cells {
            Cells::Ints(values) => (DType::Int64, as_bytes(values)),
            Cells::Floats(values) => (DType::Float64, as_bytes(values)),
        };
        let n = bytes.len() / dtype.item_size().max(1);
        Values::new(dtype, vec![n as u64], bytes.to_vec(), Vec::new()).ok()
    }
}

/// What a file holds, without the mark of its order of bytes.
fn contents(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let bytes = sidecar::bytes(path, limits.chunk_len_bytes)?;
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes))
}

fn records(path: &Path, limits: &Limits) -> Result<Records> {
    records_of(&contents(path, limits)?).map_err(|error| error.at_file(path))
}

fn records_of(bytes: &[u8]) -> Result<Records> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let records = reader.records().collect::<std::result::Result<Vec<_>, _>>();
    records.map(Records).map_err(|error| Error::corrupt("no csv").with_source(error))
}

fn array(
    path: &Path,
    layout: TableLayout,
    noted: Option<&(AxisCollection, DType)>,
    limits: &Limits,
) -> Result<Array> {
    let bytes = contents(path, limits)?;
    let plain = if layout == TableLayout::Wide { Plain::of(&bytes)? } else { None };
    if let Some((axes, dtype)) = noted {
        let fits = plain.as_ref().filter(|plain| plain.is_of(axes) && *dtype != DType::UInt64);
        let array = match fits {
            Some(plain) => table::read_noted(plain, layout, axes, dtype)?,
            None => table::read_noted(&records_of(&bytes)?, layout, axes, dtype)?,
        };
        if let Some(array) = array {
            return Ok(array);
        }
    }
    match plain {
        Some(plain) => table::read(&plain, layout),
        None => table::read(&records_of(&bytes)?, layout),
    }
}

/// Names and values of a table of two columns, whose types are guessed.
fn metadata(path: &Path, limits: &Limits) -> Result<Metadata> {
    let records = records(path, limits)?;
    let pairs = (1..records.n_rows())
        .map(|row| (records.text(row, 0).into_owned(), Scalar::guess(&records.text(row, 1))));
    Ok(pairs.collect())
}

/// Saves arrays into a folder, or the only one into a file.
pub(crate) fn save(
    items: &[(&str, &Item)],
    session: &Metadata,
    path: &Path,
    options: &SaveOptions,
) -> Result<SaveReport> {
    let mut report = SaveReport::default();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    if !session.is_empty() {
        files.push((format!("{METADATA}.csv"), metadata_bytes(session)?));
    }
    for (name, item) in items {
        match item {
            Item::Array(array, _) => {
                match file_name(name).and_then(|file| Ok((file, text_of(array, options.layout)?))) {
                    Ok(file) => {
                        files.push(file);
                        report.saved.push((*name).to_owned());
                    }
                    Err(error) if error.kind() == ErrorKind::Unsupported => {
                        report.skip(*name, error.message());
                    }
                    Err(error) => return Err(error),
                }
            }
            other if options.sidecar && Sidecar::holds(other) => {
                report.saved.push((*name).to_owned());
            }
            other => {
                let kind = other.type_name();
                report.skip(*name, format!("csv files hold arrays, and this is a {kind}"));
            }
        }
    }
    if options.sidecar {
        let kept: Vec<(&str, &Item)> = items
            .iter()
            .filter(|(name, _)| report.saved.iter().any(|saved| saved == name))
            .copied()
            .collect();
        let kept = Sidecar::of(&kept, session)?.made_for(checksum(&mut files.iter()));
        files.push((SIDECAR.to_owned(), kept.to_bytes()?));
    } else {
        for (name, item) in items {
            if let Item::Array(_, metadata) = item
                && !metadata.is_empty()
            {
                report.changed.push(crate::session::NotKept {
                    name: (*name).to_owned(),
                    why: "csv files hold no metadata of arrays".to_owned(),
                });
            }
        }
    }
    if path.extension().is_some_and(|extension| extension == "csv") {
        return one_file(&files, path, options).map(|()| report);
    }
    folder(&files, path)?;
    Ok(report)
}

fn one_file(files: &[(String, Vec<u8>)], path: &Path, options: &SaveOptions) -> Result<()> {
    let arrays: Vec<_> = files.iter().filter(|(name, _)| !name.starts_with("__")).collect();
    let [(_, bytes)] = arrays.as_slice() else {
        let found = arrays.len();
        return Err(Error::invalid(format!("a csv file holds one array, and there are {found}"))
            .at_file(path)
            .with_hint("save to a folder"));
    };
    if options.sidecar {
        return Err(Error::unsupported("a single csv file has nothing beside it").at_file(path));
    }
    write_atomic(path, bytes, Durability::Flush)
}

/// A new folder of files as a whole; into one that is there, each file as a whole.
fn folder(files: &[(String, Vec<u8>)], path: &Path) -> Result<()> {
    if kind_of(path)?.is_some() {
        return files.iter().try_for_each(|(name, bytes)| {
            write_atomic(&path.join(name), bytes, Durability::Flush)
        });
    }
    let draft = draft_of(path);
    let written = create_folders(&draft)
        .and_then(|()| {
            files.iter().try_for_each(|(name, bytes)| {
                write_atomic(&draft.join(name), bytes, Durability::Flush)
            })
        })
        .and_then(|()| publish(&draft, path, stook::InTheWay::Stays));
    written.inspect_err(|_| drop(remove(&draft))).map_err(|error| error.rename_file(path))
}

fn file_name(name: &str) -> Result<String> {
    if name == METADATA {
        return Err(Error::unsupported("it has the name of metadata"));
    }
    super::file_name(name, "csv")
}

fn metadata_bytes(metadata: &Metadata) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut put = |cells: [&str; 2]| writer.write_record(cells).map_err(not_written);
    put(["metadata", ""])?;
    for (name, value) in metadata.iter() {
        put([name, &value.to_string()])?;
    }
    writer.into_inner().map_err(|_| Error::invalid("text that csv cannot hold"))
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn not_written(error: csv::Error) -> Error {
    Error::invalid(format!("text that csv cannot hold: {error}"))
}

/// A cell as it is written among others.
fn written(cell: &str) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record([cell, "0"]).map_err(not_written)?;
    let bytes = writer.into_inner().map_err(|_| Error::invalid("text that csv cannot hold"))?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(text.strip_suffix(",0\n").unwrap_or_default().to_owned())
}

/// The text of an array of numbers, which takes no more than to write them; `None` of another.
fn text_of_numbers(array: &Array) -> Result<Option<Vec<u8>>> {
    let numbers = match array.dtype() {
        DType::Float64 => array.as_slice().map(Numbers::Floats),
        DType::Int64 => array.as_slice().map(Numbers::Ints),
        DType::Bool => Some(Numbers::Bools(array.data().items())),
        _ => None,
    };
    let axes = array.axes().as_slice().split_last().filter(|(last, _)| !last.is_empty());
    let Some((numbers, (last, axes))) = numbers.zip(axes) else { return Ok(None) };
    let labels = axes.iter().map(|axis| {
        table::label_texts(axis).map(|label| written(&label)).collect::<Result<Vec<_>>>()
    });
    let mut labels = labels.collect::<Result<Vec<_>>>()?;
    if labels.is_empty() {
        labels.push(vec![String::new()]);
    }
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let header: Vec<String> = table::header(array).iter().map(table::text_of).collect();
    writer.write_record(&header).map_err(not_written)?;
    let header = writer.into_inner().map_err(|_| Error::invalid("text that csv cannot hold"))?;
    let rows = Rows { labels: &labels, n_columns: last.len(), separator: ',', missing: "" };
    Ok(Some([vec![header], text::write(numbers, rows)?].concat().concat()))
}

/// The text of an array.
fn text_of(array: &Array, layout: TableLayout) -> Result<Vec<u8>> {
    if layout == TableLayout::Wide
        && let Some(text) = text_of_numbers(array)?
    {
        return Ok(text);
    }
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let grid = Grid::new(array, layout);
    let header: Vec<String> = grid.header().iter().map(table::text_of).collect();
    writer.write_record(&header).map_err(not_written)?;
    let mut cell = String::new();
    for row in 0..grid.n_rows() {
        for label in grid.labels(row) {
            writer.write_field(table::text_of(label)).map_err(not_written)?;
        }
        for column in 0..grid.n_columns() {
            cell.clear();
            grid.push(row, column, &mut cell)?;
            writer.write_field(&cell).map_err(not_written)?;
        }
        writer.write_record(None::<&[u8]>).map_err(not_written)?;
    }
    writer.into_inner().map_err(|_| Error::invalid("text that csv cannot hold"))
}

/// Whether a file is as long as what was read of it may be.
pub(super) fn read_all(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = LocalFile::open(path)?;
    let len = file.len_bytes()?;
    if len > most {
        return Err(Error::limit(format!("a file of {len} bytes exceeds {most}")).at_file(path));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(0, &mut bytes)?;
    Ok(bytes)
}
