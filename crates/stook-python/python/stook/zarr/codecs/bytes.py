"""``bytes``: items one after another, in one byte order."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from ..abc.codec import ArrayBytesCodec
from ..core.common import parse_enum, parse_named_configuration
from ..core.dtype.common import HasEndianness
from ..core.dtype.npy.common import with_endianness
from ._native import array_buffer, bytes_buffer, to_array

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["BytesCodec", "Endian"]


class Endian(Enum):
    """The byte that comes first: the most or the least significant one."""

    big = "big"
    little = "little"


default_system_endian = Endian(sys.byteorder)


@dataclass(frozen=True)
class BytesCodec(ArrayBytesCodec):
    """Items one after another.

    Parameters
    ----------
    endian
        The order of their bytes; None for items of one byte, or without an order.
    """

    is_fixed_size = True
    endian: Endian | None

    def __init__(self, *, endian: Endian | str | None = default_system_endian) -> None:
        parsed = None if endian is None else parse_enum(endian, Endian)
        object.__setattr__(self, "endian", parsed)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, found = parse_named_configuration(data, "bytes", require_configuration=False)
        return cls(**found or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        if self.endian is None:
            return {"name": "bytes"}
        return {"name": "bytes", "configuration": {"endian": self.endian.value}}

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        if not isinstance(array_spec.dtype, HasEndianness):
            return self if self.endian is None else replace(self, endian=None)
        if self.endian is None:
            raise ValueError(
                "The `endian` configuration needs to be specified for multi-byte data types."
            )
        return self

    def _stored_dtype(self, chunk_spec: ArraySpec) -> Any:
        dtype = chunk_spec.dtype
        if self.endian is not None:
            dtype = with_endianness(dtype, self.endian.value)
        return dtype.to_native_dtype()

    def _encode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        array = to_array(chunk_array)
        return bytes_buffer(array.astype(self._stored_dtype(chunk_spec)).tobytes(), chunk_spec)

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        flat = to_array(chunk_bytes).view(self._stored_dtype(chunk_spec))
        return array_buffer(flat.reshape(chunk_spec.shape), chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        return input_byte_length
