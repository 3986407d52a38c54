//! Sessions as tables of Arrow or Parquet: a folder with a file for each array, in long form.
//!
//! What is no array is in `_stook.json` beside them, with the order of objects and the session's
//! metadata; each file has what its columns cannot say in the metadata of its schema
//! ([`table`]). A folder is made anew under another name and takes the place of the old one. A file
//! by itself is an array, called as the file is. Bytes: docs/formats/labelled.md.

mod decode;
mod encode;
mod io;
mod ipc;
mod parquet;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use stook_core::file::place::{
    PlaceKind, create_folders, draft_of, is_empty_folder, kind_of, publish, remove,
};
use stook_core::file::{TempFile, is_temp_name, write_atomic};
use stook_core::store::{ByteStore as _, LocalStore};
use stook_core::{Durability, Error, ErrorKind, Limits, Mode, Result};

use super::parallel;
use super::sidecar::{self, Sidecar};
use crate::Array;
use crate::item::Item;
use crate::metadata::Metadata;
use crate::session::first_rows;
use crate::session::{Listed, LoadReport, SaveOptions, SaveReport, Session};

/// The file of what tables cannot say.
const SIDECAR: &str = "_stook.json";
/// Rows of a batch.
const BATCH_LEN: usize = 1 << 17;

/// What tables are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// Arrow's IPC file format.
    Arrow,
    /// Parquet.
    Parquet,
}

impl TableFormat {
    fn extension(self) -> &'static str {
        match self {
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }
}

/// The rows of a table, to be written.
type Batches<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch>>;

fn of_arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::NotYetImplemented(what) => Error::unsupported(what.clone()),
        other => Error::corrupt(format!("Arrow: {other}")),
    }
}

fn cannot_write(error: std::io::Error) -> Error {
    Error::io("cannot write", error)
}

/// A table in a file, open.
enum File {
    Arrow(ipc::Table),
    Parquet(parquet::Table),
}

/// What `work` gives; a panic of a library that met bytes it did not expect is an error.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let broken = |_| Err(Error::corrupt("the table is malformed"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(broken)
}

impl File {
    fn open(path: &Path, format: TableFormat, limits: &Limits) -> Result<Self> {
        let source = io::Source::open(path)?;
        guarded(|| match format {
            TableFormat::Arrow => ipc::Table::open(source, limits).map(Self::Arrow),
            TableFormat::Parquet => parquet::Table::open(source, limits).map(Self::Parquet),
        })
        .map_err(|error| error.at_file(path))
    }

    fn format(&self) -> TableFormat {
        match self {
            Self::Arrow(_) => TableFormat::Arrow,
            Self::Parquet(_) => TableFormat::Parquet,
        }
    }

    fn schema(&self) -> &SchemaRef {
        match self {
            Self::Arrow(table) => table.schema(),
            Self::Parquet(table) => table.schema(),
        }
    }

    fn n_rows(&self) -> u64 {
        match self {
            Self::Arrow(table) => table.n_rows(),
            Self::Parquet(table) => table.n_rows(),
        }
    }

    fn read(
        &self,
        from: usize,
        n: usize,
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Arrow(table) => table.read(from, n, each),
            Self::Parquet(table) => table.read(from, n, each),
        }
    }
}

/// A session of tables: what is in it is known, and not yet read.
pub(crate) struct Tables {
    format: TableFormat,
    limits: Limits,
    kept: Option<Sidecar>,
    /// Names in order, and the files of arrays.
    items: Vec<(String, Option<PathBuf>)>,
    lost: Vec<(String, String)>,
}

impl Tables {
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Unsupported`, `Io`.
    pub(crate) fn open(path: &Path, format: TableFormat, limits: &Limits) -> Result<Self> {
        let mut tables = Self {
            format,
            limits: limits.clone(),
            kept: None,
            items: Vec::new(),
            lost: Vec::new(),
        };
        if kind_of(path)? != Some(PlaceKind::Folder) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            tables.items.push((name, Some(path.to_owned())));
            return Ok(tables);
        }
        let ending = format!(".{}", format.extension());
        let listing = LocalStore::open(path, Mode::Read)?.list("")?;
        let mut files: Vec<String> = listing
            .keys
            .iter()
            .filter(|key| !is_temp_name(key))
            .filter_map(|key| key.strip_suffix(&ending).map(str::to_owned))
            .collect();
        files.sort();
        tables.kept = sidecar::read(&path.join(SIDECAR), limits)?;
        let mut ahead: Vec<String> = Vec::new();
        for (name, object) in tables.kept.iter().flat_map(Sidecar::objects) {
            let is_array = object.get("array").is_some();
            let Some(at) = files.iter().position(|file| file == name).filter(|_| is_array) else {
                if is_array {
                    tables.lost.push((name.to_owned(), "its file is not there".to_owned()));
                } else {
                    tables.items.push((name.to_owned(), None));
                }
                continue;
            };
            ahead.push(files.remove(at));
            tables.items.push((name.to_owned(), Some(path.join(format!("{name}{ending}")))));
        }
        for name in files {
            let file = path.join(format!("{name}{ending}"));
            tables.items.push((name, Some(file)));
        }
        Ok(tables)
    }

    /// The names in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.items.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        self.kept.as_ref().map_or_else(|| Ok(Metadata::new()), Sidecar::metadata)
    }

    fn file(&self, name: &str) -> Result<Option<File>> {
        let found = self.items.iter().find(|(own, _)| own == name);
        match found {
            None => Err(Error::not_found(format!("the session has no `{name}`"))),
            Some((_, None)) => Ok(None),
            Some((_, Some(path))) => File::open(path, self.format, &self.limits).map(Some),
        }
    }

    fn small(&self, name: &str) -> Result<Item> {
        let objects = self.kept.as_ref().map(Sidecar::objects).unwrap_or_default();
        let object = objects.into_iter().find(|(own, _)| *own == name);
        object.map_or_else(
            || Err(Error::corrupt("what is kept of a session is malformed")),
            |(_, object)| sidecar::small(object),
        )
    }

    /// What an object is, of an array without its elements where the file has a note.
    pub(crate) fn describe(&self, name: &str) -> Result<Listed> {
        let Some(file) = self.file(name)? else {
            return self.small(name).map(|item| Listed::of_item(&item));
        };
        match table::Note::of(&file) {
            Some(note) => Ok(Listed::Array { axes: note.axes, dtype: note.dtype }),
            None => self.item(name).map(|item| Listed::of_item(&item)),
        }
    }

    pub(crate) fn item(&self, name: &str) -> Result<Item> {
        self.read(name).map(|(item, _)| item)
    }

    /// An object, and what is in its file and not in it.
    fn read(&self, name: &str) -> Result<(Item, Vec<String>)> {
        let Some(file) = self.file(name)? else {
            return Ok((self.small(name)?, Vec::new()));
        };
        let read = guarded(|| table::read(&file)).map_err(|error| self.at(name, error))?;
        Ok((Item::Array(read.array, read.metadata), read.lost))
    }

    /// The rows `start..stop` of an array.
    pub(crate) fn rows(&self, name: &str, start: usize, stop: usize) -> Result<Item> {
        if let Some(file) = self.file(name)?
            && let Some((rows, metadata)) = guarded(|| table::read_rows(&file, start, stop))
                .map_err(|error| self.at(name, error))?
        {
            return Ok(Item::Array(rows, metadata));
        }
        first_rows(&self.item(name)?, start, stop)
    }

    fn at(&self, name: &str, error: Error) -> Error {
        let found = self.items.iter().find(|(own, _)| own == name);
        match found.and_then(|(_, path)| path.as_ref()) {
            Some(path) => error.at_file(path),
            None => error,
        }
    }
}

/// Loads the objects called `names`, or all, in the order in which they were saved.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    format: TableFormat,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let tables = Tables::open(path, format, limits)?;
    let mut session = Session::new().with_metadata(tables.metadata()?);
    let mut report = LoadReport::default();
    let wanted = |name: &String| names.is_none_or(|names| names.contains(name));
    for (name, why) in tables.lost.iter().filter(|(name, _)| wanted(name)) {
        report.skip(name, why);
    }
    let all: Vec<String> = tables.names().into_iter().filter(wanted).collect();
    for (name, read) in all.iter().zip(parallel::map(&all, |name| tables.read(name))) {
        match read {
            Ok((item, lost)) => {
                session.insert(name.as_str(), item);
                report.loaded.push(name.clone());
                lost.into_iter().for_each(|why| report.skip(name, why));
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                report.skip(name, error.message());
            }
            Err(error) => return Err(error),
        }
    }
    Ok((session, report))
}

/// Saves objects as a new folder in place of what is there.
pub(crate) fn save(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    path: &Path,
    format: TableFormat,
    options: &SaveOptions,
) -> Result<SaveReport> {
    let found = kind_of(path)?;
    if !options.overwrite && found.is_some() {
        let message = "a session of tables is replaced as a whole; it cannot be added to";
        return Err(Error::unsupported(message).at_file(path));
    }
    if found == Some(PlaceKind::Folder) {
        check_is_session(path, format)?;
    }
    let draft = draft_of(path);
    let written = create_folders(&draft)
        .and_then(|()| write(items, metadata, &draft, format))
        .and_then(|report| publish(&draft, path, stook::InTheWay::Goes).map(|()| report));
    written.inspect_err(|_| drop(remove(&draft))).map_err(|error| error.rename_file(path))
}

/// That nothing but tables goes when a folder is replaced.
fn check_is_session(path: &Path, format: TableFormat) -> Result<()> {
    let ending = format!(".{}", format.extension());
    let listing = LocalStore::open(path, Mode::Read)?.list("")?;
    let other = listing.keys.iter().find(|key| !key.ends_with(&ending) && *key != SIDECAR);
    let other = other.or(listing.prefixes.first());
    match other {
        None if !listing.keys.is_empty() || is_empty_folder(path)? => Ok(()),
        other => {
            let what = other.map_or("hidden files", String::as_str);
            let message = format!("the folder has `{what}`, which is no table of a session");
            let error = Error::already_exists(message).at_file(path);
            Err(error.with_hint("save to a folder of its own"))
        }
    }
}

fn write(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    draft: &Path,
    format: TableFormat,
) -> Result<SaveReport> {
    let mut report = SaveReport::default();
    let mut kept = Vec::new();
    let written = parallel::map(items, |(name, item)| match item {
        Item::Array(array, metadata) => write_array(name, array, metadata, draft, format),
        item if Sidecar::holds(item) => Ok(()),
        item => Err(Error::unsupported(format!("a {}", item.type_name()))),
    });
    for ((name, item), written) in items.iter().zip(written) {
        match written {
            Ok(()) => {
                kept.push((*name, *item));
                report.saved.push((*name).to_owned());
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                report.skip(*name, error.message());
            }
            Err(error) => return Err(error),
        }
    }
    let kept = Sidecar::of_small(&kept, metadata)?;
    write_atomic(&draft.join(SIDECAR), &kept.to_bytes()?, Durability::Flush)?;
    Ok(report)
}

fn write_array(
    name: &str,
    array: &Array,
    metadata: &Metadata,
    draft: &Path,
    format: TableFormat,
) -> Result<()> {
    let file = super::file_name(name, format.extension())?;
    let table = table::Table::of(array, metadata, format)?;
    let target = draft.join(file);
    let mut temp = TempFile::beside(&target)?;
    match format {
        TableFormat::Arrow => ipc::write(temp.file(), &table.schema, &mut table.batches()),
        TableFormat::Parquet => parquet::write(temp.file(), &table.schema, &mut table.batches()),
    }?;
    temp.replace(&target, Durability::Flush)
}
