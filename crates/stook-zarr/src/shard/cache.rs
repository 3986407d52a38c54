//! Indices of shards kept between reads, each as long as its shard is unchanged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ShardIndex;

/// Bytes of indices kept for one array; one index is kept whatever its size.
const KEPT_LEN_BYTES: usize = 32 << 20;

/// The indices of an array's shards by the index of the shard.
#[derive(Debug, Default)]
pub(crate) struct IndexCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    indices: HashMap<Vec<u64>, (u64, Arc<ShardIndex>)>,
    len_bytes: usize,
}

impl IndexCache {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index of `shard` if it is known for this `version`.
    pub(crate) fn get(&self, shard: &[u64], version: u64) -> Option<Arc<ShardIndex>> {
        let kept = self.lock();
        let (known, index) = kept.indices.get(shard)?;
        (*known == version).then(|| Arc::clone(index))
    }

    /// The index of `shard` that was kept last, with its version, which may be out of date.
    pub(crate) fn latest(&self, shard: &[u64]) -> Option<(u64, Arc<ShardIndex>)> {
        self.lock().indices.get(shard).cloned()
    }

    /// Keeps the index of `shard` in this `version`.
    pub(crate) fn put(&self, shard: &[u64], version: u64, index: &Arc<ShardIndex>) {
        let mut kept = self.lock();
        if kept.len_bytes.saturating_add(index.len_bytes()) > KEPT_LEN_BYTES {
            *kept = Kept::default();
        }
        let old = kept.indices.insert(shard.to_vec(), (version, Arc::clone(index)));
        kept.len_bytes -= old.map_or(0, |(_, old)| old.len_bytes());
        kept.len_bytes += index.len_bytes();
    }
}
