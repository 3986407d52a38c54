"""Scalars as JSON, byte orders, and the base of types that a name alone describes."""

from __future__ import annotations

import base64
import struct
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Literal,
    Self,
    SupportsComplex,
    SupportsFloat,
    SupportsIndex,
    SupportsInt,
    TypeAlias,
    TypeGuard,
)

import numpy as np

from ..common import (
    ENDIANNESS_STR,
    SPECIAL_FLOAT_STRINGS,
    EndiannessStr,
    HasEndianness,
    JSONFloatV2,
    JSONFloatV3,
    check_dtype_spec_v2,
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

if TYPE_CHECKING:
    from ...common import ZarrFormat

IntLike: TypeAlias = SupportsInt | SupportsIndex | bytes | str
FloatLike: TypeAlias = SupportsIndex | SupportsFloat | bytes | str
ComplexLike: TypeAlias = SupportsFloat | SupportsIndex | SupportsComplex | bytes | str | None
#: What is all of these: asking a protocol takes as long as writing a document.
PLAIN_NUMBERS = (int, float, np.integer, np.floating)
DateTimeUnit: TypeAlias = Literal[
    "Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic"
]
DATETIME_UNIT: Final = (
    "Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic",
)  # fmt: skip
NumpyEndiannessStr: TypeAlias = Literal[">", "<", "="]
NUMPY_ENDIANNESS_STR: Final = ">", "<", "="


def endianness_from_numpy_str(endianness: str) -> EndiannessStr:
    """The byte order that a character of NumPy means."""
    if endianness == "=":
        return sys.byteorder
    if endianness == "<":
        return "little"
    if endianness == ">":
        return "big"
    raise ValueError(f"Invalid endianness: {endianness!r}. Expected one of {NUMPY_ENDIANNESS_STR}")


def endianness_to_numpy_str(endianness: EndiannessStr | None) -> NumpyEndiannessStr:
    """The character of NumPy for a byte order."""
    if endianness == "little":
        return "<"
    if endianness == "big":
        return ">"
    raise ValueError(
        f"Invalid endianness: {endianness!r}. Expected one of {ENDIANNESS_STR} or None"
    )


def get_endianness_from_numpy_dtype(dtype: np.dtype[Any]) -> EndiannessStr:
    """The byte order of a NumPy type that has one."""
    if dtype.byteorder in NUMPY_ENDIANNESS_STR:
        return endianness_from_numpy_str(dtype.byteorder)
    raise ValueError(f"The dtype {dtype} has an unsupported endianness: {dtype.byteorder}")


def float_from_json_v2(data: Any) -> float:
    """A number, or the name of one that JSON lacks."""
    # `float` takes "Infinity" and "NaN" in any case; documents have just these.
    return float(data)


# Digits of a hexadecimal float, and how `struct` reads its bytes.
_HEX_FLOATS: Final = {4: ">e", 8: ">f", 16: ">d"}


def float_from_json_v3(data: Any) -> float:
    """A number, the name of one that JSON lacks, or its bits as hexadecimal digits."""
    if not isinstance(data, str) or data in SPECIAL_FLOAT_STRINGS:
        return float_from_json_v2(data)
    if not data.startswith("0x"):
        raise ValueError(
            f"Invalid float value: {data!r}. Expected a string starting with the hex prefix "
            "'0x', or one of 'NaN', 'Infinity', or '-Infinity'."
        )
    layout = _HEX_FLOATS.get(len(data) - 2)
    if layout is None:
        raise ValueError(
            f"Invalid hexadecimal float value: {data!r}. "
            "Expected the '0x' prefix to be followed by 4, 8, or 16 numeral characters"
        )
    return float(struct.unpack(layout, bytes.fromhex(data[2:]))[0])


def float_to_json_v2(data: Any) -> JSONFloatV2:
    """A number as JSON has it, or the name of one that JSON lacks."""
    if np.isnan(data):
        return "NaN"
    if np.isinf(data):
        return "Infinity" if data > 0 else "-Infinity"
    return float(data)


def float_to_json_v3(data: Any) -> JSONFloatV3:
    """The same as for version 2: bits of a NaN are not kept."""
    return float_to_json_v2(data)


def complex_float_to_json_v2(data: Any) -> tuple[JSONFloatV2, JSONFloatV2]:
    """Real and imaginary part."""
    return float_to_json_v2(data.real), float_to_json_v2(data.imag)


def complex_float_to_json_v3(data: Any) -> tuple[JSONFloatV3, JSONFloatV3]:
    """Real and imaginary part."""
    return float_to_json_v3(data.real), float_to_json_v3(data.imag)


def complex_float_from_json_v2(data: Any) -> complex:
    """The number with these parts."""
    return complex(float_from_json_v2(data[0]), float_from_json_v2(data[1]))


def complex_float_from_json_v3(data: Any) -> complex:
    """The number with these parts."""
    return complex(float_from_json_v3(data[0]), float_from_json_v3(data[1]))


def bytes_from_json(data: str, *, zarr_format: ZarrFormat) -> bytes:
    """The bytes of a base64 text."""
    if zarr_format not in (2, 3):
        raise ValueError(f"Invalid zarr format: {zarr_format}. Expected 2 or 3.")
    return base64.b64decode(data.encode("ascii"))


def bytes_to_json(data: bytes, zarr_format: ZarrFormat) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def check_json_float_v2(data: Any) -> bool:
    """Whether this is a number or the name of one that JSON lacks."""
    return isinstance(data, float | int) or data in ("NaN", "Infinity", "-Infinity")


def check_json_float_v3(data: Any) -> bool:
    """The same, or hexadecimal digits."""
    return check_json_float_v2(data) or (isinstance(data, str) and data.startswith("0x"))


def check_json_complex_float_v2(data: Any) -> bool:
    """Whether this is a pair of such numbers."""
    return _is_pair(data) and all(check_json_float_v2(part) for part in data)


def check_json_complex_float_v3(data: Any) -> bool:
    """Whether this is a pair of such numbers."""
    return _is_pair(data) and all(check_json_float_v3(part) for part in data)


def _is_pair(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, str) and len(data) == 2


def check_json_int(data: Any) -> TypeGuard[int]:
    """Whether this is an integer."""
    return isinstance(data, int)


def check_json_intish_float(data: Any) -> bool:
    """Whether this is a float that is an integer, as ``1.0``."""
    return isinstance(data, float) and data.is_integer()


def check_json_intish_str(data: Any) -> bool:
    """Whether this is a text that reads as an integer."""
    return isinstance(data, str) and _reads(int, data)


def check_json_floatish_str(data: Any) -> bool:
    """Whether this is a text that reads as a number."""
    return isinstance(data, str) and _reads(float, data)


def _reads(kind: Any, text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def check_json_str(data: Any) -> TypeGuard[str]:
    """Whether this is a text."""
    return isinstance(data, str)


def check_json_bool(data: Any) -> TypeGuard[bool]:
    """Whether this is a truth value."""
    return isinstance(data, bool)


class NamedDType(ZDType[TDType_co, TScalar_co]):
    """A type that is its name, and its byte order if it has one."""

    __slots__ = ()
    _zarr_v2_names: ClassVar[tuple[str, ...]]

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        if not cls._check_native_dtype(dtype):
            reject_native(cls, dtype)
        if issubclass(cls, HasEndianness):
            return cls(endianness=get_endianness_from_numpy_dtype(dtype))
        return cls()

    def to_native_dtype(self) -> TDType_co:
        native: Any = self.dtype_cls()
        if isinstance(self, HasEndianness):
            return native.newbyteorder(endianness_to_numpy_str(self.endianness))
        return native

    @classmethod
    def _check_json_v2(cls, data: Any) -> bool:
        return (
            check_dtype_spec_v2(data)
            and data["name"] in cls._zarr_v2_names
            and data["object_codec_id"] is None
        )

    @classmethod
    def _check_json_v3(cls, data: Any) -> bool:
        return data == cls._zarr_v3_name

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        if cls._check_json_v2(data):
            return cls.from_native_dtype(np.dtype(data["name"]))
        if len(cls._zarr_v2_names) == 1:
            reject_json(cls, data, f"the string {cls._zarr_v2_names[0]!r}")
        reject_json(cls, data, f"one of the strings {cls._zarr_v2_names!r}.")

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        if cls._check_json_v3(data):
            return cls()
        reject_json(cls, data, f"the string {cls._zarr_v3_name!r}")

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            return {"name": self.to_native_dtype().str, "object_codec_id": None}
        if zarr_format == 3:
            return self._zarr_v3_name
        raise bad_format(zarr_format)

    @property
    def item_size(self) -> int:
        """The size of an item in bytes."""
        return int(self.to_native_dtype().itemsize)

    def _cast_scalar_unchecked(self, data: Any) -> TScalar_co:
        return self.to_native_dtype().type(data)

    def cast_scalar(self, data: object) -> TScalar_co:
        if self._check_scalar(data):
            return self._cast_scalar_unchecked(data)
        reject_scalar(self, data)

    def default_scalar(self) -> TScalar_co:
        return self._cast_scalar_unchecked(0)


def with_endianness(dtype: ZDType[Any, Any], endianness: EndiannessStr | None) -> Any:
    """The type with another byte order, where it has one."""
    ordered: Any = dtype
    return replace(ordered, endianness=endianness) if isinstance(dtype, HasEndianness) else dtype
