//! The catalogue of an experiment: which sessions there are, what is saved in each, and what people
//! say about them, in an SQLite file that is made from the tree.
//!
//! Invariants: what the tree tells ([`SessionRecord`], [`DatasetRecord`]) is rebuilt from it at any
//! time and in one transaction; what people tell (tags, fields) is kept by the session's folder and
//! survives that. Values are bound to statements and never become part of one. A file that is no
//! catalogue is not opened by SQLite at all, and one whose tables are others is refused. A connection
//! lives as long as a call, so that neither threads nor children of this process share one.
//!
//! docs/formats/onedata.md has the tables.

mod database;
mod index;
mod inspect;
mod quality;
mod query;
mod record;
mod scan;

use std::path::{Path, PathBuf};

use serde_json::Value;
use stook_core::file::place::{PlaceKind, canonical, kind_of};
use stook_core::{Error, ErrorKind, Result};

pub use index::{Hashes, IndexOptions, IndexProgress, IndexReport};
pub use quality::{Quality, QualityFilter};
pub use query::{Condition, Operator};
pub use record::{DatasetKind, DatasetRecord, SessionRecord};

use self::database::{Database, located};
pub(crate) use self::scan::is_number;
use crate::alf::DatasetFilter;
use crate::data::Data;
use crate::one_data::{OneData, OneFile};
use crate::recipe::LoadingRecipe;

/// The catalogue's name in the root of the tree.
pub const CATALOGUE_NAME: &str = "stook-catalogue.sqlite";

/// The field that holds the quality of a session or a dataset.
const QUALITY: &str = "quality";

/// The catalogue of a tree of sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalogue {
    root: PathBuf,
    path: PathBuf,
}

impl Catalogue {
    /// The catalogue in the folder `root`, which holds a folder a mouse.
    ///
    /// # Errors
    /// `NotFound` if there is none yet, `Unsupported` if the file is something else or of a newer
    /// version, `Corrupt`, `Io`.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let catalogue = Self::placed(root.as_ref(), None)?;
        Database::open(&catalogue.path)?;
        Ok(catalogue)
    }

    /// The same, made if there is none: empty, until it is [indexed](Self::index).
    ///
    /// # Errors
    /// As [`Catalogue::open`], `ReadOnly`.
    pub fn require(root: impl AsRef<Path>) -> Result<Self> {
        Self::require_at(root, None)
    }

    /// The same in another file than [`CATALOGUE_NAME`] in `root`, where there is one.
    ///
    /// # Errors
    /// As [`Catalogue::require`].
    pub fn require_at(root: impl AsRef<Path>, file: Option<&Path>) -> Result<Self> {
        let catalogue = Self::placed(root.as_ref(), file)?;
        Database::require(&catalogue.path)?;
        Ok(catalogue)
    }

    fn placed(root: &Path, file: Option<&Path>) -> Result<Self> {
        let found = canonical(root)?;
        let Some(root) = found.filter(|_| matches!(kind_of(root), Ok(Some(PlaceKind::Folder))))
        else {
            return Err(Error::not_found("there is no folder of sessions").at_file(root));
        };
        let path = file.map_or_else(|| root.join(CATALOGUE_NAME), Path::to_path_buf);
        Ok(Self { root, path })
    }

    /// The folder of all sessions, without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The catalogue's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the catalogue tell what is in the tree now. Files whose length and time of change are
    /// those it knows are not read again; of others the headers are. All of it becomes visible at
    /// once, or nothing of it if the process ends before.
    ///
    /// # Errors
    /// `Locked` while another process writes to it, `ReadOnly`, `Corrupt`, `Io`. What is wrong with a
    /// single file is told by its record, and is no error.
    pub fn index(&self, options: &IndexOptions<'_>) -> Result<IndexReport> {
        index::index(self, options)
    }

    /// The sessions that meet all `conditions`, by mouse, date and id.
    ///
    /// # Errors
    /// `InvalidInput` naming a field that no session has, or a value that does not go with its
    /// operator; `Corrupt`, `Io`.
    pub fn sessions(&self, conditions: &[Condition]) -> Result<Vec<SessionRecord>> {
        let database = Database::open(&self.path)?;
        let known = database.field_names()?;
        let clause = query::clause(conditions, &known).map_err(|error| located(error, self))?;
        database.sessions(&clause)
    }

    /// The session that lies in the folder `path` below the root, such as `mouse/2024-02-09/701`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Io`.
    pub fn session(&self, path: &str) -> Result<SessionRecord> {
        let path = path.trim_end_matches('/');
        let mut found = self.sessions(&[Condition::new("path", Operator::Equal, path)])?;
        found.pop().ok_or_else(|| {
            let message = format!("there is no session `{}`", path.escape_debug());
            let error = Error::not_found(message).at_file(&self.path);
            error.with_hint("sessions are found by `stook onedata index`")
        })
    }

    /// What is saved in a session, by path.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn datasets(&self, session: &SessionRecord) -> Result<Vec<DatasetRecord>> {
        Database::open(&self.path)?.datasets(&session.path)
    }

    /// The saved files of a session.
    ///
    /// # Errors
    /// As [`OneData::at`]; `InvalidInput` if its folder leads out of the tree by now.
    pub fn one_data(&self, session: &SessionRecord) -> Result<OneData> {
        let path = self.root.join(&session.path);
        match canonical(&path)? {
            Some(found) if !found.starts_with(&self.root) => {
                Err(Error::invalid("this is a link that leads out of the tree").at_file(path))
            }
            _ if session.is_in_file() => OneData::in_file(path),
            _ => OneData::at(path),
        }
    }

    /// Gives the session in the folder `path` a tag; false if it had it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for an empty tag or one with control characters, `ReadOnly`,
    /// `Locked`, `Io`.
    pub fn tag(&self, path: &str, tag: &str) -> Result<bool> {
        check_words("tag", tag)?;
        let path = self.session(path)?.path;
        Database::open_to_write(&self.path)?.add_tag(&path, tag)
    }

    /// Takes a tag away; false if the session had it not.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Locked`, `Io`.
    pub fn untag(&self, path: &str, tag: &str) -> Result<bool> {
        let path = self.session(path)?.path;
        Database::open_to_write(&self.path)?.remove_tag(&path, tag)
    }

    /// The paths of a session's datasets below its folder, as ONE lists them: those that `filter` means
    /// and whose quality is wanted.
    ///
    /// # Errors
    /// As [`Catalogue::datasets`].
    pub fn list_datasets(
        &self,
        session: &SessionRecord,
        filter: &DatasetFilter,
        quality: QualityFilter,
    ) -> Result<Vec<String>> {
        let mut found = self.datasets(session)?;
        found.retain(|data| quality.matches(data.quality) && filter.matches(&data.path));
        Ok(found.into_iter().map(|data| data.path).collect())
    }

    /// Says how good a dataset of a session is, which is known by its path below the session's folder.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Locked`, `Io`.
    pub fn set_quality(&self, session: &str, dataset: &str, quality: Quality) -> Result<()> {
        let session = self.session(session)?;
        if !self.datasets(&session)?.iter().any(|data| data.path == dataset) {
            let what = format!("there is no dataset `{}`", dataset.escape_debug());
            let error = Error::not_found(what).at_file(self.root.join(&session.path));
            return Err(error.with_hint("`stook onedata query --datasets` lists their paths"));
        }
        let value = match quality {
            Quality::NotSet => Value::Null,
            quality => quality.as_str().into(),
        };
        let path = place_of(&session.path, dataset);
        Database::open_to_write(&self.path)?.set_field(&path, QUALITY, &value)
    }

    /// Sets a field of a session: text, a number or a truth value; null takes it away. The field
    /// `quality` has the name of a [`Quality`].
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a name that is none or that of something the tree tells, and for
    /// other values; `ReadOnly`, `Locked`, `Io`.
    pub fn set_field(&self, path: &str, name: &str, value: &Value) -> Result<()> {
        query::check_field_name(name)?;
        if matches!(value, Value::Array(_) | Value::Object(_)) {
            let what = "a field holds text, a number or a truth value";
            return Err(Error::invalid(format!("field `{name}`: {what}, not {value}")));
        }
        let is_quality = |value: &Value| {
            let mut names = Quality::ALL.iter().map(|quality| quality.as_str());
            value.as_str().is_some_and(|value| names.any(|name| name == value))
        };
        if name == QUALITY && !value.is_null() && !is_quality(value) {
            let known = Quality::ALL.map(Quality::as_str).join(", ");
            return Err(Error::invalid(format!("the quality {value} is none of {known}")));
        }
        let path = self.session(path)?.path;
        Database::open_to_write(&self.path)?.set_field(&path, name, value)
    }

    /// Checks the whole file, as SQLite does.
    ///
    /// # Errors
    /// `Corrupt` with what it found, `Io`.
    pub fn check(&self) -> Result<()> {
        Database::open(&self.path)?.check()
    }
}

/// What fields of a dataset are kept by.
fn place_of(session: &str, dataset: &str) -> String {
    format!("{session}/{dataset}")
}

fn check_words(what: &str, words: &str) -> Result<()> {
    if words.trim().is_empty() || words.chars().any(char::is_control) {
        let words = words.escape_debug();
        return Err(Error::invalid(format!("`{words}` is no {what}")));
    }
    Ok(())
}

/// What is saved in a session, by path, from the tree and without a catalogue: what lies in its folder
/// of saved files, and what is named as ALF does elsewhere in it.
///
/// # Errors
/// `Io`. What is wrong with a single file is told by its record.
pub fn datasets_of(data: &OneData) -> Result<Vec<DatasetRecord>> {
    if data.is_in_file() {
        return data.files()?.iter().map(|file| record_of_packed(data, file)).collect();
    }
    Ok(scan::files(data.data_path())?.into_iter().map(index::record_of).collect())
}

/// What is known of something in a Zarr or HDF5 file; its length is that of its elements.
fn record_of_packed(data: &OneData, file: &OneFile) -> Result<DatasetRecord> {
    let loaded = data.load_held(file)?;
    let (kind, dtype, len_bytes) = match &loaded {
        Data::Array(array) => {
            let spec = array.spec();
            (DatasetKind::Array, spec.dtype.to_string(), spec.n_bytes())
        }
        Data::Sparse(matrix) => {
            (DatasetKind::Sparse, matrix.data().dtype().to_string(), loaded.len_bytes())
        }
        Data::Objects(objects) => {
            let is_recipe = matches!(LoadingRecipe::of_objects(objects), Ok(Some(_)));
            let kind = if is_recipe { DatasetKind::Recipe } else { DatasetKind::Objects };
            (kind, "object".to_owned(), 0)
        }
        other => return Err(other.unfit("what is saved")),
    };
    Ok(DatasetRecord {
        path: file.to_string(),
        name: file.name.to_string(),
        kind,
        dtype: Some(dtype),
        shape: Some(loaded.shape()),
        len_bytes,
        modified: 0,
        hash: None,
        problem: None,
        quality: Quality::default(),
        is_settled: false,
    })
}

/// The paths of a session's datasets below its folder, or their names in its file.
pub(crate) fn session_files(data: &OneData) -> Result<Vec<String>> {
    if data.is_in_file() {
        return Ok(data.files()?.iter().map(ToString::to_string).collect());
    }
    Ok(scan::files(data.data_path())?.into_iter().map(|file| file.path).collect())
}

/// The error of a catalogue that is not there yet.
fn missing(path: &Path) -> Error {
    let error = Error::new(ErrorKind::NotFound, "there is no catalogue here yet").at_file(path);
    error.with_hint("make it with `stook onedata index`, or `Catalogue::index`")
}
