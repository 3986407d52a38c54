"""What the configuration says where nobody set anything.

Classes have the names that zarr-python gives them, so that a script finds the values it compares
with; ``stook.zarr.registry`` knows its own classes by these names.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULTS", "REMOVED"]

_NUMCODECS = {
    "bz2": "BZ2",
    "crc32": "CRC32",
    "crc32c": "CRC32C",
    "lz4": "LZ4",
    "lzma": "LZMA",
    "zfpy": "ZFPY",
    "adler32": "Adler32",
    "astype": "AsType",
    "bitround": "BitRound",
    "blosc": "Blosc",
    "delta": "Delta",
    "fixedscaleoffset": "FixedScaleOffset",
    "fletcher32": "Fletcher32",
    "gzip": "GZip",
    "jenkins_lookup3": "JenkinsLookup3",
    "pcodec": "PCodec",
    "packbits": "PackBits",
    "shuffle": "Shuffle",
    "quantize": "Quantize",
    "zlib": "Zlib",
    "zstd": "Zstd",
}

DEFAULTS: dict[str, Any] = {
    "default_zarr_format": 3,
    "array": {
        "order": "C",
        "write_empty_chunks": False,
        "read_missing_chunks": True,
        "target_shard_size_bytes": None,
        "rectilinear_chunks": False,
    },
    "async": {"concurrency": 10, "timeout": None},
    "threading": {"max_workers": None},
    "json_indent": 2,
    "codec_pipeline": {
        "path": "zarr.core.codec_pipeline.BatchedCodecPipeline",
        "batch_size": 1,
    },
    "codecs": {
        "blosc": "zarr.codecs.blosc.BloscCodec",
        "gzip": "zarr.codecs.gzip.GzipCodec",
        "zstd": "zarr.codecs.zstd.ZstdCodec",
        "bytes": "zarr.codecs.bytes.BytesCodec",
        "endian": "zarr.codecs.bytes.BytesCodec",
        "crc32c": "zarr.codecs.crc32c_.Crc32cCodec",
        "sharding_indexed": "zarr.codecs.sharding.ShardingCodec",
        "transpose": "zarr.codecs.transpose.TransposeCodec",
        "vlen-utf8": "zarr.codecs.vlen_utf8.VLenUTF8Codec",
        "vlen-bytes": "zarr.codecs.vlen_utf8.VLenBytesCodec",
        "scale_offset": "zarr.codecs.scale_offset.ScaleOffset",
        "cast_value": "zarr.codecs.cast_value.CastValue",
    }
    | {f"numcodecs.{id_}": f"zarr.codecs.numcodecs.{name}" for id_, name in _NUMCODECS.items()},
    "buffer": "zarr.buffer.cpu.Buffer",
    "ndbuffer": "zarr.buffer.cpu.NDBuffer",
}

# Names that zarr-python 3.1 took away: setting one is an error there, so it is one here.
REMOVED: dict[str, str | None] = dict.fromkeys(
    (
        "array.v2_default_compressor.numeric",
        "array.v2_default_compressor.string",
        "array.v2_default_compressor.bytes",
        "array.v2_default_filters.string",
        "array.v2_default_filters.bytes",
        "array.v3_default_filters.numeric",
        "array.v3_default_filters.raw",
        "array.v3_default_filters.bytes",
        "array.v3_default_serializer.numeric",
        "array.v3_default_serializer.string",
        "array.v3_default_serializer.bytes",
        "array.v3_default_compressors.string",
        "array.v3_default_compressors.bytes",
        "array.v3_default_compressors",
    )
)
