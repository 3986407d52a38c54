"""An array of a tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ._casting import cast
from ._chunks import Info, chunk_slices, memory_of
from ._errors import InvalidInputError, SelectionError
from ._indexing import (
    Selection,
    block_selection,
    numpy_selection,
    orthogonal_selection,
    point_selection,
)
from ._node import Node
from ._reports import Stats
from ._stook import Array as NativeArray
from ._stook import Lender, Tree
from ._views import Fields, View, recast


class Array(Node, Lender):
    """An array in a file. Indexing reads and writes as numpy does; nothing is read before.

    Reading fills new memory of numpy in place; writing reads the memory of an array of the same
    dtype as it lies, whatever its strides. Neither copies it. Python's other threads run
    meanwhile.

    >>> f = getfixture("file")
    >>> a = f.create_array("a", np.arange(12, dtype="int16").reshape(3, 4), chunks=(2, 2))
    >>> a
    <Array /a (3, 4) int16>
    >>> a[1:, ::2]
    array([[ 4,  6],
           [ 8, 10]], dtype=int16)
    >>> a[0, 1]
    np.int16(1)
    >>> a[a[:] > 9]
    array([10, 11], dtype=int16)
    >>> a[[0, 2], [1, 3]] = 100
    >>> a.oindex[[0, 2], [1, 3]]
    array([[100,   3],
           [  9, 100]], dtype=int16)
    """

    __slots__ = ("_native",)

    def __init__(self, tree: Tree, native: NativeArray) -> None:
        super().__init__(tree)
        self._native = native

    # What it is.

    @property
    def path(self) -> str:
        """Where it is in its file."""
        return self._native.path

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes, as they are now."""
        return self._native.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what reading it gives, in the machine's byte order.

        Text, bytes and sequences of variable length are ``object`` dtypes whose metadata says
        which, as h5py has them; so are enumerations, of integer dtypes.
        """
        return self._native.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of items."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def nbytes(self) -> int:
        """The bytes of all items in memory, without those of items of variable length."""
        return self.size * self.dtype.itemsize

    @property
    def chunks(self) -> tuple[Any, ...] | None:
        """The shape of a chunk; ``None`` where the items lie in one piece. Of a grid that is not
        regular, the lengths along each axis."""
        return self._native.chunks

    @property
    def shards(self) -> tuple[Any, ...] | None:
        """The shape of a shard, if there are any."""
        return self._native.shards

    @property
    def codecs(self) -> list[dict[str, Any]]:
        """What encodes a chunk, first applied first: dicts of ``name`` and settings."""
        return self._native.codecs

    @property
    def fill_value(self) -> Any:
        """What items are that were never written; ``None`` where that is not defined."""
        return self._native.fill_value

    @property
    def dimension_names(self) -> tuple[str | None, ...] | None:
        """A name for each axis, if there are any."""
        names = self._native.dimension_names
        return None if names is None else tuple(names)

    @property
    def max_shape(self) -> tuple[int | None, ...] | None:
        """How far each axis may grow, ``None`` without bound; ``None`` as a whole where the
        format sets no bounds."""
        shape = self._native.max_shape
        return None if shape is None else tuple(shape)

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """The number of chunks along each axis; of items in one piece, ones."""
        return self._native.grid_shape

    @property
    def nchunks(self) -> int:
        """The number of chunks."""
        return math.prod(self.grid_shape)

    @property
    def nchunks_initialized(self) -> int:
        """The number of chunks (of shards, where there are any) that are stored.

        Raises
        ------
        UnsupportedError
            If the format does not tell.
        """
        return self._native.n_stored()

    @property
    def nbytes_stored(self) -> int:
        """The bytes that the stored chunks take.

        Raises
        ------
        UnsupportedError
            If the format does not tell.
        """
        return self._native.len_stored_bytes()

    @property
    def fields(self) -> Fields:
        """The fields of structs, each to be indexed like an array; see :class:`View`."""
        return Fields(self)

    @property
    def info(self) -> Info:
        """What there is to know without reading items, as a text for people."""
        return Info(self)

    # Reading.

    def __getitem__(self, key: Any) -> Any:
        """The items at ``key``, as numpy has it: integers, slices of any step, ``...``,
        ``None``, arrays of integers, masks. Of structs, a name selects a field.

        Raises
        ------
        SelectionError
            If ``key`` does not fit the array. It is an :class:`IndexError`.
        FormatError
            If a chunk is damaged.
        """
        fields = self._fields_of(key)
        if fields is not None:
            return self[_without_fields(key)][fields]
        return self._read(numpy_selection(key, self.shape))

    def _fields_of(self, key: Any) -> str | list[str] | None:
        fields = _fields(key)
        for name in () if fields is None else [fields] if isinstance(fields, str) else fields:
            if name not in (self.dtype.names or ()):
                raise SelectionError(f"there is no field `{name}`", file=self.file, node=self.path)
        return fields

    def _read(self, selection: Selection) -> Any:
        return selection.finish(self._native.read(selection.kind, selection.parts))

    def read(self, selection: Any = ..., out: Any = None) -> Any:
        """The items at ``selection``, in ``out`` if it is given.

        Parameters
        ----------
        selection
            As between the brackets of an index.
        out
            Writable memory with the shape of the selection: an array of any strides, or an
            object that lends its memory (the buffer protocol). One of this dtype is filled in
            place; one of another dtype through a copy, if ``same_kind`` casting allows.

        Returns
        -------
        numpy.ndarray
            New memory, or ``out``.

        Raises
        ------
        InvalidInputError
            If ``out`` has another shape, or cannot be filled.
        TypeError
            If ``out`` is of another kind of dtype.

        Examples
        --------
        >>> f = getfixture("file")
        >>> a = f.create_array("b", np.arange(6, dtype="float32"))
        >>> memory = np.zeros((2, 3), "float32")
        >>> a.read(np.s_[:3], out=memory[1]).base is memory
        True
        >>> memory
        array([[0., 0., 0.],
               [0., 1., 2.]], dtype=float32)
        """
        meant = numpy_selection(selection, self.shape)
        if out is None:
            return np.asarray(meant.finish(self._native.read(meant.kind, meant.parts)))
        self._fill(meant, memory_of(out))
        return out

    def read_into(self, out: Any, selection: Any = ...) -> None:
        """Fills ``out`` with the items at ``selection``, as :meth:`read` does."""
        self._fill(numpy_selection(selection, self.shape), memory_of(out))

    def _fill(self, meant: Selection, out: NDArray[Any]) -> None:
        shape = self._native.result_shape(meant.kind, meant.parts)
        if meant.result_shape(shape) != out.shape:
            expected = meant.result_shape(shape)
            raise InvalidInputError(f"out: expected shape {expected}, found {out.shape}")
        target = meant.begin(out, shape)
        if target is out or np.may_share_memory(target, out):
            self._native.read(meant.kind, meant.parts, target)
        else:
            # Axes that cannot be cut in place.
            out[...] = meant.finish(self._native.read(meant.kind, meant.parts))

    def astype(self, dtype: DTypeLike) -> View:
        """The array as one of another dtype: items are cast when they are read.

        >>> f = getfixture("file")
        >>> f.create_array("d", np.arange(3)).astype("float32")[1:]
        array([1., 2.], dtype=float32)
        >>> f.create_array("t", ["a", "é"]).astype(np.dtypes.StringDType())[:]
        array(['a', 'é'], dtype=StringDType())
        """
        return View(self, dtype=np.dtype(dtype))

    @property
    def mapped(self) -> NDArray[Any] | None:
        """The items where the file is mapped into memory, as an array that cannot be written;
        ``None`` where they are not: in chunks, or in a file opened without ``memory_map``.

        The array stays after the file is closed. Its dtype has the byte order of the file.
        """
        return self._native.mapped()

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """All items: where the file is mapped into memory, that memory, which cannot be
        written; else new memory.

        Raises
        ------
        ValueError
            If ``copy`` is ``False`` and a copy has to be made.
        """
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        if not copy:
            mapped = self.mapped
            if mapped is not None and mapped.dtype == wanted:
                return mapped
        if copy is False:
            raise ValueError("the items lie in a file: reading them makes a copy")
        return recast(np.asarray(self._native.read("axes", (Ellipsis,))), wanted)

    def __buffer_array__(self) -> NDArray[Any]:
        # What `memoryview(array)` shows; see the native base class.
        mapped = self.mapped
        if mapped is None:
            raise BufferError("the items lie in a file that is not mapped: read them")
        return mapped

    def __dlpack__(self, **options: Any) -> Any:
        """All items for other libraries of arrays: ``torch.from_dlpack(array)``.

        Memory that the file is mapped to is lent to those that take memory which cannot be
        written (``max_version`` of at least 1.0); others get a copy.
        """
        mapped = self.mapped
        takes = (options.get("max_version") or (0, 0)) >= (1, 0)
        if mapped is None or not mapped.dtype.isnative or not takes or options.get("copy"):
            options.pop("copy", None)
            mapped = np.asarray(self._native.read("axes", (Ellipsis,)))
        return mapped.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a scalar has no length")
        return self.shape[0]

    def iter_chunks(self, selection: Any = ...) -> Iterator[tuple[slice, ...]]:
        """For each chunk that a selection of integers and slices touches, in C order, the
        slices that select its part: to go through an array that is larger than memory.

        Items in one piece are cut into rows of about 1 MiB.

        >>> f = getfixture("file")
        >>> a = f.create_array("e", np.arange(12).reshape(3, 4), chunks=(2, 3))
        >>> for part in a.iter_chunks(np.s_[1:, :]):
        ...     print(part, a[part].sum())
        (slice(1, 2, 1), slice(0, 3, 1)) 15
        (slice(1, 2, 1), slice(3, 4, 1)) 7
        (slice(2, 3, 1), slice(0, 3, 1)) 27
        (slice(2, 3, 1), slice(3, 4, 1)) 11
        """
        return chunk_slices(self, selection)

    def stats(self, selection: Any = ..., *, memory: int | None = None) -> Stats:
        """Least and greatest item, mean, counts of NaN, zeros and more, in one pass through the
        items that a selection of integers and slices selects.

        >>> f = getfixture("file")
        >>> s = f.create_array("s", [1.0, np.nan, 3.0]).stats()
        >>> s.n, s.min, s.max, s.mean, s.n_nan
        (3, 1.0, 3.0, 2.0, 1)
        """
        parts = numpy_selection(selection, self.shape)
        return Stats._of(self._native.stats(parts.kind, parts.parts, memory))

    def __iter__(self) -> Iterator[Any]:
        """The items along the first axis, read some rows at a time."""
        n = len(self)
        row = max(self.nbytes // max(n, 1), 1)
        chunk = self.chunks[0] if self.chunks else 1
        step = max(1, chunk if isinstance(chunk, int) else 1, _ROWS_LEN_BYTES // row)
        for start in range(0, n, step):
            yield from self[start : start + step]

    @property
    def oindex(self) -> Indexer:
        """Indexing each axis on its own: lists and masks select rows, columns, ..."""
        return Indexer(self, orthogonal_selection)

    @property
    def vindex(self) -> Indexer:
        """Indexing points: an array of integers for each axis, or one mask."""
        return Indexer(self, point_selection)

    @property
    def blocks(self) -> Indexer:
        """Indexing whole chunks, by their place in the grid."""
        return Indexer(self, block_selection)

    # Writing.

    def __setitem__(self, key: Any, values: Any) -> None:
        """Writes ``values``, broadcast to the items at ``key``.

        Raises
        ------
        SelectionError
            If ``key`` does not fit the array, or ``values`` do not fit ``key``.
        DTypeError
            If ``values`` are of another kind than the array's items.
        InvalidInputError
            If an integer or text does not fit the array's dtype.
        ReadOnlyError
            If the file was opened for reading.
        """
        fields = self._fields_of(key)
        if fields is not None:
            self.fields[tuple(fields) if type(fields) is list else fields][
                _without_fields(key)
            ] = values
            return
        self._write(numpy_selection(key, self.shape), values)

    def _write(self, selection: Selection, values: Any) -> None:
        shape = self._native.result_shape(selection.kind, selection.parts)
        data = cast(values, self.dtype, len(selection.result_shape(shape)))
        self._native.write(selection.kind, selection.parts, selection.begin(data, shape))

    def resize(self, *shape: int | Sequence[int]) -> None:
        """Changes the shape; new items read as the fill value, items cut off are gone.

        >>> f = getfixture("file")
        >>> a = f.create_array("c", [1, 2, 3], chunks=2, max_shape=(None,))
        >>> a.resize(5)
        >>> a[:]
        array([1, 2, 3, 0, 0])
        """
        lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        self._native.resize(_lengths("shape", lengths))

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Appends along an axis and returns the new shape; nothing changes if it does not fit."""
        ndim = self.ndim
        if not -ndim <= axis < ndim:
            raise InvalidInputError(f"axis {axis} is out of bounds for {ndim} axes")
        self._native.append(cast(data, self.dtype, ndim), axis % ndim)
        return self.shape

    def fill(self, value: Any) -> None:
        """Writes one value to all items."""
        self[...] = value

    def __repr__(self) -> str:
        if not self._tree.is_open:
            return "<Array of a closed file>"
        return f"<Array {self.path} {self.shape} {self._native.dtype_name}>"


# How much is read ahead by iteration.
_ROWS_LEN_BYTES = 1 << 20


class Indexer:
    """Another meaning of an index; see the property it came from."""

    __slots__ = ("_array", "_meaning")

    def __init__(
        self, array: Array, meaning: Callable[[Any, tuple[int, ...]], Selection]
    ) -> None:
        self._array = array
        self._meaning = meaning

    def __getitem__(self, key: Any) -> Any:
        return self._array._read(self._meaning(key, self._array.shape))

    def __setitem__(self, key: Any, values: Any) -> None:
        self._array._write(self._meaning(key, self._array.shape), values)


def _fields(key: Any) -> str | list[str] | None:
    """The field names in a key."""
    for part in key if type(key) is tuple else (key,):
        if isinstance(part, str):
            return part
        if type(part) is list and part and all(isinstance(name, str) for name in part):
            return part
    return None


def _without_fields(key: Any) -> Any:
    """The key without the field names in it."""
    fields = _fields(key)
    rest = tuple(part for part in key if part is not fields) if type(key) is tuple else ()
    return rest or Ellipsis


def _lengths(what: str, lengths: Any) -> tuple[int, ...]:
    """Lengths as a tuple; a number is one of them."""
    if isinstance(lengths, (int, np.integer)):
        lengths = (lengths,)
    try:
        found = tuple(int(length.__index__()) for length in lengths)
    except (AttributeError, TypeError):
        raise InvalidInputError(f"{what}: expected integers, found {lengths!r}") from None
    if any(length < 0 for length in found):
        raise InvalidInputError(f"{what}: expected lengths of at least 0, found {found}")
    return found
