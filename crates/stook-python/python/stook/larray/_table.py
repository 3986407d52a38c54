"""Tables of cells as arrays: the first row has names and the labels of the last axis, the first columns labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from stook import _stook
from stook.larray import _syntax
from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis


def array_of_rows(rows: Sequence[Sequence[Any]], nb_axes: int | None = None, index_col: Any = None,
                  fill_value: Any = np.nan, sort_rows: bool = False, sort_columns: bool = False,
                  wide: bool = True) -> Array:
    """The array of a table.

    :param rows: rows of cells, the heading first; None and the empty text are no value
    :param nb_axes: how many axes there are
    :param index_col: the columns of labels, by number or name; without, those up to the one whose name has a
        backslash, or the first
    :param fill_value: what combinations of labels get that are not there
    :param wide: whether the labels of the last axis are in the heading; else each element has a row
    :raises ValueError: for a combination of labels that comes twice, or a row of another length
    """
    if not rows:
        raise ValueError("No columns to parse from file")
    heading = list(rows[0])
    body = [list(row) for row in rows[1:]]
    for number, row in enumerate(body, 2):
        if len(row) < len(heading):
            row += [None] * (len(heading) - len(row))
        elif len(row) > len(heading):
            raise ValueError(f"row {number}: expected {len(heading)} cells, found {len(row)}")
    at = _label_columns(heading, nb_axes, index_col, wide)
    others = [column for column in range(len(heading)) if column not in at]
    names = [heading[column] for column in at]
    if not wide:
        return _narrow(body, at, others, names, fill_value, sort_rows)
    values = _values([[row[column] for column in others] for row in body])
    return _assembled(heading, body, at, values, fill_value, sort_rows, sort_columns)


def _assembled(heading: list[Any], body: list[list[Any]], at: list[int], values: np.ndarray, fill_value: Any,
               sort_rows: bool, sort_columns: bool) -> Array:
    """The array of a heading, the labels of rows, and values."""
    others = [column for column in range(len(heading)) if column not in at]
    names = [heading[column] for column in at]
    last, names = _last_name(names)
    columns = _typed([heading[column] for column in others])
    if len(body) == 1 and len(at) == 1 and last is None and _is_blank(body[0][at[0]]):
        found = Array(values[0], Axis(columns, _name(names[0])))
        return found.sort_labels() if sort_columns else found
    axes, codes = _axes_of([[row[column] for row in body] for column in at], names, sort_rows)
    own = Axis(columns, _name(last))
    found = _placed(axes, codes, values, own, fill_value)
    return found.sort_labels(own.name if own.name is not None else -1) if sort_columns else found


def array_of_bytes(text: bytes, sep: str, nb_axes: int | None, fill_value: Any, sort_rows: bool, sort_columns: bool,
                   wide: bool) -> Array | None:
    """The array of a table of text (UTF-8) whose cells are all numbers, or empty, but for the labels before them.

    :returns: None for another table: one with quotes, texts, or rows of several lengths
    """
    end = text.find(b"\n")
    if end < 1 or len(sep) != 1 or not sep.isascii():
        return None
    first = text[: end - 1] if text[end - 1: end] == b"\r" else text[:end]
    try:
        heading: list[Any] = first.decode("utf-8").split(sep)
    except UnicodeDecodeError:
        return None
    if not first or b'"' in first or b"\r" in first:
        return None
    at = _label_columns(heading, nb_axes, None, wide)
    n_cells = len(heading) - len(at)
    if n_cells < 1 or (n_cells > 1 and not wide):
        return None
    table = _stook.labelled_csv_table(text, end + 1, ord(sep), len(at), n_cells)
    if table is None or not len(table[1]):
        return None
    columns, values = table
    names = heading[: len(at)]
    last, names = _last_name(names) if wide else (None, names)
    own = Axis(_typed(heading[len(at):]), _name(last)) if wide else Axis([0], "value")
    if wide and len(values) == 1 and len(at) == 1 and last is None and _is_blank(columns[0][0][0]):
        found = Array(values[0], Axis(own.labels, _name(names[0])))
        return found.sort_labels() if sort_columns else found
    axes, codes = [], []
    for (cells, numbers), name in zip(columns, names):
        labels = Axis(_typed(cells), None)._items()
        distinct = sorted(set(labels)) if sort_rows else labels
        place = {label: number for number, label in enumerate(distinct)}
        if len(place) < len(labels):
            return None  # Texts that are written in several ways.
        axes.append(Axis(distinct, _name(name)))
        codes.append(np.array([place[label] for label in labels], dtype=np.intp)[numbers] if sort_rows else numbers)
    found = _placed(axes, codes, values, own, fill_value)
    if not wide:
        return Array._new(found.data[..., 0], AxisCollection._of(list(axes)))
    return found.sort_labels(own.name if own.name is not None else -1) if sort_columns else found


def _last_name(names: list[Any]) -> tuple[Any, list[Any]]:
    """The name of the last axis, which stands behind that of the one before, and the others."""
    if names and isinstance(names[-1], str) and "\\" in names[-1]:
        first, _, last = names[-1].partition("\\")
        return last, [*names[:-1], first]
    return None, names


def _label_columns(heading: list[Any], nb_axes: int | None, index_col: Any, wide: bool) -> list[int]:
    if index_col is not None:
        given = [index_col] if isinstance(index_col, (int, str)) else list(index_col)
        return [heading.index(one) if isinstance(one, str) else int(one) for one in given]
    if nb_axes is not None:
        return list(range(nb_axes - 1 if wide else nb_axes))
    if not wide:
        return list(range(len(heading) - 1))
    for column, name in enumerate(heading):
        if isinstance(name, str) and "\\" in name:
            return list(range(column + 1))
    return [0]


def _narrow(body: list[list[Any]], at: list[int], others: list[int], names: list[Any], fill_value: Any,
            sort_rows: bool) -> Array:
    axes, codes = _axes_of([[row[column] for row in body] for column in at], names, sort_rows)
    values = _values([[row[others[-1]]] for row in body])
    found = _placed(axes, codes, values, Axis([0], "value"), fill_value)
    return Array._new(found.data[..., 0], AxisCollection._of(list(axes)))


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and cell != cell)


def _name(name: Any) -> Any:
    return None if _is_blank(name) else name.strip() if isinstance(name, str) else name


def _typed(cells: list[Any]) -> Any:
    """Labels: integers where all are written so."""
    parsed = [_syntax.scalar(cell) if isinstance(cell, str) else cell for cell in cells]
    if all(isinstance(cell, (int, np.integer)) for cell in parsed):
        return np.asarray(parsed, dtype=int) if parsed else np.empty(0, dtype="U1")
    return [cell.strip() if isinstance(cell, str) else "" if cell is None else cell for cell in cells]


def _axes_of(columns: list[list[Any]], names: list[Any], is_sorted: bool) -> tuple[list[Axis], list[np.ndarray]]:
    axes, codes = [], []
    for cells, name in zip(columns, names):
        labels = Axis(_typed(cells), None)._items()
        distinct = sorted(set(labels)) if is_sorted else list(dict.fromkeys(labels))
        place = {label: at for at, label in enumerate(distinct)}
        axes.append(Axis(distinct, _name(name)))
        codes.append(np.array([place[label] for label in labels], dtype=np.intp))
    return axes, codes


def _values(rows: list[list[Any]]) -> np.ndarray:
    """Cells as numbers where all of a kind are, as truth values, or as they are."""
    quick = _numbers(rows)
    if quick is not None:
        return quick
    flat = [cell.strip() if isinstance(cell, str) else cell for row in rows for cell in row]
    shape = (len(rows), len(rows[0]) if rows else 0)
    missing = [cell is None or cell == "" or (isinstance(cell, str) and cell.lower() in ("nan", "n/a", "#n/a"))
               for cell in flat]
    held = [cell for cell, gone in zip(flat, missing) if not gone]
    if all(isinstance(cell, str) for cell in held) and held:
        if not any(missing) and all(cell in ("True", "False") for cell in held):
            return np.array([cell == "True" for cell in held]).reshape(shape)
        for kind in (int, float):
            try:
                numbers: list[Any] = [_number(cell, kind) for cell in held]
            except ValueError:
                continue
            return _with_missing(numbers, missing, shape)
        return np.array([np.nan if gone else cell for cell, gone in zip(flat, missing)], dtype=object).reshape(shape)
    if any(isinstance(cell, str) for cell in held):
        found = np.empty(len(flat), dtype=object)
        found[:] = [np.nan if gone else cell for cell, gone in zip(flat, missing)]
        return found.reshape(shape)
    return _with_missing(held, missing, shape)


def _numbers(rows: list[list[Any]]) -> np.ndarray | None:
    """Cells of text as numbers, None where they are not all; what is empty is NaN."""
    flat = list(chain.from_iterable(rows))
    if not flat or type(flat[0]) is not str:
        return None
    shape = (len(rows), len(rows[0]))
    for kind in (int, float):
        try:
            found = list(map(kind, flat if kind is int else [cell or "nan" for cell in flat]))
        except (ValueError, TypeError, AttributeError):
            continue
        # Python's numbers may have underscores in them.
        return None if any(cell is not None and "_" in cell for cell in flat) else np.array(found).reshape(shape)
    return None


def _number(cell: str, kind: Any) -> Any:
    if "_" in cell:
        raise ValueError(cell)
    return kind(cell)


def _with_missing(held: list[Any], missing: list[bool], shape: tuple[int, int]) -> np.ndarray:
    if not any(missing):
        return np.array(held).reshape(shape) if held else np.empty(shape)
    numbers = np.array(held) if held else np.empty(0)
    found = np.full(len(missing), np.nan, dtype=np.result_type(numbers.dtype, float) if numbers.dtype.kind != "O"
                    else object)
    found[~np.array(missing)] = numbers
    return found.reshape(shape)


def _placed(axes: list[Axis], codes: list[np.ndarray], values: np.ndarray, own: Axis, fill_value: Any) -> Array:
    """Rows of values at the places of their labels."""
    shape = [len(axis) for axis in axes]
    total = int(np.prod(shape))
    flat = np.ravel_multi_index(codes, shape) if len(values) else np.empty(0, np.intp)
    if len(flat) == total and np.array_equal(flat, np.arange(total)):
        return Array(values.reshape(*shape, values.shape[1]), AxisCollection([*axes, own]))
    if len(np.unique(flat)) < len(flat):
        raise ValueError("the table has several rows for one combination of labels")
    if len(flat) == total:
        data = np.empty((total, values.shape[1]), dtype=values.dtype)
    else:
        kind = values.dtype
        if kind.kind in "biu" and not (isinstance(fill_value, (int, np.integer)) and kind.kind in "iu"):
            kind = np.result_type(kind, np.asarray(fill_value).dtype) if kind.kind != "b" else np.dtype(object)
        data = np.full((total, values.shape[1]), fill_value, dtype=kind)
    data[flat] = values
    return Array(data.reshape(*shape, values.shape[1]), AxisCollection([*axes, own]))
