//! Filters registered with the library, so that its own paths can use them.
pub(crate) fn register() {}
