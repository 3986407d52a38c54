"""Scans of files that are only read, which are read ahead, and of those that may change."""

from __future__ import annotations

import numpy as np
import pytest
import stook
from stook import loompy

#: Tiles have 64 rows and columns.
SHAPE = (150, 210)
_RANDOM = np.random.default_rng(3)
ITEMS = [
    None, 100, np.arange(0), [7], np.sort(_RANDOM.choice(150, 60, replace=False)), np.arange(150) % 3 == 0,
    [149, 3, 3, 70, 0], np.arange(64, 128),
]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.loom"
    matrix = np.arange(SHAPE[0] * SHAPE[1], dtype="i4").reshape(SHAPE)
    layers = {"": matrix, "half": (matrix % 100).astype("f2"), "wide": matrix * 2.5}
    rows = {"Gene": np.array([f"g{at:03}" for at in range(150)]), "Rank": np.arange(150)[::-1]}
    loompy.create(path, layers, rows, {"Age": np.arange(210) * 7 % 210})
    return path


@pytest.mark.parametrize("items", ITEMS, ids=str)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("has_key", [False, True])
def test_what_is_read_ahead_is_what_is_there(path, items, axis, has_key):
    if axis == 1 and isinstance(items, np.ndarray) and items.dtype == bool:
        items = np.resize(items, SHAPE[1])
    key = ("Age", "Rank")[axis] if has_key else None
    found = []
    for mode in ("r", "r+"):
        with loompy.connect(path, mode) as ds:
            batches = ds.scan(items=items, axis=axis, key=key, batch_size=40)
            found.append([
                (start, indexes.tolist(), view.ra.Gene.tolist(), view.ca.Age.tolist(),
                 [(name, layer.dtype, layer[:, :].tolist()) for name, layer in view.layers.items()])
                for start, indexes, view in batches
            ])  # fmt: skip
    assert found[0] == found[1]
    whole = np.arange(SHAPE[axis])
    wanted = whole if items is None else whole[items:] if isinstance(items, int) else whole[items]
    assert [at for _, indexes, *_ in found[0] for at in indexes] == wanted.tolist()


def test_what_is_written_during_a_scan_is_seen(path):
    with loompy.connect(path) as ds:
        for start, indexes, view in ds.scan(axis=1, layers="", batch_size=50):
            assert (view[:, :] == (-1 if start else ds[:, :50])).all()
            ds[:, indexes[-1] + 1 :] = np.full((150, 210 - indexes[-1] - 1), -1)


def test_a_scan_ends_with_its_file(path):
    ds = loompy.connect(path, "r")
    scan = ds.scan(axis=0, batch_size=64)
    next(scan)
    ds.close()
    with pytest.raises(stook.InvalidInputError, match="closed"):
        next(scan)


def test_scans_go_side_by_side(path):
    with loompy.connect(path, "r") as ds:
        pairs = list(zip(ds.scan(axis=0, batch_size=64), ds.scan(axis=0, batch_size=64), strict=True))
        assert all((a[:, :] == b[:, :]).all() for (_, _, a), (_, _, b) in pairs)
        whole = np.concatenate([view[:, :] for (_, _, view), _ in pairs])
        assert (whole == ds[:, :]).all()
