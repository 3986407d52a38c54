//! `packbits`: numbers of few bits without gaps, as numcodecs has it for bool and as Zarr has it
//! for all.
//!
//! A byte before or behind the bits may say how many bits of the last byte are padding.

use std::sync::Arc;

use super::number::not_whole;
use crate::codec::{
    BitOrder, Codec, Endian, PackBits, PaddingByte, Scratch, Stage, encode_through_buffer, spare,
    too_short, wrong_len, wrong_room,
};
use crate::dtype::{DType, Narrow};
use crate::error::{Error, Result};

const NAME: &str = "packbits";

/// The components of items: how they lie in memory, and which of their bits are kept.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Bytes of a component in memory, and their order.
    size: usize,
    endian: Endian,
    first_bit: u32,
    /// Bits of a component that are kept.
    n_bits: u32,
    is_signed: bool,
    order: BitOrder,
}

#[derive(Debug)]
struct Packed {
    layout: Layout,
    padding: PaddingByte,
    /// Components of a chunk, where all have as many.
    n: Option<usize>,
}

/// # Errors
/// `Unsupported` for items that have no bits, `InvalidInput` for bits that they do not have.
pub(super) fn new(config: &PackBits, stage: &Stage) -> Result<Arc<dyn Codec>> {
    let (n_components, width, size) = components(&stage.dtype)
        .filter(|(_, width, _)| config.order == BitOrder::LowestFirst || *width == 1)
        .ok_or_else(|| Error::unsupported(format!("{NAME}: items of type {}", stage.dtype)))?;
    let first_bit = config.first_bit.unwrap_or(0);
    let last_bit = config.last_bit.unwrap_or(width - 1);
    if first_bit > last_bit || last_bit >= width {
        return Err(Error::invalid(format!(
            "{NAME}: expected bits of {} from 0 to {}, found {first_bit} to {last_bit}",
            stage.dtype,
            width - 1
        )));
    }
    let layout = Layout {
        size,
        endian: stage.endian,
        first_bit,
        n_bits: last_bit - first_bit + 1,
        is_signed: is_signed(&stage.dtype),
        order: config.order,
    };
    let n = stage.shape.as_ref().and_then(|shape| {
        let n = shape.iter().try_fold(n_components, |n, &len| n.checked_mul(len))?;
        usize::try_from(n).ok()
    });
    Ok(Arc::new(Packed { layout, padding: config.padding, n }))
}

/// How many components an item has, the bits of each, and its bytes in memory.
fn components(dtype: &DType) -> Option<(u64, u32, usize)> {
    let narrow = |narrow| match narrow {
        Narrow::Int2 | Narrow::UInt2 => 2,
        Narrow::Int4 | Narrow::UInt4 | Narrow::Float4E2M1Fn => 4,
        Narrow::Float6E2M3Fn | Narrow::Float6E3M2Fn => 6,
        _ => 8,
    };
    Some(match dtype {
        DType::Bool => (1, 1, 1),
        DType::Narrow(kind) => (1, narrow(*kind), 1),
        DType::Complex64 => (2, 32, 4),
        DType::Complex128 => (2, 64, 8),
        DType::Int8 | DType::UInt8 => (1, 8, 1),
        DType::Int16 | DType::UInt16 | DType::Float16 | DType::BFloat16 => (1, 16, 2),
        DType::Int32 | DType::UInt32 | DType::Float32 => (1, 32, 4),
        DType::Int64 | DType::UInt64 | DType::Float64 => (1, 64, 8),
        _ => return None,
    })
}

fn is_signed(dtype: &DType) -> bool {
    use DType::{Int8, Int16, Int32, Int64};
    matches!(
        dtype,
        Int8 | Int16 | Int32 | Int64 | DType::Narrow(Narrow::Int2) | DType::Narrow(Narrow::Int4)
    )
}

impl Packed {
    /// Bytes that hold the bits of `n` components.
    fn packed_len(&self, n: usize) -> usize {
        let n_bits = n as u128 * u128::from(self.layout.n_bits);
        usize::try_from(n_bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    fn n_padding_bits(&self, n: usize) -> u8 {
        // Of the last byte, so less than 8.
        ((8 - n as u128 * u128::from(self.layout.n_bits) % 8) % 8) as u8
    }

    /// The padding that `encoded` says it has, and its bits.
    fn split<'e>(&self, encoded: &'e [u8]) -> Result<(Option<u8>, &'e [u8])> {
        let (padding, bits) = match self.padding {
            PaddingByte::None => return Ok((None, encoded)),
            PaddingByte::First => encoded.split_first(),
            PaddingByte::Last => encoded.split_last(),
        }
        .ok_or_else(|| too_short(NAME, 1, 0))?;
        if *padding > 7 || (*padding > 0 && bits.is_empty()) {
            return Err(Error::corrupt(format!(
                "{NAME}: expected at most 7 bits of padding in {} bytes, found {padding}",
                bits.len()
            )));
        }
        Ok((Some(*padding), bits))
    }

    /// How many components `bits` hold: as many as a chunk has, as the padding leaves, or as there
    /// is room for.
    fn count(&self, padding: Option<u8>, bits: &[u8], room: usize) -> Result<usize> {
        let n_bits = bits.len() as u128 * 8 - u128::from(padding.unwrap_or(0));
        let held = usize::try_from(n_bits / u128::from(self.layout.n_bits)).unwrap_or(usize::MAX);
        let n = self.n.unwrap_or(if padding.is_some() { held } else { room });
        let is_padded = padding.is_none_or(|found| found == self.n_padding_bits(n));
        if self.packed_len(n) != bits.len() || !is_padded {
            return Err(Error::corrupt(format!(
                "{NAME}: expected the bits of {n} numbers, found {held}"
            )));
        }
        Ok(n)
    }
}

impl Codec for Packed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        let byte = usize::from(self.padding != PaddingByte::None);
        self.packed_len(raw_len / self.layout.size).saturating_add(byte)
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let (padding, bits) = self.split(encoded).ok()?;
        let held = (bits.len() as u64 * 8 - u64::from(padding.unwrap_or(0)))
            / u64::from(self.layout.n_bits);
        self.n.map_or(held, |n| n as u64).checked_mul(self.layout.size as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let size = self.layout.size;
        if !raw.len().is_multiple_of(size) {
            return Err(Error::invalid(not_whole(NAME, size, raw.len())));
        }
        spare::reserve(out, self.encoded_bound(raw.len()))?;
        let padding = self.n_padding_bits(raw.len() / size);
        if self.padding == PaddingByte::First {
            out.push(padding);
        }
        match self.layout {
            layout if layout.is_flag() => {
                let start = out.len();
                out.resize(start + self.packed_len(raw.len()), 0);
                pack_flags(self.layout.order, raw, &mut out[start..]);
            }
            layout => layout.pack(raw, out),
        }
        if self.padding == PaddingByte::Last {
            out.push(padding);
        }
        Ok(())
    }

    fn encode_to(&self, raw: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        if !self.layout.is_flag() {
            return encode_through_buffer(self, raw, out, scratch);
        }
        let (room, len) = (out.len(), self.encoded_bound(raw.len()));
        let parts = match self.padding {
            _ if room != len => None,
            PaddingByte::None => Some((None, out)),
            PaddingByte::First => out.split_first_mut().map(|(byte, bits)| (Some(byte), bits)),
            PaddingByte::Last => out.split_last_mut().map(|(byte, bits)| (Some(byte), bits)),
        };
        let (padding, bits) = parts.ok_or_else(|| wrong_room(NAME, len, room))?;
        if let Some(byte) = padding {
            *byte = self.n_padding_bits(raw.len());
        }
        pack_flags(self.layout.order, raw, bits);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (padding, bits) = self.split(encoded)?;
        let n = self.count(padding, bits, out.len() / self.layout.size)?;
        let (room, len) = (out.len(), n.saturating_mul(self.layout.size));
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        match (self.layout.size, self.layout.n_bits, self.layout.is_signed) {
            (1, 1, false) if self.layout.first_bit == 0 => {
                unpack_flags(self.layout.order, bits, out);
            }
            _ => self.layout.unpack(bits, out),
        }
        Ok(len)
    }
}

/// Bytes that are 0 or not as bits, which fill `out`.
fn pack_flags(order: BitOrder, flags: &[u8], out: &mut [u8]) {
    let pack = |flags: &[u8; GROUP]| {
        let bits = is_set(flags);
        let bits = if order == BitOrder::HighestFirst { turned(bits) } else { bits };
        bits.to_le_bytes()
    };
    let (groups, last) = flags.as_chunks();
    let (words, rest) = out.as_chunks_mut();
    for (to, group) in words.iter_mut().zip(groups) {
        *to = pack(group);
    }
    if !last.is_empty() {
        let mut group = [0; GROUP];
        group[..last.len()].copy_from_slice(last);
        let n = rest.len();
        rest.copy_from_slice(&pack(&group)[..n]);
    }
}

/// Flags that are packed at once.
const GROUP: usize = 64;

/// Which bytes are not 0, the first at the lowest bit.
#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "vector instructions take pointers")]
fn is_set(flags: &[u8; GROUP]) -> u64 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_setzero_si128,
    };
    flags.as_chunks::<16>().0.iter().rev().fold(0, |bits, flags| {
        // SAFETY: sixteen bytes are readable, and need no alignment; every x86-64 processor has
        // SSE2.
        let zeros = unsafe {
            let flags = _mm_loadu_si128(flags.as_ptr().cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(flags, _mm_setzero_si128()))
        };
        bits << 16 | u64::from(!zeros as u16)
    })
}

/// Which bytes are not 0, the first at the lowest bit.
#[cfg(not(target_arch = "x86_64"))]
fn is_set(flags: &[u8; GROUP]) -> u64 {
    const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Brings the lowest bit of each byte to its place in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bits = [0; 8];
    for (to, flags) in bits.iter_mut().zip(flags.as_chunks::<8>().0) {
        let flags = u64::from_le_bytes(*flags);
        let is_set = (((flags & LOW_BITS) + LOW_BITS) | flags) >> 7 & ONES;
        *to = (is_set.wrapping_mul(GATHER) >> 56) as u8;
    }
    u64::from_le_bytes(bits)
}

/// The bits of each byte in the other order.
fn turned(bits: u64) -> u64 {
    bits.reverse_bits().swap_bytes()
}

/// The bytes 0 and 1 that each byte of flags stands for.
const fn flags(order: BitOrder) -> [[u8; 8]; 256] {
    let mut flags = [[0; 8]; 256];
    let mut at = 0;
    while at < 256 * 8 {
        let bit = if let BitOrder::LowestFirst = order { at % 8 } else { 7 - at % 8 };
        flags[at / 8][at % 8] = ((at / 8) >> bit & 1) as u8;
        at += 1;
    }
    flags
}

static LOWEST_FIRST: [[u8; 8]; 256] = flags(BitOrder::LowestFirst);
static HIGHEST_FIRST: [[u8; 8]; 256] = flags(BitOrder::HighestFirst);

/// Undoes [`pack_flags`].
fn unpack_flags(order: BitOrder, bits: &[u8], out: &mut [u8]) {
    let table = match order {
        BitOrder::LowestFirst => &LOWEST_FIRST,
        BitOrder::HighestFirst => &HIGHEST_FIRST,
    };
    let (groups, rest) = out.as_chunks_mut::<8>();
    let n = groups.len();
    for (group, byte) in groups.iter_mut().zip(bits) {
        *group = table[usize::from(*byte)];
    }
    if let Some(byte) = bits.get(n) {
        rest.copy_from_slice(&table[usize::from(*byte)][..rest.len()]);
    }
}

impl Layout {
    /// Whether components are bytes of which one bit is kept, that of whether they are 0.
    fn is_flag(self) -> bool {
        (self.size, self.n_bits, self.first_bit) == (1, 1, 0)
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.n_bits)
    }

    /// Appends the kept bits of the components of `raw`, lowest first.
    fn pack(self, raw: &[u8], out: &mut Vec<u8>) {
        let (mut held, mut n_held) = (0_u128, 0);
        for component in raw.chunks_exact(self.size) {
            let bits = self.load(component) >> self.first_bit & self.mask();
            held |= u128::from(bits) << n_held;
            n_held += self.n_bits;
            while n_held >= 8 {
                out.push(held as u8);
                held >>= 8;
                n_held -= 8;
            }
        }
        if n_held > 0 {
            out.push(held as u8);
        }
    }

    /// Undoes [`Layout::pack`]; `packed` has the bits of all of `out`.
    fn unpack(self, packed: &[u8], out: &mut [u8]) {
        let mut packed = packed.iter();
        let (mut held, mut n_held) = (0_u128, 0);
        // Above the component, so that an arithmetic shift copies its highest bit.
        let above = 64 - self.n_bits;
        for component in out.chunks_exact_mut(self.size) {
            while n_held < self.n_bits {
                held |= u128::from(packed.next().copied().unwrap_or(0)) << n_held;
                n_held += 8;
            }
            let bits = held as u64 & self.mask();
            held >>= self.n_bits;
            n_held -= self.n_bits;
            let value =
                if self.is_signed { ((bits << above) as i64 >> above) as u64 } else { bits };
            self.store(value << self.first_bit, component);
        }
    }

    fn load(self, component: &[u8]) -> u64 {
        let fold = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        match self.endian {
            Endian::Big => component.iter().fold(0, fold),
            Endian::Little => component.iter().rev().fold(0, fold),
        }
    }

    fn store(self, value: u64, component: &mut [u8]) {
        let size = component.len().min(8);
        match self.endian {
            Endian::Big => component.copy_from_slice(&value.to_be_bytes()[8 - size..]),
            Endian::Little => component.copy_from_slice(&value.to_le_bytes()[..size]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(dtype: DType, bits: (Option<u32>, Option<u32>), n: u64) -> Arc<dyn Codec> {
        let config = PackBits {
            order: BitOrder::LowestFirst,
            padding: PaddingByte::None,
            first_bit: bits.0,
            last_bit: bits.1,
        };
        new(&config, &Stage::new(dtype, Some(vec![n]))).unwrap()
    }

    fn check(codec: &dyn Codec, raw: &[u8], packed: &[u8]) {
        let (mut out, mut scratch) = (Vec::new(), Scratch::new());
        codec.encode_into(raw, &mut out, &mut scratch).unwrap();
        assert_eq!(out, packed);
        let mut back = vec![0xEE; raw.len()];
        assert_eq!(codec.decode_into(packed, &mut back, &mut scratch).unwrap(), raw.len());
        assert_eq!(back, raw);
        for len in 0..packed.len() {
            assert!(codec.decode_into(&packed[..len], &mut back, &mut scratch).is_err());
        }
    }

    #[test]
    fn numbers_of_few_bits_follow_one_another_from_the_lowest() {
        let int4 = codec(DType::Narrow(Narrow::Int4), (None, None), 3);
        check(&*int4, &[1, 0xFF, 0xF8], &[0xF1, 0x08]);
        let uint2 = codec(DType::Narrow(Narrow::UInt2), (None, None), 5);
        check(&*uint2, &[0, 1, 2, 3, 3], &[0b1110_0100, 0b11]);
        let float6 = codec(DType::Narrow(Narrow::Float6E2M3Fn), (None, None), 2);
        check(&*float6, &[0x3F, 0x01], &[0x7F, 0x00]);
        let flags = codec(DType::Bool, (None, None), 9);
        check(&*flags, &[1, 0, 0, 1, 0, 0, 0, 0, 1], &[0b1001, 1]);
    }

    #[test]
    fn some_bits_of_wide_numbers_are_kept_and_the_sign_is_extended() {
        let middle = codec(DType::Int32, (Some(4), Some(11)), 3);
        let raw: Vec<u8> = [0x120_i32, -16, 0].iter().flat_map(|x| x.to_ne_bytes()).collect();
        check(&*middle, &raw, &[0x12, 0xFF, 0]);
        let raw: Vec<u8> = [u64::MAX, 1].iter().flat_map(|x| x.to_ne_bytes()).collect();
        let whole = [[0xFF; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat();
        check(&*codec(DType::UInt64, (None, None), 2), &raw, &whole);
    }

    #[test]
    fn bits_that_an_item_does_not_have_are_refused() {
        let config = PackBits { last_bit: Some(1), ..PackBits::default() };
        assert!(new(&config, &Stage::new(DType::Bool, None)).is_err());
        let config = PackBits { order: BitOrder::HighestFirst, ..PackBits::default() };
        assert!(new(&config, &Stage::new(DType::UInt8, None)).is_err());
    }
}
