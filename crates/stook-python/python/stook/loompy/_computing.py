"""What is computed from layers: natively where a function has a name there, else by calling it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from ._selecting import positions

#: numpy's functions that have a kernel, by what the kernel is called.
_KERNELS = {
    np.mean: "mean",
    np.average: "mean",
    np.std: "std",
    np.var: "var",
    np.sum: "sum",
    np.count_nonzero: "count_nonzero",
    np.min: "min",
    np.amin: "min",
    np.max: "max",
    np.amax: "max",
}

#: Functions that stand for an aggregate with a name.
_FUNCTIONS: dict[Any, str] = {
    np.sum: "sum", sum: "sum", np.prod: "prod", np.mean: "mean", np.std: "std", np.var: "var",
    np.min: "min", np.amin: "min", min: "min", np.max: "max", np.amax: "max", max: "max",
    np.median: "median", np.any: "any", any: "any", np.all: "all", all: "all", len: "len",
    np.argmax: "argmax", np.argmin: "argmin", np.nansum: "nansum", np.nanprod: "nanprod",
    np.nanmean: "nanmean", np.nanstd: "nanstd", np.nanvar: "nanvar", np.nanmin: "nanmin",
    np.nanmax: "nanmax",
}  # fmt: skip


def map_layer(
    layer: Any,
    functions: Any,
    axis: int,
    chunksize: int,
    selection: Any,
) -> list[np.ndarray]:
    """``LoomLayer.map``."""
    if callable(functions):
        raise InvalidInputError("f_list must be a list of functions, not a function itself")
    functions = list(functions)
    if axis not in (0, 1):
        raise InvalidInputError("axis must be 0 or 1")
    if selection is not None:
        selection = positions(selection, layer.shape[1 - axis])
    kernels = [_kernel(function) for function in functions]
    names = sorted({name for name in kernels if name is not None})
    computed = {}
    if names:
        native = layer.ds._native.map(layer.name, axis, names, selection)
        computed = dict(zip(names, native, strict=True))
    others = [function for function, name in zip(functions, kernels, strict=True) if name is None]
    called = iter(_called(layer, others, axis, max(int(chunksize), 1), selection))
    return [next(called) if name is None else computed[name].copy() for name in kernels]


def _kernel(function: Any) -> str | None:
    try:
        return _KERNELS.get(function)
    except TypeError:
        return None


def _called(
    layer: Any, functions: list[Callable[[np.ndarray], Any]], axis: int, step: int, selection: Any
) -> list[np.ndarray]:
    length = layer.shape[axis]
    found = [np.zeros(length) for _ in functions]
    if not functions:
        return found
    across = slice(None) if selection is None else selection
    for start in range(0, length, step):
        along = slice(start, min(start + step, length))
        block = layer[(along, across) if axis == 0 else (across, along)]
        for values, function in zip(found, functions, strict=True):
            values[along] = np.apply_along_axis(function, 1 - axis, block)
    return found


def group_labels(labels: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels that there are, sorted, and which of them each column has.

    Raises
    ------
    InvalidInputError
        If there is not one for each column, or one is no number.
    """
    found = np.asarray(labels)
    if found.shape != (length,):
        raise InvalidInputError(f"expected {length} labels, found shape {found.shape}")
    if found.dtype.kind == "f":
        if not np.isfinite(found).all():
            raise InvalidInputError("a label is not a number")
        found = found.astype("i8")
    elif found.dtype.kind == "O":
        found = found.astype(str)
    unique, inverse = np.unique(found, return_inverse=True)
    return unique, inverse.astype(np.int64)


def aggregate_layer(layer: Any, groups: np.ndarray, n_groups: int, function: Any) -> np.ndarray:
    """Rows by groups: what a function makes of the values of each group in each row."""
    name = _aggregate_name(function)
    if name is not None:
        return layer.ds._native.aggregate(layer.name, groups, n_groups, name)
    members = [np.flatnonzero(groups == group) for group in range(n_groups)]
    n_rows, n_columns = layer.shape
    found = np.empty((n_rows, n_groups))
    step = max(1, (16 << 20) // max(n_columns * 8, 1))
    for start in range(0, n_rows, step):
        block = layer[start : start + step, :]
        for group, columns in enumerate(members):
            found[start : start + step, group] = np.apply_along_axis(
                function, 1, block[:, columns]
            )
    return found


def _aggregate_name(function: Any) -> str | None:
    if isinstance(function, str):
        return function
    if not callable(function):
        raise InvalidInputError(f"an aggregate is a name or a function, not {function!r}")
    try:
        return _FUNCTIONS.get(function)
    except TypeError:
        return None


def aggregate_attributes(
    attributes: Any, groups: np.ndarray, n_groups: int, by: dict[str, str] | None, if_equal: bool
) -> dict[str, np.ndarray]:
    """Attributes of columns by groups, as ``aggregate`` writes them."""
    by = by or {}
    found: dict[str, np.ndarray] = {}
    first = np.unique(groups, return_index=True)[1]
    if if_equal:
        for name, values in attributes.items():
            if name not in by and values.ndim == 1:
                _, number = np.unique(values, return_inverse=True)
                if (number == number[first][groups]).all():
                    found[name] = values[first]
    for name in attributes:
        if name in by:
            found |= _aggregated(name, attributes[name], (groups, n_groups, first), by[name])
    return found


def _aggregated(
    name: str, values: np.ndarray, groups: tuple[np.ndarray, int, np.ndarray], how: str
) -> dict[str, np.ndarray]:
    of, n, first = groups
    match how:
        case "tally":
            return {
                f"{name}_{_label(value)}": np.bincount(of[values == value], minlength=n)
                for value in np.unique(values)
            }
        case "mode":
            return {name: np.array([_mode(values[of == group]) for group in range(n)])}
        case "mean":
            total = np.bincount(of, weights=values.astype("f8"), minlength=n)
            return {name: total / np.bincount(of, minlength=n)}
        case "first":
            return {name: values[first]}
    raise InvalidInputError(
        f"attribute {name!r}: no aggregate {how!r}", hint="one of tally, mode, mean, first"
    )


def _label(value: Any) -> str:
    # A name of an attribute has no slash, and no full stop for old readers.
    return str(value).replace("/", "-").replace(".", "_") if isinstance(value, str) else str(value)


def _mode(values: np.ndarray) -> str:
    unique, count = np.unique(values, return_counts=True)
    return str(unique[count.argmax()])
