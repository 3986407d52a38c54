"""Datasets seen in another way, and their chunks one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._dtypes import check_string_dtype

if TYPE_CHECKING:
    from ._reading import Readable


class _View:
    """What a dataset looks like but for its items."""

    def __init__(self, dset: Readable) -> None:
        self._dset = dset

    @property
    def shape(self) -> Any:
        """The lengths of its axes."""
        return self._dset.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._dset.ndim

    @property
    def size(self) -> Any:
        """The number of items."""
        return self._dset.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what is read."""
        return self._dset.dtype

    def __len__(self) -> int:
        return len(self._dset)

    def __iter__(self) -> Iterator[Any]:
        for at in range(len(self._dset)):
            yield self[at]

    def __getitem__(self, args: Any) -> Any:
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"{type(self).__name__}.__array__: memory allocation cannot be avoided on read")
        found = np.asarray(self[()])
        return found if dtype is None else found.astype(dtype)


class AsTypeView(_View):
    """A dataset whose items are cast when they are read; see :meth:`Dataset.astype`."""

    def __init__(self, dset: Readable, dtype: Any) -> None:
        super().__init__(dset)
        self._dtype = np.dtype(dtype)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what is read."""
        return self._dtype

    def __getitem__(self, args: Any) -> Any:
        return self._dset._get(args, self._dtype)


class AsStrView(_View):
    """A dataset whose text is read as :class:`str`; see :meth:`Dataset.asstr`."""

    def __init__(self, dset: Readable, encoding: str | None = None, errors: str = "strict") -> None:
        text = check_string_dtype(dset.dtype)
        if text is None:
            what = "datasets with an HDF5 string datatype"
            raise TypeError(f"dset.asstr() can only be used on {what}")
        super().__init__(dset)
        self.encoding = encoding or text.encoding
        self.errors = errors

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what is read: objects."""
        return np.dtype(object)

    def __getitem__(self, args: Any) -> Any:
        found = self._dset[args]
        if not isinstance(found, np.ndarray):
            return bytes(found).decode(self.encoding, self.errors)
        made = np.empty(found.shape, object)
        flat = made.reshape(-1)
        for at, item in enumerate(found.reshape(-1).tolist()):
            flat[at] = item.decode(self.encoding, self.errors)
        return made


class FieldsView(_View):
    """Some fields of the structs of a dataset; see :meth:`Dataset.fields`."""

    def __init__(self, dset: Readable, names: Any, prior: Any = None) -> None:
        super().__init__(dset)
        self._is_one = isinstance(names, str)
        self._names = [names] if self._is_one else list(names)
        whole = dset.dtype if prior is None else np.dtype(prior)
        if whole.names is None:
            raise ValueError("Field names only allowed for compound types")
        for name in self._names:
            if name not in whole.names:
                raise ValueError(f"Field {name} does not appear in this type.")
        self._dtype = np.dtype([(name, whole[name]) for name in self._names])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what is read."""
        return self._dtype[self._names[0]] if self._is_one else self._dtype

    def __getitem__(self, args: Any) -> Any:
        found = np.asarray(self._dset[args])
        if self._is_one:
            part = np.ascontiguousarray(found[self._names[0]], self.dtype.base)
            return part.reshape(found[self._names[0]].shape)[()]
        made = np.empty(found.shape, self._dtype)
        for name in self._names:
            made[name] = found[name]
        return made[()]


class ChunkIterator:
    """For each chunk that a selection touches, the slices of its part; in C order."""

    def __init__(self, dset: Readable, source_sel: Any = None) -> None:
        chunks = dset.chunks
        if chunks is None:
            raise TypeError("Chunked dataset required")
        self._chunks = chunks
        shape = dset.shape
        self._bounds = [self._bound(part, n) for part, n in self._parts(source_sel, shape)]
        self._parts_ahead = self._all(0)

    @staticmethod
    def _parts(selection: Any, shape: tuple[int, ...]) -> list[tuple[slice, int]]:
        if selection is None:
            selection = tuple(slice(0, length) for length in shape)
        elif not isinstance(selection, tuple):
            selection = (selection,)
        if not isinstance(selection, tuple) or len(selection) != len(shape):
            text = "selection region must have same rank as dataset"
            raise ValueError(f"Invalid selection - {text}")
        parts = (n if isinstance(n, slice) else slice(int(n), int(n) + 1) for n in selection)
        return list(zip(parts, shape, strict=True))

    @staticmethod
    def _bound(part: slice, length: int) -> tuple[int, int]:
        start = 0 if part.start is None else part.start
        stop = length if part.stop is None else part.stop
        if part.step not in (None, 1) or not 0 <= start < length or not start < stop <= length:
            raise ValueError("Invalid selection - selection region must be within dataset space")
        return start, stop

    def _all(self, axis: int) -> Iterator[tuple[slice, ...]]:
        if axis == len(self._bounds):
            yield ()
            return
        (start, stop), chunk = self._bounds[axis], self._chunks[axis]
        for first in range(start - start % chunk, stop, chunk):
            here = slice(max(first, start), min(first + chunk, stop), 1)
            for rest in self._all(axis + 1):
                yield (here, *rest)

    def __iter__(self) -> ChunkIterator:
        return self

    def __next__(self) -> tuple[slice, ...]:
        return next(self._parts_ahead)
