//! Zarr by the functions of zarr-python's `zarr.api.synchronous`, with its defaults: chunks are
//! guessed as it guesses them, codecs and fill values are those it gives a type, and the
//! documents are those it writes.
//!
//! A function begins something; what it returns is told the rest, and done by `create` or `open`.
//! A store is a path (a folder, or a zip archive by its name), a URL, a byte store, a [`File`](crate::File),
//! or a [`Group`](crate::Group), below which paths then begin.
//!
//! ```
//! use std::sync::Arc;
//!
//! use stook::store::MemoryStore;
//! use stook::{Selection, zarr};
//!
//! # fn main() -> stook::Result<()> {
//! let store = zarr::Place::from(Arc::new(MemoryStore::new()));
//! let counts = zarr::create_array(&store)
//!     .path("run/counts")
//!     .shape([1000, 1000])
//!     .dtype("int32".parse()?)
//!     .dimension_names(["y", "x"])
//!     .attribute("unit", "photons")
//!     .create()?;
//! assert_eq!(counts.spec().grid.regular_shape(), Some(&[250, 500][..]));
//! counts.write_elements(&Selection::parse("0, :3")?, &[], &[7])?;
//!
//! let root = zarr::open_group(&store).mode(zarr::AccessMode::Read).open()?;
//! println!("{}", zarr::tree(&root, None)?);
//! # Ok(())
//! # }
//! ```
//!
//! Nodes are the [`Array`](crate::Array) and [`Group`](crate::Group) of every other format. What zarr-python has as members
//! of its classes is there: `resize`, `append` and selections of five kinds on arrays; `rename`,
//! `remove` and `require_group` on groups.

mod chunks;
mod copying;
mod creation;
mod fill;
mod hierarchy;
mod like;
mod new_array;
mod opening;
mod place;
mod saving;
mod tree;

pub use chunks::{Chunks, guess_chunks};
pub use copying::{Copied, Copy, CopyStore, IfExists, copy, copy_all, copy_store};
pub use creation::{array, create, create_array, empty, from_array, full, ones, zeros};
pub use fill::FillValue;
pub use hierarchy::{NewGroup, consolidate_metadata, create_group, create_hierarchy};
pub use like::{empty_like, full_like, ones_like, open_like, zeros_like};
pub use new_array::{
    CodecSetting, Documents, IndexLocation, KeyEncoding, NewArray, Order, Separator,
};
pub use opening::{
    Open, OpenArray, OpenGroup, UseConsolidated, group, open, open_array, open_consolidated,
    open_group,
};
pub use place::{AccessMode, Place};
pub use saving::{Loaded, LoadedGroup, load, save, save_array, save_group};
pub use tree::{Tree, tree};
