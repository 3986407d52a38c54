//! An array seen ahead of its container: as long as its appended rows are, while the container
//! keeps the length of the last flush as far as its format allows.
//!
//! In Zarr a chunk lies where its index says, whatever the shape; so the shape is written once, by
//! [`Ahead::settle`], and no reader sees rows before. HDF5 takes no chunk beyond its extent: there
//! the extent grows with each chunk.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use stook_core::chunk::{Access, ChunkPart, ChunkWrite, Deliver};
use stook_core::store::ReadTo;
use stook_core::{ArraySpec, ChunkList, ChunkSource, Extent, Format, Result};

/// The chunks of an array that grows along its first axis.
#[derive(Debug)]
pub(crate) struct Ahead {
    inner: Arc<dyn ChunkSource>,
    spec: RwLock<Arc<ArraySpec>>,
    /// Held while the container's extent changes.
    growing: Mutex<()>,
    grows_first: bool,
}

fn with_rows(spec: &ArraySpec, n_rows: u64) -> Arc<ArraySpec> {
    let mut shape = spec.shape().to_vec();
    if let Some(rows) = shape.first_mut() {
        *rows = n_rows;
    }
    Arc::new(ArraySpec { extent: Extent::Shape(shape), ..spec.clone() })
}

fn rows_of(spec: &ArraySpec) -> u64 {
    spec.shape().first().copied().unwrap_or(0)
}

impl Ahead {
    pub(crate) fn new(inner: Arc<dyn ChunkSource>, format: Format) -> Self {
        let spec = RwLock::new(inner.spec());
        Self { inner, spec, growing: Mutex::new(()), grows_first: format == Format::Hdf5 }
    }

    /// From here on the array has `n_rows` rows.
    pub(crate) fn reach(&self, n_rows: u64) {
        let mut spec = self.spec.write().unwrap_or_else(PoisonError::into_inner);
        if rows_of(&spec) < n_rows {
            *spec = with_rows(&spec, n_rows);
        }
    }

    /// Gives the container exactly `n_rows` rows.
    pub(crate) fn settle(&self, n_rows: u64) -> Result<()> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.inner.spec();
        if rows_of(&stored) != n_rows {
            self.inner.resize(with_rows(&stored, n_rows).shape())?;
        }
        let mut spec = self.spec.write().unwrap_or_else(PoisonError::into_inner);
        *spec = with_rows(&spec, n_rows);
        Ok(())
    }

    /// Makes room for the chunks up to row `n_rows`.
    fn grow(&self, n_rows: u64) -> Result<()> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.inner.spec();
        if rows_of(&stored) < n_rows {
            self.inner.resize(with_rows(&stored, n_rows).shape())?;
        }
        Ok(())
    }
}

impl ChunkSource for Ahead {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn identity(&self) -> u64 {
        self.inner.identity()
    }

    fn access(&self) -> Access {
        self.inner.access()
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        self.inner.read_chunks(at, deliver)
    }

    fn read_part(&self, part: ChunkPart<'_>, out: &mut [u8]) -> Result<ReadTo> {
        self.inner.read_part(part, out)
    }

    fn write_part(&self, part: ChunkPart<'_>, bytes: &[u8]) -> Result<bool> {
        self.inner.write_part(part, bytes)
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        if self.grows_first {
            let spec = self.spec();
            let last = chunks.iter().filter_map(|chunk| chunk.index.first().copied()).max();
            let (start, len) = spec.grid.extent(0, last.unwrap_or(0));
            self.grow(start.saturating_add(len).min(rows_of(&spec)))?;
        }
        self.inner.write_chunks(chunks)
    }

    fn erase_chunks(&self, at: ChunkList<'_>) -> Result<()> {
        self.inner.erase_chunks(at)
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        self.inner.resize(shape)
    }

    fn chunk_version(&self, at: &[u64]) -> Result<Option<u64>> {
        self.inner.chunk_version(at)
    }
}
