"""The attributes of a node, as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from ._errors import NotFoundError
from ._stook import Tree


class Empty:
    """The value of an attribute that has a type and no value (HDF5's null dataspace).

    >>> stook.Empty("float32")
    Empty(dtype('float32'))
    """

    __slots__ = ("dtype",)
    _stook_empty = True

    dtype: np.dtype[Any]

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def __repr__(self) -> str:
        return f"Empty({self.dtype!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Empty) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash((Empty, self.dtype))


class Attributes(MutableMapping[str, Any]):
    """Named values on a group or array; every access reads the file, every change writes it.

    Values from HDF5 are scalars and arrays of numpy, or :class:`str`; values from Zarr are what
    JSON has: ``None``, bools, numbers, strings, lists and dicts.

    >>> f = getfixture("file")
    >>> f.attrs["unit"] = "mV"
    >>> f.attrs.update(gain=[1.5, 2.0], run=7)
    >>> dict(f.attrs)
    {'unit': 'mV', 'gain': [1.5, 2.0], 'run': 7}
    >>> del f.attrs["run"]
    >>> f.attrs.get("run") is None
    True
    """

    __slots__ = ("_node", "_tree")

    def __init__(self, tree: Tree, node: str) -> None:
        self._tree = tree
        self._node = node

    def asdict(self) -> dict[str, Any]:
        """All attributes, read at once."""
        return dict(self._tree.attributes(self._node))

    def __getitem__(self, name: str) -> Any:
        try:
            return self.asdict()[name]
        except KeyError:
            raise self._missing(name) from None

    def __setitem__(self, name: str, value: Any) -> None:
        self._tree.edit_attributes(self._node, False, [(name, value)], [])

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise self._missing(name)
        self._tree.edit_attributes(self._node, False, [], [name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.asdict())

    def __len__(self) -> int:
        return len(self._tree.attributes(self._node))

    def __contains__(self, name: object) -> bool:
        return name in self.asdict()

    def keys(self) -> Any:
        """The names."""
        return self.asdict().keys()

    def values(self) -> Any:
        """The values, read at once."""
        return self.asdict().values()

    def items(self) -> Any:
        """Names and values, read at once."""
        return self.asdict().items()

    def update(self, other: Any = (), /, **values: Any) -> None:
        """Sets several attributes, given as a mapping, as pairs or by name: all or none."""
        changes = dict(other, **values)
        self._tree.edit_attributes(self._node, False, list(changes.items()), [])

    def put(self, values: Mapping[str, Any]) -> None:
        """Replaces all attributes by these: all or none."""
        self._tree.edit_attributes(self._node, True, list(values.items()), [])

    def clear(self) -> None:
        """Removes all attributes."""
        self._tree.edit_attributes(self._node, True, [], [])

    def __repr__(self) -> str:
        return f"<Attributes of {self._node}: {self.asdict()!r}>"

    def _missing(self, name: str) -> NotFoundError:
        message = f"there is no attribute `{name}`"
        return NotFoundError(message, file=str(self._tree.path), node=self._node)
