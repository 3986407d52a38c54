"""The codecs of arrays of version 3.

Codecs are frozen, compare by their settings, and become the objects of documents by ``to_dict``.
"""

from ..registry import register_codec
from . import numcodecs as _numcodecs
from .blosc import BloscCname, BloscCodec, BloscShuffle
from .bytes import BytesCodec, Endian
from .cast_value import CastValue
from .crc32c_ import Crc32cCodec
from .gzip import GzipCodec
from .scale_offset import ScaleOffset
from .sharding import ShardingCodec, ShardingCodecIndexLocation
from .transpose import TransposeCodec
from .vlen_utf8 import VLenBytesCodec, VLenUTF8Codec
from .zstd import ZstdCodec

__all__ = [
    "BloscCname",
    "BloscCodec",
    "BloscShuffle",
    "BytesCodec",
    "CastValue",
    "Crc32cCodec",
    "Endian",
    "GzipCodec",
    "ScaleOffset",
    "ShardingCodec",
    "ShardingCodecIndexLocation",
    "TransposeCodec",
    "VLenBytesCodec",
    "VLenUTF8Codec",
    "ZstdCodec",
]

register_codec("blosc", BloscCodec)
register_codec("bytes", BytesCodec)
register_codec("endian", BytesCodec)
register_codec("crc32c", Crc32cCodec)
register_codec("gzip", GzipCodec)
register_codec("sharding_indexed", ShardingCodec)
register_codec("zstd", ZstdCodec)
register_codec("vlen-utf8", VLenUTF8Codec)
register_codec("vlen-bytes", VLenBytesCodec)
register_codec("transpose", TransposeCodec)
register_codec("scale_offset", ScaleOffset)
register_codec("cast_value", CastValue)
for _name in _numcodecs.__all__:
    _cls = getattr(_numcodecs, _name)
    if not _name.startswith("_"):
        register_codec(_cls.codec_name, _cls, qualname=f"zarr.codecs.numcodecs.{_name}")
del _name, _cls
