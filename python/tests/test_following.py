"""Readers, ours and h5py's, that follow a writer in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import stook
import stook.h5compat
import stook.pymodaq.backends as ours

PROGRAM = Path(__file__).parent / "following_program.py"
N_ROWS = 500


def start(role, path, n_rows=N_ROWS):
    command = [sys.executable, str(PROGRAM), role, str(path), str(n_rows)]
    process = subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said = process.stdout.readline()
    assert said == "ready\n", said + process.communicate()[1]
    return process


def expect_well(process):
    out, err = process.communicate("\n", timeout=300)
    assert process.returncode == 0, out + err


def test_readers_follow_a_writer_at_full_speed(tmp_path):
    path = tmp_path / "run.h5"
    writer = start("write", path)
    readers = [start(role, path) for role in ("pymodaq", "pymodaq", "h5compat", "h5py")]
    writer.stdin.write("\n")
    writer.stdin.flush()
    writer.stdout.readline()
    for reader in readers:
        expect_well(reader)
    expect_well(writer)
    with h5py.File(path) as file:
        assert f"({N_ROWS}, 512)" in str(file["spectra"].attrs["shape"])
        assert not file.attrs["swmr_active"]


OVERWRITE = """
import sys
import numpy as np
import stook.h5compat
f = stook.h5compat.File(sys.argv[1], "w")
d = f.create_dataset("x", data=np.zeros(2**17))
f.attrs["n"] = 0
f.flush()
print("ready", flush=True)
sys.stdin.readline()
# The journal of more than 16 MiB is begun anew, again and again.
for i in range(1, 41):
    d[...] = i
    f.attrs["n"] = i
    f.flush()
print("done", flush=True)
sys.stdin.readline()
f.close()
"""


@pytest.mark.parametrize("door", ["h5compat", "pymodaq"])
def test_a_reader_whose_commit_is_no_more_goes_on_at_the_last(door, tmp_path):
    path = tmp_path / "x.h5"
    writer = subprocess.Popen(
        [sys.executable, "-c", OVERWRITE, str(path)],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert writer.stdout.readline() == "ready\n"
    if door == "h5compat":
        file = stook.h5compat.File(path)
        x, attributes = file["x"], file.attrs
    else:
        file = ours.H5Backend("h5py")
        file.open_file(path, "r")
        x = file.get_node("/x").array
    assert (x[:] == 0).all()
    writer.stdin.write("\n")
    writer.stdin.flush()
    assert writer.stdout.readline() == "done\n"
    assert (x[:] == 40).all()
    if door == "h5compat":
        assert attributes["n"] == 40 and list(file) == ["x"]
        file.close()
    else:
        file.close_file()
    expect_well(writer)


@pytest.mark.parametrize("door", ["h5compat", "pymodaq"])
def test_what_a_commit_took_away_meanwhile_is_opened_again(door, tmp_path, monkeypatch):
    path = tmp_path / "x.h5"
    with stook.create(path) as file:
        file["x"] = np.arange(3)
    if door == "h5compat":
        from stook.h5compat import _state as module

        name, file = "Tree", stook.h5compat.File(path)
        x = file["x"]
    else:
        from stook.pymodaq import _handles as module

        name, file = "Acquisition", ours.H5Backend("h5py")
        file.open_file(path, "r", swmr_mode=True)
        x = file.get_node("/x").array
    change = "import sys, stook\nwith stook.open(sys.argv[1], 'r+') as f: f['x'][0] = 7"
    subprocess.run([sys.executable, "-c", change, str(path)], check=True)
    errors = [stook.FormatError("torn"), stook.LockedError("no more")]
    real = getattr(module, name)

    class Busy:
        @staticmethod
        def open(*args):
            if errors:
                raise errors.pop()
            return real.open(*args)

    monkeypatch.setattr(module, name, Busy)
    x.refresh()
    assert not errors and x[:].tolist() == [7, 1, 2]
    file.close() if door == "h5compat" else file.close_file()


def test_a_mode_is_refused_where_it_cannot_be(tmp_path):
    h5 = ours.H5Backend("h5py")
    h5.open_file(tmp_path / "a.h5", "w")
    with pytest.raises(RuntimeError):
        h5.enable_swmr()
    h5.open_file(tmp_path / "a.h5", "a", swmr_mode=True)
    with pytest.raises(stook.UnsupportedError, match="superblock"):
        h5.enable_swmr()
    h5.close_file()
    with stook.h5compat.File(tmp_path / "b.h5", "w") as file:
        with pytest.raises(RuntimeError, match="superblock"):
            file.swmr_mode = True
    with stook.h5compat.File(tmp_path / "b.h5", "w", libver="latest") as file:
        x = file.create_dataset("x", (0,), "f8", maxshape=(None,))
        file.swmr_mode = True
        assert file.swmr_mode
        for change in (
            lambda: file.create_group("g"),
            lambda: file.attrs.__setitem__("a", 1),
            lambda: file.__delitem__("x"),
        ):
            with pytest.raises(stook.ReadOnlyError, match="no write intent|SWMR"):
                change()
        x.resize(3, 0)
        x[:] = 5
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["x"][:].tolist() == [5, 5, 5]


@pytest.mark.parametrize("name", ["run.h5", "run.zarr"])
def test_attributes_are_told_when_the_mode_ends(name, tmp_path):
    h5 = ours.H5Backend("h5py")
    h5.open_file(tmp_path / name, "w", swmr_mode=True)
    array = h5.create_earray("/", "x", "f8", (3,))
    assert h5.is_swmr_capable and h5.is_swmr_compatible and not h5.is_swmr_active
    h5.enable_swmr()
    array.append(np.arange(3.0))
    h5.flush()
    array.append(np.arange(3.0))
    assert h5.is_swmr_active and h5.h5file.swmr_mode and len(array) == 2
    h5.finalize_swmr(keep_open=True)
    assert not h5.is_swmr_active
    assert h5.get_node("/x").attrs["shape"] == (2, 3)
    assert not h5.get_node("/").node.attrs["swmr_active"]
    h5.close_file()


GROW = """
import sys
import numpy as np
import stook
f = stook.create(sys.argv[1])
rows = f.create_array("scan/rows", shape=(0, 4), dtype="f8", chunks=(8, 4), codecs=None)
f.create_array("gone", np.arange(3))
f.create_array("other", np.arange(3))
f.commit()
print("ready", flush=True)
for line in sys.stdin:
    for i in range(5):
        rows.append(np.full((1, 4), len(rows)))
    f["scan"].attrs["n"] = len(rows)
    if line == "last\\n":
        del f["gone"], f["other"]
        f.create_array("other", ["text"])
        f.create_group("late")
    f.commit()
    print(len(rows), flush=True)
f.close()
"""


def test_a_file_of_another_process_is_refreshed(tmp_path):
    path = tmp_path / "run.h5"
    writer = subprocess.Popen(
        [sys.executable, "-c", GROW, str(path)],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def goes_on(word=""):
        writer.stdin.write(f"{word}\n")
        writer.stdin.flush()
        return int(writer.stdout.readline())

    assert writer.stdout.readline() == "ready\n"
    with stook.open(path) as file:
        rows, gone, other, scan = file["scan/rows"], file["gone"], file["other"], file["scan"]
        assert not file.is_outdated and not file.refresh() and not rows.is_outdated
        for n in range(5, 26, 5):
            assert goes_on() == n
            # What is committed meanwhile is not seen before.
            assert rows.shape == (n - 5, 4) and rows.is_outdated
            assert rows.refresh() and not scan.is_outdated
            assert rows.shape == (n, 4) and scan.attrs["n"] == n
            assert (rows[:] == np.arange(n)[:, None]).all()
        assert goes_on("last") == 30
        assert gone[:].tolist() == other[:].tolist() == [0, 1, 2] and "late" not in file
        assert file.refresh() and "late" in file and len(rows) == 30
        with pytest.raises(stook.NotFoundError, match="/gone"):
            gone[:]
        with pytest.raises(stook.NotFoundError, match="/other.*int64") as caught:
            other.shape  # noqa: B018
        assert caught.value.hint == "open it again"
        assert file["other"][:].tolist() == ["text"]
        writer.stdin.close()
        writer.wait()
        # It was closed without a change.
        assert rows.refresh() in (False, True) and len(rows) == 30
    with pytest.raises(stook.InvalidInputError, match="closed"):
        file.refresh()


def test_who_writes_knows_all_there_is(tmp_path):
    for name in ("a.h5", "a.zarr"):
        with stook.create(tmp_path / name) as file:
            file["x"] = np.arange(3)
            file.commit()
            assert not file.is_outdated and not file.refresh()
    # Other formats do not say whether somebody changed them.
    with stook.open(tmp_path / "a.zarr") as file:
        x = file["x"]
        with stook.open(tmp_path / "a.zarr", "r+") as other:
            other["x"].append(np.arange(2))
        assert file.is_outdated and file.refresh() and x.shape == (5,)
