"""Files of single arrays, axes and groups."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np

from stook import _stook
from stook.larray._display import table_labels


def write_csv(array: Any, path: Any, sep: str, na_rep: str, wide: bool, value_name: str, dropna: Any, dialect: str,
              options: dict[str, Any]) -> None:
    """Writes an array as text; numbers in the shortest form that is read as the same number."""
    if dialect not in ("default", "classic"):
        raise ValueError(f"dialect {dialect!r} is not one of 'default' and 'classic'")
    names: Any = "except_last" if dialect == "classic" else True
    encoding = options.get("encoding", "utf-8")
    if wide and not dropna and (hasattr(path, "write") or encoding in ("utf-8", "utf8", "UTF-8")):
        pieces = _numbers_as_text(array, sep, na_rep, names)
        if pieces is not None:
            if hasattr(path, "write"):
                path.write(b"".join(pieces).decode("utf-8"))
            else:
                write_whole(path, pieces)
            return
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
    write_whole(path, [text.getvalue().encode(encoding)])


def _numbers_as_text(array: Any, sep: str, na_rep: str, names: Any) -> list[bytes] | None:
    """The table of an array of numbers, in pieces; None where it takes more than to write numbers."""
    data = array.data
    # What is in numbers would have to be in quotes.
    if not data.ndim or not data.shape[-1] or len(sep) != 1 or sep.isalnum() or sep in '+-.\r\n"' or not sep.isascii():
        return None
    if data.dtype.kind in "iu" and data.dtype != np.uint64:
        data = data.astype(np.int64, copy=False)
    if data.dtype not in (np.float64, np.int64, np.bool_) or not data.dtype.isnative:
        return None
    heading, *labels = table_labels(array, names)
    if data.dtype.kind == "f":
        heading, *labels = [_cells(cells, na_rep, True) for cells in (heading, *labels)]
    first = io.StringIO()
    csv.writer(first, delimiter=sep, lineterminator="\n").writerow(heading)
    written = [[_written(label, sep) for label in axis] for axis in labels]
    rows = _stook.labelled_csv_rows(np.ascontiguousarray(data), written, sep, _written(na_rep, sep))
    return [first.getvalue().encode("utf-8"), *rows]


def _written(cell: Any, sep: str) -> str:
    """A cell among others, as the writer of tables has it."""
    if type(cell) is str and (cell.isalnum() or not cell):
        return cell
    text = io.StringIO()
    csv.writer(text, delimiter=sep, lineterminator="\n").writerow([cell, 0])
    return text.getvalue()[:-3]


def write_whole(path: Any, pieces: list[bytes]) -> None:
    """Writes a file as a whole or not at all: beside it first, then in its place."""
    beside = f"{os.fspath(path)}.{os.getpid()}.tmp"
    try:
        with open(beside, "wb") as file:
            file.writelines(pieces)
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


def read_object(path: Any, key: str, engine: str) -> Any:
    """An object of a file.

    :raises KeyError: where there is none of that name
    """
    from stook.larray._native import load

    if not os.path.exists(path):
        raise FileNotFoundError(f"File {os.fspath(path)} does not exist")
    found, _, report = load(os.fspath(path), engine, [key])
    if not found:
        raise KeyError(report.not_loaded.get(key, f"No object named {key} in the file"))
    return found[0][1]


def _add(path: Any, engine: str, name: str, value: Any) -> None:
    """Adds an object to a file, or begins one."""
    from stook.larray._metadata import Metadata
    from stook.larray._native import save

    report = save(os.fspath(path), engine, [(name, value)], Metadata(), False, {})
    for why in report.not_saved.values():
        raise TypeError(f"{name!r} cannot be saved: {why}")


def axis_to_hdf(axis: Any, path: Any, key: Any) -> None:
    """Writes an axis to a file of HDF5."""
    name = axis.name if key is None else key
    if name is None:
        raise ValueError("Argument key must be provided explicitly in case of anonymous axis")
    _add(path, "pandas_hdf", str(name), axis)


def group_to_hdf(group: Any, path: Any, key: Any, axis_key: Any) -> None:
    """Writes a group, and its axis, to a file of HDF5."""
    name = group.name if key is None else key
    if name is None:
        raise ValueError("Argument key must be provided explicitly in case of anonymous group")
    if axis_key is not None:
        axis_to_hdf(group.axis, path, axis_key)
    _add(path, "pandas_hdf", str(name), group)


def write_hdf(array: Any, path: Any, key: str) -> None:
    """Writes an array to a file of HDF5."""
    _add(path, "pandas_hdf", key, array)


def read_sheet(path: Any, sheet: Any, nb_axes: Any, index_col: Any, fill_value: Any, sort_rows: bool,
               sort_columns: bool, wide: bool) -> Any:
    """The array of a sheet of a workbook, by name or number."""
    from stook.larray._native import load

    if not wide and (nb_axes is not None or index_col is not None):
        raise ValueError("`nb_axes` or `index_col` argument cannot be used when `wide` argument is False")
    if not os.path.exists(path):
        raise FileNotFoundError(f"[Errno 2] No such file or directory: {os.fspath(path)!r}")
    if nb_axes is not None or index_col is not None or not wide or fill_value == fill_value:
        return _table_of_sheet(path, sheet, nb_axes, index_col, fill_value, sort_rows, sort_columns, wide)
    names = [sheet] if isinstance(sheet, str) else None
    found, _, report = load(os.fspath(path), "pandas_excel", names)
    if isinstance(sheet, str) and not found:
        raise ValueError(report.not_loaded.get(sheet, f"Worksheet named {sheet!r} not found"))
    array = found[0 if isinstance(sheet, str) else sheet][1]
    if sort_rows:
        array = array.sort_labels(tuple(array.axes[:-1]))
    return array.sort_labels(array.axes[-1]) if sort_columns else array


def _table_of_sheet(path: Any, sheet: Any, nb_axes: Any, index_col: Any, fill_value: Any, sort_rows: bool,
                    sort_columns: bool, wide: bool) -> Any:
    """The array of the cells of a sheet; labels of merged cells are those above them."""
    from stook import _stook
    from stook._errors import NotFoundError
    from stook.larray._table import _label_columns, array_of_rows

    try:
        rows = _stook.labelled_sheet(os.fspath(path), sheet)
    except NotFoundError as error:
        raise ValueError(str(error)) from None
    rows = [row for row in rows if any(cell is not None for cell in row)]
    if not rows:
        raise ValueError(f"sheet {sheet!r} has no cells")
    at = _label_columns(rows[0], nb_axes, index_col, wide)
    for above, row in zip(rows[1:], rows[2:]):
        for column in at[:-1]:
            if row[column] is None:
                row[column] = above[column]
    return array_of_rows(rows, nb_axes, index_col, fill_value, sort_rows, sort_columns, wide)


def write_excel(array: Any, path: Any, sheet: Any, position: str, overwrite_file: bool, header: bool, transpose: bool,
                wide: bool, value_name: str, engine: Any) -> None:
    """Writes an array to a sheet of a workbook, beside those that are there."""
    from stook.larray._metadata import Metadata
    from stook.larray._native import load, save

    if path is None or position != "A1" or not header or not wide:
        raise NotImplementedError("to_excel without a path, from another cell than A1, without heading, or narrow")
    kept: dict[str, Any] = {}
    if not overwrite_file and os.path.exists(path):
        kept = dict(load(os.fspath(path), "pandas_excel", None)[0])
    kept[f"Sheet{len(kept) + 1}" if sheet is None else str(sheet)] = array.transpose() if transpose else array
    save(os.fspath(path), "pandas_excel", list(kept.items()), Metadata(), True, {})
