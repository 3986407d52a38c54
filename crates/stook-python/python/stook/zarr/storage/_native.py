"""From a store of the Zarr API to one of the library, and to the hierarchy in it.

Stores of this package that the library has, too, run there. Every other one is a :class:`Bridge`:
the library calls it from any of its threads, and it waits for the store's coroutines on the one
event loop of :mod:`stook.zarr.core.sync`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..._stook import Store as NativeStore
from ..._stook import Tree
from ..core.config import config
from ..core.sync import sync

if TYPE_CHECKING:
    from ..core.buffer import Buffer

__all__ = ["Bridge", "MappingBridge", "is_store", "native", "tree"]

T = TypeVar("T")
_Part = tuple[int | None, int | None]

# Names of documents; what else a store lists may be a group or an array.
_DOCUMENTS = frozenset({"zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"})

_STORE_METHODS = ("get", "set", "delete", "exists", "list", "list_prefix", "list_dir")


def is_store(candidate: Any) -> bool:
    """Whether something is a store: of this package, of zarr-python, or of that shape."""
    from ..abc.store import Store

    if isinstance(candidate, Store):
        return True
    return not isinstance(candidate, type) and _base_of(type(candidate)) is not None


def native(store: Any) -> NativeStore:
    """The byte store behind a store."""
    own = getattr(type(store), "_native", None)
    if own is not None and "_native" in vars(type(store)):
        # Not inherited: a subclass may do anything in its methods.
        found: NativeStore = own(store)
        return found
    read_only = store.read_only or not store.supports_writes
    return NativeStore.python(Bridge(store), str(store), read_only)


def tree(store: Any, writable: bool, format: str | None = "zarr3") -> Tree:
    """The hierarchy in a store; there may be nothing in it, and nothing is read yet.

    ``format`` (zarr2 or zarr3) is that of nodes that are made without a document; ``None`` asks
    the root.
    """
    made = Tree.of_store(native(store), writable, format)
    keep = getattr(store, "_keep", None)
    if keep is not None and "_native" in vars(type(store)):
        keep(made)
    return made


def _base_of(cls: type) -> type | None:
    """The abstract class of stores that ``cls`` extends, here or in zarr-python."""
    for base in cls.__mro__:
        if base.__name__ == "Store" and base.__module__.endswith("zarr.abc.store"):
            return base
    return None


class Bridge:
    """A store with coroutines as the library calls it."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.identity = id(store)
        base = _base_of(type(store))
        module = "stook.zarr.abc.store" if base is None else base.__module__
        # A store of zarr-python wants the classes of zarr-python.
        self._requests = sys.modules[module]
        self._buffers = module.removesuffix("abc.store") + "core.buffer"

    def __reduce__(self) -> tuple[type[Bridge], tuple[Any]]:
        return Bridge, (self.store,)

    def _prototype(self) -> Any:
        return sys.modules[self._buffers].default_buffer_prototype()

    def _request(self, part: _Part) -> Any:
        start, end = part
        if end is not None:
            return self._requests.RangeByteRequest(start or 0, end)
        if start is None:
            return None
        if start < 0:
            return self._requests.SuffixByteRequest(-start)
        return self._requests.OffsetByteRequest(start)

    def get(self, key: str, start: int | None = None, end: int | None = None) -> Any:
        request = self._request((start, end))
        return _bytes_of(_run(self.store.get(key, self._prototype(), request)))

    @property
    def requests_in_flight(self) -> int:
        return int(config.get("async.concurrency") or 10)

    def get_many(self, keys: list[str]) -> list[Any]:
        """Values, or the exceptions of those that could not be read."""
        if len(keys) == 1:
            return [self.get(keys[0])]
        prototype = self._prototype()
        requests = [(key, prototype, None) for key in keys]
        found = _run(_gather(self.store.get, requests, return_exceptions=True))
        return [value if isinstance(value, BaseException) else _bytes_of(value) for value in found]

    def get_ranges(self, key: str, parts: Iterable[_Part]) -> list[Any]:
        prototype = self._prototype()
        requests = [(key, prototype, self._request(part)) for part in parts]
        return list(map(_bytes_of, _run(_gather(self.store.get, requests))))

    def set(self, key: str, value: bytes) -> None:
        _run(self.store.set(key, self._prototype().buffer.from_bytes(value)))

    def set_new(self, key: str, value: bytes) -> bool:
        return _run(self._set_new(key, value))

    async def _set_new(self, key: str, value: bytes) -> bool:
        if await self.store.exists(key):
            return False
        prototype = self._prototype()
        await self.store.set_if_not_exists(key, prototype.buffer.from_bytes(value))
        # It does not say whether it did.
        found = await self.store.get(key, prototype)
        return found is not None and found.to_bytes() == value

    def delete(self, key: str) -> None:
        _run(self._delete(key))

    async def _delete(self, key: str) -> None:
        try:
            await self.store.delete(key)
        except (FileNotFoundError, KeyError):
            pass

    def delete_prefix(self, prefix: str) -> None:
        _run(self.store.delete_dir(prefix))

    def list_dir(self, prefix: str) -> list[str]:
        names = {name.rstrip("/") for name in _run(_collect(self.store.list_dir(prefix)))}
        return [name if name in _DOCUMENTS else f"{name}/" for name in names if name]

    def list_prefix(self, prefix: str) -> list[str]:
        folder = prefix and f"{prefix}/"
        return _run(_collect(self.store.list_prefix(folder)))

    def getsize(self, key: str) -> int | None:
        return _run(self._getsize(key))

    def getsizes(self, keys: Iterable[str]) -> list[int | None]:
        return _run(_gather(self._getsize, [(key,) for key in keys]))

    async def _getsize(self, key: str) -> int | None:
        try:
            size: int = await self.store.getsize(key)
        except (FileNotFoundError, KeyError):
            return None
        return size


class MappingBridge:
    """A mapping from keys to buffers as the library calls it; it needs no event loop."""

    def __init__(self, mapping: MutableMapping[str, Buffer]) -> None:
        self.mapping = mapping
        self.identity = id(mapping)

    def __reduce__(self) -> tuple[type[MappingBridge], tuple[Any]]:
        return MappingBridge, (self.mapping,)

    def get(self, key: str, start: int | None = None, end: int | None = None) -> Any:
        try:
            value = _bytes_of(self.mapping[key])
        except KeyError:
            return None
        return value if start is None and end is None else value[start:end]

    def get_ranges(self, key: str, parts: Iterable[_Part]) -> list[Any]:
        return [self.get(key, start, end) for start, end in parts]

    def set(self, key: str, value: bytes) -> None:
        self.mapping[key] = _buffer_of(value)

    def set_new(self, key: str, value: bytes) -> bool:
        buffer = _buffer_of(value)
        return self.mapping.setdefault(key, buffer) is buffer

    def delete(self, key: str) -> None:
        self.mapping.pop(key, None)

    def delete_prefix(self, prefix: str) -> None:
        for key in self.list_prefix(prefix):
            self.mapping.pop(key, None)

    def list_dir(self, prefix: str) -> list[str]:
        start = len(prefix) + 1 if prefix else 0
        rests = (key[start:] for key in self.list_prefix(prefix))
        return list({name + slash for name, slash, _ in (rest.partition("/") for rest in rests)})

    def list_prefix(self, prefix: str) -> list[str]:
        folder = prefix and f"{prefix}/"
        return [key for key in list(self.mapping) if key.startswith(folder)]

    def getsize(self, key: str) -> int | None:
        value = self.mapping.get(key)
        return None if value is None else len(value)

    def getsizes(self, keys: Iterable[str]) -> list[int | None]:
        return [self.getsize(key) for key in keys]


def _run(coro: Coroutine[Any, Any, T]) -> T:
    return sync(coro, timeout=config.get("async.timeout"))


async def _collect(names: Any) -> list[str]:
    return [name async for name in names]


async def _gather(
    call: Any, arguments: list[Any], return_exceptions: bool = False
) -> list[Any]:
    limit = asyncio.Semaphore(config.get("async.concurrency") or 10)

    async def one(of: tuple[Any, ...]) -> Any:
        async with limit:
            return await call(*of)

    waiting = map(one, arguments)
    return list(await asyncio.gather(*waiting, return_exceptions=return_exceptions))


def _bytes_of(value: Any) -> Any:
    """The memory of a buffer of any class; ``None`` stays."""
    return None if value is None else value.as_numpy_array()


def _buffer_of(value: bytes) -> Buffer:
    from ..core.buffer import default_buffer_prototype

    return default_buffer_prototype().buffer.from_bytes(value)
