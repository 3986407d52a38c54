"""Stores through their own API: the same outcome here and in zarr-python."""

from __future__ import annotations

import pickle
from collections import UserDict
from importlib import import_module

import pytest

PACKAGES = ["stook.zarr", "zarr"]
KINDS = ["local", "memory", "dict", "zip", "fsspec", "logging", "wrapper"]


class Kit:
    """The parts of one package, and a store of one kind."""

    def __init__(self, package: str, folder):
        self.package = package
        self.folder = folder
        self.storage = self.module("storage")
        self.abc = self.module("abc.store")
        self.buffers = self.module("core.buffer")
        self.prototype = self.buffers.default_buffer_prototype()
        self.sync = self.module("core.sync").sync

    def module(self, name: str):
        return import_module(f"{self.package}.{name}")

    def buffer(self, value: bytes):
        return self.buffers.cpu.Buffer.from_bytes(value)

    def make(self, kind: str, **more):
        storage = self.storage
        match kind:
            case "local":
                return storage.LocalStore(self.folder / "local", **more)
            case "memory":
                return storage.MemoryStore(**more)
            case "dict":
                return storage.MemoryStore({}, **more)
            case "zip":
                return storage.ZipStore(self.folder / "a.zip", mode="w", **more)
            case "fsspec":
                pytest.importorskip("fsspec")
                return storage.FsspecStore.from_url(
                    f"file://{self.folder / 'fsspec'}", storage_options={"auto_mkdir": True}, **more
                )
            case "logging":
                return storage.LoggingStore(storage.MemoryStore(**more), log_level="CRITICAL")
        return storage.WrapperStore(storage.MemoryStore(**more))

    def collect(self, iterator) -> list[str]:
        return sorted(self.module("core.sync").collect_aiterator(iterator))

    def get(self, store, key: str, byte_range=None) -> bytes | None:
        found = self.sync(store.get(key, self.prototype, byte_range))
        return None if found is None else found.to_bytes()


@pytest.fixture(params=PACKAGES)
def kit(request, tmp_path) -> Kit:
    pytest.importorskip(request.param)
    return Kit(request.param, tmp_path)


@pytest.fixture(params=KINDS)
def store(request, kit):
    store = kit.make(request.param)
    kit.sync(store._ensure_open())
    yield store
    store.close()


def test_values_are_set_read_and_listed(kit, store):
    values = {"zarr.json": b"{}", "a/zarr.json": b"[]", "a/c/0/1": b"chunk", "ab/c/0": b""}
    for key, value in values.items():
        kit.sync(store.set(key, kit.buffer(value)))
    for key, value in values.items():
        assert kit.get(store, key) == value
        assert kit.sync(store.exists(key))
    assert kit.get(store, "b") is None and not kit.sync(store.exists("b"))
    assert kit.collect(store.list()) == sorted(values)
    assert kit.collect(store.list_prefix("a/")) == ["a/c/0/1", "a/zarr.json"]
    assert kit.collect(store.list_dir("")) == ["a", "ab", "zarr.json"]
    assert kit.collect(store.list_dir("a")) == ["c", "zarr.json"]
    assert kit.sync(store.getsize("a/c/0/1")) == 5
    assert kit.sync(store.getsize_prefix("a/")) == 7
    assert kit.sync(store.is_empty("b")) and not kit.sync(store.is_empty("a"))
    with pytest.raises(FileNotFoundError):
        kit.sync(store.getsize("b"))


def test_parts_of_values_end_where_the_value_does(kit, store):
    kit.sync(store.set("k", kit.buffer(b"0123456789")))
    abc = kit.abc
    expected = {
        abc.RangeByteRequest(2, 5): b"234",
        abc.RangeByteRequest(8, 20): b"89",
        abc.OffsetByteRequest(7): b"789",
        abc.SuffixByteRequest(3): b"789",
        None: b"0123456789",
    }
    for byte_range, value in expected.items():
        assert kit.get(store, "k", byte_range) == value, byte_range
    pairs = [("k", byte_range) for byte_range in expected]
    found = kit.sync(store.get_partial_values(kit.prototype, pairs))
    assert [part.to_bytes() for part in found] == list(expected.values())


def test_a_new_key_is_set_and_one_that_is_there_is_not(kit, store):
    for value in (b"first", b"second"):
        kit.sync(store.set_if_not_exists("k", kit.buffer(value)))
    assert kit.get(store, "k") == b"first"


def test_keys_are_removed_alone_and_by_prefix(kit, store):
    for key in ("a/b", "a/c/d", "ab"):
        kit.sync(store.set(key, kit.buffer(b"1")))
    if not store.supports_deletes:
        with pytest.raises(NotImplementedError):
            kit.sync(store.delete("ab"))
        with pytest.raises(NotImplementedError):
            kit.sync(store.delete_dir("a"))
        return
    kit.sync(store.delete("ab"))
    kit.sync(store.delete("ab"))
    assert kit.collect(store.list()) == ["a/b", "a/c/d"]
    kit.sync(store.delete_dir("a/c"))
    assert kit.collect(store.list()) == ["a/b"]
    kit.sync(store.clear())
    assert kit.collect(store.list()) == []


@pytest.mark.parametrize("kind", ["local", "memory", "dict", "fsspec"])
def test_a_read_only_store_changes_nothing(kit, kind):
    store = kit.make(kind)
    kit.sync(store._ensure_open())
    kit.sync(store.set("k", kit.buffer(b"1")))
    locked = store.with_read_only(True)
    assert locked.read_only and not store.read_only
    assert kit.get(locked, "k") == b"1"
    for change in (locked.set("k", kit.buffer(b"2")), locked.delete("k"), locked.delete_dir("")):
        with pytest.raises(ValueError, match="read-only"):
            kit.sync(change)
    assert kit.get(store.with_read_only(False), "k") == b"1"


@pytest.mark.parametrize("kind", ["local", "memory", "dict", "fsspec", "zip"])
def test_a_store_is_pickled_and_equal(kit, kind):
    store = kit.make(kind)
    kit.sync(store._ensure_open())
    kit.sync(store.set("k", kit.buffer(b"1")))
    if kind == "zip":
        # An archive has one writer.
        store.close()
        store = kit.storage.ZipStore(store.path, mode="r")
    again = pickle.loads(pickle.dumps(store))
    assert again == store and kit.get(again, "k") == b"1"
    assert store != kit.storage.LocalStore(kit.folder / "other")


def test_only_buffers_are_values(kit, store):
    with pytest.raises((TypeError, AttributeError)):
        kit.sync(store.set("k", b"bytes"))


def test_names_of_stores(kit):
    assert str(kit.make("local")) == f"file://{kit.folder}/local"
    assert repr(kit.make("local")) == f"LocalStore('file://{kit.folder}/local')"
    assert str(kit.make("zip")) == f"zip://{kit.folder}/a.zip"
    values: dict = {}
    assert str(kit.storage.MemoryStore(values)) == f"memory://{id(values)}"
    wrapper = kit.make("wrapper")
    assert str(wrapper).startswith("wrapping-memory://")
    assert repr(wrapper).startswith("WrapperStore(MemoryStore, 'memory://")


def test_what_a_store_can_be_made_of(kit):
    make = kit.module("storage._common").make_store
    local = kit.folder / "new"
    made = kit.sync(make(local))
    assert isinstance(made, kit.storage.LocalStore) and local.is_dir()
    assert kit.sync(make(str(local))) == made
    assert kit.sync(make(made)) is made
    assert isinstance(kit.sync(make(None)), kit.storage.MemoryStore)
    values: dict = {}
    assert kit.sync(make(values))._store_dict is values
    assert kit.sync(make(local, mode="r")).read_only
    with pytest.raises(FileNotFoundError):
        kit.sync(make(kit.folder / "none", mode="r"))
    with pytest.raises(TypeError):
        kit.sync(make(1))
    with pytest.raises(TypeError):
        kit.sync(make(UserDict()))
    with pytest.raises(TypeError, match="storage_options"):
        kit.sync(make(local, storage_options={}))


def test_modes_of_a_path(kit):
    make = kit.module("storage._common").make_store_path
    path = kit.sync(make(kit.folder / "new", path="/a//b/", mode="a"))
    assert path.path == "a/b" and (path / "c").path == "a/b/c"
    assert str(path) == f"file://{kit.folder}/new/a/b"
    assert repr(path) == f"StorePath(LocalStore, '{path}')"
    kit.sync((path / "k").set(kit.buffer(b"1")))
    with pytest.raises(FileExistsError):
        kit.sync(make(path.store, path="a", mode="w-"))
    with pytest.raises(ValueError, match="read-only"):
        kit.sync(make(path.store.with_read_only(True), path="a", mode="r+"))
    assert kit.sync(make(path.store, path="a", mode="r")).read_only
    kit.sync(make(path.store, path="a", mode="w"))
    assert kit.sync(path.store.is_empty("a"))
    with pytest.raises(ValueError, match=r"'\.' or '\.\.'"):
        kit.sync(make(path.store, path="../a"))


def test_a_store_is_moved(kit):
    stores = (kit.make("local"), kit.storage.ZipStore(kit.folder / "a.zip", mode="a"))
    for store, name in zip(stores, ("x/local", "x/a.zip"), strict=True):
        target = kit.folder / name
        kit.sync(store._ensure_open())
        kit.sync(store.set("k", kit.buffer(b"1")))
        kit.sync(store.move(str(target)))
        assert target.exists() and kit.get(store, "k") == b"1"
        store.close()


def test_calls_are_counted(kit):
    store = kit.make("logging")
    kit.sync(store.set("k", kit.buffer(b"1")))
    assert kit.get(store, "k") == b"1"
    assert (store.counter["set"], store.counter["get"]) == (1, 1)


def test_context_managers_close(kit, store):
    with store as entered:
        kit.sync(entered.set("k", kit.buffer(b"1")))
    assert not store._is_open


def test_a_url_is_a_store_of_the_library(tmp_path):
    kit = Kit("stook.zarr", tmp_path)
    store = kit.storage.UrlStore("memory://test_stores/a/")
    assert (str(store), repr(store)) == ("memory://test_stores/a", f"UrlStore('{store}')")
    kit.sync(store.set("a/b", kit.buffer(b"0123")))
    kit.sync(store.set_if_not_exists("a/b", kit.buffer(b"other")))
    assert kit.get(store, "a/b", kit.abc.SuffixByteRequest(9)) == b"0123"
    assert kit.collect(store.list_dir("a")) == ["b"] and kit.sync(store.exists("a/b"))
    again = pickle.loads(pickle.dumps(store))
    assert again == store and kit.get(again, "a/b") == b"0123"
    with pytest.raises(ValueError, match="read-only"):
        kit.sync(store.with_read_only(True).delete("a/b"))
    kit.sync(store.delete_dir("a"))
    assert kit.collect(store.list()) == []


def test_options_for_fsspec_are_translated_or_left_to_it(monkeypatch):
    pytest.importorskip("fsspec")
    from stook.zarr.storage._url import url_store

    monkeypatch.delenv("AWS_PROFILE", raising=False)
    inner = {"endpoint_url": "http://localhost:1", "region_name": "here"}
    options = {"key": "k", "secret": "s", "anon": False, "client_kwargs": inner}
    store = url_store("s3://bucket/a", options, True)
    assert store.read_only and store.options == {
        "access_key_id": "k",
        "secret_access_key": "s",
        "skip_signature": "false",
        "endpoint": "http://localhost:1",
        "region": "here",
        "allow_http": "true",
    }
    assert url_store("s3://bucket/a", {"default_block_size": 5, "anon": True}, True) is None
    assert url_store("https://host/a", {"client_kwargs": {}}, True) is None
    assert url_store("simplecache::s3://bucket/a", None, True) is None
    assert url_store("memory://a", None, True) is None
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert url_store("s3://bucket/a", None, True) is None
