"""A layer: in a file, and in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from .._indexing import Selection, numpy_selection, orthogonal_selection
from . import _computing
from ._matrices import fitting
from ._selecting import positions

__all__ = ["LoomLayer", "MemoryLoomLayer"]


class MemoryLoomLayer:
    """A layer in memory, such as one of a view."""

    def __init__(self, name: str, matrix: Any) -> None:
        self.name = name
        self.shape = matrix.shape
        self.values = matrix

    @property
    def dtype(self) -> Any:
        """The type of its numbers."""
        return self.values.dtype

    def _whole(self) -> Any:
        return self.values[:, :]

    def __getitem__(self, slice: Any) -> Any:
        return self.values[slice]

    def __setitem__(self, slice: Any, data: Any) -> None:
        self.values[slice] = data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values[...], dtype=dtype, copy=copy)

    def sparse(self, rows: Any = None, cols: Any = None) -> Any:
        """The layer, or rows and columns of it, as a sparse matrix in coordinate form."""
        from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

        values = np.asarray(self.values[...])
        if rows is not None:
            values = values[np.asarray(rows), :]
        if cols is not None:
            values = values[:, np.asarray(cols)]
        return coo_matrix(values)

    def permute(self, ordering: Any, *, axis: int) -> None:
        """Puts rows (axis 0) or columns (axis 1) in another order."""
        if axis not in (0, 1):
            raise InvalidInputError("axis must be 0 or 1")
        self.values = np.take(np.asarray(self.values[...]), ordering, axis=axis)
        self.shape = self.values.shape

    _permute = permute

    def __repr__(self) -> str:
        return f"<MemoryLoomLayer {self.name!r} {self.shape}>"


class LoomLayer:
    """A layer of a file: a matrix that is read and written by indices.

    Any index may stand on either axis: integers, slices with any step, lists in any order and
    with duplicates, masks. The axes are selected each on its own.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.arange(12).reshape(3, 4), {}, {})
    >>> with loompy.connect(path) as ds:
    ...     ds.layers[""][[2, 0], [3, 3, 1]]
    array([[11, 11,  9],
           [ 3,  3,  1]])
    """

    def __init__(self, name: str, ds: Any) -> None:
        self.ds = ds
        self.name = name
        self.dtype = ds._native.layer_dtype(name)

    @property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""
        return self.ds._native.shape

    def last_modified(self) -> str:
        """When it was changed last."""
        return self.ds._last_modified("layers", self.name)

    def _whole(self) -> np.ndarray:
        return self[:, :]

    def _selection(self, key: Any) -> Selection:
        shape = self.shape
        if isinstance(key, np.ndarray) and key.dtype.kind == "b" and key.ndim == 2:
            return numpy_selection(key, shape)
        return orthogonal_selection(key, shape)

    def __getitem__(self, slice: Any) -> Any:
        selection = self._selection(slice)
        found = self.ds._native.read_layer(self.name, selection.kind, selection.parts)
        return selection.finish(found)

    def __setitem__(self, slice: Any, data: Any) -> None:
        native, selection = self.ds._native, self._selection(slice)
        shape = native.result_shape(selection.kind, selection.parts)
        values = fitting(data, self.dtype)
        try:
            values = np.broadcast_to(values, shape)
        except ValueError:
            raise InvalidInputError(
                f"values of shape {values.shape} do not fit a selection of shape {shape}"
            ) from None
        native.write_layer(self.name, selection.kind, selection.parts, values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("the layer lies in a file: reading it makes a copy")
        return np.asarray(self[:, :], dtype=dtype)

    def sparse(self, rows: Any = None, cols: Any = None, dtype: Any = None) -> Any:
        """The layer, or rows and columns of it in their order, as a sparse matrix in coordinate
        form: of ``float64``, or of ``dtype``. The dense matrix is never in memory."""
        from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

        n_rows, n_columns = self.shape
        rows = None if rows is None else positions(rows, n_rows)
        cols = None if cols is None else positions(cols, n_columns)
        shape = (n_rows if rows is None else len(rows), n_columns if cols is None else len(cols))
        wanted = np.dtype("f8" if dtype is None else dtype)
        data, row, column = self.ds._native.sparse(self.name, rows, cols, wanted)
        return coo_matrix((data.astype(wanted, copy=False), (row, column)), shape=shape)

    def map(
        self,
        f_list: list[Callable[[np.ndarray], Any]],
        axis: int = 0,
        chunksize: int = 1000,
        selection: Any = None,
    ) -> list[np.ndarray]:
        """What each function makes of each row (axis 0) or column (axis 1), as ``float64``.

        numpy's mean, std, var, sum, min, max and count_nonzero are computed together, in one
        pass and without Python; other functions are called with a row or column at a time.
        """
        return _computing.map_layer(self, f_list, axis, chunksize, selection)

    def _resize(self, size: Any, axis: int | None = None) -> None:
        raise InvalidInputError(
            "a layer has the shape of its file", hint="add_columns, add_rows, keep and delete"
        )

    def __repr__(self) -> str:
        return f"<LoomLayer {self.name!r} {self.shape} {self.dtype}>"
