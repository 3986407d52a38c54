//! Types that version 3 has no name for, beside the nearest that it has.
//!
//! The specification lets a document carry members that a reader may pass over
//! (`"must_understand": false`). Under `stook` stands there the type as another format had it:
//! the names of an enum, the padding of a string, a member that is an array. Other readers see
//! the type under `data_type`, whose items are the same bytes; stook sees both, and so a file
//! goes from HDF5 to Zarr and back without a change.

use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::dtype::{
    ArrayType, Charset, EnumType, FixedString, OpaqueType, Padding, StructType,
};
use stook_core::{DType, Error, Result};

use super::v3;
use crate::json::Object;
use crate::named::Named;

/// The member of `zarr.json`.
pub(crate) const EXTENSION: &str = "stook";

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 32;

const PADDINGS: [(Padding, &str); 3] = [
    (Padding::Null, "null"),
    (Padding::NullTerminated, "null-terminated"),
    (Padding::Space, "space"),
];

/// The extension that says `dtype`.
///
/// # Errors
/// `Unsupported` where not even it can.
pub(crate) fn extension(dtype: &DType) -> Result<Value> {
    Ok(json!({"must_understand": false, "dtype": print(dtype)?}))
}

/// The type that the extension of `doc` gives for what is stored as `stored`; `None` where there
/// is none, or one that does not fit, as after another writer changed the document.
pub(crate) fn of_document(doc: &Object, stored: &DType) -> Option<DType> {
    let dtype = parse(doc.get(EXTENSION)?.get("dtype")?, 0).ok()?;
    let fits = dtype.item_size() == stored.item_size() && dtype.has_heap() == stored.has_heap();
    (fits && dtype != *stored).then_some(dtype)
}

fn print(dtype: &DType) -> Result<Value> {
    if let Ok(value) = v3::print(dtype) {
        return Ok(value);
    }
    let (name, configuration) = match dtype {
        DType::Enum(r#enum) => {
            let members =
                r#enum.members.iter().map(|(name, value)| json!([name, value.to_string()]));
            let members: Vec<Value> = members.collect();
            ("enum", json!({"base": print(&r#enum.base)?, "members": members}))
        }
        DType::FixedString(string) => {
            let padding = PADDINGS.iter().find(|(padding, _)| *padding == string.padding);
            let configuration = json!({
                "length_bytes": string.len_bytes,
                "charset": if string.charset == Charset::Ascii { "ascii" } else { "utf-8" },
                "padding": padding.map(|(_, name)| *name),
            });
            ("fixed_string", configuration)
        }
        DType::Array(array) => {
            ("array", json!({"item": print(&array.item)?, "shape": array.shape}))
        }
        DType::Opaque(opaque) => {
            ("opaque", json!({"length_bytes": opaque.size, "tag": opaque.tag}))
        }
        DType::Bitfield(size) => ("bitfield", json!({"length_bytes": size})),
        DType::Reference => ("reference", json!({})),
        DType::String(Charset::Ascii) => ("ascii_string", json!({})),
        DType::Struct(r#struct) => {
            let fields =
                r#struct.fields.iter().map(|field| Ok(json!([field.name, print(&field.dtype)?])));
            ("packed_struct", json!({"fields": fields.collect::<Result<Vec<_>>>()?}))
        }
        other => return Err(Error::unsupported(format!("Zarr v3 has no data type for {other}"))),
    };
    Ok(json!({"name": name, "configuration": configuration}))
}

fn parse(value: &Value, depth: usize) -> Result<DType> {
    let named = Named::parse("dtype", value)?;
    if depth > MAX_DEPTH {
        return Err(Error::limit("types are nested too deeply"));
    }
    let malformed = |what| named.malformed(what, "something else");
    let inner = |what: &'static str| {
        named.get(what).ok_or_else(|| malformed(what)).and_then(|value| parse(value, depth + 1))
    };
    let list = |what: &'static str| {
        named.get(what).and_then(Value::as_array).ok_or_else(|| malformed(what))
    };
    Ok(match named.name {
        "enum" => {
            let members = list("members")?.iter().map(|pair| {
                let name = pair.get(0).and_then(Value::as_str);
                let value =
                    pair.get(1).and_then(Value::as_str).and_then(|value| value.parse().ok());
                name.map(str::to_owned).zip(value).ok_or_else(|| malformed("members"))
            });
            let members = members.collect::<Result<_>>()?;
            DType::Enum(Arc::new(EnumType { base: inner("base")?, members }))
        }
        "fixed_string" => {
            let charset = match named.text("charset") {
                Some("ascii") => Charset::Ascii,
                _ => Charset::Utf8,
            };
            let padding = PADDINGS.iter().find(|(_, name)| named.text("padding") == Some(name));
            let (padding, _) = padding.ok_or_else(|| malformed("padding"))?;
            let len_bytes = named.len_bytes()?;
            DType::FixedString(FixedString { len_bytes, charset, padding: *padding })
        }
        "array" => {
            let shape = list("shape")?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>();
            let shape = shape.ok_or_else(|| malformed("shape"))?;
            DType::Array(Arc::new(ArrayType { item: inner("item")?, shape }))
        }
        "opaque" => {
            let tag = named.text("tag").unwrap_or_default().to_owned();
            DType::Opaque(Arc::new(OpaqueType { size: named.len_bytes()?, tag }))
        }
        "bitfield" => DType::Bitfield(named.len_bytes()?),
        "reference" => DType::Reference,
        "ascii_string" => DType::String(Charset::Ascii),
        "packed_struct" => {
            let fields = list("fields")?.iter().map(|pair| {
                let name =
                    pair.get(0).and_then(Value::as_str).ok_or_else(|| malformed("fields"))?;
                let dtype = pair.get(1).ok_or_else(|| malformed("fields"))?;
                Ok((name.to_owned(), parse(dtype, depth + 1)?))
            });
            let fields = fields.collect::<Result<Vec<_>>>()?;
            DType::Struct(Arc::new(StructType::packed(fields)?))
        }
        _ => return v3::parse(value),
    })
}

/// `dtype` without padding in its structs.
///
/// # Errors
/// `LimitExceeded` if a size overflows.
pub(crate) fn packed(dtype: &DType) -> Result<DType> {
    Ok(match dtype {
        DType::Struct(r#struct) => {
            let fields = r#struct.fields.iter();
            let fields = fields.map(|field| Ok((field.name.clone(), packed(&field.dtype)?)));
            let fields = fields.collect::<Result<Vec<_>>>()?;
            DType::Struct(Arc::new(StructType::packed(fields)?))
        }
        DType::Array(array) => {
            let (item, shape) = (packed(&array.item)?, array.shape.clone());
            DType::Array(Arc::new(ArrayType { item, shape }))
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_beyond_zarr_round_trip() {
        let space = FixedString { len_bytes: 4, charset: Charset::Utf8, padding: Padding::Space };
        let members = vec![("a".to_owned(), -1), ("b".to_owned(), i128::from(u64::MAX))];
        let fields = [
            ("e", DType::Enum(Arc::new(EnumType { base: DType::Int8, members }))),
            ("s", DType::FixedString(space)),
            ("x", DType::Array(Arc::new(ArrayType { item: DType::Float32, shape: vec![2, 3] }))),
            ("o", DType::Opaque(Arc::new(OpaqueType { size: 3, tag: "t".to_owned() }))),
            ("f", DType::Bitfield(2)),
        ];
        let fields = fields.map(|(name, dtype)| (name.to_owned(), dtype));
        let dtype = DType::Struct(Arc::new(StructType::packed(fields).unwrap()));
        for dtype in [dtype, DType::Reference, DType::String(Charset::Ascii)] {
            assert_eq!(parse(&print(&dtype).unwrap(), 0).unwrap(), dtype);
        }
    }

    #[test]
    fn what_does_not_fit_is_passed_over() {
        let doc =
            |dtype: Value| Object::from_iter([(EXTENSION.to_owned(), json!({"dtype": dtype}))]);
        let bits = json!({"name": "bitfield", "configuration": {"length_bytes": 2}});
        assert_eq!(of_document(&doc(bits.clone()), &DType::UInt16), Some(DType::Bitfield(2)));
        assert_eq!(of_document(&doc(bits), &DType::UInt32), None);
        for wrong in [json!(3), json!({"name": "array"}), json!({"name": "x"}), json!(null)] {
            assert_eq!(of_document(&doc(wrong), &DType::UInt16), None);
        }
    }
}
