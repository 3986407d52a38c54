"""What groups and arrays have in common: a place in an open file."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._attributes import Attributes
from ._stook import Tree

if TYPE_CHECKING:
    from typing import Self


def open_node(tree: Tree, path: str) -> Node:
    """The node at ``path`` of an open file."""
    from ._group import open_node

    return open_node(tree, path)


class Node:
    """A group or an array in an open file."""

    __slots__ = ("_tree",)

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @property
    def path(self) -> str:
        """Where it is in its file."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The last part of its path; empty for the root."""
        return self.path.rpartition("/")[2]

    @property
    def file(self) -> str:
        """The path of its file."""
        return str(self._tree.path)

    @property
    def format(self) -> str:
        """The format of its file: zarr2, zarr3, hdf5, npy or npz."""
        return self._tree.format

    @property
    def attrs(self) -> Attributes:
        """Its attributes."""
        return Attributes(self._tree, self.path)

    def commit(self, durability: str = "flush") -> None:
        """Puts all changes of the file away: with ``flush`` they survive the end of this
        process, with ``fsync`` a power cut. Closing the file does the former."""
        self._tree.commit(durability)

    @property
    def is_outdated(self) -> bool:
        """Whether another process has changed the file since it was opened for reading, or may
        have: only HDF5 knows that none has. Who writes a file knows all there is."""
        return self._tree.is_outdated()

    def refresh(self) -> bool:
        """Looks at what another process has committed to a file that is open for reading, and
        returns whether that may be something.

        Until then an HDF5 file is what it was when it was opened. All its groups and arrays go
        on with what is at their paths now.

        Raises
        ------
        Error
            If the file cannot be opened again; it stays as it was then. An array that is gone
            raises :class:`NotFoundError` where it is used next.

        Examples
        --------
        >>> path = getfixture("tmp_path") / "run.h5"
        >>> with stook.create(path) as f:
        ...     f["rows"] = np.arange(3)
        >>> with stook.open(path) as f:
        ...     rows = f["rows"]
        ...     while f.refresh():
        ...         print(len(rows), "rows by now")
        """
        return self._tree.refresh()

    @property
    def read_only(self) -> bool:
        """Whether its file was opened for reading only."""
        return not self._tree.writable

    def __reduce__(self) -> Any:
        # By reference: another process opens the file itself, in the same mode.
        return open_node, (self._tree, self.path)

    def __copy__(self) -> Node:
        return open_node(self._tree, self.path)

    def close(self) -> None:
        """Commits, and closes the file: its groups and arrays can be used no more. Closing it
        again does nothing. Leaving a ``with`` block closes."""
        self._tree.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
