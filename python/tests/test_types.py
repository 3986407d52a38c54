"""Every dtype of numpy, and what h5py adds to it, goes in and comes out the same."""

from __future__ import annotations

import numpy as np
import pytest
import stook

FORMATS = ["x.zarr", "v2", "x.h5"]
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "10us"]


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    options = {"format": "zarr2"} if request.param == "v2" else {}
    name = "x.zarr" if request.param == "v2" else request.param
    with stook.create(tmp_path / name, **options) as file:
        yield file


def reopened(file):
    file.commit()
    return stook.open(file.file)


@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_times_of_all_units(file, kind, same_bits):
    for unit in UNITS:
        items = np.array([0, 1, -5, np.iinfo("i8").min], "i8").view(f"{kind}[{unit}]")
        array = file.create_array(f"t-{unit}", items)
        array[1] = items[2]
        items[1] = items[2]
        same_bits(items, array[:])
    with reopened(file) as again:
        found = again["t-10us"][:]
    assert found.dtype == np.dtype(f"{kind}[10us]")


@pytest.mark.parametrize(
    "dtype",
    [
        np.dtype([("a", "i4"), ("b", ">f8"), ("c", "?")]),
        np.dtype([("a", "i1"), ("b", "f8"), ("c", "i2")], align=True),
        np.dtype([("a", [("x", "i2"), ("y", [("z", "f4", (2, 3))])]), ("t", "S5")]),
        np.dtype({"names": ["a", "b"], "formats": ["i4", "u1"], "offsets": [8, 2], "itemsize": 20}),
        np.dtype([(("a title", "a"), "i4"), (("another", "b"), "f8")]),
        np.dtype([("t", "M8[s]"), ("d", "m8[ns]"), ("c", "c8"), ("h", "f2")]),
    ],
    ids=["packed", "aligned", "nested", "padded", "titled", "kinds"],
)
def test_structs(file, dtype):
    rng = np.random.default_rng(1)
    items = np.zeros(7, dtype)
    flat = items.view("u1").reshape(7, -1)
    flat[:] = rng.integers(0, 2, flat.shape)
    array = file.create_array("s", items, chunks=3)
    array[2:4] = items[4:6]
    items[2:4] = items[4:6].copy()
    with reopened(file) as again:
        found = again["s"][:]
        one = again["s"][2]
    assert found.dtype.names == dtype.names
    for name in dtype.names:
        np.testing.assert_array_equal(found[name], items[name])
        np.testing.assert_array_equal(one[name], items[name][2])


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "c8", "c16", "?", "i1", "u8", "S3", "U4", "V5"])
def test_plain_dtypes(file, kind, same_bits):
    from kinds import items as some

    opaque = np.frombuffer(bytes(range(75)), "V5").reshape(5, 3)
    items = opaque if kind == "V5" else some(kind, (5, 3))
    if kind[0] == "U" and file.format == "hdf5":
        array = file.create_array("a", items)
        assert array[:].tolist() == items.tolist()
        return
    file.create_array("a", items)
    with reopened(file) as again:
        if kind == "V5":
            assert again["a"][:].tobytes() == items.tobytes()
        else:
            same_bits(items, again["a"][:])


def test_long_doubles(tmp_path):
    items = np.array([1, np.pi, -0.0, np.inf], "g")
    with stook.create(tmp_path / "x.h5") as file:
        found = file.create_array("a", items)[:]
    assert found.dtype == items.dtype
    np.testing.assert_array_equal(found, items)


@pytest.mark.parametrize(
    "name",
    ["bfloat16", "float8_e4m3", "float8_e5m2", "float8_e4m3b11fnuz", "int4", "uint4", "int2"],
)
def test_dtypes_of_ml_dtypes(tmp_path, name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, name))
    items = np.array([0, 1, 1, 0, 1]).astype(dtype)
    with stook.create(tmp_path / "x.zarr") as file:
        array = file.create_array("a", items, chunks=2)
        array[1:3] = items[:2]
        items[1:3] = items[:2].copy()
    with stook.open(tmp_path / "x.zarr") as file:
        assert file["a"].dtype == dtype
        assert file["a"][:].tobytes() == items.tobytes()


def test_text_and_bytes_of_any_length(file):
    texts = ["", "a", "é✓🙂", "x" * 300]
    raw = [b"", b"\0\xff", b"abc", b"y" * 200]
    for data in (texts, np.array(texts, object), np.array(texts, np.dtypes.StringDType())):
        array = file.create_array("t", data, dtype=str, overwrite="t" in file)
        assert array[:].tolist() == texts
        assert array.astype(np.dtypes.StringDType())[1:3].tolist() == texts[1:3]
        array[1:3] = np.array(["neu", "er"], np.dtypes.StringDType())
        assert array[:].tolist() == ["", "neu", "er", texts[3]]
    array = file.create_array("b", raw, dtype=bytes)
    assert array[:].tolist() == raw
    for dtype, wrong in ((str, [5]), (bytes, ["text"]), (str, [None])):
        with pytest.raises((ValueError, TypeError)):
            file.create_array("w", wrong, dtype=dtype)
        assert "w" not in file
    assert stook.check_string_dtype(array.dtype) is None
    assert stook.check_vlen_dtype(array.dtype) is bytes


def test_missing_values_of_text_are_refused(file):
    dtype = np.dtypes.StringDType(na_object=None)
    array = file.create_array("t", ["a", "b"], dtype=str)
    with pytest.raises((ValueError, TypeError)):
        array[...] = np.array(["a", None], dtype)
    assert array[:].tolist() == ["a", "b"]


def test_sequences(tmp_path):
    dtype = stook.vlen_dtype("f4")
    with stook.create(tmp_path / "x.h5") as file:
        array = file.create_array("v", [[1, 2], [], [3.5]], dtype=dtype)
        assert [item.tolist() for item in array[:]] == [[1, 2], [], [3.5]]
        array[1] = np.arange(4)
        assert array[1].dtype == np.float32
        assert array[1].tolist() == [0, 1, 2, 3]
        assert stook.check_vlen_dtype(array.dtype) == np.float32


def test_enums(tmp_path):
    h5py = pytest.importorskip("h5py")
    dtype = stook.enum_dtype({"off": 0, "on": 1, "broken": -1}, "i2")
    with stook.create(tmp_path / "x.h5") as file:
        array = file.create_array("e", [0, 1, -1, 1], dtype=dtype)
        assert array[:].tolist() == [0, 1, -1, 1]
        assert stook.check_enum_dtype(array.dtype) == {"off": 0, "on": 1, "broken": -1}
    with h5py.File(tmp_path / "x.h5") as file:
        assert h5py.check_enum_dtype(file["e"].dtype) == {"off": 0, "on": 1, "broken": -1}
    assert stook.check_enum_dtype("i4") is None
    with pytest.raises(ValueError):
        stook.enum_dtype({"a": 1}, "f4")


def test_references_are_paths(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["g/x"] = [1]
        file.create_dataset("refs", data=[file["g"].ref, file["g/x"].ref], dtype=h5py.ref_dtype)
    with stook.open(tmp_path / "x.h5") as file:
        assert file["refs"][:].tolist() == ["/g", "/g/x"]


def test_masked_arrays_are_refused(file):
    masked = np.ma.masked_array([1, 2, 3], [False, True, False])
    array = file.create_array("a", shape=3, dtype="i8")
    with pytest.raises(TypeError, match="filled"):
        array[...] = masked
    with pytest.raises(TypeError, match="filled"):
        file.create_array("b", masked)
    assert "b" not in file
    array[...] = masked.filled(9)
    assert array[:].tolist() == [1, 9, 3]


def test_attributes_keep_their_dtypes(tmp_path):
    values = {
        "i2": np.int16(-3),
        "u8": np.uint64(2**64 - 1),
        "f2": np.float16(0.5),
        "c8": np.complex64(1 + 2j),
        "array": np.arange(6, dtype="i1").reshape(2, 3),
        "struct": np.array([(1, 2.5)], "i4,f8"),
        "bools": np.array([True, False]),
        "S": np.bytes_(b"ab"),
        "text": "é",
        "texts": np.array(["a", "éé"], object),
    }
    with stook.create(tmp_path / "x.h5") as file:
        file.attrs.update(values)
    with stook.open(tmp_path / "x.h5") as file:
        for name, expected in values.items():
            found = file.attrs[name]
            assert np.array_equal(found, expected), name
            if name not in ("text", "texts"):
                assert np.asarray(found).dtype == np.asarray(expected).dtype, name


def test_dtypes_that_mean_nothing(file):
    for dtype in ("O", object, "nonsense"):
        with pytest.raises((ValueError, TypeError)):
            file.create_array("a", shape=1, dtype=dtype)
    with pytest.raises(ValueError, match="encoding"):
        stook.string_dtype(5, "latin-1")
    assert stook.check_string_dtype(stook.string_dtype()) == ("utf-8", None)
    assert stook.check_string_dtype(stook.string_dtype(4)) == ("utf-8", 4)
