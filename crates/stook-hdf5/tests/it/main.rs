//! The container on fixtures of other tools and on files of its own.
#![allow(clippy::disallowed_methods, reason = "tests make and break files")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod attributes;
mod corrupt;
mod create;
mod edit;
mod filters;
mod fixtures;
mod interop;
mod native;
mod outside;
mod parts;
mod peers;
mod python;
mod scales;
mod suite;
mod support;
mod swmr;
mod transactions;
mod tree;
mod young;
