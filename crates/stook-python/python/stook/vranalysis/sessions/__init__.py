"""Sessions: their base class, recipes, and a session in a plain tree of folders."""

from __future__ import annotations

from .base import LoadingRecipe, SessionData
from .plain import Session

__all__ = ["LoadingRecipe", "Session", "SessionData"]
