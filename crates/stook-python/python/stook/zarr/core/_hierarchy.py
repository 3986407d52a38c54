"""Hierarchies made of metadata: all nodes, and the groups between them, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import NodeNotFoundError
from ..storage._common import StorePath
from ..storage._utils import normalize_path
from ._engine import check_writable, contains, create_node, find_document, keeps_documents
from ._group_metadata import GroupMetadata
from ._open import node_at, node_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .array import AsyncArray
    from .common import ZarrFormat
    from .group import AsyncGroup

    _AnyNode: TypeAlias = AsyncArray[Any] | AsyncGroup

__all__ = [
    "create_below",
    "create_hierarchy",
    "create_nodes",
    "create_rooted_hierarchy",
    "get_node",
]


class ImplicitGroupMarker(GroupMetadata):
    """A group that nobody named, but that lies above a node that somebody did."""


def _normalized(nodes: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, metadata in nodes.items():
        key = normalize_path(path)
        if key in found:
            raise ValueError(f"After normalization, the value '{key}' occurred more than once.")
        found[key] = metadata
    return found


def complete(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """The nodes with the groups that lie above them.

    Raises
    ------
    ValueError
        If the nodes are of several formats, or a node lies below an array.
    """
    formats = {metadata.zarr_format for metadata in nodes.values()}
    if len(formats) > 1:
        raise ValueError(
            "Got data with both Zarr v2 and Zarr v3 nodes, which is invalid. "
            "Ensure that all nodes have the same Zarr format."
        )
    found = _normalized(nodes)
    for path in list(found):
        parent = path
        while parent:
            parent = parent.rpartition("/")[0]
            above = found.setdefault(parent, ImplicitGroupMarker(zarr_format=next(iter(formats))))
            if not isinstance(above, GroupMetadata):
                raise ValueError(
                    f"The node at {parent} contains other nodes, but it is not a Zarr group. "
                    "This is invalid. Only Zarr groups can contain other nodes."
                )
    return found


def create_hierarchy(
    *, store: Any, nodes: Mapping[str, Any], overwrite: bool = False
) -> Iterator[tuple[str, _AnyNode]]:
    """Creates all nodes, those above before those below; a generator: nodes are made as it goes.

    Nothing is made, and nothing removed, where a node is in the way of one of them.
    """
    wanted = complete(nodes)
    _check(store, wanted, overwrite)
    for path in sorted(wanted, key=lambda path: (path.count("/") + bool(path), path)):
        metadata = wanted[path]
        place = StorePath(store, path)
        if isinstance(metadata, ImplicitGroupMarker):
            if find_document(place) is not None:
                continue
            metadata = GroupMetadata(zarr_format=metadata.zarr_format)
        yield path, _create(place, metadata, overwrite)


def _create(place: StorePath, metadata: Any, overwrite: bool) -> _AnyNode:
    document = metadata.to_dict()
    create_node(place, document, overwrite=overwrite)
    return node_of(place, document) if keeps_documents(place) else node_at(place)


def _check(store: Any, wanted: dict[str, Any], overwrite: bool) -> None:
    for path, metadata in wanted.items():
        is_implicit = isinstance(metadata, ImplicitGroupMarker)
        if overwrite and not is_implicit:
            continue
        place = StorePath(store, path)
        raw = find_document(place)
        if raw is None:
            continue
        kind = "array" if "shape" in raw else "group"
        if kind == "array" or not is_implicit:
            raise contains(place, kind)
    if wanted:
        check_writable(StorePath(store))


def create_nodes(*, store: Any, nodes: Mapping[str, Any]) -> Iterator[tuple[str, _AnyNode]]:
    """Creates just these nodes, over what is there."""
    for path, metadata in sorted(_normalized(nodes).items()):
        yield path, _create(StorePath(store, path), metadata, overwrite=True)


def create_rooted_hierarchy(
    *, store: Any, nodes: Mapping[str, Any], overwrite: bool = False
) -> _AnyNode:
    """Creates all nodes and gives the one that lies above all others.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = _normalized(nodes)
    least = min((_depth(path) for path in found), default=0)
    roots = [path for path in found if _depth(path) == least]
    if len(roots) != 1:
        raise ValueError(
            "The input does not specify a root node. This function can only create hierarchies "
            "that contain a root node, which is defined as a group that is ancestral to all the "
            "other arrays and groups in the hierarchy, or a single array."
        )
    made = dict(create_hierarchy(store=store, nodes=found, overwrite=overwrite))
    return made[roots[0]]


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def create_below(
    group: AsyncGroup, nodes: Mapping[str, Any], overwrite: bool
) -> Iterator[tuple[str, _AnyNode]]:
    """Creates nodes below a group; their paths are relative to it."""
    own = group._zarr_format
    wanted: dict[str, Any] = {}
    for path, metadata in _normalized(nodes).items():
        if metadata.zarr_format != own:
            raise ValueError(
                "The zarr_format of the nodes must be the same as the parent group. "
                f"The node at {path} has zarr_format {metadata.zarr_format}, "
                f"but the parent group has zarr_format {own}."
            )
        if path == "":
            raise ValueError(
                "The input defines a root node, but a root node already exists, namely this Group "
                "instance. Remove the root node from the input, or create a rooted hierarchy."
            )
        wanted[f"{group.path}/{path}" if group.path else path] = metadata
    start = f"{group.path}/" if group.path else ""
    for path, node in create_hierarchy(store=group.store, nodes=wanted, overwrite=overwrite):
        yield path.removeprefix(start), node
    group._changed()


def get_node(store: Any, path: str, zarr_format: ZarrFormat) -> _AnyNode:
    """The node at a path in a store.

    Raises
    ------
    FileNotFoundError
        If there is none of that format.
    """
    if zarr_format not in (2, 3):
        raise ValueError(f"Unexpected zarr format: {zarr_format}")
    try:
        return node_at(StorePath(store, path), zarr_format)
    except NodeNotFoundError:
        raise FileNotFoundError(path) from None
