"""A part of a file in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError
from .to_html import to_html

if TYPE_CHECKING:
    from .view_manager import ViewManager

__all__ = ["LoomView"]


class LoomView:
    """Layers, attributes and graphs in memory, with the names that a connection has.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(4), {"Gene": list("abcd")}, {"Age": [4, 3, 2, 1]})
    >>> with loompy.connect(path) as ds:
    ...     view = ds.view[1:, [3, 0]]
    >>> view.shape, view.ra.Gene, view.ca.Age, view[:, 0]
    ((3, 2), array(['b', 'c', 'd'], dtype=object), array([1, 4]), array([0., 0., 1.]))
    """

    def __init__(
        self,
        layers: Any,
        row_attrs: Any,
        col_attrs: Any,
        row_graphs: Any,
        col_graphs: Any,
        *,
        filename: str = "",
        file_attrs: Any = None,
    ) -> None:
        self.filename = filename
        self.layers = layers
        self.shape = next(layer.shape for _, layer in layers.items())
        self.ra = row_attrs
        self.ca = col_attrs
        self.row_graphs = row_graphs
        self.col_graphs = col_graphs
        self.attrs = file_attrs
        # As version 1 of loompy had them.
        self.layer = layers
        self.row_attrs = row_attrs
        self.col_attrs = col_attrs

    @property
    def view(self) -> ViewManager:
        """Parts of this view as views."""
        # Not kept: in a cycle, its layers would stay in memory for long.
        from .view_manager import ViewManager

        return ViewManager(self)

    def __getitem__(self, slice_: Any) -> Any:
        """A layer by its name, or a part of the main matrix."""
        return self.layers[slice_] if isinstance(slice_, str) else self.layers[""][slice_]

    def _repr_html_(self) -> str:
        return to_html(self)

    def permute(self, ordering: Any, *, axis: int) -> None:
        """Puts rows (axis 0) or columns (axis 1) in another order, with their attributes and
        graphs."""
        if axis not in (0, 1):
            raise InvalidInputError("Axis must be 0 (rows) or 1 (columns)")
        self.layers._permute(ordering, axis=axis)
        attributes, graphs = (
            (self.ra, self.row_graphs) if axis == 0 else (self.ca, self.col_graphs)
        )
        if graphs is not None:
            graphs._permute(ordering)
        if hasattr(attributes, "_permute"):
            attributes._permute(ordering)
        self.shape = next(layer.shape for _, layer in self.layers.items())

    def __repr__(self) -> str:
        return f"<LoomView {self.shape} of {self.filename!r}>"
