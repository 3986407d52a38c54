//! Files that come to be whole: written under a temporary name, then renamed.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::{FileIo, LocalFile};
use crate::container::Durability;
use crate::error::{Error, Result};

/// What the names of temporary files begin with; they are never listed as keys.
pub(super) const TEMP_PREFIX: &str = ".stook-tmp-";

/// Whether `name` is one that [`TempFile`] gives.
#[must_use]
pub fn is_temp_name(name: &str) -> bool {
    name.starts_with(TEMP_PREFIX)
}

/// A name that no other file has: process, count and a random number, so that neither two
/// threads nor two processes nor two machines on one network file system meet.
pub(crate) fn temp_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static RANDOM: OnceLock<u64> = OnceLock::new();
    let random = RANDOM.get_or_init(|| RandomState::new().build_hasher().finish());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{TEMP_PREFIX}{:x}-{random:x}-{count:x}", std::process::id())
}

/// A file under a temporary name beside the one it is to replace; dropped before it does, it is
/// removed. Errors name the target.
#[derive(Debug)]
pub struct TempFile {
    file: Arc<LocalFile>,
    path: PathBuf,
    is_persisted: bool,
}

impl TempFile {
    /// A new file in the folder of `target`.
    ///
    /// # Errors
    /// `NotFound` if the folder is missing, `ReadOnly`, `Io`.
    pub fn beside(target: &Path) -> Result<Self> {
        let path = dir_of(target).join(temp_name());
        let file = Arc::new(LocalFile::create_temp(&path, target)?);
        Ok(Self { file, path, is_persisted: false })
    }

    /// The open file.
    #[must_use]
    pub fn file(&self) -> &Arc<LocalFile> {
        &self.file
    }

    /// Gives the file the permissions of the one at `target`, where there is one: true then.
    pub fn take_permissions(&self, target: &Path) -> bool {
        let Ok(metadata) = fs::metadata(target) else { return false };
        let own = fs::metadata(&self.path).map(|metadata| metadata.permissions());
        if own.ok() != Some(metadata.permissions()) {
            // A file system without permissions is no reason to fail.
            let _ = fs::set_permissions(&self.path, metadata.permissions());
        }
        true
    }

    /// Makes ready for `len_bytes` that take the place of `target`: all of them are written before
    /// [`TempFile::replace`]. The file gets the permissions of the old one.
    ///
    /// On ext4, which otherwise gives blocks a place when they go to the medium, a rename over another
    /// file waits until all have one. Here they have it at once, in few pieces.
    pub fn prepare(&self, target: &Path, len_bytes: u64) {
        if self.take_permissions(target) {
            self.file.allocate(0, len_bytes);
        }
    }

    /// Gives the file the name `target`, in place of what had it. `target` must be on the same
    /// file system.
    ///
    /// # Errors
    /// `Io`, `ReadOnly`; `target` is as it was then, and this may be tried again.
    pub fn replace(&mut self, target: &Path, durability: Durability) -> Result<()> {
        if durability == Durability::Fsync {
            self.file.sync()?;
        }
        fs::rename(&self.path, target)
            .map_err(|error| Error::io("cannot replace the file", error).at_file(target))?;
        self.is_persisted = true;
        if durability == Durability::Fsync { sync_dir(dir_of(target)) } else { Ok(()) }
    }

    /// Gives the file the name `target` if nothing has it; false if something does. Of several
    /// that try at once, in any process, one succeeds.
    ///
    /// On a file system without hard links a reader may see `target` empty for a moment.
    ///
    /// # Errors
    /// `Io`, `ReadOnly`.
    pub fn publish_new(&mut self, target: &Path, durability: Durability) -> Result<bool> {
        let cannot = |error| Error::io("cannot create the file", error).at_file(target);
        if durability == Durability::Fsync {
            self.file.sync()?;
        }
        match fs::hard_link(&self.path, target) {
            Ok(()) if durability == Durability::Fsync => {
                return sync_dir(dir_of(target)).map(|()| true);
            }
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) if !has_no_hard_links(&error) => return Err(cannot(error)),
            Err(_) => {}
        }
        match fs::OpenOptions::new().write(true).create_new(true).open(target) {
            Ok(_) => self.replace(target, durability).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(cannot(error)),
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.is_persisted {
            // Nothing can be done about a failure; listings pass the name over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn has_no_hard_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Replaces the file at `path` by one that holds `bytes`, as a whole; a symbolic link stays and
/// what it points to is replaced.
///
/// # Errors
/// `NotFound` if its folder is missing, `ReadOnly`, `Io`; the old file is intact then.
pub fn write_atomic(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    write_atomic_pieces(path, &[bytes], durability)
}

/// The same with bytes in pieces, one after the other.
///
/// # Errors
/// Those of [`write_atomic`].
pub fn write_atomic_pieces(path: &Path, pieces: &[&[u8]], durability: Durability) -> Result<()> {
    let target = resolve(path);
    let mut temp = TempFile::beside(&target)?;
    temp.prepare(&target, pieces.iter().map(|piece| piece.len() as u64).sum());
    let mut at = 0;
    for piece in pieces {
        temp.file().write_at(at, piece)?;
        at += piece.len() as u64;
    }
    temp.replace(&target, durability)
}

/// Where `path` leads if it is a symbolic link to something, else `path`.
#[must_use]
pub fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The folder that holds `path`.
pub(crate) fn dir_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Puts the names in a folder on the medium; where the system cannot, it does by itself.
///
/// # Errors
/// `NotFound`, `Io`.
pub fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let synced = fs::File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|error| Error::io("cannot sync the folder", error).at_file(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_no_temporary_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        write_atomic(&path, b"one", Durability::Flush).unwrap();
        write_atomic(&path, b"two!", Durability::Fsync).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two!");
        drop(TempFile::beside(&path).unwrap());
        assert_eq!(names(dir.path()), ["x"]);
        fs::create_dir(dir.path().join("folder")).unwrap();
        fs::write(dir.path().join("folder/y"), b"").unwrap();
        assert!(write_atomic(&dir.path().join("folder"), b"z", Durability::None).is_err());
        assert_eq!(names(dir.path()), ["folder", "x"]);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_permissions_survive_a_replacement() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("x"), dir.path().join("link"));
        fs::write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("x", &link).unwrap();
        write_atomic(&link, b"two", Durability::Flush).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn one_of_many_creators_wins() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x");
        let wins: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_u8)
                .map(|i| {
                    let target = &target;
                    scope.spawn(move || {
                        let mut temp = TempFile::beside(target).unwrap();
                        temp.file().write_at(0, &[i; 100]).unwrap();
                        usize::from(temp.publish_new(target, Durability::None).unwrap())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
        assert_eq!(fs::read(&target).unwrap().len(), 100);
        assert_eq!(names(dir.path()), ["x"]);
    }
}
