//! Blosc 1 containers of our own making, cut to the same blocks as the C library's: for
//! compressors whose contexts and vectors are better here than there.

use super::block::{Encoder, Format, Runs};
use super::{
    COMPRESSOR_VERSION, FLAG_BIT_SHUFFLE, FLAG_NOT_SPLIT, FLAG_SHUFFLE, FLAG_STORED, HEADER_LEN,
    MAX_BLOCK_LEN, MAX_SPLITS, MIN_SPLIT_LEN, VERSION,
};
use crate::codec::bitshuffle::{Buffers, kernel};
use crate::codec::{Blosc, BloscCompressor, BloscShuffle, Scratch, shuffle, spare};
use crate::error::Result;

/// Writes containers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'a> {
    config: &'a Blosc,
    item_size: usize,
    block_len: usize,
    is_split: bool,
}

impl<'a> Container<'a> {
    /// One for `raw_len` bytes.
    pub(super) fn new(config: &'a Blosc, raw_len: usize) -> Self {
        // What does not fit the header's byte is shuffled not at all.
        let item_size = u8::try_from(config.item_size).map_or(1, usize::from);
        let wanted = match config.block_len_bytes {
            0 => default_block_len(config).min(raw_len),
            wanted => wanted.clamp(MIN_SPLIT_LEN, MAX_BLOCK_LEN),
        };
        let wanted = match wanted {
            len if is_split(config, item_size, len) => (len.min(MAX_SPLIT_STREAM_LEN) * item_size)
                .clamp(MIN_SPLIT_BLOCK_LEN, MAX_SPLIT_BLOCK_LEN),
            len => len,
        };
        let block_len = match wanted.min(raw_len) {
            len if len > item_size => len / item_size * item_size,
            len => len,
        };
        let is_split = is_split(config, item_size, block_len);
        Self { config, item_size, block_len, is_split }
    }

    /// Appends the container of `raw` to `out`.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(super) fn encode(
        &self,
        raw: &[u8],
        out: &mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let start = out.len();
        spare::reserve(out, raw.len() + HEADER_LEN)?;
        let item_size = u8::try_from(self.item_size).expect("it was cut to a byte");
        out.extend_from_slice(&[VERSION, COMPRESSOR_VERSION, self.flags(), item_size]);
        for len in [raw.len(), self.block_len, 0] {
            let len = u32::try_from(len).expect("checked before");
            out.extend_from_slice(&len.to_le_bytes());
        }
        let is_stored = self.config.level == 0 || raw.len() < MIN_SPLIT_LEN;
        if !is_stored {
            let mut buffers = std::mem::take(scratch.context::<Buffers>());
            let encoded = self.encode_blocks(raw, start, out, &mut buffers, scratch);
            buffers.keep(scratch);
            encoded?;
        }
        if is_stored || out.len() - start >= raw.len() + HEADER_LEN {
            out.truncate(start + HEADER_LEN);
            out.extend_from_slice(raw);
            out[start + 2] |= FLAG_STORED;
        }
        let len = u32::try_from(out.len() - start).expect("no longer than what was checked");
        out[start + 12..start + HEADER_LEN].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    fn flags(&self) -> u8 {
        let shuffle = match self.config.shuffle {
            BloscShuffle::None => 0,
            BloscShuffle::Byte => FLAG_SHUFFLE,
            BloscShuffle::Bit => FLAG_BIT_SHUFFLE,
        };
        let split = if self.is_split { 0 } else { FLAG_NOT_SPLIT };
        shuffle | split | (Format::number_of(self.config.compressor) << 5)
    }

    /// Appends the offsets of the blocks, counted from `start`, and the blocks.
    fn encode_blocks(
        &self,
        raw: &[u8],
        start: usize,
        out: &mut Vec<u8>,
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Blosc { compressor, level, shuffle, .. } = *self.config;
        let encoder = Encoder { compressor, level, runs: Runs::Never };
        let offsets = out.len();
        out.resize(offsets + 4 * raw.len().div_ceil(self.block_len), 0);
        for (at, block) in raw.chunks(self.block_len).enumerate() {
            let offset = u32::try_from(out.len() - start).expect("as the length of all");
            out[offsets + 4 * at..][..4].copy_from_slice(&offset.to_le_bytes());
            let is_split = self.is_split && block.len() == self.block_len;
            let n_streams = if is_split { self.item_size } else { 1 };
            let planes = self.shuffled(shuffle, block, buffers)?;
            encoder.encode(n_streams, planes, out, scratch)?;
            if out.len() - start >= raw.len() + HEADER_LEN {
                break;
            }
        }
        Ok(())
    }

    /// The block as it is compressed.
    fn shuffled<'b>(
        &self,
        shuffle: BloscShuffle,
        block: &'b [u8],
        buffers: &'b mut Buffers,
    ) -> Result<&'b [u8]> {
        let n_items = block.len() / self.item_size;
        match shuffle {
            BloscShuffle::Byte if self.item_size > 1 => {
                let (planes, _) = buffers.rows(block.len())?;
                shuffle::shuffle(self.item_size, block, planes);
                Ok(planes)
            }
            BloscShuffle::Bit if n_items > 0 && n_items.is_multiple_of(8) => {
                let (planes, tile) = buffers.rows(block.len())?;
                let (items, tail) = block.split_at(n_items * self.item_size);
                let (rows, rest) = planes.split_at_mut(items.len());
                rest.copy_from_slice(tail);
                kernel::shuffle_bits(self.item_size, items, rows, tile);
                Ok(planes)
            }
            _ => Ok(block),
        }
    }
}

/// Bytes of a stream and of a block that is split in streams, at most and at least.
const MAX_SPLIT_STREAM_LEN: usize = 256 << 10;
const MIN_SPLIT_BLOCK_LEN: usize = 64 << 10;
const MAX_SPLIT_BLOCK_LEN: usize = 1 << 20;

/// Whether each plane of a block becomes a stream: as in the C library, not with zstd.
fn is_split(config: &Blosc, item_size: usize, block_len: usize) -> bool {
    config.compressor != BloscCompressor::Zstd
        && item_size <= MAX_SPLITS
        && block_len / item_size >= MIN_SPLIT_LEN
}

/// Bytes of a stream where none is asked for, as the C library has it: more for higher levels and
/// for compressors that look far back.
fn default_block_len(config: &Blosc) -> usize {
    const LEN: usize = 32 << 10;
    let looks_far = matches!(
        config.compressor,
        BloscCompressor::Lz4Hc | BloscCompressor::Zlib | BloscCompressor::Zstd
    );
    let len = if looks_far { 2 * LEN } else { LEN };
    match config.level {
        0 => len / 4,
        1 => len / 2,
        2 => len,
        3 => len * 2,
        4 | 5 => len * 4,
        9 if looks_far => len * 16,
        _ => len * 8,
    }
}
