"""What a notebook shows of a file or view."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["to_html"]

_MOST = 10


def to_html(ds: Any) -> str:
    """A page with the first rows and columns of a file or view."""
    n_rows, n_columns = (min(_MOST, length) for length in ds.shape)
    more = ["..."] if ds.shape[1] > n_columns else []
    s = "s" if len(ds.layers) > 1 else ""
    title = ds.attrs.get("title") if ds.attrs is not None else None
    head = [
        f"<strong>{escape(str(title))}</strong> " if title is not None else "",
        f"{ds.shape[0]} rows, {ds.shape[1]} columns, {len(ds.layers)} layer{s}<br/>",
        f"(showing up to {_MOST}x{_MOST})<br/>{escape(str(ds.filename))}<br/>",
    ]
    for name, value in () if ds.attrs is None else ds.attrs.items():
        head.append(f"{escape(name)}: <em>{escape(str(value))}</em><br/>")
    names = list(ds.ra)
    table = [
        _line(["&nbsp;"] * len(names) + [_bold(name)] + _cells(ds.ca[name][:n_columns]) + more)
        for name in ds.ca
    ]
    table.append(_line([*map(_bold, names), *["&nbsp;"] * (n_columns + 1), *more]))
    corner = ds[:n_rows, :n_columns]
    for row in range(n_rows):
        values = [escape(str(ds.ra[name][row])) for name in names]
        table.append(_line([*values, "&nbsp;", *_cells(corner[row]), *more]))
    if ds.shape[0] > n_rows:
        table.append(_line(["..."] * (n_columns + 1 + len(names)) + more))
    return f"<p>{''.join(head)}</p><table>{''.join(table)}</table>"


def _bold(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def _cells(values: Any) -> list[str]:
    return [escape(str(value)) for value in values]


def _line(cells: list[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
