"""Values on their way into an array: cast where nothing is lost that the caller did not see."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import DTypeError, InvalidInputError

_INTEGERS = "iu"


def cast(values: Any, dtype: np.dtype[Any], ndim: int) -> NDArray[Any]:
    """``values`` as an array of ``dtype``, without a copy where they are one already.

    numpy's ``same_kind`` rule decides which types become which. Integers that do not fit, and
    text that would be cut off, are an error, not another value.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise DTypeError(
            "a masked array has items without a value",
            hint="give them one: values.filled(value)",
        )
    if dtype.hasobject:
        return _objects(values, dtype, ndim)
    if dtype.names is not None and not isinstance(values, (np.ndarray, np.void)):
        return _structs(values, dtype)
    found = np.asarray(values)
    if found.dtype == dtype and found.dtype.isnative:
        return found
    is_plain = not isinstance(values, (np.ndarray, np.generic)) and not hasattr(values, "__array__")
    if found.dtype.kind == "O" and found.size:
        raise DTypeError(f"values of type object cannot become {dtype}")
    if is_plain and found.size == 0:
        return found.astype(dtype)
    if found.dtype.kind in _INTEGERS and dtype.kind in _INTEGERS + "b":
        _check_range(found, dtype)
        return found.astype(dtype)
    if found.dtype.kind in "SU" and dtype.kind in "SU":
        return _text(found, dtype)
    if found.dtype.kind == "U" and dtype.kind == "M":
        return _times(found, dtype)
    # numpy knows no rule for the numbers of ml_dtypes.
    is_number = found.dtype.kind in "biuf" and dtype.type.__module__ == "ml_dtypes"
    if not is_number and not np.can_cast(found.dtype, dtype, "same_kind"):
        raise DTypeError(f"values of type {found.dtype} cannot become {dtype}")
    return found.astype(dtype)


def _check_range(found: NDArray[Any], dtype: np.dtype[Any]) -> None:
    if np.can_cast(found.dtype, dtype, "safe") or not found.size:
        return
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for value in (int(found.min()), int(found.max())):
        if not low <= value <= high:
            raise InvalidInputError(f"{value} does not fit {dtype}")


def _times(found: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        return found.astype(dtype)
    except ValueError as error:
        raise InvalidInputError(str(error)) from None


def _text(found: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if found.dtype.kind == "U" and dtype.kind == "S":
        found = np.strings.encode(found, "utf-8")
    elif found.dtype.kind == "S" and dtype.kind == "U":
        found = np.strings.decode(found, "utf-8")
    longest = int(np.strings.str_len(found).max(initial=0))
    room = dtype.itemsize if dtype.kind == "S" else dtype.itemsize // 4
    if longest > room:
        raise InvalidInputError(f"text of length {longest} does not fit {dtype}")
    return found.astype(dtype)


def _structs(values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"values cannot become {dtype}: {error}") from None


def _objects(values: Any, dtype: np.dtype[Any], ndim: int) -> NDArray[Any]:
    """Objects of variable length: text, bytes, sequences, or structs that hold such."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "OSTUV":
        is_struct = values.dtype.names is not None
        if is_struct or dtype.names is not None:
            return values if values.dtype == dtype else _structs(values, dtype)
        return values
    if dtype.names is not None:
        return _structs(values, dtype)
    item = dict(dtype.metadata or {}).get("vlen")
    if item is str or item is bytes:
        return np.asarray(values, dtype=object)
    return _sequences(values, ndim)


def _sequences(values: Any, ndim: int) -> NDArray[Any]:
    """An array of ``ndim`` axes whose items are sequences, however long each is."""
    shape: list[int] = []
    level = values
    for _ in range(ndim):
        if not hasattr(level, "__len__"):
            raise DTypeError("expected sequences, an axis less deep than these values")
        shape.append(len(level))
        if shape[-1] == 0:
            break
        level = level[0]
    if ndim and not np.ndim(level) and 0 not in shape:
        # One sequence for all places.
        return _one(values)
    if ndim == 0:
        return _one(values)
    array = np.empty(shape, object)
    for index in np.ndindex(*shape):
        item = values
        for i in index:
            item = item[i]
        array[index] = item
    return array


def _one(value: Any) -> NDArray[Any]:
    array = np.empty((), object)
    array[()] = value
    return array
