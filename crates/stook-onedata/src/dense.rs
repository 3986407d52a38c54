//! Sparse columns as a dense matrix, several at a time.

use std::sync::{Mutex, PoisonError};

use stook::sparse::{Compressed, Layout, Sparse};
use stook_core::engine::for_each;
use stook_core::{DType, Error, Limits, Result, Values};

use crate::transpose::{n_threads, transpose};

/// Fewer entries than this are not worth a thread.
const MIN_THREAD_ENTRIES: usize = 1 << 16;
/// Pieces of work a thread: columns differ in how many entries they have.
const PIECES_PER_THREAD: usize = 8;

/// The matrix with all its zeros, in C order; entries at one place add up, as in scipy.
///
/// # Errors
/// As [`dense_columns`].
pub fn to_dense(matrix: &Sparse, limits: &Limits) -> Result<Values> {
    match matrix.layout() {
        Layout::Csc(_) => transpose(&dense_columns(matrix, limits)?),
        _ => matrix.to_dense(limits),
    }
}

/// The columns of the matrix with all their zeros, one behind the other: the transposed matrix in
/// C order, which is the matrix in Fortran order.
///
/// # Errors
/// `Unsupported` for entries that are no numbers, `LimitExceeded` over
/// [`Limits::chunk_len_bytes`].
pub fn dense_columns(matrix: &Sparse, limits: &Limits) -> Result<Values> {
    let Layout::Csc(part) = matrix.layout() else {
        return transpose(&matrix.to_dense(limits)?);
    };
    let dtype = matrix.data().dtype().clone();
    let [n_rows, n_columns] = matrix.shape();
    let len = n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(dtype.item_size() as u64));
    let len = len.ok_or_else(|| Error::limit(format!("shape {:?} overflows", matrix.shape())))?;
    limits.chunk(len)?;
    let (dtype, shape, mut items, heap) =
        Values::zeroed(dtype, vec![n_columns, n_rows])?.into_parts();
    let (from, n_rows) = (matrix.data().items(), usize::try_from(n_rows).unwrap_or(0));
    macro_rules! scatter {
        ($type:ty, $add:expr) => {
            scatter::<{ size_of::<$type>() }>(part, from, n_rows, &mut items, |to, from| {
                #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                {
                    let add: fn($type, $type) -> $type = $add;
                    let sum = add(<$type>::from_ne_bytes(*to), <$type>::from_ne_bytes(*from));
                    *to = sum.to_ne_bytes();
                }
            })?
        };
    }
    match &dtype {
        DType::Bool => scatter!(u8, |a, b| a | b),
        DType::Int8 | DType::UInt8 => scatter!(u8, u8::wrapping_add),
        DType::Int16 | DType::UInt16 => scatter!(u16, u16::wrapping_add),
        DType::Int32 | DType::UInt32 => scatter!(u32, u32::wrapping_add),
        DType::Int64 | DType::UInt64 => scatter!(u64, u64::wrapping_add),
        DType::Float32 => scatter!(f32, |a, b| a + b),
        DType::Float64 => scatter!(f64, |a, b| a + b),
        _ => return transpose(&matrix.to_dense(limits)?),
    }
    Values::new(dtype, shape, items, heap)
}

/// Adds each entry to its place; runs of columns are pieces of work of their own.
fn scatter<const N: usize>(
    part: &Compressed,
    from: &[u8],
    n_rows: usize,
    to: &mut [u8],
    add: impl Fn(&mut [u8; N], &[u8; N]) + Sync,
) -> Result<()> {
    let (entries, places) = (from.as_chunks::<N>().0, to.as_chunks_mut::<N>().0);
    if n_rows == 0 || entries.is_empty() {
        return Ok(());
    }
    let threads = (entries.len() / MIN_THREAD_ENTRIES).clamp(1, n_threads());
    let n_columns = places.len() / n_rows;
    let n_in_piece = n_columns.div_ceil(threads * PIECES_PER_THREAD).max(1);
    let pieces: Vec<_> = places.chunks_mut(n_in_piece * n_rows).map(Mutex::new).collect();
    for_each(pieces.len(), threads, &|at| {
        let Some(piece) = pieces.get(at) else { return Ok(()) };
        let mut piece = piece.lock().unwrap_or_else(PoisonError::into_inner);
        let first = at * n_in_piece;
        for (column, line) in (first..).zip(piece.chunks_exact_mut(n_rows)) {
            let end = part.pointers.get(column + 1).copied().unwrap_or(0);
            let start = part.pointers.get(column).copied().unwrap_or(end);
            let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
            let rows = part.indices.get(range.clone()).unwrap_or_default();
            for (row, entry) in rows.iter().zip(entries.get(range).unwrap_or_default()) {
                if let Some(place) = usize::try_from(*row).ok().and_then(|row| line.get_mut(row)) {
                    add(place, entry);
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::host_endian_bytes, reason = "items are native-endian")]

    use super::*;

    fn matrix(n_rows: u64, n_columns: u64, n_in_column: u64) -> Sparse {
        let mut indices = Vec::new();
        for column in 0..n_columns {
            // Some rows twice.
            indices.extend((0..n_in_column).map(|i| (i * i * 7 + column) % n_rows));
        }
        let pointers = (0..=n_columns).map(|column| column * n_in_column).collect();
        let n = indices.len() as u64;
        let items = (0..n).flat_map(|i| (i as f32).to_ne_bytes()).collect();
        let data = Values::new(DType::Float32, vec![n], items, vec![]).unwrap();
        let layout = Layout::Csc(Compressed { pointers, indices });
        Sparse::new([n_rows, n_columns], layout, data).unwrap()
    }

    #[test]
    fn columns_come_out_as_one_by_one() {
        for (n_rows, n_columns, n_in_column) in
            [(1, 1, 1), (7, 3, 5), (100, 40, 0), (500, 2000, 90)]
        {
            let matrix = matrix(n_rows, n_columns, n_in_column);
            let limits = Limits::default();
            let plain = matrix.to_dense(&limits).unwrap();
            assert_eq!(to_dense(&matrix, &limits).unwrap(), plain);
            assert_eq!(dense_columns(&matrix, &limits).unwrap(), transpose(&plain).unwrap());
        }
    }

    #[test]
    fn a_matrix_over_the_limit_is_refused() {
        let data = Values::new(DType::Float64, vec![0], vec![], vec![]).unwrap();
        let layout = Layout::Csc(Compressed { pointers: vec![0; 3], indices: vec![] });
        let matrix = Sparse::new([1 << 62, 2], layout, data).unwrap();
        let error = dense_columns(&matrix, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), stook_core::ErrorKind::LimitExceeded);
    }
}
