"""The members of a group, with zarr-python and with stook."""

from __future__ import annotations

import asyncio
import importlib
import operator
import pickle

import numpy as np
import pytest
import stook.zarr

X = np.arange(12, dtype="int16").reshape(3, 4)


@pytest.fixture(params=[2, 3])
def zarr_format(request):
    return request.param


def fill(zarr, folder, zarr_format, consolidated=False):
    g = zarr.open_group(str(folder / "s"), mode="w", zarr_format=zarr_format, attributes={"r": 1})
    g.create_array("a", data=X, chunks=(2, 2), attributes={"x": 1})
    g.create_group("g", attributes={"y": 2}).create_group("h").create_array(
        "b", shape=3, dtype="f4"
    )
    g["g"].create_array("c", shape=(), dtype="U3")
    return zarr.consolidate_metadata(g.store) if consolidated else g


@pytest.fixture(params=[False, True], ids=["plain", "consolidated"])
def consolidated(request):
    return request.param


def test_what_a_group_is(same, zarr_format, consolidated):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format, consolidated)
        h = g["g/h"]
        assert h.store_path.store is g.store_path.store
        assert repr(h) == f"<Group file://{folder}/s/g/h>"
        names = "name path basename read_only synchronizer".split()
        return [[getattr(group, name) for name in names] for group in (g, g["g"], h)]

    same(body)


@pytest.mark.parametrize("depth", [0, 1, 2, None, -1])
def test_members(same, zarr_format, consolidated, depth):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format, consolidated)
        return dict(g.members(max_depth=depth)), g.nmembers(max_depth=depth)

    same(body)


def test_names(same, zarr_format, consolidated):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format, consolidated)
        return (
            sorted(g),
            sorted(g.keys()),
            sorted(g.group_keys()),
            sorted(g.array_keys()),
            dict(g.groups()),
            dict(g.arrays()),
            [group.name for group in g.group_values()],
            [array.name for array in g.array_values()],
            len(g),
            [name in g for name in ("a", "g", "g/h", "g/h/b", "no", "a/b", "g/no")],
        )

    same(body)


@pytest.mark.parametrize("path", ["a", "/a", "g/h/b", "g/", "no", "a/b", "", "g//h", "../g", 3])
def test_getitem(same, zarr_format, consolidated, path):
    def body(zarr, folder):
        found = fill(zarr, folder, zarr_format, consolidated)[path]
        return found

    if path == "":
        pytest.skip("the group itself; zarr-python fails where it is consolidated")
    same(body)


def test_get(same, zarr_format, consolidated):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format, consolidated)
        return g.get("a"), g.get("no"), g.get("no", 5)

    same(body)


@pytest.mark.parametrize("value", [X, np.float64(3), np.array(["a", "bc"]), [1, 2], 5])
def test_setitem(same, zarr_format, value):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        g["new/x"] = value
        g["a"] = value
        return dict(g.members(max_depth=None))

    same(body)


@pytest.mark.parametrize("path", ["a", "g", "g/h/b", "no"])
def test_delitem(same, zarr_format, path):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        del g[path]
        return dict(g.members(max_depth=None))

    same(body)


def test_attributes(same, zarr_format):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        g.attrs["n"] = {"deep": [1, None]}
        del g.attrs["r"]
        g.attrs.update(m=1)
        found = [dict(g.attrs), g.attrs.asdict(), len(g.attrs)]
        found.append(dict(g.update_attributes({"o": 3}).attrs))
        g["g"].attrs.put({"only": 1})
        return found, dict(zarr.open_group(str(folder / "s")).members(max_depth=None))

    same(body)


def test_attributes_can_all_be_removed(same, zarr_format):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        g.attrs.put({})
        return zarr.open_group(str(folder / "s"))

    if zarr_format == 2:
        # zarr-python leaves an empty document; here there is none: nothing stale.
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            assert dict(body(stook.zarr, Path(folder)).attrs) == {}
        return
    same(body)


def test_update_attributes_async(same, zarr_format):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        found = asyncio.run(g.update_attributes_async({"new": 1}))
        return dict(found.attrs), zarr.open_group(str(folder / "s"))

    same(body)


def test_info(same, zarr_format, consolidated):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format, consolidated)
        return repr(g.info), repr(g.info_complete()), repr(g["g"].info_complete())

    same(body)


@pytest.mark.parametrize("keywords", [{}, {"level": 1}, {"max_nodes": 2}, {"plain": True}])
def test_tree(same, zarr_format, consolidated, keywords):
    def body(zarr, folder):
        found = fill(zarr, folder, zarr_format, consolidated).tree(**keywords)
        bundle = found._repr_mimebundle_()
        if "max_nodes" in keywords:
            # Which nodes are left out is nobody's promise.
            return repr(found).splitlines()[0]
        return repr(found), bundle["text/plain"], bundle["text/html"]

    same(body)


# Creating.


@pytest.mark.parametrize("name", ["new", "new/deep/er", "g", "a", "g/h"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_create_group(same, zarr_format, name, overwrite):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        made = g.create_group(name, overwrite=overwrite, attributes={"k": 1})
        return made, sorted(path for path, _ in g.members(max_depth=None))

    same(body)


@pytest.mark.parametrize("name", ["new", "g", "a"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_require_group(same, zarr_format, name, overwrite):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        return (
            g.require_group(name, overwrite=overwrite),
            g.require_groups("g", "z"),
            g.require_groups(),
        )

    same(body)


CREATE = {
    "shape": {"shape": (3, 4), "dtype": "i4"},
    "data": {"data": X},
    "chunks": {"data": X, "chunks": (1, 2)},
    "compressor": {"data": X, "compressor": None},
    "compressors": {"data": X, "compressors": None},
    "both compressors": {"data": X, "compressor": None, "compressors": None},
    "filters": {"data": X, "filters": None},
    "fill_value": {"shape": 3, "dtype": "i4", "fill_value": 5},
    "attributes": {"data": X, "attributes": {"x": 1}},
    "order": {"data": X, "order": "F"},
    "config": {"data": X, "config": {"order": "F"}},
    "write_data": {"data": X, "write_data": False},
    "storage_options": {"data": X, "storage_options": {"x": 1}},
    "dimension_names": {"data": X, "dimension_names": ["x", "y"]},
    "shards": {"data": X, "chunks": (1, 2), "shards": (2, 4)},
    "serializer": {"data": X, "serializer": "auto"},
    "chunk_key_encoding": {"data": X, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "nothing": {},
}


@pytest.mark.parametrize("keywords", CREATE.values(), ids=CREATE.keys())
@pytest.mark.parametrize("method", ["create_array", "create"])
def test_create_array(same, zarr_format, keywords, method):
    same(lambda zarr, folder: getattr(fill(zarr, folder, zarr_format), method)("new", **keywords))


@pytest.mark.parametrize("overwrite", [False, True])
def test_create_array_over_what_is_there(same, zarr_format, overwrite):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        return g.create_array("g", data=X, overwrite=overwrite), dict(g.members())

    same(body)


@pytest.mark.parametrize("keywords", [{"shape": (3, 4), "data": X}, {"shape": 3, "dtype": "i4"}])
def test_create_dataset(same, zarr_format, keywords):
    def body(zarr, folder):
        return fill(zarr, folder, zarr_format).create_dataset("new", **keywords)

    same(body)


def test_array_is_deprecated(same, zarr_format):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        return g.array("new", shape=(3, 4), dtype="i2", data=X, chunks=(2, 2))

    same(body)


@pytest.mark.parametrize(
    "keywords",
    [
        {"shape": (3, 4), "dtype": "i2"},
        {"shape": (3, 4), "dtype": "i4"},
        {"shape": (3, 4), "dtype": "i4", "exact": True},
        {"shape": (3, 4), "dtype": "i1"},
        {"shape": (3, 5), "dtype": "i2"},
    ],
)
@pytest.mark.parametrize("name", ["a", "new", "g"])
@pytest.mark.parametrize("method", ["require_array", "require_dataset"])
def test_require_array(same, zarr_format, name, keywords, method):
    def body(zarr, folder):
        return getattr(fill(zarr, folder, zarr_format), method)(name, **keywords)

    if method == "require_dataset" or name != "new" or "exact" not in keywords:
        same(body)


@pytest.mark.parametrize("name", ["empty", "zeros", "ones"])
def test_filled(same, zarr_format, name):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        made = getattr(g, name)(name="new", shape=(2, 3), dtype="i4", zarr_format=zarr_format)
        like = getattr(g, f"{name}_like")(name="like", data=g["a"], zarr_format=zarr_format)
        return made, like, dict(g.members())

    same(body)


def test_full(same, zarr_format):
    def body(zarr, folder):
        g = fill(zarr, folder, zarr_format)
        made = g.full(name="new", shape=(2, 3), fill_value=7, zarr_format=zarr_format)
        like = g.full_like(name="like", data=g["a"], fill_value=8, zarr_format=zarr_format)
        return made, like

    same(body)


def test_create_hierarchy(same, zarr_format):
    def body(zarr, folder):
        group = importlib.import_module(f"{zarr.__name__}.core.group")
        g = fill(zarr, folder, zarr_format)
        nodes = {
            "n": group.GroupMetadata(attributes={"x": 1}, zarr_format=zarr_format),
            "g/m/k": g["a"].metadata,
        }
        made = sorted(path for path, _ in g["g"].create_hierarchy(nodes))
        return made, sorted(path for path, _ in g.members(max_depth=None))

    same(body)


@pytest.mark.parametrize("path", ["", "a"])
def test_create_hierarchy_refuses(same, path):
    def body(zarr, folder):
        group = importlib.import_module(f"{zarr.__name__}.core.group")
        g = fill(zarr, folder, 3)
        wrong = 3 if path == "" else 2
        return list(g.create_hierarchy({path: group.GroupMetadata(zarr_format=wrong)}))

    same(body, error=ValueError)


def test_from_store_and_open(same, zarr_format):
    def body(zarr, folder):
        made = zarr.Group.from_store(
            str(folder / "s"), attributes={"x": 1}, zarr_format=zarr_format
        )
        opened = zarr.Group.open(str(folder / "s"), zarr_format=zarr_format)
        return made, opened

    same(body)
    same(lambda zarr, folder: zarr.Group.open(str(folder / "no")), error=FileNotFoundError)


def test_read_only(same, zarr_format):
    def body(zarr, folder):
        fill(zarr, folder, zarr_format)
        return zarr.open_group(str(folder / "s"), mode="r")

    same(lambda zarr, folder: body(zarr, folder)["g"].read_only)
    for change in (
        lambda g: g.create_group("x"),
        lambda g: g.create_array("x", data=X),
        lambda g: operator.setitem(g, "x", X),
        lambda g: operator.delitem(g, "a"),
        lambda g: g.attrs.update(x=1),
        lambda g: g.require_group("x"),
    ):
        same(lambda zarr, folder, change=change: change(body(zarr, folder)), error=ValueError)


def test_pickles(zarr, tmp_path, zarr_format, consolidated):
    g = fill(zarr, tmp_path, zarr_format, consolidated)
    again = pickle.loads(pickle.dumps(g))
    assert again == g
    assert sorted(again) == sorted(g)
    assert np.array_equal(again["a"][...], X)
    below = pickle.loads(pickle.dumps(g["g"]))
    assert sorted(path for path, _ in below.members(max_depth=None)) == ["c", "h", "h/b"]


def test_equality(zarr, tmp_path):
    g = fill(zarr, tmp_path, 3)
    assert g == zarr.open_group(str(tmp_path / "s"))
    assert g != g["g"]
    assert g != 3


# What zarr-python does not have.


def test_move():
    zarr = stook.zarr
    g = zarr.group()
    g.create_array("a/x", data=X)
    g.move("a/x", "b/y")
    assert sorted(path for path, _ in g.members(max_depth=None)) == ["a", "b", "b/y"]
    assert np.array_equal(g["b/y"][...], X)
    g.move("b", "c")
    assert np.array_equal(g["c/y"][...], X)
    with pytest.raises(KeyError):
        g.move("no", "d")
    with pytest.raises(zarr.errors.ContainsGroupError):
        g.move("c/y", "a")
    with pytest.raises(ValueError, match="into itself"):
        g.move("c", "c/d")


def test_async_group(same, zarr_format):
    async def work(zarr, folder):
        asynchronous = importlib.import_module(f"{zarr.__name__}.api.asynchronous")
        fill(zarr, folder, zarr_format)
        g = await asynchronous.open_group(store=str(folder / "s"))
        a = await g.getitem("a")
        found = [
            a,
            await g.contains("a"),
            await g.contains("no"),
            sorted([name async for name in g.keys()]),
            sorted([name async for name in g.group_keys()]),
            sorted([name async for name in g.array_keys()]),
            sorted([name async for name, _ in g.members(max_depth=None)]),
            await g.nmembers(max_depth=None),
            await g.get("no", 4),
            repr(await g.tree()),
            repr(await g.info_complete()),
        ]
        await g.create_group("n", attributes={"z": 1})
        await g.require_group("n")
        await g.require_groups("n", "o")
        await g.create_array("p", shape=3, dtype="i4")
        await g.require_array("p", shape=3, dtype="i4")
        await g.zeros(name="q", shape=(2,), zarr_format=zarr_format)
        await g.setitem("r", X)
        await g.delitem("a")
        await g.update_attributes({"u": 1})
        return *found, g.attrs, g.name, sorted([name async for name in g.keys()])

    same(lambda zarr, folder: asyncio.run(work(zarr, folder)))
