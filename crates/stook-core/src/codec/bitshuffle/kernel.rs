//! The bit shuffle: bit 0 of byte 0 of all items, then bit 1, and so on.
//!
//! With `n` items, a multiple of eight, row `8 * j + k` holds bit `k` of byte `j` of every item
//! in `n / 8` bytes, the first item lowest. It is done in tiles that stay in the first-level
//! cache: byte shuffle turns items to planes (byte `j` of each), the bits of eight bytes of a
//! plane are transposed, and a byte shuffle of those makes rows.

use crate::codec::shuffle::{self, lanes};

/// Items that are worked on in registers: one of each row.
const GROUP: usize = 8 * lanes::LEN;
/// Items of a tile: a cache line of each row. Rows often lie a power of two apart, so that all of
/// them compete for few places in the cache, and a line is best finished at once.
const TILE: usize = 4 * GROUP;

/// Shuffles the bits of the items in `from` to `to`, which has as many bytes: a whole number of
/// items, and of items a multiple of eight. `planes` is room that is kept from call to call.
pub(in crate::codec) fn shuffle_bits(
    item_size: usize,
    from: &[u8],
    to: &mut [u8],
    planes: &mut Vec<u8>,
) {
    let rows = Rows::new(item_size, from.len(), planes);
    #[cfg(target_arch = "x86_64")]
    if let Some(processor) = Processor::detect() {
        return processor.scatter(rows, from, to, planes);
    }
    rows.scatter(from, to, planes, transpose_all);
}

/// Undoes [`shuffle_bits`].
pub(in crate::codec) fn unshuffle_bits(
    item_size: usize,
    from: &[u8],
    to: &mut [u8],
    planes: &mut Vec<u8>,
) {
    let rows = Rows::new(item_size, from.len(), planes);
    #[cfg(target_arch = "x86_64")]
    if let Some(processor) = Processor::detect() {
        return processor.gather(rows, from, to, planes);
    }
    rows.gather(from, to, planes, transpose_all);
}

/// The same code compiled for what newer processors have.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
enum Processor {
    Avx2,
    /// And an instruction that transposes bits.
    Gfni,
}

#[cfg(target_arch = "x86_64")]
impl Processor {
    fn detect() -> Option<Self> {
        use std::arch::is_x86_feature_detected as has;
        match (has!("avx2"), has!("gfni")) {
            (true, true) => Some(Self::Gfni),
            (true, false) => Some(Self::Avx2),
            _ => None,
        }
    }

    #[expect(unsafe_code, reason = "vector instructions ask for a processor feature")]
    fn scatter(self, rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
        #[target_feature(enable = "avx2")]
        fn avx2(rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
            rows.scatter(from, to, planes, transpose_all);
        }
        #[target_feature(enable = "avx2,gfni")]
        fn gfni(rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
            rows.scatter(from, to, planes, |plane| transpose_all_gfni(plane));
        }
        match self {
            // SAFETY: the processor was found to have this feature.
            Self::Avx2 => unsafe { avx2(rows, from, to, planes) },
            // SAFETY: the processor was found to have these features.
            Self::Gfni => unsafe { gfni(rows, from, to, planes) },
        }
    }

    #[expect(unsafe_code, reason = "vector instructions ask for a processor feature")]
    fn gather(self, rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
        #[target_feature(enable = "avx2")]
        fn avx2(rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
            rows.gather(from, to, planes, transpose_all);
        }
        #[target_feature(enable = "avx2,gfni")]
        fn gfni(rows: Rows, from: &[u8], to: &mut [u8], planes: &mut [u8]) {
            rows.gather(from, to, planes, |plane| transpose_all_gfni(plane));
        }
        match self {
            // SAFETY: the processor was found to have this feature.
            Self::Avx2 => unsafe { avx2(rows, from, to, planes) },
            // SAFETY: the processor was found to have these features.
            Self::Gfni => unsafe { gfni(rows, from, to, planes) },
        }
    }
}

/// How the rows of a buffer lie.
#[derive(Clone, Copy)]
struct Rows {
    item_size: usize,
    n_items: usize,
}

impl Rows {
    fn new(item_size: usize, len: usize, planes: &mut Vec<u8>) -> Self {
        let n_items = len / item_size.max(1);
        debug_assert!(n_items.is_multiple_of(8) && len == n_items * item_size);
        let room = item_size * TILE.min(n_items);
        if planes.len() < room {
            planes.resize(room, 0);
        }
        Self { item_size, n_items }
    }

    /// Where bit `bit` of byte `byte` of item `item`, a multiple of eight, lies.
    #[inline(always)]
    fn at(self, byte: usize, bit: usize, item: usize) -> usize {
        (8 * byte + bit) * (self.n_items / 8) + item / 8
    }

    /// Items to rows.
    #[inline(always)]
    fn scatter(
        self,
        from: &[u8],
        to: &mut [u8],
        planes: &mut [u8],
        transpose: impl Fn(&mut [u8; GROUP]),
    ) {
        for (at, items) in from.chunks(self.item_size * TILE).enumerate() {
            let n = items.len() / self.item_size;
            let planes = &mut planes[..items.len()];
            shuffle::shuffle(self.item_size, items, planes);
            for (byte, plane) in planes.chunks_exact_mut(n).enumerate() {
                let (groups, last) = plane.as_chunks_mut::<GROUP>();
                let mut item = at * TILE;
                for group in groups {
                    transpose(group);
                    self.scatter_group(group, byte, item, to);
                    item += GROUP;
                }
                self.scatter_last(last, byte, item, to);
            }
        }
    }

    /// Rows to items.
    #[inline(always)]
    fn gather(
        self,
        from: &[u8],
        to: &mut [u8],
        planes: &mut [u8],
        transpose: impl Fn(&mut [u8; GROUP]),
    ) {
        for (at, items) in to.chunks_mut(self.item_size * TILE).enumerate() {
            let n = items.len() / self.item_size;
            let planes = &mut planes[..items.len()];
            for (byte, plane) in planes.chunks_exact_mut(n).enumerate() {
                let (groups, last) = plane.as_chunks_mut::<GROUP>();
                let mut item = at * TILE;
                for group in groups {
                    self.gather_group(from, byte, item, group);
                    transpose(group);
                    item += GROUP;
                }
                self.gather_last(from, byte, item, last);
            }
            shuffle::unshuffle(self.item_size, planes, items);
        }
    }

    /// Transposed bits to rows.
    #[inline(always)]
    fn scatter_group(self, group: &[u8; GROUP], byte: usize, item: usize, to: &mut [u8]) {
        let (columns, _) = group.as_chunks::<{ lanes::LEN }>();
        let rows =
            lanes::rotate::<8>(std::array::from_fn(|i| lanes::load(&columns[i])), lanes::LEN);
        for (bit, row) in rows.into_iter().enumerate() {
            let start = self.at(byte, bit, item);
            to[start..start + lanes::LEN].copy_from_slice(&lanes::store(row));
        }
    }

    /// Rows to bits that are to be transposed.
    #[inline(always)]
    fn gather_group(self, from: &[u8], byte: usize, item: usize, group: &mut [u8; GROUP]) {
        let rows = std::array::from_fn(|bit| {
            let row = from[self.at(byte, bit, item)..].first_chunk();
            lanes::load(row.expect("a row holds a bit of each item"))
        });
        let (columns, _) = group.as_chunks_mut::<{ lanes::LEN }>();
        for (column, row) in columns.iter_mut().zip(lanes::rotate::<8>(rows, 8)) {
            *column = lanes::store(row);
        }
    }

    /// The same for fewer items than a group has, transposing them.
    fn scatter_last(self, plane: &[u8], byte: usize, item: usize, to: &mut [u8]) {
        for (at, items) in plane.as_chunks::<8>().0.iter().enumerate() {
            let bits = transpose_8x8(u64::from_le_bytes(*items)).to_le_bytes();
            for (bit, bits) in bits.into_iter().enumerate() {
                to[self.at(byte, bit, item) + at] = bits;
            }
        }
    }

    fn gather_last(self, from: &[u8], byte: usize, item: usize, plane: &mut [u8]) {
        for (at, items) in plane.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let bits = std::array::from_fn(|bit| from[self.at(byte, bit, item) + at]);
            *items = transpose_8x8(u64::from_le_bytes(bits)).to_le_bytes();
        }
    }
}

/// Transposes each eight bytes by the instruction that multiplies matrices of bits: with the unit
/// vectors it gives a matrix's columns, if its rows are put in the opposite order before.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,gfni")]
#[inline]
#[expect(unsafe_code, reason = "vector instructions take pointers")]
fn transpose_all_gfni(group: &mut [u8; GROUP]) {
    use std::arch::x86_64::{
        _mm256_gf2p8affine_epi64_epi8, _mm256_loadu_si256, _mm256_set_epi64x, _mm256_set1_epi64x,
        _mm256_shuffle_epi8, _mm256_storeu_si256,
    };
    let units = _mm256_set1_epi64x(i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]));
    let (low, high) = (0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F);
    let opposite = _mm256_set_epi64x(high, low, high, low);
    for bytes in group.as_chunks_mut::<32>().0 {
        // SAFETY: 32 bytes are readable, and need no alignment.
        let rows = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        let rows = _mm256_shuffle_epi8(rows, opposite);
        let columns = _mm256_gf2p8affine_epi64_epi8::<0>(units, rows);
        // SAFETY: 32 bytes are writable, and need no alignment.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), columns) };
    }
}

/// Transposes each eight bytes, in a form that compiles to vector instructions.
#[inline(always)]
fn transpose_all(group: &mut [u8; GROUP]) {
    for bytes in group.as_chunks_mut::<8>().0 {
        *bytes = transpose_8x8(u64::from_le_bytes(*bytes)).to_le_bytes();
    }
}

/// Exchanges bit `j` of byte `i` with bit `i` of byte `j`.
#[inline(always)]
fn transpose_8x8(bits: u64) -> u64 {
    let swap = |bits: u64, shift: u32, mask: u64| {
        let moved = (bits ^ (bits >> shift)) & mask;
        bits ^ moved ^ (moved << shift)
    };
    let bits = swap(bits, 7, 0x00AA_00AA_00AA_00AA);
    let bits = swap(bits, 14, 0x0000_CCCC_0000_CCCC);
    swap(bits, 28, 0x0000_0000_F0F0_F0F0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, bit by bit.
    fn naive(item_size: usize, from: &[u8]) -> Vec<u8> {
        let n = from.len() / item_size;
        let mut to = vec![0; from.len()];
        for (item, bytes) in from.chunks_exact(item_size).enumerate() {
            for (byte, bit) in (0..item_size).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
                to[(8 * byte + bit) * n / 8 + item / 8] |= (bytes[byte] >> bit & 1) << (item % 8);
            }
        }
        to
    }

    #[test]
    fn bits_go_where_the_definition_says() {
        let mut planes = Vec::new();
        for item_size in [1, 2, 3, 4, 7, 8, 16, 17, 40] {
            for n in [0, 8, 16, 120, 128, 136, 256, 512, 1000, 1104] {
                let from: Vec<u8> =
                    (0..item_size * n).map(|i| ((i * 37) ^ (i >> 2)) as u8).collect();
                let (mut rows, mut back) = (vec![0; from.len()], vec![0; from.len()]);
                shuffle_bits(item_size, &from, &mut rows, &mut planes);
                assert!(rows == naive(item_size, &from), "{n} of {item_size}");
                unshuffle_bits(item_size, &rows, &mut back, &mut planes);
                assert!(back == from, "{n} of {item_size}");
                let all = Rows::new(item_size, from.len(), &mut planes);
                if n > 0 {
                    all.scatter(&from, &mut rows, &mut planes, transpose_all);
                    assert!(rows == naive(item_size, &from), "{n} of {item_size}");
                    all.gather(&rows, &mut back, &mut planes, transpose_all);
                    assert!(back == from, "{n} of {item_size}");
                }
            }
        }
    }
}
