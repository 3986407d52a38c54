"""Bytes: of a fixed length, with or without padding, and of any length."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np

from ...common import NamedConfig
from ..common import (
    DTypeConfig_V2,
    HasItemSize,
    HasLength,
    HasObjectCodec,
    check_dtype_spec_v2,
    v3_unstable_dtype_warning,
)
from ..wrapper import (
    TBaseDType,
    TDType_co,
    TScalar_co,
    ZDType,
    bad_format,
    reject_json,
    reject_native,
    reject_scalar,
)
from .common import check_json_str
from .string import check_length, length_of_config

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["NullTerminatedBytes", "RawBytes", "VariableLengthBytes"]


class NullterminatedBytesJSON_V2(DTypeConfig_V2[str, None]):
    """The type in documents of version 2."""


class NullTerminatedBytesJSON_V3(NamedConfig[Literal["null_terminated_bytes"], dict[str, int]]):
    """The type in documents of version 3."""


class RawBytesJSON_V2(DTypeConfig_V2[str, None]):
    """The type in documents of version 2."""


class RawBytesJSON_V3(NamedConfig[Literal["raw_bytes"], dict[str, int]]):
    """The type in documents of version 3."""


class VariableLengthBytesJSON_V2(DTypeConfig_V2[Literal["|O"], Literal["vlen-bytes"]]):
    """The type in documents of version 2."""


BytesLike: TypeAlias = np.bytes_ | str | bytes | int


def to_base64(data: Any) -> str:
    """Bytes as the text that documents have."""
    return base64.standard_b64encode(data).decode("ascii")


def from_base64(data: Any, expected: str = "a string") -> bytes:
    """The bytes of such a text; TypeError if it is none."""
    if check_json_str(data):
        return base64.standard_b64decode(data.encode("ascii"))
    raise TypeError(f"Invalid type: {data}. Expected {expected}.")


@dataclass(frozen=True, kw_only=True)
class FixedBytes(ZDType[TDType_co, TScalar_co], HasLength, HasItemSize):
    """What both types of a fixed length share."""

    _v2_letter: ClassVar[str]

    def __post_init__(self) -> None:
        check_length(self.length)

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        return cls(length=dtype.itemsize)

    def to_native_dtype(self) -> Any:
        return np.dtype(f"{self._v2_letter}{self.length}")

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        letter = cls._v2_letter
        if (
            check_dtype_spec_v2(data)
            and isinstance(data["name"], str)
            and re.match(rf"^\|{letter}\d+$", data["name"])
            and data["object_codec_id"] is None
        ):
            return cls(length=int(data["name"][2:]))
        reject_json(cls, data, f"a string like '|{letter}1', '|{letter}2', etc")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        length = length_of_config(data, cls._zarr_v3_name)
        if length is None:
            reject_json(cls, data, f"the string {cls._zarr_v3_name!r}")
        return cls(length=length)

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": self.to_native_dtype().str, "object_codec_id": None}
        if zarr_format == 3:
            v3_unstable_dtype_warning(self)
            return {"name": self._zarr_v3_name, "configuration": {"length_bytes": self.length}}
        raise bad_format(zarr_format)

    @property
    def item_size(self) -> int:
        return self.length


@dataclass(frozen=True, kw_only=True)
class NullTerminatedBytes(FixedBytes[np.dtypes.BytesDType, np.bytes_]):
    """NumPy's ``S``: zeros at the end of an item are padding."""

    dtype_cls = np.dtypes.BytesDType
    _zarr_v3_name: ClassVar[str] = "null_terminated_bytes"
    _v2_letter: ClassVar[str] = "S"

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, BytesLike)

    def cast_scalar(self, data: Any) -> np.bytes_:
        if not self._check_scalar(data):
            reject_scalar(self, data)
        text = str(data) if isinstance(data, int) else data
        kind: Any = np.bytes_
        return kind(text[: self.length])

    def default_scalar(self) -> np.bytes_:
        return np.bytes_(b"")

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return to_base64(self.cast_scalar(data))

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.bytes_:
        return np.bytes_(from_base64(data, "a base64-encoded string"))


@dataclass(frozen=True, kw_only=True)
class RawBytes(FixedBytes[np.dtypes.VoidDType, np.void]):
    """NumPy's ``V`` without fields: items are bytes and nothing else."""

    dtype_cls = np.dtypes.VoidDType
    _zarr_v3_name: ClassVar[str] = "raw_bytes"
    _v2_letter: ClassVar[str] = "V"

    @classmethod
    def _check_native_dtype(cls, dtype: TBaseDType) -> bool:
        return type(dtype) is cls.dtype_cls and dtype.fields is None

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, np.bytes_ | str | bytes | np.void)

    def cast_scalar(self, data: Any) -> np.void:
        if not self._check_scalar(data):
            reject_scalar(self, data)
        return np.void(data, self.to_native_dtype())

    def default_scalar(self) -> np.void:
        return np.void(bytes(self.length))

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return to_base64(self.cast_scalar(data).tobytes())

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.void:
        return np.void(from_base64(data))


@dataclass(frozen=True, kw_only=True)
class VariableLengthBytes(ZDType[np.dtypes.ObjectDType, bytes], HasObjectCodec):
    """``bytes`` objects of any length."""

    dtype_cls = np.dtypes.ObjectDType
    _zarr_v3_name: ClassVar[str] = "variable_length_bytes"
    object_codec_id: ClassVar[str] = "vlen-bytes"

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        return cls()

    def to_native_dtype(self) -> np.dtypes.ObjectDType:
        native: Any = self.dtype_cls()
        return native

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        if (
            check_dtype_spec_v2(data)
            and data["name"] == "|O"
            and data["object_codec_id"] == cls.object_codec_id
        ):
            return cls()
        reject_json(cls, data, f"the string '|O' and an object_codec_id of {cls.object_codec_id}")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        if data in (cls._zarr_v3_name, "bytes"):
            return cls()
        reject_json(cls, data, f"the string {cls._zarr_v3_name!r}")

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": "|O", "object_codec_id": self.object_codec_id}
        if zarr_format == 3:
            v3_unstable_dtype_warning(self)
            return self._zarr_v3_name
        raise bad_format(zarr_format)

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, BytesLike)

    def cast_scalar(self, data: Any) -> bytes:
        if not self._check_scalar(data):
            reject_scalar(self, data)
        return data.encode() if isinstance(data, str) else bytes(data)

    def default_scalar(self) -> bytes:
        return b""

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return to_base64(data)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> bytes:
        return from_base64(data)
