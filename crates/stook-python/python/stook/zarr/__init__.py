"""The Zarr API over stook's engine: what zarr-python 3 has, under the same names.

``import stook.zarr as zarr`` in place of ``import zarr``; :mod:`stook.compat` lends the name to
scripts that cannot be changed. docs/deviations.md has what differs on purpose.
"""

from __future__ import annotations

import logging
from typing import Literal

from .api.synchronous import (
    array,
    consolidate_metadata,
    copy,
    copy_all,
    copy_store,
    create,
    create_array,
    create_group,
    create_hierarchy,
    empty,
    empty_like,
    from_array,
    full,
    full_like,
    group,
    load,
    ones,
    ones_like,
    open,
    open_array,
    open_consolidated,
    open_group,
    open_like,
    save,
    save_array,
    save_group,
    tree,
    zeros,
    zeros_like,
)
from .core.array import Array, AsyncArray
from .core.config import config
from .core.group import AsyncGroup, Group

__all__ = [
    "Array",
    "AsyncArray",
    "AsyncGroup",
    "Group",
    "__version__",
    "array",
    "config",
    "consolidate_metadata",
    "copy",
    "copy_all",
    "copy_store",
    "create",
    "create_array",
    "create_group",
    "create_hierarchy",
    "empty",
    "empty_like",
    "from_array",
    "full",
    "full_like",
    "group",
    "load",
    "ones",
    "ones_like",
    "open",
    "open_array",
    "open_consolidated",
    "open_group",
    "open_like",
    "print_debug_info",
    "save",
    "save_array",
    "save_group",
    "tree",
    "zeros",
    "zeros_like",
]

#: The release of zarr-python whose API this is: scripts and libraries ask for it.
__version__ = "3.1.6"

_logger = logging.getLogger(__name__)


def print_debug_info() -> None:
    """Prints which versions are at work, for a report of a fault."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    print(f"platform: {platform.platform()}")
    print(f"python: {platform.python_version()}")
    print(f"zarr: {__version__} (stook)")
    for package in ("stook", "numpy", "numcodecs", "fsspec", "obstore"):
        try:
            print(f"{package}: {version(package)}")
        except PackageNotFoundError:
            print(f"{package}: not installed")


_handlers: list[logging.Handler] = []


def _handler() -> logging.Handler:
    if not _handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        _logger.addHandler(handler)
        _handlers.append(handler)
    return _handlers[0]


def set_log_level(
    level: Literal["NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
) -> None:
    """Sets from which level on messages are shown."""
    _logger.setLevel(level)
    _handler().setLevel(level)


def set_format(log_format: str) -> None:
    """Sets the form of messages, as :class:`logging.Formatter` has it."""
    _handler().setFormatter(logging.Formatter(fmt=log_format))
