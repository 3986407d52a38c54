"""Scripts for h5py unchanged; other containers under the same names; files that grow."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import h5py
import numpy as np
import pytest
import stook
import stook.h5compat

LENT = [sys.executable, "-m", "stook.compat", "h5py", "--"]

SCRIPT = """
    import importlib.metadata
    import sys
    import h5py
    import numpy as np
    from h5py import Dataset, h5t

    with h5py.File(sys.argv[1], "w") as f:
        d = f.create_dataset("run/x", data=np.arange(6).reshape(2, 3), compression="gzip")
        d.attrs["unit"] = "m"
        f["text"] = ["a", "é"]
    with h5py.File(sys.argv[1]) as f:
        assert isinstance(f["run/x"], Dataset) and f["run/x"].compression == "gzip"
        assert (f["run/x"][:, ::2] == [[0, 2], [3, 5]]).all()
        assert h5t.check_string_dtype(f["text"].dtype).encoding == "utf-8"
        print(f["run/x"].attrs["unit"], f["text"].asstr()[1], h5py.File.__module__.split(".")[0])
    print(importlib.metadata.version("h5py"), h5py.version.version)
"""


def test_a_script_runs_unchanged(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [*LENT, str(script), str(tmp_path / "x.h5")], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "m é stook\n3.16.0 3.16.0\n"


@pytest.mark.parametrize("name", ["x.zarr", "x.zarr.zip"])
def test_other_containers(name, tmp_path):
    with stook.h5compat.File(tmp_path / name, "w") as f:
        d = f.create_dataset("g/x", (0, 3), "f4", maxshape=(None, 3), chunks=(10, 3), compression="gzip")
        d.resize(4, axis=0)
        d[:] = np.arange(12).reshape(4, 3)
        d.attrs.update(unit="m", gain=[1.5, 2.0], n=3)
        f["text"] = ["a", "é"]
        f.attrs["title"] = "a tree"
    with stook.h5compat.File(tmp_path / name) as f:
        x = f["g/x"]
        assert x[1:3, [0, 2]].tolist() == [[3, 5], [6, 8]]
        assert (x.chunks, x.compression, x.dtype) == ((10, 3), "gzip", np.dtype("f4"))
        assert (x.attrs["unit"], x.attrs["gain"].tolist(), x.attrs["n"]) == ("m", [1.5, 2.0], 3)
        assert f["text"][:].tolist() == [b"a", "é".encode()]
        assert f["text"].asstr()[1] == "é"
        assert sorted(f) == ["g", "text"] and f.attrs["title"] == "a tree"
    with stook.open(tmp_path / name) as f:
        assert f["g/x"][2, 1] == 7


def test_what_a_container_has_not_is_named(tmp_path):
    with stook.h5compat.File(tmp_path / "x.zarr", "w") as f:
        with pytest.raises(NotImplementedError, match="no links"):
            f["a"] = stook.h5compat.SoftLink("/x")
        with pytest.raises(NotImplementedError, match="no name for the type"):
            f["t"] = np.dtype("i4")


def test_names_that_are_not_made_are_said():
    with stook.h5compat.File.in_memory() as f:
        for make in [
            lambda: f.create_dataset("e", (2,), "i4", external=[("x", 0, 8)]),
            lambda: f.copy("/", "b", expand_refs=True),
            lambda: f.create_dataset(None, (2,), "i4").ref,
        ]:
            with pytest.raises(stook.UnsupportedError):
                make()
        assert list(f) == []


WRITER = """
    import sys
    import h5py
    import numpy as np

    with h5py.File(sys.argv[1], "w", libver="latest") as f:
        d = f.create_dataset("x", (0,), "i8", maxshape=(None,), chunks=(16,))
        f.swmr_mode = True
        print("ready", flush=True)
        for line in sys.stdin:
            n = int(line)
            d.resize((n,))
            d[:] = np.arange(n)
            d.flush()
            print("done", flush=True)
"""


def test_a_reader_follows_a_writer_of_h5py(tmp_path):
    path = tmp_path / "swmr.h5"
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert writer.stdout.readline() == "ready\n"
        with stook.h5compat.File(path, "r", swmr=True) as f:
            d = f["x"]
            assert f.swmr_mode and d.shape == (0,)
            for n in (5, 40, 100):
                writer.stdin.write(f"{n}\n")
                writer.stdin.flush()
                assert writer.stdout.readline() == "done\n"
                deadline = time.monotonic() + 20
                while d.shape != (n,) and time.monotonic() < deadline:
                    d.refresh()
                assert d[:].tolist() == list(range(n))
    finally:
        writer.stdin.close()
        writer.stdout.close()
        writer.wait(timeout=60)


def test_h5py_follows_a_writer_of_ours(tmp_path):
    path = tmp_path / "x.h5"
    with stook.h5compat.File(path, "w", libver="latest") as f:
        d = f.create_dataset("x", (0,), "i8", maxshape=(None,), chunks=(16,))
        f.swmr_mode = True
        for n in (5, 40):
            d.resize((n,))
            d[:] = np.arange(n)
            f.flush()
            with h5py.File(path, "r", locking=False) as theirs:
                assert theirs["x"][:].tolist() == list(range(n))
        with pytest.raises(ValueError, match="not possible to forcibly switch"):
            f.swmr_mode = False


def test_handles_are_not_lost_with_their_file(tmp_path):
    def dataset():
        f = stook.h5compat.File(tmp_path / "x.h5", "w")
        f["x"] = [1, 2, 3]
        return f["x"]

    d = dataset()
    assert d[1:].tolist() == [2, 3] and d.file.mode == "r+"
    del d
    with h5py.File(tmp_path / "x.h5") as f:
        assert f["x"][0] == 1


def test_virtual_datasets_are_made_as_h5py_makes_them(tmp_path):
    made = {}
    for module in (h5py, stook.h5compat):
        folder = tmp_path / module.__name__
        folder.mkdir()
        for n in range(3):
            with module.File(folder / f"{n}.h5", "w") as f:
                f.create_dataset("x", data=np.arange(20).reshape(4, 5) + 100 * n, maxshape=(None, 5))
        with module.File(folder / "all.h5", "w") as f:
            f["own"] = np.arange(6)
            layout = module.VirtualLayout((4, 8), "i8", maxshape=(None, 8))
            for n in range(2):
                source = module.VirtualSource(f"{n}.h5", "x", (4, 5), maxshape=(None, 5))
                layout[:, n * 3 : n * 3 + 3] = source[:, ::2]
            layout[1, 6:] = module.VirtualSource(f["own"])[2:4]
            f.create_virtual_dataset("some", layout, fillvalue=-1)
            with f.build_virtual_dataset("rows", (3, 5), "i4") as layout:
                for n in range(3):
                    layout[n] = module.VirtualSource(f"{n}.h5", "x", (4, 5))[-1]
            layout = module.VirtualLayout((4, 5), "i8", maxshape=(None, 5))
            source = module.VirtualSource("0.h5", "x", (4, 5), maxshape=(None, 5))
            layout[0 : 2**64 - 1, :] = source[0 : 2**64 - 1, :]
            f.create_virtual_dataset("grows", layout)
            with pytest.raises((ValueError, RuntimeError, OSError)):
                bad = module.VirtualLayout((4,), "i8")
                bad[0:2] = module.VirtualSource("0.h5", "x", (4, 5))
                f.create_virtual_dataset("bad", bad)
            assert "bad" not in f
        with module.File(folder / "0.h5", "a") as f:
            f["x"].resize(5, 0)
            f["x"][4] = 7
        made[module.__name__] = folder / "all.h5"
    for path in made.values():
        for module in (h5py, stook.h5compat):
            with module.File(path) as f:
                assert f["some"].maxshape == (None, 8)
                assert f["some"][0].tolist() == [0, 2, 4, 100, 102, 104, -1, -1]
                assert f["some"][1, 6:].tolist() == [2, 3]
                assert f["rows"][:, 0].tolist() == [15, 115, 215]
                assert f["grows"].shape == (5, 5) and (f["grows"][4] == 7).all()
