"""Files of other formats as stores: HDF5, npy and npz open through the Zarr API.

They have nodes and items, but no keys: what asks for the bytes of a key fails by name. A node that is
created in one is the nearest that its format has to what a Zarr document says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from ..._errors import NotFoundError, UnsupportedError
from ..._stook import Tree

if TYPE_CHECKING:
    from typing import Self

__all__ = ["FileStore", "open_file"]

#: What such files are called; nothing else is looked into.
_HDF5 = (".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".loom", ".nxs", ".nc", ".nc4", ".mat")
_ENDINGS = (*_HDF5, ".npy", ".npz")
#: What a file is called that is made, or refused; a folder of Zarr may be called like any of the others.
_MADE = (".h5", ".hdf5", ".npz")


class FileStore:
    """A file of another format than Zarr, open; or to be made, with the first node in it."""

    supports_writes = True
    supports_deletes = True
    supports_listing = True
    supports_partial_writes = False
    supports_consolidated_metadata = False

    def __init__(self, path: str | os.PathLike[str], tree: Tree | None) -> None:
        self.path = os.fspath(path)
        self._tree = tree

    @property
    def is_made(self) -> bool:
        """Whether the file is there."""
        return self._tree is not None

    @property
    def tree(self) -> Tree:
        """Its tree.

        Raises
        ------
        NotFoundError
            If there is no file yet.
        """
        if self._tree is None:
            raise NotFoundError("there is no such file yet", file=self.path)
        return self._tree

    def create_node(self, node: str, document: str, attributes: str | None, overwrite: bool) -> None:
        """Creates the nearest node to the one that a Zarr document describes, and the file, if
        there is none."""
        if not self.path.lower().endswith(_HDF5):
            raise UnsupportedError(
                "a Zarr document makes no node in a file of this format",
                file=self.path,
                hint="stook.open and stook.create give files and groups that create nodes",
            )
        if self._tree is not None:
            self._tree.create_document(node, document, attributes, overwrite)
            return
        tree = Tree.create(self.path, False, None)
        try:
            # The root of a new file is there, and empty.
            tree.create_document(node, document, attributes, overwrite or node == "/")
            # Until it is committed once, it is a file of no format to whoever else opens it.
            tree.commit("flush")
        except BaseException:
            tree.close()
            os.remove(self.path)
            raise
        self._tree = tree

    @property
    def read_only(self) -> bool:
        """Whether the file was opened for reading only."""
        return self._tree is not None and not self._tree.writable

    def with_read_only(self, read_only: bool = False) -> Self:
        """The same file, opened for reading only or not."""
        return type(self)(self.path, Tree.open(self.path, not read_only, False, None))

    def close(self) -> None:
        """Commits, and closes the file."""
        if self._tree is not None:
            self._tree.close()

    async def _ensure_open(self) -> None:
        pass

    def document(self, path: str) -> dict[str, Any] | None:
        """The document that describes a node, with its attributes as they are in the file."""
        import json

        text = None if self._tree is None else self.tree.document("/" + path)
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
    """The file at a path if it is of another format than Zarr, or is to be made and its name asks
    for one; else ``None``."""
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
        case _ if is_file:
            tree = Tree.open(name, os.access(name, os.W_OK), False, None)
        case _ if name.lower().endswith(_MADE):
            return FileStore(name, None)
        case _:
            return None
    return FileStore(name, tree)
