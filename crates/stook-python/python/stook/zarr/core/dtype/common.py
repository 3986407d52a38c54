"""What data types have in common: their JSON forms, and the marks of their kinds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypedDict, TypeGuard, TypeVar

from ...errors import UnstableSpecificationWarning
from ..common import NamedConfig

EndiannessStr: TypeAlias = Literal["little", "big"]
ENDIANNESS_STR: Final = "little", "big"
SpecialFloatStrings: TypeAlias = Literal["NaN", "Infinity", "-Infinity"]
SPECIAL_FLOAT_STRINGS: Final = ("NaN", "Infinity", "-Infinity")
JSONFloatV2: TypeAlias = float | SpecialFloatStrings
JSONFloatV3: TypeAlias = float | SpecialFloatStrings | str

ObjectCodecID: TypeAlias = Literal[
    "vlen-utf8", "vlen-bytes", "vlen-array", "pickle", "json2", "msgpack2"
]
# The codecs that say what the objects of an array of version 2 are.
OBJECT_CODEC_IDS: Final = ("vlen-utf8", "vlen-bytes", "vlen-array", "pickle", "json2", "msgpack2")

DTypeJSON: TypeAlias = str | int | float | Sequence["DTypeJSON"] | None | Mapping[str, object]
StructuredName_V2: TypeAlias = Sequence[Any]
DTypeName_V2: TypeAlias = StructuredName_V2 | str

TDTypeNameV2_co = TypeVar("TDTypeNameV2_co", bound=DTypeName_V2, covariant=True)
TObjectCodecID_co = TypeVar("TObjectCodecID_co", bound=None | str, covariant=True)


class DTypeConfig_V2(TypedDict, Generic[TDTypeNameV2_co, TObjectCodecID_co]):
    """A data type of version 2: its name in the document, and the codec of its objects.

    The name of all types of objects is ``|O``; only the codec tells them apart.
    """

    name: TDTypeNameV2_co
    object_codec_id: TObjectCodecID_co


class DTypeSpec_V2(DTypeConfig_V2[DTypeName_V2, None | str]):
    """A data type of version 2 whose name and codec are not known yet."""


DTypeSpec_V3: TypeAlias = str | NamedConfig[str, Mapping[str, object]]


class DataTypeValidationError(ValueError):
    """Something is no form of a data type."""


class ScalarTypeValidationError(ValueError):
    """Something is no value of a data type."""


def check_structured_dtype_v2_inner(data: object) -> TypeGuard[StructuredName_V2]:
    """Whether ``data`` is a field of a structured type: a name, then a type or a field."""
    if isinstance(data, str | Mapping) or not isinstance(data, Sequence) or len(data) != 2:
        return False
    name, kind = data
    return isinstance(name, str) and (
        isinstance(kind, str)
        or check_structured_dtype_v2_inner(kind)
        or (isinstance(kind, Sequence) and len(kind) > 0 and check_structured_dtype_name_v2(kind))
    )


def check_structured_dtype_name_v2(data: Sequence[object]) -> TypeGuard[StructuredName_V2]:
    """Whether all of ``data`` are fields."""
    return all(check_structured_dtype_v2_inner(field) for field in data)


def check_dtype_name_v2(data: object) -> TypeGuard[DTypeName_V2]:
    """Whether ``data`` may stand under ``dtype`` in a document of version 2."""
    if isinstance(data, str):
        return True
    return isinstance(data, Sequence) and check_structured_dtype_name_v2(data)


def check_dtype_spec_v2(data: object) -> TypeGuard[DTypeSpec_V2]:
    """Whether ``data`` is a :class:`DTypeConfig_V2`."""
    return (
        isinstance(data, Mapping)
        and set(data) == {"name", "object_codec_id"}
        and check_dtype_name_v2(data["name"])
        and isinstance(data["object_codec_id"], str | None)
    )


def check_dtype_spec_v3(data: object) -> TypeGuard[DTypeSpec_V3]:
    """Whether ``data`` may stand under ``data_type`` in a document of version 3."""
    if isinstance(data, str):
        return True
    return (
        isinstance(data, Mapping)
        and set(data) == {"name", "configuration"}
        and isinstance(data["configuration"], Mapping)
        and all(isinstance(key, str) for key in data["configuration"])
    )


def unpack_dtype_json(data: Any) -> Any:
    """The form that stands in the document."""
    if isinstance(data, Mapping) and set(data) == {"name", "object_codec_id"}:
        return data["name"]
    return data


@dataclass(frozen=True, kw_only=True)
class HasLength:
    """A type whose items have a length of their own."""

    length: int


@dataclass(frozen=True, kw_only=True)
class HasEndianness:
    """A type whose items have an order of bytes."""

    endianness: EndiannessStr = "little"


@dataclass(frozen=True, kw_only=True)
class HasItemSize:
    """A type whose items all have the same size."""

    @property
    def item_size(self) -> int:
        """The size of an item in bytes."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class HasObjectCodec:
    """A type of Python objects, which version 2 needs a codec for."""

    object_codec_id: ClassVar[str]


def v3_unstable_dtype_warning(dtype: object) -> None:
    """Warn that no specification of version 3 has the type."""
    warnings.warn(
        f"The data type ({dtype}) does not have a Zarr V3 specification. "
        "That means that the representation of arrays saved with this data type may change "
        "without warning in a future version of Zarr Python. Arrays stored with this data type "
        "may be unreadable by other Zarr libraries. Use this data type at your own risk! Check "
        "https://github.com/zarr-developers/zarr-extensions/tree/main/data-types "
        "for the status of data type specifications for Zarr V3.",
        category=UnstableSpecificationWarning,
        stacklevel=2,
    )
