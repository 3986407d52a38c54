"""An array of a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._casting import cast
from ._errors import InvalidInputError, UnsupportedError
from ._indexing import (
    Selection,
    block_selection,
    numpy_selection,
    orthogonal_selection,
    point_selection,
)
from ._node import Node
from ._stook import Array as NativeArray
from ._stook import Tree


class Array(Node):
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
        fields = _fields(key)
        if fields is not None:
            rest = tuple(part for part in key if part is not fields) if type(key) is tuple else ()
            return self[rest or Ellipsis][fields]
        return self._read(numpy_selection(key, self.shape))

    def _read(self, selection: Selection) -> Any:
        return selection.finish(self._native.read(selection.kind, selection.parts))

    def read(self, selection: Any = ..., out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The items at ``selection``, in ``out`` if it is given.

        An ``out`` of this dtype and the shape of the selection, with any strides, is filled in
        place. One of another dtype is filled through a copy, if ``same_kind`` casting allows.

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
        shape = self._native.result_shape(meant.kind, meant.parts)
        target = meant.begin(out, shape)
        if meant.result_shape(shape) != out.shape:
            expected = meant.result_shape(shape)
            raise InvalidInputError(f"out: expected shape {expected}, found {out.shape}")
        if target is out:
            self._native.read(meant.kind, meant.parts, out)
        else:
            out[...] = meant.finish(self._native.read(meant.kind, meant.parts))
        return out

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """All items."""
        if copy is False:
            raise ValueError("the items lie in a file: reading them makes a copy")
        found = self._native.read("axes", (Ellipsis,))
        return found if dtype is None else found.astype(dtype, copy=False)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a scalar has no length")
        return self.shape[0]

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
        if _fields(key) is not None:
            raise UnsupportedError("fields are written as whole items: read, change, write")
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



