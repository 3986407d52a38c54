//! An open array as the Python half sees it.

use std::sync::{Arc, PoisonError, RwLock};

use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};
use stook::stats::StatsOptions;
use stook::{ArraySpec, ChunkGrid, DType};

use crate::dtype::to_numpy;
use crate::enter::{enter, invalid, raise};
use crate::fork::Origin;
use crate::memory::{
    allocate, bytes_mut, is_fillable, numpy, view_items, view_items_mut, view_mut,
};
use crate::tree::closed;
use crate::{codecs, lend, reports, selection, strings, values};

/// The array of a handle, or why it has none any more.
pub(crate) type Slot = RwLock<Result<stook::Array, Away>>;

/// Why a handle has no array.
#[derive(Debug)]
pub(crate) enum Away {
    /// The file was closed.
    Closed,
    /// The file was refreshed, and where the array was there is none, or one of another type.
    Refreshed(stook::Error),
}

impl Away {
    fn raise(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Closed => closed(py),
            Self::Refreshed(error) => raise(py, error),
        }
    }
}

/// An open array.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct Array {
    slot: Arc<Slot>,
    origin: Origin,
    dtype: DType,
    numpy_dtype: PyOnceLock<Py<PyAny>>,
}

impl Array {
    pub(crate) fn new(slot: Arc<Slot>, dtype: DType, origin: Origin) -> Self {
        Self { slot, origin, dtype, numpy_dtype: PyOnceLock::new() }
    }

    fn get(&self, py: Python<'_>) -> PyResult<stook::Array> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().cloned().map_err(|away| away.raise(py))
    }

    /// The array, to be changed.
    fn get_mut(&self, py: Python<'_>) -> PyResult<stook::Array> {
        let array = self.get(py)?;
        self.origin.check(py)?;
        Ok(array)
    }

    fn spec(&self, py: Python<'_>) -> PyResult<Arc<ArraySpec>> {
        Ok(self.get(py)?.spec())
    }

    fn descr<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let dtype = self
            .numpy_dtype
            .get_or_try_init(py, || to_numpy(py, &self.dtype).map(Bound::unbind))?;
        Ok(dtype.bind(py).clone())
    }

    /// Reads into memory of numpy's own.
    fn read_new<'py>(
        &self,
        py: Python<'py>,
        array: &stook::Array,
        selection: &stook::Selection,
        shape: &[u64],
    ) -> PyResult<Bound<'py, PyUntypedArray>> {
        let mut out = allocate(py, shape, &self.descr(py)?, self.dtype.item_size() == 0)?;
        let mut target = view_items_mut(&out, shape.len()).map_err(|error| raise(py, &error))?;
        enter(py, || array.read_into(selection, &mut target))?;
        if strings::has_padding(&self.dtype) {
            strings::from_file(&self.dtype, bytes_mut(&mut out)?);
        }
        Ok(out)
    }

    /// Whether `out` may be filled as it lies.
    fn takes(&self, out: &Bound<'_, PyUntypedArray>) -> PyResult<bool> {
        let own = self.descr(out.py())?;
        let is_own = own.cast::<PyArrayDescr>()?.is_equiv_to(&out.dtype());
        Ok(is_own
            && !self.dtype.has_heap()
            && !strings::has_padding(&self.dtype)
            && is_fillable(out, self.dtype.item_size())?)
    }
}

#[pymethods]
impl Array {
    #[getter]
    fn path(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.get(py)?.path().to_string())
    }

    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.spec(py)?.shape())
    }

    #[getter]
    fn is_null(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.spec(py)?.is_null())
    }

    /// Whether shape and elements stay as they are while the file is open.
    #[getter]
    fn is_fixed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.get(py)?.source().is_fixed())
    }

    #[getter]
    fn max_shape(&self, py: Python<'_>) -> PyResult<Option<Vec<Option<u64>>>> {
        Ok(self.spec(py)?.max_shape.clone())
    }

    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.descr(py)
    }

    /// The name of the type as the library prints it.
    #[getter]
    fn dtype_name(&self) -> String {
        self.dtype.to_string()
    }

    #[getter]
    fn varies(&self) -> bool {
        self.dtype.has_heap()
    }

    #[getter]
    fn chunks<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let spec = self.spec(py)?;
        if spec.contiguous { Ok(None) } else { grid(py, &spec.grid).map(Some) }
    }

    #[getter]
    fn shards<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.spec(py)?.shards.as_ref().map(|shards| grid(py, shards)).transpose()
    }

    #[getter]
    fn codecs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        codecs::to_python(py, &self.spec(py)?.codecs, &self.dtype)
    }

    #[getter]
    fn fill_value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let spec = self.spec(py)?;
        spec.fill_value.as_ref().map(|fill| values::to_array_or_scalar(py, fill)).transpose()
    }

    #[getter]
    fn dimension_names(&self, py: Python<'_>) -> PyResult<Option<Vec<Option<String>>>> {
        Ok(self.spec(py)?.dimension_names.clone())
    }

    /// The number of chunks along each axis.
    #[getter]
    fn grid_shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let spec = self.spec(py)?;
        if spec.contiguous {
            return PyTuple::new(py, vec![1; spec.shape().len()]);
        }
        PyTuple::new(py, spec.grid.counts(spec.shape()))
    }

    fn n_stored(&self, py: Python<'_>) -> PyResult<u64> {
        let array = self.get(py)?;
        enter(py, || array.source().n_stored())
    }

    fn len_stored_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        let array = self.get(py)?;
        enter(py, || array.source().len_stored_bytes())
    }

    /// The items where they lie in a mapped file, as an array of numpy.
    fn mapped<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        lend::mapped(py, self.get(py)?)
    }

    fn stats<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
        memory: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.get(py)?;
        let selection = selection::parse(kind, parts)?;
        let stats = enter(py, || {
            let mut options = StatsOptions { selection, ..StatsOptions::default() };
            options.memory_len_bytes = memory.unwrap_or(options.memory_len_bytes);
            stook::stats::stats(&array, &mut options)
        })?;
        reports::stats_to_python(py, &stats)
    }

    /// The shape of what a selection selects.
    fn result_shape<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let selection = selection::parse(kind, parts)?;
        PyTuple::new(py, selection::result_shape(py, &selection, &*self.spec(py)?)?)
    }

    /// Reads a selection: into a new array, or into `out`.
    #[pyo3(signature = (kind, parts, out=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
        out: Option<&Bound<'py, PyUntypedArray>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.get(py)?;
        let selection = selection::parse(kind, parts)?;
        let shape = selection::result_shape(py, &selection, &array.spec())?;
        if let Some(out) = out {
            let found: Vec<u64> = out.shape().iter().map(|&len| len as u64).collect();
            if found != shape {
                return Err(invalid(py, format!("out: expected shape {shape:?}, found {found:?}")));
            }
            if self.takes(out)? {
                let mut target = view_mut(out).map_err(|error| raise(py, &error))?;
                enter(py, || array.read_into(&selection, &mut target))?;
                return Ok(out.clone().into_any());
            }
            if !out.getattr("flags")?.getattr("writeable")?.extract::<bool>()? {
                return Err(invalid(py, "out: the array is not writeable"));
            }
        }
        let found = if self.dtype.has_heap() {
            let values = enter(py, || array.read(&selection))?;
            values::to_array(py, &values)?
        } else {
            self.read_new(py, &array, &selection, &shape)?.into_any()
        };
        let Some(out) = out else { return Ok(found) };
        let keywords = PyDict::new(py);
        keywords.set_item("casting", "same_kind")?;
        numpy(py, "copyto")?.call((out, found), Some(&keywords))?;
        Ok(out.clone().into_any())
    }

    /// Writes an array of the dtype `self.dtype`, broadcast to the selection.
    fn write<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
        data: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<()> {
        let array = self.get_mut(py)?;
        let selection = selection::parse(kind, parts)?;
        selection::result_shape(py, &selection, &array.spec())?;
        if self.dtype.has_heap() {
            let values = values::from_array(&self.dtype, data)?;
            return enter(py, || array.write(&selection, &values));
        }
        let data = self.padded(&self.items(data)?)?;
        let n_item_axes = n_item_axes(&self.dtype);
        let source = view_items(&data, n_item_axes).map_err(|error| raise(py, &error))?;
        enter(py, || array.write_from(&selection, &source))
    }

    /// Appends an array of the dtype `self.dtype` along an axis.
    fn append<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyUntypedArray>,
        axis: usize,
    ) -> PyResult<()> {
        let array = self.get_mut(py)?;
        if self.dtype.has_heap() {
            let values = values::from_array(&self.dtype, data)?;
            return enter(py, || array.append(&values, axis));
        }
        let data = self.padded(&self.items(data)?)?;
        let n_item_axes = n_item_axes(&self.dtype);
        let source = view_items(&data, n_item_axes).map_err(|error| raise(py, &error))?;
        enter(py, || array.append_from(&source, axis))
    }

    fn resize(&self, py: Python<'_>, shape: Vec<u64>) -> PyResult<()> {
        let array = self.get_mut(py)?;
        enter(py, || array.resize(&shape))
    }
}

impl Array {
    /// The data as they are; of items that are arrays, with the last axes in one piece.
    fn items<'py>(
        &self,
        data: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Bound<'py, PyUntypedArray>> {
        let py = data.py();
        let shape = item_shape(&self.dtype);
        if shape.is_empty() {
            return Ok(data.clone());
        }
        let found: Vec<u64> = data.shape().iter().map(|&len| len as u64).collect();
        if !found.ends_with(&shape) {
            let message = format!("expected items of shape {shape:?}, found an array of {found:?}");
            return Err(invalid(py, message));
        }
        Ok(numpy(py, "ascontiguousarray")?.call1((data,))?.cast_into()?)
    }

    /// The data as it is; a copy with the padding of the file where that is not numpy's.
    fn padded<'py>(
        &self,
        data: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Bound<'py, PyUntypedArray>> {
        if !strings::has_padding(&self.dtype) {
            return Ok(data.clone());
        }
        let keywords = PyDict::new(data.py());
        keywords.set_item("order", "C")?;
        let mut copy: Bound<'py, PyUntypedArray> =
            numpy(data.py(), "array")?.call((data,), Some(&keywords))?.cast_into()?;
        strings::to_file(&self.dtype, bytes_mut(&mut copy)?)
            .map_err(|error| raise(data.py(), &error))?;
        Ok(copy)
    }
}

/// The axes that numpy adds to an array of items of this type.
fn item_shape(dtype: &DType) -> Vec<u64> {
    match dtype {
        DType::Array(array) => [array.shape.as_slice(), &item_shape(&array.item)].concat(),
        _ => Vec::new(),
    }
}

fn n_item_axes(dtype: &DType) -> usize {
    item_shape(dtype).len()
}

/// A chunk shape; of a rectilinear grid, the lengths along each axis.
fn grid<'py>(py: Python<'py>, grid: &ChunkGrid) -> PyResult<Bound<'py, PyTuple>> {
    match grid {
        ChunkGrid::Rectilinear(axes) => {
            let axes = axes.iter().map(|axis| PyTuple::new(py, axis.lengths().collect::<Vec<_>>()));
            PyTuple::new(py, axes.collect::<PyResult<Vec<_>>>()?)
        }
        other => PyTuple::new(py, other.regular_shape().unwrap_or_default()),
    }
}
