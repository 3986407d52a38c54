"""Indices of an axis: integers, slices, lists, masks, columns of pandas."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .._errors import SelectionError


def positions(items: Any, length: int) -> np.ndarray:
    """The positions that ``items`` selects along an axis, in its order.

    Raises
    ------
    SelectionError
        If one is outside of the axis, or a mask has another length.
    """
    if isinstance(items, slice):
        return np.arange(length, dtype=np.int64)[items]
    found = np.asarray(items)
    if found.dtype.kind == "b":
        if found.shape != (length,):
            raise SelectionError(f"expected a mask of {length} items, found shape {found.shape}")
        return np.flatnonzero(found)
    found = np.atleast_1d(found)
    if found.ndim > 1:
        found = found.ravel()
    if not found.size:
        return np.empty(0, np.int64)
    if found.dtype.kind not in "iu":
        raise SelectionError(f"an index has integers or truth values, not {found.dtype}")
    low, high = int(found.min()), int(found.max())
    if low < -length or high >= length:
        wrong = low if low < -length else high
        raise SelectionError(f"index {wrong} is out of bounds for length {length}")
    found = found.astype(np.int64)
    return np.where(found < 0, found + length, found) if low < 0 else found


def is_part(thing: Any) -> bool:
    """Whether this selects along an axis, and is not a name."""
    if isinstance(thing, (slice, int, np.integer, np.ndarray, list, range)):
        return True
    return not isinstance(thing, (str, tuple)) and hasattr(thing, "__array__")


def part(thing: Any) -> Any:
    """Such a selection as numpy takes it."""
    if isinstance(thing, (slice, np.ndarray)):
        return thing
    if isinstance(thing, (int, np.integer)):
        return operator.index(thing)
    found = np.asarray(thing)
    return found if found.size or found.dtype.kind == "b" else found.astype(np.int64)


def is_all(thing: Any, length: int) -> bool:
    """Whether a selection is the whole axis, in its order."""
    return isinstance(thing, slice) and thing.indices(length) == (0, length, 1)
