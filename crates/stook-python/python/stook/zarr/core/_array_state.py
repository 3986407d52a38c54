"""An array as both its faces see it: where it lies, what its document says, and its engine.

:class:`~stook.zarr.core.array.Array` and :class:`~stook.zarr.core.array.AsyncArray` are faces of
one state. Nothing is read before it is asked for: neither the document nor, where the document
came with consolidated metadata, the array itself. Reading and writing is one call of the engine
each, whatever the selection.
"""

from __future__ import annotations

import math
import os
from itertools import starmap
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ._engine import (
    bytes_stored,
    check_writable,
    document_of,
    edit_attributes,
    native_array,
    turn,
)
from ._grid import grid_places, lengths_of
from ._info import ArrayInfo
from ._units import warn_of_parts
from ._values import from_engine, layout_of, quick_dtype, to_engine
from .array_spec import ArrayConfig, parse_array_config
from .common import parse_shapelike
from .indexing import Fields, Indexer, check_fields, check_no_multi_fields, coordinate_indexer
from .metadata import ArrayV2Metadata, ArrayV3Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from ..._stook import Array as NativeArray
    from ..storage._common import StorePath
    from .array_spec import ArrayConfigLike
    from .common import JSON, MemoryOrder

    _ArrayMetadata = ArrayV2Metadata | ArrayV3Metadata


def parse_array_metadata(data: Any) -> _ArrayMetadata:
    """Metadata from what describes it: itself, or a document as a dict."""
    if isinstance(data, (ArrayV2Metadata, ArrayV3Metadata)):
        return data
    if not isinstance(data, dict):
        raise TypeError(f"expected metadata of an array or a dict, found {type(data).__name__}")
    match data.get("zarr_format"):
        case 3:
            metadata = ArrayV3Metadata.from_dict(data)
            if metadata.storage_transformers:
                found = metadata.storage_transformers
                raise ValueError(f"Arrays with storage transformers are not supported: {found}")
            return metadata
        case 2:
            return ArrayV2Metadata.from_dict(data)
        case other:
            raise ValueError(f"Invalid zarr_format: {other}. Expected 2 or 3")


class ArrayState:
    """What an array is and how its items are had; see the module."""

    __slots__ = (
        "__weakref__",
        "_dtype",
        "_is_lent",
        "_metadata",
        "_native",
        "_quick",
        "_raw",
        "config",
        "store_path",
    )

    config: ArrayConfig
    store_path: StorePath
    _metadata: _ArrayMetadata | None
    _raw: dict[str, Any] | None
    _native: NativeArray | None
    #: The engine's array, where what it gives is what is wanted, as it is.
    _quick: NativeArray | None
    _dtype: Any
    #: Whether another process gave it to this one.
    _is_lent: bool

    def __init__(
        self, metadata: Any, store_path: StorePath, config: ArrayConfigLike | None = None
    ) -> None:
        self._begin(store_path, parse_array_config(config))
        self._metadata = parse_array_metadata(metadata)

    def _begin(self, store_path: StorePath, config: ArrayConfig) -> None:
        self.store_path = store_path
        self.config = config
        self._metadata = self._raw = self._native = self._quick = self._dtype = None
        self._is_lent = False

    @classmethod
    def _of(
        cls,
        store_path: StorePath,
        *,
        native: NativeArray | None = None,
        raw: dict[str, Any] | None = None,
        metadata: _ArrayMetadata | None = None,
        config: ArrayConfigLike | None = None,
    ) -> Any:
        """The array at a place, with what is known of it."""
        self = cls.__new__(cls)
        self._begin(store_path, parse_array_config(config))
        self._native, self._raw, self._metadata = native, raw, metadata
        return self

    def __reduce__(self) -> Any:
        # By reference: the other process opens the array itself. What was read of it goes along,
        # so that both see the same shape.
        by = None if self._is_lent else os.getpid()
        return _rebuild, (type(self), self.store_path, self.config, self._document(), by)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        state = cast("ArrayState", other)
        return self is state or (
            self.store_path == state.store_path
            and self.config == state.config
            and self.metadata == state.metadata
        )

    __hash__ = None  # type: ignore[assignment]

    # Its document.

    @property
    def metadata(self) -> _ArrayMetadata:
        """The metadata, as the document has it."""
        found = self._metadata
        if found is None:
            found = self._metadata = parse_array_metadata(self._document())
            self._raw = None
        return found

    def _document(self) -> dict[str, Any]:
        """The document as a dict, of version 2 with its attributes."""
        if self._metadata is not None:
            return self._metadata.to_dict()
        if self._raw is None:
            self._raw = document_of(self.store_path)
        return self._raw

    @property
    def _engine(self) -> NativeArray:
        native = self._native
        if native is None:
            native = self._native = native_array(self.store_path, self.config)
        return native

    @property
    def store(self) -> Any:
        """The store."""
        return self.store_path.store

    @property
    def path(self) -> str:
        """The path in the store, without a slash in front."""
        return self.store_path.path

    @property
    def name(self) -> str:
        """The path in the store, with a slash in front."""
        return "/" + self.path.lstrip("/")

    @property
    def basename(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self.store_path.read_only

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        if self._native is not None:
            return self._native.shape
        if self._raw is not None:
            return tuple(self._raw["shape"])
        if self._metadata is not None:
            return self._metadata.shape
        return self._engine.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of items."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the items as the document has it."""
        if self._dtype is None:
            quick = None if self._raw is None else quick_dtype(self._raw)
            self._dtype = self._zdtype.to_native_dtype() if quick is None else quick
        return self._dtype

    @property
    def _zdtype(self) -> Any:
        metadata = self.metadata
        return metadata.dtype if metadata.zarr_format == 2 else metadata.data_type

    @property
    def nbytes(self) -> int:
        """The bytes of all items, were they in memory."""
        return self.size * int(self.dtype.itemsize)

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of a chunk; where there are shards, of one within a shard.

        Raises
        ------
        NotImplementedError
            If the chunks have not one shape: see ``read_chunk_sizes``.
        """
        return self.metadata.chunks

    @property
    def shards(self) -> tuple[int, ...] | None:
        """The shape of a shard; ``None`` where there are none."""
        return self.metadata.shards

    @property
    def read_chunk_sizes(self) -> tuple[tuple[int, ...], ...]:
        """For each axis, the lengths of the pieces that are read at a time, to the array's end."""
        return tuple(
            starmap(lengths_of, zip(self.shape, self._edges(self._lengths()), strict=True))
        )

    @property
    def write_chunk_sizes(self) -> tuple[tuple[int, ...], ...]:
        """For each axis, the lengths of the pieces that are stored as one: of shards, where there
        are any, else of chunks."""
        return tuple(starmap(lengths_of, zip(self.shape, self._outer_edges(), strict=True)))

    def _outer_edges(self) -> list[Any]:
        return self._edges(self._lengths(outer=True))

    def _lengths(self, outer: bool = False) -> tuple[Any, ...] | None:
        """The lengths of chunks, or of what is stored as one, along each axis."""
        if self._native is None:
            shards, chunks = self._grids()
            if chunks is not None:
                found: tuple[Any, ...] = shards if outer and shards else chunks
                return found
        native = self._engine
        return native.shards if outer and native.shards is not None else native.chunks

    def _edges(self, grid: tuple[Any, ...] | None) -> list[Any]:
        """For each axis the length of a chunk, or where chunks begin and the last one ends."""
        if grid is None:
            return [max(length, 1) for length in self.shape]
        found: list[Any] = []
        for axis in grid:
            if isinstance(axis, int):
                found.append(axis)
            else:
                ends = np.cumsum([0, *axis]).tolist()
                found.append(ends)
        return found

    @property
    def order(self) -> MemoryOrder:
        """How items lie in a chunk (version 2), or in what is read (version 3)."""
        raw = self._raw
        if raw is not None:
            return cast(
                "MemoryOrder", raw["order"] if raw.get("zarr_format") == 2 else self.config.order
            )
        metadata = self.metadata
        return metadata.order if metadata.zarr_format == 2 else self.config.order

    @property
    def _attributes(self) -> dict[str, JSON]:
        """The attributes as they were when they were read."""
        if self._metadata is not None:
            return self._metadata.attributes
        raw = self._document()
        found: dict[str, JSON] = raw.setdefault("attributes", {})
        return found

    @property
    def _chunk_grid_shape(self) -> tuple[int, ...]:
        return tuple(len(sizes) for sizes in self.read_chunk_sizes)

    @property
    def _shard_grid_shape(self) -> tuple[int, ...]:
        return tuple(len(sizes) for sizes in self.write_chunk_sizes)

    @property
    def _nshards(self) -> int:
        return math.prod(self._shard_grid_shape)

    # Codecs.

    @property
    def filters(self) -> tuple[Any, ...]:
        """What changes items before they become bytes."""
        metadata = self.metadata
        if metadata.zarr_format == 2:
            return metadata.filters or ()
        return self._inner("ArrayArrayCodec")

    @property
    def serializer(self) -> Any:
        """What makes bytes of items; ``None`` in version 2."""
        if self.metadata.zarr_format == 2:
            return None
        return self._inner("ArrayBytesCodec")[0]

    @property
    def compressors(self) -> tuple[Any, ...]:
        """What changes bytes before they are stored."""
        metadata = self.metadata
        if metadata.zarr_format == 2:
            return () if metadata.compressor is None else (metadata.compressor,)
        return self._inner("BytesBytesCodec")

    def _inner(
        self, kind: Literal["ArrayArrayCodec", "ArrayBytesCodec", "BytesBytesCodec"]
    ) -> tuple[Any, ...]:
        from ..abc import codec

        cls = getattr(codec, kind)
        codecs = cast("ArrayV3Metadata", self.metadata).inner_codecs
        return tuple(found for found in codecs if isinstance(found, cls))

    # Reading and writing.

    def _is_quick(self) -> NativeArray | None:
        """The engine's array if plain selections need nothing but it; remembered."""
        native = self._engine
        if native.dtype == self.dtype and not native.varies and layout_of(self) == "C":
            self._quick = native
        return self._quick

    def _read(
        self,
        indexer: Indexer,
        *,
        out: Any = None,
        fields: Fields | None = None,
        prototype: Any = None,
    ) -> Any:
        """The items that an indexer selects."""
        dtype = self.dtype
        wanted = check_fields(fields, dtype)
        if out is not None:
            return self._read_into(indexer, out, fields)
        found = self._items(indexer, dtype)
        if fields:
            found = _of_fields(found, fields, wanted)
        if prototype is not None:
            found = prototype.nd_buffer.from_ndarray_like(found).as_ndarray_like()
        return found[()] if indexer.is_scalar else found

    def _items(self, indexer: Indexer, dtype: Any) -> npt.NDArray[Any]:
        native = self._engine
        memory = None
        if layout_of(self) == "F" and not native.varies and len(indexer.shape) > 1:
            memory = np.empty(indexer.shape, native.dtype, order="F")
        found = native.read(indexer.kind, indexer.parts, memory)
        return from_engine(found, dtype)

    def _read_into(self, indexer: Indexer, out: Any, fields: Fields | None) -> Any:
        from .buffer import NDBuffer

        if not isinstance(out, NDBuffer):
            raise TypeError(f"out argument needs to be an NDBuffer. Got {type(out)!r}")
        if out.shape != indexer.shape:
            raise ValueError(
                f"shape of out argument doesn't match. Expected {indexer.shape}, got {out.shape}"
            )
        memory: Any = out.as_ndarray_like()
        native = self._engine
        if not fields and isinstance(memory, np.ndarray) and memory.dtype == native.dtype:
            native.read(indexer.kind, indexer.parts, memory)
        else:
            found = self._items(indexer, self.dtype)
            memory[...] = (
                _of_fields(found, fields, check_fields(fields, self.dtype)) if fields else found
            )
        return out.as_scalar() if indexer.is_scalar else memory

    def _read_points(self, selection: Any, **how: Any) -> Any:
        """The items at points, in the shape of their coordinates."""
        indexer, shape = coordinate_indexer(selection, self.shape)
        found = self._read(indexer, **how)
        return np.array(found).reshape(shape) if hasattr(found, "shape") else found

    def _write(
        self, indexer: Indexer, value: Any, *, fields: Fields | None = None, prototype: Any = None
    ) -> None:
        """Writes a value, broadcast to what an indexer selects."""
        dtype = self.dtype
        check_fields(fields, dtype)
        field = check_no_multi_fields(fields)
        check_writable(self.store_path)
        native = self._engine
        if self._is_lent:
            warn_of_parts(self, indexer)
        if field is not None:
            # Not one step for another writer of the same items.
            items = self._items(indexer, dtype).copy()
            items[field] = value
        else:
            items = to_engine(value, dtype, native.dtype)
        while items.ndim > len(indexer.shape) and items.shape[0] == 1:
            items = items[0]
        if field is not None and items.dtype != native.dtype:
            items = items.astype(native.dtype)
        native.write(indexer.kind, indexer.parts, items)

    def _resize(self, new_shape: Any, delete_outside_chunks: bool = True) -> None:
        shape = parse_shapelike(new_shape)
        if len(shape) != self.ndim:
            raise ValueError(f"expected a shape of {self.ndim} axes, found {shape}")
        check_writable(self.store_path)
        if not delete_outside_chunks and any(
            starmap(int.__lt__, zip(shape, self.shape, strict=True))
        ):
            raise NotImplementedError("chunks outside of the new shape cannot be kept")
        with turn(self.store_path):
            self._engine.resize(shape)
        self._reshaped()

    def _append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        if not hasattr(data, "shape"):
            data = np.asanyarray(data)
        ndim = self.ndim
        if not -ndim <= axis < ndim:
            raise IndexError(f"axis {axis} is out of bounds for an array of {ndim} axes")
        axis %= ndim
        kept, added = (
            tuple(length for i, length in enumerate(shape) if i != axis)
            for shape in (self.shape, data.shape)
        )
        if kept != added or len(data.shape) != ndim:
            raise ValueError(
                "shape of data to append is not compatible with the array. The shape of the data "
                f"is ({added}) and the shape of the array is ({kept}). "
                "All dimensions must match except for the dimension being appended."
            )
        check_writable(self.store_path)
        dtype = self.dtype
        with turn(self.store_path):
            # With the shape that another handle may have given it.
            native = self._native = native_array(self.store_path, self.config)
            native.append(to_engine(data, dtype, native.dtype), axis)
        self._quick = None
        self._reshaped()
        return self.shape

    def _reshaped(self) -> None:
        """Takes over the shape that the engine has."""
        shape = self._engine.shape
        if self._metadata is not None:
            self._metadata = self._metadata.update_shape(shape)
        elif self._raw is not None:
            # Other grids than regular ones change with the shape.
            self._raw = None

    def _change_attributes(self, changes: dict[str, Any], *, clear: bool = False) -> None:
        """Sets attributes, in the store and here."""
        edit_attributes(self.store_path, changes, clear=clear)
        found = self._attributes
        if clear:
            found.clear()
        found.update(changes)

    def _refresh_attributes(self) -> None:
        found = self._attributes
        new = document_of(self.store_path).get("attributes") or {}
        found.clear()
        found.update(new)

    # Counts of what is stored.

    def _count_shards(self) -> int:
        return self._engine.n_stored()

    def _count_chunks(self) -> int:
        shards = self.shards
        each = 1
        if shards is not None:
            each = math.prod(s // c for s, c in zip(shards, self.chunks, strict=True))
        return self._count_shards() * each

    def _count_bytes_stored(self) -> int:
        return bytes_stored(self.store_path)

    def _info(self, n_chunks: int | None = None, n_bytes: int | None = None) -> ArrayInfo:
        shards, chunks = self._grids()
        return ArrayInfo(
            _zarr_format=self.metadata.zarr_format,
            _data_type=self._zdtype,
            _fill_value=self.metadata.fill_value,
            _shape=self.shape,
            _order=self.order,
            _shard_shape=shards,
            _chunk_shape=chunks,
            _read_only=self.read_only,
            _compressors=self.compressors,
            _filters=self.filters,
            _serializer=self.serializer,
            _store_type=type(self.store_path.store).__name__,
            _count_bytes=self.nbytes,
            _count_bytes_stored=n_bytes,
            _count_chunks_initialized=n_chunks,
        )

    def _grids(self) -> tuple[Any, Any]:
        """The shapes of shards and chunks, each ``None`` where there is not one shape."""
        try:
            return self.shards, self.chunks
        except NotImplementedError:
            return None, None

    def _info_complete(self) -> ArrayInfo:
        return self._info(self._count_shards(), self._count_bytes_stored())

    def _with_config(self, config: ArrayConfigLike) -> Any:
        if not isinstance(config, ArrayConfig):
            settings: Any = {**self.config.to_dict(), **config}
            config = ArrayConfig(**settings)
        found = type(self)._of(
            self.store_path, raw=self._raw, metadata=self._metadata, config=config
        )
        found._is_lent = self._is_lent
        return found

    # Going through chunks.

    def _iter_regions(
        self,
        sizes: tuple[tuple[int, ...], ...],
        origin: Sequence[int] | None,
        selection_shape: Sequence[int] | None,
    ) -> Iterator[tuple[slice, ...]]:
        ends = [[0, *np.cumsum(axis).tolist()] for axis in sizes]
        for place in grid_places(tuple(map(len, sizes)), origin, selection_shape):
            yield tuple(slice(end[i], end[i + 1], 1) for i, end in zip(place, ends, strict=True))


def _of_fields(found: npt.NDArray[Any], fields: Fields, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Fields of structs, without what lies between them."""
    if isinstance(fields, str):
        return np.ascontiguousarray(found[fields]) if found.ndim else found[fields].copy()
    packed = np.empty(found.shape, dtype)
    for name in fields:
        packed[name] = found[name]
    return packed


def _rebuild(
    cls: type[ArrayState],
    store_path: StorePath,
    config: ArrayConfig,
    raw: dict[str, Any],
    by: int | None = None,
) -> Any:
    """The array that process ``by`` had; ``None``, if that one was given it, too."""
    found = cls._of(store_path, raw=raw, config=config)
    found._is_lent = by != os.getpid()
    return found
