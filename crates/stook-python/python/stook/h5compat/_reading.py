"""What is read of a dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import SelectionError
from .._stook import Array as NativeArray
from .._stook import Tree
from ._base import Empty, HLObject, product
from ._dtypes import from_native
from ._errors import closed, raised
from ._references import RegionReference
from ._selection import Selected, region_mask, select
from ._state import following
from ._values import Finish, finisher
from ._views import AsStrView, AsTypeView, ChunkIterator, FieldsView
from ._writing import converted


class Readable(HLObject):
    """What a dataset is, and its items: indexed as h5py does."""

    _native: NativeArray
    _tree: Tree

    def _bind(self, native: NativeArray, tree: Tree) -> None:
        self._native, self._tree = native, tree
        self._shown: np.dtype[Any] | None = None
        self._is_null: bool | None = None
        self._finish: Finish | None = None

    @property
    def _array(self) -> NativeArray:
        """The library's array, of the file as it was opened or refreshed last."""
        tree = self._state._tree
        if tree is not self._tree:
            if tree is None:
                raise closed("Unable to synchronously get dataspace")
            self._bind(tree.array(self._path), tree)
        return self._native

    # What it is.

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what reading it gives."""
        array = self._array
        if self._shown is None:
            native = array.dtype
            shown = from_native(native)
            if native.kind in "iufcV" and _is_big(array):
                shown = shown.newbyteorder(">")
            self._shown = shown
            self._finish = finisher(native, shown)
        return self._shown

    @property
    def shape(self) -> Any:
        """The lengths of its axes; ``None`` of one that is empty."""
        return None if self._is_empty else self._array.shape

    @property
    def chunks(self) -> Any:
        """The shape of a chunk; ``None`` where the items lie in one piece."""
        return self._array.chunks or None

    @property
    def _is_empty(self) -> bool:
        array = self._array
        if self._is_null is None:
            self._is_null = array.is_null
        return self._is_null

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._array.shape)

    @property
    def size(self) -> Any:
        """The number of items."""
        return None if self._is_empty else product(self._array.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all items in memory."""
        return (self.size or 0) * self.dtype.itemsize

    def len(self) -> int:
        """The length of the first axis."""
        shape = self._array.shape
        if not shape:
            raise TypeError("Attempt to take len() of scalar dataset")
        return shape[0]

    def __len__(self) -> int:
        length = self.len()
        if length > sys.maxsize:
            raise OverflowError("Value too big for Python's __len__; use Dataset.len() instead.")
        return length

    # Reading.

    def __iter__(self) -> Iterator[Any]:
        shape = self._array.shape
        if not shape:
            raise TypeError("Can't iterate over a scalar dataset")
        row = max(self.nbytes // max(shape[0], 1), 1)
        chunk = (self.chunks or (1,))[0]
        step = max(1, chunk if isinstance(chunk, int) else 1, _ROWS_LEN_BYTES // row)
        for start in range(0, shape[0], step):
            yield from self[start : start + step]

    def iter_chunks(self, sel: Any = None) -> ChunkIterator:
        """For each chunk that a selection of slices touches, the slices of its part.

        Raises
        ------
        TypeError
            If there are no chunks.
        """
        return ChunkIterator(self, sel)

    @property
    def _fast_reader(self) -> SimpleNamespace:
        # Programs that look behind h5py's names find one way to read here.
        return SimpleNamespace(read=self.__getitem__)

    def __getitem__(self, args: Any) -> Any:
        """The items at ``args``.

        Raises
        ------
        IndexError
            If an index is out of range.
        ValueError, TypeError
            If ``args`` are no selection of this dataset.
        """
        return self._get(args)

    @following
    def _get(self, args: Any, new_dtype: Any = None) -> Any:
        if type(args) is not tuple:
            args = (args,)
        names: tuple[str, ...] = ()
        for arg in args:
            if arg is None:
                raise TypeError("Indexing with None (or np.newaxis) is not supported")
            if type(arg) is str:
                names = tuple(arg for arg in args if isinstance(arg, str))
                args = tuple(arg for arg in args if not isinstance(arg, str))
                break
        if names:
            if self.dtype.names is None:
                raise ValueError("Field names only allowed for compound types")
            one = names[0] if len(names) == 1 else names
            return self.fields(one, _prior_dtype=new_dtype)[args]
        found = self._read(args)
        if isinstance(found, np.ndarray):
            found = self._finished(found)
            if new_dtype is not None:
                found = converted_to(found, np.dtype(new_dtype))
            if found.ndim == 0 and not self._keeps_array(args):
                return found[()]
        return found

    def _keeps_array(self, args: tuple[Any, ...]) -> bool:
        return len(args) == 1 and args[0] is Ellipsis and not self._array.shape

    def _finished(self, found: NDArray[Any]) -> NDArray[Any]:
        if self._shown is None:
            self.dtype  # noqa: B018 (finds out what there is to do)
        return found if self._finish is None else self._finish(found)

    def _read(self, args: tuple[Any, ...]) -> Any:
        """The items in the library's form."""
        array = self._array
        if len(args) == 1 and isinstance(args[0], RegionReference):
            return self._read_region(args[0])
        if not args or (len(args) == 1 and args[0] is Ellipsis):
            if self._is_empty:
                return Empty(self.dtype)
            return array.read("axes", (Ellipsis,))
        shape = array.shape
        if not shape:
            if self._is_empty:
                raise ValueError("Empty datasets cannot be sliced")
            return self._read_scalar(args)
        selected = select(shape, args)
        return array.read(selected.kind, selected.parts)

    def _read_scalar(self, args: tuple[Any, ...]) -> Any:
        (first, *rest) = args
        if not rest and isinstance(first, (bool, np.bool_)):
            found = self._array.read("axes", (Ellipsis,))
            return found[None][: int(first)]
        raise raised(
            SelectionError, "Illegal slicing argument for scalar dataspace", ValueError
        )

    def _read_region(self, reference: RegionReference) -> Any:
        if reference.path != self._path and self.file[reference] != self:
            raise ValueError("Region reference must point to this dataset")
        shape, mask = region_mask(reference.region, self._array.shape)
        return self._array.read("mask", (mask.reshape(-1),)).reshape(shape)

    def astype(self, dtype: Any) -> AsTypeView:
        """The same, its items cast when they are read."""
        return AsTypeView(self, dtype)

    def asstr(self, encoding: str | None = None, errors: str = "strict") -> AsStrView:
        """The same, its text read as :class:`str`."""
        return AsStrView(self, encoding, errors)

    def fields(self, names: Any, *, _prior_dtype: Any = None) -> FieldsView:
        """The same, one or some fields of its structs."""
        return FieldsView(self, names, _prior_dtype)

    @following
    def read_direct(self, dest: NDArray[Any], source_sel: Any = None, dest_sel: Any = None) -> None:
        """Reads into an array, in place where that can be."""
        if self._is_empty:
            raise TypeError("Empty datasets have no numpy representation")
        selected = self._selected(source_sel)
        if not dest.flags.c_contiguous or not dest.flags.writeable:
            raise TypeError("Array must be C-contiguous and writable")
        target = _target(dest, dest_sel)
        if target is not None:
            _expect_same(selected.shape, target.shape)
        array = self._array
        self.dtype  # noqa: B018
        if (
            target is not None
            and self._finish is None
            and target.shape == selected.shape
            and target.dtype == array.dtype
        ):
            array.read(selected.kind, selected.parts, target)
            return
        found = self._finished(np.asarray(array.read(selected.kind, selected.parts)))
        found = converted_to(found, dest.dtype)
        if target is not None:
            target[...] = found.reshape(_fitting(found.shape, target.shape))
        else:
            chosen = select(dest.shape, dest_sel if isinstance(dest_sel, tuple) else (dest_sel,))
            key = chosen.parts[0].reshape(dest.shape) if chosen.kind == "mask" else chosen.parts
            dest[key] = found

    def _selected(self, selection: Any) -> Selected:
        shape = self._array.shape
        if selection is None:
            selection = (Ellipsis,)
        args = selection if isinstance(selection, tuple) else (selection,)
        if not shape:
            return Selected("axes", (Ellipsis,), ())
        return select(shape, args)

    @following
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All items, in new memory."""
        if copy is False:
            raise ValueError(
                f"Dataset.__array__ received {copy=} but memory allocation cannot be avoided on "
                "read"
            )
        if self._is_empty:
            raise TypeError("Empty datasets have no numpy representation")
        found = self._finished(np.asarray(self._array.read("axes", (Ellipsis,))))
        return found if dtype is None else converted_to(found, np.dtype(dtype))


_ROWS_LEN_BYTES = 1 << 20


def _is_big(array: NativeArray) -> bool:
    return any(
        codec["name"] == "bytes" and codec.get("endian") == "big" for codec in array.codecs
    )


def converted_to(found: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What was read as another dtype, as HDF5 converts it; text of numpy by numpy."""
    if found.dtype == dtype:
        return found
    if dtype.kind in "OTU" or found.dtype.kind == "O":
        return found.astype(dtype)
    made = converted(found, dtype if dtype.isnative else dtype.newbyteorder("="))
    return made if made.dtype == dtype else made.astype(dtype)


def _target(dest: NDArray[Any], selection: Any) -> NDArray[Any] | None:
    """The part of an array that a selection of integers and slices stands for."""
    if selection is None:
        return dest
    args = selection if isinstance(selection, tuple) else (selection,)
    chosen = select(dest.shape, args)
    if chosen.is_fancy:
        return None
    view = dest[tuple(chosen.parts)]
    return view if isinstance(view, np.ndarray) else None


def _expect_same(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    """Axes of one item do not count."""
    shape, target = (tuple(n for n in lengths if n != 1) for lengths in (shape, target))
    if shape != target:
        raise TypeError(f"Can't broadcast {shape} -> {target}")


def _fitting(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    return target if product(shape) == product(target) else shape
