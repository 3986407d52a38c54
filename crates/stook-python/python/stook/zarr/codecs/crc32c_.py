"""``crc32c``: a checksum of four bytes behind the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ..core.common import parse_named_configuration
from ._native import NativeBytesBytes

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["Crc32cCodec"]


@dataclass(frozen=True)
class Crc32cCodec(NativeBytesBytes):
    """A checksum, checked when bytes are decoded."""

    is_fixed_size = True

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        parse_named_configuration(data, "crc32c", require_configuration=False)
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": "crc32c"}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        return input_byte_length + 4
