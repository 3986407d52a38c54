//! Keys and values in this process's memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{
    ByteRange, ByteStore, DeliverBytes, Edit, EditValue, Guard, Listing, check_key, check_limit,
    check_prefix, check_rename, hash_of, with_edit_buffers,
};
use crate::container::Durability;
use crate::error::{Error, Result};

/// Keys and values in memory, gone with the last handle.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: RwLock<BTreeMap<String, Value>>,
}

#[derive(Clone, Debug)]
struct Value {
    bytes: Arc<Vec<u8>>,
    version: u64,
}

impl Value {
    fn new(bytes: &[u8]) -> Self {
        static VERSION: AtomicU64 = AtomicU64::new(1);
        Self { bytes: Arc::new(bytes.to_vec()), version: VERSION.fetch_add(1, Ordering::Relaxed) }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Value>> {
        self.values.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Value>> {
        self.values.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.read().get(key).cloned()
    }
}

/// The entries below `prefix`, in order, with the rest of their key.
pub(super) fn below<'a, V>(
    map: &'a BTreeMap<String, V>,
    prefix: &str,
) -> impl Iterator<Item = (&'a str, &'a V)> + use<'a, V> {
    let start = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let range = map.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
    let len = start.len();
    range
        .take_while(move |(key, _)| key.starts_with(&start))
        .filter_map(move |(key, value)| Some((key.get(len..)?, value)))
}

/// The names directly below `prefix` among the sorted keys of `map`.
pub(super) fn list_below<V>(map: &BTreeMap<String, V>, prefix: &str) -> Listing {
    let mut listing = Listing::default();
    for (rest, _) in below(map, prefix) {
        match rest.split_once('/') {
            None => listing.keys.push(rest.to_owned()),
            Some((name, _)) if listing.prefixes.last().is_some_and(|last| last == name) => {}
            Some((name, _)) => listing.prefixes.push(name.to_owned()),
        }
    }
    // Keys are sorted as wholes: `a-b/c` lies between `a` and `a/b`.
    listing.prefixes.sort_unstable();
    listing.prefixes.dedup();
    listing
}

/// Full keys of the entries below `prefix`.
pub(super) fn keys_below<V>(map: &BTreeMap<String, V>, prefix: &str) -> Vec<String> {
    let keys = below(map, prefix);
    if prefix.is_empty() {
        return keys.map(|(key, _)| key.to_owned()).collect();
    }
    keys.map(|(rest, _)| format!("{prefix}/{rest}")).collect()
}

/// Moves the entries of `map` below `from` to below `to`.
pub(super) fn rename_below<V>(map: &mut BTreeMap<String, V>, from: &str, to: &str) -> Result<()> {
    check_rename(from, to)?;
    if below(map, to).next().is_some() {
        return Err(Error::already_exists(format!("there are keys below `{to}`")));
    }
    for key in keys_below(map, from) {
        if let (Some(value), Some(rest)) = (map.remove(&key), key.strip_prefix(from)) {
            map.insert(format!("{to}{rest}"), value);
        }
    }
    Ok(())
}

impl ByteStore for MemoryStore {
    fn location(&self) -> &str {
        "memory"
    }

    fn identity(&self) -> u64 {
        hash_of(&std::ptr::from_ref(self).addr())
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let Some(value) = self.value(key) else { return Ok(false) };
        check_limit(key, value.bytes.len() as u64, limit)?;
        out.extend_from_slice(&value.bytes);
        Ok(true)
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        let Some(value) = self.value(key) else { return Ok(false) };
        let part = |range: &ByteRange| {
            let (offset, len) = range.resolve(value.bytes.len() as u64)?;
            let (start, len) = (usize::try_from(offset).ok()?, usize::try_from(len).ok()?);
            value.bytes.get(start..start + len)
        };
        if let Some(range) = ranges.iter().find(|range| part(range).is_none()) {
            let len = value.bytes.len();
            let what = format!("key `{key}`: {range:?} lies outside a value of {len} bytes");
            return Err(Error::corrupt(what));
        }
        ranges.iter().enumerate().try_for_each(|(i, range)| deliver(i, part(range)))?;
        Ok(true)
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.value(key).map(|value| value.bytes.len() as u64))
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.value(key).map(|value| value.version))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        check_key(key)?;
        let value = Value::new(value);
        self.write().insert(key.to_owned(), value);
        Ok(())
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        check_key(key)?;
        let mut values = self.write();
        if values.contains_key(key) {
            return Ok(false);
        }
        values.insert(key.to_owned(), Value::new(value));
        Ok(true)
    }

    fn update(&self, key: &str, limit: u64, edit: &mut EditValue<'_>) -> Result<()> {
        check_key(key)?;
        loop {
            let old = self.value(key);
            let bytes = old.as_ref().map(|value| value.bytes.as_slice());
            check_limit(key, bytes.map_or(0, <[u8]>::len) as u64, limit)?;
            let new = with_edit_buffers(|_, new| {
                Ok(match edit(bytes, new)? {
                    Edit::Keep => return Ok(None),
                    Edit::Set => Some(Some(Value::new(new))),
                    Edit::Erase => Some(None),
                })
            })?;
            let Some(new) = new else { return Ok(()) };
            let mut values = self.write();
            let version = |value: &Value| value.version;
            if values.get(key).map(version) == old.as_ref().map(version) {
                match new {
                    Some(new) => values.insert(key.to_owned(), new),
                    None => values.remove(key),
                };
                return Ok(());
            }
        }
    }

    fn guard(&self) -> Guard {
        Guard::Everyone
    }

    fn erase(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.write().remove(key);
        Ok(())
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        check_prefix(prefix)?;
        let mut values = self.write();
        for key in keys_below(&values, prefix) {
            values.remove(&key);
        }
        Ok(())
    }

    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        rename_below(&mut self.write(), from, to)
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        check_prefix(prefix)?;
        Ok(list_below(&self.read(), prefix))
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        check_prefix(prefix)?;
        let keys = keys_below(&self.read(), prefix);
        for key in keys {
            if let Some(len) = self.len_bytes(&key)? {
                visit(&key, len)?;
            }
        }
        Ok(())
    }

    fn sync(&self, durability: Durability) -> Result<()> {
        let _ = durability;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_once_and_sorted() {
        let store = MemoryStore::new();
        for key in ["a/b/c", "a-b/c", "a/x", "a", "a/b/d", "b"] {
            store.set(key, b"").unwrap();
        }
        let listing = store.list("").unwrap();
        assert_eq!(
            (listing.keys, listing.prefixes.join(" ")),
            (vec!["a".into(), "b".into()], "a a-b".to_owned())
        );
        let listing = store.list("a").unwrap();
        assert_eq!((listing.keys.join(" "), listing.prefixes.join(" ")), ("x".into(), "b".into()));
        assert_eq!(store.list("none").unwrap(), Listing::default());
    }

    #[test]
    fn every_value_has_its_own_version() {
        let store = MemoryStore::new();
        store.set("a", b"1").unwrap();
        let first = store.version("a").unwrap();
        store.set("a", b"1").unwrap();
        assert_ne!(store.version("a").unwrap(), first);
        assert_eq!(store.version("b").unwrap(), None);
    }
}
