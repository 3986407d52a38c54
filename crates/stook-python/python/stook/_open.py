"""Opening and creating files."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING

from ._array import Array
from ._errors import InvalidInputError
from ._group import Group, open_node
from ._stook import Tree

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    _Mode: TypeAlias = Literal["r", "r+", "a", "w", "w-", "x"]


def open(
    path: str | PathLike[str],
    mode: _Mode = "r",
    *,
    format: str | None = None,
    memory_map: bool = False,
    outside: str | PathLike[str] | None = None,
) -> Group | Array:
    """Opens a file or folder and returns its root: a group, or the array of a npy file.

    The format of a file that exists is told from its content, that of a new one from its name.

    Parameters
    ----------
    path
        Zarr (a folder, or a zip archive), HDF5, npy or npz.
    mode
        ``r`` reads; ``r+`` reads and writes; ``a`` also creates what is missing; ``w`` creates,
        and what is there goes; ``w-`` or ``x`` creates, and what is there is an error.
    format
        The format of a new file where its name does not say it: zarr3, zarr2, hdf5 or npz.
    memory_map
        Whether items that lie in one piece are read through a map of the file. No other process
        may truncate the file meanwhile.
    outside
        A folder: files below it may be read, too, where external links, external storage and
        virtual arrays of a HDF5 file lead to them; ``"anywhere"`` for all that this process may
        read. By default these are the files beside it and below; any other is an
        :class:`UnsupportedError`.

    Raises
    ------
    MissingFileError
        If there is nothing at ``path``. It is a :class:`FileNotFoundError`.
    AlreadyExistsError
        If there is something, in modes ``w-`` and ``x``.
    UnsupportedError
        If the file is of no format that is known.
    FormatError
        If its bytes contradict its format.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.open(folder / "run.zarr", "w") as f:
    ...     f["x"] = np.arange(6).reshape(2, 3)
    >>> with stook.open(folder / "run.zarr") as f:
    ...     f["x"][:, 1]
    array([1, 4])
    """
    outside = folder_outside(outside)
    match mode:
        case "r" | "r+":
            tree = Tree.open(path, mode == "r+", memory_map, outside)
        case "a" if os.path.lexists(path):
            tree = Tree.open(path, True, memory_map, outside)
        case "a" | "w" | "w-" | "x":
            tree = Tree.create(path, mode == "w", format)
        case _:
            raise InvalidInputError(
                f"mode {mode!r} is not known", hint="one of r, r+, a, w, w-, x"
            )
    return open_node(tree, "/")


def folder_outside(folder: str | PathLike[str] | None) -> str | None:
    """A folder in a form that holds in any folder; ``anywhere`` stays."""
    return folder if folder is None or folder == "anywhere" else os.path.abspath(folder)


def create(
    path: str | PathLike[str], *, overwrite: bool = False, format: str | None = None
) -> Group:
    """Creates a file with an empty root group, in the format that its name asks for.

    Raises
    ------
    AlreadyExistsError
        If there is something at ``path`` and ``overwrite`` is not set.
    InvalidInputError
        If the name asks for no format, and ``format`` does not say it.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.create(folder / "new.h5") as f:
    ...     f.format
    'hdf5'
    """
    return Group(Tree.create(path, overwrite, format), "/")


def require(path: str | PathLike[str]) -> Group | Array:
    """Opens a file for reading and writing, or creates it.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> for n in range(2):
    ...     with stook.require(folder / "log.zarr") as f:
    ...         _ = f.require_group(f"run{n}")
    >>> list(stook.open(folder / "log.zarr"))
    ['run0', 'run1']
    """
    return open(path, "a")
