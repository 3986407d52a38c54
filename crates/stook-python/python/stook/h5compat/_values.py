"""Items between the library's form and h5py's: text as bytes, references, byte order.

The library has text as :class:`str` and references as paths; h5py has datasets' text as
:class:`bytes`, and sequences of bytes as arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._dtypes import is_region
from ._references import Reference, RegionReference

Finish: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]


def finisher(native: np.dtype[Any], shown: np.dtype[Any], keeps_str: bool = False) -> Finish | None:
    """What makes arrays of h5py's dtype ``shown`` of those of the library; ``None`` where they
    are that. Text stays :class:`str` with ``keeps_str``, as in attributes."""
    if native.kind == "O":
        return _objects(native, shown, keeps_str)
    if is_region(native):
        return _regions
    if native.names is not None and native.hasobject:
        return _structs(native, shown, keeps_str)
    if native.subdtype is not None and native.hasobject:
        return finisher(native.subdtype[0], shown.base, keeps_str)
    if shown != native:
        return lambda found: found.astype(shown)
    if shown.kind in "SMm" and shown.metadata:
        return lambda found: found.view(shown)
    return None


def _objects(native: np.dtype[Any], shown: np.dtype[Any], keeps_str: bool) -> Finish:
    metadata = dict(native.metadata or {})
    item = metadata.get("vlen")
    each: Callable[[Any], Any]
    if "reference" in metadata:
        each = Reference
    elif item is str:
        if keeps_str:
            return lambda found: found.astype(shown, copy=False).view(shown)
        each = _encoded
    elif item is bytes:
        each = _numbers
    else:
        shown_item = shown.metadata["vlen"] if shown.metadata else np.dtype(item)
        inner = finisher(np.dtype(item), shown_item, keeps_str)
        if inner is None:
            return lambda found: found.view(shown)
        each = inner
    return lambda found: _each(found, each, shown)


def _each(found: NDArray[Any], each: Callable[[Any], Any], shown: np.dtype[Any]) -> NDArray[Any]:
    made = np.empty(found.shape, shown)
    flat = made.reshape(-1)
    for at, item in enumerate(found.reshape(-1).tolist() if found.ndim else [found[()]]):
        flat[at] = each(item)
    return made


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _numbers(data: bytes) -> NDArray[Any]:
    return np.frombuffer(data, np.uint8).copy()


def _regions(found: NDArray[Any]) -> NDArray[Any]:
    from ._dtypes import regionref_dtype

    made = np.empty(found.shape, regionref_dtype)
    for at in np.ndindex(found.shape):
        made[at] = RegionReference(*found[at])
    return made


def _structs(native: np.dtype[Any], shown: np.dtype[Any], keeps_str: bool) -> Finish:
    fields = []
    for name in native.names or ():
        fields.append((name, finisher(native[name], shown[name], keeps_str)))

    def finish(found: NDArray[Any]) -> NDArray[Any]:
        made = np.empty(found.shape, shown)
        for name, each in fields:
            made[name] = found[name] if each is None else each(found[name])
        return made

    return finish


def unfinished(values: NDArray[Any], native: np.dtype[Any]) -> NDArray[Any]:
    """Items in the library's form, of objects in h5py's."""
    if not native.hasobject:
        return values
    if native.subdtype is not None:
        return unfinished(values, native.subdtype[0])
    if is_region(native):
        made = np.empty(values.shape, native)
        for at in np.ndindex(values.shape):
            reference: Any = values[at]
            made[at] = (reference.path, reference.region) if reference else ("", "")
        return made
    if native.names is not None:
        made = np.empty(values.shape, native)
        for name in native.names:
            made[name] = unfinished(values[name], native[name])
        return made
    metadata = dict(native.metadata or {})
    item = metadata.get("vlen")
    if "reference" in metadata:
        return _unfinished_each(values, native, _path_of)
    if item is str:
        return _unfinished_each(values, native, _text_of)
    if item is bytes:
        return _unfinished_each(values, native, lambda value: _array_of(value, "u1").tobytes())
    inner = np.dtype(item)
    return _unfinished_each(
        values, native, lambda value: unfinished(_array_of(value, inner), inner)
    )


def _unfinished_each(
    values: NDArray[Any], native: np.dtype[Any], each: Callable[[Any], Any]
) -> NDArray[Any]:
    made = np.empty(values.shape, native)
    flat = made.reshape(-1)
    for at, value in enumerate(values.reshape(-1)):
        flat[at] = each(value)
    return made


def _array_of(value: Any, dtype: Any) -> NDArray[Any]:
    if value is None or (isinstance(value, int) and value == 0):
        # What an array of objects holds where nothing was put.
        return np.empty(0, dtype)
    return np.asarray(value, None if np.dtype(dtype).hasobject else dtype)


def _path_of(value: Any) -> str:
    if isinstance(value, RegionReference):
        raise TypeError("Can't implicitly convert region references to references of objects")
    if isinstance(value, Reference):
        return value.path
    if value is None or value == 0:
        return ""
    raise TypeError("Can't implicitly convert non-reference objects to references")


def _text_of(value: Any) -> Any:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("VLEN strings do not support embedded NULLs")
        return value
    if isinstance(value, (bytes, bytearray, np.bytes_)):
        if 0 in bytes(value):
            raise ValueError("VLEN strings do not support embedded NULLs")
        return bytes(value)
    if value is None or (isinstance(value, (int, float)) and value == 0):
        return ""
    raise TypeError("Can't implicitly convert non-string objects to strings")
