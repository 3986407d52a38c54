"""Codecs of scripts in arrays: a chunk at a time in Python, alike in both libraries."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numcodecs
import numpy as np
import pytest
import stook.zarr
import zarr as zarr_python

MODULES = {"zarr-python": zarr_python, "stook": stook.zarr}


def make_codec(module):
    """The codec of a script for a library: bytes, each xor a key."""
    from importlib import import_module

    base = import_module(f"{module.__name__}.abc.codec").BytesBytesCodec

    @dataclass(frozen=True)
    class Xor(base):
        is_fixed_size = True
        key: int = 1

        @classmethod
        def from_dict(cls, data):
            return cls(**data.get("configuration", {}))

        def to_dict(self):
            return {"name": "test.xor", "configuration": {"key": self.key}}

        async def _encode_single(self, chunk_data, chunk_spec):
            array = chunk_data.as_numpy_array() ^ np.uint8(self.key)
            return chunk_spec.prototype.buffer.from_bytes(array.tobytes())

        async def _decode_single(self, chunk_data, chunk_spec):
            return await self._encode_single(chunk_data, chunk_spec)

        def compute_encoded_size(self, input_byte_length, chunk_spec):
            return input_byte_length

    Xor.__qualname__ = "Xor"
    registry = import_module(f"{module.__name__}.registry")
    registry.register_codec("test.xor", Xor)
    module.config.set({"codecs.test.xor": None})
    return Xor


class Reverse(numcodecs.abc.Codec):
    """A codec of version 2, which a script registers with numcodecs."""

    codec_id = "test_reversed"

    def encode(self, buf):
        return bytes(memoryview(buf).cast("B"))[::-1]

    def decode(self, buf, out=None):
        return bytes(buf)[::-1]


numcodecs.register_codec(Reverse)


@pytest.fixture
def codecs(default_config):
    return {name: make_codec(module) for name, module in MODULES.items()}


def compressors(codecs, name, zarr_format):
    return [codecs[name](key=7)] if zarr_format == 3 else Reverse()


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("writer", MODULES)
@pytest.mark.parametrize("dtype", ["i4", ">f8", "U3", "?"])
@pytest.mark.filterwarnings("ignore")
def test_arrays_are_exchanged(tmp_path, codecs, writer, dtype, zarr_format):
    items = (np.arange(70) % 11).reshape(10, 7).astype(dtype)
    made = MODULES[writer].create_array(
        tmp_path,
        shape=(10, 7),
        chunks=(4, 3),
        dtype=dtype,
        zarr_format=zarr_format,
        compressors=compressors(codecs, writer, zarr_format),
    )
    made[...] = items
    for module in MODULES.values():
        found = module.open_array(tmp_path, mode="r")
        assert np.array_equal(found[...], items)
        assert np.array_equal(found[2:9, 3], items[2:9, 3])
        assert found.nchunks_initialized == made.nchunks_initialized


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("ignore")
def test_documents_are_the_same(tmp_path, codecs, zarr_format):
    import json

    found = []
    for name, module in MODULES.items():
        module.create_array(
            tmp_path / name,
            name="a/b",
            shape=(4,),
            dtype="i2",
            zarr_format=zarr_format,
            attributes={"x": 1},
            compressors=compressors(codecs, name, zarr_format),
        )
        found.append(
            {
                path.relative_to(tmp_path / name).as_posix(): json.loads(path.read_text())
                for path in sorted((tmp_path / name).rglob("*"))
                if path.is_file()
            }
        )
    assert found[0] == found[1]


@pytest.fixture(params=["memory", "folder"])
def array(request, tmp_path, codecs):
    return stook.zarr.create_array(
        {} if request.param == "memory" else tmp_path,
        name="group/array",
        shape=(10, 7),
        chunks=(4, 3),
        dtype="i4",
        fill_value=5,
        compressors=[codecs["stook"](key=3), stook.zarr.codecs.GzipCodec()],
    )


def test_selections(array, rng):
    model = np.full((10, 7), 5, "i4")
    mask = rng.random((10, 7)) > 0.7

    def basic(a, value):
        a[2:5, 1] = value

    def strided(a, value):
        a[::3, ::2] = value

    def block(a, value):
        a[4:8, 3:6] = value

    steps = [
        (basic, basic),
        (strided, strided),
        (
            lambda a, v: a.oindex.__setitem__(([1, 5, 9], [0, 6]), v),
            lambda a, v: a.__setitem__(np.ix_([1, 5, 9], [0, 6]), v),
        ),
        (
            lambda a, v: a.vindex.__setitem__(([1, 2, 3], [4, 5, 6]), v),
            lambda a, v: a.__setitem__(([1, 2, 3], [4, 5, 6]), v),
        ),
        (
            lambda a, v: a.set_mask_selection(mask, v),
            lambda a, v: a.__setitem__(mask, v),
        ),
        (lambda a, v: a.blocks.__setitem__((1, 1), v), block),
    ]
    for value, (ours, theirs) in enumerate(steps):
        ours(array, value)
        theirs(model, value)
        again = stook.zarr.open_array(array.store, path="group/array", mode="r")
        assert np.array_equal(again[...], model)
    assert np.array_equal(array.vindex[[9, 0], [6, 0]], model[[9, 0], [6, 0]])
    assert np.array_equal(array.get_mask_selection(mask), model[mask])
    assert np.array_equal(array.oindex[:, mask[0]], model[:, mask[0]])
    assert np.array_equal(array[:, 2][::2], model[::2, 2])
    assert array[3, 3] == model[3, 3]


def test_shapes(array):
    array[...] = 1
    array.append(np.full((3, 7), 2, "i4"))
    assert array.shape == (13, 7)
    assert np.array_equal(array[10:], np.full((3, 7), 2))
    array.resize((5, 9))
    assert np.array_equal(array[:, :7], np.ones((5, 7)))
    again = stook.zarr.open_array(array.store, path="group/array")
    assert again.shape == (5, 9)
    array.attrs["x"] = 1
    assert dict(stook.zarr.open_array(array.store, path="group/array").attrs) == {"x": 1}


def test_chunks_of_nothing_are_not_stored(array):
    array[...] = 1
    assert array.nchunks_initialized == array.nchunks == 9
    array[:4] = 5
    assert array.nchunks_initialized == 6


def test_array_is_a_node_as_others(array):
    group = stook.zarr.open_group(array.store)["group"]
    assert list(group.array_keys()) == ["array"]
    with pytest.raises(stook.zarr.errors.ContainsArrayError):
        stook.zarr.create_array(array.store, name="group/array", shape=(1,), dtype="i4")
    array[0] = 9
    assert copy.copy(array)[0, 0] == 9
    if "Local" in type(array.store).__name__:
        assert pickle.loads(pickle.dumps(array))[0, 0] == 9


def test_damaged_chunk_is_an_error_that_names_it(array, tmp_path):
    array[...] = 1
    if "Local" not in type(array.store).__name__:
        pytest.skip("of a folder")
    (tmp_path / "group/array/c/1/0").write_bytes(b"nonsense")
    with pytest.raises(Exception, match=".") as raised:
        array[...]
    assert any("chunk [1, 0]" in note for note in raised.value.__notes__)


def test_unknown_codec_is_an_error_that_names_it(tmp_path):
    document = {"name": "nobody.knows.this"}
    with pytest.raises(KeyError, match=r"nobody\.knows\.this"):
        stook.zarr.create_array(tmp_path, shape=(4,), dtype="i4", compressors=[document])


def test_codecs_of_scripts_are_refused_inside_of_shards(codecs):
    store = {}
    with pytest.raises(NotImplementedError, match=r"test\.xor.*shards"):
        stook.zarr.create_array(
            store, shape=(4,), shards=(4,), chunks=(2,), dtype="i4", compressors=[codecs["stook"]()]
        )
    assert not store
