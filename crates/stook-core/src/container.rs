//! The seam to one open file, folder, archive or remote service.

use std::any::Any;
use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::sync::Arc;

use crate::attributes::{AttributeEdits, AttributeValue, Attributes};
use crate::chunk::ChunkSource;
use crate::dtype::DType;
use crate::error::Result;
use crate::limits::Limits;
use crate::path::NodePath;
use crate::spec::ArraySpec;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Zarr version 2.
    ZarrV2,
    /// Zarr version 3.
    ZarrV3,
    /// HDF5.
    Hdf5,
    /// A NumPy array file.
    Npy,
    /// An archive of NumPy array files.
    Npz,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZarrV2 => "Zarr v2",
            Self::ZarrV3 => "Zarr v3",
            Self::Hdf5 => "HDF5",
            Self::Npy => "npy",
            Self::Npz => "npz",
        })
    }
}

/// Whether an open container may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// For reading.
    #[default]
    Read,
    /// For reading and writing.
    ReadWrite,
}

/// Which other files a file may lead to: by external links, as sources of virtual arrays, as
/// external storage of elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Those in its own folder and below; any other is an error that names it.
    #[default]
    Refused,
    /// Those below this folder; any other is an error that names it.
    Below(PathBuf),
    /// All that this process may read.
    Followed,
}

/// How a container is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Whether it may be changed.
    pub mode: Mode,
    /// What its file may ask for.
    pub limits: Limits,
    /// Whether contiguous data may be mapped into memory. A mapped file must not be truncated
    /// by another process while it is read: the operating system ends the reader then.
    pub memory_map: bool,
    /// Which other files it may lead to.
    pub outside: Outside,
    /// Whether readers take nodes from metadata that somebody consolidated.
    pub consolidated: ConsolidatedMetadata,
}

/// What readers make of consolidated metadata, where a format has that. Who changes nodes looks
/// at each node's own documents in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConsolidatedMetadata {
    /// It is taken for what it says: one document for all nodes.
    #[default]
    Used,
    /// It is passed over: another writer may have left it out of date.
    Ignored,
}

impl OpenOptions {
    /// For reading.
    #[must_use]
    pub fn read() -> Self {
        Self::default()
    }

    /// For reading and writing.
    #[must_use]
    pub fn read_write() -> Self {
        Self { mode: Mode::ReadWrite, ..Self::default() }
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// A group of nodes.
    Group,
    /// An array.
    Array,
    /// A type that has a name (HDF5's committed datatype).
    NamedType,
}

/// A new array with all that is in it: stored in one piece, without codecs, and of a shape that
/// stays.
#[derive(Clone, Copy, Debug)]
pub struct WholeArray<'a> {
    /// The type of its items, which has no heap.
    pub dtype: &'a DType,
    /// Its shape.
    pub shape: &'a [u64],
    /// Its items in C order and the machine's byte order, as many as the shape has.
    pub items: &'a [u8],
    /// Its attributes.
    pub attributes: &'a AttributeEdits,
}

impl WholeArray<'_> {
    /// Whether it has so few elements that what takes time is to make it.
    #[must_use]
    pub fn is_small(&self) -> bool {
        const MAX_LEN_BYTES: usize = 64 << 10;
        self.items.len() <= MAX_LEN_BYTES
    }
}

/// How a name leads to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// Directly.
    #[default]
    Hard,
    /// By a path in the same file, absolute or relative to the group.
    Soft(String),
    /// By a path in another file.
    External {
        /// The other file, as the link spells it.
        file: String,
        /// The path in it.
        target: String,
    },
}

/// A name in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The name.
    pub name: String,
    /// What it leads to; `None` where the link dangles, leaves the file, or the node is of no
    /// kind that is known.
    pub kind: Option<NodeKind>,
    /// How it leads there.
    pub link: Link,
    /// The same number for all names of one node in this container (hard links); `None` where
    /// nodes have one name only.
    pub identity: Option<u64>,
    /// The position among the names that were made in the group; `None` where it keeps none.
    pub created: Option<u64>,
}

/// How safely a commit puts changes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// In this process's memory at least.
    None,
    /// With the operating system: survives the end of this process.
    #[default]
    Flush,
    /// On the medium: survives a power cut.
    Fsync,
}

/// Something a target cannot hold as the source does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What: `fill value`, `codec zstd`, `attribute units`.
    pub what: String,
    /// What becomes of it: `stored as gzip level 5`.
    pub becomes: String,
}

impl Loss {
    /// A loss of `what`, which `becomes` something else.
    #[must_use]
    pub fn new(what: impl Into<String>, becomes: impl Into<String>) -> Self {
        Self { what: what.into(), becomes: becomes.into() }
    }
}

/// The nearest thing that a container can hold, and what differs.
#[derive(Clone, Debug)]
pub struct Adapted<T> {
    /// What it can hold.
    pub value: T,
    /// How that differs from what was asked for.
    pub losses: Vec<Loss>,
}

impl<T> Adapted<T> {
    /// Something that is held as it is.
    #[must_use]
    pub fn exact(value: T) -> Self {
        Self { value, losses: Vec::new() }
    }
}

/// A node that was opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Opened {
    /// A group: its path is all there is to it.
    Group,
    /// An array.
    Array(Arc<dyn ChunkSource>),
    /// Neither.
    Other,
}

/// One open file, folder, archive or remote service. Handles are shared: `&self` only.
///
/// Errors name the file and the node. A change that fails leaves the tree as it was. Who knows a
/// format finds its own type again through [`Any`].
pub trait Container: Any + Debug + Send + Sync {
    /// The format.
    fn format(&self) -> Format;

    /// Whether it may be changed.
    fn mode(&self) -> Mode;

    /// Where it is, as a person would name it: a path or URL.
    fn location(&self) -> &str;

    /// What `node` is; `None` if it is not there. Links are followed within the file.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    fn kind(&self, node: &NodePath) -> Result<Option<NodeKind>>;

    /// The names in `group`, sorted, each once.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no group, `Io`, `Corrupt`, `LimitExceeded`.
    fn children(&self, group: &NodePath) -> Result<Vec<Child>>;

    /// The names in `group` with what they lead to, opened as [`Container::open_node`] does where
    /// the format reads a node to tell what it is, so that it is read once. A node comes with
    /// nothing where opening it is work of its own, or fails: opening it alone tells why.
    ///
    /// # Errors
    /// As [`Container::children`].
    fn open_children(&self, group: &NodePath) -> Result<Vec<(Child, Option<Opened>)>> {
        Ok(self.children(group)?.into_iter().map(|child| (child, None)).collect())
    }

    /// The names in `group` without a look at what they lead to, some of which may be no nodes:
    /// for who wants to go on after [`Container::children`] has failed at one of them.
    ///
    /// # Errors
    /// As [`Container::children`], if not for one of the nodes.
    fn names(&self, group: &NodePath) -> Result<Vec<String>> {
        Ok(self.children(group)?.into_iter().map(|child| child.name).collect())
    }

    /// What the name at `node` is in its group, whatever it leads to; `None` if it is not there.
    /// The root has no name.
    ///
    /// # Errors
    /// As [`Container::children`] of the group above it, which may be missing.
    fn child(&self, node: &NodePath) -> Result<Option<Child>> {
        let Some(group) = node.parent() else { return Ok(None) };
        if self.kind(&group)? != Some(NodeKind::Group) {
            return Ok(None);
        }
        Ok(self.children(&group)?.into_iter().find(|child| child.name == node.name()))
    }

    /// The type that the named type at `node` is.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no named type, `Unsupported` where the format has none.
    fn named_type(&self, node: &NodePath) -> Result<DType> {
        let what = format!("{} has no named types", self.format());
        Err(crate::Error::unsupported(what).at_file(self.location()).at_node(node))
    }

    /// Creates `group` and the groups above it that are missing.
    ///
    /// # Errors
    /// `AlreadyExists`, `ReadOnly`, `Unsupported`, `Io`.
    fn create_group(&self, group: &NodePath) -> Result<()>;

    /// Creates `array` and the groups above it that are missing.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput`, `ReadOnly`, `Unsupported` naming what this format cannot
    /// hold, `Io`. Nothing is left behind.
    fn create_array(&self, array: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>>;

    /// Creates `array` in a group that is there, with its items and attributes, in one step, where
    /// this format makes small arrays quicker so. False where it does not, or where that fails: the
    /// caller takes the steps one by one, which tell what is wrong. Nothing is left behind then.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn create_whole(&self, array: &NodePath, whole: &WholeArray<'_>) -> Result<bool> {
        let _ = (array, whole);
        Ok(false)
    }

    /// Opens `array`.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no array, `Unsupported`, `Corrupt`, `Io`.
    fn open_array(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>>;

    /// Opens `node`, whatever it is; `None` if it is not there. A format that learns what a node
    /// is and how to read it from one document reads that once here.
    ///
    /// # Errors
    /// Those of [`Container::kind`] and [`Container::open_array`].
    fn open_node(&self, node: &NodePath) -> Result<Option<Opened>> {
        Ok(match self.kind(node)? {
            None => None,
            Some(NodeKind::Group) => Some(Opened::Group),
            Some(NodeKind::Array) => Some(Opened::Array(self.open_array(node)?)),
            Some(_) => Some(Opened::Other),
        })
    }

    /// Gives `dtype` a name, and creates the groups above it that are missing.
    ///
    /// # Errors
    /// `Unsupported` where the format has no named types, `AlreadyExists`, `ReadOnly`, `Io`.
    fn create_named_type(&self, node: &NodePath, dtype: &DType) -> Result<()> {
        let what = format!("{} has no name for the type {dtype}", self.format());
        Err(crate::Error::unsupported(what).at_file(self.location()).at_node(node))
    }

    /// Removes `node` and all below it (for a link: the link).
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for the root, `ReadOnly`, `Io`.
    fn remove(&self, node: &NodePath) -> Result<()>;

    /// Moves `from` and all below it to `to`, creating the groups above `to`.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `InvalidInput` into itself, `ReadOnly`, `Io`.
    fn rename(&self, from: &NodePath, to: &NodePath) -> Result<()>;

    /// Creates a link that is not hard at `at`.
    ///
    /// # Errors
    /// `Unsupported` where the format has no links, `AlreadyExists`, `ReadOnly`, `Io`.
    fn create_link(&self, at: &NodePath, link: &Link) -> Result<()> {
        let _ = link;
        let what = format!("{} has no links", self.format());
        Err(crate::Error::unsupported(what).at_file(self.location()).at_node(at))
    }

    /// Gives the node at `node` a further name, `at`: a hard link.
    ///
    /// # Errors
    /// `Unsupported` where nodes have one name, `NotFound`, `AlreadyExists`, `ReadOnly`, `Io`.
    fn create_hard_link(&self, at: &NodePath, node: &NodePath) -> Result<()> {
        let what = format!("{} has no further name for `{node}`", self.format());
        Err(crate::Error::unsupported(what).at_file(self.location()).at_node(at))
    }

    /// The attributes of `node`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    fn attributes(&self, node: &NodePath) -> Result<Attributes>;

    /// The attribute `name` of `node`; `None` where there is none. A format that keeps attributes
    /// apart reads no others.
    ///
    /// # Errors
    /// Those of [`Container::attributes`].
    fn attribute(&self, node: &NodePath, name: &str) -> Result<Option<AttributeValue>> {
        Ok(self.attributes(node)?.get(name).cloned())
    }

    /// The attribute `name` as it is stored, even one that [`Container::attributes`] leaves out
    /// because something else says the same.
    ///
    /// # Errors
    /// Those of [`Container::attributes`].
    fn stored_attribute(&self, node: &NodePath, name: &str) -> Result<Option<AttributeValue>> {
        self.attribute(node, name)
    }

    /// The names of all attributes that are stored at `node`, in the order of the file.
    ///
    /// # Errors
    /// As [`Container::attributes`], if not for the value of one.
    fn attribute_names(&self, node: &NodePath) -> Result<Vec<String>> {
        Ok(self.attributes(node)?.iter().map(|(name, _)| name.to_owned()).collect())
    }

    /// Changes attributes of `node`, all or none.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Unsupported`, `Io`.
    fn edit_attributes(&self, node: &NodePath, edits: &AttributeEdits) -> Result<()>;

    /// The nearest array to `spec` that this container can hold.
    ///
    /// # Errors
    /// `Unsupported` where there is none (a dtype that it has no way to hold).
    fn adapt_array(&self, spec: &ArraySpec) -> Result<Adapted<ArraySpec>>;

    /// The nearest attribute value to `value` that this container can hold.
    ///
    /// # Errors
    /// `Unsupported` where there is none.
    fn adapt_attribute(
        &self,
        name: &str,
        value: &AttributeValue,
    ) -> Result<Adapted<AttributeValue>>;

    /// Makes all changes so far durable, atomically where the format allows.
    ///
    /// # Errors
    /// `Io`; what a former commit acknowledged stays.
    fn commit(&self, durability: Durability) -> Result<()>;

    /// Gives up all changes since the last commit, where the format can: whether it did. Nothing
    /// is read or written by this handle any more then, nor by its arrays; once all of them are
    /// dropped, the file may be opened anew.
    ///
    /// # Errors
    /// `Io`.
    fn discard(&self) -> Result<bool> {
        Ok(false)
    }

    /// From here on, and until it is closed, only elements are written and arrays grow, in such a
    /// way that programs that read with the format's own library may follow what is committed,
    /// without opening it anew (HDF5: SWMR). Where a format has no such mode any reader sees what
    /// is committed, and nothing changes.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported` where the file is not made for it, `Io`.
    fn start_swmr(&self) -> Result<()> {
        match self.mode() {
            Mode::ReadWrite => Ok(()),
            Mode::Read => {
                let message = "the file was opened for reading only";
                Err(crate::Error::read_only(message).at_file(self.location()))
            }
        }
    }

    /// Called in a child process that has a copy of this open file by a fork, before anything
    /// else is: from here on the copy reads, and whatever becomes of it leaves the file to the
    /// parent.
    fn after_fork(&self) {}
}
