//! Arrays that stay open for who asks for them again, so that neither the library nor the index of
//! chunks is asked again. Only of files that are read at one commit: nothing in them changes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stook_core::NodePath;
use stook_core::chunk::ChunkSource;

/// The most arrays that stay open.
const MAX_ARRAYS: usize = 8;

/// The arrays that were opened last.
#[derive(Debug, Default)]
pub(super) struct KeptArrays {
    arrays: Mutex<VecDeque<(NodePath, Arc<dyn ChunkSource>)>>,
}

impl KeptArrays {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(NodePath, Arc<dyn ChunkSource>)>> {
        self.arrays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The array at `node`, if it was opened lately.
    pub(super) fn get(&self, node: &NodePath) -> Option<Arc<dyn ChunkSource>> {
        let arrays = self.lock();
        let found = arrays.iter().rev().find(|(known, _)| known == node);
        found.map(|(_, array)| Arc::clone(array))
    }

    /// Keeps `array` open, instead of the one that was opened first.
    pub(super) fn put(&self, node: &NodePath, array: &Arc<dyn ChunkSource>) {
        let mut arrays = self.lock();
        let oldest = if arrays.len() >= MAX_ARRAYS { arrays.pop_front() } else { None };
        arrays.push_back((node.clone(), Arc::clone(array)));
        drop(arrays);
        // Closing it takes the library's lock.
        drop(oldest);
    }
}
