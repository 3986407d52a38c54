"""Forks while threads are at work, Ctrl-C, and handles in other processes."""

from __future__ import annotations

import copy
import multiprocessing
import operator
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest
import stook

FORKS = int(os.environ.get("STOOK_TEST_FORKS", "5"))
NAMES = ["x.zarr", "x.h5"]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def run_in_child(work) -> str:
    """Forks, works in the child, and returns what it returned or raised; fails if it hangs."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of a fork with threads, which is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            try:
                answer = str(work())
            except BaseException as error:
                answer = f"{type(error).__name__}: {error}"
            os.write(writer, answer.encode()[:4096])
        finally:
            os._exit(0)
    os.close(writer)
    until = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.001)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read().decode()


@forks
@pytest.mark.parametrize("name", NAMES)
def test_forks_while_threads_read_and_write(tmp_path, name):
    items = np.arange(256 * 256, dtype="i4").reshape(256, 256)
    with stook.create(tmp_path / name) as file:
        file.create_array("a", items, chunks=(32, 32), codecs="gzip")
        file.create_array("b", shape=(256, 256), dtype="i4", chunks=(32, 32), codecs="gzip")
        file.create_array("t", ["text"] * 1000, dtype=str)
    file = stook.open(tmp_path / name, "r+")
    stop = threading.Event()
    failures = []

    def work(step):
        try:
            while not stop.is_set():
                step()
        except BaseException as error:
            failures.append(error)

    def write():
        file["b"][3:200, 5:77] = items[3:200, 5:77]

    def describe():
        file.attrs["n"] = 1
        file["t"][10:20] = "other"
        list(file["t"][::7])

    steps = [lambda: file["a"][::3, 1:], write, describe]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()

    def look():
        assert np.array_equal(file["a"][:], items)
        with stook.open(tmp_path / name) as again:
            assert np.array_equal(again["a"][5], items[5])
        with stook.create(tmp_path / f"child{name}", overwrite=True) as new:
            new["x"] = items
            assert np.array_equal(new["x"][:], items)
        return "well"

    try:
        for _ in range(FORKS):
            assert run_in_child(look) == "well"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    file["b"][...] = items
    file.close()
    with stook.open(tmp_path / name) as file:
        np.testing.assert_array_equal(file["b"][:], items)


@forks
def test_a_copy_of_a_handle_reads_and_leaves_the_file_alone(tmp_path):
    for name in ("x.zarr", "x.h5", "x.zarr.zip", "x.npz"):
        path = tmp_path / name
        file = stook.create(path)
        file["a"] = np.arange(10)
        file.commit()
        array = file["a"]

        def write(array=array):
            array[0] = 7
            return array[0]

        def close(file=file, array=array):
            values = array[:].tolist()
            file.close()
            return values

        def forget(name=name):
            # An ordinary end of Python, with all that is done then.
            code = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", "pass"])
            return code

        if name == "x.zarr":
            # Each key is replaced as a whole, whoever does it.
            assert run_in_child(write) == "7"
            array[0] = 0
        else:
            assert run_in_child(write).startswith("ReadOnlyError")
            assert "forked" in run_in_child(lambda file=file: file.create_group("g"))
        assert run_in_child(close) == str(list(range(10)))
        assert run_in_child(forget) == "0"
        if name != "x.npz":
            file["b"] = np.arange(1000)
        file.close()
        with stook.open(path) as file:
            assert file["a"][:].tolist() == list(range(10))
            if name != "x.npz":
                assert file["b"][-1] == 999


@forks
@pytest.mark.parametrize("name", ["x.h5", "x.zarr.zip"])
def test_a_child_that_ends_leaves_what_the_parent_goes_on_to_write(tmp_path, name):
    script = textwrap.dedent(
        """
        import os, sys, numpy as np, stook
        path = sys.argv[1]
        file = stook.create(path)
        file.create_array("a", np.arange(1000), chunks=100)
        go, went = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(go, 1)
            assert file["a"][5] in (5, -1)
            sys.exit(0)
        file.create_array("b", np.arange(100_000), chunks=1000)
        file["a"][...] = -1
        file.commit()
        size = os.path.getsize(path)
        os.write(went, b"x")
        assert os.waitpid(child, 0)[1] == 0
        assert os.path.getsize(path) == size
        assert file["b"][-1] == 99_999
        file["a"][0] = 3
        """
    )
    path = tmp_path / name
    command = [sys.executable, "-W", "ignore", "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    with stook.open(path) as file:
        assert file["a"][:3].tolist() == [3, -1, -1] or name == "x.zarr.zip"
        assert file["b"][:].tolist() == list(range(100_000))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_take_arrays(tmp_path, method):
    for name in NAMES:
        with stook.create(tmp_path / name) as file:
            file.create_array("a", np.arange(20).reshape(4, 5), chunks=(1, 5))
        with stook.open(tmp_path / name) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = multiprocessing.get_context(method)
            with context.Pool(2) as pool:
                # A function that any process can import, however this module was.
                rows = pool.starmap(operator.getitem, [(file["a"], row) for row in range(4)])
        assert [int(row.sum()) for row in rows] == [10, 35, 60, 85]


def test_handles_pickle_by_where_they_are(tmp_path):
    for name in (*NAMES, "x.npz"):
        with stook.create(tmp_path / name) as file:
            file["g/a" if name != "x.npz" else "a"] = np.arange(5)
        file = stook.open(tmp_path / name)
        array = file["g/a" if name != "x.npz" else "a"]
        again, root = pickle.loads(pickle.dumps([array, file]))
        assert again[:].tolist() == [0, 1, 2, 3, 4]
        assert (again.path, again.file) == (array.path, array.file)
        # Within one pickle a file stays one file.
        root.close()
        with pytest.raises(ValueError, match="closed"):
            again[:]
        assert array[0] == 0
        assert copy.copy(array)[:].tolist() == [0, 1, 2, 3, 4]
        attrs = pickle.loads(pickle.dumps(array.attrs))
        assert dict(attrs) == {}
        assert array.read_only
        file.close()
        with pytest.raises(ValueError, match="closed"):
            pickle.dumps(array)
    np.save(tmp_path / "x.npy", np.arange(3))
    array = stook.open(tmp_path / "x.npy")
    assert pickle.loads(pickle.dumps(array))[:].tolist() == [0, 1, 2]


def test_a_handle_for_writing_pickles_as_one(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        file["a"] = np.arange(5)
        again = pickle.loads(pickle.dumps(file["a"]))
        again[0] = 9
        assert not again.read_only
        assert file["a"][0] == 9


@pytest.mark.parametrize("work", ["read", "write", "convert", "points"])
@pytest.mark.skipif(os.name == "nt", reason="a signal to a process is no Ctrl-C there")
def test_ctrl_c_ends_long_work(tmp_path, work):
    path = tmp_path / "x.zarr"
    with stook.create(path) as file:
        # Nothing is stored: reading it costs time only. 64 GiB in chunks of 16 MiB.
        file.create_array("a", shape=(4096, 1 << 24), dtype="u1", chunks=(1, 1 << 24))
        file.create_array("b", shape=(1 << 32,), dtype="f8", chunks=1 << 16, codecs="gzip")
        if work == "convert":
            noise = np.random.default_rng(1).integers(0, 256, 64 << 20, "u1")
            file.create_array("c", noise, chunks=1 << 20, codecs=None)
    script = textwrap.dedent(
        f"""
        import signal, sys, threading, numpy as np, stook
        from concurrent.futures import ThreadPoolExecutor
        # Who runs the tests in the background has the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        file = stook.open({str(path)!r}, "r+")
        out = np.lib.stride_tricks.as_strided(np.zeros(1 << 24, "u1"), (4096, 1 << 24), (0, 1))
        def work():
            if {work!r} == "read":
                # Memory of one row stands for all of them.
                view = np.empty((1, 1 << 24), "u1")
                for _ in range(10**9):
                    file["a"].read(np.s_[:1], out=view)
                    file["b"][: 1 << 26]
            elif {work!r} == "write":
                file["b"][...] = np.float64(1.5)
            elif {work!r} == "convert":
                target = {str(tmp_path / "y.zarr")!r}
                stook.convert({str(path)!r}, target, include="c", codecs="lzma:9")
            else:
                places = np.random.default_rng(1).integers(0, 1 << 32, 10**7)
                for _ in range(10**9):
                    file["b"].vindex[places]
        print("begin", flush=True)
        try:
            work()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            # The file goes on to be used.
            assert file["b"].shape == (1 << 32,)
            file.close()
            sys.exit(0)
        sys.exit(3)
        """
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begin\n"
        time.sleep(1)
        assert process.poll() is None, "there was nothing to interrupt"
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        try:
            assert process.wait(20) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.stdout.read() == "interrupted\n"
        assert time.monotonic() - begun < 10
    assert not (tmp_path / "y.zarr").exists()


def test_an_error_of_a_signal_handler_ends_the_work(tmp_path):
    with stook.create(tmp_path / "x.zarr") as file:
        array = file.create_array("a", shape=1 << 40, dtype="u1", chunks=1 << 20)

        def ring(*_):
            raise TimeoutError("enough")

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(TimeoutError, match="enough"):
                array[...] = 1
        finally:
            signal.signal(signal.SIGALRM, before)
        # What was written by then is there; the array goes on to be used.
        assert array[0] in (0, 1)
