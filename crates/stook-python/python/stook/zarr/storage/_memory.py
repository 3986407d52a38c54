"""Keys and values in the memory of this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, MutableMapping
from logging import getLogger
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ..._stook import Store as NativeStore
from ..abc.store import ByteRequest
from ..core.buffer import Buffer, default_buffer_prototype
from ._host import HostStore
from ._native import MappingBridge
from ._utils import _normalize_byte_range_index

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype

__all__ = ["GpuMemoryStore", "MemoryStore"]

logger = getLogger(__name__)


class NativeMapping(MutableMapping[str, Buffer]):
    """The values of a store of the library as buffers, which are copies."""

    def __init__(self, store: NativeStore | None = None) -> None:
        self.store = NativeStore.memory() if store is None else store

    def __getitem__(self, key: str) -> Buffer:
        value = self.store.get(key)
        if value is None:
            raise KeyError(key)
        return default_buffer_prototype().buffer.from_bytes(value)

    def __setitem__(self, key: str, value: Buffer) -> None:
        self.store.set(key, value.as_numpy_array())

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.store.delete(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.store.getsize(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.store.list_prefix(""))

    def __len__(self) -> int:
        return len(self.store.list_prefix(""))

    def setdefault(self, key: str, default: Buffer) -> Buffer:  # type: ignore[override]
        return default if self.store.set_new(key, default.as_numpy_array()) else self[key]

    def clear(self) -> None:
        self.store.delete_prefix("")

    def __reduce__(self) -> tuple[Any, tuple[dict[str, bytes]]]:
        return _restored, ({key: value.to_bytes() for key, value in self.items()},)


def _restored(values: dict[str, bytes]) -> NativeMapping:
    mapping = NativeMapping()
    for key, value in values.items():
        mapping.store.set(key, value)
    return mapping


class MemoryStore(HostStore):
    """Keys and values in memory.

    Parameters
    ----------
    store_dict
        A mapping from keys to buffers that is used as it is; by default the library keeps them.
    read_only
        Whether keys are only read.
    """

    supports_writes: bool = True
    supports_deletes: bool = True
    supports_listing: bool = True

    _store_dict: MutableMapping[str, Buffer]

    def __init__(
        self, store_dict: MutableMapping[str, Buffer] | None = None, *, read_only: bool = False
    ) -> None:
        super().__init__(read_only=read_only)
        self._store_dict = NativeMapping() if store_dict is None else store_dict

    def _native(self) -> NativeStore:
        mapping = self._store_dict
        if isinstance(mapping, NativeMapping):
            return mapping.store
        return NativeStore.python(MappingBridge(mapping), str(self), self._read_only)

    def with_read_only(self, read_only: bool = False) -> MemoryStore:
        return type(self)(store_dict=self._store_dict, read_only=read_only)

    async def clear(self) -> None:
        self._check_writable()
        self._store_dict.clear()

    def __str__(self) -> str:
        return f"memory://{id(self._store_dict)}"

    def __repr__(self) -> str:
        return f"MemoryStore('{self}')"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, type(self))
            and self._store_dict == other._store_dict
            and self.read_only == other.read_only
        )

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Like :meth:`get`, for synchronous code."""
        prototype = prototype or default_buffer_prototype()
        self._is_open = True
        try:
            value = self._store_dict[key]
        except KeyError:
            return None
        start, stop = _normalize_byte_range_index(value, byte_range)
        return prototype.buffer.from_buffer(value[start:stop])

    def set_sync(self, key: str, value: Buffer) -> None:
        """Like :meth:`set`, for synchronous code."""
        self._check_writable()
        self._is_open = True
        self._store_dict[key] = self._checked(value)

    def delete_sync(self, key: str) -> None:
        """Like :meth:`delete`, for synchronous code."""
        self._check_writable()
        self._is_open = True
        try:
            del self._store_dict[key]
        except KeyError:
            logger.debug("Key %s does not exist.", key)

    def _checked(self, value: Buffer) -> Buffer:
        if not isinstance(value, Buffer):
            raise TypeError(
                "MemoryStore.set(): `value` must be a Buffer instance. "
                f"Got an instance of {type(value)} instead."
            )
        return value

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        return MemoryStore.get_sync(self, key, prototype=prototype, byte_range=byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return list(
            await asyncio.gather(
                *(self.get(key, prototype, byte_range) for key, byte_range in key_ranges)
            )
        )

    async def exists(self, key: str) -> bool:
        return key in self._store_dict

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        self._check_writable()
        await self._ensure_open()
        self._checked(value)
        if byte_range is not None:
            whole = self._store_dict[key]
            whole = whole.from_bytes(bytearray(whole.to_bytes()))
            whole[byte_range[0] : byte_range[1]] = value.as_numpy_array()
            value = whole
        self._store_dict[key] = value

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await self._ensure_open()
        self._store_dict.setdefault(key, self._checked(value))

    async def delete(self, key: str) -> None:
        MemoryStore.delete_sync(self, key)

    async def list(self) -> AsyncIterator[str]:
        for key in tuple(self._store_dict):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in tuple(self._store_dict):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        prefix = prefix.rstrip("/")
        folder = prefix and f"{prefix}/"
        keys = (key for key in tuple(self._store_dict) if key.startswith(folder))
        for name in {key[len(folder) :].split("/")[0] for key in keys}:
            yield name


class GpuMemoryStore(MemoryStore):
    """Keys and values in the memory of a GPU: not supported, and says so."""

    def __init__(
        self, store_dict: MutableMapping[str, Buffer] | None = None, *, read_only: bool = False
    ) -> None:
        _no_gpu()

    @classmethod
    def from_dict(cls, store_dict: MutableMapping[str, Buffer]) -> Self:
        """Not supported."""
        _no_gpu()


def _no_gpu() -> NoReturn:
    raise NotImplementedError(
        "GpuMemoryStore is not supported: memory of a GPU is not used; a MemoryStore keeps values"
        " in memory of the host"
    )
