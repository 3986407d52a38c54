"""How an array is cut into chunks, and guesses where nobody says."""

from __future__ import annotations

import itertools
import math
import numbers
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..abc.metadata import Metadata
from ..errors import ZarrUserWarning
from .common import ceildiv, parse_named_configuration, parse_shapelike, product
from .config import config
from .rectilinear import (
    chunk_edge,
    compress_edges,
    expand_edges,
    is_edges,
    normalize_edges,
    require_inline,
)

__all__ = [
    "ChunkGrid",
    "RectilinearChunkGrid",
    "RectilinearChunksDisabledError",
    "RegularChunkGrid",
    "chunk_grid_of",
    "normalize_chunks",
]

# The size that inner chunks of shards are guessed to have at most.
SHARDED_INNER_CHUNK_MAX_BYTES = 1 << 20


class RectilinearChunksDisabledError(ValueError):
    """Chunks of different sizes were asked for, which the configuration does not allow."""


@dataclass(frozen=True)
class ChunkGrid(Metadata):
    """A way to cut an array into chunks."""

    @classmethod
    def from_dict(cls, data: Any) -> ChunkGrid:
        """The grid that an object of a version 3 document describes, or the grid itself."""
        if isinstance(data, ChunkGrid):
            return data
        name, _ = parse_named_configuration(data)
        if name == "regular":
            return RegularChunkGrid._from_dict(data)
        if name == "rectilinear":
            return RectilinearChunkGrid._from_dict(data)
        raise ValueError(f"Unknown chunk grid. Got {name}.")

    @property
    @abstractmethod
    def ndim(self) -> int:
        """The number of axes."""

    @abstractmethod
    def grid_shape(self, array_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The number of chunks along each axis of an array."""

    def all_chunk_coords(self, array_shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The indices of all chunks."""
        return itertools.product(*map(range, self.grid_shape(array_shape)))

    def get_nchunks(self, array_shape: tuple[int, ...]) -> int:
        """The number of chunks."""
        return product(self.grid_shape(array_shape))


@dataclass(frozen=True)
class RegularChunkGrid(ChunkGrid):
    """Chunks that all have one shape."""

    chunk_shape: tuple[int, ...]

    def __init__(self, *, chunk_shape: Any) -> None:
        object.__setattr__(self, "chunk_shape", parse_shapelike(chunk_shape))

    @classmethod
    def _from_dict(cls, data: Any) -> Self:
        _, configuration = parse_named_configuration(data, "regular")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": "regular", "configuration": {"chunk_shape": tuple(self.chunk_shape)}}

    @property
    def ndim(self) -> int:
        return len(self.chunk_shape)

    def grid_shape(self, array_shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(itertools.starmap(ceildiv, zip(array_shape, self.chunk_shape, strict=True)))


@dataclass(frozen=True)
class RectilinearChunkGrid(ChunkGrid):
    """Chunks with edges of their own along some axes.

    Parameters
    ----------
    chunk_shapes
        For each axis one edge for all chunks, or the edges of all chunks.
    """

    chunk_shapes: tuple[int | tuple[int, ...], ...]

    def __init__(self, *, chunk_shapes: Sequence[int | Sequence[int]]) -> None:
        parsed: list[int | tuple[int, ...]] = []
        for axis, edges in enumerate(chunk_shapes):
            if not is_edges(edges):
                parsed.append(chunk_edge(edges, axis))
                continue
            if len(edges) == 0:
                raise ValueError(f"Dimension {axis} has no chunk edges.")
            parsed.append(tuple(chunk_edge(edge, axis) for edge in edges))
        object.__setattr__(self, "chunk_shapes", tuple(parsed))

    @classmethod
    def _from_dict(cls, data: Any) -> Self:
        _, found = parse_named_configuration(data, "rectilinear")
        configuration = found or {}
        require_inline(configuration.get("kind"))
        return cls(
            chunk_shapes=[
                expand_edges(edges, axis) if is_edges(edges) else edges
                for axis, edges in enumerate(configuration["chunk_shapes"])
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document; runs of equal edges are counted, not repeated."""
        shapes = tuple(
            edges if isinstance(edges, int) else compress_edges(edges)
            for edges in self.chunk_shapes
        )
        return {
            "name": "rectilinear",
            "configuration": {"kind": "inline", "chunk_shapes": shapes},
        }

    @property
    def ndim(self) -> int:
        return len(self.chunk_shapes)

    def grid_shape(self, array_shape: tuple[int, ...]) -> tuple[int, ...]:
        counts = []
        for extent, edges in zip(array_shape, self.chunk_shapes, strict=True):
            if isinstance(edges, int):
                counts.append(ceildiv(extent, edges))
            else:
                starts = itertools.accumulate(edges[:-1], initial=0)
                counts.append(sum(start < extent for start in starts))
        return tuple(counts)

    def update_shape(self, new_shape: tuple[int, ...]) -> RectilinearChunkGrid:
        """The grid of the array with another shape: what is new is one more chunk."""
        shapes: list[int | tuple[int, ...]] = []
        for extent, edges in zip(new_shape, self.chunk_shapes, strict=True):
            if isinstance(edges, int) or extent <= sum(edges):
                shapes.append(edges)
            else:
                shapes.append((*edges, extent - sum(edges)))
        return RectilinearChunkGrid(chunk_shapes=shapes)

    def check_covers(self, shape: tuple[int, ...]) -> None:
        """ValueError unless the edges reach to the end of an array."""
        for axis, (edges, extent) in enumerate(zip(self.chunk_shapes, shape, strict=True)):
            if not isinstance(edges, int) and sum(edges) < extent:
                raise ValueError(
                    f"Rectilinear chunk edges for dimension {axis} sum to {sum(edges)} "
                    f"but array shape extent is {extent} (edge sum must be >= extent)"
                )


def check_storable(grid: ChunkGrid) -> None:
    """RectilinearChunksDisabledError if arrays with such a grid are not to be made."""
    if isinstance(grid, RectilinearChunkGrid) and not config.get("array.rectilinear_chunks", False):
        raise RectilinearChunksDisabledError(
            "Rectilinear chunk grids are experimental and disabled by default. "
            "Enable them with: zarr.config.set({'array.rectilinear_chunks': True}) "
            "or set the environment variable ZARR_ARRAY__RECTILINEAR_CHUNKS=True"
        )


def chunk_grid_of(
    chunks: Any, shape: tuple[int, ...], unit: tuple[int, ...] | None = None
) -> ChunkGrid:
    """The grid that an argument ``chunks`` or ``shards`` means for an array.

    Parameters
    ----------
    chunks
        A grid; an edge for all axes; for each axis an edge, the edges of all chunks, or ``-1``
        or None for the whole axis; False for one chunk.
    unit
        What a whole axis is rounded up to a multiple of: the chunks that shards are made of.
    """
    if isinstance(chunks, ChunkGrid):
        return chunks
    if chunks is False:
        chunks = -1
    if isinstance(chunks, numbers.Integral):
        if chunks == 0 or chunks < -1:
            raise ValueError(f"Chunk size must be positive or -1, got {chunks}")
        chunks = (int(chunks),) * len(shape)
    try:
        edges = list(chunks)
    except TypeError:
        return RegularChunkGrid(chunk_shape=chunks)
    if len(edges) != len(shape):
        if any(is_edges(edge) for edge in edges):
            raise ValueError(
                f"chunks has {len(edges)} dimensions but shape has {len(shape)} dimensions"
            )
        return RegularChunkGrid(chunk_shape=chunks)
    if not any(is_edges(edge) for edge in edges):
        if not any(edge is None or _is_minus_one(edge) for edge in edges):
            return RegularChunkGrid(chunk_shape=chunks)
        return RegularChunkGrid(
            chunk_shape=tuple(
                whole if edge is None or _is_minus_one(edge) else edge
                for edge, whole in zip(edges, _whole_axes(shape, unit), strict=True)
            )
        )
    return RectilinearChunkGrid(
        chunk_shapes=[
            normalize_edges(edge, extent, whole)
            for edge, extent, whole in zip(edges, shape, _whole_axes(shape, unit), strict=True)
        ]
    )


def _whole_axes(shape: tuple[int, ...], unit: tuple[int, ...] | None) -> tuple[int, ...]:
    """The edges of a chunk that is as large as an array."""
    units = unit if unit is not None and len(unit) == len(shape) else (1,) * len(shape)
    return tuple(
        max(1, each) * max(1, ceildiv(extent, max(1, each)))
        for extent, each in zip(shape, units, strict=True)
    )


def _is_minus_one(edge: Any) -> bool:
    return isinstance(edge, numbers.Integral) and int(edge) == -1


def _guess_chunks(
    shape: tuple[int, ...] | int,
    typesize: int,
    *,
    increment_bytes: int = 256 * 1024,
    min_bytes: int = 128 * 1024,
    max_bytes: int = 64 * 1024 * 1024,
) -> tuple[int, ...]:
    """Chunks of a size between the limits that grows with the array, after h5py.

    Axes are halved in turn, from the first one, until a chunk is about as large as it should be.
    """
    if min_bytes >= max_bytes:
        raise ValueError(f"Cannot have more min_bytes ({min_bytes}) than max_bytes ({max_bytes})")
    extents = (shape,) if isinstance(shape, int) else shape
    if typesize == 0:
        return extents
    # Floats, as in the original: guesses must come out the same.
    edges = [float(max(extent, 1)) for extent in extents]
    size = float(np.prod(edges)) * typesize
    target = increment_bytes * (2 ** float(np.log10(size / (1024.0 * 1024))))
    target = max(min(target, max_bytes), min_bytes)
    for axis in itertools.count():
        n_elements = float(np.prod(edges))
        size = n_elements * typesize
        is_near = size < target or abs(size - target) / target < 0.5
        if (is_near and size < max_bytes) or n_elements == 1:
            break
        edges[axis % len(edges)] = float(math.ceil(edges[axis % len(edges)] / 2.0))
    return tuple(int(edge) for edge in edges)


def normalize_chunks(chunks: Any, shape: tuple[int, ...], typesize: int) -> tuple[int, ...]:
    """The chunk shape that an argument ``chunks`` of ``zarr.create`` means.

    Raises
    ------
    ValueError
        If there are more edges than axes, or chunks of one axis differ.
    TypeError
        If an edge is no integer.
    """
    if chunks is None or chunks is True:
        return _guess_chunks(shape, typesize)
    if chunks is False:
        return shape
    if isinstance(chunks, numbers.Integral):
        chunks = tuple(int(chunks) for _ in shape)
    if all(isinstance(edges, tuple | list) for edges in chunks):
        chunks = tuple(_uniform_edge(axis, edges) for axis, edges in enumerate(chunks))
    if len(chunks) > len(shape):
        raise ValueError("too many dimensions in chunks")
    edges = [*chunks, *shape[len(chunks) :]]
    edges = [
        extent if edge is None or edge == -1 else edge
        for edge, extent in zip(edges, shape, strict=True)
    ]
    if not all(isinstance(edge, numbers.Integral) for edge in edges):
        raise TypeError("non integer value in chunks")
    return tuple(int(edge) for edge in edges)


def _uniform_edge(axis: int, edges: Sequence[Any]) -> Any:
    """The edge of all chunks along an axis, of which the last may be shorter."""
    if any(a != b for a, b in itertools.pairwise(edges[:-1])) or (
        len(edges) > 1 and edges[-1] > edges[0]
    ):
        raise ValueError(
            f"Irregular chunk sizes in dimension {axis}: {tuple(edges)}. "
            "Only uniform chunks (with an optional smaller final chunk) are supported."
        )
    return edges[0]


def _guess_num_chunks_per_axis_shard(
    chunk_shape: tuple[int, ...], item_size: int, max_bytes: int, array_shape: tuple[int, ...]
) -> int:
    """How many chunks a shard has along each axis, so that it is neither larger than
    ``max_bytes`` nor than the array."""
    chunk_bytes = product(chunk_shape) * item_size
    if max_bytes < chunk_bytes or chunk_bytes == 0 or not chunk_shape:
        return 1
    count = 1
    while chunk_bytes * (count + 1) ** len(chunk_shape) <= max_bytes and all(
        edge * (count + 1) <= extent for edge, extent in zip(chunk_shape, array_shape, strict=True)
    ):
        count += 1
    return count


def _auto_shards(
    array_shape: tuple[int, ...], chunk_shape: tuple[int, ...], item_size: int
) -> tuple[int, ...]:
    """The shard shape where nobody says."""
    warnings.warn(
        "Automatic shard shape inference is experimental and may change without notice.",
        ZarrUserWarning,
        stacklevel=3,
    )
    target = config.get("array.target_shard_size_bytes", None)
    if target is None:
        return tuple(
            edge * 2 if extent // edge > 8 else edge
            for extent, edge in zip(array_shape, chunk_shape, strict=True)
        )
    count = _guess_num_chunks_per_axis_shard(chunk_shape, item_size, target, array_shape)
    return tuple(edge * count for edge in chunk_shape)


def _auto_partition(
    *, array_shape: tuple[int, ...], chunk_shape: Any, shard_shape: Any, item_size: int
) -> tuple[Any, Any]:
    """Shards and chunks, guessed where they are "auto"."""
    if isinstance(chunk_shape, str) and chunk_shape == "auto":
        if shard_shape is None:
            chunk_shape = _guess_chunks(array_shape, item_size)
        else:
            chunk_shape = _guess_chunks(
                array_shape, item_size, max_bytes=SHARDED_INNER_CHUNK_MAX_BYTES
            )
    if isinstance(shard_shape, str) and shard_shape == "auto":
        shard_shape = _auto_shards(array_shape, chunk_shape, item_size)
    elif isinstance(shard_shape, dict):
        shard_shape = tuple(shard_shape["shape"])
    return shard_shape, chunk_shape
