"""The functions of the Zarr API for scripts.

They are kept by topic: opening and saving here, creating arrays in :mod:`._creating`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from ..core._copy import copy, copy_all, copy_store
from ..core._deprecated import deprecated
from ..core._engine import consolidate
from ..core._group_state import create_group_at
from ..core._open import (
    check_format,
    open_array_at,
    open_group_at,
    store_path_of,
)
from ..core.array import Array
from ..core.common import _default_zarr_format, _warn_write_empty_chunks_kwarg
from ..core.group import Group
from ..core.sync_group import create_hierarchy
from ..errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    NodeTypeValidationError,
    ZarrDeprecationWarning,
    ZarrRuntimeWarning,
    ZarrUserWarning,
)
from ._creating import (
    array,
    create,
    create_array,
    empty,
    empty_like,
    from_array,
    full,
    full_like,
    like_args,
    one_format,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from ._saving import load, save, save_array, save_group

if TYPE_CHECKING:
    from ..core.common import JSON, AccessModeLiteral, ZarrFormat
    from ..storage import StoreLike

__all__ = [
    "array",
    "consolidate_metadata",
    "copy",
    "copy_all",
    "copy_store",
    "create",
    "create_array",
    "create_group",
    "create_hierarchy",
    "empty",
    "empty_like",
    "from_array",
    "full",
    "full_like",
    "group",
    "load",
    "ones",
    "ones_like",
    "open",
    "open_array",
    "open_consolidated",
    "open_group",
    "open_like",
    "save",
    "save_array",
    "save_group",
    "tree",
    "zeros",
    "zeros_like",
]

_READ_MODES = ("r", "r+", "a")
_CREATE_MODES = ("a", "w", "w-")
_NOT_USED = {"cache_attrs", "synchronizer", "chunk_store", "meta_array"}
_UNUSED = "{} is not yet implemented"


def consolidate_metadata(
    store: StoreLike,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
) -> Group:
    """Writes the metadata of all nodes below a group into that of the group, from where readers
    take it in one go.

    Later changes of nodes through this package remove it again, so that it is never out of date
    by their doing.

    Parameters
    ----------
    store
        A store, or what stands for one.
    path
        The path of the group; by default the root.
    zarr_format
        The format of the hierarchy; by default the one that is found.

    Returns
    -------
    Group
        The group with its consolidated metadata.

    Raises
    ------
    TypeError
        If the store is of a kind without consolidated metadata.
    GroupNotFoundError
        If there is no group.
    ValueError
        If the store is read-only.
    """
    place = store_path_of(store, path)
    if not getattr(place.store, "supports_consolidated_metadata", True):
        name = type(place.store).__name__
        raise TypeError(f"The Zarr Store in use ({name}) doesn't support consolidated metadata")
    found = open_group_at(place, zarr_format, use_consolidated=False)
    if place.read_only:
        raise ValueError("store was opened in read-only mode and does not support writing")
    if found._zarr_format == 2:
        nodes = {path: node._document() for path, node in found._members(None)}
        consolidate(place, {"": found._document()} | nodes)
    else:
        consolidate(place, None)
        warnings.warn(
            "Consolidated metadata is currently not part in the Zarr format 3 specification. It "
            "may not be supported by other zarr implementations and may change in the future.",
            category=ZarrUserWarning,
            stacklevel=2,
        )
    return Group(open_group_at(place, found._zarr_format, use_consolidated=True))


def open(
    store: StoreLike | None = None,
    *,
    mode: AccessModeLiteral | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Array[Any] | Group:
    """Opens an array or a group, or creates one: an array if ``shape`` is given.

    Parameters
    ----------
    store
        A store, or what stands for one: the path of a folder, a zip archive or, for reading and
        writing through the same API, a HDF5, npy or npz file; a URL; a dict. By default a new
        store in memory.
    mode
        ``r`` reads; ``r+`` reads and writes; ``a`` also creates what is missing; ``w`` creates,
        and what is there goes; ``w-`` creates, and what is there is an error. By default ``a``,
        of a read-only store ``r``.
    zarr_format
        The format: of what is opened, by default the one that is found; of what is created.
    path
        The path in the store.
    storage_options
        Settings of the store behind a URL.
    **kwargs
        For :func:`open_array` or :func:`open_group`.

    Raises
    ------
    FileNotFoundError
        If there is nothing, and nothing is to be created.
    FileExistsError
        If there is something, in mode ``w-``.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> zarr.open(folder / "a.zarr", mode="w", shape=(3,), dtype="i4", chunks=(2,))[:] = 7
    >>> zarr.open(folder / "a.zarr", mode="r")[:]
    array([7, 7, 7], dtype=int32)
    """
    zarr_format = one_format(zarr_version, zarr_format)
    if mode is None:
        mode = "r" if getattr(store, "read_only", False) is True else "a"
    place = store_path_of(store, path, mode, storage_options)
    check_format(zarr_format)
    if "shape" not in kwargs:
        if mode in _READ_MODES:
            try:
                return Array(open_array_at(place, zarr_format, kwargs.get("config")))
            except (FileNotFoundError, NodeTypeValidationError):
                pass
        return _open_group_at(place, mode, zarr_format, **kwargs)
    try:
        return _open_array_at(place, mode, zarr_format, **kwargs)
    except (KeyError, NodeTypeValidationError):
        return _open_group_at(place, mode, zarr_format, **kwargs)


def open_consolidated(*args: Any, use_consolidated: Literal[True] = True, **kwargs: Any) -> Group:
    """Opens a group by its consolidated metadata; see :func:`open_group`."""
    if use_consolidated is not True:
        raise TypeError(
            "'use_consolidated' must be 'True' in 'open_consolidated'. Use 'open' with "
            "'use_consolidated=False' to bypass consolidated metadata."
        )
    return open_group(*args, use_consolidated=use_consolidated, **kwargs)


def open_group(
    store: StoreLike | None = None,
    *,
    mode: AccessModeLiteral = "a",
    cache_attrs: bool | None = None,
    synchronizer: Any = None,
    path: str | None = None,
    chunk_store: StoreLike | None = None,
    storage_options: dict[str, Any] | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    meta_array: Any | None = None,
    attributes: dict[str, JSON] | None = None,
    use_consolidated: bool | str | None = None,
) -> Group:
    """Opens a group, or creates one.

    Parameters
    ----------
    store, mode, path, storage_options
        As for :func:`open`.
    zarr_format
        The format: of what is opened, by default the one that is found; of what is created.
    attributes
        Attributes of a group that is created.
    use_consolidated
        ``True`` asks for consolidated metadata, ``False`` looks past it; by default it is used
        where it is. A text is the key that holds it, of format 2.
    cache_attrs, synchronizer, chunk_store, meta_array
        Of no effect.

    Raises
    ------
    GroupNotFoundError
        If there is none, and none is to be created. It is a :class:`FileNotFoundError`.
    ContainsArrayError
        If there is an array.
    ValueError
        If there is no consolidated metadata, and it was asked for.
    """
    zarr_format = one_format(zarr_version, zarr_format)
    unused = {
        "cache_attrs": cache_attrs,
        "synchronizer": synchronizer,
        "meta_array": meta_array,
        "chunk_store": chunk_store,
    }
    for name, value in unused.items():
        if value is not None:
            warnings.warn(_UNUSED.format(name), ZarrRuntimeWarning, stacklevel=2)
    place = store_path_of(store, path, mode, storage_options)
    return _open_group_at(
        place, mode, zarr_format, attributes=attributes, use_consolidated=use_consolidated
    )


def _open_group_at(
    place: Any,
    mode: str,
    zarr_format: ZarrFormat | None,
    *,
    attributes: dict[str, Any] | None = None,
    use_consolidated: bool | str | None = None,
    **unused: Any,
) -> Group:
    if not unused.keys() <= _NOT_USED:
        word = min(unused.keys() - _NOT_USED)
        raise TypeError(f"open_group() got an unexpected keyword argument {word!r}")
    if mode in _READ_MODES:
        try:
            return Group(open_group_at(place, zarr_format, use_consolidated))
        except (KeyError, FileNotFoundError):
            pass
    if mode not in _CREATE_MODES:
        raise GroupNotFoundError(f"No group found in store {place.store!r} at path {place.path!r}")
    made = create_group_at(
        place,
        zarr_format=zarr_format or _default_zarr_format(),
        overwrite=mode == "w",
        attributes=attributes,
    )
    return Group(made)


def create_group(
    store: StoreLike,
    *,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
    overwrite: bool = False,
    attributes: dict[str, Any] | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Group:
    """Creates a group, and the groups above it that are missing.

    Parameters
    ----------
    store, path, storage_options
        As for :func:`open`.
    zarr_format
        The format, 2 or 3; by default that of ``zarr.config``.
    overwrite
        Whether what is there goes.
    attributes
        Its attributes.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten.
    """
    place = store_path_of(store, path, "a", storage_options)
    made = create_group_at(
        place,
        zarr_format=_default_zarr_format() if zarr_format is None else zarr_format,
        overwrite=overwrite,
        attributes=attributes,
    )
    return Group(made)


def group(
    store: StoreLike | None = None,
    *,
    overwrite: bool = False,
    chunk_store: StoreLike | None = None,
    cache_attrs: bool | None = None,
    synchronizer: Any | None = None,
    path: str | None = None,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    meta_array: Any | None = None,
    attributes: dict[str, JSON] | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Group:
    """Opens a group, or creates it if it is missing or is to be overwritten.

    The parameters are those of :func:`open_group`.
    """
    return open_group(
        store,
        mode="w" if overwrite else "a",
        chunk_store=chunk_store,
        cache_attrs=cache_attrs,
        synchronizer=synchronizer,
        path=path,
        zarr_version=zarr_version,
        zarr_format=zarr_format,
        meta_array=meta_array,
        attributes=attributes,
        storage_options=storage_options,
    )


def open_array(
    store: StoreLike | None = None,
    *,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str = "",
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Array[Any]:
    """Opens an array, or creates one.

    Parameters
    ----------
    store, path, storage_options
        As for :func:`open`.
    zarr_format
        The format: of what is opened, by default the one that is found; of what is created.
    **kwargs
        ``mode``, as for :func:`open`, and what :func:`create` takes for an array that is created.

    Raises
    ------
    ArrayNotFoundError
        If there is none, and none is to be created. It is a :class:`FileNotFoundError`.
    """
    mode = kwargs.pop("mode", None)
    zarr_format = one_format(zarr_version, zarr_format)
    place = store_path_of(store, path, mode, storage_options)
    return _open_array_at(place, mode, zarr_format, **kwargs)


def _open_array_at(
    place: Any, mode: str | None, zarr_format: ZarrFormat | None, **kwargs: Any
) -> Array[Any]:
    if "write_empty_chunks" in kwargs:
        _warn_write_empty_chunks_kwarg()
    try:
        if mode != "w":
            config = kwargs.get("config") if "shape" not in kwargs else None
            return Array(open_array_at(place, zarr_format, config))
    except FileNotFoundError as error:
        if place.read_only or mode not in _CREATE_MODES:
            message = f"No array found in store {place.store} at path {place.path}"
            raise ArrayNotFoundError(message) from error
    return create(
        store=place,
        zarr_format=zarr_format or _default_zarr_format(),
        overwrite=mode == "w",
        **kwargs,
    )


def open_like(a: Any, path: str, **kwargs: Any) -> Array[Any]:
    """Opens an array, or creates one like another.

    Parameters
    ----------
    a
        What has a shape, and perhaps a dtype and chunks.
    path
        The path in the store.
    **kwargs
        For :func:`open_array`; what is given here is not taken from ``a``.
    """
    keywords = like_args(a) | kwargs
    if hasattr(a, "metadata"):
        keywords.setdefault("fill_value", a.metadata.fill_value)
    return open_array(path=path, **keywords)


@deprecated("Use Group.tree instead.", category=ZarrDeprecationWarning)
def tree(grp: Group, expand: bool | None = None, level: int | None = None) -> Any:
    """Draws the nodes below a group, to a depth; see :meth:`Group.tree`."""
    return grp.tree(expand=expand, level=level)
