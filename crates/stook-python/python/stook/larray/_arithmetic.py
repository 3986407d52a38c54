"""Arithmetic: operators and numpy's functions, whose arrays go together by the names of axes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _kernels
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._broadcast import axes_for, same, shaped, united
from stook.larray._group import Group
from stook.larray._reference import AxisReference, ExprNode
from stook.larray._select import is_array
from stook.larray._warn import told

if TYPE_CHECKING:
    from stook.larray._array import Array

_SCALARS = (int, float, bool, complex, str, bytes, np.generic, type(None))


def _dividing(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator that may meet a 0 it cannot divide by."""

    def divided(first: Any, second: Any) -> Any:
        with told():
            return function(first, second)

    return divided


def _operated(name: str, reflected: bool = False) -> Callable[[Array, Any], Any]:
    usual = getattr(operator, name)
    if name in ("truediv", "floordiv", "mod", "pow"):
        usual = _dividing(usual)
    large = _kernels.several_threads(name, usual) if name in _kernels.LARGE_NAMES else usual

    def method(self: Array, other: Any) -> Any:
        kind = type(other)
        function = usual if self.data.size < _kernels.LARGE else large
        if kind is int or kind is float:
            found = function(other, self.data) if reflected else function(self.data, other)
            return type(self)._new(found if isinstance(found, np.ndarray) else np.asarray(found), self.axes)
        if kind is not type(self):
            if isinstance(other, _SCALARS):
                found = function(other, self.data) if reflected else function(self.data, other)
                return type(self)._new(np.asarray(found), self.axes)
            if isinstance(other, ExprNode) and not isinstance(other, AxisReference):
                other = other.evaluate(self.axes)
            elif isinstance(other, AxisReference):
                other = self.axes[other].__larray__()
            elif isinstance(other, Axis):
                other = other.__larray__()
            elif isinstance(other, Group):
                other = other.eval()
            if isinstance(other, (list, tuple)):
                other = type(self)(other)
            elif isinstance(other, np.ndarray):
                found = function(other, self.data) if reflected else function(self.data, other)
                return type(self)._new(np.asarray(found), axes_for(self.axes, np.shape(found)))
            elif not is_array(other):
                if not hasattr(other, "__larray__"):
                    return NotImplemented
                other = other.__larray__()
        axes = self.axes
        mine, theirs = self.data, other.data
        if axes is not other.axes and not same(axes, other.axes):
            axes, first, second = united(axes, other.axes)
            mine, theirs = shaped(mine, first, len(axes)), shaped(theirs, second, len(axes))
        found = function(theirs, mine) if reflected else function(mine, theirs)
        return type(self)._new(found if isinstance(found, np.ndarray) else np.asarray(found), axes)

    return method


class Arithmetic:
    """Operators of arrays."""

    __slots__ = ()

    def __neg__(self: Array) -> Array:  # type: ignore[misc]
        return type(self)._new(-self.data, self.axes)

    def __pos__(self: Array) -> Array:  # type: ignore[misc]
        return type(self)._new(+self.data, self.axes)

    def __abs__(self: Array) -> Array:  # type: ignore[misc]
        return type(self)._new(np.asarray(abs(self.data)), self.axes)

    def __invert__(self: Array) -> Array:  # type: ignore[misc]
        return type(self)._new(~self.data, self.axes)

    def __round__(self: Array, n: int = 0) -> Array:  # type: ignore[misc]
        return type(self)._new(np.round(self.data, n), self.axes)

    __add__ = _operated("add")
    __sub__ = _operated("sub")
    __mul__ = _operated("mul")
    __truediv__ = _operated("truediv")
    __floordiv__ = _operated("floordiv")
    __mod__ = _operated("mod")
    __pow__ = _operated("pow")
    __and__ = _operated("and_")
    __or__ = _operated("or_")
    __xor__ = _operated("xor")
    __lshift__ = _operated("lshift")
    __rshift__ = _operated("rshift")
    __lt__ = _operated("lt")
    __le__ = _operated("le")
    __gt__ = _operated("gt")
    __ge__ = _operated("ge")
    __eq__ = _operated("eq")
    __ne__ = _operated("ne")
    __radd__ = _operated("add", True)
    __rsub__ = _operated("sub", True)
    __rmul__ = _operated("mul", True)
    __rtruediv__ = _operated("truediv", True)
    __rfloordiv__ = _operated("floordiv", True)
    __rmod__ = _operated("mod", True)
    __rpow__ = _operated("pow", True)
    __rand__ = _operated("and_", True)
    __ror__ = _operated("or_", True)
    __rxor__ = _operated("xor", True)
    __rlshift__ = _operated("lshift", True)
    __rrshift__ = _operated("rshift", True)

    def __divmod__(self: Array, other: Any) -> Any:  # type: ignore[misc]
        return self // other, self % other

    def __rdivmod__(self: Array, other: Any) -> Any:  # type: ignore[misc]
        return other // self, other % self

    def __matmul__(self: Array, other: Any) -> Any:  # type: ignore[misc]
        from stook.larray._linear import matmul

        return matmul(self, other)

    def __rmatmul__(self: Array, other: Any) -> Any:  # type: ignore[misc]
        from stook.larray._create import asarray

        return asarray(other) @ self

    def divnot0(self: Array, other: Any) -> Array:  # type: ignore[misc]
        """Division, with 0 where the divisor is 0."""
        axes, (mine, theirs) = broadcast_all([self, other])
        shape = np.broadcast_shapes(np.shape(mine), np.shape(theirs))
        divisor = np.asarray(theirs)
        kind = np.result_type(np.asarray(mine).dtype, divisor.dtype)
        found = np.zeros(shape, dtype=kind if kind.kind in "fc" else float)
        np.divide(mine, divisor, out=found, where=np.broadcast_to(divisor != 0, shape))
        return type(self)._new(found, axes)


    def __array_ufunc__(self: Array, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        out = kwargs.pop("out", ())
        if out:
            kwargs["out"] = tuple(one.data if is_array(one) else one for one in out)
        if method != "__call__":
            found = getattr(ufunc, method)(*(np.asarray(one) if is_array(one) else one for one in inputs), **kwargs)
            return self._wrapped_method(ufunc, method, found, inputs, kwargs)
        if ufunc.signature is not None:
            return NotImplemented if ufunc is not np.matmul else inputs[0] @ inputs[1]
        axes, data = broadcast_all(inputs)
        if is_array(kwargs.get("where")):
            axes, (*data, where) = broadcast_all([*inputs, kwargs["where"]])
            kwargs["where"] = where
        with told():
            found = ufunc(*data, **kwargs)
        if out and len(out) == 1:
            return out[0]
        if isinstance(found, tuple):
            return tuple(_wrapped(type(self), one, axes) for one in found)
        return _wrapped(type(self), found, axes)

    def _wrapped_method(self: Array, ufunc: np.ufunc, method: str, found: Any, inputs: Any, kwargs: Any) -> Any:  # type: ignore[misc]
        if not isinstance(found, np.ndarray) or method == "at":
            return found
        if method == "reduce":
            axis = kwargs.get("axis", 0)
            if kwargs.get("keepdims"):
                return found
            gone = range(self.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
            numbers = {at % self.ndim for at in gone}
            kept = [own for number, own in enumerate(self.axes) if number not in numbers]
            return type(self)._new(found, AxisCollection._of(kept))
        return type(self)._new(found, self.axes) if found.shape == self.shape else found


def _wrapped(array_type: Any, data: Any, axes: AxisCollection) -> Any:
    if isinstance(data, np.ndarray):
        if data.shape == axes.shape:
            return array_type._new(data, axes)
        return array_type._new(data, axes_for(axes, data.shape))
    return array_type._new(np.asarray(data), axes) if not len(axes) else data


def broadcast_all(values: Any) -> tuple[AxisCollection, list[Any]]:
    """Elements of labelled arrays as they go together, what is no such array as it is, and the axes of both."""
    arrays = [value for value in values if is_array(value)]
    axes = arrays[0].axes
    for array in arrays[1:]:
        if array.axes is not axes and not same(axes, array.axes):
            axes = united(axes, array.axes)[0]
    data = []
    for value in values:
        if is_array(value):
            if value.axes is axes or same(axes, value.axes):
                data.append(value.data)
            else:
                places = united(axes, value.axes)[2]
                data.append(shaped(value.data, places, len(axes)))
        elif isinstance(value, Axis) and not value.is_reference:
            return broadcast_all([one.__larray__() if isinstance(one, Axis) else one for one in values])
        elif isinstance(value, Group):
            data.append(value.eval())
        else:
            data.append(value)
    return axes, data
