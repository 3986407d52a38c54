"""What stook writes is read by those whose formats they are: every dtype, layout and codec.

HDF5 by h5py and PyTables, Zarr by zarr-python and tensorstore, npy and npz by numpy and scipy. What
PyTables and pandas made and stook converted is read by PyTables and pandas.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import stook
import tables
import tensorstore
import zarr
from conftest import assert_same_bits
from kinds import NUMBERS, PACKED, STRUCT, items

assert hdf5plugin, "which brings h5py the filters"

MATRIX = Path(__file__).resolve().parents[2] / "crates/stook-hdf5/tests/fixtures/matrix"
SHAPE, CHUNKS = (13, 7), (4, 3)

# HDF5.

HDF5_CODECS = {
    "none": None,
    "gzip": "gzip",
    "shuffle gzip fletcher32": ["shuffle", {"name": "gzip", "level": 9}, "fletcher32"],
    "lzf": ["shuffle", "lzf"],
    "lz4": "lz4",
    "zstd": {"name": "zstd", "level": 5},
    "bzip2": "bz2",
    "bitshuffle": "bitshuffle",
    "bitshuffle lz4": {"name": "bitshuffle", "cname": "lz4"},
    "blosc": {"name": "blosc", "cname": "zstd", "clevel": 5},
    "blosc2": "blosc2",
    "szip": "szip",
}
HDF5_DTYPES = [*NUMBERS, ">i4", ">f8", "S5", "V6", STRUCT, PACKED, "M8[ns]", "m8[10us]"]
HDF5_LAYOUTS = {
    "chunked": {"chunks": CHUNKS},
    "grows": {"chunks": CHUNKS, "max_shape": (None, 20)},
    "one chunk": {"chunks": SHAPE},
}
# Codec, dtype (as a pattern of its text): what does not go together, and by whose rule.
NOT_TOGETHER = {
    "szip": (r".*[SVMmUc].*|\[.*|\{.*|bool", "szip is for numbers"),
}


def codec_of(codec: str, dtype: np.dtype):
    if codec == "szip":
        return {"name": "szip", "bits_per_pixel": 8 * dtype.itemsize, "pixels_per_scanline": 12}
    return HDF5_CODECS[codec]


def refused(codec: str, dtype: np.dtype) -> bool:
    rule = NOT_TOGETHER.get(codec)
    return rule is not None and re.fullmatch(rule[0], str(dtype)) is not None


@pytest.mark.parametrize("codec", HDF5_CODECS)
def test_h5py_reads_each_dtype_and_layout(tmp_path, codec):
    made = {}
    with stook.create(tmp_path / "x.h5") as file:
        for dtype, layout in itertools.product(HDF5_DTYPES, HDF5_LAYOUTS):
            dtype = np.dtype(dtype)
            if refused(codec, dtype):
                continue
            name = f"{layout}/{len(made)}"
            made[name] = layout, items(dtype, SHAPE)
            file.create_array(
                name, made[name][1], codecs=codec_of(codec, dtype), **HDF5_LAYOUTS[layout],
                attributes={"value": made[name][1][0, 0], "unit": "é"},
            )
    with h5py.File(tmp_path / "x.h5") as file:
        for name, (layout, expected) in made.items():
            dataset = file[name]
            assert_same_bits(expected, dataset[()])
            bound = {"grows": (None, 20)}.get(layout, (None, None) if dataset.chunks else SHAPE)
            assert dataset.maxshape == bound
            assert dataset.attrs["unit"] == "é"
            assert_same_bits(expected[0, 0], dataset.attrs["value"])
            if codec != "none":
                assert dataset.chunks and dataset.id.get_create_plist().get_nfilters() > 0
    assert len(made) >= 3 * 13


@pytest.mark.parametrize("codec", ["none", "gzip", "shuffle gzip fletcher32", "bzip2", "blosc", "blosc2"])
def test_pytables_reads_numbers(tmp_path, codec):
    made = {}
    with stook.create(tmp_path / "x.h5") as file:
        for dtype in [*(kind for kind in NUMBERS if kind != "?"), ">i4", ">f8", "S5"]:
            made[f"of_{len(made)}"] = expected = items(dtype, SHAPE)
            name = f"of_{len(made) - 1}"
            file.create_array(name, expected, chunks=CHUNKS, codecs=HDF5_CODECS[codec])
    with tables.open_file(str(tmp_path / "x.h5")) as file:
        for name, expected in made.items():
            assert_same_bits(expected, file.get_node("/", name)[:])


def test_h5py_reads_what_varies_in_length(tmp_path):
    words = np.array([["", "é"], ["🙂", "x" * 300]], object)
    lists = [[1.5], [], [2.0, 3.0]]
    with stook.create(tmp_path / "x.h5") as file:
        for name, options in {"plain": {}, "packed": {"chunks": (1, 2), "codecs": "gzip"}}.items():
            file.create_array(f"text/{name}", words, dtype=str, **options)
        file.create_array("bytes", np.array([b"\x00\xff", b""], object), dtype=bytes)
        file.create_array("lists", lists, dtype=stook.vlen_dtype("f4"))
        file.attrs["texts"] = ["a", "✓"]
    with h5py.File(tmp_path / "x.h5") as file:
        for name in ("plain", "packed"):
            assert file[f"text/{name}"].asstr()[:].tolist() == words.tolist()
        assert [bytes(item) for item in file["bytes"][:]] == [b"\x00\xff", b""]
        assert [item.tolist() for item in file["lists"][:]] == lists
        assert list(file.attrs["texts"]) == ["a", "✓"]


def test_h5dump_reads_it(tmp_path):
    h5dump = shutil.which("h5dump")
    if h5dump is None:
        pytest.skip("h5dump (Debian's hdf5-tools) is not installed")
    with stook.create(tmp_path / "x.h5") as file:
        for dtype in HDF5_DTYPES:
            file.create_array(f"a/{np.dtype(dtype)}".replace("/", "|", 0), items(dtype, SHAPE),
                              chunks=CHUNKS, codecs="gzip")
        file.create_array("text", ["a", "é"], dtype=str)
    done = subprocess.run([h5dump, tmp_path / "x.h5"], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.count("DATASET") == len(HDF5_DTYPES) + 1


@pytest.mark.parametrize("layout", HDF5_LAYOUTS)
def test_the_form_is_one_that_old_readers_know(tmp_path, layout):
    """Superblock 0 or 2 and a layout message older than 5, which PyTables and h5dump 1.10 open."""
    with stook.create(tmp_path / "x.h5") as file:
        file.create_array("x", items("f4", SHAPE), codecs="gzip", **HDF5_LAYOUTS[layout])
    raw = (tmp_path / "x.h5").read_bytes()
    assert raw[:8] == b"\x89HDF\r\n\x1a\n" and raw[8] in (0, 2)
    with tables.open_file(str(tmp_path / "x.h5")) as file:
        assert file.root.x.shape == SHAPE


# What PyTables and pandas made, converted.


def pandas_files() -> list[str]:
    return sorted(path.name for path in MATRIX.glob("pandas-*.h5"))


@pytest.mark.parametrize("name", pandas_files())
def test_pandas_reads_its_own_after_a_conversion(tmp_path, name):
    stook.convert(MATRIX / name, tmp_path / "x.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pd.HDFStore(MATRIX / name, "r") as before, pd.HDFStore(tmp_path / "x.h5", "r") as after:
            assert before.keys() == after.keys() and len(before.keys()) > 0
            for key in before.keys():
                expected, found = before.get(key), after.get(key)
                check = pd.testing.assert_frame_equal
                if isinstance(expected, pd.Series):
                    check = pd.testing.assert_series_equal
                check(expected, found)
            if "table" in name:
                expected = before.select("mixed", "i > 2")
                pd.testing.assert_frame_equal(expected, after.select("mixed", "i > 2"))


@pytest.mark.parametrize("name", sorted(path.name for path in MATRIX.glob("pytables-*.h5")))
def test_pytables_reads_its_own_after_a_conversion(tmp_path, name):
    stook.convert(MATRIX / name, tmp_path / "x.h5")
    with (
        warnings.catch_warnings(),
        tables.open_file(str(MATRIX / name)) as before,
        tables.open_file(str(tmp_path / "x.h5")) as after,
    ):
        warnings.simplefilter("ignore")
        nodes = [node._v_pathname for node in before.walk_nodes("/")]
        assert nodes == [node._v_pathname for node in after.walk_nodes("/")]
        for path in nodes:
            expected, found = before.get_node(path), after.get_node(path)
            assert type(found) is type(expected), path
            if isinstance(expected, (tables.link.SoftLink, tables.link.ExternalLink)):
                assert found.target == expected.target
                continue
            names = expected._v_attrs._v_attrnames
            assert found._v_attrs._v_attrnames == names
            for attribute in names:
                assert_equal(expected._v_attrs[attribute], found._v_attrs[attribute])
            if isinstance(expected, tables.Leaf) and not isinstance(expected, tables.UnImplemented):
                assert_equal(expected.read(), found.read())


def assert_equal(expected, found) -> None:
    if isinstance(expected, np.ndarray):
        assert_same_bits(expected, found)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(expected, found, strict=True):
            assert_equal(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


# Zarr.

ZARR_CODECS = {
    "none": None,
    "gzip": {"name": "gzip", "level": 3},
    "zstd": {"name": "zstd", "level": 3},
    "blosc": {"name": "blosc", "cname": "lz4", "clevel": 5},
    "crc32c": ["crc32c"],
}
ZARR_DTYPES = [*NUMBERS, "S5", "V6", "U3", "M8[ns]", "m8[s]", PACKED]
# What tensorstore 0.1.86 has of them.
IN_TENSORSTORE = {kind for kind in NUMBERS}


@pytest.mark.parametrize("shards", [None, (8, 6)], ids=["plain", "sharded"])
@pytest.mark.parametrize("codec", ZARR_CODECS)
def test_zarr_python_and_tensorstore_read_version_3(tmp_path, codec, shards):
    made = zarr_arrays(tmp_path / "x.zarr", "zarr3", codec, shards)
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    for name, expected in made.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert_same_bits(expected, group[name][...])
        assert group[name].attrs["unit"] == "é"
        if expected.dtype.str[1:] in IN_TENSORSTORE:
            assert_same_bits(expected, in_tensorstore(tmp_path / "x.zarr" / name, "zarr3"))


@pytest.mark.parametrize("codec", [codec for codec in ZARR_CODECS if codec != "crc32c"])
def test_zarr_python_and_tensorstore_read_version_2(tmp_path, codec):
    made = zarr_arrays(tmp_path / "x.zarr", "zarr2", codec, None)
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    for name, expected in made.items():
        assert_same_bits(expected, group[name][...])
        if expected.dtype.str[1:] in IN_TENSORSTORE:
            assert_same_bits(expected, in_tensorstore(tmp_path / "x.zarr" / name, "zarr"))


# zarr-python 3.1.6 cannot hash the fill value of these when it reads a shard.
NOT_SHARDED = {np.dtype("V6"), np.dtype(PACKED)}


def zarr_arrays(path: Path, form: str, codec: str, shards) -> dict[str, np.ndarray]:
    made = {}
    with stook.create(path, format=form) as file:
        for dtype in ZARR_DTYPES:
            if shards and np.dtype(dtype) in NOT_SHARDED:
                continue
            name = f"a{len(made)}"
            made[name] = items(dtype, SHAPE)
            file.create_array(name, made[name], chunks=CHUNKS, shards=shards,
                              codecs=ZARR_CODECS[codec], attributes={"unit": "é"})
    return made


def in_tensorstore(path: Path, driver: str) -> np.ndarray:
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{path}/"}}
    return tensorstore.open(spec, open=True, read=True).result().read().result()


# npy and npz.


def test_numpy_reads_npy_and_npz(tmp_path):
    for i, dtype in enumerate([*NUMBERS, "S5", "V6", "U3", "M8[ns]", "m8[s]", STRUCT, PACKED]):
        expected = items(dtype, SHAPE)
        with stook.create(tmp_path / f"{i}.npz") as file:
            file.create_array("a", expected)
            file.create_array("b", expected[::2])
        stook.convert(tmp_path / f"{i}.npz", tmp_path / f"{i}.npy", node="/a")
        assert_same_bits(expected, np.load(tmp_path / f"{i}.npy"))
        with np.load(tmp_path / f"{i}.npz") as found:
            assert_same_bits(expected, found["a"])
            assert_same_bits(expected[::2], found["b"])


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_scipy_reads_its_own_after_a_conversion(tmp_path, form):
    matrix = scipy.sparse.random_array((12, 8), density=0.3, rng=np.random.default_rng(5))
    scipy.sparse.save_npz(tmp_path / "a.npz", matrix.asformat(form))
    stook.convert(tmp_path / "a.npz", tmp_path / "b.npz")
    found = scipy.sparse.load_npz(tmp_path / "b.npz")
    assert found.format == form
    assert_same_bits(matrix.toarray(), found.toarray())
