"""What a key selects: positions of each axis, found by the labels in it whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._axis import Axis
from stook.larray._group import Group, IGroup, LGroup, unwrapped
from stook.larray._reference import AxisReference, ExprNode

if TYPE_CHECKING:
    from stook.larray._axes import AxisCollection

_ALL = slice(None)
#: How many labels of an axis an error lists.
_MOST_LABELS = 1000


class Labelled:
    """What has elements in ``data`` and axes in ``axes``."""

    __slots__ = ()
    data: np.ndarray
    axes: AxisCollection


def is_array(value: Any) -> bool:
    """Whether a value is a labelled array."""
    return isinstance(value, Labelled)


def _lines(axes: AxisCollection) -> str:
    """The axes and their labels, a line each."""
    return axes.info.split("\n", 1)[1] if len(axes) else ""


def _shown(key: Any) -> str:
    return repr(key)


def on_axis(axes: AxisCollection, key: Any) -> tuple[int, Any]:
    """The axis of one part of a key, and positions there.

    :returns: the number of the axis; a number, a slice, an array of numbers, or a labelled array of them
    :raises ValueError: for labels of no axis, or of several
    """
    if isinstance(key, Group):
        return _on_axis_of_group(axes, key)
    if isinstance(key, Axis):
        number = axes._find(key)
        if number is None:
            return _guess(axes, key.labels)
        own = axes._list[number]
        if key is own or key.equals(own):
            return number, _ALL
        return number, _on(own, LGroup._of(key.labels, own))
    if isinstance(key, str):
        found = _matches(axes, key)
        if len(found) == 1:
            return found[0]
        if not found and not _syntax.is_plain(key):
            return _on_written(axes, key)
    return _guess(axes, key)


def _on_written(axes: AxisCollection, text: str) -> tuple[int, Any]:
    written = _syntax.parse(text)
    if written.axis is not None:
        axis = written.axis
        number = axes._find(axis)
        if number is None:
            return _guess(axes, written.key)
        if written.positional:
            return number, written.key
        return number, _on(axes._list[number], LGroup._of(written.key, axis))
    if written.key is None:
        raise AssertionError("None (<class 'NoneType'>) is not scalar")
    return _guess(axes, written.key, text)


def _on_axis_of_group(axes: AxisCollection, group: Group) -> tuple[int, Any]:
    if group.axis is not None:
        number = axes._find(group.axis)
        if number is not None:
            return number, _on(axes._list[number], group)
    if isinstance(group, IGroup):
        return _guess(axes, group.to_label())
    key = group.key
    return on_axis(axes, key) if isinstance(key, str) else _guess(axes, key)


def _on(axis: Axis, group: Group) -> Any:
    """The positions of a group on an axis that it is known to belong to."""
    if isinstance(group, IGroup):
        own = group.axis
        if own is axis or isinstance(own, (str, int)) or own is None or own.is_reference or own.equals(axis):
            return group.key
        key: Any = group.to_label()
    else:
        key = group.key
    try:
        if is_array(key):
            return type(key)._new(axis._locate(np.asarray(key.data)), key.axes)
        if isinstance(key, str):
            found = axis._position(key)
            if found is None:
                raise KeyError(key)
            return found
        return axis._locate(key)
    except KeyError:
        labels = ", ".join(_label_texts(axis))
        raise ValueError(f"{group!r} is not a valid label for the {axis.name!r} axis with labels: {labels}") from None


def _label_texts(axis: Axis) -> list[str]:
    items = axis._items()
    if len(items) > _MOST_LABELS:
        shown = [*items[: _MOST_LABELS // 2], ..., *items[-_MOST_LABELS // 2:]]
        return ["..." if label is ... else repr(label) for label in shown]
    return [repr(label) for label in items]


def _matches(axes: AxisCollection, label: Any) -> list[tuple[int, Any]]:
    """The axes that have a label, and where."""
    found: list[tuple[int, Any]] = []
    for number, axis in enumerate(axes._list):
        position = axis._position(label)
        if position is not None:
            found.append((number, position))
    return found


def _guess(axes: AxisCollection, key: Any, shown: Any = None) -> tuple[int, Any]:
    """The only axis whose labels a key has."""
    original = key if shown is None else shown
    if is_array(key) or isinstance(key, np.ndarray):
        return _guess_array(axes, key)
    if isinstance(key, (list, tuple)):
        labels = [unwrapped(label) for label in key]
        found: list[tuple[int, Any]] = []
        for number, axis in enumerate(axes._list):
            positions = [axis._position(label) for label in labels]
            if None not in positions:
                found.append((number, np.array(positions, dtype=np.intp)))
        if not found:
            raise ValueError(f"{_shown(original)} is not a valid subset for any axis:\n{_lines(axes)}"
                             + _partly(axes, labels))
    elif isinstance(key, slice):
        found = []
        for number, axis in enumerate(axes._list):
            try:
                found.append((number, axis._slice(key)))
            except (KeyError, TypeError):
                continue
        if not found:
            raise ValueError(f"{_shown(original)} is not a valid label for any axis:\n{_lines(axes)}")
    else:
        key = unwrapped(key)
        if not np.isscalar(key):
            if key is not None and not isinstance(key, (str, bytes)) and not hasattr(key, "__hash__"):
                raise TypeError(f"{key!r} has an invalid type ({type(key).__name__}) for a key")
            if key is None:
                raise AssertionError("None (<class 'NoneType'>) is not scalar")
        found = _matches(axes, key)
        if not found:
            raise ValueError(f"{_shown(original)} is not a valid label for any axis:\n{_lines(axes)}")
    if len(found) > 1:
        raise _ambiguous(axes, original, found)
    return found[0]


def _ambiguous(axes: AxisCollection, key: Any, found: Sequence[tuple[int, Any]]) -> ValueError:
    lines = _lines(axes).split("\n")
    text = "\n".join(lines[number] for number, _ in found)
    return ValueError(f"{_shown(key)} is ambiguous, it is valid in the following axes:\n{text}")


def _partly(axes: AxisCollection, labels: Sequence[Any]) -> str:
    """Which axes have some of the labels."""
    found = []
    for axis, name in zip(axes._list, axes.display_names):
        missing = [label for label in dict.fromkeys(labels) if axis._position(label) is None]
        total = len(dict.fromkeys(labels))
        if len(missing) < total:
            shown = ", ".join(sorted(repr(unwrapped(label)) for label in missing))
            found.append(f" * axis '{name}' contains {total - len(missing)} out of {total} labels "
                         f"(labels not found: {shown})")
    return "\nSome of those labels correspond though:\n" + "\n".join(found) if found else ""


def _guess_array(axes: AxisCollection, key: Any) -> tuple[int, Any]:
    data = np.asarray(key.data) if is_array(key) else key
    items = list(data.ravel()) if data.dtype.kind in "Mm" else data.ravel().tolist()
    found: list[tuple[int, Any]] = []
    for number, axis in enumerate(axes._list):
        positions = [axis._position(item) for item in items]
        if None not in positions:
            at = np.array(positions, dtype=np.intp).reshape(data.shape)
            found.append((number, type(key)._new(at, key.axes) if is_array(key) else at))
    if not found:
        text = _partly(axes, items).replace("those labels", "those key values")
        shown = f"{text}\n" if text else ""
        raise ValueError(
            f"The values of the array key:\n\n{key!r}\n\ndo not all correspond to labels of a single axis of the "
            f"subsetted array which has the following axes:\n\n{_lines(axes)}\n{shown}".rstrip("\n"))
    if len(found) > 1:
        raise _ambiguous(axes, key, found)
    return found[0]


class Selected:
    """What a key comes to: positions of axes, and masks."""

    __slots__ = ("takes", "masks")

    def __init__(self) -> None:
        #: The positions of each axis that the key names.
        self.takes: dict[int, Any] = {}
        #: Boolean arrays, with the numbers of the axes that they have, in their order.
        self.masks: list[tuple[tuple[int, ...], np.ndarray]] = []


def resolve(axes: AxisCollection, key: Any, array_type: Any) -> Selected:
    """The positions that a key stands for.

    :raises ValueError: for labels of no axis or several, several keys for one axis, or a mask of another shape
    """
    if isinstance(key, ExprNode) and not isinstance(key, AxisReference):
        key = key.evaluate(axes)
    parts: Sequence[Any]
    if isinstance(key, dict):
        parts = []
        for axis, value in key.items():
            number = axes._number(axis)
            name = axis.name if isinstance(axis, Axis) else axis
            parts.append(value if isinstance(value, Group) else LGroup(value, None, name))
    elif isinstance(key, tuple):
        parts = key
    else:
        parts = (key,)
    selected = Selected()
    for part in parts:
        if isinstance(part, ExprNode) and not isinstance(part, AxisReference):
            part = part.evaluate(axes)
        if part is Ellipsis or (isinstance(part, slice) and part == _ALL and isinstance(key, tuple)):
            continue
        if isinstance(part, slice) and part == _ALL:
            continue
        if is_array(part) and part.data.dtype.kind == "b":
            _add_mask(axes, selected, part)
            continue
        if isinstance(part, np.ndarray) and part.dtype.kind == "b" and part.ndim:
            if part.shape != axes.shape:
                raise ValueError(f"boolean key with a different shape ({part.shape}) than array ({axes.shape})")
            selected.masks.append((tuple(range(len(axes))), part))
            continue
        number, positions = on_axis(axes, part)
        if number in selected.takes:
            raise ValueError(f"key has several values for axis: {axes.display_names[number]}\nkey: {key!r}")
        selected.takes[number] = positions
    return selected


def _add_mask(axes: AxisCollection, selected: Selected, mask: Any) -> None:
    numbers = []
    for place, axis in enumerate(mask.axes):
        number = axes._find(axis) if axis.name is not None else (place if place < len(axes) else None)
        if number is None:
            raise ValueError(f"mask axis {axis} is not in {axes}")
        own = axes._list[number]
        if not own.iscompatible(axis):
            from stook.larray._axes import incompatible

            raise incompatible(axis, own)
        numbers.append(number)
    data = mask.data
    for place, number in enumerate(numbers):
        if data.shape[place] != len(axes._list[number]):
            data = np.repeat(data, len(axes._list[number]), axis=place)
    selected.masks.append((tuple(numbers), data))


def normalized(axes: AxisCollection, number: int, positions: Any) -> Any:
    """Positions as they are used: a checked number, a slice, or an array of numbers."""
    length = len(axes._list[number])
    if isinstance(positions, (int, np.integer)):
        if not -length <= positions < length:
            raise IndexError(f"index {positions} is out of bounds for axis {number} with size {length}")
        return int(positions)
    if isinstance(positions, slice) or is_array(positions):
        return positions
    if isinstance(positions, np.ndarray) and positions.dtype.kind == "b":
        return np.flatnonzero(positions)
    found = np.asarray(positions, dtype=np.intp if not len(positions) else None)
    if found.dtype.kind == "b":
        return np.flatnonzero(found)
    bad = found[(found < -length) | (found >= length)]
    if len(bad):
        raise IndexError(f"index {bad[0]} is out of bounds for axis {number} with size {length}")
    return found
