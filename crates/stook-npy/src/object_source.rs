//! The elements of an array of objects, which are read and written as values in memory.
//!
//! They reach their file with the commit: a pickle is written whole or not at all.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use stook_core::chunk::{Block, ChunkWrite, Deliver};
use stook_core::values::{for_each_heap_item, rebase, relocate};
use stook_core::{ArraySpec, ChunkList, ChunkSource, Error, Mode, Result, ValueSource, Values};

use crate::elements;
use crate::header::Header;
use crate::objects::Objects;

/// A heap of which less than half is in use is written anew, from this size on.
const COMPACT_FROM: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct ObjectSource {
    /// What errors call the file.
    location: String,
    mode: Mode,
    identity: u64,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    objects: Objects,
    spec: Arc<ArraySpec>,
    len_stored_bytes: u64,
    /// How often the elements were changed, and how often they had been when they were saved.
    n_changes: u64,
    n_saved: u64,
    /// Whether its node was removed or moved: nothing that is written arrives anywhere.
    is_gone: bool,
    /// What the heap held when it was last written anew.
    live_len: usize,
}

impl ObjectSource {
    pub(crate) fn new(
        objects: Objects,
        (location, identity): (String, u64),
        mode: Mode,
        len_stored_bytes: u64,
    ) -> Self {
        let spec = Arc::new(spec_of(&objects.values));
        let live_len = objects.values.heap().len();
        let n_changes = u64::from(len_stored_bytes == 0);
        let state = State {
            objects,
            spec,
            len_stored_bytes,
            n_changes,
            n_saved: 0,
            is_gone: false,
            live_len,
        };
        Self { location, mode, identity, state: RwLock::new(state) }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, State>> {
        let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if self.mode == Mode::Read {
            return Err(Error::read_only("opened for reading only").at_file(&self.location));
        }
        if state.is_gone {
            let error = Error::not_found("the array was removed or moved since it was opened");
            return Err(error.at_file(&self.location));
        }
        if state.objects.is_mixed {
            let error = Error::unsupported("objects of different kinds are read as JSON text only");
            return Err(error.at_file(&self.location));
        }
        Ok(state)
    }

    /// The bytes of the npy file, if they differ from those that were saved last, and what
    /// [`ObjectSource::set_saved`] is to be told.
    ///
    /// # Errors
    /// `Corrupt` for text that is not UTF-8.
    pub(crate) fn changed_bytes(&self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.n_changes == state.n_saved || self.mode == Mode::Read {
            return Ok(None);
        }
        let mut bytes = Header::of_objects(state.objects.values.shape().to_vec()).to_bytes()?;
        bytes.extend(state.objects.to_pickle().map_err(|error| error.at_file(&self.location))?);
        state.len_stored_bytes = bytes.len() as u64;
        Ok(Some((state.n_changes, bytes)))
    }

    /// Notes that what [`ObjectSource::changed_bytes`] gave with `n_changes` is in its file; what
    /// was written since is not.
    pub(crate) fn set_saved(&self, n_changes: u64) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).n_saved = n_changes;
    }

    /// Refuses what is written from here on.
    pub(crate) fn set_gone(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).is_gone = true;
    }
}

/// The array, in one piece that is no chunk of bytes.
fn spec_of(values: &Values) -> ArraySpec {
    let mut spec = ArraySpec::new(values.dtype().clone(), values.shape());
    let axes = values.shape().iter().enumerate();
    spec.max_shape = Some(axes.map(|(axis, &len)| (axis > 0).then_some(len)).collect());
    spec
}

impl ChunkSource for ObjectSource {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.read().spec)
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn read_chunks(&self, _at: ChunkList<'_>, _deliver: &Deliver<'_>) -> Result<()> {
        Err(Error::unsupported("objects are no chunks").at_file(&self.location))
    }

    fn write_chunks(&self, _chunks: &[ChunkWrite<'_>]) -> Result<()> {
        Err(Error::unsupported("objects are no chunks").at_file(&self.location))
    }

    fn erase_chunks(&self, _at: ChunkList<'_>) -> Result<()> {
        Err(elements::no_erasing().at_file(&self.location))
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        let mut state = self.write()?;
        let header = Header::of_objects(state.objects.values.shape().to_vec());
        elements::check_resize(&header, shape).map_err(|error| error.at_file(&self.location))?;
        let values = &state.objects.values;
        let mut grown = Values::zeroed(values.dtype().clone(), shape.to_vec())?.into_parts();
        let len = grown.2.len().min(values.items().len());
        if let (Some(to), Some(from)) = (grown.2.get_mut(..len), values.items().get(..len)) {
            to.copy_from_slice(from);
        }
        let (dtype, shape, items, _) = grown;
        let values = Values::new(dtype, shape, items, values.heap().to_vec())?;
        state.spec = Arc::new(spec_of(&values));
        state.objects.values = values;
        state.n_changes += 1;
        Ok(())
    }

    fn values(&self) -> Option<&dyn ValueSource> {
        Some(self)
    }

    fn n_stored(&self) -> Result<u64> {
        Ok(u64::from(!self.read().objects.values.is_empty()))
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        Ok(self.read().len_stored_bytes)
    }
}

impl ValueSource for ObjectSource {
    fn read_block(&self, block: Block<'_>, items: &mut [u8], heap: &mut Vec<u8>) -> Result<()> {
        let state = self.read();
        let values = &state.objects.values;
        let mut at = 0;
        for_each_row(values.shape(), block, values.dtype().item_size(), &mut |start, len| {
            let from = values.items().get(start..start + len);
            let to = items.get_mut(at..at + len);
            let (from, to) = from.zip(to).ok_or_else(outside)?;
            to.copy_from_slice(from);
            at += len;
            Ok(())
        })?;
        let mut failure = None;
        for_each_heap_item(values.dtype(), items, &mut |dtype, item| {
            if let Err(error) = relocate(dtype, item, values.heap(), heap) {
                failure.get_or_insert(error);
            }
        });
        failure.map_or(Ok(()), Err)
    }

    fn write_block(&self, block: Block<'_>, items: &[u8], heap: &[u8]) -> Result<()> {
        let mut state = self.write()?;
        let values = &mut state.objects.values;
        let (dtype, shape) = (values.dtype().clone(), values.shape().to_vec());
        let empty = Values::new(dtype.clone(), vec![0; shape.len().max(1)], vec![], vec![])?;
        let (_, _, mut all, mut whole_heap) = std::mem::replace(values, empty).into_parts();
        let mut items = items.to_vec();
        let delta = whole_heap.len() as u64;
        whole_heap.extend_from_slice(heap);
        let mut result = rebase(&dtype, &mut items, &mut whole_heap, delta);
        if result.is_ok() {
            let mut at = 0;
            result = for_each_row(&shape, block, dtype.item_size(), &mut |start, len| {
                let from = items.get(at..at + len);
                let to = all.get_mut(start..start + len);
                let (from, to) = from.zip(to).ok_or_else(outside)?;
                to.copy_from_slice(from);
                at += len;
                Ok(())
            });
        }
        // What was taken out goes back whether or not the block was good.
        let whole_len = whole_heap.len();
        state.objects.values = Values::new(dtype, shape, all, whole_heap)?;
        state.n_changes += 1;
        if whole_len > COMPACT_FROM && whole_len / 2 > state.live_len {
            state.objects.values = compact(&state.objects.values)?;
            state.live_len = state.objects.values.heap().len();
        }
        result
    }
}

fn outside() -> Error {
    Error::invalid("a block lies outside its array")
}

/// The same values with a heap that holds nothing else.
fn compact(values: &Values) -> Result<Values> {
    let (mut items, mut heap) = (values.items().to_vec(), Vec::new());
    let mut failure = None;
    for_each_heap_item(values.dtype(), &mut items, &mut |dtype, item| {
        if let Err(error) = relocate(dtype, item, values.heap(), &mut heap) {
            failure.get_or_insert(error);
        }
    });
    match failure {
        Some(error) => Err(error),
        None => Values::new(values.dtype().clone(), values.shape().to_vec(), items, heap),
    }
}

/// Calls `visit` with the place and the length in bytes of each row of `block` in an array of
/// `shape`, in order.
fn for_each_row(
    shape: &[u64],
    block: Block<'_>,
    item_size: usize,
    visit: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    if block.shape.contains(&0) {
        return Ok(());
    }
    let size = item_size as u64;
    let Some((&row_len, outer)) = block.shape.split_last() else { return visit(0, item_size) };
    let mut index = vec![0_u64; outer.len()];
    loop {
        let place = (0..shape.len()).try_fold(0_u64, |place, axis| {
            let at = block.start.get(axis)?.checked_add(index.get(axis).copied().unwrap_or(0))?;
            place.checked_mul(*shape.get(axis)?)?.checked_add(at)
        });
        let place = place.and_then(|place| usize::try_from(place.checked_mul(size)?).ok());
        let len = row_len.checked_mul(size).and_then(|len| usize::try_from(len).ok());
        let (place, len) = place.zip(len).ok_or_else(outside)?;
        visit(place, len)?;
        // The next row, as an odometer counts.
        let mut axis = outer.len();
        loop {
            let Some(previous) = axis.checked_sub(1) else { return Ok(()) };
            axis = previous;
            index[axis] += 1;
            if index[axis] < outer[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use stook_core::DType;

    use super::*;

    #[test]
    fn what_is_written_while_a_file_is_saved_is_saved_later() {
        let objects = Objects::empty(DType::string(), vec![1]).unwrap();
        let source = ObjectSource::new(objects, ("x".to_owned(), 1), Mode::ReadWrite, 0);
        let (n_changes, _) = source.changed_bytes().unwrap().unwrap();
        let text = Values::from_strings(vec![1], &["late"]).unwrap();
        let block = Block { start: &[0], shape: &[1] };
        source.write_block(block, text.items(), text.heap()).unwrap();
        source.set_saved(n_changes);
        let (n_changes, bytes) = source.changed_bytes().unwrap().unwrap();
        assert!(bytes.windows(4).any(|part| part == b"late"));
        source.set_saved(n_changes);
        assert_eq!(source.changed_bytes().unwrap(), None);
    }
}
