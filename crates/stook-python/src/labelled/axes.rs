//! Axes, and what keys select on them as indices for numpy.

use numpy::PyArray1;
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PySlice, PyString, PyTuple};
use stook::ErrorKind;
use stook_labelled::{
    AxesSelection, Axis, AxisCollection, AxisName, Fault, LabelRef, Labels, Take,
};

use super::key::{axis_name, keys, position_keys};
use super::label::{from_array, from_object, to_array, to_object};
use crate::enter::raise;

/// The exception that larray raises in such a case, with this message.
pub(super) fn raise_plain(py: Python<'_>, error: &stook::Error) -> PyErr {
    let message = error.message().to_owned();
    match (Fault::of(error), error.kind()) {
        (Some(Fault::Position), _) => PyIndexError::new_err(message),
        (Some(Fault::Type), _) => PyTypeError::new_err(message),
        (None, ErrorKind::InvalidInput) => PyValueError::new_err(message),
        (None, ErrorKind::NotFound) => PyKeyError::new_err(message),
        _ => raise(py, error),
    }
}

/// Labels and a name.
#[pyclass(frozen, subclass, module = "stook._stook")]
pub(crate) struct LabelledAxis {
    axis: Axis,
    labels: PyOnceLock<Py<PyAny>>,
}

impl LabelledAxis {
    fn of(axis: Axis) -> Self {
        Self { axis, labels: PyOnceLock::new() }
    }

    pub(super) fn axis(&self) -> &Axis {
        &self.axis
    }
}

#[pymethods]
impl LabelledAxis {
    /// `labels` is an array of one dimension, or the number of positions of a wildcard axis.
    #[new]
    #[pyo3(signature = (labels, name=None))]
    fn new(labels: &Bound<'_, PyAny>, name: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let own = match labels.extract::<usize>() {
            Ok(len) => Labels::wildcard(len),
            Err(_) => from_array(labels)?,
        };
        Ok(Self::of(Axis::new(own, name.map(axis_name).transpose()?)))
    }

    /// The axis that text describes.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        Axis::parse(text).map(Self::of).map_err(|error| raise_plain(py, &error))
    }

    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self.axis.name() {
            None => py.None().into_bound(py),
            Some(AxisName::Text(text)) => PyString::new(py, text).into_any(),
            Some(AxisName::Int(number)) => number.into_pyobject(py)?.into_any(),
        })
    }

    /// The labels as an array that cannot be written to.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let make = || to_array(py, self.axis.labels()).map(Bound::unbind);
        self.labels.get_or_try_init(py, make).map(|labels| labels.bind(py).clone())
    }

    #[getter]
    fn is_wildcard(&self) -> bool {
        self.axis.is_wildcard()
    }

    /// Where a label is first.
    fn position(&self, label: &Bound<'_, PyAny>) -> PyResult<usize> {
        let found = match label.cast::<PyString>() {
            Ok(text) => self.axis.labels().position_ref(LabelRef::Str(text.to_str()?)),
            Err(_) => self.axis.labels().position(&from_object(label)?),
        };
        found.ok_or_else(|| PyKeyError::new_err(label.clone().unbind()))
    }

    /// The label at a position.
    fn label<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyAny>> {
        match self.axis.labels().get(position) {
            Some(label) => to_object(py, &label),
            None => Err(PyIndexError::new_err(position)),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        self.axis.equals(&other.axis)
    }

    fn is_compatible(&self, other: &Self) -> bool {
        self.axis.is_compatible(&other.axis)
    }

    fn __len__(&self) -> usize {
        self.axis.len()
    }

    fn __repr__(&self) -> String {
        self.axis.to_string()
    }
}

/// The axes of an array, in order.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct LabelledAxes {
    axes: AxisCollection,
}

/// Indices for numpy, to be used one after the other, and the axes of the result; no axes for one
/// element. The second index is `None` where the first is all there is.
type Selected<'py> = (Bound<'py, PyTuple>, Option<Bound<'py, PyTuple>>, Option<LabelledAxes>);

#[pymethods]
impl LabelledAxes {
    #[new]
    fn new(axes: Vec<Bound<'_, LabelledAxis>>) -> Self {
        Self { axes: axes.iter().map(|axis| axis.get().axis.clone()).collect() }
    }

    #[getter]
    fn axes(&self) -> Vec<LabelledAxis> {
        self.axes.iter().cloned().map(LabelledAxis::of).collect()
    }

    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.axes.shape())
    }

    #[getter]
    fn info(&self) -> String {
        self.axes.info()
    }

    /// What labels and groups select.
    fn select<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Selected<'py>> {
        let selection = match key.cast_exact::<PyString>() {
            Ok(text) => self.axes.select(&[text.to_str()?.into()]),
            Err(_) => self.axes.select(&keys(key)?),
        };
        indices(py, &self.axes, &selection.map_err(|error| raise_plain(py, &error))?)
    }

    /// What labels and groups select, lists among them label by label.
    fn select_points<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Selected<'py>> {
        let selection = self.axes.select_points(&keys(key)?);
        indices(py, &self.axes, &selection.map_err(|error| raise_plain(py, &error))?)
    }

    /// What positions select.
    fn select_positions<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Selected<'py>> {
        let selection = self.axes.select_positions(&position_keys(key, self.axes.len())?);
        indices(py, &self.axes, &selection.map_err(|error| raise_plain(py, &error))?)
    }

    /// How arrays with these axes and with others go together: the axes of the result, and for each
    /// of them where either side has it, `None` where it has not.
    #[expect(clippy::type_complexity, reason = "a tuple of Python")]
    fn align(
        &self,
        py: Python<'_>,
        other: &Self,
    ) -> PyResult<(Self, Vec<Option<usize>>, Vec<Option<usize>>)> {
        let both = self.axes.aligned(&other.axes).map_err(|error| raise_plain(py, &error))?;
        let (left, right) = (both.left().to_vec(), both.right().to_vec());
        Ok((Self { axes: both.axes().clone() }, left, right))
    }

    fn __len__(&self) -> usize {
        self.axes.len()
    }

    fn __repr__(&self) -> String {
        self.axes.to_string()
    }
}

fn indices<'py>(
    py: Python<'py>,
    axes: &AxisCollection,
    selection: &AxesSelection,
) -> PyResult<Selected<'py>> {
    let takes = selection.takes();
    // Slices and single positions first: numpy then gives a view of what there is.
    let basic = takes.iter().zip(axes).map(|(take, axis)| match take {
        Take::At(at) => Ok(at.into_pyobject(py)?.into_any()),
        Take::Slice { start, step, len } => slice(py, *start, *step, *len),
        Take::Positions(_) | Take::Points(_) => slice(py, 0, 1, axis.len()),
    });
    let basic = PyTuple::new(py, basic.collect::<PyResult<Vec<_>>>()?)?;
    let is_listed = |take: &Take| matches!(take, Take::Positions(_) | Take::Points(_));
    let advanced = if takes.iter().any(is_listed) { Some(advanced(py, takes)?) } else { None };
    let axes = (!selection.is_element()).then(|| LabelledAxes { axes: selection.axes().clone() });
    Ok((basic, advanced, axes))
}

/// `start:stop:step` of `len` positions that are within bounds.
fn slice<'py>(
    py: Python<'py>,
    start: usize,
    step: isize,
    len: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if start == 0 && step == 1 {
        return Ok(PySlice::new(py, 0, isize::try_from(len)?, 1).into_any());
    }
    let first = isize::try_from(start)?;
    let stop = isize::try_from(len)?.checked_mul(step).and_then(|span| first.checked_add(span));
    // A slice that goes down to the first has no stop that numpy would not count from the end.
    match stop.filter(|stop| *stop >= 0) {
        Some(stop) => Ok(PySlice::new(py, first, stop, step).into_any()),
        None => Ok(py.get_type::<PySlice>().call1((first, py.None(), step))?),
    }
}

/// Lists of positions for the axes that the basic index left, of such shapes that numpy combines them
/// as they are meant, and leaves axes in order.
fn advanced<'py>(py: Python<'py>, takes: &[Take]) -> PyResult<Bound<'py, PyTuple>> {
    let left: Vec<&Take> = takes.iter().filter(|take| !matches!(take, Take::At(_))).collect();
    let n_lists = left.iter().filter(|take| matches!(take, Take::Positions(_))).count();
    let n_points = left.iter().filter(|take| matches!(take, Take::Points(_))).count();
    let is_simple = n_lists == 0 || (n_lists == 1 && n_points == 0);
    let mut parts: Vec<Bound<'py, PyAny>> = Vec::with_capacity(left.len());
    if is_simple {
        for take in &left {
            parts.push(match take {
                Take::Positions(positions) | Take::Points(positions) => array(py, positions)?,
                _ => PySlice::full(py).into_any(),
            });
        }
        return PyTuple::new(py, parts);
    }
    // Each axis gets a dimension of its own, all points one together, at the place that they have.
    let first_points = left.iter().position(|take| matches!(take, Take::Points(_)));
    let dimensions: Vec<usize> = dimensions_of(&left, first_points);
    let n_dimensions = left.len() - n_points.saturating_sub(1);
    for (take, dimension) in left.iter().zip(dimensions) {
        let positions: Vec<usize> = match take {
            Take::Positions(positions) | Take::Points(positions) => positions.to_vec(),
            // What the basic index left of the axis.
            other => (0..other.len()).collect(),
        };
        let mut shape = vec![1; n_dimensions];
        if let Some(place) = shape.get_mut(dimension) {
            *place = positions.len();
        }
        let shape = PyTuple::new(py, shape)?;
        parts.push(array(py, &positions)?.call_method1("reshape", (shape,))?);
    }
    PyTuple::new(py, parts)
}

/// The dimension of the result that each axis is.
fn dimensions_of(left: &[&Take], first_points: Option<usize>) -> Vec<usize> {
    let is_points = |take: &&&Take| matches!(take, Take::Points(_));
    let n_points = left.iter().filter(is_points).count();
    let is_adjacent = first_points
        .is_none_or(|first| left.iter().skip(first).take_while(is_points).count() == n_points);
    let mut next = usize::from(first_points.is_some() && !is_adjacent);
    let mut of_points = (!is_adjacent).then_some(0);
    let mut dimensions = Vec::with_capacity(left.len());
    for take in left {
        if matches!(take, Take::Points(_)) {
            let dimension = *of_points.get_or_insert_with(|| {
                next += 1;
                next - 1
            });
            dimensions.push(dimension);
        } else {
            dimensions.push(next);
            next += 1;
        }
    }
    dimensions
}

fn array<'py>(py: Python<'py>, positions: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let positions = positions.iter().map(|&at| isize::try_from(at));
    Ok(PyArray1::from_vec(py, positions.collect::<Result<Vec<isize>, _>>()?).into_any())
}
