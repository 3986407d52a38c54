//! Labels of one type, where they lie in memory.

use stook_core::dtype::{Charset, DType, Padding};
use stook_core::values::{HeapItem, Values, trim_nul};

use crate::label::LabelRef;
use crate::labels::LabelKind;

/// What labels of this type are; `None` if items of it are no labels.
pub(super) fn kind(dtype: &DType) -> Option<LabelKind> {
    Some(match dtype {
        DType::Bool => LabelKind::Bool,
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => LabelKind::Int,
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => LabelKind::Int,
        DType::Float16 | DType::Float32 | DType::Float64 => LabelKind::Float,
        DType::Unicode(_) | DType::String(_) => LabelKind::Text,
        DType::FixedString(string) if string.charset == Charset::Utf8 => LabelKind::Text,
        DType::FixedString(_) | DType::Bytes => LabelKind::Bytes,
        DType::DateTime(_) => LabelKind::DateTime,
        DType::TimeDelta(_) => LabelKind::TimeDelta,
        _ => return None,
    })
}

fn word<const N: usize>(item: &[u8]) -> [u8; N] {
    item.try_into().unwrap_or([0; N])
}

/// The label at `position` of values whose type [`kind`] knows.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#[inline]
pub(super) fn get(values: &Values, position: usize) -> Option<LabelRef<'_>> {
    let item = values.item(position)?;
    Some(match values.dtype() {
        DType::Bool => LabelRef::Bool(item.first() != Some(&0)),
        DType::Int8 => LabelRef::Int(i64::from(i8::from_ne_bytes(word(item)))),
        DType::Int16 => LabelRef::Int(i64::from(i16::from_ne_bytes(word(item)))),
        DType::Int32 => LabelRef::Int(i64::from(i32::from_ne_bytes(word(item)))),
        DType::Int64 => LabelRef::Int(i64::from_ne_bytes(word(item))),
        DType::UInt8 => LabelRef::Int(i64::from(u8::from_ne_bytes(word(item)))),
        DType::UInt16 => LabelRef::Int(i64::from(u16::from_ne_bytes(word(item)))),
        DType::UInt32 => LabelRef::Int(i64::from(u32::from_ne_bytes(word(item)))),
        DType::UInt64 => {
            let value = u64::from_ne_bytes(word(item));
            i64::try_from(value).map_or(LabelRef::UInt(value), LabelRef::Int)
        }
        DType::Float16 => {
            LabelRef::Float(stook_core::element::f16::from_ne_bytes(word(item)).to_f64())
        }
        DType::Float32 => LabelRef::Float(f64::from(f32::from_ne_bytes(word(item)))),
        DType::Float64 => LabelRef::Float(f64::from_ne_bytes(word(item))),
        DType::Unicode(_) => LabelRef::Ucs4(trim_ucs4(item)),
        DType::String(_) => text(payload(item, values.heap())),
        DType::Bytes => LabelRef::Bytes(payload(item, values.heap())),
        DType::FixedString(string) => {
            let bytes = match string.padding {
                Padding::Space => item.trim_ascii_end(),
                Padding::NullTerminated => item.split(|&byte| byte == 0).next().unwrap_or(item),
                Padding::Null => trim_nul(item),
            };
            if string.charset == Charset::Utf8 { text(bytes) } else { LabelRef::Bytes(bytes) }
        }
        DType::DateTime(unit) => LabelRef::DateTime(i64::from_ne_bytes(word(item)), *unit),
        DType::TimeDelta(unit) => LabelRef::TimeDelta(i64::from_ne_bytes(word(item)), *unit),
        _ => LabelRef::None,
    })
}

fn payload<'a>(item: &[u8], heap: &'a [u8]) -> &'a [u8] {
    // Checked when the labels were made.
    HeapItem::from_bytes(item).slice(heap, 1).unwrap_or_default()
}

fn text(bytes: &[u8]) -> LabelRef<'_> {
    std::str::from_utf8(bytes).map_or(LabelRef::Bytes(bytes), LabelRef::Str)
}

/// UCS-4 without the NULs at its end.
fn trim_ucs4(item: &[u8]) -> &[u8] {
    let end = item.chunks_exact(4).rposition(|c| c != [0; 4]).map_or(0, |last| 4 * (last + 1));
    item.get(..end).unwrap_or(item)
}
