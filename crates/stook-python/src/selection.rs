//! Selections as the Python half spells them: a kind and a tuple.

use numpy::{PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyInt, PySlice, PyTuple};
use stook::{ArraySpec, AxisSelection, Selection};

use crate::enter::{invalid, raise_selection};

/// A selection of `kind`:
/// - `axes`: an integer, slice, `...`, 1-d `int64` or `bool` array an axis;
/// - `blocks`: an integer, slice or `...` an axis;
/// - `points`: the shape of the result, then a 1-d `int64` array an axis;
/// - `mask`: one contiguous 1-d `bool` array.
pub(crate) fn parse(kind: &str, parts: &Bound<'_, PyTuple>) -> PyResult<Selection> {
    let py = parts.py();
    match kind {
        "axes" => {
            parts.iter().map(|part| axis(&part)).collect::<PyResult<_>>().map(Selection::Axes)
        }
        "blocks" => {
            parts.iter().map(|part| axis(&part)).collect::<PyResult<_>>().map(Selection::Blocks)
        }
        "points" => {
            let shape = parts.get_item(0)?.extract()?;
            let coordinates = parts.iter().skip(1).map(|part| list(&part));
            Ok(Selection::Points { coordinates: coordinates.collect::<PyResult<_>>()?, shape })
        }
        "mask" => mask(&parts.get_item(0)?).map(Selection::Mask),
        other => Err(invalid(py, format!("selection of kind `{other}`"))),
    }
}

fn axis(part: &Bound<'_, PyAny>) -> PyResult<AxisSelection> {
    if part.is_instance_of::<PyInt>() {
        return index(part).map(AxisSelection::Index);
    }
    if part.is_instance_of::<PySlice>() {
        let end = |name: &str| {
            let end = part.getattr(name)?;
            if end.is_none() { Ok(None) } else { clipped(&end).map(Some) }
        };
        let step = end("step")?.unwrap_or(1);
        return Ok(AxisSelection::Slice { start: end("start")?, stop: end("stop")?, step });
    }
    if part.is_instance_of::<PyEllipsis>() {
        return Ok(AxisSelection::Ellipsis);
    }
    if let Ok(array) = part.cast::<PyUntypedArray>() {
        let is_mask = array.dtype().getattr("kind")?.extract::<char>()? == 'b';
        return if is_mask {
            mask(part).map(AxisSelection::Mask)
        } else {
            list(part).map(AxisSelection::List)
        };
    }
    index(part).map(AxisSelection::Index)
}

/// An index; one beyond all arrays is out of bounds for each of them.
fn index(part: &Bound<'_, PyAny>) -> PyResult<i64> {
    clipped(part)
}

/// The integer that an object stands for (`__index__`), clipped as Python clips slices.
fn clipped(part: &Bound<'_, PyAny>) -> PyResult<i64> {
    let wide = part.call_method0(pyo3::intern!(part.py(), "__index__"))?;
    match wide.extract::<i64>() {
        Ok(value) => Ok(value),
        Err(_) => Ok(if wide.lt(0)? { i64::MIN } else { i64::MAX }),
    }
}

fn list(part: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let array: PyReadonlyArray1<'_, i64> = part.extract()?;
    Ok(array.as_array().to_vec())
}

fn mask(part: &Bound<'_, PyAny>) -> PyResult<Vec<bool>> {
    // Viewed as bytes: a bool of numpy may be any byte.
    let bytes = part.call_method1("view", ("u1",))?;
    let bytes: PyReadonlyArray1<'_, u8> = bytes.extract()?;
    Ok(bytes.as_array().iter().map(|&byte| byte != 0).collect())
}

/// The shape of what `selection` selects of an array.
pub(crate) fn result_shape(
    py: Python<'_>,
    selection: &Selection,
    spec: &ArraySpec,
) -> PyResult<Vec<u64>> {
    selection.result_shape(spec.shape(), &spec.grid).map_err(|error| raise_selection(py, &error))
}
