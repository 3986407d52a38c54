//! Loom files (specifications 0.1 to 3.0.0): a matrix of genes and cells with layers, attributes of
//! both axes, graphs and attributes of the file, on HDF5 or Zarr.

mod axis;
pub mod fused;
pub mod matrix;
mod source;

pub use axis::Axis;
pub use source::MatrixSource;
