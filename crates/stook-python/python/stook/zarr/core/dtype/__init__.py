"""Data types: what the items of an array are, in NumPy and in documents of both versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from .common import DataTypeValidationError, DTypeJSON
from .npy.bool import Bool
from .npy.bytes import (
    NullTerminatedBytes,
    NullterminatedBytesJSON_V2,
    NullTerminatedBytesJSON_V3,
    RawBytes,
    RawBytesJSON_V2,
    RawBytesJSON_V3,
    VariableLengthBytes,
    VariableLengthBytesJSON_V2,
)
from .npy.complex import Complex64, Complex128
from .npy.float import Float16, Float32, Float64
from .npy.int import Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64
from .npy.ml import ML_DTYPE
from .npy.string import (
    FixedLengthUTF32,
    FixedLengthUTF32JSON_V2,
    FixedLengthUTF32JSON_V3,
    VariableLengthUTF8,
    VariableLengthUTF8JSON_V2,
)
from .npy.structured import Structured, StructuredJSON_V2, StructuredJSON_V3
from .npy.time import (
    DateTime64,
    DateTime64JSON_V2,
    DateTime64JSON_V3,
    TimeDelta64,
    TimeDelta64JSON_V2,
    TimeDelta64JSON_V3,
)
from .registry import DataTypeRegistry
from .wrapper import TBaseDType, TBaseScalar, ZDType

if TYPE_CHECKING:
    from ..common import ZarrFormat

__all__ = [
    "Bool",
    "Complex64",
    "Complex128",
    "DataTypeRegistry",
    "DataTypeValidationError",
    "DateTime64",
    "DateTime64JSON_V2",
    "DateTime64JSON_V3",
    "FixedLengthUTF32",
    "FixedLengthUTF32JSON_V2",
    "FixedLengthUTF32JSON_V3",
    "Float16",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "NullTerminatedBytes",
    "NullTerminatedBytesJSON_V3",
    "NullterminatedBytesJSON_V2",
    "RawBytes",
    "RawBytesJSON_V2",
    "RawBytesJSON_V3",
    "Structured",
    "StructuredJSON_V2",
    "StructuredJSON_V3",
    "TBaseDType",
    "TBaseScalar",
    "TimeDelta64",
    "TimeDelta64JSON_V2",
    "TimeDelta64JSON_V3",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "VariableLengthBytes",
    "VariableLengthBytesJSON_V2",
    "VariableLengthUTF8",
    "VariableLengthUTF8JSON_V2",
    "ZDType",
    "data_type_registry",
    "parse_data_type",
    "parse_dtype",
]

INTEGER_DTYPE: Final = Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64
FLOAT_DTYPE: Final = Float16, Float32, Float64
COMPLEX_FLOAT_DTYPE: Final = Complex64, Complex128
STRING_DTYPE: Final = FixedLengthUTF32, VariableLengthUTF8
TIME_DTYPE: Final = DateTime64, TimeDelta64
BYTES_DTYPE: Final = RawBytes, NullTerminatedBytes, VariableLengthBytes
ANY_DTYPE: Final[tuple[type[ZDType[Any, Any]], ...]] = (
    Bool,
    *INTEGER_DTYPE,
    *FLOAT_DTYPE,
    *COMPLEX_FLOAT_DTYPE,
    *STRING_DTYPE,
    *BYTES_DTYPE,
    Structured,
    *TIME_DTYPE,
)

# NumPy makes `U` of these, with a length that depends on values. Texts of any length are meant.
VLEN_UTF8_ALIAS: Final = ("str", str, "string")

ZDTypeLike: TypeAlias = npt.DTypeLike | ZDType[Any, Any] | Mapping[str, Any] | str

data_type_registry = DataTypeRegistry()
for _cls in (*ANY_DTYPE, *ML_DTYPE):
    data_type_registry.register(_cls._zarr_v3_name, _cls)
del _cls


def get_data_type_from_native_dtype(dtype: npt.DTypeLike) -> ZDType[Any, Any]:
    """The data type for a NumPy type, or for what NumPy takes for one."""
    if isinstance(dtype, list):
        # Fields that came from JSON are lists; NumPy wants tuples.
        dtype = [tuple(field) for field in dtype]
    return data_type_registry.match_dtype(np.dtype(dtype))


def get_data_type_from_json(dtype_spec: DTypeJSON, *, zarr_format: ZarrFormat) -> ZDType[Any, Any]:
    """The data type that a document describes; ValueError if there is none."""
    return data_type_registry.match_json(dtype_spec, zarr_format=zarr_format)


def parse_data_type(dtype_spec: ZDTypeLike, *, zarr_format: ZarrFormat) -> ZDType[Any, Any]:
    """Another name of :func:`parse_dtype`."""
    return parse_dtype(dtype_spec, zarr_format=zarr_format)


def parse_dtype(dtype_spec: Any, *, zarr_format: ZarrFormat) -> ZDType[Any, Any]:
    """The data type that is meant.

    Parameters
    ----------
    dtype_spec
        A data type, its JSON form, a NumPy type, or what NumPy takes for one.
    zarr_format
        Whose JSON forms are understood.

    Raises
    ------
    ValueError
        If there is none; ``object`` says too little.
    TypeError
        If NumPy does not know what is meant either.

    Examples
    --------
    >>> from stook.zarr.dtype import parse_dtype
    >>> parse_dtype("int32", zarr_format=3)
    Int32(endianness='little')
    """
    if isinstance(dtype_spec, ZDType):
        return dtype_spec
    if isinstance(dtype_spec, Mapping | str | Sequence):
        try:
            return get_data_type_from_json(dtype_spec, zarr_format=zarr_format)
        except ValueError:
            pass
    if not isinstance(dtype_spec, np.dtype) and dtype_spec in VLEN_UTF8_ALIAS:
        return VariableLengthUTF8()
    return get_data_type_from_native_dtype(dtype_spec)
