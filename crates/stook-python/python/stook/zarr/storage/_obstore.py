"""A store of obstore as a store of the Zarr API."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from ..abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from ..core.config import config
from ._utils import _relativize_path

if TYPE_CHECKING:
    from ..core.buffer import Buffer, BufferPrototype

__all__ = ["ObjectStore"]

_MISSING: tuple[type[Exception], ...] = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
)

T_Store = TypeVar("T_Store")


class ObjectStore(Store, Generic[T_Store]):
    """Keys and values in a store of the package obstore (S3, Google, Azure, HTTP, …).

    Parameters
    ----------
    store
        The store of obstore.
    read_only
        Whether keys are only read.
    """

    store: T_Store

    def __init__(self, store: T_Store, *, read_only: bool = False) -> None:
        if not type(store).__module__.startswith("obstore"):
            raise TypeError(f"expected ObjectStore class, got {store!r}")
        super().__init__(read_only=read_only)
        self.store = store

    def __eq__(self, value: object) -> bool:
        return (
            isinstance(value, ObjectStore)
            and self.read_only == value.read_only
            and bool(self.store == value.store)
        )

    def with_read_only(self, read_only: bool = False) -> Self:
        return type(self)(store=self.store, read_only=read_only)

    def __str__(self) -> str:
        return f"object_store://{self.store}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "store": pickle.dumps(self.store)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What was pickled with this object came from where it came from.
        self.__dict__.update({**state, "store": pickle.loads(state["store"])})

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        try:
            return prototype.buffer.from_bytes(await self._get(key, byte_range))
        except _MISSING:
            return None

    async def _get(self, key: str, byte_range: ByteRequest | None) -> Any:
        obstore = _obstore()
        match byte_range:
            case None:
                found = await obstore.get_async(self.store, key)
            case RangeByteRequest(start, end):
                return await obstore.get_range_async(self.store, key, start=start, end=end)
            case OffsetByteRequest(offset):
                options: Any = {"range": {"offset": offset}}
                found = await obstore.get_async(self.store, key, options=options)
            case SuffixByteRequest(suffix):
                options = {"range": {"suffix": suffix}}
                try:
                    found = await obstore.get_async(self.store, key, options=options)
                except obstore.exceptions.NotSupportedError:
                    # Azure cannot count from the end.
                    size = (await obstore.head_async(self.store, key))["size"]
                    start = max(0, size - suffix)
                    return await obstore.get_range_async(self.store, key, start=start, end=size)
            case other:
                raise ValueError(f"Unexpected byte_range, got {other}")
        return await found.bytes_async()

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return await _concurrently(
            self.get, [(key, prototype, byte_range) for key, byte_range in key_ranges]
        )

    async def exists(self, key: str) -> bool:
        obstore = _obstore()
        try:
            await obstore.head_async(self.store, key)
        except FileNotFoundError:
            return False
        return True

    @property
    def supports_writes(self) -> bool:
        return True

    async def set(self, key: str, value: Buffer) -> None:
        obstore = _obstore()
        self._check_writable()
        await obstore.put_async(self.store, key, value.as_buffer_like())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        obstore = _obstore()
        self._check_writable()
        with suppress(obstore.exceptions.AlreadyExistsError):
            await obstore.put_async(self.store, key, value.as_buffer_like(), mode="create")

    @property
    def supports_deletes(self) -> bool:
        return True

    async def delete(self, key: str) -> None:
        obstore = _obstore()
        self._check_writable()
        with suppress(FileNotFoundError):
            await obstore.delete_async(self.store, key)

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        keys = [(found["path"],) async for found in self._list(prefix)]
        await _concurrently(self.delete, keys)

    @property
    def supports_listing(self) -> bool:
        return True

    async def _list(self, prefix: str | None = None) -> AsyncGenerator[Any, None]:
        obstore = _obstore()
        async for batch in obstore.list(self.store, prefix=prefix):
            for found in batch:
                yield found

    async def list(self) -> AsyncGenerator[str, None]:
        async for found in self._list():
            yield found["path"]

    async def list_prefix(self, prefix: str) -> AsyncGenerator[str, None]:
        async for found in self._list(prefix):
            yield found["path"]

    async def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        obstore = _obstore()
        found = await obstore.list_with_delimiter_async(self.store, prefix=prefix)
        keys = [found["path"] for found in found["objects"]]
        for path in [*found["common_prefixes"], *keys]:
            yield _relativize_path(path=path, prefix=prefix.rstrip("/"))

    async def getsize(self, key: str) -> int:
        obstore = _obstore()
        return int((await obstore.head_async(self.store, key))["size"])

    async def getsize_prefix(self, prefix: str) -> int:
        return sum([found["size"] async for found in self._list(prefix)])


def _obstore() -> Any:
    # It need not be there, and its functions want to know which store they get.
    return import_module("obstore")


async def _concurrently(call: Any, arguments: Iterable[tuple[Any, ...]]) -> Any:
    limit = asyncio.Semaphore(config.get("async.concurrency") or 10)

    async def one(of: tuple[Any, ...]) -> Any:
        async with limit:
            return await call(*of)

    return list(await asyncio.gather(*map(one, arguments)))
