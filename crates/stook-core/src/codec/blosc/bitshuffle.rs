//! Bit shuffle within a Blosc block: bit 0 of byte 0 of all items, then bit 1, and so on.

use crate::codec::shuffle;

/// Turns rows of bits into planes of bytes, the form that byte shuffle has.
///
/// With `n` items, a multiple of eight, row `8 * j + k` holds bit `k` of byte `j` of every item
/// in `n / 8` bytes; plane `j` holds byte `j` of every item. Bytes behind the last whole item
/// are copied. `to` has as many bytes as `from`.
pub(super) fn gather_bits(item_size: usize, from: &[u8], to: &mut [u8]) {
    let n = from.len() / item_size;
    let (rows, tail) = from.split_at(n * item_size);
    let (planes, rest) = to.split_at_mut(rows.len());
    rest.copy_from_slice(tail);
    if n == 0 {
        return;
    }
    for (rows, plane) in rows.chunks_exact(n).zip(planes.chunks_exact_mut(n)) {
        // The eight bytes of eight items side by side, then the bits of each eight.
        shuffle::unshuffle(8, rows, plane);
        for items in plane.as_chunks_mut::<8>().0 {
            *items = transpose_8x8(u64::from_le_bytes(*items)).to_le_bytes();
        }
    }
}

/// Exchanges bit `j` of byte `i` with bit `i` of byte `j`.
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

    #[test]
    fn rows_become_planes() {
        let (item_size, n) = (3, 24);
        let planes: Vec<u8> = (0..item_size * n + 2).map(|i| ((i * 37) ^ (i >> 2)) as u8).collect();
        let mut rows = vec![0; planes.len()];
        rows[item_size * n..].copy_from_slice(&planes[item_size * n..]);
        for (i, bit) in (0..item_size * n).flat_map(|i| (0..8).map(move |bit| (i, bit))) {
            let (plane, item) = (i / n, i % n);
            rows[(8 * plane + bit) * n / 8 + item / 8] |= (planes[i] >> bit & 1) << (item % 8);
        }
        let mut back = vec![0; planes.len()];
        gather_bits(item_size, &rows, &mut back);
        assert_eq!(back, planes);
    }
}
