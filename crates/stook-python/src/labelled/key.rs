//! Keys of Python as keys of the library.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyInt, PyList, PySlice, PyString, PyTuple};
use stook_labelled::{
    AxisName, AxisRef, Bounds, Group, GroupKey, Key, Label, LabelKey, Labels, PositionKey,
};

use super::axes::LabelledAxis;
use super::label::{from_array, from_object};
use crate::memory::numpy;

/// Some labels, or positions, of an axis: what `LGroup` and `IGroup` hold.
#[pyclass(frozen, subclass, module = "stook._stook")]
pub(crate) struct LabelledGroup {
    group: Group,
}

#[pymethods]
impl LabelledGroup {
    #[new]
    #[pyo3(signature = (key, name=None, axis=None, *, is_positional=false))]
    fn new(
        key: &Bound<'_, PyAny>,
        name: Option<&Bound<'_, PyAny>>,
        axis: Option<&Bound<'_, PyAny>>,
        is_positional: bool,
    ) -> PyResult<Self> {
        let key = if is_positional {
            GroupKey::Positions(position_key(key)?)
        } else {
            GroupKey::Labels(label_key(key)?)
        };
        let name = name.map(from_object).transpose()?;
        Ok(Self { group: Group::new(key, name, axis.map(axis_ref).transpose()?) })
    }

    fn __repr__(&self) -> String {
        self.group.to_string()
    }
}

/// The axis that is meant: one, its name, or where it is.
pub(super) fn axis_ref(object: &Bound<'_, PyAny>) -> PyResult<AxisRef> {
    if let Ok(axis) = object.cast::<LabelledAxis>() {
        return Ok(AxisRef::Axis(axis.get().axis().clone()));
    }
    axis_name(object).map(AxisRef::from)
}

pub(super) fn axis_name(object: &Bound<'_, PyAny>) -> PyResult<AxisName> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(AxisName::from(text.to_str()?));
    }
    object.extract::<i64>().map(AxisName::from)
}

/// The parts of what stands between brackets.
pub(super) fn keys(object: &Bound<'_, PyAny>) -> PyResult<Vec<Key>> {
    match object.cast::<PyTuple>() {
        Ok(parts) => parts.iter().map(|part| key(&part)).collect(),
        Err(_) => Ok(vec![key(object)?]),
    }
}

fn key(object: &Bound<'_, PyAny>) -> PyResult<Key> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Key::from(text.to_str()?));
    }
    if let Ok(group) = object.cast::<LabelledGroup>() {
        return Ok(Key::Group(group.get().group.clone()));
    }
    if let Ok(axis) = object.cast::<LabelledAxis>() {
        return Ok(Key::Axis(axis.get().axis().clone()));
    }
    if object.is_instance_of::<PyEllipsis>() {
        return Ok(Key::All);
    }
    Ok(match label_key(object)? {
        LabelKey::Scalar(label) => Key::Label(label),
        LabelKey::Slice(bounds) if bounds.is_all() => Key::All,
        LabelKey::Slice(bounds) => Key::Slice(bounds),
        LabelKey::List(labels) => Key::List(labels),
    })
}

/// Labels of any form: one, a slice of them, a list or an array.
pub(super) fn label_key(object: &Bound<'_, PyAny>) -> PyResult<LabelKey> {
    if let Ok(slice) = object.cast::<PySlice>() {
        return Ok(LabelKey::Slice(bounds(slice, from_object)?));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let labels = object.try_iter()?.map(|label| from_object(&label?));
        let labels: Vec<Label> = labels.collect::<PyResult<_>>()?;
        return Ok(LabelKey::List(Labels::from_labels(labels)));
    }
    if object.is_instance(&numpy(object.py(), "ndarray")?)? {
        return match object.getattr("ndim")?.extract::<usize>()? {
            0 => from_object(&object.get_item(PyTuple::empty(object.py()))?).map(LabelKey::Scalar),
            1 => from_array(object).map(LabelKey::List),
            _ => Err(PyNotImplementedError::new_err(
                "ndarray keys with ndim > 1 are not supported yet",
            )),
        };
    }
    from_object(object).map(LabelKey::Scalar)
}

/// Positions of any form: one, a slice of them, a list or an array.
pub(super) fn position_key(object: &Bound<'_, PyAny>) -> PyResult<PositionKey> {
    if let Ok(slice) = object.cast::<PySlice>() {
        return Ok(PositionKey::Slice(bounds(slice, |bound| bound.extract())?));
    }
    if object.is_instance_of::<PyInt>() || object.hasattr("__index__")? {
        return object.extract().map(PositionKey::At);
    }
    let positions = object.try_iter()?.map(|position| position?.extract());
    Ok(PositionKey::List(positions.collect::<PyResult<_>>()?))
}

/// What each axis is asked for; `None` for all of it. An ellipsis stands for as many as there are not.
pub(super) fn position_keys(
    object: &Bound<'_, PyAny>,
    n_axes: usize,
) -> PyResult<Vec<Option<PositionKey>>> {
    let parts: Vec<Bound<'_, PyAny>> = match object.cast::<PyTuple>() {
        Ok(parts) => parts.iter().collect(),
        Err(_) => vec![object.clone()],
    };
    let missing = (n_axes + 1).saturating_sub(parts.len());
    let mut keys = Vec::with_capacity(n_axes);
    for part in parts {
        if part.is_instance_of::<PyEllipsis>() {
            keys.extend(std::iter::repeat_n(None, missing));
        } else {
            keys.push(Some(position_key(&part)?));
        }
    }
    Ok(keys)
}

fn bounds<T>(
    slice: &Bound<'_, PySlice>,
    read: impl Fn(&Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Bounds<T>> {
    let bound = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let bound = slice.getattr(name)?;
        Ok((!bound.is_none()).then_some(bound))
    };
    let read = |bound: Option<Bound<'_, PyAny>>| bound.map(|bound| read(&bound)).transpose();
    Ok(Bounds {
        start: read(bound("start")?)?,
        stop: read(bound("stop")?)?,
        step: bound("step")?.map(|step| step.extract()).transpose()?,
    })
}
