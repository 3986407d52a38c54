"""Files of single arrays, axes and groups."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np


def write_csv(array: Any, path: Any, sep: str, na_rep: str, wide: bool, value_name: str, dropna: Any, dialect: str,
              options: dict[str, Any]) -> None:
    """Writes an array as text; numbers in the shortest form that is read as the same number."""
    if dialect not in ("default", "classic"):
        raise ValueError(f"dialect {dialect!r} is not one of 'default' and 'classic'")
    names: Any = "except_last" if dialect == "classic" else True
    rows = array.dump(wide=wide, value_name=value_name, axes_names=names, na_repr="as_is")
    if rows is None:
        raise ValueError("a 0-dimensional array has no table")
    if dropna:
        rows = _without_missing(rows, array.ndim - 1 if wide else array.ndim, dropna)
    has_missing = array.dtype.kind in "fcO"
    texts = [_cells(row, na_rep, has_missing) for row in rows]
    if hasattr(path, "write"):
        csv.writer(path, delimiter=sep, lineterminator="\n").writerows(texts)
        return
    text = io.StringIO()
    csv.writer(text, delimiter=sep, lineterminator="\n").writerows(texts)
    write_whole(path, text.getvalue(), options.get("encoding", "utf-8"))


def write_whole(path: Any, text: str, encoding: str = "utf-8") -> None:
    """Writes a file as a whole or not at all: beside it first, then in its place."""
    beside = f"{os.fspath(path)}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding=encoding, newline="") as file:
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def _cells(row: list[Any], na_rep: str, has_missing: bool) -> list[Any]:
    """Cells as the writer of tables takes them: it writes numbers in their shortest form."""
    if has_missing:
        row = [cell if cell == cell else na_rep for cell in row]
    return row


def _without_missing(rows: list[list[Any]], n_labels: int, dropna: Any) -> list[list[Any]]:
    rule = any if dropna == "any" else all

    def is_missing(cell: Any) -> bool:
        return isinstance(cell, float) and bool(np.isnan(cell))

    return [rows[0], *(row for row in rows[1:] if not rule(map(is_missing, row[max(n_labels, 1):])))]


def read_sheet(path: Any, sheet: Any, nb_axes: Any, index_col: Any, fill_value: Any, sort_rows: bool,
               sort_columns: bool, wide: bool) -> Any:
    """The array of a sheet of a workbook."""
    raise NotImplementedError("reading workbooks")


def read_object(path: Any, key: str, engine: str) -> Any:
    """An object of a file."""
    raise NotImplementedError("reading files of HDF5")


def axis_to_hdf(axis: Any, path: Any, key: Any) -> None:
    """Writes an axis to a file of HDF5."""
    raise NotImplementedError("writing files of HDF5")


def group_to_hdf(group: Any, path: Any, key: Any, axis_key: Any) -> None:
    """Writes a group to a file of HDF5."""
    raise NotImplementedError("writing files of HDF5")


def write_hdf(array: Any, path: Any, key: str) -> None:
    """Writes an array to a file of HDF5."""
    raise NotImplementedError("writing files of HDF5")


def write_excel(array: Any, path: Any, sheet: Any, position: str, overwrite_file: bool, header: bool, transpose: bool,
                wide: bool, value_name: str, engine: Any) -> None:
    """Writes an array to a sheet of a workbook."""
    raise NotImplementedError("writing workbooks")
