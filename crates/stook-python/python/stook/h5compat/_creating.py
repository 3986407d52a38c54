"""New datasets: h5py's arguments as what the library makes an array of."""

from __future__ import annotations

import math
import posixpath
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import Error, UnsupportedError
from ._anonymous import anonymous
from ._base import Empty, product
from ._datatype import Datatype
from ._dtypes import array_for_new_object, check_string_dtype, string_dtype, to_native
from ._errors import raised, told
from ._values import unfinished
from ._writing import converted
from .h5py_warnings import H5pyDeprecationWarning

if TYPE_CHECKING:
    from ._dataset import Dataset
    from ._group import Group

_LEVELS = range(10)
_NAMES = ("gzip", "lzf", "szip")
# What changes nothing here: times and caches are the library's own affair.
_IGNORED = (
    "track_times", "track_order", "dcpl", "dapl", "efile_prefix", "virtual_prefix",
    "allow_unknown_filter", "rdcc_nslots", "rdcc_nbytes", "rdcc_w0", "fill_time",
)  # fmt: skip
_FILL_TIMES = (None, "alloc", "never", "ifset")


def new_dataset(
    group: Group, name: Any, shape: Any = None, dtype: Any = None, data: Any = None, **kwds: Any
) -> Dataset:
    """Creates a dataset as :meth:`Group.create_dataset` says."""
    from ._dataset import Dataset

    if name is None:
        made: Dataset = anonymous(
            group, lambda other, name: new_dataset(other, name, shape, dtype, data, **kwds)
        )
        return made
    if data is not None and not isinstance(data, Empty):
        data = array_for_new_object(data, _dtype(dtype))
    shape, data = _shape(shape, dtype, data)
    dtype = _dtype(dtype)
    if dtype is None and data is None:
        warnings.warn(
            "Creating a dataset without passing data or dtype is deprecated. Pass an explicit "
            "dtype. Using dtype='f4' will keep the current default behaviour.",
            H5pyDeprecationWarning,
            stacklevel=3,
        )
        dtype = np.dtype("=f4")
    dtype = data.dtype if dtype is None else dtype
    native = to_native(dtype)
    what = {"dtype": native, "shape": shape or (), "is_null": isinstance(data, Empty) or None}
    layout = _layout(shape, dtype, kwds)
    what.update(layout)
    fill = kwds.pop("fillvalue", None)
    _expect_known(kwds)
    if fill is not None:
        what["fill_value"] = _fill(fill, dtype, native)
    path = group._at(name)
    tree = group._state.tree
    values = None
    if data is not None and not isinstance(data, Empty):
        values = unfinished(data, native) if native.hasobject else data
        values = converted(values, native.base)
        values = values.reshape(shape + native.shape)
        if not layout and fill is None:
            with suppress(Error):
                # The steps below tell what is wrong.
                whole = tree.create_whole(path, native, values)
                if whole is not None:
                    return Dataset._of(group._state, path, whole)
    try:
        array = tree.create_array(path, what)
    except Error as error:
        if tree.kind(posixpath.dirname(path)) == "array":
            raise TypeError("Incompatible object (Dataset) already exists") from error
        raise told(error, "Unable to synchronously create dataset") from error
    if values is not None:
        try:
            array.write("axes", (Ellipsis,), values)
        except BaseException:
            tree.remove(path)
            raise
    return Dataset._of(group._state, path, array)


def _dtype(dtype: Any) -> np.dtype[Any] | None:
    if isinstance(dtype, Datatype):
        return dtype.dtype
    if dtype is None:
        return None
    found = np.dtype(dtype)
    if found.kind == "O" and not found.metadata and dtype is str:
        return string_dtype()
    return found


def _shape(shape: Any, dtype: Any, data: Any) -> tuple[Any, Any]:
    if shape is None:
        if data is None:
            if dtype is None:
                raise TypeError("One of data, shape or dtype must be specified")
            data = Empty(_dtype(dtype))
        return data.shape, data
    shape = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(map(int, shape))
    if isinstance(data, Empty):
        raise TypeError("Empty datasets have no shape")
    if any(length < 0 for length in shape):
        raise ValueError("Unable to synchronously create dataset (negative length of an axis)")
    if data is not None and product(shape) != product(data.shape):
        raise ValueError("Shape tuple is incompatible with data")
    return shape, data


def _expect_known(kwds: Mapping[str, Any]) -> None:
    for key, value in kwds.items():
        if key == "external" and value:
            raise raised(
                UnsupportedError, "external storage cannot be created", NotImplementedError
            )
        if key not in (*_IGNORED, "external"):
            raise TypeError(f"create_dataset() got an unexpected keyword argument {key!r}")
    if kwds.get("track_times") not in (None, True, False):
        raise TypeError("track_times must be either True or False")
    if kwds.get("track_order") not in (None, True, False):
        raise TypeError("track_order must be either True or False")
    if kwds.get("fill_time") not in _FILL_TIMES:
        raise ValueError(
            "fill_time must be one of the following choices: 'alloc', 'never' or 'ifset', but it "
            f"is {kwds['fill_time']}."
        )


def _fill(fill: Any, dtype: np.dtype[Any], native: np.dtype[Any]) -> Any:
    text = check_string_dtype(dtype)
    if text is not None:
        if text.length is not None:
            return np.asarray(fill, dtype)
        fill = np.array(fill, dtype=string_dtype(text.encoding))
        return unfinished(fill, native)[()]
    return converted(np.asarray(fill), native.base)


def _layout(shape: Any, dtype: np.dtype[Any], kwds: dict[str, Any]) -> dict[str, Any]:
    """Chunks, bounds and codecs; takes what it knows from ``kwds``."""
    names = (
        "chunks", "maxshape", "compression", "compression_opts", "scaleoffset", "shuffle",
        "fletcher32",
    )  # fmt: skip
    chunks, maxshape, compression, options, scale, shuffle, fletcher = (
        kwds.pop(name, None) for name in names
    )
    maxshape = (maxshape,) if _is_int(maxshape) else maxshape
    chunks = (int(chunks),) if _is_int(chunks) else chunks
    if isinstance(chunks, tuple):
        bounds = maxshape if isinstance(maxshape, tuple) else shape or ()
        if any(c > n for n, c in zip(bounds, chunks, strict=False) if n is not None):
            raise ValueError(
                "Chunk shape must not be greater than data shape in any dimension. "
                f"{chunks} is not compatible with {shape}"
            )
    if chunks is False:
        if any((compression, shuffle, fletcher, maxshape, scale)):
            raise ValueError("Chunked format required for given storage options")
        chunks = None
    compression, options = _compression(compression, options)
    is_big = dtype.base.byteorder == ">"
    if not shape:
        if any((chunks, compression, options, shuffle, fletcher, scale is not None)):
            kind = "Empty" if shape is None else "Scalar"
            raise TypeError(f"{kind} datasets don't support chunk/filter options")
        if maxshape and maxshape != ():
            kind = "Empty" if shape is None else "Scalar"
            raise TypeError(f"{kind} datasets cannot be extended")
        return {"codecs": [_BIG]} if is_big else {}
    _check_rank("chunks", chunks, shape)
    _check_rank("maxshape", maxshape, shape)
    codecs: list[dict[str, Any]] = [_BIG] if is_big else []
    codecs += _scale_offset(scale, dtype, fletcher)
    if shuffle:
        codecs.append({"name": "shuffle"})
    if compression is not None:
        codecs.append(_codec(compression, options, dtype))
    if fletcher:
        codecs.append({"name": "fletcher32"})
    needs = shuffle or fletcher or compression is not None or maxshape or scale is not None
    if chunks is True or (chunks is None and needs):
        chunks = guess_chunk(shape, dtype.itemsize)
    if maxshape is True:
        maxshape = (None,) * len(shape)
    if chunks is None:
        # One chunk without bounds is one piece; chunks are said for the codecs.
        whole = tuple(max(1, length) for length in shape)
        return {"codecs": codecs, "chunks": whole} if codecs else {}
    bounds = shape if maxshape is None else tuple(maxshape)
    return {"codecs": codecs, "chunks": tuple(chunks), "max_shape": list(bounds)}


_BIG = {"name": "bytes", "endian": "big"}


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check_rank(name: str, lengths: Any, shape: tuple[int, ...]) -> None:
    if lengths is None or lengths is True:
        return
    try:
        lengths = tuple(lengths)
    except TypeError as error:
        raise TypeError(f"{name!r} argument must be None or a sequence object") from error
    if len(lengths) != len(shape):
        raise ValueError(f"{name!r} must have same rank as dataset shape")


def _compression(compression: Any, options: Any) -> tuple[Any, Any]:
    """The name or number of a filter, and its options."""
    if compression is True:
        return "gzip", 4 if options is None else options
    if _is_int(compression) and compression in _LEVELS:
        if options is not None:
            raise TypeError("Conflict in compression options")
        return "gzip", int(compression)
    if isinstance(compression, Mapping):
        # A filter of hdf5plugin.
        return compression["compression"], compression.get("compression_opts")
    if compression is None or compression is False:
        if options is not None:
            raise TypeError("Compression method must be specified")
        return None, None
    if compression not in _NAMES and not _is_int(compression):
        raise ValueError(f'Compression filter "{compression}" is unavailable')
    return compression, options


def _codec(compression: Any, options: Any, dtype: np.dtype[Any]) -> dict[str, Any]:
    if compression == "gzip":
        if options is not None and options not in _LEVELS:
            raise ValueError(f"GZIP setting must be an integer from 0-9, not {options!r}")
        return {"name": "gzip", "level": 4 if options is None else int(options)}
    if compression == "lzf":
        if options is not None:
            raise ValueError("LZF compression filter accepts no options")
        return {"name": "lzf"}
    if compression == "szip":
        return _szip(("nn", 8) if options is None else options)
    return _by_number(int(compression), tuple(options or ()))


def _szip(options: Any) -> dict[str, Any]:
    message = "SZIP options must be a 2-tuple ('ec'|'nn', even integer 0-32)"
    try:
        method, pixels = options
    except TypeError as error:
        raise TypeError(message) from error
    if method not in ("ec", "nn") or not (0 < pixels <= 32 and pixels % 2 == 0):
        raise ValueError(message)
    return {"name": "szip", "options": {"ec": 4, "nn": 32}[method], "pixels_per_block": pixels}


_BLOSC = ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd")


def _by_number(number: int, options: tuple[int, ...]) -> dict[str, Any]:
    """The codec of a registered filter, with the options of its plugin."""

    def option(at: int, default: int) -> int:
        return int(options[at]) if len(options) > at else default

    match number:
        case 1:
            return {"name": "gzip", "level": option(0, 4)}
        case 307:
            return {"name": "numcodecs.bz2", "level": option(0, 9)}
        case 32000:
            return {"name": "lzf"}
        case 32001 | 32026:
            return {
                "name": "blosc" if number == 32001 else "blosc2",
                "clevel": option(4, 5),
                "shuffle": ("noshuffle", "shuffle", "bitshuffle")[option(5, 1)],
                "cname": _BLOSC[option(6, 0)],
            }
        case 32004:
            return {"name": "lz4", "blocksize": option(0, 0)}
        case 32008:
            codec: dict[str, Any] = {"name": "bitshuffle", "blocksize": option(0, 0)}
            if option(1, 0) == 2:
                codec["cname"] = "lz4"
            elif option(1, 0) == 3:
                codec.update(cname="zstd", clevel=option(2, 3))
            return codec
        case 32015:
            return {"name": "zstd", "level": option(0, 3)}
    raise ValueError(f"Unknown compression filter number: {number}")


def _scale_offset(scale: Any, dtype: np.dtype[Any], fletcher: Any) -> list[dict[str, Any]]:
    if scale is None or scale is False:
        return []
    if scale < 0:
        raise ValueError("scale factor must be >= 0")
    if dtype.kind == "f":
        if scale is True:
            raise ValueError("integer scaleoffset must be provided for floating point types")
        kind = 0
    elif dtype.kind in "iu":
        kind, scale = 2, 0 if scale is True else scale
    else:
        raise TypeError("scale/offset filter only supported for integer and floating-point types")
    if fletcher:
        raise ValueError("fletcher32 cannot be used with potentially lossy scale/offset filter")
    return [{"name": "scaleoffset", "values": [kind, int(scale)]}]


# What h5py aims at for the bytes of a chunk that it chooses.
_CHUNK_BASE = 16 * 1024
_CHUNK_LEAST = 8 * 1024
_CHUNK_MOST = 1024 * 1024


def guess_chunk(shape: tuple[int, ...], item_size: int) -> tuple[int, ...]:
    """The chunk shape that h5py chooses: axes are halved in turn until a chunk has about the
    size that suits the whole."""
    lengths = [float(length or 1024) for length in shape]
    whole = math.prod(lengths) * item_size
    target = _CHUNK_BASE * 2 ** math.log10(whole / (1024.0 * 1024)) if whole else _CHUNK_LEAST
    target = min(max(target, _CHUNK_LEAST), _CHUNK_MOST)
    axis = 0
    while True:
        size = math.prod(lengths) * item_size
        is_near = size < target or abs(size - target) / target < 0.5
        if (is_near and size < _CHUNK_MOST) or math.prod(lengths) == 1:
            return tuple(int(length) for length in lengths)
        at = axis % len(lengths)
        lengths[at] = float(math.ceil(lengths[at] / 2.0))
        axis += 1
