"""The same test against zarr-python and against stook.zarr.

`zarr` is either module; `same` runs a body with both and fails where their outcomes differ: the
values, the documents that are stored, or the class of the exception.
"""

from __future__ import annotations

import importlib
import warnings

import pytest
from zarr_api.outcomes import MODULES, outcome


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


@pytest.fixture
def submodule(zarr):
    """`submodule("core.group")` of the module under test."""

    def get(name: str):
        return importlib.import_module(f"{zarr.__name__}.{name}")

    return get
