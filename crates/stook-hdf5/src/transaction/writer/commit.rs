//! How a commit goes, step by step; `docs/formats/hdf5-journal.md` says why in this order.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;

use stook_core::container::Durability;
use stook_core::file::{FileIo, Stamp};
use stook_core::{Error, Result};

use super::super::journal::{EXTENT_LEN, Extent, HEADER_LEN, Header, Kind, PAGE_LEN, Record};
use super::super::order::Order;
use super::super::overlay::Page;
use super::{Journal, State, TxFile, to_usize};

/// Bytes past the floor of which a commit that is not synced has a checksum. One of more is
/// synced, where there is something on the medium to go back to after a power cut.
const MAX_CHECKED_LEN_BYTES: u64 = 64 << 20;
/// What is written at once.
const BLOCK_LEN_BYTES: usize = 1 << 20;

/// Where the bytes of the last record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redo {
    /// In the journal: what is in memory may be newer.
    Journal,
    /// Still in memory, as they are in the journal.
    Memory,
}

/// What the next record leads to, on its way into the journal.
struct Draft<'a> {
    journal: &'a dyn FileIo,
    /// Where `bytes` go.
    at: u64,
    bytes: Vec<u8>,
    table: Vec<u8>,
    extents: Vec<Extent>,
}

impl Draft<'_> {
    /// Adds `bytes`; where they are, and their checksum.
    fn push(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        if self.bytes.len() + bytes.len() > BLOCK_LEN_BYTES {
            self.flush()?;
        }
        let at = self.at + self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Ok((at, crc32c::crc32c(bytes)))
    }

    fn flush(&mut self) -> Result<()> {
        self.journal.write_at(self.at, &self.bytes)?;
        self.at += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }
}

impl TxFile {
    pub(super) fn commit_locked(&self, state: &mut State, durability: Durability) -> Result<()> {
        if durability == Durability::None {
            return Ok(());
        }
        let is_durable = durability >= Durability::Fsync;
        if state.has_lost && (is_durable || state.unapplied.is_some()) {
            let message = "the operating system failed to put earlier changes on the medium";
            let error = Error::new(stook_core::ErrorKind::Io, message).at_file(self.file.path());
            return Err(error.with_hint("close the file and open it again: it is recovered then"));
        }
        self.apply(state, Redo::Journal)?;
        self.write_late(state)?;
        let len = self.len.load(Ordering::Acquire);
        if self.physical.load(Ordering::Acquire) < len {
            self.file.set_len(len)?;
            self.physical.store(len, Ordering::Release);
        }
        let is_changed = self.is_dirty.load(Ordering::Acquire) || len != state.floor;
        let is_marked = is_durable && state.is_unsynced;
        if !is_changed && !is_marked && state.overlay.is_empty() {
            return Ok(());
        }
        let is_large = len.saturating_sub(state.floor) > MAX_CHECKED_LEN_BYTES;
        let is_durable = is_durable || (is_large && state.durable_len > 0 && !state.has_lost);
        if is_durable {
            self.sync_file(state)?;
        }
        if state.journal.is_none() {
            return self.begin_journal(state, is_durable);
        }
        if self.publish(state, (len, is_durable, is_changed || is_marked))? {
            self.apply(state, Redo::Memory)?;
            state.overlay.clear();
            self.renew_journal(state);
        }
        Ok(())
    }

    /// Writes what waits past the floor because there was no room for it.
    pub(super) fn write_late(&self, state: &mut State) -> Result<()> {
        for (at, bytes) in &state.late {
            self.write_past(*at, bytes)?;
        }
        state.late.clear();
        state.late_len = 0;
        Ok(())
    }

    fn sync_file(&self, state: &mut State) -> Result<()> {
        self.file.sync().inspect_err(|_| state.has_lost = true)?;
        state.must_sync = false;
        Ok(())
    }

    /// Begins the journal with the state of the file as it is: at the first commit of a new
    /// file, at opening, and after [`TxFile::renew_journal`].
    pub(super) fn begin_journal(&self, state: &mut State, is_durable: bool) -> Result<()> {
        let len = self.len.load(Ordering::Acquire);
        let mut journal = match state.journal.take() {
            Some(journal) => journal,
            None => Journal::new(self.home.create_journal()?, 0),
        };
        let begun = self.write_header(&mut journal, len, is_durable);
        let begun = begun.and_then(|()| {
            // A file that there was before is on the medium as it was; nothing of the journal is
            // needed before something of that is changed.
            let is_new = state.floor != len || len == 0;
            if is_durable && is_new { self.sync_journal(&mut journal) } else { Ok(()) }
        });
        if let Err(error) = begun.and_then(|()| self.home.journal_is_ready()) {
            // There is none then; the error at hand says more than one about what is left of it.
            let _ = self.home.remove_journal();
            return Err(error);
        }
        state.journal = Some(journal);
        self.is_dirty.store(false, Ordering::Release);
        state.floor = len;
        state.durable_len = if is_durable { len } else { 0 };
        state.is_unsynced = !is_durable;
        state.guarded.clear();
        Ok(())
    }

    fn write_header(&self, journal: &mut Journal, len: u64, is_durable: bool) -> Result<()> {
        journal.salt = RandomState::new().hash_one((journal.salt, std::process::id()));
        let header = Header {
            is_durable,
            salt: journal.salt,
            sequence: journal.sequence,
            base: Stamp { len_bytes: len, modified: self.home.stamp()?.modified },
            boot: self.boot,
        };
        journal.file.write_at(0, &header.encode())?;
        journal.tail = HEADER_LEN;
        journal.draft = journal.draft.max(2 * HEADER_LEN);
        journal.has_header = true;
        Ok(())
    }

    fn sync_journal(&self, journal: &mut Journal) -> Result<()> {
        journal.file.sync()?;
        if !journal.is_named {
            self.home.sync_names()?;
            journal.is_named = true;
        }
        Ok(())
    }

    /// Writes a record of all that is pending; false where that is nothing. The record is the
    /// commit from here on, and [`TxFile::apply`] brings it to the file.
    fn publish(
        &self,
        state: &mut State,
        (len, is_durable, must_write): (u64, bool, bool),
    ) -> Result<bool> {
        let Some(mut journal) = state.journal.take() else { return Ok(false) };
        let published = self.publish_to(state, &mut journal, (len, is_durable, must_write));
        state.journal = Some(journal);
        published
    }

    fn publish_to(
        &self,
        state: &mut State,
        journal: &mut Journal,
        (len, is_durable, must_write): (u64, bool, bool),
    ) -> Result<bool> {
        if !journal.has_header {
            self.write_header(journal, state.floor, state.durable_len > 0)?;
        }
        let file = std::sync::Arc::clone(&journal.file);
        let mut draft = Draft {
            journal: &*file,
            at: journal.draft,
            bytes: Vec::new(),
            table: Vec::new(),
            extents: Vec::new(),
        };
        let newly_guarded = self.draft_pages(state, &mut draft, is_durable)?;
        self.draft_steps(state, &mut draft)?;
        if draft.extents.is_empty() && !must_write {
            state.overlay.clear();
            if let Some(order) = &mut state.order {
                order.clear();
            }
            journal.draft = journal.tail + HEADER_LEN;
            return Ok(false);
        }
        let table = std::mem::take(&mut draft.table);
        let (at, table_checksum) = draft.push(&table)?;
        draft.flush()?;
        let record = Record {
            kind: Kind::Commit,
            sequence: journal.sequence + 1,
            is_durable,
            old_len: state.floor,
            new_len: len,
            checksum: if is_durable { None } else { self.checksum(state, len)? },
            table: at,
            n_extents: table.len() as u64 / EXTENT_LEN,
            next: draft.at,
            table_checksum,
        };
        let extents = draft.extents;
        // Last, because it says that all else is there.
        journal.file.write_at(journal.tail, &record.encode(journal.salt))?;
        self.is_published(state, journal, (&record, extents))?;
        if is_durable || !newly_guarded.is_empty() {
            self.sync_journal(journal).inspect_err(|_| state.has_lost = true)?;
        }
        if is_durable {
            state.durable_len = len;
            state.guarded.clear();
        } else {
            state.guarded.extend(newly_guarded);
        }
        state.is_unsynced = !is_durable;
        Ok(true)
    }

    /// The record is in the journal: what is pending now comes after it.
    fn is_published(
        &self,
        state: &mut State,
        journal: &mut Journal,
        (record, extents): (&Record, Vec<Extent>),
    ) -> Result<()> {
        journal.sequence = record.sequence;
        journal.tail = record.next;
        journal.draft = record.next + HEADER_LEN;
        self.is_dirty.store(false, Ordering::Release);
        // Pages stay until they are in the file. The last may have been committed in part: the
        // rest of it has been written to the file, and is committed now.
        let number = state.floor / PAGE_LEN;
        let within = to_usize(state.floor % PAGE_LEN);
        state.floor = record.new_len;
        state.unapplied = Some(extents);
        if let Some(order) = &mut state.order {
            order.publish();
        }
        if within > 0 && state.overlay.pages.contains_key(&number) {
            let mut page = self.load(state, Some(&*journal.file), number)?;
            let rest = page.get_mut(within..).unwrap_or(&mut []);
            self.file.read_at(number * PAGE_LEN + within as u64, rest)?;
            state.overlay.insert(number, page);
        }
        Ok(())
    }

    /// Adds what changed pages change; the numbers of those that come to be guarded.
    fn draft_pages(
        &self,
        state: &mut State,
        draft: &mut Draft<'_>,
        is_durable: bool,
    ) -> Result<Vec<u64>> {
        let mut newly_guarded = Vec::new();
        let mut unchanged = Vec::new();
        let (mut old, mut spilled) = ([0; PAGE_LEN as usize], [0; PAGE_LEN as usize]);
        for (&number, page) in &state.overlay.pages {
            let start = number * PAGE_LEN;
            let valid = to_usize(state.floor.saturating_sub(start).min(PAGE_LEN));
            let (new, place) = match page {
                Page::Memory(bytes) => (&**bytes, None),
                Page::Spilled(position) => {
                    draft.journal.read_exact_at(*position, &mut spilled)?;
                    (&spilled, Some(*position))
                }
            };
            self.file.read_at(start, old.get_mut(..valid).unwrap_or(&mut []))?;
            let mut part = difference(&old, new, valid);
            if let Some(order) = &state.order {
                part = order.widen(number, part);
            }
            let Some((mut from, mut to)) = part else {
                unchanged.push(number);
                continue;
            };
            let is_guarded = start >= state.durable_len || state.guarded.contains(&number);
            if !is_durable && !is_guarded {
                (from, to) = (0, valid);
                newly_guarded.push(number);
            }
            let (undo, undo_checksum) = draft.push(old.get(from..to).unwrap_or(&[]))?;
            let bytes = new.get(from..to).unwrap_or(&[]);
            let (redo, redo_checksum) = match place {
                Some(position) => (position + from as u64, crc32c::crc32c(bytes)),
                None => draft.push(bytes)?,
            };
            let (offset, len) = (start + from as u64, (to - from) as u64);
            let extent = Extent { offset, len, redo, undo, redo_checksum, undo_checksum };
            extent.encode(&mut draft.table);
            draft.extents.push(extent);
        }
        for number in unchanged {
            state.overlay.remove(number);
        }
        Ok(newly_guarded)
    }

    /// Adds what writes in order bring to the file and later ones change again: a crash may leave
    /// it there, and recovery takes no byte that it does not know.
    fn draft_steps(&self, state: &State, draft: &mut Draft<'_>) -> Result<()> {
        let Some(order) = &state.order else { return Ok(()) };
        let journal = draft.journal;
        let (mut last, mut old) = (Vec::new(), Vec::new());
        order.each_part(journal, |offset, bytes| {
            last.resize(bytes.len(), 0);
            state.overlay.apply(Some(journal), offset, &mut last)?;
            if last == bytes {
                return Ok(());
            }
            old.resize(bytes.len(), 0);
            self.file.read_exact_at(offset, &mut old)?;
            let (undo, undo_checksum) = draft.push(&old)?;
            let (redo, redo_checksum) = draft.push(bytes)?;
            let len = bytes.len() as u64;
            let extent = Extent { offset, len, redo, undo, redo_checksum, undo_checksum };
            // Not among those that are applied: the ones of whole pages say how it ends.
            extent.encode(&mut draft.table);
            Ok(())
        })
    }

    /// The checksum of the bytes from `start` to `end`, where they are few, and where there is
    /// something to go back to if they do not reach the medium.
    fn checksum(&self, state: &State, end: u64) -> Result<Option<u32>> {
        let len = end.saturating_sub(state.floor);
        if len > MAX_CHECKED_LEN_BYTES || state.durable_len == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; to_usize(len).min(BLOCK_LEN_BYTES)];
        let (mut at, mut checksum) = (state.floor, 0);
        while at < end {
            let n = bytes.len().min(to_usize(end - at));
            let part = bytes.get_mut(..n).unwrap_or(&mut []);
            self.file.read_exact_at(at, part)?;
            checksum = crc32c::crc32c_append(checksum, part);
            at += n as u64;
        }
        Ok(Some(checksum))
    }

    /// Brings the last record to the file, where it is not there yet.
    fn apply(&self, state: &mut State, redo: Redo) -> Result<()> {
        let Some(extents) = &state.unapplied else { return Ok(()) };
        let Some(journal) = &state.journal else { return Ok(()) };
        let mut block: Vec<u8> = Vec::new();
        let mut at = 0;
        for extent in extents {
            let end = at + block.len() as u64;
            if extent.offset != end || block.len() >= BLOCK_LEN_BYTES || state.order.is_some() {
                self.write_block(at, &mut block, state.order.as_ref())?;
                at = extent.offset;
            }
            let from = block.len();
            block.resize(from + to_usize(extent.len), 0);
            let part = block.get_mut(from..).unwrap_or(&mut []);
            let within = to_usize(extent.offset % PAGE_LEN);
            let in_memory = match state.overlay.pages.get(&extent.page()) {
                Some(Page::Memory(page)) if redo == Redo::Memory => {
                    page.get(within..within + part.len())
                }
                _ => None,
            };
            match in_memory {
                Some(bytes) => part.copy_from_slice(bytes),
                None => journal.file.read_exact_at(extent.redo, part)?,
            }
        }
        self.write_block(at, &mut block, state.order.as_ref())?;
        let durable_len = state.durable_len;
        state.must_sync |= extents.iter().any(|extent| extent.offset < durable_len);
        if let Some(order) = &mut state.order {
            order.apply(&*self.file, &*journal.file)?;
        }
        state.unapplied = None;
        Ok(())
    }

    /// Writes a block, but for what is written in order, after it.
    fn write_block(&self, at: u64, block: &mut Vec<u8>, order: Option<&Order>) -> Result<()> {
        match order {
            Some(order) => order.others((at, block), |at, part| self.file.write_at(at, part))?,
            None if block.is_empty() => {}
            None => self.file.write_at(at, block)?,
        }
        block.clear();
        Ok(())
    }

    /// Begins the journal anew where it has become long; nothing is pending. What fails here
    /// fails the next commit, not the one that has succeeded.
    fn renew_journal(&self, state: &mut State) {
        let is_long =
            state.journal.as_ref().is_some_and(|j| j.tail > self.bounds.journal_len_bytes);
        if !is_long || state.has_lost {
            return;
        }
        let is_durable = state.durable_len > 0;
        if is_durable && self.sync_file(state).is_err() {
            return;
        }
        let Some(mut journal) = state.journal.take() else { return };
        // It must be gone from the medium before others are written in its place: a mixture of
        // both would be taken for an earlier state.
        if journal.file.set_len(0).is_ok() {
            journal.has_header = false;
            journal.tail = HEADER_LEN;
            journal.draft = 2 * HEADER_LEN;
            state.durable_len = if is_durable { state.floor } else { 0 };
            state.is_unsynced = !is_durable;
            state.guarded.clear();
            match journal.file.sync() {
                // Tried again at the next commit.
                Ok(()) => drop(self.write_header(&mut journal, state.floor, is_durable)),
                Err(_) => state.has_lost = true,
            }
        }
        state.journal = Some(journal);
    }

    pub(super) fn close_locked(&self, state: &mut State, len: Option<u64>) -> Result<()> {
        if state.journal.is_none() {
            // Never committed: nobody reads it yet, and nothing in it has to last.
            self.write_late(state)?;
            let end = len.unwrap_or_else(|| self.len.load(Ordering::Acquire));
            return if self.physical.load(Ordering::Acquire) == end && !self.keeps_room() {
                Ok(())
            } else {
                self.cut(end)
            };
        }
        self.commit_locked(state, Durability::Flush)?;
        // Who opens the file next takes it for what is on the medium, where something was.
        let has_records = state.journal.as_ref().is_some_and(|j| j.tail > HEADER_LEN);
        let is_behind = has_records && state.is_unsynced && state.durable_len > 0;
        if state.must_sync || is_behind {
            self.sync_file(state)?;
        }
        let physical = self.physical.load(Ordering::Acquire);
        let len = len.unwrap_or(physical).min(physical);
        if len < physical || self.keeps_room() {
            self.cut(len)?;
        }
        if let Some(journal) = &state.journal
            && journal.has_header
            && let Ok(stamp) = self.home.stamp()
        {
            let record = Record {
                kind: Kind::End(stamp),
                sequence: journal.sequence + 1,
                is_durable: false,
                old_len: state.floor,
                new_len: stamp.len_bytes,
                checksum: None,
                table: journal.tail + HEADER_LEN,
                n_extents: 0,
                next: journal.tail + HEADER_LEN,
                table_checksum: crc32c::crc32c(&[]),
            };
            // Without it readers of earlier commits have to look for the latest one.
            let _ = journal.file.write_at(journal.tail, &record.encode(journal.salt));
        }
        self.home.remove_journal()
    }
}

/// The first byte that differs in `..valid`, and the one after the last.
fn difference(old: &[u8], new: &[u8], valid: usize) -> Option<(usize, usize)> {
    let (old, new) = (old.get(..valid)?, new.get(..valid)?);
    if old == new {
        return None;
    }
    let mut pairs = old.iter().zip(new);
    let from = pairs.position(|(a, b)| a != b)?;
    let to = old.iter().zip(new).rposition(|(a, b)| a != b)? + 1;
    Some((from, to))
}
