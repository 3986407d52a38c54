"""The attributes of a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._named import Named
from .normalize import normalize_attr_values

__all__ = ["GlobalAttributeManager"]


class GlobalAttributeManager(Named):
    """The attributes of the file as a whole, by name as an attribute or item.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(3), {}, {}, file_attrs={"title": "Kälte"})
    >>> with loompy.connect(path) as ds:
    ...     ds.attrs.donors = np.array(["A", "B"])
    ...     print(ds.attrs.title, ds.attrs["donors"], ds.attrs.get("year"))
    Kälte ['A' 'B'] None
    """

    _kind = "Attribute"

    def __init__(self, f: Any) -> None:
        super().__init__(f)

    def _names(self, native: Any) -> list[str]:
        names: list[str] = native.file_attribute_names()
        return names

    @property
    def f(self) -> Any:
        """The file by h5py's API."""
        return self._ds._file

    def _get(self, name: str) -> Any:
        known = self._known()
        if name not in known:
            raise AttributeError(f"File has no global attribute '{name}'")
        value = known[name]
        if value is None:
            value = self._ds._native.file_attribute(name)
            value = np.str_(value) if isinstance(value, str) else value
            known[name] = value
        return value

    def _set(self, name: str, val: Any) -> None:
        known = self._known()
        value = normalize_attr_values("None" if val is None else val, use_object_strings=True)
        self._ds._native.set_file_attribute(name, np.asarray(value))
        known[name] = None

    def _remove(self, name: str) -> None:
        known = self._known()
        if name not in known:
            raise AttributeError(f"File has no global attribute '{name}'")
        self._ds._native.remove_file_attribute(name)
        del known[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or ``default``."""
        return self[name] if name in self else default
