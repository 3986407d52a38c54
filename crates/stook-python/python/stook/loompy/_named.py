"""What the managers of layers, attributes and graphs have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .utils import timestamp

__all__ = ["Named", "OfAxis", "Stamped"]


class Named:
    """Things of a file, or of a view in memory, by name as an attribute or item.

    Names of attributes belong to what is in the file, so that all else is kept where it hides no
    name: in ``__dict__``, under names that begin with an underscore.
    """

    #: What one of them is called.
    _kind: str
    _ds: Any
    #: By name: what was read or is in memory; ``None`` is to be read. All of it is ``None`` while
    #: it is to be looked up what the file has.
    _values: dict[str, Any] | None

    def __init__(self, ds: Any) -> None:
        state = self.__dict__
        state["_ds"], state["_values"] = ds, {} if ds is None else None

    def _names(self, native: Any) -> list[str]:
        """Those that the file has."""
        raise NotImplementedError

    def _get(self, name: str) -> Any:
        raise NotImplementedError

    def _set(self, name: str, val: Any) -> None:
        raise NotImplementedError

    def _remove(self, name: str) -> None:
        raise NotImplementedError

    def _known(self) -> dict[str, Any]:
        state = self.__dict__
        if self._ds is not None:
            # Also of what is known: a file that was closed is an error.
            native = self._ds._native
            if self._values is None:
                state["_values"] = dict.fromkeys(self._names(native))
        known: dict[str, Any] = state["_values"]
        return known

    def _forget(self) -> None:
        """The file has changed."""
        self.__dict__["_values"] = None

    def keys(self) -> list[str]:
        """The names."""
        return list(self._known())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names, and what they stand for."""
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

    def __getitem__(self, thing: Any) -> Any:
        return self.__getattr__(thing)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._get(name)

    def __setitem__(self, name: str, val: Any) -> None:
        self.__setattr__(name, val)

    def __setattr__(self, name: str, val: Any) -> None:
        if "/" in name:
            raise KeyError(f"{self._kind} name cannot contain slash (/)")
        self._set(name, val)

    def __delitem__(self, name: str) -> None:
        self.__delattr__(name)

    def __delattr__(self, name: str) -> None:
        self._remove(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{self._place()}: {', '.join(self._values or ())}>"

    def _place(self) -> str:
        """Where they are, for ``repr``."""
        return ""


class Stamped(Named):
    """The same of which the file keeps when they were changed."""

    @property
    def ds(self) -> Any:
        """The connection, or ``None``."""
        return self._ds

    def _part(self) -> str:
        """How the file calls the group that they are in."""
        raise NotImplementedError

    def last_modified(self, name: str | None = None) -> str:
        """When one was changed last, or any of them."""
        if self._ds is None:
            return timestamp()
        stamp: str = self._ds._last_modified(self._part(), name)
        return stamp


class OfAxis(Stamped):
    """The same of rows or columns."""

    _axis: int

    def __init__(self, ds: Any, *, axis: int) -> None:
        super().__init__(ds)
        self.__dict__["_axis"] = axis

    @property
    def axis(self) -> int:
        """0 for rows, 1 for columns."""
        return self._axis

    def _remove_stored(self, native: Any, name: str) -> None:
        raise NotImplementedError

    def _remove(self, name: str) -> None:
        known = self._known()
        if self._ds is not None and name in known:
            self._remove_stored(self._ds._native, name)
        known.pop(name, None)

    def _place(self) -> str:
        return f" of axis {self._axis}"
