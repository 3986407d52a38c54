//! What of an array a numpy file can hold.

use std::sync::Arc;

use stook_core::codec::MemberOrder;
use stook_core::dtype::{ArrayType, Charset, Field, FixedString, Padding, StructType};
use stook_core::{
    Adapted, ArraySpec, ChunkGrid, CodecSpec, DType, Error, Extent, Format, Loss, Result, Values,
};

use crate::descr::describe;
use crate::objects::is_object;

/// The nearest array to `spec` that a numpy file can hold; its items have the same bytes.
pub(crate) fn adapt(format: Format, spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
    let mut losses = Vec::new();
    let dtype = adapt_dtype(&spec.dtype, &mut losses)?;
    let mut shape = spec.shape().to_vec();
    if spec.extent == Extent::Null {
        losses.push(Loss::new("null extent", "stored with shape [0]"));
        shape = vec![0];
    }
    let mut value = ArraySpec::new(dtype, shape);
    value.contiguous = !is_object(&value.dtype);
    if !is_object(&value.dtype) {
        describe(&value.dtype, stook_core::codec::Endian::Little)
            .map_err(|error| Error::unsupported(format!("{format}: {}", error.message())))?;
    }
    for codec in &spec.codecs {
        match codec {
            CodecSpec::ByteOrder(_)
            | CodecSpec::Transpose { .. }
            | CodecSpec::VlenUtf8
            | CodecSpec::VlenBytes
            | CodecSpec::VlenArray { .. }
                if !value.contiguous => {}
            CodecSpec::ByteOrder(_) if !value.dtype.has_byte_order() => {}
            CodecSpec::ByteOrder(_) => value.codecs.push(codec.clone()),
            // Another order of the axes is no loss: the items are the same.
            CodecSpec::Transpose { order } if is_reversed(order) => {
                value.codecs.push(codec.clone());
            }
            CodecSpec::Transpose { .. } => {}
            CodecSpec::Custom(codec) if codec.0.name() == MemberOrder::NAME => {}
            _ => losses.push(Loss::new(format!("codec {}", codec.name()), "stored as it is")),
        }
    }
    if spec.grid.counts(spec.shape()).iter().any(|&n| n > 1) || spec.shards.is_some() {
        let what = match spec.grid.regular_shape() {
            Some(shape) => format!("chunks of shape {shape:?}"),
            None => "chunks".to_owned(),
        };
        losses.push(Loss::new(what, "stored in one piece"));
    }
    if spec.fill_value.as_ref().is_some_and(|fill| !is_zero(fill)) {
        losses.push(Loss::new("fill value", "not stored"));
    }
    if spec.dimension_names.as_ref().is_some_and(|names| names.iter().any(Option::is_some)) {
        losses.push(Loss::new("dimension names", "not stored"));
    }
    value.grid = ChunkGrid::whole(value.shape());
    Ok(Adapted { value, losses })
}

/// The same as [`adapt`], where nothing may be lost.
pub(crate) fn exact(format: Format, spec: &ArraySpec) -> Result<ArraySpec> {
    let adapted = adapt(format, spec)?;
    match adapted.losses.first() {
        None => Ok(adapted.value),
        Some(loss) => Err(Error::unsupported(format!("{format} cannot hold this: {}", loss.what))),
    }
}

fn is_reversed(order: &[usize]) -> bool {
    order.iter().rev().copied().eq(0..order.len())
}

/// Whether a fill value is what an array that was never written holds anyway.
fn is_zero(fill: &Values) -> bool {
    fill.items().iter().all(|&byte| byte == 0)
}

fn adapt_dtype(dtype: &DType, losses: &mut Vec<Loss>) -> Result<DType> {
    Ok(match dtype {
        DType::Enum(r#enum) => {
            losses.push(Loss::new("enum names", format!("stored as {}", r#enum.base)));
            adapt_dtype(&r#enum.base, losses)?
        }
        DType::Bitfield(size) => {
            let plain = match size {
                1 => DType::UInt8,
                2 => DType::UInt16,
                4 => DType::UInt32,
                8 => DType::UInt64,
                _ => DType::opaque(*size),
            };
            losses.push(Loss::new(dtype.to_string(), format!("stored as {plain}")));
            plain
        }
        DType::Opaque(opaque) if !opaque.tag.is_empty() => {
            losses.push(Loss::new(format!("tag `{}`", opaque.tag), "not stored"));
            DType::opaque(opaque.size)
        }
        DType::FixedString(string) => {
            let plain = DType::fixed_bytes(string.len_bytes);
            let is_plain = matches!(
                string,
                FixedString { charset: Charset::Ascii, padding: Padding::Null, .. }
            );
            if !is_plain {
                losses.push(Loss::new(dtype.to_string(), format!("stored as {plain}")));
            }
            plain
        }
        DType::Struct(r#struct) => {
            let fields = r#struct.fields.iter().map(|field| {
                let dtype = adapt_dtype(&field.dtype, losses)?;
                Ok(Field { name: field.name.clone(), dtype, offset: field.offset })
            });
            let fields = fields.collect::<Result<_>>()?;
            DType::Struct(Arc::new(StructType { fields, size: r#struct.size }))
        }
        DType::Array(array) => {
            let item = adapt_dtype(&array.item, losses)?;
            DType::Array(Arc::new(ArrayType { item, shape: array.shape.clone() }))
        }
        DType::String(Charset::Ascii) => {
            losses.push(Loss::new(dtype.to_string(), "stored as objects of type str"));
            DType::string()
        }
        _ => dtype.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::ErrorKind;

    fn losses(spec: &ArraySpec) -> Vec<String> {
        let adapted = adapt(Format::Npy, spec).unwrap();
        adapted.losses.into_iter().map(|loss| loss.what).collect()
    }

    #[test]
    fn what_numpy_files_lack_is_named() {
        let mut spec = ArraySpec::new(DType::Float32, [4, 4]);
        assert!(losses(&spec).is_empty());
        spec.codecs = vec![
            CodecSpec::Transpose { order: vec![1, 0] },
            CodecSpec::ByteOrder(stook_core::codec::Endian::Big),
            CodecSpec::Zlib { level: 1 },
        ];
        spec.grid = ChunkGrid::regular([2, 4]).unwrap();
        spec.dimension_names = Some(vec![None, Some("x".to_owned())]);
        spec.fill_value =
            Some(Values::new(DType::Float32, vec![], vec![0, 0, 128, 63], vec![]).unwrap());
        let expected = ["codec zlib", "chunks of shape [2, 4]", "fill value", "dimension names"];
        assert_eq!(losses(&spec), expected);
        assert_eq!(adapt(Format::Npy, &spec).unwrap().value.codecs, spec.codecs[..2]);
        assert_eq!(exact(Format::Npy, &spec).unwrap_err().kind(), ErrorKind::Unsupported);
        let bitfield = ArraySpec::new(DType::Bitfield(2), [1]);
        assert_eq!(adapt(Format::Npy, &bitfield).unwrap().value.dtype, DType::UInt16);
    }

    #[test]
    fn dtypes_that_numpy_lacks_are_unsupported() {
        let nested = ArrayType { item: DType::Int8, shape: vec![2] };
        for dtype in [DType::Reference, DType::BFloat16, DType::Array(nested.into())] {
            let error = adapt(Format::Npz, &ArraySpec::new(dtype, [1])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
}
