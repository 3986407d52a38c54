"""Floating point numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..common import HasEndianness, HasItemSize
from ..wrapper import TDType_co, TScalar_co, bad_format
from .common import (
    PLAIN_NUMBERS,
    FloatLike,
    NamedDType,
    check_json_float_v2,
    check_json_float_v3,
    check_json_floatish_str,
    float_from_json_v2,
    float_from_json_v3,
    float_to_json_v2,
)

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["Float16", "Float32", "Float64"]


@dataclass(frozen=True)
class BaseFloat(NamedDType[TDType_co, TScalar_co], HasEndianness, HasItemSize):
    """What floats of all sizes share."""

    def _check_scalar(self, data: object) -> bool:
        if not isinstance(data, str):
            return isinstance(data, PLAIN_NUMBERS) or isinstance(data, FloatLike)
        try:
            self._cast_scalar_unchecked(data)
        except (ValueError, OverflowError):
            return False
        return True

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> TScalar_co:
        if zarr_format not in (2, 3):
            raise bad_format(zarr_format)
        if zarr_format == 2 and check_json_float_v2(data):
            return self._cast_scalar_unchecked(float_from_json_v2(data))
        if zarr_format == 3 and check_json_float_v3(data):
            return self._cast_scalar_unchecked(float_from_json_v3(data))
        if check_json_floatish_str(data):
            return self._cast_scalar_unchecked(float(data))
        raise TypeError(
            f"Invalid type: {data}. Expected a float or a special string encoding of a float."
        )

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> float | str:
        if zarr_format not in (2, 3):
            raise bad_format(zarr_format)
        return float_to_json_v2(self.cast_scalar(data))


# The types themselves add no fields, so they need not be made dataclasses again, which is slow.


class Float16(BaseFloat[np.dtypes.Float16DType, np.float16]):
    """``float16``."""

    dtype_cls = np.dtypes.Float16DType
    _zarr_v3_name: ClassVar[str] = "float16"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">f2", "<f2")


class Float32(BaseFloat[np.dtypes.Float32DType, np.float32]):
    """``float32``."""

    dtype_cls = np.dtypes.Float32DType
    _zarr_v3_name: ClassVar[str] = "float32"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">f4", "<f4")


class Float64(BaseFloat[np.dtypes.Float64DType, np.float64]):
    """``float64``."""

    dtype_cls = np.dtypes.Float64DType
    _zarr_v3_name: ClassVar[str] = "float64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">f8", "<f8")
