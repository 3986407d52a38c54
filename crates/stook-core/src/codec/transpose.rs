//! Transposition of the axes: stored axis `i` is array axis `order[i]`.
//!
//! A transposition that comes first is a [`Step`](super::Step) that the engine folds into its
//! copy; [`transpose`] makes a codec of one that stands further in.

use std::sync::Arc;

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

/// A codec that stores items of `item_size` bytes in a chunk of `shape` with axis `order[i]` as
/// axis `i`.
///
/// # Errors
/// `InvalidInput` if `order` is no permutation of the axes, `LimitExceeded` if the size of the
/// chunk overflows.
pub fn transpose(order: &[usize], shape: &[u64], item_size: usize) -> Result<Arc<dyn Codec>> {
    check_order(order)?;
    if order.len() != shape.len() {
        return Err(Error::invalid(format!(
            "transpose: expected an order of {} axes, found {order:?}",
            shape.len()
        )));
    }
    let overflow = || Error::limit(format!("a chunk of shape {shape:?} exceeds the memory"));
    let mut strides = vec![0; shape.len()];
    let mut len = item_size;
    let mut lens = vec![0; shape.len()];
    for (axis, &n) in shape.iter().enumerate().rev() {
        strides[axis] = len;
        lens[axis] = usize::try_from(n).map_err(|_| overflow())?;
        len = len.checked_mul(lens[axis]).ok_or_else(overflow)?;
    }
    let stored_lens: Vec<usize> = order.iter().map(|&axis| lens[axis]).collect();
    let mut stored_strides = vec![0; order.len()];
    let mut stride = item_size;
    for (&axis, &n) in order.iter().zip(&stored_lens).rev() {
        stored_strides[axis] = stride;
        stride = stride.saturating_mul(n);
    }
    let encode = Walk::new(&stored_lens, order.iter().map(|&axis| strides[axis]), item_size);
    let decode = Walk::new(&lens, stored_strides.into_iter(), item_size);
    Ok(Arc::new(Transpose { len, encode, decode }))
}

/// # Errors
/// `InvalidInput` if `order` is no permutation.
pub(super) fn check_order(order: &[usize]) -> Result<()> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..order.len()) {
        return Ok(());
    }
    let n = order.len();
    Err(Error::invalid(format!(
        "transpose: expected an order of the axes 0 to {}, found {order:?}",
        n.saturating_sub(1)
    )))
}

/// Reorders the axes of one chunk.
#[derive(Clone, Debug)]
struct Transpose {
    len: usize,
    encode: Walk,
    decode: Walk,
}

impl Codec for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        if raw.len() != self.len {
            return Err(Error::invalid(self.wrong_len(raw.len())));
        }
        spare::reserve(out, self.len)?;
        let start = out.len();
        out.resize(start + self.len, 0);
        self.encode.copy(raw, &mut out[start..]);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        if encoded.len() != self.len {
            return Err(Error::corrupt(self.wrong_len(encoded.len())));
        }
        let room = out.len();
        let out = out
            .get_mut(..self.len)
            .ok_or_else(|| super::wrong_len("transpose", room, encoded.len()))?;
        self.decode.copy(encoded, out);
        Ok(self.len)
    }
}

impl Transpose {
    fn wrong_len(&self, found: usize) -> String {
        format!("transpose: expected a chunk of {} bytes, found {found}", self.len)
    }
}

/// An axis of the result: how many items, and how many bytes apart they are on both sides.
#[derive(Clone, Copy, Debug)]
struct Axis {
    n: usize,
    from: usize,
    to: usize,
}

/// A copy from strided items to dense ones in C order.
#[derive(Clone, Debug)]
struct Walk {
    /// The axes that are walked one in the other, outermost first.
    outer: Vec<Axis>,
    /// The two axes along which source and result are densest, walked in tiles.
    tiled: [Axis; 2],
    /// Bytes that are copied as one.
    unit: usize,
}

impl Walk {
    fn new(lens: &[usize], strides: impl Iterator<Item = usize>, item_size: usize) -> Self {
        let mut axes: Vec<Axis> = Vec::new();
        for (&n, from) in lens.iter().zip(strides).filter(|&(&n, _)| n != 1) {
            match axes.last_mut() {
                // Dense together in the source, so one axis.
                Some(outer) if outer.from == n.saturating_mul(from) => {
                    *outer = Axis { n: outer.n.saturating_mul(n), from, to: 0 };
                }
                _ => axes.push(Axis { n, from, to: 0 }),
            }
        }
        let last = axes.pop_if(|last| last.from == item_size);
        let unit = last.map_or(item_size, |last| item_size.saturating_mul(last.n));
        let mut to = unit;
        for axis in axes.iter_mut().rev() {
            axis.to = to;
            to = to.saturating_mul(axis.n);
        }
        let one = Axis { n: 1, from: 0, to: 0 };
        let last = axes.pop().unwrap_or(one);
        let densest = (0..axes.len()).min_by_key(|&at| axes[at].from);
        let dense = densest.map_or(one, |at| axes.remove(at));
        Self { outer: axes, tiled: [dense, last], unit }
    }

    /// Both have the bytes of the whole chunk.
    fn copy(&self, from: &[u8], to: &mut [u8]) {
        match self.unit {
            _ if to.is_empty() => {}
            1 => walk(&self.outer, self.tiled, (from, to), &copy_unit::<1>),
            2 => walk(&self.outer, self.tiled, (from, to), &copy_unit::<2>),
            4 => walk(&self.outer, self.tiled, (from, to), &copy_unit::<4>),
            8 => walk(&self.outer, self.tiled, (from, to), &copy_unit::<8>),
            16 => walk(&self.outer, self.tiled, (from, to), &copy_unit::<16>),
            unit => walk(&self.outer, self.tiled, (from, to), &|from: &[u8], to: &mut [u8]| {
                to[..unit].copy_from_slice(&from[..unit]);
            }),
        }
    }
}

fn copy_unit<const N: usize>(from: &[u8], to: &mut [u8]) {
    to[..N].copy_from_slice(&from[..N]);
}

/// Items along each side of a tile: both sides of it fit the first-level cache.
const TILE: usize = 32;

fn walk(
    outer: &[Axis],
    tiled: [Axis; 2],
    (from, to): (&[u8], &mut [u8]),
    copy_unit: &impl Fn(&[u8], &mut [u8]),
) {
    if let [axis, inner @ ..] = outer {
        for i in 0..axis.n {
            let part = (&from[i * axis.from..], &mut to[i * axis.to..]);
            walk(inner, tiled, part, copy_unit);
        }
        return;
    }
    let [a, b] = tiled;
    for (start_a, start_b) in tiles(a.n).flat_map(|i| tiles(b.n).map(move |j| (i, j))) {
        for i in start_a..(start_a + TILE).min(a.n) {
            for j in start_b..(start_b + TILE).min(b.n) {
                copy_unit(&from[i * a.from + j * b.from..], &mut to[i * a.to + j * b.to..]);
            }
        }
    }
}

fn tiles(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(TILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(codec: &dyn Codec, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        codec.encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    /// The definition, item by item.
    fn naive(order: &[usize], shape: &[usize], item_size: usize, raw: &[u8]) -> Vec<u8> {
        let stored: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let mut out = Vec::new();
        for at in 0..stored.iter().product() {
            let (mut rest, mut index) = (at, vec![0; shape.len()]);
            for (&axis, &n) in order.iter().zip(&stored).rev() {
                index[axis] = rest % n;
                rest /= n;
            }
            let flat = index.iter().zip(shape).fold(0, |flat, (&i, &n)| flat * n + i);
            out.extend_from_slice(&raw[flat * item_size..][..item_size]);
        }
        out
    }

    #[test]
    fn every_order_agrees_with_the_definition_and_round_trips() {
        let orders: [&[usize]; 9] = [
            &[],
            &[0],
            &[1, 0],
            &[0, 1, 2],
            &[0, 2, 1],
            &[1, 0, 2],
            &[2, 1, 0],
            &[1, 2, 0],
            &[3, 1, 0, 2],
        ];
        for order in orders {
            for lens in [[3, 4, 5, 2], [1, 40, 1, 70], [33, 1, 2, 3], [64, 65, 1, 1], [2, 0, 1, 1]]
            {
                let shape = &lens[..order.len()];
                for item_size in [1, 2, 3, 4, 8, 16] {
                    let len = item_size * shape.iter().product::<usize>();
                    let raw: Vec<u8> = (0..len).map(|i| ((i * 7) ^ (i >> 8)) as u8).collect();
                    let lens: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
                    let codec = transpose(order, &lens, item_size).unwrap();
                    let stored = encode(&*codec, &raw);
                    assert_eq!(stored, naive(order, shape, item_size, &raw), "{order:?} {shape:?}");
                    let mut back = vec![0; len];
                    let n = codec.decode_into(&stored, &mut back, &mut Scratch::new()).unwrap();
                    assert_eq!((n, back), (len, raw), "{order:?} {shape:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_permutation_is_refused() {
        for order in [&[0, 0][..], &[0, 2], &[1], &[0, 1, 2]] {
            assert!(transpose(order, &[2, 2], 4).is_err(), "{order:?}");
        }
        assert!(transpose(&[0, 1], &[u64::MAX, u64::MAX], 4).is_err());
    }

    #[test]
    fn a_chunk_of_another_length_is_refused() {
        let codec = transpose(&[1, 0], &[2, 3], 2).unwrap();
        let error = codec.decode_into(&[0; 11], &mut [0; 12], &mut Scratch::new()).unwrap_err();
        assert_eq!(error.message(), "transpose: expected a chunk of 12 bytes, found 11");
        assert!(codec.decode_into(&[0; 12], &mut [0; 11], &mut Scratch::new()).is_err());
    }
}
