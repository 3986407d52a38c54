"""Sessions that larray wrote are saved by the library, and larray loads them as they were.

The library's own tests read what larray wrote (crates/stook-labelled/tests); here larray reads what
the library writes, with pandas 2 and 3.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from peer_process import python_of
from stook import _stook

FIXTURES = Path(__file__).resolve().parents[3] / "crates/stook-labelled/tests/fixtures"

PROGRAM = """
import sys, warnings
warnings.filterwarnings("ignore")
import numpy as np
from larray import Array, Axis, Group, Session
ours, theirs = Session(sys.argv[1]), Session(sys.argv[2])

def plain(values):
    return [str(value) for value in np.ravel(values).tolist()]

def axis(one):
    # larray's own `equals` fails on labels that are dates.
    labels = np.asarray(one.labels)
    return one.name, plain(labels.astype("M8[ns]") if labels.dtype.kind == "M" else labels)

def same(a, b):
    if isinstance(a, Array):
        axes = isinstance(b, Array) and list(map(axis, a.axes)) == list(map(axis, b.axes))
        return axes and plain(a.data) == plain(b.data)
    if isinstance(a, Axis):
        return isinstance(b, Axis) and axis(a) == axis(b)
    if isinstance(a, Group):
        return isinstance(b, Group) and plain(a.eval()) == plain(b.eval())
    return a == b or (a != a and b != b)

for name in theirs.keys():
    if sys.argv[3] == "tables" and not isinstance(theirs[name], Array):
        continue
    if name in sys.argv[4:]:
        continue
    if name not in ours.keys():
        print("missing", name)
    elif not same(theirs[name], ours[name]):
        print("differs", name, repr(theirs[name]), repr(ours[name]))
"""


def differences(python: str, ours: Path, theirs: Path, kind: str, *without: str) -> list[str]:
    command = [python, "-c", PROGRAM, str(ours), str(theirs), kind, *without]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "variable", ["STOOK_LARRAY_PYTHON", "STOOK_LARRAY_PANDAS3_PYTHON"], ids=["pandas2", "pandas3"]
)
@pytest.mark.parametrize("name", ["ours.h5", "ours.pkl", "ours", "ours.xlsx"])
def test_larray_loads_what_is_saved_here(tmp_path, variable, name):
    python = python_of(variable, "larray")
    theirs = FIXTURES / "pandas2/session.pkl"
    items, metadata, _, lost = _stook.labelled_load(theirs)
    assert lost == []
    # larray has no groups of an axis that is only named in its files of HDF5.
    # It makes objects of dates in tables, of its own files as well.
    without = ["loose", "of_dates", "of_dates3"] if name == "ours.h5" else []
    if not name.endswith((".h5", ".pkl")):
        # larray takes three-dimensional sheets, labels and types of tables for others.
        without = ["empty", "of_dates", "of_dates3", "texts", "f32", "of_floats", "with_meta", "truth",
                   "i8", "d3", "d4", "d5", "d6", "unsorted", "of_nothing", "of_booleans", "missing"]
    if name == "ours.xlsx":
        # Whole floats are integers in workbooks, in larray's own as well.
        without.append("of_wildcard")
    ours = tmp_path / name
    saved, lost = _stook.labelled_save(
        ours, [item for item in items if item[0] not in without], metadata
    )
    if name.endswith((".h5", ".pkl")):
        assert lost == [], lost
        assert len(saved) == len(items) - len(without)
    kind = "all" if name.endswith((".h5", ".pkl")) else "tables"
    assert differences(python, ours, theirs, kind, *without) == []
