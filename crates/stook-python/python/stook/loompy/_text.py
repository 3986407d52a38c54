"""A layer and its attributes as text."""

from __future__ import annotations

from typing import Any

# Numbers that are in memory at once.
_N_NUMBERS = 1 << 22


def write_text(ds: Any, path: str, layer: str) -> None:
    """Writes what is attributes of columns, then rows with theirs, a tab after each."""
    native, (n_rows, n_columns) = ds._native, ds.shape
    ds.layers[layer]  # an error where there is none
    names = list(ds.ra)
    rows = [list(map(str, ds.ra[name])) for name in names]
    step = max(1, _N_NUMBERS // max(n_columns, 1))
    with open(path, "w", encoding="utf-8") as file:
        for name in ds.ca:
            values = "".join(f"{value}\t" for value in ds.ca[name])
            file.write("\t" * len(names) + f"{name}\t{values}\n")
        file.write("".join(f"{name}\t" for name in names) + "\t" * (n_columns + 1) + "\n")
        for start in range(0, n_rows, step):
            stop = min(start + step, n_rows)
            before = [
                "".join(f"{values[row]}\t" for values in rows) + "\t" for row in range(start, stop)
            ]
            file.write(native.rows_as_text(layer, start, before))
