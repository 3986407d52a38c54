"""h5py reads what is written here, and what it writes is read here: bit for bit."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest
import stook
from kinds import NUMBERS, PACKED, STRUCT, items

FIXED = [*NUMBERS, ">i4", ">f8", ">c16", "S5", "V6", STRUCT, PACKED]
LAYOUTS = {
    "contiguous": {},
    "chunked": {"chunks": (4, 3)},
    "gzip": {"chunks": (4, 3), "compression": "gzip"},
    "shuffle gzip": {"chunks": (4, 3), "compression": "gzip", "shuffle": True},
    "lzf fletcher32": {"chunks": (4, 3), "compression": "lzf", "fletcher32": True},
    "grows": {"chunks": (4, 3), "maxshape": (None, 20)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FIXED, ids=str)
def test_what_h5py_wrote(tmp_path, same_bits, dtype, layout):
    expected = items(dtype)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a/b", data=expected, **LAYOUTS[layout])
    with stook.open(tmp_path / "x.h5") as file:
        array = file["a/b"]
        assert array.dtype == np.dtype(dtype).newbyteorder("=")
        same_bits(expected, array[:])
        same_bits(expected[9:2:-3, ::2], array[9:2:-3, ::2])
        assert array.chunks == LAYOUTS[layout].get("chunks")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (4, 3)},
        {"chunks": (4, 3), "codecs": "gzip"},
        {"chunks": (4, 3), "codecs": ["shuffle", {"name": "gzip", "level": 9}, "fletcher32"]},
        {"chunks": (4, 3), "codecs": "gzip", "max_shape": (None, 100)},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", FIXED, ids=str)
def test_what_h5py_reads(tmp_path, same_bits, dtype, options):
    expected = items(dtype)
    with stook.create(tmp_path / "x.h5") as file:
        file.create_array("a/b", expected, **options)
    with h5py.File(tmp_path / "x.h5") as file:
        dataset = file["a/b"]
        same_bits(expected, dataset[:])
        assert dataset.chunks == options.get("chunks")
        freely = (None, None) if dataset.chunks else (13, 7)
        assert dataset.maxshape == options.get("max_shape", freely)


def test_text_of_each_kind(tmp_path):
    words = ["", "a", "é✓", "🙂 long enough to be elsewhere"]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("utf8", data=words, dtype=h5py.string_dtype())
        file.create_dataset("ascii", data=["a", "b"], dtype=h5py.string_dtype("ascii"))
        fixed = h5py.string_dtype(length=40)
        file.create_dataset("fixed", data=np.array([w.encode() for w in words], fixed), dtype=fixed)
        file.create_dataset("scalar", data="one")
        file.create_dataset("chunked", data=words * 3, chunks=(5,), compression="gzip")
        file.create_dataset("grid", data=np.array(words, object).reshape(2, 2))
        space = h5py.h5t.C_S1.copy()
        space.set_size(4)
        space.set_strpad(h5py.h5t.STR_SPACEPAD)
        h5py.h5d.create(file.id, b"space", space, h5py.h5s.create_simple((2,))).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"ab", b"cd e"], "S4")
        )
    with stook.open(tmp_path / "x.h5") as file:
        assert file["utf8"][:].tolist() == words
        assert h5py.check_string_dtype(file["utf8"].dtype)
        assert file["utf8"][3] == words[3]
        assert file["ascii"][:].tolist() == ["a", "b"]
        assert [word.decode() for word in file["fixed"][:]] == words
        assert file["fixed"].dtype.metadata["h5py_encoding"] == "utf-8"
        assert file["scalar"][()] == "one"
        assert file["chunked"][4:].tolist() == (words * 3)[4:]
        assert file["grid"][:, 1].tolist() == [words[1], words[3]]
        assert file["space"][:].tolist() == [b"ab", b"cd e"]


def test_text_that_h5py_reads(tmp_path):
    words = np.array([["", "é"], ["🙂", "x" * 300]], object)
    with stook.create(tmp_path / "x.h5") as file:
        file.create_array("plain", words)
        file.create_array("chunked", words, dtype=str, chunks=(1, 2), codecs="gzip")
        file.create_array("fixed", np.array([b"ab", b"c"], "S2"))
        file.create_array("empty", shape=3, dtype=str)
        file.create_array("bytes", np.array([b"\x00\xff", b""], object))
        file["chunked"][0, 1] = "changed"
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["plain"].asstr()[:].tolist() == words.tolist()
        assert file["chunked"].asstr()[0].tolist() == ["", "changed"]
        assert file["fixed"][:].tolist() == [b"ab", b"c"]
        assert file["empty"].asstr()[:].tolist() == ["", "", ""]
        assert [bytes(item) for item in file["bytes"][:]] == [b"\x00\xff", b""]


def test_times_as_h5py_tags_them(tmp_path, same_bits):
    for dtype in ("M8[ns]", "m8[10us]", "U3"):
        expected = items(dtype)
        with h5py.File(tmp_path / "x.h5", "w") as file:
            tagged = h5py.opaque_dtype(expected.dtype)
            file.create_dataset("x", data=expected.astype(tagged), dtype=tagged)
        with stook.open(tmp_path / "x.h5") as file:
            same_bits(expected, file["x"][:])
        with stook.create(tmp_path / "y.h5", overwrite=True) as file:
            file.create_array("x", expected, dtype=dtype)
        with h5py.File(tmp_path / "y.h5") as file:
            same_bits(expected, file["x"][:])


def test_enums_sequences_and_structs_of_text(tmp_path, same_bits):
    enum = h5py.enum_dtype({"RED": 1, "GREEN": -2}, basetype="i2")
    sequence = h5py.vlen_dtype("f4")
    mixed = np.dtype([("n", "i4"), ("s", h5py.string_dtype()), ("v", sequence)])
    rows = np.zeros(2, mixed)
    rows[0] = (1, "one", np.arange(2, dtype="f4"))
    rows[1] = (2, "zwei ✓", np.arange(0, dtype="f4"))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("enum", data=np.array([1, -2, 1], "i2"), dtype=enum)
        ragged = file.create_dataset("ragged", (3,), sequence)
        for i in range(3):
            ragged[i] = np.arange(i, dtype="f4")
        file.create_dataset("mixed", data=rows)
    with stook.open(tmp_path / "x.h5") as file:
        assert file["enum"][:].tolist() == [1, -2, 1]
        assert h5py.check_enum_dtype(file["enum"].dtype) == {"RED": 1, "GREEN": -2}
        for i, found in enumerate(file["ragged"][:]):
            same_bits(np.arange(i, dtype="f4"), found)
        assert h5py.check_vlen_dtype(file["ragged"].dtype) == np.dtype("f4")
        found = file["mixed"][:]
        assert found["n"].tolist() == [1, 2]
        assert found["s"].tolist() == ["one", "zwei ✓"]
        same_bits(rows["v"][0], found["v"][0])
    with stook.create(tmp_path / "y.h5") as file:
        file.create_array("enum", np.array([1, -2], "i2"), dtype=enum)
        file.create_array("ragged", [[1.0], [], [2.0, 3.0]], dtype=stook.vlen_dtype("f4"))
        file.create_array("mixed", rows)
    with h5py.File(tmp_path / "y.h5") as file:
        assert h5py.check_enum_dtype(file["enum"].dtype) == {"RED": 1, "GREEN": -2}
        assert file["enum"][:].tolist() == [1, -2]
        assert [row.tolist() for row in file["ragged"][:]] == [[1], [], [2, 3]]
        assert file["mixed"]["s"].tolist() == [b"one", "zwei ✓".encode()]
        assert file["mixed"][0]["v"].tolist() == [0, 1]


def test_attributes_that_h5py_wrote(tmp_path, same_bits):
    values = {
        "int": np.int16(-5),
        "float": np.float32(0.1),
        "bool": np.bool_(True),
        "complex": np.complex128(1 - 2j),
        "array": np.arange(6, dtype=">u2").reshape(2, 3),
        "fixed": np.bytes_(b"abc"),
        "struct": items(PACKED, (2,)),
        "empty": np.zeros((0, 2), "f8"),
    }
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("d", data=1).attrs["on"] = "array"
        file.attrs["text"] = "é✓"
        file.attrs["texts"] = np.array(["a", "bé"], object)
        file.attrs["null"] = h5py.Empty("f4")
        for name, value in values.items():
            file.attrs[name] = value
    with stook.open(tmp_path / "x.h5") as file:
        assert file["d"].attrs["on"] == "array"
        assert file.attrs["text"] == "é✓"
        assert file.attrs["texts"].tolist() == ["a", "bé"]
        assert file.attrs["null"] == stook.Empty("f4")
        for name, value in values.items():
            same_bits(value, file.attrs[name])
            assert np.isscalar(file.attrs[name]) == np.isscalar(value)
        assert len(file.attrs) == len(values) + 3


def test_attributes_that_h5py_reads(tmp_path, same_bits):
    values = {
        "int": 7,
        "float": 0.1,
        "nan": float("nan"),
        "bool": True,
        "list": [1, 2, 3],
        "nested": [[1.5], [2.5]],
        "numpy": np.float32(3),
        "array": items("c8", (2, 2)),
        "struct": items(PACKED, ()),
        "bytes": b"abc",
    }
    with stook.create(tmp_path / "x.h5") as file:
        file.attrs.update(values)
        file.attrs["text"] = "é"
        file.attrs["texts"] = ["a", "✓"]
        file.attrs["null"] = stook.Empty("int32")
        file.create_array("x", 1, attributes={"unit": "m"})
    with h5py.File(tmp_path / "x.h5") as file:
        for name, value in values.items():
            same_bits(value, file.attrs[name])
        assert file.attrs["text"] == "é"
        assert list(file.attrs["texts"]) == ["a", "✓"]
        assert file.attrs["null"] == h5py.Empty("int32")
        assert file["x"].attrs["unit"] == "m"


def test_links(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["far"] = 5
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["g/data"] = np.arange(3)
        file["hard"] = file["g/data"]
        file["soft"] = h5py.SoftLink("/g/data")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["external"] = h5py.ExternalLink("other.h5", "/far")
        file["g/cycle"] = file["/"]
    with stook.open(tmp_path / "x.h5", "r+") as file:
        assert file["soft"][:].tolist() == [0, 1, 2]
        assert file["hard"][:].tolist() == [0, 1, 2]
        assert file.links() == {
            "soft": ("/g/data", None),
            "dangling": ("/nowhere", None),
            "external": ("/far", "other.h5"),
        }
        assert "dangling" in list(file)
        with pytest.raises(KeyError):
            file["dangling"]
        assert "cycle" in file.tree()
        file.create_link("again", "/g/data")
        del file["soft"]
        assert file["again"][1] == 1
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["again"][:].tolist() == [0, 1, 2]
        assert "soft" not in file
        assert file["g/data"].shape == (3,)


def test_fill_values_and_what_was_never_written(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("chunked", (5, 5), "i4", chunks=(2, 2), fillvalue=-7)[:2] = 1
        file.create_dataset("contiguous", (3,), "f4", fillvalue=2.5)
        file.create_dataset("null", data=h5py.Empty("f8"))
        file.create_dataset("scalar", data=3.5)
        file.create_dataset("none", (0, 4), "i2", maxshape=(None, 4))
    with stook.open(tmp_path / "x.h5") as file:
        assert file["chunked"][1:4, 0].tolist() == [1, -7, -7]
        assert file["chunked"].fill_value == -7
        assert file["contiguous"][:].tolist() == [2.5] * 3
        assert file["scalar"][()] == 3.5
        assert file["scalar"][...].shape == ()
        assert file["none"][:].shape == (0, 4)
        with pytest.raises(ValueError, match="null"):
            file["null"][()]


def test_growing(tmp_path):
    with stook.create(tmp_path / "x.h5") as file:
        array = file.create_array("x", [[1, 2]], dtype="i4", chunks=(2, 2), max_shape=(None, 3))
        assert array.append([[3, 4], [5, 6]]) == (3, 2)
        assert array.append(np.ones((3, 1), "i4"), axis=-1) == (3, 3)
        with pytest.raises(ValueError):
            array.append([[1, 2, 3, 4]])
        with pytest.raises(ValueError):
            array.resize(3, 4)
        assert array.shape == (3, 3)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["x"][:].tolist() == [[1, 2, 1], [3, 4, 1], [5, 6, 1]]
        assert file["x"].maxshape == (None, 3)


def test_files_elsewhere_are_read_where_that_is_allowed(tmp_path):
    (tmp_path / "inner").mkdir()
    with h5py.File(tmp_path / "outer.h5", "w") as file:
        file["x"] = np.arange(6)
    name = tmp_path / "inner" / "links.h5"
    with h5py.File(name, "w") as file:
        file["up"] = h5py.ExternalLink("../outer.h5", "/x")
    with stook.open(name) as file, pytest.raises(stook.UnsupportedError, match="outer.h5") as info:
        file["up"]
    assert "outside=" in info.value.hint
    for outside in (tmp_path, str(tmp_path), "anywhere"):
        with stook.open(name, outside=outside) as file:
            assert file["up"][:].tolist() == list(range(6))
            assert pickle.loads(pickle.dumps(file))["up"][:].tolist() == list(range(6))
    with stook.open(name, outside=tmp_path / "inner") as file, pytest.raises(stook.UnsupportedError):
        file["up"]
    for target, outside, names in (("a.zarr", None, []), ("b.zarr", tmp_path, ["up"])):
        stook.convert(name, tmp_path / target, links="follow", outside=outside)
        assert list(stook.open(tmp_path / target)) == names


def test_szip_by_name_takes_pixels_and_lines_from_the_array(tmp_path):
    data = np.arange(2000, dtype="u2").reshape(20, 100)
    with stook.create(tmp_path / "x.h5") as file:
        file.create_array("x", data=data, chunks=(10, 100), codecs=["szip"])
        assert file["x"].codecs[0]["bits_per_pixel"] == 16
        assert file["x"].codecs[0]["pixels_per_scanline"] == 100
    with stook.open(tmp_path / "x.h5") as file:
        assert file["x"][:].tolist() == data.tolist()
