"""``sharding_indexed``: many chunks in one piece, with an index of where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from ..abc.codec import (
    ArrayBytesCodec,
    ArrayBytesCodecPartialDecodeMixin,
    ArrayBytesCodecPartialEncodeMixin,
    Codec,
    CodecPipeline,
)
from ..core.chunk_grids import ChunkGrid, RectilinearChunkGrid, RegularChunkGrid
from ..core.codec_chain import parse_codecs
from ..core.common import parse_enum, parse_named_configuration, parse_shapelike
from .bytes import BytesCodec
from .crc32c_ import Crc32cCodec

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["ShardingCodec", "ShardingCodecIndexLocation"]

MAX_UINT_64 = 2**64 - 1


class ShardingCodecIndexLocation(Enum):
    """Where in a shard its index lies."""

    start = "start"
    end = "end"


def parse_index_location(data: object) -> ShardingCodecIndexLocation:
    """A location, or the location that a string names."""
    return parse_enum(data, ShardingCodecIndexLocation)


@dataclass(frozen=True)
class ShardingCodec(
    ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin, ArrayBytesCodecPartialEncodeMixin
):
    """Chunks inside of chunks.

    Parameters
    ----------
    chunk_shape
        The shape of the inner chunks.
    codecs
        What each of them is encoded by.
    index_codecs
        What the index is encoded by.
    index_location
        Where the index lies.
    """

    chunk_shape: tuple[int, ...]
    codecs: tuple[Codec, ...]
    index_codecs: tuple[Codec, ...]
    index_location: ShardingCodecIndexLocation = ShardingCodecIndexLocation.end

    def __init__(
        self,
        *,
        chunk_shape: Any,
        codecs: Iterable[Codec | dict[str, Any]] = (BytesCodec(),),
        index_codecs: Iterable[Codec | dict[str, Any]] = (BytesCodec(), Crc32cCodec()),
        index_location: ShardingCodecIndexLocation | str = ShardingCodecIndexLocation.end,
    ) -> None:
        object.__setattr__(self, "chunk_shape", parse_shapelike(chunk_shape))
        object.__setattr__(self, "codecs", parse_codecs(codecs))
        object.__setattr__(self, "index_codecs", parse_codecs(index_codecs))
        object.__setattr__(self, "index_location", parse_index_location(index_location))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "sharding_indexed")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": self.chunk_shape,
                "codecs": tuple(codec.to_dict() for codec in self.codecs),
                "index_codecs": tuple(codec.to_dict() for codec in self.index_codecs),
                "index_location": self.index_location.value,
            },
        }

    @property
    def codec_pipeline(self) -> CodecPipeline:
        """The pipeline of the inner chunks."""
        from ..registry import get_pipeline_class

        return get_pipeline_class().from_codecs(self.codecs)

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        inner = replace(array_spec, shape=self.chunk_shape)
        evolved = tuple(codec.evolve_from_array_spec(inner) for codec in self.codecs)
        return self if evolved == self.codecs else replace(self, codecs=evolved)

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: ChunkGrid) -> None:
        if len(self.chunk_shape) != len(shape):
            raise ValueError(
                "The shard's `chunk_shape` and array's `shape` need to have the same number of "
                "dimensions."
            )
        if isinstance(chunk_grid, RectilinearChunkGrid):
            self._check_divides_edges(chunk_grid)
            return
        if not isinstance(chunk_grid, RegularChunkGrid):
            raise TypeError("Sharding is only compatible with regular chunk grids.")
        pairs = zip(chunk_grid.chunk_shape, self.chunk_shape, strict=False)
        if not all(shard % chunk == 0 for shard, chunk in pairs):
            raise ValueError(
                f"The array's `chunk_shape` (got {chunk_grid.chunk_shape}) "
                f"needs to be divisible by the shard's inner `chunk_shape` (got "
                f"{self.chunk_shape})."
            )

    def _check_divides_edges(self, chunk_grid: RectilinearChunkGrid) -> None:
        for axis, (edges, chunk) in enumerate(
            zip(chunk_grid.chunk_shapes, self.chunk_shape, strict=True)
        ):
            for edge in (edges,) if isinstance(edges, int) else edges:
                if edge % chunk != 0:
                    raise ValueError(
                        f"Chunk edge length {edge} in dimension {axis} is not divisible by the "
                        f"shard's inner chunk size {chunk}."
                    )

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """The largest a shard can get: all chunks, and the index."""
        n_chunks = 1
        for shard, chunk in zip(chunk_spec.shape, self.chunk_shape, strict=True):
            n_chunks *= shard // chunk
        n_index = 16 * n_chunks
        for codec in self.index_codecs:
            n_index = codec.compute_encoded_size(n_index, chunk_spec)
        return input_byte_length + n_index
