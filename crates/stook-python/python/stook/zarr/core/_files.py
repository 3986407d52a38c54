"""Files of other formats as stores: HDF5, npy and npz open through the Zarr API.

They have nodes and items, but no keys: what asks for the bytes of a key fails by name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from ..._errors import UnsupportedError
from ..._stook import Tree

if TYPE_CHECKING:
    from typing import Self

__all__ = ["FileStore", "open_file"]

#: What such files are called; nothing else is looked into.
_ENDINGS = (".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".loom", ".nxs", ".nc", ".nc4", ".mat") + (
    ".npy",
    ".npz",
)
#: What a file is called that is made; a folder of Zarr may be called like any of the others.
_MADE = (".h5", ".hdf5", ".npz")


class FileStore:
    """An open file of another format than Zarr."""

    supports_writes = True
    supports_deletes = True
    supports_listing = True
    supports_partial_writes = False
    supports_consolidated_metadata = False

    def __init__(self, path: str | os.PathLike[str], tree: Tree) -> None:
        self.path = os.fspath(path)
        self.tree = tree

    @property
    def read_only(self) -> bool:
        """Whether the file was opened for reading only."""
        return not self.tree.writable

    def with_read_only(self, read_only: bool = False) -> Self:
        """The same file, opened for reading only or not."""
        return type(self)(self.path, Tree.open(self.path, not read_only, False, None))

    def close(self) -> None:
        """Commits, and closes the file."""
        self.tree.close()

    async def _ensure_open(self) -> None:
        pass

    def document(self, path: str) -> dict[str, Any] | None:
        """The document that describes a node, with its attributes as they are in the file."""
        import json

        text = self.tree.document("/" + path)
        if text is None:
            return None
        found: dict[str, Any] = json.loads(text)
        found["attributes"] = dict(self.tree.attributes("/" + path))
        return found

    def _no_keys(self, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedError(
            "a file of another format has no keys",
            file=self.path,
            hint="stook.zarr.copy_all copies its nodes into a Zarr store",
        )

    get = set = delete = exists = list = list_prefix = list_dir = getsize = _no_keys

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileStore) and self.path == other.path

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"file://{self.path}"

    def __repr__(self) -> str:
        return f"FileStore('{self}')"


def open_file(path: str | os.PathLike[str], mode: Any) -> FileStore | None:
    """The file at a path if it is of another format than Zarr, else ``None``.

    Raises
    ------
    UnsupportedError
        If it is to be made, and its name asks for another format.
    """
    name = os.fspath(path)
    if not name.lower().endswith(_ENDINGS) or "://" in name or os.path.isdir(name):
        return None
    is_file = os.path.isfile(name)
    match mode:
        case "r":
            tree = Tree.open(name, False, False, None)
        case "r+":
            tree = Tree.open(name, True, False, None)
        case "w-" if is_file:
            raise FileExistsError(f"Cannot create '{name}' with mode 'w-': it exists")
        case "a" | None if is_file:
            tree = Tree.open(name, os.access(name, os.W_OK), False, None)
        case _ if not name.lower().endswith(_MADE):
            return None
        case _:
            raise UnsupportedError(
                "a file of another format is not made through the Zarr API",
                file=name,
                hint="stook.create makes it; its nodes are read and written here, too",
            )
    return FileStore(name, tree)
