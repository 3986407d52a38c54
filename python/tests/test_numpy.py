"""npy and npz files, and scipy's sparse matrices in them."""

from __future__ import annotations

import os

import numpy as np
import pytest
import scipy.sparse
import stook
from kinds import NUMBERS, PACKED, STRUCT, items

FIXED = [*NUMBERS, ">i4", ">c16", "S5", "U3", ">U2", "M8[s]", "m8[D]", "V6", PACKED, STRUCT]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", FIXED, ids=str)
def test_npy_that_numpy_wrote(tmp_path, same_bits, dtype, order):
    expected = np.asarray(items(dtype), order=order)
    np.save(tmp_path / "x.npy", expected)
    for memory_map in (False, True):
        with stook.open(tmp_path / "x.npy", memory_map=memory_map) as array:
            assert isinstance(array, stook.Array)
            same_bits(expected, array[:])
            same_bits(expected[9:2:-3, ::2], array[9:2:-3, ::2])


@pytest.mark.parametrize("compressed", [False, True])
def test_npz_that_numpy_wrote(tmp_path, same_bits, compressed):
    expected = {f"a{i}": items(dtype) for i, dtype in enumerate(FIXED)}
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "x.npz", **expected)
    with stook.open(tmp_path / "x.npz") as file:
        assert sorted(file) == sorted(expected)
        for name, array in expected.items():
            same_bits(array, file[name][:])


@pytest.mark.parametrize("dtype", [d for d in FIXED if d != "V6"], ids=str)
def test_npz_that_numpy_reads(tmp_path, same_bits, dtype):
    expected = items(dtype)
    with stook.create(tmp_path / "x.npz") as file:
        file.create_array("a", expected)
        file.create_array("b", expected[:0])
        file.create_array("c", expected[1, 2, ...])
    with np.load(tmp_path / "x.npz") as found:
        same_bits(expected, found["a"])
        same_bits(expected[:0], found["b"])
        same_bits(expected[1, 2, ...], found["c"])


def test_changing_npy_in_place(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12).reshape(3, 4))
    with stook.open(tmp_path / "x.npy", "r+") as array:
        array[1, ::2] = -1
    assert np.load(tmp_path / "x.npy")[1].tolist() == [-1, 5, -1, 7]


def test_objects_in_npy_are_not_executed(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'executed'}",)

    np.save(tmp_path / "hostile.npy", np.array([Hostile()], object), allow_pickle=True)
    with pytest.raises(stook.Error, match="system"):
        stook.open(tmp_path / "hostile.npy")
    assert not (tmp_path / "executed").exists()


def test_objects_in_npy_are_data(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object))
    assert stook.open(tmp_path / "x.npy")[0] == '{"a":1}'
    texts = np.array(["a", "é", ""], object)
    np.save(tmp_path / "texts.npy", texts)
    found = stook.open(tmp_path / "texts.npy")[:]
    assert found.tolist() == texts.tolist()


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
def test_sparse_matrices_of_scipy(tmp_path, same_bits, kind):
    dense = np.eye(5) * np.arange(5)
    matrix = scipy.sparse.coo_array(dense).asformat(kind)
    scipy.sparse.save_npz(tmp_path / "x.npz", matrix)
    with stook.open(tmp_path / "x.npz") as file:
        assert file["shape"][:].tolist() == [5, 5]
        assert file["format"][()] == kind.encode()
        same_bits(matrix.data, file["data"][:])
        parts = {name: array[...] for name, array in file.items()}
    with stook.create(tmp_path / "y.npz") as file:
        for name, part in parts.items():
            file.create_array(name, part)
    np.testing.assert_array_equal(scipy.sparse.load_npz(tmp_path / "y.npz").toarray(), dense)
