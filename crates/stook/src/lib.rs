//! One tree of groups, arrays and attributes over Zarr, HDF5 and NumPy files.
//!
//! ```
//! use stook::{Selection, File};
//!
//! # fn main() -> stook::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("run.zarr");
//! let file = File::create(&path)?;
//! let image = file.root_group()?.array("camera/image").shape([4, 6]).dtype("uint16".parse()?).create()?;
//! image.write_elements(&Selection::parse("1:3, ::2")?, &[], &[7_u16])?;
//! file.commit()?;
//!
//! let image = File::open(&path)?.array("camera/image")?;
//! assert_eq!(image.read_as::<u16>(&Selection::parse("1")?)?, [7, 0, 7, 0, 7, 0]);
//! # Ok(())
//! # }
//! ```
//!
//! The format of a file that exists is told from its content, that of a new one from its name.
//! [`convert`] copies from any format to any other and says what the target could not hold.

mod array;
mod builder;
pub mod check;
mod compare;
mod convert;
mod copy;
pub mod diff;
mod document;
mod equivalence;
mod file;
mod format;
mod group;
pub mod json;
mod leaves;
pub mod npy;
mod ordered;
mod parts;
mod remote;
mod scale_offset;
pub mod stats;
mod szip;
mod walk;
pub mod zarr;

pub use array::Array;
pub use builder::{ArrayBuilder, Chunking, Codecs};
pub use compare::{Difference, compare};
pub use convert::{
    Chain, ChainLink, ConvertOptions, Cut, Links, NodeLoss, OnProgress, Pattern, Progress,
    Repacked, Report, Rounding, Rule, Unfinished, convert, repack,
};
pub use file::{CreateOptions, File, Node};
pub use format::{Storage, storage_of};
pub use group::Group;
pub use parts::{Parts, PartsAxis, Ranges};
pub use remote::{is_url, open_store};
#[cfg(feature = "icechunk")]
pub use stook_icechunk as icechunk;
pub use walk::{Visit, walk};

pub use stook_core::engine::{BufferCodec, gate};
pub use stook_hdf5::{NameOrder, Readers, Recovery, Remedy, Span, VirtualPart, recover};
pub use stook_npy::npy_header;
pub use stook_npy::{pickle, sparse};

pub use stook_core::file::place::{InTheWay, len_bytes};
pub use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, Attributes, AxisSelection, Child, ChunkGrid,
    CodecSpec, ConsolidatedMetadata, DType, Durability, Element, EmptyChunks, Engine, EngineConfig,
    Error, ErrorKind, Extent, Format, Limits, Link, Location, Loss, Mode, NodeKind, NodePath,
    OpenOptions, Outside, Result, Selection, SharedBytes, Values, View, ViewMut,
};
pub use stook_core::{calendar, codec, dtype, element, store, values};
pub use stook_zarr::numcodecs;
