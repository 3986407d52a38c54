"""What larray gets wrong in its own files and sessions is right here, beside what the tests of formats show.

Floats in text: test_files.py. What importing changes: test_surface.py. Larray's words for each: docs/deviations.md.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from peer_process import python_of
from stook.larray import Array, Axis, Session, ndtest

HARD = [np.pi, 1 / 3, 0.1, 1e22, 1.7976931348623157e308, 5e-324, -2.2250738585072014e-308, 123456789.12345678]

SCALARS = [
    np.float64(0.1), np.float32(0.1), np.float16(0.5), np.int8(-1), np.int64(2**62), np.uint8(255), np.uint64(2**63),
    np.bool_(True), np.str_("größe"), np.bytes_(b"\x00a"), np.datetime64("2020-02-29"),
    np.datetime64("2020-01-01T01:02:03"),
]

#: Days, months, seconds, nanoseconds.
DATES = [["2020-01-01", "1969-12-31", "9999-12-31"], ["2020-01", "1850-06"], ["2020-01-01T01:02:03", "1900-01-01T00:00:00"],
         ["2020-01-01T00:00:00.000000001", "2200-01-01T00:00:00.999999999"]]


def stored(session: Session, path, **options) -> Session:
    session.save(path, **options)
    return Session(path)


@pytest.mark.parametrize("name", ["folder", "x.xlsx", "x.h5", "x.pkl", "x.zarr"])
def test_every_digit_is_kept(name, tmp_path):
    values = Array([HARD, [-value for value in HARD]], [Axis("a=a0,a1"), Axis(len(HARD), "n")])
    assert stored(Session(x=values), tmp_path / name).x.data.tolist() == values.data.tolist()


@pytest.mark.parametrize("ndim", [1, 2, 3, 4, 5, 6])
def test_sheets_of_many_axes_are_loaded(ndim, tmp_path):
    array = ndtest((2, 3, 2, 2, 1, 2)[:ndim]) / 7
    found = stored(Session(x=array, y=ndtest(2)), tmp_path / "x.xlsx")
    assert found.x.axes == array.axes
    assert found.x.data.tolist() == array.data.tolist()


def test_sheets_of_many_axes_that_larray_saved_are_loaded(peer, tmp_path):
    peer.run("import larray, sys\nndtest = larray.ndtest\nlarray.Session("
             "**{f'x{n}': ndtest((2, 3, 2, 2)[:n]) / 7 for n in range(1, 5)}).save(sys.argv[1])\nprint()", tmp_path / "x.xlsx")
    found = Session(tmp_path / "x.xlsx")
    for ndim in range(1, 5):
        array = ndtest((2, 3, 2, 2)[:ndim]) / 7
        assert found[f"x{ndim}"].axes == array.axes
        assert np.allclose(found[f"x{ndim}"].data, array.data, rtol=1e-15)


@pytest.mark.parametrize("name", ["x.h5", "x.pkl", "x.zarr"])
def test_scalars_of_numpy_are_saved_and_loaded(name, tmp_path):
    saved = Session({f"s{number}": value for number, value in enumerate(SCALARS)}, array=ndtest(2))
    report = saved.save(tmp_path / name, report=True)
    assert report.not_saved == {}
    found = Session(tmp_path / name)
    for key, value in saved.filter(kind=np.generic).items():
        assert found[key] == value, value
        # Bytes are of any length in files of HDF5, and of Python's type then.
        assert type(found[key]) is type(value) or isinstance(value, type(found[key])) and isinstance(value, bytes), value
    assert found.array.equals(saved.array)


def test_larray_loads_scalars_of_numpy_that_are_saved_here(tmp_path, peer):
    path = tmp_path / "x.h5"
    Session(f=np.float32(0.5), i=np.int8(-3), b=np.bool_(True), s=np.str_("größe"), x=ndtest(2)).save(path)
    printed = peer.run("import larray, sys\ns = larray.Session(sys.argv[1])\nprint(s.f == 0.5, s.i == -3, s.b, s.s, s.x.sum())",
                       path)
    assert printed.split() == ["True", "True", "True", "größe", "1"]


@pytest.mark.parametrize("name", ["x.h5", "x.pkl", "x.zarr"])
@pytest.mark.parametrize("labels", DATES, ids=["days", "months", "seconds", "nanoseconds"])
def test_axes_of_dates_are_kept(name, labels, tmp_path):
    dates = Axis(np.array(labels, "M8"), "when")
    found = stored(Session(x=Array(np.arange(len(dates)), dates), when=dates), tmp_path / name)
    for axis in (found.x.axes[0], found.when):
        assert axis.name == "when"
        assert axis.labels.dtype == dates.labels.dtype
        assert axis.labels.tolist() == dates.labels.tolist()
    assert found.x[dates.labels[1]] == 1


def test_text_takes_kilobytes_and_not_a_megabyte(tmp_path):
    def size(count: int) -> int:
        Session({f"s{number}": "some text" for number in range(count)}).save(tmp_path / "x.h5")
        return os.path.getsize(tmp_path / "x.h5")

    assert size(1) < 20_000
    assert size(21) - size(1) < 20 * 5000


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not to be saved")


STORES = ["folder", "x.xlsx", "x.h5", "x.pkl", "x.zarr"]


@pytest.mark.parametrize("name", STORES)
def test_what_is_not_saved_is_told_and_the_rest_is_there(name, tmp_path):
    objects = np.array([Unpicklable(), 1], dtype=object)
    session = Session(first=ndtest(2), call=print, nothing=None, bad=Unpicklable(), last=ndtest(3))
    if name != "folder":
        session["odd"] = Array(objects, "a=a0,a1")
    report = session.save(tmp_path / name, report=True)
    assert report.saved == ["first", "last"]
    assert sorted(report.not_saved) == sorted({*session.keys()} - {"first", "last"})
    assert report.not_saved["call"] == "builtin_function_or_method is not a supported type"
    assert all(report.not_saved.values())
    assert Session(tmp_path / name).names == ["first", "last"]


@pytest.mark.parametrize("name", STORES)
def test_what_is_loaded_is_told(name, tmp_path):
    Session(x=ndtest(2), y=ndtest(3)).save(tmp_path / name)
    report = Session().load(tmp_path / name, report=True)
    assert (report.loaded, report.not_loaded) == (["x", "y"], {})


@pytest.mark.parametrize("name", ["x.xlsx", "x.h5", "x.pkl"])
def test_a_save_that_cannot_be_leaves_the_file(name, tmp_path):
    """Here no more than a few bytes may be written to a file, in a process of its own."""
    pytest.importorskip("resource")
    path = tmp_path / name
    Session(x=ndtest(3)).save(path)
    before = path.read_bytes()
    program = (
        "import resource, signal, sys\nfrom stook.larray import Session, zeros\nimport numpy as np\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "big = Session(**{f'x{n}': zeros((50, 60)) + np.random.default_rng(1).random((50, 60)) for n in range(5)})\n"
        "try:\n    big.save(sys.argv[1])\nexcept OSError:\n    print('told')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == "told\n", done.stderr
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_compact_leaves_what_is_no_array():
    axis = Axis("a=a0,a1")
    session = Session(n=1, text="x", axis=axis, group=axis["a0"], nothing=None, items=[1],
                      x=Array([[1, 1], [2, 2]], "a=a0,a1;b=b0,b1"))
    found = session.compact()
    assert found.x.axes.names == ["a"]
    assert list(found.keys()) == list(session.keys())
    assert all(found[name] is session[name] for name in session.keys() if name != "x")


@pytest.mark.parametrize(("order", "expected"), [
    (["c", "a", "b"], "cab"), (["b"], "bac"), (["zz", "c"], "cab"), (["c", "zz", "b"], "cba"), ([("c", "b")], "cba"),
    ([["b", "c"]], "bca"), ([..., "a"], "bca"), (["c", ..., "a"], "cba"), ([..., "zz"], "abc"), ([2, 0], "cab"),
    ([], "cba"),
])
def test_every_order_of_axes_is_followed(order, expected):
    session = Session(n=1, x=ndtest((2, 3, 4)))
    found = session.transpose(*order)
    assert "".join(found.x.axes.names) == expected
    assert found.x.equals(session.x.transpose(*expected))
    assert found.n == 1


@pytest.mark.parametrize("variable", ["STOOK_LARRAY_PYTHON", "STOOK_LARRAY_PANDAS3_PYTHON"], ids=["pandas2", "pandas3"])
def test_larray_loads_axes_of_dates_that_are_saved_here(variable, tmp_path):
    days = Axis(np.array(["2020-01-01", "2021-12-31"], "M8[D]"), "day")
    Session(x=Array([1.5, 2.5], days)).save(tmp_path / "x.h5")
    program = ("import sys, warnings\nwarnings.simplefilter('ignore')\nimport larray\n"
               "x = larray.Session(sys.argv[1]).x\nprint(x.axes[0].labels.astype('M8[D]').tolist(), x.data.tolist())")
    done = subprocess.run([python_of(variable, "larray"), "-c", program, str(tmp_path / "x.h5")],
                          capture_output=True, text=True, check=False)
    assert done.stdout == "[datetime.date(2020, 1, 1), datetime.date(2021, 12, 31)] [1.5, 2.5]\n", done.stderr
