//! The format table: the one place that knows which formats there are.

use std::path::Path;
use std::sync::Arc;

use stook_core::file::place::{PlaceKind, is_empty_folder, kind_of};
use stook_core::file::{FileIo, LocalFile};
use stook_core::store::{ByteStore, LocalStore, MemoryStore, ZipStore};
use stook_core::{
    Container, Durability, Error, ErrorKind, Format, Limits, Mode, NodeKind, NodePath, OpenOptions,
    Result,
};
use stook_hdf5::Hdf5File;
use stook_zarr::ZarrContainer;

use crate::file::CreateOptions;
use crate::remote;

/// How a tree lies in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Storage {
    /// Zarr as a folder of files.
    ZarrFolder,
    /// Zarr in a zip archive.
    ZarrZip,
    /// An HDF5 file.
    Hdf5,
    /// A NumPy array file.
    Npy,
    /// An archive of NumPy array files.
    Npz,
}

impl Storage {
    /// The storage that a name asks for by how it ends.
    #[must_use]
    pub fn from_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let by_ending = [
            (Self::ZarrZip, &[".zarr.zip", ".zip"][..]),
            (Self::ZarrFolder, &[".zarr", ".zr3", ".zr2"]),
            (
                Self::Hdf5,
                &[".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".loom", ".nc4", ".nxs", ".mat"],
            ),
            (Self::Npy, &[".npy"]),
            (Self::Npz, &[".npz"]),
        ];
        let found = by_ending
            .iter()
            .find(|(_, endings)| endings.iter().any(|ending| name.ends_with(ending)));
        found.map(|(storage, _)| *storage)
    }

    /// Whether the root may be an array.
    pub(crate) fn may_be_one_array(self) -> bool {
        matches!(self, Self::ZarrFolder | Self::ZarrZip | Self::Npy)
    }

    /// Opens the tree at `path`.
    pub(crate) fn open(self, path: &Path, options: &OpenOptions) -> Result<Arc<dyn Container>> {
        Ok(match self {
            Self::ZarrFolder => {
                let store = LocalStore::open(path, options.mode)?;
                Arc::new(ZarrContainer::open(Arc::new(store), options)?)
            }
            Self::ZarrZip => {
                let store = ZipStore::open(path, options.mode, &options.limits)?;
                Arc::new(ZarrContainer::open(Arc::new(store), options)?)
            }
            Self::Hdf5 => Arc::new(Hdf5File::open(path, options)?),
            Self::Npy => stook_npy::open_npy(path, options)?,
            Self::Npz => stook_npy::open_npz(path, options)?,
        })
    }

    /// Makes an empty tree at `path`, where there is nothing; a root that may be an array is
    /// still to be created.
    pub(crate) fn create(self, path: &Path, create: &CreateOptions) -> Result<Arc<dyn Container>> {
        let limits = &create.limits;
        let options = OpenOptions { limits: limits.clone(), ..OpenOptions::read_write() };
        let zarr = match create.format {
            Some(Format::ZarrV2) => Format::ZarrV2,
            _ => Format::ZarrV3,
        };
        Ok(match self {
            Self::ZarrFolder => {
                let store: Arc<dyn ByteStore> = Arc::new(LocalStore::create(path)?);
                Arc::new(ZarrContainer::empty(store, zarr, &options)?)
            }
            Self::ZarrZip => {
                let store: Arc<dyn ByteStore> = Arc::new(ZipStore::create(path, limits)?);
                Arc::new(ZarrContainer::empty(store, zarr, &options)?)
            }
            Self::Hdf5 => {
                let options = stook_hdf5::CreateOptions {
                    limits: limits.clone(),
                    readers: create.readers,
                    names: create.names,
                    user_block: create.user_block,
                    ..Default::default()
                };
                Arc::new(Hdf5File::create(path, &options)?)
            }
            Self::Npy => stook_npy::create_npy(path, &options)?,
            Self::Npz => stook_npy::create_npz(path, &options)?,
        })
    }

    /// The storage in which `format` lies where the name does not say.
    pub(crate) fn of_format(format: Format) -> Result<Self> {
        match format {
            Format::ZarrV2 | Format::ZarrV3 => Ok(Self::ZarrFolder),
            Format::Hdf5 => Ok(Self::Hdf5),
            Format::Npy => Ok(Self::Npy),
            Format::Npz => Ok(Self::Npz),
            other => Err(Error::unsupported(format!("format {other} cannot be created"))),
        }
    }
}

/// Puts the metadata of the Zarr hierarchy at `path` together at its root.
///
/// # Errors
/// `Unsupported` for other formats, `Io`.
pub(crate) fn consolidate(path: &Path, storage: Storage, durability: Durability) -> Result<()> {
    let options = OpenOptions::read_write();
    let store: Arc<dyn ByteStore> = match storage {
        Storage::ZarrFolder => Arc::new(LocalStore::open(path, options.mode)?),
        Storage::ZarrZip => Arc::new(ZipStore::open(path, options.mode, &options.limits)?),
        _ => {
            return Err(Error::unsupported("only Zarr has consolidated metadata").at_file(path));
        }
    };
    let container = ZarrContainer::open(store, &options)?;
    let root = NodePath::root();
    if container.kind(&root)? == Some(NodeKind::Group) {
        container.consolidate(&root)?;
        container.commit(durability)?;
    }
    Ok(())
}

/// An empty Zarr v3 tree in memory.
pub(crate) fn in_memory() -> Result<Arc<dyn Container>> {
    let store = Arc::new(MemoryStore::new());
    Ok(Arc::new(ZarrContainer::create(store, Format::ZarrV3, &OpenOptions::read_write())?))
}

/// How the tree at `path`, which exists, lies there: by its content.
///
/// # Errors
/// `NotFound`, `Unsupported` if it is of no known format, `Io`.
pub fn storage_of(path: impl AsRef<Path>) -> Result<Storage> {
    let path = path.as_ref();
    remote::expect_path(path)?;
    match kind_of(path)? {
        None => {
            let error = Error::not_found("no such file or folder").at_file(path);
            Err(if path.to_string_lossy().contains("://") {
                error.with_hint("no URL of a kind that is known; docs/remote.md names them")
            } else {
                error
            })
        }
        Some(PlaceKind::Folder) => {
            let is_zarr = stook_zarr::is_zarr(&LocalStore::open(path, Mode::Read)?)?;
            if is_zarr { Ok(Storage::ZarrFolder) } else { Err(no_zarr(path)) }
        }
        Some(PlaceKind::File) => storage_of_file(path),
    }
}

/// Whether what is at `target` may give way to a new file: a folder must be Zarr, or empty, and a
/// file must not be one that its writer left unrecovered. A slip of the fingers must not cost a
/// folder of other things, nor a night of measurements.
///
/// # Errors
/// `AlreadyExists` for any other folder and such a file, `Locked`, `Corrupt`, `Io`.
pub(crate) fn expect_replaceable(target: &Path) -> Result<()> {
    if kind_of(target)? != Some(PlaceKind::Folder) {
        return stook_hdf5::expect_replaceable(target);
    }
    match storage_of(target) {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            if is_empty_folder(target)? {
                return Ok(());
            }
            let message = "the target is a folder that holds no Zarr hierarchy";
            let error = Error::already_exists(message).at_file(target);
            Err(error.with_hint("choose another name, or remove the folder yourself"))
        }
        other => other.map(drop),
    }
}

/// Opens the tree at `path` in the storage that its content tells.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    if let Some(url) = remote::url_of(path) {
        return remote::open(url, options);
    }
    if kind_of(path)? != Some(PlaceKind::Folder) {
        return storage_of(path)?.open(path, options);
    }
    // A folder is Zarr or nothing, and opening it tells: it is not looked at twice.
    Storage::ZarrFolder.open(path, options).map_err(|error| match error.kind() {
        ErrorKind::NotFound => no_zarr(path),
        _ => error,
    })
}

fn no_zarr(path: &Path) -> Error {
    let message =
        "the folder holds no Zarr hierarchy: expected `zarr.json`, `.zgroup` or `.zarray` in it";
    Error::unsupported(message).at_file(path)
}

fn storage_of_file(path: &Path) -> Result<Storage> {
    let file = LocalFile::open(path)?;
    let mut head = [0; 8];
    let len = file.read_at(0, &mut head)?;
    let head = head.get(..len).unwrap_or(&[]);
    if stook_npy::is_npy(head) {
        return Ok(Storage::Npy);
    }
    if head.starts_with(b"PK") {
        let store = ZipStore::open(path, Mode::Read, &Limits::default())?;
        return Ok(if stook_zarr::is_zarr(&store)? { Storage::ZarrZip } else { Storage::Npz });
    }
    if stook_hdf5::is_hdf5(&file)? {
        return Ok(Storage::Hdf5);
    }
    let message = match len {
        0 => "the file is empty".to_owned(),
        _ => format!("the file is of no known format: it begins with `{}`", head.escape_ascii()),
    };
    let hint = "stook reads Zarr (folder or zip), HDF5, npy and npz";
    Err(Error::unsupported(message).at_file(path).with_hint(hint))
}
