//! Attributes: JSON here, typed values elsewhere.

pub(crate) mod typed;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use half::{bf16, f16};
use serde_json::{Value, json};
use stook_core::dtype::{Narrow, Padding};
use stook_core::values::{HeapItem, item_text, trim_nul};
use stook_core::{Adapted, AttributeValue, DType, Error, Loss, Result, Values};

use crate::json;

/// A deeper nesting of values than this is refused.
const MAX_DEPTH: usize = 64;
/// More lists, or items without bytes, than this are refused where no bytes stand for them.
const MAX_EMPTY: u64 = 1 << 20;

/// An attribute's JSON as a value; a number that JSON cannot hold makes it an array of numbers,
/// where it is one.
pub(crate) fn from_json(mut value: Value) -> Result<AttributeValue> {
    json::cut_integers(&mut value);
    if json::has_marker(&value) {
        let (mut shape, mut items) = (Vec::new(), Vec::new());
        if numbers(&value, 0, &mut shape, &mut items).is_some() {
            return Values::new(DType::Float64, shape, items, Vec::new()).map(Into::into);
        }
        json::unmark(&mut value);
    }
    Ok(value.into())
}

/// Appends the numbers of `value`, a number or nested lists of one shape.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn numbers(value: &Value, depth: usize, shape: &mut Vec<u64>, items: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Array(list) if depth < MAX_DEPTH => {
            match shape.get(depth) {
                Some(&len) if len != list.len() as u64 => return None,
                Some(_) => {}
                None if items.is_empty() => shape.push(list.len() as u64),
                None => return None,
            }
            list.iter().try_for_each(|value| numbers(value, depth + 1, shape, items))
        }
        _ if depth == shape.len() => {
            items.extend_from_slice(&json::to_f64(value)?.to_ne_bytes());
            Some(())
        }
        _ => None,
    }
}

/// The JSON of `value`.
///
/// # Errors
/// `Unsupported` for values that JSON has no way to hold.
pub(crate) fn to_json(name: &str, value: &AttributeValue) -> Result<Value> {
    match value {
        AttributeValue::Json(value) => Ok(value.clone()),
        AttributeValue::Null(_) => Ok(Value::Null),
        AttributeValue::Values(values) => {
            values_to_json(values).map_err(|error| error.within(format_args!("attribute `{name}`")))
        }
    }
}

/// The nearest that JSON, with a record of the type beside it, has to `value`.
///
/// # Errors
/// `Unsupported` where there is nothing near.
pub(crate) fn adapt(name: &str, value: &AttributeValue) -> Result<Adapted<AttributeValue>> {
    let json = to_json(name, value)?;
    if typed::record(value).is_some() {
        return Ok(Adapted::exact(value.clone()));
    }
    let losses = match value {
        AttributeValue::Json(_) => return Ok(Adapted::exact(value.clone())),
        AttributeValue::Null(dtype) => {
            vec![Loss::new(format!("attribute `{name}` of type {dtype} without a value"), "null")]
        }
        AttributeValue::Values(values) => lost(values.dtype())
            .map(|becomes| {
                Loss::new(format!("attribute `{name}` of type {}", values.dtype()), becomes)
            })
            .into_iter()
            .collect(),
    };
    // What JSON has no token for crosses as values.
    Ok(Adapted { value: from_json(json)?, losses })
}

/// What becomes of values of `dtype`, where more than their type's name is known again.
fn lost(dtype: &DType) -> Option<&'static str> {
    match dtype {
        DType::Bool | DType::Int64 | DType::Float64 | DType::String(_) => None,
        DType::FixedString(_) | DType::Unicode(_) => Some("JSON text"),
        DType::Reference => Some("the path as JSON text"),
        DType::Bytes | DType::Opaque(_) => Some("base64 in JSON text"),
        DType::Complex64 | DType::Complex128 => Some("JSON lists of real and imaginary part"),
        DType::DateTime(_) | DType::TimeDelta(_) => Some("JSON counts of its unit"),
        DType::Struct(_) => Some("JSON objects"),
        DType::Sequence(_) | DType::Array(_) => Some("JSON lists"),
        _ => Some("JSON numbers"),
    }
}

fn values_to_json(values: &Values) -> Result<Value> {
    if values.items().is_empty() {
        let outer = values.shape().iter().take_while(|&&len| len > 0);
        let n = outer.fold(1_u64, |n, &len| n.saturating_mul(len));
        if n > MAX_EMPTY {
            let shape = values.shape();
            return Err(Error::limit(format!("nothing of shape {shape:?} as JSON lists")));
        }
    }
    let mut at = 0;
    nest(values, values.shape(), &mut at)
}

/// The items from `at` on as nested lists of `shape`.
fn nest(values: &Values, shape: &[u64], at: &mut usize) -> Result<Value> {
    let Some((&len, inner)) = shape.split_first() else {
        let item = values.item(*at).unwrap_or_default();
        *at += 1;
        return item_to_json(values.dtype(), item, values.heap(), 0);
    };
    (0..len).map(|_| nest(values, inner, at)).collect::<Result<Vec<_>>>().map(Value::Array)
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn item_to_json(dtype: &DType, item: &[u8], heap: &[u8], depth: usize) -> Result<Value> {
    if depth > MAX_DEPTH {
        return Err(Error::limit("values are nested too deeply for JSON"));
    }
    macro_rules! number {
        ($type:ty) => {
            <$type>::from_ne_bytes(item.try_into().unwrap_or_default())
        };
    }
    Ok(match dtype {
        DType::Bool => json!(item.first().is_some_and(|&byte| byte != 0)),
        DType::Int8 => json!(number!(i8)),
        DType::Int16 => json!(number!(i16)),
        DType::Int32 => json!(number!(i32)),
        DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => json!(number!(i64)),
        DType::UInt8 => json!(number!(u8)),
        DType::UInt16 => json!(number!(u16)),
        DType::UInt32 => json!(number!(u32)),
        DType::UInt64 => json!(number!(u64)),
        DType::Float16 => json::from_f64(f16::from_bits(number!(u16)).to_f64()),
        DType::BFloat16 => json::from_f64(bf16::from_bits(number!(u16)).to_f64()),
        DType::Float32 => json::from_f64(number!(f32).into()),
        DType::Float64 => json::from_f64(number!(f64)),
        DType::Complex64 | DType::Complex128 => {
            let half = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
            list(&half, item, heap, depth)?
        }
        DType::String(_) | DType::FixedString(_) | DType::Unicode(_) | DType::Reference => {
            Value::from(text_of(dtype, item, heap)?)
        }
        DType::Bytes => json!(BASE64_STANDARD.encode(HeapItem::from_bytes(item).slice(heap, 1)?)),
        DType::Opaque(_) => json!(BASE64_STANDARD.encode(item)),
        DType::Enum(r#enum) => item_to_json(&r#enum.base, item, heap, depth + 1)?,
        DType::Bitfield(1) => json!(number!(u8)),
        DType::Bitfield(2) => json!(number!(u16)),
        DType::Bitfield(4) => json!(number!(u32)),
        DType::Bitfield(8) => json!(number!(u64)),
        DType::Array(array) => list(&array.item, item, heap, depth)?,
        DType::Sequence(inner) => {
            let items = HeapItem::from_bytes(item).slice(heap, inner.item_size())?;
            list(inner, items, heap, depth)?
        }
        DType::Struct(r#struct) => {
            let members = r#struct.fields.iter().map(|field| {
                let end = field.offset + field.dtype.item_size();
                let part = item.get(field.offset..end).unwrap_or_default();
                let value = item_to_json(&field.dtype, part, heap, depth + 1)?;
                Ok((field.name.clone(), value))
            });
            Value::Object(members.collect::<Result<_>>()?)
        }
        DType::LongDouble => json::from_f64(from_long_double(item)),
        DType::Narrow(narrow) => match narrow {
            Narrow::Int2 | Narrow::Int4 | Narrow::UInt2 | Narrow::UInt4 => json!(number!(i8)),
            _ => json!(format!("0x{:02x}", number!(u8))),
        },
        other => return Err(Error::unsupported(format!("type {other} has no form in JSON"))),
    })
}

/// The text of an item; what is no character in it is U+FFFD.
///
/// # Errors
/// `Corrupt` where the item points out of the heap.
fn text_of(dtype: &DType, item: &[u8], heap: &[u8]) -> Result<String> {
    if let Ok(text) = item_text(dtype, item, heap) {
        return Ok(text);
    }
    let bytes = match dtype {
        DType::Unicode(_) => {
            #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
            let code = |c: &[u8]| c.first_chunk().map_or(0, |c| u32::from_ne_bytes(*c));
            let text = item
                .chunks_exact(4)
                .map(|c| char::from_u32(code(c)).unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(text.collect::<String>().trim_end_matches('\0').to_owned());
        }
        DType::FixedString(string) => match string.padding {
            Padding::Space => item.trim_ascii_end(),
            Padding::NullTerminated => item.split(|&byte| byte == 0).next().unwrap_or(item),
            Padding::Null => trim_nul(item),
        },
        _ => HeapItem::from_bytes(item).slice(heap, 1)?,
    };
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The nearest float to an x87 number: 64 bits of mantissa, 15 of exponent, the sign.
#[expect(clippy::cast_precision_loss, reason = "the nearest is what is asked for")]
fn from_long_double(item: &[u8]) -> f64 {
    let mantissa = item.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let high = item.get(8..10).and_then(|bytes| bytes.try_into().ok());
    let high = high.map_or(0, u16::from_le_bytes);
    let magnitude = match high & 0x7fff {
        0x7fff if mantissa << 1 == 0 => f64::INFINITY,
        0x7fff => f64::NAN,
        exponent => {
            // In two steps, for the power alone may be out of range.
            let power = i32::from(exponent) - 16_383 - 63;
            mantissa as f64 * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2)
        }
    };
    if high >> 15 == 1 { -magnitude } else { magnitude }
}

fn list(item: &DType, items: &[u8], heap: &[u8], depth: usize) -> Result<Value> {
    let size = item.item_size().max(1);
    let items = items.chunks_exact(size).map(|part| item_to_json(item, part, heap, depth + 1));
    items.collect::<Result<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_lacks_cross_as_values() {
        let nan = json::from_f64(f64::NAN);
        let value = json!([[1, nan.clone()], [2.5, 3]]);
        let AttributeValue::Values(values) = from_json(value.clone()).unwrap() else { panic!() };
        assert_eq!((values.dtype(), values.shape()), (&DType::Float64, [2, 2].as_slice()));
        assert_eq!(values_to_json(&values).unwrap(), json!([[1.0, nan.clone()], [2.5, 3.0]]));
        let ragged = from_json(json!([1, [nan.clone()]])).unwrap();
        assert_eq!(ragged, AttributeValue::Json(json!([1, ["NaN"]])));
        let object = from_json(json!({"x": nan})).unwrap();
        assert_eq!(object, AttributeValue::Json(json!({"x": "NaN"})));
    }

    #[test]
    fn long_doubles_become_the_nearest_number() {
        let number = |high: u16, mantissa: u64| {
            let mut item = mantissa.to_le_bytes().to_vec();
            item.extend_from_slice(&high.to_le_bytes());
            from_long_double(&item)
        };
        assert_eq!(number(0x3fff, 1 << 63), 1.0);
        assert_eq!(number(0xc000, 3 << 62), -3.0);
        assert_eq!(number(0, 0), 0.0);
        assert_eq!(number(0xffff, 1 << 63), f64::NEG_INFINITY);
        assert!(number(0x7fff, 3 << 62).is_nan());
        assert_eq!(number(0x7000, 1 << 63), f64::INFINITY);
    }

    #[test]
    fn typed_values_become_json_and_say_what_is_lost() {
        let text = AttributeValue::Values(Values::text("é"));
        let adapted = adapt("a", &text).unwrap();
        assert_eq!(adapted.value, AttributeValue::Json(json!("é")));
        assert!(adapted.losses.is_empty());
        let float = Values::new(DType::Float32, vec![1], 1.5_f32.to_ne_bytes().to_vec(), vec![]);
        let float = AttributeValue::from(float.unwrap());
        assert_eq!(to_json("a", &float).unwrap(), json!([1.5]));
        let adapted = adapt("a", &float).unwrap();
        assert_eq!((adapted.value, adapted.losses.len()), (float, 0));
        let nan = Values::new(DType::Float64, vec![], f64::NAN.to_ne_bytes().to_vec(), vec![]);
        let nan = AttributeValue::Values(nan.unwrap());
        let adapted = adapt("a", &nan).unwrap();
        assert_eq!((adapted.value, adapted.losses.len()), (nan, 0));
        let empty = AttributeValue::Null(DType::Int8);
        let adapted = adapt("a", &empty).unwrap();
        assert_eq!((adapted.value, adapted.losses.len()), (empty, 0));
    }

    #[test]
    fn nothing_of_a_huge_shape_is_refused() {
        let json = |shape: &[u64]| {
            let values = Values::new(DType::Int16, shape.to_vec(), vec![], vec![]).unwrap();
            to_json("a", &values.into())
        };
        assert_eq!(json(&[2, 0, 3]).unwrap(), json!([[], []]));
        assert_eq!(json(&[0, 1 << 60]).unwrap(), json!([]));
        for shape in [[1 << 60, 0], [1 << 30, 0]] {
            assert_eq!(json(&shape).unwrap_err().kind(), stook_core::ErrorKind::LimitExceeded);
        }
    }
}
