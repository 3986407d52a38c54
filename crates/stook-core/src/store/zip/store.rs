//! An archive as a byte store: an entry a key.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Archive;
use crate::container::{Durability, Mode};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::store::memory::{below, list_below};
use crate::store::ranges::read_ranges;
use crate::store::{ByteRange, ByteStore, DeliverBytes, Listing, check_key, check_prefix, hash_of};

/// Keys and values in a zip archive. Changes reach the file with [`sync`](ByteStore::sync), all
/// at once; without it they are dropped.
pub struct ZipStore {
    archive: Archive,
    location: String,
    /// The compressed entry that ranges were last read of, decoded.
    decoded: Mutex<Option<(u64, Arc<Vec<u8>>)>>,
}

impl ZipStore {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported`, `LimitExceeded`, `Locked`, `Io`.
    pub fn open(path: impl AsRef<Path>, mode: Mode, limits: &Limits) -> Result<Self> {
        Ok(Self::new(Archive::open(&path, mode, limits)?, path.as_ref()))
    }

    /// An empty archive, which comes to be at `path` with the first `sync`.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` if the folder is missing, `ReadOnly`, `Io`.
    pub fn create(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        Ok(Self::new(Archive::create(&path, limits)?, path.as_ref()))
    }

    fn new(archive: Archive, path: &Path) -> Self {
        Self { archive, location: path.display().to_string(), decoded: Mutex::new(None) }
    }

    /// The value of a compressed entry.
    fn decoded(&self, key: &str, version: u64) -> Result<Arc<Vec<u8>>> {
        let lock = || self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, value)) = &*lock()
            && *known == version
        {
            return Ok(Arc::clone(value));
        }
        let mut value = Vec::new();
        self.archive.read_whole(key, &mut value, self.archive.limits().chunk_len_bytes)?;
        let value = Arc::new(value);
        *lock() = Some((version, Arc::clone(&value)));
        Ok(value)
    }
}

impl fmt::Debug for ZipStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipStore").field("archive", &self.archive).finish_non_exhaustive()
    }
}

impl ByteStore for ZipStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> u64 {
        hash_of(&self.archive.path())
    }

    fn is_read_only(&self) -> bool {
        self.archive.mode() == Mode::Read
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        self.archive.read_whole(key, out, limit)
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        let Some(info) = self.archive.info(key) else { return Ok(false) };
        if info.is_stored {
            let mut read = |offset: u64, out: &mut [u8]| self.archive.read_at(key, offset, out);
            read_ranges(info.len_bytes, ranges, &mut read, deliver)
                .map_err(|error| error.at_file(&self.location))?;
            return Ok(true);
        }
        let value = self.decoded(key, info.version)?;
        let mut read = |offset: u64, out: &mut [u8]| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let part = value.get(start..start.saturating_add(out.len()));
            let part = part.ok_or_else(|| Error::corrupt("range lies outside the value"))?;
            out.copy_from_slice(part);
            Ok(())
        };
        read_ranges(value.len() as u64, ranges, &mut read, deliver)
            .map_err(|error| error.at_file(&self.location))?;
        Ok(true)
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.archive.info(key).map(|info| info.len_bytes))
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.archive.info(key).map(|info| info.version))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        check_key(key)?;
        self.archive.put(key, value)
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        check_key(key)?;
        self.archive.put_new(key, value)
    }

    fn erase(&self, key: &str) -> Result<()> {
        check_key(key)?;
        if self.archive.mode() == Mode::ReadWrite && self.archive.info(key).is_none() {
            return Ok(());
        }
        self.archive.remove(key).map(|_| ())
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        check_prefix(prefix)?;
        self.archive.remove_below(prefix)
    }

    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        self.archive.rename_folder(from, to)
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        check_prefix(prefix)?;
        Ok(self.archive.with_entries(|entries| list_below(entries, prefix)))
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        check_prefix(prefix)?;
        let keys: Vec<(String, u64)> = self.archive.with_entries(|entries| {
            let join = |rest: &str| {
                if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}/{rest}") }
            };
            below(entries, prefix).map(|(rest, entry)| (join(rest), entry.len_bytes())).collect()
        });
        keys.iter().try_for_each(|(key, len)| visit(key, *len))
    }

    fn sync(&self, durability: Durability) -> Result<()> {
        if durability == Durability::None { Ok(()) } else { self.archive.commit(durability) }
    }
}
