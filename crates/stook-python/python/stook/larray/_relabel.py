"""Other names, labels and axes for the same elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._axes import AxisCollection, axis_of
from stook.larray._axes_changes import pairs_of
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._labels import check_join

if TYPE_CHECKING:
    from stook.larray._array import Array


class Relabelling:
    """What changes the axes of an array."""

    __slots__ = ()

    def _with_axes(self: Array, axes: AxisCollection, inplace: bool) -> Array:  # type: ignore[misc]
        if axes.shape != self.shape:
            raise ValueError(f"length of axes {axes.shape} does not match data shape {self.shape}")
        if inplace:
            self.axes = axes
            return self
        return type(self)._new(self.data, axes)

    def rename(self: Array, renames: Any = None, to: Any = None, inplace: bool = False,  # type: ignore[misc]
               **kwargs: Any) -> Array:
        """The array with other names of axes.

        :param renames: an axis, or a mapping of axes to names
        :param inplace: whether this array is changed and returned
        """
        return self._with_axes(self.axes.rename(renames, to, **kwargs), inplace)

    def set_labels(self: Array, axis: Any = None, labels: Any = None, inplace: bool = False,  # type: ignore[misc]
                   **kwargs: Any) -> Array:
        """The array with other labels.

        :param axis: an axis, or labels of one, or a mapping of these to labels
        :param labels: labels, a mapping of old to new ones, or a function
        :param inplace: whether this array is changed and returned
        """
        return self._with_axes(self.axes.set_labels(axis, labels, **kwargs), inplace)

    def set_axes(self: Array, axes_to_replace: Any = None, new_axis: Any = None, inplace: bool = False,  # type: ignore[misc]
                 **kwargs: Any) -> Array:
        """The array with other axes of the same lengths."""
        return self._with_axes(self.axes.replace(axes_to_replace, new_axis, **kwargs), inplace)

    def with_axes(self: Array, *args: Any, **kwargs: Any) -> None:  # type: ignore[misc]
        raise TypeError("with_axes() is deprecated. Use set_axes() instead.")

    def ignore_labels(self: Array, axes: Any = None) -> Array:  # type: ignore[misc]
        """The array with wildcard axes in the place of some (all)."""
        chosen = range(self.ndim) if axes is None else [self.axes._number(axis) for axis in (
            axes if isinstance(axes, (list, tuple, AxisCollection)) else [axes])]
        found = [axis.ignore_labels() if number in chosen else axis for number, axis in enumerate(self.axes)]
        return type(self)._new(self.data, AxisCollection._of(found))

    def reindex(self: Array, axes_to_reindex: Any = None, new_axis: Any = None, fill_value: Any = np.nan,  # type: ignore[misc]
                inplace: bool = False, **kwargs: Any) -> Array:
        """The array with other labels, each with the elements that it has here.

        :param axes_to_reindex: an axis, a mapping of axes to labels, or the axes as they are to be
        :param new_axis: labels, or an axis whose labels are taken
        :param fill_value: what labels get that are not here: a number, or an array of the other axes
        """
        if isinstance(axes_to_reindex, Axis) and not axes_to_reindex.is_reference and new_axis is None:
            axes_to_reindex = [axes_to_reindex]
        if isinstance(axes_to_reindex, str) and new_axis is None:
            axes_to_reindex = AxisCollection(axes_to_reindex)
        if isinstance(axes_to_reindex, (list, tuple, AxisCollection)) and new_axis is None:
            wanted: dict[Any, Any] = {axis.name: axis for axis in map(axis_of, axes_to_reindex)}
            pairs = [*wanted.items(), *kwargs.items()]
        else:
            pairs = pairs_of(axes_to_reindex, new_axis, kwargs)
        found = list(self.axes._list)
        for key, new in pairs:
            number = self.axes._number(key)
            if isinstance(new, Group):
                new = new.eval()
            axis = new if isinstance(new, Axis) else Axis(new, None) if not (
                isinstance(new, str) and "=" in new) else Axis(new)
            found[number] = axis if axis.name == found[number].name else axis.rename(found[number].name)
        data = _reindexed(self, found, fill_value)
        if inplace:
            self.data, self.axes = data, AxisCollection(found)
            return self
        return type(self)._new(data, AxisCollection(found))

    def align(self: Array, *other: Any, join: str = "outer", fill_value: Any = np.nan,  # type: ignore[misc]
              axes: Any = None) -> tuple[Array, ...]:
        """This array and others with the same labels on axes of one name.

        :param join: labels of any (``outer``), of each (``inner``), of the first or last array (``left``,
            ``right``), or an error where they differ (``exact``)
        :param fill_value: what labels get that an array has not
        :param axes: which axes; all
        """
        check_join(join)
        try:
            aligned = self.axes.align(*[one.axes for one in other], join=join, axes=axes)
        except ValueError as error:
            if join != "exact":
                raise
            raise ValueError(f"Arrays are not aligned because {error}") from None
        found = []
        for array, wanted in zip((self, *other), aligned):
            if all(own is new for own, new in zip(array.axes, wanted)):
                changed = array.copy() if join != "exact" else array
                data = array.data
                if np.isscalar(fill_value) and join != "exact" and self._would_widen(data.dtype, fill_value):
                    data = data.astype(float)
                found.append(type(self)._new(data, changed.axes))
            else:
                found.append(type(self)._new(_reindexed(array, list(wanted), fill_value), wanted))
        return tuple(found)

    def _would_widen(self, dtype: np.dtype, fill_value: Any) -> bool:
        return dtype.kind in "iu" and isinstance(fill_value, float)


def _reindexed(array: Array, axes: list[Axis], fill_value: Any) -> np.ndarray:
    """Elements with other labels on some axes."""
    from stook.larray._select import is_array

    fill = fill_value.data if is_array(fill_value) else np.asarray(fill_value)
    kind = np.result_type(array.dtype, fill.dtype) if array.dtype.kind not in "USO" else (
        array.dtype if fill.dtype.kind == array.dtype.kind else np.dtype(object))
    if np.isscalar(fill_value) and not isinstance(fill_value, float) and array.dtype.kind in "iufb":
        kind = np.result_type(array.dtype, np.min_scalar_type(fill_value)) if not np.can_cast(
            np.min_scalar_type(fill_value), array.dtype) else array.dtype
    data = np.empty([len(axis) for axis in axes], dtype=kind)
    if is_array(fill_value):
        target = AxisCollection._of(axes)
        data[...] = fill_value.broadcast_with(target).data
    else:
        data[...] = fill_value
    sources: list[Any] = []
    targets: list[Any] = []
    for own, new in zip(array.axes, axes):
        if own is new:
            sources.append(np.arange(len(own)))
            targets.append(np.arange(len(own)))
            continue
        positions = [own._position(label) for label in new._items()]
        targets.append(np.array([at for at, found in enumerate(positions) if found is not None], dtype=np.intp))
        sources.append(np.array([found for found in positions if found is not None], dtype=np.intp))
    data[np.ix_(*targets)] = array.data[np.ix_(*sources)]
    return data
