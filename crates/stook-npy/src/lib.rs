//! NumPy npy and npz files as a stook container.
//!
//! An npy file is a tree whose root is the array; an npz archive is a group of arrays, and a
//! name with slashes in it is a path of groups. Neither has attributes. The bytes are drawn in
//! docs/formats/npy.md. Headers are parsed as the literals they are, and the [`pickle`] of an
//! array of objects as the data it is: nothing is ever evaluated.

mod adapt;
mod descr;
mod elements;
mod head;
mod header;
mod literal;
mod npy;
mod npz;
mod object_array;
mod object_source;
mod objects;
pub mod pickle;
pub mod sparse;
mod stream;

pub use head::{NpyHead, SparseHead, npy_head, sparse_head};
pub use npy::{create_npy, is_npy, open_npy};
pub use npz::{create_npz, is_npz, open_npz};
pub use object_array::{ObjectArray, npy_header_of};
pub use stream::npy_header;
