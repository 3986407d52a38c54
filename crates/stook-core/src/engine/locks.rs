//! Locks on write units, shared by all handles in this process.
//!
//! A fixed number of locks serves all units: two units may share one, which costs a wait and
//! nothing else, because no thread ever holds two.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

static LOCKS: [Mutex<()>; 256] = [const { Mutex::new(()) }; 256];

/// Locks the write unit at `index` of the array `identity`, until the guard is dropped.
///
/// What the lock guards lies in the store; a thread that panicked left that in a whole state.
pub(crate) fn unit(identity: u64, index: &[u64]) -> MutexGuard<'static, ()> {
    let mut hasher = DefaultHasher::new();
    (identity, index).hash(&mut hasher);
    let at = usize::try_from(hasher.finish() % LOCKS.len() as u64).unwrap_or(0);
    LOCKS[at].lock().unwrap_or_else(PoisonError::into_inner)
}
