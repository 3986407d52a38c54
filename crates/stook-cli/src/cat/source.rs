//! What is printed of an array: a selection, or a member of its elements, read in blocks.

use stook::{Array, ArraySpec, DType, Parts, Result, Selection, Values};

use crate::selection::{Picked, member};

/// Bytes of items that are read at once at most: enough for rows of chunks of the usual sizes, so
/// that few chunks are decoded more than once.
const BLOCK_LEN_BYTES: u64 = 32 << 20;

/// What is printed of an array.
#[derive(Debug)]
pub(super) struct Source<'a> {
    array: &'a Array,
    /// Which elements.
    pub(super) parts: Parts,
    /// The type of what is printed of each.
    pub(super) dtype: DType,
    /// Where that begins in an element, if it is not all of it.
    offset: Option<usize>,
    spec: std::sync::Arc<ArraySpec>,
    block_len_bytes: u64,
}

impl<'a> Source<'a> {
    /// # Errors
    /// `InvalidInput` where the selection does not fit or there is no such member.
    pub(super) fn new(array: &'a Array, picked: &Picked, memory: u64) -> Result<Self> {
        let spec = array.spec();
        let parts = Parts::new(&picked.selection, &spec)?;
        let (offset, dtype) = match &picked.member {
            Some(path) => {
                let (offset, dtype) = member(&spec.dtype, path)?;
                (Some(offset), dtype)
            }
            None => (None, spec.dtype.clone()),
        };
        // As much again is decoded meanwhile, and texts are larger than items.
        let block_len_bytes = (memory / 4).clamp(1, BLOCK_LEN_BYTES);
        Ok(Self { array, parts, dtype, offset, spec, block_len_bytes })
    }

    pub(super) fn array(&self) -> &Array {
        self.array
    }

    /// The lengths of the axes that are kept.
    pub(super) fn shape(&self) -> &[u64] {
        self.parts.shape()
    }

    /// Reads what is printed of the elements of `part`.
    pub(super) fn read(&self, part: &Selection) -> Result<Values> {
        let values = self.array.read(part)?;
        let Some(offset) = self.offset else { return Ok(values) };
        let size = self.dtype.item_size();
        let (_, shape, items, heap) = values.into_parts();
        let stride = self.spec.dtype.item_size().max(1);
        let members =
            items.chunks_exact(stride).flat_map(|item| item.get(offset..offset + size)).flatten();
        Values::new(self.dtype.clone(), shape, members.copied().collect(), heap)
    }

    /// Reads all elements in C order and calls `each` with one block after the other.
    pub(super) fn for_each_block<E: From<stook::Error>>(
        &self,
        each: &mut dyn FnMut(&Values) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        for rows in self.parts.rows(&self.spec, self.block_len_bytes) {
            each(&self.read(&self.parts.part(&rows))?)?;
        }
        Ok(())
    }
}
