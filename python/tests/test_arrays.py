"""What arrays do beside indexing: views, chunks, memory that is lent, statistics."""

from __future__ import annotations

import array as arrays

import numpy as np
import pytest
import stook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

MAPPED = ["x.npy", "x.h5"]


@pytest.fixture(params=["x.zarr", "x.h5"])
def file(request, tmp_path):
    with stook.create(tmp_path / request.param) as file:
        yield file


@pytest.fixture(scope="module")
def grids(tmp_path_factory):
    """An array in chunks, and the same in memory."""
    items = np.random.default_rng(3).integers(0, 1 << 30, (11, 7, 5), dtype="i4")
    folder = tmp_path_factory.mktemp("grids")
    files = []
    for name in ("x.zarr", "x.h5"):
        files.append(stook.create(folder / name))
        files[-1].create_array("a", items, chunks=(4, 3, 2))
    yield [file["a"] for file in files], items
    for file in files:
        file.close()


@given(data=st.data())
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_out_holds_what_numpy_would_select(grids, data):
    """Any basic or integer index, into memory of any strides and of wider dtypes."""
    sources, items = grids
    index = data.draw(
        hnp.basic_indices(items.shape, allow_newaxis=True)
        | hnp.integer_array_indices(items.shape)
        | st.tuples(st.slices(11), st.lists(st.integers(-7, 6), max_size=9), st.slices(5))
    )
    expected = np.asarray(items[index])
    dtype = data.draw(st.sampled_from(["i4", "i4", ">i4", "i8", "f8", "c16"]))
    steps = [data.draw(st.sampled_from([1, 2, -1, -3])) for _ in range(expected.ndim)]
    order = data.draw(st.sampled_from("CF"))
    shape = tuple(n * abs(step) + 3 for n, step in zip(expected.shape, steps, strict=True))
    for source in sources:
        memory = np.full(shape, -1, dtype, order=order)
        out = memory[..., *(slice(None, None, step) for step in steps)]
        out = out[..., *(slice(n) for n in expected.shape)]
        assert source.read(index, out=out) is out
        np.testing.assert_array_equal(out, expected)
        assert (memory == -1).sum() == memory.size - out.size


def test_out_may_be_any_memory(file):
    a = file.create_array("a", np.arange(6, dtype="i4"), chunks=4)
    buffer = arrays.array("i", [0] * 6)
    assert a.read(out=buffer) is buffer
    assert buffer.tolist() == [0, 1, 2, 3, 4, 5]
    a.read_into(memoryview(buffer)[::-2], np.s_[:3])
    assert buffer.tolist() == [0, 2, 2, 1, 4, 0]
    raw = file.create_array("b", np.arange(4, dtype="u1"))
    memory = bytearray(4)
    raw.read_into(memory)
    assert memory == bytes(range(4))
    for wrong in ([0] * 6, b"\0" * 24, 5, None):
        with pytest.raises((ValueError, TypeError)):
            a.read_into(wrong)


def test_chunks_are_walked(file):
    items = np.arange(70).reshape(10, 7)
    a = file.create_array("a", items, chunks=(4, 3))
    parts = list(a.iter_chunks())
    assert len(parts) == a.nchunks == 9
    assert a.grid_shape == (3, 3)
    seen = np.zeros_like(items)
    for part in parts:
        seen[part] += a[part]
    np.testing.assert_array_equal(seen, items)
    within = list(a.iter_chunks(np.s_[3:5, 6]))
    assert within == [np.s_[3:4:1, 6:7:1], np.s_[4:5:1, 6:7:1]]
    assert list(a.iter_chunks(np.s_[5:5])) == []
    plain = file.create_array("plain", np.zeros((3000, 300)))
    covered = np.zeros(plain.shape, bool)
    for part in plain.iter_chunks():
        assert not covered[part].any()
        covered[part] = True
    assert covered.all()
    for wrong in (np.s_[::2], [1, 2], 10, np.s_[0, 0, 0]):
        with pytest.raises(IndexError):
            list(a.iter_chunks(wrong))


def test_what_is_stored_is_told(file):
    a = file.create_array("a", shape=(100, 10), dtype="f8", chunks=(10, 10), codecs="gzip")
    assert (a.nbytes, a.nchunks, a.nchunks_initialized) == (8000, 10, 0)
    a[:20] = 1
    assert a.nchunks_initialized == 2
    assert 0 < a.nbytes_stored < 1600
    assert not a.read_only
    text = str(a.info)
    assert "/a" in text and "(10, 10), 10 in all, 2 stored" in text
    known = a.info.asdict()
    assert known["nchunks_initialized"] == 2 and known["dtype"] == np.float64
    a.fill(3)
    assert (a[:] == 3).all()


def test_fields_are_read_and_written(file):
    dtype = [("x", "i4"), ("y", "f8"), ("z", "i2", 2)]
    items = np.array([(1, 2.5, (7, 8)), (3, 4.5, (9, 10))], dtype)
    a = file.create_array("a", items)
    assert a.fields.names == ("x", "y", "z")
    assert a.fields["x"][:].tolist() == [1, 3]
    assert a.fields["x"][1] == 3
    assert a["y"].tolist() == [2.5, 4.5]
    assert a["z", 0].tolist() == [7, 8]
    assert a.fields["x", "y"][:].tolist() == [(1, 2.5), (3, 4.5)]
    assert a.fields["x"].dtype == np.int32
    np.testing.assert_array_equal(a.fields["y"], items["y"])
    assert list(a.fields["x"]) == [1, 3]
    a.fields["x"][1] = 30
    a["y"] = [0, -1]
    a["z", 0] = 5
    expected = items.copy()
    expected["x"][1], expected["y"], expected["z"][0] = 30, [0, -1], 5
    np.testing.assert_array_equal(a[:], expected)
    with pytest.raises(KeyError, match="nope"):
        a.fields["nope"]


def test_an_array_is_seen_as_another_dtype(file):
    a = file.create_array("a", np.linspace(0, 9, 10))
    view = a.astype("i2")
    assert view.dtype == np.int16 and view.shape == (10,) and len(view) == 10
    assert view[:].dtype == np.int16
    assert view[3:5].tolist() == [3, 4]
    assert np.asarray(view, "f4").dtype == np.float32
    with pytest.raises(ValueError):
        view[0] = 1
    texts = file.create_array("t", ["a", "é✓", ""], dtype=str)
    assert texts.astype(np.dtypes.StringDType())[:].dtype.kind == "T"
    assert texts.astype("U5")[:].tolist() == ["a", "é✓", ""]
    raw = file.create_array("b", [b"ab", b"c"], dtype=bytes)
    assert raw.astype("T")[:].tolist() == ["ab", "c"]
    with pytest.raises(TypeError):
        texts.astype("f8")[:]


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("order", "CF")
def test_mapped_items_are_lent_as_they_lie(tmp_path, name, order):
    items = np.asarray(np.arange(12, dtype="f4").reshape(3, 4), order=order)
    path = tmp_path / name
    if name == "x.npy":
        np.save(path, items)
    else:
        with stook.create(path) as file:
            file["a"] = items

    def opened(memory_map):
        root = stook.open(path, memory_map=memory_map)
        return root if isinstance(root, stook.Array) else root["a"]

    array = opened(True)
    found = np.asarray(array)
    assert not found.flags.owndata and not found.flags.writeable
    np.testing.assert_array_equal(found, items)
    assert np.shares_memory(found, np.array(array, copy=False))
    assert not np.shares_memory(found, np.array(array))
    with memoryview(array) as memory:
        assert memory.readonly and memory.shape == (3, 4)
        assert memory.tolist() == items.tolist()
    assert np.array_equal(np.from_dlpack(array), items)
    assert np.asarray(array, "f8").tolist() == items.tolist()
    array.close()
    # The memory outlives the file.
    np.testing.assert_array_equal(found, items)
    array = opened(False)
    assert array.mapped is None
    with pytest.raises(BufferError, match="mapped"):
        memoryview(array)
    with pytest.raises(ValueError):
        np.array(array, copy=False)
    assert np.asarray(array).flags.writeable


def test_arrays_go_to_other_libraries(file):
    items = np.arange(6, dtype="i8").reshape(2, 3)
    array = file.create_array("a", items, chunks=(1, 3))
    assert array.__dlpack_device__() == (1, 0)
    np.testing.assert_array_equal(np.from_dlpack(array), items)
    with pytest.raises(BufferError):
        memoryview(array)
    np.testing.assert_array_equal(np.add(array, 1), items + 1)


def test_statistics(file):
    numbers = file.create_array("n", np.array([1.5, np.nan, -2, 0, np.inf]))
    found = numbers.stats()
    assert (found.n, found.n_nan, found.n_positive_infinite) == (5, 1, 1)
    assert found.min == -2
    assert found.kind == "numbers" and found.dtype == np.float64
    assert numbers.stats(np.s_[:3]).max == 1.5
    big = file.create_array("b", np.array([2**63 - 1, 2**63 - 1], "i8"))
    assert big.stats().sum == 2**64 - 2
    flags = file.create_array("f", np.array([True, False, True]))
    assert flags.stats().n_nonzero == 2
    texts = file.create_array("t", ["", "ab", "ab"], dtype=str).stats()
    assert (texts.n_empty, texts.n_distinct, texts.lengths) == (1, 2, (0, 2))
    structs = file.create_array("s", np.zeros(4, [("x", "i4"), ("y", "f8")])).stats()
    assert structs.kind == "structs" and set(structs.fields) == {"x", "y"}
    assert structs.fields["x"].n_nonzero == 0


def test_times_have_statistics(tmp_path):
    with stook.create(tmp_path / "t.zarr") as file:
        times = np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[D]")
        found = file.create_array("t", times).stats()
    assert (found.min, found.max, found.n_nan) == (times[0], times[2], 1)


def test_groups_copy_walk_and_require(file, tmp_path):
    file.create_array("g/a", np.arange(10), chunks=4, attributes={"unit": "m"}, codecs="gzip")
    file.create_array("g/deep/t", ["x", "yé"], dtype=str)
    file["g"].attrs["n"] = 1
    assert [path for path, _ in file.walk()] == ["g", "g/a", "g/deep", "g/deep/t"]
    copied = file.copy("g", "h")
    assert isinstance(copied, stook.Group)
    assert copied["a"][:].tolist() == list(range(10))
    assert copied["a"].chunks == (4,) and copied["a"].attrs["unit"] == "m"
    assert copied["deep/t"][:].tolist() == ["x", "yé"]
    assert copied.attrs["n"] == 1
    for name in ("other.h5", "other.zarr"):
        with stook.create(tmp_path / name) as other:
            other.create_group("in")
            file.copy("g", other["in"], name="again")
            file.copy(file["g/a"], other["in"])
            assert other["in/again/a"][3] == 3 and other["in/a"][9] == 9
            assert not stook.diff(file["g"], other["in/again"], ignore_dtypes=True)
    with pytest.raises(FileExistsError):
        file.copy("g", "h")
    assert file.visit(lambda path: path if path.endswith("t") else None) == "g/deep/t"
    assert file.visititems(lambda path, node: None) is None
    same = file.require_array("g/a", 10, "i8")
    assert same.path == "/g/a"
    for shape, dtype in ((11, "i8"), (10, "i4")):
        with pytest.raises(ValueError):
            file.require_array("g/a", shape, dtype)
    with pytest.raises(ValueError):
        file.require_array("g/deep", 1, "i4")


def test_trees_are_compared_and_checked(tmp_path):
    for name, last in (("a.zarr", 3.0), ("b.h5", 3.5)):
        with stook.create(tmp_path / name) as file:
            file["x"] = [1.0, 2.0, last]
            file.attrs["n"] = 1
    report = stook.diff(tmp_path / "a.zarr", tmp_path / "b.h5", ignore_attributes=True)
    assert report and not report.is_equal
    (difference,) = report.differences
    assert (difference.kind, difference.node, difference.n, difference.n_elements) == (
        "elements",
        "/x",
        1,
        3,
    )
    assert difference.largest_absolute == (0.5, (2,))
    assert (difference.cells[0].a, difference.cells[0].b) == (3.0, 3.5)
    assert not stook.diff(tmp_path / "a.zarr", tmp_path / "b.h5", atol=1, ignore_attributes=True)
    assert stook.check(tmp_path / "a.zarr").is_whole
    (tmp_path / "a.zarr/x/c/0").write_bytes(b"damaged")
    found = stook.check(tmp_path / "a.zarr")
    assert not found.is_whole
    assert found.findings[0].node == "/x" and found.findings[0].chunk == (0,)


def test_conversions_change_what_is_asked_for(tmp_path):
    items = np.linspace(0, 1, 1000).reshape(100, 10)
    with stook.create(tmp_path / "a.zarr") as file:
        file.create_array("x", items, chunks=(10, 10))
        file.create_array("y/z", np.arange(100), chunks=10)
    report = stook.convert(
        tmp_path / "a.zarr",
        tmp_path / "b.zarr",
        select={"x": np.s_[10:, :5]},
        chunks={"x": (45, None), "y/**": "keep"},
        codecs={"**": [{"id": "zlib", "level": 2}]},
        dtype={"x": "f4"},
        lossy=True,
    )
    assert report.n_arrays == 2
    with stook.open(tmp_path / "b.zarr") as file:
        assert file["x"].chunks == (45, 5) and file["x"].dtype == np.float32
        np.testing.assert_array_equal(file["x"][:], items[10:, :5].astype("f4"))
        assert file["x"].codecs[-1]["name"].endswith("zlib")
    stook.convert(tmp_path / "a.zarr", tmp_path / "c.h5", include="y", codecs="shuffle+gzip:6")
    with stook.open(tmp_path / "c.h5") as file:
        assert list(file) == ["y"]
        assert [codec["name"] for codec in file["y/z"].codecs][-2:] == ["shuffle", "zlib"]
    with pytest.raises(ValueError):
        stook.convert(tmp_path / "a.zarr", tmp_path / "d.zarr", codecs="nonsense")
