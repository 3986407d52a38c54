"""What numpy has no dtype for: dtypes with metadata, as h5py has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._errors import InvalidInputError
from ._stook import normalize_dtype


def vlen_dtype(item: Any) -> np.dtype[Any]:
    """The dtype of items that are sequences of ``item``, each of its own length.

    >>> f = stook.create(getfixture("tmp_path") / "v.h5")
    >>> a = f.create_array("v", [[1, 2], [3]], dtype=stook.vlen_dtype("int32"))
    >>> a[0]
    array([1, 2], dtype=int32)
    """
    return np.dtype("O", metadata={"vlen": normalize_dtype(item)})


def string_dtype(length: int | None = None, encoding: str = "utf-8") -> np.dtype[Any]:
    """The dtype of text: of variable length, or of ``length`` bytes in an encoding, ``utf-8`` or
    ``ascii``.

    >>> stook.string_dtype(), stook.string_dtype(8)
    (dtype('O'), dtype('S8'))
    """
    if encoding not in ("utf-8", "ascii"):
        raise InvalidInputError(f"encoding: expected utf-8 or ascii, found {encoding!r}")
    if length is None:
        return np.dtype("O", metadata={"vlen": str})
    return np.dtype(f"S{length}", metadata={"h5py_encoding": encoding})


def enum_dtype(members: Mapping[str, int], dtype: Any = "uint8") -> np.dtype[Any]:
    """The dtype of integers that have names.

    >>> f = stook.create(getfixture("tmp_path") / "e.h5")
    >>> colours = stook.enum_dtype({"red": 0, "green": 1})
    >>> a = f.create_array("e", [1, 0], dtype=colours)
    >>> a[:], stook.check_enum_dtype(a.dtype)
    (array([1, 0], dtype=uint8), {'red': 0, 'green': 1})
    """
    base = np.dtype(dtype)
    if base.kind not in "iu":
        raise InvalidInputError(f"expected a dtype of integers, found {base}")
    return np.dtype(base, metadata={"enum": {str(name): int(n) for name, n in members.items()}})


def check_enum_dtype(dtype: Any) -> dict[str, int] | None:
    """The names and integers of an enumeration; ``None`` for another dtype."""
    members = _metadata(dtype).get("enum")
    return None if members is None else dict(members)


def check_string_dtype(dtype: Any) -> tuple[str, int | None] | None:
    """The encoding of text and its length in bytes (``None`` where it varies); ``None`` for
    another dtype.

    >>> stook.check_string_dtype(stook.string_dtype(8, "ascii"))
    ('ascii', 8)
    """
    dtype = np.dtype(dtype)
    metadata = _metadata(dtype)
    if dtype.kind == "S":
        return str(metadata.get("h5py_encoding", "ascii")), dtype.itemsize
    is_text = metadata.get("vlen") is str or dtype.kind == "T"
    return ("utf-8", None) if is_text else None


def check_vlen_dtype(dtype: Any) -> Any:
    """The dtype of the items of sequences, ``str`` of text, ``bytes`` of bytes; ``None`` for
    another dtype.

    >>> stook.check_vlen_dtype(stook.vlen_dtype("int32"))
    dtype('int32')
    """
    return _metadata(dtype).get("vlen")


def packed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype of structs without room between their fields; another dtype as it is."""
    if dtype.subdtype is not None:
        item, shape = dtype.subdtype
        return np.dtype((packed(item), shape))
    if dtype.names is None:
        return dtype
    return np.dtype([(name, packed(dtype[name])) for name in dtype.names])


def _metadata(dtype: Any) -> dict[str, Any]:
    return dict(np.dtype(dtype).metadata or {})
