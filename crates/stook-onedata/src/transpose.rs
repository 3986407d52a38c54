//! A matrix turned on its side, in blocks that stay in the processor's cache, by several threads.

use stook_core::engine::for_each;
use stook_core::{Engine, Error, Result, Values};

/// Rows and columns of a block: 64 lines of memory of each matrix.
const BLOCK: usize = 64;
/// Fewer bytes than this are not worth a thread.
const MIN_THREAD_LEN: usize = 1 << 20;

/// The transposed matrix.
///
/// # Errors
/// `InvalidInput` for values that have other than two axes, or vary in length.
pub fn transpose(values: &Values) -> Result<Values> {
    let &[n_rows, n_columns] = values.shape() else {
        let found = values.shape();
        return Err(Error::invalid(format!("transpose: expected two axes, found shape {found:?}")));
    };
    if values.dtype().has_heap() {
        let dtype = values.dtype();
        return Err(Error::invalid(format!("transpose: items of type {dtype} have no fixed size")));
    }
    let mut items = Vec::new();
    let len = values.items().len();
    items.try_reserve_exact(len).map_err(|_| Error::limit(format!("no memory for {len} bytes")))?;
    items.resize(len, 0);
    let shape = [axis(n_rows)?, axis(n_columns)?];
    transpose_into(values.items(), shape, values.dtype().item_size(), &mut items)?;
    Values::new(values.dtype().clone(), vec![n_columns, n_rows], items, Vec::new())
}

fn axis(len: u64) -> Result<usize> {
    usize::try_from(len).map_err(|_| Error::limit(format!("an axis of length {len}")))
}

/// Fills `to` with the C-order matrix `from`, of `n_rows` and `n_columns` items of `item_size`
/// bytes, transposed.
///
/// # Errors
/// `InvalidInput` if either has not as many bytes as that, and those of a checkpoint.
pub fn transpose_into(
    from: &[u8],
    [n_rows, n_columns]: [usize; 2],
    item_size: usize,
    to: &mut [u8],
) -> Result<()> {
    let expected = n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(item_size));
    if expected != Some(from.len()) || from.len() != to.len() {
        let (from, to) = (from.len(), to.len());
        return Err(Error::invalid(format!(
            "transpose: {n_rows} by {n_columns} items of {item_size} bytes do not fit {from} and {to} bytes"
        )));
    }
    if from.is_empty() {
        return Ok(());
    }
    match item_size {
        1 => bands::<1>(from, [n_rows, n_columns], to),
        2 => bands::<2>(from, [n_rows, n_columns], to),
        4 => bands::<4>(from, [n_rows, n_columns], to),
        8 => bands::<8>(from, [n_rows, n_columns], to),
        16 => bands::<16>(from, [n_rows, n_columns], to),
        _ => {
            // Items that are rare are moved one by one.
            for (column, line) in to.chunks_exact_mut(n_rows * item_size).enumerate() {
                for (row, place) in line.chunks_exact_mut(item_size).enumerate() {
                    let at = (row * n_columns + column) * item_size;
                    place.copy_from_slice(from.get(at..at + item_size).unwrap_or_default());
                }
            }
            Ok(())
        }
    }
}

/// Each band of lines of `to` is one piece of work.
fn bands<const N: usize>(
    from: &[u8],
    [n_rows, n_columns]: [usize; 2],
    to: &mut [u8],
) -> Result<()> {
    let (from, to) = (from.as_chunks::<N>().0, to.as_chunks_mut::<N>().0);
    let bands: Vec<_> = to.chunks_mut(n_rows * BLOCK).map(std::sync::Mutex::new).collect();
    let n_threads = (from.len() * N / MIN_THREAD_LEN).clamp(1, n_threads());
    for_each(bands.len(), n_threads, &|at| {
        if let Some(band) = bands.get(at) {
            let mut band = band.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            fill_band(from, n_columns, at * BLOCK, n_rows, &mut band);
        }
        Ok(())
    })
}

/// Fills lines of the transposed matrix, from column `start` of `from` on.
fn fill_band<T: Copy>(from: &[T], n_columns: usize, start: usize, n_rows: usize, band: &mut [T]) {
    let n_lines = band.len() / n_rows;
    for first in (0..n_rows).step_by(BLOCK) {
        let last = n_rows.min(first + BLOCK);
        for (line, column) in band.chunks_exact_mut(n_rows).zip(start..start + n_lines) {
            let places = line.get_mut(first..last).unwrap_or_default();
            let items = from.get(first * n_columns + column..).unwrap_or_default();
            for (place, item) in places.iter_mut().zip(items.iter().step_by(n_columns)) {
                *place = *item;
            }
        }
    }
}

/// How many threads a call may use.
pub(crate) fn n_threads() -> usize {
    match Engine::global().config().threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::host_endian_bytes, reason = "items are native-endian")]

    use stook_core::DType;

    use super::*;

    #[test]
    fn every_shape_and_size_comes_out_as_by_hand() {
        for (n_rows, n_columns) in
            [(0, 5), (5, 0), (1, 1), (1, 700), (700, 1), (63, 65), (130, 200)]
        {
            for item_size in [1, 2, 3, 4, 8, 12, 16] {
                let len = n_rows * n_columns * item_size;
                let from: Vec<u8> = (0..len).map(|i| ((i * 31) >> 3) as u8 ^ i as u8).collect();
                let mut to = vec![0; len];
                transpose_into(&from, [n_rows, n_columns], item_size, &mut to).unwrap();
                for row in 0..n_rows {
                    for column in 0..n_columns {
                        let item =
                            |bytes: &[u8], at: usize| bytes[at * item_size..][..item_size].to_vec();
                        let (a, b) = (
                            item(&from, row * n_columns + column),
                            item(&to, column * n_rows + row),
                        );
                        assert_eq!(a, b);
                    }
                }
            }
        }
        assert!(transpose_into(&[0; 6], [2, 2], 2, &mut [0; 8]).is_err());
        assert!(transpose_into(&[0; 8], [2, 2], 2, &mut [0; 6]).is_err());
    }

    #[test]
    fn large_matrices_are_worked_on_by_several_threads() {
        let (n_rows, n_columns) = (700, 900);
        let numbers: Vec<u64> = (0..n_rows * n_columns).collect();
        let items = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let values = Values::new(DType::UInt64, vec![n_rows, n_columns], items, vec![]).unwrap();
        let turned = transpose(&values).unwrap();
        assert_eq!(turned.shape(), [n_columns, n_rows]);
        assert_eq!(turned.item(700).unwrap()[..2], [1, 0]);
        assert_eq!(transpose(&turned).unwrap(), values);
        assert!(transpose(&values.reshaped(vec![630_000]).unwrap()).is_err());
    }
}
