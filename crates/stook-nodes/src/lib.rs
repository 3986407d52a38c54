//! The tree of an acquisition: groups, arrays that grow, logs and attributes, as
//! `pymodaq_data.h5modules.backends` has it, on HDF5 or Zarr, local or behind a URL.
//!
//! ```
//! use stook_nodes::{Acquisition, Depth, Value};
//!
//! # fn main() -> stook::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("run.h5");
//! let run = Acquisition::create(&path)?;
//! let scan = run.root()?.add_group("scan", "scan", "a scan")?;
//! let spectra = scan.create_earray("spectra", "float64".parse()?, &[3], "")?;
//! for i in 0..4 {
//!     spectra.append_elements(&[f64::from(i), 0.5, 0.25])?;
//! }
//! scan.set_attribute("gain", &Value::Float(2.5))?;
//! run.close()?;
//!
//! let run = Acquisition::open(&path)?;
//! assert_eq!(run.walk("/", Depth::All)?.len(), 3);
//! assert_eq!(run.earray("/Scan/spectra")?.shape()?, [4, 3]);
//! assert_eq!(run.group("/Scan")?.attribute("gain")?, Some(Value::Float(2.5)));
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - An append is checked before anything changes; it is there as a whole or not at all. What was
//!   appended is held in memory (a chunk an array at most, and a bounded queue where chunks are
//!   compressed by other threads) until a chunk is full, or [`Acquisition::flush`].
//! - What `flush` acknowledged is in the file as safely as was asked for; a failure while storing
//!   comes out at the next append or flush, and what failed is kept and tried again.
//! - The attribute `shape` of arrays that grow is written by `flush`, not by each append.
//! - Attributes and texts are data: a literal parser and stook's reader of pickles decode them, and
//!   name what they refuse; nothing is run.
//! - A node that could not be created leaves nothing behind.
//!
//! The errors are stook's: what the Python module calls `NodeError` is `NotFound` or
//! `AlreadyExists` with the node's path; wrong names of enumerations are `InvalidInput`.

mod acquisition;
mod ahead;
pub mod attribute;
mod convention;
mod create;
mod kinds;
mod layout;
pub mod literal;
mod live;
mod node;
mod pool;
mod ragged;
mod rows;
mod value;
mod walk;

pub use acquisition::{Acquisition, OpenMode, Options};
pub use convention::{Class, Convention};
pub use kinds::{GroupType, SaveType};
pub use node::{Appender, Attributes, CArray, EArray, Group, Node, StringArray, VLArray, pickled};
pub use value::{Date, Time, Value};
pub use walk::{Depth, Visit};
