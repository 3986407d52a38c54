//! A bounded cache of decoded chunks, least recently used first out.
//!
//! An entry is used only while the source says that the stored chunk is still the one it was
//! decoded from ([`ChunkSource::chunk_version`](crate::ChunkSource::chunk_version)), so that a
//! write by any handle or process is seen at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The array's identity and the chunk's index.
type Key = (u64, Box<[u64]>);

struct Entry {
    version: u64,
    bytes: Arc<[u8]>,
    used: u64,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    len_bytes: usize,
    clock: u64,
}

/// Decoded chunks.
#[derive(Debug)]
pub(crate) struct ChunkCache {
    budget: usize,
    state: Mutex<State>,
}

impl ChunkCache {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, state: Mutex::default() }
    }

    /// Whether chunks of `len_bytes`, `n` of them in one request, are worth keeping: a request
    /// that would push out most of what is there gains nothing from a cache.
    pub(crate) fn is_worth(&self, n: usize, len_bytes: usize) -> bool {
        len_bytes >= 512 && n.saturating_mul(len_bytes) <= self.budget / 4
    }

    /// The chunk, if it is there in this version.
    pub(crate) fn get(&self, identity: u64, index: &[u64], version: u64) -> Option<Arc<[u8]>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(&(identity, Box::from(index)))?;
        entry.used = clock;
        (entry.version == version).then(|| Arc::clone(&entry.bytes))
    }

    /// Keeps a chunk, and drops the ones least recently used beyond the budget.
    pub(crate) fn put(&self, identity: u64, index: &[u64], version: u64, bytes: Arc<[u8]>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let entry = Entry { version, used: state.clock, bytes };
        state.len_bytes += entry.bytes.len();
        if let Some(old) = state.entries.insert((identity, Box::from(index)), entry) {
            state.len_bytes -= old.bytes.len();
        }
        if state.len_bytes > self.budget {
            state.shrink(self.budget / 4 * 3);
        }
    }
}

/// Not the bytes of its chunks: an array in the words of a failed test leads here.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_entries = self.entries.len();
        f.debug_struct("State")
            .field("n_entries", &n_entries)
            .field("len_bytes", &self.len_bytes)
            .finish()
    }
}

impl State {
    /// Drops the oldest entries at once down to `target`, so that the sort is paid rarely.
    fn shrink(&mut self, target: usize) {
        let mut by_age: Vec<(u64, Key)> =
            self.entries.iter().map(|(key, entry)| (entry.used, key.clone())).collect();
        by_age.sort_unstable();
        for (_, key) in by_age {
            if self.len_bytes <= target {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.len_bytes -= entry.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_version_is_never_served() {
        let cache = ChunkCache::new(1 << 20);
        cache.put(1, &[0, 1], 7, Arc::from(vec![1; 600]));
        assert!(cache.get(1, &[0, 1], 7).is_some());
        assert!(cache.get(1, &[0, 1], 8).is_none());
        assert!(cache.get(2, &[0, 1], 7).is_none());
    }

    #[test]
    fn the_budget_holds_and_the_oldest_goes_first() {
        let cache = ChunkCache::new(10_000);
        for i in 0..100 {
            cache.put(1, &[i], 0, Arc::from(vec![0; 1000]));
            assert!(cache.state.lock().unwrap().len_bytes <= 10_000);
        }
        assert!(cache.get(1, &[99], 0).is_some() && cache.get(1, &[0], 0).is_none());
        assert!(!cache.is_worth(3, 1000) && cache.is_worth(2, 1000));
    }
}
