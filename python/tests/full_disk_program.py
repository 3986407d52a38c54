"""Writes HDF5 files to a disk that fills up, by one of the doors, and checks after each error that
all that was acknowledged is there, and that the file goes on once there is room again.

``python full_disk_program.py DOOR FOLDER LIMIT``: ``LIMIT`` is ``disk`` where the folder is on a
small file system of its own, which is filled by another file; ``size`` where this process may write
files of a bounded size.
"""

from __future__ import annotations

import os
import signal
import sys

import h5py
import numpy as np
import stook
import stook.h5compat
import stook.pymodaq.backends

ROW = 700
KIB = 1024


class Pymodaq:
    """``stook.pymodaq``."""

    def __init__(self, path, level):
        self.h5 = stook.pymodaq.backends.H5Backend("h5py")
        self.h5.open_file(path, "w")
        if level:
            self.h5.define_compression("gzip", level)
        self.spectra = self.h5.create_earray("/", "spectra", "f8", (ROW,))
        self.log = self.h5.create_vlarray("/", "log", "string")

    def append(self, row):
        self.spectra.append(row)

    def note(self, text):
        self.log.append(text)

    def add_node(self, name):
        group = self.h5.add_group(name, "data", "/")
        self.h5.create_carray(group, "values", np.arange(300.0))

    def set_attribute(self, name, text):
        self.h5.root().attrs[name] = text

    def flush(self):
        self.h5.flush()

    def close(self):
        self.h5.close_file()


class H5compat:
    """``stook.h5compat``."""

    def __init__(self, path, level):
        self.file = stook.h5compat.File(path, "w")
        self.spectra = self.file.create_dataset(
            "spectra", (0, ROW), "f8", maxshape=(None, ROW), chunks=(7, ROW),
            compression="gzip" if level else None, compression_opts=level or None,
        )
        self.log = self.file.create_dataset(
            "log", (0,), stook.h5compat.string_dtype(), maxshape=(None,), chunks=(16,)
        )

    def append(self, row):
        n = len(self.spectra)
        self.spectra.resize(n + 1, 0)
        try:
            self.spectra[n] = row
        except stook.Error:
            self.spectra.resize(n, 0)
            raise

    def note(self, text):
        n = len(self.log)
        self.log.resize(n + 1, 0)
        try:
            self.log[n] = text
        except stook.Error:
            self.log.resize(n, 0)
            raise

    def add_node(self, name):
        self.file.create_group(name).create_dataset("values", data=np.arange(300.0))

    def set_attribute(self, name, text):
        self.file.attrs[name] = text

    def flush(self):
        self.file.flush()

    def close(self):
        self.file.close()


DOORS = {"pymodaq": Pymodaq, "h5compat": H5compat}


class Disk:
    """A small file system that another file fills."""

    def __init__(self, folder):
        self.filler = os.path.join(folder, "filler")

    def leave(self, n_bytes):
        self.free()
        state = os.statvfs(os.path.dirname(self.filler))
        with open(self.filler, "wb") as file:
            file.write(b"x" * max(state.f_bavail * state.f_bsize - n_bytes, 0))

    def free(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)


class Size:
    """A bound on the size of files that this process writes."""

    def __init__(self, folder):
        import resource

        del folder
        self.resource = resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def leave(self, n_bytes):
        hard = self.resource.getrlimit(self.resource.RLIMIT_FSIZE)[1]
        self.resource.setrlimit(self.resource.RLIMIT_FSIZE, (n_bytes, hard))

    def free(self):
        hard = self.resource.getrlimit(self.resource.RLIMIT_FSIZE)[1]
        self.resource.setrlimit(self.resource.RLIMIT_FSIZE, (hard, hard))


def row(i):
    return (np.arange(ROW) * 37 + i * 1001) % 65521 / 7


def check(path, n_rows, exact):
    """h5py finds the first rows, and where that is said no others."""
    with h5py.File(path, "r") as file:
        found = file["spectra"][:]
        assert len(found) >= n_rows and not (exact and len(found) > n_rows), (len(found), n_rows)
        for i, values in enumerate(found):
            assert (values == row(i)).all(), f"row {i} of {len(found)}"
        for name in file:
            if name.lower().startswith("node"):
                assert "values" not in file[name] or file[name]["values"][299] == 299
        dict(file.attrs)


def fill(door, limit, path, level, room):
    """One file, until an error; gives what failed first."""
    run = DOORS[door](path, level)
    run.flush()
    limit.leave(room)
    n_rows = n_acknowledged = 0
    failed = None
    for i in range(400):
        steps = [
            ("append", lambda: run.append(row(n_rows))),
            ("note", lambda: run.note(f"line {i} " + "x" * 40)),
            ("node", lambda: i % 5 == 0 and run.add_node(f"node{i}")),
            ("attribute", lambda: run.set_attribute("state", f"{i} " + "y" * (i % 7 * 50))),
            ("flush", run.flush if i % 3 == 2 else lambda: None),
        ]
        if room % 3 == 0 and i % 40 == 39:
            # Closing is a stage of its own, with rows that are not flushed.
            steps[-1] = ("close", run.close)
        for name, step in steps:
            try:
                step()
            except stook.Error as error:
                assert isinstance(error, (OSError, ValueError, RuntimeError)), repr(error)
                failed = failed or name
            else:
                n_rows += name == "append"
                if name in ("flush", "close") and (name == "close" or i % 3 == 2):
                    n_acknowledged = n_rows
        if failed or steps[-1][0] == "close":
            break
    if failed is None:
        limit.free()
        run.close()
        return None
    check(path, n_acknowledged, exact=False)
    limit.free()
    run.flush()
    check(path, n_rows, exact=True)
    for _ in range(5):
        run.append(row(n_rows))
        n_rows += 1
    run.add_node("nodelast")
    run.flush()
    run.close()
    check(path, n_rows, exact=True)
    return failed


def main(door, folder, limit):
    limit = {"disk": Disk, "size": Size}[limit](folder)
    stages = {}
    path = os.path.join(folder, "run.h5")
    for level in (0, 4):
        for step in range(24):
            room = 4 * KIB + 9 * KIB * step + 1000 * level + step % 3
            if isinstance(limit, Size):
                room += 40 * KIB
            failed = fill(door, limit, path, level, room)
            stages[failed] = stages.get(failed, 0) + 1
            os.remove(path)
            assert not os.path.exists(path + "-journal"), "a journal is left"
    # Not even room to create it.
    limit.leave(0)
    try:
        DOORS[door](path, 0).flush()
    except (stook.Error, OSError) as error:
        stages["create"] = 1
        assert str(path) in str(error), error
    else:
        raise AssertionError("a full disk took a file")
    limit.free()
    run = DOORS[door](path, 0)
    run.append(row(0))
    run.close()
    check(path, 1, exact=True)
    print(dict(sorted(stages.items(), key=str)))


if __name__ == "__main__":
    main(*sys.argv[1:])
