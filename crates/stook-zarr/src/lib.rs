//! Zarr versions 2 and 3 as a stook [`Container`](stook_core::Container).
//!
//! Metadata documents become an [`ArraySpec`](stook_core::ArraySpec) and chunk keys; the bytes
//! of chunks go between a [`ByteStore`](stook_core::ByteStore) and the engine as they are
//! stored. Only this crate knows Zarr's names of types and codecs, its keys and its shards.
//! docs/formats/zarr.md says what is read and written, and draws the bytes of a shard.

mod adapt;
mod attribute;
mod codec;
mod consolidated;
mod container;
mod dtype;
mod fill;
mod grid;
mod json;
mod keys;
mod layout;
mod named;
mod node;
mod shard;
mod source;

pub use container::{ZarrContainer, is_zarr};
