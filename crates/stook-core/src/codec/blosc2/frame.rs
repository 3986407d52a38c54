//! Contiguous frames of Blosc 2: a header, chunks, where they lie, and a trailer. Numbers of the
//! header are big-endian, as MessagePack has them; the chunks' are not.

use super::chunk::{Chunk, Special};
use super::nd::Shape;
use super::{NAME, chunk};
use crate::codec::bitshuffle::Buffers;
use crate::codec::{Blosc2, Scratch, too_short, wrong_len};
use crate::error::{Error, Result};

/// Begins every frame: an array of 14, a text of 8 bytes.
pub(super) const MAGIC: &[u8; 10] = b"\x9e\xa8b2frame\0";
/// Where the numbers of the header lie.
const HEADER_LEN_AT: usize = 11;
const FRAME_LEN_AT: usize = 16;
const FRAME_TYPE_AT: usize = 26;
const RAW_LEN_AT: usize = 30;
const ENCODED_LEN_AT: usize = 39;
const ITEM_SIZE_AT: usize = 48;
const CHUNK_LEN_AT: usize = 58;
const MIN_HEADER_LEN: usize = 87;
/// A frame of one piece; the other is a folder.
const TYPE_CONTIGUOUS: u8 = 0;
/// Beside the data, an index of chunks may take this.
const MIN_INDEX_LEN: usize = 64 << 10;
/// Without variable-length metadata and without a fingerprint.
const TRAILER: [u8; 35] = {
    let mut trailer = [0; 35];
    let front = *b"\x94\x01\x93\xcd\x00\x06\xde\x00\x00\xdc\x00\x00\xce\x00\x00\x00\x23\xd8";
    let mut i = 0;
    while i < front.len() {
        trailer[i] = front[i];
        i += 1;
    }
    trailer
};

/// A frame whose header agrees with its length.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    header_len: usize,
    /// Of all chunks.
    encoded_len: usize,
    item_size: usize,
    raw_len: usize,
    chunk_len: usize,
    shape: Option<Shape>,
}

impl<'a> Frame<'a> {
    /// The frame in `bytes`.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported` naming what of it is not known.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() < MIN_HEADER_LEN {
            return Err(too_short(NAME, MIN_HEADER_LEN, bytes.len()));
        }
        let long = |at: usize| read(bytes, at, i64::from_be_bytes);
        let short = |at: usize| read(bytes, at, i32::from_be_bytes);
        let (header_len, len) = (short(HEADER_LEN_AT)?, long(FRAME_LEN_AT)?);
        let bytes = bytes.get(..len).filter(|_| (MIN_HEADER_LEN..=len).contains(&header_len));
        let bytes = bytes.ok_or_else(|| {
            Error::corrupt(format!("blosc2: a frame of {len} bytes and {header_len} of header"))
        })?;
        let frame_type = bytes.get(FRAME_TYPE_AT).copied().unwrap_or_default();
        if frame_type & 0x0F != TYPE_CONTIGUOUS {
            return Err(Error::unsupported(format!(
                "blosc2: expected a frame of one piece, found type {frame_type}"
            )));
        }
        let header = bytes.get(..header_len).unwrap_or_default();
        let item_size = short(ITEM_SIZE_AT)?;
        let shape = metalayer(header, b"b2nd")?.map(|layer| Shape::parse(layer, item_size));
        let (raw_len, chunk_len) = (long(RAW_LEN_AT)?, short(CHUNK_LEN_AT)?);
        let encoded_len = long(ENCODED_LEN_AT)?;
        let shape = shape.transpose()?;
        Ok(Self { bytes, header_len, encoded_len, item_size, raw_len, chunk_len, shape })
    }

    /// How many bytes it says it decodes to.
    pub(super) fn decoded_len(&self) -> usize {
        self.shape.as_ref().map_or(self.raw_len, Shape::len_bytes)
    }

    /// Decodes all of it to the front of `out`; returns how many bytes that were.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `LimitExceeded` if there is no memory.
    pub(super) fn decode(
        &self,
        out: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<usize> {
        let (room, len) = (out.len(), self.decoded_len());
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        if out.is_empty() {
            return Ok(0);
        }
        let n_chunks = match &self.shape {
            Some(shape) => shape.n_chunks(),
            None => len.div_ceil(self.chunk_len.max(1)),
        };
        if n_chunks == 1 {
            // Its index says no more than where it lies, which is where the header ends.
            let part = self.part(self.single_offset(buffers, scratch)?)?;
            self.decode_part(0, &part, out, buffers, scratch)?;
            return Ok(len);
        }
        let mut index = scratch.take_buffer();
        let decoded = self.index(n_chunks, len, &mut index, buffers, scratch).and_then(|()| {
            let (offsets, _) = index.as_chunks::<8>();
            offsets.iter().enumerate().try_for_each(|(at, offset)| {
                let part = self.part(u64::from_le_bytes(*offset))?;
                self.decode_part(at, &part, out, buffers, scratch)
            })
        });
        scratch.give_buffer(index);
        decoded.map(|()| len)
    }

    fn single_offset(&self, buffers: &mut Buffers, scratch: &mut Scratch) -> Result<u64> {
        let mut offset = [0; 8];
        self.read_index(&mut offset, buffers, scratch)?;
        Ok(u64::from_le_bytes(offset))
    }

    /// Reads where the `n_chunks` chunks lie to `index`.
    fn index(
        &self,
        n_chunks: usize,
        len: usize,
        index: &mut Vec<u8>,
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let index_len = n_chunks.saturating_mul(8);
        if index_len > len.max(MIN_INDEX_LEN) {
            return Err(Error::corrupt(format!("blosc2: {n_chunks} chunks for {len} bytes")));
        }
        index.resize(index_len, 0);
        self.read_index(index, buffers, scratch)
    }

    fn read_index(
        &self,
        index: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let start = self.header_len.saturating_add(self.encoded_len);
        let chunk = Chunk::parse(self.bytes.get(start..).unwrap_or_default())?;
        if chunk.raw_len != index.len() {
            return Err(Error::corrupt(format!(
                "blosc2: expected {} bytes of offsets, found {}",
                index.len(),
                chunk.raw_len
            )));
        }
        chunk.decode(index, buffers, scratch)
    }

    /// The chunk at `offset`, as the index says it.
    fn part(&self, offset: u64) -> Result<Part<'a>> {
        if offset >> 63 == 1 {
            let number = (offset >> 56) as u8 & 7;
            return Ok(Part::Special(Special::from_number(number)?.unwrap_or(Special::Zeros)));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let start = start.saturating_add(self.header_len);
        Ok(Part::Chunk(Chunk::parse(self.bytes.get(start..).unwrap_or_default())?))
    }

    /// Decodes chunk `at` to where it belongs in `out`.
    fn decode_part(
        &self,
        at: usize,
        part: &Part<'_>,
        out: &mut [u8],
        buffers: &mut Buffers,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if let Some(shape) = &self.shape {
            return match part {
                Part::Chunk(chunk) => shape.decode_chunk(at, chunk, out, buffers, scratch),
                Part::Special(special) => shape.fill_chunk(at, *special, out),
            };
        }
        let start = at.saturating_mul(self.chunk_len);
        let end = out.len().min(start.saturating_add(self.chunk_len));
        let to = out.get_mut(start..end).unwrap_or_default();
        match part {
            Part::Special(special) => special.fill(self.item_size, to),
            Part::Chunk(chunk) if chunk.raw_len == to.len() => chunk.decode(to, buffers, scratch),
            Part::Chunk(chunk) => Err(Error::corrupt(format!(
                "blosc2: expected a chunk of {} decoded bytes, found {}",
                to.len(),
                chunk.raw_len
            ))),
        }
    }
}

enum Part<'a> {
    Chunk(Chunk<'a>),
    Special(Special<'a>),
}

/// The content of the metalayer with this name.
fn metalayer<'a>(header: &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>> {
    let layers = header.get(MIN_HEADER_LEN..).unwrap_or_default();
    let cut_short = || Error::corrupt("blosc2: the metalayers are cut short");
    // 93, cd and the length of the map, de and how many it has.
    let Some((&[_, _, _, _, _, high, low], mut rest)) = layers.split_first_chunk() else {
        return Ok(None);
    };
    for _ in 0..u16::from_be_bytes([high, low]) {
        let (tag, behind) = rest.split_first().ok_or_else(cut_short)?;
        let key_len = usize::from(tag & 0x1F);
        let (key, behind) = behind.split_at_checked(key_len).ok_or_else(cut_short)?;
        let (&[_, a, b, c, d], behind) = behind.split_first_chunk().ok_or_else(cut_short)?;
        if key == name {
            let start = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let content = header.get(start..).unwrap_or_default();
            let (&[_, a, b, c, d], content) = content.split_first_chunk().ok_or_else(cut_short)?;
            let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            return content.get(..len).map(Some).ok_or_else(cut_short);
        }
        rest = behind;
    }
    Ok(None)
}

/// The number at `at`.
fn read<const N: usize, T>(bytes: &[u8], at: usize, from: fn([u8; N]) -> T) -> Result<usize>
where
    usize: TryFrom<T>,
    T: Copy + std::fmt::Display,
{
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk());
    let number = from(*number.ok_or_else(|| too_short(NAME, at + N, bytes.len()))?);
    usize::try_from(number)
        .map_err(|_| Error::corrupt(format!("blosc2: expected a length, found {number}")))
}

/// Appends `raw` as a frame of one chunk to `out`.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn encode(
    config: &Blosc2,
    raw: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    let start = out.len();
    let shape = Shape::of_filter(config, raw.len());
    let (block_len, padded_len) = match &shape {
        Some(shape) => (shape.block_len_bytes(), shape.padded_len_bytes()),
        None => (default_block_len(config, raw.len()), raw.len()),
    };
    push_header(config, (padded_len, block_len), shape.as_ref(), out);
    let header_len = out.len() - start;
    if padded_len > 0 {
        chunk::encode(config, (raw, padded_len), block_len, out, scratch)?;
    }
    let encoded_len = (out.len() - start - header_len) as u64;
    if padded_len > 0 {
        let index = Blosc2 { level: 0, item_size: 8, ..config.clone() };
        chunk::encode(&index, (&[0; 8], 8), 8, out, scratch)?;
    }
    out.extend_from_slice(&TRAILER);
    let frame_len = (out.len() - start) as u64;
    let frame = &mut out[start..];
    let header_len = u32::try_from(header_len).expect("a few hundred bytes");
    frame[HEADER_LEN_AT..][..4].copy_from_slice(&header_len.to_be_bytes());
    frame[FRAME_LEN_AT..][..8].copy_from_slice(&frame_len.to_be_bytes());
    frame[ENCODED_LEN_AT..][..8].copy_from_slice(&encoded_len.to_be_bytes());
    Ok(())
}

/// Whole items that fit the caches.
fn default_block_len(config: &Blosc2, raw_len: usize) -> usize {
    let item_size = u8::try_from(config.item_size).map_or(1, usize::from);
    match super::target_block_len(config).min(raw_len) {
        len if len > item_size => len / item_size * item_size,
        len => len,
    }
}

/// Appends the header; three lengths in it are to be filled in.
fn push_header(
    config: &Blosc2,
    (raw_len, block_len): (usize, usize),
    shape: Option<&Shape>,
    out: &mut Vec<u8>,
) {
    let number = |len: usize| u32::try_from(len).expect("checked before").to_be_bytes();
    let compressor = chunk::compressor_number(config.compressor);
    let level = u8::try_from(config.level).expect("at most 9");
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0xd2, 0, 0, 0, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 0]);
    // Version 2 with offsets of 64 bits; one piece; the library's rule for splitting.
    out.extend_from_slice(&[0xa4, 0x12, TYPE_CONTIGUOUS, compressor | (level << 4), 3]);
    out.push(0xd3);
    out.extend_from_slice(&(raw_len as u64).to_be_bytes());
    out.extend_from_slice(&[0xd3, 0, 0, 0, 0, 0, 0, 0, 0]);
    for len in [config.item_size, block_len, raw_len] {
        out.push(0xd2);
        out.extend_from_slice(&number(len));
    }
    let filter = config.shuffle as u8;
    out.extend_from_slice(&[0xd1, 0, 1, 0xd1, 0, 1, 0xc2, 0xd8, 6, 0, 0, 0, 0, 0, filter]);
    out.extend_from_slice(&[compressor, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let Some(shape) = shape else {
        out.extend_from_slice(b"\x93\xcd\0\x07\xde\0\0\xdc\0\0");
        return;
    };
    out.extend_from_slice(b"\x93\xcd\0\x11\xde\0\x01\xa4b2nd\xd2\0\0\0\x6b\xdc\0\x01\xc6");
    let content = shape.encode();
    out.extend_from_slice(&number(content.len()));
    out.extend_from_slice(&content);
}
