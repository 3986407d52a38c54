"""What describes virtual datasets, which can be read here and not created."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import UnsupportedError


class VirtualSource:
    """A dataset that a virtual one would take items from."""

    def __init__(
        self,
        path_or_dataset: Any,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        maxshape: Any = None,
    ) -> None:
        self.path = path_or_dataset
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.maxshape = maxshape

    def __getitem__(self, key: Any) -> VirtualSource:
        return self


class VirtualLayout:
    """Where a virtual dataset would take its items from."""

    def __init__(
        self, shape: Any, dtype: Any = None, maxshape: Any = None, filename: Any = None
    ) -> None:
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.maxshape = maxshape

    def __setitem__(self, key: Any, source: Any) -> None:
        raise UnsupportedError("a virtual dataset cannot be created")
