"""A file system of fsspec as a store."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from ..abc.store import ByteRequest, Store
from ..core.buffer import Buffer
from ..errors import ZarrUserWarning
from ._common import _dereference_path
from ._utils import _start_and_end

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype

__all__ = ["FsspecStore"]

# Of fsspec, which need not be there.
AbstractFileSystem: TypeAlias = Any
AsyncFileSystem: TypeAlias = Any
FSMap: TypeAlias = Any

ALLOWED_EXCEPTIONS: tuple[type[Exception], ...] = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
)


def _make_async(fs: AbstractFileSystem) -> AsyncFileSystem:
    """The same file system with coroutines."""
    if fs.async_impl and fs.asynchronous:
        return fs
    if fs.async_impl:
        settings = {**json.loads(fs.to_json()), "asynchronous": True}
        return type(fs).from_json(json.dumps(settings))
    try:
        wrapper = import_module("fsspec.implementations.asyn_wrapper").AsyncFileSystemWrapper
    except ImportError as error:
        raise ImportError(
            f"The filesystem '{fs}' is synchronous, and the required AsyncFileSystemWrapper is not "
            "available. Upgrade fsspec to version 2024.12.0 or later to enable this functionality."
        ) from error
    return wrapper(fs, asynchronous=True)


class FsspecStore(Store):
    """Keys and values in an asynchronous file system of fsspec.

    Parameters
    ----------
    fs
        The file system, made with ``asynchronous=True``.
    read_only
        Whether keys are only read.
    path
        The folder in it, without the scheme of a URL.
    allowed_exceptions
        What it raises where a key is missing.
    """

    supports_writes: bool = True
    supports_deletes: bool = True
    supports_listing: bool = True

    fs: AsyncFileSystem
    allowed_exceptions: tuple[type[Exception], ...]
    path: str

    def __init__(
        self,
        fs: AsyncFileSystem,
        read_only: bool = False,
        path: str = "/",
        allowed_exceptions: tuple[type[Exception], ...] = ALLOWED_EXCEPTIONS,
    ) -> None:
        super().__init__(read_only=read_only)
        self.fs = fs
        self.path = path
        self.allowed_exceptions = allowed_exceptions
        if not self.fs.async_impl:
            raise TypeError("Filesystem needs to support async operations.")
        if not self.fs.asynchronous:
            warnings.warn(
                f"fs ({fs}) was not created with `asynchronous=True`, this may lead to surprising behavior",
                category=ZarrUserWarning,
                stacklevel=2,
            )

    @classmethod
    def from_upath(
        cls,
        upath: Any,
        read_only: bool = False,
        allowed_exceptions: tuple[type[Exception], ...] = ALLOWED_EXCEPTIONS,
    ) -> FsspecStore:
        """A store at a path of universal_pathlib."""
        return cls(
            fs=upath.fs,
            path=upath.path.rstrip("/"),
            read_only=read_only,
            allowed_exceptions=allowed_exceptions,
        )

    @classmethod
    def from_mapper(
        cls,
        fs_map: FSMap,
        read_only: bool = False,
        allowed_exceptions: tuple[type[Exception], ...] = ALLOWED_EXCEPTIONS,
    ) -> FsspecStore:
        """A store where a mapping of fsspec is."""
        return cls(
            fs=_make_async(fs_map.fs),
            path=fs_map.root,
            read_only=read_only,
            allowed_exceptions=allowed_exceptions,
        )

    @classmethod
    def from_url(
        cls,
        url: str,
        storage_options: dict[str, Any] | None = None,
        read_only: bool = False,
        allowed_exceptions: tuple[type[Exception], ...] = ALLOWED_EXCEPTIONS,
    ) -> FsspecStore:
        """A store at a URL; the options are those of its file system in fsspec."""
        url_to_fs = import_module("fsspec.core").url_to_fs
        fs, path = url_to_fs(url, **{"asynchronous": True, **(storage_options or {})})
        if not fs.async_impl:
            fs = _make_async(fs)
        return cls(fs=fs, path=path, read_only=read_only, allowed_exceptions=allowed_exceptions)

    def with_read_only(self, read_only: bool = False) -> FsspecStore:
        return type(self)(
            fs=self.fs,
            path=self.path,
            allowed_exceptions=self.allowed_exceptions,
            read_only=read_only,
        )

    async def clear(self) -> None:
        self._check_writable()
        with suppress(FileNotFoundError):
            for path in await self.fs._find(self.path, withdirs=True):
                if path != self.path:
                    await self.fs._rm(path, recursive=True)

    def __repr__(self) -> str:
        return f"<FsspecStore({type(self.fs).__name__}, {self.path})>"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, type(self))
            and self.path == other.path
            and self.read_only == other.read_only
            and self.fs == other.fs
        )

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        await self._ensure_open()
        start, end = _start_and_end(byte_range)
        try:
            value = await self.fs._cat_file(self._path(key), start=start, end=end)
        except self.allowed_exceptions:
            return None
        except OSError as error:
            if not _is_outside(error):
                raise
            value = b""
        return prototype.buffer.from_bytes(value)

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        await self._ensure_open()
        self._check_writable()
        if not isinstance(value, Buffer):
            raise TypeError(
                "FsspecStore.set(): `value` must be a Buffer instance. "
                f"Got an instance of {type(value)} instead."
            )
        if byte_range:
            raise NotImplementedError
        await self.fs._pipe_file(self._path(key), value.to_bytes())

    async def delete(self, key: str) -> None:
        self._check_writable()
        with suppress(FileNotFoundError, *self.allowed_exceptions):
            await self.fs._rm(self._path(key))

    async def delete_dir(self, prefix: str) -> None:
        if not self.supports_deletes:
            raise NotImplementedError(
                "This method is only available for stores that support deletes."
            )
        self._check_writable()
        with suppress(*self.allowed_exceptions):
            await self.fs._rm(self._path(prefix), recursive=True)

    async def exists(self, key: str) -> bool:
        found: bool = await self.fs._exists(self._path(key))
        return found

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        pairs = list(key_ranges or ())
        if not pairs:
            return []
        parts = [_start_and_end(byte_range) for _, byte_range in pairs]
        starts, ends = [start for start, _ in parts], [end for _, end in parts]
        paths = [self._path(key) for key, _ in pairs]
        values = await self.fs._cat_ranges(paths, starts, ends, on_error="return")
        found: list[Buffer | None] = []
        for value in values:
            if isinstance(value, OSError) and _is_outside(value):
                value = b""
            if isinstance(value, Exception):
                if not isinstance(value, self.allowed_exceptions):
                    raise value
                found.append(None)
            else:
                found.append(prototype.buffer.from_bytes(value))
        return found

    async def list(self) -> AsyncIterator[str]:
        for path in await self.fs._find(self.path, detail=False, withdirs=False):
            yield path.removeprefix(f"{self.path}/")

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        folder = f"{self.path}/{prefix.rstrip('/')}"
        try:
            paths = await self.fs._ls(folder, detail=False)
        except FileNotFoundError:
            return
        for path in paths:
            name = path.replace(f"{folder}/", "")
            yield name.removeprefix(self.path).removeprefix("/")

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        folder = f"{self.path}/{prefix}"
        for path in await self.fs._find(folder, detail=False, maxdepth=None, withdirs=False):
            yield path.removeprefix(f"{self.path}/")

    async def getsize(self, key: str) -> int:
        size = (await self.fs._info(self._path(key))).get("size")
        return await super().getsize(key) if size is None else int(size)

    def _path(self, key: str) -> str:
        return _dereference_path(self.path, key)


def _is_outside(error: OSError) -> bool:
    """Whether S3 says that a range begins behind the end."""
    return "not satisfiable" in str(error)
