//! Attribute values as Python's own types.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyComplex, PyDict, PyList, PySet, PyTuple};
use stook_nodes::{Date, Time, Value};

use crate::attributes;
use crate::memory::numpy;

pub(super) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    let all = |items: &[Value]| -> PyResult<Vec<Bound<'py, PyAny>>> {
        items.iter().map(|item| to_python(py, item)).collect()
    };
    Ok(match value {
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Complex(real, imaginary) => {
            PyComplex::from_doubles(py, *real, *imaginary).into_any()
        }
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Tuple(items) => PyTuple::new(py, all(items)?)?.into_any(),
        Value::List(items) => PyList::new(py, all(items)?)?.into_any(),
        Value::Set(items) => PySet::new(py, all(items)?)?.into_any(),
        Value::Dict(pairs) => {
            let dict = PyDict::new(py);
            for (key, value) in pairs {
                dict.set_item(to_python(py, key)?, to_python(py, value)?)?;
            }
            dict.into_any()
        }
        Value::DateTime(date, time) => {
            let Date { year, month, day } = *date;
            let parts = (year, month, day, time.hour, time.minute, time.second, time.microsecond);
            datetime(py, "datetime")?.call(parts, Some(&zone(py, time)?))?
        }
        Value::Date(Date { year, month, day }) => {
            datetime(py, "date")?.call1((year, month, day))?
        }
        Value::Time(time) => {
            let parts = (time.hour, time.minute, time.second, time.microsecond);
            datetime(py, "time")?.call(parts, Some(&zone(py, time)?))?
        }
        Value::TimeDelta(span) => datetime(py, "timedelta")?.call1((0, 0, span))?,
        // The names are those of a fixed table.
        Value::Scalar(name, value) => numpy(py, name)?.call1((to_python(py, value)?,))?,
        Value::Other(stored) => attributes::to_python(py, stored)?,
        _ => py.None().into_bound(py),
    })
}

fn datetime<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("datetime")?.getattr(name)
}

/// The keywords that say where and which a time is.
fn zone<'py>(py: Python<'py>, time: &Time) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item("fold", u8::from(time.is_second))?;
    if let Some(seconds) = time.zone {
        let ahead = datetime(py, "timedelta")?.call1((0, seconds))?;
        keywords.set_item("tzinfo", datetime(py, "timezone")?.call1((ahead,))?)?;
    }
    Ok(keywords)
}
