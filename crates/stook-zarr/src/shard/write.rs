//! Writing shards, each as a whole.

use stook_core::store::ByteStore;
use stook_core::{Error, Limits, Result};

use super::index::Entry;
use super::{ShardIndex, ShardLevel, total_counts};

/// A chunk of a shard that is stored (`Some`) or removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// Its place in the shard, in C order.
    pub(crate) flat: usize,
    /// Its encoded bytes.
    pub(crate) bytes: Option<&'a [u8]>,
}

/// Replaces the shard at `key` by one in which `changes` are made; one that is left without
/// chunks is erased.
///
/// # Errors
/// `ReadOnly`, `Io`, `Corrupt` if what is stored is no shard, `LimitExceeded`.
pub(crate) fn change_shard(
    store: &dyn ByteStore,
    key: &str,
    levels: &[ShardLevel],
    changes: &[Change<'_>],
    limits: &Limits,
) -> Result<()> {
    let n: usize = levels.iter().map(|level| level.n).product();
    let mut is_changed = vec![false; n];
    for change in changes {
        let place = is_changed.get_mut(change.flat);
        *place.ok_or_else(|| Error::invalid("a chunk lies outside its shard"))? = true;
    }
    let mut old = Vec::new();
    let mut chunks: Vec<Option<&[u8]>> = vec![None; n];
    let keeps_some = is_changed.contains(&false);
    if keeps_some && store.get(key, &mut old, limits.chunk_len_bytes)? {
        let index = ShardIndex::of_bytes(levels, &old)?;
        let mut total = 0_u64;
        for ((entry, place), is_changed) in index.entries.iter().zip(&mut chunks).zip(is_changed) {
            if entry.is_missing() || is_changed {
                continue;
            }
            *place = Some(slice(&old, *entry)?);
            total = total.saturating_add(entry.len);
        }
        if total > old.len() as u64 {
            return Err(Error::corrupt(format!(
                "shard index: {total} bytes of chunks in a shard of {} bytes",
                old.len()
            )));
        }
    }
    for change in changes {
        if let Some(place) = chunks.get_mut(change.flat) {
            *place = change.bytes;
        }
    }
    let mut out = Vec::new();
    match encode(levels, &chunks, &mut out) {
        true => store.set(key, &out),
        false => store.erase(key),
    }
}

fn slice(shard: &[u8], entry: Entry) -> Result<&[u8]> {
    let range = || {
        let start = usize::try_from(entry.offset).ok()?;
        shard.get(start..start.checked_add(usize::try_from(entry.len).ok()?)?)
    };
    range().ok_or_else(|| {
        Error::corrupt(format!(
            "shard index: chunk of {} bytes at {} lies outside a shard of {} bytes",
            entry.len,
            entry.offset,
            shard.len()
        ))
    })
}

/// Appends the shard of `chunks`, which lie in C order over all levels together; false if there
/// is none to store.
fn encode(levels: &[ShardLevel], chunks: &[Option<&[u8]>], out: &mut Vec<u8>) -> bool {
    let counts = total_counts(levels);
    let whole = Part { levels, chunks, counts: &counts, origin: vec![0; counts.len()] };
    whole.encode(out)
}

/// A shard, or a shard in one.
struct Part<'a> {
    /// Its level and those below.
    levels: &'a [ShardLevel],
    chunks: &'a [Option<&'a [u8]>],
    /// The numbers of innermost chunks of the outermost shard.
    counts: &'a [u64],
    /// Where it begins among them.
    origin: Vec<u64>,
}

impl Part<'_> {
    fn encode(&self, out: &mut Vec<u8>) -> bool {
        let Some((level, below)) = self.levels.split_first() else {
            let at = self.origin.iter().zip(self.counts).fold(0, |at, (&i, &n)| at * n + i);
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let chunk = self.chunks.get(at).copied().flatten();
            out.extend_from_slice(chunk.unwrap_or_default());
            return chunk.is_some();
        };
        let start = out.len();
        if level.is_index_first {
            out.resize(start + level.index_len, 0);
        }
        // How many innermost chunks one step along each axis of this level is.
        let mut steps = total_counts(below);
        steps.resize(self.counts.len(), 1);
        let entries: Vec<Entry> = level
            .positions()
            .map(|position| {
                let origin = self.origin.iter().zip(position).zip(&steps);
                let origin = origin.map(|((&origin, i), step)| origin + i * step).collect();
                let offset = out.len();
                let inner = Part { levels: below, origin, ..*self };
                if !inner.encode(out) {
                    return Entry::MISSING;
                }
                Entry { offset: (offset - start) as u64, len: (out.len() - offset) as u64 }
            })
            .collect();
        if entries.iter().all(|entry| entry.is_missing()) {
            out.truncate(start);
            return false;
        }
        let index = level.encode_index(&entries);
        if level.is_index_first {
            if let Some(place) = out.get_mut(start..start + index.len()) {
                place.copy_from_slice(&index);
            }
        } else {
            out.extend_from_slice(&index);
        }
        true
    }
}
