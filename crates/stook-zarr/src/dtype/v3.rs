//! Types of version 3: names, and names with a configuration.

use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::codec::Endian;
use stook_core::dtype::{Charset, Field, Narrow, Padding, StructType, TimeBase, TimeUnit};
use stook_core::{DType, Error, Result};

use super::{StoredType, is_packed};
use crate::json::{self, Object};
use crate::named::Named;

/// The deepest nesting of structs that is followed.
const MAX_DEPTH: usize = 32;

/// The names that are the same here and there.
const SIMPLE: [(&str, DType); 18] = [
    ("bool", DType::Bool),
    ("int8", DType::Int8),
    ("int16", DType::Int16),
    ("int32", DType::Int32),
    ("int64", DType::Int64),
    ("uint8", DType::UInt8),
    ("uint16", DType::UInt16),
    ("uint32", DType::UInt32),
    ("uint64", DType::UInt64),
    ("float16", DType::Float16),
    ("bfloat16", DType::BFloat16),
    ("float32", DType::Float32),
    ("float64", DType::Float64),
    ("complex64", DType::Complex64),
    ("complex128", DType::Complex128),
    ("string", DType::String(Charset::Utf8)),
    ("variable_length_bytes", DType::Bytes),
    ("bytes", DType::Bytes),
];

/// The type that `data_type` of a `zarr.json` describes.
///
/// # Errors
/// `Corrupt` where it is malformed, `Unsupported` where the type is not known.
pub(crate) fn parse(value: &Value) -> Result<DType> {
    parse_at(value, 0)
}

fn parse_at(value: &Value, depth: usize) -> Result<DType> {
    let named = Named::parse("data_type", value)?;
    let name = named.name;
    if let Some((_, dtype)) = SIMPLE.iter().find(|(known, _)| *known == name) {
        return Ok(dtype.clone());
    }
    if let Some((narrow, _)) = Narrow::NAMES.iter().find(|(_, known)| *known == name) {
        return Ok(DType::Narrow(*narrow));
    }
    match name {
        "null_terminated_bytes" | "fixed_length_bytes" => {
            Ok(DType::fixed_bytes(named.len_bytes()?))
        }
        "raw_bytes" => Ok(DType::opaque(named.len_bytes()?)),
        "fixed_length_utf32" => match named.len_bytes()? {
            len if len % 4 == 0 => Ok(DType::Unicode(len / 4)),
            len => Err(Error::corrupt(format!(
                "data type `{name}`: expected a multiple of 4 bytes, found {len}"
            ))),
        },
        "numpy.datetime64" => Ok(DType::DateTime(time_unit(&named)?)),
        "numpy.timedelta64" => Ok(DType::TimeDelta(time_unit(&named)?)),
        "structured" | "struct" if depth < MAX_DEPTH => struct_of(&named, depth),
        _ => raw_bits(name).ok_or_else(|| {
            Error::unsupported(format!("data type `{name}` is not supported in Zarr v3"))
        }),
    }
}

/// The type `r{bits}` of the specification.
fn raw_bits(name: &str) -> Option<DType> {
    let bits: usize = name.strip_prefix('r')?.parse().ok()?;
    (bits > 0 && bits.is_multiple_of(8)).then(|| DType::opaque(bits / 8))
}

fn time_unit(named: &Named<'_>) -> Result<TimeUnit> {
    let base = named.text("unit").unwrap_or("generic");
    let count = named.number("scale_factor")?.unwrap_or(1);
    let base = TimeBase::from_name(base).ok_or_else(|| named.malformed("unit", "a time unit"))?;
    let count = u32::try_from(count).ok().filter(|&count| count > 0);
    let count = count.ok_or_else(|| named.malformed("scale_factor", "a positive count"))?;
    Ok(TimeUnit { base, count })
}

fn struct_of(named: &Named<'_>, depth: usize) -> Result<DType> {
    let malformed = || named.malformed("fields", "a list of members");
    let members = named.get("fields").and_then(Value::as_array).ok_or_else(malformed)?;
    let fields = members.iter().map(|member| {
        let (name, dtype) = match member {
            Value::Array(pair) => (pair.first(), pair.get(1)),
            Value::Object(object) => (object.get("name"), object.get("data_type")),
            _ => (None, None),
        };
        match (name.and_then(Value::as_str), dtype) {
            (Some(name), Some(dtype)) => Ok((name.to_owned(), parse_at(dtype, depth + 1)?)),
            _ => Err(malformed()),
        }
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    if fields.is_empty() {
        return Err(malformed());
    }
    if let Some((name, _)) = fields.iter().find(|(_, dtype)| dtype.has_heap()) {
        return Err(Error::unsupported(format!(
            "member `{name}`: structs with members of variable length are not supported"
        )));
    }
    StructType::packed(fields).map(|r#struct| DType::Struct(Arc::new(r#struct)))
}

/// `dtype` in the spelling of version 3.
///
/// # Errors
/// `Unsupported` where version 3 has no such type.
pub(crate) fn print(dtype: &DType) -> Result<Value> {
    if let Some((name, _)) = SIMPLE.iter().find(|(_, known)| known == dtype) {
        return Ok(Value::from(*name));
    }
    let sized = |name: &str, len_bytes: usize| {
        Ok(json!({"name": name, "configuration": {"length_bytes": len_bytes}}))
    };
    let time = |name: &str, unit: TimeUnit| {
        let configuration = json!({"unit": unit.base.name(), "scale_factor": unit.count});
        Ok(json!({"name": name, "configuration": configuration}))
    };
    match dtype {
        DType::Narrow(narrow) => Ok(Value::from(narrow.name())),
        DType::FixedString(string)
            if string.charset == Charset::Ascii && string.padding == Padding::Null =>
        {
            sized("null_terminated_bytes", string.len_bytes)
        }
        DType::Unicode(_) => sized("fixed_length_utf32", dtype.item_size()),
        DType::Opaque(opaque) if opaque.tag.is_empty() => sized("raw_bytes", opaque.size),
        DType::DateTime(unit) => time("numpy.datetime64", *unit),
        DType::TimeDelta(unit) => time("numpy.timedelta64", *unit),
        DType::Struct(r#struct) if is_packed(&r#struct.fields, r#struct.size) => {
            let fields = r#struct.fields.iter().map(print_member);
            let fields = fields.collect::<Result<Vec<_>>>()?;
            Ok(json!({"name": "structured", "configuration": {"fields": fields}}))
        }
        other => Err(Error::unsupported(format!("Zarr v3 has no data type for {other}"))),
    }
}

fn print_member(field: &Field) -> Result<Value> {
    if field.dtype.has_heap() {
        return Err(Error::unsupported(format!(
            "member `{}`: Zarr has no structs with members of variable length",
            field.name
        )));
    }
    Ok(json!([field.name, print(&field.dtype)?]))
}

/// `dtype` as it is stored: little-endian unless a codec says otherwise.
pub(crate) fn stored(dtype: DType) -> StoredType {
    StoredType::simple(dtype, Endian::Little)
}

/// The members of a `struct` fill value that is given as an object.
pub(crate) fn fill_members<'a>(value: &'a Object, field: &Field) -> Result<&'a Value> {
    value.get(&field.name).ok_or_else(|| {
        let found = json::kind(&Value::Null);
        Error::corrupt(format!("`fill_value`: member `{}` is {found}", field.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_round_trip() {
        let values = [
            json!("bool"),
            json!("uint64"),
            json!("bfloat16"),
            json!("complex128"),
            json!("string"),
            json!("variable_length_bytes"),
            json!("int4"),
            json!("float8_e4m3"),
            json!({"name": "null_terminated_bytes", "configuration": {"length_bytes": 3}}),
            json!({"name": "fixed_length_utf32", "configuration": {"length_bytes": 16}}),
            json!({"name": "raw_bytes", "configuration": {"length_bytes": 5}}),
            json!({"name": "numpy.datetime64", "configuration": {"unit": "ms", "scale_factor": 10}}),
            json!({"name": "structured", "configuration": {"fields": [["a", "int32"],
                ["s", {"name": "null_terminated_bytes", "configuration": {"length_bytes": 3}}]]}}),
        ];
        for value in values {
            assert_eq!(print(&parse(&value).unwrap()).unwrap(), value);
        }
        assert_eq!(parse(&json!("r16")).unwrap(), DType::opaque(2));
        let newer = json!({"name": "struct", "configuration":
            {"fields": [{"name": "a", "data_type": "int8"}]}});
        assert_eq!(parse(&newer).unwrap().item_size(), 1);
    }

    #[test]
    fn what_is_no_type_is_refused() {
        let values = [
            json!("float33"),
            json!(null),
            json!("r7"),
            json!("r0"),
            json!("rx"),
            json!({}),
            json!({"name": "raw_bytes"}),
            json!({"name": "raw_bytes", "configuration": {"length_bytes": -1}}),
            json!({"name": "fixed_length_utf32", "configuration": {"length_bytes": 5}}),
            json!({"name": "numpy.datetime64", "configuration": {"unit": "x"}}),
            json!({"name": "structured", "configuration": {"fields": []}}),
            json!({"name": "structured", "configuration": {"fields": [["a", "string"]]}}),
        ];
        for value in values {
            assert!(parse(&value).is_err(), "{value}");
        }
    }
}
