"""A store that fails, stalls, truncates or is late, at each of its operations in turn.

What must hold: the exception says which key and node; metadata is that of before or after; what
was acknowledged is there.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import re

import numpy as np
import pytest
import stook
import stook.zarr as zarr
from stook.zarr.storage import MemoryStore, WrapperStore

BEFORE = np.arange(12, dtype="i4")
AFTER = BEFORE + 100

# What a key has behind the path of its node.
PART_OF_NODE = re.compile(r"/?(c/[^a-z]*|zarr\.json|\.z[a-z]+)?$")


class Injected(ConnectionError):
    """What the store raises."""


class FaultyStore(WrapperStore[MemoryStore]):
    """Does as it is told, but for its operation number `at`."""

    def __init__(self, store: MemoryStore, fault: str = "", at: int = -1) -> None:
        super().__init__(store)
        self.fault, self.at, self.n, self.hit = fault, at, 0, None
        self.old: dict[str, object] = {}

    def with_read_only(self, read_only: bool = False):
        store = FaultyStore(self._store.with_read_only(read_only), self.fault, self.at)
        store.old = self.old
        return store

    async def _inject(self, name: str, key: str) -> bool:
        """Whether this operation is the one, and its result is to be changed."""
        self.n += 1
        if self.n - 1 != self.at:
            return False
        self.hit = (name, key)
        if self.fault == "fail":
            raise Injected("no route to host")
        if self.fault == "stall":
            await asyncio.sleep(3600)
        return True

    async def get(self, key, prototype, byte_range=None):
        is_faulty = await self._inject("get", key)
        if is_faulty and self.fault == "stale":
            value = self.old.get(key)
            return None if value is None else await _part(value, prototype, byte_range)
        value = await self._store.get(key, prototype, byte_range)
        if is_faulty and self.fault == "truncate" and value is not None:
            return value[: len(value) // 2]
        return value

    async def set(self, key, value):
        is_faulty = await self._inject("set", key)
        self.old[key] = self._store._store_dict.get(key)
        await self._store.set(key, value)
        if is_faulty and self.fault == "late":
            raise Injected("no answer")

    async def set_if_not_exists(self, key, value):
        is_faulty = await self._inject("set_if_not_exists", key)
        await self._store.set_if_not_exists(key, value)
        if is_faulty and self.fault == "late":
            raise Injected("no answer")

    async def delete(self, key):
        is_faulty = await self._inject("delete", key)
        await self._store.delete(key)
        if is_faulty and self.fault == "late":
            raise Injected("no answer")

    async def delete_dir(self, prefix):
        await self._inject("delete_dir", prefix)
        await self._store.delete_dir(prefix)

    async def exists(self, key):
        await self._inject("exists", key)
        return await self._store.exists(key)

    async def getsize(self, key):
        await self._inject("getsize", key)
        return await self._store.getsize(key)

    async def list_prefix(self, prefix):
        await self._inject("list_prefix", prefix)
        async for key in self._store.list_prefix(prefix):
            yield key

    async def list_dir(self, prefix):
        await self._inject("list_dir", prefix)
        async for key in self._store.list_dir(prefix):
            yield key


async def _part(value, prototype, byte_range):
    return await MemoryStore({"k": value}).get("k", prototype, byte_range)


def steps(store):
    """What is done, one acknowledged change after the other, and what is there then."""
    root = zarr.create_group(store=store)
    yield {}
    x = root.create_array("a/x", shape=(12,), chunks=(3,), dtype="i4")
    yield {"a/x": np.zeros(12, "i4")}
    x[:] = BEFORE
    yield {"a/x": BEFORE}
    x[1:8] = AFTER[1:8]
    mixed = np.concatenate([BEFORE[:1], AFTER[1:8], BEFORE[8:]])
    yield {"a/x": mixed}
    x.attrs["unit"] = "m"
    yield {"a/x": mixed}
    x.resize((14,))
    longer = np.concatenate([mixed, np.zeros(2, "i4")])
    yield {"a/x": longer}
    y = root.create_array("y", shape=(12,), chunks=(2,), shards=(6,), dtype="i4")
    yield {"a/x": longer, "y": np.zeros(12, "i4")}
    y[:] = BEFORE
    yield {"a/x": longer, "y": BEFORE}
    y[4:9] = AFTER[4:9]
    parted = np.concatenate([BEFORE[:4], AFTER[4:9], BEFORE[9:]])
    yield {"a/x": longer, "y": parted}
    zarr.consolidate_metadata(store)
    yield {"a/x": longer, "y": parted}


def run(store) -> tuple[list[dict], Exception | None]:
    """The states that were acknowledged, and what ended it."""
    done: list[dict] = [{}]
    try:
        for state in steps(store):
            done.append(state)
    except Exception as error:
        return done, error
    return done, None


STATES = run(FaultyStore(MemoryStore({})))[0]


def n_operations() -> int:
    store = FaultyStore(MemoryStore({}))
    assert run(store)[1] is None
    return store.n


def check_store(values: MemoryStore, before: dict, after: dict) -> None:
    """Each chunk is that of before or after, and every document is whole."""
    documents = [key for key in values._store_dict if key.endswith("zarr.json")]
    for key in documents:
        assert json.loads(values._store_dict[key].to_bytes())["zarr_format"] == 3, key
    for name in before:
        assert f"{name}/zarr.json" in documents
        found = zarr.open_array(values, path=name, mode="r")[:]
        later = after.get(name, before[name])
        size = {"a/x": 3, "y": 6}[name]
        assert found.shape in (before[name].shape, later.shape)
        for start in range(0, len(found), size):
            part = found[start : start + size]
            wholes = [state[start : start + size][: len(part)] for state in (before[name], later)]
            assert any(
                len(whole) == len(part) and (whole == part).all()
                or (len(whole) < len(part) and not part[len(whole) :].any())
                for whole in wholes
            ), (name, start, part)


@pytest.mark.parametrize("fault", ["fail", "late", "stall"])
def test_a_failure_is_named_and_loses_nothing(fault):
    n = n_operations()
    assert n > 30
    # Waiting costs time: a few of the operations stall.
    for at in range(0, n, 7) if fault == "stall" else range(n):
        values = MemoryStore({})
        store = FaultyStore(values, fault, at)
        with zarr.config.set({"async.timeout": 0.2 if fault == "stall" else 60}):
            done, error = run(store)
        where = (fault, at, store.hit)
        if error is None:
            # It was asked again, or nobody needed the answer.
            assert len(done) == len(STATES), where
            check_store(values, STATES[-1], STATES[-1])
            continue
        text = str(error)
        assert store.hit[1] in text, (where, text)
        if isinstance(error, stook.Error):
            # The node that was worked on, one above or below: those are looked at, too.
            owner = PART_OF_NODE.sub("", store.hit[1])
            node = (error.node or owner).strip("/")
            assert node.startswith(owner) or owner.startswith(node), where
            cause = error.__cause__
            assert isinstance(cause, TimeoutError if fault == "stall" else Injected), where
        assert isinstance(error, TimeoutError if fault == "stall" else Injected), where
        last = len(done) - 1
        check_store(values, STATES[last], STATES[min(last + 1, len(STATES) - 1)])


@pytest.mark.parametrize("name", ["a/x", "y"])
@pytest.mark.parametrize("fault", ["fail", "truncate", "stale"])
def test_a_bad_read_is_an_error_or_old_data(fault, name):
    values = MemoryStore({})
    healthy = FaultyStore(values)
    assert run(healthy)[1] is None
    expected = STATES[-1][name]
    for at in range(100):
        store = FaultyStore(values, fault, at)
        store.old = healthy.old
        try:
            found = zarr.open_array(store, path=name, mode="r+")[:]
        except Exception as error:
            assert store.hit is not None and fault in ("fail", "truncate", "stale")
            assert name in str(error), (fault, at, store.hit, str(error))
            continue
        if fault == "stale" and store.hit is not None:
            old = np.where(np.isin(found, AFTER), found - 100, found)
            assert ((found == expected[: len(found)]) | (found == 0) | (old == found)).all()
            continue
        assert (found == expected).all(), (fault, at, store.hit)
        if store.hit is None:
            return
    raise AssertionError("the read never ends")


class Unlucky(WrapperStore[MemoryStore]):
    """Raises something of its own where it reads a chunk."""

    error: BaseException = KeyError("a library below")

    async def get(self, key, prototype, byte_range=None):
        if "c/" in key:
            raise self.error
        return await self._store.get(key, prototype, byte_range)


class OddError(Exception):
    def __init__(self, code: int, *, place: str) -> None:
        super().__init__(code, place)
        self.code = code


@pytest.mark.parametrize(
    "error", [KeyError("k"), OddError(7, place="x"), TimeoutError(), UnicodeError("u"), OSError(5, "e")]
)
def test_what_a_store_raises_is_caught_as_what_it_is(error):
    values = MemoryStore({})
    zarr.create_array(values, name="x", shape=(4,), chunks=(2,), dtype="i4")[:] = 1
    store = Unlucky(values)
    store.error = error
    array = zarr.open_array(store, path="x", mode="r+")
    with pytest.raises(type(error)) as caught:
        array[:]
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, stook.Error)
    assert (caught.value.node, caught.value.chunk) == ("/x", (0,))
    assert getattr(caught.value, "code", None) == getattr(error, "code", None)
    assert getattr(caught.value, "errno", None) == getattr(error, "errno", None)
    assert "key `x/c/0`: cannot read" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, type(error) if type(error) is not OddError else stook.Error)
    assert str(again) == str(caught.value)
