"""The codecs of an array of version 2 as one codec of version 3: filters, then a compressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abc.codec import ArrayBytesCodec
from ..abc.numcodec import Numcodec
from ..core.numcodec import configured
from ._native import array_buffer, bytes_buffer, to_array, to_bytes

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["V2Codec"]


@dataclass(frozen=True)
class V2Codec(ArrayBytesCodec):
    """Filters and compressor."""

    filters: tuple[Numcodec, ...] | None
    compressor: Numcodec | None

    is_fixed_size = False

    def _encode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        chunk = to_array(chunk_array)
        native = chunk_spec.dtype.to_native_dtype()
        if native.kind == "T":
            # Codecs of objects are older than NumPy's strings.
            chunk = chunk.astype(object)
        elif chunk.dtype != native:
            chunk = chunk.astype(native)
        chunk = np.asarray(chunk, order=chunk_spec.order).ravel(order=chunk_spec.order)
        for codec in (*(self.filters or ()), self.compressor):
            if codec is not None:
                chunk = _safe(codec).encode(chunk)
        is_bytes = isinstance(chunk, bytes | bytearray | memoryview)
        return bytes_buffer(chunk if is_bytes else np.asarray(chunk).tobytes(), chunk_spec)

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        chunk: Any = to_bytes(chunk_bytes)
        for codec in (self.compressor, *reversed(self.filters or ())):
            if codec is not None:
                chunk = _safe(codec).decode(chunk)
        native = chunk_spec.dtype.to_native_dtype()
        if not isinstance(chunk, np.ndarray):
            chunk = np.frombuffer(chunk, native)
        elif chunk.dtype != native:
            is_object = chunk.dtype.kind == "O" or native.kind in "OT"
            chunk = chunk.astype(native) if is_object else chunk.view(native)
        shaped = chunk.reshape(chunk_spec.shape, order=chunk_spec.order)
        return array_buffer(shaped, chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError


def _safe(codec: Numcodec) -> Any:
    """The codec, but none that executes what bytes say: a pickle is read as data."""
    return configured("pickle") if codec.codec_id == "pickle" else codec
