"""Copying, which zarr-python 2 had: between Zarr and Zarr, Zarr and h5py, store and store."""

from __future__ import annotations

import io

import h5py
import numpy as np
import pytest
import stook.zarr as zarr
from stook.zarr.core._copy import CopyError

X = np.arange(12, dtype="int16").reshape(3, 4)


@pytest.fixture
def source():
    g = zarr.group(attributes={"r": 1})
    g.create_array("a", data=X, chunks=(2, 2), attributes={"x": 1}, fill_value=7)
    g.create_array("g/b", data=X[0], shards=(4,), chunks=(2,), attributes={"y": [1, 2]})
    return g


def test_copy_an_array(source):
    target = zarr.group()
    assert zarr.copy(source["a"], target) == (1, 0, 24)
    made = target["a"]
    assert np.array_equal(made[...], X)
    assert (made.chunks, made.fill_value, dict(made.attrs)) == ((2, 2), 7, {"x": 1})


def test_copy_under_another_name_with_other_settings(source):
    target = zarr.group(zarr_format=2)
    zarr.copy(source["a"], target, name="n", without_attrs=True, chunks=(1, 4), compressors=None)
    made = target["n"]
    assert np.array_equal(made[...], X)
    assert (made.chunks, made.compressors, dict(made.attrs)) == ((1, 4), (), {})
    assert made.metadata.zarr_format == 2


def test_copy_a_group(source):
    target = zarr.group()
    assert zarr.copy(source["g"], target) == (2, 0, 8)
    assert target["g/b"].shards == (4,)
    assert zarr.copy(source, target, name="all", shallow=True)[0] == 2
    assert sorted(target["all"]) == ["a"]
    with pytest.raises(TypeError, match="name"):
        zarr.copy(source, target)
    with pytest.raises(TypeError, match="expected an array or a group"):
        zarr.copy(5, target, name="n")


@pytest.mark.parametrize("dry_run", [False, True])
def test_copy_all(source, dry_run):
    target = zarr.group()
    assert zarr.copy_all(source, target, dry_run=dry_run) == (3, 0, 32)
    assert sorted(target) == ([] if dry_run else ["a", "g"])
    assert dict(target.attrs) == ({} if dry_run else {"r": 1})


def test_what_is_in_the_way(source):
    target = zarr.group()
    target["a"] = np.zeros(2)
    with pytest.raises(CopyError, match="already exists"):
        zarr.copy(source["a"], target)
    assert zarr.copy(source["a"], target, if_exists="skip") == (0, 1, 0)
    assert target["a"].shape == (2,)
    assert zarr.copy(source["a"], target, if_exists="replace") == (1, 0, 24)
    assert np.array_equal(target["a"][...], X)
    assert zarr.copy(source["a"], target, if_exists="skip_initialized") == (0, 1, 0)
    target.create_array("a", shape=(3, 4), dtype="i2", chunks=(2, 2), overwrite=True)
    assert zarr.copy(source["a"], target, if_exists="skip_initialized") == (1, 0, 24)
    with pytest.raises(ValueError, match="if_exists"):
        zarr.copy(source["a"], target, if_exists="perhaps")


def test_log(source, tmp_path):
    lines: list[str] = []
    zarr.copy_all(source, zarr.group(), log=lines.append)
    assert lines[-1] == "all done: 3 copied, 0 skipped, 32 bytes copied"
    text = io.StringIO()
    zarr.copy_all(source, zarr.group(), log=text, dry_run=True)
    assert text.getvalue().startswith("copy /")
    zarr.copy_all(source, zarr.group(), log=tmp_path / "log")
    assert (tmp_path / "log").read_text().splitlines() == lines
    with pytest.raises(TypeError, match="log"):
        zarr.copy_all(source, zarr.group(), log=5)


def test_h5py_is_a_source_and_a_target(source, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        zarr.copy_all(source, file)
        assert np.array_equal(file["a"][...], X)
        assert file["a"].chunks == (2, 2)
        assert file["a"].attrs["x"] == 1
        target = zarr.group()
        assert zarr.copy_all(file, target) == (3, 0, 32)
        assert np.array_equal(target["g/b"][...], X[0])
        assert target["a"].attrs.asdict() == {"x": 1}


def test_copy_store():
    a, b = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    zarr.create_array(a, name="g/x", data=X, chunks=(2, 2))
    n, skipped, size = zarr.copy_store(a, b)
    assert (n, skipped) == (7, 0)
    assert np.array_equal(zarr.open_array(b, path="g/x")[...], X)
    with pytest.raises(CopyError, match="exists in destination"):
        zarr.copy_store(a, b)
    assert zarr.copy_store(a, b, if_exists="skip") == (0, 7, 0)
    assert zarr.copy_store(a, b, if_exists="replace") == (7, 0, size)
    with pytest.raises(ValueError, match="if_exists"):
        zarr.copy_store(a, b, if_exists="perhaps")


def test_copy_store_in_part(tmp_path):
    a = zarr.storage.MemoryStore()
    zarr.create_array(a, name="g/x", data=X, chunks=(2, 2))
    lines: list[str] = []
    found = zarr.copy_store(
        a, tmp_path / "s", source_path="g/x", dest_path="y", excludes=["^c/"], includes="^c/0/0",
        log=lines.append,
    )  # fmt: skip
    assert found[:2] == (2, 0)
    copied = zarr.open_array(tmp_path / "s", path="y")[...]
    assert copied[:2, :2].tolist() == X[:2, :2].tolist()
    assert not copied[:, 2:].any()
    assert lines[0] == "copy g/x/c/0/0 -> y/c/0/0"
    before = sorted(path.name for path in (tmp_path / "s").rglob("*"))
    zarr.copy_store(a, tmp_path / "s", dest_path="z", dry_run=True)
    assert sorted(path.name for path in (tmp_path / "s").rglob("*")) == before
