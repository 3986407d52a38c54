"""Labelled arrays beside numpy, pandas, xarray, pickle, and programs that were written for larray."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import stook.larray as la
from stook.larray import Array, Axis, Session, X, ndtest, zeros


def test_an_ndarray_is_kept_and_not_copied():
    data = np.arange(6.0).reshape(2, 3)
    array = Array(data, "a=a0,a1;b=b0..b2")
    assert array.data is data
    assert np.asarray(array) is data
    assert np.shares_memory(array["a1"].data, data)
    assert np.shares_memory(array["b0":"b1"].data, data)
    array["a0", "b1"] = 50
    assert data[0, 1] == 50


def test_functions_of_numpy_go_by_the_names_of_axes():
    array, other = ndtest((2, 3)), ndtest("b=b0..b2;a=a0,a1")
    assert np.add(array, other).equals(array + other)
    assert np.add(array, other).axes == array.axes
    out = zeros(array.axes, dtype=int)
    assert np.multiply(array, 3, out=out) is out
    assert out.equals(array * 3)
    found = np.add(array, 10, out=array.copy(), where=array > 2)
    assert found.data.tolist() == [[0, 1, 2], [13, 14, 15]]
    assert np.add.reduce(array, axis=1).axes == array.axes["a",]
    assert np.sum(array, axis=0).axes == array.axes["b",]
    whole, part = np.divmod(array, 2)
    assert (whole * 2 + part).equals(array)
    with pytest.raises(ValueError, match="incompatible axes"):
        np.add(array, ndtest("a=a1,a2"))


@pytest.mark.parametrize("way", [pickle.loads, copy.copy, copy.deepcopy])
def test_objects_are_copied_and_pickled(way):
    array = Array([[1, 2], [3, 4]], "a=a0,a1;b=1,2", meta={"title": "t"})
    axis = array.a
    for value in (array, axis, axis["a0"] >> "g", axis.i[1], array.axes):
        found = way(pickle.dumps(value)) if way is pickle.loads else way(value)
        assert type(found) is type(value)
        assert repr(found) == repr(value)
    session = Session(array=array, axis=axis, meta={"x": 1})
    found = pickle.loads(pickle.dumps(session))
    assert found.equals(session)
    assert found.meta == session.meta
    assert pickle.loads(pickle.dumps(array)).meta.title == "t"


def test_pandas_both_ways():
    pandas = pytest.importorskip("pandas")
    array = Array(np.arange(12.0).reshape(2, 3, 2), [Axis("a=a0,a1"), Axis([2020, 2021, 2022], "year"), Axis("c=x,y")])
    assert la.from_frame(array.to_frame()).equals(array, check_axes=True)
    assert la.from_series(array.to_series()).equals(array, check_axes=True)
    dates = Axis(pandas.date_range("2020-01-01", periods=3).to_numpy(), "day")
    days = Array([1, 2, 3], dates)
    assert la.from_series(days.to_series())[np.datetime64("2020-01-02")] == 2


def test_xarray_both_ways():
    xarray = pytest.importorskip("xarray")
    array = Array([[1, 2], [3, 4]], [Axis("a=a0,a1"), Axis(2, "b")], meta={"unit": "m"})
    found = array.to_xarray("speed")
    assert found.dims == ("a", "b")
    assert found.attrs == {"unit": "m"}
    assert found.sel(a="a1").values.tolist() == [3, 4]
    back = la.from_xarray(found)
    assert back.equals(array, check_axes=True)
    assert back.data is array.data or np.shares_memory(back.data, array.data)
    assert back.meta == {"unit": "m", "title": "speed"}
    assert la.asarray(xarray.DataArray([1, 2], {"t": [10, 20]}, ["t"]))[20] == 2
    with pytest.raises(TypeError):
        la.from_xarray(5)


def test_a_program_written_for_larray_runs_with_its_name_lent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from larray import *\nimport larray.random\nimport importlib.metadata\n"
        "print(ndtest(2).sum(), Array.__module__, importlib.metadata.version('larray'))\n"
    )
    command = [sys.executable, "-m", "stook.compat", "larray", "--", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "1 stook.larray._array 0.35.2\n"


def test_text_is_never_evaluated():
    assert Axis("a={1+1},b").labels.tolist() == ["{1+1}", "b"]
    array = Array([1, 2], "a={1+1},b")
    assert array["{1+1}"] == 1


def test_a_session_of_anything_is_compacted_and_transposed():
    array = Array([[1, 1], [2, 2]], "a=a0,a1;b=b0,b1")
    session = Session(n=1, text="x", array=array)
    found = session.compact()
    assert found.n == 1
    assert found.array.axes.names == ["a"]
    assert session.transpose("b", "a", "c").array.axes.names == ["b", "a"]
    assert session.transpose("c", "b").array.axes.names == ["b", "a"]
    assert session.transpose().array.axes.names == ["b", "a"]


def test_labels_that_are_asked_late_are_those_that_were_selected():
    array = ndtest((3, 4))
    found = array[array > 5]
    array.a.labels[0] = "zz"
    assert found.axes[0].name == "a_b"
    assert len(found.axes[0]) == len(found)
    assert found.axes[0].labels.tolist()[0] == "a1_b2"


def test_conditions_on_axes_select():
    array = ndtest("a=a0..a2;year=2020..2023")
    assert array[X.year > 2021].axes.year.labels.tolist() == [2022, 2023]
    assert array[(X.year > 2021) & (X.a == "a1")].data.tolist() == [6, 7]
    assert array[array.year.i[-2:], "a0"].data.tolist() == [2, 3]
