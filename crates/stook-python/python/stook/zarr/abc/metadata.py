"""What parts of metadata documents have in common: they become dicts and come from dicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

__all__ = ["Metadata"]


@dataclass(frozen=True)
class Metadata:
    """A frozen record whose fields are those of a document."""

    def to_dict(self) -> dict[str, Any]:
        """The record as a dict; records inside become dicts too, sequences tuples."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The record that a dict describes."""
        return cls(**data)


def _plain(value: Any) -> Any:
    if isinstance(value, Metadata):
        return value.to_dict()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(v.to_dict() if isinstance(v, Metadata) else v for v in value)
    return value
