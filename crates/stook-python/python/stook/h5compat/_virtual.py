"""What describes virtual datasets: whose items are where."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import Error, UnsupportedError
from ._dtypes import to_native
from ._errors import raised, told
from .h5s import UNLIMITED

if TYPE_CHECKING:
    from ._dataset import Dataset
    from ._group import Group

# Start, stride, count (None: without bound) and block along an axis.
_Span = tuple[int, int, int | None, int]


def _spans(shape: tuple[int, ...], key: Any) -> tuple[list[_Span], list[int]]:
    """What integers and slices select of each axis, and the lengths of axes that stay."""
    args = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis not in args:
        args.append(Ellipsis)
    at = args.index(Ellipsis)
    args[at : at + 1] = [slice(None)] * (len(shape) - len(args) + 1)
    if len(args) != len(shape):
        raise TypeError(f"{len(args)} indexing arguments for {len(shape)} dimensions")
    spans: list[_Span] = []
    lengths = []
    for arg, length in zip(args, shape, strict=True):
        if isinstance(arg, slice) and arg.stop == UNLIMITED:
            spans.append((arg.start or 0, arg.step or 1, None, 1))
            lengths.append(UNLIMITED)
        elif isinstance(arg, slice):
            chosen = range(*arg.indices(length))
            if chosen.step < 1:
                raise ValueError("Step must be >= 1 (got {})".format(chosen.step))
            spans.append((chosen.start, chosen.step, len(chosen), 1))
            lengths.append(len(chosen))
        elif isinstance(arg, (int, np.integer)):
            index = int(arg) + (length if arg < 0 else 0)
            if not 0 <= index < length:
                raise IndexError(f"Index ({arg}) out of range for (0-{length - 1})")
            spans.append((index, 1, 1, 1))
        else:
            raise raised(
                UnsupportedError,
                "parts of virtual datasets are integers and slices",
                NotImplementedError,
            )
    return spans, lengths


def _lengths(shape: Any) -> tuple[Any, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class VirtualSource:
    """A dataset, or once it is sliced a part of one, that a virtual dataset takes items from.

    Parameters
    ----------
    path_or_dataset
        A dataset, or the path of a file; then ``name``, ``shape`` and perhaps ``dtype`` and
        ``maxshape`` tell of the dataset in it, which need not be there yet.
    """

    def __init__(
        self,
        path_or_dataset: Any,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        maxshape: Any = None,
    ) -> None:
        from ._dataset import Dataset

        if isinstance(path_or_dataset, Dataset):
            of = path_or_dataset
            given = {"name": name, "shape": shape, "dtype": dtype, "maxshape": maxshape}
            passed = {key: value for key, value in given.items() if value is not None}
            if passed:
                raise TypeError(
                    "If a Dataset is passed as the first argument then no other arguments may be "
                    f"passed.  You passed {passed}"
                )
            path, name, shape = of.file.filename, of.name, of.shape
            dtype, maxshape = of.dtype, of.maxshape
        else:
            path = os.fspath(path_or_dataset)
            if name is None:
                raise TypeError("The name parameter is required when specifying a source by path")
            if shape is None:
                raise TypeError("The shape parameter is required when specifying a source by path")
        self.path: Any = path
        self.name = name
        self.dtype = dtype
        self._whole = _lengths(shape)
        bounds = self._whole if maxshape is None else _lengths(maxshape)
        self.maxshape = tuple(UNLIMITED if bound is None else bound for bound in bounds)
        self._spans, lengths = _spans(self._whole, ())
        self._lengths: tuple[int, ...] = tuple(lengths)
        self._is_sliced = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the part."""
        return self._lengths

    def __getitem__(self, key: Any) -> VirtualSource:
        """A part of it: integers and slices, of which one may end at ``h5s.UNLIMITED``."""
        if self._is_sliced:
            raise RuntimeError("VirtualSource objects can only be sliced once.")
        part = copy.copy(self)
        part._spans, lengths = _spans(self._whole, key)
        part._lengths, part._is_sliced = tuple(lengths), True
        return part


class VirtualLayout:
    """Where a virtual dataset takes its items from: assign sources to parts of it, and give it to
    :meth:`Group.create_virtual_dataset`.

    >>> import stook.h5compat as h5py
    >>> folder = getfixture("tmp_path")
    >>> for n in range(2):
    ...     with h5py.File(folder / f"{n}.h5", "w") as f:
    ...         f["x"] = np.arange(3) + 10 * n
    >>> layout = h5py.VirtualLayout((2, 3), "i8")
    >>> for n in range(2):
    ...     layout[n] = h5py.VirtualSource(f"{n}.h5", "x", (3,))
    >>> with h5py.File(folder / "all.h5", "w") as f:
    ...     f.create_virtual_dataset("x", layout)[:, 1:]
    array([[ 1,  2],
           [11, 12]])
    """

    def __init__(
        self, shape: Any, dtype: Any = None, maxshape: Any = None, filename: Any = None
    ) -> None:
        self.shape = _lengths(shape)
        self.dtype = dtype
        self.maxshape = None if maxshape is None else _lengths(maxshape)
        self._filename = None if filename is None else os.fspath(filename)
        self._parts: list[tuple[VirtualSource, list[_Span]]] = []

    def __setitem__(self, key: Any, source: VirtualSource) -> None:
        """The items at ``key`` are those of ``source``."""
        self._parts.append((source, _spans(self.shape, key)[0]))

    def make_dataset(self, group: Group, name: Any, fillvalue: Any = None) -> Dataset:
        """Makes the dataset; :meth:`Group.create_virtual_dataset` calls it."""
        from ._dataset import Dataset

        here = os.fspath(group.file.filename)
        if self._filename is not None and self._filename != here:
            raise ValueError(f"the layout is for {self._filename!r}, not for {here!r}")
        dtype = getattr(self.dtype, "dtype", None) or np.dtype(self.dtype)
        native = to_native(dtype)
        what: dict[str, Any] = {"dtype": native, "shape": self.shape}
        if self.maxshape is not None:
            what["max_shape"] = tuple(None if b in (None, UNLIMITED) else b for b in self.maxshape)
        if fillvalue is not None:
            what["fill_value"] = fillvalue
        parts = [
            (
                # So that the file may be renamed.
                "." if source.path == here else os.fspath(source.path),
                source.name,
                source._whole,
                [None if bound == UNLIMITED else bound for bound in source.maxshape],
                source._spans,
                spans,
            )
            for source, spans in self._parts
        ]
        path = group._at(name)
        try:
            array = group._state.tree.create_virtual(path, what, parts)
        except Error as error:
            raise told(error, "Unable to synchronously create dataset") from error
        return Dataset._of(group._state, path, array)
