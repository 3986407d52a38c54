//! Forks: the child of a process has a copy of its open files, and one of its threads.
//!
//! Before a fork, threads in the library are held where they have no lock; see the library's
//! gate. Python's own hooks are used, because they may wait without the GIL: who holds it may be
//! needed for a thread to get that far. A fork past Python (by a C library) is not guarded.
//!
//! In the child, files that were open go on to be read. Those in Zarr folders are written, too:
//! their keys are replaced as wholes. Changing another one is refused, and its handle is leaked,
//! because closing it would write what the parent is writing.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use pyo3::prelude::*;
use stook::store::ByteStore;
use stook::{Error, Mode, gate};

use crate::enter::raise;

/// The file of a handle; gone once that is closed.
pub(crate) type FileSlot = RwLock<Option<stook::File>>;

/// How many forks there are between this process and the first.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The files that are open. Only used with the GIL, so that no fork finds it locked.
static OPEN: Mutex<Vec<Weak<FileSlot>>> = Mutex::new(Vec::new());

/// The same of looms, which hold their files themselves.
static LOOMS: Mutex<Vec<Weak<stook_loom::Loom>>> = Mutex::new(Vec::new());

/// The same of byte stores that one process may write.
static STORES: Mutex<Vec<Weak<dyn ByteStore>>> = Mutex::new(Vec::new());

/// In which process a file was opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    generation: u64,
    is_safe: bool,
}

impl Origin {
    /// Of a file that is opened now.
    pub(crate) fn new(slot: &Arc<FileSlot>) -> Self {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|slot| slot.strong_count() > 0);
        open.push(Arc::downgrade(slot));
        let slot = slot.read().unwrap_or_else(PoisonError::into_inner);
        let is_safe = slot.as_ref().is_some_and(is_safe);
        Self { generation: GENERATION.load(Ordering::Relaxed), is_safe }
    }

    /// Of a loom that is opened now.
    pub(crate) fn of_loom(loom: &Arc<stook_loom::Loom>) -> Self {
        let mut looms = LOOMS.lock().unwrap_or_else(PoisonError::into_inner);
        looms.retain(|loom| loom.strong_count() > 0);
        looms.push(Arc::downgrade(loom));
        let is_safe = loom.path().is_dir();
        Self { generation: GENERATION.load(Ordering::Relaxed), is_safe }
    }

    /// Of a byte store that is opened now.
    pub(crate) fn of_store(store: &Arc<dyn ByteStore>, is_safe: bool) -> Self {
        if !is_safe {
            let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
            stores.retain(|store| store.strong_count() > 0);
            stores.push(Arc::downgrade(store));
        }
        Self { generation: GENERATION.load(Ordering::Relaxed), is_safe }
    }

    /// Whether a handle to it is a mere copy that must change nothing.
    pub(crate) fn is_copy(self) -> bool {
        !self.is_safe && self.generation != GENERATION.load(Ordering::Relaxed)
    }

    /// Refuses to change the file of another process.
    pub(crate) fn check(self, py: Python<'_>) -> PyResult<()> {
        if !self.is_copy() {
            return Ok(());
        }
        let error = Error::read_only("the file was opened for writing before this process forked");
        Err(raise(py, &error.with_hint("open it again in this process, once its parent closed it")))
    }
}

/// Whether two processes may write the file.
fn is_safe(file: &stook::File) -> bool {
    file.path().is_dir()
}

/// Holds threads in the library.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    py.detach(gate::hold);
}

/// Lets them go on.
#[pyfunction]
pub(crate) fn after_fork_in_parent() {
    gate::release();
}

/// Makes copies of open files harmless.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    gate::release_in_child();
    GENERATION.fetch_add(1, Ordering::Relaxed);
    let open = mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    for slot in open.iter().filter_map(Weak::upgrade) {
        let slot = slot.read().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &*slot else { continue };
        file.container().after_fork();
        if file.container().mode() == Mode::ReadWrite && !is_safe(file) {
            // Never dropped in this process.
            mem::forget(file.clone());
        }
    }
    *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = open;
    let looms = LOOMS.lock().unwrap_or_else(PoisonError::into_inner);
    for loom in looms.iter().filter_map(Weak::upgrade) {
        let Ok(file) = loom.file() else { continue };
        file.container().after_fork();
        if loom.mode() == Mode::ReadWrite && !is_safe(&file) {
            // Never dropped in this process.
            mem::forget(file);
        }
    }
    let stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    stores.iter().filter_map(Weak::upgrade).for_each(mem::forget);
}
