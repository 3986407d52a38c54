//! A cache of what was loaded: never stale, within a budget, the least recently used goes first.
//!
//! An entry knows the files that it was made from, as they were before they were read. It is given
//! out only while all of them are the same: file, length and time of change. Time is told in ticks;
//! what was changed just before it was looked at may be changed again in the same tick, so such an
//! entry is not trusted.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use stook_core::file::place::canonical;
use stook_core::file::{FileId, LocalFile, Stamp};
use stook_core::{ErrorKind, Result};

/// A file changed less than so many nanoseconds before it was looked at may change unnoticed:
/// more than a tick of every common file system but FAT.
pub(crate) const UNSETTLED: u64 = 50_000_000;

/// A file as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    found: Option<(FileId, Stamp)>,
    is_settled: bool,
}

impl Source {
    /// Looks at the file at `path`; that there is none is a state, too.
    ///
    /// # Errors
    /// `ReadOnly` without permission, `Io`.
    pub fn of(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let found = match LocalFile::open(path) {
            Ok(file) => Some((file.identity()?, file.stamp()?)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // Nor is there anything below a file.
            Err(_) if matches!(canonical(path), Ok(None)) => None,
            Err(error) => return Err(error),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.ok().and_then(|now| u64::try_from(now.as_nanos()).ok()).unwrap_or(0);
        let is_settled =
            found.is_some_and(|(_, stamp)| stamp.modified.saturating_add(UNSETTLED) < now);
        Ok(Self { path: path.to_path_buf(), found, is_settled })
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is certainly the one that was looked at, unchanged.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_settled && Self::of(&self.path).is_ok_and(|now| now.found == self.found)
    }
}

/// Values by key, each with the files that it was made from.
#[derive(Debug)]
pub struct Cache<K, V> {
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    entries: HashMap<K, Entry<V>>,
    budget_len_bytes: u64,
    len_bytes: u64,
    /// Counts uses.
    clock: u64,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    value: V,
    len_bytes: u64,
    sources: Vec<Source>,
    used: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// A cache that holds up to so many bytes.
    #[must_use]
    pub fn new(budget_len_bytes: u64) -> Self {
        let state = State { entries: HashMap::new(), budget_len_bytes, len_bytes: 0, clock: 0 };
        Self { state: Mutex::new(state) }
    }

    /// The value of `key`, if its files are what they were.
    pub fn get(&self, key: &K) -> Option<V> {
        let entry = self.state().used(key)?;
        // Files are looked at without the lock.
        if entry.sources.iter().all(Source::is_current) {
            return Some(entry.value);
        }
        let mut state = self.state();
        if state.entries.get(key).is_some_and(|found| found.sources == entry.sources) {
            state.remove(key);
        }
        None
    }

    /// Keeps `value`, which takes so many bytes and was made from `sources`, as far as the budget goes.
    pub fn put(&self, key: K, value: V, len_bytes: u64, sources: Vec<Source>) {
        let mut state = self.state();
        state.remove(&key);
        if len_bytes > state.budget_len_bytes {
            return;
        }
        state.clock += 1;
        let used = state.clock;
        state.entries.insert(key, Entry { value, len_bytes, sources, used });
        state.len_bytes = state.len_bytes.saturating_add(len_bytes);
        state.shrink();
    }

    /// Forgets the entries that `is_unwanted` says.
    pub fn remove_if(&self, is_unwanted: impl Fn(&K) -> bool) {
        let mut state = self.state();
        let unwanted: Vec<K> =
            state.entries.keys().filter(|key| is_unwanted(key)).cloned().collect();
        unwanted.iter().for_each(|key| state.remove(key));
    }

    /// The keys, the least recently used first.
    #[must_use]
    pub fn keys(&self) -> Vec<K> {
        let state = self.state();
        let mut keys: Vec<_> = state.entries.iter().map(|(key, entry)| (entry.used, key)).collect();
        keys.sort_unstable_by_key(|(used, _)| *used);
        keys.into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// How many bytes its values take.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.state().len_bytes
    }

    /// How many bytes they may take.
    #[must_use]
    pub fn budget_len_bytes(&self) -> u64 {
        self.state().budget_len_bytes
    }

    /// Changes how many bytes they may take.
    pub fn set_budget_len_bytes(&self, budget_len_bytes: u64) {
        let mut state = self.state();
        state.budget_len_bytes = budget_len_bytes;
        state.shrink();
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone, V: Clone> State<K, V> {
    fn used(&mut self, key: &K) -> Option<Entry<V>> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(entry.clone())
    }

    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.len_bytes = self.len_bytes.saturating_sub(entry.len_bytes);
        }
    }

    fn shrink(&mut self) {
        while self.len_bytes > self.budget_len_bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests change files")]

    use std::fs;
    use std::time::Duration;

    use super::*;

    /// A file that was changed long ago.
    fn settled(path: &Path, bytes: &[u8]) -> Source {
        fs::write(path, bytes).unwrap();
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(10)).unwrap();
        Source::of(path).unwrap()
    }

    #[test]
    fn an_entry_goes_when_any_of_its_files_changes() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let cache = Cache::new(100);
        let fill = || {
            cache.put("x", 1, 10, vec![settled(&a, b"1"), settled(&b, b"2")]);
            assert_eq!(cache.get(&"x"), Some(1));
        };
        fill();
        settled(&b, b"22");
        assert_eq!((cache.get(&"x"), cache.len_bytes()), (None, 0));
        fill();
        fs::remove_file(&b).unwrap();
        assert_eq!(cache.get(&"x"), None);
        fill();
        // Replaced by another file of the same length and time.
        let time = fs::metadata(&b).unwrap().modified().unwrap();
        settled(&dir.path().join("c"), b"3");
        fs::OpenOptions::new()
            .write(true)
            .open(dir.path().join("c"))
            .unwrap()
            .set_modified(time)
            .unwrap();
        fs::rename(dir.path().join("c"), &b).unwrap();
        assert_eq!(cache.get(&"x"), None);
    }

    #[test]
    fn a_file_changed_just_now_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"1").unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(10)).unwrap();
        assert!(!Source::of(&path).unwrap().is_current());
        assert!(!Source::of(dir.path().join("missing")).unwrap().is_current());
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let cache: Cache<&str, u8> = Cache::new(100);
        for (key, len) in [("a", 40), ("b", 40), ("c", 20)] {
            cache.put(key, 0, len, Vec::new());
        }
        cache.get(&"a");
        cache.put("d", 0, 30, Vec::new());
        assert_eq!((cache.keys(), cache.len_bytes()), (vec!["c", "a", "d"], 90));
        cache.put("e", 0, 101, Vec::new());
        assert_eq!(cache.keys(), ["c", "a", "d"]);
        cache.set_budget_len_bytes(50);
        assert_eq!((cache.keys(), cache.len_bytes()), (vec!["d"], 30));
        cache.remove_if(|key| *key == "d");
        assert_eq!(cache.len_bytes(), 0);
    }
}
