"""How an array is shown: a table, and lines about its axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._options import OPTIONS
from stook.larray._text import ReprString, aligned, size_text
from stook.larray._warn import warn

if TYPE_CHECKING:
    from stook.larray._array import Array


def _cell_labels(labels: np.ndarray) -> list[Any]:
    if labels.dtype.kind in "Mm":
        return [str(label) for label in labels]
    found = labels.tolist()
    return found if labels.dtype.kind != "O" else ["None" if label is None else label for label in found]


class Display:
    """Text of arrays."""

    __slots__ = ()

    def __str__(self: Array) -> str:  # type: ignore[misc]
        if not self.ndim:
            return str(np.asarray(self.data).item())
        if not len(self.data):
            return "Array([])"
        options = OPTIONS
        rows = self.dump(maxlines=options["display_maxlines"], edgeitems=options["display_edgeitems"],
                         _axes_display_names=True)
        precision = options["display_precision"]
        if self.dtype.kind == "O":
            rows = [["None" if cell is None else cell for cell in row] if at else row for at, row in enumerate(rows)]
        if precision is not None:
            rows = [[f"{cell:.{precision}f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
        return aligned(rows, options["display_width"], self.ndim - 1)

    __repr__ = __str__

    @property
    def info(self: Array) -> ReprString:  # type: ignore[misc]
        """Shape, axes, type and size, and the metadata if there are any."""
        text = f"{self.axes.info}\ndtype: {self.dtype}\nmemory used: {self.memory_used}"
        return ReprString(f"{self._meta!r}\n{text}" if self._meta else text)

    @property
    def memory_used(self: Array) -> str:  # type: ignore[misc]
        """The bytes that the elements take, with a unit."""
        return size_text(self.nbytes)

    def dump(self: Array, header: bool = True, wide: bool = True, value_name: str = "value",  # type: ignore[misc]
             light: bool = False, axes_names: Any = True, na_repr: Any = "as_is", maxlines: int = -1,
             edgeitems: int = 5, _axes_display_names: bool = False) -> list[list[Any]]:
        """The array as rows of cells: names and labels first, then elements.

        :param header: whether names and labels are there
        :param wide: whether the labels of the last axis are columns; else each element has a row
        :param value_name: the name of the column of elements, where each has a row
        :param light: whether labels that repeat those of the row above are left out
        :param axes_names: whether names are there; ``"except_last"`` for all but the last one
        :param na_repr: what is put for NaN, ``"as_is"`` for NaN itself
        :param maxlines: rows beyond which the middle ones are left out, -1 for all
        :param edgeitems: rows kept at both ends then
        """
        if not self.ndim:
            return None if header else [[self.data.item()]]  # type: ignore[return-value]
        names: list[Any] = self.axes.display_names[:] if _axes_display_names else self.axes.names
        columns = self.axes[-1] if wide else None
        row_axes = self.axes[:-1] if wide else self.axes
        n_rows = row_axes.size
        data = self.data.reshape(n_rows, self.shape[-1] if wide else 1)
        keep = np.arange(n_rows)
        cut = None
        if maxlines >= 0 and n_rows > maxlines:
            keep = np.concatenate([keep[:edgeitems], keep[n_rows - edgeitems if n_rows > edgeitems else 0:] if edgeitems else keep[:0]])
            cut = min(edgeitems, n_rows)
        rows: list[list[Any]] = []
        if header:
            rows.append(_heading(names, columns, wide, axes_names, value_name))
        labels = [_cell_labels(axis.labels) for axis in row_axes]
        positions = np.unravel_index(keep, row_axes.shape) if len(row_axes) else [np.zeros(1, int)]
        values = data[keep].tolist() if self.dtype.kind not in "Mm" else _times(data[keep])
        if na_repr != "as_is":
            values = [[na_repr if isinstance(cell, float) and cell != cell else cell for cell in row]
                      for row in values]
        before: list[Any] = []
        for at in range(len(keep)):
            own: list[Any] = [held[int(where[at])] for held, where in zip(labels, positions)]
            if light and before:
                shown = _without_repeated(own, before, wide)
            else:
                shown = own
            before = own
            if header and not own:
                shown = [""]
            rows.append([*(shown if header else []), *values[at]])
        if cut is not None:
            width = len(rows[-1])
            at = cut + (1 if header else 0)
            rows[at:at] = [["..."] * width]
        return rows

    def as_table(self: Array, *args: Any, **kwargs: Any) -> list[list[Any]]:  # type: ignore[misc]
        warn("as_table() is deprecated. Use dump() instead.")
        return self.dump(*args, **kwargs)


def _times(data: np.ndarray) -> list[list[Any]]:
    return [[cell.item() if isinstance(cell.item(), object) and not isinstance(cell.item(), int) else str(cell)
             for cell in row] for row in data]


def _without_repeated(own: list[Any], before: list[Any], wide: bool) -> list[Any]:
    shown: list[Any] = []
    same = True
    for at, label in enumerate(own):
        same = same and label == before[at] and at < len(own) - 1
        shown.append("" if same else label)
    return shown


def table_labels(array: Any, axes_names: Any) -> list[list[Any]]:
    """The heading of an array as a wide table, and the cells of the labels of each axis but the last."""
    rows = [_cell_labels(axis.labels) for axis in array.axes[:-1]]
    return [_heading(array.axes.names, array.axes[-1], True, axes_names, ""), *(rows or [[""]])]


def _heading(names: list[Any], columns: Any, wide: bool, axes_names: Any, value_name: str) -> list[Any]:
    if not wide:
        return [*names, value_name]
    if axes_names is False:
        shown: list[Any] = [""] * max(len(names) - 1, 1)
    elif len(names) == 1:
        shown = names if axes_names is True else [""]
    else:
        shown = list(names[:-1])
        if axes_names is True and not (names[-2] is None and names[-1] is None):
            first = "" if names[-2] is None else names[-2]
            last = "" if names[-1] is None else names[-1]
            shown[-1] = f"{first}\\{last}"
    return [*shown, *_cell_labels(columns.labels)]
