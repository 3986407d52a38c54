"""Making, opening and combining files."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from .._stook import Loom
from . import _growing
from ._connection import LoomConnection
from ._selecting import positions
from .normalize import normalize_attr_values
from .utils import deprecated

Path = str | os.PathLike[str]


def connect(
    filename: Path, mode: str = "r+", *, validate: bool = True, spec_version: str = "3.0.0"
) -> LoomConnection:
    """Opens a Loom file for reading (``r``), or for reading and writing (``r+``).

    Raises
    ------
    FileNotFoundError
        If there is no such file. It is an :class:`OSError`.
    ValueError
        For another mode, and if it is no Loom file.

    Examples
    --------
    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(3), {"Gene": ["a", "b", "c"]}, {})
    >>> with loompy.connect(path, "r") as ds:
    ...     ds.ra.keys()
    ['Gene']
    """
    return LoomConnection(filename, mode, validate=validate)


def new(filename: Path, *, file_attrs: dict[str, Any] | None = None) -> LoomConnection:
    """Makes an empty file, in the place of one that is there, and opens it. It must be filled
    before its ``with`` block ends.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> with loompy.new(path) as ds:
    ...     for start in (0, 2):
    ...         new = {"Age": np.arange(start, start + 2)}
    ...         ds.add_columns(np.ones((3, 2)), new, row_attrs={"Gene": ["a", "b", "c"]})
    ...     ds.shape, ds.ca.Age
    ((3, 4), array([0, 1, 2, 3]))
    """
    path = _expanded(filename)
    native = Loom.create(path, {}, {}, {}, _file_attributes(file_attrs))
    return LoomConnection._of_native(native, path)


def create(
    filename: Path,
    layers: Any,
    row_attrs: Any,
    col_attrs: Any,
    *,
    file_attrs: dict[str, Any] | None = None,
) -> None:
    """Makes a file, in the place of one that is there, which stays until it is whole.

    Parameters
    ----------
    filename
        HDF5, or Zarr where the name or URL asks for that.
    layers
        A matrix, dense or sparse in any layout; a dict of matrices by their names, of which the
        one without a name is the main one; the layers of a view or connection. Sparse ones are
        never made dense.
    row_attrs, col_attrs
        A value for each row or column: a dict of arrays, lists, or columns of pandas; the
        attributes of a view or connection; a frame of pandas.
    file_attrs
        Attributes of the file as a whole.

    Raises
    ------
    ValueError
        If something does not fit. Nothing is made then.
    """
    matrices = _growing.native_layers(layers)
    if "" not in matrices:
        raise InvalidInputError("Data for default layer must be provided")
    _, shape = matrices[""]
    if 0 in shape:
        raise InvalidInputError("Main matrix cannot be empty")
    for name, (_, found) in matrices.items():
        if found != shape:
            raise InvalidInputError(f"Layer '{name}' is not the same shape as the main matrix")
    rows, columns = map(_growing.native_attributes, (row_attrs, col_attrs))
    attributes = (rows, columns)
    for axis, word, plural in ((0, "Row", "rows"), (1, "Column", "columns")):
        for name, values in attributes[axis].items():
            if len(values) != shape[axis]:
                raise InvalidInputError(
                    f"{word} attribute '{name}' is not the same length ({len(values)}) as number"
                    f" of {plural} in main matrix ({shape[axis]})"
                )
    parts = {name: matrix for name, (matrix, _) in matrices.items()}
    path = _expanded(filename)
    Loom.create(path, parts, rows, columns, _file_attributes(file_attrs)).close()


def _expanded(filename: Path) -> str:
    path = os.fspath(filename)
    return os.path.expanduser(path) if path.startswith("~/") else path


def _file_attributes(attributes: Any) -> dict[str, np.ndarray]:
    return {
        str(name): np.asarray(
            normalize_attr_values("None" if value is None else value, use_object_strings=True)
        )
        for name, value in (attributes or {}).items()
    }


def create_append(
    filename: Path,
    layers: Any,
    row_attrs: Any,
    col_attrs: Any,
    *,
    file_attrs: dict[str, Any] | None = None,
    fill_values: Any = None,
) -> None:
    """Makes a file, or adds columns to one that is there."""
    deprecated("'create_append' is deprecated. Use 'new' and 'add_columns' instead")
    if os.path.exists(filename):
        with connect(filename) as ds:
            ds.add_columns(layers, col_attrs, fill_values=fill_values)
    else:
        create(filename, layers, row_attrs, col_attrs, file_attrs=file_attrs)


def combine(
    files: list[Path],
    output_file: Path,
    key: str | None = None,
    file_attrs: dict[str, Any] | None = None,
    batch_size: int = 1000,
    convert_attrs: bool = False,
) -> None:
    """Makes a file of the columns of several.

    ``key`` is an attribute whose values tell which row is which; without one, rows are taken in
    their order. Layers that the first file has not are passed over. The file is there whole or
    not at all.
    """
    if len(files) == 0:
        raise InvalidInputError("The input file list was empty")
    paths = [os.fspath(path) for path in files]
    Loom.combine(
        paths, _expanded(output_file), key, _file_attributes(file_attrs), convert_attrs
    )


def combine_faster(
    files: list[Path],
    output_file: Path,
    file_attrs: dict[str, Any] | None = None,
    selections: list[Any] | None = None,
    key: str | None = None,
    skip_attrs: list[str] | None = None,
) -> None:
    """Makes a file of columns of several, whose rows are the same in the same order.

    ``selections`` has a mask or positions for each file, or ``None`` for all its columns; ``key``
    is an attribute by which the rows of each file are sorted; attributes of columns in
    ``skip_attrs`` are left out. Layers that a file lacks are zeros there.
    """
    if len(files) == 0:
        raise InvalidInputError("The input file list was empty")
    chosen: list[np.ndarray | None] = []
    for path, items in zip(files, selections or [None] * len(files), strict=True):
        if items is None:
            chosen.append(None)
            continue
        with connect(path, "r") as ds:
            chosen.append(positions(items, ds.shape[1]))
    Loom.combine_faster(
        [os.fspath(path) for path in files], chosen, _expanded(output_file), key,
        _file_attributes(file_attrs), list(skip_attrs or ()),
    )  # fmt: skip
