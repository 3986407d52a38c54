//! Version 2: `order`, the byte order in the dtype, `filters`, then `compressor`.

use serde_json::{Value, json};
use stook_core::codec::Endian;
use stook_core::{CodecSpec, Error, Result};

use super::{is_compressor, parse_numcodecs, print_numcodecs, unknown};
use crate::dtype::StoredType;
use crate::json::Object;
use crate::named::Named;

/// Codecs that turn objects into bytes.
const OBJECT_CODECS: [&str; 7] =
    ["vlen-utf8", "vlen-bytes", "vlen-array", "json2", "msgpack2", "pickle", "categorize"];

fn filters(doc: &Object) -> &[Value] {
    doc.get("filters").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id of the filter (or compressor) that encodes objects.
pub(crate) fn object_codec(doc: &Object) -> Option<&str> {
    let codecs = filters(doc).iter().chain(doc.get("compressor"));
    codecs
        .filter_map(|codec| codec.get("id").and_then(Value::as_str))
        .find(|id| OBJECT_CODECS.contains(id))
}

/// The codecs of a `.zarray`, first applied first.
///
/// # Errors
/// `Corrupt` where one is malformed.
pub(crate) fn parse(doc: &Object, stored: &StoredType, rank: usize) -> Result<Vec<CodecSpec>> {
    let mut codecs = Vec::new();
    match doc.get("order").and_then(Value::as_str) {
        Some("F") if rank > 1 => {
            codecs.push(CodecSpec::Transpose { order: (0..rank).rev().collect() })
        }
        Some("C" | "F") | None => {}
        Some(other) => {
            return Err(Error::corrupt(format!("`order`: expected C or F, found `{other}`")));
        }
    }
    let has_object_codec = object_codec(doc).is_some();
    codecs.extend(stored.codecs());
    let compressor = doc.get("compressor").filter(|value| !value.is_null());
    for codec in filters(doc).iter().chain(compressor) {
        let named = Named::parse_v2(codec)?;
        let item_size = if has_object_codec { 1 } else { stored.dtype.item_size() };
        codecs.push(parse_numcodecs(&named, item_size)?.unwrap_or_else(|| unknown(&named)));
    }
    if stored.dtype.has_heap() && !has_object_codec {
        return Err(Error::corrupt("`filters`: expected a codec for objects, found none"));
    }
    Ok(codecs)
}

/// An array's codecs as version 2 has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodecsV2 {
    /// `C` or `F`.
    pub(crate) order: &'static str,
    /// The byte order for the dtype.
    pub(crate) endian: Endian,
    /// `filters`.
    pub(crate) filters: Value,
    /// `compressor`.
    pub(crate) compressor: Value,
}

/// `codecs` in the spelling of version 2.
///
/// # Errors
/// `Unsupported` for what version 2 cannot say.
pub(crate) fn print(codecs: &[CodecSpec], rank: usize) -> Result<CodecsV2> {
    let mut out = CodecsV2 {
        order: "C",
        endian: Endian::Little,
        filters: Value::Null,
        compressor: Value::Null,
    };
    let mut filters = Vec::new();
    for codec in codecs {
        match codec {
            CodecSpec::Transpose { order } if order.iter().copied().eq(0..rank) => {}
            CodecSpec::Transpose { order } if order.iter().copied().eq((0..rank).rev()) => {
                out.order = "F";
            }
            CodecSpec::Transpose { order } => {
                return Err(Error::unsupported(format!("Zarr v2 has no axis order {order:?}")));
            }
            CodecSpec::ByteOrder(endian) => out.endian = *endian,
            other => {
                let (id, settings) = print_numcodecs(other).ok_or_else(|| {
                    Error::unsupported(format!("Zarr v2 has no codec `{}`", other.name()))
                })?;
                let mut codec = json!({"id": id});
                if let (Some(codec), Value::Object(settings)) = (codec.as_object_mut(), settings) {
                    codec.extend(settings);
                }
                filters.push(codec);
            }
        }
    }
    if codecs.last().is_some_and(is_compressor) {
        out.compressor = filters.pop().unwrap_or(Value::Null);
    }
    if !filters.is_empty() {
        out.filters = Value::Array(filters);
    }
    Ok(out)
}
