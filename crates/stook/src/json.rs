//! Values and attributes as JSON, for people and other programs to read.
//!
//! Numbers are JSON numbers; NaN and infinities, which JSON lacks, are the strings `NaN`,
//! `Infinity` and `-Infinity`. Complex numbers are pairs, structs are objects, bytes that are no
//! text are `\x` escapes. Dtypes are not kept: this is a view, not a format.

use serde_json::{Map, Number, Value};
use stook_core::dtype::HEAP_ITEM_LEN;
use stook_core::values::{HeapItem, item_text};
use stook_core::{AttributeValue, DType, Result, Values};

/// An attribute's value.
///
/// # Errors
/// `Corrupt` for items that contradict their dtype.
pub fn of_attribute(value: &AttributeValue) -> Result<Value> {
    match value {
        AttributeValue::Json(value) => Ok(value.clone()),
        AttributeValue::Values(values) => of_values(values),
        AttributeValue::Null(_) => Ok(Value::Null),
    }
}

/// Values as nested lists, a scalar as itself.
///
/// # Errors
/// `Corrupt` for items that contradict their dtype.
pub fn of_values(values: &Values) -> Result<Value> {
    let size = values.dtype().item_size();
    let items = (0..values.len()).map(|at| {
        let item = if size == 0 { Some(&[][..]) } else { values.item(at) };
        of_item(values.dtype(), item.unwrap_or_default(), values.heap())
    });
    nest(items.collect::<Result<Vec<_>>>()?, values.shape())
}

fn nest(mut flat: Vec<Value>, shape: &[u64]) -> Result<Value> {
    for &len in shape.iter().skip(1).rev() {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len == 0 {
            flat = Vec::new();
            continue;
        }
        let mut rows = Vec::with_capacity(flat.len() / len);
        let mut items = flat.into_iter();
        while items.len() > 0 {
            rows.push(Value::Array(items.by_ref().take(len).collect()));
        }
        flat = rows;
    }
    Ok(if shape.is_empty() { flat.pop().unwrap_or(Value::Null) } else { Value::Array(flat) })
}

/// One item.
///
/// # Errors
/// `Corrupt` if it contradicts its dtype.
pub fn of_item(dtype: &DType, item: &[u8], heap: &[u8]) -> Result<Value> {
    let list = |inner: &DType, items: &[u8]| {
        let size = inner.item_size().max(1);
        let items = items.chunks_exact(size).map(|item| of_item(inner, item, heap));
        items.collect::<Result<Vec<_>>>().map(Value::Array)
    };
    Ok(match dtype {
        DType::Bool => Value::Bool(item.first().is_some_and(|&byte| byte != 0)),
        DType::Complex64 | DType::Complex128 => {
            let part = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
            list(&part, item)?
        }
        DType::Enum(r#enum) => {
            let value = of_item(&r#enum.base, item, heap)?;
            let name = r#enum.members.iter().find(|(_, member)| Some(*member) == as_i128(&value));
            name.map_or(value, |(name, _)| Value::String(name.clone()))
        }
        DType::Struct(r#struct) => {
            let mut members = Map::new();
            for field in &r#struct.fields {
                let end = field.offset.saturating_add(field.dtype.item_size());
                let part = item.get(field.offset..end).unwrap_or_default();
                members.insert(field.name.clone(), of_item(&field.dtype, part, heap)?);
            }
            Value::Object(members)
        }
        DType::Array(array) => match list(&array.item, item)? {
            Value::Array(flat) => nest(flat, &array.shape)?,
            other => other,
        },
        DType::Sequence(inner) => {
            let at = HeapItem::from_bytes(item.get(..HEAP_ITEM_LEN).unwrap_or_default());
            list(inner, at.slice(heap, inner.item_size())?)?
        }
        DType::String(_)
        | DType::Bytes
        | DType::Reference
        | DType::FixedString(_)
        | DType::Unicode(_) => text(dtype, item, heap)?,
        DType::DateTime(_) | DType::TimeDelta(_) => {
            let n = of_number(&DType::Int64, item);
            if as_i128(&n) == Some(i128::from(i64::MIN)) {
                Value::String("NaT".to_owned())
            } else {
                n
            }
        }
        DType::Opaque(_) => Value::String(escaped(item)),
        DType::Bitfield(size) => {
            let mut wide = [0; 8];
            let n = (*size).min(8).min(item.len());
            wide[..n].copy_from_slice(&item[..n]);
            of_number(&DType::UInt64, &wide)
        }
        _ => of_number(dtype, item),
    })
}

fn as_i128(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn text(dtype: &DType, item: &[u8], heap: &[u8]) -> Result<Value> {
    if let Ok(text) = item_text(dtype, item, heap) {
        return Ok(Value::String(text));
    }
    let bytes = match dtype {
        DType::String(_) | DType::Bytes | DType::Reference => {
            HeapItem::from_bytes(item).slice(heap, 1)?
        }
        _ => stook_core::values::trim_nul(item),
    };
    Ok(Value::String(escaped(bytes)))
}

fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn of_number(dtype: &DType, item: &[u8]) -> Value {
    macro_rules! read {
        ($t:ty) => {
            item.try_into().map(<$t>::from_ne_bytes).unwrap_or_default()
        };
    }
    match dtype {
        DType::Int8 => read!(i8).into(),
        DType::Int16 => read!(i16).into(),
        DType::Int32 => read!(i32).into(),
        DType::Int64 => read!(i64).into(),
        DType::UInt8 => read!(u8).into(),
        DType::UInt16 => read!(u16).into(),
        DType::UInt32 => read!(u32).into(),
        DType::UInt64 => read!(u64).into(),
        DType::Float16 => float(stook_core::element::f16::from_bits(read!(u16)).to_f64()),
        DType::BFloat16 => float(stook_core::element::bf16::from_bits(read!(u16)).to_f64()),
        DType::Float32 => float32(read!(f32)),
        DType::Float64 => float(read!(f64)),
        _ => Value::String(escaped(item)),
    }
}

/// The shortest decimal that names the `f32`, not the digits of its exact value.
fn float32(value: f32) -> Value {
    if !value.is_finite() {
        return float(f64::from(value));
    }
    value.to_string().parse().map_or_else(|_| float(f64::from(value)), float)
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            Value::String(name.to_owned())
        },
        Value::Number,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_rank_are_nested_lists() {
        let items: Vec<u8> = (0..6).collect();
        let values = Values::new(DType::UInt8, vec![2, 3], items, Vec::new()).unwrap();
        assert_eq!(of_values(&values).unwrap().to_string(), "[[0,1,2],[3,4,5]]");
        let empty = Values::new(DType::UInt8, vec![2, 0], Vec::new(), Vec::new()).unwrap();
        assert_eq!(of_values(&empty).unwrap().to_string(), "[]");
        assert_eq!(of_values(&Values::text("é")).unwrap().to_string(), "\"é\"");
    }

    #[test]
    fn floats_are_as_short_as_they_can_be() {
        assert_eq!(float32(0.1).to_string(), "0.1");
        assert_eq!(float(f64::NAN).to_string(), "\"NaN\"");
    }
}
