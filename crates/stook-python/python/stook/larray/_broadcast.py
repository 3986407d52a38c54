"""How the axes of two arrays go together: by name, whatever their order."""

from __future__ import annotations

import numpy as np

from stook.larray._axes import AxisCollection, _place, incompatible
from stook.larray._axis import Axis


def united(first: AxisCollection, second: AxisCollection) -> tuple[AxisCollection, list[int], list[int]]:
    """The axes of a result, and where the axes of both sides are in it.

    :raises ValueError: for axes of one name with other labels
    """
    found = list(first._list)
    own = len(found)
    places = []
    for number, axis in enumerate(second._list):
        at = _place(found, own, axis, number)
        if at is None:
            places.append(len(found))
            found.append(axis)
            continue
        mine = found[at]
        if mine is not axis:
            if not mine.iscompatible(axis):
                raise incompatible(axis, mine)
            if mine.iswildcard and (not axis.iswildcard or len(axis) > len(mine)):
                found[at] = axis if axis.name is not None or mine.name is None else axis.rename(mine.name)
        places.append(at)
    return AxisCollection._of(found), list(range(own)), places


def shaped(data: np.ndarray, places: list[int], ndim: int) -> np.ndarray:
    """A view of elements whose axes lie where those of a result do, of length 1 where it has none."""
    if places == list(range(ndim)):
        return data
    order = sorted(range(len(places)), key=places.__getitem__)
    shape = [1] * ndim
    for at in order:
        shape[places[at]] = data.shape[at]
    if order != list(range(len(order))):
        data = data.transpose(order)
    return data.reshape(shape) if data.flags.c_contiguous or data.ndim == ndim else _expanded(data, places, ndim)


def _expanded(data: np.ndarray, places: list[int], ndim: int) -> np.ndarray:
    held = set(places)
    return data[tuple(slice(None) if at in held else None for at in range(ndim))]


def same(first: AxisCollection, second: AxisCollection) -> bool:
    """Whether two collections have the same axes in the same order, so that elements go together as they are."""
    if first is second:
        return True
    mine, theirs = first._list, second._list
    if len(mine) != len(theirs):
        return False
    for one, other in zip(mine, theirs):
        if one is not other and (one.name != other.name or one._wildcard or other._wildcard
                                 or not one._same_labels(other)):
            return False
    return True


def axes_for(first: AxisCollection, shape: tuple[int, ...]) -> AxisCollection:
    """Axes of a result of which only a shape is known: those of the end that fit, else wildcard axes."""
    if shape == first.shape:
        return first
    own = list(first._list)
    found: list[Axis] = []
    for number, length in enumerate(shape):
        at = number - (len(shape) - len(own))
        found.append(own[at] if 0 <= at < len(own) and len(own[at]) == length else Axis._wild(length, None))
    return AxisCollection._of(found)

