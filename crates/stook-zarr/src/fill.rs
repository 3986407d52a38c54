//! Fill values in JSON, as each version and each type spells them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use half::{bf16, f16};
use serde_json::{Number, Value, json};
use stook_core::dtype::{Narrow, TimeBase};
use stook_core::values::push_heap_item;
use stook_core::{DType, Error, Format, Result, Values};

use crate::dtype::{StoredType, v3};
use crate::json;

/// The fill value that `value` gives for items of `stored`; `None` for JSON's null.
///
/// # Errors
/// `Corrupt` where it is no value of the type.
pub(crate) fn parse(stored: &StoredType, value: &Value) -> Result<Option<Values>> {
    if value.is_null() {
        return Ok(None);
    }
    let dtype = &stored.dtype;
    let (mut item, mut heap) = (Vec::with_capacity(dtype.item_size().min(4096)), Vec::new());
    match (dtype, value) {
        (DType::String(_), value) => push_heap_item(&mut item, &mut heap, text(dtype, value)?),
        (DType::Bytes, value) => push_heap_item(&mut item, &mut heap, &bytes(dtype, value)?),
        (DType::Struct(_), Value::String(_)) => {
            item = bytes(dtype, value)?;
            if item.is_empty() {
                item.resize(dtype.item_size(), 0);
            }
            stored.swap_item(&mut item);
        }
        _ => parse_item(dtype, value, &mut item)?,
    }
    if item.len() != dtype.item_size() {
        return Err(mismatch(dtype, value));
    }
    Values::new(dtype.clone(), Vec::new(), item, heap).map(Some)
}

fn mismatch(dtype: &DType, value: &Value) -> Error {
    let mut found = value.to_string();
    if found.len() > 80 {
        let end = found.char_indices().nth(76).map_or(0, |(at, _)| at);
        found.truncate(end);
        found.push_str(" ...");
    }
    Error::corrupt(format!("`fill_value`: expected a value of type {dtype}, found {found}"))
}

fn text<'a>(dtype: &DType, value: &'a Value) -> Result<&'a [u8]> {
    match value {
        Value::String(text) => Ok(text.as_bytes()),
        Value::Number(zero) if zero.as_f64() == Some(0.0) => Ok(&[]), // written by zarr-python 2
        _ => Err(mismatch(dtype, value)),
    }
}

fn bytes(dtype: &DType, value: &Value) -> Result<Vec<u8>> {
    let bytes = match value {
        Value::String(text) => BASE64_STANDARD.decode(text).ok(),
        Value::Array(items) => {
            let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
            items.iter().map(byte).collect()
        }
        Value::Number(zero) if zero.as_f64() == Some(0.0) => Some(Vec::new()),
        _ => None,
    };
    bytes.ok_or_else(|| mismatch(dtype, value))
}

/// Appends the item that `value` stands for, in the machine's byte order.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn parse_item(dtype: &DType, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let wrong = || mismatch(dtype, value);
    macro_rules! integer {
        ($type:ty) => {
            integer(value)
                .and_then(|number| <$type>::try_from(number).ok())
                .ok_or_else(wrong)?
                .to_ne_bytes()
                .as_slice()
        };
    }
    match dtype {
        DType::Bool => out.push(truth(value).ok_or_else(wrong)?.into()),
        DType::Int8 => out.extend_from_slice(integer!(i8)),
        DType::Int16 => out.extend_from_slice(integer!(i16)),
        DType::Int32 => out.extend_from_slice(integer!(i32)),
        DType::Int64 => out.extend_from_slice(integer!(i64)),
        DType::UInt8 => out.extend_from_slice(integer!(u8)),
        DType::UInt16 => out.extend_from_slice(integer!(u16)),
        DType::UInt32 => out.extend_from_slice(integer!(u32)),
        DType::UInt64 => out.extend_from_slice(integer!(u64)),
        DType::Narrow(narrow) => out.push(parse_narrow(*narrow, value).ok_or_else(wrong)?),
        DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 => {
            float(dtype, value, out).ok_or_else(wrong)?;
        }
        DType::Complex64 | DType::Complex128 => {
            let half = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
            let zero = json!(0.0);
            let (re, im) = match value {
                Value::Array(pair) if pair.len() == 2 => (&pair[0], &pair[1]),
                re => (re, &zero),
            };
            float(&half, re, out).ok_or_else(wrong)?;
            float(&half, im, out).ok_or_else(wrong)?;
        }
        DType::DateTime(_) | DType::TimeDelta(_) => match value {
            Value::String(text) if text == "NaT" => out.extend_from_slice(&i64::MIN.to_ne_bytes()),
            _ => out.extend_from_slice(integer!(i64)),
        },
        DType::FixedString(_) | DType::Opaque(_) => {
            let end = out.len().checked_add(dtype.item_size()).ok_or_else(wrong)?;
            let bytes = bytes(dtype, value)?;
            if bytes.len() > dtype.item_size() {
                return Err(wrong());
            }
            out.extend_from_slice(&bytes);
            out.resize(end, 0);
        }
        DType::Unicode(n_chars) => {
            let text = std::str::from_utf8(text(dtype, value)?).map_err(|_| wrong())?;
            let end = out.len().checked_add(dtype.item_size()).ok_or_else(wrong)?;
            if text.chars().count() > *n_chars {
                return Err(wrong());
            }
            text.chars().for_each(|c| out.extend_from_slice(&u32::from(c).to_ne_bytes()));
            out.resize(end, 0);
        }
        DType::Struct(r#struct) => {
            let object = value.as_object().ok_or_else(wrong)?;
            for field in &r#struct.fields {
                parse_item(&field.dtype, v3::fill_members(object, field)?, out)?;
            }
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

fn truth(value: &Value) -> Option<bool> {
    match integer(value) {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => value.as_bool(),
    }
}

/// A whole number, also where it is written as a float.
fn integer(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e18)?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e18")]
    Some(number as i128)
}

/// Appends a float: a number, a name, or its bits in hexadecimal.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest binary32")]
fn float(dtype: &DType, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    if let Some(bits) = value.as_str().and_then(|text| text.strip_prefix("0x")) {
        if bits.len() != 2 * dtype.item_size() {
            return None;
        }
        let bits = u64::from_str_radix(bits, 16).ok()?;
        match dtype.item_size() {
            2 => out.extend_from_slice(&(bits as u16).to_ne_bytes()),
            4 => out.extend_from_slice(&(bits as u32).to_ne_bytes()),
            _ => out.extend_from_slice(&bits.to_ne_bytes()),
        }
        return Some(());
    }
    let number = match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => json::to_f64(value)?,
    };
    match dtype {
        DType::Float16 => out.extend_from_slice(&f16::from_f64(number).to_ne_bytes()),
        DType::BFloat16 => out.extend_from_slice(&bf16::from_f64(number).to_ne_bytes()),
        DType::Float32 => out.extend_from_slice(&(number as f32).to_ne_bytes()),
        _ => out.extend_from_slice(&number.to_ne_bytes()),
    }
    Some(())
}

/// Small integers as numbers; small floats as zero or their bits.
fn parse_narrow(narrow: Narrow, value: &Value) -> Option<u8> {
    let range = match narrow {
        Narrow::Int2 => Some(-2..=1),
        Narrow::Int4 => Some(-8..=7),
        Narrow::UInt2 => Some(0..=3),
        Narrow::UInt4 => Some(0..=15),
        _ => None,
    };
    let number = integer(value);
    match (range, number, value.as_str()) {
        (Some(range), Some(number), _) if range.contains(&number) => {
            i8::try_from(number).ok().map(i8::cast_unsigned)
        }
        (None, Some(0), _) => Some(0),
        (None, _, Some(text)) => u8::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
        _ => None,
    }
}

/// `fill`, a scalar, in the spelling of `format`.
///
/// # Errors
/// `Unsupported` where that has no spelling for it.
pub(crate) fn print(fill: &Values, stored: &StoredType, format: Format) -> Result<Value> {
    let dtype = fill.dtype();
    let unsupported = || Error::unsupported(format!("{format} has no fill value of type {dtype}"));
    let item = fill.item(0).ok_or_else(unsupported)?;
    match dtype {
        DType::String(_) => fill.text_at(0).map(Value::from),
        DType::Bytes => Ok(Value::from(BASE64_STANDARD.encode(fill.payload(0)?))),
        DType::Struct(_) => {
            let mut item = item.to_vec();
            stored.swap_item(&mut item);
            Ok(Value::from(BASE64_STANDARD.encode(item)))
        }
        DType::Unicode(_) => fill.text_at(0).map(Value::from),
        // zarr-python makes no time without a unit of a number.
        DType::DateTime(unit) if unit.base == TimeBase::Generic && is_nat(item) => {
            Ok(Value::from("NaT"))
        }
        _ => print_item(dtype, item, format).ok_or_else(unsupported),
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn is_nat(item: &[u8]) -> bool {
    item == i64::MIN.to_ne_bytes()
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn print_item(dtype: &DType, item: &[u8], format: Format) -> Option<Value> {
    macro_rules! number {
        ($type:ty) => {
            <$type>::from_ne_bytes(item.try_into().ok()?)
        };
    }
    Some(match dtype {
        DType::Bool => Value::from(item.first()? & 1 == 1),
        DType::Int8 => Value::from(number!(i8)),
        DType::Int16 => Value::from(number!(i16)),
        DType::Int32 => Value::from(number!(i32)),
        DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => Value::from(number!(i64)),
        DType::UInt8 => Value::from(number!(u8)),
        DType::UInt16 => Value::from(number!(u16)),
        DType::UInt32 => Value::from(number!(u32)),
        DType::UInt64 => Value::from(number!(u64)),
        DType::Narrow(Narrow::Int2 | Narrow::Int4 | Narrow::UInt2 | Narrow::UInt4) => {
            Value::from(number!(i8))
        }
        DType::Narrow(_) => Value::from(format!("0x{:02x}", item.first()?)),
        DType::Float16 => print_float(number!(f16).to_f64(), u64::from(number!(u16)), 2, format),
        DType::BFloat16 => print_float(number!(bf16).to_f64(), u64::from(number!(u16)), 2, format),
        DType::Float32 => print_float(number!(f32).into(), u64::from(number!(u32)), 4, format),
        DType::Float64 => print_float(number!(f64), number!(u64), 8, format),
        DType::Complex64 | DType::Complex128 => {
            let half = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
            let (re, im) = item.split_at_checked(half.item_size())?;
            json!([print_item(&half, re, format)?, print_item(&half, im, format)?])
        }
        DType::FixedString(_) => {
            Value::from(BASE64_STANDARD.encode(stook_core::values::trim_nul(item)))
        }
        DType::Opaque(_) => Value::from(BASE64_STANDARD.encode(item)),
        _ => return None,
    })
}

/// A float as number or name; version 3 can hold the bits of an unusual NaN.
fn print_float(number: f64, bits: u64, size: usize, format: Format) -> Value {
    if let Some(number) = Number::from_f64(number) {
        return Value::Number(number);
    }
    let usual = [0x7e00, 0x7fc0, 0x7fc0_0000, 0x7ff8_0000_0000_0000];
    if number.is_nan() && format == Format::ZarrV3 && !usual.contains(&bits) {
        return Value::from(format!("0x{bits:0width$x}", width = 2 * size));
    }
    Value::from(if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    })
}

#[cfg(test)]
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
mod tests {
    use super::*;
    use crate::dtype::v2;

    /// What zarr-python 3.1.6 writes, the same in both versions.
    #[test]
    fn fill_values_round_trip() {
        let cases = [
            (json!("|b1"), json!(true)),
            (json!("<i8"), json!(-3)),
            (json!("<u8"), json!(u64::MAX)),
            (json!("<f4"), json!("NaN")),
            (json!("<f8"), json!("-Infinity")),
            (json!("<f4"), json!(0.100_000_001_490_116_12)),
            (json!("<f2"), json!(2.5)),
            (json!(">f8"), json!(1e300)),
            (json!("<c8"), json!(["NaN", 1.0])),
            (json!("|S3"), json!("YWI=")),
            (json!("<U3"), json!("hé")),
            (json!("|V3"), json!("AQID")),
            (json!("<M8[s]"), json!(i64::MIN)),
            (json!("<M8[generic]"), json!("NaT")),
            (json!([["a", "<i4"], ["s", "|S3"]]), json!("AwAAAHEAAA==")),
            (json!([["a", ">i4"], ["b", "<i2"]]), json!("AAAAAwQA")),
        ];
        for (dtype, value) in cases {
            let stored = v2::parse(&dtype, None).unwrap();
            let fill = parse(&stored, &value).unwrap().unwrap();
            for format in [Format::ZarrV2, Format::ZarrV3] {
                assert_eq!(print(&fill, &stored, format).unwrap(), value, "{dtype}");
            }
        }
        let text = StoredType::simple(DType::string(), stook_core::codec::Endian::Little);
        let fill = parse(&text, &json!("ab")).unwrap().unwrap();
        assert_eq!(fill.text_at(0).unwrap(), "ab");
        assert_eq!(print(&fill, &text, Format::ZarrV3).unwrap(), json!("ab"));
    }

    #[test]
    fn mixed_structs_are_brought_into_the_machines_order() {
        let stored = v2::parse(&json!([["a", ">i4"], ["b", "<i2"]]), None).unwrap();
        let fill = parse(&stored, &json!("AAAAAwQA")).unwrap().unwrap();
        assert_eq!(fill.items()[..4], 3_i32.to_ne_bytes());
        assert_eq!(fill.items()[4..], 4_i16.to_ne_bytes());
    }

    #[test]
    fn hexadecimal_floats_keep_their_bits() {
        let stored = v2::parse(&json!("<f4"), None).unwrap();
        let fill = parse(&stored, &json!("0x7fc00001")).unwrap().unwrap();
        assert_eq!(fill.items(), 0x7fc0_0001_u32.to_ne_bytes());
        assert_eq!(print(&fill, &stored, Format::ZarrV3).unwrap(), json!("0x7fc00001"));
    }

    #[test]
    fn what_is_no_value_of_the_type_is_corrupt() {
        let cases = [
            ("|i1", json!(200)),
            ("|u1", json!(-1)),
            ("<i4", json!(1.5)),
            ("<f4", json!("0x7fc0")),
            ("<f4", json!("nan")),
            ("|b1", json!(2)),
            ("<c8", json!([1.0])),
            ("|S1", json!("YWI=")),
            ("|V3", json!("AQ!!")),
            ("<U1", json!("ab")),
            ("<M8[s]", json!("x")),
        ];
        for (dtype, value) in cases {
            let stored = v2::parse(&json!(dtype), None).unwrap();
            assert!(parse(&stored, &value).is_err(), "{dtype} {value}");
        }
        let stored = v2::parse(&json!([["a", "<i4"]]), None).unwrap();
        assert!(parse(&stored, &json!("AQ==")).is_err());
        assert_eq!(parse(&stored, &Value::Null).unwrap(), None);
    }
}
