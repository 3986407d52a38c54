//! Zarr as its users meet it: files of zarr-python, changes, shards, and damaged files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#![allow(clippy::disallowed_methods, reason = "tests look at files beside the stores")]

mod changes;
mod create;
mod damage;
mod documents;
mod fixtures;
mod kept;
mod oracle;
mod peers;
mod shards;
mod store;
mod suite;
