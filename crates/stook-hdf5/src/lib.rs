//! HDF5 files as a stook container.
//!
//! Structure, metadata and every kind of write go through the HDF5 library, which is linked
//! statically; the bytes of chunks and of contiguous elements are read past it, so that the
//! engine decodes them in parallel. See `docs/formats/hdf5.md`.
//!
//! Invariants: all unsafe code lies below `ffi`; the library is only called under its lock,
//! which is never held around decoding; files are written so that HDF5 1.10 reads them.

mod array;
mod attributes;
mod container;
mod dtype;
#[expect(unsafe_code, reason = "the HDF5 library is in C; this module makes it safe to call")]
mod ffi;
mod filter;
mod native;
mod outside;
mod pending;
mod place;
mod pytables;
mod scales;
mod shared;
mod signature;
mod state;
mod swizzle;
mod transaction;

pub use array::{Span, VirtualPart};
pub use container::{CreateOptions, Existing, Hdf5File, NameOrder, Readers};
#[doc(hidden)]
pub use native::walk_natively;
pub use place::{Recovery, Remedy, expect_replaceable, recover};
pub use signature::{is_hdf5, user_block_len};
