//! From a matrix to the tiles of an array: cut to strips, filled and encoded on a few threads.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use stook::{Array, Engine, Error, Result, Selection};

use super::numbers::Number;
use super::panel::{Panel, Place};
use super::{Dense, Fill, Matrix, with_number_type};
use crate::Axis;

/// What becomes of tiles of nothing but zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zeros {
    /// They are stored.
    #[default]
    Stored,
    /// They are not: where nothing was written yet, and what was not reads as zero.
    Skipped,
}

/// How a matrix is written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Bytes that may be held beside the matrix (default 256 MiB).
    pub memory_len_bytes: u64,
    /// What becomes of tiles of nothing but zeros.
    pub zeros: Zeros,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { memory_len_bytes: 256 << 20, zeros: Zeros::default() }
    }
}

impl WriteOptions {
    /// Every tile is stored, within 256 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With so many bytes beside the matrix.
    #[must_use]
    pub fn memory_len_bytes(mut self, len: u64) -> Self {
        self.memory_len_bytes = len;
        self
    }

    /// With tiles of nothing but zeros stored or not.
    #[must_use]
    pub fn zeros(mut self, zeros: Zeros) -> Self {
        self.zeros = zeros;
        self
    }
}

/// Bytes of a strip: enough tiles that cutting costs little, few enough to stay in the cache.
const STRIP_LEN_BYTES: u64 = 1 << 20;
/// Arrays in one piece are written in tiles of this length.
const PIECE_LEN: u64 = 1 << 10;

/// Writes all of `matrix` to `array`, from element `at` on.
///
/// # Errors
/// `InvalidInput` where it reaches beyond the array, or a number has no room in its type; what
/// writing may give.
pub(crate) fn store(
    matrix: &impl Fill,
    array: &Array,
    at: [u64; 2],
    options: &WriteOptions,
) -> Result<()> {
    let [n_rows, n_columns] = matrix.lens();
    let area = [at[0]..at[0] + n_rows as u64, at[1]..at[1] + n_columns as u64];
    let strips = Strips::new(array, area, matrix.major(), options)?;
    with_number_type!(&array.spec().dtype, T => {
        strips.store::<T>(&|ranges, to| matrix.fill(ranges, to))
    })
}

/// An area of an array, cut to strips of tiles.
pub(crate) struct Strips {
    /// For threads that each write their own strip.
    array: stook_core::Array,
    area: [Range<u64>; 2],
    tile: [u64; 2],
    /// How long a strip is.
    strip: [u64; 2],
    threads: usize,
    zeros: Zeros,
}

/// The length of the tiles of an array along both axes.
pub(crate) fn tile_of(array: &stook_core::Array) -> [u64; 2] {
    let spec = array.spec();
    let shape = spec.shape();
    let len = |axis: usize| {
        let len = shape.get(axis).copied().unwrap_or(1).max(1);
        let tile = if spec.contiguous { PIECE_LEN } else { spec.grid.extent(axis, 0).1 };
        tile.clamp(1, len)
    };
    // A tile that is cut by the end of the array is as long as the others.
    match (&spec.shards, spec.grid.regular_shape()) {
        (None, Some(&[rows, columns])) if !spec.contiguous => [rows.max(1), columns.max(1)],
        (Some(shards), _) => [0, 1].map(|axis| shards.extent(axis, 0).1.max(1)),
        _ => [len(0), len(1)],
    }
}

/// The same array, used by the calling thread alone: for threads that each do their part.
pub(crate) fn one_thread(array: &Array) -> stook_core::Array {
    let config = array.file().engine().config().clone().threads(1).cache_len_bytes(0);
    stook_core::Array::clone(array).with_engine(Engine::new(config))
}

/// How many threads the array's engine may use.
pub(crate) fn threads_of(array: &Array) -> usize {
    match array.file().engine().config().threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

/// Adds the elements of a box of a matrix to a panel of zeros.
pub(crate) type FillStrip<'f, T> =
    dyn Fn([Range<usize>; 2], &mut Place<'_, T>) -> Result<()> + Sync + 'f;

impl Strips {
    pub(crate) fn new(
        array: &Array,
        area: [Range<u64>; 2],
        major: Axis,
        options: &WriteOptions,
    ) -> Result<Self> {
        let shape = array.shape();
        let is_within =
            shape.len() == 2 && area.iter().zip(&shape).all(|(range, &len)| range.end <= len);
        if !is_within {
            let [rows, columns] = &area;
            return Err(Error::invalid(format!(
                "rows {rows:?} and columns {columns:?} are beyond an array of shape {shape:?}"
            ))
            .at_node(array.path()));
        }
        let tile = tile_of(array);
        let threads = threads_of(array);
        let len_tile = tile[0].saturating_mul(tile[1]);
        let len_tile = len_tile.saturating_mul(array.spec().dtype.item_size() as u64).max(1);
        let share = options.memory_len_bytes / (2 * threads.max(1) as u64);
        let n_tiles = (STRIP_LEN_BYTES.min(share) / len_tile).max(1);
        let along = major.other();
        let strip = along.with(tile, along.of(tile).saturating_mul(n_tiles));
        let zeros = options.zeros;
        Ok(Self { array: one_thread(array), area, tile, strip, threads, zeros })
    }

    /// With so many threads.
    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// How many strips there are along an axis.
    fn n_strips(&self, axis: usize) -> u64 {
        let range = &self.area[axis];
        if range.is_empty() {
            return 0;
        }
        range.end.div_ceil(self.strip[axis]) - range.start / self.strip[axis]
    }

    /// The elements of strip `i`, counted along the axis.
    fn range(&self, axis: usize, i: u64) -> Range<u64> {
        let (area, len) = (&self.area[axis], self.strip[axis]);
        let first = (area.start / len + i) * len;
        first.max(area.start)..(first.saturating_add(len)).min(area.end)
    }

    pub(crate) fn store<T: Number>(&self, fill: &FillStrip<'_, T>) -> Result<()> {
        let [n_down, n_across] = [self.n_strips(0), self.n_strips(1)];
        let n = n_down.checked_mul(n_across).and_then(|n| usize::try_from(n).ok());
        let n = n.ok_or_else(|| Error::limit("the matrix has too many tiles"))?;
        let panels: Mutex<Vec<Panel<T>>> = Mutex::default();
        let lock = || panels.lock().unwrap_or_else(PoisonError::into_inner);
        stook_core::engine::for_each(n, self.threads, &|i| {
            let mut panel = lock().pop().unwrap_or_default();
            let (down, across) = (i as u64 / n_across, i as u64 % n_across);
            let strip = [self.range(0, down), self.range(1, across)];
            self.store_strip(fill, strip, &mut panel)?;
            lock().push(panel);
            Ok(())
        })
    }

    fn store_strip<T: Number>(
        &self,
        fill: &FillStrip<'_, T>,
        strip: [Range<u64>; 2],
        panel: &mut Panel<T>,
    ) -> Result<()> {
        panel.begin(strip.clone(), self.tile)?;
        let within = |axis: usize| {
            let first = self.area[axis].start;
            (strip[axis].start - first) as usize..(strip[axis].end - first) as usize
        };
        fill([within(0), within(1)], &mut panel.from([0, 0]))?;
        for ([rows, columns], items) in panel.tiles() {
            let is_nothing = || stook::element::as_bytes(items).iter().all(|&byte| byte == 0);
            if self.zeros == Zeros::Skipped && is_nothing() {
                continue;
            }
            let shape = [rows.end - rows.start, columns.end - columns.start];
            self.array.write_elements(&Selection::ranges([rows, columns]), &shape, items)?;
        }
        let [rows, columns] = strip.map(|range| range.end - range.start);
        crate::progress::advance(rows.saturating_mul(columns));
        Ok(())
    }
}

/// Writes blocks one behind the other along an axis, tile by tile: what does not fill a tile waits
/// for the next block.
#[derive(Debug)]
pub struct TileWriter<'w> {
    array: &'w Array,
    axis: Axis,
    /// Where what is pending goes.
    at: [u64; 2],
    n_across: usize,
    pending: Option<Dense<'static>>,
    options: WriteOptions,
}

impl<'w> TileWriter<'w> {
    /// Begins to write to `array`, from element `at` on, blocks that have `n_across` elements
    /// across `axis` and any number along it.
    #[must_use]
    pub fn new(
        array: &'w Array,
        axis: Axis,
        at: [u64; 2],
        n_across: usize,
        options: WriteOptions,
    ) -> Self {
        Self { array, axis, at, n_across, pending: None, options }
    }

    /// Writes a block behind the others.
    ///
    /// # Errors
    /// `InvalidInput` for a block of another shape, one that reaches beyond the array, or a number
    /// that has no room in its type; what writing may give.
    pub fn push(&mut self, block: &Matrix<'_>) -> Result<()> {
        let found = self.axis.other().of(block.lens());
        if found != self.n_across {
            let (expected, word) = (self.n_across, self.axis.other().word());
            return Err(Error::invalid(format!("a block of {found} {word}s, expected {expected}")));
        }
        let pending = self.pending.take();
        let n_pending = pending.as_ref().map_or(0, |pending| self.axis.of(pending.lens()));
        let n = n_pending + self.axis.of(block.lens());
        let tile = self.axis.of(tile_of(self.array));
        let start = self.axis.of(self.at);
        let end = start.saturating_add(n as u64);
        let cut = end - end % tile;
        let n_ready = cut.saturating_sub(start) as usize;
        let joined =
            Joined { axis: self.axis, first: pending, n_pending, second: block, n: n_ready };
        if n_ready > 0 {
            store(&joined, self.array, self.at, &self.options)?;
            self.at = self.axis.with(self.at, cut);
        }
        if n_ready < n {
            let lens = block.lens();
            let across = 0..self.n_across;
            let ranges = match self.axis {
                Axis::Rows => [n_ready..n, across],
                Axis::Columns => [across, n_ready..n],
            };
            debug_assert_eq!(self.axis.other().of(lens), self.n_across);
            self.pending = Some(with_number_type!(&self.array.spec().dtype, T => {
                dense_of::<T>(&joined, ranges)
            })?);
        }
        Ok(())
    }

    /// Writes what is pending; returns where the blocks end.
    ///
    /// # Errors
    /// What writing may give.
    pub fn finish(mut self) -> Result<u64> {
        let start = self.axis.of(self.at);
        let Some(pending) = self.pending.take() else { return Ok(start) };
        let n = self.axis.of(pending.lens());
        store(&Matrix::from(pending), self.array, self.at, &self.options)?;
        Ok(start + n as u64)
    }
}

/// Elements of a matrix as a dense one.
pub(crate) fn dense_of<T: Number>(
    matrix: &impl Fill,
    ranges: [Range<usize>; 2],
) -> Result<Dense<'static>> {
    let lens = [ranges[0].len(), ranges[1].len()];
    let mut panel = Panel::<T>::default();
    panel.begin(lens.map(|len| 0..len as u64), [u64::MAX; 2])?;
    matrix.fill(ranges, &mut panel.from([0, 0]))?;
    Dense::new(lens, T::into_numbers(panel.into_items()))
}

/// Two matrices one behind the other along an axis, up to `n`.
struct Joined<'j> {
    axis: Axis,
    first: Option<Dense<'static>>,
    n_pending: usize,
    second: &'j Matrix<'j>,
    n: usize,
}

impl Fill for Joined<'_> {
    fn lens(&self) -> [usize; 2] {
        self.axis.with(self.second.lens(), self.n)
    }

    fn fill<T: Number>(&self, ranges: [Range<usize>; 2], to: &mut Place<'_, T>) -> Result<()> {
        let (axis, split) = (self.axis.number(), self.n_pending);
        let along = ranges[axis].clone();
        let with = |range: Range<usize>| {
            let mut part = ranges.clone();
            part[axis] = range;
            part
        };
        if let (Some(first), true) = (&self.first, along.start < split) {
            first.fill(with(along.start..along.end.min(split)), to)?;
        }
        if along.end > split {
            let start = along.start.max(split);
            let by = self.axis.with([0, 0], start - along.start);
            self.second.fill(with(start - split..along.end - split), &mut to.further(by))?;
        }
        Ok(())
    }

    fn major(&self) -> Axis {
        self.second.major()
    }
}
