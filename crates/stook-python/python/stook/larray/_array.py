"""`Array`: elements in an ndarray, and the axes that name their places."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stook.larray import _syntax
from stook.larray._aggregate import Aggregates
from stook.larray._arithmetic import Arithmetic
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._broadcast import axes_for
from stook.larray._compare import Comparison
from stook.larray._display import Display
from stook.larray._group import Group, LGroup
from stook.larray._index import (
    ArrayPositionalIndexer,
    FlatIndexer,
    Place,
    PointsIndexer,
    place_of,
)
from stook.larray._iterate import Iteration
from stook.larray._metadata import Metadata, metadata_of
from stook.larray._output import Output
from stook.larray._reference import AxisReference, ExprNode
from stook.larray._relabel import Relabelling
from stook.larray._reshape import Reshaping
from stook.larray._select import Labelled, is_array, on_axis, resolve
from stook.larray._sort import Sorting
from stook.larray._totals import Totals
from stook.larray._warn import warn

_UNSAFE = """
Setting a subset of an array with {mine} dtype with a value with {theirs} dtype.

It will be converted to {mine} like in previous larray versions but this is 
not a safe operation (some information could be lost in the conversion). 

If you want to keep doing this conversion and silence this warning, please
convert the value explicitly using value.astype(<target_array_type>). 

This warning will become an error in a future version of larray."""  # noqa: W291


class Array(Arithmetic, Comparison, Aggregates, Totals, Reshaping, Relabelling, Sorting, Iteration, Output, Display,
            Labelled):
    """Elements, and an axis for each of their dimensions.

    :param data: what numpy makes an array of; an ndarray is kept as it is, not copied
    :param axes: axes, or what makes some (see `AxisCollection`); without, wildcard axes
    :param meta: metadata: a mapping or pairs
    :param dtype: the type of the elements, else that of ``data``
    :raises ValueError: where lengths or number of axes are not those of the data
    """

    __slots__ = ("data", "axes", "_meta", "__weakref__")
    __array_priority__ = 100
    data: np.ndarray
    axes: AxisCollection

    def __init__(self, data: Any, axes: Any = None, title: Any = None, meta: Any = None, dtype: Any = None) -> None:
        if is_array(data):
            data = data.data
        data = np.asarray(data, dtype=dtype)
        if axes is None:
            axes = AxisCollection._of([Axis._wild(length, None) for length in data.shape])
        else:
            axes = axes if isinstance(axes, AxisCollection) else AxisCollection(axes)
            if axes.ndim != data.ndim:
                raise ValueError(f"number of axes ({axes.ndim}) does not match number of dimensions of data "
                                 f"({data.ndim})")
            if axes.shape != data.shape:
                raise ValueError(f"length of axes {axes.shape} does not match data shape {data.shape}")
        self.data = data
        self.axes = axes
        self._meta = None if meta is None and title is None else metadata_of(meta, title)

    @classmethod
    def _new(cls, data: np.ndarray, axes: AxisCollection) -> Array:
        """An array of parts that are known to fit."""
        array = object.__new__(cls)
        array.data = data
        array.axes = axes
        array._meta = None
        return array

    @property
    def meta(self) -> Metadata:
        """The metadata of the array."""
        if self._meta is None:
            self._meta = Metadata()
        return self._meta

    @meta.setter
    def meta(self, meta: Any) -> None:
        self._meta = metadata_of(meta)

    @property
    def title(self) -> Any:
        warn("title attribute is deprecated. Please use meta.title instead")
        return self._meta.get("title") if self._meta else None

    @title.setter
    def title(self, title: Any) -> None:
        warn("title attribute is deprecated. Please use meta.title instead")
        self.meta["title"] = title

    # What it is.

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return self.data.nbytes

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self.data.dtype

    @property
    def item(self) -> Callable[..., Any]:
        """The ``item`` of the ndarray."""
        return self.data.item

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __index__(self) -> int:
        return operator.index(self.data)

    def __contains__(self, key: Any) -> bool:
        return any(key in axis for axis in self.axes)

    def __iter__(self) -> Iterator[Any]:
        if self.data.ndim == 1:
            return iter(self.data)
        axes = AxisCollection._of(self.axes._list[1:])
        return (Array._new(part, axes) for part in self.data)

    def __getattr__(self, key: str) -> Axis:
        if key[:1] != "_":
            number = self.axes._named(key)
            if number is not None:
                return self.axes._list[number]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {key!r}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(name for name in self.axes.names if isinstance(name, str))})

    # Selection.

    def __getitem__(self, key: Any, collapse_slices: bool = False, translate_key: bool = True,
                    points: bool = False) -> Any:
        kind = type(key)
        if kind is str or kind is int:
            found = self._at_label(key)
            if found is not None:
                return found
        elif kind is tuple:
            found = self._at_labels(key)
            if found is not None:
                return found
        elif kind is list:
            found = self._at_list(key)
            if found is not None:
                return found
        elif kind is LGroup:
            found = self._at_group(key)
            if found is not None:
                return found
        if not translate_key:
            return self.i[key]
        if points:
            return self.points[key]
        return self._read(self._place(key))

    def _at_label(self, label: Any) -> Any:
        """What is at a label of one axis, None where there is none or more than one."""
        found = self._only(label)
        if found is not None:
            return self._dropped(*found)
        if type(label) is str and not _syntax.is_plain(label):
            written = _syntax.parse(label)
            if written.axis is None and type(written.key) is list:
                return self._at_list(written.key)
        return None

    def _at_list(self, labels: list[Any]) -> Any:
        """What is at labels of one axis, None unless all are there, and there alone."""
        axes = self.axes._list
        at = None
        for number, axis in enumerate(axes):
            positions = axis._positions_of(labels)
            if positions is not None:
                if at is not None:
                    return None
                at, where = number, positions
        return None if at is None else self._taken(at, where)

    def _at_group(self, group: LGroup) -> Any:
        """What is at the labels of a group, None unless it is of one of these axes."""
        for number, axis in enumerate(self.axes._list):
            if axis is group.axis:
                key = group.key
                if type(key) is list:
                    positions = axis._positions_of(key)
                    return None if positions is None else self._taken(number, positions)
                if type(key) is str or type(key) is int:
                    position = axis._position(key)
                    if position is not None:
                        return self._dropped(number, position)
                return None
        return None

    def _taken(self, number: int, positions: np.ndarray) -> Array:
        axes = list(self.axes._list)
        axes[number] = axes[number].subaxis(positions)
        return Array._new(self.data.take(positions, axis=number), AxisCollection._of(axes))

    def _dropped(self, number: int, position: int) -> Any:
        axes = self.axes._list
        if len(axes) == 1:
            return self.data[position]
        found = self.data[(slice(None),) * number + (position,)]
        return Array._new(found, AxisCollection._of(axes[:number] + axes[number + 1:]))

    def _at_labels(self, key: tuple[Any, ...]) -> Any:
        """What is at labels of different axes, None unless that is what the key is."""
        axes = self.axes._list
        index: list[Any] = [None] * len(axes)
        for label in key:
            if type(label) is not str and type(label) is not int:
                return None
            found = self._only(label)
            if found is None or index[found[0]] is not None:
                return None
            index[found[0]] = found[1]
        if len(key) == len(axes):
            return self.data[tuple(index)]
        kept = [axis for axis, position in zip(axes, index) if position is None]
        data = self.data[tuple([slice(None) if position is None else position for position in index])]
        return Array._new(data, AxisCollection._of(kept))

    def _only(self, label: Any) -> tuple[int, int] | None:
        """The only axis that has a label, and where; None where there is none or more than one."""
        found = None
        for number, axis in enumerate(self.axes._list):
            position = axis._position(label)
            if position is not None:
                if found is not None:
                    return None
                found = number, position
        return found

    def _place(self, key: Any) -> Place:
        return place_of(self.axes, resolve(self.axes, key, Array))

    def _read(self, place: Place) -> Any:
        found = place.read(self.data)
        if not place.axes:
            return found[()] if isinstance(found, np.ndarray) else found
        return Array._new(found, AxisCollection._of(place.axes))

    def __setitem__(self, key: Any, value: Any, collapse_slices: bool = True, translate_key: bool = True,
                    points: bool = False) -> None:
        if isinstance(key, ExprNode) and not isinstance(key, AxisReference):
            key = key.evaluate(self.axes)
        if is_array(key) and is_array(value) and key.data.dtype.kind == "b" and value.ndim > 0 and len(
            value.axes.without(self.axes)
        ) == 0:
            # A mask of the whole, and elements for all of it: those under the mask are taken.
            self._check_cast(value)
            mask = key.broadcast_with(self.axes).data
            mask = np.broadcast_to(mask, self.data.shape)
            self.data[mask] = np.broadcast_to(value.broadcast_with(self.axes).data, self.data.shape)[mask]
            return
        place = self._place(key) if translate_key else place_of(self.axes, ArrayPositionalIndexer(self)._selected(key))
        self._write(place, value)

    def _write(self, place: Place, value: Any) -> None:
        self._check_cast(value)
        if is_array(value):
            value = self._fitted(AxisCollection._of(place.axes), value)
        elif isinstance(value, Group):
            value = value.eval()
        place.write(self.data, value)

    def _fitted(self, target: AxisCollection, value: Array) -> np.ndarray:
        """The elements of a value as a part of an array has them."""
        for axis in value.axes:
            at = target._find(axis)
            if at is not None and not target._list[at].iscompatible(axis):
                from stook.larray._axes import incompatible

                raise incompatible(target._list[at], axis)
        extra = [axis for axis in value.axes if axis not in target and len(axis) != 1]
        if extra:
            text = AxisCollection(extra)
            many = len(extra) > 1
            raise ValueError(f"Value {text} {'axes are' if many else 'axis is'} not present in target subset "
                             f"{target}. A value can only have the same axes or fewer axes than the subset being "
                             "targeted")
        return np.asarray(value.broadcast_with(target).data)

    def _check_cast(self, value: Any) -> None:
        theirs = value.data.dtype if is_array(value) else getattr(value, "dtype", None)
        mine = self.data.dtype
        if theirs is None:
            if isinstance(value, (float, complex)) and mine.kind in "iub" or isinstance(value, complex):
                theirs = np.dtype(type(value))
            else:
                return
        if theirs.kind in "fc" and mine.kind in "iub" or theirs.kind == "c" and mine.kind == "f":
            shown = theirs if is_array(value) or hasattr(value, "dtype") else type(value).__name__
            warn(_UNSAFE.format(mine=mine, theirs=shown))

    @property
    def i(self) -> ArrayPositionalIndexer:
        """Selection by positions, an axis after another."""
        return ArrayPositionalIndexer(self)

    @property
    def points(self) -> PointsIndexer:
        """Selection of points: lists of labels of several axes go together."""
        return PointsIndexer(self, False)

    @property
    def ipoints(self) -> PointsIndexer:
        """Selection of points by positions."""
        return PointsIndexer(self, True)

    @property
    def iflat(self) -> FlatIndexer:
        """Selection by positions in the order of the elements."""
        return FlatIndexer(self)

    def set(self, value: Any, **kwargs: Any) -> None:
        """Puts elements where labels of axes, given by their names, lead."""
        self.__setitem__(kwargs, value)

    def filter(self, collapse: bool = False, **kwargs: Any) -> Any:
        """What is at labels of axes that are given by their names."""
        return self[kwargs]

    def _on_axis(self, key: Any) -> tuple[int, Any]:
        return on_axis(self.axes, key)

    # numpy.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is None:
            return np.asarray(self.data, dtype=dtype)
        return np.array(self.data, dtype=dtype, copy=copy)

    def __array_wrap__(self, out_arr: Any, context: Any = None, return_scalar: bool = False) -> Any:
        data = np.asarray(out_arr)
        if return_scalar and data.ndim == 0:
            return data[()]
        return Array(data, axes_for(self.axes, data.shape) if data.shape != self.shape else self.axes)

    # State.

    def __getstate__(self) -> Any:
        return {"axes": self.axes, "data": self.data, "_meta": self._meta or Metadata()}

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):
            state = state[1] if state[0] is None else state[0]
        self.data = state["data"]
        self.axes = state["axes"]
        self._meta = state.get("_meta")

    def copy(self) -> Array:
        """An array of its own with the same elements."""
        found = Array._new(self.data.copy(), self.axes)
        found._meta = self._meta if self._meta is None else Metadata(self._meta)
        return found

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Array:
        return self.copy()

    def astype(self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True,
               copy: bool = True) -> Array:
        """The array with elements of another type."""
        return Array._new(self.data.astype(dtype, order, casting, subok, copy), self.axes)


def _own_names() -> None:
    """Methods are those of `Array`, whichever file they stand in: errors of calls and tracebacks say so."""
    for base in Array.__mro__[1:-1]:
        for name, value in vars(base).items():
            function = value.fget if isinstance(value, property) else value
            if callable(function) and hasattr(function, "__qualname__"):
                function.__qualname__ = f"Array.{name}"


_own_names()
