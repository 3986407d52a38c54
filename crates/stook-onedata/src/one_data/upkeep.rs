//! What keeps a folder of saved files in order: its checksums, and what killed savers left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stook_core::engine::for_each;
use stook_core::file::place::remove;
use stook_core::file::{LocalFile, is_temp_name};
use stook_core::{Error, ErrorKind, Result};

use super::{OneData, OneFile};
use crate::checksums::{CHECKSUMS_NAME, FileState, Keeper, Sums, hash_of_file};
use crate::transpose::n_threads;

impl OneData {
    /// Looks at each file and at each line of the checksums; `progress` is told of each file that is
    /// done, and how many there are.
    ///
    /// # Errors
    /// `NotFound` if the folder has no checksums, `Corrupt`, `InvalidInput` for a line that leads
    /// elsewhere, `Io`.
    pub fn verify(&self, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Vec<(String, FileState)>> {
        self.expect_folder()?;
        let sums = match self.confine(&self.folder.join(CHECKSUMS_NAME))? {
            Some(_) => Sums::read(&self.folder)?,
            None => None,
        };
        let sums = sums.ok_or_else(|| {
            let error = Error::not_found("there are no checksums here").at_file(&self.folder);
            error.with_hint("they are made by `stook onedata verify --make`")
        })?;
        let mut names = sums.files();
        names.extend(self.files()?.iter().map(ToString::to_string));
        names.sort();
        names.dedup();
        let n_done = AtomicU64::new(0);
        let states: Vec<_> = names.iter().map(|_| Mutex::new(FileState::Right)).collect();
        for_each(names.len(), n_threads(), &|at| {
            let (Some(name), Some(place)) = (names.get(at), states.get(at)) else { return Ok(()) };
            let state = self.state_of(name, &sums)?;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = state;
            progress(n_done.fetch_add(1, Ordering::Relaxed) + 1, names.len() as u64);
            Ok(())
        })?;
        let states = states.into_iter().map(|state| state.into_inner());
        let states = states.map(|state| state.unwrap_or_else(PoisonError::into_inner));
        Ok(names.iter().cloned().zip(states).collect())
    }

    pub(super) fn expect_folder(&self) -> Result<()> {
        match &self.packed {
            None => Ok(()),
            Some(packed) => {
                let what = "this is for folders of npy and npz files, and not for one file";
                Err(Error::unsupported(what).at_file(packed.path()))
            }
        }
    }

    fn state_of(&self, name: &str, sums: &Sums) -> Result<FileState> {
        if name.contains(['/', '\\']) || name == ".." {
            let what = format!("checksums: the line of `{}` leads elsewhere", name.escape_debug());
            return Err(Error::invalid(what).at_file(&self.folder));
        }
        let path = self.folder.join(name);
        if self.confine(&path)?.is_none() {
            return Ok(FileState::Missing);
        }
        let mut known = sums.of(name).peekable();
        if known.peek().is_none() {
            return Ok(FileState::Unlisted);
        }
        let found = hash_of_file(&path)?;
        Ok(if known.any(|known| known == found) { FileState::Right } else { FileState::Changed })
    }

    /// Makes the folder have checksums: a line for each of its files. From now on saves keep them.
    ///
    /// # Errors
    /// `ReadOnly`, `Locked`, `Io`.
    pub fn sum_up(&self) -> Result<u64> {
        self.expect_folder()?;
        self.target(CHECKSUMS_NAME)?;
        let Some(mut keeper) = Keeper::of(&self.folder, true, self.durability)? else {
            return Ok(0);
        };
        let files = self.files()?;
        let hash = |file: &OneFile| Ok((file.to_string(), hash_of_file(&self.path_of(file))?));
        let lines = files.iter().map(hash).collect::<Result<Vec<_>>>()?;
        keeper.add_missing(&lines)?;
        Ok(lines.len() as u64)
    }

    /// Removes what savers left that were killed: temporary files that nobody has changed for so
    /// long. Returns their names.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn sweep(&self, unchanged_for: Duration) -> Result<Vec<String>> {
        self.expect_folder()?;
        let mut gone = Vec::new();
        if self.confine(&self.folder)?.is_none() {
            return Ok(gone);
        }
        let cannot = |error| Error::io("cannot list", error).at_file(&self.folder);
        for entry in std::fs::read_dir(&self.folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            let age = metadata.modified().ok().and_then(|at| at.elapsed().ok());
            let is_left = metadata.is_file() && age.is_some_and(|age| age >= unchanged_for);
            if !is_temp_name(&name) || !is_left {
                continue;
            }
            // An archive that is being written is locked.
            match LocalFile::open_read_write(entry.path()).and_then(|file| file.lock_exclusive()) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Locked | ErrorKind::NotFound) => {
                    continue;
                }
                Err(error) => return Err(error),
            }
            remove(&entry.path())?;
            gone.push(name);
        }
        gone.sort();
        Ok(gone)
    }
}
