"""Arrays as sequences of what is at their labels, and functions applied to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._axes import AxisCollection
from stook.larray._index import ArrayPositionalIndexer
from stook.larray._sequences import Product, SequenceZip

if TYPE_CHECKING:
    from stook.larray._array import Array


class Iteration:
    """Keys, values and items of arrays."""

    __slots__ = ()

    def keys(self: Array, axes: Any = None, ascending: bool = True) -> Product:  # type: ignore[misc]
        """The combinations of positions of axes (all): a tuple of groups each."""
        return self.axes.iter_labels(axes, ascending)  # type: ignore[no-any-return]

    def values(self: Array, axes: Any = None, ascending: bool = True) -> Any:  # type: ignore[misc]
        """What is at each combination of positions of axes (all)."""
        if axes is None:
            flat = self.data.ravel()
            return flat if ascending else flat[::-1]
        chosen = list(self.axes._some(axes))
        moved = self.transpose(*chosen)
        if len(chosen) > 1:
            moved = moved.combine_axes(tuple(chosen), wildcard=True) if len(chosen) < self.ndim else type(self)(
                moved.data.ravel())
        if not ascending:
            moved = moved.reverse(0) if not moved.axes[0].iswildcard else moved.i[::-1]
        return moved.data if moved.ndim == 1 else ArrayPositionalIndexer(moved)

    def items(self: Array, axes: Any = None, ascending: bool = True) -> SequenceZip:  # type: ignore[misc]
        """Keys and values together."""
        return SequenceZip((self.keys(axes, ascending), self.values(axes, ascending)))

    def apply(self: Array, transform: Any, *args: Any, by: Any = None, axes: Any = None, dtype: Any = None,  # type: ignore[misc]
              ascending: bool = True, **kwargs: Any) -> Any:
        """What a function makes of each element, or of each sub-array.

        :param transform: a function of an element or a sub-array and the further arguments; or a mapping of elements
        :param by: axes for each of whose labels the function is given the rest
        :param axes: axes that the function is given, for each of the labels of the others
        :param dtype: the type of the elements that it returns, else found by numpy
        """
        from stook.larray._create import stack
        from stook.larray._select import is_array

        if by is not None and axes is not None:
            raise ValueError("cannot specify both `by` and `axes`")
        if isinstance(transform, Mapping):
            return self.apply_map(transform, dtype)
        if by is None and axes is None:
            data = np.array([transform(item, *args, **kwargs) for item in self.data.ravel()[::1 if ascending else -1]])
            if data.ndim == 2 and data.shape[0] == self.size and not isinstance(data[0], str):
                return tuple(type(self)(data[:, at].reshape(self.shape), self.axes) for at in range(data.shape[1]))
            data = data if ascending else data[::-1]
            data = data if dtype is None else data.astype(dtype)
            return type(self)._new(data.reshape(self.shape), self.axes)
        if axes is not None:
            given = self.axes._some(axes)
            by = [axis for axis in self.axes if axis not in given]
        chosen = self.axes._some(by)
        values = [transform(part, *args, **kwargs) for part in self.values(list(chosen), ascending)]
        if not ascending:
            values = values[::-1]
        if values and isinstance(values[0], tuple):
            return tuple(_gathered(type(self), list(column), chosen, dtype) for column in zip(*values))
        if values and is_array(values[0]):
            labels = list(chosen.iter_labels())
            return stack(list(zip(labels, values)) if len(chosen) > 1 else values, chosen, dtype=dtype).transpose(
                *chosen, ...)
        return _gathered(type(self), values, chosen, dtype)

    def apply_map(self: Array, mapping: Any, dtype: Any = None) -> Any:  # type: ignore[misc]
        """The elements replaced by what a mapping has for them; others stay."""
        get = mapping.get
        data = np.array([get(item, item) for item in self.data.ravel().tolist()], dtype=dtype)
        return type(self)._new(data.reshape(self.shape), self.axes)


def _gathered(array_type: Any, values: list[Any], axes: AxisCollection, dtype: Any) -> Any:
    from stook.larray._create import stack
    from stook.larray._select import is_array

    if values and is_array(values[0]):
        return stack(values, axes, dtype=dtype).transpose(*axes, ...)
    return array_type(np.array(values, dtype=dtype).reshape(axes.shape), axes)

