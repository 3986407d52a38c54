"""A writer of an acquisition, and readers that follow it in processes of their own.

``python following_program.py ROLE PATH N_ROWS [PAUSE]``: the role ``write`` makes the file, says
``ready``, waits for a line, and appends; the roles ``pymodaq``, ``h5compat`` and ``h5py`` read until
they have seen all rows, and check each. A reader waits ``PAUSE`` seconds between looks.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

LEN = 512
NAMES = ("scalars", "spectra", "zipped")


def row(name, i):
    return float(i * 3) if name == "scalars" else np.arange(LEN) * 0.5 + i


def check(name, first, rows):
    numbers = np.arange(first, first + len(rows))
    if name == "scalars":
        expected = numbers * 3.0
    else:
        expected = numbers[:, None] + np.arange(LEN) * 0.5
    assert rows.shape == expected.shape, (name, rows.shape, expected.shape)
    differ = rows != expected
    wrong = np.flatnonzero(differ.any(axis=1) if differ.ndim > 1 else differ)
    assert not len(wrong), (name, first + int(wrong[0]), first + len(rows))


def make(path):
    from stook.pymodaq.backends import H5Backend

    h5 = H5Backend("h5py")
    h5.open_file(path, "w", swmr_mode=True)
    arrays = {}
    for name in NAMES:
        h5.define_compression("gzip", 1 if name == "zipped" else 0)
        arrays[name] = h5.create_earray("/", name, "f8", () if name == "scalars" else (LEN,))
    return h5, arrays


def write(path, n_rows):
    h5, arrays = make(path)
    h5.enable_swmr()
    say("ready")
    sys.stdin.readline()
    rows = [{name: np.atleast_1d(row(name, i)) for name in NAMES} for i in range(n_rows)]
    begun, used = time.perf_counter(), time.process_time()
    for i, values in enumerate(rows):
        for name in NAMES:
            arrays[name].append(values[name])
        # Now each row, now several at once.
        if i % 200 < 100 or i % 10 == 9:
            h5.flush()
    h5.flush()
    took = {"wall": time.perf_counter() - begun, "cpu": time.process_time() - used}
    say(json.dumps(took))
    sys.stdin.readline()
    h5.finalize_swmr()


class OfPymodaq:
    def __init__(self, path):
        from stook.pymodaq.backends import H5Backend

        self.h5 = H5Backend("h5py")
        self.h5.open_file(path, "r", swmr_mode=True)
        self.arrays = {name: self.h5.get_node(f"/{name}") for name in NAMES}

    def rows(self, name, first):
        return self.arrays[name][first:]


class OfH5py:
    def __init__(self, path, module="h5py"):
        import importlib

        self.file = importlib.import_module(module).File(path, "r", swmr=True)
        self.arrays = {name: self.file[name] for name in NAMES}

    def rows(self, name, first):
        array = self.arrays[name]
        array.refresh()
        return array[first:]


class OfH5compat(OfH5py):
    def __init__(self, path):
        super().__init__(path, "stook.h5compat")


READERS = {"pymodaq": OfPymodaq, "h5compat": OfH5compat, "h5py": OfH5py}


def read(role, path, n_rows, pause):
    reader = READERS[role](path)
    say("ready")
    seen = dict.fromkeys(NAMES, 0)
    n_looks, reading = 0, 0.0
    begun = time.process_time()
    while min(seen.values()) < n_rows:
        n_looks += 1
        for name in NAMES:
            # What was there must be there still.
            first = max(seen[name] - 20, 0)
            used = time.process_time()
            rows = reader.rows(name, first)
            reading += time.process_time() - used
            check(name, first, rows)
            assert first + len(rows) >= seen[name], (name, first + len(rows), seen[name])
            seen[name] = first + len(rows)
        time.sleep(pause)
    following = time.process_time() - begun
    for name in NAMES:
        check(name, 0, reader.rows(name, 0))
    say(json.dumps({"looks": n_looks, "reading": reading, "following": following}))


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    role, path, n_rows, *pause = sys.argv[1:]
    if role == "write":
        write(path, int(n_rows))
    else:
        read(role, path, int(n_rows), float(pause[0]) if pause else 0.0)
