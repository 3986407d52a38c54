//! Where a hierarchy is: a path, a byte store, an open file or a group in one; and the modes in
//! which it is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::file::place::{PlaceKind, kind_of, remove_empty};
use stook_core::store::{ByteStore, LocalStore, MemoryStore, ZipStore};
use stook_core::{
    ConsolidatedMetadata, Error, ErrorKind, Format, Mode, NodeKind, NodePath, OpenOptions, Result,
};
use stook_zarr::ZarrContainer;

use super::opening::UseConsolidated;
use crate::file::File;
use crate::format::Storage;
use crate::group::Group;
use crate::remote::open_store;

/// How nodes are opened, by zarr-python's letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// `r`: read what must be there.
    Read,
    /// `r+`: read and write what must be there.
    ReadWrite,
    /// `a`: read and write, create what is missing.
    #[default]
    Append,
    /// `w`: create, in the place of what is there.
    Overwrite,
    /// `w-`: create where there is nothing.
    Create,
}

impl AccessMode {
    /// Whether nodes may be created.
    pub(crate) fn creates(self) -> bool {
        matches!(self, Self::Append | Self::Overwrite | Self::Create)
    }

    /// Whether nodes that are there may be opened.
    pub(crate) fn opens(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite | Self::Append)
    }
}

impl std::str::FromStr for AccessMode {
    type Err = Error;

    /// From `r`, `r+`, `a`, `w` or `w-`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "r" => Ok(Self::Read),
            "r+" => Ok(Self::ReadWrite),
            "a" => Ok(Self::Append),
            "w" => Ok(Self::Overwrite),
            "w-" => Ok(Self::Create),
            other => Err(Error::invalid(format!(
                "expected a mode of `r`, `r+`, `a`, `w` or `w-`, found `{other}`"
            ))),
        }
    }
}

/// Where a hierarchy is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Place {
    root: Root,
    /// Below which node paths begin.
    base: NodePath,
}

#[derive(Clone, Debug)]
enum Root {
    Path(PathBuf),
    /// An address, and what the service behind it is told.
    Url(String, Vec<(String, String)>),
    Store(Arc<dyn ByteStore>),
    File(File),
}

impl Place {
    fn at(root: Root) -> Self {
        Self { root, base: NodePath::root() }
    }

    /// A new store in memory, which ends with its last handle.
    #[must_use]
    pub fn memory() -> Self {
        Self::at(Root::Store(Arc::new(MemoryStore::new())))
    }

    /// What lies at `url`, with options for the service behind it
    /// ([`open_store`](crate::open_store) knows them).
    pub fn url<'a>(url: &str, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self::at(Root::Url(url.to_owned(), options.into_iter().map(owned).collect()))
    }

    /// The node that `path` is here.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is none.
    pub(crate) fn node(&self, path: &str) -> Result<NodePath> {
        NodePath::parse(&format!("{}/{path}", self.base))
    }

    /// The hierarchy, opened as `mode` says; a folder or archive that is missing is made where
    /// the mode creates. New nodes of no version said are of version 3.
    ///
    /// # Errors
    /// `NotFound` where it must be there, `ReadOnly`, `Unsupported` for an address that nothing
    /// here can open, `Corrupt`, `Io`.
    pub(crate) fn open(&self, mode: AccessMode) -> Result<File> {
        self.open_reading(mode, UseConsolidated::default())
    }

    /// As [`Place::open`], with or without a look at consolidated metadata.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn open_reading(
        &self,
        mode: AccessMode,
        consolidated: UseConsolidated,
    ) -> Result<File> {
        let mut options = match mode {
            AccessMode::Read => OpenOptions::read(),
            _ => OpenOptions::read_write(),
        };
        if consolidated == UseConsolidated::Ignored {
            options.consolidated = ConsolidatedMetadata::Ignored;
        }
        match &self.root {
            Root::File(file) => Ok(file.clone()),
            Root::Store(store) => of_store(Arc::clone(store), &options, consolidated),
            Root::Path(path) => open_path(path, mode, &options, consolidated),
            Root::Url(url, service) => {
                let service = service.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                of_store(open_store(url, service, options.mode)?, &options, consolidated)
            }
        }
    }

    /// Does `work` with the hierarchy, opened as `mode` says. A folder that was made for work that
    /// failed is taken back.
    ///
    /// # Errors
    /// As [`Place::open`], and what `work` returns.
    pub(crate) fn work<T>(
        &self,
        mode: AccessMode,
        consolidated: UseConsolidated,
        work: impl FnOnce(&File) -> Result<T>,
    ) -> Result<T> {
        let new = match &self.root {
            Root::Path(path) if kind_of(path)?.is_none() => Some(path),
            _ => None,
        };
        let file = self.open_reading(mode, consolidated)?;
        work(&file).inspect_err(|_| {
            if let Some(path) = new {
                remove_empty(path);
            }
        })
    }

    /// Whether anything at all lies below `node`.
    ///
    /// # Errors
    /// `Io`, and what a broken node gives.
    pub(crate) fn is_empty(file: &File, node: &NodePath) -> Result<bool> {
        let Some(zarr) = file.zarr() else {
            return Ok(match file.container().kind(node)? {
                None => true,
                Some(NodeKind::Group) if node.is_root() => {
                    file.container().children(node)?.is_empty()
                }
                Some(_) => false,
            });
        };
        let listing = zarr.store().list(node.key())?;
        Ok(listing.keys.is_empty() && listing.prefixes.is_empty())
    }
}

fn of_store(
    store: Arc<dyn ByteStore>,
    options: &OpenOptions,
    consolidated: UseConsolidated,
) -> Result<File> {
    if consolidated == UseConsolidated::Required && options.mode == Mode::Read {
        // Behind a network, too, where each node's own document is read otherwise.
        let path = PathBuf::from(store.location());
        match ZarrContainer::open(Arc::clone(&store), options) {
            Ok(container) => return Ok(File::from_container(Arc::new(container), path)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::from_store(store, Some(Format::ZarrV3), options)
}

fn open_path(
    path: &Path,
    mode: AccessMode,
    options: &OpenOptions,
    consolidated: UseConsolidated,
) -> Result<File> {
    let is_zip = Storage::from_name(path) == Some(Storage::ZarrZip);
    let store: Arc<dyn ByteStore> = match kind_of(path)? {
        Some(PlaceKind::Folder) => Arc::new(LocalStore::open(path, options.mode)?),
        Some(_) if is_zip => Arc::new(ZipStore::open(path, options.mode, &options.limits)?),
        Some(_) => return File::open_with(path, options),
        None if !mode.creates() => {
            return Err(Error::not_found("no such file or folder").at_file(path));
        }
        None if is_zip => Arc::new(ZipStore::create(path, &options.limits)?),
        None => Arc::new(LocalStore::create(path)?),
    };
    of_store(store, options, consolidated)
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl From<&str> for Place {
    /// A path, or an address with `://` in it.
    fn from(text: &str) -> Self {
        match text.split_once("://") {
            Some(("file", path)) => Self::from(Path::new(path)),
            Some(_) => Self::url(text, []),
            None => Self::from(Path::new(text)),
        }
    }
}

impl From<String> for Place {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::at(Root::Path(path.to_owned()))
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::at(Root::Path(path))
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::at(Root::Path(path.clone()))
    }
}

impl From<Arc<dyn ByteStore>> for Place {
    fn from(store: Arc<dyn ByteStore>) -> Self {
        Self::at(Root::Store(store))
    }
}

impl From<&Arc<dyn ByteStore>> for Place {
    fn from(store: &Arc<dyn ByteStore>) -> Self {
        Self::from(Arc::clone(store))
    }
}

impl From<Arc<MemoryStore>> for Place {
    fn from(store: Arc<MemoryStore>) -> Self {
        Self::at(Root::Store(store))
    }
}

impl From<&File> for Place {
    fn from(file: &File) -> Self {
        Self::at(Root::File(file.clone()))
    }
}

impl From<&Group> for Place {
    fn from(group: &Group) -> Self {
        Self { root: Root::File(group.file().clone()), base: group.path().clone() }
    }
}
