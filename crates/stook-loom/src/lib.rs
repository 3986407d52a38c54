//! Loom files (specifications 0.1 to 3.0.0): a matrix of genes and cells with layers, attributes of
//! both axes, graphs and attributes of the file, on HDF5 or Zarr.
//!
//! ```
//! use stook::{AxisSelection, Selection, Values};
//! use stook_loom::{Addition, Axis, Loom, numbers};
//!
//! # fn main() -> stook::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("cells.loom");
//! let matrix = numbers(vec![2, 3], &[1_i32, 0, 2, 0, 3, 0])?;
//! let loom = Loom::builder(&path)
//!     .layer("", &matrix)
//!     .attribute(Axis::Rows, "Gene", Values::from_strings(vec![2], &["Actb", "Gapdh"])?)
//!     .attribute(Axis::Columns, "CellID", Values::from_strings(vec![3], &["a", "b", "c"])?)
//!     .create()?;
//!
//! // Rows and columns are picked in any order, and twice if so wanted.
//! let picked = Selection::Axes(vec![AxisSelection::Index(0), AxisSelection::List(vec![2, 0, 0])]);
//! assert_eq!(loom.layer("")?.read(&picked)?, numbers(vec![3], &[2_i32, 1, 1])?);
//!
//! // A change is there whole, or not at all.
//! let more = numbers(vec![2, 1], &[7_i32, 8])?;
//! let ids = Values::from_strings(vec![1], &["d"])?;
//! loom.add(Axis::Columns, Addition::new().layer("", &more).attribute("CellID", ids))?;
//! assert_eq!(loom.shape()?, [2, 4]);
//! loom.permute(Axis::Columns, &[3, 2, 1, 0])?;
//! assert_eq!(loom.attributes(Axis::Columns).get("CellID")?.text_at(0)?, "d");
//! loom.close()?;
//!
//! let loom = Loom::open(&path)?;
//! let view = loom.view(&AxisSelection::ALL, &AxisSelection::Index(0))?;
//! assert_eq!(view.layer("")?, &numbers(vec![2, 1], &[7_i32, 8])?);
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - A call that changes a loom is one commit. Where it fails, the loom is as it was; who reads the
//!   file meanwhile, in whatever process, sees the state before or the one after. In Zarr, which
//!   has no commits of several keys, a reader may see parts of a change; one that fails is undone.
//! - All that can be checked is checked before anything is written.
//! - Beyond its result an operation takes a bounded amount of memory
//!   ([`LoomOptions::budget_len_bytes`]).
//! - Text has all of Unicode, whatever version the file is of.
//!
//! docs/formats/loom.md draws the layout. The errors are stook's, and name the file and the layer,
//! attribute or graph.

pub mod anndata;
mod append;
#[cfg(feature = "arrow")]
mod arrow;
mod attribute_value;
mod attributes;
mod axis;
mod change;
mod compact;
mod create;
mod export;
pub mod fused;
mod graph;
pub mod import;
mod items;
mod layer;
mod layout;
mod loom;
pub mod matrix;
mod merge;
mod picked;
pub mod progress;
mod reorder;
mod repair;
mod sidecar;
mod source;
mod stamp;
mod state;
mod text;
mod upgrade;
pub mod validate;
mod version;
mod view;

pub use append::{Added, Addition, Fill};
pub use attribute_value::{normalized, numbers};
pub use attributes::{AttributeMap, AxisAttributes, FileAttributes};
pub use axis::Axis;
pub use create::LoomBuilder;
pub use graph::{Graph, GraphMap, Graphs};
pub use layer::{Layer, positions};
pub use loom::{Changes, Loom, LoomOptions};
pub use merge::{AddLoom, Combine, Part, combine, combine_faster};
pub use repair::Repaired;
pub use sidecar::{SidecarState, sidecar_of};
pub use source::MatrixSource;
pub use stamp::timestamp;
pub use text::rows_as_text;
pub use version::SpecVersion;
pub use view::{View, ViewParts};
