"""A zip archive as a store: an entry a key."""

from __future__ import annotations

import os
import shutil
import weakref
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..._errors import ReadOnlyError
from ..._stook import Store as NativeStore
from ..abc.store import ByteRequest, Store
from ..core.buffer import Buffer
from ..core.sync import in_thread
from ._utils import _start_and_end

if TYPE_CHECKING:
    from ..._stook import Tree
    from ..core.buffer import BufferPrototype

__all__ = ["ZipStore"]

ZipStoreAccessModeLiteral: TypeAlias = Literal["r", "w", "a"]


class ZipStore(Store):
    """Keys and values in a zip archive.

    What is written reaches the file when the store is closed, all at once: until then the file
    is what it was. Entries are not compressed, because chunks are.

    Parameters
    ----------
    path
        The archive.
    mode
        ``r`` reads; ``a`` changes or creates; ``w`` begins with an empty archive; ``x`` creates.
    read_only
        Whether keys are only read; by default, whether ``mode`` is ``r``.
    compression
        ``zipfile.ZIP_STORED``; nothing else is supported for entries that are written.
    allowZip64
        Whether an archive may be longer than 2 GiB. It is always allowed.
    """

    supports_writes: bool = True
    supports_deletes: bool = False
    supports_listing: bool = True

    path: Path
    compression: int
    allowZip64: bool

    def __init__(
        self,
        path: Path | str,
        *,
        mode: ZipStoreAccessModeLiteral = "r",
        read_only: bool | None = None,
        compression: int = zipfile.ZIP_STORED,
        allowZip64: bool = True,
    ) -> None:
        super().__init__(read_only=mode == "r" if read_only is None else read_only)
        if mode != "r" and compression != zipfile.ZIP_STORED:
            raise NotImplementedError(
                f"compression {compression} is not supported: entries are written as they are"
                " (zipfile.ZIP_STORED), because chunks are compressed by their codecs"
            )
        self.path = Path(path)
        self._zmode = mode
        self.compression = compression
        self.allowZip64 = allowZip64
        self._reset()

    def _reset(self) -> None:
        self._opened: NativeStore | None = None
        self._trees: weakref.WeakSet[Tree] = weakref.WeakSet()
        self._finalizer: weakref.finalize[..., Any] | None = None

    def _sync_open(self) -> None:
        if self._is_open:
            raise ValueError("store is already open")
        if self._zmode == "w" and self.path.exists() and not zipfile.is_zipfile(self.path):
            os.remove(self.path)
        store = NativeStore.zip(self.path, self._zmode)
        if not store.read_only:
            # A script may forget to close it; zip archives are finished nevertheless.
            self._finalizer = weakref.finalize(self, _commit, store)
            if self._zmode != "a":
                _commit(store)
            # What was begun anew once is not begun anew when it is opened again.
            self._zmode = "a"
        self._opened, self._is_open = store, True

    def _native(self) -> NativeStore:
        if self._opened is None:
            self._sync_open()
        assert self._opened is not None
        return self._opened

    def _keep(self, tree: Tree) -> None:
        """Closes a hierarchy together with the store."""
        self._trees.add(tree)

    async def _open(self) -> None:
        self._sync_open()

    def __getstate__(self) -> dict[str, Any]:
        if self._opened is not None and not self._opened.read_only:
            _commit(self._opened)
        dropped = ("_opened", "_trees", "_finalizer")
        return {name: value for name, value in self.__dict__.items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # It opens when it is used: the process that it came from may still write it.
        self._is_open = False
        self._reset()

    def close(self) -> None:
        """Writes the archive, and closes what was opened from it."""
        super().close()
        if self._opened is None:
            return
        for tree in list(self._trees):
            tree.close()
        if not self._opened.read_only:
            self._opened.commit("flush")
        if self._finalizer is not None:
            self._finalizer.detach()
        self._reset()

    async def clear(self) -> None:
        self._check_writable()
        await in_thread(self._native().delete_prefix, "")

    def __str__(self) -> str:
        return f"zip://{self.path}"

    def __repr__(self) -> str:
        return f"ZipStore('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.path == other.path

    def _get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        start, end = _start_and_end(byte_range)
        value = self._native().get(key, start, end)
        return None if value is None else prototype.buffer.from_bytes(value)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        return await in_thread(self._get, key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return [self._get(key, prototype, byte_range) for key, byte_range in key_ranges]

    def _checked(self, value: Buffer) -> Any:
        self._check_writable()
        if not isinstance(value, Buffer):
            raise TypeError(
                "ZipStore.set(): `value` must be a Buffer instance. "
                f"Got an instance of {type(value)} instead."
            )
        return value.as_numpy_array()

    async def set(self, key: str, value: Buffer) -> None:
        value = self._checked(value)
        await in_thread(self._native().set, key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        value = self._checked(value)
        await in_thread(self._native().set_new, key, value)

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        if self._native().list_prefix(prefix.strip("/")):
            raise NotImplementedError

    async def delete(self, key: str) -> None:
        self._check_writable()
        if await self.exists(key):
            raise NotImplementedError

    async def exists(self, key: str) -> bool:
        return self._native().getsize(key) is not None

    async def list(self) -> AsyncIterator[str]:
        for key in self._native().list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in self._native().list_prefix(""):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        for name in self._native().list_dir(prefix.strip("/")):
            yield name.rstrip("/")

    async def getsize(self, key: str) -> int:
        size = self._native().getsize(key)
        if size is None:
            raise FileNotFoundError(key)
        return size

    async def move(self, path: Path | str) -> None:
        """Closes the archive, moves it, and opens it there."""
        path = Path(path)
        self.close()
        os.makedirs(path.parent, exist_ok=True)
        shutil.move(self.path, path)
        self.path = path
        await self._open()


def _commit(store: NativeStore) -> None:
    # In a process that was forked off, the archive is its parent's to write.
    with suppress(ReadOnlyError):
        store.commit("flush")
