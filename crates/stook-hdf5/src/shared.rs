//! What the container and its arrays share: the open file, its settings, errors with locations.

use std::collections::HashMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use stook_core::container::{Mode, Outside};
use stook_core::{Error, ErrorKind, Limits, NodePath, Result};

use crate::ffi::{self, AttributeOrder, Failure, File, References};
use crate::native;
use crate::outside::Surroundings;
use crate::pending::Pending;
use crate::place::Backing;

/// An open file.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The file as the library has it; see [`Shared::file`].
    file: File,
    /// The file as the library's driver has it, for bytes past the library.
    pub(crate) io: Backing,
    pub(crate) path: PathBuf,
    pub(crate) location: String,
    pub(crate) mode: Mode,
    pub(crate) limits: Limits,
    pub(crate) memory_map: bool,
    pub(crate) order: AttributeOrder,
    /// Where other files that this one leads to may be.
    pub(crate) surroundings: Surroundings,
    /// Files that external links led to.
    pub(crate) others: Mutex<HashMap<PathBuf, Arc<Shared>>>,
    /// How many external links led to this file.
    pub(crate) n_links: u32,
    /// Paths of objects that references named so far: the library walks the file for each.
    names: Mutex<HashMap<u64, String>>,
    /// References to nodes that did not exist when they were written.
    pub(crate) pending: Mutex<Vec<Pending>>,
    /// The tree past the library, in a file that is only read.
    pub(crate) native: Option<native::Reader>,
}

impl Shared {
    /// # Errors
    /// `NotFound`, `Io`: those of [`Surroundings::of`].
    pub(crate) fn new(
        file: File,
        io: Backing,
        path: &Path,
        (mode, outside): (Mode, &Outside),
    ) -> Result<Self> {
        Ok(Self {
            file,
            io,
            path: path.to_path_buf(),
            location: path.display().to_string(),
            mode,
            limits: Limits::default(),
            memory_map: false,
            order: AttributeOrder::default(),
            surroundings: Surroundings::of(path, outside)?,
            others: Mutex::default(),
            n_links: 0,
            names: Mutex::default(),
            pending: Mutex::default(),
            native: None,
        })
    }

    /// The file as the library has it, which may not know of all that was made.
    pub(crate) fn file_alone(&self) -> &File {
        &self.file
    }

    /// Refuses unless the file may be changed, and there is room for changes.
    pub(crate) fn expect_writable(&self, node: &NodePath) -> Result<()> {
        self.io.expect_kept().map_err(|error| self.at(error, node))?;
        match self.mode {
            Mode::ReadWrite => self.io.expect_room().map_err(|error| self.at(error, node)),
            Mode::Read => {
                let message = "the file was opened for reading only";
                Err(self.at(Error::read_only(message), node))
            }
        }
    }

    /// Whether others follow the file as it is written.
    pub(crate) fn is_swmr(&self) -> bool {
        self.io.keeps_order()
    }

    /// Refuses unless nodes and attributes may be changed.
    pub(crate) fn expect_changeable(&self, node: &NodePath) -> Result<()> {
        self.expect_writable(node)?;
        if !self.is_swmr() {
            return Ok(());
        }
        let message = "others follow the file as it is written (SWMR): until it is closed only \
                       elements are written, and arrays grow";
        Err(self.at(Error::read_only(message), node))
    }

    /// `error`, naming the file and `node`.
    pub(crate) fn at(&self, error: Error, node: &NodePath) -> Error {
        error.at_node(node).at_file(&self.path)
    }

    /// A failure of the library as an error of `kind`, unless it knows its own.
    pub(crate) fn error(&self, failure: Failure, kind: ErrorKind, node: &NodePath) -> Error {
        let kind = match failure.kind() {
            Some(known) => known,
            None if failure.mentions("write failed") => ErrorKind::Io,
            None => kind,
        };
        self.at(Error::new(kind, failure.to_string()), node)
    }

    /// What maps a failed read: the file contradicts itself.
    pub(crate) fn corrupt<'a>(&'a self, node: &'a NodePath) -> impl Fn(Failure) -> Error + 'a {
        move |failure| self.error(failure, ErrorKind::Corrupt, node)
    }

    /// What maps a failed write.
    pub(crate) fn io<'a>(&'a self, node: &'a NodePath) -> impl Fn(Failure) -> Error + 'a {
        move |failure| self.error(failure, ErrorKind::Io, node)
    }

    /// Forgets the paths of references, because names change.
    pub(crate) fn forget_names(&self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl References for Shared {
    fn path_of(&self, address: u64) -> ffi::Result<String> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(&address) {
            return Ok(name.clone());
        }
        // A reference to nothing, or to what has been removed, names nothing.
        let name = self.file().dereference(address).ok().flatten().unwrap_or_default();
        names.insert(address, name.clone());
        Ok(name)
    }

    fn address_of(&self, path: &str) -> ffi::Result<u64> {
        if path.is_empty() {
            return Ok(0);
        }
        let name = ffi::c_string(path)?;
        self.file().reference(&name).map_err(|failure| {
            let message = format!("reference to `{path}`: {failure}");
            Failure::new("write", message).of(ErrorKind::InvalidInput)
        })
    }

    fn region_of(&self, reference: &[u8; 12]) -> ffi::Result<(String, String)> {
        self.file().region(reference)
    }

    fn reference_of(&self, path: &str, region: &str) -> ffi::Result<[u8; 12]> {
        if path.is_empty() {
            return Ok([0; 12]);
        }
        let name = ffi::c_string(path)?;
        self.file().region_reference(&name, region).map_err(|failure| {
            let message = format!("reference to region `{region}` of `{path}`: {failure}");
            Failure::new("write", message).of(ErrorKind::InvalidInput)
        })
    }
}

/// A path as the library takes it.
pub(crate) fn c_path(node: &NodePath) -> Result<CString> {
    name(node.as_str())
}

/// A name as the library takes it.
pub(crate) fn name(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| {
        Error::invalid(format!("name `{}` holds a NUL character", name.escape_default()))
    })
}
