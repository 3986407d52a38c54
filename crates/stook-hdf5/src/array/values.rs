//! Elements as values, through the library: what varies in length, what it has to convert, and
//! layouts and filters that only it can read.

use stook_core::chunk::{Block, ChunkList, ValueSource};
use stook_core::codec::swap_items;
use stook_core::values::byte_len;
use stook_core::{Error, ErrorKind, Pipeline, Result};

use super::Hdf5Array;
use crate::attributes::memory_of;
use crate::ffi::{self, MemoryType, Space};
use crate::pending::{Lenient, Pending};

impl Hdf5Array {
    fn selection(&self, block: Block<'_>) -> ffi::Result<Space> {
        let space = self.dataset.space()?;
        if !block.shape.is_empty() {
            space.select_box(block.start, block.shape)?;
        }
        Ok(space)
    }

    fn memory(&self) -> ffi::Result<MemoryType> {
        memory_of(&self.stored, self.dataset.datatype()?)
    }

    fn must_swap(&self) -> bool {
        self.stored.is_direct && self.stored.is_foreign()
    }

    /// Reads a block through the library.
    pub(super) fn read_values(
        &self,
        block: Block<'_>,
        items: &mut [u8],
        heap: &mut Vec<u8>,
    ) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let shared = &*self.shared;
        shared.io.expect_kept().map_err(|error| self.at(error))?;
        let mut read = || {
            let _lock = ffi::lock();
            let (space, memory) = (self.selection(block)?, self.memory()?);
            let context: (&dyn ffi::References, _) = (shared, &shared.limits);
            self.dataset.read(&space, &memory, (&mut *items, &mut *heap), context)
        };
        read().map_err(|failure| self.explain(failure, ErrorKind::Corrupt))?;
        if self.must_swap() {
            swap_items(&self.stored.dtype, items);
        }
        Ok(())
    }

    /// Writes a block through the library.
    pub(super) fn write_values(&self, block: Block<'_>, items: &[u8], heap: &[u8]) -> Result<()> {
        self.start_change()?;
        if items.is_empty() {
            return Ok(());
        }
        let swapped = self.must_swap().then(|| {
            let mut swapped = items.to_vec();
            swap_items(&self.stored.dtype, &mut swapped);
            swapped
        });
        let items = swapped.as_deref().unwrap_or(items);
        let references = Lenient::new(&self.shared);
        let write = || {
            let _lock = ffi::lock();
            let (space, memory) = (self.selection(block)?, self.memory()?);
            self.dataset.write(&space, &memory, (items, heap), &references)
        };
        let written = write().map_err(|failure| self.explain(failure, ErrorKind::Io));
        self.state.forget_index();
        self.shared.forget_elements(&self.node, block);
        if references.has_missed() {
            self.shared.remember([Pending::elements(&self.node, block, items, heap)]);
        }
        written
    }

    /// A failure that names the filter that is missing, where that is why.
    fn explain(&self, failure: ffi::Failure, kind: ErrorKind) -> Error {
        if failure.mentions("filter")
            && let Err(error) = Pipeline::new(&self.state.spec())
            && error.kind() == ErrorKind::Unsupported
        {
            return self.at(error);
        }
        self.shared.error(failure, kind, &self.node)
    }

    /// Writes the fill value over the chunks of `at`: the library cannot remove one.
    pub(super) fn fill(&self, at: ChunkList<'_>) -> Result<()> {
        let spec = self.state.spec();
        let size = spec.dtype.item_size();
        let (item, heap) = match &spec.fill_value {
            Some(value) => (value.items().to_vec(), value.heap().to_vec()),
            None => (vec![0; size], Vec::new()),
        };
        for index in at.iter() {
            let (mut start, mut shape) = (Vec::new(), Vec::new());
            for (axis, (&idx, &len)) in index.iter().zip(spec.shape()).enumerate() {
                let (first, chunk) = spec.grid.extent(axis, idx);
                start.push(first);
                shape.push(chunk.min(len.saturating_sub(first)));
            }
            let n = byte_len(&shape, 1)?;
            self.shared.limits.chunk(byte_len(&shape, size)? as u64)?;
            let items = item.repeat(n);
            let block = Block { start: &start, shape: &shape };
            self.write_values(block, &items, &heap)?;
        }
        Ok(())
    }
}

impl ValueSource for Hdf5Array {
    fn read_block(&self, block: Block<'_>, items: &mut [u8], heap: &mut Vec<u8>) -> Result<()> {
        self.read_values(block, items, heap)
    }

    fn write_block(&self, block: Block<'_>, items: &[u8], heap: &[u8]) -> Result<()> {
        self.write_values(block, items, heap)
    }
}
