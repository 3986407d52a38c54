//! Reading chunks out of shards, neighbours together.
//!
//! A shard may be replaced while it is read: the index that was used is checked to be the
//! present one after the chunks were read, and else they are read again.

use std::sync::Arc;

use stook_core::chunk::Deliver;
use stook_core::store::{ByteRange, ByteStore, RangesRead};
use stook_core::{ChunkList, EncodedChunk, Error, Limits, Result};

use super::index::{Entry, LoadedIndex};
use super::{IndexCache, ShardIndex, ShardLevel, locate};
use crate::keys::ChunkKeys;

/// How often a shard that changes while it is read is tried.
const MAX_TRIES: usize = 8;

/// What a shard is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shards<'a> {
    pub(crate) store: &'a dyn ByteStore,
    pub(crate) keys: &'a ChunkKeys,
    pub(crate) levels: &'a [ShardLevel],
    /// Chunks of a shard along each axis, all levels together.
    pub(crate) counts: &'a [u64],
    pub(crate) cache: &'a IndexCache,
    pub(crate) limits: &'a Limits,
}

/// A chunk that is asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Its place in the request.
    at: usize,
    /// Its place in the shard.
    flat: usize,
}

/// Reads the chunks of `list` and delivers each.
///
/// # Errors
/// `Io`, `Corrupt`, `LimitExceeded`, and what `deliver` returns.
pub(crate) fn read_chunks(
    shards: Shards<'_>,
    list: ChunkList<'_>,
    deliver: &Deliver<'_>,
) -> Result<()> {
    let rank = shards.counts.len();
    let (mut shard, mut current) = (Vec::with_capacity(rank), Vec::with_capacity(rank));
    let (mut wanted, mut key) = (Vec::with_capacity(list.len()), String::new());
    for (at, index) in list.iter().enumerate() {
        let flat = locate(shards.counts, index, &mut shard);
        if shard != current {
            read_shard(shards, &current, &wanted, (&mut key, deliver))?;
            wanted.clear();
            std::mem::swap(&mut shard, &mut current);
        }
        wanted.push(Wanted { at, flat });
    }
    read_shard(shards, &current, &wanted, (&mut key, deliver))
}

fn read_shard(
    shards: Shards<'_>,
    shard: &[u64],
    wanted: &[Wanted],
    (key, deliver): (&mut String, &Deliver<'_>),
) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    shards.keys.write(shard, key);
    if shards.store.requests_in_flight().is_some() {
        return read_remote_shard(shards, shard, wanted, (key, deliver));
    }
    for _ in 0..MAX_TRIES {
        let version = shards.store.version(key)?;
        let known = version.and_then(|version| shards.cache.get(shard, version));
        let index = match &known {
            Some(index) => Some(Arc::clone(index)),
            None => ShardIndex::load(shards.store, key, shards.levels)
                .map_err(|error| error.at_chunk(shard))?
                .map(Arc::new),
        };
        let Some(index) = index else {
            return wanted.iter().try_for_each(|wanted| deliver(wanted.at, None));
        };
        let result = read_entries(shards, key, (&index, wanted), deliver);
        let is_same = match version {
            Some(_) => shards.store.version(key)? == version,
            None => {
                let now = ShardIndex::load(shards.store, key, shards.levels);
                now.is_ok_and(|now| now.is_some_and(|now| now == *index))
            }
        };
        if is_same {
            if let (Some(version), None) = (version, known) {
                shards.cache.put(shard, version, &index);
            }
            return result;
        }
    }
    Err(keeps_changing(key, shard))
}

fn keeps_changing(key: &str, shard: &[u64]) -> Error {
    let what = format!("the shard at `{key}` changed {MAX_TRIES} times while it was read");
    Error::new(stook_core::ErrorKind::Locked, what).at_chunk(shard)
}

/// The same where each question for a version is a request: each range that is read says which
/// version it is of. A kept index costs nothing, because what is read by it shows whether it
/// still holds; only where it has none of the chunks, it is read again.
fn read_remote_shard(
    shards: Shards<'_>,
    shard: &[u64],
    wanted: &[Wanted],
    (key, deliver): (&str, &Deliver<'_>),
) -> Result<()> {
    let mut known = shards.cache.latest(shard);
    for _ in 0..MAX_TRIES {
        let is_kept = known.is_some();
        let (version, index) = match known.take() {
            Some((version, index)) => (Some(version), index),
            None => {
                let loaded = ShardIndex::load_versioned(shards.store, key, shards.levels);
                match loaded.map_err(|error| error.at_chunk(shard))? {
                    LoadedIndex::Missing => {
                        return wanted.iter().try_for_each(|wanted| deliver(wanted.at, None));
                    }
                    LoadedIndex::Changed => continue,
                    LoadedIndex::Loaded(version, index) => (version, Arc::new(index)),
                }
            }
        };
        let (ranges, places, missing) = entries(shards, &index, wanted)?;
        let is_read = match ranges.is_empty() {
            true => !is_kept,
            false => {
                let mut take = |i: usize, bytes: Option<&[u8]>| {
                    let at = places.get(i).copied().unwrap_or(usize::MAX);
                    deliver(at, bytes.map(|bytes| EncodedChunk { bytes, skipped: 0 }))
                };
                let read = shards.store.get_ranges_of(key, &ranges, version, &mut take);
                // By an index that is out of date, ranges may lie outside, and bytes be none
                // of a chunk.
                match read {
                    Err(_) if is_kept => false,
                    read => matches!(read?, RangesRead::Read(_)),
                }
            }
        };
        // A service that tells no versions: is it still the same index?
        let is_same = |index: &ShardIndex| {
            let now = ShardIndex::load(shards.store, key, shards.levels);
            now.is_ok_and(|now| now.is_some_and(|now| now == *index))
        };
        if is_read && (version.is_some() || is_same(&index)) {
            if let (Some(version), false) = (version, is_kept) {
                shards.cache.put(shard, version, &index);
            }
            return missing.iter().try_for_each(|&at| deliver(at, None));
        }
    }
    Err(keeps_changing(key, shard))
}

/// Reads `wanted` chunks where `index` says that they lie.
fn read_entries(
    shards: Shards<'_>,
    key: &str,
    (index, wanted): (&ShardIndex, &[Wanted]),
    deliver: &Deliver<'_>,
) -> Result<()> {
    let (ranges, places, missing) = entries(shards, index, wanted)?;
    missing.iter().try_for_each(|&at| deliver(at, None))?;
    if ranges.is_empty() {
        return Ok(());
    }
    let is_there = shards.store.get_ranges(key, &ranges, &mut |i, bytes| {
        let at = places.get(i).copied().unwrap_or(usize::MAX);
        deliver(at, bytes.map(|bytes| EncodedChunk { bytes, skipped: 0 }))
    })?;
    if is_there { Ok(()) } else { places.iter().try_for_each(|&at| deliver(at, None)) }
}

/// Where `index` says that `wanted` chunks lie, with their places in the request, and the places
/// of those that are not stored.
fn entries(
    shards: Shards<'_>,
    index: &ShardIndex,
    wanted: &[Wanted],
) -> Result<(Vec<ByteRange>, Vec<usize>, Vec<usize>)> {
    let mut ranges = Vec::with_capacity(wanted.len());
    let (mut places, mut missing) = (Vec::with_capacity(wanted.len()), Vec::new());
    for wanted in wanted {
        let entry = index.entries.get(wanted.flat).copied().unwrap_or(Entry::MISSING);
        if entry.is_missing() {
            missing.push(wanted.at);
            continue;
        }
        entry.end()?;
        shards.limits.chunk(entry.len)?;
        ranges.push(ByteRange::At { offset: entry.offset, len: entry.len });
        places.push(wanted.at);
    }
    Ok((ranges, places, missing))
}
