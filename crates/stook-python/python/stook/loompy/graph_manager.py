"""The graphs of rows or columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import InvalidInputError
from ._named import OfAxis
from ._selecting import is_part, part, positions

__all__ = ["GraphManager"]


class GraphManager(OfAxis):
    """The graphs of an axis, as sparse matrices in coordinate form: by name as an attribute or
    item, or all of a part of the axis. Edges that are there twice stay so.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.ones((2, 3)), {}, {})
    >>> with loompy.connect(path) as ds:
    ...     ds.col_graphs.near = np.array([[0, 0.5, 0], [0, 0, 0], [2, 0, 0]])
    ...     ds.col_graphs["near"].data, ds.col_graphs[[2, 0]].near.toarray()
    (array([0.5, 2. ]), array([[0., 2.],
           [0., 0.]]))
    """

    _kind = "Graph"

    def _names(self, native: Any) -> list[str]:
        names: list[str] = native.graph_names(self._axis)
        return names

    def _part(self) -> str:
        return ("row_graphs", "col_graphs")[self._axis]

    def __getitem__(self, thing: Any) -> Any:
        """A graph by its name; of a tuple of names, the first that is there; of a slice, index,
        list or mask, that part of all graphs in that order, in memory."""
        if is_part(thing):
            found, where = GraphManager(None, axis=self.axis), part(thing)
            for name, graph in self.items():
                found._known()[name] = _part_of(graph, where)
            return found
        if isinstance(thing, tuple):
            for name in thing:
                if name in self:
                    return self.__getattr__(name)
            raise AttributeError(f"there is no graph {thing!r} on axis {self.axis}")
        return self.__getattr__(thing)

    def _get(self, name: str) -> Any:
        known = self._known()
        try:
            graph = known[name]
        except KeyError:
            raise AttributeError(f"there is no graph {name!r} on axis {self.axis}") from None
        if graph is None and self.ds is not None:
            from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

            a, b, w = self.ds._native.graph(self.axis, name)
            length = self.ds.shape[self.axis]
            graph = known[name] = coo_matrix((w, (a, b)), shape=(length, length))
        return graph

    def _set(self, name: str, g: Any) -> None:
        from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

        known, graph = self._known(), coo_matrix(g)
        if self.ds is None:
            known[name] = graph
            return
        length = self.ds.shape[self.axis]
        if graph.shape != (length, length):
            raise InvalidInputError(
                f"Adjacency matrix shape for axis {self.axis} must be ({length},{length}) but"
                f" shape was {graph.shape}"
            )
        weights = graph.data
        if weights.dtype.kind == "b":
            weights = weights.astype("u1")
        edges = tuple(np.ascontiguousarray(nodes, np.uint64) for nodes in (graph.row, graph.col))
        self.ds._native.set_graph(self.axis, name, edges, weights)
        known[name] = None

    def _remove_stored(self, native: Any, name: str) -> None:
        native.remove_graph(self._axis, name)

    def _permute(self, ordering: np.ndarray) -> None:
        """Puts the nodes of graphs in memory in another order."""
        for name, graph in list(self.items()):
            self[name] = _part_of(graph, ordering)


def _part_of(graph: Any, where: Any) -> Any:
    """The edges between nodes that ``where`` selects, numbered as it has them."""
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped, unused-ignore]

    length = graph.shape[0]
    nodes = positions(where, length)
    shape = (len(nodes), len(nodes))
    if len(nodes) == length and (nodes == np.arange(length)).all():
        return coo_matrix((graph.data, (graph.row, graph.col)), shape=shape)
    order = np.argsort(nodes, kind="stable")
    count = np.bincount(nodes, minlength=length)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    a, b, w = graph.row, graph.col, graph.data
    n_a, n_b = count[a], count[b]
    # A node that is selected more than once has its edges each time.
    edge = np.repeat(np.arange(len(a)), n_a * n_b)
    n_each = (n_a * n_b)[n_a * n_b > 0]
    within = np.arange(len(edge)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
    new_a = order[first[a[edge]] + within // n_b[edge]] if len(edge) else edge
    new_b = order[first[b[edge]] + within % n_b[edge]] if len(edge) else edge
    return coo_matrix((w[edge], (new_a, new_b)), shape=shape)
