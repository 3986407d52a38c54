"""Functions on whole hierarchies, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _hierarchy
from .group import Group, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .array import Array
    from .common import ZarrFormat

__all__ = ["create_hierarchy", "create_nodes", "create_rooted_hierarchy", "get_node"]


def create_nodes(*, store: Any, nodes: dict[str, Any]) -> Iterator[tuple[str, Group | Array[Any]]]:
    """Creates just these nodes, over what is there."""
    for path, node in list(_hierarchy.create_nodes(store=store, nodes=nodes)):
        yield path, face(node)


def create_hierarchy(
    *, store: Any, nodes: dict[str, Any], overwrite: bool = False
) -> Iterator[tuple[str, Group | Array[Any]]]:
    """Creates a hierarchy from the metadata of its nodes.

    Groups that lie above a node and are not named are created, too, unless they are there.

    Parameters
    ----------
    store
        The store.
    nodes
        For each path the metadata of a node: ``GroupMetadata``, ``ArrayV2Metadata`` or
        ``ArrayV3Metadata``, all of one format.
    overwrite
        Whether nodes that are named take the place of what is there.

    Yields
    ------
    tuple
        Path and node, those above before those below.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten; nothing is created then.
    ValueError
        If a node lies below an array, or formats are mixed.

    Examples
    --------
    >>> from stook.zarr.core.group import GroupMetadata
    >>> store = zarr.storage.MemoryStore()
    >>> [path for path, _ in zarr.create_hierarchy(store=store, nodes={"a/b": GroupMetadata()})]
    ['', 'a', 'a/b']
    """
    made = list(_hierarchy.create_hierarchy(store=store, nodes=nodes, overwrite=overwrite))
    for path, node in made:
        yield path, face(node)


def create_rooted_hierarchy(
    *, store: Any, nodes: dict[str, Any], overwrite: bool = False
) -> Group | Array[Any]:
    """Creates a hierarchy and gives the node that lies above all others."""
    return face(_hierarchy.create_rooted_hierarchy(store=store, nodes=nodes, overwrite=overwrite))


def get_node(store: Any, path: str, zarr_format: ZarrFormat) -> Array[Any] | Group:
    """The node at a path in a store."""
    return face(_hierarchy.get_node(store, path, zarr_format))
