//! Blosc 1 containers: blocks that are shuffled, split and compressed one by one.
//!
//! The streams of BloscLZ are encoded by the C library, those of the others in containers of our
//! own. Decoding is written here: the library has no decoder that is told the length of its input,
//! makes a context a block, and takes memory a call. Format:
//! c-blosc 1.21, `README_CHUNK_FORMAT.rst`; drawn in docs/formats/codecs.md.

pub(super) mod block;
mod blosclz;
mod encode;

use std::ffi::c_int;

use blosc_src as sys;

use self::block::{Format, Runs};
use super::bitshuffle::{Buffers, kernel};
use super::{Blosc, BloscCompressor, BloscShuffle, Codec, Scratch, shuffle, spare};
use crate::error::{Error, Result};

const HEADER_LEN: usize = 16;
const VERSION: u8 = 2;
/// Also that of every compressor within.
const COMPRESSOR_VERSION: u8 = 1;
const MAX_BUFFER_LEN: usize = sys::BLOSC_MAX_BUFFERSIZE as usize;
const MAX_BLOCK_LEN: usize = sys::BLOSC_MAX_BLOCKSIZE as usize;
/// Blocks are split where an item has at most so many bytes...
const MAX_SPLITS: usize = 16;
/// ...and a split at least so many.
const MIN_SPLIT_LEN: usize = 128;

const FLAG_SHUFFLE: u8 = 0x01;
const FLAG_STORED: u8 = 0x02;
const FLAG_BIT_SHUFFLE: u8 = 0x04;
const FLAG_RESERVED: u8 = 0x08;
const FLAG_NOT_SPLIT: u8 = 0x10;

/// Compresses with Blosc 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BloscCodec {
    config: Blosc,
}

impl BloscCodec {
    pub(super) fn new(config: &Blosc) -> Result<Self> {
        super::check_level("blosc", config.level, 9)?;
        if config.block_len_bytes > MAX_BLOCK_LEN {
            return Err(Error::invalid(format!(
                "blosc: expected a block of at most {MAX_BLOCK_LEN} bytes, found {}",
                config.block_len_bytes
            )));
        }
        if config.item_size == 0 {
            return Err(Error::invalid("blosc: expected an item size of at least 1, found 0"));
        }
        Ok(Self { config: config.clone() })
    }

    #[expect(unsafe_code, reason = "blosc is C")]
    fn encode_in_c(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let as_int = |n: u32| c_int::try_from(n).expect("a small number");
        let shuffle = match self.config.shuffle {
            BloscShuffle::None => sys::BLOSC_NOSHUFFLE,
            BloscShuffle::Byte => sys::BLOSC_SHUFFLE,
            BloscShuffle::Bit => sys::BLOSC_BITSHUFFLE,
        };
        let write = |room: &mut [std::mem::MaybeUninit<u8>]| {
            // SAFETY: pointers and lengths are those of slices, the name ends in NUL. This
            // function keeps to `destsize` and reads no environment.
            let written = unsafe {
                sys::blosc_compress_ctx(
                    as_int(self.config.level),
                    as_int(shuffle),
                    self.config.item_size,
                    raw.len(),
                    raw.as_ptr().cast(),
                    room.as_mut_ptr().cast(),
                    room.len(),
                    c"blosclz".as_ptr(),
                    self.config.block_len_bytes,
                    1,
                )
            };
            match usize::try_from(written) {
                Ok(written) if written >= HEADER_LEN => Ok(written),
                _ => Err(Error::invalid(format!("blosc: {} bytes cannot be encoded", raw.len()))),
            }
        };
        // SAFETY: blosc returns how many bytes it wrote.
        unsafe { spare::append_with(out, raw.len() + HEADER_LEN, write) }
    }
}

impl Codec for BloscCodec {
    fn name(&self) -> &'static str {
        "blosc"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        Container::parse(encoded).ok().map(|container| container.raw_len as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        if raw.len() > MAX_BUFFER_LEN {
            return Err(Error::invalid(format!(
                "blosc: expected at most {MAX_BUFFER_LEN} bytes, found {}",
                raw.len()
            )));
        }
        match self.config.compressor {
            BloscCompressor::BloscLz => self.encode_in_c(raw, out),
            _ => encode::Container::new(&self.config, raw.len()).encode(raw, out, scratch),
        }
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let container = Container::parse(encoded)?;
        let (room, len) = (out.len(), container.raw_len);
        let out = out.get_mut(..len).ok_or_else(|| super::wrong_len("blosc", room, len))?;
        container.decode(out, scratch)?;
        Ok(len)
    }
}

/// A container whose header agrees with its length.
#[derive(Debug)]
struct Container<'a> {
    flags: u8,
    item_size: usize,
    raw_len: usize,
    block_len: usize,
    format: Format,
    /// All of it, header included: offsets count from there.
    bytes: &'a [u8],
}

impl<'a> Container<'a> {
    fn parse(encoded: &'a [u8]) -> Result<Self> {
        let header = encoded
            .first_chunk::<HEADER_LEN>()
            .ok_or_else(|| super::too_short("blosc", HEADER_LEN, encoded.len()))?;
        let [version, compressor_version, flags, item_size, ..] = *header;
        if version != VERSION {
            return Err(Error::unsupported(format!(
                "blosc: expected container version {VERSION}, found {version}"
            )));
        }
        let word = |at: usize| read_u32(encoded, at).unwrap_or(usize::MAX);
        let (raw_len, block_len, len) = (word(4), word(8), word(12));
        if len < HEADER_LEN || len > encoded.len() || raw_len > MAX_BUFFER_LEN {
            return Err(Error::corrupt(format!(
                "blosc: expected a container of {} bytes, found one of {len} that holds {raw_len}",
                encoded.len()
            )));
        }
        let is_empty = raw_len == 0;
        if flags & FLAG_RESERVED != 0
            || !is_empty && (item_size == 0 || block_len == 0 || block_len > raw_len)
        {
            return Err(Error::corrupt(format!(
                "blosc: expected blocks of 1 to {raw_len} bytes with items of 1 or more, \
                 found {block_len} and {item_size} (flags {flags:#04x})"
            )));
        }
        let format = Format::from_number("blosc", flags >> 5)?;
        if compressor_version != COMPRESSOR_VERSION {
            return Err(Error::unsupported(format!(
                "blosc: expected version {COMPRESSOR_VERSION} of {format:?}, \
                 found {compressor_version}"
            )));
        }
        let bytes = encoded.get(..len).unwrap_or_default();
        let item_size = usize::from(item_size);
        Ok(Self { flags, item_size, raw_len, block_len, format, bytes })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Decodes to `out`, which has `raw_len` bytes.
    fn decode(&self, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        if self.has(FLAG_STORED) {
            let data = self.bytes.get(HEADER_LEN..).unwrap_or_default();
            if data.len() != out.len() {
                return Err(super::wrong_len("blosc", out.len(), data.len()));
            }
            out.copy_from_slice(data);
            return Ok(());
        }
        let n_blocks = out.len().div_ceil(self.block_len);
        let first = n_blocks.saturating_mul(4).saturating_add(HEADER_LEN);
        if first > self.bytes.len() {
            return Err(super::too_short("blosc", first, self.bytes.len()));
        }
        let mut buffers = std::mem::take(scratch.context::<Buffers>());
        let decoded = out.chunks_mut(self.block_len).enumerate().try_for_each(|(at, block)| {
            let start = read_u32(self.bytes, HEADER_LEN + 4 * at)
                .ok_or_else(|| super::too_short("blosc", first, self.bytes.len()))?;
            self.decode_block(start, block, &mut buffers, scratch)
        });
        buffers.keep(scratch);
        decoded
    }

    fn decode_block(
        &self,
        start: usize,
        block: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let is_shuffled = self.has(FLAG_SHUFFLE) && self.item_size > 1;
        let is_bit_shuffled = !is_shuffled
            && self.has(FLAG_BIT_SHUFFLE)
            && block.len() >= self.item_size
            && (block.len() / self.item_size).is_multiple_of(8);
        if !is_shuffled && !is_bit_shuffled {
            return self.decode_streams(start, block, scratch);
        }
        let (planes, tile) = buffers.rows(block.len())?;
        self.decode_streams(start, planes, scratch)?;
        if is_shuffled {
            shuffle::unshuffle(self.item_size, planes, block);
        } else {
            let whole = block.len() / self.item_size * self.item_size;
            let ((rows, tail), (items, rest)) = (planes.split_at(whole), block.split_at_mut(whole));
            rest.copy_from_slice(tail);
            kernel::unshuffle_bits(self.item_size, rows, items, tile);
        }
        Ok(())
    }

    /// Decodes the streams of the block at `start` to `out`.
    fn decode_streams(&self, start: usize, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let is_split = !self.has(FLAG_NOT_SPLIT)
            && self.item_size <= MAX_SPLITS
            && out.len() == self.block_len
            && out.len() / self.item_size >= MIN_SPLIT_LEN;
        let n_streams = if is_split { self.item_size } else { 1 };
        let decoder = block::Decoder { codec: "blosc", format: self.format, runs: Runs::Never };
        decoder.decode(n_streams, self.bytes.get(start..).unwrap_or_default(), out, scratch)
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn codec(compressor: BloscCompressor, shuffle: BloscShuffle, item_size: usize) -> BloscCodec {
        let config = Blosc { compressor, level: 5, shuffle, item_size, block_len_bytes: 0 };
        BloscCodec::new(&config).unwrap()
    }

    fn encode(codec: &BloscCodec, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        codec.encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let codec = codec(BloscCompressor::Lz4, BloscShuffle::None, 1);
        let n = codec.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    const COMPRESSORS: [BloscCompressor; 6] = [
        BloscCompressor::BloscLz,
        BloscCompressor::Lz4,
        BloscCompressor::Lz4Hc,
        BloscCompressor::Snappy,
        BloscCompressor::Zlib,
        BloscCompressor::Zstd,
    ];

    #[test]
    fn what_is_encoded_is_decoded() {
        for compressor in COMPRESSORS {
            for shuffle in [BloscShuffle::None, BloscShuffle::Byte, BloscShuffle::Bit] {
                for item_size in [1, 2, 3, 4, 8, 16, 17, 300] {
                    for len in [0, 1, 15, 16, 127, 128, 1000, 4096, 70_001, 600_000] {
                        let raw: Vec<u8> =
                            (0..len).map(|i: usize| ((i / 7) ^ ((i * i) >> 15)) as u8).collect();
                        let encoded = encode(&codec(compressor, shuffle, item_size), &raw);
                        let case = format!("{compressor:?} {shuffle:?} {item_size} {len}");
                        assert!(decode(&encoded, len).expect(&case) == raw, "{case}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_header_is_checked_against_the_buffer() {
        let encoded = encode(&codec(BloscCompressor::Zstd, BloscShuffle::Byte, 4), &[1; 4000]);
        assert!(decode(&encoded, 3999).is_err());
        assert!(decode(&encoded[..encoded.len() - 1], 4000).is_err());
        for (at, value) in [(4, 0xFF), (7, 0xFF), (10, 0xFF), (11, 0x80), (15, 0x7F), (2, 0x08)] {
            let mut broken = encoded.clone();
            broken[at] = value;
            assert_eq!(decode(&broken, 4000).unwrap_err().kind(), ErrorKind::Corrupt, "{at}");
        }
        for (at, value) in [(0, 5), (1, 2), (2, 0xA0), (2, 0xE0)] {
            let mut broken = encoded.clone();
            broken[at] = value;
            assert_eq!(decode(&broken, 4000).unwrap_err().kind(), ErrorKind::Unsupported, "{at}");
        }
    }

    #[test]
    fn configurations_out_of_range_are_refused() {
        let valid = Blosc {
            compressor: BloscCompressor::Lz4,
            level: 9,
            shuffle: BloscShuffle::Bit,
            item_size: 1,
            block_len_bytes: 0,
        };
        assert!(BloscCodec::new(&valid).is_ok());
        assert!(BloscCodec::new(&Blosc { level: 10, ..valid.clone() }).is_err());
        assert!(BloscCodec::new(&Blosc { item_size: 0, ..valid.clone() }).is_err());
        let block_len_bytes = MAX_BLOCK_LEN + 1;
        assert!(BloscCodec::new(&Blosc { block_len_bytes, ..valid }).is_err());
    }
}
