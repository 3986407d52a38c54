//! A file of the operating system.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::FileIo;
use crate::error::{Error, ErrorKind, Result};

/// What tells one file of this machine from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u64, u64);

/// What tells that a file has been changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Its length.
    pub len_bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: u64,
}

/// An open file.
#[derive(Debug)]
pub struct LocalFile {
    file: File,
    path: PathBuf,
}

impl LocalFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly` without permission, `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with(path.as_ref(), OpenOptions::new().read(true), "cannot open the file")
    }

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly` without permission, `Io`.
    pub fn open_read_write(path: impl AsRef<Path>) -> Result<Self> {
        let what = "cannot open the file for writing";
        Self::with(path.as_ref(), OpenOptions::new().read(true).write(true), what)
    }

    /// Creates a file for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` if its folder is missing, `ReadOnly`, `Io`.
    pub fn create_new(path: impl AsRef<Path>) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        Self::with(path.as_ref(), &options, "cannot create the file")
    }

    /// Opens a file for reading and writing, or creates it.
    ///
    /// # Errors
    /// `NotFound` if its folder is missing, `ReadOnly`, `Io`.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Self::with(path.as_ref(), &options, "cannot create the file")
    }

    /// Creates the file `path`, of which errors speak as `target`.
    pub(super) fn create_temp(path: &Path, target: &Path) -> Result<Self> {
        match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
            Ok(file) => Ok(Self { file, path: target.to_path_buf() }),
            Err(error) => Err(Error::io("cannot create the file", error).at_file(target)),
        }
    }

    /// Has the file system find a place for `len_bytes` from `offset` on, all of which are written next.
    pub(crate) fn allocate(&self, offset: u64, len_bytes: u64) {
        if len_bytes > 0 {
            // Where nothing is kept, the write finds a place, or says that there is none.
            let _ = keep_room(&self.file, offset, len_bytes, 1);
        }
    }

    /// Keeps other handles, in any process, from taking this lock until this one is dropped.
    /// Where the file system has no locks nothing is kept out.
    ///
    /// # Errors
    /// `Locked` if another handle has it, `Io`.
    pub fn lock_exclusive(&self) -> Result<()> {
        self.locked(self.file.try_lock())
    }

    /// Keeps others from taking the exclusive lock until this handle is dropped; others may share
    /// this one. It takes the place of an exclusive lock that this handle has. Where the file
    /// system has no locks nothing is kept out.
    ///
    /// # Errors
    /// `Locked` if another handle has the exclusive lock, `Io`.
    pub fn lock_shared(&self) -> Result<()> {
        self.locked(self.file.try_lock_shared())
    }

    /// Gives up the lock at once. Closing does so too, but not before a child process that was being
    /// started meanwhile has closed what it inherited.
    pub fn unlock(&self) {
        // What is not locked is unlocked, too.
        let _ = self.file.unlock();
    }

    fn locked(&self, tried: std::result::Result<(), TryLockError>) -> Result<()> {
        match tried {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(ErrorKind::Locked, "the file is open for writing elsewhere")
                    .at_file(&self.path))
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(()),
            Err(TryLockError::Error(error)) => Err(self.error("cannot lock the file", error)),
        }
    }

    /// Which file this is, whatever its names are: the same for all handles of one file.
    ///
    /// # Errors
    /// `Io`.
    pub fn identity(&self) -> Result<FileId> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = self.metadata()?;
            Ok(FileId(metadata.dev(), metadata.ino()))
        }
        #[cfg(not(unix))]
        {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            super::resolve(&self.path).hash(&mut hasher);
            Ok(FileId(0, hasher.finish()))
        }
    }

    /// Length and time of the last change.
    ///
    /// # Errors
    /// `Io`.
    pub fn stamp(&self) -> Result<Stamp> {
        self.metadata().map(|metadata| Self::stamp_of(&metadata))
    }

    /// Length and time of the last change that the system tells of a file.
    #[must_use]
    pub fn stamp_of(metadata: &std::fs::Metadata) -> Stamp {
        let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Stamp { len_bytes: metadata.len(), modified }
    }

    fn metadata(&self) -> Result<std::fs::Metadata> {
        self.file.metadata().map_err(|error| self.error("cannot look up the file", error))
    }

    /// Opens the same file anew, for reading: a handle that shares neither position nor locks.
    ///
    /// # Errors
    /// `NotFound` if its path names another file now, `Io`.
    #[cfg(unix)]
    pub fn reopen(&self) -> Result<Self> {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::MetadataExt;

        let open = |path: &Path| -> io::Result<File> {
            let found = File::open(path)?;
            let (own, other) = (self.file.metadata()?, found.metadata()?);
            let is_same = (own.dev(), own.ino()) == (other.dev(), other.ino());
            if is_same { Ok(found) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        // Where the system lists open files, those whose path is gone are there too.
        let listed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        match open(Path::new(&listed)).or_else(|_| open(&self.path)) {
            Ok(file) => Ok(Self { file, path: self.path.clone() }),
            Err(error) => Err(self.error("cannot open the file again", error)),
        }
    }

    /// Whether this is still the file that its path names.
    #[must_use]
    pub fn is_current(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            match (self.file.metadata(), std::fs::metadata(&self.path)) {
                (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
                _ => false,
            }
        }
        #[cfg(not(unix))]
        self.path.exists()
    }

    fn with(path: &Path, options: &OpenOptions, what: &str) -> Result<Self> {
        match options.open(path) {
            Ok(file) => Ok(Self { file, path: path.to_path_buf() }),
            Err(error) => Err(Error::io(what, error).at_file(path)),
        }
    }

    /// Maps the whole file into memory for reading.
    ///
    /// # Errors
    /// `Io`, `LimitExceeded` if it is larger than the address space.
    #[expect(unsafe_code, reason = "mapping a file is unsafe: others may change it")]
    pub fn map(&self) -> Result<Mapping> {
        // SAFETY: the mapping is read-only and only lent as `&[u8]`. A process that truncates
        // the file meanwhile ends this one, and one that writes changes the bytes under us:
        // `OpenOptions::memory_map` is off by default and documents that.
        match unsafe { memmap2::Mmap::map(&self.file) } {
            Ok(map) => Ok(Mapping(map)),
            Err(error) => Err(self.error("cannot map the file into memory", error)),
        }
    }

    #[cold]
    fn error(&self, what: &str, error: io::Error) -> Error {
        Error::io(what, error).at_file(&self.path)
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for LocalFile {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.file.as_raw_fd()
    }
}

impl FileIo for LocalFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        read_full(&self.file, offset, out).map_err(|error| self.error("cannot read", error))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        write_all(&self.file, offset, bytes).map_err(|error| self.error("cannot write", error))
    }

    fn len_bytes(&self) -> Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        self.file
            .set_len(len_bytes)
            .map_err(|error| self.error("cannot change the length of the file", error))
    }

    fn reserve(&self, offset: u64, len_bytes: u64) -> bool {
        keep_room(&self.file, offset, len_bytes, FREE_TIMES)
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| self.error("cannot sync the file", error))
    }
}

/// How many times what is kept must be free where it may turn out not to be needed.
const FREE_TIMES: u64 = 64;

/// On ext4, which otherwise looks for a place for each block that a write adds. Other file systems
/// keep room by themselves, or write elsewhere than where it is kept. So many times as much must be
/// free.
#[cfg(target_os = "linux")]
fn keep_room(file: &File, offset: u64, len_bytes: u64, times: u64) -> bool {
    use rustix::fs::{FallocateFlags, fallocate, fstatfs};

    const EXT4: i128 = 0xef53;
    let has_room = fstatfs(file).is_ok_and(|about| {
        let free = about.f_bavail.saturating_mul(u64::try_from(about.f_bsize).unwrap_or(0));
        i128::from(about.f_type) == EXT4 && free / times.max(1) >= len_bytes
    });
    has_room && fallocate(file, FallocateFlags::KEEP_SIZE, offset, len_bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn keep_room(_: &File, _: u64, _: u64, _: u64) -> bool {
    false
}

/// A file's bytes in memory, read-only.
#[derive(Debug)]
pub struct Mapping(memmap2::Mmap);

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Whether locking failed with `error` because the file system has no locks.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    // No locks available: a server that gives none (Linux 37, elsewhere 77).
    let no_locks = if cfg!(target_os = "linux") { 37 } else { 77 };
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(no_locks)
}

/// Reads from `offset` on until `out` is full or the file ends.
pub(crate) fn read_full(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_some(file, offset.saturating_add(filled as u64), rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn write_all(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match write_some(file, offset.saturating_add(written as u64), rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_some(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, offset)
}

#[cfg(unix)]
fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_some(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, offset)
}

#[cfg(windows)]
fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_written_and_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let file = LocalFile::create_new(&path).unwrap();
        file.write_at(3, b"abc").unwrap();
        assert_eq!(file.len_bytes().unwrap(), 6);
        let mut out = [9; 4];
        assert_eq!(file.read_at(4, &mut out).unwrap(), 2);
        assert_eq!(out, [b'b', b'c', 9, 9]);
        file.sync().unwrap();
        assert_eq!(&*LocalFile::open(&path).unwrap().map().unwrap(), b"\0\0\0abc");
        file.set_len(1).unwrap();
        let error = file.read_exact_at(0, &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("expected 4 bytes at 0, found 1"), "{error}");
    }

    #[test]
    fn room_that_is_kept_changes_no_length() {
        let dir = tempfile::tempdir().unwrap();
        let file = LocalFile::create_new(dir.path().join("x")).unwrap();
        file.write_at(0, b"abc").unwrap();
        // Whether it is kept depends on where the temporary folder is.
        let _ = file.reserve(3, 1 << 20);
        assert_eq!(file.len_bytes().unwrap(), 3);
        file.write_at(5, b"d").unwrap();
        file.set_len(6).unwrap();
        let mut out = [9; 8];
        assert_eq!(file.read_at(0, &mut out).unwrap(), 6);
        assert_eq!(&out[..6], b"abc\0\0d");
    }

    #[test]
    fn errors_name_the_file() {
        let error = LocalFile::open("/nonexistent/x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "`/nonexistent/x`: cannot open the file");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        LocalFile::create_new(&path).unwrap();
        assert_eq!(LocalFile::create_new(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(LocalFile::open(&path).unwrap().write_at(0, b"x").is_err());
    }
}
