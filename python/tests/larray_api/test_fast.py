"""What takes a way of its own because it is large or plain gives what the usual way does."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pytest
from stook.larray import Array, Axis, Session, ndtest, read_csv
from stook.larray._kernels import LARGE
from stook.larray._table import array_of_rows

LABELS = ["plain", "with,comma", 'with"quote', "two\nlines", " spaces ", "é☃", "", "7", "0.5"]


def numbers(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    if kind == "bool":
        return rng.random(shape) < 0.5
    if kind == "int":
        return rng.integers(-(10**15), 10**15, shape)
    found = rng.standard_normal(shape) * 10.0 ** rng.integers(-30, 30, shape)
    if kind == "nan":
        found.flat[::3] = np.nan
        found.flat[1::7] = np.inf
        found.flat[2::7] = -np.inf
    return found


def array(kind: str, shape: tuple[int, ...]) -> Array:
    axes = [Axis([LABELS[(i + at) % len(LABELS)] + ("" if i < len(LABELS) else str(i)) for i in range(length)], name)
            for at, (name, length) in enumerate(zip("abcd", shape))]
    return Array(numbers(kind, shape), axes)


def written_by_python(array: Array, sep: str, na_rep: str) -> str:
    text = io.StringIO()
    rows = [[cell if cell == cell else na_rep for cell in row] for row in array.dump()]
    csv.writer(text, delimiter=sep, lineterminator="\n").writerows(rows)
    return text.getvalue()


def same(one: Array, other: Array) -> bool:
    return (one.axes == other.axes and one.dtype == other.dtype
            and np.array_equal(one.data, other.data, equal_nan=one.dtype.kind == "f"))


@pytest.mark.parametrize("kind", ["bool", "int", "float", "nan"])
@pytest.mark.parametrize("shape", [(3,), (1,), (2, 3), (9, 1), (2, 9, 2), (2, 1, 3, 2)])
@pytest.mark.parametrize(("sep", "na_rep"), [(",", ""), (";", "n/a"), ("\t", "a;b"), ("|", "x,y")])
def test_text_is_that_of_pythons_writer(kind, shape, sep, na_rep, tmp_path):
    values = array(kind, shape)
    values.to_csv(tmp_path / "a.csv", sep=sep, na_rep=na_rep)
    assert (tmp_path / "a.csv").read_bytes().decode() == written_by_python(values, sep, na_rep)
    held = io.StringIO()
    values.to_csv(held, sep=sep, na_rep=na_rep)
    assert held.getvalue() == written_by_python(values, sep, na_rep)


@pytest.mark.parametrize("kind", [np.int8, np.uint32, np.uint64, np.float32, ">f8", complex, object])
def test_other_types_are_written_as_ever(kind, tmp_path):
    values = Array(np.arange(6).reshape(2, 3).astype(kind), "a=a0,a1;b=b0..b2")
    values.to_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == written_by_python(values, ",", "")
    turned = ndtest((3, 4)).transpose("b", "a")
    turned.to_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == written_by_python(turned, ",", "")


TABLES = [
    "a,b\\c,c0,c1\na0,b0,1,2\na0,b1,3,4\na1,b0,5,6\na1,b1,7,8\n",
    "a,b\\c,c0,c1\r\na0,b0,1,2\r\na1,b1,3,4\r\n",
    "a\\b,b0,b1\na0,,2\na1,1e5,-inf\n\n\na2,nan,+3\n",
    "a\\b,2010,2011\n1,0.1,2\n2,3,1_0\n",
    "a\\b,b0,b1\na0,x,2\na1,1,y\n",
    "a\\b,b0,b1\na0,True,False\na1,False,False\n",
    "a\\b,b0\n01,1\n1,2\n 1,3\n",
    "a,a0,a1\n,1,2.5\n",
    "a,a0,a1\nx,1,2.5\n",
    "a\\b,b0,b1\na0,123456789012345678,1\na1,1,12345678901234567890\n",
    "a\\b,b0,b1\na0, 1, 2\na1,3 ,4\n",
    'a\\b,"b,0",b1\na0,1,2\n',
    "a\\b,b0,b1\na1,1,2\na0,3,4\na1,5,6\n",
    "a\\b,b0,b1\na0,1\na1,2,3\n",
    "a\\b,b0,b1\na0,1,2,3\n",
    "a\\b,b0,b1\n",
    "a,b0,b1\n2,1,2\n1,3,4\n",
    "\na\\b,b0\na0,1\n",
]


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("options", [{}, {"sort_rows": True}, {"sort_columns": True}, {"fill_value": -1}])
def test_tables_are_read_as_rows_of_cells_are(text, options, tmp_path):
    (tmp_path / "a.csv").write_bytes(text.encode())
    rows = [row for row in csv.reader(io.StringIO(text)) if row]

    def outcome(read):
        try:
            return read()
        except ValueError as error:
            return str(error)

    expected, found = outcome(lambda: array_of_rows(rows, **options)), outcome(
        lambda: read_csv(tmp_path / "a.csv", **options))
    assert (same(found, expected) if isinstance(expected, Array) and isinstance(found, Array)
            else found == expected), (found, expected)
    held = outcome(lambda: read_csv(io.StringIO(text), **options))
    assert same(held, found) if isinstance(found, Array) else held == found


def test_narrow_tables_are_read_as_rows_of_cells_are(tmp_path):
    text = "a,b,value\na0,1,1.5\na0,2,\na1,1,3\n"
    (tmp_path / "a.csv").write_text(text)
    rows = list(csv.reader(io.StringIO(text)))
    assert same(read_csv(tmp_path / "a.csv", wide=False), array_of_rows(rows, wide=False))


@pytest.mark.parametrize("kind", ["int", "float", "nan"])
def test_every_number_comes_back(kind, tmp_path):
    values = Array(numbers(kind, (40, 30, 20)), [Axis([f"{name}{i}" for i in range(length)], name)
                                                 for name, length in zip("abc", (40, 30, 20))])
    values.to_csv(tmp_path / "a.csv")
    assert same(read_csv(tmp_path / "a.csv"), values)


def test_quantiles_are_numpys():
    rng = np.random.default_rng(1)
    plain = rng.standard_normal((7, 30, 5))
    odd = [plain.copy() for _ in range(4)]
    odd[0][3, 4, 2] = np.inf
    odd[1][0, :, 0] = [-np.inf, np.inf, *range(28)]
    odd[2][3, 4, 2] = np.nan
    odd[3][0, :15, 0], odd[3][0, 15:, 0] = -1.7e308, 1.7e308
    for data in (plain, np.asfortranarray(plain), plain[::2, ::-1], *odd):
        values = Array(data, [Axis(length, name) for name, length in zip("abc", data.shape)])
        for axis, number in (("a", 0), ("b", 1), ("c", 2), (("a", "c"), (0, 2))):
            names = axis if isinstance(axis, tuple) else (axis,)
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for q in (0, 10, 33.3, 50, 100):
                    found = values.percentile(q, *names).data
                    assert np.array_equal(found, np.nanpercentile(data, q, axis=number), equal_nan=True), (axis, q)
                assert np.array_equal(values.median(*names).data, np.nanmedian(data, axis=number), equal_nan=True)


@pytest.mark.parametrize("q", [0, 50, 100 / 29, 100 * 28 / 29, 100 * 28.5 / 29, 100])
def test_what_numpy_warns_of_in_quantiles_is_warned_of(q):
    data = np.random.default_rng(1).standard_normal((7, 30))
    data[0] = [-np.inf, np.inf, *range(28)]
    data[1, :15], data[1, 15:] = -1.7e308, 1.7e308
    told = []
    for calculate in (lambda: np.percentile(data, q, axis=1),
                      lambda: Array(data, [Axis(7, "a"), Axis(30, "b")]).percentile(q, "b").data):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = calculate()
        told.append((found, [str(warning.message) for warning in caught]))
    (expected, theirs), (found, ours) = told
    assert np.array_equal(found, expected, equal_nan=True)
    assert ours == theirs


@pytest.mark.parametrize("op", ["__add__", "__sub__", "__mul__", "__radd__", "__rsub__", "__rmul__"])
def test_large_arithmetic_is_numpys(op):
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((2, LARGE // 64 + 1, 64))
    one, other = (Array(data, [Axis(len(data), "a"), Axis(64, "b")]) for data in (first, second))
    for theirs in (second, 3, -0.1, 2**60, True, np.float32(0.1), second[:1]):
        labelled = other if theirs is second else Array(theirs, [Axis(1, "a"), Axis(64, "b")]) if np.ndim(theirs) else theirs
        expected = getattr(first, op)(theirs)
        found = getattr(one, op)(labelled).data
        assert found.dtype == expected.dtype
        assert np.array_equal(found.view(np.int64), expected.view(np.int64)), theirs
    first[5, 5] = np.finfo(float).max
    with pytest.warns(RuntimeWarning, match="overflow"):
        one * 2
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        one * 2
    first[5, 5] = 1e-300
    with np.errstate(under="raise"), pytest.raises(FloatingPointError):
        one * 1e-300


@pytest.mark.parametrize("file", ["a.h5", "a.pkl", "a.zarr"])
def test_large_arrays_are_saved_as_they_lie_and_come_back_to_be_written_to(file, tmp_path):
    data = np.random.default_rng(3).standard_normal((200, 100))
    session = Session(
        plain=Array(data, [Axis(200, "a"), Axis(100, "b")]), turned=Array(data.T, [Axis(100, "b"), Axis(200, "a")]), part=Array(data[::2], [Axis(100, "c"), Axis(100, "b")]),
        swapped=Array(data.astype(">f8"), [Axis(200, "a"), Axis(100, "b")]), ints=ndtest((200, 100)), small=ndtest(3),
        times=Array(np.arange(20_000).astype("M8[s]").reshape(200, 100), [Axis(200, "a"), Axis(100, "b")]))
    session.save(tmp_path / file)
    found = Session(tmp_path / file)
    for name, array in session.items():
        assert np.array_equal(found[name].data, array.data), name
        assert found[name].data.flags.writeable
        found[name].data.flat[0] = array.data.flat[1]
    again = Session(tmp_path / file)
    assert np.array_equal(again["plain"].data, data)
    assert again["ints"].data.flags.aligned


def test_bytes_of_any_length_come_back_from_pickles(tmp_path):
    session = Session(short=b"ab", long=b"\x00\xff" * 100_000, text="x" * 100_000, array=ndtest((100, 100)))
    session.save(tmp_path / "a.pkl")
    found = Session(tmp_path / "a.pkl")
    assert [found[name] for name in ("short", "long", "text")] == [b"ab", b"\x00\xff" * 100_000, "x" * 100_000]
