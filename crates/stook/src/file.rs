//! An open file or folder: the entry to its tree.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::file::place::{InTheWay, draft_of, exists, kind_of, publish, remove};
use stook_core::store::ByteStore;
use stook_core::{
    ArraySpec, Child, Container, Durability, Engine, Error, Format, Limits, Mode, NodePath,
    OpenOptions, Opened, Result,
};
use stook_hdf5::{Hdf5File, NameOrder, Readers, VirtualPart};
use stook_zarr::ZarrContainer;

use crate::array::Array;
use crate::builder::ArrayBuilder;
use crate::format::{self, Storage};
use crate::group::Group;
use crate::remote;

/// An open file or folder. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct File {
    container: Arc<dyn Container>,
    engine: Arc<Engine>,
    path: Arc<Path>,
}

/// How a new file is made.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// The format; by the name where it is not said.
    pub format: Option<Format>,
    /// What happens to what is in the way. It goes only once the new file is committed for the
    /// first time, by [`File::create_with`] itself: an empty tree takes its place.
    pub in_the_way: InTheWay,
    /// What the file may ask for when it is read.
    pub limits: Limits,
    /// Who shall be able to read a new HDF5 file, and whether while it is written.
    pub readers: Readers,
    /// Whether the root of a new HDF5 file keeps the order of its names.
    pub names: NameOrder,
    /// Bytes before a new HDF5 file begins, which are its user's: none, or a power of two from 512
    /// on.
    pub user_block: u64,
}

/// A node: a group or an array.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Node {
    /// A group.
    Group(Group),
    /// An array.
    Array(Array),
}

impl File {
    /// Opens `path` for reading.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported` for a format that is not known, `Corrupt`, `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions::read())
    }

    /// Opens `path` for reading and writing.
    ///
    /// # Errors
    /// As [`File::open`]; `ReadOnly` without permission, `Locked` by another writer.
    pub fn open_read_write(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions::read_write())
    }

    /// Opens `path` as `options` say.
    ///
    /// # Errors
    /// As [`File::open_read_write`].
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        let path = path.as_ref();
        let container = format::open(path, options)?;
        Ok(Self::from_container(container, path).with_limits(&options.limits))
    }

    /// Creates `path`, where there must be nothing, in the format that its name asks for, with an
    /// empty root group.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput` for a name that asks for no format, `ReadOnly`, `Io`.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::create_with(path, &CreateOptions::default())
    }

    /// Creates `path` as `options` say.
    ///
    /// # Errors
    /// As [`File::create`]; `AlreadyExists` also for a folder in the way that is neither Zarr
    /// nor empty.
    pub fn create_with(path: impl AsRef<Path>, options: &CreateOptions) -> Result<Self> {
        let path = path.as_ref();
        if let Some(url) = remote::url_of(path) {
            return Ok(remote::create(url, options)?.with_limits(&options.limits));
        }
        let storage = storage_for(path, options.format)?;
        if kind_of(path)?.is_some() {
            if options.in_the_way == InTheWay::Stays {
                return Err(exists(path));
            }
            format::expect_replaceable(path)?;
            let draft = Draft::new(path);
            let file = Self::make(&draft.path, storage, options)?;
            file.make_root_group()?;
            file.container.commit(Durability::Flush)?;
            drop(file);
            draft.publish(path, InTheWay::Goes)?;
            return Self::open_read_write(path);
        }
        let file = Self::make(path, storage, options)?;
        file.make_root_group()?;
        Ok(file)
    }

    /// Begins a new file at `path`, where there must be nothing, whose root is an array: an npy
    /// file, or a Zarr hierarchy that is one array.
    ///
    /// # Errors
    /// As [`File::create`]; `Unsupported` for a format whose root is always a group.
    pub fn create_array(path: impl AsRef<Path>) -> Result<ArrayBuilder> {
        let path = path.as_ref();
        if let Some(url) = remote::url_of(path) {
            return Ok(ArrayBuilder::of_new_file(remote::make(url, &CreateOptions::default())?));
        }
        let storage = storage_for(path, None)?;
        if kind_of(path)?.is_some() {
            return Err(exists(path));
        }
        if !storage.may_be_one_array() {
            let message = "the root of this format is always a group";
            return Err(Error::unsupported(message).at_file(path));
        }
        let file = Self::make(path, storage, &CreateOptions::default())?;
        Ok(ArrayBuilder::of_new_file(file))
    }

    /// An empty tree in memory, as Zarr v3; it ends with its last handle.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::from_container(crate::format::in_memory()?, "memory"))
    }

    /// Opens `path` for reading and writing, or creates it.
    ///
    /// # Errors
    /// As [`File::open_read_write`] and [`File::create`].
    pub fn require(path: impl AsRef<Path>) -> Result<Self> {
        if let Some(url) = remote::url_of(path.as_ref()) {
            return remote::require(url);
        }
        match kind_of(path.as_ref())? {
            Some(_) => Self::open_read_write(path),
            None => Self::create(path),
        }
    }

    /// An empty tree; its root is made here only where the format always has one.
    pub(crate) fn make(path: &Path, storage: Storage, options: &CreateOptions) -> Result<Self> {
        let container = storage.create(path, options)?;
        Ok(Self::from_container(container, path).with_limits(&options.limits))
    }

    /// The same file, whose chunks are held to `limits` as well.
    fn with_limits(self, limits: &Limits) -> Self {
        let config = self.engine.config();
        if config.limits == *limits {
            return self;
        }
        let config = config.clone().limits(limits.clone());
        self.with_engine(Engine::new(config))
    }

    pub(crate) fn make_root_group(&self) -> Result<()> {
        let root = NodePath::root();
        if self.container.kind(&root)?.is_none() {
            self.container.create_group(&root)?;
        }
        Ok(())
    }

    /// The Zarr hierarchy in `store`, whatever there is in it: no root is demanded. New nodes are
    /// of version `format`, else of that of the root, else of version 3.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use stook::store::MemoryStore;
    /// use stook::{File, OpenOptions};
    ///
    /// # fn main() -> stook::Result<()> {
    /// let store = Arc::new(MemoryStore::new());
    /// let file = File::from_store(store, None, &OpenOptions::read_write())?;
    /// assert!(file.root().is_err());
    /// let document = serde_json::json!({"zarr_format": 2});
    /// file.create_document("a/b", document.as_object().unwrap(), None, false)?;
    /// assert_eq!(file.root_group()?.children()?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` if `format` is not Zarr, `ReadOnly` if the store cannot be changed as the
    /// options ask for; without `format` also `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn from_store(
        store: Arc<dyn ByteStore>,
        format: Option<Format>,
        options: &OpenOptions,
    ) -> Result<Self> {
        let path = PathBuf::from(store.location());
        let container = ZarrContainer::of_store(store, format, options)?;
        Ok(Self::from_container(Arc::new(container), path).with_limits(&options.limits))
    }

    /// The tree of an open container, named `path` in errors.
    pub fn from_container(container: Arc<dyn Container>, path: impl AsRef<Path>) -> Self {
        Self { container, engine: Engine::global(), path: Arc::from(path.as_ref()) }
    }

    /// The same file with the settings and cache of `engine`.
    #[must_use]
    pub fn with_engine(mut self, engine: Arc<Engine>) -> Self {
        self.engine = engine;
        self
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.container.format()
    }

    /// The container below.
    #[must_use]
    pub fn container(&self) -> &Arc<dyn Container> {
        &self.container
    }

    /// The engine that moves its data.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The root of the tree: a group, or in some files the only array.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn root(&self) -> Result<Node> {
        self.node_at(NodePath::root())
    }

    /// The root, which must be a group.
    ///
    /// # Errors
    /// `InvalidInput` if it is an array.
    pub fn root_group(&self) -> Result<Group> {
        self.group("/")
    }

    /// The node at `path`.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a path that is none, `Unsupported`, `Corrupt`, `Io`.
    pub fn node(&self, path: &str) -> Result<Node> {
        self.node_at(NodePath::parse(path)?)
    }

    /// The group at `path`.
    ///
    /// # Errors
    /// As [`File::node`]; `InvalidInput` also if it is an array.
    pub fn group(&self, path: &str) -> Result<Group> {
        match self.node(path)? {
            Node::Group(group) => Ok(group),
            Node::Array(array) => Err(self.wrong_kind(array.path(), "a group", "an array")),
        }
    }

    /// The array at `path`.
    ///
    /// # Errors
    /// As [`File::node`]; `InvalidInput` also if it is a group.
    pub fn array(&self, path: &str) -> Result<Array> {
        match self.node(path)? {
            Node::Array(array) => Ok(array),
            Node::Group(group) => Err(self.wrong_kind(group.path(), "an array", "a group")),
        }
    }

    fn wrong_kind(&self, path: &NodePath, expected: &str, found: &str) -> Error {
        Error::invalid(format!("expected {expected}, found {found}"))
            .at_node(path)
            .at_file(&*self.path)
    }

    pub(crate) fn node_at(&self, path: NodePath) -> Result<Node> {
        match self.container.open_node(&path)? {
            Some(opened) => self.node_of(path, opened),
            None => {
                Err(Error::not_found("there is no such node").at_node(&path).at_file(&*self.path))
            }
        }
    }

    /// What is in `group`, each name with the node it leads to; without one where the format tells
    /// what a node is without opening it, or where it cannot be opened.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if `group` is no group, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn nodes_in(&self, group: &NodePath) -> Result<Vec<(Child, Option<Node>)>> {
        let children = self.container.open_children(group)?.into_iter();
        let node = |(child, opened): (Child, Option<Opened>)| {
            let path = group.join(&child.name).ok();
            let node = path.zip(opened).and_then(|(path, opened)| self.node_of(path, opened).ok());
            (child, node)
        };
        Ok(children.map(node).collect())
    }

    /// The node that was opened at `path`.
    fn node_of(&self, path: NodePath, opened: Opened) -> Result<Node> {
        match opened {
            Opened::Group => Ok(Node::Group(Group::new(self.clone(), path))),
            Opened::Array(source) => Ok(Node::Array(Array::new(self.clone(), path, source))),
            _ => Err(Error::unsupported("the node is neither a group nor an array")
                .at_node(&path)
                .at_file(&*self.path)),
        }
    }

    /// Puts all changes so far into the file: they survive the end of this process.
    ///
    /// # Errors
    /// `Io`.
    pub fn commit(&self) -> Result<()> {
        self.container.commit(Durability::Flush)
    }

    /// Puts all changes so far away as safely as `durability` says.
    ///
    /// # Errors
    /// `Io`.
    pub fn commit_with(&self, durability: Durability) -> Result<()> {
        self.container.commit(durability)
    }

    /// Whether other processes have changed the file since it was opened for reading, or may have:
    /// only HDF5 says that they have not. Opened again, it is as it is now.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_outdated(&self) -> Result<bool> {
        let container: &dyn Any = &*self.container;
        match container.downcast_ref::<Hdf5File>() {
            Some(file) => file.is_outdated(),
            None => Ok(self.container.mode() == Mode::Read),
        }
    }

    /// Creates the array `node` in an HDF5 file, whose elements are those of `parts`; of `spec`
    /// type, shape, maximal shape and fill value count.
    ///
    /// # Errors
    /// `Unsupported` in other formats; `AlreadyExists`, `InvalidInput`, `ReadOnly`, `Io`.
    pub fn create_virtual(
        &self,
        node: &str,
        spec: &ArraySpec,
        parts: &[VirtualPart],
    ) -> Result<Array> {
        let container: &dyn Any = &*self.container;
        let Some(file) = container.downcast_ref::<Hdf5File>() else {
            let message = format!("{} has no arrays of elements of others", self.format());
            return Err(Error::unsupported(message).at_file(&*self.path));
        };
        file.create_virtual(&NodePath::parse(node)?, spec, parts)?;
        self.array(node)
    }

    /// Creates the group `node`, and those above it, in an HDF5 file; it keeps the order of its names
    /// or does not. Other formats keep none.
    ///
    /// # Errors
    /// `Unsupported` in other formats; `AlreadyExists`, `ReadOnly`, `Io`.
    pub fn create_group_with(&self, node: &str, names: NameOrder) -> Result<Group> {
        let path = NodePath::parse(node)?;
        let container: &dyn Any = &*self.container;
        match container.downcast_ref::<Hdf5File>() {
            Some(file) => file.create_group_with(&path, names)?,
            None if names == NameOrder::Forgotten => self.container.create_group(&path)?,
            None => {
                let message = format!("groups of {} keep no order of names", self.format());
                return Err(Error::unsupported(message).at_node(&path).at_file(&*self.path));
            }
        }
        Ok(Group::new(self.clone(), path))
    }

    /// From here on, until the file is closed, only elements are written and arrays grow, so that
    /// programs that read HDF5 with `swmr=True` may follow what is committed. The file must have
    /// been created for [`Readers::V110`]; other formats have no such mode and need none.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported` for a file that is made for older readers, `Io`.
    pub fn start_swmr(&self) -> Result<()> {
        self.container.start_swmr()
    }
}

/// The storage of a new file.
pub(crate) fn storage_for(path: &Path, format: Option<Format>) -> Result<Storage> {
    let named = Storage::from_name(path);
    let Some(format) = format else {
        return named.ok_or_else(|| {
            Error::invalid("the name does not say which format the new file shall have")
                .at_file(path)
                .with_hint("end it in .zarr, .zarr.zip, .h5, .npy or .npz, or name the format")
        });
    };
    let storage = Storage::of_format(format)?;
    let is_zip = storage == Storage::ZarrFolder && named == Some(Storage::ZarrZip);
    Ok(if is_zip { Storage::ZarrZip } else { storage })
}

/// A file in the making under a temporary name; dropped before it is published, it is removed.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) path: PathBuf,
}

impl Draft {
    pub(crate) fn new(target: &Path) -> Self {
        Self { path: draft_of(target) }
    }

    pub(crate) fn publish(&self, target: &Path, in_the_way: InTheWay) -> Result<()> {
        publish(&self.path, target, in_the_way)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a publication there is nothing left to remove.
        let _ = remove(&self.path);
    }
}

impl Node {
    /// Where it is in its tree.
    #[must_use]
    pub fn path(&self) -> &NodePath {
        match self {
            Self::Group(group) => group.path(),
            Self::Array(array) => array.path(),
        }
    }

    /// Its attributes.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn attributes(&self) -> Result<stook_core::Attributes> {
        match self {
            Self::Group(group) => group.attributes(),
            Self::Array(array) => array.attributes(),
        }
    }
}
