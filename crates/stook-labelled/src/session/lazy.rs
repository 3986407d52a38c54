//! A session in a file, of which only what is asked for is read.

use std::fmt;
use std::path::{Path, PathBuf};

use stook_core::{DType, Error, Limits, Result};

use crate::AxisCollection;
use crate::item::{Item, ItemKind};
use crate::metadata::Metadata;
#[cfg(feature = "arrow")]
use crate::session::exists;
use crate::session::{Engine, LoadOptions, Session};
#[cfg(feature = "arrow")]
use crate::store::arrow::{TableFormat, Tables};
use crate::store::pandas::Pandas;
use crate::store::zarr::Hierarchy;

/// What an object in a file is, without its elements.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Listed {
    /// An array.
    Array {
        /// Its axes.
        axes: AxisCollection,
        /// The type of its elements.
        dtype: DType,
    },
    /// Something small, as a whole.
    Item(Item),
}

impl Listed {
    pub(crate) fn of_item(item: &Item) -> Self {
        match item {
            Item::Array(array, _) => {
                Self::Array { axes: array.axes().clone(), dtype: array.dtype().clone() }
            }
            other => Self::Item(other.clone()),
        }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::Array { .. } => ItemKind::Array,
            Self::Item(item) => item.kind(),
        }
    }

    /// What it is, as Python names its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Array { .. } => "Array",
            Self::Item(item) => item.type_name(),
        }
    }
}

/// A session in a file: names first, what they are next, elements last.
pub struct LazySession {
    path: PathBuf,
    source: Source,
}

enum Source {
    Pandas(Box<Pandas>),
    Zarr(Box<Hierarchy>),
    #[cfg(feature = "arrow")]
    Tables(Box<Tables>),
    /// Formats that are read as a whole.
    Loaded(Box<Session>),
}

impl Session {
    /// Opens a session without its elements. HDF5, Zarr, Arrow and Parquet give names, axes and types
    /// without them; other formats are read as a whole here.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for an extension that is not known, `Corrupt`, `Unsupported`, `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<LazySession> {
        Self::open_as(path, None)
    }

    /// The same of a file that is kept in `engine`, whatever it is called.
    ///
    /// # Errors
    /// Those of [`Session::open`].
    pub fn open_as(path: impl AsRef<Path>, engine: Option<Engine>) -> Result<LazySession> {
        let path = path.as_ref();
        let engine = engine.map_or_else(|| Engine::of_path(path), Ok)?;
        let source = match engine {
            Engine::Hdf => Source::Pandas(Box::new(Pandas::open(path, &Limits::default())?)),
            Engine::Zarr => Source::Zarr(Box::new(Hierarchy::open(path, &Limits::default())?)),
            #[cfg(feature = "arrow")]
            engine @ (Engine::Arrow | Engine::Parquet) => {
                exists(path)?
                    .then_some(())
                    .ok_or_else(|| Error::not_found("no such file or folder").at_file(path))?;
                let format = match engine {
                    Engine::Arrow => TableFormat::Arrow,
                    _ => TableFormat::Parquet,
                };
                Source::Tables(Box::new(Tables::open(path, format, &Limits::default())?))
            }
            _ => {
                let mut session = Self::new();
                let options = LoadOptions { engine: Some(engine), ..LoadOptions::default() };
                session.load(path, &options)?;
                Source::Loaded(Box::new(session))
            }
        };
        Ok(LazySession { path: path.to_owned(), source })
    }
}

impl LazySession {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the objects, in the order in which they are loaded.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        match &self.source {
            Source::Pandas(file) => file.names(),
            Source::Zarr(tree) => Ok(tree.names()),
            #[cfg(feature = "arrow")]
            Source::Tables(tables) => Ok(tables.names()),
            Source::Loaded(session) => Ok(session.keys().map(str::to_owned).collect()),
        }
    }

    /// What the session says about itself.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `Io`.
    pub fn metadata(&self) -> Result<Metadata> {
        match &self.source {
            Source::Pandas(file) => file.metadata(),
            Source::Zarr(tree) => Ok(tree.metadata().clone()),
            #[cfg(feature = "arrow")]
            Source::Tables(tables) => tables.metadata(),
            Source::Loaded(session) => Ok(session.metadata().clone()),
        }
    }

    /// What the object called `name` is: of an array its axes and type.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `Io`.
    pub fn describe(&self, name: &str) -> Result<Listed> {
        match &self.source {
            Source::Pandas(file) => file.describe(name).map_err(|error| error.at_file(&self.path)),
            Source::Zarr(tree) => tree.describe(name).map_err(|error| error.at_file(&self.path)),
            #[cfg(feature = "arrow")]
            Source::Tables(tables) => tables.describe(name),
            Source::Loaded(session) => session.item(name).map(Listed::of_item),
        }
    }

    /// The object called `name`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `Io`.
    pub fn get(&self, name: &str) -> Result<Item> {
        match &self.source {
            Source::Pandas(file) => file.item(name).map_err(|error| error.at_file(&self.path)),
            Source::Zarr(tree) => tree.item(name).map_err(|error| error.at_file(&self.path)),
            #[cfg(feature = "arrow")]
            Source::Tables(tables) => tables.item(name),
            Source::Loaded(session) => session.item(name).cloned(),
        }
    }

    /// The labels `start..stop`, by their positions, of the first axis of the array called `name`.
    ///
    /// # Errors
    /// As those of [`LazySession::get`]; `InvalidInput` for positions out of bounds.
    pub fn rows(&self, name: &str, start: usize, stop: usize) -> Result<Item> {
        match &self.source {
            Source::Pandas(file) => {
                file.rows(name, start, stop).map_err(|error| error.at_file(&self.path))
            }
            Source::Zarr(tree) => {
                tree.rows(name, start, stop).map_err(|error| error.at_file(&self.path))
            }
            #[cfg(feature = "arrow")]
            Source::Tables(tables) => tables.rows(name, start, stop),
            Source::Loaded(session) => first_rows(session.item(name)?, start, stop),
        }
    }
}

/// The labels `start..stop`, by their positions, of the first axis of an array.
pub(crate) fn first_rows(item: &Item, start: usize, stop: usize) -> Result<Item> {
    match item {
        Item::Array(array, metadata) => {
            let rows = crate::store::pandas::first_rows(array, start, stop)?;
            Ok(Item::Array(rows, metadata.clone()))
        }
        other => Err(Error::invalid(format!("expected an array, found a {}", other.type_name()))),
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySession").field("path", &self.path).finish_non_exhaustive()
    }
}
