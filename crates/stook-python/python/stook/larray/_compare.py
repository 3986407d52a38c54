"""Comparison of arrays, element by element and as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._axes import AxisCollection
from stook.larray._broadcast import same, shaped, united
from stook.larray._select import is_array

if TYPE_CHECKING:
    from stook.larray._array import Array


class Comparison:
    """What tells whether elements are equal, or within bounds."""

    __slots__ = ()

    def eq(self: Array, other: Any, rtol: float = 0, atol: float = 0, nans_equal: bool = False) -> Any:  # type: ignore[misc]
        """Where elements are equal: where ``abs(a - b) <= atol + rtol * abs(b)``.

        :param nans_equal: whether NaN is equal to NaN
        """
        if rtol == 0 and atol == 0 and not nans_equal:
            return self == other
        axes, mine, theirs = self._against(other)
        if rtol == 0 and atol == 0:
            found = mine == theirs
        else:
            with np.errstate(invalid="ignore"):
                found = (mine == theirs) | (np.abs(mine - theirs) <= atol + rtol * np.abs(theirs))
        if nans_equal:
            found = found | (_is_nan(mine) & _is_nan(theirs))
        return type(self)._new(np.asarray(found), axes)

    def _against(self: Array, other: Any) -> tuple[AxisCollection, Any, Any]:  # type: ignore[misc]
        from stook.larray._create import asarray

        if np.isscalar(other):
            return self.axes, self.data, np.asarray(other)
        other = other if is_array(other) else asarray(other)
        if self.axes is other.axes or same(self.axes, other.axes):
            return self.axes, self.data, other.data
        axes, first, second = united(self.axes, other.axes)
        return axes, shaped(self.data, first, len(axes)), shaped(other.data, second, len(axes))

    def equals(self: Array, other: Any, rtol: float = 0, atol: float = 0, nans_equal: bool = False,  # type: ignore[misc]
               check_axes: bool = False) -> bool:
        """Whether all elements are equal, whatever the order of the axes.

        :param check_axes: whether the axes have to be the same, too
        """
        from stook.larray._create import asarray

        try:
            other = other if is_array(other) else asarray(other)
        except (TypeError, ValueError):
            return False
        if check_axes and self.axes != other.axes:
            return False
        try:
            found = self.eq(other, rtol=rtol, atol=atol, nans_equal=nans_equal)
        except (ValueError, TypeError):
            return False
        return bool(np.all(found))

    def allclose(self: Array, other: Any, rtol: float = 1e-05, atol: float = 1e-08, nans_equal: bool = True,  # type: ignore[misc]
                 check_axes: bool = False) -> bool:
        """Whether all elements are equal within a tolerance."""
        return self.equals(other, rtol=rtol, atol=atol, nans_equal=nans_equal, check_axes=check_axes)

    def isin(self: Array, test_values: Any, assume_unique: bool = False, invert: bool = False) -> Array:  # type: ignore[misc]
        """Where elements are among some values."""
        return type(self)._new(np.isin(self.data, np.asarray(test_values), assume_unique, invert), self.axes)

    def clip(self: Array, minval: Any = None, maxval: Any = None, out: Any = None) -> Any:  # type: ignore[misc]
        """The elements within bounds: numbers, or arrays."""
        from stook.larray._arithmetic import broadcast_all

        axes, (mine, low, high) = broadcast_all([self, minval, maxval])
        data = np.clip(mine, low, high)
        if out is not None:
            out.data[...] = data
            return out
        return type(self)._new(np.asarray(data), axes)


def _is_nan(data: Any) -> Any:
    return data != data
