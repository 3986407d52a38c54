//! The way from Python into the library and back: without the GIL, errors as exceptions.
//!
//! Every call is at work in the sense of the library's gate, so that a fork finds no lock taken,
//! and asks for signals now and then, so that Ctrl-C ends it.

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use stook::{Error, ErrorKind, gate};

/// How often a call asks for signals.
const PERIOD: Duration = Duration::from_millis(50);

thread_local! {
    /// When this thread asks next; `None` where it is no thread of Python in a call.
    static NEXT: Cell<Option<Instant>> = const { Cell::new(None) };
    /// What a signal raised.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Runs `work` without the GIL. A signal that comes meanwhile (Ctrl-C) ends it at its next
/// checkpoint, and is raised.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> stook::Result<T> + Send,
) -> PyResult<T> {
    let outer = NEXT.replace(Some(Instant::now() + PERIOD));
    let result = py.detach(|| {
        let _working = gate::enter();
        work()
    });
    NEXT.set(outer);
    if let Some(error) = RAISED.take() {
        return Err(error);
    }
    py.check_signals()?;
    result.map_err(|error| raise(py, &error))
}

/// Calls back into Python from within a call.
pub(crate) fn attach<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> stook::Result<T> {
    gate::aside(|| Python::attach(work)).map_err(|error| {
        RAISED.replace(Some(error));
        Error::new(ErrorKind::Io, "interrupted")
    })
}

/// What the library does at its checkpoints.
fn poll() -> stook::Result<()> {
    let Some(next) = NEXT.get() else { return Ok(()) };
    let now = Instant::now();
    if now < next {
        return Ok(());
    }
    let asked = attach(|py| py.check_signals());
    NEXT.set(Some(Instant::now() + PERIOD));
    asked
}

/// Prepares this process for calls that can be interrupted.
pub(crate) fn install() {
    gate::install_hook(poll);
}

/// The exception for `error`: a Python class that also is the builtin a user expects.
///
/// What a store that is written in Python raised is its cause, and so is its class, so that who
/// expects that exception catches it. What is no `Exception` (an interrupt) is raised as it is.
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
    let (mut causes, mut raised) = (Vec::new(), None);
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        raised = raised.or_else(|| cause.downcast_ref::<PyErr>());
        next = cause.source();
    }
    if let Some(raised) = raised
        && !raised.is_instance_of::<PyException>(py)
    {
        return Ok(raised.clone_ref(py));
    }
    let cause = raised.map(|raised| raised.value(py));
    let at = (file, node, at.chunk.clone());
    let arguments = (kind, error.message(), at, error.hint(), causes, cause);
    let exception = PyErr::from_value(make.bind(py).call1(arguments)?);
    exception.set_cause(py, raised.map(|raised| raised.clone_ref(py)));
    Ok(exception)
}
