//! What is made of a layer in one pass over its tiles, on several threads, within a bound on
//! memory: the whole matrix is never in memory.
//!
//! A layer is cut into bands along one axis, and a band into boxes; a thread reads a box (of
//! sorted rows and columns, so that each chunk is decoded once), and folds it into what it keeps
//! of the band. Results do not depend on how many threads there are.

mod aggregate;
mod bands;
mod buffers;
mod listed;
mod scan;
mod sparse;
mod statistics;

pub use aggregate::{Aggregate, Groups, aggregate};
pub use buffers::Buffers;
pub use scan::{Batch, Scan, ScanOptions};
pub(crate) use sparse::csr_kept;
pub use sparse::{csr, sparse};
pub use statistics::{Statistic, statistics};

use std::sync::Arc;

use crate::matrix::Compressed;

/// How a pass over a layer is made.
#[derive(Clone, Debug)]
pub struct FusedOptions {
    /// Bytes that may be held beside the result (default 256 MiB).
    pub memory_len_bytes: u64,
    /// Threads; 0 takes those of the array's engine.
    pub threads: usize,
    /// The elements of the layer row by row, where these are at hand: they are taken for what is in
    /// its tiles ([`Loom::fused_options`](crate::Loom::fused_options)).
    pub sparse: Option<Arc<Compressed<'static>>>,
}

impl Default for FusedOptions {
    fn default() -> Self {
        Self { memory_len_bytes: 256 << 20, threads: 0, sparse: None }
    }
}
