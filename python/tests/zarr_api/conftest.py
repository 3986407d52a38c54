"""The same test against zarr-python and against stook.zarr.

`zarr` is either module; `same` runs a body with both and fails where their outcomes differ: the
values, the documents that are stored, or the class of the exception.
"""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import stook.zarr
import zarr as zarr_python

MODULES = {"zarr-python": zarr_python, "stook": stook.zarr}

NAMES = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


@pytest.fixture(params=list(MODULES))
def zarr(request):
    """zarr-python, then stook.zarr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield MODULES[request.param]


@pytest.fixture(autouse=True)
def default_config():
    """The settings of both are the defaults, before and after."""
    for module in MODULES.values():
        module.config.reset()
    yield
    for module in MODULES.values():
        module.config.reset()


@pytest.fixture
def same(tmp_path):
    """`same(body)` runs `body(zarr, folder)` with both and compares what comes of it."""

    def run(body, *, error: type[BaseException] | None = None):
        theirs, ours = (outcome(body, name, tmp_path) for name in MODULES)
        if isinstance(theirs, Exception) and isinstance(ours, Exception):
            # What catches theirs catches ours, too.
            assert type(theirs).__name__ in [cls.__name__ for cls in type(ours).__mro__]
        else:
            assert ours == theirs
        if error is not None:
            assert isinstance(ours, error)
        return ours

    return run


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


@pytest.fixture
def submodule(zarr):
    """`submodule("core.group")` of the module under test."""

    def get(name: str):
        return importlib.import_module(f"{zarr.__name__}.{name}")

    return get
