"""What an index means to h5py: stricter than numpy, checked with its words."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import InvalidInputError, SelectionError


class MultiBlockSlice:
    """A selection of blocks along an axis: ``count`` blocks of ``block`` items, a ``stride``
    apart."""

    def __init__(
        self, start: int = 0, stride: int = 1, count: int | None = None, block: int = 1
    ) -> None:
        if start < 0:
            raise ValueError("Start can't be negative")
        if stride < 1 or (count is not None and count < 1) or block < 1:
            raise ValueError("Stride, count and block can't be 0 or negative")
        if block > stride:
            raise ValueError("Blocks will overlap if block > stride")
        self.start, self.stride, self.count, self.block = start, stride, count, block

    def indices(self, length: int) -> tuple[int, int, int, int]:
        """Start, stride, count and block on an axis of this length."""
        count = self.count
        if count is None:
            count = (length - self.start - self.block) // self.stride + 1
            if count < 1:
                raise ValueError("No full blocks can be selected on an axis of this length")
        end = self.start + (count - 1) * self.stride + self.block
        if end > length:
            span = f"({self.start}-{end - 1})"
            raise ValueError(f"{self!r} range {span} extends beyond maximum index")
        return self.start, self.stride, count, self.block

    def __repr__(self) -> str:
        return (
            f"MultiBlockSlice(start={self.start}, stride={self.stride}, "
            f"count={self.count}, block={self.block})"
        )


@dataclass(frozen=True, slots=True)
class Selected:
    """A selection of the library, and the shape that h5py gives it."""

    kind: Any
    parts: tuple[Any, ...]
    #: Of what is read or written.
    shape: tuple[int, ...]
    #: The length along each axis of the dataset, 1 for integers, and which were integers.
    counts: tuple[int, ...] = ()
    dropped: tuple[bool, ...] = ()
    #: Whether lists, masks or points take part: then nothing is broadcast.
    is_fancy: bool = False

    def expand(self, source: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that values of shape ``source`` have before they are broadcast.

        Raises
        ------
        TypeError
            If they do not fit.
        """
        if self.kind == "mask":
            if math.prod(source) != self.shape[0]:
                raise TypeError("Broadcasting is not supported for point-wise selections")
            return self.shape
        if self.is_fancy:
            if source != self.shape:
                raise TypeError("Broadcasting is not supported for complex selections")
            return source
        if not self.counts:
            if math.prod(source) != 1:
                raise TypeError(f"Can't broadcast {source} to scalar")
            return ()
        remaining, expanded = list(source), []
        for count, is_dropped in zip(reversed(self.counts), reversed(self.dropped), strict=True):
            if is_dropped:
                continue
            length = remaining.pop() if remaining else 1
            if length not in (1, count):
                raise TypeError(f"Can't broadcast {source} -> {self.shape}")
            expanded.append(length)
        if any(length > 1 for length in remaining):
            raise TypeError(f"Can't broadcast {source} -> {self.shape}")
        return tuple(reversed(expanded))


def select(shape: tuple[int, ...], args: tuple[Any, ...]) -> Selected:
    """The selection that ``dataset[args]`` means, of a dataset that has axes.

    Raises
    ------
    IndexError
        If an index is out of range.
    ValueError, TypeError
        If it is no selection.
    """
    if len(args) == 1 and isinstance(args[0], np.ndarray) and args[0].dtype.kind == "b":
        mask = args[0]
        if mask.shape == shape:
            flat = np.ascontiguousarray(mask).reshape(-1)
            return Selected("mask", (flat,), (int(flat.sum()),), is_fancy=True)
        if mask.shape != shape[:1]:
            raise TypeError("Boolean indexing array has incompatible shape")
    entries = _expanded(args, len(shape))
    parts: list[Any] = []
    counts: list[int] = []
    dropped: list[bool] = []
    is_fancy = False
    for entry, length in zip(entries, shape, strict=True):
        if type(entry) is slice:
            part, count = _slice(entry, length)
            drops = False
        else:
            part, count, drops = _part(entry, length)
        if isinstance(part, np.ndarray):
            if is_fancy and not isinstance(entry, MultiBlockSlice):
                raise TypeError(
                    "Only one indexing vector or array is currently allowed for fancy indexing"
                )
            is_fancy = is_fancy or not isinstance(entry, MultiBlockSlice)
        parts.append(part)
        counts.append(count)
        dropped.append(drops)
    kept = tuple(n for n, drops in zip(counts, dropped, strict=True) if not drops)
    return Selected("axes", tuple(parts), kept, tuple(counts), tuple(dropped), is_fancy)


def _expanded(args: tuple[Any, ...], ndim: int) -> list[Any]:
    at, n = None, 0
    for i, arg in enumerate(args):
        if arg is Ellipsis:
            if at is not None:
                raise ValueError("Only one ellipsis may be used.")
            at = i
        else:
            n += 1
    if n > ndim:
        raise InvalidInputError(f"{n} indexing arguments for {ndim} dimensions")
    filling = [slice(None)] * (ndim - n)
    if at is None:
        return [*args, *filling]
    return [*args[:at], *filling, *args[at + 1 :]]


def _slice(entry: slice, length: int) -> tuple[slice, int]:
    start, stop, step = entry.indices(length)
    if step < 1:
        raise ValueError(f"Step must be >= 1 (got {step})")
    count = max(0, -(-(stop - start) // step))
    return slice(start, max(start, stop), step), count


def _part(entry: Any, length: int) -> tuple[Any, int, bool]:
    """An entry for the library, how many it selects, and whether its axis goes."""
    if not isinstance(entry, (list, tuple, np.ndarray)) or (
        isinstance(entry, np.ndarray) and entry.ndim == 0 and entry.dtype.kind in "iu"
    ):
        try:
            at = operator.index(entry)
        except TypeError:
            pass
        else:
            return _index(at, length), 1, True
        if isinstance(entry, MultiBlockSlice):
            return _blocks(entry, length)
        if not hasattr(entry, "__array__") and not hasattr(entry, "__iter__"):
            raise TypeError(f"Selection can't process {entry!r}")
        if isinstance(entry, (dict, set)):
            raise TypeError(f"Selection can't process {entry!r}")
    return _list(entry, length)


def _index(at: int, length: int) -> int:
    found = at + length if at < 0 else at
    if not 0 <= found < length:
        if length == 0:
            raise SelectionError(f"Index ({found}) out of range for empty dimension")
        raise SelectionError(f"Index ({found}) out of range for (0-{length - 1})")
    return found


def _blocks(entry: MultiBlockSlice, length: int) -> tuple[Any, int, bool]:
    start, stride, count, block = entry.indices(length)
    found = (start + stride * np.arange(count)[:, None] + np.arange(block)).reshape(-1)
    return found.astype(np.int64), len(found), False


def _list(entry: Any, length: int) -> tuple[NDArray[Any], int, bool]:
    try:
        array = np.asarray(entry)
    except ValueError:
        raise TypeError("Indexing arrays must have integer dtypes") from None
    if array.dtype.kind == "b":
        if array.shape != (length,):
            raise TypeError("boolean index did not match indexed array")
        found = array.nonzero()[0]
        return found.astype(np.int64), len(found), False
    if array.size == 0:
        return np.empty(0, np.int64), 0, False
    if array.dtype.kind not in "iu":
        raise TypeError("Indexing arrays must have integer dtypes")
    if array.ndim != 1:
        raise TypeError("Only 1D arrays allowed for fancy indexing")
    found = array.astype(np.int64)
    found = np.where(found < 0, found + length, found)
    if len(found) > 1 and (np.diff(found) <= 0).any():
        raise TypeError("Indexing elements must be in increasing order")
    if found[0] < 0 or found[-1] >= length:
        raise SelectionError(f"Fancy indexing out of range for (0-{length - 1})")
    return found, len(found), False


def region_words(selected: Selected, shape: tuple[int, ...]) -> str:
    """A selection in the words that references to regions have in the library."""
    if selected.kind == "mask":
        points = np.argwhere(selected.parts[0].reshape(shape))
        return "; ".join(", ".join(map(str, point)) for point in points.tolist())
    axes: list[list[str]] = []
    for part, length in zip(selected.parts, shape, strict=True):
        if isinstance(part, slice):
            start, stop, step = part.indices(length)
            axes.append([f"{start}:{stop}" + (f":{step}" if step != 1 else "")])
        elif isinstance(part, np.ndarray):
            axes.append([str(at) for at in part.tolist()])
        else:
            axes.append([str(part)])
    boxes: list[list[str]] = [[]]
    for words in axes:
        boxes = [[*box, word] for box in boxes for word in words]
    return "; ".join(", ".join(box) for box in boxes)


def region_mask(region: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """The shape of a region in words, and the mask of it. A region that is no grid of positions
    has one axis."""
    mask = np.zeros(shape, np.bool_)
    boxes = [box for box in region.split("; ") if box]
    if region == "...":
        boxes, mask[...] = [], True
    for box in boxes:
        mask[tuple(_axis(words) for words in box.split(", "))] = True
    n = int(mask.sum())
    axes = range(mask.ndim)
    grid = tuple(
        int(mask.any(axis=tuple(other for other in axes if other != axis)).sum()) for axis in axes
    )
    return (grid if math.prod(grid) == n else (n,)), mask


def _axis(words: str) -> slice:
    numbers = [int(word) for word in words.split(":")]
    if len(numbers) == 1:
        return slice(numbers[0], numbers[0] + 1)
    return slice(*numbers)
