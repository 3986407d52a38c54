"""Arrays made of nothing, of numbers, and of other arrays."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._labels import labels_of
from stook.larray._reference import AxisReference
from stook.larray._select import is_array
from stook.larray._warn import warn


def _axes(axes: Any) -> AxisCollection:
    return axes if isinstance(axes, AxisCollection) else AxisCollection(axes)


def _made(data: np.ndarray, axes: AxisCollection, meta: Any, title: Any = None) -> Array:
    return Array(data, axes, title=title, meta=meta) if meta is not None or title is not None else Array._new(data, axes)


def asarray(a: Any, meta: Any = None) -> Array:
    """An array of what may be one; an array, as it is, or with other metadata."""
    if isinstance(a, Array):
        return a if meta is None else Array(a.data, a.axes, meta=meta)
    if hasattr(a, "__larray__"):
        return a.__larray__()  # type: ignore[no-any-return]
    if type(a).__module__.partition(".")[0] == "pandas":
        from stook.larray._pandas import from_frame, from_series

        return from_frame(a, meta=meta) if hasattr(a, "columns") else from_series(a, meta=meta)
    if type(a).__module__.partition(".")[0] == "xarray":
        from stook.larray._xarray import from_xarray

        return from_xarray(a, meta)
    if is_array(a):
        return Array(a.data, a.axes, meta=meta)
    return Array(a, meta=meta)


def empty(axes: Any, title: Any = None, dtype: Any = float, order: Any = "C", meta: Any = None) -> Array:
    """An array whose elements are whatever was in memory."""
    axes = _axes(axes)
    return _made(np.empty(axes.shape, dtype, order), axes, meta, title)


def zeros(axes: Any, title: Any = None, dtype: Any = float, order: Any = "C", meta: Any = None) -> Array:
    """An array of zeros."""
    axes = _axes(axes)
    return _made(np.zeros(axes.shape, dtype, order), axes, meta, title)


def ones(axes: Any, title: Any = None, dtype: Any = float, order: Any = "C", meta: Any = None) -> Array:
    """An array of ones."""
    axes = _axes(axes)
    return _made(np.ones(axes.shape, dtype, order), axes, meta, title)


def full(axes: Any, fill_value: Any, title: Any = None, dtype: Any = None, order: Any = "C", meta: Any = None) -> Array:
    """An array of one value, or of an array of fewer axes again and again.

    :param dtype: the type of the elements, else that of the value
    """
    if dtype is None:
        dtype = np.asarray(fill_value).dtype
    found = empty(axes, title, dtype, order, meta)
    found[...] = fill_value
    return found


def empty_like(array: Any, title: Any = None, dtype: Any = None, order: Any = "K", meta: Any = None) -> Array:
    """An array with the axes of another, whose elements are whatever was in memory."""
    array = asarray(array)
    return _made(np.empty_like(array.data, dtype, order), array.axes, meta, title)


def zeros_like(array: Any, title: Any = None, dtype: Any = None, order: Any = "K", meta: Any = None) -> Array:
    """An array of zeros with the axes of another."""
    array = asarray(array)
    return _made(np.zeros_like(array.data, dtype, order), array.axes, meta, title)


def ones_like(array: Any, title: Any = None, dtype: Any = None, order: Any = "K", meta: Any = None) -> Array:
    """An array of ones with the axes of another."""
    array = asarray(array)
    return _made(np.ones_like(array.data, dtype, order), array.axes, meta, title)


def full_like(array: Any, fill_value: Any, title: Any = None, dtype: Any = None, order: Any = "K",
              meta: Any = None) -> Array:
    """An array of one value with the axes of another."""
    found = empty_like(array, title, dtype, order, meta)
    found[...] = fill_value
    return found


def ndtest(shape_or_axes: Any, start: Any = 0, label_start: int = 0, title: Any = None, dtype: Any = int,
           meta: Any = None) -> Array:
    """An array of numbers that rise by one, with axes ``a``, ``b``, ... where lengths are given.

    :param start: the first number
    :param label_start: the number in the first label
    """
    given = shape_or_axes
    if isinstance(given, (int, np.integer)):
        given = (given,)
    if isinstance(given, (list, tuple)) and given and all(isinstance(one, (int, np.integer)) for one in given):
        if len(given) > len(string.ascii_lowercase):
            raise ValueError(f"shape with {len(given)} dimensions is too large, "
                             f"there are names for {len(string.ascii_lowercase)}")
        given = [Axis([f"{name}{number}" for number in range(label_start, label_start + length)], name)
                 for name, length in zip(string.ascii_lowercase, given)]
    axes = _axes(given if not (isinstance(given, tuple) and not given) else [])
    data = np.arange(start, start + axes.size).reshape(axes.shape).astype(dtype, copy=False)
    return _made(data, axes, meta, title)


def ndrange(axes: Any, start: Any = 0, title: Any = None, dtype: Any = int) -> Array:
    """`ndtest` by the name it had."""
    warn("ndrange() is deprecated. Use sequence() or ndtest() instead.")
    return ndtest(axes, start, title=title, dtype=dtype)


def create_sequential(*args: Any, **kwargs: Any) -> None:
    raise TypeError("create_sequential() is deprecated. Use sequence() instead.")


def aslarray(*args: Any, **kwargs: Any) -> None:
    raise TypeError("aslarray() is deprecated. Use asarray() instead.")


def identity(axis: Any) -> None:
    raise NotImplementedError("identity(axis) is deprecated. In most cases, you can now use the axis directly. For "
                              "example, 'identity(age) < 10' can be replaced by 'age < 10'. In other cases, you "
                              "should use labels_array(axis) instead.")


def labels_array(axes: Any, title: Any = None, meta: Any = None) -> Array:
    """The labels of an axis as elements; of several, their combinations, along ``axis``."""
    axes = AxisCollection(axes)
    if len(axes) == 1:
        return _made(axes[0].labels, axes, meta, title)
    grids = np.meshgrid(*(axis.labels for axis in axes), indexing="ij")
    data = np.stack([grid.astype(object) for grid in grids], axis=-1)
    return _made(data, AxisCollection([*axes, Axis(axes.names, "axis")]), meta, title)


def eye(rows: Any, columns: Any = None, k: int = 0, title: Any = None, dtype: Any = None, meta: Any = None) -> Array:
    """A matrix with ones on a diagonal."""
    first = AxisCollection(rows)[0] if not isinstance(rows, Axis) else rows
    second = first.copy() if columns is None else (
        AxisCollection(columns)[0] if not isinstance(columns, Axis) else columns)
    data = np.eye(len(first), len(second), k, float if dtype is None else dtype)
    return _made(data, AxisCollection([first, second]), meta, title)


def diag(a: Any, k: int = 0, axes: Any = (0, 1), ndim: int = 2, split: bool = True) -> Array:
    """The diagonal of an array, or an array with one of one axis on its diagonal."""
    a = asarray(a)
    if a.ndim == 1:
        axis = a.axes[0]
        found = zeros(AxisCollection([axis, *(axis.copy() for _ in range(ndim - 1))]), dtype=a.dtype)
        at = np.arange(len(axis))
        if k == 0:
            found.data[(at,) * ndim] = a.data
            return found
        if ndim != 2:
            raise NotImplementedError("k != 0 with ndim != 2")
        rows, columns = at[: len(at) - k] if k > 0 else at[-k:], at[k:] if k > 0 else at[: len(at) + k]
        found.data[rows, columns] = a.data[: len(rows)]
        return found
    first, second = [a.axes._number(axis) for axis in axes[:2]]
    size = min(a.shape[first] - max(-k, 0), a.shape[second] - max(k, 0))
    rows = np.arange(size) + max(-k, 0)
    key: list[Any] = [slice(None)] * a.ndim
    key[first], key[second] = rows, rows + k
    return a.ipoints[tuple(key)]  # type: ignore[no-any-return]


def sequence(axis: Any, initial: Any = 0, inc: Any = None, mult: Any = None, func: Any = None, axes: Any = None,
             title: Any = None, meta: Any = None) -> Array:
    """An array that begins with a value and goes on along an axis by adding, multiplying, or a function.

    :param initial: the first value: a number, or an array of other axes
    :param inc: what is added at each step, 1 unless told otherwise: a number, or an array
    :param mult: what is multiplied by at each step
    :param func: what makes each value of the one before
    """
    if axes is not None:
        axes = _axes(axes)
        axis = axes[axis]
    elif not isinstance(axis, Axis):
        axis = AxisCollection(axis)[0]
    if inc is None:
        inc = 1 if mult is None and func is None else 0
    if mult is None:
        mult = 1
    arrays = [part for part in (initial, inc, mult) if is_array(part)]
    others: list[Axis] = []
    for part in arrays:
        others += [own for own in part.axes if own.name != axis.name and all(own.name != one.name for one in others)]
    if axes is None:
        axes = AxisCollection([*others, axis])
    number = axes.index(axis)
    kind = np.result_type(*(np.asarray(part) for part in (initial, inc, mult)))
    if func is not None and not arrays and kind.kind in "iub":
        probe = np.asarray(func(initial))
        kind = np.result_type(kind, probe.dtype)
    found = empty(axes, dtype=kind)
    lead = (slice(None),) * number

    def part_at(value: Any, position: int) -> Any:
        if not is_array(value):
            return value
        if axis in value.axes and value.axes._find(axis) is not None:
            at = value.axes._find(axis)
            position -= len(axis) - value.shape[at]
            value = value.i[(slice(None),) * at + (position,)]
        return value

    value: Any = part_at(initial, 0)
    rest = axes - axis
    for position in range(len(axis)):
        if position:
            value = func(value) if func is not None else value * part_at(mult, position) + part_at(inc, position)
        data = value.broadcast_with(rest).data if is_array(value) else value
        found.data[lead + (position,)] = data
    return _made(found.data, axes, meta, title)


def stack(elements: Any = None, axes: Any = None, title: Any = None, meta: Any = None, dtype: Any = None,
          res_axes: Any = None, **kwargs: Any) -> Array:
    """One array of several, along an axis of its own, which comes last.

    :param elements: values, or pairs of labels and values, or a mapping, or a session
    :param axes: the axis, or its name, or several axes whose combinations the labels are
    :param res_axes: all axes of the result, else those of all values
    """
    from stook.larray._session import Session

    if elements is None:
        if not isinstance(axes, (str, Axis)) and axes is not None and not kwargs:
            raise TypeError("stack needs elements")
        elements = kwargs
    elif kwargs:
        raise TypeError("stack takes elements or keywords, not both")
    if isinstance(elements, Session):
        elements = elements.filter(kind=Array) if axes is None else elements
        pairs: Any = list(elements.items())
    elif isinstance(elements, Mapping):
        pairs = list(elements.items())
    elif is_array(elements):
        pairs = None
        values = list(elements)
    else:
        elements = list(elements)
        pairs = elements if elements and all(isinstance(one, tuple) and len(one) == 2 for one in elements) else None
        values = elements
    labels = None
    if pairs is not None:
        labels = [label for label, _ in pairs]
        values = [value for _, value in pairs]
    own = _stack_axes(axes, labels, len(values))
    if own.size != len(values):
        raise AssertionError(f"{len(values)} elements for {own.size} labels of {own}")
    values = [asarray(value) if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) else value
              for value in values]
    if labels is not None and not any(axis.iswildcard for axis in own):
        values = _in_order(own, labels, values)
    rest = AxisCollection._of([])
    for value in values:
        if is_array(value):
            rest = rest | value.axes
    target = _axes(res_axes) if res_axes is not None else AxisCollection([*rest, *own])
    kind = np.result_type(*(value.dtype if is_array(value) else np.asarray(value) for value in values)) \
        if dtype is None else np.dtype(dtype)
    kinds = {(value.dtype if is_array(value) else np.asarray(value).dtype).kind for value in values}
    if dtype is None and len(kinds) > 1 and kinds & set("USO"):
        kind = np.dtype(object)
    data = np.empty((*rest.shape, len(values)), dtype=kind)
    for at, value in enumerate(values):
        data[..., at] = value.broadcast_with(rest).data if is_array(value) else value
    found = _made(data.reshape(*rest.shape, *own.shape), AxisCollection([*rest, *own]), meta, title)
    return found if res_axes is None else found.transpose(*target)


def _stack_axes(axes: Any, labels: Any, count: int) -> AxisCollection:
    if isinstance(axes, AxisReference):
        axes = axes.name
    if axes is None:
        return AxisCollection(Axis(count if labels is None else list(labels), None))
    if isinstance(axes, Axis):
        return AxisCollection(axes)
    if isinstance(axes, str):
        if "=" in axes:
            return AxisCollection(axes)
        return AxisCollection(Axis(count if labels is None else list(labels), axes))
    if isinstance(axes, (list, tuple)) and axes and labels is not None and all(
        isinstance(axis, str) and "=" not in axis for axis in axes
    ):
        columns = zip(*labels)
        return AxisCollection([Axis(list(dict.fromkeys(column)), name) for column, name in zip(columns, axes)])
    return _axes(axes)


def _in_order(axes: AxisCollection, labels: Any, values: list[Any]) -> list[Any]:
    """Values in the order of the labels of axes."""
    found: list[Any] = [None] * len(values)
    for label, value in zip(labels, values):
        parts = label if len(axes) > 1 and isinstance(label, tuple) else (label,)
        at = 0
        for axis, part in zip(axes, parts):
            at = at * len(axis) + int(axis.index(part))
        found[at] = value
    return found


def union(*args: Any) -> list[Any]:
    """The labels of all, each once."""
    found: dict[Any, None] = {}
    for arg in args:
        found.update(dict.fromkeys(labels_of(arg.eval() if isinstance(arg, Group) else arg).tolist()))
    return list(found)


def zip_array_values(values: Any, axes: Any = None, ascending: bool = True) -> Any:
    """What is at each combination of labels of axes (those that all have), in each of some arrays."""
    from stook.larray._sequences import Repeater, SequenceZip

    arrays, axes = _common(values, axes)
    columns = []
    for array in arrays:
        if not is_array(array) or not any(axis in array.axes for axis in axes):
            columns.append(Repeater(array, axes.size))
            continue
        missing = [axis for axis in axes if axis not in array.axes]
        whole = array.expand([*missing, *array.axes], readonly=True) if missing else array
        columns.append(whole.values(tuple(whole.axes[axis] for axis in axes), ascending))
    return SequenceZip(columns)


def zip_array_items(values: Any, axes: Any = None, ascending: bool = True) -> Any:
    """The same, with the combinations as keys."""
    from stook.larray._sequences import SequenceZip

    _, chosen = _common(values, axes)
    return SequenceZip((chosen.iter_labels(None, ascending), zip_array_values(values, chosen, ascending)))


def _common(values: Any, axes: Any) -> tuple[list[Any], AxisCollection]:
    arrays = list(values)
    labelled = [value for value in arrays if is_array(value)]
    found = AxisCollection._of([])
    for array in labelled:
        found = found | array.axes
    if axes is None:
        return arrays, AxisCollection([axis for axis in found if all(axis in array.axes for array in labelled)])
    if isinstance(axes, (str, int, Axis)):
        axes = [axes]
    return arrays, AxisCollection([found[axis] if isinstance(axis, (str, int, Axis)) else axis for axis in axes])


def _deprecated_comparison(text: str) -> None:
    warn(text)


def larray_equal(a1: Any, a2: Any) -> bool:
    _deprecated_comparison("larray_equal() is deprecated. Use Array.equals() instead.")
    return asarray(a1).equals(a2)


def larray_nan_equal(a1: Any, a2: Any) -> bool:
    _deprecated_comparison("larray_nan_equal() is deprecated. Use Array.equals() instead.")
    return asarray(a1).equals(a2, nans_equal=True)


def nan_equal(a1: Any, a2: Any) -> Any:
    _deprecated_comparison("nan_equal() is deprecated. Use array1.eq(array2, nans_equal=True) instead.")
    return asarray(a1).eq(a2, nans_equal=True)


def element_equal(a1: Any, a2: Any, rtol: float = 0, atol: float = 0, nan_equals: bool = False) -> Any:
    _deprecated_comparison("element_equal() is deprecated. Use array1.eq(array2, rtol, atol, nan_equals) instead.")
    return asarray(a1).eq(a2, rtol=rtol, atol=atol, nans_equal=nan_equals)
