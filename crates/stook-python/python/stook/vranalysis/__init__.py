"""Experiment sessions: :mod:`stook.vranalysis.sessions.base` has the names, signatures and behaviour of
``vrAnalysis.sessions.base``, over the same files.

Arrays are mapped and not copied, pickles are data that runs nothing, saves replace files whole, and the
cache gives what is in the files. :class:`Session` is a session in a plain tree of folders, and
:class:`Catalogue` tells which sessions a tree has.

``python -m stook.compat vranalysis -- script.py`` puts it in the place of that module, for a program
that uses ``vrAnalysis``; :func:`stook.compat.install` does so in a process that runs already.
"""

from __future__ import annotations

from . import sessions
from ._cache import OneCache
from ._catalogue import Catalogue, DatasetRecord, IndexReport, SessionRecord
from ._dates import PrettyDatetime
from ._transforms import idx_column1, transpose
from .sessions import LoadingRecipe, Session, SessionData

__all__ = [
    "Catalogue",
    "DatasetRecord",
    "IndexReport",
    "LoadingRecipe",
    "OneCache",
    "PrettyDatetime",
    "Session",
    "SessionData",
    "SessionRecord",
    "idx_column1",
    "sessions",
    "transpose",
]
