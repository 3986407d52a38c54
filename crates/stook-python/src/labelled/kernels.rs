//! The kernels of labelled arrays on arrays of numpy: of any strides, read where they lie, without
//! the GIL. Results are new arrays.
//!
//! What a kernel does not know (objects, text where numbers are asked for, foreign byte order) is
//! a `NotImplementedError`: the caller has numpy do it.

use numpy::{
    PyArray1, PyArrayDescr, PyArrayDescrMethods, PyReadonlyArray1, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySlice, PyTuple};
use stook::{DType, Error};
use stook_labelled::kernels::{
    Along, Binary, Extreme, Filter, Missing, Plain, Quantile, Reduction, Scan, Side, Strided,
    StridedMut, Tolerance, all_close, arg_extreme, argsort, binary, binary_dtype, broadcast_shape,
    count_true, element_equals, plain, quantile, quantile_dtype, reduce, reduction_dtype, scan,
    scan_dtype, take, true_positions, unravel,
};

use crate::dtype::{from_numpy, number_of, to_numpy};
use crate::enter::{enter, invalid, raise};
use crate::memory::{self, numpy};

/// The type of an array's items, quickly for plain numbers.
fn dtype_of(descr: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    let refused = |what: &str| {
        raise(descr.py(), &Error::unsupported(format!("items of dtype {descr}: {what}")))
    };
    if descr.is_native_byteorder() == Some(false) {
        return Err(refused("foreign byte order"));
    }
    if let Some(number) = number_of(descr.kind(), descr.itemsize()) {
        return Ok(number);
    }
    match descr.kind() {
        b'O' | b'T' => Err(refused("objects")),
        _ => from_numpy(descr),
    }
}

/// The items of `array`, to be read while it is borrowed; what `memory::view` says of other threads
/// holds here too.
fn strided<'a>(array: &'a Bound<'_, PyUntypedArray>) -> PyResult<Strided<'a>> {
    let dtype = dtype_of(&array.dtype())?;
    // SAFETY: the pointer is that of a live array, and shape and strides are its own.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    let view = unsafe {
        let data: *const u8 = (*array.as_array_ptr()).fields.data.cast();
        Strided::from_raw(data, dtype, array.shape(), array.strides())
    };
    view.map_err(|error| raise(array.py(), &error))
}

/// A new array and how `fill` fills it without the GIL. It is in Fortran order if `is_fortran`.
fn made<'py>(
    py: Python<'py>,
    (dtype, shape, is_fortran): (DType, &[usize], bool),
    fill: impl FnOnce(&mut StridedMut<'_>) -> stook::Result<()> + Send,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let dims = PyTuple::new(py, shape)?;
    let order = if is_fortran { "F" } else { "C" };
    let array = numpy(py, "empty")?.call1((dims, to_numpy(py, &dtype)?, order))?;
    let array: Bound<'py, PyUntypedArray> = array.cast_into()?;
    // SAFETY: the array is new and nobody else knows of it; shape and strides are its own. It is
    // filled memory to the compiler, because numpy's allocator is opaque.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    let out = unsafe {
        let data: *mut u8 = (*array.as_array_ptr()).fields.data.cast();
        StridedMut::from_raw(data, dtype, array.shape(), array.strides())
    };
    let mut out = out.map_err(|error| raise(py, &error))?;
    enter(py, || fill(&mut out))?;
    drop(out);
    Ok(array)
}

fn missing(skipna: bool) -> Missing {
    if skipna { Missing::Skip } else { Missing::Propagate }
}

/// The axes, counted from the end where negative; all where none are given.
fn axes_of(array: &Bound<'_, PyUntypedArray>, axes: Option<Vec<isize>>) -> PyResult<Vec<usize>> {
    let rank = array.ndim();
    let Some(axes) = axes else { return Ok((0..rank).collect()) };
    let axis = |axis: isize| {
        let found = if axis < 0 { axis.checked_add_unsigned(rank) } else { Some(axis) };
        found.and_then(|axis| usize::try_from(axis).ok()).filter(|axis| *axis < rank).ok_or_else(
            || invalid(array.py(), format!("axis {axis} is out of bounds for {rank} axes")),
        )
    };
    axes.into_iter().map(axis).collect()
}

/// The shape without some axes, or with them of length 1.
fn kept(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    kept.map(|(_, &len)| len).collect()
}

fn unknown(py: Python<'_>, what: &str, name: &str) -> PyErr {
    invalid(py, format!("unknown {what} `{name}`"))
}

/// With the axes that were reduced, of length 1, if that is asked for.
fn with_axes<'py>(
    array: Bound<'py, PyUntypedArray>,
    shape: &[usize],
    axes: &[usize],
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    if !keepdims {
        return Ok(array.into_any());
    }
    let n_front = array.ndim().saturating_sub(shape.len() - axes.len());
    let front = array.shape().get(..n_front).unwrap_or_default().to_vec();
    let lens =
        shape.iter().enumerate().map(|(axis, &len)| if axes.contains(&axis) { 1 } else { len });
    let shape = PyTuple::new(array.py(), front.into_iter().chain(lens).collect::<Vec<_>>())?;
    array.call_method1("reshape", (shape,))
}

/// What elements along axes are reduced to, by the name of numpy's function.
#[pyfunction]
#[pyo3(signature = (array, op, axes=None, *, skipna=true, ddof=0.0, keepdims=false))]
pub(crate) fn labelled_reduce<'py>(
    array: &Bound<'py, PyUntypedArray>,
    op: &str,
    axes: Option<Vec<isize>>,
    skipna: bool,
    ddof: f64,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let axes = axes_of(array, axes)?;
    let op = Reduction::from_name(op, ddof).ok_or_else(|| unknown(py, "reduction", op))?;
    let from = strided(array)?;
    let dtype = reduction_dtype(op, from.dtype()).map_err(|error| raise(py, &error))?;
    let shape = kept(from.shape(), &axes);
    let made =
        made(py, (dtype, &shape, false), |out| reduce(op, &from, &axes, missing(skipna), out))?;
    with_axes(made, from.shape(), &axes, keepdims)
}

/// Positions along an axis: a slice, or an array of them.
enum Group<'py> {
    Slice { start: usize, step: isize, len: usize },
    Positions(PyReadonlyArray1<'py, i64>),
}

fn group<'py>(group: &Bound<'py, PyAny>, len: usize) -> PyResult<Group<'py>> {
    let py = group.py();
    if let Ok(slice) = group.cast::<PySlice>() {
        let found = slice.indices(isize::try_from(len).unwrap_or(isize::MAX))?;
        let start = usize::try_from(found.start).unwrap_or(0);
        return Ok(Group::Slice { start, step: found.step, len: found.slicelength });
    }
    if let Ok(positions) = group.extract() {
        return Ok(Group::Positions(positions));
    }
    let array = numpy(py, "asarray")?.call1((group, "int64"))?;
    Ok(Group::Positions(array.extract()?))
}

/// Positions in memory, counted from the end where negative.
fn positions(py: Python<'_>, of: &PyReadonlyArray1<'_, i64>, len: usize) -> PyResult<Vec<usize>> {
    let out = |at: &i64| {
        invalid(py, format!("position {at} is out of bounds for an axis of length {len}"))
    };
    let position = |at: &i64| {
        let from_start = if *at < 0 { at.checked_add_unsigned(len as u64) } else { Some(*at) };
        let found = from_start.and_then(|at| usize::try_from(at).ok());
        found.filter(|at| *at < len).ok_or_else(|| out(at))
    };
    of.as_array().iter().map(position).collect()
}

/// The same along one axis for each of some groups of positions, slices or arrays; the axis has as
/// many positions as there are groups.
#[pyfunction]
#[pyo3(signature = (array, op, axis, groups, *, skipna=true, ddof=0.0))]
pub(crate) fn labelled_reduce_groups<'py>(
    array: &Bound<'py, PyUntypedArray>,
    op: &str,
    axis: isize,
    groups: &Bound<'py, PyList>,
    skipna: bool,
    ddof: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let axis = axes_of(array, Some(vec![axis]))?.first().copied().unwrap_or(0);
    let op = Reduction::from_name(op, ddof).ok_or_else(|| unknown(py, "reduction", op))?;
    let from = strided(array)?;
    let dtype = reduction_dtype(op, from.dtype()).map_err(|error| raise(py, &error))?;
    let len = from.shape().get(axis).copied().unwrap_or(0);
    let mut tables = Vec::with_capacity(groups.len());
    for each in groups {
        tables.push(match group(&each, len)? {
            Group::Slice { start, step, len } => (None, start, step, len),
            Group::Positions(of) => (Some(positions(py, &of, len)?), 0, 1, 0),
        });
    }
    let along: Vec<Along<'_>> = tables
        .iter()
        .map(|(table, start, step, len)| match table {
            Some(table) => Along::Positions(table),
            None => Along::Slice { start: *start, step: *step, len: *len },
        })
        .collect();
    let mut shape = from.shape().to_vec();
    if let Some(place) = shape.get_mut(axis) {
        *place = along.len();
    }
    let made = made(py, (dtype, &shape, false), |out| {
        stook_labelled::kernels::reduce_groups(op, &from, (axis, &along), missing(skipna), out)
    })?;
    Ok(made.into_any())
}

/// Quantiles, between 0 and 1, along axes; the first axis of the result is theirs.
#[pyfunction]
#[pyo3(signature = (array, q, axes=None, *, method="linear", skipna=true, keepdims=false))]
pub(crate) fn labelled_quantile<'py>(
    array: &Bound<'py, PyUntypedArray>,
    q: Vec<f64>,
    axes: Option<Vec<isize>>,
    method: &str,
    skipna: bool,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let axes = axes_of(array, axes)?;
    let method = Quantile::from_name(method).ok_or_else(|| unknown(py, "method", method))?;
    let from = strided(array)?;
    let dtype = quantile_dtype(method, from.dtype()).map_err(|error| raise(py, &error))?;
    let mut shape = kept(from.shape(), &axes);
    shape.insert(0, q.len());
    let made = made(py, (dtype, &shape, false), |out| {
        quantile(&from, &q, &axes, (method, missing(skipna)), out)
    })?;
    with_axes(made, from.shape(), &axes, keepdims)
}

/// The positions of the smallest (`"min"`) or largest (`"max"`) elements along axes, in C order.
#[pyfunction]
#[pyo3(signature = (array, which, axes=None, *, skipna=true, keepdims=false))]
pub(crate) fn labelled_arg_extreme<'py>(
    array: &Bound<'py, PyUntypedArray>,
    which: &str,
    axes: Option<Vec<isize>>,
    skipna: bool,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let axes = axes_of(array, axes)?;
    let which = match which {
        "min" => Extreme::Min,
        "max" => Extreme::Max,
        other => return Err(unknown(py, "extreme", other)),
    };
    let from = strided(array)?;
    let shape = kept(from.shape(), &axes);
    let made = made(py, (DType::Int64, &shape, false), |out| {
        arg_extreme(which, &from, &axes, missing(skipna), out)
    })?;
    with_axes(made, from.shape(), &axes, keepdims)
}

/// The positions along an axis in the order of the elements there.
#[pyfunction]
pub(crate) fn labelled_argsort<'py>(
    array: &Bound<'py, PyUntypedArray>,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = axes_of(array, Some(vec![axis]))?;
    let from = strided(array)?;
    let of = (DType::Int64, from.shape(), false);
    let axis = axes.first().copied().unwrap_or(0);
    Ok(made(array.py(), of, |out| argsort(&from, axis, out))?.into_any())
}

/// Running sums (`"cumsum"`) or products (`"cumprod"`) along an axis.
#[pyfunction]
pub(crate) fn labelled_scan<'py>(
    array: &Bound<'py, PyUntypedArray>,
    op: &str,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let axes = axes_of(array, Some(vec![axis]))?;
    let op = match op {
        "cumsum" => Scan::Sum,
        "cumprod" => Scan::Product,
        other => return Err(unknown(py, "running", other)),
    };
    let from = strided(array)?;
    let dtype = scan_dtype(from.dtype()).map_err(|error| raise(py, &error))?;
    let axis = axes.first().copied().unwrap_or(0);
    let of = (dtype, from.shape(), is_fortran(&[array]));
    Ok(made(py, of, |out| scan(op, &from, axis, out))?.into_any())
}

/// Whether arrays of one shape lie in Fortran order, all of them.
fn is_fortran(arrays: &[&Bound<'_, PyUntypedArray>]) -> bool {
    let lies = |array: &&Bound<'_, PyUntypedArray>| {
        array.ndim() > 1 && array.is_fortran_contiguous() && !array.is_c_contiguous()
    };
    let is_same = arrays.windows(2).all(|pair| pair[0].shape() == pair[1].shape());
    is_same && arrays.iter().all(lies)
}

/// The elements for which a mask, which broadcasts to the array, is true, in C order.
#[pyfunction]
pub(crate) fn labelled_filter<'py>(
    array: &Bound<'py, PyUntypedArray>,
    mask: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let (from, mask) = (strided(array)?, strided(mask)?);
    let filter = enter(py, || Filter::new(&from, &mask.broadcast_to(from.shape())?))?;
    let of = (from.dtype().clone(), &[filter.len()][..], false);
    Ok(made(py, of, |out| filter.fill(out))?.into_any())
}

/// How many elements are true.
#[pyfunction]
pub(crate) fn labelled_count_true(mask: &Bound<'_, PyUntypedArray>) -> PyResult<usize> {
    let from = strided(mask)?;
    enter(mask.py(), || count_true(&from))
}

/// The positions along each axis of the elements that are true, in C order.
#[pyfunction]
pub(crate) fn labelled_nonzero<'py>(
    mask: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = mask.py();
    let from = strided(mask)?;
    let axes = enter(py, || unravel(&true_positions(&from)?, from.shape()))?;
    PyTuple::new(py, axes.into_iter().map(|axis| PyArray1::from_vec(py, axis)))
}

/// The positions of the elements that are true, counted in C order.
#[pyfunction]
pub(crate) fn labelled_true_positions<'py>(
    mask: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let from = strided(mask)?;
    let positions = enter(mask.py(), || true_positions(&from))?;
    Ok(PyArray1::from_vec(mask.py(), positions))
}

/// What is picked along each axis: an int, a slice, or an array of positions. Arrays are picked
/// from independently (as by `numpy.ix_`), or, with `points`, together.
#[pyfunction]
#[pyo3(signature = (array, key, *, points=false))]
pub(crate) fn labelled_take<'py>(
    array: &Bound<'py, PyUntypedArray>,
    key: &Bound<'py, PyTuple>,
    points: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let from = strided(array)?;
    if key.len() != from.shape().len() {
        let (expected, found) = (from.shape().len(), key.len());
        return Err(invalid(py, format!("expected a key of {expected} axes, found {found}")));
    }
    let mut parts = Vec::with_capacity(key.len());
    for (part, &len) in key.iter().zip(from.shape()) {
        parts.push(match part.extract::<isize>() {
            Ok(at) if !part.is_instance_of::<PySlice>() => Part::At(one(py, at, len)?),
            _ => match group(&part, len)? {
                Group::Slice { start, step, len } => Part::Slice(start, step, len),
                Group::Positions(of) => Part::Positions(positions(py, &of, len)?),
            },
        });
    }
    let along: Vec<Along<'_>> = parts.iter().map(|part| part.along(points)).collect();
    let shape = stook_labelled::kernels::picked_shape(from.shape(), &along);
    let shape = shape.map_err(|error| raise(py, &error))?;
    let of = (from.dtype().clone(), shape.as_slice(), false);
    Ok(made(py, of, |out| take(&from, &along, out))?.into_any())
}

enum Part {
    At(usize),
    Slice(usize, isize, usize),
    Positions(Vec<usize>),
}

impl Part {
    fn along(&self, points: bool) -> Along<'_> {
        match self {
            Self::At(at) => Along::At(*at),
            Self::Slice(start, step, len) => Along::Slice { start: *start, step: *step, len: *len },
            Self::Positions(positions) if points => Along::Points(positions),
            Self::Positions(positions) => Along::Positions(positions),
        }
    }
}

fn one(py: Python<'_>, at: isize, len: usize) -> PyResult<usize> {
    let found = if at < 0 { at.checked_add_unsigned(len) } else { Some(at) };
    found.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < len).ok_or_else(|| {
        invalid(py, format!("position {at} is out of bounds for an axis of length {len}"))
    })
}

/// Whether each two elements are equal within a tolerance; the arrays broadcast.
#[pyfunction]
#[pyo3(signature = (a, b, *, rtol=0.0, atol=0.0, nans_equal=false))]
pub(crate) fn labelled_element_equals<'py>(
    a: &Bound<'py, PyUntypedArray>,
    b: &Bound<'py, PyUntypedArray>,
    rtol: f64,
    atol: f64,
    nans_equal: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    let is_fortran = is_fortran(&[a, b]);
    let (a, b) = (strided(a)?, strided(b)?);
    let shape = broadcast_shape(a.shape(), b.shape()).map_err(|error| raise(py, &error))?;
    let tolerance = Tolerance { relative: rtol, absolute: atol, nans_equal };
    let of = (DType::Bool, shape.as_slice(), is_fortran);
    Ok(made(py, of, |out| element_equals(&a, &b, tolerance, out))?.into_any())
}

/// Whether all elements are equal within a tolerance; the arrays broadcast.
#[pyfunction]
#[pyo3(signature = (a, b, *, rtol=0.0, atol=0.0, nans_equal=false))]
pub(crate) fn labelled_equals(
    a: &Bound<'_, PyUntypedArray>,
    b: &Bound<'_, PyUntypedArray>,
    rtol: f64,
    atol: f64,
    nans_equal: bool,
) -> PyResult<bool> {
    let py = a.py();
    let (a, b) = (strided(a)?, strided(b)?);
    let tolerance = Tolerance { relative: rtol, absolute: atol, nans_equal };
    enter(py, || all_close(&a, &b, tolerance))
}

/// What numpy's function of a name makes of two arrays, which broadcast.
#[pyfunction]
pub(crate) fn labelled_binary<'py>(
    op: &str,
    a: &Bound<'py, PyUntypedArray>,
    b: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    let op = Binary::from_name(op).ok_or_else(|| unknown(py, "function", op))?;
    let is_fortran = is_fortran(&[a, b]);
    let (a, b) = (strided(a)?, strided(b)?);
    let dtype = binary_dtype(op, a.dtype(), b.dtype()).map_err(|error| raise(py, &error))?;
    let shape = broadcast_shape(a.shape(), b.shape()).map_err(|error| raise(py, &error))?;
    let of = (dtype, shape.as_slice(), is_fortran);
    Ok(made(py, of, |out| binary(op, &a, &b, out))?.into_any())
}

/// `"add"`, `"subtract"` or `"multiply"` of floats of 64 bits that lie in C order: an array, and one of the same
/// shape or a number. `None` for others, and where a result is not finite: numpy may warn of it.
#[pyfunction]
pub(crate) fn labelled_arithmetic<'py>(
    op: &str,
    a: &Bound<'py, PyUntypedArray>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = a.py();
    let op = match op {
        "add" => Plain::Add,
        "subtract" => Plain::Subtract,
        "multiply" => Plain::Multiply,
        other => return Err(unknown(py, "function", other)),
    };
    let other = b.cast::<PyUntypedArray>().ok();
    let Some(x) = floats(a) else { return Ok(None) };
    let y = match other {
        Some(other) if other.shape() == a.shape() => match floats(other) {
            Some(y) => Side::Each(y),
            None => return Ok(None),
        },
        Some(_) => return Ok(None),
        None => Side::All(b.extract()?),
    };
    let mut is_finite = false;
    let found = made(py, (DType::Float64, a.shape(), false), |out| {
        let out =
            out.as_mut_slice::<f64>().ok_or_else(|| Error::invalid("no floats in C order"))?;
        is_finite = plain(op, x, y, out)?;
        Ok(())
    })?;
    Ok(is_finite.then(|| found.into_any()))
}

/// The elements of an array of floats of 64 bits in C order; `None` for another.
fn floats<'a>(array: &'a Bound<'_, PyUntypedArray>) -> Option<&'a [f64]> {
    let descr = array.dtype();
    let is_float = (descr.kind(), descr.itemsize()) == (b'f', size_of::<f64>());
    if !is_float || descr.is_native_byteorder() == Some(false) {
        return None;
    }
    // SAFETY: any bytes are a float.
    #[expect(unsafe_code, reason = "items are lent where they lie")]
    let (before, items, after) = unsafe { memory::bytes(array).align_to::<f64>() };
    (before.is_empty() && after.is_empty() && items.len() == array.len()).then_some(items)
}
