//! An npy file: a tree whose root is the array.
//!
//! Elements are read and written in the file where they lie, as a memory map of numpy's would;
//! objects are kept in memory and replace the file with the commit. A new file comes to be with
//! the first commit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use stook_core::chunk::{ChunkWrite, Deliver};
use stook_core::file::{FileIo, LocalFile, Mapping, TempFile, write_atomic};
use stook_core::{
    Adapted, ArraySpec, AttributeEdits, AttributeValue, Attributes, Child, ChunkList, ChunkSource,
    Container, Durability, Error, Format, InPlace, Limits, Mode, NodeKind, NodePath, OpenOptions,
    Result,
};

use crate::adapt;
use crate::elements;
use crate::header::{Header, MAGIC};
use crate::object_source::ObjectSource;
use crate::objects::{Objects, is_object};

/// Whether a file that begins with `head` is an npy file.
#[must_use]
pub fn is_npy(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Opens the npy file at `path`.
///
/// # Errors
/// `NotFound`, `Corrupt`, `Unsupported` for objects that are no plain data, `LimitExceeded`, `Io`.
pub fn open_npy(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    let path = path.as_ref();
    let file = match options.mode {
        Mode::Read => LocalFile::open(path)?,
        Mode::ReadWrite => LocalFile::open_read_write(path)?,
    };
    let source = Source::open(Arc::new(file), options).map_err(|error| error.at_file(path))?;
    let container = NpyContainer {
        location: path.display().to_string(),
        path: path.to_path_buf(),
        options: options.clone(),
        state: Mutex::new(State { source: Some(source), temp: None }),
    };
    Ok(Arc::new(container))
}

/// A file that comes to be at `path` when its array was created and is committed.
///
/// # Errors
/// `AlreadyExists`, `NotFound` if the folder is missing, `Io`.
pub fn create_npy(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    let path = path.as_ref();
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let container = NpyContainer {
        location: path.display().to_string(),
        path: path.to_path_buf(),
        options: OpenOptions { mode: Mode::ReadWrite, ..options.clone() },
        state: Mutex::new(State { source: None, temp: Some(TempFile::beside(path)?) }),
    };
    Ok(Arc::new(container))
}

fn exists(path: &Path) -> Error {
    Error::already_exists("there is a file of this name").at_file(path)
}

#[derive(Debug)]
struct NpyContainer {
    location: String,
    path: PathBuf,
    options: OpenOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    source: Option<Source>,
    /// The file, until it has its name.
    temp: Option<TempFile>,
}

/// The array.
#[derive(Clone, Debug)]
enum Source {
    /// Items, where they lie in the file.
    Items(Arc<NpySource>),
    /// Objects, in memory.
    Objects(Arc<ObjectSource>),
}

impl Source {
    fn open(file: Arc<LocalFile>, options: &OpenOptions) -> Result<Self> {
        let file_len = file.len_bytes()?;
        let mut read = |offset: u64, out: &mut [u8]| file.read_exact_at(offset, out);
        let (header, data_offset) = Header::read(file_len, &options.limits, &mut read)?;
        if !header.is_object() {
            return Ok(Self::Items(Arc::new(NpySource::open(file, options, header, data_offset)?)));
        }
        let mut bytes = vec![0; options.limits.chunk(file_len - data_offset)?];
        file.read_exact_at(data_offset, &mut bytes)?;
        let objects = Objects::read(&bytes, &header.shape, &options.limits)?;
        let place = (file.path().display().to_string(), identity_of(file.path(), ""));
        Ok(Self::Objects(Arc::new(ObjectSource::new(objects, place, options.mode, file_len))))
    }

    fn create(file: &Arc<LocalFile>, spec: &ArraySpec, limits: &Limits) -> Result<Self> {
        if !is_object(&spec.dtype) {
            let source = NpySource::create(Arc::clone(file), spec, limits)?;
            return Ok(Self::Items(Arc::new(source)));
        }
        let objects = Objects::empty(spec.dtype.clone(), spec.shape().to_vec())?;
        let place = (file.path().display().to_string(), identity_of(file.path(), ""));
        Ok(Self::Objects(Arc::new(ObjectSource::new(objects, place, Mode::ReadWrite, 0))))
    }

    fn chunks(&self) -> Arc<dyn ChunkSource> {
        match self {
            Self::Items(source) => Arc::clone(source) as Arc<dyn ChunkSource>,
            Self::Objects(source) => Arc::clone(source) as Arc<dyn ChunkSource>,
        }
    }
}

impl NpyContainer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn located(&self, error: Error, node: &NodePath) -> Error {
        error.at_file(&self.location).at_node(node)
    }

    /// The array, if `node` is it.
    fn source(&self, node: &NodePath) -> Result<Source> {
        self.state().source.clone().filter(|_| node.is_root()).ok_or_else(|| {
            self.located(Error::not_found(format!("node `{node}` does not exist")), node)
        })
    }

    fn refuse<T>(&self, node: &NodePath) -> Result<T> {
        let error = match self.options.mode {
            Mode::Read => Error::read_only("opened for reading only"),
            Mode::ReadWrite => Error::unsupported("an npy file holds one array, as its root"),
        };
        Err(self.located(error, node))
    }
}

impl Container for NpyContainer {
    fn format(&self) -> Format {
        Format::Npy
    }

    fn mode(&self) -> Mode {
        self.options.mode
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn kind(&self, node: &NodePath) -> Result<Option<NodeKind>> {
        Ok(self.source(node).ok().map(|_| NodeKind::Array))
    }

    fn children(&self, group: &NodePath) -> Result<Vec<Child>> {
        self.source(group)?;
        Err(self.located(Error::invalid("this is an array, not a group"), group))
    }

    fn create_group(&self, group: &NodePath) -> Result<()> {
        if self.options.mode == Mode::ReadWrite && self.source(group).is_ok() {
            return Err(self.located(Error::already_exists("there is an array"), group));
        }
        self.refuse(group)
    }

    fn create_array(&self, array: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>> {
        if self.options.mode == Mode::Read || !array.is_root() {
            return self.refuse(array);
        }
        let spec = adapt::exact(Format::Npy, spec).map_err(|error| self.located(error, array))?;
        let mut state = self.state();
        let (None, Some(temp)) = (&state.source, &state.temp) else {
            return Err(self.located(Error::already_exists("there is an array"), array));
        };
        let source = Source::create(temp.file(), &spec, &self.options.limits)
            .map_err(|error| self.located(error, array))?;
        Ok(state.source.insert(source).chunks())
    }

    fn open_array(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>> {
        Ok(self.source(array)?.chunks())
    }

    fn remove(&self, node: &NodePath) -> Result<()> {
        if self.options.mode == Mode::Read {
            return self.refuse(node);
        }
        self.source(node)?;
        Err(self.located(Error::invalid("the root cannot be removed"), node))
    }

    fn rename(&self, from: &NodePath, _to: &NodePath) -> Result<()> {
        if self.options.mode == Mode::Read {
            return self.refuse(from);
        }
        self.source(from)?;
        Err(self.located(Error::invalid("the root cannot be moved"), from))
    }

    fn attributes(&self, node: &NodePath) -> Result<Attributes> {
        self.source(node).map(|_| Attributes::new())
    }

    fn edit_attributes(&self, node: &NodePath, edits: &AttributeEdits) -> Result<()> {
        self.source(node)?;
        no_attributes(Format::Npy, self.options.mode, edits)
            .map_err(|error| self.located(error, node))
    }

    fn adapt_array(&self, spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
        adapt::adapt(Format::Npy, spec)
    }

    fn adapt_attribute(&self, name: &str, _: &AttributeValue) -> Result<Adapted<AttributeValue>> {
        Err(Error::unsupported(format!("npy has no attributes: `{name}`")))
    }

    fn commit(&self, durability: Durability) -> Result<()> {
        if durability == Durability::None || self.options.mode == Mode::Read {
            return Ok(());
        }
        let mut state = self.state();
        let Some(source) = state.source.clone() else { return Ok(()) };
        if let Source::Objects(objects) = &source
            && let Some((n_changes, bytes)) = objects.changed_bytes()?
        {
            match &state.temp {
                Some(temp) => {
                    temp.file().set_len(0)?;
                    temp.file().write_at(0, &bytes)?;
                }
                None => write_atomic(&self.path, &bytes, durability)?,
            }
            objects.set_saved(n_changes);
        }
        match &mut state.temp {
            None => match source {
                Source::Items(source) if durability == Durability::Fsync => source.file.sync(),
                _ => Ok(()),
            },
            Some(temp) => {
                if !temp.publish_new(&self.path, durability)? {
                    return Err(exists(&self.path));
                }
                state.temp = None;
                Ok(())
            }
        }
    }
}

/// Edits of attributes that a format without attributes can carry out: removing what is not
/// there.
pub(crate) fn no_attributes(format: Format, mode: Mode, edits: &AttributeEdits) -> Result<()> {
    match edits.changes.iter().find(|(_, value)| value.is_some()) {
        _ if mode == Mode::Read => Err(Error::read_only("opened for reading only")),
        Some((name, _)) => Err(Error::unsupported(format!("{format} has no attributes: `{name}`"))),
        None => Ok(()),
    }
}

#[derive(Debug)]
struct NpySource {
    file: Arc<LocalFile>,
    mapping: Option<Mapping>,
    limits: Limits,
    mode: Mode,
    data_offset: u64,
    state: RwLock<(Header, Arc<ArraySpec>)>,
    is_in_place: bool,
    identity: u64,
}

impl NpySource {
    fn open(
        file: Arc<LocalFile>,
        options: &OpenOptions,
        header: Header,
        data_offset: u64,
    ) -> Result<Self> {
        elements::check_len(header.data_len()?, file.len_bytes()?.saturating_sub(data_offset))?;
        let is_mapped = options.memory_map && options.mode == Mode::Read;
        let mapping = if is_mapped { Some(file.map()?) } else { None };
        Ok(Self::new(file, mapping, options.limits.clone(), options.mode, header, data_offset))
    }

    fn create(file: Arc<LocalFile>, spec: &ArraySpec, limits: &Limits) -> Result<Self> {
        let header = Header::from_spec(spec)?;
        let bytes = header.to_bytes()?;
        let data_offset = bytes.len() as u64;
        let end = header.data_len()?.checked_add(data_offset);
        let end = end.ok_or_else(|| Error::limit("the file would be too long"))?;
        file.set_len(0)?;
        file.write_at(0, &bytes)?;
        file.set_len(end)?;
        Ok(Self::new(file, None, limits.clone(), Mode::ReadWrite, header, data_offset))
    }

    fn new(
        file: Arc<LocalFile>,
        mapping: Option<Mapping>,
        limits: Limits,
        mode: Mode,
        header: Header,
        data_offset: u64,
    ) -> Self {
        let spec = header.to_spec();
        let identity = identity_of(file.path(), "");
        let is_in_place = spec.contiguous;
        let state = RwLock::new((header, Arc::new(spec)));
        Self { file, mapping, limits, mode, data_offset, state, is_in_place, identity }
    }

    fn data_len(&self) -> Result<u64> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).0.data_len()
    }

    /// Where `len` bytes at `offset` of the elements lie in the file.
    fn place(&self, offset: u64, len: usize) -> Result<u64> {
        elements::check_place(offset, len, self.data_len()?)
            .map_err(|error| error.at_file(self.file.path()))?;
        Ok(self.data_offset + offset)
    }

    fn check_writable(&self) -> Result<()> {
        match self.mode {
            Mode::ReadWrite => Ok(()),
            Mode::Read => {
                Err(Error::read_only("opened for reading only").at_file(self.file.path()))
            }
        }
    }
}

/// A number for the array called `name` in the file at `path`.
pub(crate) fn identity_of(path: &Path, name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    // A new file has no canonical path yet, but its folder has.
    let path = path.canonicalize().unwrap_or_else(|_| {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or(Path::new(".")).canonicalize();
        dir.map_or_else(
            |_| path.to_path_buf(),
            |dir| dir.join(path.file_name().unwrap_or_default()),
        )
    });
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    name.hash(&mut hasher);
    hasher.finish()
}

impl ChunkSource for NpySource {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        elements::read_chunks(self, self.data_len()?, &self.limits, at, deliver)
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        elements::write_chunks(self, self.data_len()?, chunks)
            .map_err(|error| error.at_file(self.file.path()))
    }

    fn erase_chunks(&self, _at: ChunkList<'_>) -> Result<()> {
        Err(elements::no_erasing().at_file(self.file.path()))
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        self.check_writable()?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        elements::check_resize(&state.0, shape).map_err(|error| error.at_file(self.file.path()))?;
        let mut header = state.0.clone();
        header.shape = shape.to_vec();
        let end = header.data_len()?.checked_add(self.data_offset);
        let end = end.ok_or_else(|| Error::limit("the file would be too long"))?;
        let start = usize::try_from(self.data_offset).unwrap_or(usize::MAX);
        let mut old = vec![0; start];
        self.file.read_exact_at(0, &mut old)?;
        let bytes = header.to_fit(&old).ok_or_else(|| {
            Error::unsupported(format!("the header has no room for shape {shape:?}"))
                .with_hint("copy the array to a new file")
                .at_file(self.file.path())
        })?;
        // The header never promises more than there is.
        if end > self.file.len_bytes()? {
            self.file.set_len(end)?;
            self.file.write_at(0, &bytes)?;
        } else {
            self.file.write_at(0, &bytes)?;
            self.file.set_len(end)?;
        }
        let spec = Arc::new(header.to_spec());
        *state = (header, spec);
        Ok(())
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        self.is_in_place.then_some(self)
    }

    fn n_stored(&self) -> Result<u64> {
        Ok(u64::from(self.data_len()? > 0))
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        self.data_len()
    }
}

impl InPlace for NpySource {
    fn mapped(&self) -> Option<&[u8]> {
        let start = usize::try_from(self.data_offset).ok()?;
        let len = usize::try_from(self.data_len().ok()?).ok()?;
        self.mapping.as_ref()?.get(start..start.checked_add(len)?)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(self.place(offset, out.len())?, out)
    }

    fn is_writable(&self) -> bool {
        self.mode == Mode::ReadWrite
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        self.file.write_at(self.place(offset, bytes.len())?, bytes)
    }
}
