"""Data types: classes, their forms in documents, and values."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from datetime import datetime, timedelta

import numpy as np
import pytest
import stook.zarr.dtype as ours
import zarr.dtype as theirs
from hypothesis import given
from hypothesis import strategies as st
from stook.zarr.core.dtype import ANY_DTYPE
from stook.zarr.core.dtype import parse_data_type as parse
from zarr_api.documents import observe

pytestmark = pytest.mark.filterwarnings("ignore")

SETTINGS = [
    ("Bool", {}),
    *((name, {}) for name in ("Int8", "UInt8")),
    *((name, {"endianness": e}) for e in ("little", "big") for name in (
        "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float16", "Float32", "Float64",
        "Complex64", "Complex128")),
    ("FixedLengthUTF32", {"length": 3}),
    ("FixedLengthUTF32", {"length": 3, "endianness": "big"}),
    ("VariableLengthUTF8", {}),
    ("NullTerminatedBytes", {"length": 5}),
    ("RawBytes", {"length": 5}),
    ("VariableLengthBytes", {}),
    ("DateTime64", {}),
    ("DateTime64", {"unit": "s", "scale_factor": 10, "endianness": "big"}),
    ("TimeDelta64", {}),
    ("TimeDelta64", {"unit": "ns"}),
]  # fmt: skip

SCALARS = [
    0, 1, -1, 3.5, 2**70, -(2**70), float("nan"), float("inf"), 1j, True, None, "", "1", "x",
    "NaN", "Infinity", "-Infinity", "0x7fc00000", "0x7ff8000000000000", "0x7e00", "0xzz", b"",
    b"abc", b"\xff", "YWJj", [], [1, 2], (1.0, "NaN"), ["NaN", "-Infinity"], {}, "NaT",
    np.int8(3), np.float32(1.5), np.datetime64("2020-01-01"), np.timedelta64(5, "s"),
    datetime(2020, 1, 1), timedelta(seconds=3), np.void(b"abcde"), np.str_("q"), 1.0, object,
]  # fmt: skip


def both(name, settings):
    return getattr(theirs, name)(**settings), getattr(ours, name)(**settings)


def shown(value):
    """A value in a form that compares: NaN equals NaN, types count."""
    return type(value).__name__, repr(value), getattr(value, "dtype", None)


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_classes_are_alike(name, settings):
    expected, found = both(name, settings)
    assert repr(found) == repr(expected)
    assert found.to_native_dtype() == expected.to_native_dtype()
    assert getattr(found, "item_size", None) == getattr(expected, "item_size", None)
    assert shown(found.default_scalar()) == shown(expected.default_scalar())
    assert type(found)._zarr_v3_name == type(expected)._zarr_v3_name
    assert type(found).dtype_cls is type(expected).dtype_cls
    for zarr_format in (2, 3):
        form = expected.to_json(zarr_format=zarr_format)
        assert found.to_json(zarr_format=zarr_format) == form
        again = type(found).from_json(form, zarr_format=zarr_format)
        if zarr_format == 2 or "endianness" not in settings:
            assert again == found
        assert ours.data_type_registry.match_json(form, zarr_format=zarr_format) == again
    if name != "VariableLengthBytes":
        assert type(found).from_native_dtype(expected.to_native_dtype()) == found


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_types_are_values(name, settings):
    _, found = both(name, settings)
    assert found == getattr(ours, name)(**settings)
    assert hash(found) == hash(getattr(ours, name)(**settings))
    assert copy.deepcopy(found) == found
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(AttributeError):
        found.endianness = "big"


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_values_are_cast_alike(name, settings):
    expected, found = both(name, settings)
    for scalar in SCALARS:
        a, b = (observe(lambda d=d, s=scalar: shown(d.cast_scalar(s))) for d in (expected, found))
        assert b == a, scalar


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_fill_values_are_read_alike(name, settings, zarr_format):
    expected, found = both(name, settings)
    for scalar in SCALARS:
        a, b = (
            observe(lambda d=d, s=scalar: shown(d.from_json_scalar(s, zarr_format=zarr_format)))
            for d in (expected, found)
        )
        assert b == a, scalar


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_fill_values_are_written_alike(name, settings, zarr_format):
    expected, found = both(name, settings)
    for scalar in SCALARS:
        try:
            value = expected.cast_scalar(scalar)
        except Exception:
            continue
        a, b = (
            observe(lambda d=d, v=value: d.to_json_scalar(v, zarr_format=zarr_format))
            for d in (expected, found)
        )
        assert b == a, scalar


FORMS = [
    "bool", "int8", "uint64", "float16", "complex128", "string", "bytes", "variable_length_bytes",
    "r16", "nope", "", None, 3, [], {}, {"name": "int32"}, {"name": "numpy.datetime64"},
    {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}},
    {"name": "numpy.datetime64", "configuration": {"unit": "x", "scale_factor": 1}},
    {"name": "numpy.timedelta64", "configuration": {"unit": "s", "scale_factor": 0}},
    {"name": "fixed_length_utf32", "configuration": {"length_bytes": 8}},
    {"name": "fixed_length_utf32", "configuration": {"length_bytes": "8"}},
    {"name": "null_terminated_bytes", "configuration": {"length_bytes": 8}},
    {"name": "raw_bytes", "configuration": {"length_bytes": 8}},
    {"name": "raw_bytes", "configuration": {"length_bytes": 0}},
    {"name": "raw_bytes", "configuration": {"length_bytes": 8, "more": 1}},
    {"name": "structured", "configuration": {"fields": [["a", "int8"], ["b", "float64"]]}},
    {"name": "structured", "configuration": {"fields": []}},
    *({"name": name, "object_codec_id": None} for name in (
        "|b1", "<i4", ">i4", "|i1", "<f8", "|S3", "<U3", ">U3", "|V4", "<M8[s]", "<M8[10ms]",
        ">m8[ns]", "<M8", "<M8[x]", "|O", "i4", "|i4", "<i1", "nope",
        [["a", "<i4"], ["b", "|S3"]], [["a", "<i4"], ["b", "nope"]], [["a"]], [], "|S0")),
    {"name": "|O", "object_codec_id": "vlen-utf8"},
    {"name": "|O", "object_codec_id": "vlen-bytes"},
    {"name": "|O", "object_codec_id": "json2"},
    {"name": "<i4", "object_codec_id": "vlen-utf8"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=repr)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_forms_are_read_alike(form, zarr_format):
    a, b = (
        observe(lambda m=m: repr(m.data_type_registry.match_json(form, zarr_format=zarr_format)))
        for m in (theirs, ours)
    )
    assert b == a


@pytest.mark.parametrize(
    "name", ["?", "i4", ">f8", "U3", "S3", "V3", "M8[s]", "m8", "T", "O", "g", [("a", "i4")]]
)
def test_native_types_are_matched_alike(name):
    dtype = np.dtype(name)
    a, b = (
        observe(lambda m=m: repr(m.data_type_registry.match_dtype(dtype))) for m in (theirs, ours)
    )
    assert b == a


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RawBytes", {"length": 0}),
        ("NullTerminatedBytes", {"length": 0}),
        ("FixedLengthUTF32", {"length": 0}),
        ("DateTime64", {"scale_factor": 0}),
        ("DateTime64", {"scale_factor": 2**31}),
        ("TimeDelta64", {"unit": "x"}),
        ("Structured", {"fields": ()}),
    ],
)
def test_wrong_settings(name, settings):
    expected = observe(lambda: getattr(theirs, name)(**settings))
    assert expected.error is not None
    assert observe(lambda: getattr(ours, name)(**settings)) == expected


def test_public_names():
    assert set(ours.__all__) == set(theirs.__all__)
    assert {cls.__name__ for cls in ANY_DTYPE} <= set(ours.__all__)


def test_unstable_types_warn():
    from stook.zarr.errors import UnstableSpecificationWarning

    for dtype in ("S3", "U3", "V3", [("a", "i4")]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnstableSpecificationWarning, match="does not have a Zarr V3"):
                parse(dtype, zarr_format=3).to_json(zarr_format=3)


def test_unknown_format():
    with pytest.raises(ValueError, match="must be 2 or 3"):
        ours.Int32().to_json(zarr_format=4)
    with pytest.raises(ValueError, match="must be 2 or 3"):
        ours.Int32.from_json("int32", zarr_format=4)


def test_registered_types():
    registry = ours.data_type_registry

    class Half(ours.Float16):
        _zarr_v3_name = "test.half"

        @classmethod
        def _check_native_dtype(cls, dtype):
            return False

    registry.register("test.half", Half)
    try:
        assert registry.get("test.half") is Half
        assert isinstance(registry.match_json("test.half", zarr_format=3), Half)
        assert isinstance(parse("test.half", zarr_format=3), Half)
    finally:
        registry.unregister("test.half")
    with pytest.raises(KeyError):
        registry.unregister("test.half")
    with pytest.raises(KeyError):
        registry.get("test.half")


def test_two_classes_for_one_type_are_ambiguous():
    registry = ours.data_type_registry

    class Twin(ours.Float64):
        _zarr_v3_name = "test.twin"

    registry.register("test.twin", Twin)
    try:
        with pytest.raises(ValueError, match="Multiple data type wrappers"):
            registry.match_dtype(np.dtype("f8"))
    finally:
        registry.unregister("test.twin")


def test_structured_values():
    kind = parse([("a", "<i4"), ("b", ">f8")], zarr_format=2)
    for value in ((1, 2.5), [1, 2.5], np.array((1, 2.5), kind.to_native_dtype())[()]):
        scalar = kind.cast_scalar(value)
        assert scalar.item() == (1, 2.5)
        form = kind.to_json_scalar(scalar, zarr_format=2)
        assert kind.from_json_scalar(form, zarr_format=2) == scalar
    assert kind.cast_scalar(0).item() == (0, 0.0)
    assert kind.item_size == 12


def test_nested_structs_of_version_2_are_read():
    kind = parse([("n", [("x", "<i2"), ("y", "<f4")])], zarr_format=2)
    assert ours.Structured.from_json(kind.to_json(zarr_format=2), zarr_format=2) == kind


def test_integers_of_c_are_integers():
    for native in (np.longlong, np.ulonglong, np.intc, np.long):
        assert parse(native, zarr_format=3).to_native_dtype() == np.dtype(native)


@given(st.floats(width=32))
def test_floats_come_back(value):
    for kind in (ours.Float32(), ours.Float64(endianness="big")):
        for zarr_format in (2, 3):
            form = kind.to_json_scalar(value, zarr_format=zarr_format)
            again = float(kind.from_json_scalar(form, zarr_format=zarr_format))
            assert again == value or (math.isnan(again) and math.isnan(value))


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_come_back(value):
    kind = ours.Int64()
    form = kind.to_json_scalar(value, zarr_format=3)
    assert form == value
    assert kind.from_json_scalar(form, zarr_format=3) == value


@given(st.binary(min_size=4, max_size=4))
def test_raw_bytes_come_back(value):
    kind = ours.RawBytes(length=4)
    form = kind.to_json_scalar(value, zarr_format=3)
    assert kind.from_json_scalar(form, zarr_format=3).tobytes() == value


@given(st.text(max_size=10))
def test_texts_come_back(value):
    kind = ours.VariableLengthUTF8()
    form = kind.to_json_scalar(value, zarr_format=2)
    assert kind.from_json_scalar(form, zarr_format=2) == value


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["s", "ns", "D"]))
def test_times_come_back(value, unit):
    kind = ours.DateTime64(unit=unit)
    scalar = kind.from_json_scalar(value, zarr_format=3)
    assert kind.to_json_scalar(scalar, zarr_format=3) == value
