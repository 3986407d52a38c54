//! The file as its writer sees it.
//!
//! Invariants:
//! - Bytes before the *floor*, the length of the file at the last commit, are changed in the file
//!   only by [`State::unapplied`], a record that the journal holds whole.
//! - Bytes before the *durable end* that were on the medium at the last durable commit are
//!   changed in the file only when what they were before is on the medium too, in the journal.
//! - A commit that fails leaves what was pending where it was, and may be tried again.
//! - Nothing is written by a process that is not the one that opened the file.

mod commit;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use stook_core::container::Durability;
use stook_core::file::FileIo;
use stook_core::{Error, Result};

use super::journal::{BootId, Extent, HEADER_LEN, PAGE_LEN};
use super::order::Order;
use super::overlay::{Overlay, Page};
use super::{Home, to_usize};

/// Changed pages that are kept in memory.
const BUDGET_LEN_BYTES: u64 = 16 << 20;
/// A journal that is longer is begun anew after a commit.
const MAX_JOURNAL_LEN_BYTES: u64 = 16 << 20;

/// Bytes of room that is kept ahead of what is written, half as many as the file has: as often as
/// it is asked for, that is cheap, and few are left behind where the process is killed.
const RESERVED_LEN_BYTES: (u64, u64) = (1 << 20, 64 << 20);
/// Nothing is kept, and nothing more is asked for.
const NO_ROOM: u64 = u64::MAX;

/// What a [`TxFile`] may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of memory for changed pages.
    pub(crate) budget_len_bytes: u64,
    /// Bytes of journal before it is begun anew.
    pub(crate) journal_len_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { budget_len_bytes: BUDGET_LEN_BYTES, journal_len_bytes: MAX_JOURNAL_LEN_BYTES }
    }
}

/// A file whose changes are committed together.
#[derive(Debug)]
pub(crate) struct TxFile {
    file: Arc<dyn FileIo>,
    home: Box<dyn Home>,
    boot: BootId,
    bounds: Bounds,
    /// The process that opened it.
    process: u32,
    /// The length as the writer sees it.
    len: AtomicU64,
    /// The length that the file has been brought to.
    physical: AtomicU64,
    /// Up to where the file system keeps room; [`NO_ROOM`] where it does not.
    reserved: AtomicU64,
    /// Whether something was written past the floor since the last commit.
    is_dirty: AtomicBool,
    /// Whether what was written has been given up.
    is_discarded: AtomicBool,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The committed length.
    floor: u64,
    /// The length at the last durable commit.
    durable_len: u64,
    /// Pages before the durable end whose durable bytes are on the medium in the journal.
    guarded: BTreeSet<u64>,
    overlay: Overlay,
    /// Writes past the floor that found no room, in order: the next commit tries them again.
    late: Vec<(u64, Vec<u8>)>,
    late_len: u64,
    journal: Option<Journal>,
    /// Extents of the last record, where they have not arrived in the file.
    unapplied: Option<Vec<Extent>>,
    /// Whether something committed may not be on the medium.
    is_unsynced: bool,
    /// Whether durable bytes were changed in the file since it was synced last.
    must_sync: bool,
    /// Whether the operating system failed to put something on the medium, which it does not
    /// try again.
    has_lost: bool,
    /// The writes of metadata in their order, where others follow the file itself.
    order: Option<Order>,
    is_closed: bool,
}

/// What a library writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Elements of arrays.
    Elements,
    /// What leads to them.
    Metadata,
}

impl State {
    /// Bytes of memory for changes of committed bytes.
    fn len_in_memory(&self) -> u64 {
        self.overlay.len_in_memory() + self.order.as_ref().map_or(0, Order::len_in_memory)
    }
}

/// The journal as its writer knows it.
#[derive(Debug)]
struct Journal {
    file: Arc<dyn FileIo>,
    salt: u64,
    /// The number of the last commit.
    sequence: u64,
    /// Where the next record goes.
    tail: u64,
    /// The end of what the next record leads to, so far.
    draft: u64,
    /// Whether the file has its header.
    has_header: bool,
    /// Whether its name is on the medium.
    is_named: bool,
}

impl TxFile {
    /// A new and empty file. There is no journal before the first commit.
    pub(crate) fn create(
        file: Arc<dyn FileIo>,
        home: Box<dyn Home>,
        boot: BootId,
        bounds: Bounds,
    ) -> Self {
        Self {
            file,
            home,
            boot,
            bounds,
            process: std::process::id(),
            len: AtomicU64::new(0),
            physical: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            is_dirty: AtomicBool::new(false),
            is_discarded: AtomicBool::new(false),
            state: RwLock::default(),
        }
    }

    /// The file as it is, which has been recovered.
    ///
    /// # Errors
    /// `ReadOnly` where there can be no journal, `Io`.
    pub(crate) fn open(
        file: Arc<dyn FileIo>,
        home: Box<dyn Home>,
        boot: BootId,
        bounds: Bounds,
    ) -> Result<Self> {
        let opened = Self::create(file, home, boot, bounds);
        let len = opened.file.len_bytes()?;
        opened.len.store(len, Ordering::Release);
        opened.physical.store(len, Ordering::Release);
        let mut state = opened.write();
        state.floor = len;
        state.durable_len = len;
        opened.begin_journal(&mut state, true)?;
        // Who wrote it may have left it to the operating system.
        state.is_unsynced = true;
        drop(state);
        Ok(opened)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses in a process that has a copy of this by a fork, and after the file was closed.
    fn expect_own(&self) -> Result<()> {
        if std::process::id() == self.process {
            return Ok(());
        }
        let message = "the file is written by the process that this one was forked from";
        Err(Error::read_only(message).at_file(self.file.path()))
    }

    /// Whether this process opened the file, and is not a fork of the one that did.
    pub(crate) fn is_own(&self) -> bool {
        std::process::id() == self.process
    }

    /// Makes all that was written one commit, as durable as asked for.
    ///
    /// # Errors
    /// `Io`: nothing of it was committed, or it is but not as durable; it may be tried again.
    pub(crate) fn commit(&self, durability: Durability) -> Result<()> {
        self.expect_own()?;
        let mut state = self.write();
        if self.is_discarded() {
            let message = "the changes of this handle were given up: open the file anew";
            return Err(Error::invalid(message).at_file(self.file.path()));
        }
        self.commit_locked(&mut state, durability)
    }

    /// From here on commits bring metadata to the file in the order in which it is written, so
    /// that whoever reads the file meanwhile, and knows how to, finds it whole.
    ///
    /// # Errors
    /// Those of a commit: all before goes into one.
    pub(crate) fn keep_order(&self) -> Result<()> {
        self.expect_own()?;
        let mut state = self.write();
        self.commit_locked(&mut state, Durability::Flush)?;
        state.order.get_or_insert_default();
        Ok(())
    }

    /// Whether commits keep the order of metadata.
    pub(crate) fn keeps_order(&self) -> bool {
        self.read().order.is_some()
    }

    /// Commits, cuts the file to `len` where that is shorter, and removes the journal.
    ///
    /// # Errors
    /// `Io`: the journal stays, and who opens the file next finds the last commit by it.
    pub(crate) fn close(&self, len: Option<u64>) -> Result<()> {
        if !self.is_own() {
            return Ok(());
        }
        let mut state = self.write();
        if state.is_closed {
            return Ok(());
        }
        state.is_closed = true;
        self.close_locked(&mut state, len)
    }

    /// Gives up all that was written since the last commit, and the journal; what is written from
    /// here on (the library empties its caches when it closes the file) goes nowhere.
    ///
    /// # Errors
    /// `ReadOnly` in a fork, `Io`: the journal may stay, and who opens the file next finds the last
    /// commit by it.
    pub(crate) fn discard(&self) -> Result<()> {
        self.expect_own()?;
        let mut state = self.write();
        if state.is_closed {
            return Ok(());
        }
        state.is_closed = true;
        self.is_discarded.store(true, Ordering::Release);
        state.overlay.clear();
        state.late.clear();
        state.late_len = 0;
        if let Some(order) = &mut state.order {
            order.clear();
        }
        let floor = state.floor;
        self.is_dirty.store(false, Ordering::Release);
        self.len.store(floor, Ordering::Release);
        if self.physical.swap(floor, Ordering::AcqRel) > floor || self.keeps_room() {
            self.cut(floor)?;
        }
        if state.journal.is_none() {
            return Ok(());
        }
        self.close_locked(&mut state, None)
    }

    /// Whether what was written has been given up.
    pub(crate) fn is_discarded(&self) -> bool {
        self.is_discarded.load(Ordering::Acquire)
    }

    /// Cuts what was never committed, or extends with zeros; never cuts what was.
    fn resize(&self, len: u64) -> Result<()> {
        if len == self.len.load(Ordering::Acquire) {
            return Ok(());
        }
        let state = self.write();
        let len = len.max(state.floor);
        if len < self.len.load(Ordering::Acquire) && state.late.is_empty() {
            if len < self.physical.load(Ordering::Acquire) {
                self.cut(len)?;
                self.physical.store(len, Ordering::Release);
            }
            self.len.store(len, Ordering::Release);
        }
        self.len.fetch_max(len, Ordering::AcqRel);
        Ok(())
    }

    /// Whether there is room that is kept and not written.
    fn keeps_room(&self) -> bool {
        !matches!(self.reserved.load(Ordering::Acquire), 0 | NO_ROOM)
    }

    /// Cuts the file, and gives back the room behind it.
    fn cut(&self, len: u64) -> Result<()> {
        self.file.set_len(len)?;
        if self.keeps_room() {
            self.reserved.store(0, Ordering::Release);
        }
        Ok(())
    }

    /// Has room kept for more that follows what ends at `end`.
    #[cold]
    fn reserve(&self, end: u64) {
        let (least, most) = RESERVED_LEN_BYTES;
        let room = (end / 2).clamp(least, most);
        let until = end.saturating_add(room);
        let is_kept = self.file.reserve(end, room);
        self.reserved.store(if is_kept { until } else { NO_ROOM }, Ordering::Release);
    }

    /// Writes past the floor, straight to the file.
    fn write_past(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.is_dirty.store(true, Ordering::Release);
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.reserved.load(Ordering::Acquire).max(RESERVED_LEN_BYTES.0) {
            self.reserve(end);
        }
        self.file.write_at(offset, bytes)?;
        self.physical.fetch_max(end, Ordering::AcqRel);
        self.len.fetch_max(end, Ordering::AcqRel);
        Ok(())
    }

    /// Writes to committed bytes: into the overlay.
    fn write_over(&self, state: &mut State, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (number, within) = (at / PAGE_LEN, to_usize(at % PAGE_LEN));
            let (part, others) = rest.split_at(rest.len().min(PAGE_LEN as usize - within));
            if state.overlay.in_memory(number).is_none() {
                let page = if part.len() == PAGE_LEN as usize {
                    Box::new([0; PAGE_LEN as usize])
                } else {
                    let journal = state.journal.as_ref().map(|journal| &*journal.file);
                    self.load(state, journal, number)?
                };
                state.overlay.insert(number, page);
            }
            let page = state.overlay.in_memory(number);
            if let Some(to) = page.and_then(|page| page.get_mut(within..within + part.len())) {
                to.copy_from_slice(part);
            }
            at += part.len() as u64;
            rest = others;
        }
        if state.len_in_memory() > self.bounds.budget_len_bytes {
            // There may be room for it at the next commit; until then `expect_room` holds others.
            let _ = self.spill(state);
        }
        Ok(())
    }

    /// Refuses where much waits in memory that there is no room for: to be asked before a change,
    /// of which no part then fails.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn expect_room(&self) -> Result<()> {
        let budget = self.bounds.budget_len_bytes;
        {
            let state = self.read();
            if state.late_len <= budget && state.len_in_memory() <= budget {
                return Ok(());
            }
        }
        let mut state = self.write();
        self.write_late(&mut state)?;
        self.spill(&mut state)
    }

    /// The page `number` as it is now.
    fn load(
        &self,
        state: &State,
        journal: Option<&dyn FileIo>,
        number: u64,
    ) -> Result<Box<[u8; PAGE_LEN as usize]>> {
        let mut page = Box::new([0; PAGE_LEN as usize]);
        match (state.overlay.pages.get(&number), journal) {
            (Some(Page::Memory(bytes)), _) => page.clone_from(bytes),
            (Some(Page::Spilled(position)), Some(journal)) => {
                journal.read_exact_at(*position, &mut *page)?;
            }
            _ => {
                self.file.read_at(number * PAGE_LEN, &mut *page)?;
            }
        }
        Ok(page)
    }

    /// Puts changed pages, and writes in order, into the journal, behind the place of the next record.
    fn spill(&self, state: &mut State) -> Result<()> {
        let Some(journal) = &mut state.journal else { return Ok(()) };
        let (file, draft) = (&journal.file, &mut journal.draft);
        let mut put = |bytes: &[u8]| -> Result<u64> {
            file.write_at(*draft, bytes)?;
            let position = *draft;
            *draft += bytes.len() as u64;
            Ok(position)
        };
        state.overlay.spill(|page| put(page))?;
        state.order.as_mut().map_or(Ok(()), |order| order.spill(put))
    }

    /// Writes what a library wrote that would be left between two states if that failed: where
    /// the disk is full that shows at the next commit, and in [`TxFile::expect_room`].
    ///
    /// # Errors
    /// `ReadOnly`; `Io` where the file cannot be read.
    pub(crate) fn write_waiting(&self, offset: u64, bytes: &[u8], what: Bytes) -> Result<()> {
        self.write_parts(offset, bytes, Some(what))
    }

    fn write_parts(&self, offset: u64, bytes: &[u8], waiting: Option<Bytes>) -> Result<()> {
        self.expect_own()?;
        if self.is_discarded() {
            return Ok(());
        }
        let end = offset.checked_add(bytes.len() as u64);
        let end = end.ok_or_else(|| Error::limit("position overflows").at_file(self.path()))?;
        {
            let state = self.read();
            if offset >= state.floor && state.late.is_empty() {
                match self.write_past(offset, bytes) {
                    Err(_) if waiting.is_some() => {}
                    written => return written,
                }
            }
        }
        let mut state = self.write();
        let n = bytes.len().min(to_usize(state.floor.saturating_sub(offset)));
        let (below, past) = bytes.split_at(n);
        if let Some(order) = state.order.as_mut()
            && !below.is_empty()
            && (waiting == Some(Bytes::Metadata) || order.touches(offset, below.len() as u64))
        {
            order.push(offset, below);
        }
        self.write_over(&mut state, offset, below)?;
        if past.is_empty() {
            return Ok(());
        }
        let at = end - past.len() as u64;
        // Behind what waits, so that the order stays.
        let written = self.write_late(&mut state).and_then(|()| self.write_past(at, past));
        if written.is_ok() || waiting.is_none() {
            return written;
        }
        state.late.push((at, past.to_vec()));
        state.late_len += past.len() as u64;
        self.len.fetch_max(end, Ordering::AcqRel);
        Ok(())
    }
}

impl FileIo for TxFile {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let state = self.read();
        let left = self.len.load(Ordering::Acquire).saturating_sub(offset);
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let Some(out) = out.get_mut(..n).filter(|out| !out.is_empty()) else { return Ok(0) };
        let found = self.file.read_at(offset, out)?;
        if let Some(rest) = out.get_mut(found..) {
            rest.fill(0);
        }
        if offset < state.floor && !state.overlay.is_empty() {
            let n = out.len().min(to_usize(state.floor - offset));
            let journal = state.journal.as_ref().map(|journal| &*journal.file);
            state.overlay.apply(journal, offset, out.get_mut(..n).unwrap_or(&mut []))?;
        }
        for (at, bytes) in &state.late {
            copy_overlap((*at, bytes), (offset, out));
        }
        Ok(n)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_parts(offset, bytes, None)
    }

    fn len_bytes(&self) -> Result<u64> {
        Ok(self.len.load(Ordering::Acquire))
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        self.expect_own()?;
        if self.is_discarded() {
            return Ok(());
        }
        self.resize(len_bytes)
    }

    fn sync(&self) -> Result<()> {
        self.commit(Durability::Fsync)
    }
}

impl Journal {
    fn new(file: Arc<dyn FileIo>, sequence: u64) -> Self {
        Self {
            file,
            salt: 0,
            sequence,
            tail: HEADER_LEN,
            draft: 2 * HEADER_LEN,
            has_header: false,
            is_named: false,
        }
    }
}

/// Puts what of `from` lies in `to` there; both are bytes and where they begin.
fn copy_overlap((at, bytes): (u64, &[u8]), (offset, out): (u64, &mut [u8])) {
    let (start, end) = (at.max(offset), (at + bytes.len() as u64).min(offset + out.len() as u64));
    if start < end {
        let from = bytes.get(to_usize(start - at)..to_usize(end - at));
        let to = out.get_mut(to_usize(start - offset)..to_usize(end - offset));
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
    }
}
