"""Dimension scales, as the attributes that they are in HDF5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._dtypes import ref_dtype, string_dtype, vlen_dtype
from ._references import Reference

if TYPE_CHECKING:
    from ._dataset import Dataset

LABELS = "DIMENSION_LABELS"
LIST = "DIMENSION_LIST"
REFERENCES = "REFERENCE_LIST"
_CLASS = "DIMENSION_SCALE"


def _text(dset: Dataset, name: str) -> str:
    found = dset.attrs.get(name, "")
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)


def is_scale(dset: Dataset) -> bool:
    """Whether a dataset is a dimension scale."""
    return _text(dset, "CLASS").rstrip("\0") == _CLASS


def name_of_scale(dset: Dataset) -> str:
    """The name of a scale."""
    return _text(dset, "NAME").rstrip("\0")


def set_scale(dset: Dataset, name: str = "") -> None:
    """Makes a dataset a dimension scale."""
    if LIST in dset.attrs:
        raise RuntimeError("Unable to set scale (a dataset with scales cannot be one)")
    encoded = (name if isinstance(name, bytes) else name.encode()) + b"\0"
    for key, value in (("CLASS", _CLASS.encode() + b"\0"), ("NAME", encoded)):
        dtype = np.dtype(f"S{len(value)}", metadata={"padding": "null-terminated"})
        dset.attrs.create(key, np.array(value, dtype), dtype=dtype)


def scales(dset: Dataset, axis: int) -> list[Dataset]:
    """The scales of an axis."""
    found = dset.attrs.get(LIST)
    if found is None:
        return []
    return [dset.file[reference] for reference in found[axis] if reference]


def labels(dset: Dataset) -> list[str]:
    """The labels of all axes."""
    found = dset.attrs.get(LABELS)
    if found is None:
        return [""] * dset.ndim
    return [label.decode() if isinstance(label, bytes) else str(label or "") for label in found]


def set_label(dset: Dataset, axis: int, label: str) -> None:
    """Sets the label of an axis."""
    found = labels(dset)
    found[axis] = label
    dset.attrs.create(LABELS, np.array(found, dtype=object), dtype=string_dtype("ascii"))


def attach(dset: Dataset, scale: Dataset, axis: int) -> None:
    """Makes a dataset a scale of an axis."""
    if not is_scale(scale):
        set_scale(scale)
    each = [scales(dset, at) for at in range(dset.ndim)]
    if scale in each[axis]:
        return
    each[axis].append(scale)
    _write_list(dset, each)
    entries = _entries(scale)
    entries.append((dset._path, axis))
    _write_entries(scale, entries)


def detach(dset: Dataset, scale: Dataset, axis: int) -> None:
    """Takes a scale from an axis.

    Raises
    ------
    RuntimeError
        If it is none of the axis.
    """
    each = [scales(dset, at) for at in range(dset.ndim)]
    if scale not in each[axis]:
        raise RuntimeError("Unable to detach scale (the dataset is no scale of this axis)")
    each[axis] = [found for found in each[axis] if found != scale]
    _write_list(dset, each)
    _write_entries(scale, [entry for entry in _entries(scale) if entry != (dset._path, axis)])


def _write_list(dset: Dataset, each: list[list[Dataset]]) -> None:
    if not any(each):
        del dset.attrs[LIST]
        return
    lists = np.empty(len(each), vlen_dtype(ref_dtype))
    for at, found in enumerate(each):
        lists[at] = np.array([Reference(scale._path) for scale in found], dtype=object)
    dset.attrs.create(LIST, lists, dtype=vlen_dtype(ref_dtype))


_ENTRY: np.dtype[Any] = np.dtype([("dataset", ref_dtype), ("dimension", np.int32)])


def _entries(scale: Dataset) -> list[tuple[str, int]]:
    found = scale.attrs.get(REFERENCES)
    if found is None:
        return []
    return [(entry[0].path, int(entry[1])) for entry in found if entry[0]]


def _write_entries(scale: Dataset, entries: list[tuple[str, int]]) -> None:
    if not entries:
        if REFERENCES in scale.attrs:
            del scale.attrs[REFERENCES]
        return
    made = np.empty(len(entries), _ENTRY)
    for at, (path, axis) in enumerate(entries):
        made[at] = (Reference(path), axis)
    scale.attrs.create(REFERENCES, made, dtype=_ENTRY)
