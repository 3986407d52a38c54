"""Arrays from tables, text, and files of single arrays."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._metadata import metadata_of
from stook.larray._table import array_of_bytes, array_of_rows
from stook.larray._warn import warn


def from_lists(data: Any, nb_axes: int | None = None, index_col: Any = None, fill_value: Any = np.nan,
               sort_rows: bool = False, sort_columns: bool = False, wide: bool = True) -> Array:
    """The array of a table of cells.

    :param data: rows, the heading first: names of axes, the last two as ``a\\b``, and the labels of the last axis
    :param nb_axes: how many axes there are, where no name has a backslash
    :param index_col: the columns of labels, instead
    :param fill_value: what combinations of labels get that are not there
    :param wide: whether the last axis has columns; else each element has a row
    """
    return array_of_rows([list(row) for row in data], nb_axes, index_col, fill_value, sort_rows, sort_columns, wide)


def from_string(s: str, nb_axes: int | None = None, index_col: Any = None, sep: str = " ", wide: bool = True,
                **kwargs: Any) -> Array:
    """The array of a table that is written as text.

    :param sep: what is between cells: spaces, or a character
    """
    lines = [line for line in s.split("\n") if line.strip()]
    rows = [line.split() if sep == " " else [cell.strip() for cell in line.split(sep)] for line in lines]
    return array_of_rows(rows, nb_axes, index_col, wide=wide, **kwargs)


def _renamed(function: str, na: Any, fill_value: Any) -> Any:
    """The value to fill with, which had another name."""
    if isinstance(na, float) and na != na:
        return fill_value
    warn(f"{function} `na` argument has been renamed to `fill_value`. Please use that instead.")
    return na


def read_csv(filepath_or_buffer: Any, nb_axes: int | None = None, index_col: Any = None, sep: str = ",",
             headersep: str | None = None, decimal: str = ".", fill_value: Any = np.nan, na: Any = np.nan,
             sort_rows: bool = False, sort_columns: bool = False, wide: bool = True, dialect: str = "larray",
             **kwargs: Any) -> Array:
    """The array of a file of text.

    :param filepath_or_buffer: a path, or an open file of text
    :param nb_axes: how many axes there are, where the heading does not tell
    :param index_col: the columns of labels, instead
    :param sep: what is between cells
    :param decimal: what is before the decimals of numbers
    :param fill_value: what combinations of labels get that are not there
    :param wide: whether the last axis has columns; else each element has a row
    :raises FileNotFoundError: where there is no such file
    :raises ValueError: for a table that is none
    """
    fill_value = _renamed("read_csv", na, fill_value)
    if dialect not in ("larray", "classic", "liam2"):
        raise ValueError(f"dialect {dialect!r} is not one of 'larray', 'classic' and 'liam2'")
    if hasattr(filepath_or_buffer, "read"):
        text = filepath_or_buffer.read()
        written = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
    else:
        with open(os.fspath(filepath_or_buffer), "rb") as file:
            written = file.read()
        text = None
    encoding = kwargs.pop("encoding", "utf-8")
    if text is None and encoding not in ("utf-8", "utf8", "UTF-8"):
        text = written.decode(encoding)
        written = text.encode("utf-8", "surrogatepass")
    if headersep is None and decimal == "." and dialect != "liam2" and index_col is None:
        found = array_of_bytes(written, sep, nb_axes, fill_value, sort_rows, sort_columns, wide)
        if found is not None:
            return found
    if text is None:
        text = written.decode("utf-8")
    rows: list[list[str]] = [row for row in csv.reader(io.StringIO(text), delimiter=sep) if row]
    if headersep is not None and rows:
        rows[0] = [cell for part in rows[0][:1] for cell in part.split(headersep)] + rows[0][1:]
    if dialect == "liam2" and len(rows) > 1:
        # The first line names the axes, and the second has the labels of the last one.
        names, labels = rows[0], rows[1]
        rows = [[*names[:-2], f"{names[-2]}\\{names[-1]}", *labels[len(names) - 1:]], *rows[2:]]
    if decimal != ".":
        rows = [rows[0], *([cell.replace(decimal, ".") for cell in row] for row in rows[1:])]
    return array_of_rows(rows, nb_axes, index_col, fill_value, sort_rows, sort_columns, wide)


def read_tsv(filepath_or_buffer: Any, **kwargs: Any) -> Array:
    """The array of a file of text with tabs between cells."""
    return read_csv(filepath_or_buffer, sep="\t", **kwargs)


def read_eurostat(filepath_or_buffer: Any, **kwargs: Any) -> Array:
    """The array of a file of text in Eurostat's form: tabs between columns, commas between labels."""
    with open(os.fspath(filepath_or_buffer), encoding="utf-8", newline="") as file:
        lines = [line.rstrip("\r\n").split("\t") for line in file if line.strip()]
    heading = lines[0][0].split(",")
    rows = [[*heading, *(cell.strip() for cell in lines[0][1:])]]
    for line in lines[1:]:
        cells = [cell.strip() for cell in line[1:]]
        rows.append([*line[0].split(","), *("" if cell == ":" else cell.split(" ")[0] for cell in cells)])
    return array_of_rows(rows, **kwargs)


def read_excel(filepath: Any, sheet: Any = 0, nb_axes: int | None = None, index_col: Any = None,
               fill_value: Any = np.nan, na: Any = np.nan, sort_rows: bool = False, sort_columns: bool = False,
               wide: bool = True, engine: Any = None, range: Any = slice(None), **kwargs: Any) -> Array:  # noqa: A002
    """The array of a sheet of a workbook.

    :param sheet: the name or number of the sheet
    """
    from stook.larray._io import read_sheet

    fill_value = _renamed("read_excel", na, fill_value)
    return read_sheet(  # type: ignore[no-any-return]
        filepath, sheet, nb_axes, index_col, fill_value, sort_rows, sort_columns, wide)


def read_hdf(filepath_or_buffer: Any, key: str, fill_value: Any = np.nan, na: Any = np.nan, sort_rows: bool = False,
             sort_columns: bool = False, name: Any = None, **kwargs: Any) -> Any:
    """The object of a name in a file of HDF5: an array, an axis, a group, or a scalar."""
    from stook.larray._io import read_object

    _renamed("read_hdf", na, fill_value)
    found = read_object(filepath_or_buffer, key, "pandas_hdf")
    if isinstance(found, Array):
        if sort_rows:
            found = found.sort_labels(tuple(found.axes[:-1]))
        if sort_columns:
            found = found.sort_labels(found.axes[-1])
    return found


def read_sas(filepath: Any, nb_axes: int | None = None, index_col: Any = None, fill_value: Any = np.nan,
             na: Any = np.nan, sort_rows: bool = False, sort_columns: bool = False, **kwargs: Any) -> Array:
    """The array of a file of SAS, through pandas."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    from stook.larray._pandas import from_frame

    fill_value = _renamed("read_sas", na, fill_value)
    frame = pd.read_sas(filepath, index=index_col, **kwargs)
    return from_frame(frame, sort_rows=sort_rows, sort_columns=sort_columns, fill_value=fill_value)


def read_stata(filepath_or_buffer: Any, index_col: Any = None, sort_rows: bool = False, sort_columns: bool = False,
               **kwargs: Any) -> Array:
    """The array of a file of Stata, through pandas."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    from stook.larray._pandas import from_frame

    frame = pd.read_stata(filepath_or_buffer, index_col=index_col, **kwargs)
    return from_frame(frame, sort_rows=sort_rows, sort_columns=sort_columns)


def from_frame(df: Any, sort_rows: bool = False, sort_columns: bool = False, parse_header: bool = False,
               unfold_last_axis_name: bool = False, fill_value: Any = np.nan, meta: Any = None,
               cartesian_prod: bool = True, copy: bool = True, **kwargs: Any) -> Array:
    """The array of a data frame of pandas: an axis for each level of its index and its columns.

    :param sort_rows: whether the labels of rows are sorted
    :param sort_columns: whether those of columns are
    :param parse_header: whether columns that are written as numbers become numbers
    :param unfold_last_axis_name: whether the last name of the index holds that of the columns, after a backslash
    :param fill_value: what combinations of labels get that are not there
    """
    from stook.larray import _pandas

    return _pandas.from_frame(df, sort_rows, sort_columns, parse_header, unfold_last_axis_name, fill_value,
                              None if meta is None else metadata_of(meta))


def from_xarray(data: Any, meta: Any = None) -> Array:
    """The array of a ``DataArray`` of xarray; elements are not copied.

    :raises TypeError: for what is no ``DataArray``
    """
    from stook.larray import _xarray

    return _xarray.from_xarray(data, meta)


def from_series(s: Any, sort_rows: bool = False, fill_value: Any = np.nan, meta: Any = None, copy: bool = True,
                **kwargs: Any) -> Array:
    """The array of a series of pandas: an axis for each level of its index."""
    from stook.larray import _pandas

    return _pandas.from_series(s, sort_rows, fill_value, None if meta is None else metadata_of(meta))
