"""Functions that create arrays."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..core import _create
from ..core._create import (
    DEFAULT_FILL_VALUE,
    CompressorLike,
    CompressorsLike,
    FiltersLike,
    SerializerLike,
    ShardsLike,
)
from ..core._open import store_path_of
from ..core.array import Array, AsyncArray
from ..core.array_spec import ArrayConfig, parse_array_config
from ..core.common import _default_zarr_format, _warn_write_empty_chunks_kwarg
from ..errors import ZarrDeprecationWarning, ZarrRuntimeWarning, ZarrUserWarning

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from ..core.array_spec import ArrayConfigLike
    from ..core.common import JSON, MemoryOrder, ZarrFormat
    from ..storage import StoreLike

__all__ = [
    "array",
    "create",
    "create_array",
    "empty",
    "empty_like",
    "from_array",
    "full",
    "full_like",
    "like_args",
    "one_format",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def one_format(
    zarr_version: ZarrFormat | None, zarr_format: ZarrFormat | None
) -> ZarrFormat | None:
    """The format, which had another name once.

    Raises
    ------
    ValueError
        If there are two of them.
    """
    if zarr_version is None:
        return zarr_format
    if zarr_format is not None and zarr_format != zarr_version:
        raise ValueError(
            f"zarr_format {zarr_format} does not match zarr_version {zarr_version}, "
            "please only set one"
        )
    warnings.warn(
        "zarr_version is deprecated, use zarr_format", ZarrDeprecationWarning, stacklevel=3
    )
    return zarr_version


def like_args(a: Any) -> dict[str, Any]:
    """What is to be said to create an array like another."""
    found: dict[str, Any] = {}
    shape = getattr(a, "shape", None)
    if isinstance(shape, tuple):
        found["shape"] = shape
        chunks = getattr(a, "chunks", None)
        if isinstance(chunks, tuple) and len(chunks) == len(shape):
            found["chunks"] = chunks
        elif chunks is None and hasattr(a, "chunklen"):
            found["chunks"] = (a.chunklen, *shape[1:])
    if hasattr(a, "dtype"):
        found["dtype"] = a.dtype
    if isinstance(a, (Array, AsyncArray)):
        metadata: Any = a.metadata
        if metadata.zarr_format == 2:
            found["order"] = a.order
            found["compressor"] = metadata.compressor
            found["filters"] = metadata.filters
        else:
            found["codecs"] = metadata.codecs
            if a.shards is not None:
                # The codecs hold the chunks; the grid is that of the shards.
                found["chunks"] = a.shards
    return found


def create_array(
    store: StoreLike,
    *,
    name: str | None = None,
    shape: Any | None = None,
    dtype: Any | None = None,
    data: Any | None = None,
    chunks: Any = "auto",
    shards: ShardsLike | None = None,
    filters: FiltersLike = "auto",
    compressors: CompressorsLike = "auto",
    serializer: SerializerLike = "auto",
    fill_value: Any | None = DEFAULT_FILL_VALUE,
    order: MemoryOrder | None = None,
    zarr_format: ZarrFormat | None = 3,
    attributes: dict[str, JSON] | None = None,
    chunk_key_encoding: Any | None = None,
    dimension_names: Any = None,
    storage_options: dict[str, Any] | None = None,
    overwrite: bool = False,
    config: ArrayConfigLike | None = None,
    write_data: bool = True,
) -> Array[Any]:
    """Creates an array.

    Parameters
    ----------
    store
        A store, or what stands for one: the path of a folder, a URL, a dict, ...
    name
        The path in the store; by default the root.
    shape, dtype
        What the array is to be, unless ``data`` says it.
    data
        An array whose items it gets.
    chunks
        The shape of a chunk; by default guessed from shape and dtype. With shards, that of a
        chunk within a shard. Lists of lengths, one an axis, make a grid that is not regular.
    shards
        The shape of a shard, ``"auto"``, or a dict with ``shape`` and ``index_location``; by
        default there are none.
    filters, serializer, compressors
        What changes items, what makes bytes of them, and what changes these: codecs, or the
        objects that a document has for them; by default those of the dtype in ``zarr.config``,
        and ``None`` for no filters or no compressors. Format 2 has no serializer, and one
        compressor at most.
    fill_value
        What items are that were never written; by default that of the dtype.
    order
        How items lie in a chunk, of format 2; of format 3 it is a setting of ``config``.
    zarr_format
        The format, 2 or 3.
    attributes
        Its attributes.
    chunk_key_encoding
        How the keys of chunks are made.
    dimension_names
        A name for each axis, in format 3.
    storage_options
        Settings of the store behind a URL.
    overwrite
        Whether what is there goes, once all else is known to be right.
    config
        Settings of the handle.
    write_data
        Whether the items of ``data`` are written.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten.
    ValueError, TypeError
        If an argument is none, or they do not fit together.

    Examples
    --------
    >>> a = zarr.create_array({}, shape=(4, 6), chunks=(2, 3), shards=(4, 6), dtype="int16")
    >>> a.shards, a.chunks, a.cdata_shape
    ((4, 6), (2, 3), (2, 2))
    >>> a[:] = np.arange(24).reshape(4, 6)
    >>> a[::3, 2]
    array([ 2, 20], dtype=int16)
    """
    made = _create.create_array(
        store,
        name=name,
        shape=shape,
        dtype=dtype,
        data=data,
        chunks=chunks,
        shards=shards,
        filters=filters,
        compressors=compressors,
        serializer=serializer,
        fill_value=fill_value,
        order=order,
        zarr_format=zarr_format,
        attributes=attributes,
        chunk_key_encoding=chunk_key_encoding,
        dimension_names=dimension_names,
        storage_options=storage_options,
        overwrite=overwrite,
        config=config,
        write_data=write_data,
    )
    return Array(made)


def from_array(
    store: StoreLike,
    *,
    data: Any,
    write_data: bool = True,
    name: str | None = None,
    chunks: Any = "keep",
    shards: ShardsLike | Literal["keep"] | None = "keep",
    filters: FiltersLike | Literal["keep"] = "keep",
    compressors: CompressorsLike | Literal["keep"] = "keep",
    serializer: SerializerLike | Literal["keep"] = "keep",
    fill_value: Any | None = DEFAULT_FILL_VALUE,
    order: MemoryOrder | None = None,
    zarr_format: ZarrFormat | None = None,
    attributes: dict[str, JSON] | None = None,
    chunk_key_encoding: Any | None = None,
    dimension_names: Any = None,
    storage_options: dict[str, Any] | None = None,
    overwrite: bool = False,
    config: ArrayConfigLike | None = None,
) -> Array[Any]:
    """Creates an array from another, or from anything that numpy makes an array of.

    Parameters
    ----------
    data
        The other array.
    chunks, shards, filters, compressors, serializer
        As for :func:`create_array`; ``"keep"`` takes what an array of Zarr has.
    store, write_data, name, fill_value, order, zarr_format, attributes, chunk_key_encoding, \
dimension_names, storage_options, overwrite, config
        As for :func:`create_array`; what is not given is as the other array has it.

    Examples
    --------
    >>> a = zarr.array(np.arange(6), chunks=(3,))
    >>> b = zarr.from_array({}, data=a, chunks=(2,))
    >>> b.chunks, b[:]
    ((2,), array([0, 1, 2, 3, 4, 5]))
    """
    made = _create.from_array(
        store,
        data=data,
        write_data=write_data,
        name=name,
        chunks=chunks,
        shards=shards,
        filters=filters,
        compressors=compressors,
        serializer=serializer,
        fill_value=fill_value,
        order=order,
        zarr_format=zarr_format,
        attributes=attributes,
        chunk_key_encoding=chunk_key_encoding,
        dimension_names=dimension_names,
        storage_options=storage_options,
        overwrite=overwrite,
        config=config,
    )
    return Array(made)


def create(
    shape: tuple[int, ...] | int,
    *,
    chunks: tuple[int, ...] | int | bool | None = None,
    dtype: Any | None = None,
    compressor: CompressorLike = "auto",
    fill_value: Any | None = DEFAULT_FILL_VALUE,
    order: MemoryOrder | None = None,
    store: StoreLike | None = None,
    synchronizer: Any | None = None,
    overwrite: bool = False,
    path: str | None = None,
    chunk_store: StoreLike | None = None,
    filters: Iterable[Any] | None = None,
    cache_metadata: bool | None = None,
    cache_attrs: bool | None = None,
    read_only: bool | None = None,
    object_codec: Any | None = None,
    dimension_separator: Literal[".", "/"] | None = None,
    write_empty_chunks: bool | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    meta_array: Any | None = None,
    attributes: dict[str, JSON] | None = None,
    chunk_shape: tuple[int, ...] | int | None = None,
    chunk_key_encoding: Any | None = None,
    codecs: Iterable[Any] | None = None,
    dimension_names: Any = None,
    storage_options: dict[str, Any] | None = None,
    config: ArrayConfigLike | None = None,
    **kwargs: Any,
) -> Array[Any]:
    """Creates an array by the words that the documents of each format have.

    Parameters
    ----------
    shape
        The shape; a number for one axis.
    chunks
        The shape of a chunk; a number for all axes; ``True`` guesses, ``False`` makes one chunk.
    dtype
        The dtype; by default float64.
    compressor, filters, dimension_separator
        As a document of format 2 has them.
    chunk_shape, chunk_key_encoding, codecs, dimension_names
        As a document of format 3 has them.
    fill_value
        What items are that were never written; by default that of the dtype.
    order
        How items lie in a chunk, of format 2.
    store, path, storage_options
        As for :func:`open`; by default a new store in memory.
    overwrite
        Whether what is there goes.
    zarr_format
        The format, 2 or 3; by default that of ``zarr.config``.
    attributes
        Its attributes.
    config
        Settings of the handle.
    write_empty_chunks
        A setting of ``config`` now.
    synchronizer, chunk_store, cache_metadata, cache_attrs, read_only, object_codec, meta_array
        Of no effect.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten.
    ValueError
        If an argument belongs to the other format, or is wrong.
    """
    zarr_format = one_format(zarr_version, zarr_format) or _default_zarr_format()
    unused = {
        "synchronizer": synchronizer,
        "chunk_store": chunk_store,
        "cache_metadata": cache_metadata,
        "cache_attrs": cache_attrs,
        "object_codec": object_codec,
        "read_only": read_only,
        "meta_array": meta_array,
    }
    for name, value in unused.items():
        if value is not None:
            warnings.warn(f"{name} is not yet implemented", ZarrRuntimeWarning, stacklevel=2)
    settings = _settings(config, write_empty_chunks)
    mode = kwargs.pop("mode", None) or "a"
    made = _create.create_by_codecs(
        store_path_of(store, path, mode, storage_options),
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        compressor=compressor,
        fill_value=fill_value,
        overwrite=overwrite or mode == "w",
        filters=filters,
        dimension_separator=dimension_separator,
        order=order,
        zarr_format=zarr_format,
        chunk_shape=chunk_shape,
        chunk_key_encoding=chunk_key_encoding,
        codecs=codecs,
        dimension_names=dimension_names,
        attributes=attributes,
        config=settings,
        **kwargs,
    )
    return Array(made)


def _settings(config: ArrayConfigLike | None, write_empty_chunks: bool | None) -> ArrayConfig:
    settings = parse_array_config(config)
    if write_empty_chunks is None:
        return settings
    _warn_write_empty_chunks_kwarg()
    if config is not None:
        warnings.warn(
            "Both write_empty_chunks and config keyword arguments are set. This is redundant. "
            "When both are set, write_empty_chunks will be used instead of the value in config.",
            ZarrUserWarning,
            stacklevel=3,
        )
    return ArrayConfig(settings.order, write_empty_chunks)


def array(data: npt.ArrayLike | Array[Any], **kwargs: Any) -> Array[Any]:
    """Creates an array with items.

    Parameters
    ----------
    data
        The items: anything that numpy makes an array of, or an array of Zarr.
    **kwargs
        For :func:`create`, of an array of Zarr for :func:`from_array`.

    Examples
    --------
    >>> zarr.array([[1, 2], [3, 4]])[1]
    array([3, 4])
    """
    if isinstance(data, Array):
        kwargs.setdefault("store", {})
        return from_array(data=data, **kwargs)
    if not hasattr(data, "shape") or not hasattr(data, "dtype"):
        data = np.asanyarray(data)
    found = like_args(data)
    if kwargs.get("dtype") is None:
        kwargs["dtype"] = found["dtype"]
    if kwargs.get("chunks") is None:
        kwargs["chunks"] = found.get("chunks")
    if kwargs.pop("read_only", False):
        raise ValueError("read_only=True is no longer supported when creating new arrays")
    kwargs["shape"] = found["shape"]
    made = create(**kwargs)
    made[...] = data
    return made


def empty(shape: tuple[int, ...], **kwargs: Any) -> Array[Any]:
    """Creates an array whose items nobody relies on; the rest as for :func:`create`."""
    return create(shape, **kwargs)


def empty_like(a: Any, **kwargs: Any) -> Array[Any]:
    """Creates an array like another whose items nobody relies on.

    Parameters
    ----------
    a
        What has a shape, and perhaps a dtype and chunks.
    **kwargs
        For :func:`create`; what is given here is not taken from ``a``.
    """
    return create(**_with_fill(a, kwargs))


def full(shape: tuple[int, ...], fill_value: Any, **kwargs: Any) -> Array[Any]:
    """Creates an array of one value; the rest as for :func:`create`."""
    return create(shape, fill_value=fill_value, **kwargs)


def full_like(a: Any, **kwargs: Any) -> Array[Any]:
    """Creates an array of one value like another.

    Parameters
    ----------
    a
        What has a shape, and perhaps a dtype and chunks.
    **kwargs
        ``fill_value``, and what else :func:`create` takes.
    """
    return full(**_with_fill(a, kwargs))


def ones(shape: tuple[int, ...], **kwargs: Any) -> Array[Any]:
    """Creates an array of ones; the rest as for :func:`create`."""
    return create(shape, fill_value=1, **kwargs)


def ones_like(a: Any, **kwargs: Any) -> Array[Any]:
    """Creates an array of ones like another; see :func:`empty_like`."""
    return ones(**(like_args(a) | kwargs))


def zeros(shape: tuple[int, ...], **kwargs: Any) -> Array[Any]:
    """Creates an array of zeros; the rest as for :func:`create`."""
    return create(shape, fill_value=0, **kwargs)


def zeros_like(a: Any, **kwargs: Any) -> Array[Any]:
    """Creates an array of zeros like another; see :func:`empty_like`."""
    return zeros(**(like_args(a) | kwargs))


def _with_fill(a: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    found = like_args(a) | kwargs
    if isinstance(a, (Array, AsyncArray)):
        found.setdefault("fill_value", a.metadata.fill_value)
    return found
