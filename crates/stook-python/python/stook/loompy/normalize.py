"""Values of attributes: as they are given, stored, and read."""

from __future__ import annotations

import html
import sys
from typing import Any

import numpy as np

from .._errors import InvalidInputError

__all__ = [
    "materialize_attr_values",
    "normalize_attr_array",
    "normalize_attr_strings",
    "normalize_attr_values",
]

_KINDS = "a list, tuple, numpy matrix, numpy ndarray, sparse matrix or a column of pandas"


def normalize_attr_strings(a: np.ndarray) -> np.ndarray:
    """Texts as files before version 3 have them: ASCII, with XML entities for all else."""
    if a.dtype.kind == "S":
        return a
    if a.dtype.kind not in "OUT":
        raise InvalidInputError("String values must be object, ascii or unicode.")
    texts = [_text(item).encode("ascii", "xmlcharrefreplace") for item in a.ravel()]
    return np.array(texts, dtype=None if texts else "S1").reshape(a.shape)


def normalize_attr_array(a: Any) -> np.ndarray:
    """Anything like an array as one of numpy; a matrix of one row or column has one axis."""
    if isinstance(a, np.matrix):
        if 1 not in a.shape:
            raise InvalidInputError("Attribute values must be 1-dimensional.")
        return np.asarray(a).ravel()
    if isinstance(a, np.ma.MaskedArray):
        raise InvalidInputError("a masked array has items without a value")
    if isinstance(a, np.ndarray):
        return a
    if isinstance(a, (list, tuple, range)):
        return _array_of_list(a)
    if is_sparse(a):
        return normalize_attr_array(np.asmatrix(a.toarray()))
    if hasattr(a, "__array__") or hasattr(a, "__arrow_c_array__"):
        return np.asarray(a)
    raise InvalidInputError(f"Argument must be {_KINDS}, not {type(a).__name__}.")


def _array_of_list(items: Any) -> np.ndarray:
    if any(isinstance(item, (str, bytes)) for item in items) or any(x is None for x in items):
        found = np.empty(len(items), object)
        found[:] = items
        return found
    return np.array(items)


def normalize_attr_values(a: Any, use_object_strings: bool = False) -> Any:
    """Values in a form that a file can hold.

    Numbers stay, truth values are ``uint8``, and all else is text: objects of ``str``, or, for
    files before version 3, ASCII bytes.

    >>> from stook import loompy
    >>> loompy.normalize_attr_values([True, False])
    array([1, 0], dtype=uint8)
    >>> loompy.normalize_attr_values(["é", 1], use_object_strings=True)
    array(['é', '1'], dtype=object)
    """
    is_scalar = np.isscalar(a)
    found = normalize_attr_array(np.array([a]) if is_scalar else a)
    if found.dtype.kind == "b":
        found = found.astype("ubyte")
    elif found.dtype.kind in "OSUT":
        if use_object_strings:
            texts = np.empty(found.shape, object)
            texts.ravel()[:] = [_text(item) for item in found.ravel()]
            found = texts
        else:
            found = normalize_attr_strings(found)
    elif found.dtype.kind not in "iuf":
        raise InvalidInputError(f"attributes are numbers or text, not {found.dtype}")
    return found[0] if is_scalar else found


def _text(item: Any) -> str:
    if type(item) is str:
        return item
    if isinstance(item, bytes):
        return item.decode("utf-8", "surrogateescape")
    return str(item)


def materialize_attr_values(a: Any) -> Any:
    """Values as a program sees them: text is ``str``, XML entities are what they stand for.

    >>> from stook import loompy
    >>> loompy.materialize_attr_values(np.array([b"a&amp;b"]))
    array(['a&b'], dtype=object)
    """
    is_scalar = np.isscalar(a)
    found = np.array([a]) if is_scalar else np.asarray(a)
    if found.dtype.kind in "OS":
        texts = np.empty(found.shape, object)
        texts.ravel()[:] = [html.unescape(_text(item)) for item in found.ravel()]
        found = texts
    elif found.dtype.kind in "UT":
        found = found.astype(object)
    return found[()] if found.ndim == 0 else found[0] if is_scalar else found


def is_sparse(value: Any) -> bool:
    """Whether this is a sparse matrix of scipy, which is not imported for that."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(value))
