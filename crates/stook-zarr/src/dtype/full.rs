//! What Zarr has no name for, beside the nearest that it has.
//!
//! The specification of version 3 lets a document carry members that a reader may pass over
//! (`"must_understand": false`), and readers of version 2 pass over all that they do not know.
//! Under `stook` (`_stook` in version 2) stands there the type as another format had it: the
//! names of an enum, the padding of a string, a struct with text in it. Other readers see the
//! type that the document gives otherwise, whose items are the same bytes; stook sees both, and
//! so a file goes from HDF5 to Zarr and back without a change.

use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::dtype::{
    ArrayType, Charset, EnumType, FixedString, OpaqueType, Padding, StructType,
};
use stook_core::{DType, Error, Format, Result};

use super::v3;
use crate::json::Object;
use crate::named::Named;

/// The member of `zarr.json`.
const EXTENSION: &str = "stook";
/// The member of `.zarray` and `.zgroup`.
const EXTENSION_V2: &str = "_stook";
/// What it says of an array that has no extent.
const EXTENT: &str = "extent";
const NULL: &str = "null";

/// The name of the member in documents of version `format`.
pub(crate) fn member(format: Format) -> &'static str {
    if format == Format::ZarrV2 { EXTENSION_V2 } else { EXTENSION }
}

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 32;

const PADDINGS: [(Padding, &str); 3] = [
    (Padding::Null, "null"),
    (Padding::NullTerminated, "null-terminated"),
    (Padding::Space, "space"),
];

/// The extension that says `dtype`, and that there is no extent if `is_null`.
///
/// # Errors
/// `Unsupported` where not even it can.
pub(crate) fn extension(dtype: &DType, is_null: bool) -> Result<Value> {
    let mut extension = json!({"must_understand": false, "dtype": print(dtype)?});
    if let (true, Some(members)) = (is_null, extension.as_object_mut()) {
        members.insert(EXTENT.to_owned(), Value::from(NULL));
    }
    Ok(extension)
}

/// The extension of `doc`, a document of version `format`.
pub(crate) fn of_document(doc: &Object, format: Format) -> Option<&Object> {
    doc.get(member(format))?.as_object()
}

/// The type that the extension of `doc` gives for what is stored as `stored`; `None` where there
/// is none, or one that does not fit, as after another writer changed the document.
pub(crate) fn dtype_of(doc: &Object, format: Format, stored: &DType) -> Option<DType> {
    let dtype = parse(of_document(doc, format)?.get("dtype")?, 0).ok()?;
    let fits = match is_packed(&dtype) {
        true => *stored == DType::Bytes,
        false => dtype.item_size() == stored.item_size() && dtype.has_heap() == stored.has_heap(),
    };
    (fits && dtype != *stored).then_some(dtype)
}

/// Whether the extension of `doc` says that there is no extent.
pub(crate) fn is_null(doc: &Object, format: Format) -> bool {
    of_document(doc, format).and_then(|found| found.get(EXTENT)).is_some_and(|it| it == NULL)
}

/// Whether items of `dtype` are stored as bytes that hold all of each, parts of variable length
/// included.
pub(crate) fn is_packed(dtype: &DType) -> bool {
    let is_text = matches!(dtype, DType::String(_) | DType::Bytes | DType::Reference);
    dtype.has_heap() && !is_text
}

/// `dtype` as the extension spells it.
///
/// # Errors
/// `Unsupported` where it has no spelling.
pub(crate) fn print(dtype: &DType) -> Result<Value> {
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
        DType::LongDouble => ("long_double", json!({})),
        DType::Sequence(item) => ("sequence", json!({"item": print(item)?})),
        DType::String(Charset::Ascii) => ("ascii_string", json!({})),
        DType::Struct(r#struct) => {
            let is_packed = super::is_packed(&r#struct.fields, r#struct.size);
            let fields = r#struct.fields.iter().map(|field| {
                let (name, dtype) = (&field.name, print(&field.dtype)?);
                Ok(if is_packed {
                    json!([name, dtype])
                } else {
                    json!([name, dtype, field.offset])
                })
            });
            let fields = fields.collect::<Result<Vec<_>>>()?;
            match is_packed {
                true => ("packed_struct", json!({"fields": fields})),
                false => {
                    ("padded_struct", json!({"fields": fields, "length_bytes": r#struct.size}))
                }
            }
        }
        other => return Err(Error::unsupported(format!("Zarr v3 has no data type for {other}"))),
    };
    Ok(json!({"name": name, "configuration": configuration}))
}

/// The type that [`print`] spelled so.
///
/// # Errors
/// `Corrupt`, `Unsupported`, `LimitExceeded`.
pub(crate) fn parse(value: &Value, depth: usize) -> Result<DType> {
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
        "long_double" => DType::LongDouble,
        "sequence" => DType::Sequence(Arc::new(inner("item")?)),
        "ascii_string" => DType::String(Charset::Ascii),
        "packed_struct" | "padded_struct" => {
            let fields = list("fields")?.iter().map(|field| {
                let name =
                    field.get(0).and_then(Value::as_str).ok_or_else(|| malformed("fields"))?;
                let dtype = field.get(1).ok_or_else(|| malformed("fields"))?;
                Ok((name.to_owned(), parse(dtype, depth + 1)?))
            });
            let mut dtype = StructType::packed(fields.collect::<Result<Vec<_>>>()?)?;
            if named.name == "padded_struct" {
                let offsets = list("fields")?.iter().map(|field| field.get(2)?.as_u64());
                dtype = padded(dtype, offsets, named.len_bytes()?)
                    .ok_or_else(|| malformed("fields"))?;
            }
            DType::Struct(Arc::new(dtype))
        }
        _ => return v3::parse(value),
    })
}

/// The same members at `offsets` in `size` bytes; `None` where they do not fit in.
fn padded(
    mut dtype: StructType,
    offsets: impl Iterator<Item = Option<u64>>,
    size: usize,
) -> Option<StructType> {
    for (field, offset) in dtype.fields.iter_mut().zip(offsets) {
        field.offset = usize::try_from(offset?).ok()?;
        field.offset.checked_add(field.dtype.item_size()).filter(|&end| end <= size)?;
    }
    dtype.size = size;
    Some(dtype)
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
        let texts = DType::Sequence(Arc::new(DType::string()));
        let with_text = [("t".to_owned(), DType::string()), ("s".to_owned(), texts)];
        let with_text = DType::Struct(Arc::new(StructType::packed(with_text).unwrap()));
        let field = |name: &str, offset| {
            let (name, dtype) = (name.to_owned(), DType::string());
            stook_core::dtype::Field { name, dtype, offset }
        };
        let fields = vec![field("a", 8), field("b", 32)];
        let padded = DType::Struct(Arc::new(StructType { fields, size: 64 }));
        let mut outside = print(&padded).unwrap();
        assert_eq!(parse(&outside, 0).unwrap(), padded);
        outside["configuration"]["length_bytes"] = json!(47);
        assert!(parse(&outside, 0).is_err());
        let ascii = DType::String(Charset::Ascii);
        for dtype in [dtype, DType::Reference, ascii, with_text, DType::LongDouble] {
            assert_eq!(parse(&print(&dtype).unwrap(), 0).unwrap(), dtype);
        }
    }

    #[test]
    fn what_does_not_fit_is_passed_over() {
        let doc =
            |dtype: Value| Object::from_iter([(EXTENSION.to_owned(), json!({"dtype": dtype}))]);
        let dtype_of = |doc: &Object, stored: &DType| dtype_of(doc, Format::ZarrV3, stored);
        let bits = json!({"name": "bitfield", "configuration": {"length_bytes": 2}});
        assert_eq!(dtype_of(&doc(bits.clone()), &DType::UInt16), Some(DType::Bitfield(2)));
        assert_eq!(dtype_of(&doc(bits), &DType::UInt32), None);
        let sequence = doc(json!({"name": "sequence", "configuration": {"item": "int8"}}));
        assert!(dtype_of(&sequence, &DType::Bytes).is_some());
        assert_eq!(dtype_of(&sequence, &DType::string()), None);
        for wrong in [json!(3), json!({"name": "array"}), json!({"name": "x"}), json!(null)] {
            assert_eq!(dtype_of(&doc(wrong), &DType::UInt16), None);
        }
    }
}
