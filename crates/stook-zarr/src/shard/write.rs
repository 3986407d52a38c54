//! Writing shards, each as a whole.

use stook_core::chunk::EditChunk;
use stook_core::store::{ByteStore, Edit};
use stook_core::{EncodedChunk, Error, Limits, Result};

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

/// A shard that is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shard<'a> {
    pub(crate) store: &'a dyn ByteStore,
    pub(crate) key: &'a str,
    pub(crate) levels: &'a [ShardLevel],
    pub(crate) limits: &'a Limits,
}

/// Replaces a shard by one in which `changes` are made, and `edit` those of the chunks at `parts`
/// (their places); one that is left without chunks is erased. Where nothing of the old shard
/// stays it is not read; else what others change in it meanwhile is kept, where the store can
/// guard that.
///
/// # Errors
/// `ReadOnly`, `Io`, `Corrupt` if what is stored is no shard, `LimitExceeded`, and what `edit`
/// returns.
pub(crate) fn change_shard(
    shard: Shard<'_>,
    changes: &[Change<'_>],
    parts: &[usize],
    edit: &mut EditChunk<'_>,
) -> Result<()> {
    let n: usize = shard.levels.iter().map(|level| level.n).product();
    let mut is_changed = vec![false; n];
    for change in changes {
        *is_changed.get_mut(change.flat).ok_or_else(outside)? = true;
    }
    if parts.is_empty() && !is_changed.contains(&false) {
        let mut out = Vec::new();
        let mut chunks = vec![None; n];
        put(changes, &mut chunks);
        return match encode(shard.levels, &chunks, &mut out) {
            true => shard.store.set(shard.key, &out),
            false => shard.store.erase(shard.key),
        };
    }
    shard.store.update(shard.key, shard.limits.chunk_len_bytes, &mut |old, out| {
        let mut chunks = vec![None; n];
        if let Some(old) = old {
            keep(shard.levels, old, &is_changed, &mut chunks)?;
        }
        let (mut edited, mut ends) = (Vec::new(), Vec::with_capacity(parts.len()));
        for (i, &flat) in parts.iter().enumerate() {
            let bytes = *chunks.get(flat).ok_or_else(outside)?;
            let old = bytes.map(|bytes| EncodedChunk { bytes, skipped: 0 });
            let is_stored = edit(i, old, &mut edited)?;
            ends.push((is_stored, edited.len()));
        }
        let mut start = 0;
        for (&flat, (is_stored, end)) in parts.iter().zip(ends) {
            let bytes = edited.get(start..end).filter(|_| is_stored);
            *chunks.get_mut(flat).ok_or_else(outside)? = bytes;
            start = end;
        }
        put(changes, &mut chunks);
        if encode(shard.levels, &chunks, out) {
            return Ok(Edit::Set);
        }
        if old.is_none() || shard.store.can_erase_guarded() {
            return Ok(Edit::Erase);
        }
        // An index without chunks.
        let (level, _) = shard.levels.split_first().ok_or_else(outside)?;
        out.extend_from_slice(&level.encode_index(&vec![Entry::MISSING; level.n]));
        Ok(Edit::Set)
    })
}

/// Puts `changes` to their places.
fn put<'c>(changes: &[Change<'c>], chunks: &mut [Option<&'c [u8]>]) {
    for change in changes {
        if let Some(place) = chunks.get_mut(change.flat) {
            *place = change.bytes;
        }
    }
}

fn outside() -> Error {
    Error::invalid("a chunk lies outside its shard")
}

/// Puts the chunks of the shard `old` that do not change to their places.
fn keep<'o>(
    levels: &[ShardLevel],
    old: &'o [u8],
    is_changed: &[bool],
    chunks: &mut [Option<&'o [u8]>],
) -> Result<()> {
    let index = ShardIndex::of_bytes(levels, old)?;
    let mut total = 0_u64;
    for ((entry, place), is_changed) in index.entries.iter().zip(chunks).zip(is_changed) {
        if entry.is_missing() || *is_changed {
            continue;
        }
        *place = Some(slice(old, *entry)?);
        total = total.saturating_add(entry.len);
    }
    if total > old.len() as u64 {
        return Err(Error::corrupt(format!(
            "shard index: {total} bytes of chunks in a shard of {} bytes",
            old.len()
        )));
    }
    Ok(())
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
