"""Bringing files in order."""

from __future__ import annotations

import os
from typing import Any

from ._connection import LoomConnection

Path = str | os.PathLike[str]


def repair(filename: Path) -> list[str]:
    """Brings what departs from the specification into the form that it asks for, and tells what
    was done; see :meth:`LoomConnection.repair`."""
    with _opened(filename) as ds:
        return ds.repair()


def compact(filename: Path) -> None:
    """Writes a file anew, without the room of what was removed."""
    with _opened(filename) as ds:
        ds.compact()


def _opened(filename: Path) -> Any:
    return LoomConnection(filename, "r+")
