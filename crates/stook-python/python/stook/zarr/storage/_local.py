"""A folder as a store: a file a key."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..._errors import Error
from ..._stook import Store as NativeStore
from ..abc.store import ByteRequest
from ..core.buffer import Buffer, default_buffer_prototype
from ..core.sync import in_thread
from ._host import HostStore
from ._utils import _start_and_end

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype
    from ..core.common import AccessModeLiteral

__all__ = ["LocalStore"]


def _is_normal(root: str) -> bool:
    """Whether a path is spelt as :class:`Path` would spell it."""
    return root.startswith("/") and "//" not in root and "/." not in root and root[-1] != "/"


class LocalStore(HostStore):
    """Keys and values in a folder.

    A value is replaced as a whole, under a temporary name first, so that a reader in any process
    sees the old or the new one.

    Parameters
    ----------
    root
        The folder. It is made when the store is opened, unless the store is read only.
    read_only
        Whether keys are only read.
    """

    supports_writes: bool = True
    supports_deletes: bool = True
    supports_listing: bool = True

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        if isinstance(root, str):
            # A path costs as much as looking at a folder: it is made when somebody asks.
            root = root if _is_normal(root) else Path(root)
        elif not isinstance(root, Path):
            raise TypeError(
                f"'root' must be a string or Path instance. Got an instance of {type(root)} instead."
            )
        self._root: Path | str = root
        self._opened: NativeStore | None = None

    @property
    def root(self) -> Path:
        """The folder."""
        if isinstance(self._root, str):
            self._root = Path(self._root)
        return self._root

    def _native(self) -> NativeStore:
        if self._opened is None:
            self._opened = NativeStore.local(self._root, self._read_only)
        return self._opened

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def with_read_only(self, read_only: bool = False) -> Self:
        return type(self)(root=self.root, read_only=read_only)

    @classmethod
    async def open(
        cls, root: Path | str, *, read_only: bool = False, mode: AccessModeLiteral | None = None
    ) -> Self:
        """Opens the folder; in modes ``r`` and ``r+`` it must be there."""
        must_exist = read_only if mode is None else mode in ("r", "r+")
        await cls(root, read_only=must_exist)._open()
        store = cls(root, read_only=read_only)
        await store._open()
        return store

    async def _open(self, *, mode: AccessModeLiteral | None = None) -> None:
        self._prepare()
        await super()._open()

    def _prepare(self) -> None:
        if self._read_only:
            try:
                self._native()
                return
            except Error:
                pass  # said in zarr's words below
        else:
            self.root.mkdir(parents=True, exist_ok=True)
        if not self.root.exists():
            raise FileNotFoundError(f"{self.root} does not exist")

    def _ensure_open_sync(self) -> None:
        if not self._is_open:
            self._prepare()
            self._is_open = True

    async def clear(self) -> None:
        self._check_writable()
        await in_thread(self._native().delete_prefix, "")

    def __str__(self) -> str:
        return f"file://{self.root.as_posix()}"

    def __repr__(self) -> str:
        return f"LocalStore('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.root == other.root

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Like :meth:`get`, for synchronous code."""
        if prototype is None:
            prototype = default_buffer_prototype()
        self._ensure_open_sync()
        start, end = _start_and_end(byte_range)
        value = self._native().get(key, start, end)
        return None if value is None else prototype.buffer.from_bytes(value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Like :meth:`set`, for synchronous code."""
        self._ensure_open_sync()
        self._check_writable()
        self._native().set(key, self._checked(value))

    def delete_sync(self, key: str) -> None:
        """Like :meth:`delete`, for synchronous code."""
        self._ensure_open_sync()
        self._check_writable()
        if (self.root / key).is_dir():
            self._native().delete_prefix(key)
        else:
            self._native().delete(key)

    def _checked(self, value: Buffer) -> Any:
        if not isinstance(value, Buffer):
            raise TypeError(
                "LocalStore.set(): `value` must be a Buffer instance. "
                f"Got an instance of {type(value)} instead."
            )
        return value.as_numpy_array()

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        return await in_thread(
            LocalStore.get_sync, self, key, prototype=prototype, byte_range=byte_range
        )

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return list(
            await asyncio.gather(
                *(self.get(key, prototype, byte_range) for key, byte_range in key_ranges)
            )
        )

    async def set(self, key: str, value: Buffer) -> None:
        await in_thread(LocalStore.set_sync, self, key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Sets the value of ``key`` unless it has one; of several writers, one does."""
        self._ensure_open_sync()
        self._check_writable()
        await in_thread(self._native().set_new, key, self._checked(value))

    async def delete(self, key: str) -> None:
        """Removes ``key``, or all that is below it if it is a folder."""
        await in_thread(LocalStore.delete_sync, self, key)

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        prefix = prefix.strip("/")
        if (self.root / prefix).is_file():
            raise ValueError(f"delete_dir was passed a {prefix=!r} that is a file")
        if self.root.exists():
            await in_thread(self._native().delete_prefix, prefix)

    async def exists(self, key: str) -> bool:
        return await in_thread((self.root / key).is_file)

    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        if self.root.exists():
            for key in await in_thread(self._native().list_prefix, prefix.strip("/")):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        prefix = prefix.strip("/")
        if (self.root / prefix).is_dir():
            for name in await in_thread(self._native().list_dir, prefix):
                yield name.rstrip("/")

    async def move(self, dest_root: Path | str) -> None:
        """Moves the folder to where there is nothing yet."""
        dest_root = Path(dest_root)
        os.makedirs(dest_root.parent, exist_ok=True)
        if os.path.exists(dest_root):
            raise FileExistsError(f"Destination root {dest_root} already exists.")
        shutil.move(self.root, dest_root)
        self._root, self._opened = dest_root, None

    async def getsize(self, key: str) -> int:
        return await in_thread(os.path.getsize, self.root / key)
