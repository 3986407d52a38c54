"""Names and signatures are those of larray."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
import stook.larray as ours

# What they print: names, and for classes those of members, with the parameters of what can be called.
PROGRAM = """
import inspect, json, larray, types

def parameters(thing):
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name] for p in found]

surface = {}
for name in dir(larray):
    thing = getattr(larray, name)
    if name.startswith("_") or isinstance(thing, types.ModuleType):
        continue
    members = {}
    if inspect.isclass(thing) and thing.__module__.startswith("larray"):
        for member in dir(thing):
            if not member.startswith("_"):
                value = inspect.getattr_static(thing, member)
                members[member] = parameters(value) if inspect.isfunction(value) else None
    surface[name] = [parameters(thing) if inspect.isfunction(thing) else None, members]
print(json.dumps(surface))
"""

#: What is not here; docs/deviations.md says why.
LEFT_OUT = {
    "EXAMPLE_EXCEL_TEMPLATES_DIR", "ExcelReport", "ReportSheet", "Workbook", "open_excel",
    "debug", "edit", "view", "compare", "run_editor_on_exception",
    "get_example_filepath", "load_example_data",
}
#: Members of pydantic's models.
NOT_PYDANTIC = {"CheckedSession", "CheckedParameters"}


@pytest.fixture(scope="module")
def theirs(peer):
    return json.loads(peer.run(PROGRAM))


def test_every_public_name_is_there(theirs):
    assert len(theirs) > 120
    assert sorted(name for name in theirs if not hasattr(ours, name)) == sorted(LEFT_OUT)


def test_every_member_of_every_class_is_there(theirs):
    missing = [
        f"{name}.{member}"
        for name, (_, members) in theirs.items()
        if name not in LEFT_OUT | NOT_PYDANTIC
        for member in members
        if not hasattr(getattr(ours, name), member)
    ]
    assert not missing


def test_signatures_are_the_same(theirs):
    compared = 0
    for name, (own, members) in theirs.items():
        if name in LEFT_OUT | NOT_PYDANTIC:
            continue
        thing = getattr(ours, name)
        pairs = [(name, own, thing)]
        pairs += [(f"{name}.{member}", expected, inspect.getattr_static(thing, member))
                  for member, expected in members.items()]
        for path, expected, found in pairs:
            if expected is None or not inspect.isfunction(found):
                continue
            if [kind for _, kind in expected] == ["VAR_POSITIONAL", "VAR_KEYWORD"]:
                continue
            assert expected == [[p.name, p.kind.name] for p in inspect.signature(found).parameters.values()], path
            compared += 1
    assert compared > 150


def test_importing_takes_no_package_but_numpy():
    source = (
        "import time; before = time.process_time(); import stook.larray, sys; took = time.process_time() - before;"
        "print([name for name in ('pandas', 'xarray', 'pydantic', 'openpyxl', 'tables', 'matplotlib', 'h5py')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_changes_nothing_of_numpy():
    source = (
        "import numpy as np, warnings; before = np.get_printoptions(), np.geterr(), np.geterrcall(), warnings.filters[:];"
        "import stook.larray; print(before == (np.get_printoptions(), np.geterr(), np.geterrcall(), warnings.filters[:]))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
