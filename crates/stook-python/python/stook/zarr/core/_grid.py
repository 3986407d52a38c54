"""Places in a grid of chunks, and the lengths of the chunks along an axis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["grid_places", "lengths_of"]


def grid_places(
    grid_shape: tuple[int, ...],
    origin: Sequence[int] | None = None,
    selection_shape: Sequence[int] | None = None,
) -> Iterator[tuple[int, ...]]:
    """The places of a grid, or of a part of it, in C order.

    Raises
    ------
    IndexError
        If the part is not within the grid.
    """
    start = (0,) * len(grid_shape) if origin is None else tuple(origin)
    if len(start) != len(grid_shape):
        raise ValueError(
            "Shape and origin parameters must have the same length. "
            f"Got {len(grid_shape)} elements in shape, but {len(start)} elements in origin."
        )
    counts = selection_shape
    if counts is None:
        counts = [n - first for n, first in zip(grid_shape, start, strict=True)]
    axes = []
    for axis, (first, n, count) in enumerate(zip(start, grid_shape, counts, strict=True)):
        if first + count > n:
            raise IndexError(
                f"Invalid selection shape ({count}) for origin ({first}) "
                f"and grid shape ({n}) at axis {axis}."
            )
        axes.append(range(first, first + count))
    return itertools.product(*axes)


def lengths_of(length: int, edge: Any) -> tuple[int, ...]:
    """The lengths of the chunks of an axis, the last one cut at the end."""
    if isinstance(edge, int):
        whole, rest = divmod(length, edge) if edge else (0, 0)
        return (edge,) * whole + ((rest,) if rest else ())
    ends = [min(end, length) for end in edge]
    return tuple(b - a for a, b in zip(ends, ends[1:], strict=False) if b > a)
