"""Creating arrays: the metadata that arguments ask for, the node, and the items."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..errors import ZarrUserWarning
from ._engine import create_node, keeps_documents, store_path_of
from .array_spec import parse_array_config
from .common import _default_zarr_format
from .indexing import basic_indexer
from .metadata import (
    DEFAULT_FILL_VALUE,
    ArrayV2Metadata,
    ArrayV3Metadata,
    DefaultFillValue,
    build_array_document,
    build_array_document_legacy,
)

if TYPE_CHECKING:
    from ..storage._common import StorePath
    from .array import AsyncArray
    from .common import ZarrFormat

__all__ = [
    "DEFAULT_FILL_VALUE",
    "CompressorLike",
    "CompressorsLike",
    "DefaultFillValue",
    "FiltersLike",
    "SerializerLike",
    "ShardsLike",
    "create_array",
    "create_by_codecs",
    "from_array",
    "init_array",
    "keep_from",
    "parse_deprecated_compressor",
]

#: A codec is one of this package, of numcodecs, or the object that a document has for it.
FiltersLike: TypeAlias = Iterable[Any] | Any | Literal["auto"] | None
CompressorLike: TypeAlias = Mapping[str, Any] | Any | Literal["auto"] | None
CompressorsLike: TypeAlias = Iterable[Any] | Mapping[str, Any] | Any | Literal["auto"] | None
SerializerLike: TypeAlias = Mapping[str, Any] | Any | Literal["auto"]
ShardsLike: TypeAlias = tuple[int, ...] | Mapping[str, Any] | Literal["auto"]

#: Pieces of whole shards that are copied at once have about so many bytes.
_BLOCK_LEN_BYTES = 64 << 20


def _make(
    store_path: StorePath,
    metadata: ArrayV2Metadata | ArrayV3Metadata,
    overwrite: bool,
    config: Any,
) -> AsyncArray[Any]:
    """Writes the documents, once all is known to be right."""
    from .array import AsyncArray

    create_node(store_path, metadata.to_dict(), overwrite=overwrite)
    kept = metadata if keeps_documents(store_path) else None
    made: AsyncArray[Any] = AsyncArray._of(store_path, metadata=kept, config=config)
    return made


def init_array(
    *,
    store_path: StorePath,
    zarr_format: ZarrFormat | None = 3,
    overwrite: bool = False,
    config: Any = None,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """Creates an array without items; the other arguments are those of
    :func:`zarr.create_array`."""
    metadata = build_array_document(
        zarr_format=zarr_format or _default_zarr_format(),
        **kwargs,
    )
    return _make(store_path, metadata, overwrite, config)


def create_by_codecs(
    store: Any,
    *,
    shape: Any,
    dtype: Any,
    zarr_format: ZarrFormat = 3,
    overwrite: bool = False,
    data: Any = None,
    config: Any = None,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """Creates an array as :func:`zarr.create` does, which knows both formats' own words."""
    config = parse_array_config(config)
    metadata = build_array_document_legacy(
        shape=shape, dtype=dtype, zarr_format=zarr_format, config=config, **kwargs
    )
    made = _make(store_path_of(store), metadata, overwrite, config)
    if data is not None:
        made._write(basic_indexer(..., made.shape), data)
    return made


def create_array(
    store: Any,
    *,
    name: str | None = None,
    shape: Any = None,
    dtype: Any = None,
    data: Any = None,
    storage_options: dict[str, Any] | None = None,
    write_data: bool = True,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """Creates an array; see :func:`zarr.create_array`."""
    if data is not None:
        for word, value in (("shape", shape), ("dtype", dtype)):
            if value is not None:
                raise ValueError(
                    f"The data parameter was used, but the {word} parameter was also used. This "
                    f"is an error. Either use the data parameter, or the {word} parameter, but "
                    "not both."
                )
        return from_array(
            store,
            data=data,
            name=name,
            write_data=write_data,
            storage_options=storage_options,
            **kwargs,
        )
    for word, value in (("shape", shape), ("dtype", dtype)):
        if value is None:
            raise ValueError(
                f"The data parameter was set to None, but {word} was not specified. "
                f"Either provide a value for data, or specify {word}."
            )
    store_path = store_path_of(store, name, "a", storage_options)
    return init_array(store_path=store_path, shape=shape, dtype=dtype, **kwargs)


def from_array(
    store: Any,
    *,
    data: Any,
    write_data: bool = True,
    name: str | None = None,
    storage_options: dict[str, Any] | None = None,
    overwrite: bool = False,
    config: Any = None,
    **kwargs: Any,
) -> AsyncArray[Any]:
    """Creates an array from another; see :func:`zarr.from_array`."""
    from .array import Array

    config = parse_array_config(config)
    store_path = store_path_of(store, name, "a", storage_options)
    keywords = _kept(data, kwargs)
    if not hasattr(data, "dtype") or not hasattr(data, "shape"):
        data = np.array(data)
    if overwrite and write_data and isinstance(data, Array) and data.store_path == store_path:
        # It would be gone before it is read.
        data, keywords = np.asarray(data), {**keywords}
    made = init_array(
        store_path=store_path,
        shape=data.shape,
        dtype=data.dtype,
        overwrite=overwrite,
        config=config,
        **keywords,
    )
    if write_data:
        for region in _regions(made):
            made._write(basic_indexer(region, made.shape), data[region])
    return made


def _regions(made: AsyncArray[Any]) -> Iterable[tuple[Any, ...]]:
    """Pieces of whole shards: few where all of it fits memory, else rows of shards."""
    sizes = made.write_chunk_sizes
    if made.nbytes <= _BLOCK_LEN_BYTES or not sizes:
        return [(slice(None),) * made.ndim]
    row = made.nbytes // max(made.shape[0], 1)
    ends, regions, start = np.cumsum(sizes[0]).tolist(), [], 0
    for end, following in zip(ends, [*ends[1:], math.inf], strict=True):
        if (following - start) * row > _BLOCK_LEN_BYTES or following == math.inf:
            regions.append((slice(start, end), *[slice(None)] * (made.ndim - 1)))
            start = end
    return regions


_KEPT = ("chunks", "shards", "filters", "compressors", "serializer")


def _kept(data: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with those that are kept from an array, as far as it has them."""
    from .array import Array

    found = {name: "keep" for name in _KEPT} | given
    if not isinstance(data, Array):
        found = {name: _unless_kept(name, value) for name, value in found.items()}
        found["zarr_format"] = found.get("zarr_format") or 3
        return found
    zarr_format = found.get("zarr_format") or data.metadata.zarr_format
    own = keep_from(data, zarr_format)
    for name in _KEPT:
        if isinstance(found[name], str) and found[name] == "keep":
            found[name] = own[name]
    for name in ("chunk_key_encoding", "dimension_names"):
        if found.get(name) is None and name in own:
            found[name] = own[name]
    if found.get("fill_value", DEFAULT_FILL_VALUE) is None:
        found["fill_value"] = data.fill_value
    metadata = data.metadata
    if metadata.zarr_format == 2 and zarr_format == 3 and data.order == "F":
        warnings.warn(
            "The 'order' attribute of a Zarr format 2 array does not have a direct analogue in "
            "Zarr format 3. The existing order='F' of the source Zarr format 2 array will be "
            "ignored.",
            ZarrUserWarning,
            stacklevel=4,
        )
    elif found.get("order") is None and zarr_format == 2:
        found["order"] = data.order
    found["zarr_format"] = zarr_format
    return found


def _unless_kept(name: str, value: Any) -> Any:
    if name in _KEPT and isinstance(value, str) and value == "keep":
        return None if name == "shards" else "auto"
    return value


def keep_from(data: Any, zarr_format: ZarrFormat) -> dict[str, Any]:
    """What :func:`zarr.create_array` is to be told to make an array like another."""
    metadata = getattr(data, "metadata", None)
    if metadata is None:
        return {"chunks": getattr(data, "chunks", None) or "auto"}
    is_same = zarr_format == metadata.zarr_format
    found: dict[str, Any] = {}
    grid = metadata.chunk_grid
    if hasattr(grid, "chunk_shape"):
        found["chunks"], found["shards"] = data.chunks, data.shards
    else:
        found["chunks"], found["shards"] = grid.chunk_shapes, None
    found["filters"] = (data.filters or None) if is_same else "auto"
    found["compressors"] = (data.compressors or None) if is_same else "auto"
    found["serializer"] = data.serializer if zarr_format == 3 and is_same else "auto"
    if is_same and zarr_format == 2:
        separator = metadata.dimension_separator
        found["chunk_key_encoding"] = {"name": "v2", "separator": separator}
    elif is_same:
        found["chunk_key_encoding"] = metadata.chunk_key_encoding
    if metadata.zarr_format == 3:
        found["dimension_names"] = metadata.dimension_names
    return found


def parse_deprecated_compressor(
    compressor: CompressorLike, compressors: CompressorsLike, zarr_format: int = 3
) -> CompressorsLike:
    """``compressors`` from either word.

    Raises
    ------
    ValueError
        If both are given.
    """
    is_auto = isinstance(compressor, str) and compressor == "auto"
    are_auto = isinstance(compressors, str) and compressors == "auto"
    if is_auto:
        return ({"id": "blosc"},) if zarr_format == 2 and are_auto else compressors
    if not are_auto:
        raise ValueError("Cannot specify both `compressor` and `compressors`.")
    if zarr_format == 3:
        warnings.warn(
            "The `compressor` argument is deprecated. Use `compressors` instead.",
            category=ZarrUserWarning,
            stacklevel=4,
        )
    return () if compressor is None else (compressor,)
