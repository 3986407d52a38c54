"""The attributes of an array or a group as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .array import Array
    from .common import JSON
    from .group import Group

__all__ = ["Attributes"]


class Attributes(MutableMapping[str, "JSON"]):
    """Attributes. They are read once, when they are first asked for; changes are stored at once.

    >>> g = zarr.group()
    >>> g.attrs["title"] = "run 1"
    >>> g.attrs.update(n=3, tags=["a", "b"])
    >>> del g.attrs["n"]
    >>> g.attrs.asdict()
    {'title': 'run 1', 'tags': ['a', 'b']}
    """

    def __init__(self, obj: Array[Any] | Group) -> None:
        self._obj = obj

    @property
    def _state(self) -> Any:
        obj = self._obj
        return getattr(obj, "_async_array", None) or obj._async_group  # type: ignore[union-attr]

    @property
    def cached(self) -> dict[str, JSON]:
        """The attributes as they were read."""
        found: dict[str, JSON] = self._state._attributes
        return found

    def __getitem__(self, key: str) -> JSON:
        return self.cached[key]

    def __setitem__(self, key: str, value: JSON) -> None:
        self._state._change_attributes({key: value})

    def __delitem__(self, key: str) -> None:
        rest = dict(self.cached)
        del rest[key]
        self.put(rest)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several attributes in one step."""
        self._state._change_attributes(dict(*args, **kwargs))

    def __iter__(self) -> Iterator[str]:
        return iter(self.cached)

    def __len__(self) -> int:
        return len(self.cached)

    def put(self, d: dict[str, JSON]) -> None:
        """Replaces all attributes in one step."""
        self._state._change_attributes(d, clear=True)

    def refresh(self) -> None:
        """Reads the attributes again, as another handle or process may have changed them."""
        self._state._refresh_attributes()

    def asdict(self) -> dict[str, JSON]:
        """The attributes as a dict of their own."""
        return dict(self.cached)

    def __repr__(self) -> str:
        return f"<Attributes {self.cached!r}>"
