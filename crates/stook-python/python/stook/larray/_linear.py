"""Products of matrices, by position of their axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis


def matmul(first: Any, second: Any) -> Any:
    """The product of two arrays of 1, 2 or more axes, the further ones by name."""
    from stook.larray._array import Array
    from stook.larray._create import asarray

    second = asarray(second)
    if first.ndim > 2 or second.ndim > 2:
        return _stacked(first, second)
    data = first.data @ second.data
    if not isinstance(data, np.ndarray) or not data.ndim:
        return data
    kept = [*first.axes[:-1], *(second.axes[1:] if second.ndim > 1 else [])]
    return Array._new(data, AxisCollection._of(_different(kept)))


def _stacked(first: Any, second: Any) -> Any:
    """Matrices along further axes, which go together by name."""
    from stook.larray._array import Array

    mine, theirs = first.axes[:-2], second.axes[:-2]
    outer = mine | theirs
    one = first.broadcast_with(outer + first.axes[-2:]) if first.ndim > 1 else first
    other = second.broadcast_with(outer + second.axes[-2:]) if second.ndim > 1 else second
    data = one.data @ other.data
    kept = [*outer, *first.axes[-2:-1], *(second.axes[-1:] if second.ndim > 1 else [])]
    return Array(data, AxisCollection(_different(kept)))


def _different(axes: list[Axis]) -> list[Axis]:
    """The same axis twice as two axes."""
    found: list[Axis] = []
    for axis in axes:
        found.append(axis.copy() if any(axis is one for one in found) else axis)
    return found


def inverse(array: Any) -> Any:
    """The inverse of an array of two axes, which stay where they are."""
    from stook.larray._array import Array
    from stook.larray._create import asarray

    array = asarray(array)
    return Array(np.linalg.inv(array.data), array.axes)
