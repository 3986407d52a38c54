//! A session: one snapshot, and changes of it that nobody else sees until they are committed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use icechunk::conflicts::Conflict as Theirs;
use icechunk::conflicts::ConflictSolver;
use icechunk::conflicts::basic_solver::{BasicConflictSolver, VersionSelection};
use icechunk::conflicts::detector::ConflictDetector;
use icechunk::session::SessionErrorKind;
use stook_core::{ByteStore, Result};
use stook_remote::hidden::{finish, run};
use tokio::sync::RwLock;

use crate::diff::Diff;
use crate::error;
use crate::store::IcechunkStore;

/// What becomes of chunks that this session and another have both changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// That is told, and so is every other conflict: nothing changes.
    #[default]
    Fail,
    /// Those of this session stay.
    Ours,
    /// Those of the other stay.
    Theirs,
}

impl OnConflict {
    fn solver(self) -> Box<dyn ConflictSolver + Send + Sync> {
        let on_chunk_conflict = match self {
            Self::Fail => return Box::new(ConflictDetector),
            Self::Ours => VersionSelection::UseOurs,
            Self::Theirs => VersionSelection::UseTheirs,
        };
        // A node that one has removed and the other changed is no question of whose chunks.
        Box::new(BasicConflictSolver {
            on_chunk_conflict,
            fail_on_delete_of_updated_array: true,
            fail_on_delete_of_updated_group: true,
        })
    }
}

/// Something that this session and another have both changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The node; `None` where it is the whole hierarchy.
    pub path: Option<String>,
    /// What happened, as words.
    pub what: String,
    /// The chunks (shards, where there are any) that both have changed, by their index.
    pub chunks: Vec<Vec<u32>>,
}

/// What came of a rebase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebased {
    /// The session now changes the last snapshot of its branch.
    Done,
    /// It cannot: it changes the last snapshot with which there was no conflict.
    Conflicts(Vec<Conflict>),
}

/// A session. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Session {
    inner: Arc<RwLock<icechunk::session::Session>>,
    store: Arc<IcechunkStore>,
    location: Arc<str>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("location", &self.location).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(session: icechunk::session::Session, location: &Arc<str>) -> Self {
        let is_read_only = session.read_only();
        let concurrent = session.config().get_partial_values_concurrency();
        let inner = Arc::new(RwLock::new(session));
        let store = icechunk::Store::from_session_and_config(Arc::clone(&inner), concurrent);
        let generation = Arc::new(AtomicU64::new(1));
        let store = IcechunkStore::new(store, Arc::clone(location), is_read_only, generation);
        Self { inner, store: Arc::new(store), location: Arc::clone(location) }
    }

    /// The hierarchy as a byte store. What is written to it is kept by the session, and lost with
    /// it unless it is committed: to sync the store is no commit.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ByteStore> {
        Arc::clone(&self.store) as Arc<dyn ByteStore>
    }

    /// The identifier of the snapshot that it began with, or has committed last.
    ///
    /// # Errors
    /// That of a checkpoint, where the program is to end.
    pub fn snapshot(&self) -> Result<String> {
        let inner = Arc::clone(&self.inner);
        run(async move { Ok(inner.read().await.snapshot_id().to_string()) })
    }

    /// Whether there is something to commit.
    ///
    /// # Errors
    /// That of a checkpoint, where the program is to end.
    pub fn is_changed(&self) -> Result<bool> {
        let inner = Arc::clone(&self.inner);
        run(async move { Ok(inner.read().await.has_uncommitted_changes()) })
    }

    /// What there is to commit.
    ///
    /// # Errors
    /// `Io`.
    pub fn changes(&self) -> Result<Diff> {
        let (inner, location) = (Arc::clone(&self.inner), Arc::clone(&self.location));
        let diff = run(async move {
            let status = inner.read().await.status().await;
            status.map_err(|cause| error::of_session(cause, "tell the changes", &location))
        })?;
        Ok(diff.into())
    }

    /// Makes a snapshot of what was changed, the next one of the branch, and returns its
    /// identifier. The session goes on from there.
    ///
    /// # Errors
    /// `Locked` if somebody else has committed to the branch meanwhile ([`Session::rebase`], then
    /// commit again), `ReadOnly`, `InvalidInput` if nothing was changed, `Io`.
    pub fn commit(&self, message: &str) -> Result<String> {
        let (inner, location) = (Arc::clone(&self.inner), Arc::clone(&self.location));
        let message = message.to_owned();
        let id = finish(async move {
            let mut session = inner.write().await;
            let committed = session.commit(message).execute().await;
            committed.map_err(|cause| error::of_session(cause, "commit", &location))
        })?;
        self.store.has_changed();
        Ok(id.to_string())
    }

    /// Puts the changes on top of what others have committed to the branch meanwhile.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn rebase(&self, on_conflict: OnConflict) -> Result<Rebased> {
        let (inner, location) = (Arc::clone(&self.inner), Arc::clone(&self.location));
        let rebased = finish(async move {
            let solver = on_conflict.solver();
            let mut session = inner.write().await;
            match session.rebase(&*solver).await {
                Ok(()) => Ok(Rebased::Done),
                Err(cause) => match cause.kind {
                    SessionErrorKind::RebaseFailed { conflicts, .. } => {
                        Ok(Rebased::Conflicts(conflicts.into_iter().map(conflict).collect()))
                    }
                    _ => Err(error::of_session(cause, "rebase", &location)),
                },
            }
        });
        self.store.has_changed();
        rebased
    }

    /// Forgets what was changed.
    ///
    /// # Errors
    /// `ReadOnly`.
    pub fn discard(&self) -> Result<()> {
        let (inner, location) = (Arc::clone(&self.inner), Arc::clone(&self.location));
        let discarded = finish(async move {
            let discarded = inner.write().await.discard_changes();
            discarded.map_err(|cause| error::of_session(cause, "forget the changes", &location))
        });
        self.store.has_changed();
        discarded
    }
}

fn conflict(conflict: Theirs) -> Conflict {
    let (path, what) = match &conflict {
        Theirs::NewNodeConflictsWithExistingNode(path) => (Some(path), "both have created it"),
        Theirs::NewNodeInInvalidGroup(path) => (Some(path), "its group is gone"),
        Theirs::ZarrMetadataDoubleUpdate(path) => (Some(path), "both have changed its metadata"),
        Theirs::ZarrMetadataUpdateOfDeletedArray(path)
        | Theirs::ZarrMetadataUpdateOfDeletedGroup(path) => {
            (Some(path), "its metadata were changed, and it was removed")
        }
        Theirs::ChunkDoubleUpdate { path, .. } => (Some(path), "both have changed chunks"),
        Theirs::ChunksUpdatedInDeletedArray { path, .. } => {
            (Some(path), "chunks were changed, and it was removed")
        }
        Theirs::ChunksUpdatedInUpdatedArray { path, .. } => {
            (Some(path), "chunks were changed, and its metadata")
        }
        Theirs::DeleteOfUpdatedArray { path, .. } | Theirs::DeleteOfUpdatedGroup { path, .. } => {
            (Some(path), "it was removed, and changed")
        }
        Theirs::MoveOperationCannotBeRebased => (None, "nodes were moved"),
    };
    let (path, what) = (path.map(ToString::to_string), what.to_owned());
    let mut chunks = Vec::new();
    if let Theirs::ChunkDoubleUpdate { chunk_coordinates, .. } = conflict {
        chunks.extend(chunk_coordinates.into_iter().map(|chunk| chunk.0));
        chunks.sort_unstable();
    }
    Conflict { path, what, chunks }
}

/// A number that grows with each change of what a session holds.
pub(crate) type Generation = Arc<AtomicU64>;

/// Counts a change.
pub(crate) fn count(generation: &Generation) {
    generation.fetch_add(1, Ordering::AcqRel);
}
