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


def write_and_tell(task) -> list[str]:
    """Writes to a region of an array; what that warns of."""
    import warnings

    from stook.zarr.errors import ZarrUserWarning

    array, region = task
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        array[region] = 1
    return [str(warning.message) for warning in told if warning.category is ZarrUserWarning]
