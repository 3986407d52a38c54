//! Attributes of the plain forms: text, and whole numbers of the machine's byte order (sections
//! IV.A.2.b, d and m).

use stook_core::dtype::{Charset, FixedString, Padding};
use stook_core::values::{HeapItem, byte_len};
use stook_core::{AttributeValue, DType, Limits, Values};

use super::bytes::{Bytes, UNDEFINED};
use super::header::{Header, kind};
use super::heap;
use super::source::Source;

const FLAG_SHARED_TYPE_OR_SPACE: u8 = 3;

/// The attribute `name` of the node of a header; the outer `None` where it is not understood.
#[expect(clippy::option_option, reason = "not understood is not the same as not there")]
pub(super) fn read(
    source: &mut Source<'_>,
    header: &Header,
    (name, limits): (&[u8], &Limits),
) -> Option<Option<AttributeValue>> {
    if !is_in_header(header)? {
        return None;
    }
    for message in header.messages().filter(|message| message.kind == kind::ATTRIBUTE) {
        let attribute = Attribute::parse(message.data()?)?;
        if attribute.name == name {
            return attribute.value(source, limits).map(Some);
        }
    }
    Some(None)
}

/// The names of the attributes of the node of a header; `None` where not all of them are in it.
pub(super) fn names_of(header: &Header) -> Option<Vec<&[u8]>> {
    if !is_in_header(header)? {
        return None;
    }
    let attributes = header.messages().filter(|message| message.kind == kind::ATTRIBUTE);
    attributes.map(|message| Some(Attribute::parse(message.data()?)?.name)).collect()
}

/// Whether all attributes lie in the header, and none in a heap of their own.
fn is_in_header(header: &Header) -> Option<bool> {
    let Some(info) = header.find(kind::ATTRIBUTE_INFO) else { return Some(true) };
    let mut info = info.data()?;
    let (version, flags) = (info.u8()?, info.u8()?);
    if flags & 1 != 0 {
        info.u16()?;
    }
    Some(version == 0 && info.u64()? == UNDEFINED)
}

/// An attribute's message, taken apart.
struct Attribute<'a> {
    name: &'a [u8],
    dtype: Bytes<'a>,
    space: Bytes<'a>,
    data: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn parse(mut message: Bytes<'a>) -> Option<Self> {
        let (version, flags) = (message.u8()?, message.u8()?);
        let sizes = [message.u16()?, message.u16()?, message.u16()?].map(usize::from);
        match version {
            1 => {}
            2 | 3 if flags & FLAG_SHARED_TYPE_OR_SPACE == 0 => {
                message.take(usize::from(version == 3))?;
            }
            _ => return None,
        }
        let mut part = |len: usize| {
            let part = message.take(len)?;
            if version == 1 {
                message.take(len.next_multiple_of(8) - len)?;
            }
            Some(Bytes(part))
        };
        let [name, dtype, space] = sizes;
        let (name, dtype, space) = (part(name)?.text()?, part(dtype)?, part(space)?);
        Some(Self { name, dtype, space, data: message.0 })
    }

    fn value(self, source: &mut Source<'_>, limits: &Limits) -> Option<AttributeValue> {
        let dtype = plain_type(self.dtype)?;
        if let DType::String(_) = dtype {
            // One text; of more the library knows best.
            let is_scalar = space(self.space)?.is_some_and(|space| space.shape.is_empty());
            let text = is_scalar.then(|| heap::text(source, self.data, limits))??;
            let item = HeapItem { offset: 0, len: text.len() as u64 }.to_bytes().to_vec();
            return Values::new(dtype, Vec::new(), item, text).ok().map(AttributeValue::Values);
        }
        let Some(Space { shape, .. }) = space(self.space)? else {
            return Some(AttributeValue::Null(dtype));
        };
        let len = byte_len(&shape, dtype.item_size()).ok()?;
        limits.metadata(len as u64).ok()?;
        let items = self.data.get(..len)?.to_vec();
        Values::new(dtype, shape, items, Vec::new()).ok().map(AttributeValue::Values)
    }
}

/// A datatype message as a dtype, where items lie in the file as they do in memory.
pub(super) fn plain_type(mut message: Bytes<'_>) -> Option<DType> {
    let head = message.u32()?;
    let size = message.u32()?;
    let (class, bits) = (head & 0xF, head >> 8);
    let version = head >> 4 & 0xF;
    if !(1..=3).contains(&version) {
        return None;
    }
    match class {
        0 => integer((bits, size), (message.u16()?, message.u16()?)),
        1 => float((bits, size), message),
        3 if size > 0 => {
            let padding = match bits & 0xF {
                0 => Padding::NullTerminated,
                1 => Padding::Null,
                2 => Padding::Space,
                _ => return None,
            };
            let charset = match bits >> 4 & 0xF {
                0 => Charset::Ascii,
                1 => Charset::Utf8,
                _ => return None,
            };
            let len_bytes = usize::try_from(size).ok()?;
            Some(DType::FixedString(FixedString { len_bytes, charset, padding }))
        }
        // Text of variable length.
        9 if size == 16 && bits & 0xF == 1 => match bits >> 8 & 0xF {
            0 => Some(DType::String(Charset::Ascii)),
            1 => Some(DType::String(Charset::Utf8)),
            _ => None,
        },
        _ => None,
    }
}

fn integer((bits, size): (u32, u32), (offset, precision): (u16, u16)) -> Option<DType> {
    let (is_big, is_signed) = (bits & 1 != 0, bits & 8 != 0);
    let is_whole = offset == 0 && u32::from(precision) == size.checked_mul(8)?;
    if !is_whole || is_big != cfg!(target_endian = "big") || bits & !9 != 0 {
        return None;
    }
    Some(match (size, is_signed) {
        (1, true) => DType::Int8,
        (2, true) => DType::Int16,
        (4, true) => DType::Int32,
        (8, true) => DType::Int64,
        (1, false) => DType::UInt8,
        (2, false) => DType::UInt16,
        (4, false) => DType::UInt32,
        (8, false) => DType::UInt64,
        _ => return None,
    })
}

/// Floats as IEEE 754 has them.
fn float((bits, size): (u32, u32), mut message: Bytes<'_>) -> Option<DType> {
    const LITTLE_WITH_IMPLIED_BIT: u32 = 0x20;
    let (offset, precision) = (message.u16()?, message.u16()?);
    let fields = message.take(4)?;
    let (bias, sign_at) = (message.u32()?, bits >> 8 & 0xFF);
    let known: [(u32, DType, [u8; 4], u32); 3] = [
        (2, DType::Float16, [10, 5, 0, 10], 15),
        (4, DType::Float32, [23, 8, 0, 23], 127),
        (8, DType::Float64, [52, 11, 0, 52], 1023),
    ];
    let (_, dtype, ..) = known.into_iter().find(|(len, _, ieee, of_ieee)| {
        *len == size && fields == ieee && bias == *of_ieee && sign_at == size * 8 - 1
    })?;
    let is_whole = offset == 0 && u32::from(precision) == size * 8;
    let is_plain = bits & 0xFF == LITTLE_WITH_IMPLIED_BIT && cfg!(target_endian = "little");
    (is_whole && is_plain).then_some(dtype)
}

/// How many elements there are, and how many there may be.
pub(super) struct Space {
    pub(super) shape: Vec<u64>,
    /// `None` for an axis without a bound.
    pub(super) max_shape: Vec<Option<u64>>,
}

/// A dataspace message; `Some(None)` for one without elements and shape.
#[expect(clippy::option_option, reason = "not understood is not the same as no extent")]
pub(super) fn space(mut message: Bytes<'_>) -> Option<Option<Space>> {
    const MAX_RANK: u8 = 32;
    const HAS_MAX: u8 = 1;
    let (version, rank, flags) = (message.u8()?, message.u8()?, message.u8()?);
    let kind = message.u8()?;
    let is_null = match version {
        1 => {
            message.take(4)?;
            false
        }
        2 if kind <= 2 => kind == 2,
        _ => return None,
    };
    if is_null {
        return Some(None);
    }
    if rank > MAX_RANK {
        return None;
    }
    let mut lens = || (0..rank).map(|_| message.u64()).collect::<Option<Vec<u64>>>();
    let shape = lens()?;
    let max = if flags & HAS_MAX != 0 { lens()? } else { shape.clone() };
    let max_shape = max.into_iter().map(|len| (len != UNDEFINED).then_some(len)).collect();
    Some(Some(Space { shape, max_shape }))
}
