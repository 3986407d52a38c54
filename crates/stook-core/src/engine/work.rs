//! Buffers and contexts of one thread at work, kept between calls.

use std::sync::{Mutex, PoisonError};

use crate::codec::Scratch;

/// What a thread needs to decode and encode chunks.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) scratch: Scratch,
    /// A decoded chunk.
    pub(crate) chunk: Buffer,
    /// Intermediate results of the pipeline.
    pub(crate) ping: Buffer,
    pub(crate) pong: Buffer,
    /// An encoded chunk.
    pub(crate) encoded: Vec<u8>,
    /// Payload of the heap items of a chunk.
    pub(crate) heap: Vec<u8>,
    /// Indices of a batch of chunks.
    pub(crate) indices: Vec<u64>,
}

/// Bytes that are reused without being cleared.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// The first `len` bytes, whatever they held before.
    pub(crate) fn get(&mut self, len: usize) -> &mut [u8] {
        if self.0.len() < len {
            self.0.resize(len, 0);
        }
        &mut self.0[..len]
    }

    /// The first `len` bytes that were filled.
    pub(crate) fn filled(&self, len: usize) -> &[u8] {
        self.0.get(..len).unwrap_or_default()
    }

    fn trim(&mut self) {
        if self.0.capacity() > KEPT_LEN_BYTES {
            self.0 = Vec::new();
        }
    }
}

/// Larger buffers are not kept between calls.
const KEPT_LEN_BYTES: usize = 32 << 20;
/// More sets of buffers are not kept between calls.
const KEPT: usize = 64;

#[expect(clippy::vec_box, reason = "a loan moves one pointer, not some hundred bytes")]
static IDLE: Mutex<Vec<Box<Work>>> = Mutex::new(Vec::new());

/// A [`Work`] on loan; it goes back when dropped.
#[derive(Debug)]
pub(crate) struct Loan(Option<Box<Work>>);

/// Lends buffers that are idle, or new ones.
pub(crate) fn lend() -> Loan {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    Loan(Some(idle.unwrap_or_default()))
}

impl std::ops::Deref for Loan {
    type Target = Work;

    fn deref(&self) -> &Work {
        self.0.as_ref().expect("a loan holds its work until dropped")
    }
}

impl std::ops::DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut Work {
        self.0.as_mut().expect("a loan holds its work until dropped")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(mut work) = self.0.take() else { return };
        work.chunk.trim();
        work.ping.trim();
        work.pong.trim();
        for buffer in [&mut work.encoded, &mut work.heap] {
            buffer.clear();
            buffer.shrink_to(KEPT_LEN_BYTES);
        }
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(work);
        }
    }
}
