//! Suites that every stook container, codec and store runs.
//!
//! A suite is a function that takes an implementation and panics where it breaks the contract of
//! its seam; it is called from the tests of the crate that the implementation lives in.
#![allow(clippy::unwrap_used, reason = "a suite fails by panicking")]

pub mod codec;
pub mod container;
pub mod corrupt;
pub mod random;
pub mod store;
pub mod values;

pub use container::{Capabilities, Subject, container_suite};
pub use store::store_suite;
