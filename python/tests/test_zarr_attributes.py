"""What HDF5 has and Zarr has no name for goes there and back, and zarr-python reads the nearest."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest
import stook
import zarr

ATTRIBUTES = {
    "short": np.array([1, -1], "i2"),
    "scalar": np.float32(0.1),
    "nan": np.array([np.nan, -np.inf], "f4"),
    "fixed": np.bytes_(b"abc"),
    "words": np.array([b"a", b"bcd"], "S5"),
    "flag": np.bool_(True),
    "pairs": np.array([(1, 2.5), (3, -0.0)], [("a", "u1"), ("b", "<f8")]),
    "complex": np.complex64(1 - 2j),
    "text": "plain ünï",
    "long": np.int64(5),
}


def fill(node):
    for name, value in ATTRIBUTES.items():
        node.attrs[name] = value
    node.attrs["none"] = h5py.Empty("f4")


def write(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("g")
        data = group.create_dataset("x", data=np.arange(6, dtype="i2").reshape(2, 3))
        for node in (file, group, data):
            fill(node)
        struct = np.dtype([("n", "i4"), ("t", h5py.string_dtype()), ("v", h5py.vlen_dtype("i2"))])
        rows = file.create_dataset("rows", (3,), struct, chunks=(2,))
        for at, row in enumerate([(1, "né", [1, 2, 3]), (2, "", []), (3, "c", [-7])]):
            rows[at] = (row[0], row[1], np.array(row[2], "i2"))
        series = file.create_dataset("series", (2,), h5py.vlen_dtype("f8"))
        series[0], series[1] = np.array([0.5, np.nan]), np.array([])
        file["null"] = h5py.Empty("i8")
        colours = h5py.enum_dtype({"red": 0, "green": 1}, basetype="u1")
        file.create_dataset("colours", data=np.array([1, 0], "u1"), dtype=colours)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_types_survive_the_way_through_zarr(tmp_path, zarr_format):
    there, between, back = tmp_path / "a.h5", tmp_path / "b.zarr", tmp_path / "c.h5"
    write(there)
    report = stook.convert(there, between, format=f"zarr{zarr_format}")
    assert not report.losses, report.losses
    report = stook.convert(between, back)
    with h5py.File(there) as before, h5py.File(back) as after:
        for path in ("/", "g", "g/x"):
            one, other = before[path].attrs, after[path].attrs
            assert set(other) == set(one)
            for name in ATTRIBUTES:
                assert other.get_id(name).dtype == one.get_id(name).dtype, (path, name)
                np.testing.assert_array_equal(other[name], one[name])
            assert isinstance(other["none"], h5py.Empty)
            assert other["none"].dtype == "f4"
        for name in ("rows", "series", "colours", "null"):
            assert after[name].dtype == before[name].dtype, name
            assert after[name].shape == before[name].shape, name
        assert h5py.check_enum_dtype(after["colours"].dtype) == {"red": 0, "green": 1}
        for one, other in zip(before["rows"][:], after["rows"][:], strict=True):
            assert (one["n"], one["t"], list(one["v"])) == (
                other["n"],
                other["t"],
                list(other["v"]),
            )
        for one, other in zip(before["series"][:], after["series"][:], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_python_reads_the_nearest(tmp_path, zarr_format):
    there, between = tmp_path / "a.h5", tmp_path / "b.zarr"
    write(there)
    stook.convert(there, between, format=f"zarr{zarr_format}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = zarr.open_group(between, mode="r+")
        assert root["g/x"][1, 2] == 5
        assert root["colours"][:].tolist() == [1, 0]
        assert root["rows"][0] is not None
        assert root["series"][0] == np.array([0.5, np.nan]).tobytes()
        assert root["null"].shape == (0,)
        for node in (root["g"], root["g/x"]):
            assert node.attrs["short"] == [1, -1]
            assert node.attrs["text"] == "plain ünï"
            assert node.attrs["none"] is None
            assert node.attrs["pairs"][0] == {"a": 1, "b": 2.5}
        assert set(root["g/x"].attrs) == {*ATTRIBUTES, "none"}
        # What it changes counts, and the rest keeps its types.
        root["g"].attrs["short"] = [7]
        root["g/x"].attrs["short"] = [7]
    with stook.open(between) as file:
        for path in ("g", "g/x"):
            assert np.asarray(file[path].attrs["short"]).tolist() == [7]
            if zarr_format == 3:  # of version 2 it drops what it does not know
                assert np.asarray(file[path].attrs["scalar"]).dtype == "f4"
