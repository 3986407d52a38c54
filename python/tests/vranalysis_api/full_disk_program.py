"""Saves to a disk that is full, by a bound on the size of files: after each error what was saved before
is there, whole. ``python full_disk_program.py FOLDER``"""

from __future__ import annotations

import resource
import signal
import sys

import numpy as np
import stook
from scipy.sparse import csc_array
from stook.vranalysis import Catalogue, LoadingRecipe, Session


class Careful(Session):
    checksums = True


def main(folder):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    session = Careful("M", "2024-01-02", "001", root=folder)
    session.saveone(np.full(1000, 7.0), "a.array")
    session.saveone(csc_array(np.eye(50)), "a.matrix", sparse=True)
    session.saveone(LoadingRecipe("x", "y"), "a.recipe")
    catalogue = Catalogue(folder)
    catalogue.index()
    before = {path.name: path.read_bytes() for path in session.one_path.iterdir()}
    failures = 0
    for step in range(100):
        # From nothing at all to what nearly does.
        room = step * 83
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        for save in (
            lambda: session.saveone(np.full(2000, 8.0), "a.array"),
            lambda: session.saveone(csc_array(np.ones((40, 60))), "a.matrix", sparse=True),
            lambda: session.saveone({"text": "x" * 20_000}, "a.recipe"),
            lambda: session.saveone(np.full(2000, 8.0), "a.new"),
            catalogue.index if step % 10 == 0 else None,
        ):
            try:
                if save is not None:
                    save()
            except stook.Error as error:
                assert isinstance(error, OSError), repr(error)
                failures += 1
            else:
                # Nothing has changed that the catalogue would have to write.
                assert save is None or save == catalogue.index, "a full disk took a file"
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        after = {path.name: path.read_bytes() for path in session.one_path.iterdir()}
        after.pop(".stook-sums.lock", None)
        sums = after["SHA256SUMS"].splitlines()
        assert set(before["SHA256SUMS"].splitlines()) <= set(sums)
        for name in ("a.array.npy", "a.matrix.npz", "a.recipe.npy"):
            assert after[name] == before[name], (step, name)
        assert after.keys() <= before.keys(), after.keys()
        assert session.loadone("a.array")[-1] == 7.0
        states = session.verify()
        assert all(state != "changed" for state in states.values()), states
        assert len(catalogue.query()) == 1
    session.saveone(np.full(2000, 8.0), "a.array")
    assert session.verify()["a.array.npy"] == "right"
    print(failures)


if __name__ == "__main__":
    main(*sys.argv[1:])
