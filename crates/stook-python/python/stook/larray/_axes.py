"""`AxisCollection`: axes in their order, found by name, by number, and by being compatible."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from stook.larray._axes_changes import AxesChanges
from stook.larray._axis import Axis
from stook.larray._group import Group, IGroup
from stook.larray._reference import AxisReference
from stook.larray._text import ReprString


def axis_of(value: Any) -> Axis:
    """An axis of what may stand for one: text, a number, labels, or a pair of a name and labels."""
    if isinstance(value, Axis):
        return value
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and not isinstance(value[1], str):
        return Axis(value[1], value[0])
    return Axis(value)


class AxisCollection(AxesChanges):
    """The axes of an array.

    :param axes: axes, or what makes some: text with semicolons between them, lengths, sequences
    :raises ValueError: for the same axis twice
    """

    __slots__ = ("_list", "_names")
    _list: list[Axis]
    _names: dict[Any, int] | None

    def __init__(self, axes: Any = None) -> None:
        if axes is None:
            found: list[Axis] = []
        elif isinstance(axes, (int, np.integer, Group, Axis)):
            found = [axis_of(axes)]
        elif isinstance(axes, str):
            found = [Axis(text.strip()) for text in axes.split(";")]
        elif isinstance(axes, AxisCollection):
            found = list(axes._list)
        else:
            found = [axis_of(axis) for axis in axes]
        self._set(found)

    @classmethod
    def _of(cls, axes: list[Axis]) -> AxisCollection:
        """A collection of axes that are known to be different ones."""
        found = object.__new__(cls)
        found._list = axes
        found._names = None
        return found

    def _set(self, axes: list[Axis]) -> None:
        if len({id(axis) for axis in axes}) < len(axes):
            seen: set[int] = set()
            for axis in axes:
                if id(axis) in seen:
                    raise ValueError(
                        f"Cannot have multiple occurrences of the same axis object in a collection ({axis.name!r} "
                        f"-- {axis.labels_summary()} with id {id(axis)}). Several axes with the same name are "
                        "allowed though (but not recommended).")
                seen.add(id(axis))
        self._list = axes
        self._names = None

    # Finding.

    def _by_name(self) -> dict[Any, int]:
        if self._names is None:
            self._names = {
                axis.name: number for number, axis in reversed(list(enumerate(self._list))) if axis.name is not None
            }
        return self._names

    def _find(self, key: Any) -> int | None:
        """The number of an axis by what stands for it, None where there is none."""
        if isinstance(key, AxisReference):
            key = key.name
        if isinstance(key, Axis):
            for number, axis in enumerate(self._list):
                if axis is key:
                    return number
            if key.name is not None:
                return self._named(key.name)
            for number, axis in enumerate(self._list):
                if axis.name is None and axis.iscompatible(key):
                    return number
            return None
        if isinstance(key, Group):
            key = key.to_label()
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            return int(key) if -len(self._list) <= key < len(self._list) else None
        if isinstance(key, str):
            return self._named(key)
        return None

    def _named(self, name: Any) -> int | None:
        if self._names is not None and any(
            number >= len(self._list) or self._list[number].name != known for known, number in self._names.items()
        ):
            self._names = None
        number: int | None = self._by_name().get(name)
        if number is None and isinstance(name, str):
            if name.startswith("{") and name.rstrip("*").endswith("}") and name.strip("{}*").isdigit():
                at = int(name.strip("{}*"))
                return at if at < len(self._list) and self._list[at].name is None else None
            if name.endswith("*"):
                return self._by_name().get(name[:-1])
        return number

    def _number(self, key: Any) -> int:
        """The number of an axis.

        :raises KeyError: where there is none
        """
        number = self._find(key)
        if number is None:
            raise KeyError(f"axis '{_key_name(key)}' not found in {self}")
        return number

    def index(self, axis: Any, compatible: bool = False) -> int:
        """The number of an axis.

        :param compatible: whether an axis that goes with it is enough, else a name has to agree
        :raises ValueError: where there is none
        """
        if isinstance(axis, Axis) and compatible and not axis.is_reference:
            for number, own in enumerate(self._list):
                if own.iscompatible(axis):
                    return number
            raise ValueError(f"{axis!r} is not compatible with any axis in {self}")
        place = self._find(axis)
        if place is None:
            shown = axis.name if isinstance(axis, Axis) else axis
            raise ValueError(f"axis {shown!r} is not in collection")
        return axis if isinstance(axis, int) else place

    def __contains__(self, key: Any) -> bool:
        if isinstance(key, Axis) and not key.is_reference and key.name is None:
            return any(own.iscompatible(key) for own in self._list)
        return self._find(key) is not None

    def isaxis(self, value: Any) -> bool:
        """Whether a value is an axis, or the name of one of these."""
        return isinstance(value, Axis) or (isinstance(value, str) and self._find(value) is not None)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            return self._list[key]
        if isinstance(key, slice):
            return AxisCollection._of(self._list[key])
        if isinstance(key, (tuple, list, AxisCollection)):
            return AxisCollection([self[item] for item in key])
        return self._list[self._number(key)]

    def __getattr__(self, key: str) -> Axis:
        if not key.startswith("_"):
            number = self._named(key)
            if number is not None:
                return self._list[number]
        raise AttributeError(f"'AxisCollection' object has no attribute {key!r}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(axis.name for axis in self._list if isinstance(axis.name, str))})

    def get(self, key: Any, default: Any = None, name: Any = None) -> Any:
        """The axis of a key; else a default, or a wildcard axis of length 1 of a name."""
        number = self._find(key)
        if number is not None:
            return self._list[number]
        return Axis._wild(1, name) if default is None and name is not None else default

    def get_all(self, key: Any) -> AxisCollection:
        """The axes of others by name; those that are missing are wildcard axes of length 1."""
        others = key if isinstance(key, AxisCollection) else AxisCollection(key)
        return AxisCollection([self.get_by_pos(axis.name, number) if axis.name is None else
                               self.get(axis, name=axis.name) for number, axis in enumerate(others)])

    def get_by_pos(self, key: Any, i: int) -> Axis:
        """The axis of a name, or the one at a place where no axis has it."""
        number = self._find(key)
        return self._list[i if number is None else number]

    def axis_id(self, axis: Any) -> str | int:
        """The name of an axis, its number where it has none."""
        found = self[axis]
        return found.name if found.name is not None else self.index(found)

    def keys(self) -> list[Any]:
        """The names of the axes."""
        return self.names

    # What they are.

    @property
    def names(self) -> list[Any]:
        """The names, None for anonymous axes."""
        return [axis.name for axis in self._list]

    @property
    def display_names(self) -> list[str]:
        """The names as they are shown: ``{0}`` for anonymous axes, a star for wildcard axes."""
        return [(f"{{{number}}}" if axis.name is None else str(axis.name)) + ("*" if axis.iswildcard else "")
                for number, axis in enumerate(self._list)]

    @property
    def ids(self) -> list[Any]:
        """The names, numbers for anonymous axes."""
        return [number if axis.name is None else axis.name for number, axis in enumerate(self._list)]

    @property
    def labels(self) -> list[np.ndarray]:
        """The labels of each axis."""
        return [axis.labels for axis in self._list]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths."""
        return tuple([axis._length for axis in self._list])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._list)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def info(self) -> ReprString:
        """Lengths, names, and the first and last labels."""
        lines = [f" {name} [{len(axis)}]: {axis.labels_summary()}"
                 for name, axis in zip(self.display_names, self._list)]
        return ReprString("\n".join([" x ".join(map(str, self.shape)), *lines]))

    def iter_labels(self, axes: Any = None, ascending: bool = True) -> Any:
        """The combinations of positions, a tuple of groups each, the last axis fastest."""
        from stook.larray._sequences import Product

        chosen = self._list if axes is None else list(self._some(axes))
        makers = [axis.i for axis in chosen]
        return Product(makers) if ascending else Product([_Backwards(axis) for axis in chosen])

    def _some(self, axes: Any) -> AxisCollection:
        if isinstance(axes, (list, tuple, AxisCollection)):
            return AxisCollection([self[axis] for axis in axes])
        if isinstance(axes, str) and "," in axes and self._find(axes) is None:
            return AxisCollection([self[axis.strip()] for axis in axes.split(",")])
        return AxisCollection([self[axis] for axis in [axes]])

    # Comparison and sets.

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Axis]:
        return iter(self._list)

    def __eq__(self, other: Any) -> Any:
        if self is other:
            return True
        if not isinstance(other, AxisCollection):
            if not isinstance(other, (list, tuple)):
                return False
            other = AxisCollection(other)
        return len(self) == len(other) and all(mine.equals(theirs) for mine, theirs in zip(self._list, other._list))

    def __ne__(self, other: Any) -> Any:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def check_compatible(self, axes: Any) -> None:
        """:raises ValueError: where an axis of others does not go with the one of its name here"""
        for number, axis in enumerate(axes):
            own = self.get_by_pos(axis.name, number) if axis.name in self.names else self.get(axis)
            if own is not None and not own.iscompatible(axis):
                raise incompatible(axis, own)

    def union(self, *args: Any, validate: bool = True, replace_wildcards: bool = True) -> AxisCollection:
        """These axes, and those of others that are not here."""
        found = self.copy()
        for axes in args:
            if not isinstance(axes, (AxisCollection, list, tuple)):
                axes = AxisCollection(axes) if not isinstance(axes, Axis) else [axes]
            elif not isinstance(axes, AxisCollection):
                axes = AxisCollection(axes)
            found.extend(list(axes), validate, replace_wildcards)
        return found

    __add__ = union
    __or__ = union

    def __radd__(self, other: Any) -> AxisCollection:
        return AxisCollection(other) + self

    def __and__(self, other: Any) -> AxisCollection:
        """The axes that others have, too."""
        if isinstance(other, Axis):
            other = [other]
        wanted = AxisCollection._of([]) if other is None else other
        return AxisCollection([axis for axis in self._list if any(
            _key_name(item) == axis.name or item is axis for item in wanted)])

    def without(self, axes: Any) -> AxisCollection:
        """The axes but for some, which need not be here."""
        if isinstance(axes, (int, Axis)):
            axes = [axes]
        elif isinstance(axes, str):
            axes = [axis.strip() for axis in axes.split(",")]
        gone = {number % len(self) for number in map(self._find, axes) if number is not None} if len(self) else set()
        return AxisCollection._of([axis for number, axis in enumerate(self._list) if number not in gone])

    __sub__ = without

    # Change in place.

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            axes = list(self._list)
            axes[key] = [axis_of(axis) for axis in ([value] if isinstance(value, Axis) else value)]
        else:
            axes = list(self._list)
            axes[self._number(key)] = axis_of(value)
        self._set(axes)

    def __delitem__(self, key: Any) -> None:
        axes = list(self._list)
        if isinstance(key, slice):
            del axes[key]
        else:
            del axes[self._number(key)]
        self._set(axes)

    def append(self, axis: Axis) -> None:
        """Adds an axis at the end."""
        if not isinstance(axis, Axis):
            raise AttributeError(f"{type(axis).__name__!r} object has no attribute 'name'")
        self[len(self):len(self)] = [axis]

    def insert(self, index: int, axis: Any) -> None:
        """Adds an axis before the one at a place."""
        self[index:index] = [axis_of(axis)]

    def pop(self, axis: Any = -1) -> Axis:
        """Removes an axis, and returns it."""
        found: Axis = self[axis]
        del self[axis]
        return found

    def extend(self, axes: Any, validate: bool = True, replace_wildcards: bool = False) -> None:
        """Adds the axes that are not here.

        :raises ValueError: where an axis that is here has other labels
        """
        if not isinstance(axes, (tuple, list, AxisCollection)):
            raise TypeError(f"AxisCollection can only be extended by a sequence of Axis, not {type(axes).__name__}")
        found = list(self._list)
        own = len(found)
        for number, axis in enumerate(axes):
            axis = axis_of(axis)
            at = _place(found, own, axis, number)
            if at is None:
                found.append(axis)
                continue
            mine = found[at]
            if validate and not mine.iscompatible(axis):
                raise incompatible(axis, mine)
            if replace_wildcards and mine.iswildcard and mine is not axis and not (
                axis.iswildcard and len(axis) <= len(mine)
            ):
                found[at] = axis
        self._set(found)

    # Text.

    def __str__(self) -> str:
        return f"{{{', '.join(self.display_names)}}}"

    def __repr__(self) -> str:
        axes = ",\n    ".join(map(repr, self._list))
        return f"AxisCollection([\n    {axes}\n])" if axes else "AxisCollection([])"

    def __reduce__(self) -> Any:
        return AxisCollection, (list(self._list),)

    def split_axis(*args: Any, **kwargs: Any) -> None:
        raise TypeError("split_axis() is deprecated. Use split_axes() instead.")


class _Backwards:
    """The positions of an axis from its end."""

    def __init__(self, axis: Axis) -> None:
        self.axis = axis

    def __len__(self) -> int:
        return len(self.axis)

    def __getitem__(self, key: int) -> IGroup:
        if not -len(self.axis) <= key < len(self.axis):
            raise IndexError(key)
        return IGroup(len(self.axis) - 1 - key % len(self.axis), None, self.axis)


def _place(axes: list[Axis], own: int, axis: Axis, number: int) -> int | None:
    """Where an axis of another collection belongs among these."""
    if axis.name is not None:
        for at, known in enumerate(axes):
            if known.name == axis.name:
                return at
        # An anonymous axis is the one at its place.
        return number if number < own and axes[number].name is None else None
    if number < own:
        return number
    return None


def incompatible(axis: Axis, own: Axis) -> ValueError:
    """The error for two axes that do not go together."""
    return ValueError(f"incompatible axes:\n{axis!r}\nvs\n{own!r}")


def _key_name(key: Any) -> Any:
    return key.name if isinstance(key, Axis) else key
