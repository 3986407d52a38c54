//! The model, engine, codecs and byte stores under every stook format.
//!
//! Formats implement [`Container`] and [`ChunkSource`]; faces and doors read and write through
//! [`Array`], which plans a selection once and moves bytes in parallel for every format alike.
//! Nothing here knows a file format, a runtime or Python.

pub mod array;
pub mod attributes;
pub mod bytes;
pub mod calendar;
pub mod chunk;
pub mod codec;
pub mod container;
pub mod dtype;
pub mod element;
pub mod engine;
pub mod error;
pub mod file;
pub mod grid;
pub mod limits;
pub mod memory;
pub mod path;
pub mod selection;
pub mod spec;
pub mod store;
pub mod values;

pub use array::{Array, EmptyChunks};
pub use attributes::{AttributeEdits, AttributeValue, Attributes, NamedValues};
pub use bytes::SharedBytes;
pub use chunk::{ChunkList, ChunkSource, ChunkWrite, EncodedChunk, InPlace, ValueSource};
pub use codec::{Codec, CodecSpec, Scratch};
pub use container::{
    Adapted, Child, ConsolidatedMetadata, Container, Durability, Format, Link, Loss, Mode,
    NodeKind, OpenOptions, Opened, Outside,
};
pub use dtype::DType;
pub use element::Element;
pub use engine::{Engine, EngineConfig, Pipeline, View, ViewMut};
pub use error::{Error, ErrorKind, Location, Result};
pub use grid::ChunkGrid;
pub use limits::Limits;
pub use path::NodePath;
pub use selection::{AxisSelection, Selection};
pub use spec::{ArraySpec, Extent};
pub use store::ByteStore;
pub use values::{HeapItem, Values};
