"""Faults that others have or had: here each is a test."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import resource
import threading
import time

import h5py
import numpy as np
import pytest
import stook
import stook.zarr as zarr
import zarr as zarr_python
from stook.zarr.errors import ContainsArrayError

X = np.arange(64, dtype="int16").reshape(8, 8)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("fill", ["ab", ""])
def test_text_fill_value_does_not_leak_into_text(zarr_format, fill, tmp_path):
    a = zarr.create_array(
        tmp_path / "s", shape=4, chunks=2, dtype=str, fill_value=fill, zarr_format=zarr_format
    )
    a[:2] = ["a", "bab"]
    assert a[:].tolist() == ["a", "bab", fill, fill]
    assert zarr_python.open_array(tmp_path / "s")[:].tolist() == ["a", "bab", fill, fill]


def nested(folder):
    inner = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [2, 2],
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        },
    }
    return zarr.create_array(
        folder / "n",
        shape=(16, 16),
        dtype="i2",
        chunks=(4, 4),
        shards=(8, 8),
        serializer=inner,
        compressors=None,
        fill_value=7,
    )


@pytest.mark.parametrize("how", ["nested", "flat"])
def test_points_in_missing_subchunks_are_the_fill_value(tmp_path, how):
    if how == "nested":
        a = nested(tmp_path)
    else:
        a = zarr.create_array(
            tmp_path / "s", shape=(16, 16), dtype="i2", chunks=(2, 2), shards=(8, 8), fill_value=7
        )
    a[0, 0] = 1
    assert a.vindex[[0, 1, 5, 15], [0, 1, 5, 15]].tolist() == [1, 7, 7, 7]
    assert a.oindex[[0, 15], [0, 15]].tolist() == [[1, 7], [7, 7]]


def test_nested_shards_take_the_memory_of_their_items(tmp_path):
    inner = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [64, 64],
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        },
    }
    a = zarr.create_array(
        tmp_path / "n",
        shape=(2048, 2048),
        dtype="f4",
        chunks=(512, 512),
        shards=(2048, 2048),
        serializer=inner,
        compressors=None,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    a[...] = 1
    assert a[1000, 1000] == 1
    assert float(a[...].sum()) == 2048.0 * 2048.0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 512 * 1024  # KiB, of an array of 16 MiB


class Counting(zarr.storage.WrapperStore):
    """A store that notes what it is asked for."""

    def __init__(self, store):
        super().__init__(store)
        self.asked: list[tuple[str, object]] = []

    async def get(self, key, prototype, byte_range=None):
        self.asked.append((key, byte_range))
        return await super().get(key, prototype, byte_range)


def test_neighbours_in_a_shard_come_in_few_reads():
    store = zarr.storage.MemoryStore()
    a = zarr.create_array(store, shape=(1024,), chunks=(1,), shards=(1024,), dtype="i4")
    a[:] = np.arange(1024)
    counting = Counting(store)
    b = zarr.open_array(counting)
    counting.asked.clear()
    assert np.array_equal(b[:512], np.arange(512))
    values = [ask for ask in counting.asked if ask[0].startswith("c/")]
    assert len(values) <= 8, values


@pytest.mark.parametrize("chunks", [(100,)])
def test_index_lists_need_no_call_per_element(tmp_path, chunks):
    a = zarr.create_array(tmp_path / "s", data=np.arange(100_000), chunks=chunks)
    rng = np.random.default_rng(1)
    points = rng.integers(0, 100_000, 1000)
    a.vindex[points]
    began = time.process_time()
    found = a.vindex[points]
    assert time.process_time() - began < 0.25
    assert np.array_equal(found, points)


def test_a_failed_replacement_leaves_the_old_value(tmp_path):
    # Values are replaced as a whole, under a temporary name that no other writer has.
    a = zarr.create_array(tmp_path / "s", data=X, chunks=(4, 4), compressors=None)
    names = set(os.listdir(tmp_path / "s"))

    def write(n):
        for _ in range(30):
            a[:4, :4] = n

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        block = a[:4, :4]
        seen.add(len(np.unique(block)) == 1 or np.array_equal(block, X[:4, :4]))
    for thread in threads:
        thread.join()
    assert seen <= {True}
    assert set(os.listdir(tmp_path / "s")) == names


@pytest.mark.parametrize("kind", ["array", "group"])
def test_cleared_attributes_of_format_2_leave_nothing_stale(tmp_path, kind):
    if kind == "array":
        node = zarr.create(3, store=tmp_path / "s", zarr_format=2, attributes={"x": 1})
    else:
        node = zarr.create_group(tmp_path / "s", zarr_format=2, attributes={"x": 1})
    node.attrs.put({})
    assert dict(zarr.open(tmp_path / "s", mode="r").attrs) == {}
    assert dict(zarr_python.open(str(tmp_path / "s"), mode="r").attrs) == {}
    path = tmp_path / "s" / ".zattrs"
    assert not path.exists() or json.loads(path.read_text()) == {}


def test_arrays_groups_and_stores_are_pickled_by_reference(tmp_path):
    g = zarr.open_group(tmp_path / "s", mode="w")
    a = g.create_array("a", data=np.zeros((500, 500)))
    for thing in (a, g, g.store, a.async_array):
        text = pickle.dumps(thing)
        assert len(text) < 4000
    assert np.array_equal(pickle.loads(pickle.dumps(a))[...], a[...])


def _forked(path, queue):
    queue.put(int(zarr.open_array(path)[:].sum()))


def _inherited(queue):
    queue.put(int(INHERITED[0][:].sum()))


INHERITED: list[zarr.Array] = []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["opened again", "inherited"])
def test_a_forked_child_reads(tmp_path, kind):
    a = zarr.create_array(tmp_path / "s", data=X, chunks=(2, 2))
    a[...]
    INHERITED[:] = [a]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    if kind == "inherited":
        child = context.Process(target=_inherited, args=(queue,))
    else:
        child = context.Process(target=_forked, args=(str(tmp_path / "s"), queue))
    child.start()
    assert queue.get(timeout=30) == X.sum()
    child.join(30)
    assert child.exitcode == 0


def test_other_threads_run_while_items_are_read(tmp_path):
    a = zarr.create_array(tmp_path / "s", data=np.zeros((2000, 2000)), chunks=(50, 50))
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(None)
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    before = len(ticks)
    for _ in range(3):
        a[...]
    done.set()
    thread.join()
    assert len(ticks) > before


def test_a_wrong_argument_removes_nothing(tmp_path):
    zarr.create_array(tmp_path / "s", data=X)
    wrong = [
        lambda: zarr.create_array(tmp_path / "s", shape=3, dtype="nothing", overwrite=True),
        lambda: zarr.create_array(
            tmp_path / "s", shape=3, dtype="i4", compressors={"name": "no"}, overwrite=True
        ),
        lambda: zarr.open(tmp_path / "s", mode="w", shape=3, chunks=(1, 2)),
        lambda: zarr.save_group(tmp_path / "s", [1, 2]),
        lambda: zarr.open_array(tmp_path / "s", mode="w", shape=-1),
    ]
    for attempt in wrong:
        with pytest.raises((TypeError, ValueError, KeyError)):
            attempt()
        assert np.array_equal(zarr.open_array(tmp_path / "s")[...], X)


def test_items_that_were_cut_off_do_not_come_back(tmp_path):
    a = zarr.create_array(tmp_path / "s", data=X, chunks=(5, 5))
    a.resize((3, 3))
    a.resize((8, 8))
    expected = np.zeros_like(X)
    expected[:3, :3] = X[:3, :3]
    assert np.array_equal(a[...], expected)


def test_two_handles_that_append_lose_nothing(tmp_path):
    zarr.create_array(tmp_path / "s", shape=(0, 4), dtype="i8", chunks=(3, 4))
    handles = [zarr.open_array(tmp_path / "s") for _ in range(2)]

    def work(handle, n):
        for _ in range(20):
            handle.append(np.full((1, 4), n))

    threads = [
        threading.Thread(target=work, args=(handle, n)) for n, handle in enumerate(handles, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = zarr.open_array(tmp_path / "s")[...]
    assert rows.shape == (40, 4)
    assert sorted(rows[:, 0].tolist()) == [1] * 20 + [2] * 20


def test_stale_consolidated_metadata_is_not_believed_where_it_is_not_asked_for(tmp_path):
    store = str(tmp_path / "s")
    zarr_python.create_array(store, name="x", shape=3, dtype="i4")
    zarr_python.consolidate_metadata(store)
    zarr_python.open_array(store, path="x").resize((5,))
    assert zarr.open_array(store, path="x", mode="r").shape == (5,)
    assert zarr.open_array(store, path="x", mode="r")[...].shape == (5,)
    plain = zarr.open_group(store, mode="r", use_consolidated=False)
    assert plain["x"][...].shape == (5,)


def test_our_changes_leave_no_stale_consolidated_metadata(tmp_path):
    store = tmp_path / "s"
    zarr.create_array(store, name="x", shape=3, dtype="i4")
    zarr.consolidate_metadata(store)
    zarr.open_array(store, path="x").resize((5,))
    assert zarr_python.open_group(str(store), mode="r")["x"].shape == (5,)


@pytest.mark.parametrize("fill", [{}, {"zarr_format": 2, "fill_value": None}, {"fill_value": 7}])
@pytest.mark.parametrize("write", [False, True])
def test_empty_chunks_are_stored_as_the_setting_says(same, write, fill):
    def body(zarr, folder):
        a = zarr.create_array(
            str(folder / "s"),
            shape=(4,),
            chunks=(2,),
            dtype="i4",
            config={"write_empty_chunks": write},
            **fill,
        )
        a[...] = 0
        first = a.nchunks_initialized
        a[:2] = 1
        a[:2] = 0
        return first, a.nchunks_initialized

    same(body)


def test_a_corrupt_chunk_is_an_error_that_names_it(tmp_path):
    a = zarr.create_array(tmp_path / "s", name="g/a", data=X, chunks=(4, 4))
    chunk = tmp_path / "s" / "g" / "a" / "c" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-3])
    with pytest.raises(stook.FormatError) as caught:
        a[...]
    assert "/g/a" in str(caught.value)
    assert caught.value.chunk == (1, 0)


# Files of other formats.


def test_hdf5_opens_through_the_same_api(tmp_path):
    with stook.create(tmp_path / "x.h5") as file:
        file["g/a"] = X
        file["g"].attrs["unit"] = "mm"
        file.create_array("b", X.astype("f4"), chunks=(2, 4))
    g = zarr.open(tmp_path / "x.h5", mode="r")
    assert isinstance(g, zarr.Group)
    assert g.read_only
    assert sorted(path for path, _ in g.members(max_depth=None)) == ["b", "g", "g/a"]
    assert dict(g["g"].attrs) == {"unit": "mm"}
    assert np.array_equal(g["g/a"][2:4, ::2], X[2:4, ::2])
    assert g["b"].chunks == (2, 4)
    assert g["b"].dtype == np.dtype("f4")
    assert np.array_equal(g["b"].blocks[1], X[2:4])
    with pytest.raises(ValueError, match="read-only"):
        g["b"][...] = 0
    g.store.close()
    writable = zarr.open_group(tmp_path / "x.h5", mode="r+")
    writable["b"][0] = 9
    writable.attrs["n"] = 3
    writable.store.close()
    with stook.open(tmp_path / "x.h5") as file:
        assert file["b"][0].tolist() == [9] * 8
        assert file.attrs["n"] == 3


def test_hdf5_is_made_through_the_same_api(tmp_path):
    path = tmp_path / "new.h5"
    root = zarr.open_group(path, mode="w", attributes={"unit": "mm", "tags": ["a", "b"]})
    a = root.create_array("g/a", data=X, chunks=(4, 4), fill_value=7, dimension_names=["y", "x"])
    gzip = zarr.codecs.GzipCodec(level=3)
    packed = root.create_array("g/packed", data=X, chunks=(4, 4), compressors=gzip)
    root["names"] = np.array(["ä", "longer"], dtype=np.dtypes.StringDType())
    a.resize((8, 9))
    a.attrs["gain"] = 2.5
    assert a.shape == (8, 9)
    assert a[6:, 8].tolist() == [7, 7]
    assert packed.compressors
    made = dict(root.create_hierarchy({"h/x": a.metadata, "h": zarr.core.group.GroupMetadata()}))
    assert made["h/x"].shape == (8, 9)
    root.store.close()
    with h5py.File(path) as file:
        assert sorted(file.attrs) == ["tags", "unit"]
        assert file["g/a"].maxshape == (None, None)
        assert file["g/a"].attrs["gain"] == 2.5
        assert file["g/packed"].compression == "gzip"
        assert file["g/packed"].compression_opts == 3
        assert np.array_equal(file["g/packed"][...], X)
        assert file["names"].asstr()[...].tolist() == ["ä", "longer"]
    again = zarr.open_group(path, mode="a")
    assert again.attrs["unit"] == "mm"
    assert list(again.attrs["tags"]) == ["a", "b"]
    with pytest.raises(ContainsArrayError):
        again.create_array("g/a", data=X)
    again.create_array("g/a", data=X[0], overwrite=True)
    assert np.array_equal(again["g/a"][...], X[0])
    again.store.close()


def test_hdf5_is_saved_and_emptied_like_any_store(tmp_path):
    zarr.save(tmp_path / "x.h5", X, b=X[0])
    saved = zarr.load(tmp_path / "x.h5")
    assert np.array_equal(saved["arr_0"], X)
    assert np.array_equal(saved["b"], X[0])
    with pytest.raises(FileExistsError):
        zarr.open_group(tmp_path / "x.h5", mode="w-")
    root = zarr.open_group(tmp_path / "x.h5", mode="w", zarr_format=2, attributes={"n": 1})
    assert list(root) == []
    assert root.metadata.zarr_format == 3
    root.store.close()
    with h5py.File(tmp_path / "x.h5") as file:
        assert list(file) == []
        assert dict(file.attrs) == {"n": 1}


def test_what_hdf5_cannot_hold_makes_no_file_and_changes_none(tmp_path):
    with pytest.raises(stook.UnsupportedError, match="root of HDF5 is a group"):
        zarr.create_array(tmp_path / "new.h5", data=X)
    with pytest.raises(stook.UnsupportedError, match="makes no node"):
        zarr.save(tmp_path / "new.npz", a=X)
    assert list(tmp_path.iterdir()) == []
    with stook.create(tmp_path / "x.h5") as file:
        file["a"] = X
    with pytest.raises(stook.UnsupportedError, match="root of HDF5 is a group"):
        zarr.open(tmp_path / "x.h5", mode="w", shape=(3,), dtype="i4")
    root = zarr.open_group(tmp_path / "x.h5", mode="r+")
    with pytest.raises(ValueError, match="chunk"):
        root.create_array("b", data=X, chunks=(0, 4))
    assert sorted(root) == ["a"]
    assert np.array_equal(root["a"][...], X)
    root.store.close()


def test_npy_and_npz_open_through_the_same_api(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "x.npz", a=X, b=X[0])
    a = zarr.open(tmp_path / "x.npy", mode="r")
    assert isinstance(a, zarr.Array)
    assert np.array_equal(a[::3, 1:], X[::3, 1:])
    assert np.array_equal(zarr.load(tmp_path / "x.npy"), X)
    g = zarr.open(tmp_path / "x.npz", mode="r")
    assert sorted(g) == ["a", "b"]
    assert np.array_equal(g["b"][:], X[0])
