//! The index of a shard: where each of its chunks lies.

use stook_core::codec::Endian;
use stook_core::store::{ByteRange, ByteStore, RangesRead};
use stook_core::{Error, Result};

use super::{CHECKSUM_LEN, ENTRY_LEN, ShardLevel};

/// Where a chunk lies in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

impl Entry {
    /// A chunk that is not stored.
    pub(crate) const MISSING: Self = Self { offset: u64::MAX, len: u64::MAX };

    pub(crate) fn is_missing(self) -> bool {
        self == Self::MISSING
    }

    /// Where the chunk ends.
    pub(crate) fn end(self) -> Result<u64> {
        self.offset.checked_add(self.len).ok_or_else(|| {
            Error::corrupt(format!(
                "shard index: chunk of {} bytes at {} overflows",
                self.len, self.offset
            ))
        })
    }
}

/// Where every innermost chunk of a shard lies, in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShardIndex {
    pub(crate) entries: Vec<Entry>,
}

/// What [`ShardIndex::load_versioned`] found.
#[derive(Debug)]
pub(crate) enum LoadedIndex {
    /// No shard.
    Missing,
    /// A shard that was replaced meanwhile.
    Changed,
    /// The index, and the version of the shard that it is of, where that can be told.
    Loaded(Option<u64>, ShardIndex),
}

/// What reads ranges of a shard, and calls back with each; false where there is no shard.
pub(crate) type ReadRanges<'a> =
    dyn FnMut(&[ByteRange], &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<bool> + 'a;

impl ShardIndex {
    /// The index of the shard at `key`; `None` if it is not stored.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub(crate) fn load(
        store: &dyn ByteStore,
        key: &str,
        levels: &[ShardLevel],
    ) -> Result<Option<Self>> {
        let mut read =
            |ranges: &[ByteRange], deliver: &mut dyn FnMut(usize, &[u8]) -> Result<()>| {
                store.get_ranges(key, ranges, &mut |i, bytes| deliver(i, bytes.unwrap_or_default()))
            };
        Self::read(levels, &mut read)
    }

    /// The index of the shard at `key`, all of one version of it, and which.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub(crate) fn load_versioned(
        store: &dyn ByteStore,
        key: &str,
        levels: &[ShardLevel],
    ) -> Result<LoadedIndex> {
        let (mut version, mut has_changed) = (None, false);
        let mut read =
            |ranges: &[ByteRange], deliver: &mut dyn FnMut(usize, &[u8]) -> Result<()>| {
                let mut take =
                    |i: usize, bytes: Option<&[u8]>| deliver(i, bytes.unwrap_or_default());
                match store.get_ranges_of(key, ranges, version, &mut take)? {
                    RangesRead::Missing => Ok(false),
                    RangesRead::Changed => {
                        has_changed = true;
                        Ok(false)
                    }
                    RangesRead::Read(found) => {
                        version = found;
                        Ok(true)
                    }
                }
            };
        let index = Self::read(levels, &mut read)?;
        Ok(match index {
            _ if has_changed => LoadedIndex::Changed,
            Some(index) => LoadedIndex::Loaded(version, index),
            None => LoadedIndex::Missing,
        })
    }

    /// The index of a shard whose bytes are at hand.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(crate) fn of_bytes(levels: &[ShardLevel], shard: &[u8]) -> Result<Self> {
        let mut read =
            |ranges: &[ByteRange], deliver: &mut dyn FnMut(usize, &[u8]) -> Result<()>| {
                for (i, range) in ranges.iter().enumerate() {
                    let slice = || {
                        let (offset, len) = range.resolve(shard.len() as u64)?;
                        let start = usize::try_from(offset).ok()?;
                        shard.get(start..start.checked_add(usize::try_from(len).ok()?)?)
                    };
                    deliver(i, slice().ok_or_else(|| outside(*range, shard.len()))?)?;
                }
                Ok(true)
            };
        Self::read(levels, &mut read)?.ok_or_else(|| Error::corrupt("the shard has no index"))
    }

    fn read(levels: &[ShardLevel], read: &mut ReadRanges<'_>) -> Result<Option<Self>> {
        let n: usize = levels.iter().map(|level| level.n).product();
        let mut index = Self { entries: Vec::new() };
        let Some((first, rest)) = levels.split_first() else { return Ok(Some(index)) };
        let len = first.index_len as u64;
        let range = if first.is_index_first {
            ByteRange::At { offset: 0, len }
        } else {
            ByteRange::Last(len)
        };
        let mut top = Vec::new();
        let is_there = read(&[range], &mut |_, bytes| first.decode_index(bytes, &mut top))?;
        if !is_there {
            return Ok(None);
        }
        if rest.is_empty() {
            index.entries = top;
            return Ok(Some(index));
        }
        index.entries.resize(n, Entry::MISSING);
        let counts = super::total_counts(levels);
        let mut walk = Walk { levels, counts: &counts, read, entries: &mut index.entries };
        walk.descend(1, top.into_iter().zip(first.positions()).collect())?;
        Ok(Some(index))
    }

    /// Bytes that the index takes in memory.
    pub(crate) fn len_bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>()
    }
}

fn outside(range: ByteRange, len: usize) -> Error {
    Error::corrupt(format!("shard index: {range:?} lies outside a shard of {len} bytes"))
}

/// The way down through shards in shards.
struct Walk<'a, 'r> {
    levels: &'a [ShardLevel],
    counts: &'a [u64],
    read: &'a mut ReadRanges<'r>,
    entries: &'a mut Vec<Entry>,
}

impl Walk<'_, '_> {
    /// Reads the indices of the shards of `depth`, given where they lie and their positions in
    /// the grid of their level.
    fn descend(&mut self, depth: usize, shards: Vec<(Entry, Vec<u64>)>) -> Result<()> {
        let Some(level) = self.levels.get(depth) else {
            for (entry, position) in shards {
                let flat = position.iter().zip(self.counts).fold(0_u64, |at, (&i, &n)| at * n + i);
                let flat = usize::try_from(flat).unwrap_or(usize::MAX);
                if let Some(place) = self.entries.get_mut(flat) {
                    *place = entry;
                }
            }
            return Ok(());
        };
        let stored: Vec<_> = shards.into_iter().filter(|(entry, _)| !entry.is_missing()).collect();
        let len = level.index_len as u64;
        let range = |entry: Entry| {
            if entry.len < len {
                return Err(Error::corrupt(format!(
                    "inner shard of {} bytes: expected an index of {len} bytes",
                    entry.len
                )));
            }
            let offset = if level.is_index_first { entry.offset } else { entry.end()? - len };
            Ok(ByteRange::At { offset, len })
        };
        let ranges = stored.iter().map(|(entry, _)| range(*entry)).collect::<Result<Vec<_>>>()?;
        let mut inner = Vec::with_capacity(stored.len());
        if !ranges.is_empty() {
            (self.read)(&ranges, &mut |i, bytes| {
                let (outer, origin) = stored.get(i).ok_or_else(|| Error::corrupt("shard index"))?;
                let mut entries = Vec::new();
                level.decode_index(bytes, &mut entries)?;
                for (entry, position) in entries.into_iter().zip(level.positions()) {
                    let at = origin.iter().zip(&level.counts).zip(position);
                    let at = at.map(|((&origin, &count), i)| origin * count + i).collect();
                    inner.push((within(*outer, entry)?, at));
                }
                Ok(())
            })?;
        }
        self.descend(depth + 1, inner)
    }
}

/// `inner`, relative to `outer`, as a place in the outermost shard.
fn within(outer: Entry, inner: Entry) -> Result<Entry> {
    if inner.is_missing() {
        return Ok(inner);
    }
    if inner.end()? > outer.len {
        return Err(Error::corrupt(format!(
            "shard index: chunk of {} bytes at {} lies outside an inner shard of {} bytes",
            inner.len, inner.offset, outer.len
        )));
    }
    let offset = outer.offset.checked_add(inner.offset);
    Ok(Entry { offset: offset.unwrap_or(u64::MAX), len: inner.len })
}

impl ShardLevel {
    /// The positions in a shard, in C order.
    pub(super) fn positions(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        (0..self.n as u64).map(|flat| {
            let mut rest = flat;
            let mut position = vec![0; self.counts.len()];
            for (at, &count) in position.iter_mut().zip(&self.counts).rev() {
                *at = rest % count.max(1);
                rest /= count.max(1);
            }
            position
        })
    }

    /// Appends the entries of an encoded index.
    fn decode_index(&self, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<()> {
        let (index, checksum) = bytes
            .split_at_checked(self.n.saturating_mul(ENTRY_LEN as usize))
            .filter(|_| bytes.len() == self.index_len)
            .ok_or_else(|| {
                let (expected, found) = (self.index_len, bytes.len());
                Error::corrupt(format!("shard index: expected {expected} bytes, found {found}"))
            })?;
        if self.has_checksum {
            let expected = checksum.try_into().map_or(0, u32::from_le_bytes);
            let found = crc32c::crc32c(index);
            if found != expected {
                return Err(Error::corrupt(format!(
                    "shard index: expected checksum {expected:#010x}, found {found:#010x}"
                )));
            }
        }
        let word = |bytes: &[u8]| {
            let bytes = bytes.try_into().unwrap_or_default();
            match self.endian {
                Endian::Little => u64::from_le_bytes(bytes),
                Endian::Big => u64::from_be_bytes(bytes),
            }
        };
        entries.reserve_exact(self.n);
        entries.extend(index.chunks_exact(ENTRY_LEN as usize).map(|entry| {
            let (offset, len) = entry.split_at(8);
            Entry { offset: word(offset), len: word(len) }
        }));
        Ok(())
    }

    /// The encoded index of `entries`, `index_len` bytes.
    pub(super) fn encode_index(&self, entries: &[Entry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.index_len);
        for entry in entries {
            for word in [entry.offset, entry.len] {
                match self.endian {
                    Endian::Little => out.extend_from_slice(&word.to_le_bytes()),
                    Endian::Big => out.extend_from_slice(&word.to_be_bytes()),
                }
            }
        }
        if self.has_checksum {
            let checksum: [u8; CHECKSUM_LEN] = crc32c::crc32c(&out).to_le_bytes();
            out.extend_from_slice(&checksum);
        }
        out
    }
}
