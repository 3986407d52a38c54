//! A checksum of a layer as it is stored: of the bytes of its tiles before they are decoded, which is
//! some hundredths of the time that decoding them takes.

use std::sync::atomic::{AtomicU64, Ordering};

use stook::{Array, Error, Result};
use stook_core::chunk::{ChunkList, InPlace};

use crate::matrix::threads_of;

/// Tiles that are asked for at once, and bytes of those that lie in one piece.
const N_TILES: u64 = 256;
const PIECE_LEN: u64 = 1 << 20;

/// The checksum of a layer: of the shape, the type and the codecs, and of every tile at its place.
/// The order in which tiles are read does not count.
pub(crate) fn of_layer(array: &Array) -> Result<u64> {
    let (source, spec) = (array.source(), array.spec());
    let told = format!("{:?} {} {:?} {:?}", spec.shape(), spec.dtype, spec.grid, spec.codecs);
    let sum = AtomicU64::new(of_bytes(0, told.as_bytes()));
    let add = |part: u64| {
        // Sums wrap: they are the same in every order.
        sum.fetch_add(part, Ordering::Relaxed);
    };
    let threads = threads_of(array);
    if let Some(place) = source.in_place().filter(|_| spec.contiguous) {
        let item = spec.dtype.item_size() as u64;
        let len = spec.shape().iter().try_fold(item, |n, &len| n.checked_mul(len));
        let len = len.ok_or_else(|| Error::limit("the layer is too large"))?;
        pieces(len, PIECE_LEN, threads, &|from, to| of_piece(place, (from, to)).map(&add))?;
        return Ok(sum.into_inner());
    }
    if source.values().is_some() {
        let message = "the tiles of the layer are read by a library alone: it has no checksum";
        return Err(Error::unsupported(message).at_node(array.path()));
    }
    let counts = spec.grid.counts(spec.shape());
    let n = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count));
    let n = n.ok_or_else(|| Error::limit("the layer has too many tiles"))?;
    let read = |from: u64, to: u64| {
        let mut indices = Vec::new();
        for at in from..to {
            push_index(at, &counts, &mut indices);
        }
        let n = usize::try_from(to - from).unwrap_or(usize::MAX);
        source.read_chunks(ChunkList::new(counts.len(), n, &indices), &|i, chunk| {
            if let Some(chunk) = chunk {
                let at = from + i as u64;
                add(of_bytes(mixed(at + 1, chunk.skipped.into()), chunk.bytes));
            }
            Ok(())
        })
    };
    pieces(n, N_TILES, threads, &read).map_err(|error| error.at_node(array.path()))?;
    Ok(sum.into_inner())
}

/// Calls `work` with pieces of at most `step` of `n`, on several threads.
fn pieces(
    n: u64,
    step: u64,
    threads: usize,
    work: &(dyn Fn(u64, u64) -> Result<()> + Sync),
) -> Result<()> {
    let n_pieces = usize::try_from(n.div_ceil(step)).map_err(|_| Error::limit("too many tiles"))?;
    stook_core::engine::for_each(n_pieces, threads, &|i| {
        let from = i as u64 * step;
        work(from, n.min(from + step))
    })
}

fn of_piece(place: &dyn InPlace, (from, to): (u64, u64)) -> Result<u64> {
    let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(0)];
    place.read_at(from, &mut bytes)?;
    Ok(of_bytes(from + 1, &bytes))
}

/// Appends the index of the tile that is number `at` in a grid.
fn push_index(mut at: u64, counts: &[u64], indices: &mut Vec<u64>) {
    let first = indices.len();
    for &count in counts.iter().rev() {
        indices.push(at % count.max(1));
        at /= count.max(1);
    }
    if let Some(index) = indices.get_mut(first..) {
        index.reverse();
    }
}

/// Spreads the bits of `state` with those of `word`: a multiplication by an odd number, and what it
/// moved to the high bits moved to the low ones.
fn mixed(state: u64, word: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = (state ^ word).wrapping_mul(ODD);
    product ^ product >> 32
}

/// A hash of `bytes`, and of how many they are.
fn of_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut lanes = [seed, !seed, seed.rotate_left(21), seed.rotate_left(42)];
    let (fours, tail) = words.as_chunks::<4>();
    for four in fours {
        for (lane, word) in lanes.iter_mut().zip(four) {
            *lane = mixed(*lane, u64::from_le_bytes(*word));
        }
    }
    let mut state = lanes.into_iter().fold(bytes.len() as u64, mixed);
    for word in tail {
        state = mixed(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    mixed(mixed(state, u64::from_le_bytes(last)), seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_its_place_count() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        let whole = of_bytes(1, &bytes);
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert_ne!(of_bytes(1, &changed), whole, "bit {at}");
        }
        let mut swapped = bytes.clone();
        swapped.swap(8, 16);
        assert_ne!(of_bytes(1, &swapped), whole);
        assert_ne!(of_bytes(1, &bytes[..99]), whole);
        assert_ne!(of_bytes(2, &bytes), whole);
        assert_ne!(of_bytes(1, &[]), of_bytes(1, &[0]));
    }

    #[test]
    fn tiles_have_indices_in_the_order_of_the_array() {
        let mut indices = Vec::new();
        for at in 0..6 {
            push_index(at, &[2, 3], &mut indices);
        }
        assert_eq!(indices, [0, 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, 2]);
    }
}
