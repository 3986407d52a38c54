"""Documents of arrays that are to be made: equal, as JSON, to those of zarr-python."""

from __future__ import annotations

import json
import warnings

import numcodecs
import numpy as np
import pytest
import stook.zarr.core.metadata as ours
from stook.zarr import config
from stook.zarr.core.chunk_grids import RectilinearChunksDisabledError
from zarr_api.documents import By, assert_created_alike, assert_created_alike_legacy

FORMATS = (2, 3)

DTYPES = [
    "?", "i1", "u1", "<i2", ">i2", "<u2", "i4", ">i4", "u4", "i8", ">u8", "f2", "f4", ">f4",
    "f8", ">f8", "c8", ">c8", "c16", "U3", ">U3", "S5", "V6", "M8[s]", ">M8[10ms]", "m8[ns]",
    "m8", "M8", str, "str", "string", np.dtypes.StringDType(), "bytes", bytes, int, float, bool,
    [("a", "i4"), ("b", ">f8")], [("a", "i4"), ("s", "S3"), ("u", "U2"), ("t", "M8[D]")],
    [["a", "i4"], ["b", "f4"]], [("n", [("x", "i2"), ("y", "f4")])],
    np.dtype([("a", "i4", (2,))]), ("a", "i4"), object, "O", "|O", np.int16, np.dtype("int64"),
    "int32", "float64", "variable_length_bytes", "raw_bytes", "r8", "foo", "f16", "S", "U", "V",
    {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 3}},
    {"name": "raw_bytes", "configuration": {"length_bytes": 3}},
    {"name": "structured", "configuration": {"fields": [["a", "int32"], ["b", "float32"]]}},
    {"name": "|O", "object_codec_id": "vlen-utf8"}, {"name": "int32"},
    {"name": "null_terminated_bytes", "configuration": {"length_bytes": 3, "more": 1}},
    {"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}}, 3,
    np.dtypes.StringDType(na_object=None), np.dtypes.Int32DType,
    By(lambda m: m.dtype.Int32(endianness="big")), By(lambda m: m.dtype.VariableLengthBytes()),
    By(lambda m: m.dtype.DateTime64(unit="ns", scale_factor=10)),
]  # fmt: skip

FILL_VALUES = [
    0, 1, -1, 1.5, "NaN", float("nan"), float("inf"), -np.inf, "Infinity", "-Infinity", None, "",
    "abc", b"", b"abc", b"\x00\xff", True, False, np.int64(3), np.float32(2.5), 1j,
    complex("nan"), np.datetime64("2020-01-01"), np.timedelta64(3, "s"), "NaT",
    np.datetime64("NaT"), (1, 2), [1, 2.0], np.void(b"abcdef"), "0x7fc00000", 2**40, -(2**70),
    "12", np.array(3), {}, np.str_("x"), np.bytes_(b"x"), "zzzzzzzzz", "AAAA",
]  # fmt: skip

BYTES_BYTES = [
    None,
    (),
    "auto",
    By(lambda m: m.codecs.BloscCodec()),
    By(lambda m: m.codecs.BloscCodec(typesize=2, shuffle="noshuffle", cname="lz4", clevel=9)),
    By(lambda m: m.codecs.BloscCodec(typesize=2)),
    By(lambda m: m.codecs.BloscCodec(shuffle=m.codecs.BloscShuffle.bitshuffle)),
    By(lambda m: m.codecs.BloscCodec(cname=m.codecs.BloscCname.zlib, blocksize=64)),
    By(lambda m: m.codecs.BloscCodec(cname="foo")),
    By(lambda m: m.codecs.GzipCodec(level=9)),
    By(lambda m: m.codecs.GzipCodec(level=10)),
    By(lambda m: m.codecs.ZstdCodec(level=22, checksum=True)),
    By(lambda m: m.codecs.ZstdCodec(level=-3)),
    By(lambda m: m.codecs.Crc32cCodec()),
    (By(lambda m: m.codecs.GzipCodec()), By(lambda m: m.codecs.Crc32cCodec())),
    By(lambda m: m.numcodecs.Zlib(level=3)),
    By(lambda m: m.numcodecs.LZ4()),
    By(lambda m: m.numcodecs.Blosc(cname="lz4")),
    By(lambda m: m.numcodecs.BZ2(level=2)),
    By(lambda m: m.numcodecs.LZMA()),
    By(lambda m: m.numcodecs.Zstd()),
    By(lambda m: m.numcodecs.GZip()),
    By(lambda m: m.numcodecs.Shuffle()),
    By(lambda m: m.numcodecs.Shuffle(elementsize=2)),
    By(lambda m: m.numcodecs.CRC32()),
    By(lambda m: m.numcodecs.CRC32C(location="end")),
    By(lambda m: m.numcodecs.Adler32()),
    By(lambda m: m.numcodecs.Fletcher32()),
    By(lambda m: m.numcodecs.JenkinsLookup3(initval=3)),
    {"name": "gzip", "configuration": {"level": 3}},
    {"name": "gzip"},
    {"name": "zstd", "configuration": {"level": 3}},
    {"name": "crc32c"},
    {"name": "nope"},
    {"name": "bytes"},
    {"name": "numcodecs.zlib", "configuration": {"level": 2}},
    {"name": "numcodecs.zlib"},
    {"id": "zlib"},
    numcodecs.Zlib(),
    "gzip",
    3,
]

ARRAY_ARRAY = [
    None,
    By(lambda m: m.codecs.TransposeCodec(order=(1, 0))),
    By(lambda m: m.codecs.TransposeCodec(order=(0,))),
    By(lambda m: m.codecs.TransposeCodec(order=(0, 0))),
    By(lambda m: m.codecs.TransposeCodec(order=(0, 2))),
    By(lambda m: m.codecs.TransposeCodec(order="ab")),
    By(lambda m: m.numcodecs.Delta(dtype="i4")),
    By(lambda m: m.numcodecs.Delta(dtype="i4", astype="i2")),
    By(lambda m: m.numcodecs.BitRound(keepbits=3)),
    By(lambda m: m.numcodecs.FixedScaleOffset(offset=1, scale=2)),
    By(lambda m: m.numcodecs.FixedScaleOffset(offset=1, scale=2, dtype="f4", astype="u1")),
    By(lambda m: m.numcodecs.Quantize(digits=2)),
    By(lambda m: m.numcodecs.PackBits()),
    By(lambda m: m.numcodecs.AsType(encode_dtype="f4")),
    {"name": "transpose", "configuration": {"order": [1, 0]}},
    {"name": "zstd", "configuration": {}},
    {},
    3,
    "foo",
]

ARRAY_BYTES = [
    "auto",
    By(lambda m: m.codecs.BytesCodec()),
    By(lambda m: m.codecs.BytesCodec(endian="big")),
    By(lambda m: m.codecs.BytesCodec(endian=None)),
    By(lambda m: m.codecs.BytesCodec(endian=m.codecs.Endian.big)),
    By(lambda m: m.codecs.BytesCodec(endian="foo")),
    By(lambda m: m.codecs.VLenUTF8Codec()),
    By(lambda m: m.codecs.VLenBytesCodec()),
    By(lambda m: m.codecs.ShardingCodec(chunk_shape=(5, 5))),
    By(lambda m: m.codecs.ShardingCodec(chunk_shape=(3, 5))),
    By(lambda m: m.codecs.ShardingCodec(chunk_shape=(5,))),
    By(lambda m: m.codecs.ShardingCodec(chunk_shape=(5, 5), codecs=[])),
    By(
        lambda m: m.codecs.ShardingCodec(
            chunk_shape=(5, 5),
            codecs=[
                m.codecs.TransposeCodec(order=(1, 0)),
                m.codecs.BytesCodec(),
                m.codecs.BloscCodec(),
            ],
            index_location="start",
        )
    ),
    By(lambda m: m.numcodecs.PCodec(level=3)),
    {"name": "bytes"},
    {"name": "bytes", "configuration": {"endian": "big"}},
    {"name": "endian", "configuration": {"endian": "big"}},
    {"name": "vlen-utf8"},
    {"name": "sharding_indexed", "configuration": {"chunk_shape": [5, 5]}},
    None,
    3,
    By(lambda m: m.codecs.GzipCodec()),
]

NUMCODECS = [
    numcodecs.Blosc(), numcodecs.Blosc(cname="zstd", clevel=3, shuffle=2), numcodecs.Zlib(),
    numcodecs.GZip(3), numcodecs.BZ2(), numcodecs.LZMA(), numcodecs.LZ4(), numcodecs.Zstd(3),
    numcodecs.Zstd(3, checksum=True), numcodecs.PCodec(), numcodecs.Shuffle(),
    numcodecs.VLenUTF8(), numcodecs.VLenBytes(), numcodecs.JSON(), numcodecs.Pickle(),
    numcodecs.MsgPack(), numcodecs.CRC32(), numcodecs.Delta("i4"), numcodecs.PackBits(),
    numcodecs.FixedScaleOffset(1, 2, "f4"), numcodecs.Categorize(["a", "b"], "U3"),
    numcodecs.VLenArray("i4"), numcodecs.Adler32(), numcodecs.Fletcher32(),
    numcodecs.BitRound(4), numcodecs.AsType("i4", "i8"), numcodecs.Quantize(1, "f8"),
]  # fmt: skip

CONFIGS = [
    {"id": "zlib"}, {"id": "blosc"}, {"id": "zstd"}, {"id": "zstd", "level": 1}, {"id": "nope"},
    {"id": "zlib", "foo": 2}, {"level": 3}, {"id": "delta"}, {"id": "delta", "dtype": "i4"},
    {"id": "lzma", "preset": 3}, {"id": "json2", "indent": 2},
    {"id": "crc32", "location": "end"},
]  # fmt: skip


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES, ids=repr)
def test_dtypes(dtype, zarr_format):
    for order in ("C", "F"):
        assert_created_alike(shape=(10, 4), dtype=dtype, order=order, zarr_format=zarr_format)
    assert_created_alike_legacy(shape=(10, 4), dtype=dtype, zarr_format=zarr_format)


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize(
    "dtype",
    ["?", "i1", "u1", "i4", ">i8", "u8", "f2", "f4", "f8", "c8", "c16", "U3", "S5", "V6", "M8[s]",
     "m8[ns]", "m8", str, [("a", "i4"), ("b", ">f8")], By(lambda m: m.dtype.VariableLengthBytes())],
    ids=repr,
)  # fmt: skip
def test_fill_values(dtype, zarr_format):
    for fill_value in FILL_VALUES:
        given = {"shape": (10,), "dtype": dtype, "fill_value": fill_value}
        assert_created_alike(**given, zarr_format=zarr_format)
        assert_created_alike_legacy(**given, zarr_format=zarr_format)


@pytest.mark.parametrize(
    "shape",
    [(), (0,), (10,), 10, (100, 33), (1000, 1000, 10), (5, 0), [4, 5], np.int64(7), (-1,), "ab",
     (np.int32(3), 2), (1.5,), 3.0, (10**6, 10**4), (3, 10**9)],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["u1", "f8", "S100", "S70000000", str], ids=repr)
def test_guessed_chunks(shape, dtype):
    for zarr_format in FORMATS:
        assert_created_alike(shape=shape, dtype=dtype, zarr_format=zarr_format)
        assert_created_alike_legacy(shape=shape, dtype=dtype, zarr_format=zarr_format)
    assert_created_alike(shape=shape, dtype=dtype, shards="auto")


@pytest.mark.parametrize("target", [None, 1 << 16, 1 << 24])
def test_guessed_shards(target):
    import zarr

    for module in (zarr.config, config):
        module.set({"array.target_shard_size_bytes": target})
    for shape in [(10,), (4000,), (3000, 2000), (300, 200, 100)]:
        for chunks in ("auto", tuple(max(1, n // 20) for n in shape)):
            assert_created_alike(shape=shape, dtype="f4", chunks=chunks, shards="auto")


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("shape", [(10,), (100, 33), (20, 20, 20)], ids=repr)
def test_chunks(shape, zarr_format):
    for chunks in [(5,), (5, 5), (5, 5, 5), "auto", (0,), [5], [5, 5], (np.int64(5),), (5.0,),
                   (5, "a"), "foo"]:  # fmt: skip
        assert_created_alike(shape=shape, dtype="i4", chunks=chunks, zarr_format=zarr_format)


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("name", ["chunks", "chunk_shape"])
@pytest.mark.parametrize("shape", [(10,), (100, 33), (20, 20, 20)], ids=repr)
def test_chunks_of_create(shape, name, zarr_format):
    for chunks in [True, False, None, 5, (5,), (5, 5), (5, 5, 5), -1, (5, -1), (None, 5), 0,
                   (5.0,), [5, 5], np.int64(5), ((5, 5),), ((3, 3, 4), (33,)), ((3, 4, 3),),
                   (5, "a")]:  # fmt: skip
        given = {"shape": shape, "dtype": "i4", name: chunks, "zarr_format": zarr_format}
        assert_created_alike_legacy(**given)


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize(
    "shards",
    [None, (20, 20), (30, 20), (20,), "auto", [20, 20], (0, 0), "foo",
     {"shape": (20, 20), "index_location": "start"}, {"shape": (20, 20), "index_location": "x"}],
    ids=repr,
)  # fmt: skip
def test_shards(shards, zarr_format):
    for chunks in ("auto", (10, 10), (10,), (7, 10)):
        for shape in ((100, 100), (2000, 3000)):
            assert_created_alike(
                shape=shape, dtype="i4", chunks=chunks, shards=shards, zarr_format=zarr_format
            )


@pytest.mark.parametrize("compressors", BYTES_BYTES, ids=repr)
@pytest.mark.parametrize("dtype", ["u1", "i4", str, "c16"], ids=repr)
def test_compressors(dtype, compressors):
    given = {"shape": (10, 10), "dtype": dtype, "compressors": compressors}
    assert_created_alike(**given)
    assert_created_alike(**given, shards=(10, 10), chunks=(5, 5))
    assert_created_alike(**given, zarr_format=2)
    if not isinstance(compressors, (tuple, type(None))):
        assert_created_alike(**given | {"compressors": [compressors, compressors]})


@pytest.mark.parametrize("filters", ARRAY_ARRAY, ids=repr)
@pytest.mark.parametrize("dtype", ["?", "i4", "f4", ">f8"])
def test_filters(dtype, filters):
    given = {"shape": (10, 10), "dtype": dtype, "filters": filters}
    assert_created_alike(**given)
    assert_created_alike(**given, shards=(10, 10), chunks=(5, 5))
    assert_created_alike(**given, zarr_format=2)
    assert_created_alike(**given | {"filters": [filters]})


@pytest.mark.parametrize("serializer", ARRAY_BYTES, ids=repr)
@pytest.mark.parametrize(
    "dtype", ["?", "i4", ">f8", "S3", str, "bytes", [("a", "i4")], "M8[s]", "V3"], ids=repr
)
def test_serializers(dtype, serializer):
    given = {"shape": (10, 10), "dtype": dtype}
    assert_created_alike(**given, serializer=serializer, chunks=(10, 10))
    gzip = {"name": "gzip", "configuration": {"level": 1}}
    assert_created_alike_legacy(**given, codecs=[serializer])
    assert_created_alike_legacy(**given, codecs=[serializer, gzip])


@pytest.mark.parametrize(
    "codecs",
    [None, [], ["a"], "foo", 3, [{"name": "nope"}], [{"foo": 1}],
     [{"name": "bytes"}, {"name": "bytes"}],
     [{"name": "gzip", "configuration": {"level": 1}}, {"name": "bytes"}],
     [{"name": "bytes"}, {"name": "transpose", "configuration": {"order": [1, 0]}}]],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("zarr_format", FORMATS)
def test_chains(codecs, zarr_format):
    given = {"shape": (10, 10), "dtype": "i4", "codecs": codecs, "zarr_format": zarr_format}
    assert_created_alike_legacy(**given)


@pytest.mark.parametrize("codec", [*NUMCODECS, *CONFIGS, None, "auto", "foo", 3], ids=repr)
@pytest.mark.parametrize("dtype", ["i4", str], ids=repr)
def test_codecs_of_version_2(dtype, codec):
    given = {"shape": (10, 10), "dtype": dtype}
    for argument in (codec, [codec]):
        assert_created_alike(**given, compressors=argument, zarr_format=2)
        assert_created_alike(**given, filters=argument, zarr_format=2)
        assert_created_alike_legacy(**given, filters=argument, zarr_format=2)
    assert_created_alike_legacy(**given, compressor=codec, zarr_format=2)
    assert_created_alike_legacy(**given, compressor=codec)
    assert_created_alike_legacy(**given, filters=codec)


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize(
    "argument",
    [
        *({"chunk_key_encoding": keys} for keys in (
            None, {"name": "default", "separator": "."}, {"name": "v2", "separator": "/"},
            {"name": "default", "configuration": {"separator": "."}}, {"name": "v2"},
            {"name": "default"}, {"name": "foo"}, {"name": "v2", "separator": "x"}, ("v2", "/"),
            ("default", "."), "v2", 3, {}, By(lambda m: m.keys.V2ChunkKeyEncoding()),
            By(lambda m: m.keys.DefaultChunkKeyEncoding(separator=".")),
        )),
        *({"dimension_names": names} for names in (
            None, ["x"], ("x",), ["x", "y"], [None], [3], "x", 3, (), [], "xy",
        )),
        *({"attributes": attributes} for attributes in (
            None, {}, {"a": 1, "b": [1, {"c": None}]},
        )),
        *({"order": order} for order in (None, "C", "F", "x")),
    ],
    ids=repr,
)  # fmt: skip
def test_other_arguments(argument, zarr_format):
    given = {"shape": (10,), "dtype": "i4", "zarr_format": zarr_format}
    assert_created_alike(**given, **argument)
    assert_created_alike_legacy(**given, **argument)


@pytest.mark.parametrize("separator", [None, ".", "/", "x"])
@pytest.mark.parametrize("zarr_format", FORMATS)
def test_separators(separator, zarr_format):
    given = {"shape": (10,), "dtype": "i4", "zarr_format": zarr_format}
    assert_created_alike_legacy(**given, dimension_separator=separator)


@pytest.mark.parametrize("order", ["C", "F"])
def test_configured_order_is_that_of_version_2(order):
    import zarr

    for module in (zarr.config, config):
        module.set({"array.order": order})
    found = assert_created_alike(shape=(2, 2), dtype="i4", zarr_format=2)
    assert found.document["order"] == order


# The same body for both libraries.


@pytest.fixture
def metadata(submodule):
    return submodule("core.metadata")


def document_v3(**changes):
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [10, 10],
        "data_type": "int32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [5, 5]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {"a": 1},
    } | changes


def document_v2(**changes):
    return {
        "zarr_format": 2,
        "shape": [10, 10],
        "chunks": [5, 5],
        "dtype": "<i4",
        "compressor": {"id": "zlib", "level": 1},
        "filters": None,
        "fill_value": 0,
        "order": "C",
    } | changes


def test_v3_document_comes_back(metadata):
    given = document_v3(dimension_names=["x", None], extra={"must_understand": False})
    found = metadata.ArrayV3Metadata.from_dict(given)
    assert json.loads(json.dumps(found.to_dict())) == given | {"storage_transformers": []}
    assert found == metadata.ArrayV3Metadata.from_dict(found.to_dict())


def test_v2_document_comes_back(metadata):
    given = document_v2(filters=[{"id": "delta", "dtype": "<i4", "astype": "<i4"}])
    found = metadata.ArrayV2Metadata.from_dict(given | {"other": 1})
    expected = given | {"dimension_separator": ".", "attributes": {}}
    assert json.loads(json.dumps(found.to_dict())) == expected
    assert found == metadata.ArrayV2Metadata.from_dict(found.to_dict())


def test_members_of_v3_metadata(metadata):
    found = metadata.ArrayV3Metadata.from_dict(document_v3())
    assert (found.shape, found.ndim, found.chunks, found.shards) == ((10, 10), 2, (5, 5), None)
    assert found.chunk_grid.chunk_shape == (5, 5)
    assert found.dtype is found.data_type
    assert found.dtype.to_native_dtype() == np.dtype("i4")
    assert found.attributes == {"a": 1}
    assert (found.zarr_format, found.node_type) == (3, "array")
    assert found.encode_chunk_key((1, 2)) == "c/1/2"
    assert found.dimension_names is None
    assert found.inner_codecs == found.codecs
    assert found.update_shape((4, 4)).shape == (4, 4)
    assert found.update_attributes({"b": 2}).attributes == {"b": 2}
    assert list(found.chunk_grid.all_chunk_coords((10, 7))) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert found.chunk_grid.get_nchunks((10, 7)) == 4


def test_members_of_sharded_metadata(metadata):
    sharding = {"chunk_shape": [1, 5], "codecs": [{"name": "bytes"}]}
    codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    found = metadata.ArrayV3Metadata.from_dict(document_v3(codecs=codecs))
    assert (found.chunks, found.shards) == ((1, 5), (5, 5))
    assert [type(codec).__name__ for codec in found.inner_codecs] == ["BytesCodec"]


def test_members_of_v2_metadata(metadata):
    found = metadata.ArrayV2Metadata.from_dict(document_v2(dimension_separator="/"))
    assert (found.shape, found.ndim, found.chunks, found.shards) == ((10, 10), 2, (5, 5), None)
    assert found.compressor == numcodecs.Zlib(1)
    assert found.filters is None
    assert found.chunk_grid.chunk_shape == (5, 5)
    assert (found.order, found.zarr_format, found.dimension_separator) == ("C", 2, "/")
    assert found.encode_chunk_key((1, 2)) == "1/2"
    assert found.encode_chunk_key(()) == "0"
    assert found.update_shape((4, 4)).shape == (4, 4)


def test_documents_in_buffers(metadata, submodule):
    prototype = submodule("core.buffer").default_buffer_prototype()
    v3 = metadata.ArrayV3Metadata.from_dict(document_v3()).to_buffer_dict(prototype)
    assert json.loads(v3["zarr.json"].to_bytes())["shape"] == [10, 10]
    v2 = metadata.ArrayV2Metadata.from_dict(document_v2()).to_buffer_dict(prototype)
    assert sorted(v2) == [".zarray", ".zattrs"]
    assert "attributes" not in json.loads(v2[".zarray"].to_bytes())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"zarr_format": 2}, "MetadataValidationError"),
        ({"node_type": "group"}, "NodeTypeValidationError"),
        ({"data_type": "nope"}, "ValueError"),
        ({"data_type": {"name": "x", "foo": 1}}, "ValueError"),
        ({"fill_value": "x"}, "TypeError"),
        ({"fill_value": None}, "TypeError"),
        ({"codecs": []}, "ValueError"),
        ({"codecs": [{"name": "nope"}]}, "UnknownCodecError"),
        ({"chunk_grid": {"name": "nope", "configuration": {}}}, "ValueError"),
        ({"chunk_grid": {"name": "regular"}}, "ValueError"),
        ({"chunk_key_encoding": {"name": "nope"}}, "ValueError"),
        ({"dimension_names": ["x"]}, "ValueError"),
        ({"more": 1}, "MetadataValidationError"),
        ({"more": {"must_understand": True}}, "MetadataValidationError"),
        ({"storage_transformers": 3}, "TypeError"),
        ({"shape": [-1, 1]}, "ValueError"),
    ],
)
def test_wrong_v3_documents(metadata, changes, error):
    with pytest.raises((ValueError, TypeError)) as raised:
        metadata.ArrayV3Metadata.from_dict(document_v3(**changes))
    assert type(raised.value).__name__ == error


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"zarr_format": 3}, ValueError),
        ({"dtype": "nope"}, ValueError),
        ({"chunks": [5]}, ValueError),
        ({"order": "x"}, ValueError),
        ({"compressor": {"id": "nope"}}, ValueError),
        ({"compressor": 3}, ValueError),
        ({"filters": [3]}, TypeError),
        ({"dimension_separator": "x"}, ValueError),
        ({"fill_value": "x"}, TypeError),
    ],
)
def test_wrong_v2_documents(metadata, changes, error):
    with pytest.raises(error):
        metadata.ArrayV2Metadata.from_dict(document_v2(**changes))


def test_no_filters_are_none(metadata):
    with pytest.warns(UserWarning, match="empty list of filters"):
        found = metadata.ArrayV2Metadata.from_dict(document_v2(filters=[]))
    assert found.filters is None


# What zarr-python 3.4 has and 3.1.6 has not.


def rectilinear(shape=(10, 6), **arguments):
    with config.set({"array.rectilinear_chunks": True}):
        return ours.build_array_document(shape=shape, dtype="i4", **arguments)


def test_chunks_may_differ():
    made = rectilinear(chunks=[[3, 3, 4], [6]])
    assert made.to_dict()["chunk_grid"] == {
        "name": "rectilinear",
        "configuration": {"kind": "inline", "chunk_shapes": ([[3, 2], 4], [6])},
    }
    assert made.chunk_grid.grid_shape(made.shape) == (3, 1)
    assert ours.ArrayV3Metadata.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_runs_of_edges_are_counted():
    made = rectilinear(shape=(50, 6), chunks=[[10] * 5, 3])
    shapes = made.to_dict()["chunk_grid"]["configuration"]["chunk_shapes"]
    assert shapes == ([[10, 5]], 3)
    assert ours.ArrayV3Metadata.from_dict(made.to_dict()).chunk_grid == made.chunk_grid


def test_differing_chunks_must_be_allowed():
    with pytest.raises(RectilinearChunksDisabledError, match="disabled by default"):
        ours.build_array_document(shape=(10,), dtype="i4", chunks=[[3, 7]])


@pytest.mark.parametrize(
    ("chunks", "error", "message"),
    [
        ([[3, 3], 6], ValueError, "do not sum to span"),
        ([[], 6], ValueError, "must not be empty"),
        ([[0, 10], 6], ValueError, "must be positive"),
        ([[3.0, 7], 6], TypeError, "non-integer element"),
        ([[3, 7]], ValueError, "dimensions"),
    ],
)
def test_wrong_edges(chunks, error, message):
    with pytest.raises(error, match=message):
        rectilinear(chunks=chunks)


def test_shards_may_differ_but_not_the_chunks_in_them():
    made = rectilinear(chunks=(1, 3), shards=[[3, 7], [6]])
    assert made.chunk_grid.chunk_shapes == ((3, 7), (6,))
    with pytest.raises(ValueError, match="Rectilinear chunks with sharding"):
        rectilinear(chunks=[[3, 7], [6]], shards=(10, 6))
    with pytest.raises(ValueError, match="not divisible"):
        rectilinear(chunks=(2, 3), shards=[[3, 7], [6]])
    with pytest.raises(ValueError, match="format 2"):
        rectilinear(chunks=[[3, 7], [6]], zarr_format=2)


def test_resized_grid_gets_one_more_chunk():
    made = rectilinear(chunks=[[3, 7], [6]])
    assert made.update_shape((14, 6)).chunk_grid.chunk_shapes == ((3, 7, 4), (6,))
    assert made.update_shape((5, 6)).chunk_grid.chunk_shapes == ((3, 7), (6,))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [(5, (5, 5)), (-1, (10, 6)), (False, (10, 6)), ((5, -1), (5, 6)), ((None, 2), (10, 2)),
     (None, (10, 6)), (True, (10, 6))],
    ids=repr,
)  # fmt: skip
def test_chunks_that_stand_for_more(chunks, expected):
    made = ours.build_array_document(shape=(10, 6), dtype="i4", chunks=chunks)
    assert made.chunks == expected


def test_more_types_than_zarr_python_has():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for dtype in (ml_dtypes.bfloat16, "bfloat16", ml_dtypes.float8_e4m3, ml_dtypes.int4, "uint2"):
        made = ours.build_array_document(shape=(4,), dtype=dtype, fill_value=1)
        again = ours.ArrayV3Metadata.from_dict(json.loads(json.dumps(made.to_dict())))
        assert again == made
        assert again.dtype.to_native_dtype().type.__module__ == "ml_dtypes"
        with pytest.raises(ValueError, match="format 2"):
            ours.build_array_document(shape=(4,), dtype=dtype, zarr_format=2).to_dict()


def test_struct_of_newer_versions_is_read():
    fields = [{"name": "a", "data_type": "int32"}, {"name": "b", "data_type": "float32"}]
    kind = {"name": "struct", "configuration": {"fields": fields}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ours.ArrayV3Metadata.from_dict(
            document_v3(data_type=kind, fill_value="AAAAAAAAAAA=", codecs=[{"name": "bytes"}])
        )
    assert found.dtype.to_native_dtype() == np.dtype([("a", "<i4"), ("b", "<f4")])


def test_whole_axes_of_shards_are_whole_chunks():
    made = rectilinear(chunks=(4, 6), shards=-1)
    assert (made.chunks, made.shards) == ((4, 6), (12, 6))


def test_create_takes_differing_chunks_too():
    with config.set({"array.rectilinear_chunks": True}):
        made = ours.build_array_document_legacy(shape=(10,), dtype="i4", chunks=[[3, 7]])
    assert made.chunk_grid.chunk_shapes == ((3, 7),)
    with pytest.raises(ValueError, match="Irregular chunk sizes"):
        ours.build_array_document_legacy(shape=(10,), dtype="i4", chunks=[[3, 4, 3]])


def test_document_cannot_ask_for_any_number_of_edges():
    configuration = {"kind": "inline", "chunk_shapes": [[[1, 10**12]], 3]}
    with pytest.raises(ValueError, match="at most"):
        ours.ArrayV3Metadata.from_dict(
            document_v3(chunk_grid={"name": "rectilinear", "configuration": configuration})
        )
