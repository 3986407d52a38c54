"""A group of a tree, and what opens one."""

from __future__ import annotations

from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from typing import Any

import numpy as np

from ._array import Array, _lengths
from ._casting import cast
from ._dtypes import packed
from ._errors import InvalidInputError, NotFoundError, UnsupportedError
from ._node import Node
from ._stook import Tree, normalize_dtype

AUTO = "auto"


class Group(Node, MutableMapping[str, "Group | Array"]):
    """A group in a file: a mapping of names, or paths, to groups and arrays.

    >>> f = getfixture("file")
    >>> f.create_array("camera/image", np.zeros((2, 3)))
    <Array /camera/image (2, 3) float64>
    >>> list(f), "camera/image" in f, f["camera"]["image"].shape
    (['camera'], True, (2, 3))
    >>> print(f.tree())
    /
    └── camera
        └── image (2, 3) float64
    """

    __slots__ = ("_node",)

    def __init__(self, tree: Tree, node: str) -> None:
        super().__init__(tree)
        self._node = node

    @property
    def path(self) -> str:
        """Where it is in its file."""
        return self._node

    def _at(self, path: str) -> str:
        if not isinstance(path, str):
            raise InvalidInputError(f"a path is a str, not {type(path).__name__}")
        return f"{self._node.rstrip('/')}/{path.strip('/')}"

    # The mapping.

    def __getitem__(self, path: str) -> Group | Array:
        """The group or array at ``path``, relative to this group.

        Raises
        ------
        NotFoundError
            If there is none. It is a :class:`KeyError`.
        """
        return open_node(self._tree, self._at(path))

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._tree.kind(self._at(path)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter([child[0] for child in self._tree.children(self._node)])

    def __len__(self) -> int:
        return len(self._tree.children(self._node))

    def __setitem__(self, path: str, data: Any) -> None:
        """Creates an array of ``data``, as :meth:`create_array` does."""
        self.create_array(path, data)

    def __delitem__(self, path: str) -> None:
        """Removes the node at ``path`` and all below it; of a link, the link."""
        self._tree.remove(self._at(path))

    # A group is itself only, as a file is; mappings compare their items.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Group):
            return NotImplemented
        return self._tree is other._tree and self._node == other._node

    def __hash__(self) -> int:
        return hash((id(self._tree), self._node))

    def groups(self) -> Iterator[tuple[str, Group]]:
        """Names and groups of the groups in it."""
        for name, kind, *_ in self._tree.children(self._node):
            if kind == "group":
                yield name, Group(self._tree, self._at(name))

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Names and arrays of the arrays in it."""
        for name, kind, _, native in self._tree.nodes(self._node):
            if kind == "array":
                native = native or self._tree.array(self._at(name))
                yield name, Array(self._tree, native)

    def values(self) -> _Nodes:
        """The groups and arrays in it."""
        return _Nodes(self)

    def items(self) -> _NamedNodes:
        """Names, and the groups and arrays they lead to."""
        return _NamedNodes(self)

    def _nodes(self) -> Iterator[tuple[str, Group | Array]]:
        for name, kind, _, native in self._tree.nodes(self._node):
            if native is not None:
                yield name, Array(self._tree, native)
            elif kind == "group":
                yield name, Group(self._tree, self._at(name))
            else:
                yield name, self[name]

    def links(self) -> dict[str, tuple[str, str | None]]:
        """Names of links that are not hard, with the path they lead to and, of an external one,
        the file (HDF5)."""
        children = self._tree.children(self._node)
        return {name: link for name, _, link, _ in children if link is not None}

    # Changes.

    def create_group(self, path: str, *, attributes: Mapping[str, Any] | None = None) -> Group:
        """Creates a group, and those above it that are missing.

        Raises
        ------
        AlreadyExistsError
            If there is something at ``path``.
        """
        node = self._at(path)
        self._tree.create_group(node)
        group = Group(self._tree, node)
        if attributes:
            group.attrs.update(attributes)
        return group

    def require_group(self, path: str) -> Group:
        """The group at ``path``, created if it is missing."""
        node = self._at(path)
        match self._tree.kind(node):
            case None:
                return self.create_group(path)
            case "group":
                return Group(self._tree, node)
            case kind:
                message = f"expected a group, found an {kind}"
                raise InvalidInputError(message, file=self.file, node=node)

    def create_array(
        self,
        path: str,
        data: Any = None,
        *,
        shape: int | Sequence[int] | None = None,
        dtype: Any = None,
        chunks: int | Sequence[int] | None = None,
        shards: int | Sequence[int] | None = None,
        codecs: str | Mapping[str, Any] | Sequence[Any] | None = AUTO,
        fill_value: Any = None,
        dimension_names: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        max_shape: Sequence[int | None] | None = None,
        overwrite: bool = False,
    ) -> Array:
        """Creates an array, and the groups above it that are missing.

        Parameters
        ----------
        path
            Where, relative to this group.
        data
            What to write: an array, or what ``numpy.asarray`` makes one of. Without it the array
            has ``fill_value`` everywhere.
        shape, dtype
            Those of ``data`` if they are not said; ``float64`` without ``data``. ``str`` and
            ``bytes`` mean text and bytes of variable length, :func:`vlen_dtype` sequences.
        chunks
            The shape of a chunk; a number for an array of one axis. By default as the format
            does best: about 1 MiB in Zarr, one piece in HDF5 and npy.
        shards
            The shape of a shard, in items: whole multiples of ``chunks`` (Zarr version 3).
        codecs
            What encodes a chunk, first applied first: names such as ``"zstd"``, or dicts such as
            ``{"name": "blosc", "cname": "lz4", "clevel": 5}``; ``None`` for none. By default zstd
            in Zarr, none elsewhere.
        fill_value
            What items are that were never written (default: zero, the empty text).
        dimension_names
            A name for each axis.
        attributes
            Attributes to set.
        max_shape
            How far each axis may grow, ``None`` without bound (HDF5). By default every axis of
            an array that has chunks may grow.
        overwrite
            Whether what is at ``path`` is removed first.

        Raises
        ------
        AlreadyExistsError
            If there is something at ``path``.
        UnsupportedError
            If the format cannot hold such an array.
        InvalidInputError
            If the arguments contradict each other.

        Examples
        --------
        >>> f = getfixture("file")
        >>> a = f.create_array("t", shape=(0, 3), dtype="int32", chunks=(100, 3), codecs="gzip")
        >>> a.append([[1, 2, 3]])
        (1, 3)
        >>> a[:].tolist(), a.chunks, a.codecs[-1]["name"]
        ([[1, 2, 3]], (100, 3), 'gzip')
        >>> f.create_array("names", ["ab", "é"])[:].tolist()
        ['ab', 'é']
        """
        dtype, values, lengths = _data(data, dtype, shape, self.format)
        n_axes = len(lengths)
        what = {
            "dtype": dtype,
            "shape": lengths,
            "chunks": _each("chunks", chunks, n_axes),
            "shards": _each("shards", shards, n_axes),
            "codecs": _chain(codecs),
            "fill_value": fill_value,
            "dimension_names": dimension_names,
            "attributes": attributes,
            "max_shape": None if max_shape is None else list(max_shape),
        }
        node = self._at(path)
        if overwrite and node != "/" and self._tree.kind(node) is not None:
            self._tree.remove(node)
        array = Array(self._tree, self._tree.create_array(node, what))
        if values is not None:
            try:
                array[...] = values
            except BaseException:
                # An array without its data is not what was asked for.
                self._tree.remove(node)
                raise
        return array

    def require_array(
        self, path: str, shape: int | Sequence[int], dtype: Any, **options: Any
    ) -> Array:
        """The array at ``path``, created (as :meth:`create_array` does) if it is missing.

        Raises
        ------
        InvalidInputError
            If there is one of another shape or dtype, or a group.

        Examples
        --------
        >>> f = getfixture("file")
        >>> for n in range(2):
        ...     print(f.require_array("r", 3, "int16", chunks=2))
        <Array /r (3,) int16>
        <Array /r (3,) int16>
        """
        node = self._at(path)
        kind = self._tree.kind(node)
        if kind is None:
            return self.create_array(path, shape=shape, dtype=dtype, **options)
        found = open_node(self._tree, node) if kind == "array" else None
        if not isinstance(found, Array):
            message = f"expected an array, found a {kind}"
            raise InvalidInputError(message, file=self.file, node=node)
        wanted = _lengths("shape", shape)
        if found.shape != wanted or found.dtype != normalize_dtype(dtype):
            message = (
                f"expected shape {wanted} and dtype {normalize_dtype(dtype)}, "
                f"found {found.shape} and {found.dtype}"
            )
            raise InvalidInputError(message, file=self.file, node=node)
        return found

    def copy(
        self, source: str | Group | Array, target: str | Group, name: str | None = None
    ) -> Group | Array:
        """Copies a node, and all below it.

        Parameters
        ----------
        source
            A path in this group, or a group or array, of any file.
        target
            A path in this group; or a group, of any file, where the copy gets ``name``, or
            that of the source.

        Raises
        ------
        AlreadyExistsError
            If there is something at the target. What was copied before an error stays.

        Examples
        --------
        >>> f = getfixture("file")
        >>> f["a/x"] = np.arange(3)
        >>> f.copy("a", "b")["x"][:]
        array([0, 1, 2])
        """
        from ._copy import copy_node

        node = self[source] if isinstance(source, str) else source
        if isinstance(target, Group):
            return copy_node(node, target, name or node.name)
        return copy_node(node, self, target)

    def move(self, source: str, target: str) -> None:
        """Moves the node at ``source``, and all below it, to ``target``."""
        self._tree.rename(self._at(source), self._at(target))

    def create_link(self, path: str, target: str, *, file: str | None = None) -> None:
        """Creates a link to a path in this file, or in another one (HDF5)."""
        self._tree.create_link(self._at(path), target, file)

    def walk(self) -> Iterator[tuple[str, Group | Array]]:
        """Relative paths and nodes of all that is below this group, parents first. Links that
        are not hard are passed over, and a node of several names comes once.

        >>> f = getfixture("file")
        >>> f["a/x"] = [1]
        >>> [(path, type(node).__name__) for path, node in f.walk()]
        [('a', 'Group'), ('a/x', 'Array')]
        """
        yield from self._walk("", set())

    def _walk(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, Group | Array]]:
        for name, kind, link, identity in self._tree.children(self._node):
            if link is not None or kind not in ("group", "array") or identity in seen:
                continue
            if identity is not None:
                seen.add(identity)
            if kind == "array":
                yield prefix + name, Array(self._tree, self._tree.array(self._at(name)))
                continue
            group = Group(self._tree, self._at(name))
            yield prefix + name, group
            yield from group._walk(f"{prefix}{name}/", seen)

    def visit(self, work: Callable[[str], Any]) -> Any:
        """Calls ``work`` with each relative path below, until it returns something that is not
        ``None``, and returns that."""
        return self.visititems(lambda path, _: work(path))

    def visititems(self, work: Callable[[str, Group | Array], Any]) -> Any:
        """The same with each path and node."""
        for path, node in self.walk():
            found = work(path, node)
            if found is not None:
                return found
        return None

    # For people.

    def tree(self, *, depth: int | None = None) -> str:
        """The tree below this group, as text."""
        lines = [self.path]
        self._draw(lines, "", depth, set())
        return "\n".join(lines)

    def _draw(self, lines: list[str], indent: str, depth: int | None, seen: set[int]) -> None:
        if depth is not None and depth <= 0:
            return
        children = self._tree.children(self._node)
        for i, (name, kind, link, identity) in enumerate(children):
            is_last = i + 1 == len(children)
            text = name
            if link is not None:
                target, file = link
                text += f" → {f'{file}:' if file else ''}{target}"
            elif kind == "array":
                array = self._tree.array(self._at(name))
                text += " null" if array.is_null else f" {array.shape}"
                text += f" {array.dtype_name}"
            lines.append(f"{indent}{'└── ' if is_last else '├── '}{text}")
            if kind != "group" or link is not None or identity in seen:
                continue
            if identity is not None:
                seen.add(identity)
            below = indent + ("    " if is_last else "│   ")
            child = Group(self._tree, self._at(name))
            child._draw(lines, below, None if depth is None else depth - 1, seen)

    def __repr__(self) -> str:
        if not self._tree.is_open:
            return "<Group of a closed file>"
        return f"<Group {self.path} of {self.file!r} ({self.format})>"


class _Nodes(ValuesView["Group | Array"]):
    """The nodes in a group, which is read once for all of them."""

    _mapping: Group

    def __iter__(self) -> Iterator[Group | Array]:
        for _, node in self._mapping._nodes():
            yield node


class _NamedNodes(ItemsView[str, "Group | Array"]):
    """The same with their names."""

    _mapping: Group

    def __iter__(self) -> Iterator[tuple[str, Group | Array]]:
        return self._mapping._nodes()


def open_node(tree: Tree, path: str) -> Group | Array:
    match tree.kind(path):
        case "group":
            return Group(tree, path if path == "/" else path.rstrip("/"))
        case "array":
            return Array(tree, tree.array(path))
        case None:
            raise NotFoundError("there is no such node", file=str(tree.path), node=path)
        case _:
            message = "the node is neither a group nor an array"
            raise UnsupportedError(message, file=str(tree.path), node=path)


def _data(
    data: Any, dtype: Any, shape: int | Sequence[int] | None, format: str
) -> tuple[Any, Any, tuple[int, ...]]:
    """The dtype, values and shape of a new array."""
    if data is None:
        if shape is None:
            raise InvalidInputError("give data, or a shape")
        lengths = _lengths("shape", shape)
        dtype = np.float64 if dtype is None else dtype
        if format.startswith("zarr") and isinstance(dtype, np.dtype) and not dtype.hasobject:
            dtype = packed(dtype)
        return dtype, None, lengths
    if dtype is None:
        data = data if hasattr(data, "dtype") else np.asarray(data)
        dtype, data = _dtype_of(data, format)
    given = _lengths("shape", shape) if shape is not None else None
    normal = normalize_dtype(dtype)
    if format.startswith("zarr") and normal.kind == "V" and not normal.hasobject:
        # Zarr has no room between the fields of a struct.
        dtype = normal = packed(normal)
    if normal.hasobject:
        is_cut = isinstance(data, np.ndarray) and data.dtype.hasobject
        n_axes = len(given) if given is not None else data.ndim if is_cut else 1
        values = cast(data, normal, n_axes)
    else:
        values = data if isinstance(data, np.ndarray) else np.asarray(data)
    if given is not None:
        try:
            np.broadcast_shapes(values.shape, given)
        except ValueError:
            raise InvalidInputError(f"data of shape {values.shape} do not fit {given}") from None
    return dtype, values, given if given is not None else values.shape


def _dtype_of(data: Any, format: str) -> tuple[Any, Any]:
    """The dtype of data that come without one, and the data."""
    dtype = data.dtype
    if dtype.kind in "SU" and dtype.itemsize == 0:
        # An empty text of numpy; as a dtype this would mean text of variable length.
        return np.dtype(f"{dtype.kind}1"), data
    is_text = dtype.kind == "U" and format == "hdf5"
    if is_text or dtype.kind == "T":
        return str, data
    if dtype.kind == "O" and not dtype.metadata:
        kinds = {type(item) for item in np.asarray(data).flat}
        if kinds and all(issubclass(kind, str) for kind in kinds):
            return str, data
        if kinds and all(issubclass(kind, (bytes, bytearray)) for kind in kinds):
            return bytes, data
        raise InvalidInputError(
            "the data are objects: give a dtype",
            hint="str, bytes, or stook.vlen_dtype(item)",
        )
    return dtype, data


def _each(what: str, lengths: int | Sequence[int] | None, n_axes: int) -> tuple[int, ...] | None:
    if lengths is None:
        return None
    found = _lengths(what, lengths)
    if len(found) != n_axes:
        raise InvalidInputError(f"{what}: expected {n_axes} lengths, found {found}")
    return found


def _chain(codecs: Any) -> list[Any] | None:
    """A chain of codecs as a list; ``None`` where the format decides."""
    if isinstance(codecs, str) and codecs == AUTO:
        return None
    if codecs is None:
        return []
    if isinstance(codecs, (str, Mapping)) or not isinstance(codecs, Sequence):
        return [codecs]
    return list(codecs)



