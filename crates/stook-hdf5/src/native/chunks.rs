//! Where chunks lie: B-trees of version 1 (section III.A.1).

use std::cmp::Ordering;

use super::bytes::Bytes;
use super::source::Source;
use crate::ffi::ChunkRecord;

/// The type of a node that lists chunks.
const OF_CHUNKS: u8 = 1;
/// Levels of a tree.
const MAX_LEVEL: u8 = 32;
const HEAD_LEN: usize = 24;

/// Which chunks are asked for: the first elements of the first and the last, in the order of the
/// array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<'a> {
    pub(crate) first: &'a [u64],
    pub(crate) last: &'a [u64],
}

/// What is called with the first element of a chunk, and where it is; `None` ends the walk.
pub(crate) type Visit<'v> = dyn FnMut(&[u64], ChunkRecord) -> Option<()> + 'v;

/// A walk through a tree.
pub(super) struct Walk<'w> {
    pub(super) span: Span<'w>,
    /// Nodes and chunks that may still come.
    pub(super) n_left: u64,
}

impl Walk<'_> {
    /// Visits the chunks below the node at `address`, which is on `level`.
    pub(super) fn node(
        &mut self,
        source: &mut Source<'_>,
        (address, level): (u64, Option<u8>),
        visit: &mut Visit<'_>,
    ) -> Option<()> {
        self.n_left = self.n_left.checked_sub(1)?;
        let rank = self.span.first.len();
        let mut bytes = Vec::new();
        source.read(address, HEAD_LEN, &mut bytes)?;
        let mut head = Bytes(&bytes);
        if head.take(4)? != b"TREE" || head.u8()? != OF_CHUNKS {
            return None;
        }
        let (found, n) = (head.u8()?, usize::from(head.u16()?));
        if found > MAX_LEVEL || level.is_some_and(|level| level != found) {
            return None;
        }
        // A key has the length of a chunk, what it skips, and its first element, which has an axis
        // more: the bytes of an item.
        let key_len = 8 + 8 * rank.checked_add(1)?;
        let len = n.checked_mul(key_len + 8)?.checked_add(key_len)?;
        source.read(address.checked_add(HEAD_LEN as u64)?, len, &mut bytes)?;
        let key = |i: usize| Bytes(bytes.get(i * (key_len + 8)..).unwrap_or_default());
        let mut at = vec![0; rank];
        for i in 0..n {
            // A child has what comes before the key behind it, but for the last: libraries leave the
            // key behind that as it is when chunks are added.
            let is_last = i + 1 == n;
            if !is_last && place(key(i + 1), &mut at)?.cmp(self.span.first) != Ordering::Greater {
                continue;
            }
            let mut entry = key(i);
            let (len, skipped) = (entry.u32()?, entry.u32()?);
            if place(key(i), &mut at)?.cmp(self.span.last) == Ordering::Greater {
                break;
            }
            entry.take(8 * (rank + 1))?;
            let child = entry.u64()?;
            match found.checked_sub(1) {
                Some(below) => self.node(source, (child, Some(below)), visit)?,
                None => {
                    self.n_left = self.n_left.checked_sub(1)?;
                    if at.as_slice().cmp(self.span.first) == Ordering::Less {
                        continue;
                    }
                    let record = ChunkRecord { address: child, len_bytes: len.into(), skipped };
                    visit(&at, record)?;
                }
            }
        }
        Some(())
    }
}

/// The first element that `key` names.
fn place<'a>(mut key: Bytes<'_>, at: &'a mut [u64]) -> Option<&'a [u64]> {
    key.take(8)?;
    for axis in &mut *at {
        *axis = key.u64()?;
    }
    Some(at)
}
