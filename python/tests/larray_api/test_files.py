"""Sessions in files: what comes back is what was saved, and larray reads the same."""

from __future__ import annotations

import numpy as np
import pytest
from stook.larray import Array, Axis, Session, ndtest

LABELS = [
    Axis("a=a0..a2"), Axis([2020, 2021], "year"), Axis("größe=klein,größer,日本"), Axis("d=x y,z"), Axis("e=e0..e3"),
]


def session(seed: int) -> Session:
    """Arrays of one to five axes, with what is hard to write as text."""
    random = np.random.default_rng(seed)
    found = Session(meta={"title": "größe", "n": 5, "share": 0.1, "final": True})
    for ndim in range(1, 6):
        axes = [LABELS[at] for at in random.permutation(len(LABELS))[:ndim]]
        shape = [len(axis) for axis in axes]
        values = random.standard_normal(shape) * 10.0 ** random.integers(-20, 20, shape)
        values.flat[0] = [np.nan, np.inf, -np.inf, 0.1, 1e-300][ndim - 1]
        found[f"floats_{ndim}"] = Array(values, axes)
        found[f"integers_{ndim}"] = Array(random.integers(-(2**62), 2**62, shape), axes)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_text_keeps_every_number(seed, tmp_path):
    saved = session(seed)
    saved.save(tmp_path / "folder")
    found = Session(tmp_path / "folder")
    assert found.names == saved.names
    assert found.meta == saved.meta
    for name, array in saved.items():
        assert found[name].axes == array.axes
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name].data, array.data, equal_nan=array.dtype.kind == "f")


def test_larray_reads_what_is_saved_as_text(peer, tmp_path):
    saved = session(1)
    saved.save(tmp_path / "folder")
    printed = peer.run(
        "import larray, sys\n"
        "for name, array in sorted(larray.Session(sys.argv[1]).items()):\n"
        "    print(name, array.dtype, array.axes.names, array.shape, repr(array.data.ravel()[-1].item()))",
        tmp_path / "folder",
    )
    expected = [
        f"{name} {array.dtype} {array.axes.names} {array.shape} {array.data.ravel()[-1].item()!r}"
        for name, array in sorted(saved.items())
    ]
    assert printed.splitlines() == expected


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    ndtest(3).to_csv(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        ndtest(5).to_csv(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(("text", "error"), [
    ("", "No columns"),
    ("a\\b,b0\na0,1\na0,2\n", "several rows for one combination"),
    ("a\\b,b0\na0,1,2\n", "row 2: expected 2 cells, found 3"),
])
def test_tables_that_are_none_are_told(text, error, tmp_path):
    from stook.larray import read_csv

    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=error):
        read_csv(path)
