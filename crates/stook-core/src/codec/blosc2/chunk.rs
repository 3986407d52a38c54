//! Chunks of Blosc 2: a header that names up to six filters, then blocks as in Blosc 1, or one
//! value that all of it is.

use super::NAME;
use crate::codec::bitshuffle::{Buffers, kernel};
use crate::codec::blosc::block::{Decoder, Encoder, Format, Runs};
use crate::codec::{Blosc2, BloscCompressor, BloscShuffle, Scratch, shuffle, spare, too_short};
use crate::error::{Error, Result};

const SHORT_HEADER_LEN: usize = 16;
pub(super) const HEADER_LEN: usize = 32;
/// What is written; all up to it are read.
const VERSION: u8 = 5;
/// The version of Blosc 1's containers, whose bit shuffle wants whole groups of items.
const VERSION_1: u8 = 2;
const COMPRESSOR_VERSION: u8 = 1;
const N_FILTERS: usize = 6;
/// The longest chunk (`BLOSC2_MAX_BUFFERSIZE`).
pub(super) const MAX_LEN: usize = i32::MAX as usize - HEADER_LEN;
/// The shortest stream that the library splits a block for.
const MIN_STREAM_LEN: usize = 32;
const MAX_STREAMS: usize = 16;

const FLAG_SHUFFLE: u8 = 0x01;
const FLAG_STORED: u8 = 0x02;
const FLAG_BIT_SHUFFLE: u8 = 0x04;
const FLAG_DELTA: u8 = 0x08;
const FLAG_NOT_SPLIT: u8 = 0x10;
/// Both shuffles at once: the header is the long one.
const FLAG_LONG: u8 = FLAG_SHUFFLE | FLAG_BIT_SHUFFLE;

const FLAG2_DICTIONARY: u8 = 0x01;
const FLAG2_LAZY: u8 = 0x08;
const FLAG2_INSTRUMENTED: u8 = 0x80;

/// The value that all of a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special<'a> {
    Zeros,
    NaN,
    Value(&'a [u8]),
}

impl Special<'_> {
    /// The one with this number, but for [`Special::Value`]; `None` for 0.
    pub(super) fn from_number(number: u8) -> Result<Option<Self>> {
        match number {
            0 => Ok(None),
            // What was never written is as good as zeros.
            1 | 4 => Ok(Some(Self::Zeros)),
            2 => Ok(Some(Self::NaN)),
            other => Err(Error::unsupported(format!("blosc2: special value {other} is not known"))),
        }
    }

    /// Fills `out` with items of `item_size` bytes.
    pub(super) fn fill(self, item_size: usize, out: &mut [u8]) -> Result<()> {
        let (single, double) = (f32::NAN.to_le_bytes(), f64::NAN.to_le_bytes());
        let item = match (self, item_size) {
            (Self::Zeros, _) => {
                out.fill(0);
                return Ok(());
            }
            (Self::Value(item), _) => item,
            (Self::NaN, 4) => &single,
            (Self::NaN, 8) => &double,
            (Self::NaN, other) => {
                return Err(Error::corrupt(format!(
                    "blosc2: expected NaN of 4 or 8 bytes, found items of {other}"
                )));
            }
        };
        if item.is_empty() || !out.len().is_multiple_of(item.len()) {
            return Err(Error::corrupt(format!(
                "blosc2: expected whole items of {} bytes, found {} bytes",
                item.len(),
                out.len()
            )));
        }
        out.chunks_exact_mut(item.len()).for_each(|to| to.copy_from_slice(item));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Shuffle,
    BitShuffle,
    /// Exclusive or with the block before, or the item before.
    Delta,
}

/// A chunk whose header agrees with its length.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    /// All of it, header included: offsets count from there.
    bytes: &'a [u8],
    version: u8,
    flags: u8,
    item_size: usize,
    pub(super) raw_len: usize,
    pub(super) block_len: usize,
    header_len: usize,
    special: Option<Special<'a>>,
    format: Option<Format>,
    /// In the order of encoding.
    filters: [Option<Filter>; N_FILTERS],
}

impl<'a> Chunk<'a> {
    /// The chunk at the front of `encoded`.
    ///
    /// # Errors
    /// `Corrupt` if there is none, `Unsupported` naming what of it is not known.
    pub(super) fn parse(encoded: &'a [u8]) -> Result<Self> {
        let header = encoded
            .first_chunk::<SHORT_HEADER_LEN>()
            .ok_or_else(|| too_short(NAME, SHORT_HEADER_LEN, encoded.len()))?;
        let [version, _, flags, item_size, ..] = *header;
        if version > VERSION {
            return Err(Error::unsupported(format!(
                "blosc2: expected a chunk of version {VERSION} at most, found {version}"
            )));
        }
        let word = |at: usize| super::read_u32(encoded, at).unwrap_or(usize::MAX);
        let (raw_len, block_len, len) = (word(4), word(8), word(12));
        let is_long = flags & FLAG_LONG == FLAG_LONG;
        let header_len = if is_long { HEADER_LEN } else { SHORT_HEADER_LEN };
        let (min, max) = (header_len, encoded.len());
        let bytes = encoded.get(..len).filter(|_| len >= header_len).ok_or_else(|| {
            Error::corrupt(format!("blosc2: expected a chunk of {min} to {max} bytes, found {len}"))
        })?;
        if raw_len > MAX_LEN
            || raw_len > 0 && (item_size == 0 || block_len == 0 || block_len > raw_len)
        {
            return Err(Error::corrupt(format!(
                "blosc2: expected blocks of 1 to {raw_len} bytes with items of 1 or more, \
                 found {block_len} and {item_size}"
            )));
        }
        let item_size = usize::from(item_size);
        let mut chunk = Self {
            bytes,
            version,
            flags,
            item_size,
            raw_len,
            block_len,
            header_len,
            special: None,
            format: None,
            filters: [None; N_FILTERS],
        };
        chunk.parse_filters(is_long)?;
        if chunk.special.is_none() && flags & FLAG_STORED == 0 {
            chunk.format = Some(Format::from_number(NAME, flags >> 5)?);
        }
        Ok(chunk)
    }

    fn parse_filters(&mut self, is_long: bool) -> Result<()> {
        let Some(long) = self.bytes.get(SHORT_HEADER_LEN..HEADER_LEN).filter(|_| is_long) else {
            for (flag, filter) in [
                (FLAG_DELTA, Filter::Delta),
                (FLAG_SHUFFLE, Filter::Shuffle),
                (FLAG_BIT_SHUFFLE, Filter::BitShuffle),
            ] {
                let slot = self.filters.iter_mut().find(|slot| slot.is_none());
                if let (true, Some(slot)) = (self.flags & flag != 0, slot) {
                    *slot = Some(filter);
                }
            }
            return Ok(());
        };
        for (slot, &id) in self.filters.iter_mut().zip(long) {
            *slot = match id {
                // Truncated bits need no undoing.
                0 | 4 => None,
                1 => Some(Filter::Shuffle),
                2 => Some(Filter::BitShuffle),
                3 => Some(Filter::Delta),
                other => {
                    let message = format!("blosc2: filter {other} is not supported");
                    return Err(Error::unsupported(message));
                }
            };
        }
        let before_delta = self.filters.iter().flatten().skip(1);
        if before_delta.into_iter().any(|filter| *filter == Filter::Delta) {
            return Err(Error::unsupported("blosc2: a delta behind another filter"));
        }
        let flags = long.last().copied().unwrap_or_default();
        for (flag, what) in [
            (FLAG2_DICTIONARY, "with a dictionary"),
            (FLAG2_LAZY, "whose blocks are elsewhere"),
            (FLAG2_INSTRUMENTED, "of measurements"),
        ] {
            if flags & flag != 0 {
                let message = format!("blosc2: a chunk {what} is not supported");
                return Err(Error::unsupported(message));
            }
        }
        self.special = match flags >> 4 & 7 {
            3 => {
                let value = self.bytes.get(HEADER_LEN..HEADER_LEN + self.item_size);
                let found = self.bytes.len();
                let expected = HEADER_LEN + self.item_size;
                Some(Special::Value(value.ok_or_else(|| too_short(NAME, expected, found))?))
            }
            number => Special::from_number(number)?,
        };
        Ok(())
    }

    /// Decodes all of it to `out`, which has `raw_len` bytes.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded` if there is no memory.
    pub(super) fn decode(
        &self,
        out: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (first, others) = out.split_at_mut(self.block_len.min(self.raw_len));
        if first.is_empty() {
            return Ok(());
        }
        self.decode_block(0, &[], first, buffers, scratch)?;
        others
            .chunks_mut(self.block_len)
            .enumerate()
            .try_for_each(|(at, block)| self.decode_block(at + 1, first, block, buffers, scratch))
    }

    /// Decodes block `at` to `block`, which is as long; `first` is block 0 for all others.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub(super) fn decode_block(
        &self,
        at: usize,
        first: &[u8],
        block: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if let Some(special) = self.special {
            return special.fill(self.item_size, block);
        }
        let Some(format) = self.format else {
            let stored = self.bytes.get(self.header_len..).unwrap_or_default();
            if stored.len() != self.raw_len {
                return Err(super::super::wrong_len(NAME, self.raw_len, stored.len()));
            }
            let start = at.saturating_mul(self.block_len);
            let stored = stored.get(start..).and_then(|stored| stored.get(..block.len()));
            block.copy_from_slice(stored.ok_or_else(|| too_short(NAME, start, self.raw_len))?);
            return Ok(());
        };
        let start = super::read_u32(self.bytes, self.header_len + 4 * at);
        let encoded = start.and_then(|start| self.bytes.get(start..));
        let encoded = encoded.ok_or_else(|| {
            Error::corrupt(format!("blosc2: block {at} begins outside its chunk"))
        })?;
        let is_split = self.flags & FLAG_NOT_SPLIT == 0 && block.len() == self.block_len;
        let n_streams = if is_split { self.item_size } else { 1 };
        let decoder = Decoder { codec: NAME, format, runs: Runs::Known };
        let n_moves = self.filters.iter().flatten().filter(|&&f| f != Filter::Delta).count();
        if n_moves == 0 {
            decoder.decode(n_streams, encoded, block, scratch)?;
        } else {
            let (planes, tile) = buffers.rows(block.len())?;
            decoder.decode(n_streams, encoded, planes, scratch)?;
            self.unfilter(n_moves, planes, block, tile);
        }
        if self.filters.iter().flatten().any(|&filter| filter == Filter::Delta) {
            self.undo_delta(at, first, block);
        }
        Ok(())
    }

    /// Undoes the filters that move bytes, `n_moves` of them, from `planes` to `block`.
    fn unfilter(&self, n_moves: usize, planes: &mut [u8], block: &mut [u8], tile: &mut Vec<u8>) {
        let (mut from, mut to) = (planes, block);
        // After an even number of moves the data are where they began.
        if n_moves.is_multiple_of(2) {
            to.copy_from_slice(from);
            std::mem::swap(&mut from, &mut to);
        }
        for filter in self.filters.iter().rev().flatten() {
            match filter {
                Filter::Shuffle => shuffle::unshuffle(self.item_size, from, to),
                Filter::BitShuffle => {
                    let whole = self.shuffled_len(from.len());
                    let ((rows, tail), (items, rest)) =
                        (from.split_at(whole), to.split_at_mut(whole));
                    rest.copy_from_slice(tail);
                    kernel::unshuffle_bits(self.item_size, rows, items, tile);
                }
                Filter::Delta => continue,
            }
            std::mem::swap(&mut from, &mut to);
        }
    }

    /// How many of `len` bytes the bit shuffle moves.
    fn shuffled_len(&self, len: usize) -> usize {
        let n_items = len / self.item_size;
        match self.version {
            VERSION_1 if !n_items.is_multiple_of(8) => 0,
            _ => n_items / 8 * 8 * self.item_size,
        }
    }

    fn undo_delta(&self, at: usize, first: &[u8], block: &mut [u8]) {
        let width = match self.item_size {
            width @ (1 | 2 | 4) => width,
            size if size.is_multiple_of(8) => 8,
            _ => 1,
        };
        let whole = block.len() / width * width;
        if at > 0 {
            block.iter_mut().take(whole).zip(first).for_each(|(byte, &before)| *byte ^= before);
            return;
        }
        for i in width..whole {
            block[i] ^= block[i - width];
        }
    }
}

/// Appends `raw`, and zeros up to `padded_len`, as a chunk of blocks of `block_len` to `out`.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn encode(
    config: &Blosc2,
    (raw, padded_len): (&[u8], usize),
    block_len: usize,
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    let start = out.len();
    let item_size = u8::try_from(config.item_size).unwrap_or(1);
    let is_split = is_split(config, usize::from(item_size), block_len);
    let split = if is_split { 0 } else { FLAG_NOT_SPLIT };
    let flags = FLAG_LONG | split | (Format::number_of(config.compressor) << 5);
    let filter = match config.shuffle {
        BloscShuffle::None => 0,
        BloscShuffle::Byte => 1,
        BloscShuffle::Bit => 2,
    };
    spare::reserve(out, padded_len + HEADER_LEN)?;
    out.extend_from_slice(&[VERSION, COMPRESSOR_VERSION, flags, item_size]);
    for len in [padded_len, block_len, 0] {
        out.extend_from_slice(&u32::try_from(len).expect("checked before").to_le_bytes());
    }
    out.extend_from_slice(&[0, 0, 0, 0, 0, filter, compressor_number(config.compressor), 0]);
    out.extend_from_slice(&[0; 8]);
    if config.level > 0 {
        let mut buffers = std::mem::take(scratch.context::<Buffers>());
        let padded = scratch.take_buffer();
        let item_size = usize::from(item_size);
        let mut blocks = Blocks { config, item_size, is_split, block_len, start, padded };
        let encoded = blocks.encode((raw, padded_len), out, &mut buffers, scratch);
        scratch.give_buffer(blocks.padded);
        buffers.keep(scratch);
        encoded?;
    }
    if config.level == 0 || out.len() - start >= padded_len + HEADER_LEN {
        out.truncate(start + HEADER_LEN);
        out.extend_from_slice(raw);
        out.resize(start + HEADER_LEN + padded_len, 0);
        out[start + 2] |= FLAG_STORED;
    }
    let len = u32::try_from(out.len() - start).expect("no longer than what was checked");
    out[start + 12..start + 16].copy_from_slice(&len.to_le_bytes());
    Ok(())
}

/// The library's number of a compressor, which tells LZ4 from LZ4HC.
pub(super) fn compressor_number(compressor: BloscCompressor) -> u8 {
    match compressor {
        BloscCompressor::BloscLz => 0,
        BloscCompressor::Lz4 => 1,
        BloscCompressor::Lz4Hc => 2,
        BloscCompressor::Snappy => 3,
        BloscCompressor::Zlib => 4,
        BloscCompressor::Zstd => 5,
    }
}

/// Whether the library would split blocks into streams.
fn is_split(config: &Blosc2, item_size: usize, block_len: usize) -> bool {
    let gains = match config.compressor {
        BloscCompressor::BloscLz | BloscCompressor::Lz4 => true,
        BloscCompressor::Zstd => config.level <= 5,
        _ => false,
    };
    gains
        && config.shuffle == BloscShuffle::Byte
        && item_size <= MAX_STREAMS
        && block_len / item_size >= MIN_STREAM_LEN
        && block_len.is_multiple_of(item_size)
}

struct Blocks<'a> {
    config: &'a Blosc2,
    /// As the header has it: 1 for items too long for that.
    item_size: usize,
    is_split: bool,
    block_len: usize,
    /// Where the chunk begins in the output.
    start: usize,
    /// For a block that is not whole.
    padded: Vec<u8>,
}

impl Blocks<'_> {
    /// Appends the offsets of the blocks and the blocks, up to where it does not pay.
    fn encode(
        &mut self,
        (raw, padded_len): (&[u8], usize),
        out: &mut Vec<u8>,
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Blosc2 { compressor, level, .. } = *self.config;
        let encoder = Encoder { compressor, level, runs: Runs::Known };
        let offsets = out.len();
        out.resize(offsets + 4 * padded_len.div_ceil(self.block_len), 0);
        for (at, block_start) in (0..padded_len).step_by(self.block_len).enumerate() {
            let offset = u32::try_from(out.len() - self.start).expect("as the length of all");
            out[offsets + 4 * at..][..4].copy_from_slice(&offset.to_le_bytes());
            let len = self.block_len.min(padded_len - block_start);
            let found = raw.get(block_start..).unwrap_or_default();
            let block = match found.get(..len) {
                Some(block) => block,
                None => {
                    self.padded.clear();
                    self.padded.extend_from_slice(found);
                    self.padded.resize(len, 0);
                    &self.padded
                }
            };
            let is_split = self.is_split && len == self.block_len;
            let n_streams = if is_split { self.item_size } else { 1 };
            let planes = shuffled(self.config, block, buffers)?;
            encoder.encode(n_streams, planes, out, scratch)?;
            if out.len() - self.start >= padded_len + HEADER_LEN {
                break;
            }
        }
        Ok(())
    }
}

/// The block as it is compressed.
fn shuffled<'b>(config: &Blosc2, block: &'b [u8], buffers: &'b mut Buffers) -> Result<&'b [u8]> {
    let item_size = u8::try_from(config.item_size).map_or(1, usize::from);
    match config.shuffle {
        BloscShuffle::None => Ok(block),
        BloscShuffle::Byte => {
            let (planes, _) = buffers.rows(block.len())?;
            shuffle::shuffle(item_size, block, planes);
            Ok(planes)
        }
        BloscShuffle::Bit => {
            let (planes, tile) = buffers.rows(block.len())?;
            let (items, tail) = block.split_at(block.len() / item_size / 8 * 8 * item_size);
            let (rows, rest) = planes.split_at_mut(items.len());
            rest.copy_from_slice(tail);
            kernel::shuffle_bits(item_size, items, rows, tile);
            Ok(planes)
        }
    }
}
