"""What goes wrong raises a class that says so, and leaves everything as it was."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
import stook


@pytest.fixture(params=["x.zarr", "x.zarr.zip", "x.h5"])
def path(request, tmp_path):
    """A file with a group, an array in chunks, and an attribute."""
    with stook.create(tmp_path / request.param) as file:
        file.create_array("g/a", np.arange(12, dtype="i4").reshape(3, 4), chunks=(2, 2))
        file.attrs["unit"] = "m"
    return tmp_path / request.param


def raised(error, builtin, action):
    with pytest.raises(error) as info:
        action()
    assert isinstance(info.value, builtin)
    assert isinstance(info.value, stook.Error)
    assert str(info.value) and not str(info.value).startswith(("'", '"'))
    return info.value


def test_a_missing_file(tmp_path):
    for name in ("no.zarr", "no.h5", "no.npy", "no/folder/x.zarr"):
        error = raised(
            stook.MissingFileError, FileNotFoundError, lambda name=name: stook.open(tmp_path / name)
        )
        assert isinstance(error, KeyError)
        assert error.file == str(tmp_path / name)
        assert error.node is None
    assert "remote" in raised(stook.Error, Exception, lambda: stook.open("ftp://b/x.zarr")).hint
    assert list(tmp_path.iterdir()) == []


def test_a_missing_node(path):
    with stook.open(path) as file:
        error = raised(stook.NotFoundError, KeyError, lambda: file["g/nope"])
        assert error.node == "/g/nope"
        assert str(path) in str(error)
        assert not isinstance(error, FileNotFoundError)
        raised(stook.NotFoundError, KeyError, lambda: file.attrs["nope"])
        assert file.attrs.get("nope", 5) == 5
        assert "g/nope" not in file
    with stook.open(path, "r+") as file:
        raised(stook.NotFoundError, KeyError, lambda: file.__delitem__("g/nope"))
        raised(stook.NotFoundError, KeyError, lambda: file.attrs.__delitem__("nope"))
        raised(stook.NotFoundError, KeyError, lambda: file.move("nope", "x"))


def test_what_exists_stays(path):
    def check():
        with stook.open(path) as file:
            assert file["g/a"][2].tolist() == [8, 9, 10, 11]

    raised(stook.AlreadyExistsError, FileExistsError, lambda: stook.create(path))
    raised(stook.AlreadyExistsError, FileExistsError, lambda: stook.open(path, "w-"))
    raised(stook.AlreadyExistsError, FileExistsError, lambda: stook.convert(path, path))
    with stook.open(path, "r+") as file:
        exists = (stook.AlreadyExistsError, FileExistsError)
        raised(*exists, lambda: file.create_array("g/a", [1]))
        raised(*exists, lambda: file.create_group("g"))
        raised(*exists, lambda: file.move("g/a", "g"))
        raised(stook.InvalidInputError, ValueError, lambda: file.move("g", "g/a"))
    check()


def test_reading_only(path):
    with stook.open(path) as file:
        only = (stook.ReadOnlyError, PermissionError)
        raised(*only, lambda: file["g/a"].__setitem__(0, 1))
        raised(*only, lambda: file.create_group("new"))
        raised(*only, lambda: file.create_array("new", [1]))
        raised(*only, lambda: file.__delitem__("g"))
        raised(*only, lambda: file.move("g", "h"))
        raised(*only, lambda: file["g/a"].resize(5, 5))
        raised(*only, lambda: file.attrs.__setitem__("a", 1))
        assert list(file) == ["g"]


@pytest.mark.parametrize(
    "key",
    [3, -4, (0, 4), (0, 0, 0), (..., ...), [0, 3], ([0], [4]), "a", 1.5, None, True,
     slice(None, None, 0), [0.5], [True, False], np.ones((3, 5), bool), ([0, 1], [0, 1, 2]),
     10**30, object()],
    ids=str,
)  # fmt: skip
def test_a_selection_that_does_not_fit(path, key):
    with stook.open(path, "r+") as file:
        array = file["g/a"]
        if key is None:
            assert array[None].shape == (1, 3, 4)
            return
        with pytest.raises((IndexError, ValueError)):
            array[key]
        with pytest.raises((IndexError, ValueError, NotImplementedError)):
            array[key] = 1
        assert array[:].sum() == 66


def test_an_index_error_is_one(path):
    with stook.open(path) as file:
        error = raised(stook.SelectionError, IndexError, lambda: file["g/a"][7])
        assert isinstance(error, ValueError)
        assert "7" in str(error) and "3" in str(error)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (1.5, TypeError),
        ([1.5, 2, 3, 4], TypeError),
        (1j, TypeError),
        ("a", TypeError),
        (None, TypeError),
        (np.float32(1), TypeError),
        (2**31, ValueError),
        (np.int64(-(2**40)), ValueError),
        ([1, 2, 3], ValueError),
        (np.zeros((3, 4, 2), "i4"), ValueError),
        ({}, TypeError),
        (np.datetime64("2020-01-01"), TypeError),
    ],
    ids=str,
)
def test_values_that_do_not_fit(path, values, error):
    with stook.open(path, "r+") as file:
        with pytest.raises(error) as info:
            file["g/a"][:] = values
        assert isinstance(info.value, stook.Error)
        assert file["g/a"][:].sum() == 66


def test_text_is_not_cut_off(file):
    array = file.create_array("x", np.array([b"abc"], "S3"))
    with pytest.raises(ValueError, match="length 4"):
        array[0] = b"abcd"
    with pytest.raises(ValueError):
        array[0] = "éé"
    array[0] = "é"
    assert array[0] == "é".encode()


def test_values_that_do_fit(file):
    array = file.create_array("x", shape=3, dtype="u1")
    for values in (np.int64(255), np.arange(3), [1, 2, 3], True, np.array([7], ">i2"), range(3)):
        array[:] = values
        assert array[:].tolist() == np.broadcast_to(np.asarray(values), 3).tolist()
    flags = file.create_array("z", shape=2, dtype=bool)
    flags[0] = 1
    assert flags[:].tolist() == [True, False]
    with pytest.raises(ValueError):
        flags[1] = 2
    floats = file.create_array("y", shape=2, dtype="f4")
    floats[:] = np.float64(0.5)
    floats[1] = 3
    assert floats[:].tolist() == [0.5, 3]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"shape": -1},
        {"shape": "a"},
        {"shape": (2, 2), "chunks": (1,)},
        {"shape": (2,), "chunks": 0},
        {"shape": 4, "chunks": 2, "shards": 3},
        {"shape": 4, "dtype": "nonsense"},
        {"shape": 4, "dtype": object},
        {"shape": 4, "dtype": "c32"},
        {"shape": 4, "codecs": "nonsense"},
        {"shape": 4, "codecs": {"name": "gzip", "level": 99}},
        {"shape": 4, "codecs": {"name": "gzip", "nonsense": 1}},
        {"shape": 4, "codecs": {"level": 1}},
        {"shape": 4, "codecs": 5},
        {"shape": 4, "fill_value": "x"},
        {"shape": 4, "fill_value": [1, 2]},
        {"shape": 4, "dimension_names": ["a", "b"]},
        {"shape": 4, "max_shape": (2,)},
        {"data": [1, 2], "shape": 3},
        {"data": np.array([object()], object)},
        {"data": ["a", 1], "dtype": str},
        {"shape": 1, "attributes": {"a": object()}},
    ],
    ids=str,
)
def test_arrays_that_cannot_be(file, arguments):
    with pytest.raises((ValueError, NotImplementedError)) as info:
        file.create_array("x", **arguments)
    assert isinstance(info.value, stook.Error)
    assert list(file) == []


def test_what_a_format_cannot_hold(tmp_path):
    cannot = (stook.UnsupportedError, NotImplementedError)
    with stook.create(tmp_path / "x.h5") as file:
        raised(*cannot, lambda: file.create_array("x", shape=8, chunks=2, shards=4))
    with stook.create(tmp_path / "x.zarr") as file:
        raised(*cannot, lambda: file.create_link("x", "/y"))
    raised(stook.InvalidInputError, ValueError, lambda: stook.create(tmp_path / "x.unknown"))
    raised(stook.InvalidInputError, ValueError, lambda: stook.create(tmp_path / "y", format="tiff"))
    raised(stook.InvalidInputError, ValueError, lambda: stook.open(tmp_path / "x.h5", "rw"))


def test_files_of_other_formats(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "folder.zarr").mkdir()
    for name in ("text.h5", "empty.npy", "folder.zarr"):
        raised(stook.UnsupportedError, NotImplementedError, lambda n=name: stook.open(tmp_path / n))


def test_a_damaged_chunk_is_named(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        file.create_array("a", np.arange(100), chunks=10, codecs=["zstd", "crc32c"])
    chunk = tmp_path / "x.zarr/a/c/3"
    data = bytearray(chunk.read_bytes())
    data[5] ^= 0xFF
    chunk.write_bytes(data)
    with stook.open(tmp_path / "x.zarr") as file:
        error = raised(stook.FormatError, stook.Error, lambda: file["a"][:])
        assert (error.node, error.chunk) == ("/a", (3,))
        assert file["a"][:30].sum() == 435


def test_damaged_files_never_crash(path, rng):
    whole = path.with_name("whole")
    if path.is_dir():
        shutil.copytree(path, whole)
        victims = [file for file in path.rglob("*") if file.is_file()]
    else:
        shutil.copy(path, whole)
        victims = [path]
    for victim in victims:
        data = victim.read_bytes()
        for _ in range(400 // len(victims)):
            broken = bytearray(data)
            if rng.random() < 0.3:
                del broken[rng.integers(0, len(broken)) :]
            else:
                for at in rng.integers(0, len(broken), 3):
                    broken[at] = rng.integers(0, 256)
            victim.write_bytes(broken)
            try:
                with stook.open(path) as file:
                    file.tree()
                    dict(file.attrs)
                    for name in file:
                        file[name]
                    file["g/a"][...]
            except (stook.Error, MemoryError):
                pass
        victim.write_bytes(data)


def test_a_closed_file(path):
    with stook.open(path) as file:
        array = file["g/a"]
    file.close()
    for action in (lambda: array[:], lambda: file["g"], lambda: list(file), lambda: array.shape):
        assert "closed" in str(raised(stook.InvalidInputError, ValueError, action))
    assert "closed" in repr(array) and "closed" in repr(file)
    with stook.open(path, "r+") as file:
        assert file["g/a"][0, 0] == 0


def test_an_array_where_a_group_is_meant(path):
    with stook.open(path, "r+") as file:
        raised(stook.InvalidInputError, ValueError, lambda: file.require_group("g/a"))
        with pytest.raises(stook.Error):
            file["g/a/b"]
        with pytest.raises(stook.Error):
            file.create_group("g/a/b")
        raised(stook.InvalidInputError, ValueError, lambda: file["../x"])
        raised(stook.InvalidInputError, ValueError, lambda: file[5])


def test_errors_survive_pickling():
    for cls in vars(stook).values():
        if isinstance(cls, type) and issubclass(cls, stook.Error):
            error = cls("what", file="f", node="/n", chunk=(1, 2), hint="do", causes=("why",))
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is cls
            assert str(again) == str(error)
            assert str(error) == "`f`: node `/n`: chunk [1, 2]: what: why (hint: do)"
