"""How an array lies: its chunks, its memory, what to say of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidInputError, SelectionError, UnsupportedError

if TYPE_CHECKING:
    from ._array import Array

#: About so many bytes are a piece of items that are in no chunks.
_PIECE_LEN_BYTES = 1 << 20


def memory_of(out: Any) -> NDArray[Any]:
    """The memory of an object as an array, never a copy."""
    if isinstance(out, np.ndarray):
        return out
    try:
        return np.asarray(memoryview(out))
    except (TypeError, ValueError, BufferError):
        kind = type(out).__name__
        raise InvalidInputError(
            f"out: expected an array or a buffer, found {kind}",
            hint="numpy.asarray(out) shows whether its memory can be had",
        ) from None


def chunk_slices(array: Array, selection: Any) -> Iterator[tuple[slice, ...]]:
    """The slices of each chunk that a selection touches."""
    ranges = _ranges(selection, array.shape)
    axes = [
        list(_cut(range_, length, edges))
        for range_, length, edges in zip(ranges, array.shape, _edges(array), strict=True)
    ]
    return itertools.product(*axes)


def _ranges(selection: Any, shape: tuple[int, ...]) -> list[range]:
    parts = list(selection) if isinstance(selection, tuple) else [selection]
    if parts.count(Ellipsis) > 1 or len(parts) - (Ellipsis in parts) > len(shape):
        raise SelectionError(f"{selection!r} does not fit {len(shape)} axes")
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    missing = len(shape) - len(parts) + (Ellipsis in parts)
    parts[at : at + 1] = [slice(None)] * missing
    ranges = []
    for axis, (part, length) in enumerate(zip(parts, shape, strict=True)):
        if isinstance(part, slice):
            if part.step not in (None, 1):
                raise SelectionError(f"axis {axis}: expected a slice of step 1, found {part}")
            ranges.append(range(*part.indices(length)))
        elif isinstance(part, (int, np.integer)):
            if not -length <= part < length:
                raise SelectionError(f"axis {axis}: index {part} is out of bounds for {length}")
            start = int(part) % length
            ranges.append(range(start, start + 1))
        else:
            raise SelectionError(f"axis {axis}: expected an integer or a slice, found {part!r}")
    return ranges


def _edges(array: Array) -> list[list[int] | int]:
    """Along each axis the length of a chunk, or where the chunks begin."""
    chunks = array.chunks
    if chunks is None:
        return [*_piece(array.shape, array.dtype.itemsize)]
    return [
        axis if isinstance(axis, int) else list(itertools.accumulate(axis, initial=0))
        for axis in chunks
    ]


def _piece(shape: tuple[int, ...], item_size: int) -> list[int]:
    """Whole rows of about as many bytes as a piece should have."""
    room = max(_PIECE_LEN_BYTES // max(item_size, 1), 1)
    lengths = []
    for length in reversed(shape):
        lengths.append(max(min(length, room), 1))
        room = max(room // lengths[-1], 1)
    return lengths[::-1]


def _cut(range_: range, length: int, edges: list[int] | int) -> Iterator[slice]:
    if isinstance(edges, int):
        edges = list(range(range_.start // edges * edges, range_.stop + edges, edges))
    for start, stop in itertools.pairwise([*edges, max(length, edges[-1])]):
        start, stop = max(start, range_.start), min(stop, range_.stop)
        if start < stop:
            yield slice(start, stop, 1)


class Info:
    """What there is to know of an array without reading its items; printed, a table.

    >>> f = getfixture("file")
    >>> print(f.create_array("i", np.zeros((4, 6), "i2"), chunks=(2, 3), codecs=None).info)
    path        /i
    format      zarr3
    dtype       int16
    shape       (4, 6)
    chunks      (2, 3), 4 in all, 0 stored
    codecs      bytes
    fill value  0
    bytes       48, 0 stored
    """

    __slots__ = ("_array",)

    def __init__(self, array: Array) -> None:
        self._array = array

    def asdict(self) -> dict[str, Any]:
        """The same as values; ``None`` for what the format does not tell."""
        array = self._array
        return {
            "path": array.path,
            "format": array.format,
            "dtype": array.dtype,
            "shape": array.shape,
            "max_shape": array.max_shape,
            "chunks": array.chunks,
            "shards": array.shards,
            "codecs": array.codecs,
            "fill_value": array.fill_value,
            "dimension_names": array.dimension_names,
            "nbytes": array.nbytes,
            "nchunks": array.nchunks,
            "nbytes_stored": _told(array, "nbytes_stored"),
            "nchunks_initialized": _told(array, "nchunks_initialized"),
        }

    def __str__(self) -> str:
        array, known = self._array, self.asdict()
        rows: list[tuple[str, object]] = [
            ("path", array.path),
            ("format", array.format),
            ("dtype", array._native.dtype_name),
            ("shape", array.shape),
        ]
        if array.max_shape not in (None, array.shape):
            rows.append(("max shape", array.max_shape))
        if array.dimension_names is not None:
            rows.append(("dimensions", ", ".join(str(name) for name in array.dimension_names)))
        if array.chunks is not None:
            stored = _and_stored(known["nchunks_initialized"])
            rows.append(("chunks", f"{array.chunks}, {array.nchunks} in all{stored}"))
        if array.shards is not None:
            rows.append(("shards", array.shards))
        if array.codecs:
            rows.append(("codecs", " → ".join(codec["name"] for codec in array.codecs)))
        rows.append(("fill value", array.fill_value))
        rows.append(("bytes", f"{array.nbytes}{_and_stored(known['nbytes_stored'])}"))
        return "\n".join(f"{name:<12}{value}" for name, value in rows)

    def __repr__(self) -> str:
        return str(self)


def _told(array: Array, name: str) -> int | None:
    try:
        return int(getattr(array, name))
    except UnsupportedError:
        return None


def _and_stored(count: int | None) -> str:
    return "" if count is None else f", {count} stored"
