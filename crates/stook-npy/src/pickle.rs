//! Pickles as data: what Python's `pickle` wrote of plain values and numpy's arrays, read and
//! written without a Python, and without anything being run.
//!
//! A pickle is a program that builds objects by calling whatever it names. Here it is a
//! document: the opcodes that make values are read, and of all that could be named only the few
//! in [`global`](self) that *are* data (arrays, dtypes, dates, paths, sets, …), each made by code
//! of ours. Anything else is refused by its name. Protocols 2 to 5; the bytes are drawn in
//! docs/formats/npy.md.
//!
//! Objects live in an arena, [`Pickle`], and refer to one another by [`NodeId`], so that shared
//! and even circular objects cost no more than they do in the file. Whoever walks them bounds the
//! depth ([`Pickle::to_json`] does).

mod array;
mod ascii;
mod class;
mod global;
mod input;
mod json;
mod node;
mod opcode;
mod payload;
mod read;
mod reduce;
mod write;

pub use array::{Descr, PickledArray};
pub use ascii::write_ascii;
pub use class::{Class, Object};
pub use node::{DateTime, Node, NodeId, Pickle};
pub use payload::{Payload, Stored};
pub use write::{Form, Piece, pieces, write};
