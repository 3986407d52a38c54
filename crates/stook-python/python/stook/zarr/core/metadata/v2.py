"""Metadata of an array of version 2: ``.zarray``, and its attributes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from ...abc.metadata import Metadata
from ...abc.numcodec import Numcodec, _is_numcodec
from ...errors import ZarrUserWarning
from ..array_spec import ArrayConfig, ArraySpec
from ..chunk_grids import RegularChunkGrid
from ..chunk_key_encodings import parse_separator
from ..common import ZARRAY_JSON, ZATTRS_JSON, MemoryOrder, parse_shapelike
from ..config import parse_indexing_order
from ..dtype import ZDType, get_data_type_from_json
from ..dtype.common import OBJECT_CODEC_IDS
from ..numcodec import get_numcodec
from .common import document_bytes, parse_attributes

__all__ = ["ArrayV2Metadata", "ArrayV2MetadataDict", "CompressorLikev2"]


class ArrayV2MetadataDict(TypedDict):
    """The document as a dict."""

    zarr_format: Literal[2]
    attributes: dict[str, Any]


CompressorLikev2: TypeAlias = dict[str, Any] | Numcodec | None


@dataclass(frozen=True, kw_only=True)
class ArrayV2Metadata(Metadata):
    """What describes an array of version 2."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: ZDType[Any, Any]
    fill_value: Any = None
    order: MemoryOrder = "C"
    filters: tuple[Numcodec, ...] | None = None
    dimension_separator: Literal[".", "/"] = "."
    compressor: Numcodec | None
    attributes: dict[str, Any] = field(default_factory=dict)
    zarr_format: Literal[2] = field(init=False, default=2)

    def __init__(
        self,
        *,
        shape: Any,
        dtype: ZDType[Any, Any],
        chunks: Any,
        fill_value: Any,
        order: MemoryOrder,
        dimension_separator: Literal[".", "/"] = ".",
        compressor: CompressorLikev2 = None,
        filters: Iterable[Numcodec | dict[str, Any]] | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> None:
        values = {
            "shape": parse_shapelike(shape),
            "dtype": dtype,
            "chunks": parse_shapelike(chunks),
            "compressor": parse_compressor(compressor),
            "order": parse_indexing_order(order),
            "dimension_separator": parse_separator(dimension_separator),
            "filters": parse_filters(filters),
            "fill_value": None if fill_value is None else dtype.cast_scalar(fill_value),
            "attributes": parse_attributes(attributes),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        parse_metadata(self)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @cached_property
    def chunk_grid(self) -> RegularChunkGrid:
        """The grid of its chunks."""
        return RegularChunkGrid(chunk_shape=self.chunks)

    @property
    def shards(self) -> tuple[int, ...] | None:
        """None: version 2 has no shards."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """The document, and the attributes under ``attributes``."""
        document = super().to_dict()
        if _is_numcodec(self.compressor):
            config = dict(self.compressor.get_config())
            if config["id"] == "zstd" and not config.get("checksum", False):
                # Older libraries refuse the setting, and False is what it is without.
                config.pop("checksum", None)
            document["compressor"] = config
        if self.filters is not None:
            document["filters"] = [
                codec.get_config() if _is_numcodec(codec) else codec for codec in self.filters
            ]
        if self.fill_value is not None:
            document["fill_value"] = self.dtype.to_json_scalar(self.fill_value, zarr_format=2)
        document["dtype"] = self.dtype.to_json(zarr_format=2)["name"]
        return document

    def to_buffer_dict(self, prototype: Any) -> dict[str, Any]:
        """The documents by their keys, in buffers."""
        document = self.to_dict()
        attributes = document.pop("attributes", {})
        return {
            ZARRAY_JSON: prototype.buffer.from_bytes(document_bytes(document)),
            ZATTRS_JSON: prototype.buffer.from_bytes(document_bytes(attributes)),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ArrayV2Metadata:
        """The metadata of a document.

        Raises
        ------
        KeyError, ValueError, TypeError
            If the document lacks something or says what nobody knows.
        """
        values = dict(data)
        parse_zarr_format(values.pop("zarr_format"))
        codecs = (*(data.get("filters") or ()), data.get("compressor"))
        dtype = get_data_type_from_json(
            {"name": data["dtype"], "object_codec_id": get_object_codec_id(codecs)},
            zarr_format=2,
        )
        values["dtype"] = dtype
        fill_value = values.get("fill_value")
        if fill_value is not None:
            values["fill_value"] = dtype.from_json_scalar(fill_value, zarr_format=2)
        if _is_empty_list(values.get("filters")):
            warnings.warn(
                "Found an empty list of filters in the array metadata document. "
                "This is contrary to the Zarr V2 specification, and will cause an error in the "
                "future. Use None (or Null in a JSON document) instead of an empty list of "
                "filters.",
                ZarrUserWarning,
                stacklevel=1,
            )
            values["filters"] = None
        # Documents of version 2 may have any other keys.
        known = {field.name for field in fields(cls)} - {"zarr_format"}
        return cls(**{key: value for key, value in values.items() if key in known})

    def get_chunk_spec(
        self, _chunk_coords: tuple[int, ...], array_config: ArrayConfig, prototype: Any
    ) -> ArraySpec:
        """What a codec is told of a chunk."""
        return ArraySpec(
            shape=self.chunks,
            dtype=self.dtype,
            fill_value=self.fill_value,
            config=array_config,
            prototype=prototype,
        )

    def encode_chunk_key(self, chunk_coords: tuple[int, ...]) -> str:
        """The key of the chunk at an index."""
        return self.dimension_separator.join(map(str, chunk_coords)) or "0"

    def update_shape(self, shape: tuple[int, ...]) -> Self:
        """The same with another shape."""
        return replace(self, shape=shape)

    def update_attributes(self, attributes: dict[str, Any]) -> Self:
        """The same with other attributes."""
        return replace(self, attributes=attributes)


def _is_empty_list(data: object) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, str | bytes) and len(data) == 0


def parse_dtype(data: npt.DTypeLike) -> np.dtype[Any]:
    """The NumPy type; fields may be lists, as JSON has them."""
    return np.dtype([tuple(field) for field in data] if isinstance(data, list) else data)


def parse_zarr_format(data: object) -> Literal[2]:
    """``data`` if it is 2."""
    if data == 2:
        return 2
    raise ValueError(f"Invalid value. Expected 2. Got {data}.")


def parse_filters(data: object) -> tuple[Numcodec, ...] | None:
    """Codecs from codecs or their configurations; None of none."""
    if data is None:
        return None
    if _is_numcodec(data):
        return (data,)
    if not isinstance(data, Iterable):
        raise TypeError(
            "Invalid filters. Expected None, an iterable of numcodecs.abc.Codec or dict "
            f"representations of numcodecs.abc.Codec. Got {type(data)} instead."
        )
    codecs: list[Numcodec] = []
    for index, item in enumerate(data):
        if _is_numcodec(item):
            codecs.append(item)
        elif isinstance(item, dict):
            codecs.append(get_numcodec(item))
        else:
            raise TypeError(
                f"Invalid filter at index {index}. Expected a numcodecs.abc.Codec or a dict "
                f"representation of numcodecs.abc.Codec. Got {type(item)} instead."
            )
    return tuple(codecs) or None


def parse_compressor(data: object) -> Numcodec | None:
    """A codec from a codec or its configuration."""
    if data is None or _is_numcodec(data):
        return data
    if isinstance(data, dict):
        return get_numcodec(data)
    raise ValueError(
        "Invalid compressor. Expected None, a numcodecs.abc.Codec, or a dict representation of "
        f"a numcodecs.abc.Codec. Got {type(data)} instead."
    )


def parse_metadata(data: ArrayV2Metadata) -> ArrayV2Metadata:
    """``data`` if its parts fit together."""
    if len(data.chunks) != len(data.shape):
        raise ValueError(
            "The `shape` and `chunks` attributes must have the same length. "
            f"`chunks` has length {len(data.chunks)}, but `shape` has length {len(data.shape)}."
        )
    return data


def get_object_codec_id(maybe_object_codecs: Iterable[Any]) -> str | None:
    """The id of the first codec that says what the objects of an array are."""
    for codec in maybe_object_codecs:
        if isinstance(codec, dict) and codec.get("id") in OBJECT_CODEC_IDS:
            return str(codec["id"])
    return None
