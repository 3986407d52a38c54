//! Codecs that know the items they are given: filters of numbers, compressors of numbers, and
//! codecs of objects.
//!
//! [`build`] says which of them a [`CodecSpec`] means, and what it gives to the next codec.

mod as_type;
mod bit_round;
mod bits;
mod cast_value;
mod categorize;
mod delta;
mod elements;
mod fixed_scale_offset;
mod json_items;
mod message_pack;
mod nbit;
mod number;
mod objects;
mod pack_bits;
mod pcodec;
mod quantize;
mod scale_offset;
mod scale_offset_hdf5;
mod small_float;
mod zfp;

pub use zfp::zfp_hdf5_values;

use std::sync::Arc;

use self::json_items::Json;
use self::message_pack::MessagePack;
use super::vlen::Vlen;
use super::{Codec, CodecSpec, Stage, Step, StoredNumber};
use crate::error::Result;

/// The step that `spec` describes and the stage behind it; `None` for a codec of
/// bytes.
pub(super) fn build(spec: &CodecSpec, stage: &Stage) -> Result<Option<(Step, Stage)>> {
    Ok(Some(match spec {
        CodecSpec::Delta { decoded, encoded } => {
            numbers(delta::new(decoded, encoded)?, stage, encoded)
        }
        CodecSpec::FixedScaleOffset { offset, scale, decoded, encoded } => {
            let codec = fixed_scale_offset::new(offset, scale, decoded, encoded)?;
            numbers(codec, stage, encoded)
        }
        CodecSpec::Quantize { digits, decoded, encoded } => {
            numbers(quantize::new(*digits, decoded, encoded)?, stage, encoded)
        }
        CodecSpec::AsType { decoded, encoded } => {
            numbers(as_type::new(decoded, encoded)?, stage, encoded)
        }
        CodecSpec::CastValue(config) => {
            let codec = cast_value::new(config, stage)?;
            let after = Stage::new(config.dtype.clone(), stage.shape.clone());
            (Step::Codec(codec), after)
        }
        CodecSpec::ScaleOffset { offset, scale } => {
            let codec = scale_offset::new(offset.as_ref(), scale.as_ref(), stage)?;
            (Step::Codec(codec), stage.clone())
        }
        CodecSpec::BitRound { keep_bits } => {
            (Step::Codec(bit_round::new(*keep_bits, stage)?), stage.clone())
        }
        CodecSpec::Categorize { labels, encoded } => {
            (categorize::new(labels, encoded, stage)?, stage.retyped(encoded))
        }
        CodecSpec::Json { configuration } => {
            (objects::new(Box::new(Json::new(configuration)?), stage)?, Stage::bytes())
        }
        CodecSpec::MessagePack { configuration } => {
            (objects::new(Box::new(MessagePack::new(configuration)), stage)?, Stage::bytes())
        }
        CodecSpec::VlenArray { item } => {
            let codec = Vlen::Array(item.clone());
            codec.check(&stage.dtype)?;
            (Step::Heap(Arc::new(codec)), Stage::bytes())
        }
        CodecSpec::PackBits(config) => bytes(pack_bits::new(config, stage)?),
        CodecSpec::Pcodec(config) => bytes(pcodec::new(config, stage)?),
        CodecSpec::Zfp(config) => bytes(zfp::new(config, stage)?),
        CodecSpec::NBit { values } => bytes(nbit::new(values)?),
        CodecSpec::ScaleOffsetHdf5 { values } => bytes(scale_offset_hdf5::new(values)?),
        CodecSpec::ZfpHdf5 { values } => bytes(zfp::new_hdf5(values)?),
        _ => return Ok(None),
    }))
}

fn bytes(codec: Arc<dyn Codec>) -> (Step, Stage) {
    (Step::Codec(codec), Stage::bytes())
}

fn numbers(codec: Arc<dyn Codec>, stage: &Stage, encoded: &StoredNumber) -> (Step, Stage) {
    (Step::Codec(codec), stage.retyped(encoded))
}
