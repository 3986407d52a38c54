//! HDF5's n-bit filter (5): of each number only the bits that mean something, the highest first.
//!
//! The filter's values describe an item, as HDF5 made them from the dataset's type:
//! ```text
//! number of values, 1 if nothing is packed, items of a chunk, item
//! item   { 1, size, order (1 big-endian), precision, offset }      a number
//!        { 2, size, item without its size if it is a number … }    an array
//!        { 3, size, members, { place, item } … }                   a compound
//!        { 4, size }                                               bytes that are kept as they are
//! ```
//! Bits outside the precision are zero when decoded: what they mean is the business of the type.

use std::sync::Arc;

use super::bits::{BitReader, BitWriter, low_bits};
use crate::codec::{Codec, Scratch, spare, too_short, wrong_len};
use crate::error::{Error, Result};

const NAME: &str = "nbit";
/// Types in types beyond this are refused.
const MAX_DEPTH: usize = 32;

/// A part of an item.
#[derive(Debug)]
enum Part {
    Number(Number),
    /// Parts one behind another.
    Array {
        n: usize,
        stride: usize,
        part: Box<Part>,
    },
    /// Parts at their places.
    Compound(Vec<(usize, Part)>),
    Bytes(usize),
}

#[derive(Clone, Copy, Debug)]
struct Number {
    size: usize,
    is_big_endian: bool,
    precision: usize,
    offset: usize,
}

#[derive(Debug)]
struct NBit {
    n_items: usize,
    item_size: usize,
    /// Bits of an item.
    item_bits: usize,
    /// `None` where nothing is packed.
    part: Option<Part>,
}

/// # Errors
/// `InvalidInput` for values that describe no item.
pub(super) fn new(values: &[u32]) -> Result<Arc<dyn Codec>> {
    let mut values = Values(values);
    let (_, is_plain, n_items) = (values.take()?, values.take()? != 0, values.take()?);
    if is_plain {
        return Ok(Arc::new(NBit { n_items: 0, item_size: 1, item_bits: 8, part: None }));
    }
    let (item_size, part) = values.item(0)?;
    let item_bits = part.n_bits();
    Ok(Arc::new(NBit { n_items, item_size, item_bits, part: Some(part) }))
}

/// The filter's values that are not read yet.
struct Values<'v>(&'v [u32]);

impl Values<'_> {
    fn take(&mut self) -> Result<usize> {
        let (value, rest) = self
            .0
            .split_first()
            .ok_or_else(|| Error::invalid(format!("{NAME}: expected more filter values")))?;
        self.0 = rest;
        usize::try_from(*value).map_err(|_| wrong("filter value", *value as usize))
    }

    /// An item and its size.
    fn item(&mut self, depth: usize) -> Result<(usize, Part)> {
        if depth > MAX_DEPTH {
            return Err(wrong("types within types", depth));
        }
        let class = self.take()?;
        let size = self.take()?;
        if size == 0 {
            return Err(wrong("item size", 0));
        }
        let part = match class {
            1 => Part::Number(self.number(size)?),
            2 => {
                let (stride, part) = self.item(depth + 1)?;
                if matches!(part, Part::Bytes(_)) {
                    return Ok((size, Part::Bytes(size)));
                }
                if !size.is_multiple_of(stride) {
                    return Err(wrong("array size", size));
                }
                Part::Array { n: size / stride, stride, part: Box::new(part) }
            }
            3 => self.compound(size, depth)?,
            4 => Part::Bytes(size),
            other => return Err(wrong("class", other)),
        };
        Ok((size, part))
    }

    fn number(&mut self, size: usize) -> Result<Number> {
        let (order, precision, offset) = (self.take()?, self.take()?, self.take()?);
        let n_bits = size.saturating_mul(8);
        if order > 1 {
            return Err(wrong("byte order", order));
        }
        if precision == 0 || precision.saturating_add(offset) > n_bits {
            return Err(wrong("precision", precision));
        }
        Ok(Number { size, is_big_endian: order == 1, precision, offset })
    }

    fn compound(&mut self, size: usize, depth: usize) -> Result<Part> {
        let n_members = self.take()?;
        let mut members = Vec::new();
        let mut used = 0_usize;
        for _ in 0..n_members {
            let place = self.take()?;
            let (member_size, part) = self.item(depth + 1)?;
            used = used.saturating_add(member_size);
            if place.saturating_add(member_size) > size || used > size {
                return Err(wrong("member place", place));
            }
            members.push((place, part));
        }
        Ok(Part::Compound(members))
    }
}

#[cold]
fn wrong(what: &str, found: usize) -> Error {
    Error::invalid(format!("{NAME}: expected another {what} in the filter's values, found {found}"))
}

impl Part {
    /// Bits of one.
    fn n_bits(&self) -> usize {
        match self {
            Self::Number(number) => number.precision,
            Self::Array { n, part, .. } => part.n_bits().saturating_mul(*n),
            Self::Compound(members) => {
                members.iter().fold(0, |n, (_, part)| part.n_bits().saturating_add(n))
            }
            Self::Bytes(size) => size.saturating_mul(8),
        }
    }

    fn pack(&self, item: &[u8], bits: &mut BitWriter<'_>) {
        match self {
            Self::Number(number) => number.pack(item, bits),
            Self::Array { n, stride, part } => {
                item.chunks_exact(*stride).take(*n).for_each(|item| part.pack(item, bits));
            }
            Self::Compound(members) => {
                for (place, part) in members {
                    part.pack(item.get(*place..).unwrap_or_default(), bits);
                }
            }
            Self::Bytes(size) => {
                item.iter().take(*size).for_each(|&byte| bits.put(byte.into(), 8));
            }
        }
    }

    /// Fills in the bits that are kept; the others are zero already.
    fn unpack(&self, bits: &mut BitReader<'_>, item: &mut [u8]) {
        match self {
            Self::Number(number) => number.unpack(bits, item),
            Self::Array { n, stride, part } => {
                let items = item.chunks_exact_mut(*stride).take(*n);
                items.for_each(|item| part.unpack(bits, item));
            }
            Self::Compound(members) => {
                for (place, part) in members {
                    part.unpack(bits, item.get_mut(*place..).unwrap_or_default());
                }
            }
            Self::Bytes(size) => {
                item.iter_mut().take(*size).for_each(|byte| *byte = bits.take(8) as u8);
            }
        }
    }
}

impl Number {
    fn pack(self, item: &[u8], bits: &mut BitWriter<'_>) {
        let Some(item) = item.get(..self.size) else { return };
        if self.size <= 8 {
            let bytes = item.iter();
            let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
            let value =
                if self.is_big_endian { bytes.fold(0, fold) } else { bytes.rev().fold(0, fold) };
            return bits.put(value >> self.offset, self.precision as u32);
        }
        for (at, shift, n) in self.pieces() {
            bits.put(u64::from(item[at] >> shift), n);
        }
    }

    fn unpack(self, bits: &mut BitReader<'_>, item: &mut [u8]) {
        let Some(item) = item.get_mut(..self.size) else { return };
        if self.size <= 8 {
            let value = bits.take(self.precision as u32) << self.offset;
            let bytes = value.to_le_bytes();
            if self.is_big_endian {
                item.iter_mut().rev().zip(bytes).for_each(|(to, byte)| *to = byte);
            } else {
                item.copy_from_slice(&bytes[..self.size]);
            }
            return;
        }
        for (at, shift, n) in self.pieces() {
            item[at] |= (bits.take(n) << shift) as u8;
        }
    }

    /// The bytes that hold the precision, from the highest: where each lies, its lowest bit that is
    /// kept, and how many are.
    fn pieces(self) -> impl Iterator<Item = (usize, u32, u32)> {
        let (first, end) = (self.offset, self.offset + self.precision);
        (first / 8..end.div_ceil(8)).rev().map(move |byte| {
            let from = first.max(byte * 8);
            let to = end.min(byte * 8 + 8);
            let at = if self.is_big_endian { self.size - 1 - byte } else { byte };
            (at, (from - byte * 8) as u32, (to - from) as u32)
        })
    }

    /// Calls `each` for whole numbers of a size that memory has.
    fn unpack_all<const N: usize>(self, bits: &mut BitReader<'_>, out: &mut [u8]) {
        let n_bits = self.precision as u32;
        for item in out.as_chunks_mut::<N>().0 {
            let bytes = (bits.take(n_bits) << self.offset).to_le_bytes();
            *item = std::array::from_fn(|at| bytes[at]);
            if self.is_big_endian {
                item.reverse();
            }
        }
    }

    fn pack_all<const N: usize>(self, raw: &[u8], bits: &mut BitWriter<'_>) {
        let n_bits = self.precision as u32;
        for item in raw.as_chunks::<N>().0 {
            let mut bytes = [0; 8];
            bytes[..N].copy_from_slice(item);
            if self.is_big_endian {
                bytes[..N].reverse();
            }
            bits.put((u64::from_le_bytes(bytes) >> self.offset) & low_bits(n_bits), n_bits);
        }
    }
}

impl NBit {
    fn raw_len(&self) -> usize {
        self.n_items.saturating_mul(self.item_size)
    }

    /// Bytes that hold the bits, without the one that HDF5 always adds.
    fn packed_len(&self) -> usize {
        let n_bits = self.n_items as u128 * self.item_bits as u128;
        usize::try_from(n_bits.div_ceil(8)).unwrap_or(usize::MAX)
    }
}

impl Codec for NBit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        if self.part.is_none() { raw_len } else { self.packed_len().saturating_add(1) }
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        Some(if self.part.is_none() { encoded.len() } else { self.raw_len() } as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let Some(part) = &self.part else {
            spare::reserve(out, raw.len())?;
            out.extend_from_slice(raw);
            return Ok(());
        };
        let (expected, found) = (self.raw_len(), raw.len());
        if found != expected {
            return Err(Error::invalid(format!(
                "{NAME}: expected {expected} bytes, found {found}"
            )));
        }
        spare::reserve(out, self.packed_len().saturating_add(16))?;
        let mut bits = BitWriter::new(out);
        match part {
            Part::Number(number) if number.size == 1 => number.pack_all::<1>(raw, &mut bits),
            Part::Number(number) if number.size == 2 => number.pack_all::<2>(raw, &mut bits),
            Part::Number(number) if number.size == 4 => number.pack_all::<4>(raw, &mut bits),
            Part::Number(number) if number.size == 8 => number.pack_all::<8>(raw, &mut bits),
            part => raw.chunks_exact(self.item_size).for_each(|item| part.pack(item, &mut bits)),
        }
        bits.finish_with_part();
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let len = if self.part.is_none() { encoded.len() } else { self.raw_len() };
        let room = out.len();
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        let Some(part) = &self.part else {
            out.copy_from_slice(encoded);
            return Ok(len);
        };
        if encoded.len() < self.packed_len() {
            return Err(too_short(NAME, self.packed_len(), encoded.len()));
        }
        let mut bits = BitReader::new(encoded);
        match part {
            Part::Number(number) if number.size == 1 => number.unpack_all::<1>(&mut bits, out),
            Part::Number(number) if number.size == 2 => number.unpack_all::<2>(&mut bits, out),
            Part::Number(number) if number.size == 4 => number.unpack_all::<4>(&mut bits, out),
            Part::Number(number) if number.size == 8 => number.unpack_all::<8>(&mut bits, out),
            part => {
                out.fill(0);
                let items = out.chunks_exact_mut(self.item_size);
                items.for_each(|item| part.unpack(&mut bits, item));
            }
        }
        Ok(len)
    }
}
