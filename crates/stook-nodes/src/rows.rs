//! Appending rows of one shape: into memory until a chunk is full, then to the container.
//!
//! The buffer begins at the first row of a chunk and holds the rows from there on, those that a
//! flush stored already, too: so a chunk that fills up is written as a whole and none is read.
//! Where chunks are compressed, or each waits for a network, other threads write them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use stook::{Array, AxisSelection, CodecSpec, Format, NodePath, Selection, View};
use stook_core::chunk::ChunkPart;
use stook_core::{ArraySpec, ChunkSource, DType, Error, Result};

use crate::ahead::Ahead;
use crate::pool::{self, Pool, Task};

/// A chunk of rows that takes more than this is not gathered.
const MAX_SLAB_LEN_BYTES: usize = 64 << 20;
/// What is gathered where chunks cannot be.
const PLAIN_LEN_BYTES: usize = 1 << 20;

/// An array that grows along its first axis.
#[derive(Debug)]
pub(crate) struct Rows {
    array: Array,
    /// The way of whole chunks; `None` where rows go through the library.
    way: Option<Way>,
    row_shape: Vec<u64>,
    dtype: DType,
    row_len: usize,
    /// Rows of one chunk, or that are gathered.
    slab_rows: usize,
    state: Mutex<State>,
    jobs: Arc<Jobs>,
    /// Threads that write chunks, where that is worth it.
    pool: Option<Arc<Pool>>,
}

#[derive(Clone, Debug)]
struct Way {
    ahead: Arc<Ahead>,
    array: stook_core::Array,
    row_shape: Vec<u64>,
    item_size: usize,
    /// Whether a chunk is whole rows as they are.
    is_plain: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the rows of the last chunk have been fetched.
    is_ready: bool,
    n_rows: u64,
    /// The first row of the buffer.
    start: u64,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are stored.
    stored_len: usize,
    /// The rows that its attribute has been told.
    told: u64,
    /// Whether the array has been removed or moved.
    is_ended: bool,
}

/// Rows on their way to the container by other threads.
#[derive(Debug, Default)]
struct Jobs {
    state: Mutex<JobState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct JobState {
    n_pending: usize,
    failed: Vec<Job>,
    error: Option<Error>,
    spare: Vec<Vec<u8>>,
}

/// Rows to be stored.
#[derive(Debug)]
struct Job {
    start: u64,
    rows: Vec<u8>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, job: Job, result: Result<()>) {
        let mut state = self.lock();
        state.n_pending -= 1;
        match result {
            Ok(()) => {
                let mut spare = job.rows;
                spare.clear();
                if state.spare.len() < 2 {
                    state.spare.push(spare);
                }
            }
            Err(error) => {
                state.failed.push(job);
                state.error.get_or_insert(error);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// What has failed since it was last asked; the rows are kept.
    fn failure(&self) -> Result<()> {
        self.lock().error.take().map_or(Ok(()), Err)
    }

    /// Waits for all, and gives those that failed.
    fn wait(&self) -> Vec<Job> {
        let mut state = self.lock();
        while state.n_pending > 0 {
            state = pool::wait(&self.changed, state);
        }
        state.error = None;
        std::mem::take(&mut state.failed)
    }
}

impl Way {
    /// Writes whole rows from `start` on.
    fn write(&self, start: u64, rows: &[u8], row_len: usize) -> Result<()> {
        let n = (rows.len() / row_len.max(1)) as u64;
        self.ahead.reach(start + n);
        write_rows(&self.array, start, n, rows, (&self.row_shape, self.item_size))
    }
}

fn write_rows(
    array: &stook_core::Array,
    start: u64,
    n: u64,
    rows: &[u8],
    (row_shape, item_size): (&[u64], usize),
) -> Result<()> {
    let mut shape = Vec::with_capacity(row_shape.len() + 1);
    shape.push(n);
    shape.extend_from_slice(row_shape);
    let view = View::new(rows, &shape, item_size, &[])?;
    array.write_from(&rows_between(start, start + n), &view)
}

/// The rows from `start` to before `end`.
pub(crate) fn rows_between(start: u64, end: u64) -> Selection {
    Selection::Axes(vec![AxisSelection::range(start, end)])
}

/// What an array that was removed answers.
pub(crate) fn gone(node: &NodePath) -> Error {
    Error::not_found("the array was removed or moved").at_node(node)
}

/// Whether chunks are worth threads of their own.
fn is_work(spec: &ArraySpec, source: &dyn ChunkSource) -> bool {
    let is_cheap =
        |codec: &CodecSpec| matches!(codec, CodecSpec::ByteOrder(_) | CodecSpec::Shuffle { .. });
    source.access().calls > 1 || !spec.codecs.iter().all(is_cheap)
}

impl Rows {
    /// # Errors
    /// `InvalidInput` if the array has no axis to grow along, or its items vary in length.
    pub(crate) fn new(array: Array, format: Format, pool: &Arc<Pool>) -> Result<Self> {
        let spec = array.spec();
        let Some((&n_rows, row_shape)) = spec.shape().split_first() else {
            return Err(Error::invalid("expected an axis to grow along").at_node(array.path()));
        };
        if spec.dtype.has_heap() {
            let message = format!("rows of type {} have no fixed size", spec.dtype);
            return Err(Error::unsupported(message).at_node(array.path()));
        }
        let item_size = spec.dtype.item_size();
        let row_len = stook_core::values::byte_len(row_shape, item_size)?;
        let chunk_rows = spec.grid.regular_shape().and_then(|chunk| chunk.first().copied());
        let slab_rows = chunk_rows.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let slab_len = slab_rows.saturating_mul(row_len.max(1));
        let source = array.source();
        let is_whole = !spec.contiguous
            && spec.shards.is_none()
            && source.values().is_none()
            && source.in_place().is_none()
            && (1..=MAX_SLAB_LEN_BYTES.max(row_len)).contains(&slab_len);
        let way = is_whole.then(|| {
            let ahead = Arc::new(Ahead::new(Arc::clone(source), format));
            let file = array.file();
            let over = Arc::clone(&ahead) as Arc<dyn ChunkSource>;
            let over = stook_core::Array::new(over, file.path(), array.path().clone());
            let array = over.with_engine(Arc::clone(file.engine()));
            let whole_rows = spec.grid.regular_shape().and_then(|chunk| chunk.get(1..));
            let is_plain = spec.codecs.is_empty() && whole_rows == Some(row_shape);
            Way { ahead, array, row_shape: row_shape.to_vec(), item_size, is_plain }
        });
        let gathered = if is_whole { slab_rows } else { PLAIN_LEN_BYTES / row_len.max(1) };
        let is_parallel = crate::pool::available() > 1;
        let is_waited_for = source.access().calls > 1;
        let is_worth = is_whole && is_work(&spec, &**source) && (is_parallel || is_waited_for);
        let state = State { n_rows, told: n_rows, ..State::default() };
        Ok(Self {
            way,
            row_shape: row_shape.to_vec(),
            dtype: spec.dtype.clone(),
            row_len,
            slab_rows: gathered.max(1),
            state: Mutex::new(state),
            jobs: Arc::default(),
            pool: is_worth.then(|| Arc::clone(pool)),
            array,
        })
    }

    /// The type of the items.
    pub(crate) fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// The shape of a row.
    pub(crate) fn row_shape(&self) -> &[u64] {
        &self.row_shape
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shape(&self) -> Vec<u64> {
        let mut shape = vec![self.lock().n_rows];
        shape.extend_from_slice(&self.row_shape);
        shape
    }

    pub(crate) fn untold(&self) -> Option<u64> {
        let state = self.lock();
        (state.told != state.n_rows).then_some(state.n_rows)
    }

    pub(crate) fn told(&self, n_rows: u64) {
        self.lock().told = n_rows;
    }

    /// The array with all its rows stored.
    pub(crate) fn stored(&self) -> Result<&Array> {
        self.settle()?;
        Ok(&self.array)
    }

    /// Forgets what is known of the last rows: somebody writes to the array past this.
    pub(crate) fn forget(&self) -> Result<()> {
        let mut state = self.lock();
        self.store(&mut state)?;
        let n_rows = self.array.shape().first().copied().unwrap_or(0);
        *state = State { n_rows, told: state.told, ..State::default() };
        Ok(())
    }

    /// The array is removed or moved: nothing is appended any more.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        *state =
            State { n_rows: state.n_rows, told: state.n_rows, is_ended: true, ..State::default() };
    }

    /// Checks that `shape` is that of whole rows, and gives their number.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn n_rows_of(&self, shape: &[u64]) -> Result<u64> {
        match shape.split_first() {
            Some((n, row)) if row == self.row_shape => Ok(*n),
            _ => {
                let message = format!(
                    "expected rows of shape {:?}, found an array of shape {shape:?}",
                    self.row_shape
                );
                Err(Error::invalid(message).at_node(self.array.path()))
            }
        }
    }

    /// Appends rows if that needs no more than a copy in memory; gives whether it did.
    pub(crate) fn append_to_memory(&self, rows: &[u8]) -> bool {
        let Ok(mut state) = self.state.try_lock() else { return false };
        let is_ready = state.is_ready
            && self.row_len > 0
            && state.buffer.len() + rows.len() < self.slab_rows * self.row_len
            && rows.len().is_multiple_of(self.row_len);
        if !is_ready {
            return false;
        }
        if self.pool.is_some() && self.jobs.lock().error.is_some() {
            return false;
        }
        state.buffer.extend_from_slice(rows);
        state.n_rows += (rows.len() / self.row_len) as u64;
        true
    }

    /// Appends `n` rows, of which `rows` are the items in C order.
    ///
    /// # Errors
    /// `InvalidInput` for another size; what storing may give, of these rows or earlier ones: then
    /// none of these is appended, and the earlier ones are kept.
    pub(crate) fn append(&self, rows: &[u8], n: u64) -> Result<()> {
        let expected = usize::try_from(n).ok().and_then(|n| n.checked_mul(self.row_len));
        if expected != Some(rows.len()) {
            let (row_len, found) = (self.row_len, rows.len());
            let message = format!("expected {n} rows of {row_len} bytes, found {found} bytes");
            return Err(Error::invalid(message).at_node(self.array.path()));
        }
        let mut state = self.lock();
        if state.is_ended {
            return Err(gone(self.array.path()));
        }
        self.jobs.failure()?;
        if self.row_len == 0 {
            state.n_rows += n;
            return Ok(());
        }
        self.make_ready(&mut state)?;
        let total = state.n_rows.checked_add(n).ok_or_else(|| Error::limit("too many rows"))?;
        let slab_len = self.slab_rows * self.row_len;
        if state.buffer.len() + rows.len() < slab_len {
            state.buffer.extend_from_slice(rows);
            state.n_rows = total;
            return Ok(());
        }
        let before = (state.start, state.buffer.clone(), state.stored_len);
        if let Err(error) = self.pour(&mut state, rows) {
            (state.start, state.buffer, state.stored_len) = before;
            // What went beyond is cut off, or written over.
            state.stored_len = state.stored_len.min(state.buffer.len());
            return Err(error);
        }
        state.n_rows = total;
        Ok(())
    }

    /// Fetches the rows of the last chunk, where it is not full.
    fn make_ready(&self, state: &mut State) -> Result<()> {
        if state.is_ready {
            return Ok(());
        }
        let within = state.n_rows % self.slab_rows as u64;
        state.start = state.n_rows;
        state.buffer.clear();
        if self.way.is_some() && within > 0 {
            state.start = state.n_rows - within;
            let rows = self.array.read(&rows_between(state.start, state.n_rows))?;
            state.buffer.extend_from_slice(rows.items());
        }
        state.stored_len = state.buffer.len();
        state.is_ready = true;
        Ok(())
    }

    /// Puts rows into the buffer, and full ones to where they go.
    fn pour(&self, state: &mut State, rows: &[u8]) -> Result<()> {
        let slab_len = self.slab_rows * self.row_len;
        let mut rest = rows;
        while state.buffer.len() + rest.len() >= slab_len {
            if state.buffer.is_empty() && self.pool.is_none() {
                // Straight from the caller's memory.
                let whole = rest.len() - rest.len() % slab_len;
                let (now, later) = rest.split_at(whole);
                self.write(state.start, now)?;
                state.start += (whole / self.row_len) as u64;
                rest = later;
                continue;
            }
            let (now, later) = rest.split_at(slab_len - state.buffer.len());
            state.buffer.extend_from_slice(now);
            self.send(state)?;
            rest = later;
        }
        state.buffer.extend_from_slice(rest);
        Ok(())
    }

    /// Stores the buffer, which is full, or hands it to another thread.
    fn send(&self, state: &mut State) -> Result<()> {
        let n = self.slab_rows as u64;
        let (Some(pool), Some(way)) = (&self.pool, &self.way) else {
            self.write(state.start, &state.buffer)?;
            state.buffer.clear();
            state.stored_len = 0;
            state.start += n;
            return Ok(());
        };
        let spare = {
            let mut jobs = self.jobs.lock();
            jobs.n_pending += 1;
            jobs.spare.pop().unwrap_or_default()
        };
        let rows = std::mem::replace(&mut state.buffer, spare);
        let job = Job { start: state.start, rows };
        state.stored_len = 0;
        state.start += n;
        way.ahead.reach(state.start);
        let (way, jobs, row_len) = (way.clone(), Arc::clone(&self.jobs), self.row_len);
        let len_bytes = job.rows.len();
        let work = move || {
            let result = way.write(job.start, &job.rows, row_len);
            jobs.finish(job, result);
        };
        pool.submit(Task { len_bytes, work: Box::new(work) }).inspect_err(|_| {
            self.jobs.lock().n_pending -= 1;
        })
    }

    fn write(&self, start: u64, rows: &[u8]) -> Result<()> {
        if let Some(way) = &self.way {
            return way.write(start, rows, self.row_len);
        }
        let n = (rows.len() / self.row_len.max(1)) as u64;
        let mut shape = vec![start + n];
        shape.extend_from_slice(&self.row_shape);
        self.array.resize(&shape)?;
        let layout = (self.row_shape.as_slice(), self.dtype.item_size());
        write_rows(&self.array, start, n, rows, layout)
    }

    /// Writes what is new of the buffer behind what is stored of its chunk, where that lies as it
    /// is; false where all of it has to be written.
    fn write_behind(&self, state: &State) -> Result<bool> {
        let Some(way) = self.way.as_ref().filter(|way| way.is_plain && state.stored_len > 0) else {
            return Ok(false);
        };
        let mut index = vec![0; self.row_shape.len() + 1];
        if let Some(first) = index.first_mut() {
            *first = state.start / self.slab_rows as u64;
        }
        let (from, len_chunk) = (state.stored_len, self.slab_rows * self.row_len);
        let part = ChunkPart { index: &index, from, len_chunk, is_alone: true };
        way.ahead.write_part(part, state.buffer.get(from..).unwrap_or(&[]))
    }

    /// Stores all rows.
    pub(crate) fn settle(&self) -> Result<()> {
        self.store(&mut self.lock())
    }

    fn store(&self, state: &mut State) -> Result<()> {
        if state.is_ended {
            return Err(gone(self.array.path()));
        }
        let mut failed = self.jobs.wait();
        while let Some(job) = failed.pop() {
            if let Err(error) = self.write(job.start, &job.rows) {
                failed.push(job);
                self.jobs.lock().failed = failed;
                return Err(error);
            }
        }
        if state.buffer.len() > state.stored_len {
            if !self.write_behind(state)? {
                self.write(state.start, &state.buffer)?;
            }
            state.stored_len = state.buffer.len();
            if self.way.is_none() {
                // Chunks are no concern here: what is stored need not be written again.
                state.start = state.n_rows;
                state.buffer.clear();
                state.stored_len = 0;
            }
        }
        match &self.way {
            Some(way) => way.ahead.settle(state.n_rows),
            None if self.array.shape().first() != Some(&state.n_rows) => {
                let mut shape = vec![state.n_rows];
                shape.extend_from_slice(&self.row_shape);
                self.array.resize(&shape)
            }
            None => Ok(()),
        }
    }
}
