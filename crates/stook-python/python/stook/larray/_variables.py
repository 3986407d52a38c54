"""The arrays among the variables of a program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from stook.larray._array import Array
from stook.larray._session import Session


def arrays(depth: int = 0, include_private: bool = False, meta: Any = None) -> Session:
    """The arrays among the local and global variables of the caller."""
    frame = sys._getframe(depth + 1)
    return _arrays_of({**frame.f_globals, **frame.f_locals}, include_private, meta)


def local_arrays(depth: int = 0, include_private: bool = False, meta: Any = None) -> Session:
    """The arrays among the local variables of the caller."""
    return _arrays_of(sys._getframe(depth + 1).f_locals, include_private, meta)


def global_arrays(depth: int = 0, include_private: bool = False, meta: Any = None) -> Session:
    """The arrays among the global variables of the caller."""
    return _arrays_of(sys._getframe(depth + 1).f_globals, include_private, meta)


def _arrays_of(variables: Mapping[str, Any], include_private: bool, meta: Any) -> Session:
    return Session([(key, variables[key]) for key in sorted(variables)
                    if isinstance(variables[key], Array) and (include_private or not key.startswith("_"))], meta=meta)
