"""Functions that save arrays of numpy, and read them back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..core._engine import is_empty
from ..core._group_state import create_group_at
from ..core._open import store_path_of
from ..core.array import Array
from ..core.buffer import NDArrayLike
from ..core.common import _default_zarr_format
from ._creating import create, one_format

if TYPE_CHECKING:
    from ..core.common import ZarrFormat
    from ..storage import StoreLike

__all__ = ["load", "save", "save_array", "save_group"]


def load(
    store: StoreLike,
    path: str | None = None,
    zarr_format: ZarrFormat | None = None,
    zarr_version: ZarrFormat | None = None,
) -> Any:
    """Reads an array into memory; a group as a dict of its arrays.

    Parameters
    ----------
    store
        A store, or what stands for one.
    path
        The path in the store.
    zarr_format
        The format; by default the one that is found.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> zarr.save(folder / "x.zarr", np.arange(3))
    >>> zarr.load(folder / "x.zarr")
    array([0, 1, 2])
    """
    zarr_format = one_format(zarr_version, zarr_format)
    from .synchronous import open

    found = open(store, path=path, zarr_format=zarr_format, mode="r" if _is_path(store) else None)
    if isinstance(found, Array):
        return found[...] if found.ndim == 0 else found[:]
    return {name: member[...] for name, member in found.arrays()}


def _is_path(store: Any) -> bool:
    return isinstance(store, (str, os.PathLike))


def save(
    store: StoreLike,
    *args: Any,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    **kwargs: Any,
) -> None:
    """Saves one array, or several as a group.

    Parameters
    ----------
    store, path
        As for :func:`open`.
    *args
        Arrays of numpy. One alone is saved as an array, several in a group as ``arr_0``, ...
    zarr_format
        The format, 2 or 3; by default that of ``zarr.config``.
    **kwargs
        Arrays of numpy, saved in a group under their names.

    Raises
    ------
    ValueError
        If there are none.
    TypeError
        If there is something else than an array.
    """
    zarr_format = one_format(zarr_version, zarr_format)
    if not args and not kwargs:
        raise ValueError("at least one array must be provided")
    if len(args) == 1 and not kwargs:
        save_array(store, args[0], zarr_format=zarr_format, path=path)
    else:
        save_group(store, *args, zarr_format=zarr_format, path=path, **kwargs)


def save_array(
    store: StoreLike,
    arr: Any,
    *,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Saves an array.

    Parameters
    ----------
    store, path, storage_options
        As for :func:`open`.
    arr
        An array of numpy.
    zarr_format
        The format, 2 or 3; by default that of ``zarr.config``.
    **kwargs
        ``mode``, ``overwrite``, and what else :func:`create` takes.

    Raises
    ------
    TypeError
        If ``arr`` is no array.
    """
    zarr_format = one_format(zarr_version, zarr_format) or _default_zarr_format()
    if not isinstance(arr, NDArrayLike):
        raise TypeError("arr argument must be numpy or other NDArrayLike array")
    mode = kwargs.pop("mode", "a")
    place = store_path_of(store, path, mode, storage_options)
    overwrite = bool(kwargs.pop("overwrite", None)) or mode == "w"
    chunks = kwargs.pop("chunks", None) or getattr(arr, "chunks", None)
    made = create(
        arr.shape,
        dtype=arr.dtype,
        chunks=chunks,
        store=place,
        zarr_format=zarr_format,
        overwrite=overwrite,
        **kwargs,
    )
    made[...] = arr


def save_group(
    store: StoreLike,
    *args: Any,
    zarr_version: ZarrFormat | None = None,
    zarr_format: ZarrFormat | None = None,
    path: str | None = None,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Saves several arrays as a group, in the place of what is there.

    Parameters
    ----------
    store, path, storage_options
        As for :func:`open`.
    *args
        Arrays of numpy, saved as ``arr_0``, ...
    zarr_format
        The format, 2 or 3; by default that of ``zarr.config``.
    **kwargs
        Arrays of numpy, saved under their names.

    Raises
    ------
    ValueError
        If there are none.
    TypeError
        If there is something else than an array; nothing is removed then.
    """
    zarr_format = one_format(zarr_version, zarr_format) or _default_zarr_format()
    for arr in args:
        if not isinstance(arr, NDArrayLike):
            raise TypeError(
                "All arguments must be numpy or other NDArrayLike arrays "
                "(except store, path, storage_options, and zarr_format)"
            )
    for name, arr in kwargs.items():
        if not isinstance(arr, NDArrayLike):
            raise TypeError(f"Keyword argument '{name}' must be a numpy or other NDArrayLike array")
    if not args and not kwargs:
        raise ValueError("at least one array must be provided")
    place = store_path_of(store, path, "w", storage_options)
    if not is_empty(place):
        create_group_at(place, zarr_format=zarr_format, overwrite=True)
    arrays = {f"arr_{i}": arr for i, arr in enumerate(args)} | kwargs
    for name, arr in arrays.items():
        save_array(place, arr, zarr_format=zarr_format, path=name)
