"""The data tree of PyMoDAQ: :mod:`stook.pymodaq.backends` has the names, signatures and behaviour of
``pymodaq_data.h5modules.backends`` 5.3.0, over HDF5 files that PyTables, h5py and PyMoDAQ read, and
over Zarr.

``python -m stook.compat pymodaq -- script.py`` puts it in the place of that module, for a program
that uses ``pymodaq_data``; :func:`stook.compat.install` does so in a process that runs already.
"""

from __future__ import annotations

from . import backends
from .backends import H5Backend

__all__ = ["H5Backend", "backends"]
