"""Arrays from and to pandas, which is imported when it is needed first."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis


def _label(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) and value.dtype.kind not in "Mm" else value


def _labels(index: Any) -> np.ndarray:
    found = np.asarray(index)
    if found.dtype != object:
        return found
    items = [_label(item) for item in found]
    if all(isinstance(item, str) for item in items):
        return np.asarray(items) if items else np.empty(0, dtype="U1")
    return found


def _levels(index: Any) -> list[tuple[Any, np.ndarray, np.ndarray]]:
    """Name, labels and codes of each level of an index, labels in the order they occur."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    found = []
    for level in range(index.nlevels):
        values = index.get_level_values(level)
        codes, unique = pd.factorize(values, use_na_sentinel=False)
        found.append((index.names[level], _labels(unique), codes))
    return found


def _cube(values: np.ndarray, rows: Any, columns: Any, fill_value: Any, sort_rows: bool, sort_columns: bool,
          cartesian_prod: bool) -> Array:
    """A table as an array: an axis for each level of its rows and columns."""
    row_levels = _levels(rows)
    if sort_rows:
        row_levels = [_sorted(level) for level in row_levels]
    column_levels = _levels(columns)
    if sort_columns:
        column_levels = [_sorted(level) for level in column_levels]
    levels = [*row_levels, *column_levels]
    axes = AxisCollection([Axis(labels, _name(name)) for name, labels, _ in levels])
    shape = axes.shape
    row_shape, column_shape = shape[: len(row_levels)], shape[len(row_levels):]
    at_row = np.ravel_multi_index([codes for *_, codes in row_levels], row_shape) if len(rows) else np.empty(0, int)
    at_column = np.ravel_multi_index([codes for *_, codes in column_levels], column_shape) if len(columns) else \
        np.empty(0, int)
    n_rows, n_columns = int(np.prod(row_shape)), int(np.prod(column_shape))
    if len(np.unique(at_row)) < len(at_row):
        raise ValueError("the table has several rows for one combination of labels")
    if len(at_row) == n_rows and len(at_column) == n_columns:
        data = np.empty((n_rows, n_columns), dtype=values.dtype)
    else:
        kind = np.result_type(values.dtype, np.asarray(fill_value).dtype) if values.dtype.kind in "biufc" and not (
            isinstance(fill_value, int) and values.dtype.kind in "iu") else values.dtype
        if values.dtype.kind in "USb" and isinstance(fill_value, float):
            kind = np.dtype(object)
        data = np.full((n_rows, n_columns), fill_value, dtype=kind)
    data[np.ix_(at_row, at_column)] = values
    return Array(data.reshape(shape), axes)


def _sorted(level: tuple[Any, np.ndarray, np.ndarray]) -> tuple[Any, np.ndarray, np.ndarray]:
    name, labels, codes = level
    order = np.argsort(labels, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return name, labels[order], place[codes]


def _name(name: Any) -> Any:
    if isinstance(name, bytes):
        return name.decode()
    return None if name is None or name == "" else name if isinstance(name, (str, int)) else str(name)


def from_frame(df: Any, sort_rows: bool = False, sort_columns: bool = False, parse_header: bool = False,
               unfold_last_axis_name: bool = False, fill_value: Any = np.nan, meta: Any = None,
               cartesian_prod: bool = True, copy: bool = True, **kwargs: Any) -> Array:
    """The array of a data frame: an axis for each level of its index and its columns.

    :param sort_rows: whether the labels of rows are sorted
    :param sort_columns: whether those of columns are
    :param parse_header: whether columns that are written as numbers become numbers
    :param unfold_last_axis_name: whether the last name of the index holds that of the columns, after a backslash
    :param fill_value: what combinations of labels get that are not there
    """
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"df must be a pandas DataFrame, not {type(df).__name__}")
    df = df.copy(deep=False)
    if parse_header:
        from stook.larray._syntax import scalar

        df.columns = pd.Index([scalar(str(one)) for one in df.columns], name=df.columns.name)
    if unfold_last_axis_name:
        last = df.index.names[-1]
        if isinstance(last, str) and "\\" in last:
            row, _, column = last.partition("\\")
            df.index = df.index.set_names([*df.index.names[:-1], row])
            df.columns = df.columns.set_names([*df.columns.names[:-1], column])
    values = df.to_numpy()
    if len(df) == 1 and df.index.nlevels == 1 and df.index.names == [None] and df.index[0] in ("", np.nan):
        found = _cube(values, df.index, df.columns, fill_value, sort_rows, sort_columns, cartesian_prod).i[0]
    else:
        found = _cube(values, df.index, df.columns, fill_value, sort_rows, sort_columns, cartesian_prod)
    if meta is not None:
        found.meta = meta
    return found  # type: ignore[no-any-return]


def from_series(s: Any, sort_rows: bool = False, fill_value: Any = np.nan, meta: Any = None, copy: bool = True,
                **kwargs: Any) -> Array:
    """The array of a series: an axis for each level of its index."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    if not isinstance(s, pd.Series):
        raise TypeError(f"s must be a pandas Series, not {type(s).__name__}")
    columns = pd.Index([0])
    found = _cube(s.to_numpy().reshape(-1, 1), s.index, columns, fill_value, sort_rows, False, True).i[..., 0]
    if meta is not None:
        found.meta = meta
    return found  # type: ignore[no-any-return]


def _index_of(axes: Any) -> Any:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    if len(axes) == 1:
        return pd.Index(_for_pandas(axes[0].labels), name=axes[0].name)
    return pd.MultiIndex.from_product([_for_pandas(axis.labels) for axis in axes], names=axes.names)


def _for_pandas(labels: np.ndarray) -> np.ndarray:
    return labels.astype(object) if labels.dtype.kind == "U" else labels


def to_series(array: Array, name: Any = None, dropna: Any = False) -> Any:
    """A series with a level for each axis."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    if not array.ndim:
        raise ValueError("Cannot convert a 0-dimensional array to a series")
    found = pd.Series(array.data.ravel(), _index_of(array.axes), name=name)
    if dropna:
        found = found.dropna(how="all" if dropna is True else dropna) if dropna in (True, "all", "any") else found
    return found


def to_frame(array: Array, fold_last_axis_name: bool = False, dropna: Any = None, ncolaxes: int = 1) -> Any:
    """A data frame: the last axes are its columns."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    if not array.ndim:
        raise ValueError("Cannot convert a 0-dimensional array to a frame")
    columns = _index_of(array.axes[-ncolaxes:])
    if array.ndim == ncolaxes:
        index: Any = pd.Index([""])
        folded = "\\" + str(array.axes.names[-1] or "")
        index.name = folded if fold_last_axis_name else None
    else:
        index = _index_of(array.axes[:-ncolaxes])
    if fold_last_axis_name:
        if array.ndim > ncolaxes:
            names = list(index.names)
            names[-1] = f"{names[-1] or ''}\\{columns.names[-1] or ''}"
            index = index.set_names(names)
        columns = columns.set_names([None] * columns.nlevels)
    found = pd.DataFrame(array.data.reshape(len(index), -1), index, columns)
    if dropna:
        found = found.dropna(how="all" if dropna is True else dropna)
    return found
