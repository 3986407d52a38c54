//! The seam to one array's stored chunks.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::spec::ArraySpec;
use crate::store::ReadTo;

/// Indices of chunks in a grid, flat: `rank` numbers a chunk.
#[derive(Clone, Copy, Debug)]
pub struct ChunkList<'a> {
    rank: usize,
    len: usize,
    flat: &'a [u64],
}

impl<'a> ChunkList<'a> {
    /// A list over `flat`, which holds `len * rank` numbers.
    ///
    /// # Panics
    /// If it does not: lists come from the engine, not from files.
    #[must_use]
    pub fn new(rank: usize, len: usize, flat: &'a [u64]) -> Self {
        assert_eq!(flat.len(), rank * len, "a chunk list holds rank numbers a chunk");
        Self { rank, len, flat }
    }

    /// A list of the one chunk at `index`.
    #[must_use]
    pub fn one(index: &'a [u64]) -> Self {
        Self { rank: index.len(), len: 1, flat: index }
    }

    /// How many chunks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The index of chunk `i`; empty past the end (and for scalars).
    #[must_use]
    pub fn get(&self, i: usize) -> &'a [u64] {
        self.flat.get(i * self.rank..(i + 1) * self.rank).unwrap_or(&[])
    }

    /// The chunks from `start` to before `end`.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let flat = self.flat.get(start * self.rank..end * self.rank).unwrap_or(&[]);
        Self { rank: self.rank, len: end - start, flat }
    }

    /// The indices in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u64]> + use<'a> {
        let list = *self;
        (0..list.len).map(move |i| list.get(i))
    }
}

/// A chunk's bytes as they are stored.
#[derive(Clone, Copy, Debug)]
pub struct EncodedChunk<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// A set bit `i` says that codec `i` among the byte and filter codecs (in the order of
    /// [`ArraySpec::codecs`], transposition and byte order not counted) was skipped for this
    /// chunk, as HDF5 allows.
    pub skipped: u32,
}

/// A chunk to be stored.
#[derive(Clone, Copy, Debug)]
pub struct ChunkWrite<'a> {
    /// Its index in the grid.
    pub index: &'a [u64],
    /// Its encoded bytes; `None` erases it, so that it reads as the fill value.
    pub bytes: Option<&'a [u8]>,
}

/// A part of a chunk whose stored bytes are its items, which lies in one piece.
#[derive(Clone, Copy, Debug)]
pub struct ChunkPart<'a> {
    /// The index of the chunk in the grid.
    pub index: &'a [u64],
    /// The first byte of the part.
    pub from: usize,
    /// The bytes of the whole chunk.
    pub len_chunk: usize,
    /// Whether no other chunk is read together with it.
    pub is_alone: bool,
}

impl ChunkPart<'_> {
    /// Whether a part of `len` bytes is the whole chunk.
    #[must_use]
    pub fn is_whole(&self, len: usize) -> bool {
        self.from == 0 && len == self.len_chunk
    }
}

/// What a source calls for each chunk of a batch: the chunk's position in the batch, and its
/// bytes or `None` where nothing is stored. It may be called from several threads, in any order.
pub type Deliver<'a> = dyn Fn(usize, Option<EncodedChunk<'_>>) -> Result<()> + Sync + 'a;

/// What [`ChunkSource::change_unit`] calls for a chunk that is changed in part: the chunk's position
/// in the list, its bytes or `None` where nothing is stored, and a buffer to append the new ones
/// to. False where the chunk is better not stored. It may be called again, with what another
/// writer has stored meanwhile.
pub type EditChunk<'a> =
    dyn FnMut(usize, Option<EncodedChunk<'_>>, &mut Vec<u8>) -> Result<bool> + Send + 'a;

/// What [`ChunkSource::visit_stored`] calls with an index in the write grid.
pub type VisitStored<'a> = dyn FnMut(&[u64]) -> Result<()> + 'a;

/// How a source likes to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// How many chunks one call to [`ChunkSource::read_chunks`] should be given at least, where
    /// there are that many: 1 for local files that are one a chunk, more where neighbours are
    /// read together, many where each call waits for a network.
    pub batch: usize,
    /// Whether the source itself calls `deliver` from several threads, so that the engine
    /// should hand it everything at once.
    pub is_concurrent: bool,
    /// How many calls may be under way at once at least, where each waits for a network and not
    /// for a processor; 1 for files.
    pub calls: usize,
    /// Whether a chunk that holds nothing but the fill value is better erased than stored.
    pub skips_empty: bool,
    /// The same of a chunk of which something was stored and that was changed in part; not where
    /// that could lose what another process stores in it.
    pub skips_empty_parts: bool,
    /// Whether [`ChunkSource::change_unit`] guards what other processes change. A chunk that
    /// reaches beyond the shape then counts as changed in part, because another process may have
    /// made the array longer.
    pub is_guarded: bool,
}

impl Access {
    /// The threads that make calls: those that work needs, or more that wait, as long as each
    /// finds memory for a chunk, of which there is enough for `n_chunks`.
    pub(crate) fn threads(self, working: usize, n_chunks: usize) -> usize {
        working.max(self.calls.min(n_chunks)).max(1)
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            batch: 1,
            is_concurrent: false,
            calls: 1,
            skips_empty: false,
            skips_empty_parts: false,
            is_guarded: false,
        }
    }
}

/// One array's chunks. Bytes cross this seam encoded, in batches, so that a store can coalesce
/// reads and the engine can decode one chunk while the next arrives.
///
/// Handles are shared between threads. The engine holds a lock on a write unit while it changes
/// part of one, so a source need not guard against itself, but against other processes where it
/// can; it must guard its own caches. Errors name the chunk; the engine adds nothing to them but the codec's name.
pub trait ChunkSource: Debug + Send + Sync {
    /// The array as it is now (after a `resize`, the new shape).
    fn spec(&self) -> Arc<ArraySpec>;

    /// A number that is the same for all handles to this array in this process, and differs
    /// between arrays with overwhelming likelihood: the key of locks and cached chunks.
    fn identity(&self) -> u64;

    /// Whether shape and elements stay as they are while this is open, whoever changes the file
    /// meanwhile: so that the array need not be opened again.
    fn is_fixed(&self) -> bool {
        false
    }

    /// How this source likes to be asked.
    fn access(&self) -> Access {
        Access::default()
    }

    /// Reads the chunks of `at`, which index [`ArraySpec::grid`], and calls `deliver` once for
    /// each. Stops at the first error, its own or one that `deliver` returns.
    ///
    /// The engine fills memory that it did not clear: a chunk that is never delivered leaves in
    /// the result what lay there before.
    ///
    /// # Errors
    /// `Io`, `Corrupt`, `LimitExceeded`, naming the chunk.
    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()>;

    /// Reads the stored bytes of a part of a chunk straight to `out`: what the engine asks for where
    /// no codec stands between them and the items. What lies in `out` after an error is undefined.
    /// [`ReadTo::Unable`] also where chunks are read sooner together, by
    /// [`ChunkSource::read_chunks`].
    ///
    /// # Errors
    /// `Corrupt` if the chunk is of another length, `Io`.
    fn read_part(&self, part: ChunkPart<'_>, out: &mut [u8]) -> Result<ReadTo> {
        let _ = (part, out);
        Ok(ReadTo::Unable)
    }

    /// Writes `bytes` over a part of a chunk that is stored as it is, where it lies; false, and
    /// nothing written, where that is not known or not the way: then the whole chunk is stored.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn write_part(&self, part: ChunkPart<'_>, bytes: &[u8]) -> Result<bool> {
        let _ = (part, bytes);
        Ok(false)
    }

    /// Stores or erases chunks. All chunks of one shard that are to be written come in one call.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`; a chunk is stored whole or not at all.
    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()>;

    /// Changes one write unit: stores or erases the chunks of `whole`, and makes of each chunk of
    /// `parts` what `edit` makes of it. Where the store can guard that, no change that another
    /// process makes to other parts of the unit is lost.
    ///
    /// # Errors
    /// Those of reading and writing chunks, and what `edit` returns.
    fn change_unit(
        &self,
        whole: &[ChunkWrite<'_>],
        parts: ChunkList<'_>,
        edit: &mut EditChunk<'_>,
    ) -> Result<()> {
        change_in_turn(self, whole, parts, edit)
    }

    /// Removes chunks, so that they read as the fill value. A missing chunk is no error.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported`, `Io`.
    fn erase_chunks(&self, at: ChunkList<'_>) -> Result<()>;

    /// Changes the shape; the rank stays. Chunks that come to lie outside are removed; what a
    /// smaller shape cut out of an edge chunk need not be cleared (the engine does that).
    ///
    /// # Errors
    /// `InvalidInput` beyond `max_shape` or of another rank, `ReadOnly`, `Unsupported`, `Io`.
    fn resize(&self, shape: &[u64]) -> Result<()>;

    /// Changes the shape from `from`; false if that is no longer the shape, because another handle
    /// or process has changed it: then [`ChunkSource::spec`] tells it as it is now.
    ///
    /// # Errors
    /// As [`ChunkSource::resize`].
    fn resize_from(&self, from: &[u64], shape: &[u64]) -> Result<bool> {
        if self.spec().shape() != from {
            return Ok(false);
        }
        self.resize(shape).map(|()| true)
    }

    /// A number that changes whenever the stored chunk does, through any handle or process;
    /// `None` where that cannot be told, and then decoded chunks are not cached.
    ///
    /// # Errors
    /// `Io`.
    fn chunk_version(&self, at: &[u64]) -> Result<Option<u64>> {
        let _ = at;
        Ok(None)
    }

    /// Whether anything is stored of the chunk (or shard) at `unit` of the write grid; `None`
    /// where that cannot be told without reading it.
    ///
    /// # Errors
    /// `Io`, `Corrupt` where the chunk index is damaged.
    fn is_stored(&self, unit: &[u64]) -> Result<Option<bool>> {
        let _ = unit;
        Ok(None)
    }

    /// Calls `visit` with the place in the write grid of every chunk (or shard) of which anything
    /// is stored, in any order, at a cost that goes with what is stored and not with the grid.
    /// False, and no call, where that cannot be told.
    ///
    /// # Errors
    /// What `visit` returns; `Io`, `Corrupt` where the chunk index is damaged.
    fn visit_stored(&self, visit: &mut VisitStored<'_>) -> Result<bool> {
        let _ = visit;
        Ok(false)
    }

    /// The elements in place, where [`ArraySpec::contiguous`] says so and they can be had.
    fn in_place(&self) -> Option<&dyn InPlace> {
        None
    }

    /// The elements as values, where their bytes do not cross this seam (HDF5's variable-length
    /// data, virtual datasets, filters that only its library has). The engine then reads and
    /// writes blocks of values instead of chunks.
    fn values(&self) -> Option<&dyn ValueSource> {
        None
    }

    /// How many chunks of the write grid are stored.
    ///
    /// # Errors
    /// `Unsupported` where it cannot be told, `Io`.
    fn n_stored(&self) -> Result<u64> {
        Err(Error::unsupported("the number of stored chunks cannot be told"))
    }

    /// The bytes that the stored chunks take.
    ///
    /// # Errors
    /// `Unsupported` where it cannot be told, `Io`.
    fn len_stored_bytes(&self) -> Result<u64> {
        Err(Error::unsupported("the size of the stored chunks cannot be told"))
    }
}

/// Reads parts, edits them and stores everything, one after the other: nothing is stored from
/// within a read, because the source may hold what its write needs.
fn change_in_turn(
    source: &(impl ChunkSource + ?Sized),
    whole: &[ChunkWrite<'_>],
    parts: ChunkList<'_>,
    edit: &mut EditChunk<'_>,
) -> Result<()> {
    if parts.is_empty() {
        return source.write_chunks(whole);
    }
    let edited = Mutex::new((edit, vec![None; parts.len()]));
    source.read_chunks(parts, &|i, old| {
        let (edit, edited) = &mut *edited.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        let is_stored = edit(i, old, &mut new)?;
        if let Some(place) = edited.get_mut(i) {
            *place = is_stored.then_some(new);
        }
        Ok(())
    })?;
    let (_, edited) = edited.into_inner().unwrap_or_else(PoisonError::into_inner);
    let writes = parts.iter().zip(&edited);
    let writes = writes.map(|(index, bytes)| ChunkWrite { index, bytes: bytes.as_deref() });
    source.write_chunks(&whole.iter().copied().chain(writes).collect::<Vec<_>>())
}

/// Elements that lie contiguously in their file, in the order and byte order of
/// [`ArraySpec::codecs`].
pub trait InPlace: Debug + Send + Sync {
    /// All bytes, where they are mapped into memory.
    fn mapped(&self) -> Option<&[u8]> {
        None
    }

    /// Fills `out` with the bytes from `offset` on; what was never written is the fill value.
    ///
    /// # Errors
    /// `Io`, `Corrupt` if the file is too short.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;

    /// Whether `write_at` may be used; if not, writes go through [`ChunkSource::values`] or
    /// [`ChunkSource::write_chunks`].
    fn is_writable(&self) -> bool {
        false
    }

    /// Writes `bytes` from `offset` on.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let _ = (offset, bytes);
        Err(Error::read_only("the elements are not writable in place"))
    }
}

/// A box of elements: a first index and a shape.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The first element along each axis.
    pub start: &'a [u64],
    /// The number of elements along each axis.
    pub shape: &'a [u64],
}

/// Elements that are read and written as values, a block at a time.
pub trait ValueSource: Debug + Send + Sync {
    /// Reads `block` to `items` (C order, in-memory layout of the dtype), appending the payload
    /// of heap items to `heap`, where they are then found by offset.
    ///
    /// # Errors
    /// `Io`, `Corrupt`, `Unsupported`, `LimitExceeded`.
    fn read_block(&self, block: Block<'_>, items: &mut [u8], heap: &mut Vec<u8>) -> Result<()>;

    /// Writes `block` from `items` and `heap`.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`, `Unsupported`.
    fn write_block(&self, block: Block<'_>, items: &[u8], heap: &[u8]) -> Result<()>;
}
