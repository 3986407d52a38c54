"""What a node holds: the file, groups and arrays below it, with the members of h5py's and PyTables'
objects that acquisition programs use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from .. import _array
from .._attributes import Empty
from .._errors import FormatError, InvalidInputError, LockedError, UnsupportedError
from .._following import opened_again
from .._stook import Acquisition, Ragged, Rows, decode_pickle
from ._errors import MissingNodeError, NodeExistsError, node_errors


# How often a read begins anew because its writer goes on.
_MAX_TRIES = 10


def join(path: str, name: str) -> str:
    """The path of a node in a group."""
    name = name.strip("/")
    if not name:
        return path
    return f"/{name}" if path == "/" else f"{path}/{name}"


class _Identity:
    """What says whether a file is open, as h5py's ``id`` does."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    @property
    def valid(self) -> bool:
        return self._file.is_open

    def __bool__(self) -> bool:
        return self.valid


class RawAttributes(MutableMapping[str, Any]):
    """Attributes as they are stored, text as ``str``."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __getitem__(self, name: str) -> Any:
        found = self._handle.native.stored_attribute(self._handle.name, name)
        if found is None:
            raise MissingNodeError(f"there is no attribute `{name}`", node=self._handle.name)
        value = found[0]
        return "" if isinstance(value, Empty) and value.dtype.kind in "SO" else value

    def __setitem__(self, name: str, value: Any) -> None:
        handle = self._handle
        with node_errors():
            if isinstance(value, str):
                handle.native.set_text(handle.name, name, value)
            else:
                value = np.asarray(value) if isinstance(value, bool) else value
                handle.native.tree.edit_attributes(handle.name, False, [(name, value)], [])

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise MissingNodeError(f"there is no attribute `{name}`", node=self._handle.name)
        with node_errors():
            self._handle.native.tree.edit_attributes(self._handle.name, False, [], [name])

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return self._handle.native.attribute_names(self._handle.name)

    @property
    def _v_attrnames(self) -> list[str]:
        return self._names()


class Handle:
    """A node of an open file. Handles of one node of one file are equal."""

    __slots__ = ("_file", "name")

    def __init__(self, file: File, name: str) -> None:
        self._file = file
        self.name = name

    @property
    def native(self) -> Acquisition:
        return self._file._native

    @property
    def file(self) -> File:
        return self._file

    @property
    def attrs(self) -> RawAttributes:
        return RawAttributes(self)

    @property
    def parent(self) -> Group:
        return Group(self._file, self.name.rpartition("/")[0] or "/")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Handle):
            return NotImplemented
        return self._file is other._file and self.name == other.name

    def __hash__(self) -> int:
        return hash((id(self._file), self.name))

    def __bool__(self) -> bool:
        return self._file.is_open

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    # PyTables' names of the same.

    @property
    def _v_name(self) -> str:
        return "/" if self.name == "/" else self.name.rpartition("/")[2]

    @property
    def _v_pathname(self) -> str:
        return self.name

    @property
    def _v_attrs(self) -> RawAttributes:
        return self.attrs

    @property
    def _v_file(self) -> File:
        return self._file

    @property
    def _v_parent(self) -> Group:
        return self.parent

    @property
    def _v_title(self) -> str:
        return str(self.attrs.get("TITLE", ""))

    def _f_remove(self, recursive: bool = False) -> None:
        del recursive
        with node_errors():
            self.native.remove(self.name)


class Group(Handle):
    """A group: a mapping of names to handles."""

    __slots__ = ()

    def keys(self) -> list[str]:
        return self.native.child_names(self.name)

    def values(self) -> list[Handle]:
        return [handle for _, handle in self.items()]

    def items(self) -> list[tuple[str, Handle]]:
        return [
            (name, handle_of(self._file, join(self.name, name), kind))
            for name, kind in self.native.children(self.name)
        ]

    @property
    def _v_children(self) -> dict[str, Handle]:
        return dict(self.items())

    def get(self, name: str, default: Any = None) -> Any:
        path = name if name.startswith("/") else join(self.name, name)
        path = path.rstrip("/") or "/"
        kind = self.native.node_class(path)
        return default if kind is None else handle_of(self._file, path, kind)

    def __getitem__(self, name: str) -> Handle:
        found: Handle | None = self.get(name)
        if found is None:
            raise MissingNodeError("there is no such node", node=join(self.name, name))
        return found

    def __delitem__(self, name: str) -> None:
        with node_errors():
            self.native.remove(join(self.name, name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def create_group(self, name: str) -> Group:
        with node_errors():
            return Group(self._file, self.native.create_group(self.name, name, "", []))


class File(Group):
    """An open file; its root group, too."""

    __slots__ = ("__weakref__", "_follows", "_held", "_is_swmr", "durability", "mode")

    def __init__(
        self, native: Acquisition, mode: str, durability: str = "flush", *, follows: bool = False
    ) -> None:
        super().__init__(self, "/")
        self._held = native
        self._follows = follows
        self._is_swmr = follows
        self.mode = mode
        self.durability = durability

    @property
    def _native(self) -> Acquisition:
        if self._follows and self._held.is_open:
            self.refresh()
        return self._held

    def refresh(self) -> bool:
        """Looks at what another process has committed to a file that was opened for reading; gives
        whether that was something."""
        held = self._held
        if self.mode != "r" or not held.is_outdated():
            return False
        path, convention = held.path, held.convention
        held.drop_handles()
        with node_errors():
            self._held = opened_again(lambda: Acquisition.open(os.fspath(path), "r", convention))
        return True

    @property
    def swmr_mode(self) -> bool:
        """Whether others follow it as it is written, or it is followed."""
        return self._is_swmr

    @swmr_mode.setter
    def swmr_mode(self, value: bool) -> None:
        if not value:
            raise ValueError("this mode ends when the file is closed")
        if not self._is_swmr:
            with node_errors():
                self._held.start_swmr()
            self._is_swmr = True

    @property
    def filename(self) -> str:
        return os.fspath(self._native.path)

    @property
    def id(self) -> _Identity:
        return _Identity(self)

    @property
    def is_open(self) -> bool:
        return self._held.is_open

    @property
    def isopen(self) -> int:
        return int(self.is_open)

    @property
    def root(self) -> Group:
        return Group(self, "/")

    def __eq__(self, other: object) -> bool:
        return Handle.__eq__(self, other)

    def __hash__(self) -> int:
        return Handle.__hash__(self)

    def flush(self) -> None:
        """Stores what was appended and commits it: what this acknowledges survives."""
        if self._held.writable:
            self._held.flush(self.durability)

    def close(self) -> None:
        """Flushes and closes the file. Where flushing fails, the file stays open and nothing that
        was appended is given up."""
        self._held.close(self.durability)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # PyTables' names.

    def get_node(self, where: str | Handle, name: str | None = None) -> Handle:
        path = where.name if isinstance(where, Handle) else where
        return self[path if name is None else join(path, name)]

    def copy_file(self, dstfilename: str, overwrite: bool = False, **kwargs: Any) -> None:
        """Writes a copy of the file as it is now."""
        if kwargs:
            raise UnsupportedError(f"copy_file: {', '.join(sorted(kwargs))} is not supported")
        target = os.fspath(dstfilename)
        if overwrite and os.path.isfile(target):
            os.remove(target)
        with node_errors():
            self._native.save_as(target)

    def move_node(
        self,
        where: str | Handle,
        newparent: str | Handle | None = None,
        newname: str | None = None,
        name: str | None = None,
        overwrite: bool = False,
        createparents: bool = False,
    ) -> None:
        """Moves a node, and all below it."""
        del createparents
        node = self.get_node(where, name)
        above = newparent.name if isinstance(newparent, Handle) else newparent
        target = join(node.parent.name if above is None else above, newname or node._v_name)
        if target == node.name:
            return
        if target in self:
            if not overwrite:
                raise NodeExistsError("there is a node of this name", node=target)
            del self[target]
        with node_errors():
            self._native.rename(node.name, target)

    def remove_node(
        self, where: str | Handle, name: str | None = None, recursive: bool = False
    ) -> None:
        """Removes a node, and all below it if that is asked for."""
        node = self.get_node(where, name)
        if isinstance(node, Group) and len(node) and not recursive:
            raise NodeExistsError("the group is not empty", node=node.name)
        node._f_remove(recursive=True)


class Dataset(Handle):
    """An array."""

    __slots__ = ("_reader", "_rows")

    def __init__(self, file: File, name: str) -> None:
        super().__init__(file, name)
        self._rows: Rows | Ragged | None = None
        self._reader: tuple[Acquisition, _array.Array] | None = None

    def _array(self) -> _array.Array:
        held = self.native
        if self._reader is not None and self._reader[0] is held:
            return self._reader[1]
        # The handle of the engine sees every change of shape; rows are stored first.
        native = held.array(self.name)
        array = _array.Array(held.tree, native)
        # It is kept where nothing that it shows changes.
        self._reader = (held, array) if native.is_fixed else None
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.native.shape(self.name))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=object)) if self.shape else 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._array().dtype

    @property
    def chunks(self) -> tuple[Any, ...] | None:
        return self._array().chunks

    @property
    def maxshape(self) -> tuple[int | None, ...]:
        array = self._array()
        return array.shape if array.max_shape is None else array.max_shape

    @property
    def nrows(self) -> int:
        return self.len()

    def len(self) -> int:
        """The length of the first axis."""
        shape = self.shape
        if not shape:
            raise TypeError("an array without axes has no length")
        return shape[0]

    def __len__(self) -> int:
        return self.len()

    def __getitem__(self, item: Any) -> Any:
        for _ in range(_MAX_TRIES):
            try:
                return self._array()[item]
            except (LockedError, FormatError):
                # The commit that it was opened at is no more, as the library may put it in its
                # own words; whatever else is wrong is so still.
                if not self._file.refresh():
                    raise
        return self._array()[item]

    def refresh(self) -> None:
        """Looks at what another process has committed."""
        self._file.refresh()

    def __setitem__(self, item: Any, value: Any) -> None:
        with node_errors():
            self.native.forget_rows(self.name)
            self._array()[item] = value

    def read(self) -> Any:
        """All its values."""
        return self[...]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("an array in a file cannot be lent without a copy")
        return np.asarray(self.read(), dtype)

    def resize(self, size: Any, axis: int | None = None) -> None:
        """Changes the shape, or the length of one axis."""
        shape = list(self.shape)
        if axis is None:
            shape = [size] if isinstance(size, int) else list(size)
        else:
            shape[axis] = size
        with node_errors():
            self.native.forget_rows(self.name)
            self._array().resize(tuple(shape))
            self.native.forget_rows(self.name)

    def rows(self) -> Rows:
        """The way of rows into it."""
        rows = self._rows
        if rows is None:
            with node_errors():
                rows = self._rows = self.native.rows(self.name)
        assert isinstance(rows, Rows)
        return rows

    def ragged(self) -> Ragged:
        """The way of rows of different lengths into it."""
        rows = self._rows
        if rows is None:
            with node_errors():
                rows = self._rows = self.native.ragged(self.name)
        assert isinstance(rows, Ragged)
        return rows

    def append(self, data: Any) -> None:
        """Appends rows, or one row of an array of rows of different lengths."""
        kind = self.native.node_class(self.name)
        with node_errors():
            if kind == "EARRAY":
                self.rows().append(np.asarray(data))
            elif kind in ("VLARRAY", "StringARRAY"):
                self.ragged().append(data)
            else:
                raise InvalidInputError("an array of a fixed shape does not grow", node=self.name)


def handle_of(file: File, path: str, kind: str) -> Handle:
    """The handle of a node of a class."""
    return Group(file, path) if kind == "GROUP" else Dataset(file, path)


def unpickled(row: Any) -> Any:
    """What a row of a string array holds, read as data."""
    return decode_pickle(row if isinstance(row, bytes) else np.asarray(row, np.uint8).tobytes())
