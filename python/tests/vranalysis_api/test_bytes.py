"""Files are those that numpy and scipy write, and theirs are read."""

from __future__ import annotations

import collections
import datetime
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from stook.vranalysis import LoadingRecipe

FIXTURES = Path(__file__).resolve().parents[3] / "crates/stook-onedata/tests/fixtures"

ARRAYS = {
    "float32": np.arange(12, dtype=np.float32).reshape(3, 4),
    "big": np.arange(12, dtype=">i2").reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "fortran big": np.asfortranarray(np.arange(12, dtype=">f8").reshape(3, 4)),
    "cube": np.arange(24).reshape(2, 3, 4).transpose(2, 1, 0),
    "strided": np.arange(24).reshape(4, 6)[::2, 1::2],
    "scalar": np.array(2.5),
    "empty": np.empty((0, 3), np.uint8),
    "bool": np.array([True, False]),
    "text": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"bcd"]),
    "complex": np.array([1 + 2j]),
    "time": np.array(["2024-02-09"], "M8[s]"),
    "half": np.array([1, 2], np.float16),
    "struct": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
}


def npy(data):
    out = io.BytesIO()
    np.save(out, data)
    return out.getvalue()


def npy1(item):
    """What numpy 1 writes of an object: protocol 3, and the older names."""
    array = np.array(item, dtype=object)
    header = npy(array)[:128]
    # The names have these lengths, and nothing else counts them in this protocol.
    text = pickle.dumps(array, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    return header + text


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_written_as_numpy_writes_them_and_come_back(session, name):
    array = ARRAYS[name]
    session.saveone(array, "x")
    path = session.one_path / "x.npy"
    assert path.read_bytes() == npy(array)
    for memory_map in (True, False):
        session.memory_map = memory_map
        loaded = session.loadone("x", force=True)
        # What is read and not mapped is in the machine's byte order.
        dtype = array.dtype if memory_map else array.dtype.newbyteorder("=")
        assert loaded.dtype == dtype and loaded.shape == array.shape
        np.testing.assert_array_equal(loaded, array)
        assert not loaded.flags.writeable
        copy = session.loadone("x", writable=True)
        assert copy.flags.writeable


def test_lists_and_numbers_are_arrays(session):
    for data in ([1, 2, 3], 2.5, [[1], [2]], "text", [True]):
        session.saveone(data, "x")
        assert (session.one_path / "x.npy").read_bytes() == npy(data)
        for _ in range(2):
            loaded = session.loadone("x")
            assert isinstance(loaded, np.ndarray) and loaded.tolist() == data


RECIPES = [
    LoadingRecipe("S2P", "F", transforms=["transpose"]),
    LoadingRecipe("S2P", "redcell", transforms=["idx_column1"]),
    LoadingRecipe("S2P", "iscell"),
    LoadingRecipe("roiPosition", None, mode="median", n=3, rate=2.5),
    LoadingRecipe("count", "3", transforms=["a", "a", "b"], start=1 << 40, deep={"a": [None, (1, -2)]}),
    LoadingRecipe("c", "ü" * 300, big=1 << 200, negative=-(1 << 100), flag=True, data=b"x" * 300),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_recipes_are_written_as_numpy_1_writes_them(session, recipe):
    session.saveone(recipe, "x")
    path = session.one_path / "x.npy"
    assert path.read_bytes() == npy1(recipe.to_dict())
    assert np.load(path, allow_pickle=True).item() == recipe.to_dict()


def test_recipes_of_numpy_are_read(session):
    session.one_path.mkdir(parents=True)
    recipe = LoadingRecipe("count", "2", start=1).to_dict()
    for data in (npy(np.array(recipe, dtype=object)), npy1(recipe)):
        (session.one_path / "x.npy").write_bytes(data)
        assert session.loadone("x").tolist() == [[1, 2], [3, 4]]
    # The fixtures were written by numpy 1.26 and 2.4 themselves.
    for name, index in [("F", 0), ("redcell", 1), ("iscell", 2), ("position", 3)]:
        session.saveone(RECIPES[index], "x")
        assert (session.one_path / "x.npy").read_bytes() == (FIXTURES / f"{name}-numpy1.npy").read_bytes()


THINGS = {
    "numbers": [1, -1, 1 << 70, -(1 << 130), 2.5, float("inf"), 1 + 2j, True, None],
    "text": ["", "a", "a", "é", "😀", b"", b"a", b"abc", bytearray(b"xyz")],
    "nested": {"a": {"b": [1, (2, 3), {4, 5}, frozenset({6})]}, 3: "c", (1, 2): "d"},
    "times": [datetime.date(2024, 2, 9), datetime.datetime(2024, 2, 9, 1, 2, 3, 4)]
    + [datetime.timedelta(days=-1, seconds=3, microseconds=5)],
    "others": [slice(1, None, 2), range(3, 9, 2), collections.OrderedDict(b=1, a=2)],
    "scalars": [np.float32(1.5), np.int64(-3), np.bool_(True), np.complex64(1j)],
}


@pytest.mark.parametrize("name", THINGS)
def test_objects_come_back_and_numpy_reads_them(session, name):
    things = {"things": THINGS[name]}
    session.saveone(things, "x")
    path = session.one_path / "x.npy"
    for loaded in (session.loadone("x"), np.load(path, allow_pickle=True)):
        assert loaded.shape == () and loaded.item() == things
        for ours, theirs in zip(loaded.item()["things"], THINGS[name]):
            assert type(ours) is type(theirs)
    np.save(path, np.array(things, dtype=object))
    assert session.loadone("x").item() == things


def test_arrays_within_objects(session):
    ragged = np.empty(3, dtype=object)
    for i in range(3):
        ragged[i] = np.arange(i, dtype=np.float32)
    shared = np.arange(6).reshape(2, 3)
    ops = {"mean": np.asfortranarray(np.eye(3)), "big": np.arange(3, dtype=">i4"), "a": shared, "b": shared}
    for data in (ragged, ops):
        session.saveone(data, "x")
        path = session.one_path / "x.npy"
        session_array, numpy_array = session.loadone("x"), np.load(path, allow_pickle=True)
        np.save(path, data)
        for loaded in (session_array, numpy_array, session.loadone("x")):
            if data is ragged:
                assert [part.tolist() for part in loaded] == [[], [0], [0, 1]]
                assert loaded[2].dtype == np.float32
            else:
                item = loaded.item()
                assert item["a"] is item["b"] and item["a"].tolist() == shared.tolist()
                assert item["mean"].tolist() == np.eye(3).tolist()
                assert item["big"].tolist() == [0, 1, 2]


def test_an_object_that_holds_itself(session):
    path = session.one_path / "x.npy"
    path.parent.mkdir(parents=True)
    circle = {"a": []}
    circle["a"].append(circle)
    np.save(path, np.array(circle, dtype=object))
    loaded = session.loadone("x").item()
    assert loaded["a"][0] is loaded
    with pytest.raises(MemoryError, match="circle"):
        session.saveone(circle, "y")


def test_what_cannot_be_read_back_is_not_saved(session):
    class Own:
        pass

    session.saveone(np.arange(2), "x")
    for wrong in (Own(), {"a": Own()}, {"a": print}, {"a": np.array([(1,)], [("a", "i4")])}):
        with pytest.raises((NotImplementedError, ValueError)):
            session.saveone(wrong, "x")
    with pytest.raises(NotImplementedError, match="masked"):
        session.saveone(np.ma.masked_array([1, 2], [True, False]), "x")
    with pytest.raises(ValueError):
        session.saveone([[1, 2], [3]], "x")
    assert session.loadone("x").tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool, np.complex128])
@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (0, 4), (4, 0), (300, 200)])
def test_sparse_matrices_go_to_scipy_and_back(session, dtype, shape):
    rng = np.random.default_rng(1)
    dense = (rng.random(shape) * (rng.random(shape) < 0.1) * 9).astype(dtype)
    matrix = scipy.sparse.csc_array(dense)
    session.saveone(matrix, "x", sparse=True)
    path = session.one_path / "x.npz"
    theirs = scipy.sparse.load_npz(path)
    assert isinstance(theirs, scipy.sparse.csc_array) and (theirs != matrix).nnz == 0
    for compressed in (True, False):
        loaded = session.loadone("x", sparse=True)
        np.testing.assert_array_equal(loaded, dense)
        assert loaded.dtype == dtype and loaded.flags.f_contiguous and not loaded.flags.writeable
        kept = session.loadone("x", sparse=True, keep_sparse=True)
        assert isinstance(kept, scipy.sparse.csc_array) and kept.indices.dtype == theirs.indices.dtype
        np.testing.assert_array_equal(kept.toarray(), dense)
        np.testing.assert_array_equal((kept @ kept.T).toarray(), (matrix @ matrix.T).toarray())
        scipy.sparse.save_npz(path, matrix, compressed=compressed)


def test_only_sparse_arrays_by_columns_are_saved_as_such(session):
    for wrong in (np.eye(3), scipy.sparse.csr_array(np.eye(3)), scipy.sparse.csc_matrix(np.eye(3))):
        with pytest.raises(ValueError, match=r"Data is not a scipy\.sparse\.csc_array"):
            session.saveone(wrong, "x", sparse=True)


def test_duplicates_add_up(session):
    matrix = scipy.sparse.csc_array(([1.0, 2.0, 4.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    session.saveone(matrix, "x", sparse=True)
    assert session.loadone("x", sparse=True).tolist() == [[3, 0], [0, 4]]
