//! The engine: moves any selection of any array between its stored chunks and memory.
//!
//! The way of a read: selection → plan (which part of which chunk goes where) → batches of
//! chunks from the [`ChunkSource`](crate::ChunkSource), on a few threads → decode straight into
//! the destination where the chunk is contiguous there, else into a thread's buffer and from
//! there by the copy kernel. A write goes the other way, a write unit (chunk or shard) at a
//! time, under a lock on that unit where part of it must be read first.
//!
//! Invariants: nothing is allocated per chunk once the buffers have grown; no lock is held while
//! another is taken; threads end with the call.

mod blocks;
mod buffer_codec;
mod cache;
pub(crate) mod copy;
pub mod gate;
mod in_place;
mod locks;
mod parallel;
mod pipeline;
mod read;
mod transfer;
mod view;
mod work;
mod write;

use std::sync::{Arc, LazyLock};

pub use buffer_codec::{Borrowed, BufferCodec};
pub use parallel::for_each;
pub use pipeline::Pipeline;
pub use view::{View, ViewMut};

pub(crate) use read::{Io, Target};

use crate::limits::Limits;
use cache::ChunkCache;

/// Settings of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Threads that one read or write may use; 0 takes what the machine has.
    pub threads: usize,
    /// Bytes that one read or write may hold beside its result, across its threads, where its
    /// chunks are not larger than that (default 256 MiB).
    pub memory_len_bytes: usize,
    /// Bytes of decoded chunks kept for later partial reads; 0 keeps none (default 64 MiB).
    pub cache_len_bytes: usize,
    /// What a file may ask for.
    pub limits: Limits,
    /// Whether nobody but the caller sees its arrays: they are written without locks, and so may
    /// be within the writing of another (default `false`).
    pub is_private: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            memory_len_bytes: 256 << 20,
            cache_len_bytes: 64 << 20,
            limits: Limits::default(),
            is_private: false,
        }
    }
}

impl EngineConfig {
    /// With so many threads; 0 takes what the machine has.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// With so many bytes beside the result.
    #[must_use]
    pub fn memory_len_bytes(mut self, len: usize) -> Self {
        self.memory_len_bytes = len;
        self
    }

    /// With so many bytes of decoded chunks kept.
    #[must_use]
    pub fn cache_len_bytes(mut self, len: usize) -> Self {
        self.cache_len_bytes = len;
        self
    }

    /// With these limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// For arrays that nobody but the caller sees.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.is_private = true;
        self
    }
}

/// Settings and the cache of decoded chunks, shared by the arrays opened with it.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    threads: usize,
    cache: ChunkCache,
}

impl Engine {
    /// An engine with settings of its own.
    #[must_use]
    pub fn new(config: EngineConfig) -> Arc<Self> {
        let available = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if config.threads == 0 { available() } else { config.threads };
        let cache = ChunkCache::new(config.cache_len_bytes);
        Arc::new(Self { config, threads, cache })
    }

    /// The engine of arrays that are not given another.
    #[must_use]
    pub fn global() -> Arc<Self> {
        static GLOBAL: LazyLock<Arc<Engine>> =
            LazyLock::new(|| Engine::new(EngineConfig::default()));
        Arc::clone(&GLOBAL)
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// How many threads are worth it for `len_bytes` of data in `n` pieces.
    fn threads_for(&self, n: usize, len_bytes: usize) -> usize {
        const WORTH_A_THREAD: usize = 128 << 10;
        self.threads.min(n).min(len_bytes / WORTH_A_THREAD + 1)
    }
}
