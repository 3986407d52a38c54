"""Collections of axes made of others: renamed, replaced, aligned, combined and split."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._labels import check_join

if TYPE_CHECKING:
    from stook.larray._axes import AxisCollection


class AxesChanges:
    """What makes a collection of axes of another."""

    __slots__ = ()

    def copy(self: AxisCollection) -> AxisCollection:  # type: ignore[misc]
        """A collection of its own of the same axes."""
        return type(self)._of(list(self._list))

    __copy__ = copy

    def rename(self: AxisCollection, renames: Any = None, to: Any = None, **kwargs: Any) -> AxisCollection:  # type: ignore[misc]
        """The axes with other names."""
        pairs = pairs_of(renames, to, kwargs)
        found = list(self._list)
        for axis, name in pairs:
            number = self._number(axis)
            found[number] = self._list[number].rename(name)
        return type(self)._of(found)

    def replace(self: AxisCollection, axes_to_replace: Any = None, new_axis: Any = None, inplace: bool = False,  # type: ignore[misc]
                **kwargs: Any) -> AxisCollection:
        """The axes with some in the place of others."""
        if axes_to_replace is not None and new_axis is None and not isinstance(axes_to_replace, Mapping):
            found = list(type(self)(axes_to_replace))
            if len(found) != len(self):
                raise ValueError(f"{len(found)} axes given as argument, expected {len(self)}")
        else:
            found = list(self._list)
            for axis, new in pairs_of(axes_to_replace, new_axis, kwargs):
                found[self.index(axis)] = _axis_of(new)
        if inplace:
            self._set(found)
            return self
        return type(self)(found)

    def set_labels(self: AxisCollection, axis: Any = None, labels: Any = None, inplace: bool = False,  # type: ignore[misc]
                   **kwargs: Any) -> AxisCollection:
        """The axes with other labels.

        :param axis: an axis, or labels of one, or a mapping of these to labels
        :param labels: labels, a mapping of old to new ones, or a function
        """
        found = list(self._list)
        for key, new in pairs_of(axis, labels, kwargs):
            number = None if isinstance(key, Group) else self._find(key)
            if number is not None:
                own = found[number]
                if isinstance(new, Mapping):
                    found[number] = own.replace(new)
                elif callable(new) and not isinstance(new, Group):
                    found[number] = own.apply(new)
                else:
                    found[number] = Axis(new.labels if isinstance(new, Axis) else new, own.name)
            else:
                number, positions = self._guess(key)
                own = found[number]
                items = list(own._items())
                at = np.atleast_1d(np.arange(len(own))[positions])
                if isinstance(new, str) and len(at) > 1:
                    new = _syntax.labels(new)
                texts = [new] if len(at) == 1 and (np.isscalar(new) or isinstance(new, str)) else list(new)
                for position, label in zip(at.tolist(), texts):
                    items[position] = label
                found[number] = Axis(items, own.name)
        if inplace:
            self._set(found)
            return self
        return type(self)(found)

    def _guess(self: AxisCollection, key: Any) -> tuple[int, Any]:  # type: ignore[misc]
        """The axis and the positions of a key."""
        from stook.larray._select import on_axis

        return on_axis(self, key)

    def align(self: AxisCollection, *other: Any, join: str = "outer", axes: Any = None) -> tuple[AxisCollection, ...]:  # type: ignore[misc]
        """Collections whose axes of one name have the same labels."""
        check_join(join)
        others = [one if isinstance(one, type(self)) else type(self)(one) for one in other]
        collections = [list(self), *map(list, others)]
        wanted = None if axes is None else {
            self.axis_id(axis) if axis in self else _key_name(axis) for axis in (
                [axes] if isinstance(axes, (str, int, Axis)) else axes)}
        mine = {(number if axis.name is None else axis.name): axis for number, axis in enumerate(self._list)}
        for collection in collections[1:]:
            for number, axis in enumerate(collection):
                key = number if axis.name is None else axis.name
                if key not in mine or (wanted is not None and key not in wanted):
                    continue
                mine[key] = mine[key] if mine[key].equals(axis) else mine[key].align(axis, join=join)
        aligned = []
        for collection in collections:
            aligned.append(type(self)._of([
                axis if mine.get(number if axis.name is None else axis.name, axis).equals(axis)
                or (wanted is not None and (number if axis.name is None else axis.name) not in wanted)
                else mine[number if axis.name is None else axis.name]
                for number, axis in enumerate(collection)]))
        return tuple(aligned)

    def combine_axes(self: AxisCollection, axes: Any = None, sep: str = "_", wildcard: bool = False,  # type: ignore[misc]
                     front_if_spread: bool = False) -> AxisCollection:
        """The axes with some made into one, whose labels are the combinations of theirs."""
        found = self
        for chosen, name in combinations_of(self, axes):
            own = [found[axis] for axis in chosen]
            numbers = [found._number(axis) for axis in chosen]
            combined = combined_axis(own, name, sep, wildcard)
            spread = sorted(numbers) != list(range(min(numbers), max(numbers) + 1))
            at = 0 if front_if_spread and spread else min(numbers)
            rest = [axis for number, axis in enumerate(found._list) if number not in numbers]
            at -= sum(1 for number in numbers if number < at)
            found = type(self)([*rest[:at], combined, *rest[at:]])
        return found

    def split_axes(self: AxisCollection, axes: Any = None, sep: str = "_", names: Any = None, regex: str | None = None  # type: ignore[misc]
                   ) -> AxisCollection:
        """The axes with those whose labels were put together taken apart."""
        found: list[Axis] = []
        wanted = splits_of(self, axes, sep, names)
        for number, axis in enumerate(self._list):
            if number in wanted:
                found.extend(axis.split(sep, wanted[number], regex))
            else:
                found.append(axis)
        return type(self)(found)


def pairs_of(first: Any, second: Any, more: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Pairs of axes and what becomes of them, as methods take them."""
    if isinstance(first, Mapping):
        pairs = list(first.items())
    elif isinstance(first, (list, tuple)) and second is None and first and all(
        isinstance(item, tuple) and len(item) == 2 for item in first
    ):
        pairs = list(first)
    elif first is not None:
        pairs = [(first, second)]
    else:
        pairs = []
    return [*pairs, *more.items()]


def combinations_of(axes: AxisCollection, chosen: Any) -> list[tuple[list[Any], Any]]:
    """Which axes become one, and the name of each such one where it is told."""
    if chosen is None:
        return [(list(axes), None)]
    if isinstance(chosen, Mapping):
        return [(list(group) if isinstance(group, (list, tuple)) else [group], name)
                for group, name in chosen.items()]
    if isinstance(chosen, str):
        return [([axis.strip() for axis in chosen.split(",")], None)]
    chosen = list(chosen)
    if chosen and all(isinstance(item, (list, tuple)) for item in chosen):
        return [(list(group), None) for group in chosen]
    return [(chosen, None)]


def combined_axis(axes: list[Axis], name: Any, sep: str, wildcard: bool) -> Axis:
    """An axis whose labels are the combinations of those of others."""
    if name is None:
        names = [axis.name for axis in axes]
        name = None if all(one is None for one in names) else sep.join(
            "{" + str(number) + "}" if one is None else str(one) for number, one in enumerate(names))
    if wildcard:
        return Axis._wild(prod(len(axis) for axis in axes), name)
    if len(axes) == 1:
        return axes[0].rename(name)
    return Axis([sep.join(map(str, labels)) for labels in product(*(axis._items() for axis in axes))], name)


def splits_of(axes: AxisCollection, chosen: Any, sep: str, names: Any) -> dict[int, Any]:
    """The numbers of the axes that are split, and the names of the parts."""
    if chosen is None:
        return {number: names for number, axis in enumerate(axes)
                if isinstance(axis.name, str) and sep in axis.name}
    if isinstance(chosen, Mapping):
        return {axes._number(axis): new for axis, new in chosen.items()}
    if isinstance(chosen, (list, tuple)):
        return {axes._number(axis): names for axis in chosen}
    return {axes._number(chosen): names}


def _axis_of(value: Any) -> Axis:
    from stook.larray._axes import axis_of

    return axis_of(value)


def _key_name(key: Any) -> Any:
    return key.name if isinstance(key, Axis) else key
