"""A place in a store, and what a store can be made of."""

from __future__ import annotations

import json
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from ..abc.store import (
    ByteRequest,
    Store,
    SupportsDeleteSync,
    SupportsGetSync,
    SupportsSetSync,
)
from ..core.buffer import Buffer, default_buffer_prototype
from ..core.common import (
    ANY_ACCESS_MODE,
    ZARR_JSON,
    ZARRAY_JSON,
    ZGROUP_JSON,
    AccessModeLiteral,
    ZarrFormat,
)
from ..errors import ContainsArrayAndGroupError, ContainsArrayError, ContainsGroupError
from ._local import LocalStore
from ._memory import MemoryStore
from ._native import is_store
from ._utils import normalize_path

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype

__all__ = ["StoreLike", "StorePath", "make_store", "make_store_path"]


def _dereference_path(root: str, path: str) -> str:
    """``path`` below ``root``, without a slash at its end."""
    for name, value in (("root", root), ("path", path)):
        if not isinstance(value, str):
            raise TypeError(f"{name}={value!r} is not a string (type({name})={type(value)!r})")
    root = root.rstrip("/")
    return (f"{root}/{path}" if root else path).rstrip("/")


class StorePath:
    """A place in a store: that of a node, or a key."""

    store: Store
    path: str

    def __init__(self, store: Store, path: str = "") -> None:
        self.store = store
        self.path = normalize_path(path)

    @property
    def read_only(self) -> bool:
        """Whether the store changes nothing."""
        return self.store.read_only

    @classmethod
    async def _create_open_instance(cls, store: Store, path: str) -> Self:
        await store._ensure_open()
        return cls(store, path)

    @classmethod
    async def open(cls, store: Store, path: str, mode: AccessModeLiteral | None = None) -> Self:
        """Opens the store, and does at ``path`` what a mode says.

        ``r`` makes the store read only; all others want one that is not. ``w`` removes what is
        there, ``w-`` refuses it. Without a mode the store stays as it is.

        Raises
        ------
        FileExistsError
            In mode ``w-``, if there is something.
        ValueError
            If the store cannot do what the mode says.
        """
        if mode is None:
            return await cls._create_open_instance(store, path)
        if mode not in ANY_ACCESS_MODE:
            raise ValueError(f"Invalid mode: {mode}, expected one of {ANY_ACCESS_MODE}")
        if store.read_only and mode != "r":
            raise ValueError(
                f"Store is read-only but mode is {mode!r}. Create a writable store or use 'r' mode."
            )
        if mode == "r" and not store.read_only:
            try:
                store = store.with_read_only(True)
            except NotImplementedError as error:
                raise ValueError(
                    "Store is not read-only but mode is 'r'. Unable to create a read-only copy of "
                    "the store. Please use a read-only store or a storage class that implements "
                    ".with_read_only()."
                ) from error
        self = await cls._create_open_instance(store, path)
        if mode == "w-" and not await self.is_empty():
            raise FileExistsError(
                f"Cannot create '{path}' with mode 'w-' because it already contains data. "
                f"Use mode 'w' to overwrite or 'a' to append."
            )
        if mode == "w":
            await self.delete_dir()
        return self

    async def get(
        self,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """The value here, or a part of it; ``None`` if there is none."""
        prototype = prototype or default_buffer_prototype()
        return await self.store.get(self.path, prototype=prototype, byte_range=byte_range)

    async def set(self, value: Buffer) -> None:
        """Sets the value here."""
        await self.store.set(self.path, value)

    async def delete(self) -> None:
        """Removes the value here."""
        await self.store.delete(self.path)

    async def delete_dir(self) -> None:
        """Removes all that is below."""
        await self.store.delete_dir(self.path)

    async def set_if_not_exists(self, default: Buffer) -> None:
        """Sets the value here unless there is one."""
        await self.store.set_if_not_exists(self.path, default)

    async def exists(self) -> bool:
        """Whether there is a value here."""
        return await self.store.exists(self.path)

    async def is_empty(self) -> bool:
        """Whether there is nothing below."""
        return await self.store.is_empty(self.path)

    def get_sync(
        self,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Like :meth:`get`, of a store that needs no event loop."""
        if not isinstance(self.store, SupportsGetSync):
            raise TypeError(f"Store {type(self.store).__name__} does not support synchronous get.")
        prototype = prototype or default_buffer_prototype()
        return self.store.get_sync(self.path, prototype=prototype, byte_range=byte_range)

    def set_sync(self, value: Buffer) -> None:
        """Like :meth:`set`, of a store that needs no event loop."""
        if not isinstance(self.store, SupportsSetSync):
            raise TypeError(f"Store {type(self.store).__name__} does not support synchronous set.")
        self.store.set_sync(self.path, value)

    def delete_sync(self) -> None:
        """Like :meth:`delete`, of a store that needs no event loop."""
        if not isinstance(self.store, SupportsDeleteSync):
            raise TypeError(
                f"Store {type(self.store).__name__} does not support synchronous delete."
            )
        self.store.delete_sync(self.path)

    def __truediv__(self, other: str) -> StorePath:
        return self.__class__(self.store, _dereference_path(self.path, other))

    def __str__(self) -> str:
        return _dereference_path(str(self.store), self.path)

    def __repr__(self) -> str:
        return f"StorePath({self.store.__class__.__name__}, '{self}')"

    def __eq__(self, other: object) -> bool:
        try:
            return self.store == other.store and self.path == other.path  # type: ignore[attr-defined, no-any-return]
        except Exception:
            return False

    __hash__ = None  # type: ignore[assignment]


# An ``FSMap`` of fsspec, too, which need not be there.
StoreLike: TypeAlias = Store | StorePath | Path | str | dict[str, Buffer] | MutableMapping[str, Any]


def _is_fsmap(store_like: Any) -> bool:
    module = sys.modules.get("fsspec.mapping")
    return module is not None and isinstance(store_like, module.FSMap)


async def make_store(
    store_like: StoreLike | None,
    *,
    mode: AccessModeLiteral | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Store:
    """The store that something stands for.

    A path is a :class:`LocalStore`, a dict and ``None`` a :class:`MemoryStore`, a mapping of fsspec
    a :class:`FsspecStore`; a store is itself. A URL of an object store or a web server is an
    :class:`UrlStore` where the library can have it, and any other one a :class:`FsspecStore`,
    whose options ``storage_options`` are. In mode ``r`` the store is read only.

    Raises
    ------
    TypeError
        If it stands for no store, or if ``storage_options`` are given for anything but a URL.
    """
    is_url = isinstance(store_like, str) and _is_fsspec_uri(store_like)
    if storage_options is not None and not is_url:
        raise TypeError(
            "'storage_options' was provided but unused. "
            "'storage_options' is only used when the store is passed as an FSSpec URI string.",
        )
    if mode not in (None, *ANY_ACCESS_MODE):
        raise ValueError(f"Invalid mode: {mode}, expected one of {ANY_ACCESS_MODE}")
    read_only = mode == "r"
    if isinstance(store_like, StorePath):
        return store_like.store
    if is_store(store_like):
        return store_like  # type: ignore[return-value]
    if isinstance(store_like, dict):
        return await MemoryStore.open(store_dict=store_like, read_only=read_only)
    if store_like is None:
        return await MemoryStore.open(read_only=read_only)
    if is_url:
        from ._fsspec import FsspecStore
        from ._url import url_store

        found = url_store(str(store_like), storage_options, read_only)
        if found is not None:
            return found
        return FsspecStore.from_url(
            str(store_like), storage_options=storage_options, read_only=read_only
        )
    if isinstance(store_like, (str, Path)):
        return await LocalStore.open(root=Path(store_like), mode=mode, read_only=read_only)
    if _is_fsmap(store_like):
        from ._fsspec import FsspecStore

        return FsspecStore.from_mapper(store_like, read_only=read_only)
    raise TypeError(f"Unsupported type for store_like: '{type(store_like).__name__}'")


async def make_store_path(
    store_like: StoreLike | None,
    *,
    path: str | None = "",
    mode: AccessModeLiteral | None = None,
    storage_options: dict[str, Any] | None = None,
) -> StorePath:
    """The place that something stands for; see :func:`make_store` and :meth:`StorePath.open`."""
    normal = normalize_path(path)
    if isinstance(store_like, StorePath):
        if storage_options:
            raise TypeError(
                "'storage_options' was provided but unused. "
                "'storage_options' is only used when the store is passed as an FSSpec URI string.",
            )
        return store_like / normal
    if _is_fsmap(store_like) and path:
        raise ValueError(
            "'path' was provided but is not used for FSMap store_like objects. Specify the path "
            "when creating the FSMap instance instead."
        )
    store = await make_store(store_like, mode=mode, storage_options=storage_options)
    return await StorePath.open(store, path=normal, mode=mode)


def _is_fsspec_uri(uri: str) -> bool:
    """Whether a text is a URL, and no path of a folder."""
    return "://" in uri or ("::" in uri and "local://" not in uri)


async def ensure_no_existing_node(
    store_path: StorePath,
    zarr_format: ZarrFormat,
    node_type: Literal["array", "group"] | None = None,
) -> None:
    """Refuses a place where there is a node of ``zarr_format``, by default of any type."""
    if zarr_format == 2:
        found = await _contains_node_v2(store_path)
    else:
        found = await _contains_node_v3(store_path)
    where = f"exists in store {store_path.store!r} at path {store_path.path!r}."
    if found == "array" and node_type != "group":
        raise ContainsArrayError(f"An array {where}")
    if found == "group" and node_type != "array":
        raise ContainsGroupError(f"A group {where}")


async def _contains_node_v3(store_path: StorePath) -> Literal["array", "group", "nothing"]:
    text = await (store_path / ZARR_JSON).get()
    try:
        kind = None if text is None else json.loads(text.to_bytes())["node_type"]
    except (KeyError, TypeError, ValueError):
        kind = None
    match kind:
        case "array":
            return "array"
        case "group":
            return "group"
    return "nothing"


async def _contains_node_v2(store_path: StorePath) -> Literal["array", "group", "nothing"]:
    is_array = await (store_path / ZARRAY_JSON).exists()
    is_group = await (store_path / ZGROUP_JSON).exists()
    if is_array and is_group:
        raise ContainsArrayAndGroupError(
            "Array and group metadata documents (.zarray and .zgroup) were both found in store "
            f"{store_path.store!r} at path {store_path.path!r}. "
            "Only one of these files may be present in a given directory / prefix. "
            "Remove the .zarray file, or the .zgroup file, or both."
        )
    if is_array:
        return "array"
    return "group" if is_group else "nothing"


async def contains_array(store_path: StorePath, zarr_format: ZarrFormat) -> bool:
    """Whether there is an array of ``zarr_format``."""
    return await _contains(store_path, zarr_format, "array", ZARRAY_JSON)


async def contains_group(store_path: StorePath, zarr_format: ZarrFormat) -> bool:
    """Whether there is a group of ``zarr_format``."""
    return await _contains(store_path, zarr_format, "group", ZGROUP_JSON)


async def _contains(store_path: StorePath, zarr_format: int, kind: str, document: str) -> bool:
    if zarr_format == 3:
        return await _contains_node_v3(store_path) == kind
    if zarr_format == 2:
        return await (store_path / document).exists()
    raise ValueError(f"Invalid zarr_format provided. Got {zarr_format}, expected 2 or 3")
