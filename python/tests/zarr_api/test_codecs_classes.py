"""The classes of codecs: settings, documents, the registry, and what they encode by themselves."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import warnings
from dataclasses import dataclass

import numcodecs
import numpy as np
import pytest
import stook.zarr.codecs as ours
import stook.zarr.core.metadata as metadata
from stook.zarr import config
from stook.zarr.abc.codec import ArrayArrayCodec, BytesBytesCodec
from stook.zarr.core.codec_pipeline import ChunkCodec, needs_python, python_codec
from stook.zarr.core.dtype import parse_dtype
from stook.zarr.core.numcodec import _CLASSES, ConfiguredCodec
from stook.zarr.core.numcodec import get_numcodec as configured
from zarr_api.documents import observe

CODECS = [
    ("BytesCodec", {}),
    ("BytesCodec", {"endian": "big"}),
    ("BytesCodec", {"endian": None}),
    ("BloscCodec", {}),
    ("BloscCodec", {"cname": "lz4", "clevel": 1, "shuffle": "bitshuffle", "typesize": 8}),
    ("GzipCodec", {}),
    ("GzipCodec", {"level": 1}),
    ("ZstdCodec", {}),
    ("ZstdCodec", {"level": 3, "checksum": True}),
    ("Crc32cCodec", {}),
    ("TransposeCodec", {"order": (1, 0)}),
    ("ShardingCodec", {"chunk_shape": (2, 2)}),
    ("ShardingCodec", {"chunk_shape": 3, "index_location": "start"}),
    ("VLenUTF8Codec", {}),
    ("VLenBytesCodec", {}),
]

OWN_NAMES = {"ScaleOffset", "CastValue"}


@pytest.fixture
def codecs(submodule):
    return submodule("codecs")


@pytest.mark.parametrize(("name", "settings"), CODECS)
def test_codec_comes_back_from_its_document(codecs, name, settings):
    codec = getattr(codecs, name)(**settings)
    again = type(codec).from_dict(codec.to_dict())
    # What is not said is little endian, and tuned again for the array.
    if settings != {"endian": None}:
        assert again.to_dict() == codec.to_dict()
        assert again == codec or name == "BloscCodec"
    assert copy.deepcopy(codec) == codec
    assert pickle.loads(pickle.dumps(codec)) == codec


@pytest.mark.parametrize(("name", "settings"), CODECS)
def test_codecs_are_frozen(codecs, name, settings):
    codec = getattr(codecs, name)(**settings)
    with pytest.raises(AttributeError):
        codec.something = 1


@pytest.mark.parametrize(("name", "settings"), CODECS)
def test_documents_and_reprs_are_the_same(name, settings):
    import zarr.codecs as theirs

    expected, found = (getattr(m, name)(**settings) for m in (theirs, ours))
    assert found.to_dict() == expected.to_dict()
    if name != "BloscCodec":  # Its repr has a set, in any order.
        assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("BytesCodec", {"endian": "x"}),
        ("BytesCodec", {"endian": 3}),
        ("BloscCodec", {"typesize": 0}),
        ("BloscCodec", {"typesize": "x"}),
        ("BloscCodec", {"cname": "x"}),
        ("BloscCodec", {"clevel": "x"}),
        ("BloscCodec", {"shuffle": 1}),
        ("BloscCodec", {"blocksize": None}),
        ("GzipCodec", {"level": 10}),
        ("GzipCodec", {"level": "x"}),
        ("ZstdCodec", {"level": 23}),
        ("ZstdCodec", {"level": 1.0}),
        ("ZstdCodec", {"checksum": 1}),
        ("TransposeCodec", {"order": 1}),
        ("TransposeCodec", {"order": "ab"}),
        ("TransposeCodec", {}),
        ("ShardingCodec", {"chunk_shape": (-1,)}),
        ("ShardingCodec", {"chunk_shape": (2,), "index_location": "x"}),
        ("ShardingCodec", {"chunk_shape": (2,), "codecs": [{"name": "nope"}]}),
    ],
)
def test_wrong_settings(name, settings):
    import zarr.codecs as theirs

    expected = observe(lambda: getattr(theirs, name)(**settings))
    assert expected.error is not None
    assert observe(lambda: getattr(ours, name)(**settings)) == expected


def test_public_names():
    import zarr.codecs as theirs

    assert set(ours.__all__) - OWN_NAMES == set(theirs.__all__)
    for part in ("blosc", "bytes", "crc32c_", "gzip", "numcodecs", "sharding", "transpose",
                 "vlen_utf8", "zstd"):  # fmt: skip
        assert hasattr(ours, part)


def test_enums(codecs):
    assert codecs.BloscShuffle.from_int(2) is codecs.BloscShuffle.bitshuffle
    with pytest.raises(ValueError, match="between 0 and 2"):
        codecs.BloscShuffle.from_int(3)
    assert codecs.BloscCname("zstd") is codecs.BloscCname.zstd
    assert codecs.Endian.big.value == "big"
    assert codecs.ShardingCodecIndexLocation.end.value == "end"


def test_sizes_of_encodings(codecs):
    assert codecs.Crc32cCodec().compute_encoded_size(8, None) == 12
    assert codecs.BytesCodec().compute_encoded_size(8, None) == 8
    with pytest.raises(NotImplementedError):
        codecs.ZstdCodec().compute_encoded_size(8, None)


NUMCODECS = {
    "BZ2": {"level": 2}, "CRC32": {}, "CRC32C": {}, "LZ4": {}, "LZMA": {}, "ZFPY": {},
    "Adler32": {}, "AsType": {"encode_dtype": "f4"}, "BitRound": {"keepbits": 3},
    "Blosc": {"cname": "zstd"}, "Delta": {"dtype": "i4"},
    "FixedScaleOffset": {"offset": 1, "scale": 2}, "Fletcher32": {}, "GZip": {"level": 1},
    "JenkinsLookup3": {}, "PCodec": {}, "PackBits": {}, "Quantize": {"digits": 2}, "Shuffle": {},
    "Zlib": {"level": 1}, "Zstd": {},
}  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), NUMCODECS.items())
def test_numcodecs_classes(submodule, name, settings):
    module = submodule("codecs.numcodecs")
    with pytest.warns(UserWarning, match="not in the Zarr version 3 specification"):
        codec = getattr(module, name)(**settings)
    document = codec.to_dict()
    assert document["name"] == codec.codec_name
    assert document["configuration"] == settings
    with pytest.raises(ValueError, match="id does not match"):
        getattr(module, name)(**settings, id="other")
    assert type(codec).from_dict(document) == codec
    assert repr(codec).startswith(f"{name}(codec_name='numcodecs.")
    registered = submodule("registry").get_codec_class(codec.codec_name)
    assert registered is type(codec)


@pytest.mark.parametrize("codec_id", sorted(_CLASSES))
def test_configured_codecs_are_like_those_of_numcodecs(codec_id):
    settings = {
        "astype": {"encode_dtype": "f4", "decode_dtype": "f8"},
        "bitround": {"keepbits": 3},
        "categorize": {"labels": ["a"], "dtype": "U3"},
        "delta": {"dtype": "i4"},
        "fixedscaleoffset": {"offset": 1, "scale": 2, "dtype": "f4"},
        "quantize": {"digits": 2, "dtype": "f8"},
        "vlen-array": {"dtype": "i4"},
    }.get(codec_id, {})
    ours = _CLASSES[codec_id](**settings)
    try:
        theirs = numcodecs.get_codec({"id": codec_id, **settings})
    except ValueError:
        pytest.skip("numcodecs was built without it")
    assert ours.get_config() == theirs.get_config()
    assert ours == theirs
    assert theirs == ours
    assert pickle.loads(pickle.dumps(ours)) == ours
    if codec_id != "json2":
        assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    with pytest.raises(TypeError, match="unexpected keyword argument 'no_such'"):
        _CLASSES[codec_id](**settings, no_such=1)


def test_configured_codecs_encode_what_numcodecs_decodes():
    items = np.arange(1000, dtype="i4")
    for settings in ({"id": "zlib"}, {"id": "blosc"}, {"id": "zstd"}, {"id": "lz4"}):
        codec = _CLASSES[settings["id"]]()
        encoded = codec.encode(items)
        decoded = numcodecs.get_codec(dict(settings)).decode(encoded)
        assert np.array_equal(np.frombuffer(decoded, "i4"), items)
        assert np.array_equal(np.frombuffer(codec.decode(encoded), "i4"), items)


def test_where_numcodecs_is_imported_its_codecs_are_given():
    assert isinstance(configured({"id": "zlib"}), numcodecs.Zlib)
    assert isinstance(_CLASSES["zlib"](), ConfiguredCodec)


def test_codecs_that_scripts_register_with_numcodecs():
    class Reverse(numcodecs.abc.Codec):
        codec_id = "test_reverse"

        def encode(self, buf):
            return bytes(buf)[::-1]

        def decode(self, buf, out=None):
            return bytes(buf)[::-1]

    numcodecs.register_codec(Reverse)
    made = metadata.build_array_document(
        shape=(4,), dtype="i4", compressors={"id": "test_reverse"}, zarr_format=2
    )
    assert made.to_dict()["compressor"] == {"id": "test_reverse"}
    assert needs_python(made)
    chunk = ChunkCodec(made)
    items = np.arange(4, dtype="i4")
    stored = chunk.encode(items)
    assert stored == items.tobytes()[::-1]
    assert np.array_equal(chunk.decode(stored, (4,)), items)


# The registry.


@dataclass(frozen=True)
class Xor(BytesBytesCodec):
    """A codec as a script writes it: with coroutines."""

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


@dataclass(frozen=True)
class Negate(ArrayArrayCodec):
    """A codec with plain methods."""

    is_fixed_size = True

    @classmethod
    def from_dict(cls, data):
        return cls()

    def to_dict(self):
        return {"name": "test.negate"}

    def _encode_sync(self, chunk_array, chunk_spec):
        return chunk_spec.prototype.nd_buffer.from_numpy_array(-chunk_array.as_numpy_array())

    def _decode_sync(self, chunk_array, chunk_spec):
        return self._encode_sync(chunk_array, chunk_spec)

    def compute_encoded_size(self, input_byte_length, chunk_spec):
        return input_byte_length


@pytest.fixture
def registered():
    from stook.zarr.registry import _codecs, register_codec

    register_codec("test.xor", Xor)
    register_codec("test.negate", Negate)
    yield
    del _codecs["test.xor"], _codecs["test.negate"]


def test_chain_with_codecs_of_a_script(registered):
    made = metadata.build_array_document(
        shape=(4, 3), dtype="i4", filters=[Negate()], compressors=[Xor(key=3), ours.GzipCodec()]
    )
    assert needs_python(made)
    again = metadata.ArrayV3Metadata.from_dict(made.to_dict())
    assert again == made
    items = np.arange(12, dtype="i4").reshape(4, 3)
    for chunk in (ChunkCodec(made), ChunkCodec(again), python_codec(json.dumps(made.to_dict()))):
        assert np.array_equal(chunk.decode(chunk.encode(items), (4, 3)), items)


def test_own_chains_need_no_python():
    base64 = {"zarr_format": 2, "compressors": _CLASSES["base64"]()}
    for arguments in ({}, {"zarr_format": 2}, {"shards": (4,), "chunks": (2,)}, base64):
        made = metadata.build_array_document(shape=(4,), dtype="i4", **arguments)
        assert not needs_python(made)
        assert python_codec(json.dumps(made.to_dict())) is None


def test_no_pickle_is_executed():
    import os

    class Evil:
        def __reduce__(self):
            return os.putenv, ("STOOK_TEST_OF_PICKLES", "1")

    document = {
        "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "order": "C",
        "fill_value": None, "compressor": None, "filters": [{"id": "vlen-utf8"}],
    }  # fmt: skip
    made = metadata.ArrayV2Metadata.from_dict(document)
    evil = pickle.dumps([Evil()])
    for filters in ((numcodecs.Pickle(),), (_CLASSES["pickle"](),)):
        chunk = ChunkCodec(dataclasses.replace(made, filters=filters))
        with pytest.raises(Exception, match="pickle"):
            chunk.decode(evil, (1,))


def test_script_in_a_shard_is_noticed(registered):
    made = metadata.build_array_document(
        shape=(4,), dtype="i4", shards=(4,), chunks=(2,), compressors=[Xor()]
    )
    assert needs_python(made)


def test_registry_obeys_the_configuration(submodule):
    registry, settings = submodule("registry"), submodule("core.config").config
    codecs = submodule("codecs")

    class Other(codecs.GzipCodec):
        pass

    registry.register_codec("gzip", Other)
    assert registry.get_codec_class("gzip") is codecs.GzipCodec
    name = registry.fully_qualified_name(Other)
    with settings.set({"codecs.gzip": name}):
        assert registry.get_codec_class("gzip") is Other
    with settings.set({"codecs.gzip": "no.such.Class"}), pytest.raises(KeyError):
        registry.get_codec_class("gzip")
    with pytest.raises(KeyError):
        registry.get_codec_class("no such codec")


def test_several_classes_without_configuration(submodule):
    registry, codecs = submodule("registry"), submodule("codecs")

    class First(codecs.GzipCodec):
        pass

    class Second(codecs.GzipCodec):
        pass

    registry.register_codec("test.several", First)
    assert registry.get_codec_class("test.several") is First
    registry.register_codec("test.several", Second)
    with pytest.warns(UserWarning, match="Selecting any implementation"):
        assert registry.get_codec_class("test.several") is Second


def test_registered_chunk_keys(submodule):
    registry, keys = submodule("registry"), submodule("core.chunk_key_encodings")

    @dataclass(frozen=True)
    class Flat(keys.ChunkKeyEncoding):
        name = "test.flat"
        prefix: str = "k"

        def encode_chunk_key(self, chunk_coords):
            return self.prefix + "-".join(map(str, chunk_coords))

    registry.register_chunk_key_encoding("test.flat", Flat)
    document = {"name": "test.flat", "configuration": {"prefix": "z"}}
    found = keys.parse_chunk_key_encoding(document)
    assert found == Flat(prefix="z")
    assert found.to_dict() == document
    assert found.encode_chunk_key((1, 2)) == "z1-2"
    with pytest.raises(ValueError, match="Unknown chunk key encoding"):
        keys.parse_chunk_key_encoding({"name": "nope"})
    with pytest.raises(NotImplementedError):
        found.decode_chunk_key("z1-2")


@pytest.mark.parametrize("kind", ["default", "v2"])
@pytest.mark.parametrize("separator", [".", "/"])
def test_chunk_keys(submodule, kind, separator):
    keys = submodule("core.chunk_key_encodings")
    found = keys.parse_chunk_key_encoding({"name": kind, "separator": separator})
    prefix = f"c{separator}" if kind == "default" else ""
    assert found.encode_chunk_key((1, 20)) == f"{prefix}1{separator}20"
    assert found.encode_chunk_key(()) == ("c" if kind == "default" else "0")
    if kind == "v2" or separator == "/":
        assert keys.V2ChunkKeyEncoding(separator=separator).decode_chunk_key(f"1{separator}20") == (
            1,
            20,
        )


def test_pipelines(submodule):
    registry, pipelines = submodule("registry"), submodule("core.codec_pipeline")
    codecs = submodule("codecs")
    assert registry.get_pipeline_class() is pipelines.BatchedCodecPipeline
    chain = pipelines.BatchedCodecPipeline.from_codecs(
        [codecs.TransposeCodec(order=(0,)), codecs.BytesCodec(), codecs.GzipCodec()]
    )
    assert [type(codec).__name__ for codec in chain] == [
        "TransposeCodec",
        "BytesCodec",
        "GzipCodec",
    ]
    assert not chain.supports_partial_decode
    settings = submodule("core.config").config
    with settings.set({"codec_pipeline.path": "nope"}), pytest.raises(ValueError, match="nope"):
        registry.get_pipeline_class()


# Codecs of zarr-python 3.4.


@pytest.mark.parametrize(
    ("settings", "document"),
    [
        ({}, {"name": "scale_offset"}),
        ({"offset": 3}, {"name": "scale_offset", "configuration": {"offset": 3}}),
        (
            {"offset": "0x3f800000", "scale": 0.5},
            {"name": "scale_offset", "configuration": {"offset": "0x3f800000", "scale": 0.5}},
        ),
    ],
)
def test_scale_offset(settings, document):
    codec = ours.ScaleOffset(**settings)
    assert codec.to_dict() == document
    assert ours.ScaleOffset.from_dict(document) == codec
    made = metadata.build_array_document(shape=(4,), dtype="f4", filters=[codec])
    assert metadata.ArrayV3Metadata.from_dict(made.to_dict()) == made
    assert not needs_python(made)


@pytest.mark.parametrize(
    ("dtype", "settings", "message"),
    [
        ("?", {}, "only supports"),
        ("i4", {"offset": 1.5}, "not representable"),
        ("u1", {"offset": "x"}, "not representable"),
        ("f4", {"scale": 0}, "non-zero"),
    ],
)
def test_wrong_scale_offset(dtype, settings, message):
    with pytest.raises(ValueError, match=message):
        metadata.build_array_document(
            shape=(4,), dtype=dtype, filters=[ours.ScaleOffset(**settings)]
        )


def test_cast_value():
    document = {
        "name": "cast_value",
        "configuration": {
            "data_type": "uint8",
            "rounding": "towards-zero",
            "out_of_range": "clamp",
            "scalar_map": {"encode": [("NaN", 0)], "decode": [(0, "NaN")]},
        },
    }
    codec = ours.CastValue.from_dict(document)
    assert codec.to_dict() == document
    assert codec == ours.CastValue(
        data_type="uint8",
        rounding="towards-zero",
        out_of_range="clamp",
        scalar_map={"encode": {"NaN": 0}, "decode": {0: "NaN"}},
    )
    made = metadata.build_array_document(shape=(4,), dtype="f4", filters=[codec])
    assert metadata.ArrayV3Metadata.from_dict(made.to_dict()) == made


@pytest.mark.parametrize(
    ("dtype", "settings", "message"),
    [
        ("f4", {"data_type": "string"}, "only supports"),
        ("c8", {"data_type": "float32"}, "source dtype complex64"),
        ("i4", {"data_type": "float32", "out_of_range": "wrap"}, "integer target"),
        ("f4", {"data_type": "uint8", "scalar_map": {"encode": {"NaN": 300}}}, "representable"),
    ],
)
def test_wrong_cast_value(dtype, settings, message):
    with pytest.raises(ValueError, match=message):
        metadata.build_array_document(shape=(4,), dtype=dtype, filters=[ours.CastValue(**settings)])


@pytest.mark.parametrize(
    ("settings", "fill_value", "stored"),
    [
        ({"data_type": "uint8"}, 3.5, 4),
        ({"data_type": "uint8", "rounding": "towards-negative"}, 3.5, 3),
        ({"data_type": "uint8", "rounding": "towards-positive"}, 3.2, 4),
        ({"data_type": "int8", "rounding": "towards-zero"}, -3.7, -3),
        ({"data_type": "int8", "rounding": "nearest-away"}, -2.5, -3),
        ({"data_type": "uint8", "out_of_range": "clamp"}, 300.0, 255),
        ({"data_type": "uint8", "out_of_range": "wrap"}, 300.0, 44),
        ({"data_type": "uint8", "scalar_map": {"encode": {"NaN": 7}}}, float("nan"), 7),
    ],
)
def test_fill_values_are_cast(settings, fill_value, stored):
    codec = ours.CastValue(**settings)
    assert codec._stored(np.float64(fill_value), parse_dtype("f8", zarr_format=3)) == stored


def test_what_follows_a_cast_is_told_of_it():
    made = metadata.build_array_document(
        shape=(4,), dtype="f8", filters=[ours.CastValue(data_type="uint8")]
    )
    assert made.to_dict()["codecs"][1] == {"name": "bytes"}
    with pytest.raises(ValueError, match="outside the range"):
        metadata.build_array_document(
            shape=(4,), dtype="f8", fill_value=300, filters=[ours.CastValue(data_type="uint8")]
        )
    with pytest.raises(ValueError, match="outside the range of dtype uint8"):
        metadata.build_array_document(shape=(4,), dtype="u1", filters=[ours.ScaleOffset(offset=3)])


# What classes encode by themselves is what the codecs of zarr-python decode, and the other way.


@pytest.mark.parametrize("name", ["BloscCodec", "GzipCodec", "ZstdCodec", "Crc32cCodec"])
@pytest.mark.filterwarnings("ignore")
def test_encodings_are_exchanged(name):
    import zarr.codecs as theirs
    from zarr.core.array_spec import ArrayConfig, ArraySpec
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync
    from zarr.dtype import Int32

    spec = ArraySpec((10,), Int32(), 0, ArrayConfig("C", False), default_buffer_prototype())
    raw = spec.prototype.buffer.from_bytes(np.arange(10, dtype="i4").tobytes())
    expected, found = getattr(theirs, name)(), getattr(ours, name)()
    for encoder, decoder in ((expected, found), (found, expected)):
        (encoded,) = sync(encoder.encode([(raw, spec)]))
        (decoded,) = sync(decoder.decode([(encoded, spec)]))
        assert decoded.to_bytes() == raw.to_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        {"dtype": "i4"},
        {"dtype": ">f8", "serializer": ours.BytesCodec(endian="big")},
        {"dtype": "f4", "compressors": [ours.BloscCodec(), ours.Crc32cCodec()]},
        {"dtype": "f4", "filters": [ours.TransposeCodec(order=(1, 0))]},
        {"dtype": str},
        {"dtype": "bytes"},
        {"dtype": "S3"},
        {"dtype": "U3"},
        {"dtype": "M8[s]"},
        {"dtype": [("a", "i4"), ("b", ">f8")]},
        *({"dtype": d, "zarr_format": 2, "order": o} for d in ("i4", ">f8", "U3", str, "?")
          for o in "CF"),
    ],
    ids=repr,
)  # fmt: skip
def test_chunks_come_back_from_chains_in_python(arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = metadata.build_array_document(shape=(4, 6), chunks=(4, 6), **arguments)
    native = made.dtype.to_native_dtype()
    items = np.arange(24).reshape(4, 6)
    if native.names:
        items = np.array([tuple([n] * 2) for n in items.flat], native).reshape(4, 6)
    elif native.kind == "O":
        items = np.array([b"%d" % n for n in items.flat], object).reshape(4, 6)
    else:
        items = items.astype("U3").astype(native) if native.kind in "TSU" else items.astype(native)
    chunk = ChunkCodec(made)
    found = chunk.decode(chunk.encode(items), (4, 6))
    assert found.dtype == native
    assert np.array_equal(found, items)


def test_nothing_of_this_is_imported_needlessly():
    import subprocess
    import sys

    code = (
        "import sys; from stook.zarr.core.metadata import build_array_document as b;"
        "b(shape=(4,), dtype='f4'); b(shape=(4,), dtype=str, zarr_format=2).to_dict();"
        "print({'numcodecs', 'zarr', 'donfig', 'ml_dtypes', 'yaml'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
    assert config.get("codecs.zstd") == "zarr.codecs.zstd.ZstdCodec"
