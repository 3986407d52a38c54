"""The narrow numbers of machine learning, which NumPy has from the package ml_dtypes.

zarr-python does not know them. Their names are those of the extensions that Zarr registers, and
there is no form of them in version 2. The package is imported when an array of such numbers is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from ..common import HasEndianness, HasItemSize
from ..wrapper import TBaseDType, bad_format, reject_json, reject_native
from .common import (
    FloatLike,
    IntLike,
    NamedDType,
    check_json_float_v3,
    check_json_int,
    float_from_json_v2,
    float_from_json_v3,
    float_to_json_v3,
)

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["ML_DTYPE", "BFloat16"]


@dataclass(frozen=True, kw_only=True)
class NarrowDType(NamedDType[np.dtype[Any], np.generic], HasItemSize):
    """What narrow numbers share."""

    dtype_cls = np.dtype
    _zarr_v2_names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _check_native_dtype(cls, dtype: TBaseDType) -> bool:
        # By name: two versions of the package are two classes.
        return dtype.type.__module__ == "ml_dtypes" and dtype.name == cls._zarr_v3_name

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        return cls()

    def to_native_dtype(self) -> np.dtype[Any]:
        try:
            import ml_dtypes
        except ImportError:
            raise ValueError(
                f"numpy has no dtype {self._zarr_v3_name}, and the package ml_dtypes is not "
                "installed"
            ) from None
        return np.dtype(getattr(ml_dtypes, self._zarr_v3_name))

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        reject_json(cls, data, "version 3: version 2 has no such type")

    def to_json(self, zarr_format: ZarrFormat) -> str:
        if zarr_format == 2:
            raise ValueError(f"Zarr format 2 has no data type {self._zarr_v3_name}")
        if zarr_format == 3:
            return self._zarr_v3_name
        raise bad_format(zarr_format)


@dataclass(frozen=True, kw_only=True)
class NarrowInt(NarrowDType):
    """Integers of fewer bits than a byte, one in each byte."""

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, IntLike)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.generic:
        if check_json_int(data):
            return self._cast_scalar_unchecked(data)
        raise TypeError(f"Invalid type: {data}. Expected an integer.")

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> int:
        value: Any = self.cast_scalar(data)
        return int(value)


@dataclass(frozen=True, kw_only=True)
class NarrowFloat(NarrowDType):
    """Floats of two bytes or fewer."""

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, FloatLike)

    def _cast_scalar_unchecked(self, data: Any) -> np.generic:
        return self.to_native_dtype().type(float(data))

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.generic:
        if isinstance(data, str) and data.startswith("0x"):
            return self._from_bits(data)
        if check_json_float_v3(data):
            return self._cast_scalar_unchecked(float_from_json_v2(data))
        raise TypeError(
            f"Invalid type: {data}. Expected a float or a special string encoding of a float."
        )

    def _from_bits(self, data: str) -> np.generic:
        native = self.to_native_dtype()
        if len(data) != 2 + 2 * native.itemsize:
            return self._cast_scalar_unchecked(float_from_json_v3(data))
        little = bytes.fromhex(data[2:])[::-1]
        scalar: np.generic = np.frombuffer(little, native)[0]
        return scalar

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> float | str:
        value: Any = self.cast_scalar(data)
        return float_to_json_v3(float(value))


@dataclass(frozen=True, kw_only=True)
class BFloat16(NarrowFloat, HasEndianness):
    """``bfloat16``: the upper half of a float of four bytes."""

    _zarr_v3_name: ClassVar[str] = "bfloat16"


# The type that is one class here and one name there.
_CLASSES: Final = {
    "Int2": "int2",
    "Int4": "int4",
    "UInt2": "uint2",
    "UInt4": "uint4",
    "Float4E2M1Fn": "float4_e2m1fn",
    "Float6E2M3Fn": "float6_e2m3fn",
    "Float6E3M2Fn": "float6_e3m2fn",
    "Float8E3M4": "float8_e3m4",
    "Float8E4M3": "float8_e4m3",
    "Float8E4M3B11Fnuz": "float8_e4m3b11fnuz",
    "Float8E4M3Fnuz": "float8_e4m3fnuz",
    "Float8E5M2": "float8_e5m2",
    "Float8E5M2Fnuz": "float8_e5m2fnuz",
    "Float8E8M0Fnu": "float8_e8m0fnu",
}


def _make_class(name: str, v3_name: str) -> type[NarrowDType]:
    base = NarrowInt if "int" in v3_name else NarrowFloat
    body = {
        "__doc__": f"``{v3_name}``, from ml_dtypes.",
        "__module__": __name__,
        "_zarr_v3_name": v3_name,
    }
    made = type(name, (base,), body)
    globals()[name] = made
    return made


ML_DTYPE: tuple[Any, ...] = (
    BFloat16,
    *(_make_class(name, v3_name) for name, v3_name in _CLASSES.items()),
)
