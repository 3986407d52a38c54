//! Looms to and from AnnData's trees, in HDF5 (`.h5ad`) and Zarr, without loss.
//!
//! Cells are rows there: `X` and `layers` are transposed. What both sides have goes over in the
//! form of the other: columns of `obs` and `var` are attributes (the index is `CellID` and
//! `Gene`), `obsm` and `varm` attributes of more axes, `obsp` and `varp` graphs.
//!
//! What a loom cannot hold (categories, masks, truth values, `uns`, `raw`, how a matrix was
//! sparse) is kept beside, under `/anndata`, as AnnData had it; what AnnData cannot hold (attributes
//! of the file, graphs with edges twice) under `uns/loom`. On the way back what is kept is taken
//! where it still says the same as what stands for it, so that a change made on the other side
//! counts, and what nobody touched comes back bit for bit.
//!
//! <https://anndata.readthedocs.io/en/stable/fileformat-prose.html>; trees of versions before 0.7,
//! whose tables are arrays of structs, are read as well.

mod frame;
mod from_loom;
mod graphs;
mod matrix;
mod to_loom;
mod tree;

pub use from_loom::{AnnDataOptions, MatrixLayout, from_loom};
pub use to_loom::to_loom;

/// Where a loom keeps what it cannot hold.
const KEPT: &str = "anndata";
/// The same in AnnData's `uns`.
const KEPT_LOOM: &str = "loom";
/// Nodes of the matrix as it was before genes were chosen: as it is now, and as it was before 0.7.
const RAW: [&str; 4] = ["raw", "raw.X", "raw.var", "raw.varm"];
