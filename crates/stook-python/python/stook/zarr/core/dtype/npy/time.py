"""Points in time, and spans of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, cast

import numpy as np

from ...common import NamedConfig
from ..common import DTypeConfig_V2, HasEndianness, HasItemSize, check_dtype_spec_v2
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
from .common import (
    DATETIME_UNIT,
    DateTimeUnit,
    check_json_int,
    endianness_to_numpy_str,
    get_endianness_from_numpy_dtype,
)

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["DateTime64", "TimeDelta64"]


class DateTime64JSON_V2(DTypeConfig_V2[str, None]):
    """The type in documents of version 2."""


class TimeDelta64JSON_V2(DTypeConfig_V2[str, None]):
    """The type in documents of version 2."""


class DateTime64JSON_V3(NamedConfig[Literal["numpy.datetime64"], dict[str, Any]]):
    """The type in documents of version 3."""


class TimeDelta64JSON_V3(NamedConfig[Literal["numpy.timedelta64"], dict[str, Any]]):
    """The type in documents of version 3."""


TimeDeltaLike: TypeAlias = str | int | bytes | np.timedelta64 | timedelta | None
DateTimeLike: TypeAlias = str | int | bytes | np.datetime64 | datetime | None


def datetime_from_int(data: int, *, unit: DateTimeUnit, scale_factor: int) -> np.datetime64:
    """The point in time that an integer stands for."""
    return cast("np.datetime64", np.int64(data).view(f"datetime64[{scale_factor}{unit}]"))


def datetimelike_to_int(data: np.datetime64 | np.timedelta64) -> int:
    """The integer that a time is stored as."""
    return int(data.view(np.int64))


def check_json_time(data: Any) -> bool:
    """Whether this is a time as documents have it."""
    return check_json_int(data) or data == "NaT"


@dataclass(frozen=True, kw_only=True)
class TimeDTypeBase(ZDType[TDType_co, TScalar_co], HasEndianness, HasItemSize):
    """What both types share: a unit, and how many of it make a step."""

    _numpy_name: ClassVar[str]
    _zarr_v2_names: ClassVar[tuple[str, ...]]
    _accepted: ClassVar[tuple[type, ...]]
    scale_factor: int = 1
    unit: DateTimeUnit = "generic"

    def __post_init__(self) -> None:
        if self.scale_factor < 1:
            raise ValueError(f"scale_factor must be > 0, got {self.scale_factor}.")
        if self.scale_factor >= 2**31:
            raise ValueError(f"scale_factor must be < 2147483648, got {self.scale_factor}.")
        if self.unit not in DATETIME_UNIT:
            raise ValueError(f"unit must be one of {DATETIME_UNIT}, got {self.unit!r}.")

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        unit, scale_factor = np.datetime_data(dtype.name)
        return cls(
            unit=cast("DateTimeUnit", unit),
            scale_factor=scale_factor,
            endianness=get_endianness_from_numpy_dtype(dtype),
        )

    def to_native_dtype(self) -> Any:
        native = np.dtype(f"{self._numpy_name}[{self.scale_factor}{self.unit}]")
        return native.newbyteorder(endianness_to_numpy_str(self.endianness))

    @classmethod
    def _check_json_v2(cls, data: Any) -> bool:
        if not check_dtype_spec_v2(data):
            return False
        name = data["name"]
        if not isinstance(name, str) or not name.startswith(cls._zarr_v2_names):
            return False
        return len(name) == 3 or (name[-1] == "]" and name[4:-1].endswith(DATETIME_UNIT))

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        if cls._check_json_v2(data):
            return cls.from_native_dtype(np.dtype(data["name"]))
        reject_json(cls, data, f"a string representation of an instance of {cls.dtype_cls}")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        if (
            isinstance(data, dict)
            and set(data) == {"name", "configuration"}
            and data["name"] == cls._zarr_v3_name
            and isinstance(data["configuration"], dict)
            and set(data["configuration"]) == {"unit", "scale_factor"}
        ):
            return cls(**data["configuration"])
        reject_json(
            cls,
            data,
            f"a dict with a 'name' key with the value {cls._zarr_v3_name!r}, and a "
            "'configuration' key with a value of a dict with a 'unit' key and a "
            "'scale_factor' key",
        )

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": self.to_native_dtype().str, "object_codec_id": None}
        if zarr_format == 3:
            return {
                "name": self._zarr_v3_name,
                "configuration": {"unit": self.unit, "scale_factor": self.scale_factor},
            }
        raise bad_format(zarr_format)

    def _check_scalar(self, data: object) -> bool:
        return data is None or isinstance(data, self._accepted)

    def _cast_scalar_unchecked(self, data: Any) -> TScalar_co:
        return self.to_native_dtype().type(data, f"{self.scale_factor}{self.unit}")

    def cast_scalar(self, data: object) -> TScalar_co:
        if self._check_scalar(data):
            return self._cast_scalar_unchecked(data)
        reject_scalar(self, data)

    def default_scalar(self) -> TScalar_co:
        return self.to_native_dtype().type("NaT")

    def to_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> int:
        return datetimelike_to_int(data)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> TScalar_co:
        if check_json_time(data):
            return self._cast_scalar_unchecked(data)
        raise TypeError(f"Invalid type: {data}. Expected an integer.")

    @property
    def item_size(self) -> int:
        return 8


@dataclass(frozen=True, kw_only=True)
class TimeDelta64(TimeDTypeBase[np.dtypes.TimeDelta64DType, np.timedelta64]):
    """``timedelta64``: spans of time."""

    dtype_cls = np.dtypes.TimeDelta64DType
    _zarr_v3_name: ClassVar[str] = "numpy.timedelta64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">m8", "<m8")
    _numpy_name: ClassVar[str] = "timedelta64"
    _accepted: ClassVar[tuple[type, ...]] = (str, int, bytes, np.timedelta64, timedelta)


@dataclass(frozen=True, kw_only=True)
class DateTime64(TimeDTypeBase[np.dtypes.DateTime64DType, np.datetime64]):
    """``datetime64``: points in time."""

    dtype_cls = np.dtypes.DateTime64DType
    _zarr_v3_name: ClassVar[str] = "numpy.datetime64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">M8", "<M8")
    _numpy_name: ClassVar[str] = "datetime64"
    _accepted: ClassVar[tuple[type, ...]] = (str, int, bytes, np.datetime64, datetime)
