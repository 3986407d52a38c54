//! Labels as Python objects and back.

use std::sync::Arc;

use numpy::{PyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString};
use stook_labelled::{Label, Labels};

use crate::enter::raise;
use crate::memory::numpy;
use crate::{lend, values};

/// `datetime.date`, or another name of that module.
fn datetime<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("datetime").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// The day that is number 1 for Python is this many days before 1970-01-01.
const FIRST_DAY: i64 = 719_163;

/// The label that an object is: a scalar of Python or of numpy, a date, `None`.
pub(super) fn from_object(object: &Bound<'_, PyAny>) -> PyResult<Label> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Label::from(text.to_str()?));
    }
    if let Ok(value) = object.cast_exact::<PyInt>() {
        return integer(value);
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Label::Bool(value.is_true()));
    }
    if object.is_none() {
        return Ok(Label::None);
    }
    let py = object.py();
    if object.is_instance(&numpy(py, "generic")?)? {
        let one = numpy(py, "asarray")?.call1((object,))?.call_method1("reshape", (1,))?;
        let label = from_array(&one)?.get(0);
        return label.ok_or_else(|| no_label(object));
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        return Ok(Label::Float(value.value()));
    }
    if let Ok(value) = object.cast::<PyInt>() {
        return integer(value);
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Label::from(bytes.as_bytes()));
    }
    if object.is_instance(&datetime(py, "datetime")?)? {
        let time = numpy(py, "datetime64")?.call1((object, "us"))?;
        return from_object(&time);
    }
    if object.is_instance(&datetime(py, "date")?)? {
        let day: i64 = object.call_method0("toordinal")?.extract()?;
        return Ok(Label::Date(day - FIRST_DAY));
    }
    Err(no_label(object))
}

fn integer(value: &Bound<'_, PyInt>) -> PyResult<Label> {
    if let Ok(value) = value.extract::<i64>() {
        return Ok(Label::Int(value));
    }
    value.extract::<u64>().map(Label::from).map_err(|_| no_label(value))
}

fn no_label(object: &Bound<'_, PyAny>) -> PyErr {
    let shown = object.str().map_or_else(|_| String::new(), |text| text.to_string());
    PyTypeError::new_err(format!(
        "{shown} has an invalid type ({}) for a key",
        object.get_type().name().map_or_else(|_| String::new(), |name| name.to_string())
    ))
}

/// The object that a label is, as an array of such labels has it.
pub(super) fn to_object<'py>(py: Python<'py>, label: &Label) -> PyResult<Bound<'py, PyAny>> {
    Ok(match label {
        Label::None => py.None().into_bound(py),
        Label::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Label::Int(value) => value.into_pyobject(py)?.into_any(),
        Label::UInt(value) => value.into_pyobject(py)?.into_any(),
        Label::Float(value) => PyFloat::new(py, *value).into_any(),
        Label::Str(text) => PyString::new(py, text).into_any(),
        Label::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Label::Date(days) => {
            datetime(py, "date")?.call_method1("fromordinal", (days + FIRST_DAY,))?
        }
        other => {
            let one = Labels::from_labels(vec![other.clone()]);
            to_array(py, &one)?.get_item(0)?
        }
    })
}

/// The labels of an array of one dimension, in its dtype; objects one by one.
pub(super) fn from_array(array: &Bound<'_, PyAny>) -> PyResult<Labels> {
    let py = array.py();
    let untyped = array.cast::<PyUntypedArray>()?;
    if untyped.dtype().getattr("hasobject")?.is_truthy()? {
        let objects = array.call_method0("tolist")?;
        let labels = objects.cast::<PyList>()?.iter().map(|object| from_object(&object));
        return Ok(Labels::mixed(labels.collect::<PyResult<_>>()?));
    }
    let values = values::from_any_array(array)?;
    Labels::from_values(values).map_err(|error| raise(py, &error))
}

/// The labels as an array: where they lie, if numpy has a dtype for them.
pub(super) fn to_array<'py>(py: Python<'py>, labels: &Labels) -> PyResult<Bound<'py, PyAny>> {
    match labels.to_values().map_err(|error| raise(py, &error))? {
        Some(values) => lend::held(py, Arc::clone(&values)),
        None => {
            let objects = labels.iter().map(|label| to_object(py, &label).map(Bound::unbind));
            let objects: Vec<Py<PyAny>> = objects.collect::<PyResult<_>>()?;
            Ok(PyArray1::from_vec(py, objects).into_any())
        }
    }
}
