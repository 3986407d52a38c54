"""The attributes of rows or columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import InvalidInputError
from ._named import OfAxis
from ._selecting import is_part, part
from .normalize import normalize_attr_values

__all__ = ["AttributeManager"]


class AttributeManager(OfAxis):
    """The attributes of an axis: by name as an attribute or item, or all of a part of the axis.

    They are read when they are asked for first. Assigning writes to the file; without one (as in
    a view) values stay in memory, as they are given.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(3), {"Gene": ["a", "b", "c"]}, {"Age": [3, 1, 2]})
    >>> with loompy.connect(path) as ds:
    ...     ds.ra.Length = [10, 20, 30]
    ...     ds.ra.keys(), ds.ra[1:].Length, ds.ca["Years", "Age"]
    (['Gene', 'Length'], array([20, 30]), array([3, 1, 2]))
    """

    _kind = "Attribute"

    def _names(self, native: Any) -> list[str]:
        names: list[str] = native.attribute_names(self._axis)
        return names

    def _part(self) -> str:
        return ("row_attrs", "col_attrs")[self._axis]

    def __getitem__(self, thing: Any) -> Any:
        """An attribute by its name; of a tuple of names, those that are there, side by side; of
        a slice, index, list or mask, that part of all attributes, in memory."""
        if is_part(thing):
            found, where = AttributeManager(None, axis=self.axis), part(thing)
            for name, values in self.items():
                found._known()[name] = values[where]
            return found
        if isinstance(thing, tuple):
            return self._stacked(thing)
        return self.__getattr__(thing)

    def _stacked(self, names: tuple[str, ...]) -> np.ndarray:
        found = [self.__getattr__(name) for name in names if name in self]
        if not found:
            raise AttributeError(f"there is no attribute {names!r} on axis {self.axis}")
        for values in found:
            if values.dtype != found[0].dtype:
                raise AttributeError(
                    f"Cannot stack attributes of different types ({values.dtype} and"
                    f" {found[0].dtype})"
                )
        return found[0] if len(found) == 1 else np.column_stack(found)

    def _get(self, name: str) -> Any:
        known = self._known()
        try:
            values = known[name]
        except KeyError:
            raise AttributeError(f"there is no attribute {name!r} on axis {self.axis}") from None
        if values is None and self.ds is not None:
            values = known[name] = self.ds._native.attribute(self.axis, name)
        return values

    def _set(self, name: str, val: Any) -> None:
        known = self._known()
        if self.ds is None:
            known[name] = val
            return
        values = normalize_attr_values(val, use_object_strings=True)
        length = self.ds.shape[self.axis]
        if np.ndim(values) == 0:
            raise InvalidInputError(f"Attribute {name!r} must have a value for each item, not one")
        if length != 0 and len(values) != length:
            raise InvalidInputError(
                f"Attribute '{name}' must have exactly {length} values but {len(values)} were given"
            )
        self.ds._native.set_attribute(self.axis, name, values)
        known[name] = None

    def _remove_stored(self, native: Any, name: str) -> None:
        native.remove_attribute(self._axis, name)

    def get(self, name: str, default: Any) -> np.ndarray:
        """An attribute, or ``default``: an array with a value for each row or column."""
        if name in self:
            return self[name]
        length = "" if self.ds is None else self.ds.shape[self.axis]
        if not isinstance(default, np.ndarray):
            raise InvalidInputError(f"Default must be an np.ndarray with exactly {length} values")
        if self.ds is not None and len(default) != length:
            raise InvalidInputError(
                f"Default must be an np.ndarray with exactly {length} values but {len(default)}"
                " were given"
            )
        return default

    def _permute(self, ordering: np.ndarray) -> None:
        """Puts the values of an object in memory in another order."""
        for name, values in list(self.items()):
            self[name] = values[ordering]
