//! Sparse matrices as dense ones. What is compressed by rows or columns is filled by several threads.

use std::sync::{Mutex, PoisonError};

use stook_core::engine::for_each;
use stook_core::{DType, Error, Limits, Result, Values};

use super::indices::{Index, with_items};
use super::{Compressed, Layout, Sparse, n_threads};

/// Fewer entries than this are not worth a thread.
const MIN_THREAD_ENTRIES: usize = 1 << 16;
/// Pieces of work a thread: rows or columns differ in how many entries they have.
const PIECES_PER_THREAD: usize = 8;
/// A column is spread over this many lines of a piece in C order at least, so that each of them is
/// looked for once for many entries.
const MIN_PIECE_ROWS: usize = 256;

/// Which way the elements of a dense matrix lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Row behind row.
    C,
    /// Column behind column.
    Fortran,
}

/// How an entry is added to its place.
type Add<const N: usize> = fn(&mut [u8; N], &[u8; N]);

/// What is given row, column and value of an entry.
type Put<'a, const N: usize> = dyn FnMut(u64, u64, Option<&[u8; N]>) + 'a;

impl Sparse {
    /// The matrix with all its zeros, in C order; entries at one place add up, as in scipy.
    ///
    /// # Errors
    /// `Unsupported` for entries that are no numbers, `LimitExceeded` over
    /// [`Limits::chunk_len_bytes`].
    pub fn to_dense(&self, limits: &Limits) -> Result<Values> {
        self.dense(Order::C, limits)
    }

    /// The columns of the matrix with all their zeros, one behind the other: the transposed matrix in
    /// C order, which is the matrix in Fortran order.
    ///
    /// # Errors
    /// As [`Sparse::to_dense`].
    pub fn to_dense_columns(&self, limits: &Limits) -> Result<Values> {
        self.dense(Order::Fortran, limits)
    }

    fn dense(&self, order: Order, limits: &Limits) -> Result<Values> {
        let dtype = self.data.dtype().clone();
        let [n_rows, n_columns] = self.shape;
        let len =
            n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(dtype.item_size() as u64));
        let len = len.ok_or_else(|| Error::limit(format!("shape {:?} overflows", self.shape)))?;
        limits.chunk(len)?;
        let shape = match order {
            Order::C => vec![n_rows, n_columns],
            Order::Fortran => vec![n_columns, n_rows],
        };
        let (dtype, shape, mut items, heap) = Values::zeroed(dtype, shape)?.into_parts();
        macro_rules! scatter {
            ($type:ty, $add:expr) => {
                self.scatter::<{ size_of::<$type>() }>(order, &mut items, |to, from| {
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
            DType::Complex64 => self.scatter::<8>(order, &mut items, |to, from| {
                add_parts::<4>(to, from, |to, from| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    let sum = (f32::from_ne_bytes(*to) + f32::from_ne_bytes(*from)).to_ne_bytes();
                    *to = sum;
                });
            })?,
            DType::Complex128 => self.scatter::<16>(order, &mut items, |to, from| {
                add_parts::<8>(to, from, |to, from| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    let sum = (f64::from_ne_bytes(*to) + f64::from_ne_bytes(*from)).to_ne_bytes();
                    *to = sum;
                });
            })?,
            other => return Err(Error::unsupported(format!("a sparse matrix of {other}"))),
        }
        Values::new(dtype, shape, items, heap)
    }

    /// Adds each entry to its place in `to`. Places are in range: the matrix was checked when it was
    /// made.
    fn scatter<const N: usize>(
        &self,
        order: Order,
        to: &mut [u8],
        add: impl Fn(&mut [u8; N], &[u8; N]) + Sync,
    ) -> Result<()> {
        let (entries, _) = self.data.items().as_chunks::<N>();
        let (places, _) = to.as_chunks_mut::<N>();
        let [n_rows, n_columns] = self.shape;
        let (line, is_along) = match (&self.layout, order) {
            (Layout::Csr(_), order) => (n_columns, order == Order::C),
            (Layout::Csc(_), order) => (n_rows, order == Order::Fortran),
            _ => (0, false),
        };
        match &self.layout {
            Layout::Csr(part) | Layout::Csc(part) if is_along => {
                let line_len = usize::try_from(line).unwrap_or(0);
                with_items!(part.indices, indices => {
                    along((part, indices), entries, line_len, places, add)
                })
            }
            Layout::Csr(part) | Layout::Csc(part) => {
                let n_groups = part.pointers.len().saturating_sub(1);
                with_items!(part.indices, indices => {
                    across((part, indices), entries, n_groups, places, add)
                })
            }
            _ => {
                let mut put = |row: u64, column: u64, entry: Option<&[u8; N]>| {
                    let place = match order {
                        Order::C => row * n_columns + column,
                        Order::Fortran => column * n_rows + row,
                    };
                    let place = usize::try_from(place).ok().and_then(|at| places.get_mut(at));
                    if let (Some(place), Some(entry)) = (place, entry) {
                        add(place, entry);
                    }
                };
                self.for_each_other(entries, &mut put);
                Ok(())
            }
        }
    }

    /// Calls `put` with row, column and value of each entry of a layout that is not compressed.
    fn for_each_other<const N: usize>(&self, entries: &[[u8; N]], put: &mut Put<'_, N>) {
        match &self.layout {
            Layout::Csr(_) | Layout::Csc(_) => {}
            Layout::Coo { rows, columns } => {
                for ((row, column), entry) in rows.iter().zip(columns).zip(entries) {
                    put(*row, *column, Some(entry));
                }
            }
            Layout::Bsr { blocks, block_shape: [n_rows, n_columns] } => {
                let block_len = usize::try_from(n_rows * n_columns).unwrap_or(usize::MAX);
                blocks.for_each(|block_row, block_column, at| {
                    let block = entries.get(at.saturating_mul(block_len)..).unwrap_or_default();
                    let cells = (0..*n_rows).flat_map(|i| (0..*n_columns).map(move |j| (i, j)));
                    for ((i, j), entry) in cells.zip(block) {
                        put(block_row * n_rows + i, block_column * n_columns + j, Some(entry));
                    }
                });
            }
            Layout::Dia { offsets } => {
                let len = self.data.shape().get(1).copied().unwrap_or(0);
                let rows = entries.chunks(usize::try_from(len).unwrap_or(usize::MAX).max(1));
                for (offset, diagonal) in offsets.iter().zip(rows) {
                    for (column, entry) in (0..self.shape[1]).zip(diagonal) {
                        let row = column.checked_add_signed(offset.saturating_neg());
                        if let Some(row) = row.filter(|&row| row < self.shape[0]) {
                            put(row, column, Some(entry));
                        }
                    }
                }
            }
        }
    }
}

fn threads_for(n_entries: usize) -> usize {
    (n_entries / MIN_THREAD_ENTRIES).clamp(1, n_threads())
}

/// Where the entries of a group lie.
fn range_of(part: &Compressed, group: usize) -> std::ops::Range<usize> {
    let end = part.pointers.get(group + 1).unwrap_or(0);
    let start = part.pointers.get(group).unwrap_or(end);
    usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
}

/// Groups that are lines of `places`: runs of them are pieces of work of their own.
fn along<const N: usize, I: Index>(
    (part, indices): (&Compressed, &[I]),
    entries: &[[u8; N]],
    line_len: usize,
    places: &mut [[u8; N]],
    add: impl Fn(&mut [u8; N], &[u8; N]) + Sync,
) -> Result<()> {
    if line_len == 0 || entries.is_empty() {
        return Ok(());
    }
    let threads = threads_for(entries.len());
    let n_in_piece = (places.len() / line_len).div_ceil(threads * PIECES_PER_THREAD).max(1);
    let pieces: Vec<_> = places.chunks_mut(n_in_piece * line_len).map(Mutex::new).collect();
    for_each(pieces.len(), threads, &|at| {
        let Some(piece) = pieces.get(at) else { return Ok(()) };
        let mut piece = piece.lock().unwrap_or_else(PoisonError::into_inner);
        for (group, line) in (at * n_in_piece..).zip(piece.chunks_exact_mut(line_len)) {
            let range = range_of(part, group);
            let inner = indices.get(range.clone()).unwrap_or_default();
            for (index, entry) in inner.iter().zip(entries.get(range).unwrap_or_default()) {
                if let Some(place) = line.get_mut(index.place()) {
                    add(place, entry);
                }
            }
        }
        Ok(())
    })
}

/// Groups that lie across the lines of `places`, of which there are as many as a line has elements:
/// runs of lines are pieces of work, for which all groups are gone through. Indices need not be sorted,
/// so that a piece looks at each of them.
fn across<const N: usize, I: Index>(
    (part, indices): (&Compressed, &[I]),
    entries: &[[u8; N]],
    n_groups: usize,
    places: &mut [[u8; N]],
    add: impl Fn(&mut [u8; N], &[u8; N]) + Sync,
) -> Result<()> {
    if n_groups == 0 || entries.is_empty() {
        return Ok(());
    }
    let n_lines = places.len() / n_groups;
    let threads = threads_for(entries.len()).min(n_lines / MIN_PIECE_ROWS + 1);
    let n_in_piece = n_lines.div_ceil(threads).max(1);
    let pieces: Vec<_> = places.chunks_mut(n_in_piece * n_groups).map(Mutex::new).collect();
    for_each(pieces.len(), threads, &|at| {
        let Some(piece) = pieces.get(at) else { return Ok(()) };
        let mut piece = piece.lock().unwrap_or_else(PoisonError::into_inner);
        let first = at * n_in_piece;
        for group in 0..n_groups {
            let range = range_of(part, group);
            let inner = indices.get(range.clone()).unwrap_or_default();
            for (index, entry) in inner.iter().zip(entries.get(range).unwrap_or_default()) {
                let line = index.place().checked_sub(first);
                let place = line.and_then(|line| line.checked_mul(n_groups)?.checked_add(group));
                if let Some(place) = place.and_then(|at| piece.get_mut(at)) {
                    add(place, entry);
                }
            }
        }
        Ok(())
    })
}

impl Compressed {
    /// Calls `visit` with group, place and number of each entry.
    fn for_each(&self, mut visit: impl FnMut(u64, u64, usize)) {
        for group in 0..self.pointers.len().saturating_sub(1) {
            for at in range_of(self, group) {
                if let Some(place) = self.indices.get(at) {
                    visit(group as u64, place, at);
                }
            }
        }
    }
}

fn add_parts<const N: usize>(to: &mut [u8], from: &[u8], add: Add<N>) {
    for (to, from) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks::<N>().0) {
        add(to, from);
    }
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
        let layout = Layout::Csc(Compressed { pointers, indices: indices.into() });
        Sparse::new([n_rows, n_columns], layout, data).unwrap()
    }

    /// The same entries each with its row and column.
    fn by_places(matrix: &Sparse) -> Sparse {
        let Layout::Csc(part) = matrix.layout() else { panic!() };
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        part.for_each(|column, row, _| {
            rows.push(row);
            columns.push(column);
        });
        Sparse::new(matrix.shape(), Layout::Coo { rows, columns }, matrix.data().clone()).unwrap()
    }

    #[test]
    fn lines_come_out_as_entry_by_entry() {
        for (n_rows, n_columns, n_in_column) in
            [(1, 1, 1), (7, 3, 5), (100, 40, 0), (900, 2000, 90)]
        {
            let matrix = matrix(n_rows, n_columns, n_in_column);
            let limits = Limits::default();
            let plain = by_places(&matrix);
            assert_eq!(matrix.to_dense(&limits).unwrap(), plain.to_dense(&limits).unwrap());
            let columns = matrix.to_dense_columns(&limits).unwrap();
            assert_eq!(columns, plain.to_dense_columns(&limits).unwrap());
            // The same entries are those of the transposed matrix by rows.
            let Layout::Csc(part) = matrix.layout().clone() else { panic!() };
            let turned =
                Sparse::new([n_columns, n_rows], Layout::Csr(part), matrix.data().clone()).unwrap();
            assert_eq!(turned.to_dense(&limits).unwrap(), columns);
        }
    }

    #[test]
    fn a_matrix_over_the_limit_is_refused() {
        let data = Values::new(DType::Float64, vec![0], vec![], vec![]).unwrap();
        let layout =
            Layout::Csc(Compressed { pointers: vec![0; 3].into(), indices: vec![].into() });
        let matrix = Sparse::new([1 << 62, 2], layout, data).unwrap();
        let error = matrix.to_dense_columns(&Limits::default()).unwrap_err();
        assert_eq!(error.kind(), stook_core::ErrorKind::LimitExceeded);
    }
}
