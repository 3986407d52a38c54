//! Version 2: `order`, the byte order in the dtype, `filters`, then `compressor`.

use serde_json::Value;
use stook_core::codec::Endian;
use stook_core::{CodecSpec, DType, Error, Result};

use super::{after, first_stage, is_array_step, is_compressor, reordered, unknown};
use crate::dtype::StoredType;
use crate::json::Object;
use crate::named::Named;
use crate::numcodecs;

/// Codecs that turn objects into bytes.
const OBJECT_CODECS: [&str; 7] =
    ["vlen-utf8", "vlen-bytes", "vlen-array", "json2", "msgpack2", "pickle", "categorize"];

fn filters(doc: &Object) -> &[Value] {
    doc.get("filters").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The filter (or compressor) that encodes objects, with its id.
pub(crate) fn object_codec(doc: &Object) -> Option<(&str, &Value)> {
    let codecs = filters(doc).iter().chain(doc.get("compressor"));
    codecs
        .filter_map(|codec| Some((codec.get("id")?.as_str()?, codec)))
        .find(|(id, _)| OBJECT_CODECS.contains(id))
}

/// The codecs of a `.zarray` with chunks of `shape`, first applied first.
///
/// # Errors
/// `Corrupt` where one is malformed.
pub(crate) fn parse(doc: &Object, stored: &StoredType, shape: &[u64]) -> Result<Vec<CodecSpec>> {
    let (mut codecs, rank) = (Vec::new(), shape.len());
    match doc.get("order").and_then(Value::as_str) {
        Some("F") if rank > 1 => {
            codecs.push(CodecSpec::Transpose { order: (0..rank).rev().collect() })
        }
        Some("C" | "F") | None => {}
        Some(other) => {
            return Err(Error::corrupt(format!("`order`: expected C or F, found `{other}`")));
        }
    }
    codecs.extend(stored.codecs());
    let mut stage = first_stage(&stored.dtype, Some(shape));
    for codec in &codecs {
        stage = after(codec, &stage);
    }
    let compressor = doc.get("compressor").filter(|value| !value.is_null());
    for codec in filters(doc).iter().chain(compressor) {
        let named = Named::parse_v2(codec)?;
        let codec = numcodecs::parse_named(&named, &stage)?.unwrap_or_else(|| unknown(&named));
        stage = after(&codec, &stage);
        codecs.push(codec);
    }
    if stored.dtype.has_heap() && object_codec(doc).is_none() {
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

/// `codecs`, for items of `dtype` in `rank` axes, in the spelling of version 2.
///
/// # Errors
/// `Unsupported` for what version 2 cannot say.
pub(crate) fn print(codecs: &[CodecSpec], dtype: &DType, rank: usize) -> Result<CodecsV2> {
    let mut order = "C";
    let endian = codecs.iter().find_map(|codec| match codec {
        CodecSpec::ByteOrder(endian) => Some(*endian),
        _ => None,
    });
    let endian = endian.unwrap_or(Endian::Little);
    let mut stage = first_stage(dtype, None);
    stage.endian = endian;
    let (mut filters, mut is_stored) = (Vec::new(), false);
    for codec in codecs {
        match codec {
            CodecSpec::Transpose { order } if order.iter().copied().eq(0..rank) => {}
            CodecSpec::Transpose { order: axes }
                if filters.is_empty() && axes.iter().copied().eq((0..rank).rev()) =>
            {
                order = "F";
            }
            CodecSpec::Transpose { order } => {
                return Err(Error::unsupported(format!("Zarr v2 has no axis order {order:?}")));
            }
            CodecSpec::ByteOrder(_) => is_stored = true,
            other => {
                // Items are in the order of the file before the first filter.
                let is_before = !is_stored && is_array_step(other);
                let codec = if is_before { &reordered(other, endian) } else { other };
                filters.push(print_codec(codec, &stage)?);
                stage = after(codec, &stage);
            }
        }
    }
    let compressor = if codecs.last().is_some_and(is_compressor) { filters.pop() } else { None };
    Ok(CodecsV2 {
        order,
        endian,
        filters: if filters.is_empty() { Value::Null } else { Value::Array(filters) },
        compressor: compressor.unwrap_or(Value::Null),
    })
}

pub(super) fn print_codec(codec: &CodecSpec, stage: &stook_core::codec::Stage) -> Result<Value> {
    let (id, mut settings) = numcodecs::settings(codec, stage)
        .ok_or_else(|| Error::unsupported(format!("Zarr v2 has no codec `{}`", codec.name())))?;
    // As zarr-python has it, for readers that do not know the setting.
    if id == "zstd" && settings.get("checksum") == Some(&Value::Bool(false)) {
        settings.shift_remove("checksum");
    }
    Ok(numcodecs::with_id(id, settings))
}
