"""Chains of codecs that run in Python.

Arrays run their chains in the engine. A chain with a codec that a script registered cannot: its
chunks are encoded and decoded here, one after another, by :class:`ChunkCodec`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..abc.codec import (
    ArrayArrayCodec,
    ArrayBytesCodec,
    ArrayBytesCodecPartialDecodeMixin,
    ArrayBytesCodecPartialEncodeMixin,
    BytesBytesCodec,
    Codec,
    CodecPipeline,
)
from ..registry import fully_qualified_name, register_pipeline
from .codec_chain import codecs_from_list
from .config import config
from .numcodec import is_configured

if TYPE_CHECKING:
    from .array_spec import ArraySpec

__all__ = ["BatchedCodecPipeline", "ChunkCodec", "codecs_from_list", "needs_python", "python_codec"]


@dataclass(frozen=True)
class BatchedCodecPipeline(CodecPipeline):
    """A chain of codecs of which any may be written in Python."""

    array_array_codecs: tuple[ArrayArrayCodec, ...]
    array_bytes_codec: ArrayBytesCodec
    bytes_bytes_codecs: tuple[BytesBytesCodec, ...]
    batch_size: int

    @classmethod
    def from_codecs(cls, codecs: Iterable[Codec], *, batch_size: int | None = None) -> Self:
        filters, serializer, compressors = codecs_from_list(codecs)
        return cls(
            array_array_codecs=filters,
            array_bytes_codec=serializer,
            bytes_bytes_codecs=compressors,
            batch_size=batch_size or config.get("codec_pipeline.batch_size"),
        )

    def __iter__(self) -> Iterator[Codec]:
        yield from self.array_array_codecs
        yield self.array_bytes_codec
        yield from self.bytes_bytes_codecs

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        return type(self).from_codecs(codec.evolve_from_array_spec(array_spec) for codec in self)

    @property
    def _is_serializer_alone(self) -> bool:
        return not self.array_array_codecs and not self.bytes_bytes_codecs

    @property
    def supports_partial_decode(self) -> bool:
        return self._is_serializer_alone and isinstance(
            self.array_bytes_codec, ArrayBytesCodecPartialDecodeMixin
        )

    @property
    def supports_partial_encode(self) -> bool:
        return self._is_serializer_alone and isinstance(
            self.array_bytes_codec, ArrayBytesCodecPartialEncodeMixin
        )

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        for codec in self:
            codec.validate(shape=shape, dtype=dtype, chunk_grid=chunk_grid)

    def compute_encoded_size(self, byte_length: int, array_spec: ArraySpec) -> int:
        for codec, spec in self._stages(array_spec):
            byte_length = codec.compute_encoded_size(byte_length, spec)
        return byte_length

    def _stages(self, spec: ArraySpec) -> list[tuple[Codec, ArraySpec]]:
        """Each codec with what it gets."""
        stages: list[tuple[Codec, ArraySpec]] = []
        for codec in self:
            stages.append((codec, spec))
            spec = codec.resolve_metadata(spec)
        return stages

    async def _encode_one(self, data: Any, spec: ArraySpec) -> Any:
        for codec, stage in self._stages(spec):
            if data is None:
                return None
            (data,) = await codec.encode([(data, stage)])
        return data

    async def _decode_one(self, data: Any, spec: ArraySpec) -> Any:
        for codec, stage in reversed(self._stages(spec)):
            if data is None:
                return None
            (data,) = await codec.decode([(data, stage)])
        return data

    async def encode(
        self, chunk_arrays_and_specs: Iterable[tuple[Any, ArraySpec]]
    ) -> Iterable[Any]:
        return [await self._encode_one(data, spec) for data, spec in chunk_arrays_and_specs]

    async def decode(self, chunk_bytes_and_specs: Iterable[tuple[Any, ArraySpec]]) -> Iterable[Any]:
        return [await self._decode_one(data, spec) for data, spec in chunk_bytes_and_specs]

    async def read(
        self, batch_info: Iterable[Any], out: Any, drop_axes: tuple[int, ...] = ()
    ) -> None:
        """Read parts of chunks into a buffer.

        Each of ``batch_info`` has a getter of bytes, what the chunk is, which part of it to
        take, and where in ``out`` that belongs.
        """
        for getter, spec, chunk_selection, out_selection, *_ in batch_info:
            stored = await getter.get(prototype=spec.prototype)
            chunk = await self._decode_one(stored, spec)
            if chunk is None:
                fill = spec.fill_value
                out[out_selection] = spec.dtype.default_scalar() if fill is None else fill
                continue
            part = chunk[chunk_selection]
            out[out_selection] = part.squeeze(axis=drop_axes) if drop_axes else part

    async def write(
        self, batch_info: Iterable[Any], value: Any, drop_axes: tuple[int, ...] = ()
    ) -> None:
        """Refused: arrays are written by the engine, or a chunk at a time by ChunkCodec."""
        raise NotImplementedError(
            "stook.zarr writes chunks through its engine; a pipeline does not write to stores"
        )


register_pipeline(BatchedCodecPipeline)


def needs_python(metadata: Any) -> bool:
    """Whether the chunks of an array go through a codec that a script or package registered."""
    codecs = getattr(metadata, "codecs", None)
    if codecs is not None:
        return any(_is_foreign(codec) for codec in codecs)
    chain = (*(metadata.filters or ()), metadata.compressor)
    return any(codec is not None and not is_configured(codec.codec_id) for codec in chain)


def _is_foreign(codec: Codec) -> bool:
    if not fully_qualified_name(type(codec)).startswith("zarr.codecs."):
        return True
    inner = (*getattr(codec, "codecs", ()), *getattr(codec, "index_codecs", ()))
    return any(_is_foreign(c) for c in inner)


class ChunkCodec:
    """The chain of an array that runs in Python, as plain functions of bytes and arrays.

    This is what the engine calls, or whoever stands in for it: both ways for a chunk as a whole.

    Parameters
    ----------
    metadata
        The array, of either version.

    Raises
    ------
    NotImplementedError
        If it has shards: the engine makes them, and it cannot call such codecs.
    """

    def __init__(self, metadata: Any) -> None:
        shards = getattr(metadata, "sharding_codec", None)
        if shards is not None:
            names = [c.to_dict()["name"] for c in shards.codecs if _is_foreign(c)]
            raise NotImplementedError(
                f"codecs {names} are written in Python, and such codecs cannot be inside of "
                "shards: leave out `shards`, or these codecs"
            )
        self._metadata = metadata
        self._pipeline = BatchedCodecPipeline.from_codecs(_chain(metadata))

    def _spec(self, chunk_shape: tuple[int, ...]) -> ArraySpec:
        from .array_spec import ArrayConfig, ArraySpec
        from .buffer import default_buffer_prototype

        order: Any = getattr(self._metadata, "order", "C")
        return ArraySpec(
            shape=chunk_shape,
            dtype=self._metadata.dtype,
            fill_value=self._metadata.fill_value,
            config=ArrayConfig(order=order, write_empty_chunks=True),
            prototype=default_buffer_prototype(),
        )

    def encode(self, chunk: np.ndarray[Any, Any]) -> bytes | None:
        """The bytes of a chunk; None if a codec says that there is nothing to store."""
        from .sync import sync

        spec = self._spec(chunk.shape)
        buffer = spec.prototype.nd_buffer.from_numpy_array(chunk)
        encoded = sync(self._pipeline._encode_one(buffer, spec))
        return None if encoded is None else bytes(encoded.to_bytes())

    def decode(self, stored: bytes, chunk_shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """The chunk of such bytes.

        Raises
        ------
        ValueError
            If the codecs make something of another shape.
        """
        from .sync import sync

        spec = self._spec(chunk_shape)
        buffer = spec.prototype.buffer.from_bytes(stored)
        decoded = sync(self._pipeline._decode_one(buffer, spec))
        array: np.ndarray[Any, Any] = np.asarray(decoded.as_numpy_array())
        if array.shape != chunk_shape:
            raise ValueError(
                f"the codecs decode a chunk of shape {array.shape}, expected {chunk_shape}"
            )
        return array


def python_codec(document: str) -> ChunkCodec | None:
    """What encodes and decodes the chunks of an array that the engine cannot; None if it can.

    Parameters
    ----------
    document
        The ``zarr.json`` or ``.zarray`` of the array.

    Raises
    ------
    ValueError, TypeError, KeyError
        If the document is wrong, or nobody registered a codec that it names.
    """
    from .metadata import ArrayV2Metadata, ArrayV3Metadata

    found = json.loads(document)
    kind = ArrayV2Metadata if found.get("zarr_format") == 2 else ArrayV3Metadata
    metadata = kind.from_dict(found)
    return ChunkCodec(metadata) if needs_python(metadata) else None


def _chain(metadata: Any) -> tuple[Codec, ...]:
    from ..codecs._v2 import V2Codec

    codecs = getattr(metadata, "codecs", None)
    if codecs is not None:
        return tuple(codecs)
    return (V2Codec(filters=metadata.filters, compressor=metadata.compressor),)
