"""Integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..common import HasEndianness, HasItemSize
from ..wrapper import TBaseDType, TDType_co, TScalar_co
from .common import (
    PLAIN_NUMBERS,
    IntLike,
    NamedDType,
    check_json_int,
    check_json_intish_float,
    check_json_intish_str,
)

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]


@dataclass(frozen=True)
class BaseInt(NamedDType[TDType_co, TScalar_co], HasItemSize):
    """What integers of all sizes share."""

    @classmethod
    def _check_native_dtype(cls, dtype: TBaseDType) -> bool:
        # C has several integers of one size, and NumPy a class for each of them.
        return super()._check_native_dtype(dtype) or (
            dtype.kind in "iu" and dtype.newbyteorder("=") == cls.dtype_cls()
        )

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, PLAIN_NUMBERS) or isinstance(data, IntLike)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> TScalar_co:
        if check_json_int(data):
            return self._cast_scalar_unchecked(data)
        if check_json_intish_float(data) or check_json_intish_str(data):
            return self._cast_scalar_unchecked(int(data))
        raise TypeError(f"Invalid type: {data}. Expected an integer.")

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> int:
        value: Any = self.cast_scalar(data)
        return int(value)


@dataclass(frozen=True, kw_only=True)
class BaseWideInt(BaseInt[TDType_co, TScalar_co], HasEndianness):
    """What integers of several bytes share."""


@dataclass(frozen=True, kw_only=True)
class Int8(BaseInt[np.dtypes.Int8DType, np.int8]):
    """``int8``."""

    dtype_cls = np.dtypes.Int8DType
    _zarr_v3_name: ClassVar[str] = "int8"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = ("|i1",)


@dataclass(frozen=True, kw_only=True)
class UInt8(BaseInt[np.dtypes.UInt8DType, np.uint8]):
    """``uint8``."""

    dtype_cls = np.dtypes.UInt8DType
    _zarr_v3_name: ClassVar[str] = "uint8"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = ("|u1",)


# The types themselves add no fields, so they need not be made dataclasses again, which is slow.


class Int16(BaseWideInt[np.dtypes.Int16DType, np.int16]):
    """``int16``."""

    dtype_cls = np.dtypes.Int16DType
    _zarr_v3_name: ClassVar[str] = "int16"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">i2", "<i2")


class UInt16(BaseWideInt[np.dtypes.UInt16DType, np.uint16]):
    """``uint16``."""

    dtype_cls = np.dtypes.UInt16DType
    _zarr_v3_name: ClassVar[str] = "uint16"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">u2", "<u2")


class Int32(BaseWideInt[np.dtypes.Int32DType, np.int32]):
    """``int32``."""

    dtype_cls = np.dtypes.Int32DType
    _zarr_v3_name: ClassVar[str] = "int32"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">i4", "<i4")


class UInt32(BaseWideInt[np.dtypes.UInt32DType, np.uint32]):
    """``uint32``."""

    dtype_cls = np.dtypes.UInt32DType
    _zarr_v3_name: ClassVar[str] = "uint32"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">u4", "<u4")


class Int64(BaseWideInt[np.dtypes.Int64DType, np.int64]):
    """``int64``."""

    dtype_cls = np.dtypes.Int64DType
    _zarr_v3_name: ClassVar[str] = "int64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">i8", "<i8")


class UInt64(BaseWideInt[np.dtypes.UInt64DType, np.uint64]):
    """``uint64``."""

    dtype_cls = np.dtypes.UInt64DType
    _zarr_v3_name: ClassVar[str] = "uint64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">u8", "<u8")
