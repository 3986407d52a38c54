"""The codecs of arrays that are to be made, from the arguments that name them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from ...abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec, Codec
from ...abc.numcodec import Numcodec, _is_numcodec
from ..dtype import VariableLengthBytes, VariableLengthUTF8, ZDType
from ..dtype.common import HasObjectCodec
from .defaults import (
    default_compressor_v2,
    default_compressors_v3,
    default_filters_v2,
    default_filters_v3,
    default_serializer_v3,
)
from .v2 import get_object_codec_id, parse_compressor, parse_filters


def is_word(value: Any, word: str) -> bool:
    """Whether an argument is a certain word; codecs and arrays need not know how to compare."""
    return isinstance(value, str) and value == word


def parse_chunk_encoding_v2(
    *, compressor: Any, filters: Any, dtype: ZDType[Any, Any]
) -> tuple[tuple[Numcodec, ...] | None, Numcodec | None]:
    """Filters and compressor of an array of version 2."""
    chosen = _parse_compressor_v2(compressor, dtype)
    if is_word(filters, "auto"):
        parsed = default_filters_v2(dtype)
    else:
        if isinstance(filters, Iterable):
            filters = list(filters)
            for index, item in enumerate(filters):
                if not _is_numcodec(item):
                    raise TypeError(
                        "For Zarr format 2 arrays, all elements of `filters` must be numcodecs "
                        f"codecs. Element at index {index} has type {type(item)}, which is not "
                        "a numcodecs codec."
                    )
        parsed = parse_filters(filters)
    if isinstance(dtype, HasObjectCodec):
        _require_object_codec(dtype, (*(parsed or ()), chosen))
    return parsed, chosen


def _parse_compressor_v2(compressor: Any, dtype: ZDType[Any, Any]) -> Numcodec | None:
    if compressor is None or (isinstance(compressor, tuple) and len(compressor) == 0):
        return None
    if is_word(compressor, "auto"):
        return default_compressor_v2(dtype)
    if isinstance(compressor, tuple | list) and len(compressor) == 1:
        return parse_compressor(compressor[0])
    if isinstance(compressor, Iterable) and not isinstance(compressor, dict):
        raise TypeError(
            "For Zarr format 2 arrays, the `compressor` must be a single codec. "
            f"Got an iterable with type {type(compressor)} instead."
        )
    return parse_compressor(compressor)


def _require_object_codec(dtype: Any, codecs: Iterable[Numcodec | None]) -> None:
    """ValueError unless a codec says what the objects are."""
    configs = [codec.get_config() for codec in codecs if codec is not None]
    if get_object_codec_id(configs) is not None:
        return
    if isinstance(dtype, VariableLengthUTF8):
        name = "the numcodecs.VLenUTF8 codec"
    elif isinstance(dtype, VariableLengthBytes):
        name = "the numcodecs.VLenBytes codec"
    else:
        name = f"an unknown object codec with id {dtype.object_codec_id!r}"
    raise ValueError(
        f"Data type {dtype} requires {name}, but no such codec was specified in the filters or "
        "compressor parameters for this array. "
    )


def parse_chunk_encoding_v3(
    *, compressors: Any, filters: Any, serializer: Any, dtype: ZDType[Any, Any]
) -> tuple[Codec, ...]:
    """The chain of codecs of an array of version 3."""
    from ...registry import (
        _parse_array_array_codec,
        _parse_array_bytes_codec,
        _parse_bytes_bytes_codec,
    )

    array_array: Iterable[ArrayArrayCodec] = default_filters_v3(dtype)
    if not is_word(filters, "auto"):
        array_array = map(_parse_array_array_codec, _listed(filters))
    array_bytes: ArrayBytesCodec
    if is_word(serializer, "auto"):
        array_bytes = default_serializer_v3(dtype)
    else:
        array_bytes = _parse_array_bytes_codec(serializer)
    bytes_bytes: Iterable[BytesBytesCodec] = default_compressors_v3(dtype)
    if not is_word(compressors, "auto"):
        bytes_bytes = map(_parse_bytes_bytes_codec, _listed(compressors))
    # In this order: the first argument that is wrong is the one that is named.
    before = tuple(array_array)
    return (*before, array_bytes, *bytes_bytes)


def _listed(codecs: Any) -> Iterable[Any]:
    if codecs is None:
        return ()
    if isinstance(codecs, dict | ArrayArrayCodec | ArrayBytesCodec | BytesBytesCodec):
        return (codecs,)
    return cast("Iterable[Any]", codecs)
