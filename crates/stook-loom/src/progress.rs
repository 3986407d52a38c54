//! How far what takes long is: one function of the process is told, by whatever passes over layers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many elements of layers were read or written, and how many are to be, as far as that is known:
/// of all that the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Those that were.
    pub done: u64,
    /// All; never less.
    pub total: u64,
}

static HOOK: OnceLock<fn(Progress)> = OnceLock::new();
static DONE: AtomicU64 = AtomicU64::new(0);
static TOTAL: AtomicU64 = AtomicU64::new(0);

/// Has `hook` called from now on whenever some thousand elements were read or written, by any
/// thread, as long as the process lives. The first one stays.
pub fn install_hook(hook: fn(Progress)) {
    // A second one is of no use: there is one terminal.
    let _ = HOOK.set(hook);
}

/// So many elements are to be read or written.
pub(crate) fn expect(n: u64) {
    if HOOK.get().is_some() {
        TOTAL.fetch_add(n, Ordering::Relaxed);
    }
}

/// So many elements were.
pub(crate) fn advance(n: u64) {
    if let Some(hook) = HOOK.get() {
        let done = DONE.fetch_add(n, Ordering::Relaxed).saturating_add(n);
        let total = TOTAL.fetch_max(done, Ordering::Relaxed).max(done);
        hook(Progress { done, total });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_was_expected_is_all() {
        static LAST: AtomicU64 = AtomicU64::new(0);
        install_hook(|progress| {
            assert!(progress.done <= progress.total);
            LAST.fetch_max(progress.done, Ordering::Relaxed);
        });
        expect(10);
        advance(4);
        advance(8);
        assert!(LAST.load(Ordering::Relaxed) >= 12);
    }
}
