//! What an attribute was before it became JSON: its type, its shape and its items, beside it.
//!
//! JSON has numbers, text and lists, and that is what other readers see. Where it does not say
//! all of a value, a record does:
//!
//! ```json
//! "stook": {"must_understand": false,
//!           "attributes": {"gain": {"dtype": "int16", "shape": [2], "data": "AQD//w=="}}}
//! ```
//!
//! `data` are the items in their packed form (docs/formats/zarr.md), in Base64. A record counts
//! while the attribute is the JSON that its value becomes: whoever changes the one without the
//! other has changed the attribute.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use stook_core::codec::{pack, unpack};
use stook_core::{AttributeValue, DType, Limits, Result, Values};

use super::to_json;
use crate::dtype::full;

/// The member of an extension that holds the records by the names of attributes.
pub(crate) const ATTRIBUTES: &str = "attributes";

/// The record of `value`; `None` where JSON says all of it, or a record cannot either.
pub(crate) fn record(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::Json(_) => None,
        AttributeValue::Null(dtype) => Some(json!({"dtype": full::print(dtype).ok()?})),
        AttributeValue::Values(values) if is_json(values) => None,
        AttributeValue::Values(values) => {
            let mut data = Vec::new();
            pack(values.dtype(), values.items(), values.heap(), &mut data).ok()?;
            Some(json!({
                "dtype": full::print(values.dtype()).ok()?,
                "shape": values.shape(),
                "data": BASE64_STANDARD.encode(data),
            }))
        }
    }
}

/// Whether the JSON of `values` says all of them: type, shape and items.
fn is_json(values: &Values) -> bool {
    let is_type = match values.dtype() {
        DType::Bool | DType::Int64 | DType::Float64 => true,
        // What of a text is no UTF-8, JSON shows as U+FFFD.
        dtype => {
            *dtype == DType::string() && (0..values.len()).all(|at| values.text_at(at).is_ok())
        }
    };
    is_type && (values.shape().is_empty() || !values.is_empty())
}

/// The value that `record` is of, if it is that of the attribute `json`.
pub(crate) fn recall(record: &Value, json: &Value, limits: &Limits) -> Option<AttributeValue> {
    let dtype = full::parse(record.get("dtype")?, 0).ok()?;
    let value = match record.get("data") {
        None => AttributeValue::Null(dtype),
        Some(data) => values(dtype, record, data.as_str()?, limits).ok()??.into(),
    };
    (to_json("", &value).ok()? == *json).then_some(value)
}

fn values(dtype: DType, record: &Value, data: &str, limits: &Limits) -> Result<Option<Values>> {
    let shape = record.get("shape").and_then(Value::as_array);
    let shape = shape.and_then(|shape| shape.iter().map(Value::as_u64).collect::<Option<_>>());
    let (Some(shape), Ok(data)) = (shape, BASE64_STANDARD.decode(data)) else { return Ok(None) };
    let shape: Vec<u64> = shape;
    let n_items = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    let len = n_items.and_then(|n| n.checked_mul(dtype.item_size() as u64));
    let len = limits.metadata(len.unwrap_or(u64::MAX))?;
    let (mut items, mut heap, mut rest) = (vec![0; len], Vec::new(), data.as_slice());
    unpack(&dtype, &mut rest, &mut items, &mut heap, limits)?;
    if !rest.is_empty() {
        return Ok(None);
    }
    Values::new(dtype, shape, items, heap).map(Some)
}

/// Records that lie in the extension of a document, or in the text of an attribute.
pub(crate) fn of_extension(extension: Option<&Map<String, Value>>) -> Map<String, Value> {
    let records = extension.and_then(|extension| extension.get(ATTRIBUTES));
    records.and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stook_core::dtype::{EnumType, FixedString, Padding, StructType};

    use super::*;

    fn zeroed(dtype: DType, shape: &[u64]) -> AttributeValue {
        let n = shape.iter().product::<u64>() as usize * dtype.item_size();
        Values::new(dtype, shape.to_vec(), vec![0; n], Vec::new()).unwrap().into()
    }

    #[test]
    fn what_json_has_no_type_for_is_known_again() {
        let r#enum = EnumType { base: DType::Int8, members: vec![("a".to_owned(), 0)] };
        let fields = [("t".to_owned(), DType::string()), ("n".to_owned(), DType::Int16)];
        let string = FixedString { padding: Padding::Space, len_bytes: 2, ..FIXED };
        let dtypes = [
            DType::Int16,
            DType::Float32,
            DType::Complex64,
            DType::Enum(Arc::new(r#enum)),
            DType::FixedString(string),
            DType::Reference,
            DType::LongDouble,
            DType::Struct(Arc::new(StructType::packed(fields).unwrap())),
            DType::Sequence(Arc::new(DType::UInt8)),
        ];
        let limits = Limits::default();
        for dtype in dtypes {
            for shape in [vec![], vec![3], vec![2, 2], vec![0]] {
                let value = zeroed(dtype.clone(), &shape);
                let (json, record) = (to_json("a", &value).unwrap(), record(&value).unwrap());
                assert_eq!(recall(&record, &json, &limits), Some(value), "{record}");
                assert_eq!(recall(&record, &json!("changed"), &limits), None);
            }
            let null = AttributeValue::Null(dtype);
            let (json, record) = (to_json("a", &null).unwrap(), record(&null).unwrap());
            assert_eq!(recall(&record, &json, &limits), Some(null));
        }
    }

    const FIXED: FixedString = FixedString {
        len_bytes: 1,
        charset: stook_core::dtype::Charset::Ascii,
        padding: Padding::Null,
    };

    #[test]
    fn text_that_is_no_utf8_is_known_again() {
        let limits = Limits::default();
        let fixed = DType::FixedString(FixedString { len_bytes: 3, ..FIXED });
        let fixed = Values::new(fixed, vec![], b"a\xE9\0".to_vec(), Vec::new()).unwrap();
        let mut item = Vec::new();
        let mut heap = Vec::new();
        stook_core::values::push_heap_item(&mut item, &mut heap, b"a\xE9");
        let varying = Values::new(DType::string(), vec![], item, heap).unwrap();
        for value in [fixed, varying] {
            let value = AttributeValue::from(value);
            let (json, record) = (to_json("a", &value).unwrap(), record(&value).unwrap());
            assert_eq!(json, json!("a\u{FFFD}"));
            assert_eq!(recall(&record, &json, &limits), Some(value));
        }
    }

    #[test]
    fn what_json_says_needs_no_record() {
        for dtype in [DType::Bool, DType::Int64, DType::Float64, DType::string()] {
            assert_eq!(record(&zeroed(dtype, &[2])), None);
        }
        assert_eq!(record(&json!([1, "a"]).into()), None);
        assert!(record(&zeroed(DType::Int64, &[0])).is_some());
    }

    #[test]
    fn damaged_records_are_passed_over() {
        let limits = Limits::default();
        let damaged = [
            json!(null),
            json!({"dtype": "int16"}),
            json!({"dtype": "new", "shape": [], "data": "AAA="}),
            json!({"dtype": "int16", "shape": [], "data": "AA=="}),
            json!({"dtype": "int16", "shape": [], "data": "AAAAAA=="}),
            json!({"dtype": "int16", "shape": [u64::MAX, 3], "data": "AAA="}),
            json!({"dtype": "int16", "shape": "x", "data": "AAA="}),
            json!({"dtype": "int16", "shape": [], "data": 5}),
        ];
        for record in damaged {
            assert_eq!(recall(&record, &json!(0), &limits), None, "{record}");
        }
        let good = json!({"dtype": "int16", "shape": [], "data": "AAA="});
        assert!(recall(&good, &json!(0), &limits).is_some());
    }
}
