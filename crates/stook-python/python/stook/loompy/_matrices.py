"""Matrices of any kind, in the forms that the native half takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import InvalidInputError
from .normalize import is_sparse

#: What a matrix is for the native half: its layout and its arrays.
Native = tuple[Any, ...]

_NUMBERS = "Matrix elements must be integer or float"


def native_matrix(value: Any) -> tuple[Native, tuple[int, int]]:
    """A matrix as the native half takes it, and its shape; nothing is made dense.

    Raises
    ------
    InvalidInputError
        If it is no matrix of integers or floats.
    """
    if is_sparse(value):
        return _sparse(value)
    if isinstance(value, np.ma.MaskedArray):
        raise InvalidInputError("a masked array has items without a value")
    if hasattr(value, "values") and hasattr(value, "sparse"):
        value = value.values
    elif not isinstance(value, np.ndarray) and hasattr(value, "shape") and hasattr(value, "_whole"):
        value = value._whole()
    dense = np.asarray(value)
    if dense.ndim != 2:
        raise InvalidInputError(f"a layer has two axes, not shape {dense.shape}")
    dense = _numbers(dense)
    shape = (dense.shape[0], dense.shape[1])
    if dense.flags.f_contiguous and not dense.flags.c_contiguous:
        return ("columns", dense.T), shape
    return ("dense", np.ascontiguousarray(dense)), shape


def _sparse(value: Any) -> tuple[Native, tuple[int, int]]:
    if len(value.shape) != 2:
        raise InvalidInputError(f"a layer has two axes, not shape {value.shape}")
    layout = value.format if value.format in ("csr", "csc", "coo") else "coo"
    found = value.asformat(layout)
    shape = (int(found.shape[0]), int(found.shape[1]))
    data = np.ascontiguousarray(_numbers(found.data))
    if layout == "coo":
        rows, columns = found.coords if hasattr(found, "coords") else (found.row, found.col)
        return ("coo", data, _indices(rows), _indices(columns), shape), shape
    return (layout, data, _indices(found.indices), _indices(found.indptr), shape), shape


def _indices(array: Any) -> np.ndarray:
    found = np.ascontiguousarray(array)
    return found if found.dtype in (np.int32, np.int64) else found.astype(np.int64)


def _numbers(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise InvalidInputError(f"{_NUMBERS}, not {array.dtype}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def dtype_of_layer(name: str) -> np.dtype[Any]:
    """The dtype that a text names, of an empty layer.

    Raises
    ------
    InvalidInputError
        If it is none that a layer can have.
    """
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise InvalidInputError(f"{_NUMBERS}, not {name!r}") from None
    return _numbers(np.empty(0, dtype)).dtype


def fitting(values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """Values as ``dtype``, none of them another number.

    Raises
    ------
    InvalidInputError
        If one does not fit.
    """
    found = np.asarray(values)
    if found.dtype == dtype:
        return found
    if found.dtype.kind == "b":
        return found.astype(dtype)
    if found.dtype.kind not in "iuf":
        raise InvalidInputError(f"{_NUMBERS}, not {found.dtype}")
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            cast = found.astype(dtype)
        lost = np.isinf(cast) & np.isfinite(found) if found.dtype.kind == "f" else np.isinf(cast)
    else:
        info = np.iinfo(dtype)
        with np.errstate(invalid="ignore"):
            lost = ~((found >= info.min) & (found <= info.max))
            cast = found.astype(dtype)
            if found.dtype.kind == "f":
                lost |= cast != found
    if lost.any():
        raise InvalidInputError(f"the value {found[lost].ravel()[0]} does not fit {dtype}")
    return cast
