"""The sparse matrices beside a file, and changes of both axes."""

from __future__ import annotations

import os

import numpy as np
import pytest
from stook import loompy


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "a.loom")
    random = np.random.default_rng(3)
    matrix = random.poisson(0.1, (300, 200)).astype("f4")
    matrix[::7, 3] = -matrix[::7, 3]
    loompy.create(path, {"": matrix, "counts": (matrix * 3).astype("i2")},
                  {"Gene": np.arange(300)}, {"CellID": np.arange(200), "Group": np.arange(200) % 7})
    return path


def passes(ds) -> list[np.ndarray]:
    """What passes over the whole file give."""
    found = [*ds.map([np.sum, np.std, np.max], axis=0), *ds.map([np.mean, np.min], axis=1)]
    found.append(ds.aggregate(group_by="Group", aggr_by="mean"))
    for layer in ("", "counts"):
        sparse = ds.layers[layer].sparse()
        found += [sparse.data, sparse.row, sparse.col]
    for axis in (0, 1):
        for items in (None, np.arange(5, 150, 3)):
            for _, indexes, view in ds.scan(axis=axis, items=items, batch_size=64,
                                            key="Gene" if axis else "CellID"):
                found += [indexes, view[:, :], view.layers["counts"][:, :]]
    return found


def test_passes_over_a_sidecar_give_the_same(path):
    with loompy.connect(path, "r") as ds:
        expected = passes(ds)
        assert ds.sidecar() == {}
        assert ds.make_sidecar(["", "counts"]) == path + ".csr"
        assert ds.sidecar() == {"": "valid", "counts": "valid"}
    with loompy.connect(path, "r") as ds:
        for ours, theirs in zip(passes(ds), expected, strict=True):
            assert ours.dtype == theirs.dtype
            assert np.allclose(ours, theirs, rtol=1e-12)
        assert ds.drop_sidecar() and not os.path.exists(path + ".csr")
        assert not ds.drop_sidecar()


def test_a_sidecar_is_never_stale(path):
    import h5py

    with loompy.connect(path) as ds:
        ds.make_sidecar()
        ds[0, 0] = 1000
        assert ds.sidecar() == {"": "stale"} and ds.map([np.max], axis=0)[0][0] == 1000
        ds.make_sidecar()
        ds.permute(np.arange(200)[::-1], axis=1)
        assert ds.sidecar() == {"": "stale"} and ds.map([np.max], axis=1)[0][-1] == 1000
        ds.make_sidecar()
    # Another program changes as many bytes, at the same time as far as the clock tells.
    times = os.stat(path)
    with h5py.File(path, "r+") as file:
        file["matrix"][0, 199] = 2000
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with loompy.connect(path, "r") as ds:
        assert ds.sidecar() == {"": "stale"} and ds.map([np.max], axis=0)[0][0] == 2000


def test_a_sidecar_is_a_matrix_that_others_read(path):
    import h5py
    import scipy.sparse

    with loompy.connect(path, "r") as ds, h5py.File(ds.make_sidecar(), "r") as file:
        group = file["0"]
        parts = (group["data"][()], group["indices"][()], group["indptr"][()])
        matrix = scipy.sparse.csr_matrix(parts, shape=group.attrs["shape"])
        assert (matrix.toarray() == ds[:, :]).all()
        assert group.attrs["layer"] == "" and group.attrs["encoding-type"] == "csr_matrix"


def test_rows_and_columns_are_kept_and_deleted_as_one(path):
    with loompy.connect(path) as ds:
        expected = ds[:, :][[5, 0]][:, 100:]
        before = ds.last_modified()
        with pytest.raises((IndexError, ValueError)):
            ds.keep([0, 1], [10_000])
        assert ds.shape == (300, 200) and ds.last_modified() == before
        ds.keep([5, 0], slice(100, None))
        assert (ds[:, :] == expected).all() and ds.ra.Gene.tolist() == [5, 0]
        ds.delete(rows=[0], cols=np.arange(99))
        assert ds.shape == (1, 1) and ds.ca.CellID.tolist() == [199]


def test_files_are_held_to_the_version_that_is_asked_for(path):
    with loompy.connect(path) as ds:
        ds.ra.Name = ["é"] * 300
    assert loompy.LoomValidator().validate(path)
    assert loompy.LoomValidator("3.0.0").validate(path)
    older = loompy.LoomValidator("2.0.1")
    assert not older.validate(path) and older.version == "2.0.1"
    assert any("fixed width" in error for error in older.errors), older.errors
    with pytest.raises(ValueError, match="version"):
        loompy.LoomValidator("three").validate(path)
