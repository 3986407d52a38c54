"""What is wrong in pymodaq_data 5.3.0 and is right here: docs/deviations.md lists it."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import stook
import stook.pymodaq.backends as ours


def test_an_append_of_a_wrong_shape_leaves_no_rows(h5):
    array = h5.create_earray("/", "a", "f8", (3,))
    array.append(np.zeros(3))
    for wrong in (np.zeros(4), np.zeros((2, 4)), np.zeros((3, 3, 3))):
        with pytest.raises(ValueError):
            array.append(wrong)
    with pytest.raises(TypeError):
        array.append(np.array(["a", "b", "c"]))
    assert array.attrs["shape"] == (1, 3) == array.array.shape


def test_items_are_cast_where_no_kind_of_value_is_lost(h5):
    array = h5.create_earray("/", "a", "int32", (2,))
    array.append(np.array([1, 2], "i8"))
    with pytest.raises(TypeError):
        array.append(np.array([1.5, 2.5]))
    big = h5.create_earray("/", "b", ">f8")
    big.append(np.array([1.5], ">f8"))
    assert array.read().tolist() == [[1, 2]] and big.read().tolist() == [1.5]


def test_a_failed_create_leaves_no_node(h5):
    with pytest.raises(stook.Error):
        h5.create_vlarray("/", "ghost", object)
    with pytest.raises((stook.Error, TypeError, ValueError)):
        h5.create_earray("/", "ghost", "f8", (-1,))
    assert h5.root().children_name() == []


def test_walks_lose_no_node(h5):
    for name in ("a", "b"):
        group = h5.add_group(name, "data", "/")
        inner = h5.add_group("inner", "data", group)
        h5.create_carray(inner, "deep", np.zeros(2))
    found = [node.path for node in h5.walk_nodes("/", depth=2)]
    assert found == ["/", "/A", "/B", "/A/Inner", "/B/Inner"]


def test_children_have_the_class_of_their_data(h5):
    h5.create_vlarray("/", "log", "string")
    assert isinstance(h5.root().children()["log"], ours.StringARRAY)
    assert isinstance(h5.get_children("/")["log"], ours.StringARRAY)


def test_nodes_are_hashable_and_compare_with_anything(h5):
    group = h5.add_group("a", "data", "/")
    assert {group: 1}[h5.get_node("/A")] == 1
    assert group != "A" and group != h5.root()


def test_the_shape_is_written_by_a_flush(h5, tmp_path):
    array = h5.create_earray("/", "a", "f8")
    array.append(np.arange(5.0), expand=False)
    assert array.attrs["shape"] == (5,)
    h5.close_file()
    with h5py.File(tmp_path / "run.h5") as file:
        assert "(5,)" in str(file["a"].attrs["shape"]) and file["a"].chunks[0] > 1


def test_an_image_is_one_chunk(h5):
    images = h5.create_earray("/", "images", "u2", (512, 512))
    assert images.array.chunks == (1, 512, 512)


def test_numbers_without_a_literal_are_decoded(h5):
    h5.root().attrs["range"] = [float("-inf"), float("inf"), np.float64("nan")]
    low, high, none = h5.root().attrs["range"]
    assert (low, high) == (-np.inf, np.inf) and np.isnan(none)


def test_an_attribute_may_be_long(h5, tmp_path):
    h5.root().attrs["settings"] = "x" * 100_000
    h5.close_file()
    h5.open_file(tmp_path / "run.h5")
    assert len(h5.root().attrs["settings"]) == 100_000


def test_a_copy_of_the_file_is_made(h5, tmp_path):
    array = h5.create_earray("/", "a", "f8")
    array.append(np.arange(5.0), expand=False)
    h5.save_file_as(tmp_path / "copy.h5")
    h5.save_file_as(tmp_path / "copy.zarr")
    with pytest.raises(stook.AlreadyExistsError):
        h5.save_file_as(tmp_path / "copy.h5")
    other = ours.H5Backend(h5.backend)
    for name in ("copy.h5", "copy.zarr"):
        other.open_file(tmp_path / name)
        assert other.get_node("/a").read().tolist() == [0, 1, 2, 3, 4]
    other.close_file()


def test_a_removed_array_takes_no_rows(h5):
    array = h5.create_earray("/", "a", "f8")
    array.append(np.array([1.0]))
    h5.root().remove_children()
    with pytest.raises(stook.NotFoundError):
        array.append(np.array([2.0]))


def test_a_closed_file_is_named(h5):
    array = h5.create_earray("/", "a", "f8")
    h5.close_file()
    with pytest.raises(stook.InvalidInputError):
        array.append(np.array([1.0]))
    with pytest.raises(stook.InvalidInputError):
        h5.root()


def test_the_server_backend_says_what_is_missing(tmp_path):
    h5 = ours.H5Backend("h5pyd")
    with pytest.raises(stook.UnsupportedError, match="HSDS"):
        h5.open_file("hdf5://home/run.h5", "w")


def test_a_file_opened_for_reading_is_not_changed(h5, tmp_path):
    h5.create_earray("/", "a", "f8").append(np.array([1.0]))
    h5.close_file()
    h5.open_file(tmp_path / "run.h5", "r")
    for change in (
        lambda: h5.get_node("/a").append(np.array([1.0])),
        lambda: h5.add_group("b", "data", "/"),
        lambda: h5.root().attrs.__setitem__("x", 1),
        lambda: h5.get_node("/a").__setitem__(0, 5.0),
    ):
        with pytest.raises((ValueError, stook.ReadOnlyError)):
            change()
    assert h5.get_node("/a").read().tolist() == [1.0]


@pytest.mark.parametrize("suffix", ["zarr"])
def test_an_acquisition_goes_to_zarr(suffix, tmp_path):
    import zarr

    h5 = ours.H5Backend("tables")
    h5.open_file(tmp_path / f"run.{suffix}", "w", title="a run")
    h5.define_compression("gzip", 5)
    group = h5.add_group("scan", "scan", "/", metadata={"gain": 2.5})
    images = h5.create_earray(group, "images", "u2", (4, 3))
    log = h5.create_vlarray(group, "log", "string")
    for i in range(3):
        images.append(np.full((4, 3), i, "u2"))
        log.append(f"line {i}")
    h5.close_file()
    root = zarr.open_group(tmp_path / f"run.{suffix}", mode="r")
    assert root["Scan/images"].shape == (3, 4, 3) and root["Scan/images"][2, 0, 0] == 2
    assert root.attrs["TITLE"] == "a run"
    h5.open_file(tmp_path / f"run.{suffix}", "a")
    assert h5.get_node("/Scan/log").read() == ["line 0", "line 1", "line 2"]
    assert h5.get_node("/Scan").attrs["gain"] == 2.5
    h5.close_file()
