//! Byte stores: keys and values, as Zarr's containers lie on disk, in memory or in an archive.
//!
//! Invariants: keys are `/`-separated, relative, without empty, `.` or `..` segments; `set`
//! replaces a value as a whole, so that a reader in any process sees the old or the new one.

use std::fmt::Debug;

use crate::container::Durability;
use crate::error::Result;

/// What a store calls with bytes that it read; `None` where the key is missing.
pub type DeliverBytes<'a> = dyn FnMut(usize, Option<&[u8]>) -> Result<()> + 'a;

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

/// The names directly below a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keys, as their last segment, sorted.
    pub keys: Vec<String>,
    /// Prefixes of further keys, as their last segment, sorted.
    pub prefixes: Vec<String>,
}

/// Keys and values.
pub trait ByteStore: Debug + Send + Sync {
    /// Where the store is, as a person would name it.
    fn location(&self) -> &str;

    /// Whether it refuses changes.
    fn is_read_only(&self) -> bool;

    /// Appends the value of `key` to `out`; false where it is missing.
    ///
    /// # Errors
    /// `LimitExceeded` over `limit` bytes, `Io`.
    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool>;

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

    /// Makes changes so far durable.
    ///
    /// # Errors
    /// `Io`.
    fn sync(&self, durability: Durability) -> Result<()>;
}
