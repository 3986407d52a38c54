"""zarr-python's own tests of stores, from where it is installed, over the stores of what is named zarr."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest
from zarr.core.buffer import Buffer, cpu
from zarr.storage import LocalStore, LoggingStore, MemoryStore, WrapperStore, ZipStore


def store_tests():
    """The class of zarr-python, in whose module `zarr` is whatever is named so here."""
    installed = PathFinder.find_spec("zarr", sys.path)
    path = Path(installed.origin).parent / "testing" / "store.py"
    spec = importlib.util.spec_from_file_location("store_tests_of_zarr", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.StoreTests


class Tests(store_tests()[LocalStore, cpu.Buffer]):
    """What all stores answer alike."""

    __test__ = False
    buffer_cls = cpu.Buffer
    is_readable_as_text = True

    async def set(self, store, key: str, value: Buffer) -> None:
        await (store._store if hasattr(store, "_store") else store).set(key, value)

    async def get(self, store, key: str) -> Buffer:
        inner = store._store if hasattr(store, "_store") else store
        return await inner.get(key, prototype=cpu.buffer_prototype)

    def test_store_repr(self, store) -> None:
        assert repr(store)

    def test_store_supports_writes(self, store) -> None:
        assert store.supports_writes

    def test_store_supports_listing(self, store) -> None:
        assert store.supports_listing


class TestLocalStore(Tests):
    __test__ = True
    store_cls = LocalStore

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"root": str(tmp_path)}


class TestMemoryStore(Tests):
    __test__ = True
    store_cls = MemoryStore

    @pytest.fixture
    def store_kwargs(self):
        return {"store_dict": {}}

    async def test_serializable_store(self, store) -> None:
        pytest.skip("a dict goes to no other process")


class TestZipStore(Tests):
    __test__ = True
    store_cls = ZipStore

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"path": tmp_path / "a.zip", "mode": "w"}

    @pytest.fixture
    def open_kwargs(self, store_kwargs):
        return {**store_kwargs, "read_only": False}


class TestWrapperStore(Tests):
    __test__ = True
    store_cls = WrapperStore

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"store": LocalStore(str(tmp_path))}

    @pytest.fixture
    def open_kwargs(self, tmp_path):
        return {"store_cls": LocalStore, "root": str(tmp_path)}


class TestLoggingStore(Tests):
    __test__ = True
    store_cls = LoggingStore

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"store": LocalStore(str(tmp_path)), "log_level": "ERROR"}

    @pytest.fixture
    def open_kwargs(self, tmp_path):
        return {"store_cls": LocalStore, "root": str(tmp_path), "log_level": "ERROR"}
