//! Layers batch by batch, the next one read while Python looks at one.

use std::sync::{Mutex, PoisonError};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use stook::DType;
use stook_loom::fused::{Batch, Scan, ScanOptions};
use stook_loom::{Axis, Loom};

use super::compute::numbers_to_numpy;
use super::making::positions_of;
use crate::enter::{enter, invalid};
use crate::lend;

/// What is scanned: items along an axis, where each batch of them ends, and positions across it.
pub(super) type Scanned<'py> = (
    Option<PyReadonlyArray1<'py, i64>>,
    PyReadonlyArray1<'py, i64>,
    Option<PyReadonlyArray1<'py, i64>>,
);

/// A scan that is under way.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct LoomScan(Mutex<Scan>);

impl LoomScan {
    /// Begins to scan layers of a loom that nobody changes meanwhile.
    pub(super) fn new(
        py: Python<'_>,
        loom: &Loom,
        layers: &[String],
        axis: Axis,
        (items, ends, across): &Scanned<'_>,
    ) -> PyResult<Self> {
        let mut options = ScanOptions::new(axis);
        options.memory_len_bytes = loom.options().budget_len_bytes as u64;
        if let Some(items) = items {
            options = options.items(positions_of(py, items)?);
        }
        if let Some(across) = across {
            options = options.across(positions_of(py, across)?);
        }
        let end = |end| usize::try_from(end).map_err(|_| invalid(py, "a batch ends too far"));
        let ends = positions_of(py, ends)?.into_iter().map(end).collect::<PyResult<Vec<_>>>()?;
        let scan = enter(py, || {
            let arrays = layers.iter().map(|name| loom.layer_array(name));
            let sparse = layers.iter().map(|name| match axis {
                Axis::Rows => loom.sparse_elements(name),
                // Batches of columns out of rows take twice the time that their tiles take.
                Axis::Columns => Ok(None),
            });
            let options = options.ends(ends).sparse(sparse.collect::<stook::Result<_>>()?);
            Scan::new(arrays.collect::<stook::Result<_>>()?, options)
        })?;
        Ok(Self(Mutex::new(scan)))
    }
}

#[pymethods]
impl LoomScan {
    /// The elements of each layer in the next batch; `None` behind the last one. Of `float16` they
    /// are `float32`.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let (batch, buffers) = enter(py, || {
            let mut scan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((scan.next().transpose()?, scan.buffers()))
        })?;
        let Some(Batch { layers, .. }) = batch else { return Ok(None) };
        let layers = layers.into_iter().map(|layer| {
            let [n_rows, n_columns] = layer.lens();
            let is_own = n_rows > 0 && n_columns > 0 && layer.numbers().dtype() != DType::Float16;
            if is_own {
                let batch = ([n_rows, n_columns], layer.into_numbers());
                return lend::batched(py, batch, buffers.clone());
            }
            numbers_to_numpy(py, layer.into_numbers()).call_method1("reshape", (n_rows, n_columns))
        });
        layers.collect::<PyResult<_>>().map(Some)
    }
}
