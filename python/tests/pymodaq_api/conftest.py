"""The same body against pymodaq_data and against stook.pymodaq, with both local backends."""

from __future__ import annotations

import importlib
import tempfile

import pytest
import stook.pymodaq.backends as ours

with pytest.MonkeyPatch.context() as patch:
    # The peer writes settings and logs below the home folder when it is imported.
    patch.setenv("HOME", tempfile.mkdtemp(prefix="stook-pymodaq-"))
    theirs = importlib.import_module("pymodaq_data.h5modules.backends")

MODULES = {"theirs": theirs, "ours": ours}
BACKENDS = ("tables", "h5py")


@pytest.fixture(params=[f"{who}-{backend}" for backend in BACKENDS for who in MODULES])
def made(request, tmp_path):
    """The module under test and a backend with a new file open; it is closed after the test."""
    who, _, backend = request.param.partition("-")
    h5 = MODULES[who].H5Backend(backend)
    h5.open_file(tmp_path / "run.h5", "w", title="a run")
    yield MODULES[who], h5
    h5.close_file()


@pytest.fixture(params=BACKENDS)
def h5(request, tmp_path):
    """A backend of ours with a new file open."""
    backend = ours.H5Backend(request.param)
    backend.open_file(tmp_path / "run.h5", "w", title="a run")
    yield backend
    backend.close_file()
