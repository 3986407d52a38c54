//! The handle to a loom.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use stook::{Array, DType, Durability, Error, File, Mode, NodeKind, NodePath, OpenOptions, Result};

use crate::attributes::{AxisAttributes, FileAttributes};
use crate::axis::Axis;
use crate::change::{Change, closed, named};
use crate::graph::Graphs;
use crate::layer::Layer;
use crate::layout;
use crate::source::MatrixSource;
use crate::stamp;
use crate::state::{LAYERS, State};
use crate::upgrade;
use crate::version::SpecVersion;

/// How a loom is opened.
#[derive(Clone, Debug)]
pub struct LoomOptions {
    /// Whether it may be changed.
    pub mode: Mode,
    /// Bytes of memory that an operation may take beyond its result (default 256 MiB).
    pub budget_len_bytes: usize,
    /// How safe a change is when it is acknowledged (default `Flush`: it survives the end of the
    /// process).
    pub durability: Durability,
}

impl LoomOptions {
    /// For reading.
    #[must_use]
    pub fn read() -> Self {
        Self { mode: Mode::Read, budget_len_bytes: 256 << 20, durability: Durability::Flush }
    }

    /// For reading and writing.
    #[must_use]
    pub fn read_write() -> Self {
        Self { mode: Mode::ReadWrite, ..Self::read() }
    }
}

impl Default for LoomOptions {
    fn default() -> Self {
        Self::read()
    }
}

/// An open loom. Cheap to clone; clones share everything. Handles may be used by many threads: a
/// change waits for reads that are under way, and reads for changes. Dropping the last one closes
/// the file; every change was committed by the call that made it.
#[derive(Clone)]
pub struct Loom {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    options: LoomOptions,
    /// None once it is closed.
    state: RwLock<Option<State>>,
}

impl fmt::Debug for Loom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loom").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

/// The names of what has changed since a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Layers; the main matrix has the empty name.
    pub layers: Vec<String>,
    /// Attributes of rows.
    pub row_attributes: Vec<String>,
    /// Attributes of columns.
    pub column_attributes: Vec<String>,
    /// Graphs of rows.
    pub row_graphs: Vec<String>,
    /// Graphs of columns.
    pub column_graphs: Vec<String>,
}

impl Loom {
    /// Opens the loom at `path`, a file, folder, archive or URL, for reading.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no loom, `Unsupported`, `Corrupt`, `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &LoomOptions::read())
    }

    /// Opens the loom at `path` for reading and writing. What older versions have elsewhere moves
    /// to its place, and groups that they lack are made.
    ///
    /// # Errors
    /// As [`Loom::open`]; `ReadOnly` without permission, `Locked` by another writer.
    pub fn open_read_write(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &LoomOptions::read_write())
    }

    /// Opens the loom at `path` as `options` say.
    ///
    /// # Errors
    /// As [`Loom::open_read_write`].
    pub fn open_with(path: impl AsRef<Path>, options: &LoomOptions) -> Result<Self> {
        let path = path.as_ref();
        let open = OpenOptions { mode: options.mode, ..OpenOptions::default() };
        Self::of_file(File::open_with(path, &open)?, options)
    }

    /// The loom in a file that is open, in whatever container.
    ///
    /// # Errors
    /// As [`Loom::open`].
    pub fn of_file(file: File, options: &LoomOptions) -> Result<Self> {
        let path = file.path().to_path_buf();
        let mut options = options.clone();
        options.mode = file.container().mode();
        let state = RwLock::new(Some(State::of(file)?));
        let loom = Self { inner: Arc::new(Inner { path, options, state }) };
        if loom.mode() == Mode::ReadWrite {
            upgrade::upgrade(&loom)?;
        }
        Ok(loom)
    }

    /// Runs `read` on the open loom.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        let state = self.inner.state.read().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            Some(state) => read(state).map_err(|error| error.at_file(&self.inner.path)),
            None => Err(closed().at_file(&self.inner.path)),
        }
    }

    /// The open loom, which nobody else uses meanwhile.
    pub(crate) fn slot(&self) -> RwLockWriteGuard<'_, Option<State>> {
        self.inner.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `make`, and commits what it did; where it fails, nothing of it stays.
    pub(crate) fn change<T>(&self, make: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        let mut state = self.slot();
        let run = || {
            let mut change = Change::begin(&mut state)?;
            let made = make(&mut change)?;
            change.finish(self.inner.options.durability)?;
            Ok(made)
        };
        run().map_err(|error: Error| error.at_file(&self.inner.path))
    }

    /// The path that it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whether it may be changed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.inner.options.mode
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &LoomOptions {
        &self.inner.options
    }

    /// The file below.
    ///
    /// # Errors
    /// `InvalidInput` once it is closed.
    pub fn file(&self) -> Result<File> {
        self.read(|state| Ok(state.file.clone()))
    }

    /// Closes it: every use of any handle is an error from here on. False if it was closed before.
    ///
    /// # Errors
    /// `Io`.
    pub fn close(&self) -> Result<bool> {
        let state = self.slot().take();
        let Some(state) = state else { return Ok(false) };
        state.file.commit_with(Durability::Flush)?;
        Ok(true)
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Its number of rows and of columns.
    ///
    /// # Errors
    /// `InvalidInput` once it is closed.
    pub fn shape(&self) -> Result<[u64; 2]> {
        self.read(|state| Ok(state.shape))
    }

    /// The version of the specification that it follows.
    ///
    /// # Errors
    /// `InvalidInput` once it is closed.
    pub fn version(&self) -> Result<SpecVersion> {
        self.read(|state| Ok(state.version))
    }

    /// The names of the layers, sorted; the main matrix has the empty name.
    ///
    /// # Errors
    /// `InvalidInput` once it is closed, `Corrupt`, `Io`.
    pub fn layer_names(&self) -> Result<Vec<String>> {
        self.read(State::layer_names)
    }

    /// A layer; the main matrix has the empty name.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Io`.
    pub fn layer(&self, name: &str) -> Result<Layer> {
        self.read(|state| state.known_layer(name))?;
        Ok(Layer::new(self.clone(), name))
    }

    /// The array of a layer, for who works on tiles.
    ///
    /// # Errors
    /// As [`Loom::layer`].
    pub fn layer_array(&self, name: &str) -> Result<Array> {
        self.read(|state| state.known_layer(name))
    }

    /// Makes a layer of zeros, in the place of one that is there.
    ///
    /// # Errors
    /// `InvalidInput` for a type or name that no layer has, `ReadOnly`, `Io`.
    pub fn create_layer(&self, name: &str, dtype: DType) -> Result<Layer> {
        check_layer(name, &dtype)?;
        self.change(|change| {
            let (path, shape) = (State::layer_path(name)?, change.shape());
            let place = change.place(&path)?;
            layout::make_layer(change.file(), &place, dtype, shape)?;
            change.touch(&path);
            Ok(())
        })?;
        Ok(Layer::new(self.clone(), name))
    }

    /// Stores a layer, in the place of one that is there.
    ///
    /// # Errors
    /// `InvalidInput` for another shape than the loom's, `ReadOnly`, `Io`.
    pub fn set_layer(&self, name: &str, source: &dyn MatrixSource) -> Result<Layer> {
        check_layer(name, &source.dtype())?;
        self.change(|change| {
            expect_shape(name, change.shape(), source.shape())?;
            let path = State::layer_path(name)?;
            let place = change.place(&path)?;
            let array = layout::make_layer(change.file(), &place, source.dtype(), source.shape())?;
            source.store(&array, [0, 0])?;
            change.touch(&path);
            Ok(())
        })?;
        Ok(Layer::new(self.clone(), name))
    }

    /// Removes a layer.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for the main matrix, `ReadOnly`, `Io`.
    pub fn remove_layer(&self, name: &str) -> Result<()> {
        if name.is_empty() {
            let message = "the main matrix cannot be removed";
            return Err(Error::invalid(message).at_file(self.path()));
        }
        self.change(|change| {
            let array = change.state().layer(name)?;
            change.remove(array.path());
            change.touch(array.path());
            Ok(())
        })
    }

    /// The attributes of an axis.
    #[must_use]
    pub fn attributes(&self, axis: Axis) -> AxisAttributes {
        AxisAttributes::new(self.clone(), axis)
    }

    /// The attributes of the file.
    #[must_use]
    pub fn file_attributes(&self) -> FileAttributes {
        FileAttributes::new(self.clone())
    }

    /// The graphs of an axis.
    #[must_use]
    pub fn graphs(&self, axis: Axis) -> Graphs {
        Graphs::new(self.clone(), axis)
    }

    /// When it was changed last, as [`timestamp`](crate::timestamp) spells it: the newest stamp in
    /// it. One without any is stamped now if it may be changed; else the time now is given.
    ///
    /// # Errors
    /// `InvalidInput` once it is closed, `Corrupt`, `Io`.
    pub fn last_modified(&self) -> Result<String> {
        let newest = self.read(|state| {
            let mut newest = stamp::read(&state.file, &NodePath::root())?;
            for (_, _, path) in parts(state)? {
                newest = newest.max(stamp::read(&state.file, &path)?);
            }
            Ok(newest)
        })?;
        match newest {
            Some(stamp) => Ok(stamp),
            None if self.mode() == Mode::Read => Ok(stamp::timestamp()),
            None => {
                self.change(|change| {
                    change.touch(&NodePath::root());
                    Ok(())
                })?;
                self.read(|state| stamp::read(&state.file, &NodePath::root()))
                    .map(Option::unwrap_or_default)
            }
        }
    }

    /// What was changed after `time`, which is spelled as [`timestamp`](crate::timestamp) does.
    ///
    /// # Errors
    /// `InvalidInput` for a text that is no such time, and once it is closed, `Corrupt`, `Io`.
    pub fn changes_since(&self, time: &str) -> Result<Changes> {
        stamp::check(time)?;
        self.read(|state| {
            let mut changes = Changes::default();
            for (part, name, path) in parts(state)? {
                if stamp::read(&state.file, &path)?.is_none_or(|stamp| *stamp <= *time) {
                    continue;
                }
                let names = match part {
                    Part::Layer => &mut changes.layers,
                    Part::Attribute(Axis::Rows) => &mut changes.row_attributes,
                    Part::Attribute(Axis::Columns) => &mut changes.column_attributes,
                    Part::Graph(Axis::Rows) => &mut changes.row_graphs,
                    Part::Graph(Axis::Columns) => &mut changes.column_graphs,
                };
                names.push(name);
            }
            Ok(changes)
        })
    }
}

/// What a stamp may be of.
#[derive(Clone, Copy)]
enum Part {
    Layer,
    Attribute(Axis),
    Graph(Axis),
}

/// All that may have stamps: what it is, its name, where it is.
fn parts(state: &State) -> Result<Vec<(Part, String, NodePath)>> {
    let mut parts = Vec::new();
    for name in state.layer_names()? {
        let path = State::layer_path(&name)?;
        parts.push((Part::Layer, name, path));
    }
    for axis in Axis::BOTH {
        for name in state.attribute_names(axis)? {
            let path = named(axis.attributes(), &name)?;
            parts.push((Part::Attribute(axis), name, path));
        }
        for name in state.names(axis.graphs(), NodeKind::Group)? {
            let path = named(axis.graphs(), &name)?;
            parts.push((Part::Graph(axis), name, path));
        }
    }
    Ok(parts)
}

/// Refuses a layer that cannot be.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn check_layer(name: &str, dtype: &DType) -> Result<()> {
    State::layer_path(name)?;
    if crate::attribute_value::is_matrix_dtype(dtype) {
        return Ok(());
    }
    let layers = LAYERS.trim_start_matches('/');
    Err(Error::invalid(format!(
        "{layers}: `{name}`: expected numbers, found items of type {dtype}"
    )))
}

/// Refuses a layer of another shape than the loom's.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn expect_shape(name: &str, expected: [u64; 2], found: [u64; 2]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::invalid(format!("layer `{name}`: expected shape {expected:?}, found {found:?}")))
}
