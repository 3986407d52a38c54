//! Writes of metadata in the order in which the library makes them, for readers that follow the
//! file itself while it is written (SWMR).
//!
//! The library writes what is referred to before what refers to it, so that a reader finds whole
//! structures whenever it looks. A commit keeps to that: elements go to the file first, which
//! nothing refers to yet, then these writes, one by one. But for the superblock, which the library
//! writes last: it says how far the file is in use, and who opens a file without following it
//! refuses what lies behind. All that it speaks of is there, so it goes first.
//!
//! Invariant: memory stays below a budget; writes beyond it lie in the journal, behind the place
//! of the next record.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use stook_core::Result;
use stook_core::file::FileIo;

use super::journal::PAGE_LEN;
use super::to_usize;
use crate::signature::is_superblock;

/// The writes of the next commit, and those of the last that have not arrived in the file.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pending: Writes,
    published: Writes,
    n_in_memory: usize,
}

#[derive(Debug, Default)]
struct Writes {
    list: VecDeque<Write>,
    /// What is written of each page, by its number.
    parts: BTreeMap<u64, Vec<Range<usize>>>,
}

#[derive(Debug)]
struct Write {
    offset: u64,
    len: usize,
    is_superblock: bool,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Memory(Vec<u8>),
    /// At this position in the journal.
    Spilled(u64),
}

impl Order {
    /// Adds a write of committed bytes.
    pub(crate) fn push(&mut self, offset: u64, bytes: &[u8]) {
        self.n_in_memory += bytes.len();
        let mut at = offset;
        let end = offset.saturating_add(bytes.len() as u64);
        while at < end {
            let (number, within) = (at / PAGE_LEN, at % PAGE_LEN);
            let n = (PAGE_LEN - within).min(end - at);
            let part = to_usize(within)..to_usize(within + n);
            self.pending.parts.entry(number).or_default().push(part);
            at += n;
        }
        let (len, is_superblock) = (bytes.len(), is_superblock(bytes));
        let bytes = Bytes::Memory(bytes.to_vec());
        self.pending.list.push_back(Write { offset, len, is_superblock, bytes });
    }

    /// Whether a pending write is to some of `len` bytes from `offset` on: whatever else is written
    /// there comes after it.
    pub(crate) fn touches(&self, offset: u64, len: u64) -> bool {
        let end = offset.saturating_add(len);
        let mut pages = self.pending.parts.range(offset / PAGE_LEN..end.div_ceil(PAGE_LEN));
        pages.any(|(number, parts)| {
            let start = number * PAGE_LEN;
            let is_in = |part: &Range<usize>| {
                start + (part.start as u64) < end && start + part.end as u64 > offset
            };
            parts.iter().any(is_in)
        })
    }

    /// Bytes that writes take in memory.
    pub(crate) fn len_in_memory(&self) -> u64 {
        self.n_in_memory as u64
    }

    /// What of a page a commit has to know, of which `changed` is another than before: also what
    /// is written and then written back.
    pub(crate) fn widen(
        &self,
        page: u64,
        changed: Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        let parts = self.pending.parts.get(&page).into_iter().flatten();
        parts.fold(changed, |all, part| match all {
            Some((from, to)) => Some((from.min(part.start), to.max(part.end))),
            None => Some((part.start, part.end)),
        })
    }

    /// Calls `visit` with offset and bytes of each pending write, a page at a time.
    pub(crate) fn each_part(
        &self,
        journal: &dyn FileIo,
        mut visit: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut read = Vec::new();
        for write in &self.pending.list {
            let mut rest = match &write.bytes {
                Bytes::Memory(bytes) => bytes.as_slice(),
                Bytes::Spilled(position) => {
                    read.resize(write.len, 0);
                    journal.read_exact_at(*position, &mut read)?;
                    read.as_slice()
                }
            };
            let mut at = write.offset;
            while !rest.is_empty() {
                let n = rest.len().min(to_usize(PAGE_LEN - at % PAGE_LEN));
                let (part, others) = rest.split_at(n);
                visit(at, part)?;
                at += n as u64;
                rest = others;
            }
        }
        Ok(())
    }

    /// Puts writes in memory where `spill` says.
    pub(crate) fn spill(&mut self, mut spill: impl FnMut(&[u8]) -> Result<u64>) -> Result<()> {
        for write in self.published.list.iter_mut().chain(&mut self.pending.list) {
            if let Bytes::Memory(bytes) = &write.bytes {
                let position = spill(bytes)?;
                self.n_in_memory -= bytes.len();
                write.bytes = Bytes::Spilled(position);
            }
        }
        Ok(())
    }

    /// The pending writes belong to a record that is in the journal; the ones before have arrived.
    pub(crate) fn publish(&mut self) {
        self.published = std::mem::take(&mut self.pending);
        let list = &mut self.published.list;
        if let Some(last) = list.iter().rposition(|write| write.is_superblock)
            && let Some(superblock) = list.remove(last)
        {
            let n_in_memory = &mut self.n_in_memory;
            list.retain(|write| {
                let is_former = write.is_superblock && write.offset == superblock.offset;
                if is_former {
                    *n_in_memory -= write.len_in_memory();
                }
                !is_former
            });
            list.push_front(superblock);
        }
    }

    /// Forgets the pending writes, which change nothing.
    pub(crate) fn clear(&mut self) {
        self.n_in_memory -= self.pending.list.iter().map(Write::len_in_memory).sum::<usize>();
        self.pending = Writes::default();
    }

    /// Calls `write` with what of `bytes`, which begin at `offset`, does not belong to a published
    /// write: elements.
    pub(crate) fn others(
        &self,
        (offset, bytes): (u64, &[u8]),
        mut write: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let page = offset / PAGE_LEN;
        let mut parts: Vec<&Range<usize>> =
            self.published.parts.get(&page).into_iter().flatten().collect();
        parts.sort_unstable_by_key(|part| part.start);
        let start = to_usize(offset % PAGE_LEN);
        let end = start + bytes.len();
        let mut at = start;
        let stop = end..end;
        for part in parts.into_iter().chain([&stop]) {
            if part.start.min(end) > at {
                let from = offset + (at - start) as u64;
                write(from, bytes.get(at - start..part.start.min(end) - start).unwrap_or(&[]))?;
            }
            at = at.max(part.end);
        }
        Ok(())
    }

    /// Brings the published writes to `file`, one by one; one that fails is the next to be tried.
    pub(crate) fn apply(&mut self, file: &dyn FileIo, journal: &dyn FileIo) -> Result<()> {
        while let Some(next) = self.published.list.front() {
            match &next.bytes {
                Bytes::Memory(bytes) => file.write_at(next.offset, bytes)?,
                Bytes::Spilled(position) => {
                    let mut bytes = vec![0; next.len];
                    journal.read_exact_at(*position, &mut bytes)?;
                    file.write_at(next.offset, &bytes)?;
                }
            }
            self.n_in_memory -= next.len_in_memory();
            self.published.list.pop_front();
        }
        self.published.parts.clear();
        Ok(())
    }
}

impl Write {
    fn len_in_memory(&self) -> usize {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes.len(),
            Bytes::Spilled(_) => 0,
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_no_write_covers_is_given_apart() {
        let mut order = Order::default();
        order.push(4096 + 10, &[1; 5]);
        order.push(4096 + 12, &[2; 8]);
        order.push(4096 + 30, &[3; 4]);
        assert_eq!(order.widen(1, Some((20, 25))), Some((10, 34)));
        assert_eq!(order.widen(0, None), None);
        assert!(order.touches(4096 + 33, 1) && order.touches(0, 5000));
        assert!(!order.touches(4096 + 20, 10) && !order.touches(8192, 10));
        order.publish();
        let mut found = Vec::new();
        let bytes = [0; 40];
        order
            .others((4096 + 5, &bytes), |at, part| {
                found.push((at - 4096, part.len()));
                Ok(())
            })
            .unwrap();
        assert_eq!(found, [(5, 5), (20, 10), (34, 11)]);
        assert_eq!(order.len_in_memory(), 17);
    }
}
