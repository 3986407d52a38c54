//! JSON as values of a certain dtype.

use serde_json::Value;
use stook::dtype::FixedString;
use stook::element::{bf16, f16};
use stook::{DType, Error, Result, Values};

/// `json` as values of `dtype`: a scalar, or nested lists of one shape.
///
/// # Errors
/// `InvalidInput` for what the dtype cannot hold, or lists of several lengths; `Unsupported` for
/// a dtype that has no JSON.
pub(super) fn typed(dtype: &DType, json: &Value) -> Result<Values> {
    let (mut shape, mut first) = (Vec::new(), json);
    while let Value::Array(list) = first {
        shape.push(list.len() as u64);
        match list.first() {
            Some(inner) => first = inner,
            None => break,
        }
    }
    let mut flat = Vec::new();
    flatten(json, &shape, &mut flat)?;
    if matches!(dtype, DType::String(_)) {
        let texts = flat.iter().map(|value| text(value)).collect::<Result<Vec<_>>>()?;
        return Values::from_strings(shape, &texts);
    }
    let mut items = Vec::new();
    for value in flat {
        item(dtype, value, &mut items)?;
    }
    Values::new(dtype.clone(), shape, items, Vec::new())
}

fn flatten<'v>(json: &'v Value, shape: &[u64], flat: &mut Vec<&'v Value>) -> Result<()> {
    match (json, shape.split_first()) {
        (Value::Array(list), Some((&len, rest))) if list.len() as u64 == len => {
            list.iter().try_for_each(|value| flatten(value, rest, flat))
        }
        (Value::Array(_), _) | (_, Some(_)) => {
            Err(Error::invalid("expected lists of one shape, found others"))
        }
        (value, None) => {
            flat.push(value);
            Ok(())
        }
    }
}

fn text(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(misfit(&DType::string(), other)),
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn item(dtype: &DType, value: &Value, items: &mut Vec<u8>) -> Result<()> {
    macro_rules! integer {
        ($t:ty) => {{
            let wide = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
            let number = wide.and_then(|wide| <$t>::try_from(wide).ok());
            items.extend(number.ok_or_else(|| misfit(dtype, value))?.to_ne_bytes());
        }};
    }
    let float = || match value {
        Value::String(text) => text.parse().map_err(|_| misfit(dtype, value)),
        other => other.as_f64().ok_or_else(|| misfit(dtype, value)),
    };
    match dtype {
        DType::Bool => items.push(value.as_bool().ok_or_else(|| misfit(dtype, value))?.into()),
        DType::Int8 => integer!(i8),
        DType::Int16 => integer!(i16),
        DType::Int32 => integer!(i32),
        DType::Int64 => integer!(i64),
        DType::UInt8 => integer!(u8),
        DType::UInt16 => integer!(u16),
        DType::UInt32 => integer!(u32),
        DType::UInt64 => integer!(u64),
        DType::Float16 => items.extend(f16::from_f64(float()?).to_ne_bytes()),
        DType::BFloat16 => items.extend(bf16::from_f64(float()?).to_ne_bytes()),
        DType::Float32 => items.extend((float()? as f32).to_ne_bytes()),
        DType::Float64 => items.extend(float()?.to_ne_bytes()),
        DType::FixedString(FixedString { len_bytes, .. }) => {
            let text = text(value)?;
            if text.len() > *len_bytes {
                return Err(misfit(dtype, value));
            }
            let end = items.len() + len_bytes;
            items.extend(text.as_bytes());
            items.resize(end, 0);
        }
        DType::Unicode(n_chars) => {
            let text = text(value)?;
            if text.chars().count() > *n_chars {
                return Err(misfit(dtype, value));
            }
            let end = items.len() + 4 * n_chars;
            items.extend(text.chars().flat_map(|c| u32::from(c).to_ne_bytes()));
            items.resize(end, 0);
        }
        other => {
            return Err(Error::unsupported(format!(
                "a value of dtype {other} cannot be given here"
            ))
            .with_hint("use a number, bool, string, S<n> or U<n>"));
        }
    }
    Ok(())
}

fn misfit(dtype: &DType, value: &Value) -> Error {
    Error::invalid(format!("expected a value of dtype {dtype}, found {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn back(dtype: &str, value: Value) -> Result<Value> {
        stook::json::of_values(&typed(&dtype.parse().unwrap(), &value)?)
    }

    #[test]
    fn json_comes_back_as_it_was() {
        for (dtype, value) in [
            ("int8", json!(-3)),
            ("uint64", json!(u64::MAX)),
            ("float32", json!([[0.5, 1.0], [2.0, -0.25]])),
            ("float64", json!("NaN")),
            ("bool", json!([true, false])),
            ("S4", json!(["ab", "é"])),
            ("U2", json!("éà")),
            ("string", json!(["long enough", ""])),
            ("int16", json!([])),
        ] {
            assert_eq!(back(dtype, value.clone()).unwrap(), value, "{dtype}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (dtype, value) in [
            ("int8", json!(200)),
            ("uint8", json!(1.5)),
            ("float32", json!([1, [2]])),
            ("float32", json!([[1], [2, 3]])),
            ("bool", json!(1)),
            ("S1", json!("é")),
            ("complex64", json!(1)),
        ] {
            assert!(back(dtype, value).is_err(), "{dtype}");
        }
    }
}
