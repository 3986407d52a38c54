"""Values on their way into a dataset, converted as HDF5 converts them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import DTypeError
from ._dtypes import check_string_dtype, check_vlen_dtype, find_item_type
from ._errors import raised

_NUMBERS = "biuf"


def prepared(val: Any, shown: np.dtype[Any], field: str | None = None) -> NDArray[Any]:
    """What h5py makes an array of, before it is converted: an array as it is, anything else as
    one of the dataset's dtype ``shown``."""
    item = check_vlen_dtype(shown)
    if item is not None and item is not str and item is not bytes:
        return _sequences(val, shown, np.dtype(item))
    if shown.kind == "O":
        if isinstance(val, np.ndarray) and val.dtype.kind in "SUT":
            return val.astype(object)
        return np.asarray(val, dtype=shown, order="C")
    is_struct = isinstance(val, (np.ndarray, np.void)) and val.dtype.kind == "V"
    if shown.kind == "V" and shown.subdtype is None and not is_struct:
        if field is not None and shown.fields is not None:
            if field not in shown.fields:
                raise ValueError(f"No such field for indexing: {field}")
            return np.asarray(val, dtype=shown.fields[field][0].base, order="C")
        return np.asarray(val, dtype=shown.base, order="C")
    if shown.kind == "S" and find_item_type(val) is str:
        text = check_string_dtype(shown)
        if text is not None and text.encoding == "utf-8":
            texts = np.asarray(val, order="C", dtype=object)
            flat = [text.encode("utf-8") for text in texts.reshape(-1)]
            return np.array(flat, dtype=shown).reshape(texts.shape)
    return np.asarray(val, order="C", dtype=None if isinstance(val, np.ndarray) else shown.base)


def _sequences(val: Any, shown: np.dtype[Any], item: np.dtype[Any]) -> NDArray[Any]:
    """Sequences of any length: one of them, or an array of them along the last axis."""
    if isinstance(val, np.ndarray) and val.dtype.kind == "O" and item.kind != "O":
        return val
    try:
        array = np.asarray(val, dtype=item)
    except (ValueError, TypeError):
        parts = [np.asarray(part, dtype=item) for part in val]
        made = np.empty(len(parts), shown)
        for at, part in enumerate(parts):
            made[at] = part
        return made
    if array.ndim <= 1:
        one = np.empty(1, shown)
        one[0] = array.reshape(-1)
        return one
    flat = array.reshape(-1, array.shape[-1])
    rows = np.empty(len(flat), shown)
    for at, row in enumerate(flat):
        rows[at] = row
    return rows.reshape(array.shape[:-1])


def converted(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values as items of ``dtype``, as HDF5 converts them: integers that do not fit become the
    nearest that does, fractions are cut off, members of structs go by their names.

    Raises
    ------
    OSError, TypeError
        If HDF5 has no such conversion.
    """
    found = values.dtype
    if found == dtype and found.isnative:
        return values
    if dtype.kind == "O":
        return values
    if found.kind in "UmMO" or (found.kind == "T"):
        if found.kind in "mM" and dtype.kind == found.kind:
            return values.astype(dtype)
        if found.kind == "O":
            raise _no_path()
        raise TypeError(f"No conversion path for dtype: {found!r}")
    if dtype.names is not None and found.names is not None:
        return _struct(values, dtype)
    if dtype.kind == "b":
        return values.astype(dtype) if found.kind in _NUMBERS else _refuse()
    if dtype.kind in "iu" and found.kind in _NUMBERS:
        return _integers(values, dtype)
    if dtype.kind == "f" and found.kind in _NUMBERS:
        with np.errstate(over="ignore", invalid="ignore"):
            return values.astype(dtype)
    if dtype.kind == found.kind == "c" or (dtype.kind == found.kind == "S"):
        return values.astype(dtype)
    if dtype.kind == found.kind == "V" and dtype.names is None and found.names is None:
        return values.astype(dtype)
    if not dtype.isbuiltin and np.can_cast(found, dtype, "same_kind"):
        # The numbers of ml_dtypes.
        return values.astype(dtype)
    return _refuse()


def _refuse() -> Any:
    raise _no_path()


def _no_path() -> Exception:
    text = "Can't synchronously write data (no appropriate function for conversion path)"
    return raised(DTypeError, text, OSError)


def _integers(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if np.can_cast(values.dtype, dtype, "safe"):
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            made = np.where(values >= high, 0, values).astype(dtype)
            made = np.where(values <= low, np.asarray(low, dtype), made)
            made = np.where(values >= high, np.asarray(high, dtype), made)
            bottom = np.asarray(low if dtype.itemsize > 2 else 0, dtype)
            return np.asarray(np.where(np.isnan(values), bottom, made))
    own = np.iinfo(values.dtype)
    return np.clip(values, max(low, int(own.min)), min(high, int(own.max))).astype(dtype)


def _struct(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    made = np.zeros(values.shape, dtype)
    names = [name for name in dtype.names or () if name in (values.dtype.names or ())]
    if not names:
        raise _no_path()
    for name in names:
        made[name] = converted(values[name], dtype[name].base)
    return made
