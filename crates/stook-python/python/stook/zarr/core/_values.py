"""Items between the engine's dtypes and those that Zarr documents name.

The engine gives the machine's byte order, and objects for what varies in length; a document may
name the other byte order, and text of variable length is numpy's own string dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ._array_state import ArrayState

#: Names of version 3 that numpy has under the same name.
_PLAIN = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
        "float16 float32 float64 complex64 complex128"
    ).split()
}


def quick_dtype(raw: dict[str, Any]) -> np.dtype[Any] | None:
    """The dtype that a document names, where that is plain to see."""
    if raw.get("zarr_format") == 3:
        name = raw.get("data_type")
        return _PLAIN.get(name) if isinstance(name, str) else None
    name = raw.get("dtype")
    if isinstance(name, str) and name[1:2] in "biufc" and not raw.get("filters"):
        # As zarr makes it: what stands for the machine's order stays "<".
        return np.dtype(name).newbyteorder("<") if name[0] == "<" else np.dtype(name)
    return None


def layout_of(state: ArrayState) -> str:
    """The order in which what is read lies in memory."""
    return state.order


def from_engine(found: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
    """What the engine gave, as the dtype that the document names."""
    if found.dtype == dtype:
        # Objects of the engine carry what they are; zarr's do not.
        return found.view(np.dtype(object)) if found.dtype.metadata else found
    return found.astype(dtype, order="A")


def to_engine(value: Any, dtype: Any, native: np.dtype[Any]) -> npt.NDArray[Any]:
    """A value as zarr would cast it, in the dtype that the engine takes."""
    if np.isscalar(value):
        found = np.asanyarray(value, dtype=dtype)
    elif not hasattr(value, "shape"):
        found = np.asarray(value, dtype)
    elif not hasattr(value, "dtype") or value.dtype != dtype:
        found = _cast(value, dtype)
    else:
        found = value
    found = np.asarray(found)
    if found.dtype == native or found.dtype.kind in "OT":
        return found
    return found.astype(native)


def _cast(value: Any, dtype: Any) -> Any:
    if hasattr(value, "astype"):
        return (
            value.astype(dtype=dtype, order="A")
            if isinstance(value, np.ndarray)
            else np.asarray(value).astype(dtype)
        )
    return np.array(value, dtype=dtype, order="A")
