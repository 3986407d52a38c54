"""Other shapes for the same elements, and arrays put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._axes import AxisCollection
from stook.larray._axes_changes import combinations_of, combined_axis, splits_of
from stook.larray._axis import Axis
from stook.larray._broadcast import same, shaped
from stook.larray._index import place_of
from stook.larray._labels import joined_labels, labels_of
from stook.larray._select import Selected, is_array, on_axis
from stook.larray._warn import warn

if TYPE_CHECKING:
    from stook.larray._array import Array


class Reshaping:
    """What moves, adds and removes axes and labels."""

    __slots__ = ()

    # Axes.

    def transpose(self: Array, *args: Any) -> Array:  # type: ignore[misc]
        """The axes in another order: those that are named first, ``...`` for all others; without names, reversed."""
        if len(args) == 1 and isinstance(args[0], (tuple, list, AxisCollection)):
            args = tuple(args[0])
        if not args:
            order = list(range(self.ndim))[::-1]
        else:
            axes = list(args) if Ellipsis in [arg for arg in args if arg is Ellipsis] else [*args, Ellipsis]
            numbers = [None if axis is Ellipsis else self.axes._number(axis) % self.ndim for axis in axes]
            named = [number for number in numbers if number is not None]
            if len(set(named)) < len(named):
                AxisCollection([self.axes[number] for number in named])
            rest = [number for number in range(self.ndim) if number not in named]
            order = [number for one in numbers for number in (rest if one is None else [one])]
        return type(self)._new(self.data.transpose(order), AxisCollection._of([self.axes._list[at] for at in order]))

    @property
    def T(self: Array) -> Array:  # type: ignore[misc]  # noqa: N802
        """The axes reversed."""
        return self.transpose()

    def expand(self: Array, target_axes: Any = None, out: Any = None, readonly: bool = False) -> Array:  # type: ignore[misc]
        """The array with further axes, along which it is the same.

        :param target_axes: all axes as they are to be, or those to add
        :param out: where to put the elements
        :param readonly: whether a view that cannot be written to will do
        """
        if target_axes is None and out is None:
            raise ValueError("either target_axes or out must be defined")
        axes = out.axes if out is not None else AxisCollection(
            [self.axes[axis] if isinstance(axis, str) and axis in self.axes else axis for axis in target_axes]
            if isinstance(target_axes, (list, tuple)) else target_axes)
        missing = [axis for axis in self.axes if axis not in axes]
        wanted = AxisCollection([*missing, *axes])
        wanted = AxisCollection([self.axes[axis] if axis in self.axes and axis.iswildcard else axis
                                 for axis in wanted])
        data = self.broadcast_with(wanted, check_compatible=True).data
        if out is not None:
            out.data[...] = data
            return out  # type: ignore[no-any-return]
        view = np.broadcast_to(data, wanted.shape)
        return type(self)._new(view if readonly else view.copy(), wanted)

    def broadcast_with(self: Array, target: Any, check_compatible: bool = False) -> Array:  # type: ignore[misc]
        """The array with its axes in the order of a target's, and of length 1 where it has none of them."""
        axes = target.axes if is_array(target) else target if isinstance(target, AxisCollection) else AxisCollection(
            target)
        if self.axes is axes or same(self.axes, axes):
            return self
        if check_compatible:
            self.axes.check_compatible(axes)
        places: list[int | None] = [axes._find(axis) if axis.name is not None else (
            number if number < len(axes) else None) for number, axis in enumerate(self.axes)]
        extra = [number for number, place in enumerate(places) if place is None]
        ndim = len(axes) + len(extra)
        full = [extra.index(number) if place is None else place + len(extra) for number, place in enumerate(places)]
        data = shaped(self.data, full, ndim)
        kept = [self.axes[number] for number in extra]
        held = {place for place in full}
        for at, axis in enumerate(axes):
            if at + len(extra) in held:
                kept.append(self.axes[full.index(at + len(extra))])
            else:
                kept.append(Axis._wild(1, axis.name))
        return type(self)._new(data, AxisCollection._of(kept))

    def reshape(self: Array, target_axes: Any) -> Array:  # type: ignore[misc]
        """The elements in their order, with other axes.

        :raises ValueError: where these have another number of elements
        """
        axes = target_axes if isinstance(target_axes, AxisCollection) else AxisCollection(target_axes)
        return type(self)._new(self.data.reshape(axes.shape), axes)

    def reshape_like(self: Array, target: Any) -> Array:  # type: ignore[misc]
        """The elements in their order, with the axes of another array."""
        return self.reshape(target.axes)

    def combine_axes(self: Array, axes: Any = None, sep: str = "_", wildcard: bool = False) -> Array:  # type: ignore[misc]
        """The array with some axes made into one, whose labels are the combinations of theirs.

        :param axes: axes; several lists of them; or a mapping of lists to names
        """
        if axes is None:
            axes = tuple(self.axes)
        if isinstance(axes, str):
            axes = [axis.strip() for axis in axes.split(",")]
        found = self
        for chosen, name in combinations_of(self.axes, axes):
            numbers = [found.axes._number(axis) % found.ndim for axis in chosen]
            at = min(numbers)
            rest = [number for number in range(found.ndim) if number not in numbers]
            before = [number for number in rest if number < at]
            after = [number for number in rest if number > at]
            own = combined_axis([found.axes[number] for number in numbers], name, sep, wildcard)
            moved = found.data.transpose([*before, *numbers, *after])
            kept = [*(found.axes[number] for number in before), own, *(found.axes[number] for number in after)]
            found = type(self)._new(moved.reshape([len(axis) for axis in kept]), AxisCollection._of(kept))
        return found

    def split_axes(self: Array, axes: Any = None, sep: str = "_", names: Any = None, regex: str | None = None,  # type: ignore[misc]
                   sort: bool = False, fill_value: Any = np.nan) -> Array:
        """The array with axes taken apart whose labels were put together.

        :param axes: which axes, those with ``sep`` in their name; or a mapping of axes to names
        :param sort: whether labels come in order, else as they occur
        :param fill_value: what combinations get that do not occur
        """
        found = self
        wanted = splits_of(self.axes, axes, sep, names)
        for number in sorted(wanted, reverse=True):
            found = found._split_one(number, sep, wanted[number], regex, sort, fill_value)
        return found

    def _split_one(self: Array, number: int, sep: str, names: Any, regex: str | None, sort: bool,  # type: ignore[misc]
                   fill_value: Any) -> Array:
        axis = self.axes[number]
        parts, groups = axis.split(sep, names, regex, return_labels=True)
        if sort:
            parts = [Axis(np.sort(part.labels), part.name) for part in parts]
        positions = [part._locate(list(group.key)) for part, group in zip(parts, groups)]
        shape = [len(part) for part in parts]
        flat = np.ravel_multi_index([np.asarray(at) for at in positions], shape) if len(axis) else np.empty(0, int)
        total = int(np.prod(shape))
        moved = np.moveaxis(self.data, number, 0)
        if len(axis) == total and len(np.unique(flat)) == total:
            data = np.empty_like(moved)
            data[flat] = moved
        else:
            kind = np.result_type(self.dtype, np.asarray(fill_value).dtype) if self.dtype.kind in "biufc" and not (
                self.dtype.kind in "iu" and isinstance(fill_value, int)) else self.dtype
            if self.dtype.kind in "US":
                kind = np.dtype(object)
            data = np.full((total, *moved.shape[1:]), fill_value, dtype=kind)
            data[flat] = moved
        data = np.moveaxis(data.reshape(*shape, *moved.shape[1:]), range(len(shape)),
                           range(number, number + len(shape)))
        kept = [*self.axes[:number], *parts, *self.axes[number + 1:]]
        return type(self)._new(np.ascontiguousarray(data), AxisCollection(kept))

    # Labels.

    def append(self: Array, axis: Any, value: Any, label: Any = None) -> Array:  # type: ignore[misc]
        """The array with elements after its own along an axis.

        :param value: a number, or an array with axes of this one; where it has the axis, its labels are added
        :param label: the label of what is added
        """
        return self._added(axis, value, label, False)

    def prepend(self: Array, axis: Any, value: Any, label: Any = None) -> Array:  # type: ignore[misc]
        """The array with elements before its own along an axis."""
        return self._added(axis, value, label, True)

    def extend(self: Array, axis: Any, other: Any) -> Array:  # type: ignore[misc]
        warn("extend() is deprecated. Use append() instead.")
        return self.append(axis, other)

    def _added(self: Array, axis: Any, value: Any, label: Any, first: bool) -> Array:  # type: ignore[misc]
        number = self.axes._number(axis) % self.ndim
        at = 0 if first else len(self.axes[number])
        return self._inserted(number, [(at, *self._piece(number, value, label))])

    def _piece(self: Array, number: int, value: Any, label: Any) -> tuple[np.ndarray, Any]:  # type: ignore[misc]
        """The labels and elements of something that is put into an axis."""
        from stook.larray._create import asarray

        own = self.axes[number]
        if not np.isscalar(value) and not is_array(value):
            value = asarray(value)
            if value.ndim == 1 and value.axes[0].name is None:
                count = len(value)
                value = type(self)(value.data, Axis(count, own.name))
        if is_array(value):
            there = value.axes._find(own) if own.name is not None else None
            if there is not None:
                held = value.axes[there]
                if label is None or not held.iswildcard:
                    return held.labels, value
                labels = _labels(label)
                return np.resize(labels, len(held)) if len(labels) == 1 else labels, value
        return _labels(label), value

    def _inserted(self: Array, number: int, pieces: list[tuple[int, np.ndarray, Any]]) -> Array:  # type: ignore[misc]
        """The array with labels and elements put before positions of an axis, which rise."""
        own = self.axes[number]
        moved = list(self.axes)
        labels: list[np.ndarray] = []
        data: list[np.ndarray] = []
        last = 0
        lead = (slice(None),) * number
        for at, new, value in pieces:
            labels += [own.labels[last:at], new]
            moved[number] = Axis(new, own.name)
            target = AxisCollection._of(list(moved))
            if is_array(value):
                for axis in value.axes:
                    if axis not in target:
                        raise ValueError(f"axis {axis} of what is inserted is not in {self.axes}")
                    mine = target[axis]
                    if mine is not target[number] and not mine.iscompatible(axis):
                        from stook.larray._axes import incompatible

                        raise incompatible(axis, mine)
                part = value.broadcast_with(target).data
            else:
                part = np.asarray(value)
            data += [self.data[lead + (slice(last, at),)], np.broadcast_to(part, target.shape)]
            last = at
        labels.append(own.labels[last:])
        data.append(self.data[lead + (slice(last, None),)])
        kind = np.result_type(*[part for part in data]) if self.dtype.kind != "O" else self.dtype
        joined = np.concatenate([part.astype(kind, copy=False) for part in data], axis=number)
        if own.iswildcard and all(piece[1].dtype.kind == "O" for piece in pieces):
            moved[number] = Axis._wild(joined.shape[number], own.name)
        else:
            moved[number] = Axis._of(joined_labels(*labels), own.name)
        return type(self)._new(joined, AxisCollection._of(moved))

    def insert(self: Array, value: Any, before: Any = None, after: Any = None, pos: Any = None, axis: Any = None,  # type: ignore[misc]
               label: Any = None) -> Array:
        """The array with elements before or after labels.

        :param value: a number, or an array with axes of this one
        :param before: labels of one axis
        :param after: labels of one axis
        :param label: the label, or labels, of what is inserted
        :raises ValueError: unless exactly one place is given
        """
        if sum(place is not None for place in (before, after, pos)) != 1:
            raise ValueError("must specify exactly one of before, after or pos")
        if pos is not None or axis is not None:
            warn("The 'pos' and 'axis' keyword arguments are deprecated, please use axis.i[pos] instead")
        if pos is not None:
            number = self.axes._number(axis) % self.ndim
            where: Any = pos
        else:
            key = before if before is not None else after
            if axis is not None:
                key = self.axes[axis][key]
            number, where = on_axis(self.axes, key)
            where = np.arange(len(self.axes[number]))[where]
            if after is not None:
                where = where + 1
        if np.ndim(where) == 0:
            at = int(where)
            labels, part = self._several(number, value, label)
            return self._inserted(number, [(at, labels, part)])
        places = [int(at) for at in where]
        names = list(_labels(label)) if label is not None else [None] * len(places)
        order = sorted(range(len(places)), key=places.__getitem__)
        pieces = []
        for one in order:
            each = value
            if isinstance(value, (list, tuple)) and len(value) == len(places):
                each = value[one]
            name = names[one] if len(names) == len(places) else names[0]
            pieces.append((places[one], *self._piece(number, each, name)))
        return self._inserted(number, pieces)

    def _several(self: Array, number: int, value: Any, label: Any) -> tuple[np.ndarray, Any]:  # type: ignore[misc]
        labels, part = self._piece(number, value, label)
        if isinstance(label, (list, tuple)) and len(label) > 1:
            if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) == 1:
                part = type(self)(np.asarray(value), Axis(list(label), self.axes[number].name))
            return _labels(label), part
        return labels, part

    def drop(self: Array, labels: Any = None) -> Array:  # type: ignore[misc]
        """The array without labels of one axis."""
        if labels is None:
            raise AssertionError("None (<class 'NoneType'>) is not scalar")
        number, where = on_axis(self.axes, labels)
        axis = self.axes[number]
        keep = np.ones(len(axis), dtype=bool)
        keep[where] = False
        selected = Selected()
        selected.takes[number] = np.flatnonzero(keep)
        return self._read(place_of(self.axes, selected))  # type: ignore[no-any-return]

    def compact(self: Array, display: bool = False, name: str = "array") -> Any:  # type: ignore[misc]
        """The array without the axes along which it is constant."""
        found: Any = self
        gone = []
        for axis in self.axes:
            if not is_array(found) or not len(axis):
                continue
            number = found.axes.index(axis)
            first = np.take(found.data, [0], axis=number)
            if np.all(found.data == first):
                gone.append(self.axes.display_names[self.axes.index(axis)])
                found = found.i[(slice(None),) * number + (0,)]
        if display and gone:
            print(f"{name} was constant over: {', '.join(gone)}")  # noqa: T201
        return found

    def shift(self: Array, axis: Any, n: int = 1) -> Array:  # type: ignore[misc]
        """The elements of the labels ``n`` before along an axis; what has none is left out."""
        number = self.axes._number(axis) % self.ndim
        own = self.axes[number]
        if n == 0:
            return self.copy()
        size = max(len(own) - abs(n), 0)
        source, target = (slice(0, size), slice(len(own) - size, None)) if n > 0 else (
            slice(len(own) - size, None), slice(0, size))
        kept = list(self.axes)
        kept[number] = own.subaxis(target)
        return type(self)._new(self.data[(slice(None),) * number + (source,)], AxisCollection._of(kept))

    def roll(self: Array, axis: Any = None, n: Any = 1) -> Array:  # type: ignore[misc]
        """The elements moved ``n`` places along an axis, those that leave at one end coming back at the other."""
        if axis is None:
            return type(self)._new(np.roll(self.data, n), self.axes)
        number = self.axes._number(axis) % self.ndim
        if not is_array(n):
            return type(self)._new(np.roll(self.data, n, axis=number), self.axes)
        length = self.shape[number]
        moves = n.broadcast_with(self.axes).data
        places = np.arange(length).reshape([-1 if at == number else 1 for at in range(self.ndim)])
        where = np.broadcast_to((places - moves) % length, self.shape)
        return type(self)._new(np.take_along_axis(self.data, where, axis=number), self.axes)

def _labels(label: Any) -> np.ndarray:
    if label is None:
        return np.array([None], dtype=object)
    if isinstance(label, str):
        return labels_of([label] if _syntax.is_plain(label) or "," not in label else label)
    if isinstance(label, Axis):
        return label.labels
    return labels_of(label if isinstance(label, (list, tuple, np.ndarray)) else [label])
