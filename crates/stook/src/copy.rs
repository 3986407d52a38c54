//! Copies the elements of one array to another, a block at a time, within a budget of memory.
//!
//! Three ways, the first that is safe: stored chunks as they are, where both sides store them
//! alike ([`encoded`]); else blocks of elements, cut so that chunks of both sides are touched as
//! few times as the budget allows ([`elements`]). What was never written on the one side is not
//! written on the other, where both read it as the same value.

mod blocks;
mod cast;
mod elements;
mod encoded;
mod need;
mod record;
mod stored;
mod window;

use std::ops::Range;
use std::sync::Arc;

use stook_core::{ArraySpec, ChunkSource, Result, Selection};

use crate::array::Array;
pub(crate) use blocks::Blocks;
pub use cast::Rounding;
pub(crate) use cast::{Change, is_number, is_rounded, number_of};
pub(crate) use need::Need;
pub(crate) use record::{Recording, hash_of_block};
pub(crate) use stored::{is_filled, plain_fill};
pub(crate) use window::Window;

/// A box of elements of the target.
pub(crate) type Ranges = [Range<u64>];

/// How the elements of one array come to be those of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'w> {
    /// Which elements of the source.
    pub(crate) window: &'w Window,
    /// What becomes of each.
    pub(crate) change: &'w Change,
    /// Bytes that blocks are cut for.
    pub(crate) block_len_bytes: u64,
}

/// What is told of a copy as it goes on, and may have been done before.
pub(crate) trait Watch {
    /// Whether the target has this block already, from an earlier attempt.
    fn has(&mut self, number: u64, block: &Ranges) -> Result<bool>;

    /// The block is in the target; `was_there` says that it was so before.
    fn did(&mut self, number: u64, len_bytes: u64, was_there: bool) -> Result<()>;
}

/// Copies all elements of `from` that `way` takes to `to`, which has their shape.
///
/// # Errors
/// What reading and writing may give; `Unsupported` for a value that the target cannot hold.
pub(crate) fn copy(from: &Array, to: &Target, way: Way<'_>, watch: &mut dyn Watch) -> Result<()> {
    let (source, target) = (from.spec(), to.array.spec());
    if source.is_null() || target.shape().contains(&0) {
        return Ok(());
    }
    if way.window.is_all() && way.change.is_none() && encoded::is_alike(from, to, &source, &target)
    {
        return encoded::copy(from, to, way.block_len_bytes, watch);
    }
    elements::copy(from, to, way, watch)
}

/// The array that is written, whose chunks may be recorded on their way.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) array: stook_core::Array,
    pub(crate) source: Arc<dyn ChunkSource>,
    pub(crate) recording: Option<Arc<Recording>>,
}

impl Target {
    /// `array`, whose written chunks are hashed if `is_recorded`.
    pub(crate) fn new(array: &Array, is_recorded: bool) -> Self {
        let plain = Arc::clone(array.source());
        let recording = is_recorded.then(|| Arc::new(Recording::new(Arc::clone(&plain))));
        let source = match &recording {
            Some(recording) => Arc::clone(recording) as Arc<dyn ChunkSource>,
            None => plain,
        };
        let file = array.file();
        let array = stook_core::Array::new(Arc::clone(&source), file.path(), array.path().clone());
        Self { array: array.with_engine(Arc::clone(file.engine())), source, recording }
    }
}

/// The bytes of the items in `block`.
fn len_of(block: &Ranges, spec: &ArraySpec) -> u64 {
    let n = block.iter().fold(1_u64, |n, range| n.saturating_mul(range.end - range.start));
    n.saturating_mul(spec.dtype.item_size() as u64)
}

/// Copies what `old`, an unfinished target, holds of `block` to `to`; whether it is what it should
/// be has been checked.
///
/// # Errors
/// What reading and writing may give.
pub(crate) fn salvage(old: &Target, to: &Target, block: &Ranges) -> Result<()> {
    if old.source.in_place().is_none() {
        return encoded::copy_stored(old, to, block);
    }
    let all = Selection::ranges(block.iter().cloned());
    let values = old.array.read(&all)?;
    if let Some(recording) = &to.recording {
        recording.saw(&values);
    }
    to.array.write(&all, &values)
}
