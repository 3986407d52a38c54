//! Changes of a value that depend on what it was, such that nobody's change is lost.

use std::cell::Cell;

use super::ByteStore;
use crate::error::{Error, ErrorKind, Result};

/// Whose changes [`ByteStore::update`] does not lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Those of who changes the value by this store's handles while its caller keeps them from
    /// doing so at once, as this library does: the store cannot replace a value only if it is
    /// unchanged.
    Caller,
    /// Those of everybody who changes the value by [`ByteStore::update`], in any thread, process
    /// or machine.
    Everyone,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It stays as it is.
    Keep,
    /// It is replaced by what was appended to the buffer.
    Set,
    /// It is removed. A store that cannot remove a value only if it is unchanged
    /// ([`ByteStore::can_erase_guarded`]) may lose a change that is made at the same time.
    Erase,
}

/// What decides about a value: given what it is, `None` where it is missing, and an empty buffer.
/// It is asked again where somebody else was faster.
pub type EditValue<'a> = dyn FnMut(Option<&[u8]>, &mut Vec<u8>) -> Result<Edit> + 'a;

/// A larger buffer is given back after the call.
const KEPT_LEN_BYTES: usize = 8 << 20;

thread_local! {
    /// An old value and a new one.
    static BUFFERS: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Runs `work` with this thread's empty buffers for the old and the new value; a call within
/// `work` gets fresh ones.
pub fn with_edit_buffers<T>(work: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>) -> T) -> T {
    let (mut old, mut new) = BUFFERS.take();
    old.clear();
    new.clear();
    let result = work(&mut old, &mut new);
    if old.capacity().saturating_add(new.capacity()) <= KEPT_LEN_BYTES {
        BUFFERS.set((old, new));
    }
    result
}

/// Reads, edits and replaces a value, in a store whose callers take turns.
pub(super) fn in_turn(
    store: &(impl ByteStore + ?Sized),
    key: &str,
    limit: u64,
    edit: &mut EditValue<'_>,
) -> Result<()> {
    with_edit_buffers(|old, new| {
        let is_there = store.get(key, old, limit)?;
        match edit(is_there.then_some(old.as_slice()), new)? {
            Edit::Keep => Ok(()),
            Edit::Set => store.set(key, new),
            Edit::Erase if is_there => store.erase(key),
            Edit::Erase => Ok(()),
        }
    })
}

/// The error for a value that others keep changing.
#[must_use]
pub fn keeps_changing(key: &str) -> Error {
    let what = format!("key `{key}`: others changed the value each time it was to be changed");
    Error::new(ErrorKind::Locked, what)
}
