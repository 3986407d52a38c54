"""Files that nobody should trust: what they would run is named, and not run."""

from __future__ import annotations

import os
import pickle

import h5py
import numpy as np
import pytest
import stook
import stook.pymodaq.backends as ours

CALL = '{{"module": "builtins", "type": "str", "data": "__import__(\'os\').mkdir({!r})"}}'


class Caller:
    """What an attacker pickles."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize("backend", ["tables", "h5py"])
def test_nothing_that_a_file_names_is_run(backend, tmp_path):
    trap = tmp_path / "trap"
    h5 = ours.H5Backend(backend)
    h5.open_file(tmp_path / "run.h5", "w")
    log = h5.create_vlarray("/", "log", "string")
    log.append("fine")
    log.append_backend(Caller(trap))
    h5.close_file()
    with h5py.File(tmp_path / "run.h5", "a") as file:
        file.attrs["note"] = CALL.format(str(trap))
        file["log"].attrs["note"] = np.void(pickle.dumps(Caller(trap)))
        file["log"].attrs["TITLE"] = CALL.format(str(trap))
    h5.open_file(tmp_path / "run.h5")
    with pytest.warns(ours.AttributeWarning, match="__import__"):
        assert "mkdir" in h5.root().attrs["note"]
    log = h5.get_node("/log")
    with pytest.raises(stook.UnsupportedError, match="posix.mkdir|nt.mkdir"):
        log.attrs["note"]
    with pytest.raises(stook.UnsupportedError, match="mkdir"):
        log.read()
    assert log[0] == "fine"
    with pytest.warns(ours.AttributeWarning, match="__import__"):
        str(log)
    h5.close_file()
    assert not trap.exists()


def test_trees_that_are_broken_are_refused(tmp_path):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a/b")
        group["again"] = file["a"]
    h5 = ours.H5Backend("h5py")
    h5.open_file(path)
    with pytest.raises(stook.FormatError, match="/a/b/again"):
        list(h5.walk_nodes("/"))
    h5.close_file()
    with h5py.File(path, "w") as file:
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["far"] = h5py.ExternalLink("other.h5", "/x")
        file["kind"] = np.dtype("f8")
        file["text"] = "a text"
        file["null"] = h5py.Empty("f8")
    h5.open_file(path)
    assert [node.path for node in h5.walk_nodes("/")] == ["/", "/null", "/text"]
    for name in ("dangling", "far"):
        with pytest.raises(Exception, match=name):
            h5.get_node(f"/{name}")
    h5.close_file()


def test_sizes_that_no_memory_has_are_refused(tmp_path):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        huge = file.create_dataset("huge", (2**40, 2**20), "f8", maxshape=(None, 2**20),
                                   chunks=(1, 2**20))
        huge.attrs["CLASS"] = "EARRAY"
    h5 = ours.H5Backend("h5py")
    h5.open_file(path, "a")
    node = h5.get_node("/huge")
    assert node.attrs.get("shape") is None and node.array.shape == (2**40, 2**20)
    with pytest.raises((stook.LimitError, MemoryError, ValueError)):
        node.read()
    node.append(np.zeros(2**20))
    assert len(node) == 2**40 + 1
    h5.close_file()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(stook.FormatError):
        h5.open_file(path)
