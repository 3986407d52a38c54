"""The nodes of a tree: groups, arrays of a fixed shape, arrays that grow, and logs."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from ._attributes import Attributes
from ._errors import MissingNodeError, node_errors
from ._handles import Dataset, File, Handle, handle_of, join, unpickled

if TYPE_CHECKING:
    from .backends import H5Backend


class Node:
    """A node of a tree; nodes of one place are equal."""

    _node: Handle

    def __init__(self, node: Any, backend: str) -> None:
        self._node = node._node if isinstance(node, Node) else node
        self.backend = backend

    @property
    def node(self) -> Any:
        """The handle to the file that it is made of."""
        return self._node

    @property
    def attrs(self) -> Attributes:
        """Its attributes."""
        return Attributes(self, self.backend)

    def __str__(self) -> str:
        return f"{self.path} ({type(self).__name__}) {self.title!r}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return self._node == other._node

    def __hash__(self) -> int:
        return hash(self._node)

    @property
    def parent_node(self) -> GROUP | None:
        """The group that it is in; ``None`` of the root."""
        return None if self.path == "/" else GROUP(self._node.parent, self.backend)

    @property
    def h5file(self) -> File:
        """The file that it is in."""
        return self._node.file

    def to_h5_backend(self) -> H5Backend:
        """A backend whose file is that of this node."""
        from .backends import H5Backend

        backend = H5Backend(self.backend)
        backend.h5file = self.h5file
        return backend

    def set_attr(self, key: str, value: Any) -> None:
        """Sets an attribute."""
        self.attrs[key] = value

    def get_attr(self, item: str) -> Any:
        """An attribute."""
        return self.attrs[item]

    @property
    def name(self) -> str:
        """Its name; ``/`` of the root."""
        path = self._node.name
        return path if path == "/" else path.rpartition("/")[2]

    @property
    def title(self) -> Any:
        """Its title."""
        return self.attrs["TITLE"]

    @property
    def path(self) -> str:
        """Where it is in its file."""
        return self._node.name


def node_of(handle: Handle, backend: str, kind: str) -> Node:
    """The node of a handle and a class."""
    return _CLASSES[kind](handle, backend)


class GROUP(Node):
    """A group."""

    def __repr__(self) -> str:
        inside = ", ".join(
            f"{name!r} ({type(child).__name__})" for name, child in self.children().items()
        )
        return f"{self}\n  children := [{inside}]"

    def children(self) -> dict[str, Node]:
        """The nodes in it, by name."""
        handle = self._node
        return {
            name: node_of(
                handle_of(handle._file, join(handle.name, name), kind), self.backend, kind
            )
            for name, kind in handle.native.children(handle.name)
        }

    def get_child(self, name: str) -> Node:
        """The node in it of a name."""
        handle = self._node
        path = join(handle.name, name)
        kind = handle.native.node_class(path)
        if kind is None:
            raise MissingNodeError("there is no such node", node=path)
        return node_of(handle_of(handle._file, path, kind), self.backend, kind)

    def children_name(self) -> list[str]:
        """The names in it, sorted."""
        return sorted(self._node.native.child_names(self._node.name))

    def remove_children(self) -> None:
        """Removes all nodes in it."""
        handle = self._node
        with node_errors():
            for name in handle.native.child_names(handle.name):
                handle.native.remove(join(handle.name, name))


class CARRAY(Node):
    """An array of a fixed shape."""

    _node: Dataset

    def __init__(self, node: Any, backend: str) -> None:
        super().__init__(node, backend)
        self._array = self._node

    @property
    def array(self) -> Dataset:
        """The array in the file."""
        return self._array

    def __repr__(self) -> str:
        indent = " " * 16
        shape, dtype = self.attrs.get("shape"), self.attrs.get("dtype")
        return f"{self}\n{indent}shape := {shape}\n{indent}dtype := {dtype}"

    def __getitem__(self, item: Any) -> Any:
        return self._array[item]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[key] = value

    def read(self) -> Any:
        """All its values."""
        return self._array.read()

    def __len__(self) -> int:
        return self._array.len()


class EARRAY(CARRAY):
    """An array that grows along its first axis."""

    def append(self, data: np.ndarray[Any, Any], expand: bool = True) -> None:
        """Appends one row, or rows along the first axis.

        It is there as a whole or, after an error, not at all. The rows are in memory at first;
        :meth:`H5Backend.flush` makes them survive.

        Raises
        ------
        InvalidInputError
            If the shape is not that of a row or of rows.
        TypeError
            If it is no array, or of items that those of this array cannot hold.
        """
        # One attribute instead of a call: this is done for each row.
        rows = self._array._rows or self._array.rows()
        rows.append(data, expand)  # type: ignore[call-arg]

    def append_backend(self, data: np.ndarray[Any, Any]) -> None:
        """Appends rows along the first axis."""
        self._array.rows().append(data)


class VLARRAY(EARRAY):
    """Rows of different lengths."""

    def append(self, data: Any) -> None:  # type: ignore[override]
        """Appends a row: an array of one axis, or what can be one."""
        self._array.ragged().append(data)

    append_backend = append

    def read(self) -> Any:
        """All rows: a list, or an array of objects with the backend ``h5py``."""
        rows = self._array.read()
        return list(rows) if self.backend == "tables" else rows

    def __getitem__(self, item: Any) -> Any:
        rows = self._array[item]
        is_many = isinstance(rows, np.ndarray) and rows.dtype == object
        return list(rows) if is_many and self.backend == "tables" else rows


class StringARRAY(VLARRAY):
    """Texts, one a row. Rows of other plain objects are read, too; what would have to be run to
    make one is refused by its name."""

    def append(self, string: Any) -> None:  # type: ignore[override]
        """Appends a text."""
        if isinstance(string, str):
            try:
                self._array.ragged().append_text(string)
                return
            except UnicodeEncodeError:
                pass
        self._array.ragged().append_pickle(pickle.dumps(string, protocol=4))

    append_backend = append  # type: ignore[assignment]

    def __getitem__(self, item: Any) -> Any:
        rows = self._array[item]
        if isinstance(rows, np.ndarray) and rows.dtype == object:
            return [unpickled(row) for row in rows]
        return unpickled(rows)

    def read(self) -> list[Any]:
        """All texts."""
        return [unpickled(row) for row in self._array.read()]

    def array_to_string(self, array: Any) -> Any:
        """The text of a row."""
        return unpickled(array)

    def string_to_array(self, string: Any) -> np.ndarray[Any, Any]:
        """The row of a text."""
        return np.frombuffer(pickle.dumps(string), np.uint8)


_CLASSES: dict[str, type[Node]] = {
    "GROUP": GROUP,
    "CARRAY": CARRAY,
    "EARRAY": EARRAY,
    "VLARRAY": VLARRAY,
    "StringARRAY": StringARRAY,
}

__all__ = ["CARRAY", "EARRAY", "GROUP", "VLARRAY", "Node", "StringARRAY", "node_of"]
