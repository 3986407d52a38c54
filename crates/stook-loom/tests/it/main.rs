//! Looms, made, changed, killed, foreign and of old versions.
#![allow(clippy::disallowed_methods, reason = "tests make and break files")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod anndata;
mod append;
#[cfg(feature = "arrow")]
mod arrow;
mod basics;
mod foreign;
mod fused;
mod hostile;
mod import;
mod killed;
mod matrix;
mod merge;
mod model;
mod python;
mod reorder;
mod s3;
mod sidecar;
mod support;
