//! A loom written anew, without the room that what was removed has left.

use stook::{ConvertOptions, Error, Mode, Readers, Repacked, Result, repack};

use crate::change::{closed, reopened};
use crate::loom::Loom;
use crate::state::State;

impl Loom {
    /// Writes the file anew, without the room that removed and replaced parts have left, and puts
    /// the new one in its place. Handles go on working; nothing in it changes.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported` behind a URL, `Locked` while others have it open, `Io`.
    pub fn compact(&self) -> Result<Repacked> {
        if self.mode() == Mode::Read {
            let message = "the loom was opened for reading only";
            return Err(Error::read_only(message).at_file(self.path()));
        }
        if self.read(|state| Ok(!state.is_hdf5()))? {
            let message = "a loom in Zarr leaves no room behind: there is nothing to compact";
            return Err(Error::unsupported(message).at_file(self.path()));
        }
        self.renew(|path| {
            let readers = Readers::Oldest;
            repack(path, &mut ConvertOptions { readers, ..ConvertOptions::default() })
        })
    }

    /// Closes the file, runs `rewrite` on it, and opens it again, whatever came of that.
    fn renew<T>(&self, rewrite: impl FnOnce(&std::path::Path) -> Result<T>) -> Result<T> {
        let mut slot = self.slot();
        let state = slot.take().ok_or_else(|| closed().at_file(self.path()))?;
        state.file.commit()?;
        drop(state);
        let rewritten = rewrite(self.path());
        *slot = Some(State::of(reopened(self.path())?)?);
        rewritten
    }
}
