//! Attribute values between the library and Python: JSON as Python's own types, typed values as
//! numpy's.

use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};
use stook::{AttributeValue, Error, Format, Values};

use crate::dtype::to_numpy;
use crate::enter::{invalid, raise};
use crate::memory::numpy;
use crate::values;

/// How deep JSON may be nested; Python's own parser has such a bound, too.
const MAX_DEPTH: usize = 128;

pub(crate) fn to_python<'py>(
    py: Python<'py>,
    value: &AttributeValue,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        AttributeValue::Json(value) => json_to_python(py, value),
        AttributeValue::Values(values) => values::to_array_or_scalar(py, values),
        AttributeValue::Null(dtype) => {
            py.import("stook._attributes")?.getattr("Empty")?.call1((to_numpy(py, dtype)?,))
        }
    }
}

/// The same, but of a typed scalar an array without axes, whose dtype says all of its type.
pub(crate) fn to_array<'py>(
    py: Python<'py>,
    value: &AttributeValue,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        AttributeValue::Values(values) => values::to_array(py, values),
        other => to_python(py, other),
    }
}

/// A JSON value as Python's `json` would read it.
pub(crate) fn json_to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => value.into_pyobject(py)?.into_any(),
            (_, Some(value), _) => value.into_pyobject(py)?.into_any(),
            (_, _, value) => PyFloat::new(py, value.unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| json_to_python(py, item));
            PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name, json_to_python(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

/// A Python value as JSON; scalars and arrays of numpy become numbers and lists.
pub(crate) fn json_of(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    json(object, MAX_DEPTH)
}

fn json(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let py = object.py();
    let Some(depth) = depth.checked_sub(1) else {
        return Err(invalid(py, format!("the value is nested more than {MAX_DEPTH} deep")));
    };
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::String(text.to_cow()?.into_owned()));
    }
    if object.is_instance_of::<PyInt>() {
        if let Ok(value) = object.extract::<i64>() {
            return Ok(value.into());
        }
        return match object.extract::<u64>() {
            Ok(value) => Ok(value.into()),
            Err(_) => Err(invalid(py, format!("integer {object} has more than 64 bits"))),
        };
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        let number = Number::from_f64(value.value());
        return number
            .map(Value::Number)
            .ok_or_else(|| invalid(py, format!("JSON has no number {object}")));
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let mut members = Map::new();
        for (key, member) in dict {
            let key =
                key.cast::<PyString>().map_err(|_| invalid(py, format!("key {key} is no str")))?;
            members.insert(key.to_cow()?.into_owned(), json(&member, depth)?);
        }
        return Ok(Value::Object(members));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let items = object.try_iter()?.map(|item| json(&item?, depth));
        return items.collect::<PyResult<_>>().map(Value::Array);
    }
    for (method, module) in [("tolist", "numpy"), ("to_dict", ""), ("get_config", "")] {
        let is_asked = module.is_empty() || is_of_numpy(object)?;
        if is_asked && object.hasattr(method)? {
            return json(&object.call_method0(method)?, depth);
        }
    }
    let found = object.get_type().name()?.to_string();
    Err(invalid(py, format!("a value of type {found} cannot be JSON")))
}

fn is_of_numpy(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.is_instance_of::<PyUntypedArray>()
        || object.is_instance(&numpy(object.py(), "generic")?)?)
}

/// The attribute that a Python value stands for: of numpy's types as they are; of Python's own
/// as JSON where the format has JSON, else as numpy would have them.
pub(crate) fn from_python(object: &Bound<'_, PyAny>, format: Format) -> PyResult<AttributeValue> {
    let py = object.py();
    if object.hasattr("_stook_empty")? {
        let dtype = crate::dtype::from_python(&object.getattr("dtype")?)?;
        return Ok(AttributeValue::Null(dtype));
    }
    let has_json = matches!(format, Format::ZarrV2 | Format::ZarrV3);
    let is_typed = is_of_numpy(object)?;
    if !is_typed
        && (object.is_none()
            || object.is_instance_of::<PyDict>()
            || (has_json && !is_float(object)))
    {
        return json_of(object).map(AttributeValue::Json);
    }
    let array = numpy(py, "asarray")?.call1((object,)).map_err(|error| {
        let message = format!("the attribute is no array: {}", error.value(py));
        raise(py, &Error::invalid(message))
    })?;
    let kind: char = array.getattr("dtype")?.getattr("kind")?.extract()?;
    match kind {
        'U' | 'T' if !has_json || kind == 'T' => text(&array),
        'O' if array.getattr("dtype")?.getattr("metadata")?.is_none() => text(&array),
        _ => values::from_any_array(&array).map(AttributeValue::Values),
    }
}

/// NaN and infinities are no JSON: a float goes as a typed value that the format spells.
fn is_float(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyFloat>().is_ok_and(|value| !value.value().is_finite())
}

/// An array of `str` objects, or of numpy's text.
fn text(array: &Bound<'_, PyAny>) -> PyResult<AttributeValue> {
    let values: Values = values::from_array(&stook::DType::string(), array)?;
    Ok(AttributeValue::Values(values))
}
