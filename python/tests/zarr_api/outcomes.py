"""What comes of a body of a test, in a form that is equal for zarr-python and for stook.zarr."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import stook.zarr
import zarr as zarr_python

MODULES = {"zarr-python": zarr_python, "stook": stook.zarr}

NAMES = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


def outcome(body, name, folder: Path):
    """What a body gives, in a form that can be compared; where it stored what."""
    folder = folder / name
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = body(MODULES[name], folder)
            return plain(found), documents(folder)
        except Exception as error:
            return error


def documents(folder: Path) -> dict[str, object]:
    """All documents below a folder, by their paths."""
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text())
        for path in sorted(folder.rglob("*"))
        if path.name in NAMES
    }


def plain(found):
    """A value in a form that is equal for both."""
    kind = type(found).__name__
    if kind in ("Array", "AsyncArray"):
        return described(found)
    if kind in ("Group", "AsyncGroup"):
        return ("group", found.path, found.read_only, plain(dict(found.attrs)))
    if isinstance(found, np.ndarray):
        items = found.tolist() if found.dtype.kind != "V" or found.dtype.names else found.tobytes()
        return ("ndarray", str(found.dtype), found.shape, repr(items))
    if isinstance(found, np.generic):
        return ("scalar", str(found.dtype), repr(found.tolist()))
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in found]
    if isinstance(found, (str, int, float, bool, bytes, type(None), Path, slice)):
        return found
    return repr(found)


def described(array):
    """What an array says of itself, and its items."""
    metadata = array.metadata
    found = {
        name: plain(getattr(array, name))
        for name in (
            "shape chunks shards dtype order path name basename read_only ndim size nbytes "
            "nchunks cdata_shape filters serializer compressors attrs"
        ).split()
        if name != "attrs"
    }
    found["attrs"] = plain(dict(array.attrs))
    found["fill_value"] = plain(metadata.fill_value)
    found["format"] = metadata.zarr_format
    if hasattr(array, "async_array"):
        found["items"] = plain(array[...])
    return found
