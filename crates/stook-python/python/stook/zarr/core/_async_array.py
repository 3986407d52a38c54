"""An array for coroutines."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy.typing as npt
from ..errors import ZarrDeprecationWarning
from ._array_state import ArrayState, parse_array_metadata
from ._deprecated import deprecated
from ._grid import grid_places
from ._info import ArrayInfo
from .indexing import (
    AsyncOIndex,
    AsyncVIndex,
    Fields,
    basic_indexer,
    mask_indexer,
    orthogonal_indexer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from ..storage._common import StorePath
    from .array_spec import ArrayConfig, ArrayConfigLike
    from .common import JSON

__all__ = ["AsyncArray", "T_ArrayMetadata"]

T_ArrayMetadata = TypeVar("T_ArrayMetadata")


class AsyncArray(ArrayState, Generic[T_ArrayMetadata]):
    """An array for coroutines: reading and writing run in a thread, where the engine holds no
    lock of Python's, so that other tasks go on."""

    __slots__ = ()

    @classmethod
    async def open(cls, store: Any, zarr_format: Any = 3) -> AsyncArray[Any]:
        """Opens an array that is there."""
        from ._open import open_array_at, store_path_of

        def work() -> Any:
            return open_array_at(store_path_of(store), zarr_format)

        return await asyncio.to_thread(work)

    @classmethod
    @deprecated("Use zarr.api.asynchronous.create_array instead.", category=ZarrDeprecationWarning)
    async def create(cls, store: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array; see :func:`zarr.create`."""
        return await cls._create(store, **kwargs)

    @classmethod
    async def _create(cls, store: Any, **kwargs: Any) -> AsyncArray[Any]:
        from ._create import create_by_codecs

        return await asyncio.to_thread(create_by_codecs, store, **kwargs)

    @classmethod
    def from_dict(cls, store_path: StorePath, data: dict[str, JSON]) -> AsyncArray[Any]:
        """The array that a document describes, which is not written."""
        return cls(parse_array_metadata(data), store_path)

    @property
    def attrs(self) -> dict[str, JSON]:
        """The attributes."""
        return self._attributes

    @property
    @deprecated("Use AsyncArray.compressors instead.", category=ZarrDeprecationWarning)
    def compressor(self) -> Any:
        """The compressor of an array of version 2."""
        return self._compressor

    @property
    def _compressor(self) -> Any:
        if self.metadata.zarr_format == 2:
            return self.metadata.compressor
        raise TypeError("`compressor` is not available for Zarr format 3 arrays.")

    @property
    def cdata_shape(self) -> tuple[int, ...]:
        """The number of chunks along each axis."""
        return self._chunk_grid_shape

    @property
    def nchunks(self) -> int:
        """The number of chunks."""
        return math.prod(self._chunk_grid_shape)

    def with_config(self, config: ArrayConfigLike) -> Self:
        """The same array with other settings; those that are not named stay."""
        return self._with_config(config)

    async def nchunks_initialized(self) -> int:
        """The number of chunks that are stored; a stored shard counts with all its chunks."""
        return await asyncio.to_thread(self._count_chunks)

    async def _nshards_initialized(self) -> int:
        return await asyncio.to_thread(self._count_shards)

    async def nbytes_stored(self) -> int:
        """The bytes that the array takes in its store, documents and all."""
        return await asyncio.to_thread(self._count_bytes_stored)

    async def getitem(self, selection: Any, *, prototype: Any = None) -> Any:
        """Reads what integers and slices select."""
        indexer = basic_indexer(selection, self.shape)
        return await asyncio.to_thread(self._read, indexer, prototype=prototype)

    async def setitem(self, selection: Any, value: npt.ArrayLike, prototype: Any = None) -> None:
        """Writes what integers and slices select."""
        indexer = basic_indexer(selection, self.shape)
        await asyncio.to_thread(self._write, indexer, value)

    async def get_orthogonal_selection(
        self,
        selection: Any,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """Reads each axis on its own."""
        indexer = orthogonal_indexer(selection, self.shape)
        return await asyncio.to_thread(
            self._read, indexer, out=out, fields=fields, prototype=prototype
        )

    async def get_mask_selection(
        self, mask: Any, *, out: Any = None, fields: Fields | None = None, prototype: Any = None
    ) -> Any:
        """Reads what a mask selects."""
        indexer = mask_indexer(mask, self.shape)
        return await asyncio.to_thread(
            self._read, indexer, out=out, fields=fields, prototype=prototype
        )

    async def get_coordinate_selection(
        self,
        selection: Any,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """Reads points."""
        return await asyncio.to_thread(
            self._read_points, selection, out=out, fields=fields, prototype=prototype
        )

    @property
    def oindex(self) -> AsyncOIndex:
        """Indexing each axis on its own: ``await array.oindex.getitem(...)``."""
        return AsyncOIndex(self)

    @property
    def vindex(self) -> AsyncVIndex:
        """Indexing points, or by a mask: ``await array.vindex.getitem(...)``."""
        return AsyncVIndex(self)

    async def resize(self, new_shape: Any, delete_outside_chunks: bool = True) -> None:
        """Changes the shape; see :meth:`Array.resize`."""
        await asyncio.to_thread(self._resize, new_shape, delete_outside_chunks)

    async def append(self, data: npt.ArrayLike, axis: int = 0) -> tuple[int, ...]:
        """Appends along an axis and returns the new shape."""
        return await asyncio.to_thread(self._append, data, axis)

    async def update_attributes(self, new_attributes: dict[str, JSON]) -> Self:
        """Sets attributes; those that are not named stay."""
        await asyncio.to_thread(self._change_attributes, new_attributes)
        return self

    @property
    def info(self) -> ArrayInfo:
        """What there is to know without reading items."""
        return self._info()

    async def info_complete(self) -> ArrayInfo:
        """The same with counts of what is stored."""
        return await asyncio.to_thread(self._info_complete)

    @property
    @deprecated("Use AsyncArray.config instead.", category=ZarrDeprecationWarning)
    def _config(self) -> ArrayConfig:
        return self.config

    def _iter_chunk_coords(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[int, ...]]:
        return grid_places(self._chunk_grid_shape, origin, selection_shape)

    def _iter_shard_coords(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[int, ...]]:
        return grid_places(self._shard_grid_shape, origin, selection_shape)

    def _iter_shard_keys(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[str]:
        for place in self._iter_shard_coords(origin=origin, selection_shape=selection_shape):
            yield self.metadata.encode_chunk_key(place)

    def _iter_chunk_regions(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[slice, ...]]:
        return self._iter_regions(self.read_chunk_sizes, origin, selection_shape)

    def _iter_shard_regions(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[slice, ...]]:
        return self._iter_regions(self.write_chunk_sizes, origin, selection_shape)

    def __repr__(self) -> str:
        return f"<AsyncArray {self.store_path} shape={self.shape} dtype={self.dtype}>"
