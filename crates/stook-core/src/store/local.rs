//! A folder as a byte store: a file a key.
//!
//! Invariants: a value is written under a temporary name in the folder of its key, then renamed;
//! temporary names are never listed; folders that an erased key leaves empty go with it. The
//! folder may be shared with other processes, also on other machines.
//!
//! A value that was replaced but not synced since may be lost to a power cut together with the
//! synced one that it replaced, on file systems that do not order renames behind data.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

mod dirty;
mod locked;

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::dirty::Dirty;
use self::locked::LockedFile;
use super::ranges::read_ranges;
use super::{
    ByteRange, ByteStore, DeliverBytes, Edit, EditValue, Guard, Listing, ReadTo, check_key,
    check_limit, check_prefix, check_rename, hash_of, keeps_changing, with_edit_buffers,
};
use crate::container::{Durability, Mode};
use crate::error::{Error, Result};
use crate::file::{FileIo, TempFile, is_temp_name, read_full, temp_name};

/// How often a folder that another process removes as empty is made again for one value.
const MAX_TRIES: usize = 16;

/// How often a value that is replaced while it is edited is edited again.
const MAX_EDITS: usize = 1000;

/// A file whose time of change is younger than this may change again without a new time.
const CLOCK_TICK_NANOS: u128 = 50_000_000;

/// The same where the file system keeps whole seconds (or two of them).
const COARSE_TICK_NANOS: u128 = 3_000_000_000;

/// Keys and values as files in a folder.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    location: String,
    identity: u64,
    mode: Mode,
    dirty: Dirty,
}

/// A number for the folder, the same under all of its names.
#[cfg(unix)]
fn identity_of(folder: &fs::Metadata, _: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    hash_of(&(folder.dev(), folder.ino()))
}

#[cfg(not(unix))]
fn identity_of(_: &fs::Metadata, path: &Path) -> u64 {
    hash_of(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

impl LocalStore {
    /// The folder at `root`, which exists.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is no folder, `Io`.
    pub fn open(root: impl AsRef<Path>, mode: Mode) -> Result<Self> {
        let root = root.as_ref();
        let location = root.display().to_string();
        let failed = |error| Error::io("cannot open the folder", error).at_file(root);
        let metadata = fs::metadata(root).map_err(failed)?;
        if !metadata.is_dir() {
            return Err(Error::invalid("expected a folder, found a file").at_file(root));
        }
        // Not canonical, which costs a call for each folder above: it has to stay the same
        // place when the working directory changes, and that is all.
        let absolute = std::path::absolute(root).map_err(failed)?;
        let identity = identity_of(&metadata, &absolute);
        Ok(Self { root: absolute, location, identity, mode, dirty: Dirty::default() })
    }

    /// A new folder at `root`, with those above it that are missing.
    ///
    /// # Errors
    /// `AlreadyExists` if there is something but an empty folder, `ReadOnly`, `Io`.
    pub fn create(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref();
        fs::create_dir_all(root).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::already_exists("there is a file of this name").at_file(root)
            }
            _ => Error::io("cannot create the folder", error).at_file(root),
        })?;
        let is_used = fs::read_dir(root)
            .map_err(|error| Error::io("cannot list the folder", error).at_file(root))?
            .next()
            .is_some();
        if is_used {
            return Err(Error::already_exists("the folder is not empty").at_file(root));
        }
        Self::open(root, Mode::ReadWrite)
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        check_key(key)?;
        let mut path = PathBuf::with_capacity(self.root.as_os_str().len() + 1 + key.len());
        path.push(&self.root);
        path.push(key);
        Ok(path)
    }

    fn prefix_path(&self, prefix: &str) -> Result<PathBuf> {
        if prefix.is_empty() { Ok(self.root.clone()) } else { self.path(prefix) }
    }

    fn check_writable(&self) -> Result<()> {
        match self.mode {
            Mode::ReadWrite => Ok(()),
            Mode::Read => Err(Error::read_only("opened for reading only").at_file(&self.location)),
        }
    }

    /// A temporary file in the folder of `path` that holds `value`; the folder is made if it is
    /// missing, again and again if another process prunes it meanwhile.
    fn write_temp(&self, path: &Path, value: &[u8]) -> Result<TempFile> {
        let dir = path.parent().unwrap_or(&self.root);
        let mut tries = 0;
        let temp = loop {
            match TempFile::beside(path) {
                Err(error) if error.kind() == crate::ErrorKind::NotFound && tries < MAX_TRIES => {
                    fs::create_dir_all(dir).map_err(|error| failed("create", dir, error))?;
                    tries += 1;
                }
                result => break result?,
            }
        };
        temp.file().write_at(0, value)?;
        Ok(temp)
    }

    /// Edits the file at `path` under its lock; false if it was replaced meanwhile, which only
    /// those do who take no lock.
    fn try_update(
        &self,
        (key, path): (&str, &Path),
        limit: u64,
        (old, new): (&mut Vec<u8>, &mut Vec<u8>),
        edit: &mut EditValue<'_>,
    ) -> Result<bool> {
        let Some(locked) = LockedFile::open(path)? else {
            return match edit(None, new)? {
                Edit::Set => self.set_new(key, new),
                Edit::Keep | Edit::Erase => Ok(true),
            };
        };
        let len = check_limit(key, locked.len_bytes(), limit).map_err(|e| e.at_file(path))?;
        read_file(locked.file(), path, len, old)?;
        match edit(Some(old), new)? {
            Edit::Keep => return Ok(true),
            Edit::Set => {
                let mut temp = self.write_temp(path, new)?;
                if !locked.is_at(path)? {
                    return Ok(false);
                }
                temp.replace(path, Durability::None)?;
            }
            Edit::Erase => {
                if !locked.is_at(path)? {
                    return Ok(false);
                }
                fs::remove_file(path).map_err(|error| failed("remove", path, error))?;
                self.prune(path);
            }
        }
        self.dirty.add(path.to_owned());
        Ok(true)
    }

    /// Removes the folder of `path` and those above it as far as they are empty.
    fn prune(&self, path: &Path) {
        let above = path.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.root));
        for dir in above.filter(|dir| *dir != self.root) {
            if fs::remove_dir(dir).is_err() {
                return;
            }
        }
    }

    /// Takes what `path` names away at once, then removes it.
    fn remove_tree(&self, path: &Path) -> Result<()> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if is_missing(&error) => return Ok(()),
            result => result.map_err(|error| failed("look up", path, error))?,
        };
        let aside = path.parent().unwrap_or(&self.root).join(temp_name());
        match fs::rename(path, &aside) {
            Err(error) if is_missing(&error) => return Ok(()),
            result => result.map_err(|error| failed("remove", path, error))?,
        }
        let removed =
            if metadata.is_dir() { fs::remove_dir_all(&aside) } else { fs::remove_file(&aside) };
        removed.map_err(|error| failed("remove", path, error))
    }
}

impl ByteStore for LocalStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn is_read_only(&self) -> bool {
        self.mode == Mode::Read
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let path = self.path(key)?;
        let Some((file, metadata)) = open_file(&path)? else { return Ok(false) };
        let len = check_limit(key, metadata.len(), limit).map_err(|error| error.at_file(&path))?;
        read_file(&file, &path, len, out).map(|()| true)
    }

    fn get_to(&self, key: &str, out: &mut [u8]) -> Result<ReadTo> {
        let path = self.path(key)?;
        let Some((file, metadata)) = open_file(&path)? else { return Ok(ReadTo::Missing) };
        let found = match metadata.len() {
            len if len == out.len() as u64 => {
                read_full(&file, 0, out).map_err(|error| failed("read", &path, error))? as u64
            }
            other => other,
        };
        if found == out.len() as u64 {
            return Ok(ReadTo::Done);
        }
        let what = format!("expected {} bytes, found {found}", out.len());
        Err(Error::corrupt(what).at_file(&path))
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        let path = self.path(key)?;
        let Some((file, metadata)) = open_file(&path)? else { return Ok(false) };
        let mut read = |offset: u64, out: &mut [u8]| {
            let found =
                read_full(&file, offset, out).map_err(|error| failed("read", &path, error))?;
            if found < out.len() {
                let what = format!("expected {} bytes at {offset}, found {found}", out.len());
                return Err(Error::corrupt(what));
            }
            Ok(())
        };
        read_ranges(metadata.len(), ranges, &mut read, deliver)
            .map_err(|error| error.at_file(&path))?;
        Ok(true)
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        Ok(file_metadata(&self.path(key)?)?.map(|metadata| metadata.len()))
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        let Some(metadata) = file_metadata(&self.path(key)?)? else { return Ok(None) };
        Ok(version_of(&metadata))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.check_writable()?;
        let path = self.path(key)?;
        self.write_temp(&path, value)?.replace(&path, Durability::None)?;
        self.dirty.add(path);
        Ok(())
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        self.check_writable()?;
        let path = self.path(key)?;
        let is_new = self.write_temp(&path, value)?.publish_new(&path, Durability::None)?;
        if is_new {
            self.dirty.add(path);
        }
        Ok(is_new)
    }

    fn update(&self, key: &str, limit: u64, edit: &mut EditValue<'_>) -> Result<()> {
        self.check_writable()?;
        let path = self.path(key)?;
        for _ in 0..MAX_EDITS {
            if with_edit_buffers(|old, new| self.try_update((key, &path), limit, (old, new), edit))?
            {
                return Ok(());
            }
        }
        Err(keeps_changing(key).at_file(&path))
    }

    fn guard(&self) -> Guard {
        if LockedFile::IS_ONE { Guard::Everyone } else { Guard::Caller }
    }

    fn erase(&self, key: &str) -> Result<()> {
        self.check_writable()?;
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if is_missing(&error) || path.is_dir() => return Ok(()),
            Err(error) => return Err(failed("remove", &path, error)),
        }
        self.prune(&path);
        self.dirty.add(path);
        Ok(())
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        self.check_writable()?;
        check_prefix(prefix)?;
        let path = self.prefix_path(prefix)?;
        if !prefix.is_empty() {
            if path.is_dir() {
                self.remove_tree(&path)?;
                self.prune(&path);
                self.dirty.add(path);
            }
            return Ok(());
        }
        for entry in read_dir(&path)?.into_iter().flatten() {
            let entry = entry.map_err(|error| failed("list", &path, error))?;
            self.remove_tree(&entry.path())?;
            self.dirty.add(entry.path());
        }
        Ok(())
    }

    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        self.check_writable()?;
        check_rename(from, to)?;
        let (from, to) = (self.path(from)?, self.path(to)?);
        if !from.is_dir() {
            return Ok(());
        }
        if fs::symlink_metadata(&to).is_ok() && fs::remove_dir(&to).is_err() {
            return Err(Error::already_exists("there is something of this name").at_file(&to));
        }
        if let Some(dir) = to.parent() {
            fs::create_dir_all(dir).map_err(|error| failed("create", dir, error))?;
        }
        fs::rename(&from, &to).map_err(|error| failed("move", &from, error))?;
        self.prune(&from);
        self.dirty.moved(&from, &to);
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        check_prefix(prefix)?;
        let path = self.prefix_path(prefix)?;
        let mut listing = Listing::default();
        for entry in read_dir(&path)?.into_iter().flatten() {
            let entry = entry.map_err(|error| failed("list", &path, error))?;
            let Some((name, is_dir)) = name_and_kind(&entry) else { continue };
            if is_dir { &mut listing.prefixes } else { &mut listing.keys }.push(name);
        }
        listing.keys.sort_unstable();
        listing.prefixes.sort_unstable();
        Ok(listing)
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        check_prefix(prefix)?;
        let mut dirs = vec![prefix.to_owned()];
        while let Some(dir) = dirs.pop() {
            let path = self.prefix_path(&dir)?;
            for entry in read_dir(&path)?.into_iter().flatten() {
                let entry = entry.map_err(|error| failed("list", &path, error))?;
                let Some((name, is_dir)) = name_and_kind(&entry) else { continue };
                let key = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                if is_dir {
                    dirs.push(key);
                } else if let Some(metadata) = file_metadata(&entry.path())? {
                    visit(&key, metadata.len())?;
                }
            }
        }
        Ok(())
    }

    fn sync(&self, durability: Durability) -> Result<()> {
        if durability == Durability::Fsync { self.dirty.sync(&self.root) } else { Ok(()) }
    }
}

#[cold]
fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} this"), error).at_file(path)
}

/// Whether a key is not there: no such name, or a file where a folder would have to be.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Opens the file at `path`; `None` if there is none, or a folder.
fn open_file(path: &Path) -> Result<Option<(File, Metadata)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(failed("open", path, error)),
    };
    let metadata = file.metadata().map_err(|error| failed("look up", path, error))?;
    Ok(metadata.is_file().then_some((file, metadata)))
}

/// Appends the first `len` bytes of `file`, or those that it has, to `out`.
fn read_file(file: &File, path: &Path, len: usize, out: &mut Vec<u8>) -> Result<()> {
    append(file, len, out).map_err(|error| failed("read", path, error))
}

/// Reads to memory that nobody cleared, which for a large value takes a tenth of the time of reading.
#[cfg(unix)]
fn append(file: &File, len: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let start = out.len();
    let end = start.saturating_add(len);
    out.reserve(len);
    while out.len() < end {
        let offset = (out.len() - start) as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(out), offset) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                out.truncate(start);
                return Err(error.into());
            }
        }
    }
    // There may have been room for more, and the file may have grown.
    out.truncate(end);
    Ok(())
}

#[cfg(not(unix))]
fn append(file: &File, len: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let start = out.len();
    out.resize(start.saturating_add(len), 0);
    let read = read_full(file, 0, out.get_mut(start..).unwrap_or_default());
    out.truncate(start + *read.as_ref().unwrap_or(&0));
    read.map(drop)
}

fn file_metadata(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(failed("look up", path, error)),
    }
}

/// The entries of a folder; `None` if there is none.
fn read_dir(path: &Path) -> Result<Option<fs::ReadDir>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(failed("list", path, error)),
    }
}

/// The name of an entry and whether it is a folder; `None` if no key can name it or it is gone.
fn name_and_kind(entry: &fs::DirEntry) -> Option<(String, bool)> {
    let name = entry.file_name().into_string().ok()?;
    if is_temp_name(&name) {
        return None;
    }
    let kind = entry.file_type().ok()?;
    let kind = if kind.is_symlink() { fs::metadata(entry.path()).ok()?.file_type() } else { kind };
    (kind.is_dir() || kind.is_file()).then_some((name, kind.is_dir()))
}

/// A number for this state of a file; `None` while the file is so young that another change
/// could go unnoticed: clocks of file systems tick in milliseconds, and numbers of removed files
/// are given away again.
fn version_of(metadata: &Metadata) -> Option<u64> {
    let modified = metadata.modified().ok()?;
    let nanos = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
    let age = SystemTime::now().duration_since(modified).ok()?.as_nanos();
    let is_coarse = nanos % 1_000_000_000 == 0;
    if age < if is_coarse { COARSE_TICK_NANOS } else { CLOCK_TICK_NANOS } {
        return None;
    }
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let number = 0_u64;
    let mut hash = number;
    // The lower bits of the nanoseconds tell times apart.
    for word in [nanos as u64, metadata.len()] {
        // The finaliser of SplitMix64 over each word in turn.
        hash = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn store() -> (tempfile::TempDir, LocalStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::create(dir.path().join("x/y")).unwrap();
        (dir, store)
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_the_same_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, link) = (dir.path().join("a"), dir.path().join("b"));
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        let [a, b, other] = [&folder, &link, &dir.path().to_path_buf()]
            .map(|path| LocalStore::open(path, Mode::Read).unwrap().identity());
        assert_eq!(a, b);
        assert_ne!(a, other);
    }

    #[test]
    fn temporary_files_are_not_listed_and_foreign_names_pass() {
        let (_dir, store) = store();
        store.set("a/b", b"1").unwrap();
        fs::write(store.root().join(temp_name()), b"").unwrap();
        fs::create_dir(store.root().join("empty")).unwrap();
        let listing = store.list("").unwrap();
        assert!(listing.keys.is_empty());
        assert_eq!(listing.prefixes, ["a", "empty"]);
        let mut keys = Vec::new();
        let mut visit = |key: &str, len: u64| {
            keys.push((key.to_owned(), len));
            Ok(())
        };
        store.walk("", &mut visit).unwrap();
        assert_eq!(keys, [("a/b".to_owned(), 1)]);
    }

    #[test]
    fn emptied_folders_go_but_the_root_stays() {
        let (_dir, store) = store();
        store.set("a/b/c", b"1").unwrap();
        store.set("a/d", b"1").unwrap();
        store.erase("a/b/c").unwrap();
        assert!(!store.root().join("a/b").exists());
        store.erase_prefix("a").unwrap();
        assert_eq!(fs::read_dir(store.root()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_is_no_value() {
        let (_dir, store) = store();
        store.set("a/b", b"1").unwrap();
        let mut out = Vec::new();
        assert!(!store.get("a", &mut out, 9).unwrap());
        assert!(!store.get("a/b/c", &mut out, 9).unwrap());
        store.erase("a").unwrap();
        assert!(store.set("a", b"2").is_err());
        assert!(store.get("a/b", &mut out, 9).unwrap());
        assert_eq!(fs::read_dir(store.root()).unwrap().count(), 1);
    }

    #[test]
    fn opening_wants_a_folder_and_creating_an_empty_one() {
        let (dir, store) = store();
        store.set("a", b"1").unwrap();
        let file = store.root().join("a");
        let open = |path: &Path| LocalStore::open(path, Mode::Read).unwrap_err().kind();
        assert_eq!(open(&file), ErrorKind::InvalidInput);
        assert_eq!(open(&dir.path().join("none")), ErrorKind::NotFound);
        assert_eq!(LocalStore::create(&file).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(LocalStore::create(store.root()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        let read_only = LocalStore::open(store.root(), Mode::Read).unwrap();
        assert_eq!(read_only.set("b", b"").unwrap_err().kind(), ErrorKind::ReadOnly);
    }

    #[test]
    fn a_young_file_has_no_version_and_an_old_one_keeps_its() {
        let (_dir, store) = store();
        store.set("a", b"1").unwrap();
        assert_eq!(store.version("a").unwrap(), None);
        let file = File::options().write(true).open(store.root().join("a")).unwrap();
        let past = |seconds| SystemTime::now() - std::time::Duration::from_millis(seconds);
        file.set_modified(past(10_001)).unwrap();
        let first = store.version("a").unwrap();
        assert!(first.is_some() && store.version("a").unwrap() == first);
        file.set_modified(past(20_001)).unwrap();
        assert_ne!(store.version("a").unwrap(), first);
    }
}
