//! An open array: any selection of it read and written, whatever its format.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::chunk::ChunkSource;
use crate::dtype::DType;
use crate::element::{self, Element};
use crate::engine::{Engine, Io, Pipeline, Target, View, ViewMut};
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::path::NodePath;
use crate::selection::{AxisSelection, Selection};
use crate::spec::ArraySpec;
use crate::values::{Values, byte_len};

/// How often a shape that others change meanwhile is to be changed.
const MAX_TRIES: usize = 1000;

/// What becomes of chunks that are written with nothing but the fill value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EmptyChunks {
    /// Where the format can tell a missing chunk from a stored one, they are removed.
    #[default]
    Skipped,
    /// They are stored like any other.
    Written,
}

/// An open array. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Array {
    source: Arc<dyn ChunkSource>,
    engine: Arc<Engine>,
    /// Built at the first use, so that an array with a codec that is not known still opens.
    pipeline: Arc<OnceLock<Pipeline>>,
    file: Arc<Path>,
    node: NodePath,
    empty_chunks: EmptyChunks,
}

impl Array {
    /// The array that `source` stores, at `node` of `file` (named in errors).
    #[must_use]
    pub fn new(source: Arc<dyn ChunkSource>, file: impl AsRef<Path>, node: NodePath) -> Self {
        let (engine, file) = (Engine::global(), Arc::from(file.as_ref()));
        let empty_chunks = EmptyChunks::default();
        Self { source, engine, pipeline: Arc::default(), file, node, empty_chunks }
    }

    /// The same array with the settings and cache of `engine`.
    #[must_use]
    pub fn with_engine(mut self, engine: Arc<Engine>) -> Self {
        self.engine = engine;
        self
    }

    /// The same array, whose chunks of nothing but the fill value are stored or not. This is a
    /// setting of the handle, not of the array.
    #[must_use]
    pub fn with_empty_chunks(mut self, empty_chunks: EmptyChunks) -> Self {
        self.empty_chunks = empty_chunks;
        self
    }

    /// What becomes of chunks that are written with nothing but the fill value.
    #[must_use]
    pub fn empty_chunks(&self) -> EmptyChunks {
        self.empty_chunks
    }

    /// Where it is in its tree.
    #[must_use]
    pub fn path(&self) -> &NodePath {
        &self.node
    }

    /// The chunks below.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn ChunkSource> {
        &self.source
    }

    /// Its description, as it is now.
    #[must_use]
    pub fn spec(&self) -> Arc<ArraySpec> {
        self.source.spec()
    }

    /// Its shape, as it is now.
    #[must_use]
    pub fn shape(&self) -> Vec<u64> {
        self.spec().shape().to_vec()
    }

    /// The type of its items.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.spec().dtype.clone()
    }

    /// Reads a selection: C order, native byte order.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit, `Unsupported` for a codec that is not
    /// known, `Corrupt` naming the chunk, `LimitExceeded`, `Io`.
    pub fn read(&self, selection: &Selection) -> Result<Values> {
        self.locate(self.read_values(selection))
    }

    fn read_values(&self, selection: &Selection) -> Result<Values> {
        let spec = self.readable()?;
        let resolved = selection.resolve(spec.shape(), &spec.grid)?;
        let (shape, item) = (resolved.shape(), spec.dtype.item_size());
        let mut items = memory::zeroed::<u8>(byte_len(&shape, item)?)?;
        let view = ViewMut::new(&mut items, &shape, item)?;
        let target = Target::new(&view, item, true);
        self.io(&spec)?.read(&resolved, &target)?;
        let heap = target.into_heap();
        Values::new(spec.dtype.clone(), shape, items, heap)
    }

    /// Reads a selection into `out`, which has its shape, without a copy in between. The items
    /// are of the array's dtype, in native byte order.
    ///
    /// # Errors
    /// As [`Array::read`]; `InvalidInput` also if the shape of `out` or the size of its items is
    /// another, or the items vary in length.
    pub fn read_into(&self, selection: &Selection, out: &mut ViewMut<'_>) -> Result<()> {
        self.locate(self.read_view(selection, out))
    }

    fn read_view(&self, selection: &Selection, out: &mut ViewMut<'_>) -> Result<()> {
        let spec = self.readable()?;
        if spec.dtype.has_heap() {
            return Err(Error::invalid(format!("items of type {} have no fixed size", spec.dtype)));
        }
        out.check_item_size(spec.dtype.item_size())?;
        let resolved = selection.resolve(spec.shape(), &spec.grid)?;
        check_shape(&resolved.shape(), out.shape())?;
        let target = Target::new(out, spec.dtype.item_size(), false);
        self.io(&spec)?.read(&resolved, &target)
    }

    /// Reads a selection as Rust numbers: the elements in C order.
    ///
    /// # Errors
    /// As [`Array::read`]; `InvalidInput` also if the array's dtype is not that of `T`.
    pub fn read_as<T: Element>(&self, selection: &Selection) -> Result<Vec<T>> {
        self.locate(self.read_elements(selection))
    }

    fn read_elements<T: Element>(&self, selection: &Selection) -> Result<Vec<T>> {
        let spec = self.readable()?;
        check_dtype(&spec.dtype, &T::DTYPE)?;
        let resolved = selection.resolve(spec.shape(), &spec.grid)?;
        let (shape, item) = (resolved.shape(), spec.dtype.item_size());
        let n = byte_len(&shape, item)? / item.max(1);
        let mut elements = memory::zeroed(n)?;
        let bytes = element::as_bytes_mut(&mut elements);
        // A value that is no `T` must not exist even when reading fails half-way.
        let result = ViewMut::new(&mut *bytes, &shape, item).and_then(|view| {
            let target = Target::new(&view, item, true);
            self.io(&spec)?.read(&resolved, &target)
        });
        if let Err(error) = result.and_then(|()| T::validate(bytes)) {
            bytes.fill(0);
            return Err(error);
        }
        Ok(elements)
    }

    /// Reads a selection as Rust numbers into `out`, which has as many elements: in C order,
    /// without a copy in between.
    ///
    /// # Errors
    /// As [`Array::read_as`]; `InvalidInput` also if `out` has more or fewer elements.
    pub fn read_elements_into<T: Element>(
        &self,
        selection: &Selection,
        out: &mut [T],
    ) -> Result<()> {
        let mut read = || {
            let spec = self.readable()?;
            check_dtype(&spec.dtype, &T::DTYPE)?;
            let shape = selection.result_shape(spec.shape(), &spec.grid)?;
            let bytes = element::as_bytes_mut(&mut *out);
            // A value that is no `T` must not exist even when reading fails half-way.
            let result = ViewMut::new(&mut *bytes, &shape, spec.dtype.item_size())
                .and_then(|mut view| self.read_view(selection, &mut view));
            result.and_then(|()| T::validate(bytes)).inspect_err(|_| bytes.fill(0))
        };
        self.locate(read())
    }

    /// Writes `values`, broadcast to the selection's shape.
    ///
    /// # Errors
    /// `InvalidInput` for a selection, shape or dtype that does not fit, `ReadOnly`,
    /// `Unsupported`, `Corrupt` where a part of a chunk is kept that cannot be read, `Io`.
    pub fn write(&self, selection: &Selection, values: &Values) -> Result<()> {
        let view = || {
            check_dtype(&self.source.spec().dtype, values.dtype())?;
            let item = values.dtype().item_size();
            View::new(values.items(), values.shape(), item, values.heap())
        };
        self.write_from(selection, &self.locate(view())?)
    }

    /// Writes Rust numbers of `shape`, in C order, broadcast to the selection's shape.
    ///
    /// # Errors
    /// As [`Array::write`].
    pub fn write_elements<T: Element>(
        &self,
        selection: &Selection,
        shape: &[u64],
        elements: &[T],
    ) -> Result<()> {
        let view = || {
            check_dtype(&self.source.spec().dtype, &T::DTYPE)?;
            View::new(element::as_bytes(elements), shape, size_of::<T>(), &[])
        };
        self.write_from(selection, &self.locate(view())?)
    }

    /// Writes the items of `view`, which are of the array's dtype in native byte order, broadcast
    /// to the selection's shape, without a copy in between where chunks are whole.
    ///
    /// # Errors
    /// As [`Array::write`].
    pub fn write_from(&self, selection: &Selection, view: &View<'_>) -> Result<()> {
        let write = || {
            let spec = self.readable()?;
            view.check_item_size(spec.dtype.item_size())?;
            let resolved = selection.resolve(spec.shape(), &spec.grid)?;
            let view = view.broadcast_to(&resolved.shape())?;
            self.io(&spec)?.write(&resolved, &view)
        };
        self.locate(write())
    }

    /// Changes the shape; new elements read as the fill value.
    ///
    /// # Errors
    /// `InvalidInput` for another rank or beyond the greatest shape, `ReadOnly`, `Unsupported`,
    /// `Io`.
    pub fn resize(&self, shape: &[u64]) -> Result<()> {
        let resize = || {
            for _ in 0..MAX_TRIES {
                let spec = self.readable()?;
                if shape.len() != spec.shape().len() {
                    let (expected, found) = (spec.shape().len(), shape.len());
                    return Err(Error::invalid(format!(
                        "expected a shape of {expected} axes, found {found}"
                    )));
                }
                // A shape that the source would refuse must not have cost elements by then.
                check_bounds(&spec, shape)?;
                self.clear_cut(&spec, shape)?;
                if self.source.resize_from(spec.shape(), shape)? {
                    return Ok(());
                }
            }
            Err(keeps_changing())
        };
        self.locate(resize())
    }

    /// Fills what a smaller `shape` cuts out of edge chunks, so that it does not come back when
    /// the array grows again.
    fn clear_cut(&self, spec: &ArraySpec, shape: &[u64]) -> Result<()> {
        if spec.contiguous || self.source.values().is_some() {
            return Ok(());
        }
        for (axis, (&old, &new)) in spec.shape().iter().zip(shape).enumerate() {
            // Of a shard that stays, so do the chunks within that come to lie outside.
            let (chunk, within) = spec.write_grid().locate(axis, new);
            let (start, len) = spec.write_grid().extent(axis, chunk);
            if new >= old || within == 0 {
                continue;
            }
            let fill = match &spec.fill_value {
                Some(fill) => fill.clone(),
                None => Values::zeroed(spec.dtype.clone(), Vec::new())?,
            };
            let mut axes = vec![AxisSelection::ALL; axis];
            axes.push(AxisSelection::range(new, old.min(start.saturating_add(len))));
            self.write(&Selection::Axes(axes), &fill)?;
        }
        Ok(())
    }

    /// Appends `values` along `axis`: the array grows by their length there. Nothing changes if
    /// they do not fit.
    ///
    /// Growing and writing are two steps. Where the store can replace a value only if that is
    /// unchanged ([`ByteStore::guard`](crate::ByteStore::guard)), each of several that append at
    /// once, in any thread or process, gets elements of its own; what one that was stopped between
    /// the steps has got reads as the fill value. Elsewhere they must take turns.
    ///
    /// # Errors
    /// As [`Array::resize`] and [`Array::write`].
    pub fn append(&self, values: &Values, axis: usize) -> Result<()> {
        let view = || {
            check_dtype(&self.source.spec().dtype, values.dtype())?;
            let item = values.dtype().item_size();
            View::new(values.items(), values.shape(), item, values.heap())
        };
        self.append_from(&self.locate(view())?, axis)
    }

    /// Appends the items of `view`, which are of the array's dtype in native byte order, along
    /// `axis`, as [`Array::append`] does.
    ///
    /// # Errors
    /// As [`Array::append`].
    pub fn append_from(&self, view: &View<'_>, axis: usize) -> Result<()> {
        let (old, shape) = self.locate(self.grow(view, axis))?;
        let at = old.get(axis).copied().unwrap_or(0);
        let mut axes = vec![AxisSelection::ALL; axis];
        axes.push(AxisSelection::range(at, shape.get(axis).copied().unwrap_or(at)));
        self.write_from(&Selection::Axes(axes), view).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = self.give_back(&shape, &old);
        })
    }

    /// Shrinks the array from `shape` to `old` again, unless somebody has grown it since.
    fn give_back(&self, shape: &[u64], old: &[u64]) -> Result<()> {
        let spec = self.readable()?;
        if spec.shape() == shape {
            self.clear_cut(&spec, old)?;
            self.source.resize_from(shape, old)?;
        }
        Ok(())
    }

    /// Makes room for `view` at the end of `axis`: the shape before and after.
    fn grow(&self, view: &View<'_>, axis: usize) -> Result<(Vec<u64>, Vec<u64>)> {
        for _ in 0..MAX_TRIES {
            let spec = self.readable()?;
            view.check_item_size(spec.dtype.item_size())?;
            let shape = grown(&spec, view.shape(), axis)?;
            check_bounds(&spec, &shape)?;
            if self.source.resize_from(spec.shape(), &shape)? {
                return Ok((spec.shape().to_vec(), shape));
            }
        }
        Err(keeps_changing())
    }

    fn readable(&self) -> Result<Arc<ArraySpec>> {
        let spec = self.source.spec();
        if spec.is_null() {
            return Err(Error::invalid("the array is null: it has a type and no elements"));
        }
        Ok(spec)
    }

    fn io<'a>(&'a self, spec: &'a ArraySpec) -> Result<Io<'a>> {
        let pipeline = match self.pipeline.get() {
            Some(pipeline) => pipeline,
            None if self.source.values().is_some() => {
                // Its library decodes; codecs that only it knows are no error.
                let spec = ArraySpec { codecs: Vec::new(), ..spec.clone() };
                let pipeline = Pipeline::new(&spec)?;
                self.pipeline.get_or_init(|| pipeline)
            }
            None => {
                let pipeline = Pipeline::new(spec)?;
                self.pipeline.get_or_init(|| pipeline)
            }
        };
        let empty_chunks = self.empty_chunks;
        Ok(Io { engine: &self.engine, source: &*self.source, spec, pipeline, empty_chunks })
    }

    fn locate<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.at_node(&self.node).at_file(&*self.file))
    }
}

/// The shape of an array with values of shape `more` behind it along `axis`.
fn grown(spec: &ArraySpec, more: &[u64], axis: usize) -> Result<Vec<u64>> {
    let mut shape = spec.shape().to_vec();
    let pairs = shape.iter().zip(more).enumerate();
    let fits = shape.len() == more.len() && { pairs }.all(|(i, (a, b))| i == axis || a == b);
    let (Some(len), Some(added), true) = (shape.get_mut(axis), more.get(axis), fits) else {
        return Err(Error::invalid(format!(
            "values of shape {more:?} cannot be appended along axis {axis} to shape {:?}",
            spec.shape()
        )));
    };
    *len = len.checked_add(*added).ok_or_else(|| Error::limit("the shape overflows"))?;
    Ok(shape)
}

fn keeps_changing() -> Error {
    let what = format!("the shape was changed {MAX_TRIES} times while it was to be changed");
    Error::new(ErrorKind::Locked, what)
}

/// Checks that `shape` is within what the array may grow to; a grid whose lengths are listed is
/// extended by the format.
fn check_bounds(spec: &ArraySpec, shape: &[u64]) -> Result<()> {
    let max = spec.max_shape.iter().flatten();
    if max.zip(shape).any(|(max, &len)| max.is_some_and(|max| len > max)) {
        return Err(Error::invalid(format!(
            "shape {shape:?} is beyond the greatest shape {:?}",
            spec.max_shape.as_deref().unwrap_or_default()
        )));
    }
    Ok(())
}

fn check_shape(expected: &[u64], found: &[u64]) -> Result<()> {
    if expected != found {
        return Err(Error::invalid(format!(
            "expected memory of shape {expected:?}, found {found:?}"
        )));
    }
    Ok(())
}

fn check_dtype(expected: &DType, found: &DType) -> Result<()> {
    let is_text = |dtype: &DType| matches!(dtype, DType::String(_));
    if expected != found && !(is_text(expected) && is_text(found)) {
        return Err(Error::invalid(format!("expected values of dtype {expected}, found {found}")));
    }
    Ok(())
}
