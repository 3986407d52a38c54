"""``zstd``: Zstandard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from ..core.common import parse_named_configuration
from ._native import NativeBytesBytes

__all__ = ["ZstdCodec"]


def parse_zstd_level(data: Any) -> int:
    """An integer up to 22."""
    if not isinstance(data, int):
        raise TypeError(f"Got value with type {type(data)}, but expected an int.")
    if data >= 23:
        raise ValueError(f"Value must be less than or equal to 22. Got {data} instead.")
    return data


def parse_checksum(data: Any) -> bool:
    """A bool."""
    if not isinstance(data, bool):
        raise TypeError(f"Expected bool. Got {type(data)}.")
    return data


@dataclass(frozen=True)
class ZstdCodec(NativeBytesBytes):
    """Zstandard.

    Parameters
    ----------
    level
        How hard it tries, up to 22; 0 is the default of the library, less than 0 is fast.
    checksum
        Whether a checksum is stored with the bytes.
    """

    is_fixed_size = False
    level: int = 0
    checksum: bool = False

    def __init__(self, *, level: int = 0, checksum: bool = False) -> None:
        object.__setattr__(self, "level", parse_zstd_level(level))
        object.__setattr__(self, "checksum", parse_checksum(checksum))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "zstd")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": "zstd", "configuration": {"level": self.level, "checksum": self.checksum}}
