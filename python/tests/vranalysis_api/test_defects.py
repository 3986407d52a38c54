"""What goes wrong with the peer, and must not here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
from stook.vranalysis import LoadingRecipe, Session


def test_keep_sparse_is_part_of_what_is_cached(session, settle):
    session.saveone(scipy.sparse.csc_array(np.eye(3)), "x", sparse=True)
    settle(session.one_path / "x.npz")
    for _ in range(2):
        assert isinstance(session.loadone("x", sparse=True), np.ndarray)
        assert isinstance(session.loadone("x", sparse=True, keep_sparse=True), scipy.sparse.csc_array)


def test_a_recipe_that_is_saved_replaces_what_was_cached(session, settle):
    path = session.one_path / "x.npy"
    session.saveone(np.zeros(2), "x")
    settle(path)
    session.loadone("x")
    session.saveone(LoadingRecipe("count", "1"), "x")
    assert session.loadone("x").shape == (2, 1)
    session.clear_one_data(certainty=True)
    with pytest.raises(ValueError):
        session.loadone("x")


def test_what_another_program_saves_is_seen(session, settle):
    path = session.one_path / "x.npy"
    session.saveone(np.zeros(2), "x")
    settle(path)
    assert session.loadone("x").tolist() == [0, 0]
    np.save(path, np.ones(2))
    assert session.loadone("x").tolist() == [1, 1]
    settle(path)
    assert session.loadone("x").tolist() == [1, 1]


def test_what_a_recipe_leads_to_is_seen(session, settle):
    source = session.data_path / "numbers.txt"
    source.parent.mkdir(parents=True)
    source.write_text("1\n2\n")
    session.saveone(LoadingRecipe("source", "numbers.txt"), "x")
    settle(source, session.one_path / "x.npy")
    for _ in range(2):
        assert session.loadone("x").tolist() == [1, 2]
    assert session.calls == ["numbers.txt"]
    source.write_text("3\n4\n")
    assert session.loadone("x").tolist() == [3, 4]


def test_a_load_within_a_loader_counts(tmp_path, settle):
    class Nested(Session):
        @property
        def recipe_loaders(self):
            return {"sum": lambda name: self.loadone(name).sum(keepdims=True)}

    session = Nested("a", "2024-02-09", root=tmp_path)
    session.saveone(np.arange(3), "x")
    session.saveone(LoadingRecipe("sum", "x"), "y")
    settle(*session.get_saved_one())
    for _ in range(2):
        assert session.loadone("y").tolist() == [3]
        session.loadone("x")
    session.saveone(np.arange(5), "x")
    assert session.loadone("y").tolist() == [10]


def test_no_load_can_change_another(session, settle):
    session.saveone(np.zeros(3), "x")
    session.saveone({"a": [1]}, "d")
    session.saveone(LoadingRecipe("count", "2"), "r")
    session.saveone(scipy.sparse.csc_array(np.eye(2)), "s", sparse=True)
    settle(*session.get_saved_one())
    for _ in range(2):
        for array in (
            session.loadone("x"),
            session.loadone("r"),
            session.loadone("s", sparse=True),
            session.loadone("s", sparse=True, keep_sparse=True).data,
        ):
            with pytest.raises(ValueError):
                array[...] = 9
            with pytest.raises(ValueError):
                array.flags.writeable = True
        session.loadone("d").item()["a"].append(2)
        assert session.loadone("d").item() == {"a": [1]}
    mine = session.loadone("x", writable=True)
    mine[:] = 5
    assert session.loadone("x").tolist() == [0, 0, 0]


def test_what_a_loader_keeps_is_not_what_is_cached(tmp_path, settle):
    kept = np.zeros(3)

    class Keeping(Session):
        @property
        def recipe_loaders(self):
            return {"kept": lambda _: kept, "part": lambda _: kept[1:]}

    session = Keeping("a", "2024-02-09", root=tmp_path)
    for loader in ("kept", "part"):
        session.saveone(LoadingRecipe(loader, "x"), "x")
        settle(session.one_path / "x.npy")
        loaded = session.loadone("x")
        before = loaded.tolist()
        kept[:] += 1
        assert session.loadone("x").tolist() == loaded.tolist() == before
    assert kept.flags.writeable


def test_what_was_saved_is_not_what_is_cached(session):
    mine = np.zeros(3)
    session.saveone(mine, "x")
    mine[:] = 1
    assert session.loadone("x").tolist() == [0, 0, 0]


def test_the_cache_has_a_bound(session, settle):
    session.one_cache.budget = 50_000
    session.memory_map = False
    for i in range(10):
        session.saveone(np.zeros(1000), f"x{i}")
        settle(session.one_path / f"x{i}.npy")
        session.loadone(f"x{i}")
        session.loadone("x0")
    assert len(session.one_cache) == 5 and session.one_cache.nbytes <= 50_000
    assert "x0.npy" in session.one_cache and "x1.npy" not in session.one_cache
    session.one_cache.budget = 0
    assert len(session.one_cache) == 0 and session.loadone("x9").shape == (1000,)


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "/x", "a\\b", "a\0b", "", "a..b", "c:x"])
def test_names_stay_in_the_session(session, name, tmp_path):
    for call in (session.loadone, lambda name: session.saveone(np.zeros(1), name)):
        with pytest.raises(ValueError, match="onedata name"):
            call(name)
    assert not list(tmp_path.rglob("*.npy"))


def test_links_out_of_the_session_are_not_followed(session, tmp_path):
    secret = tmp_path / "secret.npy"
    np.save(secret, np.arange(3))
    session.saveone(np.zeros(1), "x")
    (session.one_path / "link.npy").symlink_to(secret)
    with pytest.raises(ValueError, match="leads out of the session's folder"):
        session.loadone("link")
    with pytest.raises(ValueError, match="leads out of the session's folder"):
        session.saveone(np.zeros(1), "link")
    session.clear_one_data(certainty=True)
    assert np.load(secret).tolist() == [0, 1, 2]


WRITER = """
import sys, numpy as np
from stook.vranalysis import Session
session = Session("a", "2024-02-09", root=sys.argv[1])
new = np.full(1 << 20, 2.0)
print("ready", flush=True)
while True:
    session.saveone(new, "x")
"""


def test_a_writer_that_is_killed_leaves_the_old_or_the_new(tmp_path):
    session = Session("a", "2024-02-09", root=tmp_path)
    for i in range(5):
        session.saveone(np.full(1 << 20, 1.0), "x")
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
        )
        assert writer.stdout.readline() == b"ready\n"
        try:
            writer.wait(0.003 * (i + 1))
        except subprocess.TimeoutExpired:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        loaded = session.loadone("x")
        assert loaded.shape == (1 << 20,) and loaded[0] in (1, 2) and (loaded == loaded[0]).all()
    assert session.print_saved_one() == ["x"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_save_that_fails_leaves_what_was_there(session, monkeypatch):
    import resource

    session.saveone(np.arange(3), "x")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(OSError):
            session.saveone(np.zeros(1 << 20), "x")
        with pytest.raises(OSError):
            session.saveone(scipy.sparse.csc_array(np.ones((300, 300))), "x", sparse=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert session.loadone("x").tolist() == [0, 1, 2]
    assert [path.name for path in session.one_path.iterdir()] == ["x.npy"]
