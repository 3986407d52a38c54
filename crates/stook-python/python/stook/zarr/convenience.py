"""Functions that live at the top of :mod:`stook.zarr` now."""

import warnings

from .api.synchronous import (
    consolidate_metadata,
    copy,
    copy_all,
    copy_store,
    load,
    open,
    open_consolidated,
    save,
    save_array,
    save_group,
    tree,
)
from .errors import ZarrDeprecationWarning

__all__ = [
    "consolidate_metadata",
    "copy",
    "copy_all",
    "copy_store",
    "load",
    "open",
    "open_consolidated",
    "save",
    "save_array",
    "save_group",
    "tree",
]

warnings.warn(
    "zarr.convenience is deprecated. Import these functions from zarr itself.",
    ZarrDeprecationWarning,
    stacklevel=2,
)
