"""The attributes of rows or columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from ._selecting import is_part, part
from .normalize import normalize_attr_values
from .utils import timestamp

__all__ = ["AttributeManager"]


class AttributeManager:
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

    def __init__(self, ds: Any, *, axis: int) -> None:
        state = self.__dict__
        state["_ds"], state["_axis"] = ds, axis
        # Of a file, what is there is looked up when it is asked for.
        state["_values"] = {} if ds is None else None

    @property
    def ds(self) -> Any:
        """The connection, or ``None``."""
        return self.__dict__["_ds"]

    @property
    def axis(self) -> int:
        """0 for rows, 1 for columns."""
        return self.__dict__["_axis"]

    def _known(self) -> dict[str, Any]:
        state = self.__dict__
        if state["_ds"] is not None:
            native = state["_ds"]._native
            if state["_values"] is None:
                state["_values"] = dict.fromkeys(native.attribute_names(self.axis))
        return state["_values"]

    def _forget(self) -> None:
        """The file has changed."""
        self.__dict__["_values"] = None

    def keys(self) -> list[str]:
        """The names."""
        return list(self._known())

    def items(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and values."""
        for name in self.keys():
            yield name, self[name]

    def __len__(self) -> int:
        return len(self._known())

    def __contains__(self, name: object) -> bool:
        return name in self._known()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(str.isidentifier, self.keys())]

    def last_modified(self, name: str | None = None) -> str:
        """When an attribute was changed last, or any of them."""
        if self.ds is None:
            return timestamp()
        return self.ds._last_modified(("row_attrs", "col_attrs")[self.axis], name)

    def __getitem__(self, thing: Any) -> Any:
        """An attribute by its name; of a tuple of names, those that are there, side by side; of
        a slice, index, list or mask, that part of all attributes, in memory."""
        if is_part(thing):
            found, where = AttributeManager(None, axis=self.axis), part(thing)
            for name, values in self.items():
                found.__dict__["_values"][name] = values[where]
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

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        known = self._known()
        try:
            values = known[name]
        except KeyError:
            raise AttributeError(f"there is no attribute {name!r} on axis {self.axis}") from None
        if values is None and self.ds is not None:
            values = known[name] = self.ds._native.attribute(self.axis, name)
        return values

    def __setitem__(self, name: str, val: Any) -> None:
        self.__setattr__(name, val)

    def __setattr__(self, name: str, val: Any) -> None:
        if "/" in name:
            raise KeyError("Attribute name cannot contain slash (/)")
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

    def __delitem__(self, name: str) -> None:
        self.__delattr__(name)

    def __delattr__(self, name: str) -> None:
        known = self._known()
        if self.ds is not None and name in known:
            self.ds._native.remove_attribute(self.axis, name)
        known.pop(name, None)

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

    def __repr__(self) -> str:
        return f"<AttributeManager of axis {self.axis}: {', '.join(self.__dict__['_values'] or ())}>"
