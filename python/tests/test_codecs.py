"""Codecs on buffers give numcodecs what it would have made, and take what it made."""

from __future__ import annotations

import array
import pickle

import numcodecs
import numpy as np
import pytest
import stook
from stook.codecs import available, get_codec

BYTES = [
    {"id": "blosc", "cname": cname, "clevel": 5, "shuffle": shuffle}
    for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd")
    for shuffle in (-1, 0, 1, 2)
] + [
    {"id": "bz2", "level": 1},
    {"id": "gzip", "level": 1},
    {"id": "lz4"},
    {"id": "lzma"},
    {"id": "zlib", "level": 9},
    {"id": "zstd", "level": 3},
    {"id": "zstd", "level": -5, "checksum": True},
    {"id": "adler32"},
    {"id": "crc32"},
    {"id": "crc32c"},
    {"id": "fletcher32"},
    {"id": "jenkins_lookup3"},
    {"id": "shuffle", "elementsize": 8},
]
ITEMS = [
    np.arange(5000, dtype="i8"),
    np.linspace(0, 1, 4096).reshape(64, 64),
    np.zeros(100_000, "u1"),
    np.asfortranarray(np.arange(600, dtype="f4").reshape(20, 30)),
    np.arange(1000).astype("M8[s]"),
    np.zeros(0, "i8"),
]


def named(config):
    return "-".join(str(value) for value in config.values())


def needs(config):
    if config["id"] not in available():
        pytest.skip(f"there is no codec {config['id']}")


@pytest.mark.parametrize("config", BYTES, ids=named)
@pytest.mark.parametrize("items", ITEMS, ids=lambda items: f"{items.dtype}{items.shape}")
def test_either_decodes_what_the_other_encoded(config, items):
    needs(config)
    ours, theirs = get_codec(config), numcodecs.get_codec(config)
    raw = items.tobytes("A")
    encoded = ours.encode(items)
    assert isinstance(encoded, bytes)
    assert bytes(ours.decode(encoded)) == raw
    if not raw:
        return  # numcodecs takes no empty buffers
    assert bytes(theirs.decode(encoded)) == raw
    found = bytes(np.asarray(theirs.encode(items)))
    assert bytes(ours.decode(found)) == raw
    # bytearray, memoryview and arrays are buffers, too.
    assert bytes(ours.decode(bytearray(found))) == raw
    assert bytes(ours.decode(memoryview(found))) == raw
    assert bytes(ours.decode(np.frombuffer(found, "u1"))) == raw


def test_out_is_filled():
    codec = get_codec("zstd")
    items = np.arange(100, dtype="f4").reshape(10, 10)
    encoded = codec.encode(items)
    out = np.empty_like(items)
    assert codec.decode(encoded, out=out) is out
    np.testing.assert_array_equal(out, items)
    memory = bytearray(items.nbytes)
    codec.decode(encoded, memory)
    assert memory == items.tobytes()
    buffer = array.array("f", [0] * 100)
    codec.decode(encoded, out=buffer)
    assert buffer.tolist() == items.ravel().tolist()
    for wrong in (bytearray(399), bytearray(401), bytes(400), np.empty((20, 10), "f4")[::2]):
        with pytest.raises((ValueError, stook.FormatError)):
            codec.decode(encoded, out=wrong)


def test_damage_is_an_error():
    for id in ("blosc", "gzip", "lz4", "zlib", "zstd", "crc32c"):
        codec = get_codec(id)
        encoded = bytearray(codec.encode(np.arange(1000)))
        for wrong in (b"", b"x", bytes(encoded[: len(encoded) // 2])):
            with pytest.raises(stook.Error):
                codec.decode(wrong)


def test_text_is_encoded():
    texts = np.array(["", "a", "é✓"], object)
    for id in ("vlen-utf8", "vlen-bytes"):
        codec = get_codec(id, dtype=str if id == "vlen-utf8" else bytes)
        items = texts if id == "vlen-utf8" else np.array([b"", b"ab", b"\0"], object)
        theirs = numcodecs.get_codec({"id": id})
        assert codec.encode(items) == bytes(theirs.encode(items))
        assert codec.decode(theirs.encode(items)).tolist() == items.tolist()
        out = np.empty(3, object)
        assert codec.decode(codec.encode(items), out=out) is out
        assert out.tolist() == items.tolist()
    with pytest.raises(stook.FormatError):
        get_codec("vlen-utf8").decode(b"\xff\xff\xff\xff")


def test_a_codec_is_a_value():
    config = {"id": "blosc", "cname": "zstd", "clevel": 1}
    codec = get_codec(config, dtype="f4")
    again = pickle.loads(pickle.dumps(codec))
    assert again == codec
    assert hash(again) == hash(codec)
    assert codec != get_codec(config)
    assert (again.codec_id, again.get_config(), again.dtype) == ("blosc", config, np.float32)
    assert repr(codec) == "Codec('blosc', cname='zstd', clevel=1)"
    # Zarr's form of version 3.
    v3 = get_codec({"name": "zstd", "configuration": {"level": 3}})
    assert get_codec("zstd").decode(v3.encode(b"abc")) == b"abc"


def test_what_is_no_codec():
    with pytest.raises(stook.UnsupportedError, match="nonsense"):
        get_codec("nonsense")
    with pytest.raises(stook.Error):
        get_codec({"id": "zstd", "level": "high"})
    with pytest.raises(stook.Error):
        get_codec({"id": "gzip", "level": 77})
    with pytest.raises(ValueError):
        get_codec("zstd").encode(np.array([object()]))


def test_threads_share_a_codec():
    from concurrent.futures import ThreadPoolExecutor

    codec = get_codec("zlib")

    def work(seed):
        items = np.random.default_rng(seed).integers(0, 9, 10_000)
        return codec.decode(codec.encode(items)) == items.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(40)))


def test_a_buffer_may_be_decoded_into_itself():
    codec = stook.codecs.get_codec({"id": "shuffle", "elementsize": 4})
    values = np.arange(1000, dtype="<i4")
    buffer = np.frombuffer(codec.encode(values), "u1").copy()
    codec.decode(buffer, out=buffer)
    assert (buffer.view("<i4") == values).all()
