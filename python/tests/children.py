"""What tests run in other processes: a process that is spawned imports it by this module's name."""

from __future__ import annotations

import stook


def fill_rows(url: str, items, start: int) -> None:
    """Writes ten rows of twenty to the array ``a``, beginning with row ``start``."""
    with stook.open(url, "r+") as file:
        for row in range(start, len(items), 20):
            file["a"][row : row + 10] = items[row : row + 10]


def put_items(array, queue) -> None:
    """Gives the items of an array back."""
    queue.put(array[:].tolist())
