"""What comes of a body of a test, in a form that is equal for h5py and for stook.h5compat."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np
import stook.h5compat

MODULES = {"h5py": h5py, "stook": stook.h5compat}
_MAPS = ("KeysViewHDF5", "ValuesViewHDF5", "ItemsViewHDF5")


def outcome(body, name, folder: Path):
    """What a body gives, in a form that can be compared."""
    folder = folder / name
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(body(MODULES[name], folder))
        except Exception as error:
            return error


def plain(found):
    """A value in a form that is equal for both."""
    kind = type(found).__name__
    if kind in ("Dataset", "Group", "File", "Datatype"):
        return (kind, found.name, repr(found))
    if kind in ("Reference", "RegionReference"):
        return repr(found)
    if kind == "Empty":
        return ("Empty", dtype_of(found.dtype))
    if kind in _MAPS:
        return [plain(item) for item in found]
    if kind == "AttributeManager":
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, np.dtype):
        return dtype_of(found)
    if isinstance(found, np.ndarray):
        if found.dtype.kind == "V" and found.dtype.names is None:
            return ("ndarray", dtype_of(found.dtype), found.shape, found.tobytes())
        items = [plain(item) for item in found.reshape(-1).tolist()]
        return ("ndarray", dtype_of(found.dtype), found.shape, items)
    if isinstance(found, np.generic):
        return ("scalar", dtype_of(found.dtype), repr(found.tolist()))
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in found]
    if isinstance(found, type):
        return found.__name__
    if isinstance(found, float):
        return repr(found)
    if isinstance(found, (str, int, bytes, bool, type(None), slice)):
        return found
    return repr(found).partition(" at 0x")[0]


def dtype_of(dtype):
    """A dtype with what its metadata says of its items."""
    if dtype.subdtype is not None:
        return ("array", dtype_of(dtype.base), dtype.shape)
    if dtype.names is not None:
        return [(name, dtype_of(dtype[name])) for name in dtype.names]
    metadata = dict(dtype.metadata or {})
    if metadata.get("h5py_encoding") == "ascii":
        # What numpy says of bytes in any case.
        del metadata["h5py_encoding"]
    return (dtype.str, sorted((key, plain(value)) for key, value in metadata.items()))
