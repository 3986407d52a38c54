"""The abstract class of stores, which scripts extend.

A store maps keys to values: ``a/b/zarr.json`` to a document, ``a/b/c/0/1`` to a chunk.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, runtime_checkable

from ..core.sync import sync

if TYPE_CHECKING:
    from ..core.buffer import Buffer, BufferPrototype

__all__ = [
    "ByteGetter",
    "ByteSetter",
    "Store",
    "SupportsDeleteSync",
    "SupportsGetSync",
    "SupportsSetSync",
    "SupportsSyncStore",
    "set_or_delete",
]


@dataclass(frozen=True, slots=True)
class RangeByteRequest:
    """The bytes from ``start`` to before ``end``, or to the end of the value."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class OffsetByteRequest:
    """The bytes from ``offset`` on."""

    offset: int


@dataclass(frozen=True, slots=True)
class SuffixByteRequest:
    """The last ``suffix`` bytes, or all if there are fewer."""

    suffix: int


ByteRequest: TypeAlias = RangeByteRequest | OffsetByteRequest | SuffixByteRequest


class Store(ABC):
    """Keys and values.

    A subclass gives the abstract methods, which are coroutines or return asynchronous iterators;
    any of them may be called at any time, and several at once.
    """

    _read_only: bool
    _is_open: bool

    def __init__(self, *, read_only: bool = False) -> None:
        self._is_open = False
        self._read_only = read_only

    @classmethod
    async def open(cls, *args: Any, **kwargs: Any) -> Self:
        """Makes a store, as the class does, and opens it."""
        store = cls(*args, **kwargs)
        await store._open()
        return store

    def with_read_only(self, read_only: bool = False) -> Store:
        """Another handle to the same keys, which may or may not change them."""
        raise NotImplementedError(
            f"with_read_only is not implemented for the {type(self)} store type."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def _open(self) -> None:
        if self._is_open:
            raise ValueError("store is already open")
        self._is_open = True

    async def _ensure_open(self) -> None:
        if not self._is_open:
            await self._open()

    async def is_empty(self, prefix: str) -> bool:
        """Whether there is no key below ``prefix``."""
        if not self.supports_listing:
            raise NotImplementedError
        async for _ in self.list_prefix(_folder(prefix)):
            return False
        return True

    async def clear(self) -> None:
        """Removes all keys."""
        if not self.supports_deletes or not self.supports_listing:
            raise NotImplementedError
        self._check_writable()
        await self.delete_dir("")

    @property
    def read_only(self) -> bool:
        """Whether this handle changes nothing."""
        return self._read_only

    def _check_writable(self) -> None:
        if self.read_only:
            raise ValueError("store was opened in read-only mode and does not support writing")

    @abstractmethod
    def __eq__(self, value: object) -> bool: ...

    @abstractmethod
    async def get(
        self,
        key: str,
        prototype: BufferPrototype,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """The value of ``key``, or a part of it; ``None`` if the key is missing."""
        ...

    async def _get_bytes(
        self, key: str, *, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> bytes:
        buffer = await self.get(key, prototype, byte_range)
        if buffer is None:
            raise FileNotFoundError(key)
        return buffer.to_bytes()

    def _get_bytes_sync(
        self, key: str = "", *, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> bytes:
        return sync(self._get_bytes(key, prototype=prototype, byte_range=byte_range))

    async def _get_json(
        self, key: str, *, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Any:
        return json.loads(await self._get_bytes(key, prototype=prototype, byte_range=byte_range))

    def _get_json_sync(
        self, key: str = "", *, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Any:
        return sync(self._get_json(key, prototype=prototype, byte_range=byte_range))

    @abstractmethod
    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Several values or parts of them, in the order of ``key_ranges``."""
        ...

    @abstractmethod
    async def exists(self, key: str) -> bool:
        """Whether ``key`` has a value."""
        ...

    @property
    @abstractmethod
    def supports_writes(self) -> bool:
        """Whether keys can be set at all."""
        ...

    @abstractmethod
    async def set(self, key: str, value: Buffer) -> None:
        """Sets the value of ``key``."""
        ...

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Sets the value of ``key`` unless it has one.

        As it is given here, two writers may both do so: a subclass that can should do better.
        """
        if not await self.exists(key):
            await self.set(key, value)

    async def _set_many(self, values: Iterable[tuple[str, Buffer]]) -> None:
        await asyncio.gather(*(self.set(key, value) for key, value in values))

    @property
    def supports_consolidated_metadata(self) -> bool:
        """Whether consolidated metadata may be written."""
        return True

    @property
    @abstractmethod
    def supports_deletes(self) -> bool:
        """Whether keys can be removed."""
        ...

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Removes ``key``."""
        ...

    @property
    def supports_partial_writes(self) -> Literal[False]:
        """Whether a part of a value can be set: no longer asked for by anybody."""
        return False

    @property
    @abstractmethod
    def supports_listing(self) -> bool:
        """Whether keys can be listed."""
        ...

    @abstractmethod
    def list(self) -> AsyncIterator[str]:
        """All keys."""

    @abstractmethod
    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin with ``prefix``, as wholes."""

    @abstractmethod
    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """The names directly below ``prefix``, those of keys and those of further prefixes."""

    async def delete_dir(self, prefix: str) -> None:
        """Removes all keys below ``prefix``."""
        if not self.supports_deletes or not self.supports_listing:
            raise NotImplementedError
        self._check_writable()
        async for key in self.list_prefix(_folder(prefix)):
            await self.delete(key)

    def close(self) -> None:
        """Closes the store."""
        self._is_open = False

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for request in requests:
            yield request[0], await self.get(*request)

    async def getsize(self, key: str) -> int:
        """The length of a value in bytes; here, by reading it.

        Raises
        ------
        FileNotFoundError
            If the key is missing.
        """
        from ..core.buffer import default_buffer_prototype

        value = await self.get(key, prototype=default_buffer_prototype())
        if value is None:
            raise FileNotFoundError(key)
        return len(value)

    async def getsize_prefix(self, prefix: str) -> int:
        """The length of all values below ``prefix`` in bytes."""
        from ..core.config import config

        limit = asyncio.Semaphore(config.get("async.concurrency") or 10)

        async def size(key: str) -> int:
            async with limit:
                return await self.getsize(key)

        keys = [key async for key in self.list_prefix(prefix)]
        return sum(await asyncio.gather(*map(size, keys)))


def _folder(prefix: str) -> str:
    return prefix if prefix == "" or prefix.endswith("/") else prefix + "/"


@runtime_checkable
class ByteGetter(Protocol):
    """One value that can be read."""

    async def get(
        self, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None: ...


@runtime_checkable
class ByteSetter(Protocol):
    """One value that can be read, set and removed."""

    async def get(
        self, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None: ...
    async def set(self, value: Buffer) -> None: ...
    async def delete(self) -> None: ...
    async def set_if_not_exists(self, default: Buffer) -> None: ...


@runtime_checkable
class SupportsGetSync(Protocol):
    """A store that reads without an event loop."""

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None: ...


@runtime_checkable
class SupportsSetSync(Protocol):
    """A store that writes without an event loop."""

    def set_sync(self, key: str, value: Buffer) -> None: ...


@runtime_checkable
class SupportsDeleteSync(Protocol):
    """A store that removes without an event loop."""

    def delete_sync(self, key: str) -> None: ...


@runtime_checkable
class SupportsSyncStore(SupportsGetSync, SupportsSetSync, SupportsDeleteSync, Protocol):
    """A store that needs no event loop."""


async def set_or_delete(byte_setter: ByteSetter, value: Buffer | None) -> None:
    """Sets a value, or removes it if it is ``None``."""
    if value is None:
        await byte_setter.delete()
    else:
        await byte_setter.set(value)
