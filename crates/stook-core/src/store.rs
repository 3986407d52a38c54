//! Byte stores: keys and values, as Zarr's containers lie on disk, in memory or in an archive.
//!
//! Invariants: keys are `/`-separated, relative, without empty, `.` or `..` segments; `set`
//! replaces a value as a whole, so that a reader in any process sees the old or the new one.
//! A store may refuse a key below another key (a folder cannot hold a file and a folder of one
//! name); Zarr never asks for that.

mod local;
mod memory;
mod ranges;
mod update;
pub mod zip;

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

pub use local::LocalStore;
pub use memory::MemoryStore;
pub use ranges::read_ranges;
pub use update::{Edit, EditValue, Guard, keeps_changing, with_edit_buffers};
pub use zip::ZipStore;

use crate::container::Durability;
use crate::error::{Error, Result};
use crate::file::is_temp_name;

/// What a store calls with bytes that it read; `None` where the key is missing.
pub type DeliverBytes<'a> = dyn FnMut(usize, Option<&[u8]>) -> Result<()> + 'a;

/// What a store calls with values that it read, or with why it could not: from several threads,
/// in any order. `None` where the key is missing.
pub type DeliverValues<'a> = dyn Fn(usize, Result<Option<&[u8]>>) -> Result<()> + Sync + 'a;

/// How ranges of one version of a value were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangesRead {
    /// The key is missing; nothing was delivered.
    Missing,
    /// The value is, or came to be, another than the one asked for: what was delivered is void.
    Changed,
    /// All of them, of the value in this version, where that can be told.
    Read(Option<u64>),
}

/// A range of a value's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From an offset, so many bytes.
    At {
        /// The first byte.
        offset: u64,
        /// The number of bytes.
        len: u64,
    },
    /// The last so many bytes.
    Last(u64),
}

impl ByteRange {
    /// Offset and length in a value of `len_bytes`; `None` if the range lies outside it.
    #[must_use]
    pub fn resolve(self, len_bytes: u64) -> Option<(u64, u64)> {
        match self {
            Self::At { offset, len } => {
                offset.checked_add(len).filter(|&end| end <= len_bytes).map(|_| (offset, len))
            }
            Self::Last(len) => len_bytes.checked_sub(len).map(|offset| (offset, len)),
        }
    }
}

/// The names directly below a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keys, as their last segment, sorted.
    pub keys: Vec<String>,
    /// Prefixes of further keys, as their last segment, sorted.
    pub prefixes: Vec<String>,
}

/// What became of a value that was to be read straight to where it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadTo {
    /// It is there.
    Done,
    /// There is no such value.
    Missing,
    /// This cannot be done here: ask for the value.
    Unable,
}

/// Keys and values.
pub trait ByteStore: Debug + Send + Sync {
    /// Where the store is, as a person would name it.
    fn location(&self) -> &str;

    /// A number that is the same for all handles to one store in this process, and differs
    /// between stores with overwhelming likelihood.
    fn identity(&self) -> u64 {
        hash_of(&self.location())
    }

    /// Whether it refuses changes.
    fn is_read_only(&self) -> bool;

    /// How many requests may be under way at once, of a store behind a network: there each takes
    /// long and may cost money, so that many are made together, and none to ask for a version
    /// only. `None` of a store at hand.
    fn requests_in_flight(&self) -> Option<usize> {
        None
    }

    /// Appends the value of `key` to `out`; false where it is missing.
    ///
    /// # Errors
    /// `LimitExceeded` over `limit` bytes, `Io`.
    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool>;

    /// Reads the value of `key`, which is as long as `out`, straight to there. What lies in `out`
    /// after an error is undefined.
    ///
    /// # Errors
    /// `Corrupt` if it is of another length, `Io`.
    fn get_to(&self, key: &str, out: &mut [u8]) -> Result<ReadTo> {
        let _ = (key, out);
        Ok(ReadTo::Unable)
    }

    /// Reads ranges of one value, neighbours together, and delivers each with its position in
    /// `ranges`; false where the key is missing (nothing is delivered then).
    ///
    /// # Errors
    /// `Corrupt` if a range lies outside the value, `Io`, and what `deliver` returns.
    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool>;

    /// Reads the values of `keys`, many at once where that helps, and delivers each, or why it
    /// could not be read, with its position in `keys`.
    ///
    /// # Errors
    /// What `deliver` returns, which ends the rest.
    fn get_many(&self, keys: &[String], limit: u64, deliver: &DeliverValues<'_>) -> Result<()> {
        let mut value = Vec::new();
        keys.iter().enumerate().try_for_each(|(i, key)| {
            value.clear();
            match self.get(key, &mut value, limit) {
                Ok(is_there) => deliver(i, Ok(is_there.then_some(&value))),
                Err(error) => deliver(i, Err(error)),
            }
        })
    }

    /// As [`ByteStore::get_ranges`], all of one version of the value: of `version`, if that is
    /// given.
    ///
    /// # Errors
    /// As [`ByteStore::get_ranges`].
    fn get_ranges_of(
        &self,
        key: &str,
        ranges: &[ByteRange],
        version: Option<u64>,
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<RangesRead> {
        let before = self.version(key)?;
        if version.is_some() && before != version {
            return Ok(RangesRead::Changed);
        }
        if !self.get_ranges(key, ranges, deliver)? {
            return Ok(RangesRead::Missing);
        }
        let is_same = self.version(key)? == before;
        Ok(if is_same { RangesRead::Read(before) } else { RangesRead::Changed })
    }

    /// The length of a value in bytes; `None` where it is missing.
    ///
    /// # Errors
    /// `Io`.
    fn len_bytes(&self, key: &str) -> Result<Option<u64>>;

    /// A number that changes whenever the value does; `None` where that cannot be told or the
    /// key is missing.
    ///
    /// # Errors
    /// `Io`.
    fn version(&self, key: &str) -> Result<Option<u64>>;

    /// Replaces the value of `key`, atomically.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`; the old value is intact then.
    fn set(&self, key: &str, value: &[u8]) -> Result<()>;

    /// Sets `key` if it is missing; false if it is there, unchanged.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool>;

    /// Changes the value of `key` to what `edit` makes of it, such that no change by another
    /// `update` is lost where [`ByteStore::guard`] says so: `edit` is asked again with the new
    /// value if that was changed meanwhile.
    ///
    /// # Errors
    /// `ReadOnly`, `LimitExceeded` over `limit` bytes, `Locked` if others change it again and
    /// again, `Io`, and what `edit` returns; the old value is intact then.
    fn update(&self, key: &str, limit: u64, edit: &mut EditValue<'_>) -> Result<()> {
        update::in_turn(self, key, limit, edit)
    }

    /// Whose changes [`ByteStore::update`] does not lose.
    fn guard(&self) -> Guard {
        Guard::Caller
    }

    /// Whether [`Edit::Erase`] loses no change either.
    fn can_erase_guarded(&self) -> bool {
        true
    }

    /// Removes `key`; a missing one is no error.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn erase(&self, key: &str) -> Result<()>;

    /// Removes all keys below `prefix` (no trailing slash; empty for all).
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn erase_prefix(&self, prefix: &str) -> Result<()>;

    /// Moves all keys below `from` to below `to`, under which there is nothing.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn rename_prefix(&self, from: &str, to: &str) -> Result<()>;

    /// The names directly below `prefix` (no trailing slash; empty for the top).
    ///
    /// # Errors
    /// `Io`.
    fn list(&self, prefix: &str) -> Result<Listing>;

    /// Calls `visit` for every key below `prefix`, with its length in bytes, in any order.
    ///
    /// # Errors
    /// `Io`, and what `visit` returns.
    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()>;

    /// The same without lengths, which some stores have to ask for one by one.
    ///
    /// # Errors
    /// `Io`, and what `visit` returns.
    fn walk_keys(&self, prefix: &str, visit: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.walk(prefix, &mut |key, _| visit(key))
    }

    /// Makes changes so far durable.
    ///
    /// # Errors
    /// `Io`.
    fn sync(&self, durability: Durability) -> Result<()>;
}

/// A hash of `value` for [`ByteStore::identity`], the same throughout this process.
fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Whether `key` names a value: relative, without empty, `.`, `..` or temporary segments.
///
/// # Errors
/// `InvalidInput` if it does not.
pub fn check_key(key: &str) -> Result<()> {
    if key.split('/').all(is_segment) {
        return Ok(());
    }
    let key = key.escape_default();
    Err(Error::invalid(format!("key `{key}` has an empty, relative or reserved segment")))
}

/// Whether `prefix` is empty or names a value or a folder of them.
///
/// # Errors
/// `InvalidInput` if it does not.
pub fn check_prefix(prefix: &str) -> Result<()> {
    if prefix.is_empty() { Ok(()) } else { check_key(prefix) }
}

fn is_segment(segment: &str) -> bool {
    let is_foreign = |byte| byte == 0 || (cfg!(windows) && matches!(byte, b'\\' | b':'));
    !matches!(segment, "" | "." | "..")
        && !is_temp_name(segment)
        && !segment.bytes().any(is_foreign)
}

/// Whether a value of `len_bytes` may be read.
fn check_limit(key: &str, len_bytes: u64, limit: u64) -> Result<usize> {
    match usize::try_from(len_bytes) {
        Ok(len) if len_bytes <= limit => Ok(len),
        _ => Err(Error::limit(format!(
            "key `{key}`: value of {len_bytes} bytes exceeds the limit of {limit} bytes"
        ))),
    }
}

/// Whether keys below `from` may be moved to below `to`.
fn check_rename(from: &str, to: &str) -> Result<()> {
    check_key(from)?;
    check_key(to)?;
    let is_below = |a: &str, b: &str| {
        a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if is_below(to, from) || is_below(from, to) {
        return Err(Error::invalid(format!(
            "`{from}` cannot be moved to `{to}`: one holds the other"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_the_store() {
        for key in ["a", "a/b", "zarr.json", "c/0/0", ".zattrs", "..."] {
            check_key(key).unwrap();
        }
        for key in ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a\0", ".stook-tmp-1"] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
        check_prefix("").unwrap();
        for (from, to) in [("a", "a"), ("a", "a/b"), ("a/b", "a")] {
            assert!(check_rename(from, to).is_err(), "{from} {to}");
        }
        check_rename("a", "ab").unwrap();
    }

    #[test]
    fn ranges_lie_in_their_value() {
        assert_eq!(ByteRange::At { offset: 2, len: 3 }.resolve(5), Some((2, 3)));
        assert_eq!(ByteRange::At { offset: 2, len: 4 }.resolve(5), None);
        assert_eq!(ByteRange::At { offset: u64::MAX, len: 4 }.resolve(5), None);
        assert_eq!(ByteRange::Last(5).resolve(5), Some((0, 5)));
        assert_eq!(ByteRange::Last(6).resolve(5), None);
    }
}
