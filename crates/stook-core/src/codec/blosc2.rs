//! Blosc 2, as HDF5's filter 32026 and PyTables store it: frames, with or without the shape of
//! what they hold, and bare chunks.
//!
//! Written here for both directions: the C library is made for files of one's own, and lengths in
//! it are trusted (formats: c-blosc2's `README_CHUNK_FORMAT`, `README_CFRAME_FORMAT` and
//! `README_B2ND_METALAYER`; drawn in docs/formats/codecs.md). Not read, and refused by name:
//! dictionaries, codecs and filters of plug-ins.

mod chunk;
mod frame;
mod nd;

use self::chunk::Chunk;
use self::frame::Frame;
use super::bitshuffle::Buffers;
use super::{Blosc2, BloscCompressor, Codec, Scratch};
use crate::error::{Error, Result};

const NAME: &str = "blosc2";
/// Of the shape of an array, in the values of HDF5's filter.
const MAX_ITEM_SIZE: usize = i32::MAX as usize;

/// Compresses with Blosc 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blosc2Codec {
    config: Blosc2,
}

impl Blosc2Codec {
    pub(super) fn new(config: &Blosc2) -> Result<Self> {
        super::check_level(NAME, config.level, 9)?;
        if !(1..=MAX_ITEM_SIZE).contains(&config.item_size) {
            return Err(Error::invalid(format!(
                "blosc2: expected an item size of 1 to {MAX_ITEM_SIZE}, found {}",
                config.item_size
            )));
        }
        if config.compressor == BloscCompressor::Snappy {
            return Err(Error::invalid("blosc2: there is no compressor `snappy`"));
        }
        Ok(Self { config: config.clone() })
    }
}

impl Codec for Blosc2Codec {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        if raw.len() > chunk::MAX_LEN {
            return Err(Error::invalid(format!(
                "blosc2: expected at most {} bytes, found {}",
                chunk::MAX_LEN,
                raw.len()
            )));
        }
        frame::encode(&self.config, raw, out, scratch)
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let len = if encoded.starts_with(frame::MAGIC) {
            Frame::parse(encoded).ok()?.decoded_len()
        } else {
            Chunk::parse(encoded).ok()?.raw_len
        };
        Some(len as u64)
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let mut buffers = std::mem::take(scratch.context::<Buffers>());
        let decoded = decode(encoded, out, &mut buffers, scratch);
        buffers.keep(scratch);
        decoded
    }
}

fn decode(
    encoded: &[u8],
    out: &mut [u8],
    buffers: &mut Buffers,
    scratch: &mut Scratch,
) -> Result<usize> {
    if encoded.starts_with(frame::MAGIC) {
        return Frame::parse(encoded)?.decode(out, buffers, scratch);
    }
    let chunk = Chunk::parse(encoded)?;
    let (room, len) = (out.len(), chunk.raw_len);
    let out = out.get_mut(..len).ok_or_else(|| super::wrong_len(NAME, room, len))?;
    chunk.decode(out, buffers, scratch)?;
    Ok(len)
}

/// Bytes that a block should have, more or less.
fn target_block_len(config: &Blosc2) -> usize {
    match config.level {
        0..=3 => 128 << 10,
        4..=6 => 256 << 10,
        _ => 512 << 10,
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}
