"""Dtypes with h5py's metadata, and their way to those of the library and back."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._references import Reference, RegionReference

string_info = namedtuple("string_info", ["encoding", "length"])

ref_dtype: np.dtype[Any] = np.dtype("O", metadata={"ref": Reference})
regionref_dtype: np.dtype[Any] = np.dtype("O", metadata={"ref": RegionReference})

_ENCODINGS = {"utf-8": str, "ascii": bytes}
_TEXT: dict[str, np.dtype[Any]] = {
    encoding: np.dtype("O", metadata={"vlen": cls}) for encoding, cls in _ENCODINGS.items()
}


def string_dtype(encoding: str = "utf-8", length: int | None = None) -> np.dtype[Any]:
    """The dtype of text: of variable length, or of ``length`` bytes.

    >>> import stook.h5compat as h5py
    >>> h5py.check_string_dtype(h5py.string_dtype("ascii", 8))
    string_info(encoding='ascii', length=8)
    """
    import codecs

    known = codecs.lookup(encoding).name
    if known not in _ENCODINGS:
        raise ValueError(f"Invalid encoding ({encoding!r}); 'utf-8' or 'ascii' allowed")
    if length is None:
        return np.dtype("O", metadata={"vlen": _ENCODINGS[known]})
    if isinstance(length, (int, np.integer)):
        return np.dtype(f"|S{length}", metadata={"h5py_encoding": known})
    raise TypeError(f"length must be integer or None (got {length!r})")


def vlen_dtype(basetype: Any) -> np.dtype[Any]:
    """The dtype of sequences of ``basetype``, each of its own length."""
    return np.dtype("O", metadata={"vlen": basetype})


def enum_dtype(values_dict: Mapping[str, int], basetype: Any = np.uint8) -> np.dtype[Any]:
    """The dtype of integers that have names."""
    dtype = np.dtype(basetype)
    if not np.issubdtype(dtype, np.integer):
        raise TypeError("Only integer types can be used as enums")
    return np.dtype(dtype, metadata={"enum": values_dict})


def opaque_dtype(np_dtype: Any) -> np.dtype[Any]:
    """A dtype that HDF5 has no type for, kept as tagged bytes: times of numpy, say."""
    dtype = np.dtype(np_dtype)
    if np.issubdtype(dtype, np.object_):
        raise TypeError("Cannot store numpy object arrays as opaque data")
    if dtype.names is not None:
        raise TypeError("Cannot store numpy structured arrays as opaque data")
    if dtype.subdtype is not None:
        raise TypeError("Cannot store numpy sub-array dtype as opaque data")
    if dtype.itemsize == 0:
        raise TypeError("dtype for opaque data must have explicit size")
    return np.dtype(dtype, metadata={"h5py_opaque": True})


def complex_compat_dtype(np_dtype: Any) -> np.dtype[Any]:
    """A dtype of complex numbers, which are stored as structs of two numbers."""
    dtype = np.dtype(np_dtype)
    if dtype.kind != "c":
        raise TypeError("Only complex dtypes have a compatible form")
    return dtype


def _metadata(dt: Any, key: str) -> Any:
    return (getattr(dt, "metadata", None) or {}).get(key)


def check_vlen_dtype(dt: Any) -> Any:
    """What sequences hold; ``str`` or ``bytes`` of text; ``None`` for another dtype."""
    return _metadata(dt, "vlen")


def check_string_dtype(dt: Any) -> string_info | None:
    """Encoding and length of text; ``None`` for another dtype."""
    match check_vlen_dtype(dt):
        case cls if cls is str:
            return string_info("utf-8", None)
        case cls if cls is bytes:
            return string_info("ascii", None)
    if dt.kind == "S":
        return string_info(_metadata(dt, "h5py_encoding") or "ascii", dt.itemsize)
    return None


def check_enum_dtype(dt: Any) -> Any:
    """Names and integers of an enumeration; ``None`` for another dtype."""
    return _metadata(dt, "enum")


def check_ref_dtype(dt: Any) -> Any:
    """``Reference`` or ``RegionReference``; ``None`` for another dtype."""
    return _metadata(dt, "ref")


def check_opaque_dtype(dt: Any) -> bool:
    """Whether a dtype is kept as tagged bytes."""
    return bool(_metadata(dt, "h5py_opaque"))


def check_complex_dtype(dt: Any) -> bool:
    """Whether a dtype is of complex numbers."""
    return bool(np.dtype(dt).kind == "c")


def special_dtype(**kwds: Any) -> np.dtype[Any]:
    """The older way to say the dtypes above: ``vlen=``, ``enum=(base, names)``, ``ref=``."""
    if len(kwds) != 1:
        raise TypeError("Exactly one keyword may be provided")
    name, value = kwds.popitem()
    if name == "vlen":
        return np.dtype("O", metadata={"vlen": value})
    if name == "enum":
        try:
            base, values = value
        except TypeError as error:
            text = "Enums must be created from a 2-tuple (basetype, values_dict)"
            raise TypeError(text) from error
        return enum_dtype(values, base)
    if name == "ref":
        if value not in (Reference, RegionReference):
            raise ValueError("Ref class must be Reference or RegionReference")
        return ref_dtype if value is Reference else regionref_dtype
    raise TypeError(f'Unknown special type "{name}"')


def check_dtype(**kwds: Any) -> Any:
    """The older way to ask what a dtype is: ``vlen=``, ``enum=``, ``ref=``."""
    if len(kwds) != 1:
        raise TypeError("Exactly one keyword may be provided")
    name, dt = kwds.popitem()
    if name not in ("vlen", "enum", "ref"):
        raise TypeError(f'Unknown special type "{name}"')
    return _metadata(dt, name)


def find_item_type(data: Any) -> Any:
    """The type that all items of lists in lists, or of an array of objects, have."""
    if isinstance(data, np.ndarray):
        if data.dtype.kind != "O" or data.dtype.metadata:
            return None
        types = {type(item) for item in data.flat}
    elif isinstance(data, (list, tuple)):
        types = {find_item_type(item) for item in data}
    else:
        return type(data)
    return types.pop() if len(types) == 1 else None


def guess_dtype(data: Any) -> np.dtype[Any] | None:
    """The dtype of data that numpy would make text or objects of; ``None`` of others."""
    found = find_item_type(data)
    if found is Reference:
        return ref_dtype
    if found is RegionReference:
        return regionref_dtype
    if found is bytes:
        return string_dtype(encoding="ascii")
    return string_dtype() if found is str else None


def array_for_new_object(data: Any, specified_dtype: Any = None) -> np.ndarray[Any, Any]:
    """Data of a new dataset or attribute as an array, of the dtype that is asked for or guessed."""
    if specified_dtype is not None and not isinstance(specified_dtype, np.dtype):
        specified_dtype = np.dtype(specified_dtype)
    is_half = (
        specified_dtype is not None
        and specified_dtype.kind == "f"
        and specified_dtype.itemsize == 2
    )
    if is_half or (specified_dtype is not None and not isinstance(data, np.ndarray)):
        wanted = specified_dtype
    else:
        wanted = guess_dtype(data)
    array = np.asarray(data, order="C", dtype=wanted)
    return array if wanted is None else array.view(dtype=wanted)


# To the library and back.

_REGION_FIELDS = ("path", "region")


def to_native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The library's dtype for one of h5py's.

    Raises
    ------
    TypeError
        If h5py has no type of HDF5 for it.
    """
    kind = dtype.kind
    if kind in "biufc":
        return dtype if dtype.isnative else dtype.newbyteorder("=")
    if kind == "S":
        return dtype
    metadata: dict[str, Any] = dict(dtype.metadata or {})
    if kind == "O":
        if "ref" in metadata:
            return _NATIVE_REFERENCE if metadata["ref"] is Reference else _NATIVE_REGION
        item = metadata.get("vlen")
        if item is None:
            raise TypeError(f"Object dtype {dtype!r} has no native HDF5 equivalent")
        if item is str:
            return _NATIVE_UTF8
        if item is bytes:
            return _NATIVE_ASCII
        item = np.dtype(item)
        if item == np.uint8:
            return np.dtype("O", metadata={"vlen": bytes})
        return np.dtype("O", metadata={"vlen": to_native(item)})
    if dtype.subdtype is not None:
        item, shape = dtype.subdtype
        return np.dtype((to_native(item), shape))
    if dtype.names is not None:
        return _struct(dtype, to_native)
    if kind == "V" or (kind in "Mm" and metadata.get("h5py_opaque")):
        return dtype
    if kind == "T":
        return _NATIVE_UTF8
    raise TypeError(f"No conversion path for dtype: {dtype!r}")


_NATIVE_UTF8: np.dtype[Any] = np.dtype("O", metadata={"vlen": str})
_NATIVE_ASCII: np.dtype[Any] = np.dtype("O", metadata={"vlen": str, "h5py_encoding": "ascii"})
_NATIVE_REFERENCE: np.dtype[Any] = np.dtype("O", metadata={"vlen": str, "reference": "object"})
_NATIVE_REGION: np.dtype[Any] = np.dtype(
    [("path", _NATIVE_REFERENCE), ("region", _NATIVE_UTF8)]
)


def from_native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """h5py's dtype for one of the library's."""
    kind = dtype.kind
    if kind in "biufc":
        return dtype
    if kind == "S":
        encoding = dict(dtype.metadata or {}).get("h5py_encoding", "ascii")
        return string_dtype(encoding, dtype.itemsize)
    metadata: dict[str, Any] = dict(dtype.metadata or {})
    if kind == "O":
        if "reference" in metadata:
            return ref_dtype
        item = metadata.get("vlen")
        if item is str:
            return string_dtype(metadata.get("h5py_encoding", "utf-8"))
        if item is bytes:
            return vlen_dtype(np.dtype("u1"))
        return vlen_dtype(from_native(np.dtype(item)))
    if is_region(dtype):
        return regionref_dtype
    if dtype.subdtype is not None:
        item, shape = dtype.subdtype
        return np.dtype((from_native(item), shape))
    if dtype.names is not None:
        return _struct(dtype, from_native)
    if kind in "Mm":
        return np.dtype(dtype, metadata={"h5py_opaque": True})
    return dtype


def is_region(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype of the library is that of references to regions."""
    if dtype.names != _REGION_FIELDS:
        return False
    return "reference" in (dtype["path"].metadata or {})


def _struct(dtype: np.dtype[Any], each: Any) -> np.dtype[Any]:
    names = dtype.names or ()
    fields = [each(dtype[name]) for name in names]
    if not dtype.hasobject:
        offsets = [dtype.fields[name][1] for name in names]  # type: ignore[index]
        itemsize = dtype.itemsize
        layout = {"names": names, "formats": fields, "offsets": offsets, "itemsize": itemsize}
        return np.dtype(layout)  # type: ignore[call-overload, no-any-return]
    return np.dtype({"names": names, "formats": fields})  # type: ignore[call-overload, no-any-return]
