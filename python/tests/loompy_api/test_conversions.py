"""Files of other programs, and AnnData, by what the peer does not have."""

from __future__ import annotations

import h5py
import numpy as np
from stook import loompy


def test_real_data_of_anndata_goes_through_loom_and_back(samples, tmp_path):
    source = samples / "pbmc68k_reduced.h5ad"
    loompy.from_anndata(source, tmp_path / "cells.loom")
    with h5py.File(source) as file, loompy.connect(tmp_path / "cells.loom", "r") as ds:
        assert ds.shape == (765, 700)
        assert (ds[:, :].T == file["X"][...]).all()
    assert loompy.LoomValidator().validate(tmp_path / "cells.loom")
    assert loompy.to_anndata(tmp_path / "cells.loom", tmp_path / "back.h5ad") == []
    with h5py.File(source) as file, h5py.File(tmp_path / "back.h5ad") as back:
        assert (back["X"][...] == file["X"][...]).all()


def test_files_of_ten_x(samples, tmp_path):
    source = samples / "10x_filtered_feature_bc_matrix.h5"
    loompy.create_from_10x(tmp_path / "cells.loom", source)
    with h5py.File(source) as file, loompy.connect(tmp_path / "cells.loom", "r") as ds:
        matrix = file["matrix"]
        assert ds.shape == tuple(matrix["shape"][...])
        assert ds[:, :].sum() == matrix["data"][...].sum()
        assert ds.ra.Gene[0] == matrix["features/name"][0].decode()
        assert np.array_equal(ds.sparse().tocsc().indptr, matrix["indptr"][...])


def test_layers_of_real_data_go_through_every_format_without_a_bit_lost(samples, tmp_path):
    source = samples / "dentategyrus-50.h5ad"
    first, zarr, last = (tmp_path / name for name in ("a.loom", "b.zarr", "c.loom"))
    loompy.from_anndata(source, first)
    with loompy.connect(first, "r") as ds:
        assert sorted(ds.layers) == ["", "Ms", "Mu", "ambiguous", "spliced", "unspliced"]
        ds.subset(zarr)
    with loompy.connect(zarr, "r") as ds:
        ds.subset(last)
    with loompy.connect(first, "r") as a, loompy.connect(last, "r") as b:
        for name in a.layers:
            assert a.layers[name].dtype == b.layers[name].dtype
            assert a.layers[name][:, :].tobytes() == b.layers[name][:, :].tobytes()
        for here, there in ((a.ra, b.ra), (a.ca, b.ca)):
            assert here.keys() == there.keys()
            for name in here:
                assert here[name].dtype == there[name].dtype and (here[name] == there[name]).all()
        assert sorted(a.col_graphs) == sorted(b.col_graphs) == ["connectivities", "distances"]
        for name in a.col_graphs:
            assert (a.col_graphs[name] != b.col_graphs[name]).nnz == 0
    assert loompy.to_anndata(first, tmp_path / "back.h5ad") == []
    with h5py.File(source) as before, h5py.File(tmp_path / "back.h5ad") as after:
        before.visititems(lambda name, node: compare(node, after[name]))


def compare(before, after):
    """A node of AnnData, and what became of it."""
    for name in ("encoding-type", "shape", "column-order", "_index"):
        assert np.array_equal(before.attrs.get(name), after.attrs.get(name)), (before.name, name)
    if isinstance(before, h5py.Dataset):
        assert before.dtype == after.dtype and before.shape == after.shape, before.name
        here, there = before[()], after[()]
        is_same = here.tobytes() == there.tobytes() if before.dtype.kind in "iuf" else here == there
        assert np.all(is_same), before.name


def test_categories_of_before_0_7_become_those_of_today(tmp_path):
    obs = np.zeros(3, dtype=[("index", "S3"), ("louvain", "i1"), ("n", "f4")])
    obs["index"], obs["louvain"], obs["n"] = [b"a", b"b", b"c"], [1, 0, -1], [0.5, 1, 2]
    with h5py.File(tmp_path / "old.h5ad", "w") as file:
        file["X"] = np.arange(6, dtype="f4").reshape(3, 2)
        file["obs"], file["var"] = obs, np.array([(b"x",), (b"y",)], dtype=[("index", "S3")])
        file["uns/louvain_categories"] = np.array([b"T cell", b"B cell"])
        file["uns/louvain_colors"] = np.array([b"#fff", b"#000"])
    loompy.from_anndata(tmp_path / "old.h5ad", tmp_path / "a.loom")
    with loompy.connect(tmp_path / "a.loom", "r") as ds:
        assert ds.ca.louvain.tolist() == ["B cell", "T cell", ""] and ds.ca.n.tolist() == [0.5, 1, 2]
    assert loompy.to_anndata(tmp_path / "a.loom", tmp_path / "new.h5ad") == []
    with h5py.File(tmp_path / "new.h5ad") as file:
        column = file["obs/louvain"]
        assert column.attrs["encoding-type"] == "categorical" and not column.attrs["ordered"]
        assert column["codes"][()].tolist() == [1, 0, -1] and column["codes"].dtype == "i1"
        assert column["categories"].asstr()[()].tolist() == ["T cell", "B cell"]
        assert list(file["uns"]) == ["louvain_colors"]


def test_sparse_layers_that_are_not_canonical_come_back_as_they_were(tmp_path):
    loompy.create(tmp_path / "a.loom", np.eye(4, 3, dtype="f4"), {"Gene": list("wxyz")},
                  {"CellID": list("abc")})
    loompy.to_anndata(tmp_path / "a.loom", tmp_path / "a.h5ad")
    # In no order, with an element that is there twice, and with a zero.
    parts = {"data": np.array([1, 2, 3, 0, 5], "f4"), "indices": np.array([3, 0, 0, 1, 2], "i4"),
             "indptr": np.array([0, 3, 4, 5], "i4")}
    with h5py.File(tmp_path / "a.h5ad", "r+") as file:
        group = file.create_group("layers/odd")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0",
                            "shape": (3, 4)})
        for name, values in parts.items():
            group[name] = values
    loompy.from_anndata(tmp_path / "a.h5ad", tmp_path / "b.loom")
    with loompy.connect(tmp_path / "b.loom", "r") as ds:
        assert ds.layers["odd"][:, 0].tolist() == [5, 0, 0, 1]
    assert loompy.to_anndata(tmp_path / "b.loom", tmp_path / "b.h5ad") == []
    with h5py.File(tmp_path / "b.h5ad") as file:
        for name, values in parts.items():
            assert np.array_equal(file["layers/odd"][name][()], values)
