//! What the crate promises, tested from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod array;
mod cases;
mod hostile;
mod larray;
mod selection;
mod text;
