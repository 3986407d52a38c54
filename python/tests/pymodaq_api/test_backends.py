"""Every method of the API text, by one body for pymodaq_data and for stook."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

VALUES = {
    "text": "é'\n",
    "empty": "",
    "number": 5,
    "real": 0.1,
    "list": [1, "a", None, [2.5]],
    "tuple": (1, 2.5),
    "flag": False,
    "blob": b"\x00bytes'",
    "day": datetime.date(2026, 1, 2),
    "moment": datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    "time": datetime.time(3, 4, 5),
    "float64": np.float64(1.5),
    "nested": [np.float64(1.5), (np.float64(2.0),)],
}


def paths(nodes):
    return [node.path for node in nodes]


def test_enumerations(made):
    module, _ = made
    assert module.GroupType.names() == [
        "detector", "actuator", "data", "ch", "scan", "external_h5", "data_dim", "data_logger",
    ]
    assert module.SaveType.names() == [
        "scan", "detector", "logger", "custom", "actuator", "optimizer",
    ]
    assert module.SaveType.custom == "custom" and module.SaveType.custom.value == 3
    assert module.GroupType["scan"] != "ch"


def test_exceptions_are_there(made):
    module, _ = made
    for name in ("DataDimension", "DataType", "Export", "GroupDataType", "GroupType", "Save"):
        assert issubclass(getattr(module, f"Invalid{name}"), Exception)
    assert issubclass(module.InvalidScanType, Exception)


def test_check_mandatory_attrs(made):
    module, _ = made
    assert module.check_mandatory_attrs("TITLE", b"a") == "a"
    assert module.check_mandatory_attrs("CLASS", "a") == "a"
    assert module.check_mandatory_attrs("other", b"a") == b"a"


def test_the_file(made, tmp_path):
    module, h5 = made
    assert h5.isopen() and h5.filename == str(tmp_path / "run.h5")
    assert h5.root().path == "/" and h5.root().title == "a run"
    assert h5.root().attrs["pymodaq_data_version"] == "5.3.0"
    h5.close_file()
    assert not h5.isopen()
    h5.close_file()
    h5.open_file(tmp_path / "run.h5", "a")
    h5.add_group("a", "data", h5.root())
    h5.close_file()
    h5.open_file(tmp_path / "run.h5")
    assert h5.root().children_name() == ["A"]
    h5.close_file()
    with pytest.raises(OSError):
        h5.open_file(tmp_path / "missing.h5", "r")
    with pytest.raises(ValueError):
        module.H5Backend("numpy")


def test_attributes(made):
    module, h5 = made
    group = h5.add_group("detector", "detector", h5.root(), metadata={"gain": 2.5})
    for name, value in VALUES.items():
        group.attrs[name] = value
        assert group.attrs[name] == value and type(group.attrs[name]) is type(value)
        assert h5.get_attr(group, name) == value == group.get_attr(name)
        assert module.get_attr(group.node, name, h5.backend) == value
    assert {"CLASS", "TITLE", "type", "gain", *VALUES} <= set(group.attrs.attrs_name)
    assert set(group.attrs) == set(group.attrs.attrs_name) and len(group.attrs) > len(VALUES)
    assert group.attrs.get("gain") == 2.5 and group.attrs.get("none", 7) == 7
    assert group.attrs.to_dict()["text"] == VALUES["text"]
    assert h5.get_attr(group)["tuple"] == (1, 2.5)
    assert h5.has_attr(group, "gain") and not h5.has_attr(group, "loss")
    h5.set_attr(group, "gain", 3)
    module.set_attr(group.node, "more", [1], h5.backend)
    group.set_attr("most", (2,))
    assert (group.attrs["gain"], group.attrs["more"], group.attrs["most"]) == (3, [1], (2,))
    assert group.attrs.node == group
    assert str(group.attrs).startswith("/Detector.attrs (Attributes), ")
    assert "gain := 3" in repr(group.attrs)
    group.attrs["unknown"] = {"a": 1}
    assert group.attrs["unknown"] == {"module": "builtins", "type": "dict", "data": "{'a': 1}"}
    with pytest.raises(KeyError):
        group.attrs["missing"]


def test_groups(made):
    module, h5 = made
    root = h5.root()
    scan = h5.add_group("scan", module.GroupType.scan, root, title="first")
    assert (scan.name, scan.path, scan.title) == ("Scan", "/Scan", "first")
    assert scan.attrs["type"] == "scan" and scan.attrs["backend"] == h5.backend
    assert h5.add_group("Scan", "scan", root) == scan
    assert h5.add_group("scan", "scan", "/") == scan
    group = h5.get_set_group(scan, "inner", title="second")
    assert h5.get_set_group("/Scan", "inner") == group and group.title == "second"
    assert h5.is_node_in_group(root, "sCAN") and not h5.is_node_in_group(root, "data")
    assert h5.get_node("/Scan/inner") == group == h5.get_node(scan, "inner")
    assert h5.get_node(scan.node) == scan
    assert h5.get_node_name(group) == "inner" and h5.get_node_path(group.node) == "/Scan/inner"
    assert h5.get_parent_node(group) == scan and h5.get_parent_node(root) is None
    assert group.parent_node == scan and root.parent_node is None
    assert scan.parent_node == root and root.name == "/"
    assert list(h5.get_children(root)) == ["Scan"] == list(root.children())
    assert root.get_child("Scan") == scan and scan.children_name() == ["inner"]
    assert scan.to_h5_backend().get_node("/Scan") == scan
    assert repr(scan).startswith("/Scan (GROUP) ") and "'inner' (GROUP)" in repr(scan)
    assert "'first'" in str(scan)
    with pytest.raises(module.NodeError):
        h5.get_node("/missing")
    scan.remove_children()
    assert scan.children_name() == []


def test_arrays_of_a_fixed_shape(made):
    module, h5 = made
    for level, dtype in ((0, "u2"), (5, "f8"), (5, "i1"), (0, "?"), (5, "c16")):
        h5.define_compression("gzip", level)
        values = np.arange(48).reshape(8, 6).astype(dtype)
        array = h5.create_carray("/", f"a{dtype.strip('?')}", values, title="an array")
        assert isinstance(array, module.CARRAY) and array.title == "an array"
        assert array.attrs["shape"] == (8, 6) and array.attrs["dtype"] == values.dtype.name
        assert array.attrs["subdtype"] == "" and array.attrs["CLASS"] == "CARRAY"
        for read in (array.read(), h5.read(array), array[:], array.array[:]):
            assert read.dtype == values.dtype
            np.testing.assert_array_equal(read, values)
        array[2:4, 1] = values[0, :2]
        values[2:4, 1] = values[0, :2].copy()
        np.testing.assert_array_equal(array[1:5, ::2], values[1:5, ::2])
        assert len(array) == 8 and "shape := (8, 6)" in repr(array)
    with pytest.raises(ValueError):
        h5.create_carray("/", "none")


def test_arrays_that_grow(made):
    module, h5 = made
    h5.define_compression("zlib", 3)
    numbers = h5.create_earray("/", "numbers", np.float64, title="numbers")
    assert numbers.attrs["shape"] == (0,) and numbers.attrs["EXTDIM"] == 0
    for i in range(5):
        numbers.append(np.array([float(i)]))
    numbers.append(np.arange(3.0), expand=False)
    assert numbers.attrs["shape"] == (8,) and len(numbers) == 8
    np.testing.assert_array_equal(numbers.read(), [0, 1, 2, 3, 4, 0, 1, 2])
    images = h5.create_earray("/", "images", "uint16", (4, 3))
    images.append(np.full((4, 3), 7, "u2"))
    images.append(np.full((2, 4, 3), 9, "u2"))
    assert isinstance(images, module.EARRAY) and images.attrs["shape"] == (3, 4, 3)
    np.testing.assert_array_equal(images[:, 0, 0], [7, 9, 9])
    ones = h5.create_earray("/", "ones", "float64", (1,))
    ones.append(np.array([1.5]))
    ones.append(np.array([2.5, 3.5]))
    assert ones.attrs["shape"] == (3, 1)
    np.testing.assert_array_equal(ones.read(), [[1.5], [2.5], [3.5]])
    images.append_backend(np.zeros((1, 4, 3), "u2"))
    assert len(images) == 4
    with pytest.raises(TypeError):
        numbers.append([1.0])


def test_rows_of_different_lengths(made):
    module, h5 = made
    rows = h5.create_vlarray("/", "rows", "f8", title="rows")
    assert isinstance(rows, module.VLARRAY) and rows.attrs["shape"] == (0,)
    for n in (3, 0, 5):
        rows.append(np.arange(float(n)))
    assert rows.attrs["shape"] == (3,) and rows.attrs["subdtype"] == "" and len(rows) == 3
    assert [len(row) for row in rows.read()] == [3, 0, 5]
    np.testing.assert_array_equal(rows[2], np.arange(5.0))
    assert type(rows.read()) is (list if h5.backend == "tables" else np.ndarray)


def test_texts(made):
    module, h5 = made
    log = h5.create_vlarray("/", "log", "string", title="a log")
    assert isinstance(log, module.StringARRAY) and log.attrs["subdtype"] == "string"
    lines = ["first", "zweite Zeile é", "", "x" * 300]
    for line in lines:
        log.append(line)
    assert log.read() == lines and log[1] == lines[1] and log.attrs["shape"] == (4,)
    assert log.array_to_string(log.string_to_array("a")) == "a"
    assert isinstance(h5.get_node("/log"), module.StringARRAY)


def test_walks(made):
    module, h5 = made
    scan = h5.add_group("scan", "scan", "/")
    h5.add_group("data", "data", scan)
    h5.create_carray(scan, "c", np.zeros(2))
    h5.create_vlarray("/", "log", "string")
    assert set(paths(h5.walk_nodes("/"))) == {"/", "/Scan", "/log", "/Scan/Data", "/Scan/c"}
    assert paths(h5.walk_nodes("/", depth=0)) == ["/"]
    assert set(paths(h5.walk_nodes("/Scan", depth=1))) == {"/Scan", "/Scan/Data", "/Scan/c"}
    groups = ["/", "/Scan", "/Scan/Data"]
    assert paths(h5.walk_groups("/")) == groups
    assert paths(h5.walk_nodes("/", only_groups=True)) == groups


def test_what_is_there_survives_a_close(made, tmp_path):
    module, h5 = made
    group = h5.add_group("scan", "scan", "/")
    array = h5.create_earray(group, "e", "int32", (2,))
    array.append(np.array([1, 2], "i4"))
    h5.flush()
    array.append(np.array([3, 4], "i4"))
    h5.close_file()
    h5.open_file(tmp_path / "run.h5", "a")
    array = h5.get_node("/Scan/e")
    array.append(np.array([5, 6], "i4"))
    np.testing.assert_array_equal(array.read(), [[1, 2], [3, 4], [5, 6]])


def test_what_cannot_be_made(made):
    module, h5 = made
    h5.create_earray("/", "a", "f8")
    duplicate = (ValueError, module.NodeError)
    if h5.backend == "tables" and module.__name__.startswith("pymodaq_data"):
        import tables

        duplicate = tables.NodeError
    with pytest.raises(duplicate):
        h5.create_earray("/", "a", "f8")
    with pytest.raises(duplicate):
        h5.create_carray("/", "a", np.zeros(2))


def test_swmr(made, tmp_path):
    module, h5 = made
    assert h5.is_swmr_capable == (h5.backend == "h5py") and not h5.is_swmr_active
    with pytest.raises(RuntimeError):
        h5.enable_swmr()
    if not h5.is_swmr_capable:
        return
    h5.close_file()
    h5.open_file(tmp_path / "live.h5", "w", swmr_mode=True)
    assert h5.is_swmr_compatible and h5.swmr_mode
    array = h5.create_earray("/", "e", "f8", (2,))
    log = h5.create_vlarray("/", "log", "string")
    h5.enable_swmr()
    h5.enable_swmr()
    assert h5.is_swmr_active
    array.append(np.zeros(2))
    array.append(np.ones((3, 2)))
    log.append("a line")
    h5.flush()
    h5.finalize_swmr(keep_open=True)
    assert not h5.is_swmr_active and h5.isopen()
    assert h5.get_node("/e").attrs["shape"] == (4, 2) and len(h5.get_node("/log")) == 1
    assert not h5.root().node.attrs["swmr_active"]
