//! Codecs by the names and ids of Zarr: version 3's `codecs`, version 2's `filters` and
//! `compressor`.
//!
//! A codec that is not known becomes [`CodecSpec::Unknown`], so that its array can be opened and
//! shown; reading its data is an error that names it. A chain is followed from codec to codec,
//! for what one makes is what the next is set up for ([`after`]).

mod cast;
mod packbits;
mod sharding;
mod v2;
mod v3;

pub(crate) use sharding::{Sharding, parse as parse_sharding, print as print_shards};
pub(crate) use v2::{object_codec, parse as parse_v2, print as print_v2};
pub(crate) use v3::{Chain, print as print_v3};

use serde_json::Value;
use stook_core::codec::{BitOrder, Endian, MemberOrder, Stage, StoredNumber};
use stook_core::{CodecSpec, DType, Format, Result};

use crate::named::Named;

/// What `codec` makes of the items of `stage`.
pub(crate) fn after(codec: &CodecSpec, stage: &Stage) -> Stage {
    match codec {
        CodecSpec::Transpose { order } => {
            let shape = stage.shape.as_ref();
            let shape = shape.map(|shape| transposed(shape, order));
            Stage { shape, ..stage.clone() }
        }
        CodecSpec::ByteOrder(endian) => Stage { endian: *endian, ..stage.clone() },
        CodecSpec::Delta { encoded, .. }
        | CodecSpec::FixedScaleOffset { encoded, .. }
        | CodecSpec::Quantize { encoded, .. }
        | CodecSpec::AsType { encoded, .. }
        | CodecSpec::Categorize { encoded, .. } => stage.retyped(encoded),
        CodecSpec::BitRound { .. } | CodecSpec::ScaleOffset { .. } => stage.clone(),
        CodecSpec::CastValue(cast) => Stage { dtype: cast.dtype.clone(), ..stage.clone() },
        CodecSpec::Custom(custom) if custom.0.name() == MemberOrder::NAME => stage.clone(),
        _ => Stage::bytes(),
    }
}

/// `shape` with its axes in another order.
pub(crate) fn transposed(shape: &[u64], order: &[usize]) -> Vec<u64> {
    order.iter().filter_map(|&axis| shape.get(axis).copied()).collect()
}

/// One codec of items of `dtype` in the spelling of `format`.
///
/// # Errors
/// `Unsupported` for what that version cannot say.
pub(crate) fn print_one(codec: &CodecSpec, dtype: &DType, format: Format) -> Result<Value> {
    let stage = first_stage(dtype, None);
    match (format, codec) {
        (Format::ZarrV2, _) => v2::print_codec(codec, &stage),
        (_, CodecSpec::ByteOrder(endian)) => Ok(v3::print_bytes(dtype, *endian)),
        _ => v3::print_codec(codec, &stage),
    }
}

/// Whether `codec` makes bytes of items itself, so that no byte order is needed.
pub(crate) fn makes_bytes(codec: &CodecSpec) -> bool {
    match codec {
        CodecSpec::PackBits(bits) => bits.order == BitOrder::LowestFirst,
        CodecSpec::VlenUtf8
        | CodecSpec::VlenBytes
        | CodecSpec::VlenArray { .. }
        | CodecSpec::Json { .. }
        | CodecSpec::MessagePack { .. }
        | CodecSpec::Pcodec(_)
        | CodecSpec::Zfp(_) => true,
        _ => false,
    }
}

/// Whether `codec` is one of those that stand before the step to bytes in version 3.
pub(crate) fn is_array_step(codec: &CodecSpec) -> bool {
    codec.is_filter() && !makes_bytes(codec)
}

/// `codec` for numbers that are stored in another byte order.
pub(crate) fn reordered(codec: &CodecSpec, endian: Endian) -> CodecSpec {
    let number = |number: &StoredNumber| StoredNumber {
        dtype: number.dtype.clone(),
        endian: if number.dtype.has_byte_order() { endian } else { Endian::Little },
    };
    let mut codec = codec.clone();
    match &mut codec {
        CodecSpec::Delta { decoded, encoded }
        | CodecSpec::FixedScaleOffset { decoded, encoded, .. }
        | CodecSpec::Quantize { decoded, encoded, .. }
        | CodecSpec::AsType { decoded, encoded } => {
            (*decoded, *encoded) = (number(decoded), number(encoded));
        }
        CodecSpec::Categorize { encoded, .. } => *encoded = number(encoded),
        _ => {}
    }
    codec
}

/// Whether `codec` is of those that version 2 names as the compressor.
fn is_compressor(codec: &CodecSpec) -> bool {
    matches!(
        codec,
        CodecSpec::Gzip { .. }
            | CodecSpec::Zlib { .. }
            | CodecSpec::Zstd { .. }
            | CodecSpec::Blosc(_)
            | CodecSpec::Lz4 { .. }
            | CodecSpec::Bzip2 { .. }
            | CodecSpec::Lzma(_)
            | CodecSpec::Pcodec(_)
            | CodecSpec::Zfp(_)
    )
}

fn unknown(named: &Named<'_>) -> CodecSpec {
    CodecSpec::Unknown { name: named.name.to_owned(), configuration: named.configuration() }
}

/// Items of `dtype` in chunks of `shape`, as a chain begins with them.
pub(crate) fn first_stage(dtype: &DType, shape: Option<&[u64]>) -> Stage {
    Stage::new(dtype.clone(), shape.map(<[u64]>::to_vec))
}
