"""``scale_offset``: numbers less an offset, times a scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..core.common import parse_named_configuration
from ._native import NativeArrayArray

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["ScaleOffset"]


@dataclass(frozen=True)
class ScaleOffset(NativeArrayArray):
    """Numbers less an offset, times a scale, of the same type; what does not fit is an error.

    Parameters
    ----------
    offset, scale
        Numbers, or their fill value forms (``"NaN"``, ``"0x..."``).
    """

    is_fixed_size = True
    _tells_the_rest = True
    offset: int | float | str
    scale: int | float | str

    def __init__(self, *, offset: object = 0, scale: object = 1) -> None:
        for name, value in (("offset", offset), ("scale", scale)):
            if not isinstance(value, int | float | str):
                raise TypeError(f"{name} must be a number or string, got {type(value).__name__}")
            object.__setattr__(self, name, value)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, found = parse_named_configuration(data, "scale_offset", require_configuration=False)
        return cls(**found or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document, without what is as if it were not there."""
        settings: dict[str, Any] = {}
        if self.offset != 0:
            settings["offset"] = self.offset
        if self.scale != 1:
            settings["scale"] = self.scale
        return {"name": "scale_offset"} | ({"configuration": settings} if settings else {})

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        native = dtype.to_native_dtype()
        if native.kind not in "iuf":
            raise ValueError(
                "scale_offset codec only supports integer and floating-point data types. "
                f"Got {dtype}."
            )
        scale: Any = None
        for name, value in (("offset", self.offset), ("scale", self.scale)):
            try:
                scale = dtype.from_json_scalar(value, zarr_format=3)
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(
                    f"scale_offset {name} value {value!r} is not representable in dtype {native}."
                ) from error
        if scale == 0:
            raise ValueError("scale_offset scale must be non-zero.")

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        dtype = chunk_spec.dtype
        fill, offset, scale = (
            dtype.cast_scalar(chunk_spec.fill_value),
            dtype.from_json_scalar(self.offset, zarr_format=3),
            dtype.from_json_scalar(self.scale, zarr_format=3),
        )
        native = dtype.to_native_dtype()
        if native.kind not in "iu":
            return replace(chunk_spec, fill_value=((fill - offset) * scale).item())
        stored = (int(fill) - int(offset)) * int(scale)
        bounds = np.iinfo(native)
        if not bounds.min <= stored <= bounds.max:
            raise ValueError(
                f"scale_offset produced a value outside the range of dtype {native} "
                f"[{bounds.min}, {bounds.max}]."
            )
        return replace(chunk_spec, fill_value=stored)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        return input_byte_length
