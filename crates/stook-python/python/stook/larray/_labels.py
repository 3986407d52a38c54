"""Labels as arrays: what they are made of, put together, and shown as."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._group import Group, unwrapped

if TYPE_CHECKING:
    from stook.larray._axis import Axis

#: Kinds of labels that are found by their value among labels of the same kind only.
_KINDS = {str: "U", np.str_: "U", int: "i", float: "f", bool: "b", np.bool_: "b", bytes: "S",
          np.bytes_: "S", np.datetime64: "M", np.timedelta64: "m", complex: "c"}


def kind_of(label: Any) -> str:
    """The kind of a label, as numpy's letter; unsigned integers are integers."""
    found = _KINDS.get(type(label))
    if found is not None:
        return found
    kind = label.dtype.kind if isinstance(label, np.generic) else "O"
    return "i" if kind == "u" else kind


def axis_name_of(group: Group) -> Any:
    axis = group.axis
    return axis if isinstance(axis, str) else getattr(axis, "name", None)


def labels_of(labels: Any) -> np.ndarray:
    """Labels as an array of shape (n,)."""
    if isinstance(labels, np.ndarray):
        return labels
    if hasattr(labels, "iswildcard"):
        return labels.labels  # type: ignore[no-any-return]
    if isinstance(labels, Group):
        labels = labels.eval()
    if isinstance(labels, str):
        return typed_labels(_syntax.labels(labels))
    if hasattr(labels, "axes") and hasattr(labels, "data"):
        return np.asarray(labels.data)
    if isinstance(labels, range):
        return np.asarray(labels)
    if not isinstance(labels, (list, tuple)):
        if not isinstance(labels, Iterable):
            raise TypeError(f"ticks must be iterable ({type(labels)} is not)")
        if type(labels).__module__.partition(".")[0] == "pandas":
            return np.asarray(labels)
        labels = list(labels)
    return typed_labels([unwrapped(label) for label in labels])


def typed_labels(labels: Any) -> np.ndarray:
    """A list of labels as numpy types them; with None, and texts and numbers apart from that, as objects."""
    try:
        found = np.asarray(labels)
    except ValueError:
        found = np.empty(0)
    if found.ndim != 1:
        found = np.empty(len(labels), dtype=object)
        found[:] = labels
    return found


def joined_labels(*parts: np.ndarray) -> np.ndarray:
    """Labels one after another; of texts and numbers a mixture of objects."""
    kinds = {part.dtype.kind for part in parts if len(part)}
    if len(kinds) > 1 and kinds & set("USMmO"):
        return np.concatenate([part.astype(object) for part in parts])
    filled = [part for part in parts if len(part)]
    return np.concatenate(filled) if filled else parts[0]


def items_of(other: Any) -> list[Any]:
    if hasattr(other, "iswildcard"):
        return other._items()  # type: ignore[no-any-return]
    if isinstance(other, str):
        parsed = _syntax.parse(other).key
        return list(parsed) if isinstance(parsed, list) else [parsed]
    if isinstance(other, Group):
        other = other.eval()
    if isinstance(other, np.ndarray):
        return list(other) if other.dtype.kind in "Mm" else other.tolist()
    return [unwrapped(label) for label in other] if isinstance(other, (list, tuple, set, range)) else [other]


def kept_type(labels: list[Any], axis: Axis, other: Any) -> Any:
    """Labels of no length keep the type of those that they were taken from."""
    return labels if labels else axis.labels[:0]


def summary_of(labels: np.ndarray) -> str:
    """Labels in a line, those between the first and the last three left out."""
    items = list(labels) if labels.dtype.kind in "Mm" else labels.tolist()
    if labels.dtype.kind in "Mm":
        texts = [str(label) for label in items]
    else:
        texts = [repr(label) for label in items]
    if len(texts) > 10:
        texts = [*texts[:3], "...", *texts[-3:]]
    return " ".join(texts)


def check_join(join: str) -> None:
    """:raises ValueError: for what is no way to join axes"""
    if join not in ("outer", "inner", "left", "right", "exact"):
        raise ValueError(f"join must be one of 'outer', 'inner', 'left', 'right' or 'exact', got {join!r}")
