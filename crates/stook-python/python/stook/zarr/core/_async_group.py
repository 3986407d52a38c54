"""A group for coroutines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ZarrDeprecationWarning
from ._deprecated import deprecated
from ._group_state import GroupState, create_group_at, group_from_document
from ._tree import TreeRepr, draw_tree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from ..storage._common import StorePath
    from ._info import GroupInfo
    from .array import AsyncArray
    from .common import ZarrFormat

__all__ = ["AsyncGroup"]

DefaultT = TypeVar("DefaultT")

# Members are asked of the store so many at a time, between which other tasks go on.
_BATCH = 64


class AsyncGroup(GroupState):
    """A group for coroutines: what reaches the store runs in a thread."""

    __slots__ = ()

    @classmethod
    async def from_store(
        cls,
        store: Any,
        *,
        attributes: dict[str, Any] | None = None,
        overwrite: bool = False,
        zarr_format: ZarrFormat = 3,
    ) -> AsyncGroup:
        """Creates a group at the root of a store, or at a path in it."""
        from ._open import store_path_of

        def work() -> AsyncGroup:
            return create_group_at(
                store_path_of(store),
                zarr_format=zarr_format,
                overwrite=overwrite,
                attributes=attributes,
            )

        return await asyncio.to_thread(work)

    @classmethod
    async def open(
        cls,
        store: Any,
        zarr_format: ZarrFormat | None = 3,
        use_consolidated: bool | str | None = None,
    ) -> AsyncGroup:
        """Opens a group that is there."""
        from ._open import open_group_at, store_path_of

        def work() -> AsyncGroup:
            return open_group_at(store_path_of(store), zarr_format, use_consolidated)

        return await asyncio.to_thread(work)

    @classmethod
    def from_dict(cls, store_path: StorePath, data: dict[str, Any]) -> AsyncGroup:
        """The group that a document describes, which is not written."""
        return group_from_document(store_path, data)

    @property
    def attrs(self) -> dict[str, Any]:
        """The attributes."""
        return self._attributes

    @property
    def info(self) -> GroupInfo:
        """What there is to know of it; the number of members where that is at hand."""
        return self._info_short()

    async def info_complete(self) -> GroupInfo:
        """The same with the number of members."""
        return await asyncio.to_thread(self._info_complete)

    async def getitem(self, key: str) -> AsyncArray[Any] | AsyncGroup:
        """The node at a path below.

        Raises
        ------
        KeyError
            If there is none.
        """
        return await asyncio.to_thread(self._getitem, key)

    async def get(
        self, key: str, default: DefaultT | None = None
    ) -> AsyncArray[Any] | AsyncGroup | DefaultT | None:
        """The node at a path below, or a default."""
        try:
            return await self.getitem(key)
        except KeyError:
            return default

    async def setitem(self, key: str, value: Any) -> None:
        """Saves an array of numpy under a name."""
        await asyncio.to_thread(self._save, key, value)

    async def delitem(self, key: str) -> None:
        """Removes a node with all that is below it."""
        await asyncio.to_thread(self._delete, key)

    async def contains(self, member: str) -> bool:
        """Whether there is a node at a path below."""
        return await asyncio.to_thread(self._contains, member)

    async def update_attributes(self, new_attributes: dict[str, Any]) -> AsyncGroup:
        """Sets attributes; those that are not named stay."""
        await asyncio.to_thread(self._change_attributes, new_attributes)
        return self

    async def create_group(
        self, name: str, *, overwrite: bool = False, attributes: dict[str, Any] | None = None
    ) -> AsyncGroup:
        """Creates a group below."""
        return await asyncio.to_thread(
            self._create_group, name, overwrite=overwrite, attributes=attributes
        )

    async def require_group(self, name: str, overwrite: bool = False) -> AsyncGroup:
        """The group below, which is created if it is missing."""
        return await asyncio.to_thread(self._require_group, name, overwrite)

    async def require_groups(self, *names: str) -> tuple[AsyncGroup, ...]:
        """Several groups below, which are created if they are missing."""
        return tuple([await self.require_group(name) for name in names])

    async def create_array(self, name: str, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array below; see :meth:`Group.create_array`."""
        made: AsyncArray[Any] = await asyncio.to_thread(self._create_array, name, **kwargs)
        return made

    @deprecated("Use AsyncGroup.create_array instead.", category=ZarrDeprecationWarning)
    async def create_dataset(self, name: str, *, shape: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array below, with ``data`` in it if it is given."""
        made: AsyncArray[Any] = await asyncio.to_thread(
            self._create_dataset, name, shape=shape, **kwargs
        )
        return made

    @deprecated("Use AsyncGroup.require_array instead.", category=ZarrDeprecationWarning)
    async def require_dataset(
        self, name: str, *, shape: Any, dtype: Any = None, exact: bool = False, **kwargs: Any
    ) -> AsyncArray[Any]:
        """The array below, which is created if it is missing."""
        return await self.require_array(name, shape=shape, dtype=dtype, exact=exact, **kwargs)

    async def require_array(
        self, name: str, *, shape: Any, dtype: Any = None, exact: bool = False, **kwargs: Any
    ) -> AsyncArray[Any]:
        """The array below, which is created if it is missing.

        Raises
        ------
        TypeError
            If what is there is another kind of thing.
        """
        found: AsyncArray[Any] = await asyncio.to_thread(
            self._require_array, name, shape=shape, dtype=dtype, exact=exact, **kwargs
        )
        return found

    async def nmembers(self, max_depth: int | None = 0) -> int:
        """The number of nodes below, to a depth; ``None`` for all of them."""
        return await asyncio.to_thread(self._count, max_depth)

    async def members(
        self, max_depth: int | None = 0, *, use_consolidated_for_children: bool = True
    ) -> AsyncGenerator[tuple[str, AsyncArray[Any] | AsyncGroup], None]:
        """The nodes below with their paths, to a depth; ``None`` for all of them."""
        found = self._members(
            max_depth, use_consolidated_for_children=use_consolidated_for_children
        )
        while batch := await asyncio.to_thread(_take, found):
            for item in batch:
                yield item

    async def keys(self) -> AsyncGenerator[str, None]:
        """The names of the nodes."""
        async for name, _ in self.members():
            yield name

    async def groups(self) -> AsyncGenerator[tuple[str, AsyncGroup], None]:
        """The groups with their names."""
        async for name, node in self.members():
            if isinstance(node, AsyncGroup):
                yield name, node

    async def group_keys(self) -> AsyncGenerator[str, None]:
        """The names of the groups."""
        async for name, _ in self.groups():
            yield name

    async def group_values(self) -> AsyncGenerator[AsyncGroup, None]:
        """The groups."""
        async for _, group in self.groups():
            yield group

    async def arrays(self) -> AsyncGenerator[tuple[str, AsyncArray[Any]], None]:
        """The arrays with their names."""
        async for name, node in self.members():
            if not isinstance(node, AsyncGroup):
                yield name, node

    async def array_keys(self) -> AsyncGenerator[str, None]:
        """The names of the arrays."""
        async for name, _ in self.arrays():
            yield name

    async def array_values(self) -> AsyncGenerator[AsyncArray[Any], None]:
        """The arrays."""
        async for _, array in self.arrays():
            yield array

    async def create_hierarchy(
        self, nodes: dict[str, Any], *, overwrite: bool = False
    ) -> AsyncIterator[tuple[str, AsyncArray[Any] | AsyncGroup]]:
        """Creates nodes below from their metadata; see :func:`zarr.create_hierarchy`."""
        from ._hierarchy import create_below

        for item in await asyncio.to_thread(lambda: list(create_below(self, nodes, overwrite))):
            yield item

    async def tree(
        self,
        expand: bool | None = None,
        level: int | None = None,
        *,
        max_nodes: int = 500,
        plain: bool = False,
    ) -> TreeRepr:
        """Draws the nodes below, to a depth."""
        return await asyncio.to_thread(self._tree, expand, level, max_nodes, plain)

    def _tree(
        self, expand: bool | None, level: int | None, max_nodes: int, plain: bool
    ) -> TreeRepr:
        if expand is not None:
            raise NotImplementedError("'expand' is not yet implemented.")
        return draw_tree(self, self._members(level), max_nodes, plain)

    async def _filled(self, how: str, name: str, kwargs: dict[str, Any]) -> AsyncArray[Any]:
        from ..api import synchronous

        create = getattr(synchronous, how)
        made = await asyncio.to_thread(create, store=self.store_path, path=name, **kwargs)
        self._changed()
        found: AsyncArray[Any] = made.async_array
        return found

    async def empty(self, *, name: str, shape: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array whose items nobody relies on."""
        return await self._filled("empty", name, {"shape": shape, **kwargs})

    async def zeros(self, *, name: str, shape: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array of zeros."""
        return await self._filled("zeros", name, {"shape": shape, **kwargs})

    async def ones(self, *, name: str, shape: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array of ones."""
        return await self._filled("ones", name, {"shape": shape, **kwargs})

    async def full(
        self, *, name: str, shape: Any, fill_value: Any | None, **kwargs: Any
    ) -> AsyncArray[Any]:
        """Creates an array of one value."""
        return await self._filled(
            "full", name, {"shape": shape, "fill_value": fill_value, **kwargs}
        )

    async def empty_like(self, *, name: str, data: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array like another whose items nobody relies on."""
        return await self._filled("empty_like", name, {"a": data, **kwargs})

    async def zeros_like(self, *, name: str, data: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array of zeros like another."""
        return await self._filled("zeros_like", name, {"a": data, **kwargs})

    async def ones_like(self, *, name: str, data: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array of ones like another."""
        return await self._filled("ones_like", name, {"a": data, **kwargs})

    async def full_like(self, *, name: str, data: Any, **kwargs: Any) -> AsyncArray[Any]:
        """Creates an array of one value like another."""
        return await self._filled("full_like", name, {"a": data, **kwargs})

    async def move(self, source: str, dest: str) -> None:
        """Gives a node below another path."""
        await asyncio.to_thread(self._move, source, dest)

    def __repr__(self) -> str:
        return f"<AsyncGroup {self.store_path}>"


def _take(found: Iterator[Any]) -> list[Any]:
    return [item for _, item in zip(range(_BATCH), found, strict=False)]
