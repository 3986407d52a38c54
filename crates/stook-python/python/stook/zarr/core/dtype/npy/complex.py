"""Complex numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..common import HasEndianness, HasItemSize
from ..wrapper import TDType_co, TScalar_co, bad_format
from .common import (
    PLAIN_NUMBERS,
    ComplexLike,
    NamedDType,
    check_json_complex_float_v2,
    check_json_complex_float_v3,
    complex_float_from_json_v2,
    complex_float_from_json_v3,
    complex_float_to_json_v2,
)

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["Complex64", "Complex128"]


@dataclass(frozen=True)
class BaseComplex(NamedDType[TDType_co, TScalar_co], HasEndianness, HasItemSize):
    """What complex numbers of both sizes share."""

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, PLAIN_NUMBERS) or isinstance(data, ComplexLike)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> TScalar_co:
        if zarr_format not in (2, 3):
            raise bad_format(zarr_format)
        if zarr_format == 2 and check_json_complex_float_v2(data):
            return self._cast_scalar_unchecked(complex_float_from_json_v2(data))
        if zarr_format == 3 and check_json_complex_float_v3(data):
            return self._cast_scalar_unchecked(complex_float_from_json_v3(data))
        raise TypeError(
            f"Invalid type: {data}. Expected a float or a special string encoding of a float."
        )

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> Any:
        if zarr_format not in (2, 3):
            raise bad_format(zarr_format)
        return complex_float_to_json_v2(self.cast_scalar(data))


# The types themselves add no fields, so they need not be made dataclasses again, which is slow.


class Complex64(BaseComplex[np.dtypes.Complex64DType, np.complex64]):
    """``complex64``: two floats of four bytes."""

    dtype_cls = np.dtypes.Complex64DType
    _zarr_v3_name: ClassVar[str] = "complex64"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">c8", "<c8")


class Complex128(BaseComplex[np.dtypes.Complex128DType, np.complex128]):
    """``complex128``: two floats of eight bytes."""

    dtype_cls = np.dtypes.Complex128DType
    _zarr_v3_name: ClassVar[str] = "complex128"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = (">c16", "<c16")
