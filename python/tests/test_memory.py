"""Memory is numpy's own, filled and read in place, while other threads of Python run."""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
import stook

MIB = 1 << 20


@pytest.fixture(params=["x.zarr", "x.h5"])
def array(request, tmp_path):
    with stook.create(tmp_path / request.param) as file:
        items = np.arange(48, dtype="f4").reshape(6, 8)
        yield file.create_array("a", items, chunks=(4, 3))


def test_what_is_read_is_memory_of_numpy(array):
    found = array[:]
    assert found.flags.owndata
    assert found.flags.writeable
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    "layout",
    [
        lambda memory: memory[:6, :8],
        lambda memory: memory[::2, ::3][:6, :8],
        lambda memory: memory[5::-1, 7::-1],
        lambda memory: memory.T[:6, :8],
        lambda memory: np.asfortranarray(memory)[:6, :8],
    ],
)
def test_out_is_filled_where_it_lies(array, layout):
    memory = np.full((30, 30), -1, "f4")
    out = layout(memory)
    assert array.read(out=out) is out
    np.testing.assert_array_equal(out, array[:])
    if out.base is memory:
        assert (memory == -1).sum() == 900 - 48
    part = layout(memory)[1:3, ::2]
    assert array.read(np.s_[3:1:-1, ::2], out=part) is part
    np.testing.assert_array_equal(part, array[:][3:1:-1, ::2])


def test_out_with_another_shape_of_the_same_items(array):
    out = np.zeros((1, 2, 8), "f4")
    array.read(np.s_[None, 4:], out=out)
    np.testing.assert_array_equal(out[0], array[4:])
    out = np.zeros((2, 2, 8), "f4")
    array.read(([[0, 1], [5, 2]],), out=out)
    np.testing.assert_array_equal(out, array[:][[[0, 1], [5, 2]]])


def test_out_of_another_dtype_is_cast(array):
    for dtype in (">f4", "f8", "c16"):
        out = np.zeros((6, 8), dtype)
        array.read(out=out)
        np.testing.assert_array_equal(out, array[:])
    with pytest.raises(TypeError):
        array.read(out=np.zeros((6, 8), "i4"))


def test_out_that_cannot_be_filled(array):
    frozen = np.zeros((6, 8), "f4")
    frozen.flags.writeable = False
    for out in (frozen, np.broadcast_to(np.float32(0), (6, 8)), np.zeros((8, 6), "f4")):
        with pytest.raises(ValueError):
            array.read(out=out)
    # Items on top of one another: filled through a copy.
    memory = np.zeros(20, "f4")
    shared = np.lib.stride_tricks.as_strided(memory, (6, 8), (4, 4))
    array.read(out=shared)


def test_what_is_written_may_lie_in_any_way(array):
    memory = np.arange(900, dtype="f4").reshape(30, 30)
    for data in (
        memory[:6, :8],
        memory[::-1, ::-2][:6, :8],
        memory.T[:6, :8],
        memory[:1, :8],
        memory[:6, :1],
        np.broadcast_to(np.float32(3), (6, 8)),
        memory[0, 0],
        memory.astype(">f4")[:6, :8],
        np.frombuffer(b"\0" + memory.tobytes(), "u1")[1:].view("f4").reshape(30, 30)[:6, :8],
    ):
        array[...] = data
        np.testing.assert_array_equal(array[:], np.broadcast_to(data, (6, 8)))
        array[5:2:-1, ::2] = data[:3, :4] if np.ndim(data) == 2 and data.shape[1] > 1 else 7


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """64 MiB in each format."""
    folder = tmp_path_factory.mktemp("large")
    items = np.arange(16 * MIB, dtype="u4").reshape(4096, 4096)
    for name, options in {
        "x.zarr": {"chunks": (512, 512)},
        "x.h5": {"chunks": (512, 512), "codecs": "gzip"},
        "plain.h5": {},
    }.items():
        with stook.create(folder / name) as file:
            file.create_array("a", items, **options)
    np.save(folder / "x.npy", items)
    return folder, items


@pytest.mark.parametrize("name", ["x.zarr", "x.h5", "plain.h5", "x.npy"])
def test_reading_allocates_the_result_only(large, name):
    folder, items = large
    with stook.open(folder / name) as root:
        array = root if isinstance(root, stook.Array) else root["a"]
        tracemalloc.start()
        try:
            found = array[:]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < items.nbytes + MIB
        np.testing.assert_array_equal(found, items)
        out = np.empty_like(items)
        before = out.ctypes.data
        tracemalloc.start()
        try:
            array.read(out=out)
            array.read(np.s_[::-1, 1::2], out=out[:, ::2])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < MIB
        assert out.ctypes.data == before


@pytest.mark.parametrize("name", ["y.zarr", "y.h5"])
def test_writing_allocates_nothing_in_python(large, tmp_path, name):
    _, items = large
    with stook.create(tmp_path / name) as file:
        array = file.create_array("a", shape=items.shape, dtype="u4", chunks=(512, 512), codecs=[])
        tracemalloc.start()
        try:
            array[:] = items
            array[:] = items.T[::-1]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < MIB
        np.testing.assert_array_equal(array[:], items.T[::-1])


@pytest.mark.parametrize("name", ["x.zarr", "x.h5", "plain.h5"])
def test_other_threads_run_meanwhile(large, name):
    """While one thread reads, another counts. Python is told not to take the GIL from a thread
    that holds it: if reading held it, nothing would be counted meanwhile."""
    folder, _ = large
    interval = sys.getswitchinterval()
    is_done = threading.Event()
    counts = [0]

    def count():
        while not is_done.is_set():
            counts[0] += 1
            # Long enough that the reader gets the GIL back when it asks for it.
            time.sleep(1e-4)

    with stook.open(folder / name) as file:
        array = file["a"]
        counter = threading.Thread(target=count)
        counter.start()
        sys.setswitchinterval(100)
        try:
            before = counts[0]
            # A read may be over before another thread has woken up.
            for _ in range(100):
                array[:]
                during = counts[0] - before
                if during > 3:
                    break
        finally:
            sys.setswitchinterval(interval)
            is_done.set()
            counter.join()
    assert during > 3


def test_threads_share_an_array(large, rng):
    folder, items = large
    failures = []

    def work(array, seed):
        rows = np.random.default_rng(seed).integers(0, 4096, 50)
        for row in rows:
            if not np.array_equal(array[int(row), ::7], items[row, ::7]):
                failures.append(row)

    for name in ("x.zarr", "x.h5"):
        with stook.open(folder / name) as file:
            threads = [threading.Thread(target=work, args=(file["a"], i)) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert not failures


def test_threads_write_parts_of_chunks(tmp_path):
    for name in ("x.zarr", "x.h5"):
        with stook.create(tmp_path / name) as file:
            array = file.create_array("a", shape=(64, 64), dtype="i4", chunks=(16, 16))

            def work(row, array=array):
                array[row::8] = row

            threads = [threading.Thread(target=work, args=(row,)) for row in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            np.testing.assert_array_equal(array[:, 5], np.arange(64) % 8)


def test_a_file_closed_while_it_is_read(large):
    folder, items = large
    file = stook.open(folder / "x.h5")
    array = file["a"]
    found = []
    reader = threading.Thread(target=lambda: found.append(array[:]))
    reader.start()
    file.close()
    reader.join()
    # Either it came first and read all, or it found the file closed.
    assert not found or np.array_equal(found[0], items)
