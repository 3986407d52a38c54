//! What all handles to one array of one open file share: its description and where its chunks
//! lie.
//!
//! Invariant: a chunk's record is dropped before the call that moved the chunk returns, so that
//! no handle in this process reads from where a chunk was. Such a chunk is read through the
//! library from then on, until there are many: then the index is read again.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

use stook_core::{ArraySpec, ChunkGrid, Error, Result};

use crate::ffi::{ChunkRecord, Dataset, Failure};
use crate::swizzle::Swizzle;

/// Where the chunks of an array lie, by their position in the grid.
#[derive(Debug, Default)]
pub(crate) struct ChunkIndex {
    chunk_shape: Vec<u64>,
    counts: Vec<u64>,
    records: HashMap<u64, ChunkRecord>,
    /// Chunks that have been written since the index was read.
    moved: HashSet<u64>,
    len_bytes: u64,
}

/// What the index knows of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It lies there.
    At(ChunkRecord),
    /// It has been written since the index was read.
    Moved,
    /// It is not stored.
    Nowhere,
}

impl ChunkIndex {
    /// An index without chunks.
    pub(crate) fn empty(spec: &ArraySpec) -> Result<Self> {
        let chunk_shape = spec.grid.regular_shape().unwrap_or(&[]).to_vec();
        let counts = spec.grid.counts(spec.shape());
        let n = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count));
        if n.is_none() {
            return Err(Error::limit(format!("a grid of {counts:?} chunks is too large")));
        }
        Ok(Self { chunk_shape, counts, ..Self::default() })
    }

    /// Adds the chunk whose first element is `first`; `None` where that lies outside the array.
    pub(crate) fn insert(&mut self, first: &[u64], record: ChunkRecord) -> Option<()> {
        let at = self.position_of_element(first)?;
        self.len_bytes = self.len_bytes.saturating_add(record.len_bytes);
        self.records.insert(at, record);
        Some(())
    }

    /// How many chunks there may be.
    pub(crate) fn n_places(&self) -> u64 {
        self.counts.iter().fold(1, |n, &count| n.saturating_mul(count))
    }

    /// Reads the index of `dataset`, in one pass.
    pub(crate) fn read(dataset: &Dataset, spec: &ArraySpec) -> Result<Self> {
        let mut index = Self::empty(spec)?;
        let mut is_outside = false;
        let corrupt = |failure: Failure| Error::corrupt(failure.to_string());
        let swizzle = match &spec.max_shape {
            Some(max) if dataset.is_extensible_array().map_err(corrupt)? => {
                Swizzle::new(&index.chunk_shape, max)
            }
            _ => None,
        };
        let mut right = Vec::new();
        dataset
            .for_each_chunk(&mut |first, record| {
                let first = match &swizzle {
                    Some(swizzle) => swizzle.undo(first, &mut right).map(|()| right.as_slice()),
                    None => Some(first),
                };
                is_outside |= first.and_then(|first| index.insert(first, record)).is_none();
                true
            })
            .map_err(corrupt)?;
        if is_outside {
            return Err(Error::corrupt("the chunk index lists a chunk outside the array"));
        }
        Ok(index)
    }

    fn position_of_element(&self, first: &[u64]) -> Option<u64> {
        let axes = first.iter().zip(&self.chunk_shape).zip(&self.counts);
        axes.into_iter().try_fold(0_u64, |at, ((&first, &len), &count)| {
            let idx = first.checked_div(len).filter(|&idx| idx < count)?;
            at.checked_mul(count)?.checked_add(idx)
        })
    }

    /// The place of the chunk at `index` in the order of the array.
    pub(crate) fn position(&self, index: &[u64]) -> Option<u64> {
        if index.len() != self.counts.len() {
            return None;
        }
        index.iter().zip(&self.counts).try_fold(0_u64, |at, (&idx, &count)| {
            at.checked_mul(count)?.checked_add(idx).filter(|_| idx < count)
        })
    }

    /// Where the chunk at `index` is.
    pub(crate) fn get(&self, index: &[u64]) -> Place {
        let Some(at) = self.position(index) else { return Place::Nowhere };
        match self.records.get(&at) {
            _ if self.moved.contains(&at) => Place::Moved,
            Some(record) => Place::At(*record),
            None => Place::Nowhere,
        }
    }

    /// The places in the grid of the chunks that are stored.
    pub(crate) fn stored(&self) -> Vec<Vec<u64>> {
        let place = |&at: &u64| {
            let mut at = at;
            let mut index = vec![0; self.counts.len()];
            for (idx, &count) in index.iter_mut().zip(&self.counts).rev() {
                *idx = at % count.max(1);
                at /= count.max(1);
            }
            index
        };
        self.records.keys().chain(&self.moved).map(place).collect()
    }

    /// How many chunks are stored.
    pub(crate) fn n_stored(&self) -> u64 {
        self.records.len() as u64
    }

    /// The bytes that they take.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }
}

/// A chunk's index in the grid, and where it lies.
pub(crate) type Located = (Vec<u64>, ChunkRecord);

/// Where chunks lie.
#[derive(Debug, Default)]
struct Known {
    /// All, since it was read.
    index: Option<ChunkIndex>,
    /// The one that was written last, if that is known.
    last: Option<Located>,
}

/// The shared state of an array.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) identity: u64,
    spec: RwLock<Arc<ArraySpec>>,
    known: RwLock<Known>,
    /// How many chunks were looked up without the index.
    n_single: AtomicU64,
    /// Counts changes: part of the version of every chunk.
    changes: AtomicU64,
}

/// Of so many chunks one may be found by itself before the index is read.
const SINGLES: u64 = 64;
/// More than so many are never found one by one.
const MOST_SINGLES: u64 = 1024;

/// The number of an open file and the address of an object in it.
pub(crate) type Key = (u64, u64);

/// Where the counts of changes begin: an array that is opened again, after its last handle was
/// closed, must not count through numbers again under which chunks are cached.
static EPOCHS: AtomicU64 = AtomicU64::new(0);
/// More changes than this are not made through one state.
const EPOCH: u64 = 1 << 32;

static STATES: OnceLock<Mutex<HashMap<Key, Weak<State>>>> = OnceLock::new();

impl State {
    /// The state of the array that `key` names, made with `spec` if there is no handle to it.
    pub(crate) fn of(key: Key, spec: ArraySpec) -> Arc<Self> {
        let states = STATES.get_or_init(Mutex::default);
        let mut states = states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(&key).and_then(Weak::upgrade) {
            return state;
        }
        states.retain(|_, state| state.strong_count() > 0);
        let state = Arc::new(Self {
            identity: fingerprint(key),
            spec: RwLock::new(Arc::new(spec)),
            known: RwLock::default(),
            n_single: AtomicU64::new(0),
            changes: AtomicU64::new(EPOCHS.fetch_add(EPOCH, Ordering::Relaxed)),
        });
        states.insert(key, Arc::downgrade(&state));
        state
    }

    pub(crate) fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a new shape in the place of the old, and forgets where chunks lie.
    pub(crate) fn set_shape(&self, shape: &[u64]) {
        let mut spec = self.spec.write().unwrap_or_else(PoisonError::into_inner);
        let mut new = ArraySpec::clone(&spec);
        new.extent = stook_core::Extent::Shape(shape.to_vec());
        if new.contiguous {
            new.grid = ChunkGrid::whole(shape);
        }
        *spec = Arc::new(new);
        self.known.write().unwrap_or_else(PoisonError::into_inner).index = None;
        self.touch();
    }

    /// Runs `resize`, which changes the shape and may move chunks or give them up, while nobody
    /// looks up where they are.
    pub(crate) fn resizing<T>(&self, resize: impl FnOnce() -> T, keeps_chunks: bool) -> T {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let resized = resize();
        known.index = None;
        if !keeps_chunks {
            known.last = None;
        }
        resized
    }

    /// Calls `use_index` with the index, read first if nobody has yet.
    pub(crate) fn with_index<T>(
        &self,
        dataset: &Dataset,
        use_index: impl FnOnce(&ChunkIndex) -> T,
    ) -> Result<T> {
        if let Some(index) = &self.known.read().unwrap_or_else(PoisonError::into_inner).index {
            return Ok(use_index(index));
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let index = match &mut known.index {
            Some(index) => index,
            place => place.insert(ChunkIndex::read(dataset, &self.spec())?),
        };
        Ok(use_index(index))
    }

    /// Whether `n` chunks are found sooner one by one than by the index, which nobody has read
    /// yet, and is long. They count as found so.
    pub(crate) fn is_worth_no_index(&self, n: usize) -> bool {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).index.is_some() {
            return false;
        }
        let spec = self.spec();
        let counts = spec.grid.counts(spec.shape());
        let n_chunks = counts.iter().fold(1_u64, |n, &count| n.saturating_mul(count));
        let n_single = self.n_single.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        n_single <= (n_chunks / SINGLES).min(MOST_SINGLES)
    }

    /// Runs `write`, which writes the chunks at `indices`, while nobody looks up where they are;
    /// it gives where the last of them went.
    pub(crate) fn moving<'a>(
        &self,
        indices: impl Iterator<Item = &'a [u64]>,
        write: impl FnOnce() -> Result<Option<Located>>,
    ) -> Result<()> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.last = None;
        let written = write();
        self.touch();
        if let Some(index) = known.index.as_mut() {
            for at in indices {
                index.moved.extend(index.position(at));
            }
        }
        known.last = written?;
        Ok(())
    }

    /// Runs `write` with the place of the chunk at `index`, which stays, if it was written last;
    /// false where it was not.
    pub(crate) fn with_last(
        &self,
        index: &[u64],
        write: impl FnOnce(&ChunkRecord) -> Result<bool>,
    ) -> Result<bool> {
        let known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match &known.last {
            Some((at, record)) if at == index => write(record).inspect(|_| self.touch()),
            _ => Ok(false),
        }
    }

    /// Forgets where chunks lie if some have been written since.
    pub(crate) fn refresh(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.index.as_ref().is_some_and(|index| !index.moved.is_empty()) {
            known.index = None;
        }
    }

    /// Forgets where chunks lie, after the library has written elements.
    pub(crate) fn forget_index(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
        self.touch();
    }

    fn touch(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// A number that changes with every change of the array.
    pub(crate) fn version(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

/// A number for `key` that no other array is likely to have.
pub(crate) fn fingerprint(key: Key) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    static HASHER: OnceLock<RandomState> = OnceLock::new();
    HASHER.get_or_init(RandomState::new).hash_one(("hdf5", key))
}
