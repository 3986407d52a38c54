//! Conversion from any format to any other.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use stook::{ConvertOptions, Error, InTheWay, NodeLoss, NodePath, Progress};

use crate::enter::{enter, raise};
use crate::tree::format_of;

/// Copies a tree as the dict `options` says; returns the numbers of groups, arrays, attributes
/// and bytes, and what the target does not hold as the source does, or not at all.
#[pyfunction]
pub(crate) fn convert<'py>(
    py: Python<'py>,
    source: PathBuf,
    target: PathBuf,
    options: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyTuple>> {
    let get = |name: &str| Ok::<_, PyErr>(options.get_item(name)?.filter(|value| !value.is_none()));
    let flag = |name: &str| get(name)?.map_or(Ok(false), |value| value.is_truthy());
    let format = match get("format")? {
        Some(name) => Some(format_of(py, &name.extract::<String>()?)?),
        None => None,
    };
    let node = get("node")?.map_or(Ok("/".to_owned()), |node| node.extract::<String>())?;
    let node = NodePath::parse(&node).map_err(|error| raise(py, &error))?;
    let callback = get("progress")?.map(Bound::unbind);
    let raised: Mutex<Option<PyErr>> = Mutex::new(None);
    let in_the_way = if flag("overwrite")? { InTheWay::Goes } else { InTheWay::Stays };
    let leave_out = flag("leave_out")?;
    let memory: Option<u64> = get("memory")?.map(|memory| memory.extract()).transpose()?;
    let work = || {
        let mut progress = |progress: &Progress| {
            Python::attach(|py| report(py, callback.as_ref(), progress)).map_err(|error| {
                *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Error::invalid("the conversion was interrupted")
            })
        };
        let mut settings = ConvertOptions {
            node,
            format,
            in_the_way,
            leave_out,
            progress: Some(&mut progress),
            ..ConvertOptions::default()
        };
        settings.memory_len_bytes = memory.unwrap_or(settings.memory_len_bytes);
        stook::convert(&source, &target, &mut settings)
    };
    let done = py.detach(work);
    if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let done = enter(py, || done)?;
    let losses = |losses: &[NodeLoss]| -> Vec<(String, String, String)> {
        losses
            .iter()
            .map(|at| (at.node.to_string(), at.loss.what.clone(), at.loss.becomes.clone()))
            .collect()
    };
    let parts = (
        done.n_groups,
        done.n_arrays,
        done.n_attributes,
        done.len_bytes,
        losses(&done.losses),
        losses(&done.left_out),
    );
    parts.into_pyobject(py)
}

/// Lets Ctrl-C end the conversion, and tells the caller how far it is.
fn report(py: Python<'_>, callback: Option<&Py<PyAny>>, progress: &Progress) -> PyResult<()> {
    py.check_signals()?;
    if let Some(callback) = callback {
        let node = progress.node.as_str();
        callback.call1(py, (node, progress.done_len_bytes, progress.total_len_bytes))?;
    }
    Ok(())
}
