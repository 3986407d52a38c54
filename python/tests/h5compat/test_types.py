"""Dtypes, the conversion of values, and what a file of the other looks like."""

from __future__ import annotations

import numpy as np
import pytest

# dtype, values, shape
CONVERSIONS = [
    ("bool", "np.array([1, 0])"), ("bool", "[1, 0]"), ("'f4'", "np.array([True, False])"), ("'c8'", "np.array([1., 2])"),
    ("'c8'", "[1., 2]"), ("'S3'", "np.array(['a', 'b'])"), ("'S3'", "['abcd', 'b']"), ("'S3'", "['é', 'b']"),
    ("m.string_dtype('utf-8', 5)", "['é', 'b']"), ("m.string_dtype()", "np.array([b'a', b'b'])"),
    ("'S3'", "np.array(['a', 'b'], object)"), ("m.string_dtype()", "np.array(['a', 'b'])"), ("m.string_dtype()", "[1, 2]"),
    ("m.string_dtype()", "np.array(['a', 'b'], np.dtypes.StringDType())"), ("'i4'", "np.array([b'1', b'b'])"),
    ("'u1'", "np.array([-5., 300])"), ("'u1'", "np.array([np.nan, 300])"), ("'i4'", "np.array([np.nan, np.inf])"),
    ("'i1'", "np.array([-500, 300])"), ("'i1'", "[-500, 300]"), ("'f4'", "np.array([1e300, 1])"), ("'f2'", "np.array([1e300, 1])"),
    ("'i4,f8'", "np.array([(1, 2), (3, 4)], 'i8,f4')"),
    ("np.dtype([('a', 'i4'), ('b', 'f8')])", "np.array([(1, 2), (3, 4)], [('b', 'i8'), ('a', 'f4')])"),
    ("np.dtype([('a', 'i4'), ('b', 'f8')])", "np.array([(1,), (3,)], [('b', 'i8')])"),
    ("np.dtype([('a', 'i4'), ('b', 'f8')])", "[(1, 2), (3, 4)]"), ("np.dtype([('a', 'i4'), ('b', 'f8')])", "(1, 2)"),
    ("np.dtype([('a', 'i4'), ('b', m.string_dtype())])", "[(1, 'x'), (3, 'yé')]"),
    ("m.enum_dtype({'A': 0, 'B': 1}, 'i4')", "[1, 0]"), ("m.enum_dtype({'A': 0, 'B': 1}, 'i4')", "np.array([1, 0])"),
    ("np.dtype(('f4', (3,)))", "np.ones((2, 3))"), ("np.dtype(('f4', (3,)))", "np.ones(3)"), ("'V3'", "np.array([b'abc', b'd'], 'V3')"),
    ("'>i4'", "np.array([1, 2])"), ("'>f8'", "[1, 2]"), ("m.vlen_dtype('i4')", "np.arange(4).reshape(2, 2)"), ("m.vlen_dtype('i4')", "np.arange(4)"),
    ("m.vlen_dtype('i4')", "[[1, 2, 3], [4]]"), ("m.vlen_dtype('u1')", "[[1, 2, 3], [4]]"), ("m.string_dtype('ascii')", "[b'a', b'b']"),
    ("m.opaque_dtype('M8[s]')", "np.array(['2020', '2021'], 'M8[s]').astype(m.opaque_dtype('M8[s]'))"),
    ("m.special_dtype(vlen=str)", "['x', 'yé']"), ("m.special_dtype(enum=('i1', {'A': 1}))", "1"),
    ("m.string_dtype()", "['a\\0b', '']"), ("'i8'", "np.uint64(2**64 - 1)"), ("'u8'", "np.array([-1, 1])"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "values"), CONVERSIONS)
def test_values_are_converted(same, dtype, values):
    def body(m, folder):
        names = {"np": np, "m": m}
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("x", (2,), dtype=eval(dtype, names))
            d[...] = eval(values, names)
            return d[()], d.dtype, None if d.dtype.hasobject else d.fillvalue

    same(body)


@pytest.mark.parametrize(("dtype", "values"), [case for case in CONVERSIONS if "StringDType" not in case[1]])
def test_each_reads_what_the_other_wrote(pair, dtype, values, tmp_path):
    from h5compat.outcomes import plain

    writer, reader = pair
    with writer.File(tmp_path / "x.h5", "w") as f:
        try:
            d = f.create_dataset("x", (2,), dtype=eval(dtype, {"np": np, "m": writer}))
            d[...] = eval(values, {"np": np, "m": writer})
        except Exception:
            pytest.skip("such values are no such items")
        expected = plain(d[()]), plain(d.dtype)
    with reader.File(tmp_path / "x.h5") as f:
        assert (plain(f["x"][()]), plain(f["x"].dtype)) == expected


ATTRIBUTES = [
    "1", "1.5", "True", "'é'", "b'a'", "np.bytes_(b'abc')", "[1, 2]", "['a', 'é']", "(1, 2.5)", "m.Empty('f4')",
    "np.array([b'a', b'bc'])", "1j", "np.array((1, 2.), 'i4,f8')", "np.str_('a')", "np.array(['a', 'b'], object)", "''",
    "[]", "[[1, 2], [3, 4]]", "[[1], [2, 3]]", "[b'a', b'b']", "f['x'].ref", "np.array(3)", "'a\\0b'", "np.datetime64('2020')",
    "{1}", "{}", "None", "np.float16(1.5)", "np.zeros((2, 0))", "np.array(['a'])", "np.arange(3, dtype='u2')",
]  # fmt: skip
OPTIONS = [
    ("5", "dict(dtype='i2')"), ("[1, 2, 3, 4]", "dict(shape=(2, 2))"), 
    ("[1, 2]", "dict(dtype=m.vlen_dtype('i4'), shape=(1,))"), ("'abc'", "dict(dtype=m.string_dtype('utf-8', 5))"),
    ("'abc'", "dict(dtype='S5')"), ("1", "dict(dtype=m.enum_dtype({'A': 0, 'B': 1}, 'i4'))"),
    ("[f['x'].ref]", "dict(dtype=m.ref_dtype)"), ("[1, 2, 3]", "dict(shape=(2, 2))"), ("np.array([1.7, 300])", "dict(dtype='u1')"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "options"), [*((v, "{}") for v in ATTRIBUTES), *OPTIONS])
def test_attributes(same, value, options):
    def body(m, folder):
        with m.File(folder / "a.h5", "w") as f:
            f["x"] = [1]
            names = {"np": np, "m": m, "f": f}
            f.attrs.create("q", eval(value, names), **eval(options, names))
            about = f.attrs.get_id("q")
            return f.attrs["q"], about.dtype, about.shape, list(f.attrs)

    same(body)


@pytest.mark.parametrize("value", ATTRIBUTES)
def test_each_reads_attributes_of_the_other(pair, value, tmp_path):
    from h5compat.outcomes import plain

    writer, reader = pair
    with writer.File(tmp_path / "a.h5", "w") as f:
        f["x"] = [1]
        try:
            f.attrs["q"] = eval(value, {"np": np, "m": writer, "f": f})
        except Exception:
            pytest.skip("such values are no attributes")
        expected = plain(f.attrs["q"])
    with reader.File(tmp_path / "a.h5") as f:
        assert plain(f.attrs["q"]) == expected


def test_dtypes_say_what_they_are(same):
    def body(m, folder):
        return (
            m.check_dtype(vlen=m.special_dtype(vlen=str)), m.check_dtype(enum=m.special_dtype(enum=("i4", {"A": 1}))),
            tuple(m.check_string_dtype(np.dtype("S3"))), tuple(m.check_string_dtype(m.string_dtype())),
            m.check_string_dtype(np.dtype("i4")), m.check_vlen_dtype(m.vlen_dtype("i4")), m.check_enum_dtype(np.dtype("i4")),
            m.check_ref_dtype(m.ref_dtype), m.string_dtype("ascii", 5), m.special_dtype(ref=m.Reference), m.check_dtype(ref=m.regionref_dtype),
        )  # fmt: skip

    same(body)


@pytest.mark.parametrize("call", ["m.string_dtype('latin')", "m.string_dtype(length='a')", "m.special_dtype(a=1)", "m.special_dtype()",
                                  "m.enum_dtype({}, 'f4')", "m.check_dtype(bool='i4')", "m.special_dtype(enum=3)"])  # fmt: skip
def test_dtypes_that_are_none(same, call):
    same(lambda m, folder: eval(call, {"m": m}))


def test_references(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["g/x"] = [1, 2]
            d = f["g/x"]
            f.create_dataset("r", (2,), m.ref_dtype)[0] = d.ref
            f.create_dataset("list", data=[d.ref, f["g"].ref], dtype=m.ref_dtype)
            return d.ref, f[d.ref], bool(d.ref), bool(m.Reference()), f["r"][0], bool(f["r"][1]), f[f["r"][0]], f[f["list"][1]], f["r"].dtype

    same(body)


def test_named_types(same, pair, tmp_path):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["type"] = np.dtype("i4,f8")
            d = f.create_dataset("x", (2,), f["type"])
            return f["type"], f["type"].dtype, d.dtype, f.get("type", getclass=True)

    same(body)
    writer, reader = pair
    with writer.File(tmp_path / "t.h5", "w") as f:
        f["deep/type"] = np.dtype("i4,f8")
    with reader.File(tmp_path / "t.h5") as f:
        assert f["deep/type"].dtype == np.dtype("i4,f8")
