"""Writes of parts of what is stored as one, from several processes, to stores that do not guard them.

Folders and object stores replace a chunk (a shard, where there are any) only if it is the one that was
read: parts that several processes write are all kept. Other stores, such as those that are written in
Python, have no such step, and the last one wins. So a handle to an array there that came from another
process, which is what engines such as dask give to their workers, warns of such writes.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import ZarrUserWarning

if TYPE_CHECKING:
    from ._array_state import ArrayState
    from .indexing import Indexer

# From the method of a face down to here.
_STACK_LEVEL = 5


def warn_of_parts(array: ArrayState, indexer: Indexer) -> None:
    """Warns if a write to a store that does not guard parts does not cover all chunks or shards
    that it touches."""
    if _is_guarded(array.store):
        return
    edges = array._outer_edges()
    if indexer.kind == "axes":
        parts = indexer.parts
    else:
        parts = (None,) * array.ndim
    triples = zip(parts, array.shape, edges, strict=True)
    if all(_is_whole(part, length, edge) for part, length, edge in triples):
        return
    unit = "shard" if array.shards is not None else "chunk"
    warnings.warn(
        f"{array.store_path}: a part of a {unit} is written by a process that was given the array:"
        f" in such a store, two processes that write parts of one {unit} may undo each other's; write"
        f" regions whose edges are those in `write_chunk_sizes`, {array.write_chunk_sizes!r:.200}",
        ZarrUserWarning,
        stacklevel=_STACK_LEVEL,
    )


def _is_guarded(store: Any) -> bool:
    """Whether the store replaces a value only if nobody else did."""
    from ..storage import LocalStore
    from ..storage._url import UrlStore

    if type(store) is UrlStore:
        return not store.url.startswith(("http:", "https:"))
    return type(store) is LocalStore and os.name == "posix"


def _is_whole(part: Any, length: int, edge: Any) -> bool:
    """Whether what is selected along an axis begins and ends where something stored does."""
    if edge == 1:
        return True
    if isinstance(part, int):
        first, last = part, part + 1
    elif isinstance(part, slice):
        first, last, step = part.indices(length)
        if last <= first:
            return True
        if step != 1:
            return False
    else:
        return False
    if isinstance(edge, int):
        return first % edge == 0 and (last % edge == 0 or last >= length)
    return first in edge and (last in edge or last >= length)
