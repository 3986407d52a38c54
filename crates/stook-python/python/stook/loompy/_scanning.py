"""Going through a file in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from ._selecting import positions
from .layer_manager import LayerManager
from .loom_layer import MemoryLoomLayer
from .loom_view import LoomView


def scan(
    ds: Any,
    items: Any,
    axis: int | None,
    layers: Any,
    key: str | None,
    batch_size: int,
    what: Iterable[str],
) -> Iterator[tuple[int, np.ndarray, LoomView]]:
    """``LoomConnection.scan``, its arguments checked at once."""
    what = list(what)
    if "layers" not in what:
        raise InvalidInputError(
            "Layers must be included in 'what' parameter (but you can select specific layers"
            " using 'layers')"
        )
    if axis is None:
        raise InvalidInputError("Axis must be given (0 = rows, 1 = cols)")
    if axis not in (0, 1):
        raise InvalidInputError("axis must be 0 or 1")
    if batch_size < 1:
        raise InvalidInputError(f"a batch has at least one item, not {batch_size}")
    names = ds.layers.keys() if layers is None else [layers] if isinstance(layers, str) else layers
    across: Any = slice(None)
    if key is not None:
        across = np.argsort((ds.ra, ds.ca)[1 - axis][key], kind="stable")
    return _scanned(ds, _batches(items, ds.shape[axis], batch_size), axis, list(names), across, what)


def _batches(items: Any, length: int, size: int) -> Iterator[tuple[int, Any]]:
    """Where each batch begins, and what it selects: a slice, or positions.

    Items in rising order are cut where the axis is, so that each part of it is read once; others
    are counted off in their order.
    """
    if isinstance(items, int):
        items = np.arange(items, length)
    if items is None:
        for start in range(0, length, size):
            yield start, slice(start, min(start + size, length))
        return
    chosen = positions(items, length)
    if (np.diff(chosen) < 0).any():
        for start in range(0, len(chosen), size):
            yield start, chosen[start : start + size]
        return
    for start in range(0, length, size):
        low, high = np.searchsorted(chosen, (start, start + size))
        if low < high:
            part = chosen[low:high]
            end = min(start + size, length)
            is_all = len(part) == end - start and (part == np.arange(start, end)).all()
            yield start, slice(start, end) if is_all else part


def _scanned(
    ds: Any, batches: Any, axis: int, names: list[str], across: Any, what: list[str]
) -> Iterator[tuple[int, np.ndarray, LoomView]]:
    layers = {name: ds.layers[name] for name in names}
    # The other axis is the same in all batches.
    fixed = _Axis(ds, 1 - axis, across, what)
    batches = list(batches)
    read = _reader(ds, layers, axis, batches, across)
    for start, along in batches:
        found = LayerManager(None)
        for name, matrix in zip(layers, read(along), strict=True):
            found[name] = MemoryLoomLayer(name, matrix)
        moving = _Axis(ds, axis, along, what)
        rows, columns = (moving, fixed) if axis == 0 else (fixed, moving)
        view = LoomView(
            found, rows.attributes, columns.attributes, rows.graphs, columns.graphs,
            filename=ds.filename, file_attrs=ds.attrs,
        )  # fmt: skip
        indexes = np.arange(along.start, along.stop) if isinstance(along, slice) else along
        yield start, indexes, view


def _reader(
    ds: Any, layers: dict[str, Any], axis: int, batches: list[tuple[int, Any]], across: Any
) -> Callable[[Any], list[np.ndarray]]:
    """What gives the matrices of one batch after the other."""

    def read(along: Any) -> list[np.ndarray]:
        index = (along, across) if axis == 0 else (across, along)
        return [layer[index] for layer in layers.values()]

    if ds.mode != "r" or not layers or not batches:
        # Who may change the file sees in each batch what is there by then.
        return read
    parts = [along for _, along in batches]
    lengths = [len(range(p.start, p.stop) if isinstance(p, slice) else p) for p in parts]
    items = None
    if any(isinstance(part, np.ndarray) for part in parts) or sum(lengths) < ds.shape[axis]:
        items = np.concatenate([np.arange(ds.shape[axis])[part] for part in parts])
    scan = ds._native.scan(
        list(layers), axis, (items, np.cumsum(lengths), None if isinstance(across, slice) else across)
    )

    def read_ahead(_: Any) -> list[np.ndarray]:
        ds._native  # noqa: B018 (an error where it is closed)
        found = zip(scan.next(), layers.values(), strict=True)
        return [matrix.astype(layer.dtype, copy=False) for matrix, layer in found]

    return read_ahead


class _Axis:
    """What a view has of an axis."""

    def __init__(self, ds: Any, axis: int, where: Any, what: list[str]) -> None:
        attributes, graphs = ("row_attrs", "col_attrs")[axis], ("row_graphs", "col_graphs")[axis]
        self.attributes = (ds.ra, ds.ca)[axis][where] if attributes in what else {}
        self.graphs = (ds.row_graphs, ds.col_graphs)[axis][where] if graphs in what else None


def batch_scan(
    ds: Any, cells: Any, genes: Any, axis: int, batch_size: int, layers: list[str]
) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
    """The old form of scans: items of both axes, and layers as arrays."""
    rows = slice(None) if genes is None else positions(genes, ds.shape[0])
    columns = slice(None) if cells is None else positions(cells, ds.shape[1])
    along, across = (rows, columns) if axis == 0 else (columns, rows)
    items = None if isinstance(along, slice) else along
    for start, part in _batches(items, ds.shape[axis], batch_size):
        index = (part, across) if axis == 0 else (across, part)
        indexes = np.arange(part.start, part.stop) if isinstance(part, slice) else part
        yield start, indexes, {name: ds.layers[name][index] for name in layers}
