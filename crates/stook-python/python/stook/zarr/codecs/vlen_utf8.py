"""``vlen-utf8`` and ``vlen-bytes``: texts and bytes of any length, each behind its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ..core.common import parse_named_configuration
from ..core.numcodec import configured
from ._native import NativeArrayBytes, array_buffer, to_bytes

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["VLenBytesCodec", "VLenUTF8Codec"]


class _VLen(NativeArrayBytes):
    _name: str

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, cls._name, require_configuration=False)
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": self._name, "configuration": {}}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError("compute_encoded_size is not implemented for VLen codecs")


@dataclass(frozen=True)
class VLenUTF8Codec(_VLen):
    """Texts."""

    _name = "vlen-utf8"


@dataclass(frozen=True)
class VLenBytesCodec(_VLen):
    """Bytes."""

    _name = "vlen-bytes"

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        items = configured("vlen-bytes").decode(to_bytes(chunk_bytes))
        return array_buffer(items.reshape(chunk_spec.shape), chunk_spec)
