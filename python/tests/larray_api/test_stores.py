"""Sessions in binary files: what comes back is what was saved, here and with larray, both ways."""

from __future__ import annotations

import datetime
import os
import subprocess

import numpy as np
import pytest
import stook.larray as la
from stook.larray import Array, Axis, Session, ndtest, zeros

#: Each environment that has larray.
VARIABLES = ("STOOK_LARRAY_PYTHON", "STOOK_LARRAY_PANDAS3_PYTHON")

# The session that both sides make; names are those of larray.
PROGRAM = '''
import datetime
import numpy as np

def made(la):
    a, year = la.Axis("a=a0..a2"), la.Axis([2020, 2021], "year")
    return la.Session(
        i=5, f=1.5, text="größe", flag=True,
        a=a, year=year, words=la.Axis("ä,日本", "w"),
        group=a["a0,a1"] >> "g", places=year.i[0, 1] >> "p",
        one=la.ndtest(3), two=la.ndtest((a, year)) * 1.5,
        three=la.ndtest((2, 3, 4)), four=la.ndtest((2, 1, 3, 2)),
        odd=la.Array([[np.nan, np.inf], [-np.inf, 0.1]], "x=x0,x1;y=y0,y1"),
        flags=la.ndtest((2, 3)) > 2,
        meta={"title": "t", "n": 3},
    )

def told(session, la):
    found = []
    for name in sorted(session.keys()):
        value = session[name]
        if isinstance(value, la.Array):
            value = (str(value.dtype), value.axes.names, [axis.labels.tolist() for axis in value.axes], value.data.tolist())
        elif isinstance(value, la.Axis):
            value = ("axis", value.name, value.labels.tolist())
        elif isinstance(value, la.Group):
            value = (type(value).__name__, value.name, list(map(str, value.eval())), value.axis.name)
        else:
            value = (type(value).__name__, str(value))
        found.append(repr((name, value)))
    return "\\n".join(found)
'''
namespace: dict = {}
exec(PROGRAM, namespace)
made, told = namespace["made"], namespace["told"]


def run(python: str, source: str, path) -> str:
    command = [python, "-W", "ignore", "-c", f"{PROGRAM}\nimport sys, larray\n{source}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def expected(extension: str) -> list[str]:
    """What is told of the session after larray has saved or loaded it: its HDF5 has no groups of positions."""
    lines = told(made(la), la)
    return (lines.replace("'IGroup'", "'LGroup'") if extension == "h5" else lines).splitlines()


@pytest.fixture(params=VARIABLES)
def python(request):
    if request.param not in os.environ:
        pytest.skip(f"{request.param} names no Python with larray; cargo xtask test makes one")
    return os.environ[request.param]


@pytest.mark.parametrize("extension", ["h5", "pkl"])
def test_larray_loads_what_is_saved_here(python, extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    made(la).save(path)
    found = run(python, "print(told(larray.Session(sys.argv[1]), larray))", path)
    assert found.splitlines() == expected(extension)


@pytest.mark.parametrize("extension", ["h5", "pkl"])
def test_what_larray_saves_is_loaded_here(python, extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    run(python, "made(larray).save(sys.argv[1])", path)
    assert told(Session(path), la).splitlines() == expected(extension)
    assert Session(path).meta == {"title": "t", "n": 3}


@pytest.mark.parametrize("extension", ["h5", "pkl"])
def test_everything_comes_back(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    saved = made(la)
    saved.update(
        wild=zeros((2, 3)), anonymous=Axis("x,y"), slice=Axis("a=a0..a2")["a0":"a1"], day=datetime.date(2020, 2, 29),
        days=Array([1, 2], Axis(np.array(["2020-01-01", "2020-01-02"], "M8[D]"), "day")), number=np.float32(0.5),
        moment=datetime.datetime(2020, 1, 2, 3, 4, 5), data=b"\\x00\\xff", texts=Array(["x", "größer"], "a=a0,a1"),
    )
    saved["two"].meta.title = "of an array"
    saved.save(path)
    found = Session(path)
    assert sorted(found.keys()) == sorted(saved.keys())
    assert found.equals(saved, nans_equal=True)
    assert found.two.meta.title == "of an array"
    assert found.wild.axes[0].iswildcard
    assert (found.day, found.moment, found.data, found.i, found.text) == (
        saved.day, saved.moment, saved.data, saved.i, saved.text)
    assert found.number == 0.5
    assert found.days.axes[0].labels.dtype.kind == "M"


@pytest.mark.parametrize("extension", ["h5", "pkl"])
def test_objects_are_added_to_a_file_or_take_its_place(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    Session(a=ndtest(3), b=1).save(path)
    Session(b=2, c=ndtest(2)).save(path, overwrite=False)
    found = Session(path)
    assert found.names == ["a", "b", "c"]
    assert found.b == 2
    Session(d=1).save(path)
    assert Session(path).names == ["d"]
    other = Session(x=1)
    other.load(path, names=["d", "nowhere"])
    assert other.names == ["d", "x"]


def test_single_objects_of_hdf5(tmp_path):
    path = tmp_path / "one.h5"
    array = ndtest((2, 3))
    array.to_hdf(path, "arr")
    array.a.to_hdf(path)
    (array.b["b0,b2"] >> "some").to_hdf(path)
    assert la.read_hdf(path, "arr").equals(array)
    assert la.read_hdf(path, "a").equals(array.a)
    assert la.read_hdf(path, "some").eval() == ["b0", "b2"]
    with pytest.raises(KeyError):
        la.read_hdf(path, "nowhere")
    with pytest.raises(FileNotFoundError):
        la.read_hdf(tmp_path / "nowhere.h5", "arr")
