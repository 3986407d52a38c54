"""Edges of chunks that differ: as arguments, and as documents have them."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

# A document of a few bytes may ask for any number of edges.
MOST_EDGES = 1 << 24


def is_edges(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether this is a list of edges and not one edge."""
    return (
        not isinstance(value, str | bytes | numbers.Integral | None)
        and isinstance(value, Iterable)
        and hasattr(value, "__len__")
    )


def chunk_edge(value: Any, axis: int, what: str = "chunk edge length") -> int:
    """A positive integer, or an error that names the axis."""
    if not isinstance(value, int):
        raise TypeError(f"Dimension {axis}: {what} must be an int, got {value!r}")
    if value < 1:
        raise ValueError(f"Dimension {axis}: {what} must be >= 1, got {value!r}")
    return int(value)


def normalize_edges(edges: Any, extent: int, whole: int) -> int | tuple[int, ...]:
    """An edge, or edges that sum to the extent of their axis, from an argument.

    ``whole`` is the edge of a chunk that is as long as the axis.

    Raises
    ------
    ValueError
        If an edge is not positive, or the edges do not sum to the extent.
    TypeError
        If an edge is no integer.
    """
    if not is_edges(edges):
        if edges is None or int(edges) == -1:
            return whole
        if edges < 1:
            raise ValueError(f"Chunk size must be positive or -1, got {edges}")
        return int(edges)
    if len(edges) == 0:
        raise ValueError("Chunk specification must not be empty")
    wrong = [(i, e) for i, e in enumerate(edges) if not isinstance(e, numbers.Integral)]
    if wrong:
        indices, values = zip(*wrong, strict=True)
        raise TypeError(
            f"Each chunk size must be an integer; got non-integer element(s) {values!r} at "
            f"indices {indices!r}. Chunk sizes must be declared as a flat sequence of positive "
            "integers (e.g. [3, 3, 1])."
        )
    numbers_ = [int(edge) for edge in edges]
    if any(edge <= 0 for edge in numbers_):
        raise ValueError(f"All chunk sizes must be positive, got {numbers_}")
    if extent > 0 and sum(numbers_) != extent:
        raise ValueError(f"Chunk sizes {numbers_} do not sum to span {extent}")
    return tuple(numbers_)


def require_inline(kind: Any) -> None:
    """ValueError unless edges stand in the document itself."""
    if kind is None:
        raise ValueError(
            "Rectilinear chunk grid configuration requires a 'kind' field. "
            "Only 'inline' is currently supported."
        )
    if kind != "inline":
        raise ValueError(
            f"Unsupported rectilinear chunk grid kind: {kind!r}. "
            "Only 'inline' is currently supported."
        )


def expand_edges(edges: Sequence[Any], axis: int) -> list[int]:
    """All edges of a document, where ``[edge, count]`` stands for a run of equal ones."""
    expanded: list[int] = []
    for item in edges:
        if not isinstance(item, list | tuple):
            expanded.append(chunk_edge(item, axis))
            continue
        if len(item) != 2:
            raise ValueError(
                f"Dimension {axis}: RLE entries must be an integer or [size, count], got {item}"
            )
        edge, count = item
        repeat = chunk_edge(count, axis, "RLE repeat count")
        if len(expanded) + repeat > MOST_EDGES:
            raise ValueError(
                f"Dimension {axis}: expected at most {MOST_EDGES} chunk edges, "
                f"found {len(expanded) + repeat}"
            )
        expanded.extend([chunk_edge(edge, axis)] * repeat)
    return expanded


def compress_edges(edges: Sequence[int]) -> list[Any]:
    """Edges as a document has them: with runs counted, if that is shorter."""
    runs: list[Any] = []
    for edge, run in itertools.groupby(edges):
        count = len(list(run))
        runs.append([edge, count] if count > 1 else edge)
    return runs if len(runs) < len(edges) else list(edges)
