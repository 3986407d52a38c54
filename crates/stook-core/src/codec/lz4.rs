//! LZ4: one block behind its decoded length (numcodecs), and the blocks that other codecs hold.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

/// The longest input of one block (`LZ4_MAX_INPUT_SIZE`).
pub(super) const MAX_BLOCK_LEN: usize = 0x7E00_0000;
const HEADER_LEN: usize = 4;

/// An LZ4 block behind its decoded length as a little-endian `u32`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lz4 {
    /// The library takes any number and uses the nearest one that it knows.
    pub(super) acceleration: i32,
}

impl Codec for Lz4 {
    fn name(&self) -> &'static str {
        "lz4"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        encoded.first_chunk().map(|header| u32::from_le_bytes(*header).into())
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let start = out.len();
        spare::reserve(out, HEADER_LEN + block_bound(raw.len())?)?;
        out.extend_from_slice(&header(raw));
        compress_block(raw, self.acceleration, out).inspect_err(|_| out.truncate(start))
    }

    fn encode_room(&self, raw_len: usize) -> Option<usize> {
        block_bound(raw_len).ok().map(|bound| HEADER_LEN + bound)
    }

    fn encode_within(&self, raw: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (room, needed) = (out.len(), HEADER_LEN + block_bound(raw.len())?);
        let (front, block) = out
            .split_first_chunk_mut::<HEADER_LEN>()
            .filter(|_| room >= needed)
            .ok_or_else(|| super::wrong_room("lz4", needed, room))?;
        *front = header(raw);
        compress_to(raw, self.acceleration, spare::as_uninit(block)).map(|len| HEADER_LEN + len)
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (header, block) = encoded
            .split_first_chunk::<HEADER_LEN>()
            .ok_or_else(|| super::too_short("lz4", HEADER_LEN, encoded.len()))?;
        let len = usize::try_from(u32::from_le_bytes(*header)).unwrap_or(usize::MAX);
        let room = out.len();
        let out = out.get_mut(..len).ok_or_else(|| super::wrong_len("lz4", room, len))?;
        decompress_block(block, out)?;
        Ok(len)
    }
}

/// The length of what is encoded, which fits where its bound does.
fn header(raw: &[u8]) -> [u8; HEADER_LEN] {
    u32::try_from(raw.len()).expect("the bound fits, so the length does").to_le_bytes()
}

/// The room that encoding a block of `raw_len` bytes takes.
///
/// # Errors
/// `InvalidInput` if that is more than LZ4 takes.
pub(super) fn block_bound(raw_len: usize) -> Result<usize> {
    if raw_len > MAX_BLOCK_LEN {
        return Err(Error::invalid(format!(
            "lz4: expected at most {MAX_BLOCK_LEN} bytes, found {raw_len}"
        )));
    }
    Ok(raw_len + raw_len / 255 + 16)
}

/// Appends the LZ4 block of `raw` to `out`.
///
/// # Errors
/// `InvalidInput` if it is too long, `LimitExceeded` if there is no memory.
#[expect(unsafe_code, reason = "the room behind the output is not initialised")]
pub(super) fn compress_block(raw: &[u8], acceleration: i32, out: &mut Vec<u8>) -> Result<()> {
    let room = block_bound(raw.len())?;
    // SAFETY: lz4 returns how many bytes it wrote.
    unsafe { spare::append_with(out, room, |room| compress_to(raw, acceleration, room)) }
}

/// Writes the LZ4 block of `raw` to the front of `room` and returns its length.
#[expect(unsafe_code, reason = "lz4 is C")]
fn compress_to(raw: &[u8], acceleration: i32, room: &mut [MaybeUninit<u8>]) -> Result<usize> {
    let (raw_len, room_len) = (length(raw.len())?, length(room.len())?);
    let (from, to) = (raw.as_ptr().cast(), room.as_mut_ptr().cast());
    // SAFETY: pointers and lengths are those of slices.
    let written = unsafe { lz4_sys::LZ4_compress_fast(from, to, raw_len, room_len, acceleration) };
    match usize::try_from(written) {
        Ok(written) if written > 0 => Ok(written),
        _ => Err(Error::invalid(format!("lz4: {} bytes cannot be encoded", raw.len()))),
    }
}

/// How much is done to find what repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// With an acceleration from 1.
    Fast(c_int),
    /// With a level of LZ4HC's.
    High(c_int),
}

/// Appends the LZ4 block of `raw` to `out` if it takes at most `room` bytes.
///
/// # Errors
/// `InvalidInput` if it is too long, `LimitExceeded` if there is no memory.
#[expect(unsafe_code, reason = "lz4 is C")]
pub(super) fn compress_within(
    raw: &[u8],
    effort: Effort,
    room: usize,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let (raw_len, room_len) = (length(raw.len())?, length(room)?);
    let start = out.len();
    let write = |room: &mut [std::mem::MaybeUninit<u8>]| {
        let (from, to) = (raw.as_ptr().cast(), room.as_mut_ptr().cast());
        // SAFETY: pointers and lengths are those of slices; lz4 keeps to them.
        let written = unsafe {
            match effort {
                Effort::Fast(acceleration) => {
                    lz4_sys::LZ4_compress_fast(from, to, raw_len, room_len, acceleration)
                }
                Effort::High(level) => lz4_sys::LZ4_compress_HC(from, to, raw_len, room_len, level),
            }
        };
        // Nothing is written where the block does not fit.
        Ok(usize::try_from(written).unwrap_or(0))
    };
    // SAFETY: lz4 returns how many bytes it wrote.
    unsafe { spare::append_with(out, room, write)? };
    Ok(out.len() > start)
}

/// Decodes one LZ4 block that fills `out`.
///
/// # Errors
/// `Corrupt` if it is none or has another length.
#[expect(unsafe_code, reason = "lz4 is C")]
pub(super) fn decompress_block(block: &[u8], out: &mut [u8]) -> Result<()> {
    let (block_len, out_len) = (length(block.len())?, length(out.len())?);
    let (from, to) = (block.as_ptr().cast(), out.as_mut_ptr().cast());
    // SAFETY: pointers and lengths are those of slices, and this function of lz4's is made for
    // hostile input: it reads and writes within these lengths.
    let written = unsafe { lz4_sys::LZ4_decompress_safe(from, to, block_len, out_len) };
    match usize::try_from(written) {
        Ok(written) if written == out.len() => Ok(()),
        Ok(written) => Err(Error::corrupt(format!(
            "lz4: expected a block of {} decoded bytes, found {written}",
            out.len()
        ))),
        Err(_) => Err(Error::corrupt(format!(
            "lz4: {} bytes are no valid block of {} decoded bytes",
            block.len(),
            out.len()
        ))),
    }
}

fn length(len: usize) -> Result<c_int> {
    c_int::try_from(len).map_err(|_| Error::corrupt(format!("lz4: a block of {len} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_differs_from_the_block_is_corrupt() {
        let (codec, mut scratch) = (Lz4 { acceleration: 1 }, Scratch::new());
        let mut encoded = Vec::new();
        codec.encode_into(&[7; 1000], &mut encoded, &mut scratch).unwrap();
        for len in [0_u32, 999, 1001, u32::MAX] {
            encoded[..4].copy_from_slice(&len.to_le_bytes());
            let error = codec.decode_into(&encoded, &mut [0; 2000], &mut scratch).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Corrupt, "{len}");
        }
    }

    #[test]
    fn any_acceleration_is_taken() {
        for acceleration in [i32::MIN, 0, 1, 100, i32::MAX] {
            let (codec, mut scratch) = (Lz4 { acceleration }, Scratch::new());
            let (mut encoded, mut out) = (Vec::new(), [0; 500]);
            codec.encode_into(&[3; 500], &mut encoded, &mut scratch).unwrap();
            assert_eq!(codec.decode_into(&encoded, &mut out, &mut scratch).unwrap(), 500);
            assert_eq!(out, [3; 500]);
        }
    }
}
