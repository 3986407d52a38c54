"""An array whose chunks go through a codec that a script or a package registered.

It stands in for the engine's array: the same selections, a chunk at a time in Python. A chunk that
is written in part is read, changed and stored under a lock of this process; two processes that
write parts of one chunk are not guarded, as nowhere.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .chunk_grids import RectilinearChunkGrid
from .codec_pipeline import ChunkCodec, needs_python
from .common import product
from .metadata import ArrayV2Metadata, ArrayV3Metadata

if TYPE_CHECKING:
    from ..._stook import Store

__all__ = ["PythonArray", "may_need_python", "stand_in"]

_N_LOCKS = 64
_LOCKS = [threading.Lock() for _ in range(_N_LOCKS)]

#: Where an axis is cut: for each chunk that is touched its number, which places of the selection
#: lie in it, and where in the chunk they are.
_Cut = list[tuple[int, npt.NDArray[np.intp], npt.NDArray[np.intp]]]


def stand_in(document: dict[str, Any]) -> dict[str, Any] | None:
    """The document without the codecs that the engine does not know; None if it knows all.

    The engine checks it and makes the node; then the document itself is put in its place.
    """
    is_v2 = document.get("zarr_format") == 2
    if "shape" not in document:
        return None
    kind: Any = ArrayV2Metadata if is_v2 else ArrayV3Metadata
    if not may_need_python(document):
        return None
    metadata = kind.from_dict(json.loads(json.dumps(document)))
    if not needs_python(metadata):
        return None
    ChunkCodec(metadata)  # refuses what it cannot do before anything is stored
    if is_v2:
        from .metadata.defaults import default_filters_v2

        filters = default_filters_v2(metadata.dtype)
        configs = None if filters is None else [codec.get_config() for codec in filters]
        return {**document, "filters": configs, "compressor": None}
    from .metadata.defaults import default_serializer_v3

    return {**document, "codecs": [default_serializer_v3(metadata.dtype).to_dict()]}


def may_need_python(document: dict[str, Any]) -> bool:
    """Whether a name in the chain is none of this package's, without making codecs of it."""
    from ..registry import is_builtin_codec
    from .numcodec import is_configured

    if document.get("zarr_format") == 2:
        chain = (*(document.get("filters") or ()), document.get("compressor"))
        return any(c is not None and not is_configured(c.get("id")) for c in chain)
    return any(not is_builtin_codec(name) for name in _names(document["codecs"]))


def _names(codecs: Any) -> Iterator[str]:
    for codec in codecs:
        if isinstance(codec, str):
            yield codec
            continue
        yield codec["name"]
        inside = codec.get("configuration") or {}
        yield from _names(inside.get("codecs", ()))
        yield from _names(inside.get("index_codecs", ()))


class PythonArray:
    """The array at a path of a store of keys.

    Parameters
    ----------
    store
        The store.
    path
        Its path, without a slash in front.
    metadata
        What its document says.
    write_empty_chunks
        Whether chunks of nothing but the fill value are stored.
    """

    #: Plain selections go the long way, through the rules of the API.
    varies = True
    shards = None

    def __init__(
        self, store: Store, path: str, metadata: Any, write_empty_chunks: bool | None
    ) -> None:
        self._store = store
        self._prefix = f"{path}/" if path else ""
        self._write_empty_chunks = bool(write_empty_chunks)
        self._set(metadata)

    def _set(self, metadata: Any) -> None:
        self._metadata = metadata
        self._codec = ChunkCodec(metadata)
        self.shape: tuple[int, ...] = metadata.shape
        self.dtype: np.dtype[Any] = metadata.dtype.to_native_dtype()
        grid = metadata.chunk_grid
        self.chunks: tuple[Any, ...] = (
            grid.chunk_shapes if isinstance(grid, RectilinearChunkGrid) else grid.chunk_shape
        )
        fill = metadata.fill_value
        self._fill = metadata.dtype.default_scalar() if fill is None else fill

    # Selections.

    def _cuts(self, parts: tuple[Any, ...]) -> tuple[list[_Cut], tuple[int, ...], tuple[int, ...]]:
        """Each axis cut into chunks; the shape with and without the axes that integers take."""
        cuts: list[_Cut] = []
        full, kept = [], []
        for part, length, edges in zip(parts, self.shape, self.chunks, strict=True):
            at = _indices(part, length)
            cuts.append(_cut(at, edges))
            full.append(len(at))
            if not isinstance(part, int | np.integer):
                kept.append(len(at))
        return cuts, tuple(full), tuple(kept)

    def _touched(
        self, kind: str, parts: tuple[Any, ...]
    ) -> tuple[Iterator[tuple[tuple[int, ...], Any, Any]], tuple[int, ...], tuple[int, ...]]:
        """For each chunk that is touched: its index, where in the result its items go, and where
        in the chunk they are; then the shape that these refer to, and that of the result."""
        if kind == "axes":
            cuts, full, kept = self._cuts(parts)
            return _boxes(cuts), full, kept
        shape, *axes = parts
        points = [np.asarray(part, dtype=np.intp) for part in axes]
        return self._points(points), shape, shape

    def _points(
        self, points: list[npt.NDArray[np.intp]]
    ) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
        number, within = [], []
        for at, edges in zip(points, self.chunks, strict=True):
            chunk, offset = _locate(at, edges)
            number.append(chunk)
            within.append(offset)
        touched, which = np.unique(np.stack(number, axis=-1), axis=0, return_inverse=True)
        for i, index in enumerate(touched):
            here = np.flatnonzero(which.reshape(-1) == i)
            yield tuple(index.tolist()), (here,), tuple(offset[here] for offset in within)

    def read(self, kind: str, parts: tuple[Any, ...], out: Any = None) -> npt.NDArray[Any]:
        """The items of a selection; into ``out`` if it is given."""
        touched, full, kept = self._touched(kind, parts)
        found = np.empty(full, self.dtype)
        for index, there, here in touched:
            chunk = self._load(index)
            found[there] = self._fill if chunk is None else chunk[here]
        found = found.reshape(kept)
        if out is None:
            return found
        out[...] = found
        filled: npt.NDArray[Any] = out
        return filled

    def write(self, kind: str, parts: tuple[Any, ...], data: npt.NDArray[Any]) -> None:
        """Store items in a selection; they are broadcast to its shape."""
        touched, full, kept = self._touched(kind, parts)
        items = np.broadcast_to(data, kept).reshape(full)
        for index, there, here in touched:
            key = self._key(index)
            with _LOCKS[hash((self._store.identity, key)) % _N_LOCKS]:
                chunk = self._load(index)
                if chunk is None:
                    chunk = self._empty(index)
                chunk[here] = items[there]
                self._save(index, chunk)

    # Chunks.

    def _key(self, index: tuple[int, ...]) -> str:
        return self._prefix + str(self._metadata.encode_chunk_key(index))

    def _chunk_shape(self, index: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(
            edges if isinstance(edges, int) else edges[i]
            for i, edges in zip(index, self.chunks, strict=True)
        )

    def _empty(self, index: tuple[int, ...]) -> npt.NDArray[Any]:
        chunk = np.empty(self._chunk_shape(index), self.dtype)
        chunk[...] = self._fill
        return chunk

    def _load(self, index: tuple[int, ...]) -> npt.NDArray[Any] | None:
        """A chunk that may be written to; None if it is not stored."""
        stored = self._store.get(self._key(index))
        if stored is None:
            return None
        try:
            return np.array(self._codec.decode(stored, self._chunk_shape(index)))
        except Exception as error:
            error.add_note(f"node `/{self._prefix.rstrip('/')}`: chunk {list(index)}")
            raise

    def _save(self, index: tuple[int, ...], chunk: npt.NDArray[Any]) -> None:
        key = self._key(index)
        encoded = None
        if self._write_empty_chunks or not _is_all(chunk, self._fill):
            encoded = self._codec.encode(chunk)
        if encoded is None:
            self._store.delete(key)
        else:
            self._store.set(key, encoded)

    def _stored(self) -> Iterator[tuple[tuple[int, ...], str, int]]:
        """Index, key and length of each chunk that is stored."""
        for index in self._metadata.chunk_grid.all_chunk_coords(self.shape):
            key = self._key(index)
            size = self._store.getsize(key)
            if size is not None:
                yield index, key, size

    def n_stored(self) -> int:
        """The number of chunks that are stored."""
        return sum(1 for _ in self._stored())

    def len_stored_bytes(self) -> int:
        """The bytes of all chunks that are stored."""
        return sum(size for _, _, size in self._stored())

    # Shapes.

    def resize(self, shape: tuple[int, ...]) -> None:
        """Give the array another shape; chunks that lie outside are deleted."""
        resized = self._metadata.update_shape(tuple(shape))
        after = resized.chunk_grid.grid_shape(resized.shape)
        outside = [
            key
            for index, key, _ in self._stored()
            if any(i >= n for i, n in zip(index, after, strict=True))
        ]
        name = ".zarray" if resized.zarr_format == 2 else "zarr.json"
        key = self._prefix + name
        document = json.loads(self._store.get(key) or b"{}")
        new = resized.to_dict()
        document["shape"] = new["shape"]
        if "chunk_grid" in new:
            document["chunk_grid"] = new["chunk_grid"]
        from .metadata.common import document_bytes

        self._store.set(key, document_bytes(document))
        for key in outside:
            self._store.delete(key)
        self._set(resized)

    def append(self, data: npt.NDArray[Any], axis: int) -> None:
        """Grow an axis, and store items in what is new."""
        start = self.shape[axis]
        grown = list(self.shape)
        grown[axis] += data.shape[axis]
        self.resize(tuple(grown))
        parts = [slice(0, length, 1) for length in grown]
        parts[axis] = slice(start, grown[axis], 1)
        self.write("axes", tuple(parts), data)


def _indices(part: Any, length: int) -> npt.NDArray[np.intp]:
    """The indices along an axis that a part of a selection takes."""
    if isinstance(part, int | np.integer):
        return np.array([part], dtype=np.intp)
    if isinstance(part, slice):
        return np.arange(*part.indices(length), dtype=np.intp)
    found = np.asarray(part)
    return np.flatnonzero(found) if found.dtype.kind == "b" else found.astype(np.intp)


def _locate(at: npt.NDArray[np.intp], edges: Any) -> tuple[npt.NDArray[np.intp], Any]:
    """In which chunk indices lie, and where in it."""
    if isinstance(edges, int):
        return np.divmod(at, max(edges, 1))
    ends = np.cumsum(edges)
    chunk = np.searchsorted(ends, at, side="right")
    return chunk, at - (ends - np.asarray(edges))[chunk]


def _cut(at: npt.NDArray[np.intp], edges: Any) -> _Cut:
    chunk, within = _locate(at, edges)
    return [
        (int(number), np.flatnonzero(chunk == number), within[chunk == number])
        for number in np.unique(chunk)
    ]


def _boxes(cuts: list[_Cut]) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
    for box in itertools.product(*cuts):
        index = tuple(number for number, _, _ in box)
        there = np.ix_(*(places for _, places, _ in box))
        here = np.ix_(*(places for _, _, places in box))
        yield index, there, here


def _is_all(chunk: npt.NDArray[Any], value: Any) -> bool:
    """Whether all items of a chunk have the bits of a value."""
    if chunk.dtype.kind in "OT":
        return bool(np.all(chunk == value))
    one = np.empty(1, chunk.dtype)
    one[0] = value
    return chunk.tobytes() == one.tobytes() * product(chunk.shape)
