"""Arrays: ``Array`` for scripts, ``AsyncArray`` for coroutines, over one engine.

Long because the API is: members of ``Array`` are a line of code each, on the state below.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import numpy.typing as npt
from ..._errors import SelectionError
from ..errors import ZarrDeprecationWarning
from ._array_state import parse_array_metadata
from ._async_array import AsyncArray, T_ArrayMetadata
from ._create import (
    DEFAULT_FILL_VALUE,
    CompressorLike,
    CompressorsLike,
    DefaultFillValue,
    FiltersLike,
    SerializerLike,
    ShardsLike,
)
from ._deprecated import deprecated
from ._info import ArrayInfo
from .attributes import Attributes
from .indexing import (
    BlockIndex,
    Fields,
    OIndex,
    VIndex,
    basic_indexer,
    block_indexer,
    coordinate_indexer,
    is_pure_fancy_indexing,
    is_pure_orthogonal_indexing,
    is_scalar,
    mask_indexer,
    orthogonal_indexer,
    pop_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from ..storage._common import StorePath
    from .array_spec import ArrayConfig, ArrayConfigLike
    from .common import JSON, MemoryOrder

__all__ = [
    "DEFAULT_FILL_VALUE",
    "Array",
    "AsyncArray",
    "CompressorLike",
    "CompressorsLike",
    "DefaultFillValue",
    "FiltersLike",
    "SerializerLike",
    "ShardsLike",
    "create_array",
    "from_array",
    "init_array",
    "parse_array_metadata",
]


class Array(Generic[T_ArrayMetadata]):
    """An array. Indexing reads and writes it; nothing is read before.

    >>> a = zarr.array(np.arange(12, dtype="int16").reshape(3, 4), chunks=(2, 2))
    >>> a[1:, 2]
    array([ 6, 10], dtype=int16)
    >>> a.oindex[[0, 2], [1, 3]]
    array([[ 1,  3],
           [ 9, 11]], dtype=int16)
    >>> a.vindex[[0, 2], [1, 3]] = -1
    >>> a.blocks[0, 1]
    array([[2, 3],
           [6, 7]], dtype=int16)
    """

    __slots__ = ("__weakref__", "_async_array")

    def __init__(self, _async_array: AsyncArray[T_ArrayMetadata]) -> None:
        self._async_array = _async_array

    @property
    def async_array(self) -> AsyncArray[T_ArrayMetadata]:
        """The same array for coroutines."""
        return self._async_array

    @classmethod
    @deprecated("Use zarr.create_array instead.", category=ZarrDeprecationWarning)
    def create(cls, store: Any, **kwargs: Any) -> Self:
        """Creates an array; see :func:`zarr.create`."""
        return cls._create(store, **kwargs)

    @classmethod
    def _create(cls, store: Any, **kwargs: Any) -> Self:
        from ._create import create_by_codecs

        return cls(create_by_codecs(store, **kwargs))

    @classmethod
    def from_dict(cls, store_path: StorePath, data: dict[str, JSON]) -> Self:
        """The array that a document describes, which is not written."""
        return cls(AsyncArray.from_dict(store_path, data))

    @classmethod
    def open(cls, store: Any) -> Self:
        """Opens an array that is there."""
        from ._open import open_array_at, store_path_of

        return cls(open_array_at(store_path_of(store), 3))

    # What it is.

    @property
    def config(self) -> ArrayConfig:
        """Settings of this handle: the order of items in memory, whether empty chunks are
        stored."""
        return self._async_array.config

    @property
    def metadata(self) -> Any:
        """The metadata, as the document has it."""
        return self._async_array.metadata

    @property
    def store(self) -> Any:
        """The store."""
        return self._async_array.store_path.store

    @property
    def store_path(self) -> StorePath:
        """The store, and the path in it."""
        return self._async_array.store_path

    @property
    def path(self) -> str:
        """The path in the store, without a slash in front."""
        return self._async_array.path

    @property
    def name(self) -> str:
        """The path in the store, with a slash in front."""
        return self._async_array.name

    @property
    def basename(self) -> str:
        """The last part of the name."""
        return self._async_array.basename

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._async_array.read_only

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes. Setting it resizes."""
        return self._async_array.shape

    @shape.setter
    def shape(self, value: tuple[int, ...]) -> None:
        self.resize(value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._async_array.ndim

    @property
    def size(self) -> int:
        """The number of items."""
        return self._async_array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the items."""
        dtype: np.dtype[Any] = self._async_array.dtype
        return dtype

    @property
    def itemsize(self) -> int:
        """The bytes of an item in memory."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all items, were they in memory."""
        return self._async_array.nbytes

    @property
    def fill_value(self) -> Any:
        """What items are that were never written."""
        return self._async_array.metadata.fill_value

    @property
    def order(self) -> MemoryOrder:
        """How items lie in a chunk (version 2), or in what is read (version 3)."""
        return self._async_array.order

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of a chunk; where there are shards, of one within a shard."""
        return self._async_array.chunks

    @property
    def shards(self) -> tuple[int, ...] | None:
        """The shape of a shard; ``None`` where there are none."""
        return self._async_array.shards

    @property
    def read_chunk_sizes(self) -> tuple[tuple[int, ...], ...]:
        """For each axis, the lengths of the pieces that are read at a time, to the array's end."""
        return self._async_array.read_chunk_sizes

    @property
    def write_chunk_sizes(self) -> tuple[tuple[int, ...], ...]:
        """For each axis, the lengths of the pieces that are stored as one: of shards, where there
        are any, else of chunks."""
        return self._async_array.write_chunk_sizes

    @property
    def cdata_shape(self) -> tuple[int, ...]:
        """The number of chunks along each axis."""
        return self._async_array._chunk_grid_shape

    @property
    def nchunks(self) -> int:
        """The number of chunks."""
        return self._async_array.nchunks

    @property
    def nchunks_initialized(self) -> int:
        """The number of chunks that are stored; a stored shard counts with all its chunks."""
        return self._async_array._count_chunks()

    def nbytes_stored(self) -> int:
        """The bytes that the array takes in its store, documents and all."""
        return self._async_array._count_bytes_stored()

    @property
    def filters(self) -> tuple[Any, ...]:
        """What changes items before they become bytes."""
        return self._async_array.filters

    @property
    def serializer(self) -> Any:
        """What makes bytes of items; ``None`` in version 2."""
        return self._async_array.serializer

    @property
    def compressors(self) -> tuple[Any, ...]:
        """What changes bytes before they are stored."""
        return self._async_array.compressors

    @property
    @deprecated("Use Array.compressors instead.", category=ZarrDeprecationWarning)
    def compressor(self) -> Any:
        """The compressor of an array of version 2."""
        return self._async_array._compressor

    @property
    def attrs(self) -> Attributes:
        """The attributes, as a mapping that can be changed."""
        return Attributes(self)

    def update_attributes(self, new_attributes: dict[str, JSON]) -> Self:
        """Sets attributes; those that are not named stay."""
        self._async_array._change_attributes(new_attributes)
        return self

    @property
    def info(self) -> ArrayInfo:
        """What there is to know without reading items."""
        return self._async_array.info

    def info_complete(self) -> ArrayInfo:
        """The same with counts of what is stored."""
        return self._async_array._info_complete()

    def with_config(self, config: ArrayConfigLike) -> Self:
        """The same array with other settings; those that are not named stay."""
        return type(self)(self._async_array._with_config(config))

    # Reading.

    def __getitem__(self, selection: Any) -> Any:
        """The items at a selection: integers, slices and ``...``; points, where all axes have
        integers or lists of them; a mask; else each axis on its own. Names select fields.

        Raises
        ------
        IndexError
            If the selection does not fit the array.
        """
        state = self._async_array
        quick = state._quick
        if quick is not None:
            key = selection if type(selection) is tuple else (selection,)
            if _is_plain(key):
                try:
                    return quick.read("axes", key)
                except SelectionError:
                    pass  # said in zarr's words below
        fields, pure = pop_fields(selection)
        if is_pure_fancy_indexing(pure, state.ndim):
            return self.vindex[selection]
        if is_pure_orthogonal_indexing(pure, state.ndim):
            state._is_quick()
            return self.get_orthogonal_selection(pure, fields=fields)
        return self.get_basic_selection(pure, fields=fields)

    def __setitem__(self, selection: Any, value: npt.ArrayLike) -> None:
        """Writes a value, broadcast to the items at a selection.

        Raises
        ------
        IndexError
            If the selection does not fit the array.
        ValueError
            If the value does not fit the selection, or the store is read-only.
        """
        fields, pure = pop_fields(selection)
        ndim = self._async_array.ndim
        if is_pure_fancy_indexing(pure, ndim):
            self.vindex[selection] = value
        elif is_pure_orthogonal_indexing(pure, ndim):
            self.set_orthogonal_selection(pure, value, fields=fields)
        else:
            self.set_basic_selection(pure, value, fields=fields)

    def get_basic_selection(
        self,
        selection: Any = Ellipsis,
        *,
        out: Any = None,
        prototype: Any = None,
        fields: Fields | None = None,
    ) -> Any:
        """Reads what integers, slices and ``...`` select; one item comes as a scalar."""
        indexer = basic_indexer(selection, self.shape)
        return self._async_array._read(indexer, out=out, fields=fields, prototype=prototype)

    def set_basic_selection(
        self,
        selection: Any,
        value: npt.ArrayLike,
        *,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> None:
        """Writes what integers, slices and ``...`` select."""
        self._async_array._write(basic_indexer(selection, self.shape), value, fields=fields)

    def get_orthogonal_selection(
        self,
        selection: Any,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """Reads each axis on its own: integers, slices, lists of integers, masks."""
        indexer = orthogonal_indexer(selection, self.shape)
        return self._async_array._read(indexer, out=out, fields=fields, prototype=prototype)

    def set_orthogonal_selection(
        self,
        selection: Any,
        value: npt.ArrayLike,
        *,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> None:
        """Writes each axis on its own."""
        self._async_array._write(orthogonal_indexer(selection, self.shape), value, fields=fields)

    def get_mask_selection(
        self, mask: Any, *, out: Any = None, fields: Fields | None = None, prototype: Any = None
    ) -> Any:
        """Reads the items at which a mask of the array's shape is true."""
        indexer = mask_indexer(mask, self.shape)
        return self._async_array._read(indexer, out=out, fields=fields, prototype=prototype)

    def set_mask_selection(
        self,
        mask: Any,
        value: npt.ArrayLike,
        *,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> None:
        """Writes the items at which a mask of the array's shape is true."""
        self._async_array._write(mask_indexer(mask, self.shape), value, fields=fields)

    def get_coordinate_selection(
        self,
        selection: Any,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """Reads points: an array of integers for each axis, broadcast together."""
        return self._async_array._read_points(
            selection, out=out, fields=fields, prototype=prototype
        )

    def set_coordinate_selection(
        self,
        selection: Any,
        value: npt.ArrayLike,
        *,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> None:
        """Writes points."""
        indexer, shape = coordinate_indexer(selection, self.shape)
        if not is_scalar(value, self.dtype):
            value = np.asarray(value)
            if value.ndim > 1:
                value = value.reshape(-1)
            if value.shape != indexer.shape:
                raise ValueError(
                    f"Attempting to set a selection of {shape[0]} elements "
                    f"with an array of {value.shape[0]} elements."
                )
        self._async_array._write(indexer, value, fields=fields)

    def get_block_selection(
        self,
        selection: Any,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """Reads whole chunks (shards, where there are any) by their places in the grid."""
        indexer = block_indexer(selection, self.shape, self._async_array._outer_edges())
        return self._async_array._read(indexer, out=out, fields=fields, prototype=prototype)

    def set_block_selection(
        self,
        selection: Any,
        value: npt.ArrayLike,
        *,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> None:
        """Writes whole chunks by their places in the grid."""
        indexer = block_indexer(selection, self.shape, self._async_array._outer_edges())
        self._async_array._write(indexer, value, fields=fields)

    @property
    def vindex(self) -> VIndex:
        """Indexing points, or by a mask."""
        return VIndex(self)

    @property
    def oindex(self) -> OIndex:
        """Indexing each axis on its own."""
        return OIndex(self)

    @property
    def blocks(self) -> BlockIndex:
        """Indexing whole chunks by their places in the grid."""
        return BlockIndex(self)

    # Changing.

    def resize(self, new_shape: Any) -> None:
        """Changes the shape. New items read as the fill value, items cut off are gone."""
        self._async_array._resize(new_shape)

    def append(self, data: npt.ArrayLike, axis: int = 0) -> tuple[int, ...]:
        """Appends along an axis and returns the new shape; nothing changes if it does not fit.
        Appending handles of one process wait for each other."""
        return self._async_array._append(data, axis)

    # As an array of numpy.

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """All items.

        Raises
        ------
        ValueError
            If ``copy`` is ``False``: reading makes a copy.
        """
        if copy is False:
            raise ValueError("`copy=False` is not supported. This method always creates a copy.")
        found = np.asarray(self[...])
        return found if dtype is None else found.astype(dtype, copy=False)

    def __len__(self) -> int:
        shape = self.shape
        if not shape:
            raise TypeError("len() of unsized object")
        return shape[0]

    def __iter__(self) -> Iterator[Any]:
        """The items along the first axis, read a row of chunks at a time."""
        n = len(self)
        step = max(self.write_chunk_sizes[0][0] if n else 1, 1)
        for start in range(0, n, step):
            yield from np.asarray(self[start : start + step])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._async_array == other._async_array

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return type(self), (self._async_array,)

    def __repr__(self) -> str:
        return f"<Array {self.store_path} shape={self.shape} dtype={self.dtype}>"

    # What zarr-python's own callers use.

    @property
    def _chunk_grid_shape(self) -> tuple[int, ...]:
        return self._async_array._chunk_grid_shape

    @property
    def _shard_grid_shape(self) -> tuple[int, ...]:
        return self._async_array._shard_grid_shape

    @property
    def _nshards(self) -> int:
        return self._async_array._nshards

    @property
    def _nshards_initialized(self) -> int:
        return self._async_array._count_shards()

    def _iter_chunk_coords(
        self, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[int, ...]]:
        return self._async_array._iter_chunk_coords(origin=origin, selection_shape=selection_shape)

    def _iter_shard_coords(
        self, *, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[int, ...]]:
        return self._async_array._iter_shard_coords(origin=origin, selection_shape=selection_shape)

    def _iter_shard_keys(
        self, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[str]:
        return self._async_array._iter_shard_keys(origin=origin, selection_shape=selection_shape)

    def _iter_chunk_regions(
        self, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[slice, ...]]:
        return self._async_array._iter_chunk_regions(origin=origin, selection_shape=selection_shape)

    def _iter_shard_regions(
        self, origin: Sequence[int] | None = None, selection_shape: Sequence[int] | None = None
    ) -> Iterator[tuple[slice, ...]]:
        return self._async_array._iter_shard_regions(origin=origin, selection_shape=selection_shape)


def _is_plain(key: tuple[Any, ...]) -> bool:
    """Whether there are only integers, and slices that go forward."""
    for part in key:
        kind = type(part)
        if kind is int:
            continue
        if kind is not slice or part.step not in _STEPS:
            return False
    return bool(key)


_STEPS = (None, 1)


async def create_array(store: Any, **kwargs: Any) -> AsyncArray[Any]:
    """Creates an array; see :func:`zarr.create_array`."""
    from ._create import create_array as work

    return await asyncio.to_thread(work, store, **kwargs)


async def from_array(store: Any, **kwargs: Any) -> AsyncArray[Any]:
    """Creates an array from another; see :func:`zarr.from_array`."""
    from ._create import from_array as work

    return await asyncio.to_thread(work, store, **kwargs)


async def init_array(**kwargs: Any) -> AsyncArray[Any]:
    """Creates an array without items at a place in a store."""
    from ._create import init_array as work

    return await asyncio.to_thread(work, **kwargs)
