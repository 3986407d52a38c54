//! What untrusted bytes are given to: a function for each parser and decoder.
//!
//! A target takes any bytes and must return: no panic, no abort, no endless loop, and no more
//! memory than [`limits`] allow and what it was given. The tests of this crate run each on a
//! bounded number of mutants of its seeds, with an allocator that counts; the package in the
//! folder `fuzz` runs the same functions under libFuzzer for as long as one likes
//! (docs/developing.md).

mod seeds;
mod targets;

use stook_core::Limits;

pub use seeds::seeds;

/// A parser or decoder, and how it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of its libFuzzer binary.
    pub name: &'static str,
    /// What is given any bytes.
    pub run: fn(&[u8]),
    /// Whether it may run in the process of the tests: libhdf5 may hang on what it is given, so
    /// that its mutants run in processes that can be ended (stook-hdf5/tests/it/corrupt.rs), and
    /// under libFuzzer, which ends a run that takes too long.
    pub in_process: bool,
}

/// Every target.
pub const TARGETS: [Target; 15] = [
    Target { name: "codec_decode", run: targets::codec::decode, in_process: true },
    Target { name: "codec_round_trip", run: targets::codec::round_trip, in_process: true },
    Target { name: "heap_codec", run: targets::codec::decode_heap, in_process: true },
    Target { name: "zarr_v3_document", run: targets::zarr::document_v3, in_process: true },
    Target { name: "zarr_v2_document", run: targets::zarr::document_v2, in_process: true },
    Target { name: "zarr_chunk", run: targets::zarr::chunk, in_process: true },
    Target { name: "zip_archive", run: targets::file::zip, in_process: true },
    Target { name: "npy", run: targets::file::npy, in_process: true },
    Target { name: "npz", run: targets::file::npz, in_process: true },
    Target { name: "pickle", run: targets::file::pickle, in_process: true },
    Target { name: "onedata_recipe", run: targets::onedata::recipe, in_process: true },
    Target { name: "onedata_matrix", run: targets::onedata::matrix, in_process: true },
    Target { name: "text", run: targets::text::all, in_process: true },
    Target { name: "hdf5_metadata", run: targets::file::hdf5_metadata, in_process: true },
    Target { name: "hdf5", run: targets::file::hdf5, in_process: false },
];

/// The target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// What a file may ask for here: little, so that asking for too much shows.
#[must_use]
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 1 << 20;
    limits.metadata_len_bytes = 1 << 20;
    limits.heap_len_bytes = 1 << 20;
    limits.n_nodes = 1000;
    limits
}
