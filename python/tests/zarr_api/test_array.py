"""The members of an array, with zarr-python and with stook."""

from __future__ import annotations

import asyncio
import copy
import importlib
import operator
import pickle

import numpy as np
import pytest
import stook.zarr
from zarr_api.outcomes import described, plain

X = np.arange(12, dtype="int16").reshape(3, 4)

ARRAYS = {
    "v2": {"chunks": (2, 3), "zarr_format": 2},
    "v3": {"chunks": (2, 3)},
    "sharded": {"chunks": (1, 2), "shards": (2, 4)},
    "F": {"chunks": (2, 2), "zarr_format": 2, "order": "F"},
    "no codecs": {"chunks": (2, 3), "compressors": None},
}


@pytest.fixture(params=ARRAYS)
def keywords(request):
    return {"data": X, **ARRAYS[request.param]}


MEMBERS = (
    "shape chunks shards dtype fill_value order attrs cdata_shape nchunks nchunks_initialized "
    "nbytes size ndim filters compressors serializer path name basename read_only config"
).split()


def test_members(same, keywords):
    def body(zarr, folder):
        a = zarr.create_array(str(folder / "s"), name="g/a", attributes={"x": 1}, **keywords)
        return {name: repr(getattr(a, name)) for name in MEMBERS if name != "attrs"}

    same(body)


def test_members_of_a_new_handle(same, keywords):
    def body(zarr, folder):
        zarr.create_array(str(folder / "s"), name="g/a", attributes={"x": 1}, **keywords)
        a = zarr.open_group(str(folder / "s"), mode="r")["g/a"]
        assert a.store_path.path == "g/a"
        assert a.store_path.store is a.store
        assert repr(a) == f"<Array file://{folder}/s/g/a shape=(3, 4) dtype=int16>"
        return described(a), a.metadata.to_dict()

    same(body)


def test_compressor_is_deprecated(zarr):
    with pytest.warns(DeprecationWarning):
        assert zarr.create(3, zarr_format=2, compressor=None).compressor is None
    with pytest.warns(DeprecationWarning), pytest.raises(TypeError):
        _ = zarr.create(3).compressor


@pytest.mark.parametrize("text", ["info", "info_complete"])
def test_info(same, keywords, text):
    def body(zarr, folder):
        a = zarr.create_array(str(folder / "s"), **keywords)
        found = repr(a.info if text == "info" else a.info_complete())
        keep = "bytes stored", "ratio", "Filters", "Compressors", "Serializer"
        return [line for line in found.splitlines() if not any(word in line for word in keep)]

    same(body)


def test_sizes_are_read_as_in_zarr_python():
    theirs = importlib.import_module("zarr.core._info")
    ours = importlib.import_module("stook.zarr.core._info")
    for size in (0, 1, 1023, 1024, 1025, 10**6, 2**20, 2**30 - 1, 2**40, 2**50, 2**61):
        assert ours.byte_info(size) == theirs.byte_info(size)


def test_counts_of_what_is_stored(same, keywords):
    def body(zarr, folder):
        keywords.pop("data")
        a = zarr.create_array(str(folder / "s"), shape=(3, 4), dtype="i2", **keywords)
        counts = [a.nchunks_initialized]
        a[:2] = 5
        counts.append(a.nchunks_initialized)
        a[...] = 5
        counts.append(a.nchunks_initialized)
        a[...] = 0
        return [*counts, a.nchunks_initialized, a._nshards_initialized]

    same(dict_copy(body, keywords))


def dict_copy(body, keywords):
    def run(zarr, folder):
        saved = dict(keywords)
        try:
            return body(zarr, folder)
        finally:
            keywords.update(saved)

    return run


def test_bytes_stored(zarr, tmp_path):
    a = zarr.create_array(str(tmp_path / "s"), data=X, chunks=(2, 3), compressors=None)
    files = [path for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert a.nbytes_stored() == sum(path.stat().st_size for path in files)


@pytest.mark.parametrize("shape", [(5, 4), (2, 2), (0, 4), (3, 9), 3, (3,), (-1, 4), (3, 4)])
def test_resize(same, keywords, shape):
    def body(zarr, folder):
        a = zarr.create_array(str(folder / "s"), **keywords)
        a.resize(shape)
        return a, zarr.open_array(str(folder / "s"))

    if shape in (3, (3,)):
        # zarr-python asserts.
        a = stook.zarr.create_array({}, **keywords)
        with pytest.raises(ValueError, match="2 axes"):
            a.resize(shape)
        return
    same(body)


def test_shape_can_be_set(same):
    def body(zarr, folder):
        a = zarr.create_array({}, data=X)
        a.shape = (2, 2)
        return a

    same(body)


@pytest.mark.parametrize(
    ("data", "axis"),
    [
        (X, 0),
        (X[:, :2], 1),
        ([[1, 2, 3, 4]], 0),
        (X[:, :2], 0),
        (X[0], 0),
        (X[:0], 0),
        (X, 2),
    ],
)
def test_append(same, keywords, data, axis):
    def body(zarr, folder):
        a = zarr.create_array(str(folder / "s"), **keywords)
        return a.append(data, axis=axis), a

    if axis == 2:
        # zarr-python compares shapes past their end, and fails later.
        with pytest.raises(IndexError):
            stook.zarr.create_array({}, **keywords).append(data, axis=axis)
        return
    same(body)


def test_attributes(same, keywords):
    def body(zarr, folder):
        a = zarr.create_array(str(folder / "s"), attributes={"a": 1}, **keywords)
        a.attrs["b"] = [1, {"c": None, "d": 1.5}]
        a.attrs.update(e=True, f="text")
        a.attrs.update({"tuple": (1, 2)})
        del a.attrs["a"]
        assert "b" in a.attrs
        found = [dict(a.attrs), len(a.attrs), list(a.attrs), a.attrs.asdict(), a.attrs.get("no")]
        b = a.update_attributes({"g": 1})
        found.append(dict(b.attrs))
        a.attrs.put({"z": 26})
        found.append(dict(a.attrs))
        return found, zarr.open_array(str(folder / "s"))

    same(body)


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), np.int64(3), np.arange(2), 1j])
def test_what_is_no_attribute(same, value):
    def body(zarr, folder):
        zarr.create_array({}, shape=3, dtype="i4").attrs["x"] = value

    same(body, error=TypeError)


NAN = float("nan")
VALUES = [NAN, float("inf"), -0.0, 2**63, 2**70, "é", "", [], {}, None, [NAN, "a"], {"a": [NAN]}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("when", ["created", "set"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_attributes_of_all_kinds(same, value, when, zarr_format):
    def body(zarr, folder):
        made = {"x": value} if when == "created" else {"y": 1}
        a = zarr.create_array(
            str(folder / "s"), shape=3, dtype="i4", attributes=made, zarr_format=zarr_format
        )
        if when == "set":
            a.attrs["x"] = value
        again = zarr.open_array(str(folder / "s"))
        again.attrs["z"] = 1
        return repr(again.attrs.asdict()), repr(zarr.open(str(folder / "s")).attrs.asdict())

    same(lambda zarr, folder: asdict_of(body(zarr, folder), folder))


def asdict_of(found, folder):
    # NaN is not equal to itself: the documents are compared as text.
    texts = [path.read_text() for path in sorted(folder.rglob("*")) if path.name in DOCUMENTS]
    for path in list(folder.rglob("*")):
        if path.name in DOCUMENTS:
            path.unlink()
    return found, ["".join(text.split()) for text in texts if "x" in text]


DOCUMENTS = ("zarr.json", ".zattrs")


def test_attributes_of_another_handle_are_seen_after_a_refresh(tmp_path):
    zarr = stook.zarr
    a = zarr.create_array(str(tmp_path / "s"), shape=3, dtype="i4", attributes={"x": 1})
    b = zarr.open_array(str(tmp_path / "s"))
    assert dict(b.attrs) == {"x": 1}
    a.attrs["y"] = 2
    assert b.attrs.cached == {"x": 1}
    b.attrs.refresh()
    assert dict(b.attrs) == {"x": 1, "y": 2}
    # A change keeps those that another handle made meanwhile.
    a.attrs["z"] = 3
    b.attrs["w"] = 4
    assert dict(zarr.open_array(str(tmp_path / "s")).attrs) == {"x": 1, "y": 2, "z": 3, "w": 4}


def test_config(same):
    def body(zarr, folder):
        a = zarr.create_array({}, data=X, chunks=(2, 2))
        f = a.with_config({"order": "F"})
        w = a.with_config({"write_empty_chunks": True})
        return (
            plain(f.config.to_dict()),
            plain(w.config.to_dict()),
            bool(f[...].flags.f_contiguous),
            bool(a[...].flags.f_contiguous),
            f[...],
            f.order,
        )

    same(body)
    same(lambda zarr, folder: zarr.zeros(3).with_config({"order": "Z"}), error=ValueError)


def test_as_numpy(same):
    def body(zarr, folder):
        a = zarr.create_array({}, data=X)
        found = [
            np.asarray(a),
            np.array(a, dtype="f4"),
            np.asarray(a, dtype="i8"),
        ]
        return found

    same(body)
    same(lambda zarr, folder: np.asarray(zarr.zeros(3), copy=False), error=ValueError)


def test_iteration(same):
    same(lambda zarr, folder: [plain(np.asarray(row)) for row in zarr.array(X, chunks=(2, 2))])


def test_length():
    assert len(stook.zarr.array(X)) == 3
    with pytest.raises(TypeError):
        len(stook.zarr.zeros(()))


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_and_pickles(zarr, tmp_path, make_copy):
    a = zarr.create_array(str(tmp_path / "s"), name="a", data=X, config={"order": "F"})
    b = make_copy(a)
    if isinstance(b, bytes):
        assert len(b) < 4000
        b = pickle.loads(b)
    assert operator.eq(a, b)
    assert np.array_equal(b[...], X)
    assert b.config == a.config
    b[0] = 9
    assert a[0, 0] == 9


def test_equality(zarr, tmp_path):
    a = zarr.create_array(str(tmp_path / "a"), data=X)
    assert a == zarr.open_array(str(tmp_path / "a"))
    assert a != zarr.create_array(str(tmp_path / "b"), data=X)
    assert a != 3
    with pytest.raises(TypeError):
        hash(a)


def test_read_only(same):
    def body(zarr, folder):
        zarr.create_array(str(folder / "s"), data=X)
        return zarr.open_array(str(folder / "s"), mode="r")

    same(body)
    for change in (
        lambda a: operator.setitem(a, 0, 1),
        lambda a: a.resize((2, 2)),
        lambda a: a.append(X),
        lambda a: a.attrs.update(x=1),
        lambda a: a.update_attributes({"x": 1}),
    ):
        same(lambda zarr, folder, change=change: change(body(zarr, folder)), error=ValueError)


def test_grids(same):
    def body(zarr, folder):
        a = zarr.create_array({}, data=np.arange(35).reshape(5, 7), chunks=(1, 2), shards=(2, 4))
        return (
            list(a._iter_chunk_coords()),
            list(a._iter_shard_coords()),
            list(a._iter_shard_keys()),
            list(a._iter_chunk_regions()),
            list(a._iter_shard_regions()),
            list(a._iter_chunk_coords(origin=(1, 1), selection_shape=(2, 2))),
            a._chunk_grid_shape,
            a._shard_grid_shape,
            a._nshards,
        )

    same(body)


def test_chunk_sizes():
    a = stook.zarr.create_array({}, shape=(5, 7), dtype="i4", chunks=(1, 2), shards=(2, 4))
    assert a.read_chunk_sizes == ((1,) * 5, (2, 2, 2, 1))
    assert a.write_chunk_sizes == ((2, 2, 1), (4, 3))


def test_classmethods(same):
    def body(zarr, folder):
        array = importlib.import_module(f"{zarr.__name__}.core.array")
        a = array.Array.create(str(folder / "s"), shape=(3,), dtype="i4", chunk_shape=(2,))
        b = array.Array.from_dict(a.store_path, a.metadata.to_dict())
        return a, b, array.Array.open(str(folder / "s"))

    same(body)


# The same for coroutines.


def test_async_array(same):
    async def work(zarr, folder):
        asynchronous = importlib.import_module(f"{zarr.__name__}.api.asynchronous")
        a = await asynchronous.create_array(str(folder / "s"), data=X, chunks=(2, 2))
        await a.setitem((0, slice(None)), 7)
        found = [
            await a.getitem((slice(None), 1)),
            await a.getitem((0, 1)),
            await a.get_orthogonal_selection(([0, 2], [1, 3])),
            await a.get_mask_selection(X > 4),
            await a.get_coordinate_selection(([0, 2], [1, 3])),
            await a.oindex.getitem(([0, 2], slice(1, 3))),
            await a.vindex.getitem((np.array([0, 2]), np.array([1, 3]))),
            await a.nchunks_initialized(),
        ]
        await a.resize((2, 4))
        found.append(await a.append(X))
        await a.update_attributes({"x": 1})
        found += [a.shape, a.chunks, a.attrs, a.name, a.read_only, a.order, a.nbytes, a.size]
        found.append(repr(await a.info_complete()).count("\n"))
        again = await asynchronous.open_array(store=str(folder / "s"))
        return [*found, again]

    same(lambda zarr, folder: asyncio.run(work(zarr, folder)))


def test_async_functions(same):
    async def work(zarr, folder):
        z = importlib.import_module(f"{zarr.__name__}.api.asynchronous")
        store = str(folder / "s")
        g = await z.group(store=store, attributes={"x": 1})
        await z.create((3,), store=store, path="a", dtype="i4")
        await z.full((3,), 4, store=store, path="b")
        await z.save_array(store, X, path="c")
        names = sorted([name async for name in g.keys()])
        opened = await z.open(store=store, path="c")
        loaded = await z.load(store=store, path="c")
        await z.consolidate_metadata(store)
        c = await z.open_consolidated(store)
        members = sorted([name async for name, _ in c.members()])
        return names, opened, loaded, members

    same(lambda zarr, folder: asyncio.run(work(zarr, folder)))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_integers_of_any_length_stay(same, zarr_format):
    def body(zarr, folder):
        root = zarr.open_group(folder / "root.zarr", mode="w", zarr_format=zarr_format)
        numbers = {"big": 2**80, "more": [-(2**63) - 1, {"x": 2**64 - 1}], "float": 1e300}
        root.attrs.update(numbers)
        array = root.create_array("a", shape=(4,), dtype="i4", attributes=numbers)
        array.resize((6,))
        array.attrs["other"] = 1
        root.attrs["other"] = 2
        zarr.consolidate_metadata(root.store)
        again = zarr.open_group(folder / "root.zarr", mode="r")
        return dict(again.attrs), dict(again["a"].attrs), dict(array.attrs)

    same(body)
