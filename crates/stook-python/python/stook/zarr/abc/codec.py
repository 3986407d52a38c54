"""The base classes of codecs: array to array, array to bytes, bytes to bytes.

A script adds a codec by a subclass that it registers by ``stook.zarr.registry.register_codec``.
It may define ``_encode_single`` and ``_decode_single`` as coroutines, as zarr-python wants them,
or ``_encode_sync`` and ``_decode_sync`` as plain methods.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Protocol,
    Self,
    TypeAlias,
    TypedDict,
    TypeGuard,
    TypeVar,
    runtime_checkable,
)

from ..core.common import NamedConfig, concurrent_map
from ..core.config import config
from .metadata import Metadata

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec
    from ..core.dtype import ZDType

__all__ = [
    "ArrayArrayCodec",
    "ArrayBytesCodec",
    "ArrayBytesCodecPartialDecodeMixin",
    "ArrayBytesCodecPartialEncodeMixin",
    "BaseCodec",
    "BytesBytesCodec",
    "CodecInput",
    "CodecOutput",
    "CodecPipeline",
    "SupportsSyncCodec",
]

CodecInput = TypeVar("CodecInput")
CodecOutput = TypeVar("CodecOutput")
TName = TypeVar("TName", bound=str, covariant=True)


class CodecJSON_V2(TypedDict, Generic[TName]):
    """A codec as documents of version 2 have it, without its settings."""

    id: TName


CodecJSON_V3: TypeAlias = str | NamedConfig[str, Mapping[str, object]]
CodecJSON: TypeAlias = str | Mapping[str, object]


def _check_codecjson_v2(data: object) -> TypeGuard[CodecJSON_V2[str]]:
    return isinstance(data, Mapping) and isinstance(data.get("id"), str)


@runtime_checkable
class SupportsSyncCodec(Protocol):
    """A codec that works without an event loop."""

    def _decode_sync(self, chunk_data: Any, chunk_spec: ArraySpec) -> Any: ...

    def _encode_sync(self, chunk_data: Any, chunk_spec: ArraySpec) -> Any: ...


class BaseCodec(Metadata, Generic[CodecInput, CodecOutput]):
    """What all codecs share; a codec inherits one of the three classes below."""

    is_fixed_size: bool

    @abstractmethod
    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """The length of what so many bytes are encoded to.

        Raises
        ------
        NotImplementedError
            If that depends on the bytes.
        """

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        """What the next codec gets, if this one gets ``chunk_spec``."""
        return chunk_spec

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        """The codec, with settings that depend on the array filled in."""
        return self

    def validate(self, *, shape: tuple[int, ...], dtype: ZDType[Any, Any], chunk_grid: Any) -> None:
        """Raise ValueError if the codec is not for such an array."""

    async def _decode_single(self, chunk_data: Any, chunk_spec: ArraySpec) -> Any:
        if isinstance(self, SupportsSyncCodec):
            return self._decode_sync(chunk_data, chunk_spec)
        raise NotImplementedError

    async def decode(
        self, chunks_and_specs: Iterable[tuple[CodecOutput | None, ArraySpec]]
    ) -> Iterable[CodecInput | None]:
        """What chunks decode to; None of None."""
        return await _each(self._decode_single, chunks_and_specs)

    async def _encode_single(self, chunk_data: Any, chunk_spec: ArraySpec) -> Any:
        if isinstance(self, SupportsSyncCodec):
            return self._encode_sync(chunk_data, chunk_spec)
        raise NotImplementedError

    async def encode(
        self, chunks_and_specs: Iterable[tuple[CodecInput | None, ArraySpec]]
    ) -> Iterable[CodecOutput | None]:
        """The encodings of chunks; None of None."""
        return await _each(self._encode_single, chunks_and_specs)


class ArrayArrayCodec(BaseCodec[Any, Any]):
    """A codec that makes an array of an array: a filter."""


class ArrayBytesCodec(BaseCodec[Any, Any]):
    """A codec that makes bytes of an array: a serializer."""


class BytesBytesCodec(BaseCodec[Any, Any]):
    """A codec that makes bytes of bytes: a compressor."""


Codec: TypeAlias = ArrayArrayCodec | ArrayBytesCodec | BytesBytesCodec


class ArrayBytesCodecPartialDecodeMixin:
    """A serializer that can decode a part without reading all bytes."""

    async def _decode_partial_single(
        self, byte_getter: Any, selection: Any, chunk_spec: ArraySpec
    ) -> Any:
        raise NotImplementedError

    async def decode_partial(
        self, batch_info: Iterable[tuple[Any, Any, ArraySpec]]
    ) -> Iterable[Any]:
        """Parts of chunks: of each a getter of bytes, a selection, and what the chunk is."""
        return await concurrent_map(
            list(batch_info), self._decode_partial_single, config.get("async.concurrency")
        )


class ArrayBytesCodecPartialEncodeMixin:
    """A serializer that can encode a part without the rest."""

    async def _encode_partial_single(
        self, byte_setter: Any, chunk_array: Any, selection: Any, chunk_spec: ArraySpec
    ) -> None:
        raise NotImplementedError

    async def encode_partial(self, batch_info: Iterable[tuple[Any, Any, Any, ArraySpec]]) -> None:
        """Store parts: of each a setter of bytes, values, a selection, and what the chunk is."""
        await concurrent_map(
            list(batch_info), self._encode_partial_single, config.get("async.concurrency")
        )


class CodecPipeline:
    """A chain of codecs. Arrays here run theirs in the engine; this is what scripts name."""

    @abstractmethod
    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        """The pipeline, with settings that depend on the array filled in."""

    @classmethod
    @abstractmethod
    def from_codecs(cls, codecs: Iterable[Codec]) -> Self:
        """The pipeline of these codecs."""

    @classmethod
    def from_array_metadata_and_store(cls, array_metadata: Any, store: Any) -> Self:
        """The pipeline for an array of a store."""
        raise NotImplementedError(
            f"'{cls.__name__}' does not implement CodecPipeline.from_array_metadata_and_store."
        )

    @property
    @abstractmethod
    def supports_partial_decode(self) -> bool:
        """Whether a part can be read alone."""

    @property
    @abstractmethod
    def supports_partial_encode(self) -> bool:
        """Whether a part can be stored alone."""

    @abstractmethod
    def validate(self, *, shape: tuple[int, ...], dtype: ZDType[Any, Any], chunk_grid: Any) -> None:
        """Raise ValueError if a codec is not for such an array."""

    @abstractmethod
    def compute_encoded_size(self, byte_length: int, array_spec: ArraySpec) -> int:
        """The length of what so many bytes are encoded to."""

    @abstractmethod
    async def decode(self, chunk_bytes_and_specs: Iterable[tuple[Any, ArraySpec]]) -> Iterable[Any]:
        """What chunks decode to."""

    @abstractmethod
    async def encode(
        self, chunk_arrays_and_specs: Iterable[tuple[Any, ArraySpec]]
    ) -> Iterable[Any]:
        """The encodings of chunks."""

    @abstractmethod
    async def read(
        self, batch_info: Iterable[Any], out: Any, drop_axes: tuple[int, ...] = ()
    ) -> None:
        """Read parts of chunks into an array."""

    @abstractmethod
    async def write(
        self, batch_info: Iterable[Any], value: Any, drop_axes: tuple[int, ...] = ()
    ) -> None:
        """Store parts of chunks from an array."""


async def _each(
    func: Callable[[Any, ArraySpec], Awaitable[Any]], items: Iterable[tuple[Any, ArraySpec]]
) -> list[Any]:
    async def unless_missing(chunk: Any, spec: ArraySpec) -> Any:
        return None if chunk is None else await func(chunk, spec)

    return await concurrent_map(list(items), unless_missing, config.get("async.concurrency"))
