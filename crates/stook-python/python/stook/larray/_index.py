"""Reading and writing by positions of axes: views where numpy gives views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._select import Selected, is_array, normalized

if TYPE_CHECKING:
    from stook.larray._array import Array

_ALL = slice(None)


class Place:
    """Where in an array a key leads: basic indices first, then arrays of positions of what they leave.

    ``axes`` are those of the result. ``order`` moves the axes of what is read to their places.
    """

    __slots__ = ("basic", "arrays", "axes", "order")

    def __init__(self, basic: tuple[Any, ...], arrays: tuple[Any, ...] | None, axes: list[Axis],
                 order: tuple[int, ...] | None = None) -> None:
        self.basic = basic
        self.arrays = arrays
        self.axes = axes
        self.order = order

    def read(self, data: np.ndarray) -> Any:
        """The elements there."""
        found = data[self.basic]
        if self.arrays is not None:
            found = found[self.arrays]
        return found

    def write(self, data: np.ndarray, value: Any) -> None:
        """Puts elements there."""
        if self.arrays is None:
            data[self.basic] = value
        else:
            data[self.basic][self.arrays] = value


def place_of(axes: AxisCollection, selected: Selected) -> Place:
    """Where the positions of axes lead."""
    takes = {number: normalized(axes, number, positions) for number, positions in selected.takes.items()}
    combined: list[tuple[int, ...]] = []
    for numbers, mask in selected.masks:
        if len(numbers) == 1 and numbers[0] not in takes:
            takes[numbers[0]] = np.flatnonzero(mask)
        elif all(number not in takes for number in numbers):
            for number, positions in zip(numbers, np.nonzero(mask)):
                takes[number] = positions
            combined.append(numbers)
        else:
            raise ValueError("a mask, and another key for one of its axes")
    if combined or any(is_array(positions) for positions in takes.values()):
        return _pointwise(axes, takes, combined)
    return _orthogonal(axes, takes)


def _orthogonal(axes: AxisCollection, takes: dict[int, Any]) -> Place:
    basic: list[Any] = []
    arrays: list[Any] = []
    kept: list[Axis] = []
    for number, axis in enumerate(axes._list):
        positions = takes.get(number, _ALL)
        if isinstance(positions, int):
            basic.append(positions)
            continue
        if isinstance(positions, slice):
            basic.append(positions)
            arrays.append(_ALL)
        else:
            basic.append(_ALL)
            arrays.append(positions)
        kept.append(axis.subaxis(positions))
    lists = [at for at, positions in enumerate(arrays) if not isinstance(positions, slice)]
    if not lists:
        return Place(tuple(basic), None, kept)
    if len(lists) > 1:
        # An open mesh: slices become positions, for between arrays numpy would move their axes.
        mesh = []
        for at, positions in enumerate(arrays):
            if isinstance(positions, slice):
                positions = np.arange(len(kept[at]))
            mesh.append(positions.reshape([-1 if other == at else 1 for other in range(len(arrays))]))
        return Place(tuple(basic), tuple(mesh), kept)
    return Place(tuple(basic), tuple(arrays), kept)


def _pointwise(axes: AxisCollection, takes: dict[int, Any], combined: list[tuple[int, ...]]) -> Place:
    """Positions that labelled arrays give, or masks of several axes: each axis gets an array of them."""
    kept: list[Axis] = []
    #: For each axis of the array, positions and which axes of the result they have.
    sources: list[tuple[np.ndarray, tuple[int, ...]] | int] = []
    groups = {number: numbers for numbers in combined for number in numbers}
    at_group: dict[tuple[int, ...], int] = {}
    for number, axis in enumerate(axes._list):
        positions = takes.get(number, _ALL)
        if isinstance(positions, int):
            sources.append(positions)
        elif number in groups:
            numbers = groups[number]
            if numbers not in at_group:
                at_group[numbers] = len(kept)
                kept.append(point_axis(axes, numbers, [takes[one] for one in numbers]))
            sources.append((positions, (at_group[numbers],)))
        elif is_array(positions):
            held = []
            for own in positions.axes:
                held.append(_joined(kept, own, axes, takes))
            sources.append((positions.data, tuple(held)))
        else:
            chosen = np.arange(len(axis))[positions] if isinstance(positions, slice) else positions
            held_at = _joined(kept, axis.subaxis(positions), axes, takes)
            sources.append((chosen, (held_at,)))
    indices: list[Any] = []
    for source in sources:
        if isinstance(source, int):
            indices.append(source)
            continue
        positions, held_axes = source
        order = sorted(range(len(held_axes)), key=held_axes.__getitem__)
        shape = [1] * len(kept)
        for place in order:
            shape[held_axes[place]] = positions.shape[place]
        indices.append(positions.transpose(order).reshape(shape))
    return Place((), tuple(indices), kept)


def _joined(kept: list[Axis], axis: Axis, axes: AxisCollection, takes: dict[int, Any]) -> int:
    """The place of an axis in the result, one that is there or a new one."""
    for at, own in enumerate(kept):
        if own is axis or (axis.name is not None and own.name == axis.name):
            if not own.iscompatible(axis):
                from stook.larray._axes import incompatible

                raise incompatible(axis, own)
            return at
    kept.append(axis)
    return len(kept) - 1


def point_axis(axes: AxisCollection, numbers: tuple[int, ...], positions: list[np.ndarray], sep: str = "_") -> Axis:
    """The axis of points: its labels are those of the axes, put together."""
    chosen = [axes._list[number] for number in numbers]
    if len(chosen) == 1:
        return chosen[0].subaxis(positions[0])
    names = axes.display_names
    name = sep.join(names[number].rstrip("*") if axes._list[number].name is None else str(axes._list[number].name)
                    for number in numbers)
    return Axis._made_of(lambda: _point_labels(chosen, positions, sep), len(positions[0]), name)


def _point_labels(axes: list[Axis], positions: list[np.ndarray], sep: str) -> np.ndarray:
    """The labels of points: texts are made once a label, and put together by numpy."""
    found: Any = None
    for axis, at in zip(axes, positions):
        labels = axis.labels if axis.labels.dtype.kind == "U" else np.array(
            [str(label) for label in axis._items()], dtype=str)
        part = labels[at] if len(labels) else np.empty(0, dtype="U1")
        found = part if found is None else np.char.add(np.char.add(found, sep), part)
    return np.asarray(found)


def points_of(axes: AxisCollection, takes: dict[int, Any]) -> Place:
    """Positions that go together: the lists of all axes make one axis of points."""
    takes = {number: normalized(axes, number, positions) for number, positions in takes.items()}
    lists = [number for number, positions in takes.items()
             if not isinstance(positions, (int, slice)) and not is_array(positions)]
    if len(lists) < 2:
        selected = Selected()
        selected.takes = takes
        return place_of(axes, selected)
    if len({len(takes[number]) for number in lists}) > 1:
        raise ValueError("all combined keys should have the same length")
    return _pointwise(axes, takes, [tuple(sorted(lists))])


class ArrayPositionalIndexer:
    """``array.i``: indexing by positions, an axis after another."""

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def _selected(self, key: Any) -> Selected:
        axes = self.array.axes
        parts = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in [part for part in parts if isinstance(part, type(Ellipsis))]:
            at = next(at for at, part in enumerate(parts) if part is Ellipsis)
            parts[at:at + 1] = [_ALL] * (len(axes) - len(parts) + 1)
        if len(parts) > len(axes):
            raise IndexError(f"key is too long ({len(parts)}) for array with {len(axes)} dimensions")
        selected = Selected()
        for number, part in enumerate(parts):
            if is_array(part) and part.data.dtype.kind == "b":
                part = part.data
            if not (isinstance(part, slice) and part == _ALL):
                selected.takes[number] = part
        return selected

    def __getitem__(self, key: Any) -> Any:
        array = self.array
        if type(key) is int:
            if -len(array.data) <= key < len(array.data):
                return array._dropped(0, key)
        elif type(key) is tuple and len(key) == array.data.ndim and all(type(part) is int for part in key):
            return array.data[key]
        return array._read(place_of(array.axes, self._selected(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.array._write(place_of(self.array.axes, self._selected(key)), value)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Any:
        return (self[at] for at in range(len(self.array.data)))


class PointsIndexer:
    """``array.points``: labels of several axes that go together, point by point."""

    __slots__ = ("array", "positional")

    def __init__(self, array: Array, positional: bool) -> None:
        self.array = array
        self.positional = positional

    def _place(self, key: Any) -> Place:
        axes = self.array.axes
        if self.positional:
            selected = ArrayPositionalIndexer(self.array)._selected(key)
        else:
            from stook.larray._select import resolve

            selected = resolve(axes, key, type(self.array))
        return points_of(axes, selected.takes) if not selected.masks else place_of(axes, selected)

    def __getitem__(self, key: Any) -> Any:
        return self.array._read(self._place(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.array._write(self._place(key), value)


class FlatIndexer:
    """``array.iflat``: positions in the order of the elements."""

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def _place(self, key: Any) -> Place:
        if isinstance(key, slice):
            key = np.arange(self.array.size)[key]
        axes = self.array.axes
        found = np.unravel_index(key, axes.shape)
        if np.ndim(key) == 0:
            selected = Selected()
            selected.takes = {number: int(at) for number, at in enumerate(found)}
            return place_of(axes, selected)
        return points_of(axes, dict(enumerate(map(np.asarray, found))))

    def __getitem__(self, key: Any) -> Any:
        return self.array._read(self._place(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.array._write(self._place(key), value)

    def __len__(self) -> int:
        return self.array.size
