"""Metadata of arrays that are to be made, from the arguments of the functions that make them.

What comes out is, as JSON, the document that zarr-python writes for the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from ...abc.codec import BytesBytesCodec, Codec
from ..array_spec import ArrayConfigLike, parse_array_config
from ..chunk_grids import (
    ChunkGrid,
    _auto_partition,
    check_storable,
    chunk_grid_of,
    normalize_chunks,
)
from ..chunk_key_encodings import (
    ChunkKeyEncoding,
    DefaultChunkKeyEncoding,
    V2ChunkKeyEncoding,
    parse_chunk_key_encoding,
)
from ..codec_chain import codecs_from_list
from ..common import ZarrFormat, _default_zarr_format, _warn_order_kwarg, parse_shapelike
from ..config import config as zarr_config
from ..dtype import ZDType, parse_dtype
from ..dtype.common import HasItemSize
from ..rectilinear import is_edges
from .defaults import (
    default_compressor_v2,
    default_compressors_v3,
    default_filters_v2,
    default_filters_v3,
    default_serializer_v3,
)
from .encoding import is_word, parse_chunk_encoding_v2, parse_chunk_encoding_v3
from .v2 import ArrayV2Metadata
from .v3 import ArrayV3Metadata

__all__ = [
    "DEFAULT_FILL_VALUE",
    "DefaultFillValue",
    "build_array_document",
    "build_array_document_legacy",
]


class DefaultFillValue:
    """What says that nobody chose a fill value: None is one in version 2, and so is any text."""

    def __repr__(self) -> str:
        return "DEFAULT_FILL_VALUE"


DEFAULT_FILL_VALUE = DefaultFillValue()


def build_array_document(
    *,
    shape: Any,
    dtype: Any,
    chunks: Any = "auto",
    shards: Any = None,
    filters: Any = "auto",
    compressors: Any = "auto",
    serializer: Any = "auto",
    fill_value: Any = DEFAULT_FILL_VALUE,
    order: Any = None,
    zarr_format: ZarrFormat | None = 3,
    attributes: dict[str, Any] | None = None,
    chunk_key_encoding: Any = None,
    dimension_names: Any = None,
) -> ArrayV2Metadata | ArrayV3Metadata:
    """The metadata for the arguments of ``zarr.create_array``.

    Parameters
    ----------
    shape, dtype, chunks, shards, filters, compressors, serializer, fill_value, order, \
zarr_format, attributes, chunk_key_encoding, dimension_names
        As ``zarr.create_array`` has them.

    Raises
    ------
    ValueError, TypeError
        If an argument is none, or they do not fit together.
    """
    if zarr_format is None:
        zarr_format = _default_zarr_format()
    zdtype = parse_dtype(dtype, zarr_format=zarr_format)
    extents = parse_shapelike(shape)
    keys = _parse_chunk_key_encoding(chunk_key_encoding, zarr_format)
    if chunks is None or chunks is True:
        chunks = "auto"
    shard_shape, chunk_shape = _auto_partition(
        array_shape=extents,
        shard_shape=shards,
        chunk_shape=chunks,
        item_size=_item_size(zdtype),
    )
    if zarr_format == 2:
        if shard_shape is not None:
            raise ValueError(
                "Zarr format 2 arrays can only be created with `shard_shape` set to `None`. "
                f"Got `shard_shape={shards}` instead."
            )
        if not is_word(serializer, "auto"):
            raise ValueError("Zarr format 2 arrays do not support `serializer`.")
        filters_v2, compressor = parse_chunk_encoding_v2(
            compressor=compressors, filters=filters, dtype=zdtype
        )
        if dimension_names is not None:
            raise ValueError("Zarr format 2 arrays do not support dimension names.")
        return _metadata_v2(
            shape=extents,
            dtype=zdtype,
            chunks=_regular_chunks(chunk_shape, extents),
            order=zarr_config.get("array.order") if order is None else order,
            dimension_separator=cast("V2ChunkKeyEncoding", keys).separator,
            fill_value=fill_value,
            filters=filters_v2,
            compressor=compressor,
            attributes=attributes,
        )
    if zarr_format != 3:
        raise ValueError(f"zarr_format must be 2 or 3, got {zarr_format}")
    codecs = parse_chunk_encoding_v3(
        compressors=compressors, filters=filters, serializer=serializer, dtype=zdtype
    )
    grid = chunk_grid_of(chunk_shape, extents)
    if shard_shape is not None:
        grid, codecs = _sharded(grid, shard_shape, shards, codecs, extents, zdtype)
    if order is not None:
        _warn_order_kwarg()
    return _metadata_v3(
        shape=extents,
        dtype=zdtype,
        chunk_grid=grid,
        fill_value=fill_value,
        chunk_key_encoding=keys,
        codecs=codecs,
        dimension_names=dimension_names,
        attributes=attributes,
    )


def build_array_document_legacy(
    *,
    shape: Any,
    dtype: Any,
    zarr_format: ZarrFormat = 3,
    fill_value: Any = DEFAULT_FILL_VALUE,
    attributes: dict[str, Any] | None = None,
    chunk_shape: Any = None,
    chunk_key_encoding: Any = None,
    codecs: Iterable[Any] | None = None,
    dimension_names: Any = None,
    chunks: Any = None,
    dimension_separator: Any = None,
    order: Any = None,
    filters: Any = None,
    compressor: Any = "auto",
    config: ArrayConfigLike | None = None,
) -> ArrayV2Metadata | ArrayV3Metadata:
    """The metadata for the arguments of ``zarr.create``, which knows both versions' own words.

    Raises
    ------
    ValueError, TypeError
        If an argument is none, belongs to the other version, or they do not fit together.
    """
    zdtype = parse_dtype(dtype, zarr_format=zarr_format)
    extents = parse_shapelike(shape)
    if chunks is not None and chunk_shape is not None:
        raise ValueError("Only one of chunk_shape or chunks can be provided.")
    wanted = chunks if chunks else chunk_shape
    if zarr_format == 3 and _is_irregular(wanted):
        edges = wanted
    else:
        edges = normalize_chunks(wanted, extents, _item_size(zdtype))
    if zarr_format == 3:
        _refuse_words_of_v2(dimension_separator, filters, compressor)
        if order is not None:
            _warn_order_kwarg()
        return _metadata_v3(
            shape=extents,
            dtype=zdtype,
            chunk_grid=chunk_grid_of(edges, extents),
            fill_value=fill_value,
            chunk_key_encoding=_legacy_keys(chunk_key_encoding),
            codecs=codecs,
            dimension_names=dimension_names,
            attributes=attributes,
        )
    if zarr_format != 2:
        raise ValueError(f"zarr_format must be 2 or 3, got {zarr_format}")
    _refuse_words_of_v3(codecs, chunk_key_encoding, dimension_names)
    return _metadata_v2(
        shape=extents,
        dtype=zdtype,
        chunks=edges,
        order=parse_array_config(config).order if order is None else order,
        dimension_separator=dimension_separator or ".",
        fill_value=fill_value,
        filters=default_filters_v2(zdtype) if filters is None else filters,
        compressor=_legacy_compressor(compressor, zdtype),
        attributes=attributes,
    )


def _is_irregular(chunks: Any) -> bool:
    """Whether edges were given for each chunk, and may be."""
    return (
        bool(zarr_config.get("array.rectilinear_chunks", False))
        and isinstance(chunks, list | tuple)
        and any(is_edges(edges) for edges in chunks)
    )


def _refuse_words_of_v2(dimension_separator: Any, filters: Any, compressor: Any) -> None:
    if dimension_separator is not None:
        raise ValueError(
            "dimension_separator cannot be used for arrays with zarr_format 3. "
            "Use chunk_key_encoding instead."
        )
    if filters is not None:
        raise ValueError(
            "filters cannot be used for arrays with zarr_format 3. "
            "Use array-to-array codecs instead."
        )
    if not is_word(compressor, "auto"):
        raise ValueError(
            "compressor cannot be used for arrays with zarr_format 3. "
            "Use bytes-to-bytes codecs instead."
        )


def _refuse_words_of_v3(codecs: Any, chunk_key_encoding: Any, dimension_names: Any) -> None:
    if codecs is not None:
        raise ValueError(
            "codecs cannot be used for arrays with zarr_format 2. "
            "Use filters and compressor instead."
        )
    if chunk_key_encoding is not None:
        raise ValueError(
            "chunk_key_encoding cannot be used for arrays with zarr_format 2. "
            "Use dimension_separator instead."
        )
    if dimension_names is not None:
        raise ValueError("dimension_names cannot be used for arrays with zarr_format 2.")


def _legacy_keys(data: Any) -> Any:
    if isinstance(data, tuple):
        kind = V2ChunkKeyEncoding if data[0] == "v2" else DefaultChunkKeyEncoding
        return kind(separator=data[1])
    return data


def _legacy_compressor(compressor: Any, dtype: ZDType[Any, Any]) -> Any:
    if is_word(compressor, "auto"):
        return default_compressor_v2(dtype)
    if isinstance(compressor, BytesBytesCodec):
        raise ValueError(
            "Cannot use a BytesBytesCodec as a compressor for zarr v2 arrays. "
            "Use a numcodecs codec directly instead."
        )
    return compressor


def _item_size(dtype: ZDType[Any, Any]) -> int:
    return dtype.item_size if isinstance(dtype, HasItemSize) else 1


def _regular_chunks(chunks: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    grid = chunk_grid_of(chunks, shape)
    chunk_shape = getattr(grid, "chunk_shape", None)
    if chunk_shape is None:
        raise ValueError("Zarr format 2 does not support rectilinear chunk grids.")
    return cast("tuple[int, ...]", chunk_shape)


def _sharded(
    inner: ChunkGrid,
    shard_shape: Any,
    shards: Any,
    codecs: tuple[Codec, ...],
    shape: tuple[int, ...],
    dtype: ZDType[Any, Any],
) -> tuple[ChunkGrid, tuple[Codec, ...]]:
    """The grid of shards, and the codec that puts the chunks into them."""
    from ...codecs.sharding import ShardingCodec, ShardingCodecIndexLocation

    chunk_shape = getattr(inner, "chunk_shape", None)
    if chunk_shape is None:
        raise ValueError(
            "Rectilinear chunks with sharding is not supported. "
            "Use rectilinear shards instead: "
            "chunks=(inner_size, ...), shards=[[shard_sizes], ...]"
        )
    location = ShardingCodecIndexLocation.end
    if isinstance(shards, dict) and "index_location" in shards:
        location = ShardingCodecIndexLocation(shards["index_location"])
    grid = chunk_grid_of(shard_shape, shape, unit=chunk_shape)
    codec = ShardingCodec(chunk_shape=chunk_shape, codecs=codecs, index_location=location)
    codec.validate(shape=chunk_shape, dtype=dtype, chunk_grid=grid)
    return grid, (codec,)


def _metadata_v3(*, codecs: Iterable[Any] | None, **values: Any) -> ArrayV3Metadata:
    dtype = values.pop("dtype")
    if codecs is None:
        codecs = (
            *default_filters_v3(dtype),
            default_serializer_v3(dtype),
            *default_compressors_v3(dtype),
        )
    fill_value = values.pop("fill_value")
    if fill_value is None or isinstance(fill_value, DefaultFillValue):
        fill_value = dtype.default_scalar()
    keys = values.pop("chunk_key_encoding")
    names = values.pop("dimension_names")
    check_storable(values["chunk_grid"])
    metadata = ArrayV3Metadata(
        data_type=dtype,
        fill_value=fill_value,
        chunk_key_encoding=DefaultChunkKeyEncoding() if keys is None else keys,
        codecs=tuple(codecs),
        dimension_names=tuple(names) if names else None,
        attributes=values.pop("attributes") or {},
        **values,
    )
    codecs_from_list(metadata.codecs)
    return metadata


def _metadata_v2(**values: Any) -> ArrayV2Metadata:
    if isinstance(values["fill_value"], DefaultFillValue):
        values["fill_value"] = values["dtype"].default_scalar()
    return ArrayV2Metadata(**values)


def _parse_chunk_key_encoding(data: Any, zarr_format: ZarrFormat) -> ChunkKeyEncoding:
    if data is None:
        return V2ChunkKeyEncoding() if zarr_format == 2 else DefaultChunkKeyEncoding()
    keys = parse_chunk_key_encoding(data)
    if zarr_format == 2 and keys.name != "v2":
        raise ValueError(
            "Invalid chunk key encoding. For Zarr format 2 arrays, the `name` field of the "
            f"chunk key encoding must be 'v2'. Got `name` = {keys.name} instead."
        )
    return keys
