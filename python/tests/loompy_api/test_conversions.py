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
