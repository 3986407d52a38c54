"""Views: parts of a file in memory."""

from __future__ import annotations

from typing import Any

from .._errors import InvalidInputError
from .loom_view import LoomView

__all__ = ["ViewManager"]


class ViewManager:
    """Makes views of a connection or a view: ``ds.view[rows, columns]``."""

    def __init__(self, ds: Any) -> None:
        self.ds = ds

    def __getitem__(self, slice_: Any) -> LoomView:
        if not isinstance(slice_, tuple) or len(slice_) != 2:
            raise InvalidInputError("Views require slices along two dimensions")
        rows, columns = slice_
        ds = self.ds
        return LoomView(
            ds.layers[rows, columns],
            ds.ra[rows],
            ds.ca[columns],
            None if ds.row_graphs is None else ds.row_graphs[rows],
            None if ds.col_graphs is None else ds.col_graphs[columns],
            filename=ds.filename,
            file_attrs=ds.attrs,
        )
