"""Conversion between formats, and the real files in samples/."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import stook
import zarr
from kinds import NUMBERS, items

NAMES = ["x.zarr", "x.zarr.zip", "x.h5"]


def fill(file):
    for dtype in [*NUMBERS, "S4"]:
        kind = dtype.replace("?", "bool")
        file.create_array(f"numbers/{kind}", items(dtype), chunks=(4, 3))
    file.create_array("texts", ["a", "é", "🙂" * 9], dtype=str)
    file.create_array("plain", items("f8"), attributes={"unit": "m", "gain": [1.5, 2.5]})
    file.attrs["title"] = "tree"


def same_trees(same_bits, expected, found):
    assert list(expected) == list(found)
    for name, node in expected.items():
        if isinstance(node, stook.Group):
            same_trees(same_bits, node, found[name])
        else:
            same_bits(node[...], found[name][...])
            assert node.attrs.keys() == found[name].attrs.keys()


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_every_format_becomes_every_other(tmp_path, same_bits, source, target):
    source, target = tmp_path / "from" / source, tmp_path / "to" / target
    source.parent.mkdir()
    target.parent.mkdir()
    with stook.create(source) as file:
        fill(file)
    seen = []
    report = stook.convert(source, target, progress=lambda *at: seen.append(at))
    assert report.n_arrays == len(NUMBERS) + 3
    assert not report.left_out
    assert seen[-1][1] == seen[-1][2] == report.len_bytes
    with stook.open(source) as expected, stook.open(target) as found:
        same_trees(same_bits, expected, found)
        assert found.attrs["title"] == "tree"
        assert list(found["plain"].attrs["gain"]) == [1.5, 2.5]


def test_a_real_file(samples, tmp_path, same_bits):
    sources = sorted(samples.glob("*.h5*"))
    assert sources
    for source in sources:
        report = stook.convert(source, tmp_path / "x.zarr", overwrite=True, leave_out=True)
        left_out = [loss.node for loss in report.left_out]
        stook.convert(tmp_path / "x.zarr", tmp_path / "x.h5", overwrite=True)
        with h5py.File(source) as expected, h5py.File(tmp_path / "x.h5") as found:
            group = zarr.open_group(tmp_path / "x.zarr", mode="r")

            def check(name, node, found=found, group=group, left_out=left_out):
                if isinstance(node, h5py.Dataset) and f"/{name}" not in left_out:
                    assert found[name].shape == node.shape
                    assert group[name].shape == node.shape
                    if node.dtype.kind in "biufc":
                        same_bits(node[()], found[name][()])
                        same_bits(node[()], group[name][()])

            expected.visititems(check)


def test_a_part_of_a_tree(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        fill(file)
    stook.convert(tmp_path / "x.zarr", tmp_path / "y.h5", node="numbers")
    assert set(stook.open(tmp_path / "y.h5")) == {d.replace("?", "bool") for d in [*NUMBERS, "S4"]}
    stook.convert(tmp_path / "x.zarr", tmp_path / "y.npy", node="numbers/f8")
    assert np.load(tmp_path / "y.npy").shape == (13, 7)


def test_what_fails_leaves_nothing(tmp_path):
    with stook.create(tmp_path / "x.h5") as file:
        file.create_array("deep/a", np.arange(1000), chunks=10)
        dtype = stook.vlen_dtype(str)
        file.create_array("ragged", [["a"], ["b", "c"]], dtype=dtype)
    before = sorted(tmp_path.iterdir())

    class Stop(Exception):
        pass

    def stop(*at):
        raise Stop

    with pytest.raises(Stop):
        stook.convert(tmp_path / "x.h5", tmp_path / "y.zarr", node="deep", progress=stop)
    with pytest.raises(NotImplementedError):
        stook.convert(tmp_path / "x.h5", tmp_path / "y.npz")
    with pytest.raises(FileNotFoundError):
        stook.convert(tmp_path / "nope.h5", tmp_path / "y.zarr")
    with pytest.raises(KeyError):
        stook.convert(tmp_path / "x.h5", tmp_path / "y.zarr", node="nope")
    assert sorted(tmp_path.iterdir()) == before
    report = stook.convert(tmp_path / "x.h5", tmp_path / "y.npz", leave_out=True)
    assert [loss.node for loss in report.left_out] == ["/ragged"]
    assert str(report.left_out[0]).startswith("/ragged: ")
    assert np.load(tmp_path / "y.npz")["deep/a"].sum() == 499500
