"""Named types."""

from __future__ import annotations

import posixpath
from typing import Any

import numpy as np

from ._base import HLObject
from ._dtypes import from_native
from ._state import OpenFile


class Datatype(HLObject):
    """A type that has a name in a file."""

    @classmethod
    def _of(cls, state: OpenFile, path: str) -> Datatype:
        datatype = cls.__new__(cls)
        datatype._state, datatype._path = state, path
        return datatype

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of it."""
        return from_native(self._state.tree.named_type(self._path))

    def __repr__(self) -> str:
        if not self:
            return "<Closed HDF5 named type>"
        return f'<HDF5 named type "{posixpath.basename(self._path)}" (dtype {self.dtype.str})>'
