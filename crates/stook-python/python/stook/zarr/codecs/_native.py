"""Codecs that ``stook.codecs`` knows: what a class needs to encode and decode by itself.

Arrays do not come this way: the engine is told the chain by the document. This is for scripts
that call a codec, and for chains that have a codec of a script in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec


def native_codec(config: Any, dtype: Any = None) -> Any:
    """The codec of the engine for the object of a document."""
    from ...codecs import get_codec

    return get_codec(config, dtype)


def to_array(chunk_data: Any) -> Any:
    """The NumPy array of a buffer, or of what is one already."""
    as_array = getattr(chunk_data, "as_numpy_array", None)
    return np.asarray(chunk_data if as_array is None else as_array())


def to_bytes(chunk_data: Any) -> bytes:
    """The bytes of a buffer, or of what is bytes already."""
    if isinstance(chunk_data, bytes):
        return chunk_data
    return bytes(to_array(chunk_data).tobytes())


def bytes_buffer(data: Any, spec: ArraySpec) -> Any:
    """Bytes in the buffer that a spec wants."""
    data = bytes(data)
    return data if spec.prototype is None else spec.prototype.buffer.from_bytes(data)


def array_buffer(data: Any, spec: ArraySpec) -> Any:
    """An array in the buffer that a spec wants."""
    return data if spec.prototype is None else spec.prototype.nd_buffer.from_ndarray_like(data)


class NativeBytesBytes(BytesBytesCodec):
    """A compressor or checksum of the engine."""

    def _encode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        codec = native_codec(_config(self), _item_type(chunk_spec))
        return bytes_buffer(codec.encode(to_array(chunk_bytes)), chunk_spec)

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        codec = native_codec(_config(self), _item_type(chunk_spec))
        return bytes_buffer(codec.decode(to_bytes(chunk_bytes)), chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError


class NativeArrayBytes(ArrayBytesCodec):
    """A serializer of the engine whose bytes say what the items are."""

    def _encode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        codec = native_codec(_config(self), _item_type(chunk_spec))
        return bytes_buffer(codec.encode(to_array(chunk_array)), chunk_spec)

    def _decode_sync(self, chunk_bytes: Any, chunk_spec: ArraySpec) -> Any:
        native = chunk_spec.dtype.to_native_dtype()
        codec = native_codec(_config(self), _item_type(chunk_spec))
        decoded = codec.decode(to_bytes(chunk_bytes))
        if not isinstance(decoded, np.ndarray):
            decoded = np.frombuffer(decoded, native)
        return array_buffer(decoded.astype(native).reshape(chunk_spec.shape), chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError


class NativeArrayArray(ArrayArrayCodec):
    """A filter of the engine."""

    def _encode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        codec = native_codec(_config(self), _item_type(chunk_spec))
        encoded = codec.encode(np.ascontiguousarray(to_array(chunk_array)))
        out = self.resolve_metadata(chunk_spec)
        array = np.frombuffer(encoded, out.dtype.to_native_dtype())
        return array_buffer(array.reshape(out.shape), chunk_spec)

    def _decode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        native = chunk_spec.dtype.to_native_dtype()
        codec = native_codec(_config(self), native)
        decoded = codec.decode(np.ascontiguousarray(to_array(chunk_array)).tobytes())
        if not isinstance(decoded, np.ndarray):
            decoded = np.frombuffer(decoded, native)
        return array_buffer(decoded.view(native).reshape(chunk_spec.shape), chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError


def _config(codec: Any) -> Any:
    """The settings of a codec: numcodecs has defaults of its own for what is not said."""
    return getattr(codec, "codec_config", None) or codec.to_dict()


def _item_type(spec: ArraySpec) -> Any:
    native = spec.dtype.to_native_dtype()
    return None if native.kind in "OT" else native
