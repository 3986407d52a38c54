//! The library as its users see it: trees opened, made, changed, converted and compared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests break files by hand")]

mod bad_input;
mod convert;
mod convert_options;
mod convert_random;
mod convert_resume;
mod diff;
mod remote;
mod stats;
mod tree;
mod zarr;
