"""A connection to a Loom file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import InvalidInputError, MissingFileError, ReadOnlyError, UnsupportedError
from .._stook import Loom
from . import _computing, _growing
from ._errors import open_loom
from ._scanning import batch_scan, scan
from ._selecting import positions
from ._text import write_text
from .attribute_manager import AttributeManager
from .global_attribute_manager import GlobalAttributeManager
from .graph_manager import GraphManager
from .layer_manager import LayerManager
from .loom_layer import LoomLayer
from .loom_view import LoomView
from .to_html import to_html
from .utils import deprecated
from .view_manager import ViewManager

if TYPE_CHECKING:
    from typing import Self

_ALL = ["col_attrs", "row_attrs", "layers", "col_graphs", "row_graphs"]


class LoomConnection:
    """An open Loom file: HDF5, or Zarr in a folder, an archive or at a URL.

    What is changed is changed in the file: each change is all or nothing, and others who read see
    the last one that was made whole.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.arange(12).reshape(3, 4), {"Gene": list("abc")}, {"Age": [4, 3, 2, 1]})
    >>> with loompy.connect(path) as ds:
    ...     ds.ca.Age = ds.ca.Age * 2
    ...     ds[0, :2] = 7
    ...     ds.shape, ds[:, ds.ca.Age > 5], ds.ra.Gene
    ((3, 4), array([[7, 7],
           [4, 5],
           [8, 9]]), array(['a', 'b', 'c'], dtype=object))
    """

    def __init__(
        self, filename: str | os.PathLike[str], mode: str = "r+", *, validate: bool = True
    ) -> None:
        """Opens a file for reading (``r``), or for reading and writing (``r+``).

        Raises
        ------
        FileNotFoundError
            If there is no such file. It is an :class:`OSError`.
        ValueError
            For another mode, and if it is no Loom file.
        """
        path = os.fspath(filename)
        if mode not in ("r+", "r"):
            raise InvalidInputError("Mode must be either 'r' or 'r+'")
        if "://" not in path and not os.path.exists(path):
            raise MissingFileError("the file does not exist", file=path)
        self._begin(open_loom(path, mode == "r+"), path)

    @classmethod
    def _of_native(cls, native: Loom, filename: str) -> LoomConnection:
        connection = cls.__new__(cls)
        connection._begin(native, filename)
        return connection

    def _begin(self, native: Loom, filename: str) -> None:
        self.filename = filename
        self._loom: Loom | None = native
        self._mode = "r+" if native.writable else "r"
        # Of a file without a matrix: what is to be its shape.
        self._planned: tuple[int, int] | None = None
        self.layers = self.layer = LayerManager(self)
        self.view = ViewManager(self)
        self.ra = self.row_attrs = AttributeManager(self, axis=0)
        self.ca = self.col_attrs = AttributeManager(self, axis=1)
        self.attrs = GlobalAttributeManager(self)
        self.row_graphs = GraphManager(self, axis=0)
        self.col_graphs = GraphManager(self, axis=1)

    @property
    def _native(self) -> Loom:
        """The native half.

        Raises
        ------
        InvalidInputError
            If the connection is closed.
        """
        if self._loom is None:
            raise InvalidInputError("the connection is closed", file=self.filename)
        return self._loom

    def _forget(self) -> None:
        """The file has changed, perhaps all of it."""
        self._planned = None
        for manager in (
            self.layers, self.ra, self.ca, self.attrs, self.row_graphs, self.col_graphs
        ):  # fmt: skip
            manager._forget()

    def _writable(self, message: str) -> Loom:
        native = self._native
        if self._mode != "r+":
            raise ReadOnlyError(message, file=self.filename)
        return native

    @property
    def _file(self) -> Any:
        """The file by h5py's API, for programs that go past this one."""
        from ..h5compat._file import File
        from ..h5compat._state import OpenFile

        return File._of_state(OpenFile(self._native.tree(), self.filename, self._mode, None))

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        return self._planned or self._native.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        rows, columns = map(int, shape)
        if "" not in self.layers:
            self._planned = (rows, columns)
        elif (rows, columns) != self.shape:
            raise InvalidInputError(f"the shape of the file is {self.shape}, not {shape}")

    @property
    def mode(self) -> str:
        """``r`` or ``r+``."""
        self._native  # noqa: B018 (an error where it is closed)
        return self._mode

    @property
    def version(self) -> str:
        """The version of the specification that the file follows."""
        return self._native.version

    def last_modified(self) -> str:
        """When anything in the file was changed last."""
        return self._native.last_modified(None, None)

    def _last_modified(self, kind: str, name: str | None) -> str:
        return self._native.last_modified(kind, name)

    def get_changes_since(self, timestamp: str) -> dict[str, list[str]]:
        """The names of what was changed after a time, by kind: ``row_graphs``, ``col_graphs``,
        ``row_attrs``, ``col_attrs``, ``layers``."""
        return self._native.changes_since(timestamp)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.closed:
            return
        is_empty = type is None and 0 in self.shape
        self.close(True)
        if is_empty:
            raise InvalidInputError(
                "Newly created loom file must be filled with data before leaving the 'with'"
                " statement"
            )

    def _repr_html_(self) -> str:
        return "This LoomConnection has been closed" if self.closed else to_html(self)

    def __repr__(self) -> str:
        if self.closed:
            return f"<LoomConnection {self.filename!r}, closed>"
        return f"<LoomConnection {self.filename!r} {self.shape} {self._mode}>"

    def __getitem__(self, slice_: Any) -> Any:
        """A layer by its name, or a part of the main matrix by a pair of indices."""
        if isinstance(slice_, str):
            return self.layers[slice_]
        if not isinstance(slice_, tuple):
            raise InvalidInputError("Slice must be a 2-tuple")
        return LoomLayer("", self)[slice_]

    def __setitem__(self, slice_: Any, data: Any) -> None:
        if isinstance(slice_, str):
            self._writable("Cannot save layers when connected in read-only mode")
            self.layers[slice_] = data
        else:
            LoomLayer("", self)[slice_] = data

    def sparse(self, rows: Any = None, cols: Any = None, layer: str | None = None) -> Any:
        """A layer, or rows and columns of it in their order, as a sparse matrix in coordinate
        form. The dense matrix is never in memory."""
        return self.layers[layer or ""].sparse(rows=rows, cols=cols)

    def close(self, suppress_warning: bool = False) -> None:
        """Closes the file; what comes after is an error. Closing twice logs a warning."""
        native, self._loom = self._loom, None
        if native is not None:
            native.close()
        elif not suppress_warning:
            logging.warning("Connection to %s is already closed", self.filename)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._loom is None

    # What makes it larger, and puts it in another order.

    def add_columns(
        self,
        layers: Any,
        col_attrs: Any,
        *,
        row_attrs: Any = None,
        fill_values: Any = None,
    ) -> None:
        """Adds columns with their attributes.

        Parameters
        ----------
        layers
            A matrix, dense or sparse, for the main one; a dict of matrices by their names; the
            layers of a view or connection.
        col_attrs
            A value for each new column. Attributes of the file that are not among them are
            removed, and others passed over, unless there is a value to fill them with.
        row_attrs
            Attributes of the rows, for a file without any.
        fill_values
            Values by the names of attributes, or ``"auto"`` for 0 and empty text.

        Raises
        ------
        ValueError
            If something does not fit, or a value has no room in its layer. Nothing is changed
            then.
        """
        native = self._writable("Cannot add columns when connected in read-only mode")
        _growing.add_columns(self, native, layers, (col_attrs, row_attrs), fill_values)

    def add_rows(
        self, layers: Any, row_attrs: Any, *, col_attrs: Any = None, fill_values: Any = None
    ) -> None:
        """Adds rows with their attributes, as :meth:`add_columns` adds columns."""
        native = self._writable("Cannot add rows when connected in read-only mode")
        _growing.add_rows(self, native, layers, (row_attrs, col_attrs), fill_values)

    def add_loom(
        self,
        other_file: str | os.PathLike[str],
        key: str | None = None,
        fill_values: Any = None,
        batch_size: int = 1000,
        convert_attrs: bool = False,
        include_graphs: bool = False,
    ) -> None:
        """Adds the columns of another file.

        ``key`` is an attribute whose values tell which row is which; without one, rows are taken
        in their order. With ``convert_attrs``, attributes of the files that differ become ones
        of columns; with ``include_graphs``, graphs of columns that both have are joined. Layers
        that only the other file has are passed over.

        Raises
        ------
        ValueError
            If the rows do not fit, or a layer is missing. Nothing is changed then.
        """
        native = self._writable("Cannot add data when connected in read-only mode")
        fill = _growing.native_fill_values(fill_values)
        native.add_loom(os.fspath(other_file), key, fill, convert_attrs, include_graphs)
        self._forget()

    def permute(self, ordering: Any, axis: int) -> None:
        """Puts rows (axis 0) or columns (axis 1) in another order, with their attributes and
        graphs. A list with duplicates or gaps repeats and leaves out."""
        if axis not in (0, 1):
            raise InvalidInputError("axis must be 0 or 1")
        native = self._writable("Cannot permute when connected in read-only mode")
        native.permute(_growing.ordering(np.asarray(ordering).ravel(), self.shape[axis]), axis)
        self._forget()

    def repair(self) -> list[str]:
        """Brings what departs from the specification (as in files of some tools of R) into the
        form that it asks for, and tells what was done. All or nothing."""
        found = self._writable("Cannot repair when connected in read-only mode").repair()
        self._forget()
        return found

    def compact(self) -> None:
        """Writes the file anew, without the room of what was removed."""
        self._writable("Cannot compact when connected in read-only mode").compact()

    def subset(
        self, filename: str | os.PathLike[str], rows: Any = None, cols: Any = None
    ) -> None:
        """Makes a file of the rows and columns that lists, masks or slices select, in that order,
        with all layers, attributes and graphs. Another name makes another format of it."""
        n_rows, n_columns = self.shape
        self._native.subset(
            os.fspath(filename),
            None if rows is None else positions(rows, n_rows),
            None if cols is None else positions(cols, n_columns),
        )

    def keep(self, rows: Any = None, cols: Any = None) -> None:
        """Keeps rows and columns that a list, mask or slice selects, in that order, and removes
        all else.

        >>> from stook import loompy
        >>> path = str(getfixture("tmp_path") / "a.loom")
        >>> loompy.create(path, np.arange(12).reshape(3, 4), {"Gene": list("abc")}, {})
        >>> with loompy.connect(path) as ds:
        ...     ds.keep(rows=ds.ra.Gene != "b", cols=slice(0, 2))
        ...     ds[:, :]
        array([[0, 1],
               [8, 9]])
        """
        native = self._writable("Cannot remove anything when connected in read-only mode")
        _growing.keep(self, native, rows, cols)

    def delete(self, rows: Any = None, cols: Any = None) -> None:
        """Removes the rows and columns that a list, mask or slice selects."""
        native = self._writable("Cannot remove anything when connected in read-only mode")
        _growing.delete(self, native, rows, cols)

    def make_sidecar(self, layers: Iterable[str] = ("",)) -> str:
        """Writes layers as sparse matrices to a file beside this one, and returns its path.

        Scans, ``map``, ``aggregate`` and ``sparse`` take the elements from there as long as the
        layer is the one that they were made of, byte for byte; they look each time. Where the
        elements take more than half of the memory that a connection may take, they are not used.
        :meth:`drop_sidecar` deletes the file, as anybody may.

        >>> from stook import loompy
        >>> path = str(getfixture("tmp_path") / "a.loom")
        >>> loompy.create(path, np.eye(3), {"Gene": list("abc")}, {"Age": [1, 2, 3]})
        >>> with loompy.connect(path) as ds:
        ...     _ = ds.make_sidecar()
        ...     ds.sidecar(), ds.map([np.sum], axis=1)[0]
        ...     ds[0, 1] = 5
        ...     ds.sidecar(), ds.map([np.sum], axis=1)[0]
        ({'': 'valid'}, array([1., 1., 1.]))
        ({'': 'stale'}, array([1., 6., 1.]))

        Raises
        ------
        KeyError
            For a layer that is not there.
        NotImplementedError
            For a file behind a URL.
        """
        return os.fspath(self._native.make_sidecar(list(layers)))

    def drop_sidecar(self) -> bool:
        """Deletes the file that :meth:`make_sidecar` made; false where there is none."""
        return self._native.drop_sidecar()

    def sidecar(self) -> dict[str, str]:
        """What the file beside this one has of each layer: ``valid`` or ``stale``; those of which it
        has nothing are left out."""
        native = self._native
        states = {name: native.sidecar_state(name)[0] for name in self.layers.keys()}  # noqa: SIM118
        return {name: state for name, state in states.items() if state != "missing"}

    # What is computed from it.

    def scan(
        self,
        *,
        items: Any = None,
        axis: int | None = None,
        layers: Iterable[str] | None = None,
        key: str | None = None,
        batch_size: int = 512,
        what: list[str] = _ALL,
    ) -> Iterator[tuple[int, np.ndarray, LoomView]]:
        """Goes through rows (axis 0) or columns (axis 1) in batches.

        Parameters
        ----------
        items
            Positions along the axis, or a mask. Positions that do not rise are given in their
            order.
        layers
            The names of the layers to read; all by default, ``""`` for the main one.
        key
            An attribute of the other axis, by which that is sorted.
        batch_size
            How far along the axis a batch reaches.
        what
            Which of ``layers``, ``row_attrs``, ``col_attrs``, ``row_graphs`` and ``col_graphs``
            the views have.

        Yields
        ------
        tuple
            Where the batch begins, the positions that are in it, and a view of them.
        """
        return scan(self, items, axis, layers, key, batch_size, what)

    def batch_scan(
        self,
        cells: Any = None,
        genes: Any = None,
        axis: int = 0,
        batch_size: int = 1000,
        layer: str | None = None,
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """The old form of :meth:`scan`."""
        deprecated("'batch_scan' is deprecated. Use 'scan' instead")
        name = layer or ""
        for start, indexes, found in batch_scan(self, cells, genes, axis, batch_size, [name]):
            yield start, indexes, found[name]

    def batch_scan_layers(
        self,
        cells: Any = None,
        genes: Any = None,
        axis: int = 0,
        batch_size: int = 1000,
        layers: Iterable[str] | None = None,
    ) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
        """The old form of :meth:`scan`, of several layers."""
        deprecated("'batch_scan_layers' is deprecated. Use 'scan' instead")
        names = self.layers.keys() if layers is None else list(layers)
        yield from batch_scan(self, cells, genes, axis, batch_size, names)

    def map(
        self,
        f_list: list[Callable[[np.ndarray], Any]],
        *,
        axis: int = 0,
        chunksize: int = 1000,
        selection: Any = None,
    ) -> list[np.ndarray]:
        """What each function makes of each row (axis 0) or column (axis 1) of the main matrix, as
        ``float64``; ``selection`` says which items of those it is given.

        numpy's mean, std, var, sum, min, max and count_nonzero are computed together, in one
        pass and without Python; other functions are called with a row or column at a time.
        """
        return LoomLayer("", self).map(f_list, axis, chunksize, selection)

    def aggregate(
        self,
        out_file: str | os.PathLike[str] | None = None,
        select: Any = None,
        group_by: Any = "Clusters",
        aggr_by: Any = "mean",
        aggr_ca_by: dict[str, str] | None = None,
        layer: str = "",
        aggr_ca_if_equal: bool = False,
    ) -> np.ndarray:
        """Rows by groups of columns, as ``float64``.

        Parameters
        ----------
        out_file
            A file to make with the result, the attributes of rows, and those of ``aggr_ca_by``.
        group_by
            The name of an attribute of columns, or a label for each column. Groups are sorted by
            their labels.
        aggr_by
            The name of an aggregate, as numpy_groupies has them, or a function of an array.
        aggr_ca_by
            By the names of attributes of columns: ``tally``, ``mode``, ``mean`` or ``first``.
        aggr_ca_if_equal
            Whether the other attributes are written, too, where they are the same in each group.
        """
        if select is not None:
            raise InvalidInputError("The 'select' argument is deprecated")
        labels = self.ca[group_by] if isinstance(group_by, str) else group_by
        unique, groups = _computing.group_labels(labels, self.shape[1])
        source = self.layers[layer]
        found = _computing.aggregate_layer(source, groups, len(unique), aggr_by)
        attributes = _computing.aggregate_attributes(
            self.ca, groups, len(unique), aggr_ca_by, aggr_ca_if_equal
        )
        if out_file is not None:
            from ._creating import create

            create(out_file, found, self.ra, attributes)
        return found

    def export(
        self, out_file: str | os.PathLike[str], layer: str | None = None, format: str = "tab"
    ) -> None:
        """Writes a layer and the attributes of both axes as text, with tabs between."""
        if format != "tab":
            raise UnsupportedError("Only 'tab' is supported")
        write_text(self, os.fspath(out_file), layer or "")

    def table(self, axis: int) -> Any:
        """The attributes of rows (axis 0) or columns (axis 1) as a table of Arrow.

        Attributes with several values for each row or column are lists of a fixed size.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        from ._tables import table

        return table((self.ra, self.ca)[axis])

    # Names of loompy before version 3.

    def set_layer(
        self,
        name: str,
        matrix: Any,
        chunks: tuple[int, int] = (64, 64),
        chunk_cache: int = 512,
        dtype: str = "float32",
        compression_opts: int = 2,
    ) -> None:
        """``ds.layers[name] = matrix``."""
        deprecated("'set_layer' is deprecated. Use 'ds.layers[name] = matrix' instead")
        self.layers[name] = matrix

    def delete_attr(self, name: str, axis: int = 0) -> None:
        """``del ds.ra[name]``, or of ``ds.ca``."""
        deprecated("'delete_attr' is deprecated. Use 'del ds.ra.key' or 'del ds.ca.key' instead")
        del (self.ra if axis == 0 else self.ca)[name]

    def set_attr(self, name: str, values: Any, axis: int = 0, dtype: str | None = None) -> None:
        """``ds.ra[name] = values``, or of ``ds.ca``."""
        deprecated("'set_attr' is deprecated. Use 'ds.ra.key = values' instead")
        (self.ra if axis == 0 else self.ca)[name] = values

    def list_edges(self, *, axis: int) -> list[str]:
        """``ds.row_graphs.keys()``, or of ``ds.col_graphs``."""
        deprecated("'list_edges' is deprecated. Use 'ds.row_graphs.keys()' instead")
        return self._graphs(axis).keys() if axis in (0, 1) else []

    def get_edges(self, name: str, *, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``ds.row_graphs[name]``, or of ``ds.col_graphs``, in its parts."""
        deprecated("'get_edges' is deprecated. Use 'ds.row_graphs[name]' instead")
        graph = self._graphs(axis)[name]
        return graph.row, graph.col, graph.data

    def set_edges(self, name: str, a: Any, b: Any, w: Any, *, axis: int) -> None:
        """``ds.row_graphs[name] = g``, or of ``ds.col_graphs``, from its parts."""
        from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

        deprecated("'set_edges' is deprecated. Use 'ds.row_graphs[name] = g' instead")
        graphs = self._graphs(axis)
        try:
            graph = coo_matrix((w, (a, b)), (self.shape[axis], self.shape[axis]))
        except Exception:
            raise InvalidInputError(
                "Input arrays could not be converted to a sparse matrix"
            ) from None
        graphs[name] = graph

    def _graphs(self, axis: int) -> GraphManager:
        if axis not in (0, 1):
            raise InvalidInputError("axis must be 0 (rows) or 1 (columns)")
        return self.row_graphs if axis == 0 else self.col_graphs
