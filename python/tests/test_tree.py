"""Groups are mappings; files open in the modes that Python users know."""

from __future__ import annotations

import gc
import os
import shutil

import numpy as np
import pytest
import stook


@pytest.fixture(params=["x.zarr", "x.zarr.zip", "x.h5", "v2"])
def path(request, tmp_path):
    if request.param == "v2":
        stook.create(tmp_path / "x.zarr", format="zarr2").close()
        return tmp_path / "x.zarr"
    stook.create(tmp_path / request.param).close()
    return tmp_path / request.param


def test_a_group_is_a_mapping(path):
    with stook.open(path, "r+") as file:
        file["b/array"] = np.arange(3)
        file.create_group("a/deep", attributes={"n": 1})
        file.require_group("a/deep/er")
        assert list(file) == ["a", "b"]
        assert len(file) == 2
        assert sorted(file.keys()) == ["a", "b"]
        assert [type(node) for node in file.values()] == [stook.Group, stook.Group]
        assert dict(file.groups()).keys() == {"a", "b"}
        assert [name for name, _ in file["b"].arrays()] == ["array"]
        assert "b/array" in file and "/b/array/" in file and "c" not in file and 5 not in file
        assert file["a"]["deep"].attrs["n"] == 1
        assert file["a/deep"] == file["a"]["deep"]
        assert file["b"].path == "/b" and file["b/array"].name == "array"
        assert file.get("nope") is None
        file.move("b/array", "c/moved")
        assert list(file["b"]) == []
        assert file["c/moved"][:].tolist() == [0, 1, 2]
        del file["a"]
        assert list(file) == ["b", "c"]
        assert "moved (3,) int64" in file.tree()
    with stook.open(path) as file:
        assert list(file) == ["b", "c"]
        assert file["c/moved"][1] == 1


def test_what_an_array_says_of_itself(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        array = file.create_array(
            "x",
            shape=(10, 6),
            dtype="i2",
            chunks=(2, 3),
            shards=(4, 6),
            codecs={"name": "blosc", "cname": "zstd"},
            fill_value=-1,
            dimension_names=["y", "x"],
            attributes={"unit": "m"},
        )
        assert (array.shape, array.ndim, array.size, array.nbytes) == ((10, 6), 2, 60, 120)
        assert (array.chunks, array.shards) == ((2, 3), (4, 6))
        assert array.dtype == np.int16
        assert array.fill_value == -1
        assert array.dimension_names == ("y", "x")
        blosc = array.codecs[-1]
        assert (blosc["name"], blosc["cname"], blosc["typesize"]) == ("blosc", "zstd", 2)
        assert array.attrs["unit"] == "m"
        assert (array.format, array.file) == ("zarr3", str(tmp_path / "x.zarr"))
        assert repr(array) == "<Array /x (10, 6) int16>"
        assert array[...].tolist() == [[-1] * 6] * 10
        # What it says makes another one like it.
        again = file.create_array(
            "again", shape=10, dtype=array.dtype, chunks=4, codecs=array.codecs
        )
        assert again.codecs == array.codecs


def test_modes(tmp_path):
    path = tmp_path / "x.h5"
    for mode in ("r", "r+"):
        with pytest.raises(FileNotFoundError):
            stook.open(path, mode)
    with stook.open(path, "w-") as file:
        file["a"] = [1]
    with stook.open(path, "a") as file:
        file["b"] = [2]
    with stook.open(path, "r+") as file:
        assert list(file) == ["a", "b"]
    with pytest.raises(FileExistsError):
        stook.open(path, "x")
    with stook.open(path, "w") as file:
        assert list(file) == []
    with stook.require(path) as file:
        file.require_group("g")
    with stook.open(os.fspath(path)) as file:
        assert list(file) == ["g"]


def test_overwriting(tmp_path):
    for name in ("x.zarr", "x.h5", "x.npz"):
        with stook.create(tmp_path / name) as file:
            file["old"] = [1]
        with stook.create(tmp_path / name, overwrite=True) as file:
            file["new"] = [2]
        assert list(stook.open(tmp_path / name)) == ["new"]
    with stook.create(tmp_path / "y.zarr") as file:
        file["a"] = [1, 2]
        with pytest.raises(FileExistsError):
            file["a"] = [3]
        file.create_array("a", [3.5], overwrite=True)
        assert file["a"][:].tolist() == [3.5]
    # A format given wins over the name.
    with stook.create(tmp_path / "z.dat", format="hdf5") as file:
        assert file.format == "hdf5"
    assert stook.open(tmp_path / "z.dat").format == "hdf5"


def test_changes_are_kept_without_closing(path):
    file = stook.open(path, "r+")
    file["a"] = np.arange(5)
    file.attrs["x"] = 1
    file.commit("fsync")
    copy = path.with_name("copy" + path.name)
    (shutil.copytree if path.is_dir() else shutil.copy)(path, copy)
    with stook.open(copy) as found:
        assert found["a"][:].tolist() == [0, 1, 2, 3, 4]
        assert found.attrs["x"] == 1
    with pytest.raises(ValueError):
        file.commit("nonsense")
    file.close()


def test_an_error_in_a_with_block_closes_the_file(path):
    with pytest.raises(ZeroDivisionError), stook.open(path, "r+") as file:
        file["a"] = [1]
        1 / 0  # noqa: B018
    with pytest.raises(ValueError, match="closed"):
        list(file)
    with stook.open(path) as file:
        assert file["a"][0] == 1


def test_handles_that_are_dropped_let_the_file_go(path):
    for i in range(20):
        file = stook.open(path, "r+")
        array = file.create_array(f"a{i}", [i])
        file.commit()
        del file, array
        gc.collect()
    assert len(stook.open(path)) == 20


def test_attributes_are_a_mapping(path):
    with stook.open(path, "r+") as file:
        attrs = file.attrs
        attrs["a"] = 1
        attrs.update({"b": "two"}, c=[3.5])
        assert set(attrs) == {"a", "b", "c"} and len(attrs) == 3
        assert attrs["b"] == "two" and "b" in attrs and "z" not in attrs
        assert list(np.ravel(attrs["c"])) == [3.5]
        assert attrs.pop("a") == 1
        assert attrs.setdefault("d", 4) == 4
        with pytest.raises(stook.Error):
            attrs.update(e=5, f=object())
        assert "e" not in attrs
        attrs.put({"only": True})
        assert dict(attrs) == {"only": True}
        attrs.clear()
        assert len(attrs) == 0
        assert "only" not in repr(attrs)
        attrs["int"], attrs["float"] = np.int16(3), np.float32(0.5)
    with stook.open(path) as file:
        assert (file.attrs["int"], file.attrs["float"]) == (3, 0.5)


def test_types_of_ml_dtypes(tmp_path, same_bits):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for name in ("bfloat16", "float8_e5m2"):
        expected = np.arange(10).astype(getattr(ml_dtypes, name))
        with stook.create(tmp_path / f"{name}.zarr") as file:
            array = file.create_array("x", expected, chunks=4)
            assert array.dtype == expected.dtype
            array[2:5] = expected[:3]
            expected[2:5] = expected[:3].copy()
            same_bits(expected.view("u1"), array[:].view("u1"))


def test_text_of_numpy_2(file):
    texts = np.array(["a", "é", "x" * 50], np.dtypes.StringDType())
    array = file.create_array("x", texts)
    assert array[:].tolist() == texts.tolist()
    array[:2] = texts[1:]
    assert array[0] == "é"


def test_times_are_read_from_text(file):
    array = file.create_array("t", np.array(["2020-01-01", "NaT"], "M8[D]"))
    array[0] = "2021-05-05"
    array[1] = np.datetime64("2022", "Y")
    assert array[:].astype(str).tolist() == ["2021-05-05", "2022-01-01"]
    for wrong, error in (("no time", ValueError), (5.5, TypeError)):
        with pytest.raises(error):
            array[0] = wrong
