//! Types of version 2: NumPy's array interface strings, and lists of members.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::codec::Endian;
use stook_core::dtype::{ArrayType, Charset, Field, Padding, StructType};
use stook_core::{DType, Error, Result};

use super::{StoredType, is_packed};
use crate::json;

/// The deepest nesting of structs that is followed.
const MAX_DEPTH: usize = 32;

/// The type that `dtype` of a `.zarray` describes; `object_codec` is the filter that encodes
/// objects with its id, if there is one.
///
/// # Errors
/// `Corrupt` where it is malformed, `Unsupported` where the type is not known.
pub(crate) fn parse(value: &Value, object_codec: Option<(&str, &Value)>) -> Result<StoredType> {
    match value {
        Value::String(text) if text.ends_with('O') => Ok(object(object_codec)),
        _ => parse_at(value, 0),
    }
}

/// Objects by the codec that encodes them; what another one makes of them cannot be read, but
/// the array can be opened.
fn object(codec: Option<(&str, &Value)>) -> StoredType {
    let dtype = match codec {
        Some(("vlen-utf8" | "json2" | "msgpack2" | "categorize", _)) => DType::string(),
        Some(("vlen-array", codec)) => {
            let item =
                codec.get("dtype").and_then(Value::as_str).and_then(|item| item.parse().ok());
            item.map_or(DType::Bytes, |item| DType::Sequence(Arc::new(item)))
        }
        _ => DType::Bytes,
    };
    StoredType::simple(dtype, Endian::Little)
}

fn parse_at(value: &Value, depth: usize) -> Result<StoredType> {
    match value {
        Value::String(text) => simple(text),
        Value::Array(members) if depth < MAX_DEPTH => members_of(members, depth),
        other => Err(Error::corrupt(format!(
            "`dtype`: expected a string or a list of members, found {}",
            json::kind(other)
        ))),
    }
}

fn simple(text: &str) -> Result<StoredType> {
    let unknown = || Error::unsupported(format!("dtype `{text}` is not supported in Zarr v2"));
    let endian = match text.as_bytes().first() {
        Some(b'>') => Endian::Big,
        Some(b'=') => Endian::NATIVE,
        Some(b'<' | b'|') => Endian::Little,
        _ => return Err(unknown()),
    };
    let name = text.get(1..).unwrap_or_default();
    let kinds = ['b', 'i', 'u', 'f', 'c', 'S', 'a', 'U', 'V', 'M', 'm'];
    if !name.starts_with(kinds) || !name.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return Err(unknown());
    }
    let name = match name.strip_prefix('a') {
        Some(width) => Cow::Owned(format!("S{width}")), // NumPy's old name
        None => Cow::Borrowed(name),
    };
    let dtype = name.parse().map_err(|_| unknown())?;
    Ok(StoredType::simple(dtype, endian))
}

fn members_of(members: &[Value], depth: usize) -> Result<StoredType> {
    let mut fields = Vec::with_capacity(members.len());
    let mut stored = StoredType { dtype: DType::Bool, big: Vec::new(), has_little: false };
    let mut size = 0_usize;
    for member in members {
        let (name, part) = member_of(member, depth)?;
        let offset = size;
        size = size
            .checked_add(part.dtype.item_size())
            .filter(|&size| isize::try_from(size).is_ok())
            .ok_or_else(|| Error::limit("the size of a struct overflows"))?;
        stored.big.extend(part.big.into_iter().map(|(at, dtype)| (at + offset, dtype)));
        stored.has_little |= part.has_little;
        fields.push(Field { name, dtype: part.dtype, offset });
    }
    if fields.is_empty() {
        return Err(Error::corrupt("`dtype`: a struct without members"));
    }
    stored.dtype = DType::Struct(Arc::new(StructType { fields, size }));
    Ok(stored)
}

fn member_of(member: &Value, depth: usize) -> Result<(String, StoredType)> {
    let malformed = || {
        Error::corrupt(format!(
            "`dtype`: expected [name, type] or [name, type, shape], found {member}"
        ))
    };
    let parts = member.as_array().ok_or_else(malformed)?;
    let (name, dtype) = match parts.as_slice() {
        [Value::String(name), dtype] | [Value::String(name), dtype, _] => (name.clone(), dtype),
        _ => return Err(malformed()),
    };
    let item = parse_at(dtype, depth + 1)?;
    let Some(shape) = parts.get(2) else { return Ok((name, item)) };
    let shape = match shape {
        Value::Number(len) => len.as_u64().map(|len| vec![len]),
        Value::Array(lens) => lens.iter().map(Value::as_u64).collect(),
        _ => None,
    };
    let shape = shape.ok_or_else(malformed)?;
    let dtype = DType::Array(Arc::new(ArrayType { item: item.dtype.clone(), shape }));
    if isize::try_from(dtype.item_size()).is_err() {
        return Err(Error::limit(format!("member `{name}` overflows memory")));
    }
    if item.has_little && !item.big.is_empty() {
        return Err(Error::unsupported(format!(
            "member `{name}`: an array of structs of mixed byte order is not supported"
        )));
    }
    let endian = if item.big.is_empty() { Endian::Little } else { Endian::Big };
    Ok((name, StoredType::simple(dtype, endian)))
}

/// `dtype` in the spelling of version 2, in one byte order.
///
/// # Errors
/// `Unsupported` where version 2 has no such type.
pub(crate) fn print(dtype: &DType, endian: Endian) -> Result<Value> {
    let sign = match endian {
        _ if !dtype.has_byte_order() => '|',
        Endian::Little => '<',
        Endian::Big => '>',
    };
    let size = dtype.item_size();
    let text = match dtype {
        DType::Bool => "|b1".to_owned(),
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => format!("{sign}i{size}"),
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => format!("{sign}u{size}"),
        DType::Float16 | DType::Float32 | DType::Float64 => format!("{sign}f{size}"),
        DType::Complex64 | DType::Complex128 => format!("{sign}c{size}"),
        DType::FixedString(string)
            if string.charset == Charset::Ascii && string.padding == Padding::Null =>
        {
            format!("|S{size}")
        }
        DType::Unicode(n_chars) => format!("{sign}U{n_chars}"),
        DType::DateTime(unit) => format!("{sign}M8[{unit}]"),
        DType::TimeDelta(unit) => format!("{sign}m8[{unit}]"),
        DType::Opaque(opaque) if opaque.tag.is_empty() => format!("|V{size}"),
        DType::String(Charset::Utf8) | DType::Bytes | DType::Sequence(_) => "|O".to_owned(),
        DType::Struct(r#struct) if is_packed(&r#struct.fields, r#struct.size) => {
            let members = r#struct.fields.iter().map(|field| print_member(field, endian));
            return members.collect::<Result<Vec<_>>>().map(Value::Array);
        }
        other => {
            return Err(Error::unsupported(format!("Zarr v2 has no dtype for {other}")));
        }
    };
    Ok(Value::from(text))
}

fn print_member(field: &Field, endian: Endian) -> Result<Value> {
    if field.dtype.has_heap() {
        return Err(Error::unsupported(format!(
            "member `{}`: Zarr has no structs with members of variable length",
            field.name
        )));
    }
    match &field.dtype {
        DType::Array(array) => Ok(json!([field.name, print(&array.item, endian)?, array.shape])),
        dtype => Ok(json!([field.name, print(dtype, endian)?])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_round_trip_in_both_orders() {
        let texts = [
            "|b1",
            "|i1",
            "<i2",
            ">i4",
            "<i8",
            "|u1",
            ">u2",
            "<u4",
            "<u8",
            "<f2",
            ">f4",
            "<f8",
            "<c8",
            ">c16",
            "|S3",
            "|S64",
            "<U4",
            ">U2",
            "|V5",
            "<M8[ns]",
            ">m8[10ms]",
        ];
        for text in texts {
            let stored = parse(&json!(text), None).unwrap();
            let endian = if stored.big.is_empty() { Endian::Little } else { Endian::Big };
            assert_eq!(print(&stored.dtype, endian).unwrap(), json!(text));
        }
    }

    #[test]
    fn structs_keep_the_order_of_each_member() {
        let value = json!([["a", "<i4"], ["in", [["x", ">f4"], ["y", ">i2", [2]]]], ["s", "|S3"]]);
        let stored = parse(&value, None).unwrap();
        assert_eq!(stored.dtype.item_size(), 15);
        assert!(stored.has_little);
        assert_eq!(stored.big.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4, 8]);
        let mut item: Vec<u8> = (0..15).collect();
        stored.swap_item(&mut item);
        assert_eq!(item, [0, 1, 2, 3, 7, 6, 5, 4, 9, 8, 11, 10, 12, 13, 14]);
        let little = json!([["a", "<i4"], ["in", [["x", "<f4"], ["y", "<i2", [2]]]], ["s", "|S3"]]);
        assert_eq!(print(&stored.dtype, Endian::Little).unwrap(), little);
    }

    #[test]
    fn what_is_no_type_is_refused() {
        let values = [
            json!("f4"),
            json!("<f3"),
            json!("<q8"),
            json!(""),
            json!("<"),
            json!("é"),
            json!(3),
            json!([]),
            json!([["a"]]),
            json!([["a", "<i4", "x"]]),
            json!("|S99999999999999999999"),
            json!([["a", "<i4", [u64::MAX, 9]]]),
            json!([["a", "|V9223372036854775807"], ["b", "<i4"]]),
        ];
        for value in values {
            assert!(parse(&value, None).is_err(), "{value}");
        }
    }
}
