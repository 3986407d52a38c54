//! Zarr versions 2 and 3 as a stook [`Container`](stook_core::Container).
//!
//! Metadata documents become an [`ArraySpec`](stook_core::ArraySpec) and chunk keys; the bytes
//! of chunks go between a [`ByteStore`](stook_core::ByteStore) and the engine as they are
//! stored. Only this crate knows Zarr's names of types and codecs, its keys and its shards.
//! docs/formats/zarr.md says what is read and written, and draws the bytes of a shard.
//!
//! ```
//! # fn main() -> stook_core::Result<()> {
//! use std::sync::Arc;
//!
//! use stook_core::store::MemoryStore;
//! use stook_core::{
//!     Array, ArraySpec, Container, DType, Format, NodePath, OpenOptions, Selection,
//! };
//! use stook_zarr::ZarrContainer;
//!
//! let store = Arc::new(MemoryStore::new());
//! let container = ZarrContainer::create(store, Format::ZarrV3, &OpenOptions::read_write())?;
//! let node = NodePath::parse("/experiment/counts")?;
//! let chunks = container.create_array(&node, &ArraySpec::new(DType::Int32, [2, 3]))?;
//!
//! let array = Array::new(chunks, container.location(), node);
//! array.write_elements(&Selection::All, &[2, 3], &[1, 2, 3, 4, 5, 6])?;
//! assert_eq!(array.read_as::<i32>(&Selection::parse("1, ::2")?)?, [4, 6]);
//! # Ok(())
//! # }
//! ```

mod adapt;
mod attribute;
mod checked;
mod codec;
mod consolidated;
mod container;
mod describe;
mod dtype;
mod fill;
mod grid;
mod json;
mod keys;
mod layout;
mod named;
mod node;
pub mod numcodecs;
mod records;
mod shard;
mod source;

pub use container::{ZarrContainer, is_zarr};
pub use describe::{array_document, codec_document, create_described, describe, group_document};
