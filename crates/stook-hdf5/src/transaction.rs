//! Commits that are there whole or not at all, whatever ends the process or the machine.
//!
//! A [`TxFile`] is an HDF5 file as its writer sees it: what was never committed is written past
//! the committed end at once, what changes committed bytes waits in an [`overlay`] and goes, at
//! a commit, through a [`journal`] beside the file. [`recovery`] brings a file whose writer died
//! back to its last commit; a [`Snapshot`] is the file as a reader sees it: at one commit, while
//! a writer goes on. `docs/formats/hdf5-journal.md` draws the bytes and says why each crash is
//! survived.
//!
//! Nothing here knows libhdf5.

pub(crate) mod journal;
mod order;
mod overlay;
mod patches;
pub(crate) mod recovery;
mod snapshot;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt::Debug;
use std::sync::Arc;

use stook_core::Result;
use stook_core::file::{FileIo, Stamp};

pub(crate) use snapshot::{Around, Mark, Snapshot, Version};
pub(crate) use writer::{Bounds, Bytes, TxFile};

/// What a [`TxFile`] asks of the folder that its file lies in.
pub(crate) trait Home: Debug + Send + Sync {
    /// An empty journal beside the file, locked against other writers.
    fn create_journal(&self) -> Result<Arc<dyn FileIo>>;

    /// The journal has its header: other processes may read the file from here on.
    fn journal_is_ready(&self) -> Result<()>;

    /// Puts the names in the folder on the medium.
    fn sync_names(&self) -> Result<()>;

    /// Length and time of the last change of the file.
    fn stamp(&self) -> Result<Stamp>;

    /// Removes the journal.
    fn remove_journal(&self) -> Result<()>;
}

/// A position within something that is in memory.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
