"""Warnings that tell the line of the program, however deep in this package they arise."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np


def warn(text: str, category: type[Warning] = FutureWarning) -> None:
    """Warns about the line that called this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("stook.larray"):
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)


def _told(kind: str, flag: int) -> None:
    if kind == "invalid value":
        warn("invalid value (NaN) encountered during operation (this is typically caused by a 0 / 0)", RuntimeWarning)
    else:
        warn(f"{kind} encountered during operation", RuntimeWarning)


def told() -> Any:
    """A block in which what numpy finds in numbers is a warning about the line of the program."""
    return np.errstate(divide="call", over="call", invalid="call", call=_told)
