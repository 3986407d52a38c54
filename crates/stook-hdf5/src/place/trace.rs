//! What a writer does to its file and its journal, written down, so that a test can have the power
//! go at any time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use stook_core::Result;
use stook_core::file::{FileIo, LocalFile};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    File,
    Journal,
}

/// Something that was done, in order.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write(Of, u64, Vec<u8>),
    SetLen(Of, u64),
    Sync(Of),
    /// A journal of its own, empty.
    JournalCreated,
    JournalRemoved,
    NamesSynced,
    /// What the test wants to remember.
    Note(u64),
}

type Events = Arc<Mutex<Vec<Event>>>;

static TRACED: Mutex<Vec<(PathBuf, Events)>> = Mutex::new(Vec::new());

/// Has all that is done to the file at `path`, and to its journal, written down.
pub(crate) fn start(path: &Path) -> Events {
    let events = Events::default();
    let mut traced = TRACED.lock().unwrap_or_else(PoisonError::into_inner);
    traced.push((path.to_path_buf(), Arc::clone(&events)));
    events
}

fn events_of(path: &Path) -> Option<Events> {
    let traced = TRACED.lock().unwrap_or_else(PoisonError::into_inner);
    traced.iter().find(|(known, _)| known == path).map(|(_, events)| Arc::clone(events))
}

/// Writes `event` down if the file at `path` is traced.
pub(crate) fn note(path: &Path, event: Event) {
    if let Some(events) = events_of(path) {
        push(&events, event);
    }
}

fn push(events: &Events, event: Event) {
    events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
}

/// `inner`, which is the file at `path` or its journal, traced if that is wanted.
pub(crate) fn wrap(inner: &Arc<LocalFile>, path: &Path, of: Of) -> Arc<dyn FileIo> {
    match events_of(path) {
        Some(events) => Arc::new(Traced { inner: Arc::clone(inner), of, events }),
        None => Arc::clone(inner) as Arc<dyn FileIo>,
    }
}

#[derive(Debug)]
struct Traced {
    inner: Arc<LocalFile>,
    of: Of,
    events: Events,
}

impl FileIo for Traced {
    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        self.inner.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        push(&self.events, Event::Write(self.of, offset, bytes.to_vec()));
        self.inner.write_at(offset, bytes)
    }

    fn len_bytes(&self) -> Result<u64> {
        self.inner.len_bytes()
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        push(&self.events, Event::SetLen(self.of, len_bytes));
        self.inner.set_len(len_bytes)
    }

    fn sync(&self) -> Result<()> {
        push(&self.events, Event::Sync(self.of));
        self.inner.sync()
    }
}
