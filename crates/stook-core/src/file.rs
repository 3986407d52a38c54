//! Positional file I/O, and a twin of it that injects faults.
//!
//! Invariants: every error names the file; nothing here keeps a cursor, so handles are shared
//! between threads; a file is replaced as a whole or not at all ([`TempFile`]).

mod faulty;
mod local;
pub mod partial;
pub mod place;
mod temp;

use std::fmt::Debug;
use std::path::Path;

pub use faulty::{Fault, FaultyFile};
pub use local::{FileId, LocalFile, Mapping, Stamp};
pub(crate) use local::{has_no_locks, read_full};
pub use temp::{TempFile, is_temp_name, resolve, sync_dir, write_atomic, write_atomic_pieces};
pub(crate) use temp::{dir_of, temp_name};

use crate::error::{Error, Result};

/// A file that is read and written at positions.
pub trait FileIo: Debug + Send + Sync {
    /// The path that errors name.
    fn path(&self) -> &Path;

    /// Reads from `offset` on until `out` is full or the file ends; returns how many bytes were
    /// read.
    ///
    /// # Errors
    /// `Io`.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize>;

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// `Corrupt` if the file ends before, `Io`.
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let found = self.read_at(offset, out)?;
        if found == out.len() {
            return Ok(());
        }
        Err(Error::corrupt(format!(
            "the file ends too early: expected {} bytes at {offset}, found {found}",
            out.len()
        ))
        .at_file(self.path()))
    }

    /// Writes all of `bytes` from `offset` on; the file grows as needed.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`; a part may have been written then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    /// `Io`.
    fn len_bytes(&self) -> Result<u64>;

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn set_len(&self, len_bytes: u64) -> Result<()>;

    /// Has the file system keep room for `len_bytes` from `offset` on, which will be written soon:
    /// false where it has little, or writes are no quicker so. The length stays; what was kept and
    /// not written is given back by [`FileIo::set_len`].
    fn reserve(&self, offset: u64, len_bytes: u64) -> bool {
        let _ = (offset, len_bytes);
        false
    }

    /// Puts what was written on the medium.
    ///
    /// # Errors
    /// `Io`.
    fn sync(&self) -> Result<()>;
}
