//! Bytes of a file that are to be taken from its journal instead.

use std::collections::BTreeMap;

use stook_core::Result;
use stook_core::file::FileIo;

use super::to_usize;

/// Ranges of a file, none of which overlap, and where in the journal their bytes are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patches {
    /// Length and position in the journal, by the first byte.
    ranges: BTreeMap<u64, (u64, u64)>,
}

impl Patches {
    /// Takes `len` bytes from `offset` on from `position` in the journal, but for those that are
    /// taken from somewhere already.
    pub(crate) fn add(&mut self, offset: u64, len: u64, position: u64) {
        let end = offset.saturating_add(len);
        let taken: Vec<(u64, u64)> = self.overlapping(offset, end).collect();
        let mut at = offset;
        for (start, stop) in taken.into_iter().chain([(end, end)]) {
            if start > at {
                self.ranges.insert(at, (start - at, position + (at - offset)));
            }
            at = at.max(stop);
        }
    }

    /// Takes `len` bytes from `offset` on from `position` in the journal, wherever they were
    /// taken from before.
    pub(crate) fn put(&mut self, offset: u64, len: u64, position: u64) {
        let end = offset.saturating_add(len);
        let taken: Vec<(u64, u64)> = self.overlapping(offset, end).collect();
        for (start, stop) in taken {
            let Some((_, old)) = self.ranges.remove(&start) else { continue };
            if start < offset {
                self.ranges.insert(start, (offset - start, old));
            }
            if stop > end {
                self.ranges.insert(end, (stop - end, old + (end - start)));
            }
        }
        self.ranges.insert(offset, (len, position));
    }

    /// First bytes and ends of the ranges that overlap `start..end`, in order.
    fn overlapping(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
        let before = self.ranges.range(..start).next_back();
        let first = before.filter(|(at, (len, _))| *at + len > start).map_or(start, |(at, _)| *at);
        self.ranges.range(first..end.max(first)).map(|(at, (len, _))| (*at, at + len))
    }

    /// Whether anything in `start..end` is taken from the journal.
    pub(crate) fn touch(&self, start: u64, end: u64) -> bool {
        self.overlapping(start, end).next().is_some()
    }

    /// Puts into `out`, the bytes of the file from `offset` on, those of the journal.
    pub(crate) fn apply(&self, journal: &dyn FileIo, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        for (start, stop) in self.overlapping(offset, end) {
            let Some((_, position)) = self.ranges.get(&start) else { continue };
            let (from, to) = (start.max(offset), stop.min(end));
            let range = to_usize(from - offset)..to_usize(to - offset);
            if let Some(part) = out.get_mut(range) {
                journal.read_exact_at(position + (from - start), part)?;
            }
        }
        Ok(())
    }

    /// All ranges: first byte, length, position in the journal.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.ranges.iter().map(|(start, (len, position))| (*start, *len, *position))
    }
}

#[cfg(test)]
mod unit {
    use stook_core::file::FaultyFile;

    use super::*;

    #[test]
    fn what_was_added_first_stays() {
        let journal = FaultyFile::new((0..100).collect());
        let mut patches = Patches::default();
        patches.add(10, 5, 50);
        patches.add(20, 5, 60);
        patches.add(8, 20, 0);
        patches.add(8, 20, 90);
        let mut out = [255; 30];
        patches.apply(&journal, 0, &mut out).unwrap();
        let expected: Vec<u8> = [&[255; 8][..], &[0, 1, 50, 51, 52, 53, 54, 7, 8, 9, 10, 11]]
            .concat()
            .into_iter()
            .chain([60, 61, 62, 63, 64, 17, 18, 19, 255, 255])
            .collect();
        assert_eq!(out.to_vec(), expected);
        let mut part = [255; 4];
        patches.apply(&journal, 13, &mut part).unwrap();
        assert_eq!(part, [53, 54, 7, 8]);
        patches.put(12, 3, 70);
        patches.apply(&journal, 11, &mut part).unwrap();
        assert_eq!(part, [51, 70, 71, 72]);
        assert!(patches.touch(27, 28) && !patches.touch(28, 40) && !patches.touch(0, 8));
    }
}
