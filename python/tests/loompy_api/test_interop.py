"""Files of each are read by the other, and by h5py; files of older versions and of other tools open,
are validated, and can be mended."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import scipy.sparse
from loompy_api.outcomes import plain
from stook import loompy

# What a process prints of a file, with loompy or with stook under its name.
READ = """
import json, sys
sys.path.insert(0, sys.argv[2])
import loompy
from loompy_api.bodies._data import state
from loompy_api.outcomes import plain
with loompy.connect(sys.argv[1], "r") as ds:
    print(json.dumps(plain(state(ds))))
"""
TESTS = str(__import__("pathlib").Path(__file__).resolve().parents[1])


def ours(path):
    from loompy_api.bodies._data import state

    with loompy.connect(path, "r") as ds:
        return json.loads(json.dumps(plain(state(ds))))


def test_loompy_reads_what_is_written_here(peer, tmp_path):
    path, rng = tmp_path / "a.loom", np.random.default_rng(3)
    matrix = rng.poisson(0.5, (150, 200)).astype("u2")
    layers = {"": matrix, "sparse": scipy.sparse.csr_matrix(matrix.astype("f4") / 3)}
    loompy.create(path, layers, {"Gene": [f"g{i}" for i in range(150)]},
                  {"CellID": [f"c{i}" for i in range(200)], "Umap": rng.random((200, 2))},
                  file_attrs={"title": "of stook", "n": 3})
    with loompy.connect(path) as ds:
        ds.col_graphs.knn = scipy.sparse.random(200, 200, 0.01, random_state=1)
        ds.row_graphs.near = scipy.sparse.random(150, 150, 0.01, random_state=2)
        ds.add_columns({"": matrix[:, :9], "sparse": np.ones((150, 9))},
                       {"CellID": [f"d{i}" for i in range(9)], "Umap": np.zeros((9, 2))})
        ds.permute(rng.permutation(150), axis=0)
        del ds.col_graphs.knn
    assert json.loads(peer.run(READ, path, TESTS)) == ours(path)


def test_loompy_edits_what_is_written_here(peer, tmp_path):
    path = tmp_path / "a.loom"
    loompy.create(path, np.eye(70), {"Gene": [f"g{i}" for i in range(70)]}, {"Age": np.arange(70)})
    peer.run("""
import sys, loompy, numpy as np
with loompy.connect(sys.argv[1]) as ds:
    ds.ca.Age = ds.ca.Age * 2
    ds["half"] = ds[:, :] / 2
    ds.add_columns({"": np.ones((70, 3)), "half": np.ones((70, 3))}, {"Age": np.arange(3)})
    ds[0, 0] = 9
""", path)
    with loompy.connect(path) as ds:
        assert ds.shape == (70, 73) and ds[0, 0] == 9 and ds["half"][1, 1] == 0.5
        assert ds.ca.Age.tolist() == [*range(0, 140, 2), 0, 1, 2]


def test_old_readers_open_what_is_written_here(tmp_path):
    path = tmp_path / "a.loom"
    loompy.create(path, np.ones((70, 80), "f4"), {"Gene": ["é"] * 70}, {"Age": np.arange(80)})
    bytes_ = path.read_bytes()
    assert bytes_[8] == 0, "version 0 of the superblock"
    with h5py.File(path) as file:
        matrix = file["matrix"]
        assert (matrix.chunks, matrix.maxshape) == ((64, 64), (70, None))
        assert (matrix.compression, matrix.compression_opts, matrix.shuffle) == ("gzip", 2, False)
        assert file["row_attrs/Gene"].asstr()[0] == "é"


def make_old(path, version: str | None, *, edges: str = "graphs") -> np.ndarray:
    """A file of a version before 3, after the layout that the specification gives."""
    matrix = np.random.default_rng(4).poisson(1, (7, 9)).astype("f4")
    with h5py.File(path, "w") as file:
        if version is not None:
            file.attrs["LOOM_SPEC_VERSION"] = version
        file.attrs["title"] = "caf&#233;"
        packed = {"chunks": (7, 9), "compression": "gzip", "compression_opts": 2}
        file.create_dataset("matrix", data=matrix, maxshape=(7, None), **packed)
        if version is not None:
            file.create_dataset("layers/raw", data=matrix.astype("i4"), maxshape=(7, None), **packed)
        file["row_attrs/Gene"] = np.array([b"caf&#233;%d" % i for i in range(7)])
        file["col_attrs/CellID"] = np.array([b"cell%d" % i for i in range(9)])
        file["col_attrs/Age"] = np.arange(9)
        for axis in ("row", "col"):
            group = file.create_group(f"{axis}_{edges}/knn")
            group["a"], group["b"], group["w"] = np.arange(3), np.arange(3)[::-1], np.ones(3)
    return matrix


@pytest.mark.parametrize(("version", "edges"), [(None, "edges"), ("0.1.0", "edges"), ("2.0.1", "graphs")])
def test_files_of_older_versions_are_read_and_changed_in_their_form(version, edges, peer, tmp_path):
    path = tmp_path / "old.loom"
    matrix = make_old(path, version, edges=edges)
    with loompy.connect(path, "r") as ds:
        assert ds.ra.Gene[1] == "café1" and ds.attrs.title == "café"
        assert ds.col_graphs.knn.col.tolist() == [2, 1, 0]
        assert ds.version == (version or "0.0.0")
    with loompy.connect(path) as ds:
        ds.ca.Name = ["naïve", "<b>", "a & b", "", "x", "&amp;", "y", "z", "é"]
        ds.attrs.note = "crème"
        ds.add_columns(matrix if version is None else {"": matrix, "raw": matrix.astype("i4")},
                       {"CellID": [f"new{i}" for i in range(9)], "Age": np.zeros(9, int),
                        "Name": ["plain"] * 9})
        assert ds.ca.Name[:6].tolist() == ["naïve", "<b>", "a & b", "", "x", "&amp;"]
        assert ds.shape == (7, 18)
    with h5py.File(path) as file:
        assert file["col_attrs/Name"].dtype.kind == "S"
        assert file["col_attrs/Name"][0] == b"na&#239;ve"
        assert "row_edges" not in file and "knn" in file["row_graphs"]
        assert "attrs" not in file
    read = "import sys, loompy; ds = loompy.connect(sys.argv[1], 'r'); print(ds.ca.Name[0], ds.shape)"
    assert peer.run(read, path).strip() == "naïve (7, 18)"


def make_foreign(path) -> None:
    """What writers of R do in their own way."""
    loompy.create(path, np.ones((4, 6)), {"Gene": list("abcd")}, {"CellID": list("uvwxyz")})
    truth = h5py.enum_dtype({"FALSE": 0, "TRUE": 1}, basetype="i1")
    pair = np.dtype([("x", "f4"), ("y", "f4")])
    with h5py.File(path, "r+") as file:
        del file["attrs/LOOM_SPEC_VERSION"]
        file["attrs/LOOM_SPEC_VERSION"] = np.array(["3.0.0"], h5py.string_dtype())
        file["col_attrs"].create_dataset("Doublet", data=np.arange(6) % 2, dtype=truth)
        file["col_attrs/Place"] = np.array([(i, -i) for i in range(6)], pair)
        file["col_attrs/Fixed"] = np.array([b"caf\xc3\xa9"] * 6)
        graph = file.create_group("col_graphs/knn")
        graph["a"], graph["b"], graph["w"] = np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.ones(2)
        del file["matrix"]
        file["matrix"] = np.ones((4, 6))


def test_files_of_other_writers_open_are_told_and_mended(peer, tmp_path):
    path = tmp_path / "foreign.loom"
    make_foreign(path)
    with loompy.connect(path, "r") as ds:
        assert ds.version == "3.0.0"
        assert ds.ca.Doublet.tolist() == [0, 1] * 3
        assert ds.ca.Fixed[0] == "café"
        assert ds.ca.Place["y"].tolist() == [0, -1, -2, -3, -4, -5]
        assert ds.col_graphs.knn.row.tolist() == [0, 1]
    validator = loompy.LoomValidator()
    assert not validator.validate(path)
    told = " ".join(validator.errors)
    for name in ("Doublet", "Place", "Fixed", "knn"):
        assert name in told
    with loompy.connect(path) as ds:
        assert len(ds.repair()) >= 4
        ds.add_columns(np.ones((4, 1)), {}, fill_values="auto")
    validator = loompy.LoomValidator()
    assert validator.validate(path), validator.errors
    read = "import sys, loompy; ds = loompy.connect(sys.argv[1], 'r'); print(ds.shape, ds.ca.keys())"
    assert "(4, 7)" in peer.run(read, path)


def test_a_matrix_that_cannot_grow_grows(tmp_path):
    path = tmp_path / "fixed.loom"
    with h5py.File(path, "w") as file:
        file["matrix"] = np.ones((3, 4))
        for group in ("row_attrs", "col_attrs", "layers", "row_graphs", "col_graphs"):
            file.create_group(group)
    with loompy.connect(path) as ds:
        ds.add_columns(np.zeros((3, 2)), {})
        assert ds.shape == (3, 6) and ds[:, :].sum() == 12


@pytest.mark.parametrize("name", ["a.loom", "a.zarr", "a.zarr.zip"])
def test_one_api_on_every_container(name, tmp_path):
    path, rng = tmp_path / name, np.random.default_rng(1)
    matrix = rng.poisson(0.4, (90, 70)).astype("f4")
    loompy.create(path, {"": matrix, "b": matrix.astype("i2")}, {"Gene": [f"g{i}é" for i in range(90)]},
                  {"Age": np.arange(70)}, file_attrs={"title": "naïve"})
    with loompy.connect(path) as ds:
        ds.col_graphs.knn = scipy.sparse.random(70, 70, 0.1, random_state=1)
        ds.add_columns({"": matrix[:, :5], "b": matrix[:, :5].astype("i2")}, {"Age": np.arange(5)})
        ds.permute(np.arange(90)[::-1], axis=0)
        ds[0, 0] = 7
    with loompy.connect(path, "r") as ds:
        assert ds.shape == (90, 75) and ds[0, 0] == 7 and ds.attrs.title == "naïve"
        assert (ds["b"][::-1, :70] == matrix).all()
        assert ds.ra.Gene[0] == "g89é" and ds.col_graphs.knn.shape == (75, 75)
        assert (ds.sparse().toarray() == ds[:, :]).all()
        assert np.allclose(ds.map([np.mean], axis=1)[0], ds[:, :].mean(axis=0))
