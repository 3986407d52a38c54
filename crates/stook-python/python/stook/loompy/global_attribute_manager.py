"""The attributes of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .normalize import normalize_attr_values

__all__ = ["GlobalAttributeManager"]


class GlobalAttributeManager:
    """The attributes of the file as a whole, by name as an attribute or item.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(3), {}, {}, file_attrs={"title": "Kälte"})
    >>> with loompy.connect(path) as ds:
    ...     ds.attrs.donors = np.array(["A", "B"])
    ...     print(ds.attrs.title, ds.attrs["donors"], ds.attrs.get("year"))
    Kälte ['A' 'B'] None
    """

    def __init__(self, f: Any) -> None:
        state = self.__dict__
        state["_ds"] = f
        # What is there is looked up when it is asked for.
        state["_values"] = None

    def _known(self) -> dict[str, Any]:
        state = self.__dict__
        native = state["_ds"]._native
        if state["_values"] is None:
            state["_values"] = dict.fromkeys(native.file_attribute_names())
        return state["_values"]

    def _forget(self) -> None:
        """The file has changed."""
        self.__dict__["_values"] = None

    @property
    def f(self) -> Any:
        """The file by h5py's API."""
        return self.__dict__["_ds"]._file

    def keys(self) -> list[str]:
        """The names."""
        return list(self._known())

    def items(self) -> Iterator[tuple[str, Any]]:
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

    def __getitem__(self, thing: str) -> Any:
        return self.__getattr__(thing)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        known = self._known()
        if name not in known:
            raise AttributeError(f"File has no global attribute '{name}'")
        value = known[name]
        if value is None:
            value = self.__dict__["_ds"]._native.file_attribute(name)
            value = np.str_(value) if isinstance(value, str) else value
            known[name] = value
        return value

    def __setitem__(self, name: str, val: Any) -> None:
        self.__setattr__(name, val)

    def __setattr__(self, name: str, val: Any) -> None:
        if "/" in name:
            raise KeyError("Attribute name cannot contain slash (/)")
        known = self._known()
        value = normalize_attr_values("None" if val is None else val, use_object_strings=True)
        self.__dict__["_ds"]._native.set_file_attribute(name, np.asarray(value))
        known[name] = None

    def __delitem__(self, name: str) -> None:
        self.__delattr__(name)

    def __delattr__(self, name: str) -> None:
        known = self._known()
        if name not in known:
            raise AttributeError(f"File has no global attribute '{name}'")
        self.__dict__["_ds"]._native.remove_file_attribute(name)
        del known[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or ``default``."""
        return self[name] if name in self else default

    def __repr__(self) -> str:
        return f"<GlobalAttributeManager: {', '.join(self.__dict__['_values'] or ())}>"
