"""An object store or web server, by URL, as a store that runs in the library."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..._stook import Store as NativeStore
from ..abc.store import ByteRequest, Store
from ..core.buffer import Buffer, default_buffer_prototype
from ..core.sync import in_thread
from ._utils import _start_and_end

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype

__all__ = ["UrlStore"]

_S3 = ("s3", "s3a")
_SCHEMES = (*_S3, "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https")

# What s3fs calls what the service's options are called here.
_S3FS_NAMES = {
    "key": "access_key_id",
    "secret": "secret_access_key",
    "token": "session_token",
    "anon": "skip_signature",
    "endpoint_url": "endpoint",
    "region_name": "region",
}


class UrlStore(Store):
    """Keys and values below a URL: ``s3://``, ``gs://``, ``az://``, ``https://``, ….

    Many requests are under way at once, near ranges of a value are one, and what fails for a
    moment is tried again.

    Parameters
    ----------
    url
        Where the store is.
    read_only
        Whether keys are only read.
    options
        Those of the service (``endpoint``, ``region``, ``skip_signature``, …); what they do not
        say, the environment may.
    """

    supports_writes: bool = True
    supports_deletes: bool = True
    supports_listing: bool = True

    def __init__(
        self, url: str, *, read_only: bool = False, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(read_only=read_only)
        self.url = url.rstrip("/")
        self.options = {name: _text(value) for name, value in (options or {}).items()}
        self._opened: NativeStore | None = None

    def _native(self) -> NativeStore:
        if self._opened is None:
            self._opened = NativeStore.url(self.url, self.options, self._read_only)
        return self._opened

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def with_read_only(self, read_only: bool = False) -> Self:
        return type(self)(self.url, read_only=read_only, options=self.options)

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"UrlStore('{self}')"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, type(self))
            and self.url == other.url
            and self.options == other.options
            and self.read_only == other.read_only
        )

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        start, end = _start_and_end(byte_range)
        value = await in_thread(self._native().get, key, start, end)
        prototype = prototype or default_buffer_prototype()
        return None if value is None else prototype.buffer.from_bytes(value)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return list(
            await asyncio.gather(
                *(self.get(key, prototype, byte_range) for key, byte_range in key_ranges)
            )
        )

    def _checked(self, value: Buffer) -> Any:
        self._check_writable()
        if not isinstance(value, Buffer):
            raise TypeError(
                "UrlStore.set(): `value` must be a Buffer instance. "
                f"Got an instance of {type(value)} instead."
            )
        return value.as_numpy_array()

    async def set(self, key: str, value: Buffer) -> None:
        await in_thread(self._native().set, key, self._checked(value))

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        await in_thread(self._native().set_new, key, self._checked(value))

    async def delete(self, key: str) -> None:
        self._check_writable()
        await in_thread(self._native().delete, key)

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        await in_thread(self._native().delete_prefix, prefix.strip("/"))

    async def exists(self, key: str) -> bool:
        return await in_thread(self._native().getsize, key) is not None

    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        folder = prefix.rpartition("/")[0]
        for key in await in_thread(self._native().list_prefix, folder):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        for name in await in_thread(self._native().list_dir, prefix.strip("/")):
            yield name.rstrip("/")

    async def getsize(self, key: str) -> int:
        size = await in_thread(self._native().getsize, key)
        if size is None:
            raise FileNotFoundError(key)
        return size

    async def getsize_prefix(self, prefix: str) -> int:
        return await in_thread(self._native().getsize_prefix, prefix.strip("/"))


def url_store(
    url: str, storage_options: Mapping[str, Any] | None, read_only: bool
) -> UrlStore | None:
    """The store at a URL that a script gives with options for fsspec.

    ``None`` where fsspec has to have it: URLs that are not known here, options that mean
    something to fsspec only, and credentials in files that the library does not read.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in _SCHEMES or "::" in url:
        return None
    has_fsspec = find_spec("fsspec") is not None
    options = _translated(scheme, storage_options or {})
    if options is None or (scheme in _S3 and has_fsspec and _has_profile(options)):
        return None
    store = UrlStore(url, read_only=read_only, options=options)
    try:
        store._native()
    except ValueError:
        if has_fsspec and storage_options:
            return None
        raise
    return store


def _translated(scheme: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The options by the names that they have here; ``None`` if some have none."""
    options: dict[str, Any] = {}
    for name, value in given.items():
        if name == "asynchronous" or value is None:
            continue
        if scheme in _S3 and name == "client_kwargs" and isinstance(value, Mapping):
            inner = _translated(scheme, value)
            if inner is None:
                return None
            options.update(inner)
        elif isinstance(value, (str, bool, int)):
            options[_S3FS_NAMES.get(name, name) if scheme in _S3 else name] = value
        else:
            return None
    if scheme in _S3 and str(options.get("endpoint", "")).startswith("http://"):
        options.setdefault("allow_http", True)
    return options


def _has_profile(options: Mapping[str, Any]) -> bool:
    """Whether the credentials for S3 may be those of a profile of the AWS tools."""
    if {"access_key_id", "skip_signature"} & options.keys() or "AWS_ACCESS_KEY_ID" in os.environ:
        return False
    folder = Path.home() / ".aws"
    return "AWS_PROFILE" in os.environ or any(
        (folder / name).is_file() for name in ("credentials", "config")
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
