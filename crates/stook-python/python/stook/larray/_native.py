"""Sessions in files of HDF5, pickles, workbooks and stores, which the library reads and writes.

Objects cross as ``(name, kind, parts)``: an array as its axes, elements and metadata, an axis as its name and labels
(a number for a wildcard axis), a group as its key, name and axis, and anything else as it is.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from stook import _stook
from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._group import Group, IGroup, LGroup
from stook.larray._labels import typed_labels
from stook.larray._metadata import Metadata


class SaveReport(NamedTuple):
    """What was saved, and what was not and why."""

    saved: list[str]
    not_saved: dict[str, str]


class LoadReport(NamedTuple):
    """What was loaded, and what is there and was not, and why."""

    loaded: list[str]
    not_loaded: dict[str, str]


# From parts.


def _axis(parts: Any) -> Axis:
    name, labels = parts
    if isinstance(labels, int):
        return Axis._wild(labels, name)
    return Axis._of(_labels(labels), name)


def _labels(labels: np.ndarray) -> np.ndarray:
    """Labels of text as numpy has them."""
    if labels.dtype == object and len(labels) and all(type(label) is str for label in labels):
        return labels.astype(str)
    return labels


def _group_axis(parts: Any) -> Any:
    return _axis(parts) if isinstance(parts, tuple) else parts


def _key(key: Any) -> Any:
    return key.tolist() if isinstance(key, np.ndarray) else key


def object_of(kind: str, parts: Any) -> Any:
    """The object that parts are of."""
    if kind == "Array":
        axes, data, meta = parts
        return Array(data, AxisCollection._of([_axis(one) for one in axes]), meta=Metadata(meta) if meta else None)
    if kind == "Axis":
        return _axis(parts)
    if kind in ("LGroup", "IGroup"):
        key, name, axis = parts
        if kind == "IGroup":
            return IGroup(_key(key), name, _group_axis(axis))
        return LGroup._of(_key(key), _group_axis(axis), name)
    return parts


# To parts.


def _axis_parts(axis: Axis) -> tuple[Any, Any]:
    return axis.name, len(axis) if axis.iswildcard else axis.labels


def _group_axis_parts(axis: Any) -> Any:
    if axis is None or isinstance(axis, (str, int)):
        return axis
    return axis.name if axis.is_reference else _axis_parts(axis)


def parts_of(value: Any) -> tuple[str, Any]:
    """The kind and the parts of an object."""
    if isinstance(value, Array):
        return "Array", ([_axis_parts(axis) for axis in value.axes], value.data, list(value.meta.items()))
    if isinstance(value, Axis):
        return "Axis", _axis_parts(value)
    if isinstance(value, IGroup):
        return "IGroup", (value.key, value.name, _group_axis_parts(value.axis))
    if isinstance(value, Group):
        key = value.key if isinstance(value.key, slice) or np.isscalar(value.key) else list(value.eval())
        return "LGroup", (key, value.name, _group_axis_parts(value.axis))
    return "scalar", value


def load(path: str, engine: str, names: list[str] | None) -> tuple[list[tuple[str, Any]], Metadata, LoadReport]:
    """The objects of a file, its metadata, and what was not loaded."""
    items, meta, loaded, lost = _stook.labelled_load(path, engine, names)
    return [(name, object_of(kind, parts)) for name, kind, parts in items], Metadata(meta), LoadReport(
        loaded, dict(lost))


def save(path: str, engine: str, items: list[tuple[str, Any]], meta: Metadata, overwrite: bool,
         options: dict[str, Any]) -> SaveReport:
    """Saves objects and metadata to a file, as a whole or not at all."""
    if engine == "pandas_hdf":
        # A file of HDF5 has bytes of any length, and does not tell numpy's from Python's.
        items = [(name, bytes(value) if isinstance(value, np.bytes_) else value) for name, value in items]
    parts = [(name, *parts_of(value)) for name, value in items]
    saved, lost = _stook.labelled_save(os.fspath(path), parts, list(meta.items()), engine, overwrite,
                                       bool(options.get("sidecar", False)))
    return SaveReport(saved, dict(lost))
