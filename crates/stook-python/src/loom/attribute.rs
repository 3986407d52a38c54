//! Attributes as numpy arrays and back.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use stook::{DType, Values};
use stook_loom::AttributeMap;

use crate::values;

/// The values of an array; objects are text.
pub(super) fn from_numpy(array: &Bound<'_, PyAny>) -> PyResult<Values> {
    if array.cast::<PyUntypedArray>()?.dtype().kind() == b'O' {
        return values::from_array(&DType::string(), array);
    }
    values::from_any_array(array)
}

/// The same of a dict.
pub(super) fn map_from_numpy(attributes: &Bound<'_, PyDict>) -> PyResult<AttributeMap> {
    attributes
        .iter()
        .map(|(name, array)| Ok((name.extract::<String>()?, from_numpy(&array)?)))
        .collect()
}

/// Values as an array, text as objects whose dtype says no more.
pub(super) fn to_numpy<'py>(py: Python<'py>, values: &Values) -> PyResult<Bound<'py, PyAny>> {
    let array = values::to_array_or_scalar(py, values)?;
    match values.dtype() {
        DType::String(_) if !values.shape().is_empty() => array.call_method1("view", ("O",)),
        _ => Ok(array),
    }
}
