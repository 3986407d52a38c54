"""Sessions in stores that larray has not: tables of Arrow and Parquet, Zarr; lazily, with reports, and sheets."""

from __future__ import annotations

import datetime
import subprocess

import numpy as np
import pytest
import stook.larray as la
from peer_process import python_of
from stook.larray import Array, Axis, Session, ndtest, zeros

STORES = ["arrow", "parquet", "zarr"]


def made() -> Session:
    """Objects of every kind, with what is hard to keep."""
    a, year = Axis("a=a0..a2"), Axis([2020, 2021], "year")
    days = Axis(np.array(["2020-01-01", "2020-01-02"], "M8[D]"), "day")
    return Session(
        i=5, f=np.nan, text="größe", flag=True, data=b"\x00\xff", day=datetime.date(2020, 2, 29),
        moment=datetime.datetime(2020, 1, 2, 3, 4, 5), number=np.float32(0.5),
        a=a, words=Axis("ä,日本", "w"), group=a["a0,a1"] >> "g", places=year.i[0, 1] >> "p",
        one=ndtest(3), two=Array([[np.nan, np.inf], [-np.inf, 0.1], [1, 2]], [a, year], meta={"title": "of two"}),
        six=ndtest((2, 1, 2, 1, 2, 3)), wild=zeros((2, 3)), empty=zeros((Axis(0, "e"), a)),
        days=Array([1, 2], days), texts=Array(["x", "größer"], "a=a0,a1"), flags=ndtest((2, 3)) > 2,
        small=Array(np.array([1, 2], "i1"), "a=a0,a1"), moments=Array(np.array(["2020-01-01T01", "NaT"], "M8[s]"), "a=a0,a1"),
        meta={"title": "t", "n": 3},
    )


@pytest.mark.parametrize("extension", STORES)
def test_everything_comes_back_in_its_order(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    saved = made()
    report = saved.save(path, report=True)
    assert report.not_saved == {}
    found = Session()
    report = found.load(path, report=True)
    assert report.not_loaded == {}
    assert list(found.keys()) == list(saved.keys()) == report.loaded
    assert found.equals(saved, nans_equal=True)
    assert found.meta == saved.meta
    assert found.two.meta.title == "of two"
    for name in ("i", "text", "flag", "data", "day", "moment", "number"):
        assert found[name] == saved[name], name
    for name, array in saved.filter(kind=Array).items():
        assert found[name].dtype == array.dtype or array.dtype.kind == "U", name
        assert found[name].axes == array.axes, name
        assert [axis.iswildcard for axis in found[name].axes] == [axis.iswildcard for axis in array.axes], name
    only = Session()
    only.load(path, names=["two", "nowhere"])
    assert only.names == ["two"]
    assert Session(path).equals(saved, nans_equal=True)


@pytest.mark.parametrize("extension", [*STORES, "h5", "pkl", "xlsx"])
def test_a_file_is_opened_without_its_elements(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    array = ndtest((3, 4)) * 1.5
    Session(array=array, line=ndtest(2), meta={"title": "t"}).save(path)
    lazy = Session.open(path)
    assert sorted(lazy.names) == ["array", "line"]
    assert "array" in lazy
    assert len(lazy) == 2
    assert lazy.kind("array") == "Array"
    assert lazy.axes("array") == array.axes
    assert lazy.dtype("array") == "float64"
    assert lazy.meta.title == "t"
    assert lazy["array"].equals(array)
    assert lazy.rows("array", 1, 3).equals(array["a1":"a2"])
    assert lazy.load("line").names == ["line"]
    with pytest.raises(KeyError):
        lazy["nowhere"]
    with pytest.raises(FileNotFoundError):
        Session.open(tmp_path / "nowhere.h5")


def test_what_is_not_kept_is_told(tmp_path):
    session = Session(array=ndtest(3), n=5, objects=Array(np.array([1, "x"], dtype=object), "a=a0,a1"))
    report = session.save(tmp_path / "x.parquet", report=True)
    assert report.saved == ["array", "n"]
    assert "expected text, found int" in report.not_saved["objects"]
    assert session.save(tmp_path / "y.parquet") is None


# What pyarrow and pandas make of the tables, and what they write.
READS = """
import sys
import pyarrow as pa, pyarrow.ipc, pyarrow.parquet, pandas as pd
folder, extension = sys.argv[1:]
def read(name):
    path = f"{folder}/{name}.{extension}"
    return pa.parquet.read_table(path) if extension == "parquet" else pa.ipc.open_file(path).read_all()
two = read("two")
print(two.column_names, [str(field.type) for field in two.schema], two.num_rows)
frame = two.to_pandas()
print(frame["a"].tolist(), frame["year"].tolist(), frame["value"].tolist())
days = read("days").to_pandas()
print([str(day) for day in days["day"]], days["value"].tolist())
moments = read("moments").to_pandas()["value"]
print([str(moment) for moment in moments])
print(read("texts").to_pandas()["value"].tolist(), read("flags").to_pandas()["value"].tolist())
print(read("empty").num_rows, read("small").schema.field("value").type, read("six").num_rows)
print((pd.read_parquet if extension == "parquet" else pd.read_feather)(f"{folder}/one.{extension}").columns.tolist())
"""

WRITES = """
import sys
import pandas as pd, pyarrow as pa
folder, extension = sys.argv[1:]
frame = pd.DataFrame({"year": [2021, 2020, 2021], "sex": ["F", "M", "M"], "value": [1.5, 2.5, 3.5]})
write = lambda frame, name: (
    frame.to_parquet if extension == "parquet" else frame.to_feather)(f"{folder}/{name}.{extension}")
write(frame, "plain")
frame["sex"] = frame["sex"].astype("category")
write(frame.rename(columns={"value": "n"}), "categories")
write(pd.concat([frame, frame]), "twice") if extension == "parquet" else write(pd.concat([frame, frame]).reset_index(drop=True), "twice")
write(pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2020-01-03"]), "value": [1, None]}), "days")
"""


def run(program: str, *arguments) -> list[str]:
    python = python_of("STOOK_ONE_PYTHON", "pyarrow")
    command = [python, "-W", "ignore", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("extension", ["arrow", "parquet"])
def test_pyarrow_and_pandas_read_the_tables(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    made().save(path)
    found = run(READS, path, extension)
    assert found == [
        "['a', 'year', 'value'] ['dictionary<values=string, indices=int32, ordered=0>', 'int64', 'double'] 6",
        "['a0', 'a0', 'a1', 'a1', 'a2', 'a2'] [2020, 2021, 2020, 2021, 2020, 2021] [nan, inf, -inf, 0.1, 1.0, 2.0]",
        "['2020-01-01', '2020-01-02'] [1, 2]",
        "['2020-01-01 01:00:00', 'NaT']",
        "['x', 'größer'] [False, False, False, True, True, True]",
        "0 int8 24",
        "['a', 'value']",
    ]


@pytest.mark.parametrize("extension", ["arrow", "parquet"])
def test_tables_of_others_are_arrays(extension, tmp_path):
    path = tmp_path / f"session.{extension}"
    path.mkdir()
    run(WRITES, path, extension)
    found = Session()
    report = found.load(path, report=True)
    assert found.names == ["categories", "days", "plain"]
    assert "several rows have the labels" in report.not_loaded["twice"]
    plain = found.plain
    assert plain.axes.names == ["year", "sex"]
    assert plain.axes.year.labels.tolist() == [2021, 2020]
    assert np.array_equal(plain.data, [[1.5, 3.5], [np.nan, 2.5]], equal_nan=True)
    assert found.categories.equals(plain, nans_equal=True)
    assert found.days.axes[0].labels.dtype.kind == "M"
    assert np.array_equal(found.days.data, [1, np.nan], equal_nan=True)
    alone = Session(path / f"plain.{extension}")
    assert alone.plain.equals(plain, nans_equal=True)


def test_sheets_are_read_as_they_are_told_to_be(tmp_path):
    path = tmp_path / "book.xlsx"
    array = ndtest((2, 2, 2)) * 1.5
    Session(array=array, line=ndtest(3)).save(path)
    for options in ({}, {"nb_axes": 3}, {"index_col": [0, 1]}, {"sheet": "array", "nb_axes": 3}):
        assert la.read_excel(path, **options).equals(array), options
    assert la.read_excel(path, 1).equals(ndtest(3))
    narrow = la.read_excel(path, wide=False)
    assert narrow.axes.names == ["a", "b\\c", "c0"]
    with pytest.raises(ValueError, match="cannot be used when `wide`"):
        la.read_excel(path, nb_axes=3, wide=False)
    with pytest.raises(ValueError, match="Worksheet named 'zz' not found"):
        la.read_excel(path, "zz", nb_axes=3)
    with pytest.raises(ValueError, match="Worksheet index 5 is invalid, 2 worksheets found"):
        la.read_excel(path, 5, nb_axes=2)


def test_sheets_of_larray_are_read(peer, tmp_path):
    peer.run(
        "import larray, sys\nfolder = sys.argv[1]\n"
        "larray.ndtest((2, 3, 2)).to_excel(f'{folder}/wide.xlsx', 'sheet')\n"
        "larray.ndtest((2, 3, 2)).to_excel(f'{folder}/narrow.xlsx', 'sheet', wide=False)\nprint()",
        tmp_path,
    )
    array = ndtest((2, 3, 2))
    assert la.read_excel(tmp_path / "wide.xlsx", "sheet").equals(array)
    assert la.read_excel(tmp_path / "wide.xlsx", "sheet", nb_axes=3).equals(array)
    assert la.read_excel(tmp_path / "narrow.xlsx", "sheet", wide=False).equals(array)


def kept_with_a_sidecar(path):
    """A session that is saved with a sidecar, and what is loaded, which is the same."""
    saved = made()
    report = saved.save(path, sidecar=True, report=True)
    assert report.not_saved == {}
    found = Session(path)
    assert found.equals(saved, nans_equal=True)
    assert list(found.keys()) == list(saved.keys())
    return saved, found


def test_workbooks_keep_everything_with_a_sidecar(tmp_path):
    path = tmp_path / "book.xlsx"
    saved, found = kept_with_a_sidecar(path)
    assert found.day == saved.day
    plain = saved.filter(kind=Array)
    assert Session(n=5, array=ndtest(3)).save(path, report=True).saved == ["array"]
    assert len(plain) > 5


def test_folders_of_text_keep_everything_with_a_sidecar(tmp_path):
    path = tmp_path / "folder"
    saved, found = kept_with_a_sidecar(path)
    assert (found.day, found.meta) == (saved.day, saved.meta)
    only = Session()
    assert only.load(path, names=["two", "i"], report=True).loaded == ["i", "two"]
    assert Session(n=5, array=ndtest(3)).save(tmp_path / "plain", sidecar=False, report=True).saved == ["array"]
