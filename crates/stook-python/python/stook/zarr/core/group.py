"""Groups: ``Group`` for scripts, ``AsyncGroup`` for coroutines, over one engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ZarrDeprecationWarning
from ._async_group import AsyncGroup
from ._create import DEFAULT_FILL_VALUE, parse_deprecated_compressor
from ._deprecated import deprecated
from ._group_metadata import ConsolidatedMetadata, GroupMetadata
from ._hierarchy import create_below, create_hierarchy, create_nodes, create_rooted_hierarchy
from ._hierarchy import get_node as _get_node
from .array import Array, AsyncArray
from .attributes import Attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage._common import StorePath
    from ._info import GroupInfo
    from ._tree import TreeRepr
    from .common import ZarrFormat

__all__ = [
    "AsyncGroup",
    "ConsolidatedMetadata",
    "Group",
    "GroupMetadata",
    "create_hierarchy",
    "create_nodes",
    "create_rooted_hierarchy",
]

DefaultT = TypeVar("DefaultT")


def face(node: AsyncArray[Any] | AsyncGroup) -> Array[Any] | Group:
    """The node for scripts."""
    return Group(node) if isinstance(node, AsyncGroup) else Array(node)


_parse_async_node = face


class Group:
    """A group of arrays and groups.

    >>> g = zarr.group()
    >>> g.create_array("a/x", shape=(2, 3), dtype="f4", chunks=(1, 3)).shape
    (2, 3)
    >>> g["y"] = np.arange(3)
    >>> sorted(path for path, _ in g.members(max_depth=None))
    ['a', 'a/x', 'y']
    >>> print(g.tree())
    /
    ├── a
    │   └── x (2, 3) float32
    └── y (3,) int64
    <BLANKLINE>
    """

    __slots__ = ("__weakref__", "_async_group")

    def __init__(self, _async_group: AsyncGroup) -> None:
        self._async_group = _async_group

    @classmethod
    def from_store(
        cls,
        store: Any,
        *,
        attributes: dict[str, Any] | None = None,
        zarr_format: ZarrFormat = 3,
        overwrite: bool = False,
    ) -> Group:
        """Creates a group at the root of a store, or at a path in it."""
        from ._group_state import create_group_at
        from ._open import store_path_of

        store_path = store_path_of(store)
        return cls(
            create_group_at(
                store_path, zarr_format=zarr_format, overwrite=overwrite, attributes=attributes
            )
        )

    @classmethod
    def open(cls, store: Any, zarr_format: ZarrFormat | None = 3) -> Group:
        """Opens a group that is there."""
        from ._open import open_group_at, store_path_of

        return cls(open_group_at(store_path_of(store), zarr_format))

    # What it is.

    @property
    def metadata(self) -> GroupMetadata:
        """The metadata, with those of all nodes below where they are consolidated."""
        return self._async_group.metadata

    @property
    def store(self) -> Any:
        """The store."""
        return self._async_group.store

    @property
    def store_path(self) -> StorePath:
        """The store, and the path in it."""
        return self._async_group.store_path

    @property
    def path(self) -> str:
        """The path in the store, without a slash in front."""
        return self._async_group.path

    @property
    def name(self) -> str:
        """The path in the store, with a slash in front."""
        return self._async_group.name

    @property
    def basename(self) -> str:
        """The last part of the name."""
        return self._async_group.basename

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._async_group.read_only

    @property
    def synchronizer(self) -> None:
        """Nothing: there is no need for one."""
        return None

    @property
    def attrs(self) -> Attributes:
        """The attributes, as a mapping that can be changed."""
        return Attributes(self)

    @property
    def info(self) -> GroupInfo:
        """What there is to know of it; the number of members where that is at hand."""
        return self._async_group.info

    def info_complete(self) -> GroupInfo:
        """The same with the number of members."""
        return self._async_group._info_complete()

    def update_attributes(self, new_attributes: dict[str, Any]) -> Group:
        """Sets attributes; those that are not named stay."""
        self._async_group._change_attributes(new_attributes)
        return self

    async def update_attributes_async(self, new_attributes: dict[str, Any]) -> Group:
        """Replaces the attributes."""
        state = self._async_group
        await asyncio.to_thread(state._change_attributes, new_attributes, clear=True)
        return self

    # Nodes.

    def __getitem__(self, path: str) -> Array[Any] | Group:
        """The node at a path below.

        Raises
        ------
        KeyError
            If there is none.
        """
        return face(self._async_group._getitem(path))

    def get(
        self, path: str, default: DefaultT | None = None
    ) -> Array[Any] | Group | DefaultT | None:
        """The node at a path below, or a default."""
        try:
            return self[path]
        except KeyError:
            return default

    def __setitem__(self, key: str, value: Any) -> None:
        """Saves an array of numpy under a name, in place of what is there."""
        self._async_group._save(key, value)

    def __delitem__(self, key: str) -> None:
        """Removes a node with all that is below it."""
        self._async_group._delete(key)

    def __contains__(self, member: str) -> bool:
        return self._async_group._contains(member)

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return self.nmembers()

    def nmembers(self, max_depth: int | None = 0) -> int:
        """The number of nodes below, to a depth; ``None`` for all of them."""
        return self._async_group._count(max_depth)

    def members(
        self, max_depth: int | None = 0, *, use_consolidated_for_children: bool = True
    ) -> tuple[tuple[str, Array[Any] | Group], ...]:
        """The nodes below with their paths, to a depth; ``None`` for all of them."""
        found = self._async_group._members(
            max_depth, use_consolidated_for_children=use_consolidated_for_children
        )
        return tuple((path, face(node)) for path, node in found)

    def keys(self) -> Iterator[str]:
        """The names of the nodes."""
        for name, _ in self._async_group._members():
            yield name

    def groups(self) -> Iterator[tuple[str, Group]]:
        """The groups with their names."""
        for name, node in self._async_group._members():
            if isinstance(node, AsyncGroup):
                yield name, Group(node)

    def group_keys(self) -> Iterator[str]:
        """The names of the groups."""
        for name, _ in self.groups():
            yield name

    def group_values(self) -> Iterator[Group]:
        """The groups."""
        for _, group in self.groups():
            yield group

    def arrays(self) -> Iterator[tuple[str, Array[Any]]]:
        """The arrays with their names."""
        for name, node in self._async_group._members():
            if not isinstance(node, AsyncGroup):
                yield name, Array(node)

    def array_keys(self) -> Iterator[str]:
        """The names of the arrays."""
        for name, _ in self.arrays():
            yield name

    def array_values(self) -> Iterator[Array[Any]]:
        """The arrays."""
        for _, array in self.arrays():
            yield array

    def tree(
        self,
        expand: bool | None = None,
        level: int | None = None,
        *,
        max_nodes: int = 500,
        plain: bool = False,
    ) -> TreeRepr:
        """Draws the nodes below, to a depth."""
        return self._async_group._tree(expand, level, max_nodes, plain)

    def move(self, source: str, dest: str) -> None:
        """Gives a node below another path, with all that is below it.

        Raises
        ------
        KeyError
            If there is no such node.
        ContainsArrayError, ContainsGroupError
            If there is one at the other path.
        """
        self._async_group._move(source, dest)

    # Creating.

    def create_group(self, name: str, **kwargs: Any) -> Group:
        """Creates a group below; ``overwrite`` and ``attributes`` as :func:`zarr.create_group`
        has them."""
        return Group(self._async_group._create_group(name, **kwargs))

    def require_group(self, name: str, **kwargs: Any) -> Group:
        """The group below, which is created if it is missing."""
        return Group(self._async_group._require_group(name, **kwargs))

    def require_groups(self, *names: str) -> tuple[Group, ...]:
        """Several groups below, which are created if they are missing."""
        return tuple(self.require_group(name) for name in names)

    def create_hierarchy(
        self, nodes: dict[str, Any], *, overwrite: bool = False
    ) -> Iterator[tuple[str, Group | Array[Any]]]:
        """Creates nodes below from their metadata; see :func:`zarr.create_hierarchy`."""
        for path, node in create_below(self._async_group, nodes, overwrite):
            yield path, face(node)

    def create_array(
        self,
        name: str,
        *,
        shape: Any | None = None,
        dtype: Any | None = None,
        data: Any | None = None,
        chunks: Any = "auto",
        shards: Any | None = None,
        filters: Any = "auto",
        compressors: Any = "auto",
        compressor: Any = "auto",
        serializer: Any = "auto",
        fill_value: Any | None = DEFAULT_FILL_VALUE,
        order: Any | None = None,
        attributes: dict[str, Any] | None = None,
        chunk_key_encoding: Any | None = None,
        dimension_names: Any = None,
        storage_options: dict[str, Any] | None = None,
        overwrite: bool = False,
        config: Any | None = None,
        write_data: bool = True,
    ) -> Array[Any]:
        """Creates an array below; see :func:`zarr.create_array`."""
        given = locals()
        names = _CREATE_ARRAY
        made = self._async_group._create_array(name, **{key: given[key] for key in names})
        return Array(made)

    def create(
        self,
        name: str,
        *,
        shape: Any | None = None,
        dtype: Any | None = None,
        data: Any | None = None,
        chunks: Any = "auto",
        shards: Any | None = None,
        filters: Any = "auto",
        compressors: Any = "auto",
        compressor: Any = "auto",
        serializer: Any = "auto",
        fill_value: Any | None = DEFAULT_FILL_VALUE,
        order: Any | None = None,
        attributes: dict[str, Any] | None = None,
        chunk_key_encoding: Any | None = None,
        dimension_names: Any = None,
        storage_options: dict[str, Any] | None = None,
        overwrite: bool = False,
        config: Any | None = None,
        write_data: bool = True,
    ) -> Array[Any]:
        """The same as :meth:`create_array`."""
        given = locals()
        return self.create_array(name, **{key: given[key] for key in _CREATE_ARRAY})

    @deprecated("Use Group.create_array instead.", category=ZarrDeprecationWarning)
    def create_dataset(self, name: str, **kwargs: Any) -> Array[Any]:
        """Creates an array below, with ``data`` in it if it is given."""
        return Array(self._async_group._create_dataset(name, **kwargs))

    @deprecated("Use Group.require_array instead.", category=ZarrDeprecationWarning)
    def require_dataset(self, name: str, *, shape: Any, **kwargs: Any) -> Array[Any]:
        """The array below, which is created if it is missing."""
        return self.require_array(name, shape=shape, **kwargs)

    def require_array(self, name: str, *, shape: Any, **kwargs: Any) -> Array[Any]:
        """The array below, which is created if it is missing.

        Raises
        ------
        TypeError
            If what is there is a group, or of another shape, or of a dtype that cannot be cast to
            the one that is asked for (``exact``: of another dtype).
        """
        return Array(self._async_group._require_array(name, shape=shape, **kwargs))

    @deprecated("Use Group.create_array instead.", category=ZarrDeprecationWarning)
    def array(
        self,
        name: str,
        *,
        shape: Any,
        dtype: Any,
        chunks: Any = "auto",
        shards: Any | None = None,
        filters: Any = "auto",
        compressors: Any = "auto",
        compressor: Any = None,
        serializer: Any = "auto",
        fill_value: Any | None = DEFAULT_FILL_VALUE,
        order: Any | None = None,
        attributes: dict[str, Any] | None = None,
        chunk_key_encoding: Any | None = None,
        dimension_names: Any = None,
        storage_options: dict[str, Any] | None = None,
        overwrite: bool = False,
        config: Any | None = None,
        data: Any | None = None,
    ) -> Array[Any]:
        """Creates an array below, with ``data`` in it if it is given."""
        given = locals()
        names = _CREATE_ARRAY - {"write_data", "compressor", "shape"}
        keywords = {key: given[key] for key in names}
        keywords["compressors"] = parse_deprecated_compressor(compressor, compressors)
        return Array(self._async_group._create_dataset(name, shape=shape, **keywords))

    def _filled(self, how: str, name: str, **kwargs: Any) -> Array[Any]:
        from ..api import synchronous

        made: Array[Any] = getattr(synchronous, how)(store=self.store_path, path=name, **kwargs)
        self._async_group._changed()
        return made

    def empty(self, *, name: str, shape: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array whose items nobody relies on."""
        return self._filled("empty", name, shape=shape, **kwargs)

    def zeros(self, *, name: str, shape: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array of zeros."""
        return self._filled("zeros", name, shape=shape, **kwargs)

    def ones(self, *, name: str, shape: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array of ones."""
        return self._filled("ones", name, shape=shape, **kwargs)

    def full(self, *, name: str, shape: Any, fill_value: Any | None, **kwargs: Any) -> Array[Any]:
        """Creates an array of one value."""
        return self._filled("full", name, shape=shape, fill_value=fill_value, **kwargs)

    def empty_like(self, *, name: str, data: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array like another whose items nobody relies on."""
        return self._filled("empty_like", name, a=data, **kwargs)

    def zeros_like(self, *, name: str, data: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array of zeros like another."""
        return self._filled("zeros_like", name, a=data, **kwargs)

    def ones_like(self, *, name: str, data: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array of ones like another."""
        return self._filled("ones_like", name, a=data, **kwargs)

    def full_like(self, *, name: str, data: Any, **kwargs: Any) -> Array[Any]:
        """Creates an array of one value like another."""
        return self._filled("full_like", name, a=data, **kwargs)

    # As an object.

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._async_group == other._async_group

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return type(self), (self._async_group,)

    def __repr__(self) -> str:
        return f"<Group {self.store_path}>"


_CREATE_ARRAY = frozenset(
    "shape dtype data chunks shards filters compressors compressor serializer fill_value order "
    "attributes chunk_key_encoding dimension_names storage_options overwrite config "
    "write_data".split()
)


async def get_node(store: Any, path: str, zarr_format: ZarrFormat) -> AsyncArray[Any] | AsyncGroup:
    """The node at a path in a store."""
    return await asyncio.to_thread(_get_node, store, path, zarr_format)
