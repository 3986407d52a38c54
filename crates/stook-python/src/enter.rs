//! The way from Python into the library and back: without the GIL, errors as exceptions.

use std::error::Error as _;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use stook::{Error, ErrorKind};

/// Runs `work` without the GIL; signals that came meanwhile (Ctrl-C) are raised after it.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> stook::Result<T> + Send,
) -> PyResult<T> {
    let result = py.detach(work);
    py.check_signals()?;
    result.map_err(|error| raise(py, &error))
}

/// The exception for `error`: a Python class that also is the builtin a user expects.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error, error.kind().as_str()).unwrap_or_else(|failure| failure)
}

/// The exception for a selection that does not fit its array, which numpy calls an `IndexError`.
pub(crate) fn raise_selection(py: Python<'_>, error: &Error) -> PyErr {
    let kind = match error.kind() {
        ErrorKind::InvalidInput => "selection",
        other => other.as_str(),
    };
    exception(py, error, kind).unwrap_or_else(|failure| failure)
}

/// Something wrong that was found in this crate, before the library was asked.
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, &Error::invalid(message))
}

fn exception(py: Python<'_>, error: &Error, kind: &str) -> PyResult<PyErr> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(py, || {
        py.import("stook._errors")?.getattr("_from_native").map(Bound::unbind)
    })?;
    let at = error.location();
    let file = at.file.as_ref().map(|file| file.to_string_lossy().into_owned());
    let node = at.node.as_ref().map(|node| node.as_str());
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let arguments = (kind, error.message(), file, node, at.chunk.clone(), error.hint(), causes);
    Ok(PyErr::from_value(make.bind(py).call1(arguments)?))
}
