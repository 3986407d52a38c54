"""Small data that bodies share."""

from __future__ import annotations

import numpy as np
import scipy.sparse


def counts(n_rows: int = 7, n_columns: int = 5, seed: int = 0, dtype="f4") -> np.ndarray:
    """Counts, two thirds of them zero."""
    return np.random.default_rng(seed).poisson(0.6, (n_rows, n_columns)).astype(dtype)


def rows(n: int = 7) -> dict:
    """Attributes of rows."""
    return {"Gene": np.array([f"gene{i:02d}" for i in range(n)]),
            "Order": (np.arange(n) * 11) % n,
            "Weights": np.arange(n * 2, dtype="f8").reshape(n, 2)}


def columns(n: int = 5, start: int = 0) -> dict:
    """Attributes of columns."""
    at = np.arange(start, start + n)
    return {"CellID": np.array([f"cell{i:03d}" for i in at]),
            "Age": at * 0.5,
            "Cluster": at % 3}


def make(loompy, name: str = "a.loom", n_rows: int = 7, n_columns: int = 5, **more) -> str:
    """A file of two layers."""
    matrix = counts(n_rows, n_columns)
    layers = {"": matrix, "spliced": (matrix * 2).astype("i4")}
    loompy.create(name, layers, rows(n_rows), columns(n_columns), **more)
    return name


def graph(n: int, seed: int = 1, format: str = "coo"):
    """A graph without duplicates."""
    return scipy.sparse.random(n, n, 0.3, format=format, random_state=np.random.RandomState(seed))


def state(ds) -> dict:
    """Everything in a file but when it was made."""
    return {
        "shape": tuple(ds.shape),
        "layers": {name: layer[:, :] for name, layer in ds.layers.items()},
        "ra": dict(ds.ra.items()),
        "ca": dict(ds.ca.items()),
        "row_graphs": dict(ds.row_graphs.items()),
        "col_graphs": dict(ds.col_graphs.items()),
        "attrs": {name: value for name, value in ds.attrs.items()
                  if name not in ("CreationDate", "last_modified")},
    }


def view_state(view) -> dict:
    """Everything in a view."""
    return {
        "shape": tuple(view.shape),
        "layers": {name: layer[:, :] for name, layer in view.layers.items()},
        "ra": dict(view.ra.items()),
        "ca": dict(view.ca.items()),
    }
