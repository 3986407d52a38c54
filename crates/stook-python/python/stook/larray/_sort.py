"""Order: of labels, of elements, and where elements are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._index import place_of, point_axis
from stook.larray._select import Selected
from stook.larray._warn import warn

if TYPE_CHECKING:
    from stook.larray._array import Array


def _deprecated(name: str, instead: str) -> Any:
    def method(*args: Any, **kwargs: Any) -> None:
        raise TypeError(f"{name}() is deprecated. Use {instead}() instead.")

    method.__name__ = name
    return method


class Sorting:
    """Sorting, and positions of extremes."""

    __slots__ = ()

    def sort_labels(self: Array, axes: Any = None, ascending: bool = True) -> Array:  # type: ignore[misc]
        """The array with the labels of axes (all) in order, and the elements with them."""
        selected = Selected()
        for number in self._chosen(axes):
            order = np.argsort(self.axes[number].labels, kind="stable")
            selected.takes[number] = order if ascending else order[::-1]
        return self._read(place_of(self.axes, selected))  # type: ignore[no-any-return]

    def _chosen(self: Array, axes: Any) -> list[int]:  # type: ignore[misc]
        if axes is None:
            return list(range(self.ndim))
        if isinstance(axes, (list, tuple, AxisCollection)):
            return [self.axes._number(axis) % self.ndim for axis in axes]
        return [self.axes._number(axis) % self.ndim for axis in [axes]]

    def sort_values(self: Array, key: Any = None, axis: Any = None, ascending: bool = True) -> Array:  # type: ignore[misc]
        """The array with its elements in order.

        :param key: labels of one row or column; the others go as its elements do
        :param axis: the axis along which each row is sorted for itself, which loses its labels
        """
        if key is not None:
            by = self[key]
            if by.ndim > 1:
                raise NotImplementedError("sort_values key must have one dimension less than array.ndim")
            number = self.axes._number(by.axes[0])
            order = np.argsort(by.data, kind="stable")
            selected = Selected()
            selected.takes[number] = order if ascending else order[::-1]
            return self._read(place_of(self.axes, selected))  # type: ignore[no-any-return]
        if axis is None:
            if self.ndim > 1:
                flat = self.combine_axes(tuple(self.axes))
                return flat.sort_values(ascending=ascending)
            order = np.argsort(self.data, kind="stable")
            selected = Selected()
            selected.takes[0] = order if ascending else order[::-1]
            return self._read(place_of(self.axes, selected))  # type: ignore[no-any-return]
        number = self.axes._number(axis) % self.ndim
        data = np.sort(self.data, axis=number)
        if not ascending:
            data = np.flip(data, number)
        axes = list(self.axes)
        axes[number] = axes[number].ignore_labels()
        return type(self)._new(data, AxisCollection._of(axes))

    def reverse(self: Array, axes: Any = None) -> Array:  # type: ignore[misc]
        """The array from the end of axes (all) to their begin."""
        selected = Selected()
        for number in self._chosen(axes):
            selected.takes[number] = slice(None, None, -1)
        return self._read(place_of(self.axes, selected))  # type: ignore[no-any-return]

    def indicesofsorted(self: Array, axis: Any = None, ascending: bool = True, kind: Any = "quicksort") -> Array:  # type: ignore[misc]
        """The positions along an axis of the elements in their order."""
        number = self._sorted_axis(axis, "indicesofsorted")
        data = np.argsort(self.data, axis=number, kind=kind)
        if not ascending:
            data = np.flip(data, number)
        axes = list(self.axes)
        axes[number] = Axis(np.arange(self.shape[number]), axes[number].name)
        return type(self)._new(data, AxisCollection._of(axes))

    def labelsofsorted(self: Array, axis: Any = None, ascending: bool = True, kind: Any = "quicksort") -> Array:  # type: ignore[misc]
        """The labels along an axis of the elements in their order."""
        number = self._sorted_axis(axis, "labelsofsorted")
        found = self.indicesofsorted(self.axes[number], ascending, kind)
        return type(self)._new(self.axes[number].labels[found.data], found.axes)

    def _sorted_axis(self: Array, axis: Any, name: str) -> int:  # type: ignore[misc]
        if axis is None:
            if self.ndim > 1:
                raise ValueError(f"array has ndim > 1 and no axis specified for {name}")
            return 0
        return self.axes._number(axis) % self.ndim

    def _extreme(self: Array, axis: Any, largest: bool) -> Any:  # type: ignore[misc]
        function = np.argmax if largest else np.argmin
        data = self.data
        if axis is None:
            return np.unravel_index(function(data), self.shape)
        number = self.axes._number(axis) % self.ndim
        kept = [own for at, own in enumerate(self.axes) if at != number]
        found = function(data, axis=number)
        return type(self)._new(found, AxisCollection._of(kept)) if kept else found

    def indexofmax(self: Array, axis: Any = None) -> Any:  # type: ignore[misc]
        """The position of the largest element along an axis; its positions on all axes, without one."""
        found = self._extreme(axis, True)
        return found

    def indexofmin(self: Array, axis: Any = None) -> Any:  # type: ignore[misc]
        """The position of the smallest element along an axis; its positions on all axes, without one."""
        found = self._extreme(axis, False)
        return found

    def labelofmax(self: Array, axis: Any = None) -> Any:  # type: ignore[misc]
        """The label of the largest element along an axis; its labels on all axes, without one."""
        return self._labels_at(self._extreme(axis, True), axis)

    def labelofmin(self: Array, axis: Any = None) -> Any:  # type: ignore[misc]
        """The label of the smallest element along an axis; its labels on all axes, without one."""
        return self._labels_at(self._extreme(axis, False), axis)

    def _labels_at(self: Array, found: Any, axis: Any) -> Any:  # type: ignore[misc]
        if isinstance(found, tuple):
            return tuple(own.labels[at] for own, at in zip(self.axes, found))
        labels = self.axes[axis].labels
        if isinstance(found, (int, np.integer)):
            return labels[found]
        return type(self)._new(labels[found.data], found.axes)

    def nonzero(self: Array) -> tuple[Any, ...]:  # type: ignore[misc]
        """Where elements are not 0: a group of positions for each axis, point by point."""
        from stook.larray._group import IGroup

        found = [np.asarray(at) for at in np.nonzero(self.data)]
        points = point_axis(self.axes, tuple(range(self.ndim)), found)
        return tuple(IGroup(type(self)._new(at, AxisCollection._of([points])), None, axis)
                     for at, axis in zip(found, self.axes))

    def unique(self: Array, axes: Any = None, sort: bool = False, sep: str = "_") -> Array:  # type: ignore[misc]
        """The elements, or the slices at labels of axes, that occur, each where it is first."""
        chosen = self._chosen(axes)
        array = self if len(chosen) == 1 else self.combine_axes(tuple(self.axes[n] for n in chosen), sep=sep)
        number = chosen[0] if len(chosen) == 1 else min(chosen)
        _, first = np.unique(array.data, return_index=True, axis=number) if array.ndim > 1 else np.unique(
            array.data, return_index=True)
        selected = Selected()
        selected.takes[number] = first if sort else np.sort(first)
        return array._read(place_of(array.axes, selected))  # type: ignore[no-any-return]

    def value_counts(self: Array) -> Array:  # type: ignore[misc]
        """How often each element occurs, along ``value``."""
        values, counts = np.unique(self.data, return_counts=True)
        return type(self)(counts, Axis(values, "value"))

    def sort_axes(self: Array, axes: Any = None, ascending: bool = True, reverse: Any = None) -> Array:  # type: ignore[misc]
        """`sort_labels` by the name it had."""
        warn("sort_axes() is deprecated. Use sort_labels() instead.")
        if reverse is not None:
            warn(f"The reverse={reverse} keyword is deprecated, use ascending={not reverse} instead")
            ascending = not reverse
        return self.sort_labels(axes, ascending)

    sort_axis = _deprecated("sort_axis", "sort_labels")
    posargmax = _deprecated("posargmax", "indexofmax")
    posargmin = _deprecated("posargmin", "indexofmin")
    posargsort = _deprecated("posargsort", "indicesofsorted")
    argmax = _deprecated("argmax", "labelofmax")
    argmin = _deprecated("argmin", "labelofmin")
    argsort = _deprecated("argsort", "labelsofsorted")
    drop_labels = _deprecated("drop_labels", "ignore_labels")
    split_axis = _deprecated("split_axis", "split_axes")

