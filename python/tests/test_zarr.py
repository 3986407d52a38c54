"""zarr-python reads what is written here, and what it writes is read here: bit for bit."""

from __future__ import annotations

import warnings

import numcodecs
import numpy as np
import pytest
import stook
import zarr
from kinds import NUMBERS, PACKED, items

FIXED = [*NUMBERS, "S5", "U3", "M8[ns]", "m8[10us]", "V6", PACKED]
BIG = [">i4", ">f8", ">c8", ">U2"]
ODD = (13, 7)


@pytest.fixture(autouse=True)
def no_warnings_of_unstable_types():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def unique_bits(dtype):
    """NaT has many bit patterns for none but itself; bits are kept, so any will do."""
    return items(dtype, ODD)


@pytest.fixture(params=["folder", "zip"])
def store(request, tmp_path):
    """A path, and a function that gives zarr-python's store for it."""
    if request.param == "folder":
        path = tmp_path / "x.zarr"
        return path, lambda mode: zarr.storage.LocalStore(path, read_only=mode == "r")
    path = tmp_path / "x.zarr.zip"
    return path, lambda mode: zarr.storage.ZipStore(path, mode=mode)


def written_by_zarr(store, dtype, **options):
    path, opened = store
    expected = unique_bits(dtype)
    held = opened("w")
    group = zarr.open_group(held, mode="w", zarr_format=options.pop("zarr_format"))
    group.create_array("a/b", data=expected, **options)
    held.close()
    return path, expected


def check(same_bits, path, expected):
    with stook.open(path) as file:
        array = file["a/b"]
        same_bits(expected, array[:])
        same_bits(expected[11:3:-4, 1::2], array[11:3:-4, 1::2])


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("dtype", [*FIXED, *BIG], ids=str)
def test_every_dtype_that_zarr_python_wrote(store, same_bits, dtype, zarr_format):
    check(same_bits, *written_by_zarr(store, dtype, zarr_format=zarr_format, chunks=(4, 3)))


COMPRESSORS = {
    "none": {"compressors": None},
    "gzip": {"compressors": zarr.codecs.GzipCodec(level=3)},
    "zstd": {"compressors": zarr.codecs.ZstdCodec(level=7, checksum=True)},
    "crc32c": {"compressors": [zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()]},
    "transpose": {"filters": [zarr.codecs.TransposeCodec(order=(1, 0))]},
    "big": {"serializer": zarr.codecs.BytesCodec(endian="big")},
    "shards": {"shards": (8, 6)},
    "shards of gzip": {"shards": (8, 6), "compressors": zarr.codecs.GzipCodec()},
    "separator": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
    **{
        f"blosc {cname} {shuffle}": {
            "compressors": zarr.codecs.BloscCodec(cname=cname, clevel=5, shuffle=shuffle)
        }
        for cname in ("lz4", "lz4hc", "zlib", "zstd", "blosclz")
        for shuffle in ("noshuffle", "shuffle", "bitshuffle")
    },
}


@pytest.mark.parametrize("codec", COMPRESSORS)
@pytest.mark.parametrize("dtype", ["u1", "f8"])
def test_every_codec_of_version_3_that_zarr_python_wrote(store, same_bits, dtype, codec):
    options = COMPRESSORS[codec]
    check(same_bits, *written_by_zarr(store, dtype, zarr_format=3, chunks=(4, 3), **options))


COMPRESSORS_2 = {
    "none": {"compressors": None},
    "zlib": {"compressors": numcodecs.Zlib(level=1)},
    "gzip": {"compressors": numcodecs.GZip()},
    "zstd": {"compressors": numcodecs.Zstd(level=3)},
    "lz4": {"compressors": numcodecs.LZ4()},
    "blosc": {"compressors": numcodecs.Blosc("lz4", 5, numcodecs.Blosc.BITSHUFFLE)},
    "shuffle": {"filters": [numcodecs.Shuffle(8)], "compressors": numcodecs.Zlib()},
    "order F": {"order": "F"},
    "separator": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
}


@pytest.mark.parametrize("codec", COMPRESSORS_2)
def test_every_codec_of_version_2_that_zarr_python_wrote(store, same_bits, codec):
    options = COMPRESSORS_2[codec]
    check(same_bits, *written_by_zarr(store, "f8", zarr_format=2, chunks=(4, 3), **options))


@pytest.mark.parametrize("format", ["zarr2", "zarr3"])
@pytest.mark.parametrize("dtype", FIXED, ids=str)
def test_every_dtype_that_zarr_python_reads(store, same_bits, dtype, format):
    path, opened = store
    expected = unique_bits(dtype)
    with stook.create(path, format=format) as file:
        file.create_array("a/b", expected, chunks=(4, 3))
    held = opened("r")
    same_bits(expected, zarr.open_group(held, mode="r")["a/b"][:])
    held.close()


OURS = {
    "none": {"codecs": None},
    "gzip": {"codecs": "gzip"},
    "zstd": {"codecs": {"name": "zstd", "level": 5, "checksum": True}},
    "blosc": {"codecs": {"name": "blosc", "cname": "lz4", "shuffle": "bitshuffle"}},
    "crc32c": {"codecs": ["gzip", "crc32c"]},
    "transpose": {"codecs": [{"name": "transpose", "order": [1, 0]}, "zstd"]},
    "big": {"codecs": [{"name": "bytes", "endian": "big"}, "gzip"]},
    "shards": {"shards": (8, 6)},
    "shards of gzip": {"shards": (8, 6), "codecs": "gzip"},
    "zarr's own": {"codecs": zarr.codecs.BloscCodec(cname="zstd", typesize=8)},
    "named": {"dimension_names": ["y", "x"], "fill_value": -1.5},
}


@pytest.mark.parametrize("codec", OURS)
def test_every_codec_of_version_3_that_zarr_python_reads(store, same_bits, codec):
    path, opened = store
    expected = unique_bits("f8")
    with stook.create(path) as file:
        array = file.create_array("a/b", shape=ODD, dtype="f8", chunks=(4, 3), **OURS[codec])
        array[:] = expected[::-1]
        array[2:9, 1:] = expected[2:9, 1:]
        array[:] = expected
    held = opened("r")
    found = zarr.open_group(held, mode="r")["a/b"]
    same_bits(expected, found[:])
    if codec == "named":
        assert found.metadata.dimension_names == ("y", "x")
        assert found.fill_value == -1.5
    held.close()


@pytest.mark.parametrize("codec", ["zlib", "gzip", "zstd", "lz4", "blosc", None])
def test_every_codec_of_version_2_that_zarr_python_reads(store, same_bits, codec):
    path, opened = store
    expected = unique_bits("i4")
    with stook.create(path, format="zarr2") as file:
        file.create_array("a/b", expected, chunks=(4, 3), codecs=codec)
    held = opened("r")
    same_bits(expected, zarr.open_group(held, mode="r")["a/b"][:])
    held.close()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_text_and_bytes_of_variable_length(tmp_path, zarr_format):
    words = np.array([["", "é"], ["🙂", "x" * 300], ["a", "b"]], object)
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=zarr_format)
    made = group.create_array("s", shape=words.shape, dtype=str, chunks=(2, 2))
    made[:] = words
    with stook.open(tmp_path / "x.zarr") as file:
        assert file["s"][:].tolist() == words.tolist()
        assert file["s"][1, 1] == words[1, 1]
    with stook.create(tmp_path / "y.zarr", format=f"zarr{zarr_format}") as file:
        array = file.create_array("s", words, dtype=str, chunks=(2, 2))
        array[2, 0] = "changed"
        assert array[2].tolist() == ["changed", "b"]
    found = zarr.open_group(tmp_path / "y.zarr", mode="r")["s"][:]
    assert found.tolist() == [["", "é"], ["🙂", "x" * 300], ["changed", "b"]]


def test_attributes_both_ways(tmp_path):
    values = {
        "none": None,
        "bool": True,
        "int": -(2**60),
        "float": 0.1,
        "text": "é✓",
        "list": [1, "a", [None]],
        "dict": {"b": {"a": 1.5}},
    }
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", attributes=values)
    group.create_array("a", shape=1, dtype="i4", attributes={"unit": "m"})
    with stook.open(tmp_path / "x.zarr", "r+") as file:
        assert dict(file.attrs) == values
        assert file["a"].attrs["unit"] == "m"
        file["a"].attrs.put(values)
        file.attrs["numpy"] = np.arange(3)
        file.attrs["scalar"] = np.float32(1.5)
        del file.attrs["dict"]
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    assert dict(group["a"].attrs) == values
    assert group.attrs["numpy"] == [0, 1, 2]
    assert group.attrs["scalar"] == 1.5
    assert "dict" not in group.attrs


def test_consolidated_metadata_and_deep_trees(tmp_path):
    for zarr_format in (2, 3):
        path = tmp_path / f"{zarr_format}.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
        group.create_array("a/b/c", shape=3, dtype="i4", fill_value=4)
        zarr.consolidate_metadata(path)
        with stook.open(path, "r+") as file:
            assert list(file["a"]) == ["b"]
            assert file["a/b/c"][:].tolist() == [4, 4, 4]
            file.create_array("a/new", [1, 2])
            file.move("a/b", "moved")
        found = zarr.open_group(path, mode="r")
        assert found["moved/c"][:].tolist() == [4, 4, 4]
        assert found["a/new"][:].tolist() == [1, 2]
        assert "b" not in found["a"]


def test_an_array_at_the_root(tmp_path, same_bits):
    expected = unique_bits("f4")
    zarr.create_array(tmp_path / "x.zarr", data=expected)
    with stook.open(tmp_path / "x.zarr") as array:
        assert isinstance(array, stook.Array)
        same_bits(expected, array[:])


def test_resizing(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        array = file.create_array("x", np.arange(10), chunks=3, fill_value=-1)
        array.resize(4)
        array.resize((6,))
        assert array[:].tolist() == [0, 1, 2, 3, -1, -1]
        array.append([7])
    assert zarr.open_group(tmp_path / "x.zarr")["x"][:].tolist() == [0, 1, 2, 3, -1, -1, 7]
