//! A file that is locked while its value is changed: by advisory locks of the system on the file
//! itself, so that nothing lies beside it.
//!
//! A value is replaced by another file of its name, and who waited for the lock of the old one
//! then has the lock of a file that nothing names any more: so each looks whether the file that it
//! locked is the one of that name, and else begins anew.
//!
//! The lock goes when the process ends, however it does. File systems without locks (some cluster
//! mounts) are taken as they are: there the last of two writers wins.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{failed, file_metadata, open_file};
use crate::engine::gate;
use crate::error::Result;
use crate::file::has_no_locks;

/// The first pause while another has the lock, and the longest: doubled from time to time.
const PAUSES: [Duration; 2] = [Duration::from_micros(30), Duration::from_millis(2)];

/// The open file and its lock, which goes with this.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: File,
    metadata: Metadata,
    is_locked: bool,
}

impl LockedFile {
    /// Whether files can be locked: where a lock keeps readers out, or a file that is open cannot
    /// be replaced, they are not.
    pub(super) const IS_ONE: bool = cfg!(unix);

    /// Opens and locks the file at `path`, and waits for who has the lock; `None` if there is no
    /// file.
    ///
    /// # Errors
    /// `Io`, and that of a checkpoint.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        loop {
            let Some((file, metadata)) = open_for_lock(path)? else { return Ok(None) };
            let mut locked = Self { file, metadata, is_locked: false };
            if !Self::IS_ONE {
                return Ok(Some(locked));
            }
            locked.is_locked = lock(&locked.file, path)?;
            if locked.is_at(path)? {
                // It may have been written in place, by others, before the lock was had.
                locked.metadata =
                    locked.file.metadata().map_err(|error| failed("look up", path, error))?;
                return Ok(Some(locked));
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn len_bytes(&self) -> u64 {
        self.metadata.len()
    }

    /// Whether `path` still names this file.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool> {
        Ok(file_metadata(path)?.is_some_and(|now| is_one_file(&now, &self.metadata)))
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        if self.is_locked {
            // Closing would do, but for a child process that has inherited the file.
            let _ = self.file.unlock();
        }
    }
}

#[cfg(unix)]
fn is_one_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_one_file(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && one.modified().ok() == other.modified().ok()
}

/// Opens the file for reading, and for writing too where that is allowed: some network file
/// systems lock no other.
fn open_for_lock(path: &Path) -> Result<Option<(File, Metadata)>> {
    match File::options().read(true).write(true).open(path) {
        Ok(file) => {
            let metadata = file.metadata().map_err(|error| failed("look up", path, error))?;
            Ok(metadata.is_file().then_some((file, metadata)))
        }
        Err(_) => open_file(path),
    }
}

/// Waits for the lock of `file`; false where the file system has none.
fn lock(file: &File, path: &Path) -> Result<bool> {
    let mut n_tries = 0_u32;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {
                gate::checkpoint()?;
                let pause = PAUSES[0].saturating_mul(1 << (n_tries / 8).min(10)).min(PAUSES[1]);
                gate::aside(|| std::thread::sleep(pause));
                n_tries = n_tries.saturating_add(1);
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_on_a_file_that_was_replaced_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert!(LockedFile::open(&path).unwrap().is_none());
        std::fs::write(&path, b"one").unwrap();
        let first = LockedFile::open(&path).unwrap().unwrap();
        std::fs::write(dir.path().join("y"), b"two!").unwrap();
        std::fs::rename(dir.path().join("y"), &path).unwrap();
        assert!(!first.is_at(&path).unwrap());
        // The lock is of the old file: nobody waits for it.
        let second = LockedFile::open(&path).unwrap().unwrap();
        assert_eq!((second.len_bytes(), second.is_at(&path).unwrap()), (4, true));
    }

    #[cfg(unix)]
    #[test]
    fn one_waits_for_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"0").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let locked = LockedFile::open(&path).unwrap().unwrap();
                        let text = std::fs::read_to_string(&path).unwrap();
                        let n = text.parse::<u32>().unwrap() + 1;
                        std::fs::write(&path, n.to_string()).unwrap();
                        drop(locked);
                    }
                });
            }
        });
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "400");
    }
}
