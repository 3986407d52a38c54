"""Warnings that tell the line of the program, however deep in this package they arise."""

from __future__ import annotations

import sys
import warnings


def warn(text: str, category: type[Warning] = FutureWarning) -> None:
    """Warns about the line that called this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("stook.larray"):
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)
