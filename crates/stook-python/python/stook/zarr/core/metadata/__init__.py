"""Metadata of arrays: documents as objects, and objects from arguments."""

from typing import TypeAlias, TypeVar

from .create import (
    DEFAULT_FILL_VALUE,
    DefaultFillValue,
    build_array_document,
    build_array_document_legacy,
)
from .v2 import ArrayV2Metadata, ArrayV2MetadataDict
from .v3 import ArrayMetadataJSON_V3, ArrayV3Metadata

ArrayMetadata: TypeAlias = ArrayV2Metadata | ArrayV3Metadata
ArrayMetadataDict: TypeAlias = ArrayV2MetadataDict | ArrayMetadataJSON_V3
T_ArrayMetadata = TypeVar("T_ArrayMetadata", ArrayV2Metadata, ArrayV3Metadata, covariant=True)

__all__ = [
    "DEFAULT_FILL_VALUE",
    "ArrayMetadata",
    "ArrayMetadataDict",
    "ArrayMetadataJSON_V3",
    "ArrayV2Metadata",
    "ArrayV2MetadataDict",
    "ArrayV3Metadata",
    "DefaultFillValue",
    "build_array_document",
    "build_array_document_legacy",
]
