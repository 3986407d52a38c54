"""Axes made of others: with other labels, without some, several as one."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._group import Group, LGroup, unwrapped
from stook.larray._labels import (
    check_join,
    items_of,
    joined_labels,
    kept_type,
    labels_of,
)

if TYPE_CHECKING:
    from stook.larray._axis import Axis


class AxisChanges:
    """What makes an axis of another."""

    __slots__ = ()

    def _items(self: Axis) -> list[Any]:  # type: ignore[misc]
        labels = self.labels
        return list(labels) if labels.dtype.kind in "Mm" else labels.tolist()

    def _with(self: Axis, labels: Iterable[Any], like: bool = False) -> Axis:  # type: ignore[misc]
        return type(self)(list(labels), self.name)

    def copy(self: Axis) -> Axis:  # type: ignore[misc]
        """An axis of its own with the same labels."""
        if self._wildcard:
            return type(self)._wild(self._length, self.name)
        return type(self)._of(self.labels, self.name)

    def rename(self: Axis, name: Any) -> Axis:  # type: ignore[misc]
        """The axis with another name."""
        found = self.copy()
        found.name = name.name if isinstance(name, type(self)) else name
        return found

    def ignore_labels(self: Axis) -> Axis:  # type: ignore[misc]
        """The axis without its labels: a wildcard axis of the same length."""
        return type(self)._wild(len(self), self.name)

    def astype(self: Axis, dtype: Any, casting: Any = "unsafe") -> Axis:  # type: ignore[misc]
        """The axis with labels of another type.

        :raises TypeError: where numpy's rule of casting does not allow it
        """
        return type(self)(self.labels.astype(dtype, casting=casting), self.name)

    def apply(self: Axis, func: Callable[[Any], Any]) -> Axis:  # type: ignore[misc]
        """The axis with each label replaced by what a function makes of it."""
        return type(self)([func(label) for label in self._items()], self.name)

    def subaxis(self: Axis, key: Any) -> Axis:  # type: ignore[misc]
        """The axis of some positions: a slice, or numbers."""
        if isinstance(key, slice):
            if key.start is None and key.stop is None and key.step is None:
                return self
            if self._wildcard:
                return type(self)._wild(len(range(*key.indices(self._length))), self.name)
            return type(self)._of(self.labels[key], self.name)
        if hasattr(key, "axes"):
            key = np.asarray(key)
        if self._wildcard:
            return type(self)._wild(len(key), self.name)
        return type(self)._of(self.labels[key], self.name)

    def extend(self: Axis, labels: Any) -> Axis:  # type: ignore[misc]
        """The axis with labels after its own."""
        other = labels if isinstance(labels, type(self)) else type(self)(labels, None) if not isinstance(
            labels, str) else type(self)(_syntax.labels(labels), None)
        if self._wildcard and other._wildcard:
            return type(self)._wild(len(self) + len(other), self.name)
        if other._wildcard or self._wildcard:
            raise ValueError("Axis to append should (not) be wildcard if self is (not) wildcard")
        return type(self)(joined_labels(self.labels, other.labels), self.name)

    def insert(self: Axis, new_labels: Any, before: Any = None, after: Any = None) -> Axis:  # type: ignore[misc]
        """The axis with labels before or after one of its own.

        :raises ValueError: unless exactly one of ``before`` and ``after`` is given
        """
        if (before is None) == (after is None):
            raise ValueError("must specify exactly one of before or after")
        where: Any = self.index(before) if before is not None else np.asarray(self.index(after)) + 1
        new = new_labels.labels if isinstance(new_labels, type(self)) else labels_of(
            [new_labels] if np.isscalar(new_labels) or isinstance(new_labels, str) else new_labels)
        if np.ndim(where):
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        at = operator.index(where)
        parts = [self.labels[:at], new, self.labels[at:]]
        return type(self)(joined_labels(*parts), self.name)

    def replace(self: Axis, old: Any, new: Any = None) -> Axis:  # type: ignore[misc]
        """The axis with some labels replaced.

        :param old: a label, labels, or a mapping of old to new ones
        """
        if isinstance(old, Mapping):
            pairs = dict(old)
        elif isinstance(old, (list, tuple, np.ndarray)) or (isinstance(old, Group) and not np.isscalar(old.eval())):
            news = new if not isinstance(new, Group) else new.eval()
            pairs = dict(zip([unwrapped(label) for label in unwrapped(old)], news))
        else:
            pairs = {unwrapped(old): unwrapped(new)}
        for label in pairs:
            if self._position(unwrapped(label)) is None:
                raise KeyError(label)
        mapping = {unwrapped(label): unwrapped(value) for label, value in pairs.items()}
        return type(self)([mapping.get(label, label) for label in self._items()], self.name)

    def union(self: Axis, other: Any) -> Axis:  # type: ignore[misc]
        """The axis with the labels of both, its own first."""
        labels = list(dict.fromkeys([*self._items(), *items_of(other)]))
        return type(self)(kept_type(labels, self, other), self.name)

    def intersection(self: Axis, other: Any) -> Axis:  # type: ignore[misc]
        """The axis with the labels that both have."""
        theirs = set(items_of(other))
        return type(self)(kept_type([label for label in self._items() if label in theirs], self, self), self.name)

    def difference(self: Axis, other: Any) -> Axis:  # type: ignore[misc]
        """The axis with the labels that the other has not."""
        theirs = set(items_of(other))
        return type(self)(kept_type([label for label in self._items() if label not in theirs], self, self), self.name)

    def align(self: Axis, *other: Any, join: str = "outer") -> Axis:  # type: ignore[misc]
        """An axis with the labels of all (``outer``), of each (``inner``), or of one (``left``, ``right``)."""
        check_join(join)
        found = self
        for axis in other:
            if not isinstance(axis, type(self)):
                axis = type(self)(axis, None)
            if join == "outer":
                found = found.union(axis)
            elif join == "inner":
                found = found.intersection(axis)
            elif join == "right":
                found = axis
            elif join == "exact" and not found.equals(axis):
                raise ValueError(f"align method with join='exact' expected {found!r} to be equal to {axis!r}")
        return found

    def split(self: Axis, sep: str = "_", names: Any = None, regex: str | None = None,  # type: ignore[misc]
              return_labels: bool = False) -> Any:
        """The axes whose labels were put together in those of this one.

        :param sep: what is between the parts
        :param names: names of the axes; without, the name of this one is split, too
        :param regex: parts are what its groups match, instead
        :returns: axes; with ``return_labels`` also a group of each, a label for each of this axis
        """
        if names is None:
            if self.name is None or sep not in str(self.name):
                raise ValueError(f"{sep} not found in axis name ({self.name})")
            names = str(self.name).split(sep)
        elif isinstance(names, str):
            names = names.split(sep) if sep in names else names.split(",")
        if regex is not None:
            rule = re.compile(regex)
            rows = [rule.match(str(label)) for label in self._items()]
            parts = [list(row.groups()) if row is not None else [None] * len(names) for row in rows]
        else:
            parts = [str(label).split(sep) for label in self._items()]
        columns = [list(column) for column in zip(*parts)] if parts else [[] for _ in names]
        if len(columns) != len(names):
            raise ValueError(f"axis {self.name!r}: labels have {len(columns)} parts, and there are "
                             f"{len(names)} names")
        axes = [type(self)(list(dict.fromkeys(column)), name) for column, name in zip(columns, names)]
        if return_labels:
            return axes, tuple(LGroup._of(column, axis) for column, axis in zip(columns, axes))
        return axes
