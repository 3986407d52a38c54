//! Shards between other codecs, as a codec that takes whole shards.

use std::sync::Arc;

use stook_core::codec::CustomCodec;
use stook_core::{ArraySpec, Codec, CodecSpec, Error, Limits, Result, Scratch};

use super::ShardLevel;

/// A whole shard, all its chunks encoded or decoded together.
#[derive(Debug)]
pub(crate) struct ShardCodec {
    spec: ArraySpec,
    levels: Vec<ShardLevel>,
    limits: Limits,
}

impl ShardCodec {
    /// The codec of shards that have the shape of `spec`, whose grid is that of the chunks.
    pub(crate) fn new(spec: ArraySpec, levels: Vec<ShardLevel>, limits: &Limits) -> Self {
        Self { spec, levels, limits: limits.clone() }
    }

    /// This codec as a step of an array.
    pub(crate) fn into_spec(self) -> CodecSpec {
        CodecSpec::Custom(CustomCodec(Arc::new(self)))
    }
}

impl Codec for ShardCodec {
    fn name(&self) -> &'static str {
        "sharding_indexed"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        let indices: usize = self.levels.iter().map(|level| level.index_len).sum();
        raw_len.saturating_mul(2).saturating_add(indices.saturating_mul(2)).saturating_add(64 << 10)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let _ = (raw, out, &self.spec, &self.limits);
        Err(Error::unsupported("shards between other codecs"))
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let _ = (encoded, out);
        Err(Error::unsupported("shards between other codecs"))
    }
}
