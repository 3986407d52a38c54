"""Changes a Loom file over and over until it is killed, or until there is no room.

``python killed_program.py PATH WHAT SEED``: says ``ready`` before the first change, and a number after
each one that was acknowledged.
"""

from __future__ import annotations

import sys

import numpy as np
from stook import loompy

N_GENES = 150


def columns(path: str, start: int) -> None:
    """Adds ten columns whose numbers, and names, go on from those there are."""
    with loompy.connect(path) as ds:
        new = np.arange(start, start + 10)
        ds.add_columns(np.broadcast_to(new, (N_GENES, 10)).astype("i4"),
                       {"CellID": new.astype(str), "N": new})


def check(path: str) -> int:
    """How many columns there are; each has its own number, whatever their order is."""
    assert loompy.LoomValidator().validate(path)
    with loompy.connect(path, "r") as ds:
        numbers = ds.ca.N
        assert sorted(numbers) == list(range(ds.shape[1])), numbers
        assert ds.ca.CellID.tolist() == [str(number) for number in numbers]
        assert (ds[:, :] == numbers).all()
        assert sorted(ds.ra.Gene) == list(range(N_GENES))
        return ds.shape[1]


def change(path: str, what: str, random: np.random.Generator) -> None:
    with loompy.connect(path, "r") as ds:
        n = ds.shape[1]
    if what == "columns":
        columns(path, n)
    elif what == "permute":
        with loompy.connect(path) as ds:
            axis = int(random.integers(2))
            ds.permute(random.permutation(ds.shape[axis]), axis=axis)
    else:
        with loompy.connect(path) as ds:
            ds.keep(random.permutation(N_GENES), random.permutation(n))


def main() -> None:
    path, what, seed = sys.argv[1:]
    random = np.random.default_rng(int(seed))
    print("ready", flush=True)
    for number in range(100_000):
        change(path, what, random)
        print(number, flush=True)


if __name__ == "__main__":
    main()
