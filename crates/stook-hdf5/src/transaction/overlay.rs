//! Pages of committed bytes as they will be after the next commit.
//!
//! Invariant: memory stays below a budget; pages beyond it lie in the journal, behind the place
//! of the next record, where nobody looks for them yet.

use std::collections::BTreeMap;

use stook_core::Result;
use stook_core::file::FileIo;

use super::journal::PAGE_LEN;
use super::to_usize;

/// A page, or the part of one that is committed.
#[derive(Debug)]
pub(crate) enum Page {
    /// In memory.
    Memory(Box<[u8; PAGE_LEN as usize]>),
    /// At this position in the journal.
    Spilled(u64),
}

/// Changed pages, by their number.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) pages: BTreeMap<u64, Page>,
    n_in_memory: usize,
}

impl Overlay {
    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.pages.clear();
        self.n_in_memory = 0;
    }

    /// Bytes that pages take in memory.
    pub(crate) fn len_in_memory(&self) -> u64 {
        self.n_in_memory as u64 * PAGE_LEN
    }

    /// Puts into `out`, the bytes of the file from `offset` on, those of changed pages.
    pub(crate) fn apply(
        &self,
        journal: Option<&dyn FileIo>,
        offset: u64,
        out: &mut [u8],
    ) -> Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        let pages = self.pages.range(offset / PAGE_LEN..end.div_ceil(PAGE_LEN));
        for (number, page) in pages {
            let start = number * PAGE_LEN;
            let (from, to) = (start.max(offset), (start + PAGE_LEN).min(end));
            let range = to_usize(from - offset)..to_usize(to - offset);
            let Some(part) = out.get_mut(range) else { continue };
            match (page, journal) {
                (Page::Memory(bytes), _) => {
                    let range = to_usize(from - start)..to_usize(to - start);
                    part.copy_from_slice(bytes.get(range).unwrap_or(&[]));
                }
                (Page::Spilled(position), Some(journal)) => {
                    journal.read_exact_at(position + (from - start), part)?;
                }
                (Page::Spilled(_), None) => {}
            }
        }
        Ok(())
    }

    /// Puts a page in memory.
    pub(crate) fn insert(&mut self, number: u64, bytes: Box<[u8; PAGE_LEN as usize]>) {
        if !matches!(self.pages.insert(number, Page::Memory(bytes)), Some(Page::Memory(_))) {
            self.n_in_memory += 1;
        }
    }

    /// The page, where it is in memory.
    pub(crate) fn in_memory(&mut self, number: u64) -> Option<&mut [u8; PAGE_LEN as usize]> {
        match self.pages.get_mut(&number)? {
            Page::Memory(bytes) => Some(bytes),
            Page::Spilled(_) => None,
        }
    }

    /// Removes a page.
    pub(crate) fn remove(&mut self, number: u64) {
        if let Some(Page::Memory(_)) = self.pages.remove(&number) {
            self.n_in_memory -= 1;
        }
    }

    /// Pages in memory become spilled ones where `spill` says.
    pub(crate) fn spill(
        &mut self,
        mut spill: impl FnMut(&[u8; PAGE_LEN as usize]) -> Result<u64>,
    ) -> Result<()> {
        for page in self.pages.values_mut() {
            if let Page::Memory(bytes) = page {
                *page = Page::Spilled(spill(bytes)?);
                self.n_in_memory -= 1;
            }
        }
        Ok(())
    }
}
