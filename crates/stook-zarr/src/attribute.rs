//! Attributes: JSON here, typed values elsewhere.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use half::{bf16, f16};
use serde_json::{Value, json};
use stook_core::values::{HeapItem, item_text};
use stook_core::{Adapted, AttributeValue, DType, Error, Loss, Result, Values};

use crate::json;

/// A deeper nesting of values than this is refused.
const MAX_DEPTH: usize = 64;

/// An attribute's JSON as a value; a number that JSON cannot hold makes it an array of numbers,
/// where it is one.
pub(crate) fn from_json(mut value: Value) -> Result<AttributeValue> {
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

/// The nearest that JSON has to `value`.
///
/// # Errors
/// `Unsupported` where there is nothing near.
pub(crate) fn adapt(name: &str, value: &AttributeValue) -> Result<Adapted<AttributeValue>> {
    let loss = |what: String, becomes: &str| vec![Loss::new(what, becomes)];
    match value {
        AttributeValue::Json(_) => Ok(Adapted::exact(value.clone())),
        AttributeValue::Null(dtype) => Ok(Adapted {
            value: Value::Null.into(),
            losses: loss(format!("attribute `{name}` of type {dtype} without a value"), "null"),
        }),
        AttributeValue::Values(values) => {
            let json = to_json(name, value)?;
            let losses = match lost(values.dtype()) {
                Some(becomes) => {
                    loss(format!("attribute `{name}` of type {}", values.dtype()), becomes)
                }
                None if values.is_empty() && *values.dtype() != DType::Float64 => {
                    loss(format!("attribute `{name}` of type {}", values.dtype()), "an empty list")
                }
                None => Vec::new(),
            };
            // What JSON has no token for crosses as values.
            Ok(Adapted { value: from_json(json)?, losses })
        }
    }
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
            Value::from(item_text(dtype, item, heap)?)
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
        other => return Err(Error::unsupported(format!("type {other} has no form in JSON"))),
    })
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
    fn typed_values_become_json_and_say_what_is_lost() {
        let text = AttributeValue::Values(Values::text("é"));
        let adapted = adapt("a", &text).unwrap();
        assert_eq!(adapted.value, AttributeValue::Json(json!("é")));
        assert!(adapted.losses.is_empty());
        let float = Values::new(DType::Float32, vec![1], 1.5_f32.to_ne_bytes().to_vec(), vec![]);
        let adapted = adapt("a", &float.unwrap().into()).unwrap();
        assert_eq!(adapted.value, AttributeValue::Json(json!([1.5])));
        assert_eq!(adapted.losses, [Loss::new("attribute `a` of type float32", "JSON numbers")]);
        let nan = Values::new(DType::Float64, vec![], f64::NAN.to_ne_bytes().to_vec(), vec![]);
        let nan = AttributeValue::Values(nan.unwrap());
        let adapted = adapt("a", &nan).unwrap();
        assert_eq!((adapted.value, adapted.losses.len()), (nan, 0));
        let empty = adapt("a", &AttributeValue::Null(DType::Int8)).unwrap();
        assert_eq!((empty.value, empty.losses.len()), (Value::Null.into(), 1));
    }
}
