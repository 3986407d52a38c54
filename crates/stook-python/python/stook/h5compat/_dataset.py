"""Datasets."""

from __future__ import annotations

import posixpath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import Error, ReadOnlyError, SelectionError
from .._stook import Array as NativeArray
from ._dims import DimensionManager
from ._errors import raised, told
from ._filters import Filters
from ._reading import Readable
from ._scales import is_scale, set_scale
from ._selection import select
from ._state import OpenFile
from ._values import unfinished
from ._writing import converted, prepared


class Dataset(Readable):
    """An array in a file, indexed as h5py does: integers, slices of positive steps, ``...``,
    one list or mask of increasing positions, masks of all items, names of fields.

    >>> import stook.h5compat as h5py
    >>> f = h5py.File(getfixture("tmp_path") / "d.h5", "w")
    >>> data = np.arange(12).reshape(3, 4)
    >>> d = f.create_dataset("d", data=data, chunks=(1, 4), maxshape=(None, 4))
    >>> d
    <HDF5 dataset "d": shape (3, 4), type "<i8">
    >>> d[1:, [0, 3]]
    array([[ 4,  7],
           [ 8, 11]])
    >>> d.resize(4, axis=0)
    >>> d[3] = [1, 2, 3, 4]
    >>> d[d[:] > 10], d[-1, 0]
    (array([11]), np.int64(1))
    """

    def __init__(self, bind: Any, *, readonly: bool = False) -> None:
        """Another handle of the dataset that ``bind`` is the id of."""
        of = getattr(bind, "_object", None)
        if not isinstance(of, Dataset):
            raise ValueError(f"{bind} is not a DatasetID")
        self._state, self._path, self._readonly = of._state, of._path, readonly
        self._bind(of._array, of._state.tree)

    @classmethod
    def _of(cls, state: OpenFile, path: str, native: NativeArray) -> Dataset:
        dataset = cls.__new__(cls)
        dataset._state, dataset._path = state, path
        dataset._bind(native, state.tree)
        dataset._readonly = False
        return dataset

    @property
    def maxshape(self) -> Any:
        """How far each axis may grow, ``None`` without bound."""
        if self._is_empty:
            return None
        array = self._array
        bounds = array.max_shape
        if bounds is not None:
            return tuple(bounds)
        return array.shape if array.chunks is None else (None,) * len(array.shape)

    @property
    def fillvalue(self) -> Any:
        """What items are that were never written."""
        dtype = self.dtype
        native = self._array.dtype
        fill = self._array.fill_value
        if fill is None:
            return np.zeros((), dtype)[()]
        if native.names is None and native.kind == "O":
            holder = np.empty((), native)
            holder[()] = fill
        else:
            holder = np.asarray(fill, native.base)
        return (holder if self._finish is None else self._finish(holder))[()]

    @property
    def _filters(self) -> Filters:
        return Filters(self._array.codecs)

    @property
    def compression(self) -> str | None:
        """``gzip``, ``lzf``, ``szip``, ``unknown`` of another filter, or ``None``."""
        return self._filters.compression

    @property
    def compression_opts(self) -> Any:
        """The level of gzip, the method and block of szip."""
        return self._filters.options

    @property
    def shuffle(self) -> bool:
        """Whether bytes are shuffled."""
        return "shuffle" in self._filters.names

    @property
    def fletcher32(self) -> bool:
        """Whether there are checksums."""
        return "fletcher32" in self._filters.names

    @property
    def scaleoffset(self) -> Any:
        """The bits or digits that are kept, if that is so."""
        return self._filters.scale_offset

    @property
    def filter_names(self) -> tuple[str, ...]:
        """The names of all filters."""
        return self._filters.names

    @property
    def filter_ids(self) -> tuple[int, ...]:
        """The numbers of all filters."""
        return self._filters.ids

    @property
    def external(self) -> None:
        """Other files that hold the items; they are read here, and not told."""
        return None

    @property
    def dims(self) -> DimensionManager:
        """Names and scales of its axes."""
        return DimensionManager(self)

    @property
    def is_scale(self) -> bool:
        """Whether it is a dimension scale."""
        return is_scale(self)

    def make_scale(self, name: str = "") -> None:
        """Makes it a dimension scale."""
        set_scale(self, name)

    # Changing its shape.

    @property
    def shape(self) -> Any:
        """The lengths of its axes, ``None`` of one that is empty; setting them changes them."""
        return super().shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self.resize(shape)

    def resize(self, size: Any, axis: int | None = None) -> None:
        """Changes the shape, or the length of one axis; nothing is moved.

        Raises
        ------
        TypeError
            If it has no chunks.
        RuntimeError
            If an axis would grow beyond its bound.
        """
        array = self._array
        if array.chunks is None:
            raise TypeError("Only chunked datasets can be resized")
        if axis is not None:
            if not 0 <= axis < self.ndim:
                raise ValueError(f"Invalid axis (0 to {self.ndim - 1} allowed)")
            try:
                length = int(size)
            except TypeError:
                raise TypeError("Argument must be a single int if axis is specified") from None
            lengths = list(array.shape)
            lengths[axis] = length
        else:
            lengths = [int(length) for length in (size if np.iterable(size) else (size,))]
        if len(lengths) != self.ndim:
            raise TypeError(
                f"New shape length ({len(lengths)}) must match dataset rank ({self.ndim})"
            )
        try:
            array.resize(tuple(lengths))
        except (Error, OverflowError) as error:
            what = "Unable to synchronously change a dataset's dimensions"
            if isinstance(error, Error):
                raise told(error, what, RuntimeError) from error
            raise RuntimeError(f"{what} (negative length)") from error

    # Writing.

    def __setitem__(self, args: Any, val: Any) -> None:
        """Writes ``val``, broadcast over integers and slices.

        Raises
        ------
        TypeError
            If ``val`` does not fit the selection, or is of a kind that HDF5 does not convert.
        OSError
            If the file was opened for reading.
        """
        args = args if isinstance(args, tuple) else (args,)
        names = tuple(arg for arg in args if isinstance(arg, str))
        args = tuple(arg for arg in args if not isinstance(arg, str))
        shown, array = self.dtype, self._array
        if self._is_empty:
            text = "Can't synchronously write data (the dataset is empty)"
            raise raised(SelectionError, text, OSError)
        values = prepared(val, shown, names[0] if len(names) == 1 else None)
        if names:
            self._write_fields(names, args, values)
            return
        self._write(args, values, array.dtype, shown)

    def _write(
        self,
        args: tuple[Any, ...],
        values: NDArray[Any],
        native: np.dtype[Any],
        shown: np.dtype[Any],
    ) -> None:
        array = self._array
        selected = self._selected(args or None)
        extra = ()
        if native.subdtype is not None:
            extra = native.shape
            if values.shape[len(values.shape) - len(extra) :] != extra:
                raise TypeError(
                    "When writing to array types, last N dimensions have to match "
                    f"(got {values.shape}, but should be {extra})"
                )
            if values.ndim == len(extra) and selected.shape != ():
                raise TypeError("Scalar broadcasting is not supported for array dtypes")
        shape = values.shape[: values.ndim - len(extra)]
        if shape == ():
            target = selected.shape if selected.is_fancy else ()
        else:
            target = selected.expand(shape)
        if native.hasobject:
            values = unfinished(values, native)
        values = converted(values, native.base)
        values = values.reshape(values.shape if shape == () else target + extra)
        if selected.is_fancy and shape == ():
            values = np.broadcast_to(values, target + extra)
        try:
            array.write(selected.kind, selected.parts, values)
        except ReadOnlyError as error:
            raise told(error, "Can't synchronously write data", OSError) from error

    def _write_fields(
        self, names: tuple[str, ...], args: tuple[Any, ...], values: NDArray[Any]
    ) -> None:
        shown = self.dtype
        if shown.fields is None:
            raise TypeError("Illegal slicing argument (not a compound dataset)")
        unknown = [name for name in names if name not in shown.fields]
        if unknown:
            listed = ", ".join(f'"{name}"' for name in unknown)
            raise ValueError(f"Illegal slicing argument (fields {listed} not in dataset type)")
        items = np.array(self[args if args else ()], dtype=shown)
        if len(names) == 1 and values.dtype.fields is None:
            field = shown.fields[names[0]][0]
            items[names[0]] = converted(values, field.base) if not field.hasobject else values
        else:
            for name in names:
                if name in (values.dtype.names or ()):
                    items[name] = values[name]
        self._write(args, items, self._array.dtype, shown)

    def write_direct(
        self, source: NDArray[Any], source_sel: Any = None, dest_sel: Any = None
    ) -> None:
        """Writes an array, or a selection of it."""
        if self._is_empty:
            raise TypeError("Empty datasets cannot be written to")
        if not source.flags.c_contiguous:
            raise TypeError("Array must be C-contiguous")
        part = source
        if source_sel is not None:
            args = source_sel if isinstance(source_sel, tuple) else (source_sel,)
            chosen = select(source.shape, args)
            key = chosen.parts[0].reshape(source.shape) if chosen.kind == "mask" else chosen.parts
            part = source[key]
        self[(Ellipsis,) if dest_sel is None else dest_sel] = part

    # The file.

    def refresh(self) -> None:
        """Looks at what another process has committed."""
        self._state.refresh()

    def flush(self) -> None:
        """Puts changes of the file with the operating system."""
        self._state.commit()

    def __repr__(self) -> str:
        if not self:
            return "<Closed HDF5 dataset>"
        name = "(anonymous)" if self.name is None else f'"{posixpath.basename(self._path)}"'
        return f'<HDF5 dataset {name}: shape {self.shape}, type "{self.dtype.str}">'
