//! The `b2nd` metalayer: chunks of an array with several axes, whose blocks are boxes.
//!
//! Chunks and blocks are in C order, and items within a block. Blocks that reach beyond their
//! chunk, and chunks that reach beyond the array, are whole all the same.

use super::NAME;
use super::chunk::{Chunk, Special};
use crate::codec::bitshuffle::Buffers;
use crate::codec::{Blosc2, Scratch, too_short};
use crate::error::{Error, Result};

/// More axes than any version of the library knows.
const MAX_RANK: usize = 16;
/// Where the filter's values have the number of axes; the chunk's shape follows.
const RANK_AT: usize = 7;

/// The shape of an array, of its chunks and of their blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    item_size: usize,
    array: Vec<usize>,
    chunk: Vec<usize>,
    block: Vec<usize>,
    len_bytes: usize,
}

impl Shape {
    /// Reads the content of the metalayer.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported` for chunks longer than the array.
    pub(super) fn parse(content: &[u8], item_size: usize) -> Result<Self> {
        let mut reader = Reader(content);
        reader.array()?;
        let (_version, rank) = (reader.int()?, reader.int()?);
        let mut axes = || -> Result<Vec<usize>> {
            let found = reader.array()?;
            if found != rank || !(1..=MAX_RANK).contains(&rank) {
                return Err(Error::corrupt(format!(
                    "blosc2: expected 1 to {MAX_RANK} axes, found {rank} and {found}"
                )));
            }
            (0..rank).map(|_| reader.int()).collect()
        };
        let (array, chunk, block) = (axes()?, axes()?, axes()?);
        Self::new(item_size, array, chunk, block)
    }

    fn new(
        item_size: usize,
        array: Vec<usize>,
        chunk: Vec<usize>,
        block: Vec<usize>,
    ) -> Result<Self> {
        let len_bytes = array.iter().try_fold(item_size, |len, &n| len.checked_mul(n));
        let fits = |outer: &[usize], inner: &[usize]| {
            outer.iter().zip(inner).all(|(&outer, &inner)| (1..=outer).contains(&inner))
        };
        let is_empty = len_bytes == Some(0);
        match len_bytes {
            Some(len_bytes) if is_empty || fits(&array, &chunk) && fits(&chunk, &block) => {
                Ok(Self { item_size, array, chunk, block, len_bytes })
            }
            _ => Err(Error::corrupt(format!(
                "blosc2: expected blocks within chunks within an array, \
                 found {block:?}, {chunk:?} and {array:?}"
            ))),
        }
    }

    /// What the filter's values say of a chunk of `len` bytes that has several axes: one chunk,
    /// in blocks of whole rows.
    pub(super) fn of_filter(config: &Blosc2, len: usize) -> Option<Self> {
        let rank = usize::try_from(*config.values.get(RANK_AT)?).ok()?;
        let axes = config.values.get(RANK_AT + 1..)?.get(..rank).filter(|_| rank > 1)?;
        let axes = axes.iter().map(|&n| usize::try_from(n)).collect::<std::result::Result<_, _>>();
        let array: Vec<usize> = axes.ok()?;
        let row_len = array
            .get(1..)?
            .iter()
            .try_fold(config.item_size, |len, &n| len.checked_mul(n).filter(|&len| len > 0))?;
        let n_rows = *array.first()?;
        let n_block_rows = (super::target_block_len(config) / row_len).clamp(1, n_rows.max(1));
        let mut block = array.clone();
        *block.first_mut()? = n_block_rows;
        let shape = Self::new(config.item_size, array.clone(), array, block).ok()?;
        let is_this = shape.len_bytes == len && len > 0 && rank <= MAX_RANK;
        (is_this && shape.padded_len_bytes() <= super::chunk::MAX_LEN).then_some(shape)
    }

    /// Bytes of the array.
    pub(super) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Bytes of a block.
    pub(super) fn block_len_bytes(&self) -> usize {
        self.block.iter().fold(self.item_size, |len, &n| len.saturating_mul(n))
    }

    /// Bytes of a chunk with whole blocks.
    pub(super) fn padded_len_bytes(&self) -> usize {
        let axes = self.chunk.iter().zip(&self.block);
        axes.fold(self.item_size, |len, (&chunk, &block)| {
            len.saturating_mul(chunk.div_ceil(block).saturating_mul(block))
        })
    }

    /// How many chunks.
    pub(super) fn n_chunks(&self) -> usize {
        let axes = self.array.iter().zip(&self.chunk);
        axes.fold(1, |n: usize, (array, chunk)| n.saturating_mul(array.div_ceil(*chunk)))
    }

    /// Fills chunk `at` of `out`, which is the whole array.
    ///
    /// # Errors
    /// `Corrupt` if items have no such value.
    pub(super) fn fill_chunk(&self, at: usize, special: Special<'_>, out: &mut [u8]) -> Result<()> {
        let origin = self.chunk_origin(at);
        let extent = self.extent(&origin, &self.chunk);
        self.for_each_row(&origin, &extent, |to, _, len| {
            special.fill(self.item_size, out.get_mut(to..to + len).unwrap_or_default())
        })
    }

    /// Decodes `chunk`, the one at `at`, to its place in `out`, which is the whole array.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded` if there is no memory.
    pub(super) fn decode_chunk(
        &self,
        at: usize,
        chunk: &Chunk<'_>,
        out: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (raw_len, block_len) = (self.padded_len_bytes(), self.block_len_bytes());
        if (chunk.raw_len, chunk.block_len) != (raw_len, block_len) {
            return Err(Error::corrupt(format!(
                "blosc2: expected a chunk of {raw_len} bytes in blocks of {block_len}, \
                 found {} in {}",
                chunk.raw_len, chunk.block_len
            )));
        }
        let (mut first, mut block) = (scratch.take_buffer(), scratch.take_buffer());
        // A block is no longer than the output.
        first.resize(block_len, 0);
        block.resize(block_len, 0);
        let decoded = (0..raw_len / block_len).try_for_each(|i| {
            let to = if i == 0 { &mut first } else { &mut block };
            let mut decoded = std::mem::take(to);
            let result = chunk.decode_block(i, &first, &mut decoded, buffers, scratch);
            let placed = result.and_then(|()| self.place_block(at, i, &decoded, out));
            *(if i == 0 { &mut first } else { &mut block }) = decoded;
            placed
        });
        scratch.give_buffer(first);
        scratch.give_buffer(block);
        decoded
    }

    /// Copies what lies within the array of block `i` of chunk `at`.
    fn place_block(&self, at: usize, i: usize, block: &[u8], out: &mut [u8]) -> Result<()> {
        let mut origin = self.chunk_origin(at);
        let mut extent = self.extent(&origin, &self.chunk);
        let mut rest = i;
        for axis in (0..self.array.len()).rev() {
            let n_blocks = self.chunk[axis].div_ceil(self.block[axis]);
            let start = rest % n_blocks * self.block[axis];
            rest /= n_blocks;
            origin[axis] += start;
            extent[axis] = extent[axis].saturating_sub(start).min(self.block[axis]);
        }
        self.for_each_row(&origin, &extent, |to, from, len| {
            let row = block.get(from..from + len).unwrap_or_default();
            out.get_mut(to..to + len)
                .ok_or_else(|| too_short(NAME, to + len, self.len_bytes))?
                .copy_from_slice(row);
            Ok(())
        })
    }

    /// The first item of chunk `at`, along each axis.
    fn chunk_origin(&self, at: usize) -> Vec<usize> {
        let mut origin = vec![0; self.array.len()];
        let mut rest = at;
        for axis in (0..self.array.len()).rev() {
            let n_chunks = self.array[axis].div_ceil(self.chunk[axis]);
            origin[axis] = rest % n_chunks * self.chunk[axis];
            rest /= n_chunks;
        }
        origin
    }

    /// What of a box of `shape` at `origin` lies within the array.
    fn extent(&self, origin: &[usize], shape: &[usize]) -> Vec<usize> {
        let axes = self.array.iter().zip(origin).zip(shape);
        axes.map(|((array, origin), shape)| array.saturating_sub(*origin).min(*shape)).collect()
    }

    /// Calls `row` with where each row of a box lies in the array and in a block, and its length,
    /// all in bytes.
    fn for_each_row(
        &self,
        origin: &[usize],
        extent: &[usize],
        mut row: impl FnMut(usize, usize, usize) -> Result<()>,
    ) -> Result<()> {
        let last = self.array.len() - 1;
        if extent.contains(&0) {
            return Ok(());
        }
        let mut index = vec![0; self.array.len()];
        loop {
            let (mut to, mut from) = (0, 0);
            for axis in 0..=last {
                to = to * self.array[axis] + origin[axis] + index[axis];
                from = from * self.block[axis] + index[axis];
            }
            row(to * self.item_size, from * self.item_size, extent[last] * self.item_size)?;
            let Some(axis) = (0..last).rev().find(|&axis| index[axis] + 1 < extent[axis]) else {
                return Ok(());
            };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }

    /// The content of the metalayer.
    pub(super) fn encode(&self) -> Vec<u8> {
        let rank = u8::try_from(self.array.len()).expect("at most 16");
        // Arrays of up to 15 have a tag of their own.
        let array_tag = |content: &mut Vec<u8>| match rank {
            0..=15 => content.push(0x90 | rank),
            _ => content.extend_from_slice(&[0xdc, 0, rank]),
        };
        let mut content = vec![0x97, 0, rank];
        array_tag(&mut content);
        for &n in &self.array {
            content.push(0xd3);
            content.extend_from_slice(&(n as u64).to_be_bytes());
        }
        for axes in [&self.chunk, &self.block] {
            array_tag(&mut content);
            for &n in axes {
                content.push(0xd2);
                let n = u32::try_from(n).expect("the filter's values have 32 bits");
                content.extend_from_slice(&n.to_be_bytes());
            }
        }
        let dtype = format!("|V{}", self.item_size);
        content.extend_from_slice(&[0, 0xdb, 0, 0, 0]);
        content.push(u8::try_from(dtype.len()).expect("a short text"));
        content.extend_from_slice(dtype.as_bytes());
        content
    }
}

/// The few types of MessagePack that are in the metalayer.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| Error::corrupt("blosc2: the metalayer `b2nd` is cut short"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// How many items follow.
    fn array(&mut self) -> Result<usize> {
        match self.bytes::<1>()? {
            [tag @ 0x90..=0x9f] => Ok(usize::from(tag & 0x0f)),
            [0xdc] => Ok(usize::from(u16::from_be_bytes(self.bytes()?))),
            [tag] => Err(unexpected("an array", tag)),
        }
    }

    fn int(&mut self) -> Result<usize> {
        let number = match self.bytes::<1>()? {
            [number @ 0..=0x7f] => u64::from(number),
            [0xd0 | 0xcc] => u64::from(u8::from_be_bytes(self.bytes()?)),
            [0xd1 | 0xcd] => u64::from(u16::from_be_bytes(self.bytes()?)),
            [0xd2 | 0xce] => u64::from(u32::from_be_bytes(self.bytes()?)),
            [0xd3 | 0xcf] => u64::from_be_bytes(self.bytes()?),
            [tag] => return Err(unexpected("a length", tag)),
        };
        usize::try_from(number).map_err(|_| unexpected("a length", 0xcf))
    }
}

fn unexpected(expected: &str, tag: u8) -> Error {
    Error::corrupt(format!("blosc2: expected {expected} in `b2nd`, found the tag {tag:#04x}"))
}
