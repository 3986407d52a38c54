"""What indices mean, and what is said of those that mean nothing."""

from __future__ import annotations

import numpy as np
import pytest

MASK = np.arange(20).reshape(4, 5) % 3 == 0
READS = [
    "5", "-5", "-1", "(0, 9)", "(1, 2)", "(1, 2, 3)", "np.s_[::-1]", "np.s_[3:1]", "np.s_[1:3]", "[0, 2]",
    "[2, 0]", "[0, 0]", "[-1]", "([0, 1], [1, 2])", "([0, 2], slice(0, 2))", "np.s_[:, [1, 3]]", "(0, [1, 3])",
    "None", "(..., ...)", "...", "()", "True", "1.5", "'a'", "np.array([True, False, True, False])", "MASK",
    "np.ones((3, 5), bool)", "np.array([True, False])", "[True, False, True, False]", "np.ones((4, 5), bool)",
    "np.s_[:, [True, False, True, False, True]]", "np.s_[:, [True, False]]", "[]", "np.array([], int)",
    "np.array([[0, 1], [1, 2]])", "[9]", "np.array([1.5])", "np.s_[0:100]", "np.s_[-2:]", "np.s_[:, np.array([1, 0])]",
    "np.int64(1)", "(np.array(1),)", "np.s_[0:0]", "np.s_[..., 0]", "np.s_[::2, 1::3]", "{'a': 1}", "np.s_[::3]",
    "m.MultiBlockSlice(0, 2, 2, 1)", "np.s_[1, ...]", "np.s_[..., 1:2, 2]", "np.zeros((4, 5), bool)", "range(1, 3)",
]  # fmt: skip

WRITES = [
    ("0", "np.ones(3)"), ("np.s_[:]", "np.ones((4, 1))"), ("np.s_[..., 0]", "np.arange(4)"), ("[0, 1]", "np.ones(5)"),
    ("[0, 1]", "1"), ("[0, 1]", "np.ones((2, 5))"), ("MASK", "np.zeros(7)"), ("MASK", "np.zeros(6)"), ("MASK", "5"),
    ("0", "1e30"), ("0", "np.array(1e30)"), ("0", "np.array([1.7] * 5)"), ("0", "'a'"), ("0", "np.array(['a'])"),
    ("0", "[1, 2, 3, 4, 5.5]"), ("0", "np.array([2**63], 'u8')"), ("0", "None"), ("9", "1"), ("0", "np.array([True] * 5)"),
    ("0", "np.array([1 + 2j] * 5)"), ("0", "np.array([np.nan] * 5)"), ("0", "np.ones((1, 1, 5))"), ("(0, 0)", "np.ones((1,))"),
    ("(0, 0)", "np.ones((1, 1))"), ("np.s_[1:3, 2]", "[7, 8]"), ("np.s_[::2, ::2]", "-1"), ("np.s_[:, [1, 3]]", "9"),
    ("np.s_[3:1]", "7"), ("None", "1"), ("np.s_[:]", "np.arange(20).reshape(4, 5)[:, ::-1]"),
]  # fmt: skip


def _eval(text, m):
    return eval(text, {"np": np, "m": m, "MASK": MASK})


def _dataset(m, folder):
    f = m.File(folder / "x.h5", "w")
    return f.create_dataset("x", data=np.arange(20).reshape(4, 5), chunks=(2, 5), maxshape=(None, 5))


@pytest.mark.parametrize("key", READS)
def test_reading(same, key):
    same.words(lambda m, folder: _dataset(m, folder)[_eval(key, m)])


@pytest.mark.parametrize(("key", "value"), WRITES)
def test_writing(same, key, value):
    def body(m, folder):
        dataset = _dataset(m, folder)
        dataset[_eval(key, m)] = _eval(value, m)
        return dataset[()]

    same(body)


@pytest.mark.parametrize("key", ["0", ":", "()", "...", "(0, 0)"])
def test_scalars(same, key):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["x"] = 3
            return f["x"][eval(f"np.s_[{key}]", {"np": np}) if key != "()" else ()]

    same.words(body)


def test_a_dataset_without_items(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("x", (0, 5), "i4", maxshape=(None, 5))
            return d[:], d[()], d[...], d[0:0], d.chunks, d.maxshape, np.asarray(d), list(d)

    same(body)


def test_empty_datasets(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("e", dtype="f4", data=m.Empty("f4"))
            f["n"] = m.Empty("S3")
            return d[()], d.shape, d.size, d.maxshape, d.nbytes, f["n"][()], d.ndim

    same(body)


@pytest.mark.parametrize("key", ["d[0]", "d.__setitem__((), 1)", "np.asarray(d)"])
def test_empty_datasets_have_no_items(same, key):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            return eval(key, {"np": np, "d": f.create_dataset("e", data=m.Empty("f4"))})

    same(body)


def test_fields(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("c", data=np.array([(1, 2.0), (3, 4.0)], "i4,f8"))
            found = [d["f0"], d["f0", "f1"], d[0], d["f1", 0:1], d.fields("f0")[:], d.fields(["f0"])[:]]
            d["f0"] = [7, 8]
            d[0] = (9, 9.5)
            d["f1", 1] = 0
            return found, d[:], d.dtype, d.fillvalue

    same(body)


@pytest.mark.parametrize("key", ["d['zz']", "x['a']", "d.fields('zz')", "d.__setitem__('zz', 1)"])
def test_fields_that_are_not_there(same, key):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["x"] = [1]
            return eval(key, {"d": f.create_dataset("c", data=np.zeros(2, "i4,f8")), "x": f["x"]})

    same.words(body)


def test_direct(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("x", data=np.arange(12.0).reshape(3, 4))
            out, other, narrow = np.zeros((3, 4)), np.zeros((3, 4)), np.zeros(12, "f4")
            d.read_direct(out)
            d.read_direct(other, np.s_[1, :], np.s_[0, :])
            d.read_direct(narrow, np.s_[2], np.s_[4:8])
            d.write_direct(out, np.s_[0, :], np.s_[2, :])
            return out, other, narrow, d[:]

    same(body)


def test_views(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("x", data=np.arange(12.0).reshape(3, 4))
            t = f.create_dataset("t", data=["a", "bé"])
            v = d.astype("i2")
            return (
                v[0], v.dtype, v[...], len(v), np.asarray(v), t.asstr()[:], t.asstr()[1], t[0], t.asstr("latin-1")[1],
                np.asarray(t.asstr()), list(d.astype("u1"))[1],
            )  # fmt: skip

    same(body)


@pytest.mark.parametrize("selection", ["None", "np.s_[1:3]", "np.s_[1:3, 2:5]", "np.s_[0:9]", "np.s_[::2]"])
def test_chunks_one_by_one(same, selection):
    key = eval(selection, {"np": np})
    same.words(lambda m, folder: list(_dataset(m, folder).iter_chunks(key)))


def test_chunks_of_one_piece(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["x"] = [1, 2]
            return list(f["x"].iter_chunks())

    same.words(body)


def test_regions(same):
    def body(m, folder):
        d = _dataset(m, folder)
        f = d.file
        f.create_dataset("r", (2,), m.regionref_dtype)[0] = d.regionref[0:2, 1:3]
        found = f["r"][0]
        one, many = d.regionref[0:2, 1:3], d.regionref[[0, 2], 1:3]
        return (
            d[one], d.regionref.selection(one), d.regionref.shape(one), d[found], f[found], bool(f["r"][1]),
            d[many], f["r"].dtype,
        )  # fmt: skip

    same(body)
