"""Stores that are written in Python below the engine: loops, forks, threads, pickles."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import threading

import numpy as np
import pytest
import stook.zarr as zarr
from children import put_items
from stook.zarr.core.sync import SyncError, sync
from stook.zarr.storage import LocalStore, MemoryStore, WrapperStore

VALUES = np.arange(24, dtype="i4").reshape(4, 6)


class Slow(WrapperStore):
    """Counts how many reads wait at once."""

    def __init__(self, store):
        super().__init__(store)
        self.n, self.most = 0, 0

    async def get(self, key, prototype, byte_range=None):
        self.n += 1
        self.most = max(self.most, self.n)
        await asyncio.sleep(0.002)
        self.n -= 1
        return await self._store.get(key, prototype, byte_range)


@pytest.fixture
def store(tmp_path):
    """A store of a script over a folder."""
    store = WrapperStore(LocalStore(tmp_path / "a.zarr"))
    zarr.create_array(store, name="x", data=VALUES, chunks=(2, 2))
    return store


def test_an_array_is_read_and_written(store, tmp_path):
    array = zarr.open_array(store, path="x", mode="r+")
    array[1:3, ::2] = -1
    expected = VALUES.copy()
    expected[1:3, ::2] = -1
    for found in (array, zarr.open_array(tmp_path / "a.zarr", path="x", mode="r")):
        assert (found[:] == expected).all()


def test_chunks_are_asked_for_together(tmp_path):
    slow = Slow(MemoryStore())
    array = zarr.create_array(slow, data=np.arange(64), chunks=(1,))
    assert (array[:] == np.arange(64)).all()
    assert slow.most > 4


def test_a_running_loop_is_not_blocked_for_ever(store):
    async def main():
        array = zarr.open_array(store, path="x", mode="r")
        found = array[:]
        again = await asyncio.gather(*(array.async_array.getitem((i,)) for i in range(4)))
        return found, np.stack(again)

    for found in asyncio.run(main()):
        assert (found == VALUES).all()


def test_the_loop_does_not_wait_for_itself(store):
    class Nested(WrapperStore):
        async def get(self, key, prototype, byte_range=None):
            if "c/" in key:
                zarr.open_array(store, path="x", mode="r")[:]
            return await self._store.get(key, prototype, byte_range)

    array = zarr.open_array(Nested(store), path="x", mode="r+")
    with pytest.raises(SyncError):
        array[0, 0]

    async def inner():
        return sync(asyncio.sleep(0))

    with pytest.raises(SyncError):
        sync(inner())


def test_a_store_may_read_arrays_in_other_threads(store):
    class Nested(WrapperStore):
        async def get(self, key, prototype, byte_range=None):
            if "c/" in key:
                read = lambda: zarr.open_array(store, path="x", mode="r")[:]  # noqa: E731
                assert (await asyncio.to_thread(read) == VALUES).all()
            return await self._store.get(key, prototype, byte_range)

    assert (zarr.open_array(Nested(store), path="x", mode="r+")[:] == VALUES).all()


def test_threads_use_one_store_at_once(store):
    array = zarr.open_array(store, path="x", mode="r+")
    failures = []

    def work(row: int) -> None:
        for n in range(20):
            array[row] = n
            if not (array[row] == n).all():
                failures.append((row, n))

    # Rows in chunks of their own.
    threads = [threading.Thread(target=work, args=(row,)) for row in (0, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_another_process_reads_the_same_store(store, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    array = zarr.open_array(store, path="x", mode="r+")
    assert (array[:] == VALUES).all()
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=put_items, args=(array, queue))
    child.start()
    try:
        assert queue.get(timeout=60) == VALUES.tolist()
    finally:
        child.join(60)
    assert child.exitcode == 0
    assert (array[:] == VALUES).all()


def test_an_array_is_pickled_with_its_store(store):
    again = pickle.loads(pickle.dumps(zarr.open_array(store, path="x", mode="r")))
    assert type(again.store) is WrapperStore and (again[:] == VALUES).all()


def test_a_store_of_zarr_python_is_taken(tmp_path):
    peer = pytest.importorskip("zarr")
    store = peer.storage.LocalStore(tmp_path / "b.zarr")
    zarr.create_array(store, name="x", data=VALUES, chunks=(2, 3), shards=(4, 6))
    assert (peer.open_array(store, path="x", mode="r")[:] == VALUES).all()
    assert (zarr.open_array(store, path="x", mode="r")[1:, 2:] == VALUES[1:, 2:]).all()
    memory = peer.storage.MemoryStore()
    peer.create_array(memory, name="x", data=VALUES)
    assert (zarr.open_array(memory, path="x", mode="r+")[:] == VALUES).all()


def test_objects_of_fsspec_are_stores(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    mapper = fsspec.get_mapper("memory://test_bridge")
    zarr.create_array(mapper, data=VALUES, chunks=(2, 2))
    assert (zarr.open_array(mapper, mode="r")[:] == VALUES).all()
    url = "memory://test_bridge_url/x"
    zarr.create_array(url, data=VALUES, chunks=(2, 2))
    assert (zarr.open_array(url, mode="r")[:] == VALUES).all()


def test_objects_of_obstore_are_stores(tmp_path):
    stores = pytest.importorskip("obstore.store")
    store = zarr.storage.ObjectStore(stores.MemoryStore())
    zarr.create_array(store, name="a/x", data=VALUES, chunks=(2, 2), shards=(4, 6))
    assert (zarr.open_array(store, path="a/x", mode="r+")[:, 1] == VALUES[:, 1]).all()
    assert [name for name, _ in zarr.open_group(store, mode="r+").members()] == ["a"]
