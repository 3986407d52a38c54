//! The library as its users see it: trees opened, made, changed, converted and compared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod convert;
mod tree;
