//! Locks on write units, shared by all handles in this process.
//!
//! A fixed number of locks serves all units: two units may share one, which costs a wait and
//! nothing else, because no thread ever holds two: what a codec writes within the writing of a
//! chunk, say a shard of its own, has a private engine and no locks.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Engine;
use super::gate::{self, Locked};

static LOCKS: [Mutex<()>; 256] = [const { Mutex::new(()) }; 256];

/// The lock on a write unit.
#[derive(Debug)]
pub(crate) struct Guard {
    _guard: MutexGuard<'static, ()>,
    // Dropped last: whoever forks finds the lock free.
    _locked: Locked,
}

/// Locks the write unit at `index` of the array `identity`, until the guard is dropped; not where
/// `engine` has private arrays.
///
/// What the lock guards lies in the store; a thread that panicked left that in a whole state.
pub(crate) fn unit(engine: &Engine, identity: u64, index: &[u64]) -> Option<Guard> {
    if engine.config().is_private {
        return None;
    }
    debug_assert!(!gate::has_lock(), "a second lock, which two threads may take in turn");
    let mut hasher = DefaultHasher::new();
    (identity, index).hash(&mut hasher);
    let at = usize::try_from(hasher.finish() % LOCKS.len() as u64).unwrap_or(0);
    let locked = Locked::new();
    let guard = LOCKS[at].lock().unwrap_or_else(PoisonError::into_inner);
    Some(Guard { _guard: guard, _locked: locked })
}
