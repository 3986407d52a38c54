"""Functions that live at the top of :mod:`stook.zarr` now."""

import warnings

from .api.synchronous import (
    array,
    create,
    empty,
    empty_like,
    full,
    full_like,
    ones,
    ones_like,
    open_array,
    open_like,
    zeros,
    zeros_like,
)
from .errors import ZarrDeprecationWarning

__all__ = [
    "array",
    "create",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "open_array",
    "open_like",
    "zeros",
    "zeros_like",
]

warnings.warn(
    "zarr.creation is deprecated. Import these functions from zarr itself.",
    ZarrDeprecationWarning,
    stacklevel=2,
)
