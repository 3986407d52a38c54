//! A chunk source that hashes what is written through it, so that a later process can tell
//! whether it is all there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stook_core::chunk::{Access, Deliver, VisitStored};
use stook_core::{
    ArraySpec, ChunkList, ChunkSource, ChunkWrite, InPlace, Result, Selection, ValueSource, Values,
};

use super::blocks::Units;
use super::{Ranges, Target};

/// A chunk source that hashes what is written to the one behind it.
#[derive(Debug)]
pub(crate) struct Recording {
    inner: Arc<dyn ChunkSource>,
    sum: AtomicU64,
}

/// The hash of a chunk at `index`; hashes of several are added, in any order.
fn hash(index: &[u64], bytes: &[u8]) -> u64 {
    let crc = crc32c::crc32c(bytes);
    let mut place = u64::from(crc).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bytes.len() as u64;
    for &at in index {
        place = (place ^ at).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31);
    }
    (place ^ (place >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

impl Recording {
    pub(super) fn new(inner: Arc<dyn ChunkSource>) -> Self {
        Self { inner, sum: AtomicU64::new(0) }
    }

    /// The hash of what was written since the last call.
    pub(crate) fn take(&self) -> u64 {
        self.sum.swap(0, Ordering::AcqRel)
    }

    fn add(&self, hash: u64) {
        self.sum.fetch_add(hash, Ordering::AcqRel);
    }

    /// Elements are about to be written, which count themselves where no chunk will tell of them.
    pub(super) fn saw(&self, values: &Values) {
        if self.inner.in_place().is_some() {
            self.add(hash(&[], values.items()));
        }
    }
}

/// The hash of what `target` holds of `block`, as it would have been recorded; `None` where that
/// cannot be told.
///
/// # Errors
/// What reading may give.
pub(crate) fn hash_of_block(target: &Target, block: &Ranges) -> Result<Option<u64>> {
    let source = &target.source;
    if source.values().is_some() {
        return Ok(None);
    }
    if source.in_place().is_some() {
        let values = target.array.read(&Selection::ranges(block.iter().cloned()))?;
        return Ok(Some(hash(&[], values.items())));
    }
    let sum = Mutex::new(0_u64);
    for_each_batch(&source.spec(), block, &mut |list| {
        source.read_chunks(list, &|i, chunk| {
            if let Some(chunk) = chunk {
                let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                *sum = sum.wrapping_add(hash(list.get(i), chunk.bytes));
            }
            Ok(())
        })
    })?;
    Ok(Some(sum.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Calls `visit` with the chunks of `block`, some at a time.
pub(super) fn for_each_batch(
    spec: &ArraySpec,
    block: &Ranges,
    visit: &mut dyn FnMut(ChunkList<'_>) -> Result<()>,
) -> Result<()> {
    const MOST: usize = 1024;
    let (rank, mut flat, mut n) = (block.len(), Vec::new(), 0);
    for index in Units::new(&spec.grid, block) {
        flat.extend_from_slice(&index);
        n += 1;
        if n == MOST {
            visit(ChunkList::new(rank, n, &flat))?;
            flat.clear();
            n = 0;
        }
    }
    if n > 0 { visit(ChunkList::new(rank, n, &flat)) } else { Ok(()) }
}

impl ChunkSource for Recording {
    fn spec(&self) -> Arc<ArraySpec> {
        self.inner.spec()
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

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        self.inner.write_chunks(chunks)?;
        for chunk in chunks {
            if let Some(bytes) = chunk.bytes {
                self.add(hash(chunk.index, bytes));
            }
        }
        Ok(())
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

    fn is_stored(&self, unit: &[u64]) -> Result<Option<bool>> {
        self.inner.is_stored(unit)
    }

    fn visit_stored(&self, visit: &mut VisitStored<'_>) -> Result<bool> {
        self.inner.visit_stored(visit)
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        self.inner.in_place()
    }

    fn values(&self) -> Option<&dyn ValueSource> {
        self.inner.values()
    }

    fn n_stored(&self) -> Result<u64> {
        self.inner.n_stored()
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        self.inner.len_stored_bytes()
    }
}
