//! Bit shuffle block by block, then perhaps LZ4 or zstd: HDF5's filter 32008.
//!
//! The bytes are those of the bitshuffle project (drawn in docs/formats/codecs.md). What is behind
//! the last eight items is stored as it is.

pub(super) mod kernel;

use super::{Bitshuffle, BitshuffleCompressor, Codec, Scratch, lz4, spare, zstd};
use crate::error::{Error, Result};

const NAME: &str = "bitshuffle";
/// Items of a block are a multiple of this.
const BLOCK_MULTIPLE: usize = 8;
/// Bytes and least items of a block where none is asked for.
const DEFAULT_BLOCK_LEN: usize = 8192;
const MIN_DEFAULT_ITEMS: usize = 128;
/// Total length and block length, before the blocks of a compressor.
const HEADER_LEN: usize = 12;

/// Shuffles bits, and compresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BitshuffleCodec {
    item_size: usize,
    block_len: usize,
    compressor: BitshuffleCompressor,
}

impl BitshuffleCodec {
    pub(super) fn new(config: &Bitshuffle) -> Result<Self> {
        let Bitshuffle { item_size, block_len_items, compressor } = *config;
        if item_size == 0 {
            return Err(Error::invalid("bitshuffle: expected an item size of at least 1, found 0"));
        }
        if !block_len_items.is_multiple_of(BLOCK_MULTIPLE) {
            return Err(Error::invalid(format!(
                "bitshuffle: expected a block of a multiple of {BLOCK_MULTIPLE} items, \
                 found {block_len_items}"
            )));
        }
        let n_items = match block_len_items {
            0 => (DEFAULT_BLOCK_LEN / item_size / BLOCK_MULTIPLE * BLOCK_MULTIPLE)
                .max(MIN_DEFAULT_ITEMS),
            n_items => n_items,
        };
        let block_len = n_items.saturating_mul(item_size);
        // The header counts in 32 bits, a block of LZ4 in 31.
        if block_len > lz4::MAX_BLOCK_LEN {
            return Err(Error::invalid(format!(
                "bitshuffle: expected a block of at most {} bytes, found {block_len}",
                lz4::MAX_BLOCK_LEN
            )));
        }
        if let BitshuffleCompressor::Zstd { level } = compressor {
            zstd::check_level(level)?;
        }
        Ok(Self { item_size, block_len, compressor })
    }

    /// How many of `len` bytes are shuffled: whole groups of eight items.
    fn shuffled_len(&self, len: usize) -> usize {
        let group_len = self.item_size.saturating_mul(BLOCK_MULTIPLE);
        len / group_len * group_len
    }

    fn encode_block(&self, rows: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        match self.compressor {
            BitshuffleCompressor::Zstd { level } => zstd::encode_frame(level, rows, out, scratch)?,
            _ => lz4::compress_block(rows, 1, out)?,
        }
        let len = u32::try_from(out.len() - start - 4).expect("a block is far shorter");
        out[start..start + 4].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }

    /// Decodes the block at the front of `rest` to `rows`; returns what is behind it.
    fn decode_block<'a>(
        &self,
        rest: &'a [u8],
        rows: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<&'a [u8]> {
        let (len, rest) =
            rest.split_first_chunk().ok_or_else(|| super::too_short(NAME, 4, rest.len()))?;
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let (block, rest) =
            rest.split_at_checked(len).ok_or_else(|| super::too_short(NAME, len, rest.len()))?;
        match self.compressor {
            BitshuffleCompressor::Zstd { .. } => {
                let found = zstd::decode_frames(block, rows, scratch)?;
                if found != rows.len() {
                    return Err(Error::corrupt(format!(
                        "bitshuffle: expected a block of {} decoded bytes, found {found}",
                        rows.len()
                    )));
                }
            }
            _ => lz4::decompress_block(block, rows)?,
        }
        Ok(rest)
    }

    /// Decodes the blocks and the rest in `encoded` to `out`.
    fn decode_blocks(
        &self,
        block_len: usize,
        encoded: &[u8],
        out: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (blocks, tail) = out.split_at_mut(self.shuffled_len(out.len()));
        let mut rest = encoded;
        for to in blocks.chunks_mut(block_len) {
            if self.compressor == BitshuffleCompressor::None {
                let (rows, behind) = rest
                    .split_at_checked(to.len())
                    .ok_or_else(|| super::too_short(NAME, to.len(), rest.len()))?;
                kernel::unshuffle_bits(self.item_size, rows, to, &mut buffers.tile);
                rest = behind;
                continue;
            }
            let (rows, tile) = buffers.rows(to.len())?;
            rest = self.decode_block(rest, rows, scratch)?;
            kernel::unshuffle_bits(self.item_size, rows, to, tile);
        }
        if rest.len() != tail.len() {
            return Err(Error::corrupt(format!(
                "bitshuffle: expected {} bytes behind the blocks, found {}",
                tail.len(),
                rest.len()
            )));
        }
        tail.copy_from_slice(rest);
        Ok(())
    }
}

impl Codec for BitshuffleCodec {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        if self.has_fixed_len() { raw_len } else { super::generous_bound(raw_len) }
    }

    fn has_fixed_len(&self) -> bool {
        self.compressor == BitshuffleCompressor::None
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let mut buffers = std::mem::take(scratch.context::<Buffers>());
        let start = out.len();
        let is_compressed = self.compressor != BitshuffleCompressor::None;
        if is_compressed {
            spare::reserve(out, raw.len() / 2 + HEADER_LEN)?;
            out.extend_from_slice(&(raw.len() as u64).to_be_bytes());
            let block_len = u32::try_from(self.block_len).expect("checked when made");
            out.extend_from_slice(&block_len.to_be_bytes());
        } else {
            spare::reserve(out, raw.len())?;
        }
        let (blocks, tail) = raw.split_at(self.shuffled_len(raw.len()));
        let encoded = blocks.chunks(self.block_len).try_for_each(|block| {
            if is_compressed {
                let (rows, tile) = buffers.rows(block.len())?;
                kernel::shuffle_bits(self.item_size, block, rows, tile);
                return self.encode_block(rows, out, scratch);
            }
            let start = out.len();
            out.resize(start + block.len(), 0);
            kernel::shuffle_bits(self.item_size, block, &mut out[start..], &mut buffers.tile);
            Ok(())
        });
        out.extend_from_slice(tail);
        buffers.keep(scratch);
        encoded.inspect_err(|_| out.truncate(start))
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let (room, found) = (out.len(), encoded.len());
        let (len, block_len, blocks) = if self.compressor == BitshuffleCompressor::None {
            (encoded.len(), self.block_len, encoded)
        } else {
            let (header, blocks) = encoded
                .split_first_chunk::<HEADER_LEN>()
                .ok_or_else(|| super::too_short(NAME, HEADER_LEN, found))?;
            let [a, b, c, d, e, f, g, h, block_len @ ..] = *header;
            let len = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            let block_len = usize::try_from(u32::from_be_bytes(block_len)).unwrap_or(usize::MAX);
            (usize::try_from(len).unwrap_or(usize::MAX), block_len, blocks)
        };
        let out = out.get_mut(..len).ok_or_else(|| super::wrong_len(NAME, room, len))?;
        if block_len == 0 || block_len != self.shuffled_len(block_len) {
            return Err(Error::corrupt(format!(
                "bitshuffle: expected blocks of a multiple of {BLOCK_MULTIPLE} items of {} bytes, \
                 found {block_len}",
                self.item_size
            )));
        }
        let mut buffers = std::mem::take(scratch.context::<Buffers>());
        let decoded = self.decode_blocks(block_len, blocks, out, &mut buffers, scratch);
        buffers.keep(scratch);
        decoded.map(|()| len)
    }
}

/// Shuffled blocks, kept from chunk to chunk without being cleared.
#[derive(Default)]
pub(super) struct Buffers {
    rows: Vec<u8>,
    tile: Vec<u8>,
}

impl Buffers {
    /// A sensible block is far below this.
    const KEPT_LEN: usize = 64 << 20;

    /// Room for a block of `len` bytes, with whatever is there, and room for the kernel.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(super) fn rows(&mut self, len: usize) -> Result<(&mut [u8], &mut Vec<u8>)> {
        let more = len.saturating_sub(self.rows.len());
        if more > 0 {
            spare::reserve(&mut self.rows, more)?;
            self.rows.resize(len, 0);
        }
        Ok((self.rows.get_mut(..len).unwrap_or_default(), &mut self.tile))
    }

    /// Puts them back to where they were taken from.
    pub(super) fn keep(self, scratch: &mut Scratch) {
        if self.rows.capacity() + self.tile.capacity() <= Self::KEPT_LEN {
            *scratch.context::<Self>() = self;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn codec(item_size: usize, block: usize, compressor: BitshuffleCompressor) -> BitshuffleCodec {
        let config = Bitshuffle { item_size, block_len_items: block, compressor };
        BitshuffleCodec::new(&config).unwrap()
    }

    #[test]
    fn blocks_are_framed_as_the_filter_does() {
        let codec = codec(1, 8, BitshuffleCompressor::Lz4);
        let (mut encoded, mut scratch) = (Vec::new(), Scratch::new());
        // Eight items of which the third has bits 0 and 7, and two that are left over.
        codec.encode_into(&[0, 0, 0x81, 0, 0, 0, 0, 0, 5, 6], &mut encoded, &mut scratch).unwrap();
        let block = [0x80, 4, 0, 0, 0, 0, 0, 0, 4];
        let mut expected = vec![0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 8, 0, 0, 0, 9];
        expected.extend(block.into_iter().chain([5, 6]));
        assert_eq!(encoded, expected);
    }

    #[test]
    fn block_lengths_that_make_no_sense_are_corrupt() {
        let codec = codec(4, 0, BitshuffleCompressor::Lz4);
        let (mut encoded, mut scratch) = (Vec::new(), Scratch::new());
        codec.encode_into(&[7; 400], &mut encoded, &mut scratch).unwrap();
        for block_len in [0_u32, 8, 33, u32::MAX] {
            encoded[8..12].copy_from_slice(&block_len.to_be_bytes());
            let error = codec.decode_into(&encoded, &mut [0; 400], &mut scratch).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{block_len}");
        }
    }

    #[test]
    fn configurations_out_of_range_are_refused() {
        let valid =
            Bitshuffle { item_size: 4, block_len_items: 64, compressor: BitshuffleCompressor::Lz4 };
        assert!(BitshuffleCodec::new(&valid).is_ok());
        for config in [
            Bitshuffle { item_size: 0, ..valid },
            Bitshuffle { item_size: usize::MAX, ..valid },
            Bitshuffle { block_len_items: 12, ..valid },
            Bitshuffle { block_len_items: 1 << 30, ..valid },
            Bitshuffle { compressor: BitshuffleCompressor::Zstd { level: 23 }, ..valid },
        ] {
            assert!(BitshuffleCodec::new(&config).is_err(), "{config:?}");
        }
    }
}
