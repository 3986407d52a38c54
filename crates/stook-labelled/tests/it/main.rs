//! What the crate promises, tested from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod array;
mod cases;
mod hostile;
mod killed;
mod larray;
mod narrow;
mod random;
mod selection;
mod support;
#[cfg(feature = "arrow")]
mod tables;
mod text;
