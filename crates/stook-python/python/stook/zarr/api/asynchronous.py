"""The functions of the Zarr API for coroutines: those of :mod:`.synchronous`, each in a thread.

The engine holds no lock of Python's, so that other tasks go on meanwhile. Long because signatures
are: a function is one call.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any, Literal

from ..core._create import (
    DEFAULT_FILL_VALUE,
    CompressorLike,
    CompressorsLike,
    FiltersLike,
    SerializerLike,
    ShardsLike,
)
from ..core._deprecated import deprecated
from ..core._hierarchy import create_hierarchy as _create_hierarchy
from ..core.array import Array, AsyncArray
from ..core.group import AsyncGroup, Group
from ..errors import ZarrDeprecationWarning
from . import synchronous

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import numpy.typing as npt

    from ..core._copy import _IfExists
    from ..core.array_spec import ArrayConfigLike
    from ..core.common import JSON, AccessModeLiteral, MemoryOrder, ZarrFormat
    from ..storage import StoreLike

__all__ = [
    "array",
    "consolidate_metadata",
    "copy",
    "copy_all",
    "copy_store",
    "create",
    "create_array",
    "create_group",
    "create_hierarchy",
    "empty",
    "empty_like",
    "from_array",
    "full",
    "full_like",
    "group",
    "load",
    "ones",
    "ones_like",
    "open",
    "open_array",
    "open_consolidated",
    "open_group",
    "open_like",
    "save",
    "save_array",
    "save_group",
    "tree",
    "zeros",
    "zeros_like",
]


async def _run(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function for scripts returns, as its twin for coroutines."""
    context = contextvars.copy_context()
    found = await asyncio.to_thread(context.run, work, *args, **kwargs)
    if isinstance(found, Array):
        return found.async_array
    return found._async_group if isinstance(found, Group) else found


async def create_hierarchy(
    *, store: Any, nodes: dict[str, Any], overwrite: bool = False
) -> AsyncIterator[tuple[str, AsyncArray[Any] | AsyncGroup]]:
    """See :func:`zarr.create_hierarchy`."""

    def work() -> list[tuple[str, AsyncArray[Any] | AsyncGroup]]:
        return list(_create_hierarchy(store=store, nodes=nodes, overwrite=overwrite))

    for item in await asyncio.to_thread(work):
        yield item


async def array(
    data: npt.ArrayLike | Array[Any],
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.array`."""
    return await _run(
        synchronous.array,
        data,
        **kwargs,
    )


async def consolidate_metadata(
    store: StoreLike,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
) -> AsyncGroup:
    """See :func:`zarr.consolidate_metadata`."""
    return await _run(
        synchronous.consolidate_metadata,
        store,
        path,
        zarr_format,
    )


async def copy(
    source: Any,
    dest: Any,
    name: str | None = None,
    shallow: bool = False,
    without_attrs: bool = False,
    log: Any = None,
    if_exists: _IfExists = "raise",
    dry_run: bool = False,
    **create_kws: Any,
) -> tuple[int, int, int]:
    """See :func:`zarr.copy`."""
    return await _run(
        synchronous.copy,
        source,
        dest,
        name,
        shallow,
        without_attrs,
        log,
        if_exists,
        dry_run,
        **create_kws,
    )


async def copy_all(
    source: Any,
    dest: Any,
    shallow: bool = False,
    without_attrs: bool = False,
    log: Any = None,
    if_exists: _IfExists = "raise",
    dry_run: bool = False,
    **create_kws: Any,
) -> tuple[int, int, int]:
    """See :func:`zarr.copy_all`."""
    return await _run(
        synchronous.copy_all,
        source,
        dest,
        shallow,
        without_attrs,
        log,
        if_exists,
        dry_run,
        **create_kws,
    )


async def copy_store(
    source: Any,
    dest: Any,
    source_path: str = "",
    dest_path: str = "",
    excludes: Any = None,
    includes: Any = None,
    flags: int = 0,
    if_exists: Literal["raise", "replace", "skip"] = "raise",
    dry_run: bool = False,
    log: Any = None,
) -> tuple[int, int, int]:
    """See :func:`zarr.copy_store`."""
    return await _run(
        synchronous.copy_store,
        source,
        dest,
        source_path,
        dest_path,
        excludes,
        includes,
        flags,
        if_exists,
        dry_run,
        log,
    )


async def create(
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
) -> AsyncArray[Any]:
    """See :func:`zarr.create`."""
    return await _run(
        synchronous.create,
        shape,
        chunks=chunks,
        dtype=dtype,
        compressor=compressor,
        fill_value=fill_value,
        order=order,
        store=store,
        synchronizer=synchronizer,
        overwrite=overwrite,
        path=path,
        chunk_store=chunk_store,
        filters=filters,
        cache_metadata=cache_metadata,
        cache_attrs=cache_attrs,
        read_only=read_only,
        object_codec=object_codec,
        dimension_separator=dimension_separator,
        write_empty_chunks=write_empty_chunks,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        meta_array=meta_array,
        attributes=attributes,
        chunk_shape=chunk_shape,
        chunk_key_encoding=chunk_key_encoding,
        codecs=codecs,
        dimension_names=dimension_names,
        storage_options=storage_options,
        config=config,
        **kwargs,
    )


async def create_array(
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
) -> AsyncArray[Any]:
    """See :func:`zarr.create_array`."""
    return await _run(
        synchronous.create_array,
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


async def create_group(
    *,
    store: StoreLike,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
    overwrite: bool = False,
    attributes: dict[str, Any] | None = None,
    storage_options: dict[str, Any] | None = None,
) -> AsyncGroup:
    """See :func:`zarr.create_group`."""
    return await _run(
        synchronous.create_group,
        store=store,
        path=path,
        zarr_format=zarr_format,
        overwrite=overwrite,
        attributes=attributes,
        storage_options=storage_options,
    )


async def empty(
    shape: tuple[int, ...],
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.empty`."""
    return await _run(
        synchronous.empty,
        shape,
        **kwargs,
    )


async def empty_like(
    a: Any,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.empty_like`."""
    return await _run(
        synchronous.empty_like,
        a,
        **kwargs,
    )


async def from_array(
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
) -> AsyncArray[Any]:
    """See :func:`zarr.from_array`."""
    return await _run(
        synchronous.from_array,
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


async def full(
    shape: tuple[int, ...],
    fill_value: Any,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.full`."""
    return await _run(
        synchronous.full,
        shape,
        fill_value,
        **kwargs,
    )


async def full_like(
    a: Any,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.full_like`."""
    return await _run(
        synchronous.full_like,
        a,
        **kwargs,
    )


async def group(
    *,
    store: StoreLike | None = None,
    overwrite: bool = False,
    chunk_store: StoreLike | None = None,
    cache_attrs: bool | None = None,
    synchronizer: Any | None = None,
    path: str | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    meta_array: Any | None = None,
    attributes: dict[str, JSON] | None = None,
    storage_options: dict[str, Any] | None = None,
) -> AsyncGroup:
    """See :func:`zarr.group`."""
    return await _run(
        synchronous.group,
        store=store,
        overwrite=overwrite,
        chunk_store=chunk_store,
        cache_attrs=cache_attrs,
        synchronizer=synchronizer,
        path=path,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        meta_array=meta_array,
        attributes=attributes,
        storage_options=storage_options,
    )


async def load(
    *,
    store: StoreLike,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
    zarr_version: ZarrFormat | None = None,
) -> Any:
    """See :func:`zarr.load`."""
    return await _run(
        synchronous.load,
        store=store,
        path=path,
        zarr_format=zarr_format,
        zarr_version=zarr_version,
    )


async def ones(
    shape: tuple[int, ...],
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.ones`."""
    return await _run(
        synchronous.ones,
        shape,
        **kwargs,
    )


async def ones_like(
    a: Any,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.ones_like`."""
    return await _run(
        synchronous.ones_like,
        a,
        **kwargs,
    )


async def open(
    *,
    store: StoreLike | None = None,
    mode: AccessModeLiteral | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> AsyncArray[Any] | AsyncGroup:
    """See :func:`zarr.open`."""
    return await _run(
        synchronous.open,
        store=store,
        mode=mode,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        path=path,
        storage_options=storage_options,
        **kwargs,
    )


async def open_array(
    *,
    store: StoreLike | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str = "",
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.open_array`."""
    return await _run(
        synchronous.open_array,
        store=store,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        path=path,
        storage_options=storage_options,
        **kwargs,
    )


async def open_consolidated(
    *args: Any,
    use_consolidated: Literal[True] = True,
    **kwargs: Any,
) -> AsyncGroup:
    """See :func:`zarr.open_consolidated`."""
    return await _run(
        synchronous.open_consolidated,
        *args,
        use_consolidated=use_consolidated,
        **kwargs,
    )


async def open_group(
    store: StoreLike | None = None,
    *,
    mode: AccessModeLiteral = "a",
    cache_attrs: bool | None = None,
    synchronizer: Any = None,
    path: str | None = None,
    chunk_store: StoreLike | None = None,
    storage_options: dict[str, Any] | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    meta_array: Any | None = None,
    attributes: dict[str, JSON] | None = None,
    use_consolidated: bool | str | None = None,
) -> AsyncGroup:
    """See :func:`zarr.open_group`."""
    return await _run(
        synchronous.open_group,
        store,
        mode=mode,
        cache_attrs=cache_attrs,
        synchronizer=synchronizer,
        path=path,
        chunk_store=chunk_store,
        storage_options=storage_options,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        meta_array=meta_array,
        attributes=attributes,
        use_consolidated=use_consolidated,
    )


async def open_like(
    a: Any,
    path: str,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.open_like`."""
    return await _run(
        synchronous.open_like,
        a,
        path,
        **kwargs,
    )


async def save(
    store: StoreLike,
    *args: Any,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    **kwargs: Any,
) -> None:
    """See :func:`zarr.save`."""
    return await _run(
        synchronous.save,
        store,
        *args,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        path=path,
        **kwargs,
    )


async def save_array(
    store: StoreLike,
    arr: Any,
    *,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """See :func:`zarr.save_array`."""
    return await _run(
        synchronous.save_array,
        store,
        arr,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        path=path,
        storage_options=storage_options,
        **kwargs,
    )


async def save_group(
    store: StoreLike,
    *args: Any,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """See :func:`zarr.save_group`."""
    return await _run(
        synchronous.save_group,
        store,
        *args,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        path=path,
        storage_options=storage_options,
        **kwargs,
    )


@deprecated("Use AsyncGroup.tree instead.", category=ZarrDeprecationWarning)
async def tree(grp: AsyncGroup, expand: bool | None = None, level: int | None = None) -> Any:
    """See :meth:`zarr.Group.tree`."""
    return await grp.tree(expand=expand, level=level)


async def zeros(
    shape: tuple[int, ...],
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.zeros`."""
    return await _run(
        synchronous.zeros,
        shape,
        **kwargs,
    )


async def zeros_like(
    a: Any,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """See :func:`zarr.zeros_like`."""
    return await _run(
        synchronous.zeros_like,
        a,
        **kwargs,
    )
