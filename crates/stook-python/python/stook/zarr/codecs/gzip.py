"""``gzip``: deflate with a header and a checksum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from ..core.common import parse_named_configuration
from ._native import NativeBytesBytes

__all__ = ["GzipCodec"]


def parse_gzip_level(data: Any) -> int:
    """An integer from 0 to 9."""
    if not isinstance(data, int):
        raise TypeError(f"Expected int, got {type(data)}")
    if data not in range(10):
        raise ValueError(
            f"Expected an integer from the inclusive range (0, 9). Got {data} instead."
        )
    return data


@dataclass(frozen=True)
class GzipCodec(NativeBytesBytes):
    """Gzip; ``level`` says how hard it tries, from 0 to 9."""

    is_fixed_size = False
    level: int = 5

    def __init__(self, *, level: int = 5) -> None:
        object.__setattr__(self, "level", parse_gzip_level(level))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "gzip")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": "gzip", "configuration": {"level": self.level}}
