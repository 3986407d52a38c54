"""``cast_value``: numbers as numbers of another type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, TypedDict

from ..core.common import parse_named_configuration
from ..core.dtype import ZDType, get_data_type_from_json
from ._native import NativeArrayArray

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["CastValue"]

RoundingMode: TypeAlias = Literal[
    "nearest-even", "towards-zero", "towards-positive", "towards-negative", "nearest-away"
]
OutOfRangeMode: TypeAlias = Literal["clamp", "wrap"]


class ScalarMap(TypedDict, total=False):
    """Values that are not cast but replaced, each way."""

    encode: Mapping[str | float | int, str | float | int]
    decode: Mapping[str | float | int, str | float | int]


_INTEGERS: Final = frozenset(
    f"{sign}int{bits}" for sign in ("", "u") for bits in (2, 4, 8, 16, 32, 64)
)
_FLOATS: Final = frozenset(
    (
        "bfloat16",
        "float16",
        "float32",
        "float64",
        "float4_e2m1fn",
        "float6_e2m3fn",
        "float6_e3m2fn",
        "float8_e3m4",
        "float8_e4m3",
        "float8_e4m3b11fnuz",
        "float8_e4m3fnuz",
        "float8_e5m2",
        "float8_e5m2fnuz",
        "float8_e8m0fnu",
    )
)
PERMITTED_DATA_TYPE_NAMES: Final = _INTEGERS | _FLOATS


def parse_scalar_map(data: Mapping[str, Any]) -> ScalarMap:
    """A map both ways, from dicts or the pairs that documents have."""
    parsed: dict[str, Any] = {}
    for direction in ("encode", "decode"):
        if data.get(direction) is not None:
            parsed[direction] = dict(data[direction])
    return ScalarMap(**parsed)  # type: ignore[typeddict-item]


@dataclass(frozen=True)
class CastValue(NativeArrayArray):
    """Numbers as numbers of another type.

    Parameters
    ----------
    data_type
        The type that is stored.
    rounding
        How numbers that the type lacks are rounded.
    out_of_range
        What becomes of numbers beyond the type; by default they are an error.
    scalar_map
        Values that are replaced instead of cast.
    """

    is_fixed_size = True
    _tells_the_rest = True
    dtype: ZDType[Any, Any]
    rounding: RoundingMode
    out_of_range: OutOfRangeMode | None
    scalar_map: ScalarMap | None

    def __init__(
        self,
        *,
        data_type: str | ZDType[Any, Any],
        rounding: RoundingMode = "nearest-even",
        out_of_range: OutOfRangeMode | None = None,
        scalar_map: Any = None,
    ) -> None:
        dtype = (
            data_type
            if isinstance(data_type, ZDType)
            else get_data_type_from_json(data_type, zarr_format=3)
        )
        if not _is_permitted(dtype.to_json(zarr_format=3)):
            raise ValueError(
                f"Invalid target data type {data_type!r}. "
                "cast_value codec only supports integer and floating-point data types. "
                f"Got {dtype}."
            )
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "rounding", rounding)
        object.__setattr__(self, "out_of_range", out_of_range)
        parsed = None if scalar_map is None else parse_scalar_map(scalar_map)
        object.__setattr__(self, "scalar_map", parsed)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "cast_value")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document, without what is as if it were not there."""
        settings: dict[str, Any] = {"data_type": self.dtype.to_json(zarr_format=3)}
        if self.rounding != "nearest-even":
            settings["rounding"] = self.rounding
        if self.out_of_range is not None:
            settings["out_of_range"] = self.out_of_range
        if self.scalar_map is not None:
            settings["scalar_map"] = {
                direction: [(key, value) for key, value in pairs.items()]
                for direction, pairs in self._maps()
            }
        return {"name": "cast_value", "configuration": settings}

    def _maps(self) -> list[tuple[str, Mapping[Any, Any]]]:
        scalar_map: Any = self.scalar_map or {}
        return [(name, scalar_map[name]) for name in ("encode", "decode") if name in scalar_map]

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        source, target = dtype.to_json(zarr_format=3), self.dtype.to_json(zarr_format=3)
        for role, name in (("source", source), ("target", target)):
            if not _is_permitted(name):
                raise ValueError(
                    "The cast_value codec only supports integer and floating-point data types. "
                    f"Got {role} dtype {name}."
                )
        if self.out_of_range == "wrap" and target not in _INTEGERS:
            raise ValueError(
                "out_of_range='wrap' is only valid for integer target types. "
                f"Got target dtype {target}."
            )
        for direction, pairs in self._maps():
            before, after = (dtype, self.dtype) if direction == "encode" else (self.dtype, dtype)
            for key, value in pairs.items():
                _require_representable(key, before, f"scalar_map {direction} key")
                _require_representable(value, after, f"scalar_map {direction} value")

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        stored = self._stored(chunk_spec.fill_value, chunk_spec.dtype)
        return replace(chunk_spec, dtype=self.dtype, fill_value=self.dtype.cast_scalar(stored))

    def _stored(self, value: Any, source: ZDType[Any, Any]) -> Any:
        """A value as it is stored.

        Raises
        ------
        ValueError
            If the type that is stored has no such value.
        """
        for direction, pairs in self._maps():
            for key, mapped in pairs.items() if direction == "encode" else ():
                if _is_same(source.from_json_scalar(key, zarr_format=3), value):
                    return self.dtype.from_json_scalar(mapped, zarr_format=3)
        name = self.dtype.to_json(zarr_format=3)
        if name not in _INTEGERS:
            return float(value)
        number = float(value) if source.to_json(zarr_format=3) in _FLOATS else int(value)
        if isinstance(number, float):
            if not math.isfinite(number):
                raise ValueError(f"cast_value: {name} has no value for {number}")
            number = _ROUNDINGS[self.rounding](number)
        n_bits = int(name.removeprefix("u").removeprefix("int"))
        lowest = 0 if name.startswith("u") else -(1 << (n_bits - 1))
        highest = lowest + (1 << n_bits) - 1
        if lowest <= number <= highest:
            return number
        if self.out_of_range == "clamp":
            return min(max(number, lowest), highest)
        if self.out_of_range == "wrap":
            return (number - lowest) % (1 << n_bits) + lowest
        raise ValueError(
            f"cast_value: {number} is outside the range [{lowest}, {highest}] of {name}"
        )

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        source, target = chunk_spec.dtype.to_native_dtype(), self.dtype.to_native_dtype()
        return input_byte_length // source.itemsize * target.itemsize


def _is_same(a: Any, b: Any) -> bool:
    return bool(a == b) or bool(a != a and b != b)


def _away_from_zero(number: float) -> int:
    return math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)


_ROUNDINGS: Final[dict[str, Callable[[float], int]]] = {
    "nearest-even": round,
    "towards-zero": math.trunc,
    "towards-positive": math.ceil,
    "towards-negative": math.floor,
    "nearest-away": _away_from_zero,
}


def _is_permitted(name: Any) -> bool:
    return isinstance(name, str) and name in PERMITTED_DATA_TYPE_NAMES


def _require_representable(value: Any, dtype: ZDType[Any, Any], label: str) -> None:
    try:
        dtype.from_json_scalar(value, zarr_format=3)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{label} {value!r} is not representable in dtype {dtype.to_native_dtype()}."
        ) from error
