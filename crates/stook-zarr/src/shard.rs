//! Shards: many chunks under one key, found by an index (docs/formats/zarr.md draws the bytes).
//!
//! Shards may lie in shards. All levels are flattened when a shard's index is read: the index
//! then says, for every innermost chunk, where in the outermost shard it lies.

mod cache;
mod codec;
mod index;
mod read;
mod write;

pub(crate) use cache::IndexCache;
pub(crate) use codec::ShardCodec;
pub(crate) use index::ShardIndex;
pub(crate) use read::{Shards, read_chunks};
pub(crate) use write::{Change, Shard, change_shard};

use stook_core::codec::Endian;
use stook_core::{Error, Limits, Result};

use crate::codec::Sharding;

/// Bytes of an index entry: offset and length.
const ENTRY_LEN: u64 = 16;

/// Bytes of the index's checksum.
const CHECKSUM_LEN: usize = 4;

/// One level of shards.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShardLevel {
    /// How many chunks (or smaller shards) a shard has along each axis.
    counts: Vec<u64>,
    /// Their number.
    n: usize,
    /// Bytes of the encoded index.
    index_len: usize,
    endian: Endian,
    has_checksum: bool,
    is_index_first: bool,
}

impl ShardLevel {
    /// A level whose shards have the shape `outer`.
    ///
    /// # Errors
    /// `Corrupt` where the shapes do not fit each other, `LimitExceeded` for an index that is
    /// too large.
    pub(crate) fn new(outer: &[u64], sharding: &Sharding<'_>, limits: &Limits) -> Result<Self> {
        let inner = &sharding.chunk_shape;
        let fits = |(outer, inner): (&u64, &u64)| *inner > 0 && outer % inner == 0;
        if inner.len() != outer.len() || !outer.iter().zip(inner).all(fits) {
            return Err(Error::corrupt(format!(
                "shard shape {outer:?}: expected multiples of its chunk shape {inner:?}"
            )));
        }
        let counts: Vec<u64> =
            outer.iter().zip(inner).map(|(outer, inner)| outer / inner).collect();
        let n = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count));
        let len = n.and_then(|n| n.checked_mul(ENTRY_LEN)).unwrap_or(u64::MAX);
        let len = limits.metadata(len.saturating_add(CHECKSUM_LEN as u64))? - CHECKSUM_LEN;
        Ok(Self {
            counts,
            n: len / ENTRY_LEN as usize,
            index_len: if sharding.has_checksum { len + CHECKSUM_LEN } else { len },
            endian: sharding.index_endian,
            has_checksum: sharding.has_checksum,
            is_index_first: sharding.is_index_first,
        })
    }

    /// Checks that the flattened index of all levels may be held.
    ///
    /// # Errors
    /// `LimitExceeded` if not.
    pub(crate) fn check_total(levels: &[Self], limits: &Limits) -> Result<()> {
        let n = levels.iter().try_fold(1_u64, |n, level| n.checked_mul(level.n as u64));
        let len = n.and_then(|n| n.checked_mul(ENTRY_LEN)).unwrap_or(u64::MAX);
        limits.metadata(len).map(|_| ())
    }
}

/// How many innermost chunks an outermost shard has along each axis.
pub(crate) fn total_counts(levels: &[ShardLevel]) -> Vec<u64> {
    let Some((first, rest)) = levels.split_first() else { return Vec::new() };
    let mut counts = first.counts.clone();
    for level in rest {
        counts.iter_mut().zip(&level.counts).for_each(|(total, count)| *total *= count);
    }
    counts
}

/// The shard that holds the chunk at `index`, written to `shard`, and the chunk's position in
/// it, in C order.
pub(crate) fn locate(counts: &[u64], index: &[u64], shard: &mut Vec<u64>) -> usize {
    shard.clear();
    let mut flat = 0_u64;
    for (&at, &count) in index.iter().zip(counts) {
        let count = count.max(1);
        shard.push(at / count);
        flat = flat * count + at % count;
    }
    usize::try_from(flat).unwrap_or(usize::MAX)
}
