//! Bytes as numbers of a Rust type, for libraries that take slices of them.

use crate::codec::Scratch;
use crate::element::{Element, as_bytes, as_bytes_mut};
use crate::error::{Error, Result};

/// Buffers above this size are not kept.
const KEPT_LEN_BYTES: usize = 64 << 20;

/// Calls `run` with the numbers whose bytes are `bytes`; what is behind the last is left out.
pub(super) fn read<T: Element, R>(
    bytes: &[u8],
    scratch: &mut Scratch,
    run: impl FnOnce(&[T]) -> Result<R>,
) -> Result<R> {
    let n = bytes.len() / size_of::<T>();
    with(scratch, n, |elements: &mut [T]| {
        as_bytes_mut(elements).copy_from_slice(bytes.get(..n * size_of::<T>()).unwrap_or_default());
        run(elements)
    })
}

/// Calls `run` with room for as many numbers as `bytes` has, and copies as many as it says it
/// wrote.
pub(super) fn write<T: Element>(
    bytes: &mut [u8],
    scratch: &mut Scratch,
    run: impl FnOnce(&mut [T]) -> Result<usize>,
) -> Result<usize> {
    let n = bytes.len() / size_of::<T>();
    with(scratch, n, |elements: &mut [T]| {
        let written = run(elements)?.min(n);
        let from = as_bytes(elements.get(..written).unwrap_or_default());
        bytes.get_mut(..from.len()).unwrap_or_default().copy_from_slice(from);
        Ok(from.len())
    })
}

/// Calls `run` with `n` numbers in memory that the thread keeps.
fn with<T: Element, R>(
    scratch: &mut Scratch,
    n: usize,
    run: impl FnOnce(&mut [T]) -> Result<R>,
) -> Result<R> {
    let mut elements = std::mem::take(scratch.context::<Vec<T>>());
    elements
        .try_reserve(n.saturating_sub(elements.len()))
        .map_err(|_| Error::limit(format!("{n} numbers for a codec exceed the memory there is")))?;
    if elements.len() < n {
        elements.resize(n, T::default());
    }
    let result = run(elements.get_mut(..n).unwrap_or_default());
    if elements.capacity() * size_of::<T>() <= KEPT_LEN_BYTES {
        *scratch.context() = elements;
    }
    result
}
