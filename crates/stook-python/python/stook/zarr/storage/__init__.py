"""Stores: where keys and values are kept.

A :class:`LocalStore`, :class:`MemoryStore` or :class:`ZipStore` runs in the library. Any other
store, also one that a script defines, is reached through its own coroutines.
"""

import sys
import warnings
from types import ModuleType
from typing import Any

from ..errors import ZarrDeprecationWarning
from ._common import StoreLike, StorePath, make_store, make_store_path
from ._fsspec import FsspecStore
from ._local import LocalStore
from ._logging import LoggingStore
from ._memory import GpuMemoryStore, MemoryStore
from ._obstore import ObjectStore
from ._url import UrlStore
from ._wrapper import WrapperStore
from ._zip import ZipStore

__all__ = [
    "FsspecStore",
    "GpuMemoryStore",
    "LocalStore",
    "LoggingStore",
    "MemoryStore",
    "ObjectStore",
    "StoreLike",
    "StorePath",
    "UrlStore",
    "WrapperStore",
    "ZipStore",
    "make_store",
    "make_store_path",
]


class VerboseModule(ModuleType):
    """Says where a setting went that scripts for zarr-python 2 make here."""

    def __setattr__(self, attr: str, value: Any) -> None:
        if attr == "default_compressor":
            warnings.warn(
                "zarr.storage.default_compressor has no effect; set the compressor of arrays "
                "with zarr.config, below array.v2_default_compressor",
                ZarrDeprecationWarning,
                stacklevel=2,
            )
        else:
            super().__setattr__(attr, value)


sys.modules[__name__].__class__ = VerboseModule
