//! Types of other formats as Zarr can hold them.

use std::sync::Arc;

use stook_core::dtype::{Charset, Field, Narrow, OpaqueType, Padding, StructType};
use stook_core::{DType, Format, Loss, Result};

use crate::dtype::full;

/// The nearest type to `dtype` that version `format` has, named `what` in losses; an item of it
/// has the same bytes, but for padding in structs, which goes.
///
/// # Errors
/// `Unsupported` where there is none.
pub(super) fn adapt(
    what: &str,
    dtype: &DType,
    format: Format,
    losses: &mut Vec<Loss>,
) -> Result<DType> {
    let adapted = match dtype {
        _ if full::is_packed(dtype) => DType::Bytes,
        DType::Enum(r#enum) => r#enum.base.clone(),
        DType::Bitfield(1) => DType::UInt8,
        DType::Bitfield(2) => DType::UInt16,
        DType::Bitfield(4) => DType::UInt32,
        DType::Bitfield(8) => DType::UInt64,
        DType::Bitfield(_) | DType::LongDouble | DType::Array(_) => {
            DType::opaque(dtype.item_size())
        }
        DType::Reference => DType::string(),
        DType::String(Charset::Ascii) => return Ok(DType::string()), // ASCII is UTF-8
        DType::FixedString(string) => DType::fixed_bytes(string.len_bytes),
        DType::Opaque(opaque) => {
            DType::Opaque(Arc::new(OpaqueType { size: opaque.size, tag: String::new() }))
        }
        DType::Narrow(Narrow::Int2 | Narrow::Int4) if format == Format::ZarrV2 => DType::Int8,
        DType::Narrow(Narrow::UInt2 | Narrow::UInt4) if format == Format::ZarrV2 => DType::UInt8,
        DType::Struct(r#struct) => return adapt_struct(what, r#struct, format, losses),
        DType::BFloat16 if format == Format::ZarrV2 => DType::UInt16,
        DType::Narrow(_) if format == Format::ZarrV2 => DType::UInt8,
        other => other.clone(),
    };
    if adapted != *dtype {
        losses.push(Loss::new(format!("{what} {dtype}"), becomes(dtype, &adapted)));
    }
    Ok(adapted)
}

fn becomes(dtype: &DType, adapted: &DType) -> String {
    match dtype {
        DType::Enum(_) => format!("{adapted} without names"),
        DType::Reference => "the path as text".to_owned(),
        _ if full::is_packed(dtype) => "the bytes of an item, of variable length".to_owned(),
        DType::FixedString(string) if string.padding == Padding::Space => {
            format!("{adapted} with its spaces")
        }
        _ => adapted.to_string(),
    }
}

fn adapt_struct(
    what: &str,
    r#struct: &StructType,
    format: Format,
    losses: &mut Vec<Loss>,
) -> Result<DType> {
    let members = r#struct.fields.iter().map(|field| {
        let what = format!("{what} member {}", field.name);
        Ok((field.name.clone(), adapt_member(&what, field, format, losses)?))
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    let unpadded: usize = r#struct.fields.iter().map(|field| field.dtype.item_size()).sum();
    if unpadded != r#struct.size {
        let n = r#struct.size.saturating_sub(unpadded);
        losses.push(Loss::new(format!("{what}: {n} bytes of padding an item"), "nothing"));
    }
    let packed = StructType::packed(members)?;
    Ok(DType::Struct(Arc::new(packed)))
}

fn adapt_member(
    what: &str,
    field: &Field,
    format: Format,
    losses: &mut Vec<Loss>,
) -> Result<DType> {
    match &field.dtype {
        DType::Array(array) if format == Format::ZarrV2 => {
            let item = adapt(what, &array.item, format, losses)?;
            let shape = array.shape.clone();
            Ok(DType::Array(Arc::new(stook_core::dtype::ArrayType { item, shape })))
        }
        DType::Array(_) => {
            let raw = DType::opaque(field.dtype.item_size());
            losses.push(Loss::new(format!("{what} {}", field.dtype), format!("raw bytes {raw}")));
            Ok(raw)
        }
        dtype => adapt(what, dtype, format, losses),
    }
}

/// Appends the bytes of `item`, of type `dtype`, without the padding in its structs.
pub(super) fn repack(dtype: &DType, item: &[u8], out: &mut Vec<u8>) {
    match dtype {
        DType::Struct(r#struct) => {
            for field in &r#struct.fields {
                let end = field.offset + field.dtype.item_size();
                repack(&field.dtype, item.get(field.offset..end).unwrap_or_default(), out);
            }
        }
        DType::Array(array) => {
            let size = array.item.item_size().max(1);
            item.chunks_exact(size).for_each(|part| repack(&array.item, part, out));
        }
        _ => out.extend_from_slice(item),
    }
}
