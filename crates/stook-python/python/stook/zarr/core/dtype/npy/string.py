"""Texts: of a fixed number of code points, and of any length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Protocol,
    Self,
    runtime_checkable,
)

import numpy as np

from ...common import NamedConfig
from ..common import (
    DTypeConfig_V2,
    HasEndianness,
    HasItemSize,
    HasLength,
    HasObjectCodec,
    check_dtype_spec_v2,
    v3_unstable_dtype_warning,
)
from ..wrapper import TBaseDType, ZDType, bad_format, reject_json, reject_native, reject_scalar
from .common import check_json_str, endianness_to_numpy_str, get_endianness_from_numpy_dtype

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["FixedLengthUTF32", "VariableLengthUTF8"]


class FixedLengthUTF32JSON_V2(DTypeConfig_V2[str, None]):
    """The type in documents of version 2."""


class FixedLengthUTF32JSON_V3(NamedConfig[Literal["fixed_length_utf32"], dict[str, int]]):
    """The type in documents of version 3."""


class VariableLengthUTF8JSON_V2(DTypeConfig_V2[Literal["|O"], Literal["vlen-utf8"]]):
    """The type in documents of version 2."""


@runtime_checkable
class SupportsStr(Protocol):
    """What has a text, which is everything."""

    def __str__(self) -> str: ...


# Types whose configuration may say more than a length, which is passed over.
_MAY_HAVE_MORE = ("null_terminated_bytes",)


def length_of_config(data: Any, name: str) -> int | None:
    """``length_bytes`` of the JSON form of a type of that name, if it is one."""
    if not isinstance(data, dict) or set(data) != {"name", "configuration"}:
        return None
    config = data["configuration"]
    if data["name"] != name or not isinstance(config, dict):
        return None
    if set(config) != {"length_bytes"} and name not in _MAY_HAVE_MORE:
        return None
    length = config.get("length_bytes")
    return length if isinstance(length, int) else None


def check_length(length: int) -> None:
    """ValueError unless an item has room for something."""
    if length < 1:
        raise ValueError(f"length must be >= 1, got {length}.")


@dataclass(frozen=True, kw_only=True)
class FixedLengthUTF32(ZDType[np.dtypes.StrDType, np.str_], HasEndianness, HasLength, HasItemSize):
    """NumPy's ``U``: texts of at most ``length`` code points, four bytes each."""

    dtype_cls = np.dtypes.StrDType
    _zarr_v3_name: ClassVar[str] = "fixed_length_utf32"
    code_point_bytes: ClassVar[int] = 4

    def __post_init__(self) -> None:
        check_length(self.length)

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        return cls(
            length=dtype.itemsize // cls.code_point_bytes,
            endianness=get_endianness_from_numpy_dtype(dtype),
        )

    def to_native_dtype(self) -> np.dtypes.StrDType:
        native: Any = self.dtype_cls(self.length)
        return native.newbyteorder(endianness_to_numpy_str(self.endianness))

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        if (
            check_dtype_spec_v2(data)
            and isinstance(data["name"], str)
            and re.match(r"^[><]U\d+$", data["name"])
            and data["object_codec_id"] is None
        ):
            return cls.from_native_dtype(np.dtype(data["name"]))
        reject_json(cls, data, "a string representation of a NumPy U dtype.")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        length = length_of_config(data, cls._zarr_v3_name)
        if length is None:
            reject_json(cls, data, f"{cls._zarr_v3_name}.")
        return cls(length=length // cls.code_point_bytes)

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": self.to_native_dtype().str, "object_codec_id": None}
        if zarr_format == 3:
            v3_unstable_dtype_warning(self)
            return {"name": self._zarr_v3_name, "configuration": {"length_bytes": self.item_size}}
        raise bad_format(zarr_format)

    def _check_scalar(self, data: object) -> bool:
        return True

    def cast_scalar(self, data: object) -> np.str_:
        return np.str_(str(data)[: self.length])

    def default_scalar(self) -> np.str_:
        return np.str_("")

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return str(data)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.str_:
        if check_json_str(data):
            return np.str_(data)
        raise TypeError(f"Invalid type: {data}. Expected a string.")

    @property
    def item_size(self) -> int:
        return self.length * self.code_point_bytes


@dataclass(frozen=True, kw_only=True)
class VariableLengthUTF8(ZDType[np.dtypes.StringDType, str], HasObjectCodec):
    """NumPy's ``StringDType``: texts of any length."""

    dtype_cls = np.dtypes.StringDType
    _zarr_v3_name: ClassVar[str] = "string"
    object_codec_id: ClassVar[str] = "vlen-utf8"

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        if hasattr(dtype, "na_object"):
            raise ValueError(
                f"Zarr data type resolution from {dtype} failed. "
                "Attempted to resolve a zarr data type from a `numpy.dtypes.StringDType` "
                "with `na_object` set, which is not supported."
            )
        return cls()

    def to_native_dtype(self) -> np.dtypes.StringDType:
        return np.dtypes.StringDType()

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        if (
            check_dtype_spec_v2(data)
            and data["name"] == "|O"
            and data["object_codec_id"] == cls.object_codec_id
        ):
            return cls()
        reject_json(cls, data, "the string '|O'")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        if data == cls._zarr_v3_name:
            return cls()
        reject_json(cls, data, f"{cls._zarr_v3_name}.")

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": "|O", "object_codec_id": self.object_codec_id}
        if zarr_format == 3:
            return self._zarr_v3_name
        raise bad_format(zarr_format)

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, SupportsStr)

    def cast_scalar(self, data: object) -> str:
        if self._check_scalar(data):
            return str(data)
        reject_scalar(self, data)

    def default_scalar(self) -> str:
        return ""

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return str(data)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> str:
        if isinstance(data, int | str | float):
            return str(data)
        raise TypeError(f"Invalid type: {data}. Expected a string or number.")
