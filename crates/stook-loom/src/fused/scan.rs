//! A layer batch by batch along an axis, the next one read while the caller looks at one.

use std::ops::Range;
use std::sync::Arc;
use std::thread::JoinHandle;

use stook::{Array, AxisSelection, Error, Result, Selection, gate};

use super::buffers::Buffers;
use super::listed::read_box;
use crate::Axis;
use crate::layer::positions;
use crate::matrix::{
    Compressed, Dense, Number, Numbers, Picks, Variant, run_of, with_number_type, with_numbers,
};

/// What is scanned, and how.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// The axis along which batches follow one another.
    pub axis: Axis,
    /// The rows or columns along it, in the order in which they come; all where it is not said.
    pub items: Option<Vec<u64>>,
    /// The same across it, within each batch.
    pub across: Option<Vec<u64>>,
    /// How many items a batch has at most (default 512).
    pub batch_len: usize,
    /// Where each batch ends among the items, where they are not all of one length.
    pub ends: Option<Vec<usize>>,
    /// Bytes that may be held beside the batch at hand (default 256 MiB).
    pub memory_len_bytes: u64,
    /// The elements of each layer row by row, where these are at hand: they are taken for what is
    /// in its tiles ([`Loom::sparse_elements`](crate::Loom::sparse_elements)).
    pub sparse: Vec<Option<Arc<Compressed<'static>>>>,
}

impl ScanOptions {
    /// All along `axis`, 512 at a time.
    #[must_use]
    pub fn new(axis: Axis) -> Self {
        let (items, across, ends) = (None, None, None);
        let sparse = Vec::new();
        Self { axis, items, across, batch_len: 512, ends, memory_len_bytes: 256 << 20, sparse }
    }

    /// Only these rows or columns along the axis, in this order.
    #[must_use]
    pub fn items(mut self, items: impl Into<Vec<u64>>) -> Self {
        self.items = Some(items.into());
        self
    }

    /// Only these across the axis, in this order.
    #[must_use]
    pub fn across(mut self, across: impl Into<Vec<u64>>) -> Self {
        self.across = Some(across.into());
        self
    }

    /// So many items at a time.
    #[must_use]
    pub fn batch_len(mut self, len: usize) -> Self {
        self.batch_len = len;
        self
    }

    /// With batches that end at these numbers of items, the last of them at that of all; the
    /// length of a batch does not count then.
    #[must_use]
    pub fn ends(mut self, ends: impl Into<Vec<usize>>) -> Self {
        self.ends = Some(ends.into());
        self
    }

    /// With the elements of the layers in this order, where they are at hand.
    #[must_use]
    pub fn sparse(mut self, sparse: Vec<Option<Arc<Compressed<'static>>>>) -> Self {
        self.sparse = sparse;
        self
    }

    /// Within so many bytes beside the batch at hand.
    #[must_use]
    pub fn memory_len_bytes(mut self, len: u64) -> Self {
        self.memory_len_bytes = len;
        self
    }
}

/// Some rows or columns, of each layer that is scanned.
#[derive(Clone, Debug)]
pub struct Batch {
    /// How many items came before.
    pub start: usize,
    /// The rows or columns that these are, in the array's own numbers.
    pub indices: Vec<u64>,
    /// The elements of each layer: rows and columns as in the array.
    pub layers: Vec<Dense<'static>>,
}

/// Batches that are read together, because they come from the same chunks.
#[derive(Debug)]
struct Group {
    range: Range<usize>,
    layers: Vec<Block>,
}

/// What was read of a layer, and where in it rows and columns are.
#[derive(Debug)]
struct Block {
    numbers: Numbers<'static>,
    width: usize,
    places: [Vec<u32>; 2],
}

/// The arrays and picks, for whichever thread reads.
#[derive(Clone, Debug)]
struct Plan {
    layers: Vec<Array>,
    options: ScanOptions,
    lens: [u64; 2],
    buffers: Buffers,
}

/// An iterator over batches.
#[derive(Debug)]
pub struct Scan {
    plan: Arc<Plan>,
    n_items: usize,
    /// Items of a group, unless a batch has more.
    group_len: usize,
    at: usize,
    group: Option<Group>,
    /// The group behind that one.
    next: Option<Ahead>,
}

/// A group that a thread reads.
#[derive(Debug)]
struct Ahead {
    thread: JoinHandle<Result<Group>>,
    /// A child process has no such thread.
    process: u32,
}

impl Scan {
    /// Begins to scan arrays of one shape.
    ///
    /// # Errors
    /// `InvalidInput` for items out of bounds, a batch of no items, ends of batches that do not
    /// rise to the number of items, and arrays of other shapes.
    pub fn new(layers: Vec<Array>, options: ScanOptions) -> Result<Self> {
        let shape = layers.first().map(|layer| layer.shape()).unwrap_or(vec![0, 0]);
        let &[n_rows, n_columns] = shape.as_slice() else {
            return Err(Error::invalid(format!("expected two axes, found a shape of {shape:?}")));
        };
        if let Some(other) = layers.iter().find(|layer| layer.shape() != shape) {
            let found = other.shape();
            return Err(Error::invalid(format!(
                "expected a layer of shape {shape:?}, found {found:?}"
            ))
            .at_node(other.path()));
        }
        if options.batch_len == 0 {
            return Err(Error::invalid("a batch of no items"));
        }
        let buffers = Buffers::default();
        let plan = Plan { layers, options, lens: [n_rows, n_columns], buffers };
        let (along, across) = (plan.along()?, plan.across()?);
        let item: usize = plan.layers.iter().map(|layer| layer.dtype().item_size()).sum();
        let len_item = across.len().saturating_mul(item as u64).max(1);
        // One group at hand, one that is read ahead, and what becomes of it.
        let most = (plan.options.memory_len_bytes / 3 / len_item) as usize;
        let wanted = if along.is_in_order() { WORTH_A_READ } else { usize::MAX };
        let group_len = wanted.min(most);
        let n_items = usize::try_from(along.len()).map_err(|_| Error::limit("too many items"))?;
        plan.expect_ends(n_items)?;
        let plan = Arc::new(plan);
        Ok(Self { plan, n_items, group_len, at: 0, group: None, next: None })
    }

    /// Where the numbers of batches are given back that nobody looks at any more.
    #[must_use]
    pub fn buffers(&self) -> Buffers {
        self.plan.buffers.clone()
    }

    /// How many items there are in all batches.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    fn batch(&mut self) -> Result<Batch> {
        let range = self.at..self.end_of_batch(self.at);
        let group = match self.group.take().filter(|group| group.range.contains(&range.start)) {
            Some(group) => group,
            None => self.next_group(range.start)?,
        };
        let within = range.start - group.range.start..range.end - group.range.start;
        let is_whole = range == group.range;
        let axis = self.plan.options.axis;
        let layers = if is_whole {
            let layers = group.layers.into_iter();
            layers.map(|block| block.into_dense()).collect::<Result<_>>()?
        } else {
            let part = |block: &Block| block.part(axis, within.clone());
            let layers = group.layers.iter().map(part).collect::<Result<_>>()?;
            if range.end < group.range.end {
                self.group = Some(group);
            }
            layers
        };
        self.at = range.end;
        Ok(Batch { start: range.start, indices: self.plan.indices(range), layers })
    }

    /// Where the batch ends that begins at `start`.
    fn end_of_batch(&self, start: usize) -> usize {
        let options = &self.plan.options;
        match &options.ends {
            Some(ends) => ends.get(ends.partition_point(|&end| end <= start)).copied(),
            None => start.checked_add(options.batch_len),
        }
        .map_or(self.n_items, |end| end.min(self.n_items))
    }

    /// Where the last batch ends of the group that begins at `start`.
    fn end_of_group(&self, start: usize) -> usize {
        let mut end = self.end_of_batch(start);
        while end < self.n_items {
            let next = self.end_of_batch(end);
            if next - start > self.group_len {
                break;
            }
            end = next;
        }
        end
    }

    /// The group that begins at `start`, while the one behind it is read ahead.
    fn next_group(&mut self, start: usize) -> Result<Group> {
        let here = start..self.end_of_group(start);
        let ahead = self.next.take().filter(|ahead| ahead.process == std::process::id());
        let group = match ahead {
            Some(ahead) => {
                let group = gate::aside(|| ahead.thread.join());
                group.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?
            }
            None => self.plan.read(here.clone(), here.end == self.end_of_batch(start))?,
        };
        if here.end < self.n_items {
            let (plan, behind) = (Arc::clone(&self.plan), here.end..self.end_of_group(here.end));
            let is_batch = behind.end == self.end_of_batch(behind.start);
            let read = move || {
                let _working = gate::enter();
                plan.read(behind, is_batch)
            };
            let thread = std::thread::Builder::new().name("stook".to_owned()).spawn(read);
            // Where the system grants no thread, the group is read when it is asked for.
            let process = std::process::id();
            self.next = thread.ok().map(|thread| Ahead { thread, process });
        }
        Ok(group)
    }
}

/// Items that are worth a read of their own.
const WORTH_A_READ: usize = 256;

impl Iterator for Scan {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.n_items {
            return None;
        }
        let batch = self.batch();
        if batch.is_err() {
            // Behind an error there is nothing.
            self.at = self.n_items;
        }
        Some(batch)
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        if let Some(ahead) = self.next.take()
            && ahead.process == std::process::id()
        {
            // What it read is wanted by nobody.
            let _ = gate::aside(|| ahead.thread.join());
        }
    }
}

impl Plan {
    fn along(&self) -> Result<Picks<'_>> {
        let axis = self.options.axis;
        Picks::new(self.options.items.as_deref(), axis.of(self.lens), axis)
    }

    fn across(&self) -> Result<Picks<'_>> {
        let axis = self.options.axis.other();
        Picks::new(self.options.across.as_deref(), axis.of(self.lens), axis)
    }

    fn expect_ends(&self, n_items: usize) -> Result<()> {
        let Some(ends) = &self.options.ends else { return Ok(()) };
        let last = ends.last().copied().unwrap_or(0);
        if last == n_items && ends.first() != Some(&0) && ends.is_sorted_by(|a, b| a < b) {
            return Ok(());
        }
        Err(Error::invalid(format!("the ends of batches do not rise to the {n_items} items")))
    }

    fn indices(&self, range: Range<usize>) -> Vec<u64> {
        match &self.options.items {
            Some(items) => items.get(range).unwrap_or_default().to_vec(),
            None => (range.start as u64..range.end as u64).collect(),
        }
    }

    /// The elements of a layer, where they are listed in the order of its rows.
    fn listed<'s>(
        &self,
        layer: &Array,
        sparse: Option<&'s Arc<Compressed<'static>>>,
    ) -> Option<&'s Compressed<'static>> {
        let sparse = sparse?;
        let is_fit = sparse.major() == Axis::Rows
            && sparse.is_in_order()
            && sparse.lens().map(|len| len as u64) == self.lens
            && sparse.numbers().dtype() == layer.dtype();
        is_fit.then_some(&**sparse)
    }

    fn read_tiles<T: Number>(&self, layer: &Array, selection: &Selection) -> Result<Vec<T>> {
        let spec = layer.spec();
        let n = selection.result_shape(spec.shape(), &spec.grid)?.iter().product::<u64>();
        let Some(mut numbers) = usize::try_from(n).ok().and_then(|n| self.buffers.take::<T>(n))
        else {
            return layer.read_as::<T>(selection);
        };
        layer.read_elements_into(selection, &mut numbers)?;
        Ok(numbers)
    }

    fn read_listed<T: Number>(
        &self,
        sparse: &Compressed<'_>,
        axes: [&AxisSelection; 2],
    ) -> Result<Vec<T>> {
        let [n_rows, n_columns] = self.lens;
        let n_rows = positions(axes[0], n_rows)?.len();
        let n = n_rows.checked_mul(positions(axes[1], n_columns)?.len());
        let n = n.ok_or_else(|| Error::limit("a batch exceeds the memory there is"))?;
        let mut items = Vec::new();
        items
            .try_reserve_exact(n)
            .map_err(|error| Error::limit("a batch exceeds memory").with_source(error))?;
        items.resize(n, T::default());
        read_box(sparse, axes, &mut items)?;
        Ok(items)
    }

    /// Reads the items of `range`: those of one batch, or of several.
    fn read(&self, range: Range<usize>, is_batch: bool) -> Result<Group> {
        let along = self.along()?.source(range.start as u64..range.end as u64);
        let across = self.across()?;
        let across = across.source(0..across.len());
        let (axes, places, width) = match self.options.axis {
            Axis::Rows => ([along.0, across.0], [along.1, across.1], across.2),
            Axis::Columns => ([across.0, along.0], [across.1, along.1], along.2),
        };
        let selection = Selection::Axes(axes.to_vec());
        let lens = [&axes[0], &axes[1]];
        let read = |(at, layer): (usize, &Array)| {
            let sparse = self.options.sparse.get(at).and_then(Option::as_ref);
            let numbers = with_number_type!(&layer.dtype(), T => match self.listed(layer, sparse) {
                Some(sparse) => self.read_listed::<T>(sparse, lens).map(T::into_numbers),
                None => self.read_tiles::<T>(layer, &selection).map(T::into_numbers),
            })?;
            Ok(Block { numbers, width, places: places.clone() })
        };
        let layers = self.layers.iter().enumerate().map(read);
        let mut layers = layers.collect::<Result<Vec<_>>>()?;
        if is_batch {
            // In its order before it is asked for.
            layers = layers.into_iter().map(Block::in_order).collect::<Result<_>>()?;
        }
        Ok(Group { range, layers })
    }
}

impl Block {
    /// The same rows and columns, where they belong.
    fn in_order(self) -> Result<Self> {
        let dense = self.into_dense()?;
        let lens = dense.lens();
        let places = lens.map(|len| (0..len as u32).collect());
        Ok(Self { numbers: dense.into_numbers(), width: lens[1], places })
    }

    fn into_dense(self) -> Result<Dense<'static>> {
        let lens = [self.places[0].len(), self.places[1].len()];
        let is_same = run_of(&self.places[0]) == Some(0..lens[0])
            && run_of(&self.places[1]) == Some(0..lens[1])
            && self.width == lens[1];
        if is_same && self.numbers.len() == lens[0] * lens[1] {
            return Dense::new(lens, self.numbers);
        }
        self.part(Axis::Rows, 0..lens[0])
    }

    /// The items of `range` along `axis`.
    fn part(&self, axis: Axis, range: Range<usize>) -> Result<Dense<'static>> {
        let [rows, columns] = &self.places;
        let (rows, columns) = match axis {
            Axis::Rows => (rows.get(range).unwrap_or_default(), columns.as_slice()),
            Axis::Columns => (rows.as_slice(), columns.get(range).unwrap_or_default()),
        };
        let n = rows.len().checked_mul(columns.len());
        let n = n.ok_or_else(|| Error::limit("a batch exceeds the memory there is"))?;
        let run = run_of(columns);
        with_numbers!(&self.numbers, numbers => {
            let mut part = Vec::new();
            part.try_reserve_exact(n)
                .map_err(|error| Error::limit("a batch exceeds memory").with_source(error))?;
            for &row in rows {
                let start = row as usize * self.width;
                let line = numbers.get(start..start + self.width).unwrap_or_default();
                match &run {
                    Some(run) => {
                        part.extend_from_slice(line.get(run.clone()).unwrap_or_default());
                    }
                    None => part.extend(columns.iter().map(|&column| {
                        line.get(column as usize).copied().unwrap_or_default()
                    })),
                }
            }
            Dense::new([rows.len(), columns.len()], Variant::into_numbers(part))
        })
    }
}
