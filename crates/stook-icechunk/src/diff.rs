//! What differs between two snapshots.

use std::collections::{BTreeMap, BTreeSet};

use icechunk::diff::Diff as Theirs;
use icechunk::format::Path;

/// What differs between two snapshots, or what a session has changed: paths of nodes, from `/` on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Groups that came.
    pub new_groups: BTreeSet<String>,
    /// Arrays that came.
    pub new_arrays: BTreeSet<String>,
    /// Groups that went.
    pub deleted_groups: BTreeSet<String>,
    /// Arrays that went.
    pub deleted_arrays: BTreeSet<String>,
    /// Groups whose metadata changed.
    pub updated_groups: BTreeSet<String>,
    /// Arrays whose metadata changed.
    pub updated_arrays: BTreeSet<String>,
    /// The chunks of each array (its shards, where there are any) that changed, by their index.
    pub updated_chunks: BTreeMap<String, Vec<Vec<u32>>>,
    /// Nodes that moved: from, and to.
    pub moved: Vec<(String, String)>,
}

impl Diff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Theirs> for Diff {
    fn from(diff: Theirs) -> Self {
        let paths = |paths: BTreeSet<Path>| paths.iter().map(Path::to_string).collect();
        let chunks = diff.updated_chunks.into_iter();
        let moved = diff.moved_nodes.into_iter();
        Self {
            new_groups: paths(diff.new_groups),
            new_arrays: paths(diff.new_arrays),
            deleted_groups: paths(diff.deleted_groups),
            deleted_arrays: paths(diff.deleted_arrays),
            updated_groups: paths(diff.updated_groups),
            updated_arrays: paths(diff.updated_arrays),
            updated_chunks: chunks
                .map(|(path, chunks)| {
                    (path.to_string(), chunks.into_iter().map(|chunk| chunk.0).collect())
                })
                .collect(),
            moved: moved.map(|moved| (moved.from.to_string(), moved.to.to_string())).collect(),
        }
    }
}
