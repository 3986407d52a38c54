//! Byte shuffle: byte 0 of all items, then byte 1 of all, and so on.
//!
//! HDF5's filter 2 and numcodecs' `shuffle`; Blosc shuffles its blocks with the same functions.
//! Bytes behind the last whole item stay where they are.

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

/// Groups the bytes of items by their place in the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shuffle {
    item_size: usize,
}

impl Shuffle {
    pub(in crate::codec) fn new(item_size: usize) -> Result<Self> {
        if item_size == 0 {
            return Err(Error::invalid("shuffle: expected an item size of at least 1, found 0"));
        }
        Ok(Self { item_size })
    }
}

impl Codec for Shuffle {
    fn name(&self) -> &'static str {
        "shuffle"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        spare::reserve(out, raw.len())?;
        let start = out.len();
        out.resize(start + raw.len(), 0);
        shuffle(self.item_size, raw, &mut out[start..]);
        Ok(())
    }

    fn encode_to(&self, raw: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<()> {
        if out.len() != raw.len() {
            return Err(super::wrong_room("shuffle", raw.len(), out.len()));
        }
        shuffle(self.item_size, raw, out);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let len = out.len();
        let out = out
            .get_mut(..encoded.len())
            .ok_or_else(|| super::wrong_len("shuffle", len, encoded.len()))?;
        unshuffle(self.item_size, encoded, out);
        Ok(encoded.len())
    }
}

/// Bytes of the planes that are worked on at a time, so that they stay in the first-level cache.
const TILE_LEN: usize = 16 << 10;

/// Shuffles `from` to `to`, which has as many bytes.
pub(super) fn shuffle(item_size: usize, from: &[u8], to: &mut [u8]) {
    match item_size {
        0 | 1 => to.copy_from_slice(from),
        2 => shuffle_sized::<2>(from, to),
        4 => shuffle_sized::<4>(from, to),
        8 => shuffle_sized::<8>(from, to),
        16 => shuffle_sized::<16>(from, to),
        _ => {
            let n = from.len() / item_size;
            let (items, tail) = from.split_at(n * item_size);
            let (planes, rest) = to.split_at_mut(items.len());
            rest.copy_from_slice(tail);
            if n == 0 {
                return;
            }
            for (at, items) in items.chunks(item_size * tile(item_size)).enumerate() {
                let start = at * tile(item_size);
                for (byte, plane) in planes.chunks_exact_mut(n).enumerate() {
                    let bytes = items.iter().skip(byte).step_by(item_size);
                    plane[start..].iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }
}

/// Undoes [`shuffle`].
pub(super) fn unshuffle(item_size: usize, from: &[u8], to: &mut [u8]) {
    match item_size {
        0 | 1 => to.copy_from_slice(from),
        2 => unshuffle_sized::<2>(from, to),
        4 => unshuffle_sized::<4>(from, to),
        8 => unshuffle_sized::<8>(from, to),
        16 => unshuffle_sized::<16>(from, to),
        _ => {
            let n = from.len() / item_size;
            let (planes, tail) = from.split_at(n * item_size);
            let (items, rest) = to.split_at_mut(planes.len());
            rest.copy_from_slice(tail);
            if n == 0 {
                return;
            }
            for (at, items) in items.chunks_mut(item_size * tile(item_size)).enumerate() {
                let start = at * tile(item_size);
                for (byte, plane) in planes.chunks_exact(n).enumerate() {
                    let bytes = items.iter_mut().skip(byte).step_by(item_size);
                    bytes.zip(&plane[start..]).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }
}

/// Items of a tile.
fn tile(item_size: usize) -> usize {
    (TILE_LEN / item_size).max(16)
}

/// Items that are transposed in registers.
const GROUP: usize = lanes::LEN;

fn shuffle_sized<const N: usize>(from: &[u8], to: &mut [u8]) {
    let (items, tail) = from.as_chunks::<N>();
    let n = items.len();
    let (planes, rest) = to.split_at_mut(n * N);
    rest.copy_from_slice(tail);
    let mut start = wide::shuffle(items, planes);
    let (groups, last) = items[start..].as_chunks::<GROUP>();
    for group in groups {
        let (rows, _) = group.as_flattened().as_chunks::<GROUP>();
        let rows = lanes::rotate::<N>(std::array::from_fn(|i| lanes::load(&rows[i])), GROUP);
        for (byte, row) in rows.into_iter().enumerate() {
            let start = byte * n + start;
            planes[start..start + GROUP].copy_from_slice(&lanes::store(row));
        }
        start += GROUP;
    }
    for byte in 0..N {
        for (i, item) in last.iter().enumerate() {
            planes[byte * n + start + i] = item[byte];
        }
    }
}

fn unshuffle_sized<const N: usize>(from: &[u8], to: &mut [u8]) {
    let (items, rest) = to.as_chunks_mut::<N>();
    let n = items.len();
    let (planes, tail) = from.split_at(n * N);
    rest.copy_from_slice(tail);
    let mut start = wide::unshuffle(planes, items);
    let (groups, last) = items[start..].as_chunks_mut::<GROUP>();
    for group in groups {
        let rows: [lanes::Lanes; N] = std::array::from_fn(|byte| {
            let row = planes[byte * n + start..].first_chunk();
            lanes::load(row.expect("a plane holds a byte of each item"))
        });
        let rows = lanes::rotate::<N>(rows, N);
        let (to, _) = group.as_flattened_mut().as_chunks_mut::<GROUP>();
        for (to, row) in to.iter_mut().zip(rows) {
            *to = lanes::store(row);
        }
        start += GROUP;
    }
    for (i, item) in last.iter_mut().enumerate() {
        *item = std::array::from_fn(|byte| planes[byte * n + start + i]);
    }
}

/// Two groups at a time, on processors that have vectors of 32 bytes: each half of one is that
/// of [`lanes`] for its group, and what lies in both halves is in one piece in a plane.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions take pointers and ask for a feature")]
mod wide {
    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::{
        __m256i, _mm256_loadu_si256, _mm256_loadu2_m128i, _mm256_setzero_si256,
        _mm256_storeu_si256, _mm256_storeu2_m128i, _mm256_unpackhi_epi8, _mm256_unpacklo_epi8,
    };

    use super::GROUP;

    const PAIR: usize = 2 * GROUP;

    /// Shuffles items from the first on to planes of as many, and says how many it did.
    pub(super) fn shuffle<const N: usize>(items: &[[u8; N]], planes: &mut [u8]) -> usize {
        if !is_x86_feature_detected!("avx2") {
            return 0;
        }
        // SAFETY: the processor was found to have the feature.
        unsafe { shuffle_pairs(items, planes) }
    }

    /// Undoes [`shuffle`].
    pub(super) fn unshuffle<const N: usize>(planes: &[u8], items: &mut [[u8; N]]) -> usize {
        if !is_x86_feature_detected!("avx2") {
            return 0;
        }
        // SAFETY: the processor was found to have the feature.
        unsafe { unshuffle_pairs(planes, items) }
    }

    #[target_feature(enable = "avx2")]
    fn shuffle_pairs<const N: usize>(items: &[[u8; N]], planes: &mut [u8]) -> usize {
        let n = items.len();
        let (pairs, _) = items.as_chunks::<PAIR>();
        for (at, pair) in pairs.iter().enumerate() {
            let (rows, _) = pair.as_flattened().as_chunks::<GROUP>();
            let mut lanes = [_mm256_setzero_si256(); N];
            // No closure: it would lack the feature, and be called instead of inlined.
            for ((lanes, low), high) in lanes.iter_mut().zip(rows).zip(&rows[N..]) {
                // SAFETY: sixteen bytes are readable at each, and need no alignment.
                *lanes = unsafe { _mm256_loadu2_m128i(high.as_ptr().cast(), low.as_ptr().cast()) };
            }
            let rows = rotate(lanes, GROUP);
            for (byte, row) in rows.into_iter().enumerate() {
                let start = byte * n + at * PAIR;
                let to = &mut planes[start..start + PAIR];
                // SAFETY: 32 bytes are writable, and need no alignment.
                unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), row) };
            }
        }
        pairs.len() * PAIR
    }

    #[target_feature(enable = "avx2")]
    fn unshuffle_pairs<const N: usize>(planes: &[u8], items: &mut [[u8; N]]) -> usize {
        let n = items.len();
        let (pairs, _) = items.as_chunks_mut::<PAIR>();
        for (at, pair) in pairs.iter_mut().enumerate() {
            let mut rows = [_mm256_setzero_si256(); N];
            for (byte, row) in rows.iter_mut().enumerate() {
                let start = byte * n + at * PAIR;
                let from = &planes[start..start + PAIR];
                // SAFETY: 32 bytes are readable, and need no alignment.
                *row = unsafe { _mm256_loadu_si256(from.as_ptr().cast()) };
            }
            let rows = rotate(rows, N);
            let (low, high) = pair.split_at_mut(GROUP);
            let (low, _) = low.as_flattened_mut().as_chunks_mut::<GROUP>();
            let (high, _) = high.as_flattened_mut().as_chunks_mut::<GROUP>();
            for ((low, high), row) in low.iter_mut().zip(high).zip(rows) {
                // SAFETY: sixteen bytes are writable at each, and need no alignment.
                unsafe {
                    _mm256_storeu2_m128i(high.as_mut_ptr().cast(), low.as_mut_ptr().cast(), row);
                }
            }
        }
        pairs.len() * PAIR
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn rotate<const N: usize>(mut lanes: [__m256i; N], n: usize) -> [__m256i; N] {
        for _ in 0..n.ilog2() {
            let from = lanes;
            for i in 0..N / 2 {
                let (a, b) = (from[i], from[i + N / 2]);
                lanes[2 * i] = _mm256_unpacklo_epi8(a, b);
                lanes[2 * i + 1] = _mm256_unpackhi_epi8(a, b);
            }
        }
        lanes
    }
}

/// None are that wide.
#[cfg(not(target_arch = "x86_64"))]
mod wide {
    pub(super) fn shuffle<const N: usize>(_: &[[u8; N]], _: &mut [u8]) -> usize {
        0
    }

    pub(super) fn unshuffle<const N: usize>(_: &[u8], _: &mut [[u8; N]]) -> usize {
        0
    }
}

/// Sixteen bytes side by side.
///
/// `N` of them hold bytes that are numbered by bits. Interleaving the first half of them with
/// the second moves the highest bit of each number to the lowest place; as many times as an item
/// index has bits, that turns items into planes, and as many times as a place in an item has
/// bits, planes into items.
#[cfg(target_arch = "x86_64")]
pub(super) mod lanes {
    use std::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8,
    };

    pub(in crate::codec) const LEN: usize = 16;
    pub(in crate::codec) type Lanes = __m128i;

    #[inline]
    #[expect(unsafe_code, reason = "vector instructions take pointers")]
    pub(in crate::codec) fn load(bytes: &[u8; LEN]) -> Lanes {
        // SAFETY: sixteen bytes are readable, and need no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[expect(unsafe_code, reason = "vector instructions take pointers")]
    pub(in crate::codec) fn store(lanes: Lanes) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        // SAFETY: sixteen bytes are writable, and need no alignment.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), lanes) };
        bytes
    }

    /// Interleaves the halves log2(`n`) times.
    #[inline]
    #[expect(unsafe_code, reason = "vector instructions ask for a processor feature")]
    pub(in crate::codec) fn rotate<const N: usize>(mut lanes: [Lanes; N], n: usize) -> [Lanes; N] {
        for _ in 0..n.ilog2() {
            let from = lanes;
            for i in 0..N / 2 {
                let (a, b) = (from[i], from[i + N / 2]);
                // SAFETY: every x86-64 processor has SSE2.
                (lanes[2 * i], lanes[2 * i + 1]) =
                    unsafe { (_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)) };
            }
        }
        lanes
    }
}

/// The same without vector instructions of its own.
#[cfg(not(target_arch = "x86_64"))]
pub(super) mod lanes {
    pub(in crate::codec) const LEN: usize = 16;
    pub(in crate::codec) type Lanes = [u8; LEN];

    pub(in crate::codec) fn load(bytes: &[u8; LEN]) -> Lanes {
        *bytes
    }

    pub(in crate::codec) fn store(lanes: Lanes) -> [u8; LEN] {
        lanes
    }

    /// Interleaves the halves log2(`n`) times.
    pub(in crate::codec) fn rotate<const N: usize>(mut lanes: [Lanes; N], n: usize) -> [Lanes; N] {
        for _ in 0..n.ilog2() {
            let from = lanes;
            for i in 0..N {
                let (a, b, start) = (from[i / 2], from[i / 2 + N / 2], i % 2 * LEN / 2);
                lanes[i] = std::array::from_fn(|k| if k % 2 == 0 { a } else { b }[start + k / 2]);
            }
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, byte by byte.
    fn naive(item_size: usize, from: &[u8]) -> Vec<u8> {
        let n = from.len() / item_size;
        let mut to = from.to_vec();
        for (item, byte) in (0..n).flat_map(|item| (0..item_size).map(move |byte| (item, byte))) {
            to[byte * n + item] = from[item * item_size + byte];
        }
        to
    }

    #[test]
    fn every_item_size_agrees_with_the_definition() {
        for item_size in [1, 2, 3, 4, 5, 8, 12, 16, 17, 255, 20_000] {
            for len in (0..300).chain([4096, 40_001, 70_000]) {
                let from: Vec<u8> = (0..len).map(|i: usize| ((i * 31) ^ (i >> 8)) as u8).collect();
                let (mut to, mut back) = (vec![0; len], vec![0; len]);
                shuffle(item_size, &from, &mut to);
                assert_eq!(to, naive(item_size, &from), "{item_size} {len}");
                unshuffle(item_size, &to, &mut back);
                assert!(back == from, "{item_size} {len}");
            }
        }
    }

    #[test]
    fn an_item_size_of_zero_is_refused() {
        assert!(Shuffle::new(0).is_err());
    }
}
