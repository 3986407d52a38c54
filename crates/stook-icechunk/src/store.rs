//! The hierarchy of a session as a byte store.
//!
//! Invariants: a key is a `zarr.json` or a chunk of the default encoding; others are missing, and
//! cannot be set. All handles of a session share one number that grows with each of its changes,
//! which is the version of every value; changes take turns in this process, and other processes
//! have sessions of their own.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use icechunk::Store;
use icechunk::format::ByteRange as Range;
use icechunk::store::{ListDirItem, StoreError, StoreErrorKind};
use stook_core::store::{
    ByteRange, DeliverBytes, DeliverValues, Listing, RangesRead, check_key, check_prefix,
    read_ranges,
};
use stook_core::{ByteStore, Durability, Error, Result, engine};
use stook_remote::hidden::{finish, run};

use crate::error;
use crate::session::{Generation, count};

/// Values that are asked for at once.
const IN_FLIGHT: usize = 64;

/// Keys and values of a session.
pub(crate) struct IcechunkStore {
    store: Store,
    location: Arc<str>,
    is_read_only: bool,
    generation: Generation,
    /// Held while a key is looked up and then set.
    creating: Mutex<()>,
}

impl fmt::Debug for IcechunkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcechunkStore").field("location", &self.location).finish_non_exhaustive()
    }
}

impl IcechunkStore {
    pub(crate) fn new(
        store: Store,
        location: Arc<str>,
        is_read_only: bool,
        generation: Generation,
    ) -> Self {
        Self { store, location, is_read_only, generation, creating: Mutex::default() }
    }

    /// Says that values are others than before.
    pub(crate) fn has_changed(&self) {
        count(&self.generation);
    }

    fn now(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn check_writable(&self) -> Result<()> {
        match self.is_read_only {
            true => Err(Error::read_only("the session is for reading").at_file(&*self.location)),
            false => Ok(()),
        }
    }

    fn failed(&self, cause: StoreError, what: &str, key: &str) -> Error {
        error::of_store(cause, what, key, &self.location)
    }

    /// A value, or a range of it; `None` where the key is missing.
    fn value(&self, key: &str, range: Range) -> Result<Option<Bytes>> {
        let (store, name) = (self.store.clone(), key.to_owned());
        let value = run(async move { Ok(store.get(&name, &range).await) })?;
        found(value).map_err(|cause| self.failed(cause, "read", key))
    }

    fn check_limit(&self, key: &str, len_bytes: u64, limit: u64) -> Result<()> {
        if len_bytes <= limit {
            return Ok(());
        }
        let what = format!("key `{key}`: value of {len_bytes} bytes exceeds the limit of {limit}");
        Err(Error::limit(what).at_file(&*self.location))
    }

    fn keys_below(&self, prefix: &str) -> Result<Vec<String>> {
        check_prefix(prefix)?;
        let (store, name) = (self.store.clone(), prefix.to_owned());
        let keys = run(async move {
            let mut node = name.as_str();
            loop {
                let keys = async { store.list_prefix(node).await?.try_collect::<Vec<_>>().await };
                match (keys.await, node.rsplit_once('/')) {
                    // Only nodes can be listed: then the one above, of which the rest is taken out.
                    (Err(cause), above)
                        if matches!(cause.kind, StoreErrorKind::BadKeyPrefix { .. })
                            && !node.is_empty() =>
                    {
                        node = above.map_or("", |(above, _)| above);
                    }
                    (keys, _) => return Ok(keys),
                }
            }
        })?;
        let mut keys = keys.map_err(|cause| self.failed(cause, "list the keys below", prefix))?;
        let start = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        keys.retain(|key| key.starts_with(&start));
        Ok(keys)
    }
}

/// Whether a key holds nothing, or none that icechunk knows could.
fn is_missing(cause: &StoreError) -> bool {
    matches!(
        cause.kind,
        StoreErrorKind::NotFound(_)
            | StoreErrorKind::InvalidKey { .. }
            | StoreErrorKind::InvalidIndex { .. }
    )
}

fn found<T>(
    value: std::result::Result<T, StoreError>,
) -> std::result::Result<Option<T>, StoreError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(cause) if is_missing(&cause) => Ok(None),
        Err(cause) => Err(cause),
    }
}

impl ByteStore for IcechunkStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> u64 {
        Arc::as_ptr(&self.generation).addr() as u64
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    fn requests_in_flight(&self) -> Option<usize> {
        Some(IN_FLIGHT)
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        check_key(key)?;
        let Some(len) = self.len_bytes(key)? else { return Ok(false) };
        self.check_limit(key, len, limit)?;
        let Some(value) = self.value(key, Range::ALL)? else { return Ok(false) };
        out.extend_from_slice(&value);
        Ok(true)
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        check_key(key)?;
        let Some(len) = self.len_bytes(key)? else { return Ok(false) };
        let mut read = |offset: u64, out: &mut [u8]| {
            let end = offset.saturating_add(out.len() as u64);
            let value = self.value(key, Range::Bounded(offset..end))?.unwrap_or_default();
            if value.len() != out.len() {
                let (expected, found) = (out.len(), value.len());
                let what = format!("key `{key}`: expected {expected} bytes, found {found}");
                return Err(Error::corrupt(what));
            }
            out.copy_from_slice(&value);
            Ok(())
        };
        let read = read_ranges(len, ranges, &mut read, deliver);
        read.map_err(|error| error.at_file(&*self.location)).map(|()| true)
    }

    fn get_many(&self, keys: &[String], limit: u64, deliver: &DeliverValues<'_>) -> Result<()> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for (group, keys) in keys.chunks(IN_FLIGHT).enumerate() {
            let (store, names) = (self.store.clone(), keys.to_vec());
            let values = run(async move {
                let get = |name: String| {
                    let store = store.clone();
                    async move { found(store.get(&name, &Range::ALL).await) }
                };
                let values = futures_util::stream::iter(names).map(get).buffered(IN_FLIGHT);
                Ok(values.collect::<Vec<_>>().await)
            })?;
            let slots: Vec<_> = values.into_iter().map(|value| Mutex::new(Some(value))).collect();
            engine::for_each(slots.len(), threads, &|i| {
                let slot = slots
                    .get(i)
                    .and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
                let (at, Some(key), Some(value)) = (group * IN_FLIGHT + i, keys.get(i), slot)
                else {
                    return Ok(());
                };
                let value = value.map_err(|cause| self.failed(cause, "read", key));
                let checked = value.and_then(|value| {
                    let len = value.as_ref().map_or(0, Bytes::len) as u64;
                    self.check_limit(key, len, limit).map(|()| value)
                });
                match checked {
                    Ok(value) => deliver(at, Ok(value.as_deref())),
                    Err(error) => deliver(at, Err(error)),
                }
            })?;
        }
        Ok(())
    }

    fn get_ranges_of(
        &self,
        key: &str,
        ranges: &[ByteRange],
        version: Option<u64>,
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<RangesRead> {
        let before = self.now();
        if version.is_some_and(|version| version != before) {
            return Ok(RangesRead::Changed);
        }
        if !self.get_ranges(key, ranges, deliver)? {
            return Ok(RangesRead::Missing);
        }
        let is_same = self.now() == before;
        Ok(if is_same { RangesRead::Read(Some(before)) } else { RangesRead::Changed })
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        check_key(key)?;
        let (store, name) = (self.store.clone(), key.to_owned());
        let len = run(async move { Ok(store.getsize(&name).await) })?;
        found(len).map_err(|cause| self.failed(cause, "ask for the length of", key))
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        let now = self.now();
        Ok(self.len_bytes(key)?.map(|_| now))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        check_key(key)?;
        self.check_writable()?;
        let (store, name) = (self.store.clone(), key.to_owned());
        let value = Bytes::copy_from_slice(value);
        let set = finish(async move { Ok(store.set(&name, value).await) })?;
        self.has_changed();
        set.map_err(|cause| self.failed(cause, "store", key))
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        let _guard = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        if self.len_bytes(key)?.is_some() {
            return Ok(false);
        }
        self.set(key, value).map(|()| true)
    }

    fn erase(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.check_writable()?;
        if self.len_bytes(key)?.is_none() {
            return Ok(());
        }
        let (store, name) = (self.store.clone(), key.to_owned());
        let erased = finish(async move { Ok(store.delete(&name).await) })?;
        self.has_changed();
        found(erased).map(drop).map_err(|cause| self.failed(cause, "remove", key))
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        check_prefix(prefix)?;
        self.check_writable()?;
        let (store, name) = (self.store.clone(), prefix.to_owned());
        let erased = finish(async move {
            Ok(if name.is_empty() { store.clear().await } else { store.delete_dir(&name).await })
        })?;
        self.has_changed();
        erased.map_err(|cause| self.failed(cause, "remove what is below", prefix))
    }

    /// Copies nodes, and then removes the old ones: a session that moves nodes can do nothing else.
    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        check_key(from)?;
        check_key(to)?;
        self.check_writable()?;
        if !self.keys_below(to)?.is_empty() {
            let what = format!("there are keys below `{to}`");
            return Err(Error::already_exists(what).at_file(&*self.location));
        }
        let mut keys = self.keys_below(from)?;
        // A node is there before its chunks are, and before those in it.
        keys.sort_by_key(|key| (!key.ends_with("zarr.json"), key.len()));
        for key in keys {
            let Some(rest) = key.strip_prefix(from) else { continue };
            if let Some(value) = self.value(&key, Range::ALL)? {
                self.set(&format!("{to}{rest}"), &value)?;
            }
        }
        self.erase_prefix(from)
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        check_prefix(prefix)?;
        let (store, name) = (self.store.clone(), prefix.to_owned());
        let items = run(async move {
            let items = async { store.list_dir_items(&name).await?.try_collect::<Vec<_>>().await };
            Ok(items.await)
        })?;
        let mut listing = Listing::default();
        for item in items.map_err(|cause| self.failed(cause, "list what is below", prefix))? {
            match item {
                ListDirItem::Key(name) => listing.keys.push(name),
                ListDirItem::Prefix(name) => listing.prefixes.push(name),
            }
        }
        listing.keys.sort_unstable();
        listing.prefixes.sort_unstable();
        Ok(listing)
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        for key in self.keys_below(prefix)? {
            if let Some(len) = self.len_bytes(&key)? {
                visit(&key, len)?;
            }
        }
        Ok(())
    }

    fn walk_keys(&self, prefix: &str, visit: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.keys_below(prefix)?.iter().try_for_each(|key| visit(key))
    }

    /// Nothing: what a session holds lasts when it is committed.
    fn sync(&self, _: Durability) -> Result<()> {
        Ok(())
    }
}
