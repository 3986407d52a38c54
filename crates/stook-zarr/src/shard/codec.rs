//! Shards between other codecs, as a codec that takes whole shards.

use std::sync::Arc;

use stook_core::codec::CustomCodec;
use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{
    Array, ArraySpec, Codec, CodecSpec, Engine, EngineConfig, Error, Limits, NodePath, OpenOptions,
    Result, Scratch, Selection, View, ViewMut,
};

use super::ShardLevel;
use super::index::Entry;
use crate::keys::ChunkKeys;
use crate::layout::ArrayLayout;
use crate::node::Nodes;
use crate::source::ArraySource;

/// A whole shard, all its chunks encoded or decoded together, as an array of its own in memory.
#[derive(Debug)]
pub(crate) struct ShardCodec {
    layout: ArrayLayout,
    limits: Limits,
    /// One thread: whole shards are decoded side by side. And private: a shard is written within
    /// the writing of a chunk.
    engine: Arc<Engine>,
}

impl ShardCodec {
    /// The codec of shards that have the shape of `spec`, whose grid is that of the chunks.
    pub(crate) fn new(mut spec: ArraySpec, shards: Vec<ShardLevel>, limits: &Limits) -> Self {
        spec.shards = Some(stook_core::ChunkGrid::whole(spec.shape()));
        let config = EngineConfig::default().threads(1).cache_len_bytes(0).private();
        let config = config.limits(limits.clone());
        Self {
            layout: ArrayLayout {
                format: stook_core::Format::ZarrV3,
                spec,
                keys: ChunkKeys::none(),
                shards,
            },
            limits: limits.clone(),
            engine: Engine::new(config),
        }
    }

    /// This codec as a step of an array.
    pub(crate) fn into_spec(self) -> CodecSpec {
        CodecSpec::Custom(CustomCodec(Arc::new(self)))
    }

    /// An array in memory, the key of its only shard, and the store that holds that.
    fn array(&self) -> Result<(Array, String, Arc<MemoryStore>)> {
        let store = Arc::new(MemoryStore::new());
        let mut options = OpenOptions::read_write();
        options.limits = self.limits.clone();
        let nodes = Nodes::new(Arc::<MemoryStore>::clone(&store), &options)?;
        let (root, mut key) = (NodePath::root(), String::new());
        self.layout.keys.write(&vec![0; self.layout.spec.shape().len()], &mut key);
        let source = ArraySource::new(Arc::new(nodes), root.clone(), self.layout.clone());
        let array = Array::new(Arc::new(source), "shard", root);
        Ok((array.with_engine(Arc::clone(&self.engine)), key, store))
    }

    fn raw_len(&self) -> Result<usize> {
        let spec = &self.layout.spec;
        stook_core::values::byte_len(spec.shape(), spec.dtype.item_size())
    }
}

impl Codec for ShardCodec {
    fn name(&self) -> &'static str {
        "sharding_indexed"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        let n: usize = self.layout.shards.iter().map(|level| level.index_len).product();
        raw_len.saturating_mul(2).saturating_add(n.saturating_mul(2)).saturating_add(64 << 10)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let (array, key, store) = self.array()?;
        let (spec, item) = (&self.layout.spec, self.layout.spec.dtype.item_size());
        array.write_from(&Selection::All, &View::new(raw, spec.shape(), item, &[])?)?;
        if !store.get(&key, out, self.limits.chunk_len_bytes)?
            && let Some(level) = self.layout.shards.first()
        {
            // Nothing but the fill value.
            out.extend_from_slice(&level.encode_index(&vec![Entry::MISSING; level.n]));
        }
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (array, key, store) = self.array()?;
        let (len, found) = (self.raw_len()?, out.len());
        let place = out.get_mut(..len).ok_or_else(|| {
            Error::corrupt(format!("expected a shard of {len} decoded bytes, found {found}"))
        })?;
        store.set(&key, encoded)?;
        let (spec, item) = (&self.layout.spec, self.layout.spec.dtype.item_size());
        let mut view = ViewMut::new(place, spec.shape(), item)?;
        array.read_into(&Selection::All, &mut view)?;
        Ok(len)
    }
}
