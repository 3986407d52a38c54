//! Sessions of labelled objects: loaded as parts that the Python half makes its objects of, and saved
//! from such parts.
//!
//! An item is `(name, kind, parts)`:
//!
//! | kind | parts |
//! |---|---|
//! | `"Array"` | axes, elements, metadata |
//! | `"Axis"` | name, labels |
//! | `"LGroup"`, `"IGroup"` | key, name, axis |
//! | `"scalar"` | the value |
//!
//! Labels are an array, or the number of positions of a wildcard. An axis of an item is `(name,
//! labels)`; that of a group may be a name or a number instead. A key is a label, a slice, or an array
//! of labels; metadata is a list of pairs.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyUntypedArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PySlice, PyString, PyTuple};
use stook::Values;
use stook::dtype::{TimeBase, TimeUnit};
use stook_labelled::session::{Engine, LoadOptions, SaveOptions};
use stook_labelled::{
    Array, Axis, AxisCollection, AxisName, AxisRef, Bounds, Date, Group, GroupKey, Item, Label,
    LabelKey, Labels, Metadata, PositionKey, Scalar, Session, Time,
};

use crate::enter::{enter, raise};
use crate::memory::numpy;
use crate::{lend, values};

/// `(items, metadata, names loaded, names not loaded and why)`.
type Loaded<'py> = (Bound<'py, PyList>, Bound<'py, PyAny>, Vec<String>, Vec<(String, String)>);

/// `(names saved, names not saved and why)`.
type Saved = (Vec<String>, Vec<(String, String)>);

fn invalid(message: String) -> PyErr {
    PyValueError::new_err(message)
}

pub(super) fn engine_of(engine: Option<&str>) -> PyResult<Option<Engine>> {
    let find = |name| {
        Engine::from_name(name).ok_or_else(|| invalid(format!("`{name}` is no engine of sessions")))
    };
    engine.map(find).transpose()
}

/// Loads the objects called `names`, or all.
#[pyfunction]
#[pyo3(signature = (path, engine=None, names=None))]
pub(crate) fn labelled_load<'py>(
    py: Python<'py>,
    path: PathBuf,
    engine: Option<&str>,
    names: Option<Vec<String>>,
) -> PyResult<Loaded<'py>> {
    let mut options = LoadOptions::default();
    options.engine = engine_of(engine)?;
    options.names = names;
    let (session, report) = enter(py, || {
        let mut session = Session::new();
        let report = session.load(&path, &options)?;
        Ok((session, report))
    })?;
    let metadata = metadata_to_python(py, session.metadata())?;
    let items = session.into_items().into_iter();
    let items = items.map(|(name, item)| item_to_python(py, &name, item));
    let items = PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?;
    let lost = report.not_loaded.into_iter().map(|lost| (lost.name, lost.why)).collect();
    Ok((items, metadata, report.loaded, lost))
}

/// Saves items; returns the names that were saved, and those that were not and why.
#[pyfunction]
#[pyo3(signature = (path, items, metadata, engine=None, overwrite=true, sidecar=false))]
#[expect(clippy::too_many_arguments, reason = "a function of Python")]
pub(crate) fn labelled_save(
    py: Python<'_>,
    path: PathBuf,
    items: Vec<(String, String, Bound<'_, PyAny>)>,
    metadata: Bound<'_, PyAny>,
    engine: Option<&str>,
    overwrite: bool,
    sidecar: bool,
) -> PyResult<Saved> {
    let mut options = SaveOptions::default();
    options.engine = engine_of(engine)?;
    options.overwrite = overwrite;
    options.sidecar = sidecar;
    let mut session = Session::new().with_metadata(metadata_of(&metadata)?);
    let mut lost = Vec::new();
    for (name, kind, parts) in items {
        match item_of(&kind, &parts)? {
            Ok(item) => drop(session.insert(name, item)),
            Err(why) => lost.push((name, why)),
        }
    }
    let report = enter(py, || session.save(&path, &options))?;
    lost.extend(report.not_saved.into_iter().map(|lost| (lost.name, lost.why)));
    Ok((report.saved, lost))
}

// From here to Python.

pub(super) fn item_to_python<'py>(
    py: Python<'py>,
    name: &str,
    item: Item,
) -> PyResult<Bound<'py, PyTuple>> {
    let kind = item.type_name();
    let (kind, parts) = match item {
        Item::Array(array, metadata) => {
            let (axes, data) = array.into_parts();
            let axes = axes.iter().map(|axis| axis_to_python(py, axis));
            let axes = PyList::new(py, axes.collect::<PyResult<Vec<_>>>()?)?;
            let data = if data.dtype().has_heap() {
                elements_to_python(py, &data)?
            } else {
                lend::given(py, Arc::unwrap_or_clone(data))?
            };
            let parts = (axes, data, metadata_to_python(py, &metadata)?);
            (kind, parts.into_pyobject(py)?.into_any())
        }
        Item::Axis(axis) => (kind, axis_to_python(py, &axis)?.into_any()),
        Item::Group(group) => {
            let name = group.name().map(|name| label_to_python(py, name)).transpose()?;
            let axis = match group.axis() {
                None => py.None().into_bound(py),
                Some(AxisRef::Axis(axis)) => axis_to_python(py, axis)?.into_any(),
                Some(AxisRef::Name(name)) => PyString::new(py, name).into_any(),
                Some(AxisRef::Index(index)) => index.into_pyobject(py)?.into_any(),
            };
            let parts = (key_to_python(py, group.key())?, name, axis).into_pyobject(py)?;
            (kind, parts.into_any())
        }
        Item::Scalar(scalar) => ("scalar", scalar_to_python(py, &scalar)?),
        other => return Err(invalid(format!("a {} is not passed on", other.type_name()))),
    };
    (name, kind, parts).into_pyobject(py)
}

fn elements_to_python<'py>(py: Python<'py>, values: &Values) -> PyResult<Bound<'py, PyAny>> {
    let array = values::to_array(py, values)?;
    // Text of any length is a Python object, as larray has it.
    if values.dtype().has_heap() { array.call_method1("astype", ("O",)) } else { Ok(array) }
}

fn name_to_python<'py>(py: Python<'py>, name: Option<&AxisName>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match name {
        None => py.None().into_bound(py),
        Some(AxisName::Text(name)) => PyString::new(py, name).into_any(),
        Some(AxisName::Int(number)) => number.into_pyobject(py)?.into_any(),
    })
}

pub(super) fn axis_to_python<'py>(py: Python<'py>, axis: &Axis) -> PyResult<Bound<'py, PyTuple>> {
    let labels = if axis.is_wildcard() {
        axis.len().into_pyobject(py)?.into_any()
    } else {
        labels_to_python(py, axis.labels())?
    };
    (name_to_python(py, axis.name())?, labels).into_pyobject(py)
}

fn labels_to_python<'py>(py: Python<'py>, labels: &Labels) -> PyResult<Bound<'py, PyAny>> {
    if let Some(values) = labels.to_values().map_err(|error| raise(py, &error))? {
        return elements_to_python(py, &values);
    }
    let array = numpy(py, "empty")?.call1((labels.len(), "O"))?;
    for (at, label) in labels.iter().enumerate() {
        array.set_item(at, label_to_python(py, &label)?)?;
    }
    Ok(array)
}

fn label_to_python<'py>(py: Python<'py>, label: &Label) -> PyResult<Bound<'py, PyAny>> {
    Ok(match label {
        Label::None => py.None().into_bound(py),
        Label::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Label::Int(value) => value.into_pyobject(py)?.into_any(),
        Label::UInt(value) => value.into_pyobject(py)?.into_any(),
        Label::Float(value) => PyFloat::new(py, *value).into_any(),
        Label::Str(text) => PyString::new(py, text).into_any(),
        Label::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Label::Date(days) => match Date::from_days(*days) {
            Some(date) => date_to_python(py, date)?,
            None => return Err(invalid(format!("the day {days} is no date of Python"))),
        },
        Label::DateTime(ticks, unit) => ticks_to_python(py, "datetime64", *ticks, *unit)?,
        Label::TimeDelta(ticks, unit) => ticks_to_python(py, "timedelta64", *ticks, *unit)?,
        other => return Err(invalid(format!("the label `{other}` is not passed on"))),
    })
}

fn ticks_to_python<'py>(
    py: Python<'py>,
    class: &str,
    ticks: i64,
    unit: TimeUnit,
) -> PyResult<Bound<'py, PyAny>> {
    let unit = (unit.base.name(), unit.count);
    numpy(py, class)?.call1((ticks, unit))
}

fn date_to_python(py: Python<'_>, date: Date) -> PyResult<Bound<'_, PyAny>> {
    py.import("datetime")?.getattr("date")?.call1((date.year, date.month, date.day))
}

fn clock(time: Time) -> (u64, u64, u64, u64) {
    let (seconds, micros) = (time.0 / 1_000_000, time.0 % 1_000_000);
    (seconds / 3600, seconds / 60 % 60, seconds % 60, micros)
}

pub(super) fn scalar_to_python<'py>(
    py: Python<'py>,
    scalar: &Scalar,
) -> PyResult<Bound<'py, PyAny>> {
    let datetime = || py.import("datetime");
    Ok(match scalar {
        Scalar::None => py.None().into_bound(py),
        Scalar::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Scalar::Int(value) => value.into_pyobject(py)?.into_any(),
        Scalar::Float(value) => PyFloat::new(py, *value).into_any(),
        Scalar::Complex(re, im) => pyo3::types::PyComplex::from_doubles(py, *re, *im).into_any(),
        Scalar::Text(text) => PyString::new(py, text).into_any(),
        Scalar::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Scalar::Date(date) => date_to_python(py, *date)?,
        Scalar::Time(time) => datetime()?.getattr("time")?.call1(clock(*time))?,
        Scalar::DateTime(date, time) => {
            let (hour, minute, second, micros) = clock(*time);
            let parts = (date.year, date.month, date.day, hour, minute, second, micros);
            datetime()?.getattr("datetime")?.call1(parts)?
        }
        Scalar::TimeDelta(micros) => datetime()?.getattr("timedelta")?.call1((0, 0, *micros))?,
        Scalar::Typed(values) => values::to_array_or_scalar(py, values)?,
        other => return Err(invalid(format!("a {} is not passed on", other.type_name()))),
    })
}

pub(super) fn metadata_to_python<'py>(
    py: Python<'py>,
    metadata: &Metadata,
) -> PyResult<Bound<'py, PyAny>> {
    let pairs = metadata.iter().map(|(name, value)| Ok((name, scalar_to_python(py, value)?)));
    Ok(PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)?.into_any())
}

fn key_to_python<'py>(py: Python<'py>, key: &GroupKey) -> PyResult<Bound<'py, PyAny>> {
    let slice = |start: Option<Bound<'py, PyAny>>, stop: Option<Bound<'py, PyAny>>, step| {
        py.import("builtins")?.getattr("slice")?.call1((start, stop, step))
    };
    match key {
        GroupKey::Labels(LabelKey::Scalar(label)) => label_to_python(py, label),
        GroupKey::Labels(LabelKey::Slice(bounds)) => {
            let bound = |label: &Option<Label>| {
                label.as_ref().map(|label| label_to_python(py, label)).transpose()
            };
            slice(bound(&bounds.start)?, bound(&bounds.stop)?, bounds.step)
        }
        GroupKey::Labels(LabelKey::List(labels)) => labels_to_python(py, labels),
        GroupKey::Positions(PositionKey::At(at)) => Ok(at.into_pyobject(py)?.into_any()),
        GroupKey::Positions(PositionKey::Slice(bounds)) => {
            let bound = |at: Option<i64>| -> PyResult<_> {
                Ok(match at {
                    Some(at) => Some(at.into_pyobject(py)?.into_any()),
                    None => None,
                })
            };
            slice(bound(bounds.start)?, bound(bounds.stop)?, bounds.step)
        }
        GroupKey::Positions(PositionKey::List(list)) => Ok(PyList::new(py, list)?.into_any()),
    }
}

// From Python to here; the inner error says why an item cannot be saved.

type Found<T> = PyResult<Result<T, String>>;

fn item_of(kind: &str, parts: &Bound<'_, PyAny>) -> Found<Item> {
    Ok(match kind {
        "Array" => return array_of(parts),
        "Axis" => axis_of(parts)?.map(Item::Axis),
        "LGroup" | "IGroup" => group_of(kind, parts)?.map(Item::Group),
        "scalar" => scalar_of(parts)?.map(Item::Scalar),
        other => return Err(invalid(format!("`{other}` is no kind of item"))),
    })
}

fn array_of(parts: &Bound<'_, PyAny>) -> Found<Item> {
    let py = parts.py();
    let (axes, data, metadata): (Vec<Bound<'_, PyAny>>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
        parts.extract()?;
    let axes = axes.iter().map(axis_of).collect::<PyResult<Result<Vec<Axis>, String>>>()?;
    let axes = match axes {
        Ok(axes) => AxisCollection::from(axes),
        Err(why) => return Ok(Err(why)),
    };
    let values = match elements_of(&data)? {
        Ok(values) => values,
        Err(why) => return Ok(Err(why)),
    };
    let array = Array::new(axes, values).map_err(|error| raise(py, &error))?;
    Ok(Ok(Item::Array(array, metadata_of(&metadata)?)))
}

fn is_objects(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(array.getattr("dtype")?.getattr("kind")?.extract::<String>()? == "O")
}

/// The elements of an array; objects have to be text.
fn elements_of(array: &Bound<'_, PyAny>) -> Found<Values> {
    let py = array.py();
    if !is_objects(array)? {
        return match lend::lent(array)? {
            Some(values) => Ok(Ok(values)),
            None => values::from_any_array(array).map(Ok),
        };
    }
    let objects = array.call_method0("ravel")?.call_method0("tolist")?;
    let mut texts = Vec::new();
    for object in objects.try_iter()? {
        let object = object?;
        match object.cast::<PyString>() {
            Ok(text) => texts.push(text.to_string()),
            Err(_) => {
                let found = object.get_type().name()?;
                return Ok(Err(format!("elements that are objects: expected text, found {found}")));
            }
        }
    }
    let shape: Vec<u64> = array.getattr("shape")?.extract()?;
    Values::from_strings(shape, &texts).map(Ok).map_err(|error| raise(py, &error))
}

fn axis_name_of(name: &Bound<'_, PyAny>) -> PyResult<Option<AxisName>> {
    if name.is_none() {
        return Ok(None);
    }
    match name.extract::<String>() {
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Ok(Some(name.extract::<i64>()?.into())),
    }
}

fn axis_of(parts: &Bound<'_, PyAny>) -> Found<Axis> {
    let (name, labels): (Bound<'_, PyAny>, Bound<'_, PyAny>) = parts.extract()?;
    let name = axis_name_of(&name)?;
    if let Ok(len) = labels.extract::<usize>() {
        return Ok(Ok(Axis::wildcard(len, name)));
    }
    Ok(labels_of(&labels)?.map(|labels| Axis::new(labels, name)))
}

fn labels_of(array: &Bound<'_, PyAny>) -> Found<Labels> {
    let py = array.py();
    if array.cast::<PyUntypedArray>().is_ok() && !is_objects(array)? {
        let labels = Labels::from_values(values::from_any_array(array)?);
        return labels.map(Ok).map_err(|error| raise(py, &error));
    }
    let is_array = array.cast::<PyUntypedArray>().is_ok();
    let mut labels = Vec::new();
    for label in array.try_iter()? {
        match label_of(&label?)? {
            Ok(label) => labels.push(label),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(if is_array { Labels::mixed(labels) } else { Labels::from_labels(labels) }))
}

fn label_of(object: &Bound<'_, PyAny>) -> Found<Label> {
    let scalar = match scalar_of(object)? {
        Ok(scalar) => scalar,
        Err(why) => return Ok(Err(why)),
    };
    Ok(match scalar {
        Scalar::None => Ok(Label::None),
        Scalar::Bool(value) => Ok(Label::Bool(value)),
        Scalar::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => Ok(Label::Int(value)),
            (_, Ok(value)) => Ok(Label::from(value)),
            _ => Err(format!("the label {value} has over 64 bits")),
        },
        Scalar::Float(value) => Ok(Label::Float(value)),
        Scalar::Text(text) => Ok(Label::Str(text)),
        Scalar::Bytes(bytes) => Ok(Label::Bytes(bytes)),
        Scalar::Date(date) => Ok(Label::Date(date.to_days())),
        Scalar::DateTime(date, time) => {
            let micros = date.to_days() * 86_400_000_000 + i64::try_from(time.0).unwrap_or(0);
            Ok(Label::DateTime(micros, TimeUnit { base: TimeBase::Microsecond, count: 1 }))
        }
        Scalar::Typed(values) => {
            let flat = (*values).clone().reshaped(vec![1]);
            let label = flat.and_then(Labels::from_values).map(|labels| labels.get(0));
            label.map(|label| label.unwrap_or(Label::None)).map_err(|error| error.to_string())
        }
        other => Err(format!("a label of type {}", other.type_name())),
    })
}

fn scalar_of(object: &Bound<'_, PyAny>) -> Found<Scalar> {
    let number = |name: &str| object.getattr(name)?.extract::<u64>();
    let date = || -> PyResult<Date> {
        let small = |name: &str| object.getattr(name)?.extract::<u8>();
        let year = object.getattr("year")?.extract()?;
        Ok(Date { year, month: small("month")?, day: small("day")? })
    };
    let time = || -> PyResult<Time> {
        let seconds = (number("hour")? * 60 + number("minute")?) * 60 + number("second")?;
        Ok(Time(seconds * 1_000_000 + number("microsecond")?))
    };
    if object.is_none() {
        return Ok(Ok(Scalar::None));
    }
    if object.hasattr("dtype")? {
        let array = numpy(object.py(), "asarray")?.call1((object,))?;
        if !array.getattr("shape")?.extract::<Vec<u64>>()?.is_empty() || is_objects(&array)? {
            return Ok(Err(format!("objects of type {}", object.get_type().name()?)));
        }
        return Ok(Ok(Scalar::Typed(Arc::new(values::from_any_array(&array)?))));
    }
    Ok(Ok(if let Ok(value) = object.cast::<PyBool>() {
        Scalar::Bool(value.is_true())
    } else if object.is_instance_of::<PyInt>() {
        match object.extract::<i128>() {
            Ok(value) => Scalar::Int(value),
            Err(_) => return Ok(Err("a whole number of over 128 bits".to_owned())),
        }
    } else if object.is_instance_of::<PyFloat>() {
        Scalar::Float(object.extract()?)
    } else if let Ok(text) = object.cast::<PyString>() {
        Scalar::Text(text.to_cow()?.as_ref().into())
    } else if let Ok(bytes) = object.cast::<PyBytes>() {
        Scalar::Bytes(bytes.as_bytes().into())
    } else if object.is_instance_of::<pyo3::types::PyComplex>() {
        Scalar::Complex(object.getattr("real")?.extract()?, object.getattr("imag")?.extract()?)
    } else {
        let class = object.get_type();
        let name = (class.module()?.to_string(), class.name()?.to_string());
        match (name.0.as_str(), name.1.as_str()) {
            ("datetime", "date") => Scalar::Date(date()?),
            ("datetime", "time") if object.getattr("tzinfo")?.is_none() => Scalar::Time(time()?),
            (_, "datetime" | "Timestamp") if object.getattr("tzinfo")?.is_none() => {
                Scalar::DateTime(date()?, time()?)
            }
            ("datetime", "timedelta") => {
                let days: i128 = object.getattr("days")?.extract()?;
                let seconds: i128 = object.getattr("seconds")?.extract()?;
                let micros: i128 = object.getattr("microseconds")?.extract()?;
                Scalar::TimeDelta((days * 86_400 + seconds) * 1_000_000 + micros)
            }
            _ => return Ok(Err(format!("objects of type {}", name.1))),
        }
    }))
}

fn metadata_of(pairs: &Bound<'_, PyAny>) -> PyResult<Metadata> {
    let pairs: Vec<(String, Bound<'_, PyAny>)> = pairs.extract()?;
    let mut metadata = Metadata::new();
    for (name, value) in pairs {
        match scalar_of(&value)? {
            Ok(scalar) => metadata.set(name, scalar),
            Err(why) => return Err(invalid(format!("metadata `{name}`: {why}"))),
        }
    }
    Ok(metadata)
}

fn group_of(kind: &str, parts: &Bound<'_, PyAny>) -> Found<Group> {
    let (key, name, axis): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
        parts.extract()?;
    let axis = if axis.is_none() {
        None
    } else if let Ok(name) = axis.extract::<String>() {
        Some(AxisRef::from(name.as_str()))
    } else if let Ok(index) = axis.extract::<i64>() {
        Some(AxisRef::from(index))
    } else {
        match axis_of(&axis)? {
            Ok(axis) => Some(AxisRef::from(axis)),
            Err(why) => return Ok(Err(why)),
        }
    };
    let name = if name.is_none() { None } else { Some(label_of(&name)?) };
    let name = match name.transpose() {
        Ok(name) => name,
        Err(why) => return Ok(Err(why)),
    };
    let key = if kind == "IGroup" { positions_of(&key)? } else { label_key_of(&key)? };
    Ok(key.map(|key| Group::new(key, name, axis)))
}

fn label_key_of(key: &Bound<'_, PyAny>) -> Found<GroupKey> {
    if let Ok(slice) = key.cast::<PySlice>() {
        let bound = |name: &str| -> Found<Option<Label>> {
            let bound = slice.getattr(name)?;
            if bound.is_none() { Ok(Ok(None)) } else { Ok(label_of(&bound)?.map(Some)) }
        };
        let step = slice.getattr("step")?.extract::<Option<i64>>()?;
        return Ok(match (bound("start")?, bound("stop")?) {
            (Ok(start), Ok(stop)) => {
                Ok(GroupKey::Labels(LabelKey::Slice(Bounds { start, stop, step })))
            }
            (Err(why), _) | (_, Err(why)) => Err(why),
        });
    }
    let is_several = key.is_instance_of::<PyList>() || key.cast::<PyUntypedArray>().is_ok();
    if is_several || key.is_instance_of::<PyTuple>() {
        return Ok(labels_of(key)?.map(|labels| GroupKey::Labels(LabelKey::List(labels))));
    }
    Ok(label_of(key)?.map(|label| GroupKey::Labels(LabelKey::Scalar(label))))
}

fn positions_of(key: &Bound<'_, PyAny>) -> Found<GroupKey> {
    let key = if let Ok(slice) = key.cast::<PySlice>() {
        let bound = |name: &str| slice.getattr(name)?.extract::<Option<i64>>();
        let bounds = Bounds { start: bound("start")?, stop: bound("stop")?, step: bound("step")? };
        PositionKey::Slice(bounds)
    } else if let Ok(at) = key.extract::<i64>() {
        PositionKey::At(at)
    } else {
        let list = key.try_iter()?.map(|at| at?.extract::<i64>());
        PositionKey::List(list.collect::<PyResult<_>>()?)
    };
    Ok(Ok(GroupKey::Positions(key)))
}
