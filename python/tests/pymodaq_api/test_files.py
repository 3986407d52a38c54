"""Files of pymodaq_data are read here, and files from here by pymodaq_data, PyTables, h5py and h5dump."""

from __future__ import annotations

import shutil
import subprocess
import warnings

import h5py
import numpy as np
import pytest
import stook.pymodaq.backends as ours
import tables
from pymodaq_api.test_backends import VALUES
from pymodaq_data.h5modules import backends as theirs

BACKENDS = ("tables", "h5py")


def fill(module, backend, path):
    """A tree of every kind of node."""
    h5 = module.H5Backend(backend)
    h5.open_file(path, "w", title="a run")
    group = h5.add_group("detector", "detector", h5.root(), title="", metadata={"gain": 2.5})
    for level in (0, 5):
        h5.define_compression("gzip", level)
        carray = h5.create_carray(group, f"c{level}", np.arange(48, dtype="u2").reshape(8, 6), "c")
        for kind, shape in (("f8", None), ("u2", (4, 3)), ("i4", (5,))):
            grown = h5.create_earray(group, f"{kind}{level}", np.dtype(kind), shape, title=kind)
            for i in range(7):
                grown.append(np.full(shape or (1,), i, kind))
        rows = h5.create_vlarray(group, f"rows{level}", "f8", title="rows")
        log = h5.create_vlarray(group, f"log{level}", "string")
        for i in range(5):
            rows.append(np.arange(float(i)))
            log.append(f"line {i} é")
    for name, value in VALUES.items():
        carray.attrs[name] = value
    h5.close_file()


def held(module, backend, path):
    """What a tree holds, for comparison."""
    h5 = module.H5Backend(backend)
    h5.open_file(path, "r")
    found = {}
    for node in h5.walk_nodes("/"):
        kind = type(h5.get_node(node.path)).__name__
        attrs = h5.get_node(node.path).attrs.to_dict()
        attrs = {
            k: str(v) for k, v in attrs.items()
            if not k.startswith("pymodaq") and k not in ("CLASS", "FLAVOR")
        }
        data = None
        if kind != "GROUP":
            data = [np.asarray(row).tolist() for row in h5.get_node(node.path).read()]
        found[node.path] = (kind, attrs, data)
    h5.close_file()
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reader", BACKENDS)
def test_files_hold_the_same_whoever_wrote_and_reads_them(backend, reader, tmp_path):
    for name, module in (("theirs.h5", theirs), ("ours.h5", ours)):
        fill(module, backend, tmp_path / name)
    expected = held(theirs, backend, tmp_path / "theirs.h5")
    assert len(expected) == 14
    for name, module in (("theirs.h5", ours), ("ours.h5", theirs), ("ours.h5", ours)):
        assert held(module, reader if module is ours else backend, tmp_path / name) == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_attributes_are_stored_in_the_forms_of_the_peer(backend, tmp_path):
    def forms(path):
        found = {}

        def visit(name, item):
            for key in item.attrs:
                kind = item.attrs.get_id(key).get_type()
                text = None
                if isinstance(kind, h5py.h5t.TypeStringID):
                    text = (kind.is_variable_str(), kind.get_cset(), kind.get_strpad())
                space = item.attrs.get_id(key).get_space().get_simple_extent_type()
                found[name, key] = (text, str(kind.dtype if text is None else ""), space)

        with h5py.File(path) as file:
            visit("/", file)
            file.visititems(visit)
        return found

    for name, module in (("theirs.h5", theirs), ("ours.h5", ours)):
        fill(module, backend, tmp_path / name)
    expected, found = forms(tmp_path / "theirs.h5"), forms(tmp_path / "ours.h5")
    # The peer's root of h5py files has no class before somebody asks for it.
    assert set(found) >= set(expected)
    for at, form in expected.items():
        assert found[at] == form, at


@pytest.mark.parametrize("backend", BACKENDS)
def test_pytables_opens_every_node_as_what_it_is(backend, tmp_path):
    fill(ours, backend, tmp_path / "run.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tables.open_file(tmp_path / "run.h5") as file:
            kinds = {node._v_pathname: type(node).__name__ for node in file.walk_nodes("/")}
            assert kinds.pop("/") == "RootGroup" and kinds.pop("/Detector") == "Group"
            for path, kind in kinds.items():
                expected = {"c": "CArray", "r": "VLArray", "l": "VLArray"}
                assert kind == expected.get(path.rpartition("/")[2][0], "EArray"), path
                assert len(file.get_node(path).read()) >= 5
    with tables.open_file(tmp_path / "run.h5", "a") as file:
        file.get_node("/Detector/u25").append(np.zeros((1, 4, 3), "u2"))
        file.get_node("/Detector/rows0").append(np.zeros(2))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump is not installed")
def test_h5dump_reads_every_node(backend, tmp_path):
    fill(ours, backend, tmp_path / "run.h5")
    dumped = subprocess.run(
        ["h5dump", tmp_path / "run.h5"], capture_output=True, text=True, check=True
    )
    assert dumped.stdout.count("DATASET") == 12 and not dumped.stderr
