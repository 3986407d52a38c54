//! Sparse matrices as dense ones.

use stook_core::{DType, Error, Limits, Result, Values};

use super::{Compressed, Layout, Sparse};

impl Sparse {
    /// The matrix with all its zeros, in C order; entries at one place add up, as in scipy.
    ///
    /// # Errors
    /// `Unsupported` for entries that are no numbers, `LimitExceeded` over
    /// [`Limits::chunk_len_bytes`].
    pub fn to_dense(&self, limits: &Limits) -> Result<Values> {
        let dtype = self.data.dtype().clone();
        let [n_rows, n_columns] = self.shape;
        let len =
            n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(dtype.item_size() as u64));
        let len = len.ok_or_else(|| Error::limit(format!("shape {:?} overflows", self.shape)))?;
        limits.chunk(len)?;
        let dense = Values::zeroed(dtype.clone(), self.shape.to_vec())?;
        let (dtype, shape, mut items, heap) = dense.into_parts();
        let from = self.data.items();
        macro_rules! scatter {
            ($type:ty, $add:expr) => {
                self.scatter::<{ size_of::<$type>() }>(from, &mut items, &|to, from| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    {
                        let add: fn($type, $type) -> $type = $add;
                        let sum = add(<$type>::from_ne_bytes(*to), <$type>::from_ne_bytes(*from));
                        *to = sum.to_ne_bytes();
                    }
                })
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
            DType::Complex64 => self.scatter::<8>(from, &mut items, &|to, from| {
                add_parts::<4>(to, from, &|to, from| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    let sum = (f32::from_ne_bytes(*to) + f32::from_ne_bytes(*from)).to_ne_bytes();
                    *to = sum;
                });
            }),
            DType::Complex128 => self.scatter::<16>(from, &mut items, &|to, from| {
                add_parts::<8>(to, from, &|to, from| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    let sum = (f64::from_ne_bytes(*to) + f64::from_ne_bytes(*from)).to_ne_bytes();
                    *to = sum;
                });
            }),
            other => return Err(Error::unsupported(format!("a sparse matrix of {other}"))),
        }
        Values::new(dtype, shape, items, heap)
    }

    /// Adds each entry of `from` to its place in `to`. Places are in range: the matrix was
    /// checked when it was made.
    fn scatter<const N: usize>(
        &self,
        from: &[u8],
        to: &mut [u8],
        add: &dyn Fn(&mut [u8; N], &[u8; N]),
    ) {
        let (entries, _) = from.as_chunks::<N>();
        let (places, _) = to.as_chunks_mut::<N>();
        let width = self.shape[1];
        let mut put = |row: u64, column: u64, entry: Option<&[u8; N]>| {
            let place = usize::try_from(row * width + column).ok();
            if let (Some(place), Some(entry)) = (place.and_then(|at| places.get_mut(at)), entry) {
                add(place, entry);
            }
        };
        match &self.layout {
            Layout::Csr(part) => part.for_each(|row, column, at| put(row, column, entries.get(at))),
            Layout::Csc(part) => part.for_each(|column, row, at| put(row, column, entries.get(at))),
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
                    for (column, entry) in (0..width).zip(diagonal) {
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

impl Compressed {
    /// Calls `visit` with group, place and number of each entry.
    fn for_each(&self, mut visit: impl FnMut(u64, u64, usize)) {
        for (group, range) in (0_u64..).zip(self.pointers.windows(2)) {
            let &[start, end] = range else { continue };
            let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
            for (at, place) in range.clone().zip(self.indices.get(range).unwrap_or_default()) {
                visit(group, *place, at);
            }
        }
    }
}

fn add_parts<const N: usize>(to: &mut [u8], from: &[u8], add: &dyn Fn(&mut [u8; N], &[u8; N])) {
    for (to, from) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks::<N>().0) {
        add(to, from);
    }
}
