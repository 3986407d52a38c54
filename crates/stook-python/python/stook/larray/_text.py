"""Text that shows itself without quotes, and tables."""

from __future__ import annotations

from typing import Any


class ReprString(str):
    """Text whose ``repr`` is the text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def size_text(n_bytes: int) -> str:
    """A number of bytes with a unit."""
    if n_bytes < 1024:
        return f"{n_bytes} bytes"
    size = float(n_bytes)
    for unit in ("Kb", "Mb", "Gb", "Tb"):
        size /= 1024
        if size < 1024 or unit == "Tb":
            return f"{size:.2f} {unit}"
    raise AssertionError("units are not at their end")


def aligned(rows: list[list[Any]], width: int, n_labels: int) -> str:
    """Rows as columns of text, the middle ones left out where a line has no room for them.

    :param n_labels: how many columns are always kept at the left
    """
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        # Something is always left out where all does not fit.
        ends = min(_ends(widths, width, n_labels), max((len(widths) - n_labels - 1) // 2, 0))
        left, right = n_labels + ends, len(widths) - ends
        texts = [[*row[:left], "...", *row[right:]] for row in texts]
        widths = [*widths[:left], 3, *widths[right:]]
    return "\n".join("  ".join(cell.rjust(size) for cell, size in zip(row, widths)) for row in texts)


def _ends(widths: list[int], width: int, n_labels: int) -> int:
    """How many columns from either end go into a line.

    Columns at the left are counted from the second one on, as larray does: with several columns of labels a line
    may be shorter or longer than it could be.
    """
    room = width - sum(widths[:n_labels]) - 2 * n_labels - 3
    ends = 0
    while ends + 1 < len(widths):
        room -= widths[ends + 1] + widths[-ends - 1] + 4
        if room < 0:
            break
        ends += 1
    return ends
