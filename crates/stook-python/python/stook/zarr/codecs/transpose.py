"""``transpose``: axes in another order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..abc.codec import ArrayArrayCodec
from ..core.common import parse_named_configuration
from ._native import array_buffer, to_array

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["TransposeCodec"]


def parse_transpose_order(data: Any) -> tuple[int, ...]:
    """Integers, one an axis."""
    if not isinstance(data, Iterable):
        raise TypeError(f"Expected an iterable. Got {data} instead.")
    axes = tuple(data)
    if not all(isinstance(axis, int) for axis in axes):
        raise TypeError(f"Expected an iterable of integers. Got {data} instead.")
    return axes


@dataclass(frozen=True)
class TransposeCodec(ArrayArrayCodec):
    """Axes in another order; axis ``i`` of what is stored is axis ``order[i]`` of the array."""

    is_fixed_size = True
    order: tuple[int, ...]

    def __init__(self, *, order: Iterable[int]) -> None:
        object.__setattr__(self, "order", parse_transpose_order(order))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "transpose")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": "transpose", "configuration": {"order": tuple(self.order)}}

    def _check(self, ndim: int) -> None:
        if len(self.order) != ndim:
            raise ValueError(
                "The `order` tuple must have as many entries as there are dimensions in the "
                f"array. Got {self.order}."
            )
        if len(self.order) != len(set(self.order)):
            raise ValueError(
                f"There must not be duplicates in the `order` tuple. Got {self.order}."
            )
        if not all(0 <= axis < ndim for axis in self.order):
            raise ValueError(
                "All entries in the `order` tuple must be between 0 and the number of "
                f"dimensions in the array. Got {self.order}."
            )

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        self._check(len(shape))

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        self._check(array_spec.ndim)
        return self

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        return replace(chunk_spec, shape=tuple(chunk_spec.shape[axis] for axis in self.order))

    def _encode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        return array_buffer(to_array(chunk_array).transpose(self.order), chunk_spec)

    def _decode_sync(self, chunk_array: Any, chunk_spec: ArraySpec) -> Any:
        inverse = tuple(int(axis) for axis in np.argsort(self.order))
        return array_buffer(to_array(chunk_array).transpose(inverse), chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        return input_byte_length
