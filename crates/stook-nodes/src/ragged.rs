//! Appending rows of different lengths: they are gathered, and stored many at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stook::{Array, Values};
use stook_core::{DType, Error, HeapItem, Result};

use crate::rows::{gone, rows_between};

/// Rows that are stored at once.
const MANY_ROWS: usize = 4096;
/// Bytes that are held at most before they are stored, but for one row.
const HELD_LEN_BYTES: usize = 1 << 20;

/// An array of rows of different lengths.
#[derive(Debug)]
pub(crate) struct Ragged {
    array: Array,
    item_size: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    n_rows: u64,
    items: Vec<u8>,
    heap: Vec<u8>,
    /// The rows that its attribute has been told.
    told: u64,
    /// Whether the array has been removed or moved.
    is_ended: bool,
}

impl Ragged {
    /// # Errors
    /// `InvalidInput` if the array is none of rows of different lengths.
    pub(crate) fn new(array: Array) -> Result<Self> {
        let spec = array.spec();
        let item_size = match &spec.dtype {
            DType::Sequence(item) if !item.has_heap() => item.item_size(),
            DType::Bytes => 1,
            other => {
                let message = format!("expected rows of different lengths, found {other}");
                return Err(Error::invalid(message).at_node(array.path()));
            }
        };
        let &[n_rows] = spec.shape() else {
            let message = format!("expected one axis, found shape {:?}", spec.shape());
            return Err(Error::invalid(message).at_node(array.path()));
        };
        let state = Mutex::new(State { n_rows, told: n_rows, ..State::default() });
        Ok(Self { array, item_size, state })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn n_rows(&self) -> u64 {
        self.lock().n_rows
    }

    pub(crate) fn untold(&self) -> Option<u64> {
        let state = self.lock();
        (state.told != state.n_rows).then_some(state.n_rows)
    }

    pub(crate) fn told(&self, n_rows: u64) {
        self.lock().told = n_rows;
    }

    /// The array with all its rows stored.
    pub(crate) fn stored(&self) -> Result<&Array> {
        self.settle()?;
        Ok(&self.array)
    }

    /// The array is removed or moved: nothing is appended any more.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        *state =
            State { n_rows: state.n_rows, told: state.n_rows, is_ended: true, ..State::default() };
    }

    /// Appends one row of whole items.
    pub(crate) fn append(&self, row: &[u8]) -> Result<()> {
        if self.item_size == 0 || !row.len().is_multiple_of(self.item_size) {
            let message =
                format!("expected items of {} bytes, found {}", self.item_size, row.len());
            return Err(Error::invalid(message).at_node(self.array.path()));
        }
        let mut state = self.lock();
        if state.is_ended {
            return Err(gone(self.array.path()));
        }
        let before = (state.items.len(), state.heap.len());
        // Lengths count items.
        let len = (row.len() / self.item_size) as u64;
        let item = HeapItem { offset: state.heap.len() as u64, len };
        state.items.extend(item.to_bytes());
        state.heap.extend_from_slice(row);
        state.n_rows += 1;
        let n = state.items.len() / stook::dtype::HEAP_ITEM_LEN;
        if n < MANY_ROWS && state.heap.len() < HELD_LEN_BYTES {
            return Ok(());
        }
        self.store(&mut state).inspect_err(|_| {
            // The row at hand was not acknowledged; those before it stay.
            state.items.truncate(before.0);
            state.heap.truncate(before.1);
            state.n_rows -= 1;
        })
    }

    /// Stores what is held.
    pub(crate) fn settle(&self) -> Result<()> {
        self.store(&mut self.lock())
    }

    fn store(&self, state: &mut State) -> Result<()> {
        if state.items.is_empty() {
            return Ok(());
        }
        let n = (state.items.len() / stook::dtype::HEAP_ITEM_LEN) as u64;
        let start = state.n_rows - n;
        let dtype = self.array.dtype();
        let (items, heap) = (std::mem::take(&mut state.items), std::mem::take(&mut state.heap));
        let values = Values::new(dtype, vec![n], items, heap)?;
        let stored = self
            .array
            .resize(&[state.n_rows])
            .and_then(|()| self.array.write(&rows_between(start, state.n_rows), &values));
        if let Err(error) = stored {
            let _ = self.array.resize(&[start]);
            (_, _, state.items, state.heap) = values.into_parts();
            return Err(error);
        }
        Ok(())
    }
}
