"""What ``H5Backend.h5_library`` is: the few members of h5py and PyTables that programs reach it for."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._stook import Acquisition
from ._handles import Dataset, Group
from ._handles import File as _File
from ._versions import versions

__all__ = ["Dataset", "File", "Group", "open_file", "special_dtype", "vlen_dtype"]


def File(name: str | os.PathLike[str], mode: str = "r", **kwargs: Any) -> _File:
    """Opens a file, marked as h5py marks files."""
    kwargs = {key: value for key, value in kwargs.items() if key not in ("libver", "locking", "swmr")}
    if kwargs:
        raise TypeError(f"File: no keyword {', '.join(sorted(kwargs))}")
    return _File(Acquisition.open(os.fspath(name), mode, "h5py", marks=("", versions(), None)), mode)


def open_file(filename: str | os.PathLike[str], mode: str = "r", title: str = "") -> _File:
    """Opens a file, marked as PyTables marks files."""
    path = os.fspath(filename)
    return _File(Acquisition.open(path, mode, "tables", marks=(title, versions(), None)), mode)


def vlen_dtype(basetype: Any) -> np.dtype[Any]:
    """The dtype of rows of different lengths, as h5py has it."""
    return np.dtype("O", metadata={"vlen": np.dtype(basetype)})


special_dtype = vlen_dtype
