"""Metadata of an array of version 3: ``zarr.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Self, TypedDict, TypeGuard

from ...abc.codec import Codec
from ...abc.metadata import Metadata
from ...errors import MetadataValidationError, NodeTypeValidationError
from ..array_spec import ArrayConfig, ArraySpec
from ..chunk_grids import ChunkGrid, RectilinearChunkGrid, RegularChunkGrid
from ..chunk_key_encodings import ChunkKeyEncoding, parse_chunk_key_encoding
from ..codec_chain import (
    evolve_chain,
    parse_codecs,
    validate_array_bytes_codec,
    validate_codecs,
)
from ..common import ZARR_JSON, DimensionNames, parse_shapelike
from ..dtype import ZDType, get_data_type_from_json
from ..dtype.common import check_dtype_spec_v3
from .common import document_bytes, parse_attributes

if TYPE_CHECKING:
    from ...codecs.sharding import ShardingCodec

__all__ = [
    "ArrayMetadataJSON_V3",
    "ArrayV3Metadata",
    "parse_codecs",
    "parse_dimension_names",
    "validate_array_bytes_codec",
    "validate_codecs",
]

# The names of 3.4 for the grids.
RegularChunkGridMetadata = RegularChunkGrid
RectilinearChunkGridMetadata = RectilinearChunkGrid


class AllowedExtraField(TypedDict):
    """A field that whoever does not know it may pass over."""

    must_understand: Literal[False]


class ArrayMetadataJSON_V3(TypedDict):
    """The document as a dict."""

    zarr_format: Literal[3]
    node_type: Literal["array"]
    data_type: Any
    shape: tuple[int, ...]
    chunk_grid: Any
    chunk_key_encoding: Any
    fill_value: Any
    codecs: tuple[Any, ...]
    attributes: NotRequired[Mapping[str, Any]]
    storage_transformers: NotRequired[tuple[Any, ...]]
    dimension_names: NotRequired[tuple[str | None, ...]]


ARRAY_METADATA_KEYS = set(ArrayMetadataJSON_V3.__annotations__)


def parse_zarr_format(data: object) -> Literal[3]:
    """``data`` if it is 3."""
    if data == 3:
        return 3
    raise MetadataValidationError(f"Invalid value for 'zarr_format'. Expected '3'. Got '{data}'.")


def parse_node_type_array(data: object) -> Literal["array"]:
    """``data`` if it says that a node is an array."""
    if data == "array":
        return "array"
    raise NodeTypeValidationError(f"Invalid value for 'node_type'. Expected 'array'. Got '{data}'.")


def parse_dimension_names(data: object) -> tuple[str | None, ...] | None:
    """Names of axes, or None."""
    if data is None:
        return None
    if isinstance(data, Iterable):
        names = tuple(data)
        if all(name is None or isinstance(name, str) for name in names):
            return names
    raise TypeError(f"Expected either None or an iterable of str, got {type(data)}")


def parse_storage_transformers(data: object) -> tuple[dict[str, Any], ...]:
    """Storage transformers, which nobody here knows: they are kept as they are."""
    if data is None:
        return ()
    if isinstance(data, Iterable):
        return tuple(data)
    raise TypeError(
        f"Invalid storage_transformers. Expected an iterable of dicts. Got {type(data)} instead."
    )


def check_allowed_extra_field(data: object) -> TypeGuard[AllowedExtraField]:
    """Whether a field may be passed over."""
    return isinstance(data, Mapping) and data.get("must_understand") is False


def parse_extra_fields(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fields besides those of the specification."""
    if data is None:
        return {}
    conflicts = ARRAY_METADATA_KEYS & set(data)
    if conflicts:
        raise ValueError(
            "Invalid extra fields. The following keys: "
            f"{sorted(conflicts)} are invalid because they collide with keys reserved for use "
            "by the array metadata document."
        )
    return dict(data)


@dataclass(frozen=True, kw_only=True)
class ArrayV3Metadata(Metadata):
    """What describes an array of version 3."""

    shape: tuple[int, ...]
    data_type: ZDType[Any, Any]
    chunk_grid: ChunkGrid
    chunk_key_encoding: ChunkKeyEncoding
    fill_value: Any
    codecs: tuple[Codec, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    dimension_names: tuple[str | None, ...] | None = None
    zarr_format: Literal[3] = field(default=3, init=False)
    node_type: Literal["array"] = field(default="array", init=False)
    storage_transformers: tuple[dict[str, Any], ...]
    extra_fields: dict[str, Any]

    def __init__(
        self,
        *,
        shape: Any,
        data_type: ZDType[Any, Any],
        chunk_grid: Any,
        chunk_key_encoding: Any,
        fill_value: object,
        codecs: Iterable[Any],
        attributes: dict[str, Any] | None,
        dimension_names: DimensionNames,
        storage_transformers: Iterable[dict[str, Any]] | None = None,
        extra_fields: Mapping[str, Any] | None = None,
    ) -> None:
        values: dict[str, Any] = {
            "shape": parse_shapelike(shape),
            "data_type": data_type,
            "chunk_grid": ChunkGrid.from_dict(chunk_grid),
            "chunk_key_encoding": parse_chunk_key_encoding(chunk_key_encoding),
            "dimension_names": parse_dimension_names(dimension_names),
            "fill_value": data_type.cast_scalar(fill_value),
            "attributes": parse_attributes(attributes),
            "storage_transformers": parse_storage_transformers(storage_transformers),
            "extra_fields": parse_extra_fields(extra_fields),
        }
        given = parse_codecs(codecs)
        spec = ArraySpec(
            shape=values["shape"],
            dtype=data_type,
            fill_value=values["fill_value"],
            config=ArrayConfig.from_dict({}),
            prototype=None,
        )
        values["codecs"] = evolve_chain(given, spec)
        validate_codecs(given, data_type)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._validate_metadata()

    def _validate_metadata(self) -> None:
        if self.chunk_grid.ndim != self.ndim:
            raise ValueError(
                "`chunk_shape` and `shape` need to have the same number of dimensions."
            )
        if isinstance(self.chunk_grid, RectilinearChunkGrid):
            self.chunk_grid.check_covers(self.shape)
        if self.dimension_names is not None and len(self.dimension_names) != self.ndim:
            raise ValueError(
                "`dimension_names` and `shape` need to have the same number of dimensions."
            )
        if self.fill_value is None:
            raise ValueError("`fill_value` is required.")
        for codec in self.codecs:
            codec.validate(shape=self.shape, dtype=self.data_type, chunk_grid=self.chunk_grid)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> ZDType[Any, Any]:
        """The data type, by the name that version 2 gives it."""
        return self.data_type

    @property
    def sharding_codec(self) -> ShardingCodec | None:
        """The codec that makes shards, if the array has shards."""
        from ...codecs.sharding import ShardingCodec

        only = self.codecs[0] if len(self.codecs) == 1 else None
        return only if isinstance(only, ShardingCodec) else None

    def _regular(self, attribute: str) -> RegularChunkGrid:
        if isinstance(self.chunk_grid, RegularChunkGrid):
            return self.chunk_grid
        raise NotImplementedError(
            f"The `{attribute}` attribute is only defined for arrays using `RegularChunkGrid`."
            f"This array has a {self.chunk_grid} instead."
        )

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of chunks; of those inside of shards if there are shards."""
        sharding = self.sharding_codec
        return self._regular("chunks").chunk_shape if sharding is None else sharding.chunk_shape

    @property
    def shards(self) -> tuple[int, ...] | None:
        """The shape of shards, if there are shards."""
        return None if self.sharding_codec is None else self._regular("shards").chunk_shape

    @property
    def inner_codecs(self) -> tuple[Codec, ...]:
        """What the chunks are encoded by, inside of shards or without."""
        sharding = self.sharding_codec
        return self.codecs if sharding is None else sharding.codecs

    def to_dict(self) -> dict[str, Any]:
        """The document."""
        document = super().to_dict()
        document |= document.pop("extra_fields")
        document["fill_value"] = self.data_type.to_json_scalar(self.fill_value, zarr_format=3)
        document["data_type"] = self.data_type.to_json(zarr_format=3)
        if document["dimension_names"] is None:
            document.pop("dimension_names")
        return document

    def to_buffer_dict(self, prototype: Any) -> dict[str, Any]:
        """The document by its key, in a buffer."""
        return {ZARR_JSON: prototype.buffer.from_bytes(document_bytes(self.to_dict()))}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The metadata of a document.

        Raises
        ------
        MetadataValidationError
            If it is of another version or kind of node, or has fields that must be understood.
        KeyError, ValueError, TypeError
            If the document lacks something or says what nobody knows.
        """
        values = dict(data)
        parse_zarr_format(values.pop("zarr_format"))
        parse_node_type_array(values.pop("node_type"))
        kind = values.pop("data_type")
        if not check_dtype_spec_v3(kind):
            raise ValueError(f"Invalid data_type: {kind!r}")
        data_type = get_data_type_from_json(kind, zarr_format=3)
        fill = values.pop("fill_value")
        try:
            fill_value = data_type.from_json_scalar(fill, zarr_format=3)
        except ValueError as error:
            raise TypeError(f"Invalid fill_value: {fill!r}") from error
        extra = {key: values.pop(key) for key in set(values) - ARRAY_METADATA_KEYS}
        unknown = [key for key, value in extra.items() if not check_allowed_extra_field(value)]
        if unknown:
            raise MetadataValidationError(
                "Got a Zarr V3 metadata document with the following disallowed extra fields:"
                f"{sorted(unknown)}."
                'Extra fields are not allowed unless they are a dict with a "must_understand" '
                "keywhich is assigned the value `False`."
            )
        return cls(
            shape=values["shape"],
            chunk_grid=values["chunk_grid"],
            chunk_key_encoding=values["chunk_key_encoding"],
            codecs=values["codecs"],
            attributes=values.get("attributes", {}),
            dimension_names=values.get("dimension_names"),
            fill_value=fill_value,
            data_type=data_type,
            extra_fields=extra,
            storage_transformers=values.get("storage_transformers", ()),
        )

    def get_chunk_spec(
        self, _chunk_coords: tuple[int, ...], array_config: ArrayConfig, prototype: Any
    ) -> ArraySpec:
        """What a codec is told of a chunk."""
        return ArraySpec(
            shape=self._regular("chunks").chunk_shape,
            dtype=self.dtype,
            fill_value=self.fill_value,
            config=array_config,
            prototype=prototype,
        )

    def encode_chunk_key(self, chunk_coords: tuple[int, ...]) -> str:
        """The key of the chunk at an index."""
        return self.chunk_key_encoding.encode_chunk_key(chunk_coords)

    def update_shape(self, shape: tuple[int, ...]) -> Self:
        """The same with another shape."""
        if isinstance(self.chunk_grid, RectilinearChunkGrid):
            return replace(self, shape=shape, chunk_grid=self.chunk_grid.update_shape(shape))
        return replace(self, shape=shape)

    def update_attributes(self, attributes: dict[str, Any]) -> Self:
        """The same with other attributes."""
        return replace(self, attributes=attributes)
