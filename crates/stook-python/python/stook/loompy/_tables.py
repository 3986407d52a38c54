"""Attributes as tables of Arrow."""

from __future__ import annotations

from typing import Any


def table(attributes: Any) -> Any:
    """A column for each attribute; one with several values an item is a list of a fixed size."""
    try:
        import pyarrow as pa  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ImportError("a table of Arrow needs pyarrow: pip install pyarrow") from error
    columns = {}
    for name, values in attributes.items():
        if values.ndim == 1:
            text = values.dtype == object
            columns[name] = pa.array(values, type=pa.string() if text else None)
        else:
            width = values[0].size if len(values) else 1
            flat = pa.array(values.reshape(-1))
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.table(columns)
