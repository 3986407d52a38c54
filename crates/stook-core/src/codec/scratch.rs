//! Contexts and buffers that a thread keeps between chunks.

use std::any::Any;

/// Decoder contexts and buffers, reused from chunk to chunk so that none is made per chunk.
///
/// A codec keeps its context as a type of its own: `scratch.context::<ZstdContext>()`.
#[derive(Default)]
pub struct Scratch {
    contexts: Vec<Box<dyn Any + Send>>,
    buffers: Vec<Vec<u8>>,
}

impl Scratch {
    /// Buffers above this size are not kept.
    const KEPT_LEN_BYTES: usize = 64 << 20;

    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The context of type `T`, made at its first use.
    ///
    /// # Panics
    /// Never: the context was just found or made.
    pub fn context<T: Default + Any + Send>(&mut self) -> &mut T {
        let at = self.contexts.iter().position(|context| context.is::<T>());
        let at = at.unwrap_or_else(|| {
            self.contexts.push(Box::new(T::default()));
            self.contexts.len() - 1
        });
        self.contexts[at].downcast_mut().expect("the position is that of a `T`")
    }

    /// An empty buffer with what capacity it had before; give it back when done.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Keeps `buffer` for later.
    pub fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= Self::KEPT_LEN_BYTES {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (contexts, buffers) = (self.contexts.len(), self.buffers.len());
        write!(f, "Scratch({contexts} contexts, {buffers} buffers)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_and_buffers_are_kept() {
        let mut scratch = Scratch::new();
        *scratch.context::<u32>() = 7;
        assert_eq!((*scratch.context::<u64>(), *scratch.context::<u32>()), (0, 7));
        let mut buffer = scratch.take_buffer();
        buffer.extend_from_slice(&[1; 100]);
        scratch.give_buffer(buffer);
        let buffer = scratch.take_buffer();
        assert!(buffer.is_empty() && buffer.capacity() >= 100);
    }
}
