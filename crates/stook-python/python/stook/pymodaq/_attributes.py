"""Attributes of nodes, decoded. A value is a literal that is parsed; nothing in a file is run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._errors import FormatError, InvalidInputError, LimitError, UnsupportedError
from ._errors import MissingNodeError, node_errors
from ._handles import Dataset, Handle

if TYPE_CHECKING:
    from ._nodes import Node

# These are stored as they are, and not described.
_PLAIN = ("TITLE", "CLASS", "EXTDIM")


class AttributeWarning(UserWarning):
    """An attribute could not be decoded, and is given as it is stored."""


def check_mandatory_attrs(attr_name: str, attr: Any) -> Any:
    """The text of an attribute that marks a node, where it is bytes."""
    if attr_name in _PLAIN and isinstance(attr, bytes):
        return attr.decode()
    return attr


def _handle(node: Any) -> Handle:
    handle = getattr(node, "node", node)
    if not isinstance(handle, Handle):
        raise InvalidInputError(f"expected a node, found {type(node).__name__}")
    return handle


def _get(handle: Handle, name: str) -> Any:
    try:
        found = handle.native.attribute(handle.name, name)
    except (UnsupportedError, InvalidInputError, LimitError, FormatError) as error:
        stored = handle.native.stored_attribute(handle.name, name)
        if stored is None or not isinstance(stored[0], str):
            raise
        warnings.warn(f"not decoded: {error}", AttributeWarning, stacklevel=3)
        return stored[0]
    if found is None:
        raise MissingNodeError(f"there is no attribute `{name}`", node=handle.name)
    return found[0]


def get_attr(node: Any, attr_name: str | None, backend: str = "tables") -> Any:
    """An attribute of a node, decoded; without a name, a dict of all.

    One whose text would run something if it were evaluated is given as that text, with an
    :class:`AttributeWarning` that names what.
    """
    del backend
    handle = _handle(node)
    if attr_name is not None:
        return _get(handle, attr_name)
    return {name: _get(handle, name) for name in handle.native.attribute_names(handle.name)}


def described(value: Any) -> str:
    """The text that stands for a value."""
    kind = type(value)
    return json.dumps({"module": kind.__module__, "type": kind.__name__, "data": repr(value)})


def set_attr(node: Any, attr_name: str, attr_value: Any, backend: str = "tables") -> None:
    """Sets an attribute of a node."""
    del backend
    handle = _handle(node)
    with node_errors():
        handle.native.set_text(handle.name, attr_name, described(attr_value))


class Attributes:
    """The attributes of a node, by name."""

    def __init__(self, node: Node, backend: str = "tables") -> None:
        self._node = node
        self.backend = backend

    def __getitem__(self, item: str) -> Any:
        handle = self._node._node
        name = "TITLE" if item == "title" else item
        if name == "shape" and isinstance(handle, Dataset):
            # That of an array that grows is what it is now.
            found = handle.native.attribute(handle.name, name)
            if found is not None:
                return found[0]
        return _get(handle, name)

    def __setitem__(self, key: str, value: Any) -> None:
        set_attr(self._node, "TITLE" if key == "title" else key, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.attrs_name)

    def __len__(self) -> int:
        return len(self.attrs_name)

    def __contains__(self, item: object) -> bool:
        return item in self.attrs_name

    def get(self, key: str, default: Any = None) -> Any:
        """The attribute of a name, or a default where there is none."""
        try:
            return self[key]
        except MissingNodeError:
            return default

    def to_dict(self) -> dict[str, Any]:
        """All names and values."""
        return {name: self[name] for name in self.attrs_name}

    @property
    def node(self) -> Node:
        """The node that they belong to."""
        return self._node

    @property
    def attrs_name(self) -> list[str]:
        """The names."""
        handle = self._node._node
        return handle.native.attribute_names(handle.name)

    def __str__(self) -> str:
        return f"{self._node.path}.attrs (Attributes), {len(self)} attributes"

    def __repr__(self) -> str:
        lines = ",\n    ".join(f"{name} := {self[name]}" for name in self.attrs_name)
        return f"{self}:\n   [{lines}]" if lines else str(self)


__all__ = [
    "AttributeWarning",
    "Attributes",
    "check_mandatory_attrs",
    "described",
    "get_attr",
    "set_attr",
]
