"""How an array behaves at run time, and what a codec is told of the chunks it gets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NotRequired, Self, TypeAlias, TypedDict

from .common import MemoryOrder, parse_bool, parse_fill_value, parse_order, parse_shapelike
from .config import config as zarr_config

if TYPE_CHECKING:
    from .dtype import ZDType

__all__ = ["ArrayConfig", "ArrayConfigLike", "ArrayConfigParams", "ArraySpec", "parse_array_config"]


class ArrayConfigParams(TypedDict):
    """Settings for an array; those that are missing come from the configuration."""

    order: NotRequired[MemoryOrder]
    write_empty_chunks: NotRequired[bool]
    read_missing_chunks: NotRequired[bool]


@dataclass(frozen=True)
class ArrayConfig:
    """Settings of an array that are not stored with it.

    Parameters
    ----------
    order
        The order of axes in memory of what is read.
    write_empty_chunks
        Whether chunks that hold nothing but the fill value are stored.
    """

    order: MemoryOrder
    write_empty_chunks: bool

    def __init__(self, order: MemoryOrder, write_empty_chunks: bool) -> None:
        object.__setattr__(self, "order", parse_order(order))
        object.__setattr__(self, "write_empty_chunks", parse_bool(write_empty_chunks))

    @classmethod
    def from_dict(cls, data: ArrayConfigParams) -> Self:
        """The settings in ``data``, and from the configuration what it lacks."""
        given: Any = data
        names = [field.name for field in fields(ArrayConfig)]
        return cls(**{n: given[n] if n in given else zarr_config.get(f"array.{n}") for n in names})

    def to_dict(self) -> ArrayConfigParams:
        """The settings as a dict."""
        return {"order": self.order, "write_empty_chunks": self.write_empty_chunks}


ArrayConfigLike: TypeAlias = ArrayConfig | ArrayConfigParams


def parse_array_config(data: ArrayConfigLike | None) -> ArrayConfig:
    """Settings from settings, a dict, or nothing."""
    if isinstance(data, ArrayConfig):
        return data
    if data:
        return ArrayConfig.from_dict(data)
    order, empty = zarr_config.get("array.order"), zarr_config.get("array.write_empty_chunks")
    # The last one again, where nobody changed the configuration.
    if _LAST and _LAST[0].order is order and _LAST[0].write_empty_chunks is empty:
        return _LAST[0]
    _LAST[:] = [ArrayConfig(order, empty)]
    return _LAST[0]


_LAST: list[ArrayConfig] = []


@dataclass(frozen=True)
class ArraySpec:
    """What a codec is told of a chunk: shape, type and fill value of what goes in."""

    shape: tuple[int, ...]
    dtype: ZDType[Any, Any]
    fill_value: Any
    config: ArrayConfig
    prototype: Any

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: ZDType[Any, Any],
        fill_value: Any,
        config: ArrayConfig,
        prototype: Any,
    ) -> None:
        object.__setattr__(self, "shape", parse_shapelike(shape))
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "fill_value", parse_fill_value(fill_value))
        object.__setattr__(self, "config", config)
        object.__setattr__(self, "prototype", prototype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def order(self) -> MemoryOrder:
        """The order of axes in memory."""
        return self.config.order
