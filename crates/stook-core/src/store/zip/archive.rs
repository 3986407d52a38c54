//! An open archive: its entries, and changes to them until they are committed.
//!
//! Invariants: the file that was opened is never written. The first change copies the live
//! entries to a temporary file; entries are appended there and never move, so that what was
//! looked up stays valid without the lock. A commit writes the directory behind the entries and
//! renames. An entry that was written in place gets its checksum then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::decode::{check_lengths, check_method, decode, decode_head};
use super::deflated::Deflated;
use super::directory::read_directory;
use super::record::{Central, STORED};
use super::state::{Entry, State, crc32, data_offset, exists};
use crate::container::{Durability, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::file::{FileIo, LocalFile, TempFile, resolve};
use crate::limits::Limits;
use crate::store::memory::rename_below;
use crate::store::{check_key, check_limit, memory};

/// How often an archive that another process replaces meanwhile is opened anew.
const MAX_TRIES: usize = 16;

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// The length of the decoded data in bytes.
    pub len_bytes: u64,
    /// The length of the data in the archive in bytes.
    pub stored_len_bytes: u64,
    /// Whether the data lies there as it is, so that parts of it can be read and written.
    pub is_stored: bool,
    /// A number that no other data in this process has.
    pub version: u64,
}

/// An open archive. Changes are visible through this handle at once, to others once committed.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    mode: Mode,
    limits: Limits,
    state: RwLock<State>,
}

impl Archive {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`; `Locked` if it is to be
    /// changed and another handle has it open for that.
    pub fn open(path: impl AsRef<Path>, mode: Mode, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let file = match mode {
            Mode::Read => LocalFile::open(path)?,
            Mode::ReadWrite => open_locked(&resolve(path))?,
        };
        let directory = read_directory(&file, limits).map_err(|error| error.at_file(path))?;
        let file = Arc::new(file);
        let state = State {
            file: Arc::clone(&file),
            temp: None,
            named: Some(file),
            entries: directory.entries,
            folders: directory.folders,
            end: directory.start,
            is_synced: true,
        };
        Ok(Self { path: resolve(path), mode, limits: limits.clone(), state: RwLock::new(state) })
    }

    /// An empty archive that comes to be at `path` with the first commit.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` if the folder is missing, `ReadOnly`, `Io`.
    pub fn create(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let temp = TempFile::beside(path)?;
        temp.file().lock_exclusive()?;
        let state = State {
            file: Arc::clone(temp.file()),
            temp: Some(temp),
            named: None,
            entries: BTreeMap::new(),
            folders: BTreeSet::new(),
            end: 0,
            is_synced: false,
        };
        Ok(Self {
            path: path.to_path_buf(),
            mode: Mode::ReadWrite,
            limits: limits.clone(),
            state: RwLock::new(state),
        })
    }

    /// The archive's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it may be changed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What `name` leads to; `None` if there is no such entry.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<EntryInfo> {
        let state = self.read();
        let entry = state.entries.get(name)?;
        Some(EntryInfo {
            len_bytes: entry.central.len,
            stored_len_bytes: entry.central.compressed_len,
            is_stored: entry.central.method == STORED,
            version: entry.id,
        })
    }

    /// Calls `visit` with the entries by name, in order. It must not call this archive.
    pub(super) fn with_entries<T>(
        &self,
        visit: impl FnOnce(&BTreeMap<String, Arc<Entry>>) -> T,
    ) -> T {
        visit(&self.read().entries)
    }

    /// All names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.read().entries.keys().cloned().collect()
    }

    /// The folders that have entries of their own, which folders need not.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<String> {
        self.read().folders.clone()
    }

    /// Gives each of `folders` that is empty when the archive is committed an entry of its own.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `Io`.
    pub fn set_folders(&self, folders: BTreeSet<String>) -> Result<()> {
        folders.iter().try_for_each(|folder| check_key(folder))?;
        self.change("", |state| {
            state.folders = folders;
            Ok(())
        })
    }

    /// Appends the data of `name` to `out` and checks its checksum; false if there is no such
    /// entry.
    ///
    /// # Errors
    /// `LimitExceeded` over `limit` bytes, `Corrupt`, `Unsupported`, `Io`.
    pub fn read_whole(&self, name: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let Some((file, entry)) = self.lookup(name) else { return Ok(false) };
        let start = out.len();
        let result = self.read_to(&file, name, &entry, out, limit);
        if result.is_err() {
            out.truncate(start);
        }
        result.map_err(|error| self.named(error, name))?;
        Ok(true)
    }

    fn read_to(
        &self,
        file: &LocalFile,
        name: &str,
        entry: &Entry,
        out: &mut Vec<u8>,
        limit: u64,
    ) -> Result<()> {
        let Central { method, compressed_len, len, crc32: expected, .. } = entry.central;
        check_method(method)?;
        check_lengths(method, compressed_len, len)?;
        let data = data_offset(file, name, entry)?;
        let len = check_limit(name, len, limit)?;
        let start = out.len();
        out.resize(start.saturating_add(len), 0);
        let value = out.get_mut(start..).unwrap_or_default();
        decode(file, method, (data, compressed_len), value)?;
        if entry.is_dirty.load(Ordering::Acquire) {
            return Ok(());
        }
        match crc32(value) {
            found if found == expected => Ok(()),
            found => Err(Error::corrupt(format!(
                "checksum mismatch: expected {expected:#010x}, found {found:#010x}"
            ))),
        }
    }

    /// Fills `out` with the first bytes of the data of `name`, as far as there are so many, and
    /// returns how many; no more is read or decoded than that takes, and no checksum is checked.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `Io`.
    pub fn read_head(&self, name: &str, out: &mut [u8]) -> Result<usize> {
        let (file, entry) = self.lookup(name).ok_or_else(|| self.missing(name))?;
        let Central { method, compressed_len, len, .. } = entry.central;
        let mut read = || {
            check_method(method)?;
            check_lengths(method, compressed_len, len)?;
            let n = out.len().min(usize::try_from(len).unwrap_or(usize::MAX));
            let out = out.get_mut(..n).unwrap_or_default();
            let data = data_offset(&file, name, &entry)?;
            decode_head(file.as_ref(), method, (data, compressed_len), out).map(|()| n)
        };
        read().map_err(|error| self.named(error, name))
    }

    /// Fills `out` with the data of the stored entry `name` from `offset` on.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` past the end, `Unsupported` if it is compressed, `Io`.
    pub fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<()> {
        let (file, entry) = self.lookup(name).ok_or_else(|| self.missing(name))?;
        self.place(&file, name, &entry, (offset, out.len() as u64))
            .and_then(|at| file.read_exact_at(at, out))
            .map_err(|error| self.named(error, name))
    }

    /// Adds an entry with `value`, in place of one of that name.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `Io`.
    pub fn put(&self, name: &str, value: &[u8]) -> Result<()> {
        self.change(name, |state| state.append(name, value))
    }

    /// Adds an entry whose data is deflated by so many threads, in place of one of that name; it is
    /// stored where that is no longer. `parts` lie one behind the other.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `LimitExceeded`, `Io`.
    pub fn put_deflated(&self, name: &str, parts: &[&[u8]], threads: usize) -> Result<()> {
        let deflated = Deflated::new(parts, threads)?;
        self.change(name, |state| state.append_deflated(name, parts, &deflated))
    }

    /// Adds an entry of `parts`, one behind the other, in place of one of that name.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `Io`.
    pub fn put_parts(&self, name: &str, parts: &[&[u8]]) -> Result<()> {
        self.change(name, |state| state.append_parts(name, parts))
    }

    /// The same as [`put`](Self::put) unless there is an entry of that name; false then.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `Io`.
    pub fn put_new(&self, name: &str, value: &[u8]) -> Result<bool> {
        self.change(name, |state| {
            let is_new = !state.entries.contains_key(name);
            if is_new {
                state.append(name, value)?;
            }
            Ok(is_new)
        })
    }

    /// Adds a stored entry of `len_bytes` zeros behind `head`, to be written in place.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidInput`, `Io`.
    pub fn reserve(&self, name: &str, head: &[u8], len_bytes: u64) -> Result<()> {
        let len = len_bytes.checked_add(head.len() as u64);
        let len = len.ok_or_else(|| Error::limit("zip entry overflows").at_file(&self.path))?;
        self.change(name, |state| {
            let entry = state.reserve(name, head, len)?;
            state.finish(name, entry);
            Ok(())
        })
    }

    /// Replaces the stored entry `name` by one of `head` and `len_bytes` more, which are those
    /// behind the first `old_head_len` of the old one, cut or followed by zeros.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported` if it is compressed, `ReadOnly`, `Io`; it is as it was then.
    pub fn resize(&self, name: &str, old_head_len: u64, head: &[u8], len_bytes: u64) -> Result<()> {
        let len = len_bytes.checked_add(head.len() as u64);
        let len = len.ok_or_else(|| Error::limit("zip entry overflows").at_file(&self.path))?;
        self.change(name, |state| {
            let old = state.entries.get(name).cloned().ok_or_else(|| self.missing(name))?;
            let kept = old.len_bytes().saturating_sub(old_head_len).min(len_bytes);
            let from = self.place(&state.file, name, &old, (old_head_len, kept))?;
            let entry = state.reserve(name, head, len)?;
            let to = entry.data_offset.load(Ordering::Relaxed) + head.len() as u64;
            state.copy_data(from, to, kept)?;
            state.finish(name, entry);
            Ok(())
        })
    }

    /// Writes `bytes` from `offset` on to the stored entry `name`.
    ///
    /// # Errors
    /// `ReadOnly`, `NotFound`, `InvalidInput` past its end, `Unsupported` if it is compressed,
    /// `Io`.
    pub fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        // Held while writing: a commit waits, and then sums up what was written.
        let mut state = self.read();
        while state.temp.is_none() {
            drop(state);
            self.change(name, |_| Ok(()))?;
            state = self.read();
        }
        let entry = state.entries.get(name).ok_or_else(|| self.missing(name))?;
        self.place(&state.file, name, entry, (offset, bytes.len() as u64))
            .and_then(|at| {
                entry.is_dirty.store(true, Ordering::Release);
                state.file.write_at(at, bytes)
            })
            .map_err(|error| self.named(error, name))
    }

    /// Removes `name`; false if there is no such entry.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn remove(&self, name: &str) -> Result<bool> {
        self.change(name, |state| Ok(state.entries.remove(name).is_some()))
    }

    /// Removes what lies below the folder `prefix` (empty for all).
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn remove_below(&self, prefix: &str) -> Result<()> {
        self.change(prefix, |state| {
            for name in memory::keys_below(&state.entries, prefix) {
                state.entries.remove(&name);
            }
            Ok(())
        })
    }

    /// Moves what lies below the folder `from` to below `to`.
    ///
    /// # Errors
    /// `AlreadyExists` if there is something below `to`, `InvalidInput`, `ReadOnly`, `Io`.
    pub fn rename_folder(&self, from: &str, to: &str) -> Result<()> {
        self.change(from, |state| {
            let mut renamed = state.entries.clone();
            rename_below(&mut renamed, from, to)?;
            // Headers hold names, so that what moves is written again.
            let moved = memory::keys_below(&renamed, to);
            for name in &moved {
                if let Some(entry) = renamed.get(name).cloned() {
                    let old = name.strip_prefix(to).map(|rest| format!("{from}{rest}"));
                    let file = Arc::clone(&state.file);
                    let data = data_offset(&file, old.as_deref().unwrap_or(name), &entry)?;
                    let copy = state.copy(&file, data, name, &entry)?;
                    renamed.insert(name.clone(), copy);
                }
            }
            state.entries = renamed;
            Ok(())
        })
    }

    /// Moves one entry.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `InvalidInput`, `ReadOnly`, `Io`.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        check_key(to)?;
        self.change(from, |state| {
            let entry = state.entries.get(from).cloned().ok_or_else(|| self.missing(from))?;
            if state.entries.contains_key(to) {
                return Err(Error::already_exists(format!("zip entry `{to}` exists")));
            }
            let file = Arc::clone(&state.file);
            let data = data_offset(&file, from, &entry)?;
            let copy = state.copy(&file, data, to, &entry)?;
            state.entries.insert(to.to_owned(), copy);
            state.entries.remove(from);
            Ok(())
        })
    }

    /// Puts all changes in the archive's place at once.
    ///
    /// # Errors
    /// `Io`, `AlreadyExists` if a new archive's name was given away meanwhile, `Locked` if the
    /// archive was replaced by another program; it is as it was then.
    pub fn commit(&self, durability: Durability) -> Result<()> {
        if self.mode == Mode::Read {
            return Ok(());
        }
        let mut state = self.write();
        if state.temp.is_some() {
            state.commit(&self.path, durability)?;
            state.is_synced = durability == Durability::Fsync;
        }
        if durability == Durability::Fsync && !state.is_synced {
            state.file.sync()?;
            crate::file::sync_dir(crate::file::dir_of(&self.path))?;
            state.is_synced = true;
        }
        Ok(())
    }

    /// Runs `work` on a state that may be changed.
    fn change<T>(&self, name: &str, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        if self.mode == Mode::Read {
            return Err(Error::read_only("opened for reading only").at_file(&self.path));
        }
        let mut state = self.write();
        state
            .make_temp(&self.path)
            .and_then(|()| work(&mut state))
            .map_err(|error| self.named(error, name))
    }

    fn lookup(&self, name: &str) -> Option<(Arc<LocalFile>, Arc<Entry>)> {
        let state = self.read();
        state.entries.get(name).map(|entry| (Arc::clone(&state.file), Arc::clone(entry)))
    }

    /// Where `len` bytes at `offset` of a stored entry lie in the file.
    fn place(
        &self,
        file: &LocalFile,
        name: &str,
        entry: &Entry,
        (offset, len): (u64, u64),
    ) -> Result<u64> {
        let Central { method, compressed_len, len: entry_len, .. } = entry.central;
        if method != STORED {
            return Err(Error::unsupported("a compressed zip entry has no parts"));
        }
        check_lengths(method, compressed_len, entry_len)?;
        if offset.checked_add(len).is_none_or(|end| end > entry_len) {
            let what = format!("{len} bytes at {offset} lie outside {entry_len} bytes");
            return Err(Error::corrupt(what));
        }
        Ok(data_offset(file, name, entry)?.saturating_add(offset))
    }

    #[cold]
    fn missing(&self, name: &str) -> Error {
        Error::not_found(format!("zip entry `{name}` does not exist")).at_file(&self.path)
    }

    #[cold]
    fn named(&self, error: Error, name: &str) -> Error {
        if name.is_empty() {
            return error.at_file(&self.path);
        }
        let message = format!("zip entry `{name}`: {}", error.message());
        let hint = error.hint().map(str::to_owned);
        let named = Error::new(error.kind(), message).at_file(&self.path).with_source(error);
        match hint {
            Some(hint) => named.with_hint(hint),
            None => named,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the archive may ask for.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Opens the file at `path`, locked, and makes sure that it is still the one of that name.
fn open_locked(path: &Path) -> Result<LocalFile> {
    for _ in 0..MAX_TRIES {
        let file = LocalFile::open_read_write(path)?;
        file.lock_exclusive()?;
        if file.is_current() {
            return Ok(file);
        }
    }
    Err(Error::new(ErrorKind::Locked, "the file is replaced again and again").at_file(path))
}
