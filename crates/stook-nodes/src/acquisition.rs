//! An open file of an acquisition.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stook::{
    AttributeEdits, AttributeValue, ConvertOptions, CreateOptions, Durability, ErrorKind, File,
    Format, InTheWay, Mode, NodePath, OpenOptions, Readers, Storage,
};
use stook_core::{Error, Result};

use crate::attribute::{self, decode};
use crate::convention::{Class, Convention};
use crate::live::Live;
use crate::node::{Appender, EArray, Group, Node, StringArray, VLArray};
use crate::pool::Pool;
use crate::ragged::Ragged;
use crate::rows::Rows;
use crate::value::Value;
use crate::walk::{self, Depth, Visit};

/// More threads than this do not wait for a network at once.
const MAX_THREADS: usize = 16;

/// Which file is opened, and whether it may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenMode {
    /// One that is there, for reading (`r`).
    #[default]
    Read,
    /// One that is there, for reading and writing (`r+`).
    ReadWrite,
    /// One that is there, or else a new one (`a`).
    Append,
    /// A new one, where there is none (`x`).
    Create,
    /// A new one, in the place of what is there (`w`).
    Replace,
}

/// How a file is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which file.
    pub mode: OpenMode,
    /// How nodes are marked; as the file does where that is not said, and as PyTables in a new one.
    pub convention: Option<Convention>,
    /// The title of a new file.
    pub title: String,
    /// The format of a new file; by its name where that is not said, and HDF5 where that says none.
    pub format: Option<Format>,
    /// The versions that a new file is marked with: names of attributes and their texts.
    pub versions: Vec<(String, String)>,
    /// Who shall be able to read a new HDF5 file; for [`Acquisition::start_swmr`]
    /// [`Readers::V110`].
    pub readers: Readers,
}

/// An open file. Cheap to clone; clones share everything. Dropping the last one flushes it; call
/// [`Acquisition::close`] to learn of errors.
#[derive(Clone, Debug)]
pub struct Acquisition {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    convention: Convention,
    /// The level of compression of arrays to come.
    level: AtomicU8,
    live: Mutex<HashMap<NodePath, Live>>,
    pool: Arc<Pool>,
    /// Whether others follow the file as it is written, and attributes wait.
    is_swmr: AtomicBool,
}

impl Acquisition {
    /// Makes a file where there is none, marked as PyTables does it.
    ///
    /// # Errors
    /// `AlreadyExists`, `ReadOnly`, `Io`.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Options { mode: OpenMode::Create, ..Options::default() })
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Options::default())
    }

    /// Opens `path`, a file, a folder or a URL, as `options` say.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `Locked` by another writer, `ReadOnly`, `Corrupt`,
    /// `Unsupported`, `InvalidInput`, `Io`.
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Self> {
        let path = path.as_ref();
        let open = |mode| File::open_with(path, &OpenOptions { mode, ..OpenOptions::default() });
        match options.mode {
            OpenMode::Read => Ok(Self::of(open(Mode::Read)?, options)),
            OpenMode::ReadWrite => Ok(Self::of(open(Mode::ReadWrite)?, options)),
            OpenMode::Append => match open(Mode::ReadWrite) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Self::make(path, options, InTheWay::Stays)
                }
                opened => Ok(Self::of(opened?, options)),
            },
            OpenMode::Create => Self::make(path, options, InTheWay::Stays),
            OpenMode::Replace => Self::make(path, options, InTheWay::Goes),
        }
    }

    fn make(path: &Path, options: &Options, in_the_way: InTheWay) -> Result<Self> {
        let is_named =
            Storage::from_name(path).is_some() || path.to_str().is_some_and(stook::is_url);
        let format = options.format.or(if is_named { None } else { Some(Format::Hdf5) });
        let readers = options.readers;
        let create = CreateOptions { format, in_the_way, readers, ..CreateOptions::default() };
        let acquisition = Self::of(File::create_with(path, &create)?, options);
        acquisition.mark_root(options)?;
        Ok(acquisition)
    }

    fn mark_root(&self, options: &Options) -> Result<()> {
        let (convention, format) = (self.convention(), self.format());
        let text = |text: &str| convention.text(format, text, Default::default());
        let mut edits = AttributeEdits::new();
        for (name, value) in convention.marks(format, Class::Group, &options.title)? {
            edits = edits.set(name, value);
            if name == "CLASS" && convention == Convention::Tables {
                edits = edits.set("PYTABLES_FORMAT_VERSION", text("2.1"));
            }
        }
        if convention == Convention::H5py {
            let title = attribute::encode(&Value::Text(options.title.clone()));
            edits = edits.set("TITLE", text(&title));
        }
        for (name, version) in &options.versions {
            edits = edits.set(name, text(&attribute::encode(&version.as_str().into())));
        }
        self.file().container().edit_attributes(&NodePath::root(), &edits)
    }

    /// The tree of an open file.
    fn of(file: File, options: &Options) -> Self {
        let convention = options.convention.unwrap_or_else(|| {
            let found = file.container().attribute(&NodePath::root(), "PYTABLES_FORMAT_VERSION");
            let is_h5py = matches!(found, Ok(None)) && options.mode != OpenMode::Create;
            if is_h5py { Convention::H5py } else { Convention::Tables }
        });
        let available = crate::pool::available();
        // Chunks that wait for a network may wait together.
        let is_remote = file.path().to_str().is_some_and(stook::is_url);
        let threads = if is_remote { MAX_THREADS } else { available.min(MAX_THREADS) };
        let pool = Arc::new(Pool::new(threads));
        let (level, live) = (AtomicU8::new(0), Mutex::default());
        let is_swmr = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { file, convention, level, live, pool, is_swmr }) }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.inner.file
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.file().format()
    }

    /// How new nodes are marked.
    #[must_use]
    pub fn convention(&self) -> Convention {
        self.inner.convention
    }

    /// Whether it may be changed.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.file().container().mode() == Mode::ReadWrite
    }

    /// Compresses arrays that are made from here on with deflate of `level`, 0 for not at all.
    ///
    /// # Errors
    /// `InvalidInput` for a level above 9.
    pub fn set_compression(&self, level: u8) -> Result<()> {
        if level > 9 {
            return Err(Error::invalid(format!("expected a level from 0 to 9, found {level}")));
        }
        self.inner.level.store(level, Ordering::Relaxed);
        Ok(())
    }

    /// The level of compression of arrays to come, 0 for none.
    #[must_use]
    pub fn compression(&self) -> u8 {
        self.inner.level.load(Ordering::Relaxed)
    }

    pub(crate) fn path_of(&self, path: &str) -> Result<NodePath> {
        NodePath::parse(path).map_err(|error| error.at_file(self.file().path()))
    }

    /// The root.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn root(&self) -> Result<Group> {
        self.group("/")
    }

    /// The node at `path`.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a path that is none, `Unsupported`, `Corrupt`, `Io`.
    pub fn node(&self, path: &str) -> Result<Node> {
        let path = self.path_of(path)?;
        let class = self.expect_class(&path)?;
        Ok(Node::new(self.clone(), path, class))
    }

    fn wrong_class(&self, node: &Node, expected: &str) -> Error {
        let message = format!("expected {expected}, found a {}", node.class().name());
        Error::invalid(message).at_node(node.path()).at_file(self.file().path())
    }

    /// The group at `path`.
    ///
    /// # Errors
    /// As [`Acquisition::node`]; `InvalidInput` also for another class of node.
    pub fn group(&self, path: &str) -> Result<Group> {
        match self.node(path)? {
            Node::Group(group) => Ok(group),
            other => Err(self.wrong_class(&other, "a group")),
        }
    }

    /// The array at `path` that grows.
    ///
    /// # Errors
    /// As [`Acquisition::group`].
    pub fn earray(&self, path: &str) -> Result<EArray> {
        match self.node(path)? {
            Node::EArray(array) => Ok(array),
            other => Err(self.wrong_class(&other, "an EARRAY")),
        }
    }

    /// The rows of different lengths at `path`.
    ///
    /// # Errors
    /// As [`Acquisition::group`].
    pub fn vlarray(&self, path: &str) -> Result<VLArray> {
        match self.node(path)? {
            Node::VLArray(array) => Ok(array),
            other => Err(self.wrong_class(&other, "a VLARRAY")),
        }
    }

    /// The texts at `path`.
    ///
    /// # Errors
    /// As [`Acquisition::group`].
    pub fn string_array(&self, path: &str) -> Result<StringArray> {
        match self.node(path)? {
            Node::StringArray(array) => Ok(array),
            other => Err(self.wrong_class(&other, "a StringARRAY")),
        }
    }

    /// What the node at `path` is; `None` where there is nothing.
    ///
    /// # Errors
    /// `Unsupported`, `Corrupt`, `Io`.
    pub fn class(&self, path: &NodePath) -> Result<Option<Class>> {
        walk::class(self, path)
    }

    pub(crate) fn expect_class(&self, path: &NodePath) -> Result<Class> {
        self.class(path)?.ok_or_else(|| {
            Error::not_found("there is no such node").at_node(path).at_file(self.file().path())
        })
    }

    /// The names in the group at `path`, sorted, with what they are.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no group, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn children(&self, path: &NodePath) -> Result<Vec<(String, Class)>> {
        walk::children(self, path)
    }

    /// The node at `path` and those below it: the children of a group together, then those of each
    /// of its groups, then those below the last of these, and so on, as PyTables walks.
    ///
    /// # Errors
    /// As [`Acquisition::children`]; `Corrupt` for a group that is within itself.
    pub fn walk(&self, path: &str, depth: Depth) -> Result<Vec<Visit>> {
        walk::walk(self, &self.path_of(path)?, depth)
    }

    /// The attribute `name` of the node at `path`. That of an array that grows, `shape`, is what
    /// it is now.
    ///
    /// # Errors
    /// `NotFound` if there is no such node, what [`decode`] may give, `Io`.
    pub fn attribute(&self, path: &NodePath, name: &str) -> Result<Option<Value>> {
        let stored = self.file().container().attribute(path, name)?;
        let Some(stored) = stored else { return Ok(None) };
        if name == "shape"
            && let Some(shape) = self.growing_shape(path)?
        {
            return Ok(Some(shape.as_slice().into()));
        }
        let decoded = decode(name, stored);
        decoded.map(Some).map_err(|error| error.at_node(path).at_file(self.file().path()))
    }

    /// The attribute `name` as it is stored.
    ///
    /// # Errors
    /// `NotFound` if there is no such node, `Corrupt`, `Io`.
    pub fn stored_attribute(&self, path: &NodePath, name: &str) -> Result<Option<AttributeValue>> {
        self.file().container().attribute(path, name)
    }

    /// The names of the attributes of the node at `path`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn attribute_names(&self, path: &NodePath) -> Result<Vec<String>> {
        let attributes = self.file().container().attributes(path)?;
        Ok(attributes.iter().map(|(name, _)| name.to_owned()).collect())
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Unsupported`, `Io`.
    pub fn set_attribute(&self, path: &NodePath, name: &str, value: &Value) -> Result<()> {
        if let Value::Other(stored) = value {
            let container = self.file().container();
            let adapted = container.adapt_attribute(name, stored)?;
            return container
                .edit_attributes(path, &AttributeEdits::new().set(name, adapted.value));
        }
        self.set_text(path, name, &attribute::encode(value))
    }

    /// Sets an attribute to a text that is stored as it is.
    ///
    /// # Errors
    /// As [`Acquisition::set_attribute`].
    pub fn set_text(&self, path: &NodePath, name: &str, text: &str) -> Result<()> {
        let value = self.convention().text(self.format(), text, Default::default());
        let container = self.file().container();
        container.edit_attributes(path, &AttributeEdits::new().set(name, value))
    }

    /// Removes the node at `path` and all below it, with what was appended and not stored.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for the root, `ReadOnly`, `Io`.
    pub fn remove(&self, path: &NodePath) -> Result<()> {
        self.file().container().remove(path)?;
        self.end_below(path);
        Ok(())
    }

    fn lock_live(&self) -> MutexGuard<'_, HashMap<NodePath, Live>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What grows at `path`, if a handle to it was opened.
    pub(crate) fn known_live(&self, path: &NodePath) -> Option<Live> {
        self.lock_live().get(path).cloned()
    }

    /// What grows at `path`.
    pub(crate) fn live(&self, path: &NodePath, class: Class) -> Result<Live> {
        if let Some(live) = self.known_live(path) {
            return Ok(live);
        }
        let array = self.file().array(path.as_str())?;
        self.adopt(path, class, array)
    }

    pub(crate) fn adopt(&self, path: &NodePath, class: Class, array: stook::Array) -> Result<Live> {
        let located = |error: Error| error.at_node(path).at_file(self.file().path());
        let live = match class {
            Class::EArray | Class::CArray => {
                let rows = Rows::new(array, self.format(), &self.inner.pool);
                Live::Rows(Arc::new(rows.map_err(located)?))
            }
            _ => Live::Ragged(Arc::new(Ragged::new(array).map_err(located)?)),
        };
        // Another thread may have been first: all handles share one.
        Ok(self.lock_live().entry(path.clone()).or_insert(live).clone())
    }

    /// The shape of what grows at `path`, with what is not stored yet; `None` where nothing does.
    pub(crate) fn growing_shape(&self, path: &NodePath) -> Result<Option<Vec<u64>>> {
        if let Some(live) = self.known_live(path) {
            return Ok(Some(live.shape()));
        }
        match self.class(path)? {
            Some(class) if class.is_growing() => {
                Ok(Some(self.file().array(path.as_str())?.shape()))
            }
            _ => Ok(None),
        }
    }

    /// The way of rows into the array at `path`, for who appends often.
    ///
    /// # Errors
    /// As [`Acquisition::node`]; `InvalidInput` for a node that does not grow by rows.
    pub fn appender(&self, path: &str) -> Result<Appender> {
        match self.node(path)? {
            Node::EArray(array) => array.appender(),
            other => Err(self.wrong_class(&other, "an EARRAY")),
        }
    }

    /// The rows of different lengths at `path`, texts or not.
    ///
    /// # Errors
    /// As [`Acquisition::group`].
    pub fn ragged(&self, path: &str) -> Result<VLArray> {
        match self.node(path)? {
            Node::VLArray(array) => Ok(array),
            Node::StringArray(array) => Ok(array.into()),
            other => Err(self.wrong_class(&other, "a VLARRAY")),
        }
    }

    /// Appends a row to the rows of different lengths at `path`: whole items in native byte order.
    ///
    /// # Errors
    /// As [`VLArray::append`].
    pub fn append_row(&self, path: &NodePath, row: &[u8]) -> Result<()> {
        if !self.is_writable() {
            let error = Error::read_only("the file was opened for reading only");
            return Err(error.at_node(path).at_file(self.file().path()));
        }
        match self.live(path, Class::VLArray)? {
            Live::Ragged(rows) => rows.append(row),
            Live::Rows(_) => Err(Error::invalid("rows of one shape").at_node(path)),
        }
    }

    /// The array at `path` with all that was appended.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no array, what storing may give.
    pub fn stored_array(&self, path: &NodePath) -> Result<stook::Array> {
        match self.known_live(path) {
            Some(_) if self.inner.pool.is_copy() => self.file().array(path.as_str()),
            Some(Live::Rows(rows)) => rows.stored().cloned(),
            Some(Live::Ragged(rows)) => rows.stored().cloned(),
            None => self.file().array(path.as_str()),
        }
    }

    /// The shape of the array at `path`, with what is not stored yet.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no array, `Corrupt`, `Io`.
    pub fn shape(&self, path: &NodePath) -> Result<Vec<u64>> {
        match self.known_live(path) {
            Some(live) => Ok(live.shape()),
            None => Ok(self.file().array(path.as_str())?.shape()),
        }
    }

    /// Stores what was appended to the array at `path`, whose elements are about to be changed in
    /// another way than by appending.
    ///
    /// # Errors
    /// What storing may give.
    pub fn forget_rows(&self, path: &NodePath) -> Result<()> {
        let live = self.lock_live().remove(path);
        match live {
            Some(Live::Rows(rows)) => {
                let kept = rows.forget();
                self.lock_live().insert(path.clone(), Live::Rows(rows));
                kept
            }
            Some(live) => {
                let kept = live.settle();
                self.lock_live().insert(path.clone(), live);
                kept
            }
            None => Ok(()),
        }
    }

    /// Moves the node at `from`, and all below it, to `to`; what was appended there is stored, and
    /// handles to it end.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `InvalidInput` into itself, `ReadOnly`, `Io`.
    pub fn rename(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        self.flush(Durability::None)?;
        self.file().container().rename(from, to)?;
        self.end_below(from);
        Ok(())
    }

    /// Ends what grows at `path` and below.
    fn end_below(&self, path: &NodePath) {
        self.lock_live().retain(|known, live| {
            let stays = !known.starts_with(path);
            if !stays {
                live.end();
            }
            stays
        });
    }

    /// Stores what was appended, so that whoever reads through [`Acquisition::file`] finds it.
    ///
    /// # Errors
    /// What storing may give; what could not be stored is kept.
    pub fn settle(&self) -> Result<()> {
        if !self.is_writable() || self.inner.pool.is_copy() {
            return Ok(());
        }
        let all: Vec<(NodePath, Live)> =
            self.lock_live().iter().map(|(path, live)| (path.clone(), live.clone())).collect();
        for (path, live) in &all {
            live.settle().map_err(|error| error.at_node(path).at_file(self.file().path()))?;
        }
        Ok(())
    }

    /// Stores what was appended, tells attributes, and commits as safely as `durability` says:
    /// what this acknowledges survives.
    ///
    /// # Errors
    /// What storing may give, of earlier appends, too. What could not be stored is kept, and the
    /// next flush tries again.
    pub fn flush(&self, durability: Durability) -> Result<()> {
        if !self.is_writable() || self.inner.pool.is_copy() {
            return Ok(());
        }
        self.settle()?;
        if !self.is_swmr() {
            self.tell_shapes()?;
        }
        self.file().commit_with(durability)?;
        let mut live = self.lock_live();
        // What somebody may append to stays, so that all handles share it.
        live.retain(|_, live| !live.is_let_go() || live.untold().is_some());
        Ok(())
    }

    /// Whether others follow the file as it is written.
    #[must_use]
    pub fn is_swmr(&self) -> bool {
        self.inner.is_swmr.load(Ordering::Acquire)
    }

    /// From here on only rows are appended, and programs that read with h5py's `swmr=True` may
    /// follow what is flushed. The attributes that tell shapes wait for
    /// [`Acquisition::finish_swmr`].
    ///
    /// # Errors
    /// As [`Acquisition::flush`] and [`File::start_swmr`].
    pub fn start_swmr(&self) -> Result<()> {
        self.flush(Durability::Flush)?;
        self.file().start_swmr()?;
        self.inner.is_swmr.store(true, Ordering::Release);
        Ok(())
    }

    /// Ends [`Acquisition::start_swmr`]: closes the file, which must have no other handles, opens
    /// it again for writing, and tells the attributes of arrays that have grown.
    ///
    /// # Errors
    /// As [`Acquisition::flush`] and [`Acquisition::open_with`]; `ReadOnly` where another handle
    /// keeps the file open.
    pub fn finish_swmr(self) -> Result<Self> {
        let convention = Some(self.convention());
        let options = Options { mode: OpenMode::ReadWrite, convention, ..Options::default() };
        let path = self.file().path().to_path_buf();
        self.close()?;
        let again = Self::open_with(&path, &options)?;
        for visit in again.walk("/", Depth::All)? {
            let shape = again.growing_shape(&visit.path)?;
            if let Some(shape) = shape.filter(|_| visit.class.is_growing()) {
                let text = attribute::encode(&shape.as_slice().into());
                again.set_text(&visit.path, "shape", &text)?;
            }
        }
        again.flush(Durability::Flush)?;
        Ok(again)
    }

    fn tell_shapes(&self) -> Result<()> {
        let all: Vec<(NodePath, Live)> =
            self.lock_live().iter().map(|(path, live)| (path.clone(), live.clone())).collect();
        for (path, live) in all {
            let Some(n_rows) = live.untold() else { continue };
            let mut shape = live.shape();
            if let Some(first) = shape.first_mut() {
                *first = n_rows;
            }
            self.set_text(&path, "shape", &attribute::encode(&shape.as_slice().into()))?;
            live.told(n_rows);
        }
        Ok(())
    }

    /// Flushes the file; its last handle closes it.
    ///
    /// # Errors
    /// As [`Acquisition::flush`].
    pub fn close(self) -> Result<()> {
        self.flush(Durability::Flush)
    }

    /// Copies the file, as it is now, to a new one, in the format that its name asks for.
    ///
    /// # Errors
    /// `AlreadyExists`; those of [`Acquisition::flush`] and [`stook::convert`].
    pub fn save_as(&self, path: impl AsRef<Path>) -> Result<()> {
        self.flush(Durability::Flush)?;
        let path = path.as_ref();
        let format = match Storage::from_name(path) {
            Some(_) => None,
            None => Some(self.format()),
        };
        let mut options = ConvertOptions { format, ..ConvertOptions::default() };
        stook::convert(self.file().path(), path, &mut options).map(drop)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let live = std::mem::take(self.live.get_mut().unwrap_or_else(PoisonError::into_inner));
        if live.is_empty() || self.pool.is_copy() {
            return;
        }
        // Whoever wants to know of errors closes the file.
        for live in live.values() {
            let _ = live.settle();
        }
        let _ = self.file.commit();
    }
}
