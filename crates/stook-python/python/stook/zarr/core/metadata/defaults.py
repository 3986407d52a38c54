"""The codecs of arrays where nobody chooses."""

from __future__ import annotations

from typing import Any

from ...abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from ...abc.numcodec import Numcodec
from ..dtype import ZDType
from ..dtype.common import HasEndianness, HasObjectCodec
from ..numcodec import get_numcodec

__all__ = [
    "default_compressor_v2",
    "default_compressors_v3",
    "default_filters_v2",
    "default_filters_v3",
    "default_serializer_v3",
]


def _unknown_object_codec(dtype: Any) -> ValueError:
    return ValueError(
        f"Data type {dtype} requires an unknown object codec: {dtype.object_codec_id!r}."
    )


def default_filters_v3(dtype: ZDType[Any, Any]) -> tuple[ArrayArrayCodec, ...]:
    """None, whatever the type."""
    return ()


def default_compressors_v3(dtype: ZDType[Any, Any]) -> tuple[BytesBytesCodec, ...]:
    """Zstandard, whatever the type."""
    from ...codecs.zstd import ZstdCodec

    return (ZstdCodec(),)


def default_serializer_v3(dtype: ZDType[Any, Any]) -> ArrayBytesCodec:
    """Bytes in little endian order; texts and bytes of any length have codecs of their own."""
    from ...codecs.bytes import BytesCodec
    from ...codecs.vlen_utf8 import VLenBytesCodec, VLenUTF8Codec

    if isinstance(dtype, HasEndianness):
        return BytesCodec(endian="little")
    if not isinstance(dtype, HasObjectCodec):
        return BytesCodec(endian=None)
    if dtype.object_codec_id == "vlen-bytes":
        return VLenBytesCodec()
    if dtype.object_codec_id == "vlen-utf8":
        return VLenUTF8Codec()
    raise _unknown_object_codec(dtype)


def default_filters_v2(dtype: ZDType[Any, Any]) -> tuple[Numcodec, ...] | None:
    """The codec that says what objects are, for types of objects."""
    if not isinstance(dtype, HasObjectCodec):
        return None
    if dtype.object_codec_id not in ("vlen-bytes", "vlen-utf8"):
        raise _unknown_object_codec(dtype)
    return (get_numcodec({"id": dtype.object_codec_id}),)


def default_compressor_v2(dtype: ZDType[Any, Any]) -> Numcodec:
    """Zstandard, whatever the type."""
    codec: Numcodec = get_numcodec({"id": "zstd", "level": 0, "checksum": False})
    return codec
