//! szip, HDF5's filter 4: Rice coding as in CCSDS 121.0-B, in the form that libaec gives it.
//!
//! The raw length as a little-endian `u32`, then bits, most significant first (drawn in
//! docs/formats/codecs.md). Numbers of 32 and 64 bits are coded as bytes, byte 0 of all first.
//! Lines of pixels are padded to whole blocks. The original szip library ends its last line where
//! the data end, libaec pads it: both are read, the latter is written.

mod decode;
mod encode;

use super::{Codec, Scratch, Szip, shuffle};
use crate::error::{Error, Result};

const NAME: &str = "szip";
const HEADER_LEN: usize = 4;
const MAX_BLOCK_PIXELS: u32 = 32;
/// libaec's limit of blocks between two reference samples; HDF5's own is 128.
const MAX_LINE_BLOCKS: usize = 4096;
/// Blocks that a run of zeros cannot leave.
const SEGMENT_BLOCKS: usize = 64;
/// Within this, 5 blocks of zeros or more reach to the end of their segment.
const REST_OF_SEGMENT: usize = 5;

const OPTION_MSB: u32 = 16;
const OPTION_NEAREST_NEIGHBOUR: u32 = 32;

/// Codes numbers by Rice's method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SzipCodec {
    /// Bytes that are taken apart before coding; 1 for none.
    word_size: usize,
    layout: Layout,
}

/// How samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    /// Bits of a sample, at most 24.
    bits: u32,
    /// Bytes that a sample has outside.
    sample_size: usize,
    is_big_endian: bool,
    /// Whether differences are coded, and each line begins with a reference sample.
    has_differences: bool,
    block_len: usize,
    /// Samples of a line, without padding.
    line_len: usize,
    /// Blocks of a line.
    n_blocks: usize,
}

impl Layout {
    /// Bits of the number that says how a block is coded.
    fn id_bits(&self) -> u32 {
        match self.bits {
            0..=8 => 3,
            9..=16 => 4,
            _ => 5,
        }
    }

    /// The id of a block that is not coded.
    fn uncoded_id(&self) -> u32 {
        (1 << self.id_bits()) - 1
    }

    fn max_sample(&self) -> u32 {
        (1 << self.bits) - 1
    }

    /// Samples of a line with its padding.
    fn padded_len(&self) -> usize {
        self.n_blocks * self.block_len
    }
}

impl SzipCodec {
    pub(super) fn new(config: &Szip) -> Result<Self> {
        let Szip { options, pixels_per_block, bits_per_pixel, pixels_per_scanline } = *config;
        if pixels_per_block == 0
            || pixels_per_block > MAX_BLOCK_PIXELS
            || !pixels_per_block.is_multiple_of(2)
        {
            return Err(Error::invalid(format!(
                "szip: expected an even number of up to {MAX_BLOCK_PIXELS} pixels a block, \
                 found {pixels_per_block}"
            )));
        }
        let (word_size, bits) = match bits_per_pixel {
            32 => (4, 8),
            64 => (8, 8),
            bits @ 1..=24 => (1, bits),
            other => {
                return Err(Error::invalid(format!(
                    "szip: expected pixels of 1 to 24, 32 or 64 bits, found {other}"
                )));
            }
        };
        let as_len = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let (block_len, line_len) = (as_len(pixels_per_block), as_len(pixels_per_scanline));
        let n_blocks = line_len.div_ceil(block_len);
        if !(1..=MAX_LINE_BLOCKS).contains(&n_blocks) {
            return Err(Error::invalid(format!(
                "szip: expected 1 to {} pixels a line, found {line_len}",
                MAX_LINE_BLOCKS * block_len
            )));
        }
        let sample_size = match bits {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        };
        let layout = Layout {
            bits,
            sample_size,
            is_big_endian: options & OPTION_MSB != 0,
            has_differences: options & OPTION_NEAREST_NEIGHBOUR != 0,
            block_len,
            line_len,
            n_blocks,
        };
        Ok(Self { word_size, layout })
    }
}

impl Codec for SzipCodec {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let len = u32::try_from(raw.len()).map_err(|_| {
            Error::invalid(format!("szip: expected less than 4 GiB, found {} bytes", raw.len()))
        })?;
        let start = out.len();
        super::spare::reserve(out, HEADER_LEN + raw.len() / 2)?;
        out.extend_from_slice(&len.to_le_bytes());
        let mut planes = scratch.take_buffer();
        let samples = if self.word_size > 1 {
            planes.resize(raw.len(), 0);
            shuffle::shuffle(self.word_size, raw, &mut planes);
            &planes
        } else {
            raw
        };
        let lines = scratch.context::<Lines>();
        let encoded = encode::encode(&self.layout, samples, out, lines);
        scratch.give_buffer(planes);
        encoded.inspect_err(|_| out.truncate(start))
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let (len, bits) = encoded
            .split_first_chunk::<HEADER_LEN>()
            .ok_or_else(|| super::too_short(NAME, HEADER_LEN, encoded.len()))?;
        let (room, len) = (out.len(), usize::try_from(u32::from_le_bytes(*len)));
        let len = len.unwrap_or(usize::MAX);
        let out = out.get_mut(..len).ok_or_else(|| super::wrong_len(NAME, room, len))?;
        if self.word_size == 1 {
            decode::decode(&self.layout, bits, out, scratch.context::<Lines>())?;
            return Ok(len);
        }
        let mut planes = scratch.take_buffer();
        planes.resize(len, 0);
        let decoded = decode::decode(&self.layout, bits, &mut planes, scratch.context::<Lines>());
        shuffle::unshuffle(self.word_size, &planes, out);
        scratch.give_buffer(planes);
        decoded.map(|()| len)
    }
}

/// A line as samples and as what is coded of them, kept from chunk to chunk.
#[derive(Default)]
struct Lines {
    samples: Vec<u32>,
    differences: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(bits: u32, options: u32, block: u32, line: u32) -> SzipCodec {
        let config = Szip {
            options,
            pixels_per_block: block,
            bits_per_pixel: bits,
            pixels_per_scanline: line,
        };
        SzipCodec::new(&config).unwrap()
    }

    #[test]
    fn every_width_of_samples_comes_back() {
        let mut scratch = Scratch::new();
        for bits in 1..=24 {
            for (options, block, line) in
                [(32, 8, 64), (32 + 16, 16, 100), (16, 2, 3), (0, 32, 900)]
            {
                let codec = codec(bits, options, block, line);
                let size = codec.layout.sample_size;
                let sample = |i: u32| match i / 300 % 4 {
                    0 => i.wrapping_mul(2_654_435_761) >> (32 - bits),
                    1 => (i / 7) & codec.layout.max_sample(),
                    2 => codec.layout.max_sample() - u32::from(i.is_multiple_of(40)),
                    _ => 0,
                };
                let raw: Vec<u8> = (0..3000)
                    .flat_map(|i| match options & OPTION_MSB {
                        0 => sample(i).to_le_bytes()[..size].to_vec(),
                        _ => sample(i).to_be_bytes()[4 - size..].to_vec(),
                    })
                    .collect();
                let (mut encoded, mut out) = (Vec::new(), vec![0; raw.len()]);
                codec.encode_into(&raw, &mut encoded, &mut scratch).unwrap();
                codec.decode_into(&encoded, &mut out, &mut scratch).unwrap();
                assert!(out == raw, "{bits} bits, {options}, {block}, {line}");
            }
        }
    }

    #[test]
    fn a_sample_of_more_bits_is_refused() {
        let (codec, mut out) = (codec(20, 32, 8, 64), Vec::new());
        let error = codec.encode_into(&[0, 0, 16, 0], &mut out, &mut Scratch::new()).unwrap_err();
        assert_eq!(error.message(), "szip: expected samples of 20 bits, found 0x100000");
        assert!(out.is_empty());
    }

    #[test]
    fn configurations_out_of_range_are_refused() {
        let valid = Szip {
            options: 32,
            pixels_per_block: 16,
            bits_per_pixel: 16,
            pixels_per_scanline: 100,
        };
        assert!(SzipCodec::new(&valid).is_ok());
        for config in [
            Szip { pixels_per_block: 0, ..valid },
            Szip { pixels_per_block: 15, ..valid },
            Szip { pixels_per_block: 34, ..valid },
            Szip { bits_per_pixel: 0, ..valid },
            Szip { bits_per_pixel: 25, ..valid },
            Szip { bits_per_pixel: 128, ..valid },
            Szip { pixels_per_scanline: 0, ..valid },
            Szip { pixels_per_scanline: 16 * 4096 + 1, ..valid },
        ] {
            assert!(SzipCodec::new(&config).is_err(), "{config:?}");
        }
    }
}
