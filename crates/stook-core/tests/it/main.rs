//! The integration tests of stook-core: suites over its seams, and interoperability.

mod allocations;
mod codecs;
mod engine;
mod filters;
mod misuse;
mod stores;
mod zip;
