"""A group as both its faces see it: where it lies, its document, and the nodes in it.

Where its document came with consolidated metadata, the nodes are those that it names; else they are
asked of the store. What is found is not read before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..errors import ContainsArrayError, GroupNotFoundError
from ._consolidated import Consolidated
from ._engine import (
    below,
    check_writable,
    children_of,
    create_node,
    document_of,
    edit_attributes,
    find_document,
    keeps_documents,
    remove_node,
    rename_node,
)
from ._group_metadata import GroupMetadata
from ._info import GroupInfo
from .array_spec import ArrayConfig, parse_array_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage._common import StorePath
    from .array import AsyncArray
    from .common import ZarrFormat
    from .group import AsyncGroup

    _AnyNode: TypeAlias = AsyncArray[Any] | AsyncGroup


class GroupState:
    """What a group is and how its nodes are had; see the module."""

    __slots__ = ("__weakref__", "_metadata", "_raw", "_view", "store_path")

    store_path: StorePath
    _raw: dict[str, Any] | None
    _metadata: GroupMetadata | None
    #: The consolidated metadata that knows the nodes below.
    _view: Consolidated | None

    def __init__(self, metadata: GroupMetadata, store_path: StorePath) -> None:
        self.store_path = store_path
        self._metadata, self._raw = metadata, None
        self._view = Consolidated.of(metadata.to_dict())

    @classmethod
    def _of(
        cls,
        store_path: StorePath,
        raw: dict[str, Any] | None = None,
        view: Consolidated | None = None,
    ) -> Any:
        """The group at a place, with what is known of it."""
        self = cls.__new__(cls)
        self.store_path, self._raw, self._metadata, self._view = store_path, raw, None, view
        return self

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.store_path, self._document(), self._view)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        state = cast("GroupState", other)
        return self is state or (
            self.store_path == state.store_path and self.metadata == state.metadata
        )

    __hash__ = None  # type: ignore[assignment]

    # Its document.

    @property
    def metadata(self) -> GroupMetadata:
        """The metadata, with those of all nodes below where they are consolidated."""
        found = self._metadata
        if found is None:
            doc = {k: v for k, v in self._document().items() if k != "consolidated_metadata"}
            if self._view is not None:
                doc["consolidated_metadata"] = self._view.document()
            found = self._metadata = GroupMetadata.from_dict(doc)
        return found

    def _document(self) -> dict[str, Any]:
        if self._raw is None:
            if self._metadata is not None:
                self._raw = self._metadata.to_dict()
                self._raw["attributes"] = self._metadata.attributes
            else:
                self._raw = document_of(self.store_path)
        return self._raw

    @property
    def _zarr_format(self) -> ZarrFormat:
        found: ZarrFormat = self._document().get("zarr_format", 3)
        return found

    @property
    def store(self) -> Any:
        """The store."""
        return self.store_path.store

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self.store_path.read_only

    @property
    def synchronizer(self) -> None:
        """Nothing: there is no need for one."""
        return None

    @property
    def path(self) -> str:
        """The path in the store, without a slash in front."""
        return self.store_path.path

    @property
    def name(self) -> str:
        """The path in the store, with a slash in front."""
        return "/" + self.path.lstrip("/")

    @property
    def basename(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def _attributes(self) -> dict[str, Any]:
        """The attributes as they were when they were read."""
        if self._metadata is not None:
            return self._metadata.attributes
        found: dict[str, Any] = self._document().setdefault("attributes", {})
        return found

    def _change_attributes(self, changes: dict[str, Any], *, clear: bool = False) -> None:
        """Sets attributes, in the store and here."""
        edit_attributes(self.store_path, changes, clear=clear)
        found = self._attributes
        if clear:
            found.clear()
        found.update(changes)

    def _refresh_attributes(self) -> None:
        found = self._attributes
        new = document_of(self.store_path).get("attributes") or {}
        found.clear()
        found.update(new)

    def _changed(self) -> None:
        """Nodes came or went: what was consolidated is out of date, here and in the store."""
        if self._view is not None:
            self._document().pop("consolidated_metadata", None)
            self._view = self._metadata = None

    # Nodes.

    def _getitem(self, key: str) -> _AnyNode:
        from ._open import node_of

        store_path = self.store_path / key
        if self._view is None:
            raw = find_document(store_path)
            if raw is None:
                raise KeyError(key)
            return node_of(store_path, raw)
        path = store_path.path[len(self.path) :].strip("/")
        if path == "":
            return cast("_AnyNode", self)
        raw = self._view.get(path)
        if raw is None:
            raise KeyError(f"'{key}' not found in consolidated metadata.")
        return node_of(store_path, raw, self._view.below(path))

    def _contains(self, key: str) -> bool:
        try:
            self._getitem(key)
        except KeyError:
            return False
        return True

    def _members(
        self, max_depth: int | None = 0, *, use_consolidated_for_children: bool = True
    ) -> Iterator[tuple[str, _AnyNode]]:
        """The nodes below, to a depth; those of a group before those of its groups."""
        if max_depth is not None and max_depth < 0:
            raise ValueError(f"max_depth must be None or >= 0. Got '{max_depth}' instead")
        return self._walk(max_depth, "", frozenset())

    def _walk(
        self, depth: int | None, prefix: str, above: frozenset[int]
    ) -> Iterator[tuple[str, _AnyNode]]:
        groups = []
        for name, node, identity in self._nodes():
            yield prefix + name, node
            # A link to a group above is no way further down.
            if isinstance(node, GroupState) and (identity is None or identity not in above):
                groups.append((name, node, identity))
        if depth == 0:
            return
        depth = None if depth is None else depth - 1
        for name, node, identity in groups:
            known = above if identity is None else above | {identity}
            yield from node._walk(depth, f"{prefix}{name}/", known)

    def _nodes(self) -> Iterator[tuple[str, _AnyNode, int | None]]:
        from ._open import node_of
        from .array import AsyncArray

        view, config = self._view, parse_array_config(None)
        if view is None:
            for name, kind, identity, native in children_of(self.store_path, config):
                yield name, _lazy(below(self.store_path, name), kind, config, native), identity
            return
        for name in view.names():
            raw, place = view.get(name) or {}, below(self.store_path, name)
            if "shape" in raw:
                yield name, AsyncArray._of(place, raw=raw, config=config), None
            else:
                yield name, node_of(place, raw, view.below(name), config), None

    def _count(self, max_depth: int | None = 0) -> int:
        return sum(1 for _ in self._members(max_depth))

    def _delete(self, key: str) -> None:
        check_writable(self.store_path)
        remove_node(self.store_path / key)
        self._changed()

    def _move(self, source: str, dest: str) -> None:
        check_writable(self.store_path)
        rename_node(self.store_path / source, self.store_path / dest)
        self._changed()

    def _save(self, key: str, value: Any) -> None:
        from ..api._saving import save_array

        save_array(self.store_path / key, value, zarr_format=self._zarr_format, overwrite=True)
        self._changed()

    # Creating.

    def _create_group(
        self, name: str, *, overwrite: bool = False, attributes: dict[str, Any] | None = None
    ) -> AsyncGroup:
        made = create_group_at(
            self.store_path / name,
            zarr_format=self._zarr_format,
            overwrite=overwrite,
            attributes=attributes,
        )
        self._changed()
        return made

    def _require_group(self, name: str, overwrite: bool = False) -> AsyncGroup:
        if not overwrite:
            try:
                found: Any = self._getitem(name)
            except KeyError:
                pass
            else:
                if not isinstance(found, GroupState):
                    kind = type(found).__name__
                    raise TypeError(f"Incompatible object ({kind}) already exists")
                return cast("AsyncGroup", found)
        return self._create_group(name, overwrite=overwrite)

    def _create_array(self, name: str, *, compressor: Any = "auto", **kwargs: Any) -> Any:
        from ._create import create_array, parse_deprecated_compressor

        kwargs["compressors"] = parse_deprecated_compressor(
            compressor, kwargs.get("compressors", "auto"), zarr_format=self._zarr_format
        )
        made = create_array(self.store_path, name=name, zarr_format=self._zarr_format, **kwargs)
        self._changed()
        return made

    def _create_dataset(self, name: str, *, shape: Any, **kwargs: Any) -> Any:
        data = kwargs.pop("data", None)
        if "dtype" not in kwargs and data is not None:
            kwargs["dtype"] = data.dtype
        made = self._create_array(name, shape=shape, **kwargs)
        if data is not None:
            from .indexing import basic_indexer

            made._write(basic_indexer(..., made.shape), data)
        return made

    def _require_array(
        self, name: str, *, shape: Any, dtype: Any = None, exact: bool = False, **kwargs: Any
    ) -> Any:
        import numpy as np

        from .common import parse_shapelike

        try:
            found: Any = self._getitem(name)
        except KeyError:
            return self._create_array(name, shape=shape, dtype=dtype, **kwargs)
        if isinstance(found, GroupState):
            raise TypeError(f"Incompatible object ({type(found).__name__}) already exists")
        if parse_shapelike(shape) != found.shape:
            raise TypeError(f"Incompatible shape ({found.shape} vs {parse_shapelike(shape)})")
        dtype = np.dtype(dtype)
        if found.dtype != dtype if exact else not np.can_cast(found.dtype, dtype):
            raise TypeError(f"Incompatible dtype ({found.dtype} vs {dtype})")
        return found

    # What to say of it.

    def _info(self, members: Any = None) -> GroupInfo:
        counts: dict[str, Any] = {}
        if members is not None:
            groups = [isinstance(node, GroupState) for _, node in members]
            counts = {
                "_count_members": len(groups),
                "_count_arrays": groups.count(False),
                "_count_groups": groups.count(True),
            }
        return GroupInfo(
            _name=self.path,
            _read_only=self.read_only,
            _store_type=type(self.store).__name__,
            _zarr_format=self._zarr_format,
            **counts,
        )

    def _info_short(self) -> GroupInfo:
        return self._info(None if self._view is None else self._members(None))

    def _info_complete(self) -> GroupInfo:
        return self._info(self._members(None))


def _lazy(store_path: StorePath, kind: str, config: ArrayConfig, native: Any) -> _AnyNode:
    """A node of which nothing but its kind is known, and maybe the engine's array."""
    from .array import AsyncArray
    from .group import AsyncGroup

    if kind == "array":
        array: AsyncArray[Any] = AsyncArray._of(store_path, native=native, config=config)
        return array
    group: AsyncGroup = AsyncGroup._of(store_path)
    return group


def create_group_at(
    store_path: StorePath,
    *,
    zarr_format: ZarrFormat,
    overwrite: bool = False,
    attributes: dict[str, Any] | None = None,
) -> AsyncGroup:
    """Creates a group, and the groups above it that are missing.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten.
    """
    from .group import AsyncGroup

    metadata = GroupMetadata(attributes=dict(attributes or {}), zarr_format=zarr_format)
    document = metadata.to_dict()
    create_node(store_path, document, overwrite=overwrite)
    kept = document if keeps_documents(store_path) else None
    group: AsyncGroup = AsyncGroup._of(store_path, kept)
    return group


def group_from_document(store_path: StorePath, data: dict[str, Any]) -> AsyncGroup:
    """The group that a document describes.

    Raises
    ------
    ContainsArrayError
        If it describes an array.
    GroupNotFoundError
        If it describes something else.
    """
    from .group import AsyncGroup

    kind = data.get("node_type")
    if kind == "array":
        raise ContainsArrayError(
            f"An array already exists in store {store_path.store} at path {store_path.path}."
        )
    if kind not in ("group", None):
        raise GroupNotFoundError(f"Node type in metadata ({kind}) is not 'group'")
    group: AsyncGroup = AsyncGroup._of(store_path, data, Consolidated.of(data))
    return group


def _rebuild(
    cls: type[GroupState], store_path: StorePath, raw: dict[str, Any], view: Consolidated | None
) -> Any:
    return cls._of(store_path, raw, view)
