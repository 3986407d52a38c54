"""What an index means: numpy's rules, turned into the selections that the engine knows."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._errors import SelectionError

if TYPE_CHECKING:
    from types import EllipsisType
    from typing import Literal, TypeAlias

    _Kind: TypeAlias = Literal["axes", "blocks", "points", "mask"]
    _Part: TypeAlias = int | slice | EllipsisType | NDArray[Any] | None

ALL = slice(None)

#: What stands for itself in an index: with these alone there is nothing to look at.
_PLAIN = frozenset((int, slice))


@dataclass(frozen=True)
class Selection:
    """A selection of the engine, and how its result differs from what numpy would give.

    The result has the shape that the engine gives it. ``moved`` says where an axis goes,
    ``shape`` is what the axes are cut into after that (``None``: left as they are).
    """

    kind: _Kind
    parts: tuple[Any, ...]
    is_scalar: bool = False
    moved: tuple[int, int] | None = None
    cut: tuple[int, int, tuple[int, ...]] | None = None
    new_axes: tuple[int, ...] = ()

    def finish(self, found: NDArray[Any]) -> Any:
        """What numpy would return, from what the engine returned."""
        if self.moved is not None:
            found = np.moveaxis(found, *self.moved)
        if self.cut is not None:
            at, count, shape = self.cut
            found = found.reshape(found.shape[:at] + shape + found.shape[at + count :])
        if self.new_axes:
            found = np.expand_dims(found, self.new_axes)
        return found[()] if self.is_scalar and found.ndim == 0 else found

    def result_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what :meth:`finish` returns, from that of the engine's result."""
        return tuple(self.finish(np.broadcast_to(np.empty((), np.bool_), shape)).shape)

    def begin(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """What the engine is to write so that ``values`` go where numpy would put them."""
        if self.moved is None and self.cut is None and not self.new_axes:
            return values
        values = _broadcast(values, self.result_shape(shape))
        if self.new_axes:
            values = np.squeeze(values, self.new_axes)
        if self.cut is not None:
            at, count, cut = self.cut
            middle = self._uncut(shape, at, count)
            values = values.reshape(values.shape[:at] + middle + values.shape[at + len(cut) :])
        if self.moved is not None:
            values = np.moveaxis(values, self.moved[1], self.moved[0])
        return values

    def _uncut(self, shape: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        if self.moved is not None:
            axes = list(shape)
            axes.insert(self.moved[1], axes.pop(self.moved[0]))
            shape = tuple(axes)
        return tuple(shape[at : at + count])


def _broadcast(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The values in a shape; themselves, and writable if they were, where they have it."""
    if values.shape == shape:
        return values
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise SelectionError(
            f"values of shape {values.shape} do not fit a selection of shape {shape}"
        ) from None


def _part(part: Any) -> _Part:
    """One entry of an index in the form that the engine takes."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, (bool, np.bool_)):
        raise SelectionError("a single bool is no index")
    if not isinstance(part, (list, tuple, range, np.ndarray)):
        try:
            return operator.index(part)
        except TypeError:
            if not hasattr(part, "__array__"):
                raise SelectionError(
                    f"an index is an integer, slice, `...`, `None`, or an array of integers or "
                    f"bools, not {type(part).__name__}"
                ) from None
    array = np.asarray(part)
    if array.dtype.kind == "b":
        return array
    if array.size == 0 and not isinstance(part, np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise SelectionError(f"an index array has integers or bools, not {array.dtype}")
    if array.ndim == 0:
        return operator.index(array[()])
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise SelectionError("an index does not fit 64 bits")
    return array.astype(np.int64, copy=False)


def _consumed(part: _Part) -> int:
    if part is None or part is Ellipsis:
        return 0
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return part.ndim
    return 1


def _expand(parts: Sequence[_Part], ndim: int) -> list[_Part]:
    """The entries with the ellipsis written out, so that each axis is spoken of."""
    n = sum(map(_consumed, parts))
    if n > ndim:
        raise SelectionError(
            f"too many indices: the array has {ndim} axes, the selection names {n}"
        )
    ellipses = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(ellipses) > 1:
        raise SelectionError("an index can only have a single ellipsis ('...')")
    at = ellipses[0] if ellipses else len(parts)
    rest = parts[at + 1 :] if ellipses else ()
    return [*parts[:at], *[ALL] * (ndim - n), *rest]


def numpy_selection(key: Any, shape: tuple[int, ...]) -> Selection:
    """The selection that ``array[key]`` means for an array of numpy."""
    if type(key) is tuple and _PLAIN.issuperset(map(type, key)):
        return Selection("axes", key, True)
    parts = tuple(map(_part, key)) if isinstance(key, tuple) else (_part(key),)
    if any(isinstance(part, np.ndarray) for part in parts):
        return _advanced(parts, shape)
    is_scalar = Ellipsis not in parts
    if None not in parts:
        return Selection("axes", parts, is_scalar)
    expanded = _expand(parts, len(shape))
    kept = [part for part in expanded if not isinstance(part, int)]
    new_axes = tuple(i for i, part in enumerate(kept) if part is None)
    axes = tuple(part for part in expanded if part is not None)
    return Selection("axes", axes, is_scalar, new_axes=new_axes)


def _advanced(parts: tuple[_Part, ...], shape: tuple[int, ...]) -> Selection:
    match parts:
        case (np.ndarray() as mask,) if mask.dtype.kind == "b" and mask.ndim == len(shape):
            _check_mask(mask, shape, 0)
            return Selection("mask", (np.ascontiguousarray(mask).ravel(),))
    expanded = _expand(parts, len(shape))
    new_axes = any(part is None for part in expanded)
    entries = _integers(expanded, shape)
    axes = [entry for entry in entries if entry is not None]
    lists = [i for i, axis in enumerate(axes) if isinstance(axis, np.ndarray)]
    arrays = [axes[i] for i in lists]
    # Where numpy puts the axes of the index arrays: in their place, or in front.
    if new_axes:
        raise SelectionError("`None` beside index arrays is not supported: reshape the result")
    ahead = axes[: lists[0]] if _stand_together(parts) else []
    before = sum(isinstance(axis, slice) for axis in ahead)
    outer = _outer_shape(arrays)
    if outer is not None:
        flat: list[_Part] = [axis.ravel() if isinstance(axis, np.ndarray) else axis for axis in axes]
        return _orthogonal(flat, before, outer)
    return _pointwise(axes, arrays, before, shape)


def _stand_together(parts: tuple[_Part, ...]) -> bool:
    """Whether nothing stands between index arrays, to which integers count here; an ellipsis
    does, even one that stands for no axis."""
    spots = [i for i, part in enumerate(parts) if isinstance(part, (int, np.ndarray))]
    return spots[-1] - spots[0] == len(spots) - 1


def _integers(expanded: list[_Part], shape: tuple[int, ...]) -> list[_Part]:
    """The entries with masks as the positions at which they are true."""
    entries: list[_Part] = []
    axis = 0
    for part in expanded:
        if isinstance(part, np.ndarray) and part.dtype.kind == "b":
            _check_mask(part, shape, axis)
            entries.extend(positions.astype(np.int64, copy=False) for positions in part.nonzero())
        else:
            entries.append(part)
        axis += _consumed(part)
    return entries


def _check_mask(mask: NDArray[Any], shape: tuple[int, ...], axis: int) -> None:
    expected = shape[axis : axis + mask.ndim]
    if mask.shape != expected:
        raise SelectionError(
            f"axis {axis}: expected a mask of shape {expected}, found {mask.shape}"
        )


def _outer_shape(arrays: list[Any]) -> tuple[int, ...] | None:
    """The shape of the index arrays together, if each varies along an axis of its own
    (one array does; those of ``numpy.ix_`` do); else ``None``."""
    if len(arrays) == 1:
        return tuple(arrays[0].shape)
    for i, array in enumerate(arrays):
        if array.ndim != len(arrays) or any(n != 1 for j, n in enumerate(array.shape) if j != i):
            return None
    return tuple(array.size for array in arrays)


def _orthogonal(axes: list[_Part], before: int, outer: tuple[int, ...]) -> Selection:
    kept = [axis for axis in axes if not isinstance(axis, int)]
    at = [i for i, axis in enumerate(kept) if isinstance(axis, np.ndarray)]
    n = len(at)
    if at != list(range(before, before + n)) and n > 1:
        # One axis is moved below; several that stand apart go through points' rules.
        order = at + [i for i in range(len(kept)) if i not in at]
        return _Transposed("axes", tuple(axes), order=tuple(order))
    moved = (at[0], before) if at[0] != before else None
    cut = (before, n, outer) if n == 1 and len(outer) != 1 else None
    return Selection("axes", tuple(axes), moved=moved, cut=cut)


@dataclass(frozen=True)
class _Transposed(Selection):
    """A selection whose axes come in another order."""

    order: tuple[int, ...] = ()

    def finish(self, found: NDArray[Any]) -> Any:
        return found.transpose(self.order)

    def begin(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        expected = tuple(shape[i] for i in self.order)
        return _broadcast(values, expected).transpose(np.argsort(self.order))


def _pointwise(
    axes: list[Any], arrays: list[Any], before: int, shape: tuple[int, ...]
) -> Selection:
    """Index arrays that are walked together; slices beside them are written out as points."""
    try:
        together = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " ".join(str(array.shape) for array in arrays)
        raise SelectionError(f"index arrays of shapes {shapes} do not broadcast") from None
    ranges = [
        range(*axis.indices(length))
        for axis, length in zip(axes, shape, strict=True)
        if isinstance(axis, slice)
    ]
    lengths = tuple(map(len, ranges))
    result = lengths[:before] + together + lengths[before:]
    rank = len(result)
    coordinates: list[NDArray[np.int64]] = []
    slices = 0
    for axis, length in zip(axes, shape, strict=True):
        if isinstance(axis, slice):
            steps = ranges[slices]
            place = slices if slices < before else slices + len(together)
            line = np.arange(steps.start, steps.stop, steps.step, dtype=np.int64)
            full = line.reshape([-1 if i == place else 1 for i in range(rank)])
            slices += 1
        else:
            _check_bounds(axis, length, len(coordinates))
            points = np.broadcast_to(np.asarray(axis, np.int64), together)
            tail = (1,) * (len(lengths) - before)
            full = points.reshape(points.shape + tail)
        coordinates.append(np.broadcast_to(full, result).ravel())
    return Selection("points", (result, *coordinates))


def _check_bounds(index: Any, length: int, axis: int) -> None:
    positions = np.asarray(index)
    wrong = positions[(positions < -length) | (positions >= length)]
    if wrong.size:
        raise SelectionError(
            f"axis {axis}: index {wrong.flat[0]} is out of bounds for length {length}"
        )


def orthogonal_selection(key: Any, shape: tuple[int, ...]) -> Selection:
    """The selection of ``array.oindex[key]``: each axis on its own."""
    parts = tuple(map(_part, key)) if isinstance(key, tuple) else (_part(key),)
    for axis, part in enumerate(parts):
        if part is None:
            raise SelectionError("`None` selects nothing here")
        if isinstance(part, np.ndarray) and part.ndim != 1:
            raise SelectionError(f"axis {axis}: expected a list of one axis, found {part.ndim}")
    arrays = any(isinstance(part, np.ndarray) for part in parts)
    return Selection("axes", parts, is_scalar=not arrays and Ellipsis not in parts)


def point_selection(key: Any, shape: tuple[int, ...]) -> Selection:
    """The selection of ``array.vindex[key]``: a point for each element, or one mask."""
    parts = tuple(map(_part, key)) if isinstance(key, tuple) else (_part(key),)
    if len(parts) == 1 and isinstance(parts[0], np.ndarray) and parts[0].dtype.kind == "b":
        _check_mask(parts[0], shape, 0)
        if parts[0].ndim == len(shape):
            return Selection("mask", (np.ascontiguousarray(parts[0]).ravel(),))
    arrays = []
    for part in parts:
        if isinstance(part, int) or (isinstance(part, np.ndarray) and part.dtype.kind == "i"):
            arrays.append(np.asarray(part, np.int64))
        else:
            raise SelectionError("points are arrays of integers, one an axis, or one mask")
    if len(arrays) != len(shape):
        raise SelectionError(f"expected coordinates for {len(shape)} axes, found {len(arrays)}")
    return _pointwise(list(arrays), list(arrays), 0, shape)


def block_selection(key: Any, shape: tuple[int, ...]) -> Selection:
    """The selection of ``array.blocks[key]``: whole chunks, by their place in the grid."""
    parts = tuple(map(_part, key)) if isinstance(key, tuple) else (_part(key),)
    if any(part is None or isinstance(part, np.ndarray) for part in parts):
        raise SelectionError("blocks are selected by integers and slices of step 1")
    return Selection("blocks", parts)
