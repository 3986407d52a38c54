//! Appending to arrays that grow. What fits into memory is copied with the GIL held, which is
//! quicker than letting it go.

use std::sync::{Arc, PoisonError, RwLock};

use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use stook::{DType, Error, NodePath};
use stook_nodes::Appender;

use super::Slot;
use crate::dtype::to_numpy;
use crate::enter::{enter, raise};
use crate::memory::{bytes, numpy};
use crate::tree::{Tree, closed};

/// The appender of a handle; gone once its file is closed.
pub(crate) type RowsSlot = RwLock<Option<Appender>>;

/// The way of rows into an array.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct Rows {
    slot: Arc<RowsSlot>,
    tree: Py<Tree>,
    dtype: Py<PyArrayDescr>,
    row_shape: Vec<usize>,
    is_writable: bool,
}

impl Rows {
    pub(super) fn new(
        py: Python<'_>,
        appender: Appender,
        tree: Py<Tree>,
    ) -> PyResult<(Self, Arc<RowsSlot>)> {
        let dtype = to_numpy(py, appender.dtype())?.cast_into::<PyArrayDescr>()?.unbind();
        let row_shape = appender.row_shape().iter().map(|&len| len as usize).collect();
        let slot = Arc::new(RwLock::new(Some(appender)));
        let is_writable = tree.get().is_writable();
        Ok((Self { slot: Arc::clone(&slot), tree, dtype, row_shape, is_writable }, slot))
    }

    /// How many rows an array of `shape` is: one without the axis that grows, else its length.
    /// Axes of length one behind the first may be missing, or be too many.
    fn n_rows(&self, shape: &[usize]) -> Option<usize> {
        let row = self.row_shape.as_slice();
        if shape == row {
            return Some(1);
        }
        let (n, rest) = shape.split_first()?;
        let is_row = rest == row || {
            let long =
                |shape: &[usize]| shape.iter().copied().filter(|&len| len != 1).collect::<Vec<_>>();
            long(rest) == long(row)
        };
        is_row.then_some(*n)
    }

    /// `data` as an array of this one's dtype, where that loses no kind of value, in one piece.
    fn adapted<'py>(
        &self,
        data: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Bound<'py, PyUntypedArray>> {
        let py = data.py();
        let dtype = self.dtype.bind(py);
        let may = numpy(py, "can_cast")?.call1((data.dtype(), dtype, "same_kind"))?;
        if !may.extract::<bool>()? {
            let (found, expected) = (data.dtype(), dtype);
            let message = format!("items of dtype {found} cannot be appended as {expected}");
            return Err(PyTypeError::new_err(message));
        }
        Ok(numpy(py, "ascontiguousarray")?.call1((data, dtype))?.cast_into()?)
    }
}

#[pymethods]
impl Rows {
    /// Appends an array: one row, or several along its first axis.
    #[pyo3(signature = (data, expand=true))]
    fn append(&self, py: Python<'_>, data: &Bound<'_, PyAny>, expand: bool) -> PyResult<()> {
        let _ = expand;
        let Ok(data) = data.cast::<PyUntypedArray>() else {
            return Err(PyTypeError::new_err("The appended object should be a ndarray"));
        };
        let Some(n) = self.n_rows(data.shape()) else {
            let (row, found) = (&self.row_shape, data.shape());
            let message =
                format!("expected a row of shape {row:?}, or rows of it, found {found:?}");
            return Err(raise(py, &Error::invalid(message)));
        };
        let is_own = data.dtype().is_equiv_to(self.dtype.bind(py));
        let adapted;
        let data = if is_own && data.is_c_contiguous() {
            data
        } else {
            adapted = self.adapted(data)?;
            &adapted
        };
        self.tree.get().check(py)?;
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let Some(appender) = &*slot else { return Err(closed(py)) };
        if !self.is_writable {
            let error = Error::read_only("the file was opened for reading only");
            return Err(raise(py, &error));
        }
        let rows = bytes(data);
        if appender.append_to_memory(rows) {
            return Ok(());
        }
        let appender = appender.clone();
        drop(slot);
        enter(py, || appender.append(rows, n as u64))
    }

    /// The shape, with what is not stored yet.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let appender = slot.clone().ok_or_else(|| closed(py))?;
        drop(slot);
        PyTuple::new(py, py.detach(|| appender.shape()))
    }

    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> Bound<'py, PyArrayDescr> {
        self.dtype.bind(py).clone()
    }
}

/// The way of rows of different lengths into an array.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct Ragged {
    slot: Arc<Slot>,
    node: NodePath,
    item: DType,
    tree: Py<Tree>,
}

impl Ragged {
    pub(super) fn new(slot: Arc<Slot>, node: NodePath, item: DType, tree: Py<Tree>) -> Self {
        Self { slot, node, item, tree }
    }

    fn append_bytes(&self, py: Python<'_>, row: &[u8]) -> PyResult<()> {
        self.tree.get().check(py)?;
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let acquisition = slot.clone().ok_or_else(|| closed(py))?;
        drop(slot);
        enter(py, || acquisition.append_row(&self.node, row))
    }
}

#[pymethods]
impl Ragged {
    /// Appends a row: an array of one axis.
    fn append(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = data.py();
        let dtype = to_numpy(py, &self.item)?;
        let array = numpy(py, "asarray")?.call1((data,))?;
        let may = numpy(py, "can_cast")?.call1((array.getattr("dtype")?, &dtype, "same_kind"))?;
        let is_empty = array.getattr("size")?.extract::<usize>()? == 0;
        if !may.extract::<bool>()? && !is_empty {
            let found = array.getattr("dtype")?;
            let message = format!("items of dtype {found} cannot be appended as {dtype}");
            return Err(PyTypeError::new_err(message));
        }
        let array = numpy(py, "ascontiguousarray")?.call1((array, &dtype))?;
        let array = array.cast_into::<PyUntypedArray>()?;
        if array.ndim() > 1 {
            let message = format!("expected a row of one axis, found shape {:?}", array.shape());
            return Err(raise(py, &Error::invalid(message)));
        }
        self.append_bytes(py, bytes(&array))
    }

    /// Appends a text, as its pickle.
    fn append_text(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        self.append_bytes(py, &stook_nodes::pickled(text))
    }

    /// Appends a row of bytes.
    fn append_pickle(&self, row: &Bound<'_, PyBytes>) -> PyResult<()> {
        self.append_bytes(row.py(), row.as_bytes())
    }

    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_numpy(py, &self.item)
    }
}
