"""Small parsers and type names that metadata, arrays and stores share.

Messages are those of zarr-python, which scripts and their tests compare with.
"""

from __future__ import annotations

import asyncio
import functools
import math
import operator
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import starmap
from typing import Any, Final, Generic, Literal, NotRequired, TypeAlias, TypedDict, TypeVar

import numpy as np

from ..errors import ZarrRuntimeWarning
from .config import config as zarr_config

ZARR_JSON = "zarr.json"
ZARRAY_JSON = ".zarray"
ZGROUP_JSON = ".zgroup"
ZATTRS_JSON = ".zattrs"
ZMETADATA_V2_JSON = ".zmetadata"

BytesLike: TypeAlias = bytes | bytearray | memoryview
ShapeLike: TypeAlias = Iterable[int | np.integer[Any]] | int | np.integer[Any]
ChunksLike: TypeAlias = Any
ChunkCoords: TypeAlias = tuple[int, ...]
ZarrFormat: TypeAlias = Literal[2, 3]
NodeType: TypeAlias = Literal["array", "group"]
JSON: TypeAlias = str | int | float | bool | Mapping[str, "JSON"] | Sequence["JSON"] | None
MemoryOrder: TypeAlias = Literal["C", "F"]
AccessModeLiteral: TypeAlias = Literal["r", "r+", "a", "w", "w-"]
ANY_ACCESS_MODE: Final = "r", "r+", "a", "w", "w-"
DimensionNames: TypeAlias = Iterable[str | None] | None

TName = TypeVar("TName", bound=str)
TConfig = TypeVar("TConfig", bound=Mapping[str, object])
E = TypeVar("E", bound=Enum)
T = TypeVar("T", bound=tuple[Any, ...])
V = TypeVar("V")


class NamedConfig(TypedDict, Generic[TName, TConfig]):
    """An object of a version 3 document: a name and what configures it."""

    name: TName
    configuration: NotRequired[TConfig]


class NamedRequiredConfig(TypedDict, Generic[TName, TConfig]):
    """The same, where a configuration must be there."""

    name: TName
    configuration: TConfig


def product(tup: tuple[int, ...]) -> int:
    """The product of integers; 1 of none."""
    return functools.reduce(operator.mul, tup, 1)


def ceildiv(a: float, b: float) -> int:
    """``a / b``, rounded up; zero of zero whatever ``b`` is."""
    return 0 if a == 0 else math.ceil(a / b)


async def concurrent_map(
    items: Iterable[T], func: Callable[..., Awaitable[V]], limit: int | None = None
) -> list[V]:
    """``func(*item)`` of each item, in order, with at most ``limit`` at work at once."""
    if limit is None:
        return list(await asyncio.gather(*starmap(func, items)))
    turnstile = asyncio.Semaphore(limit)

    async def run(item: T) -> V:
        async with turnstile:
            return await func(*item)

    return list(await asyncio.gather(*(run(item) for item in items)))


def enum_names(enum: type[E]) -> Iterator[str]:
    """The names of the members."""
    return (member.name for member in enum)


def parse_enum(data: object, cls: type[E]) -> E:
    """A member, or the member that a string names."""
    if isinstance(data, cls):
        return data
    if not isinstance(data, str):
        raise TypeError(f"Expected str, got {type(data)}")
    if data in enum_names(cls):
        return cls(data)
    raise ValueError(f"Value must be one of {list(enum_names(cls))!r}. Got {data} instead.")


def parse_name(data: JSON, expected: str | None = None) -> str:
    """A string, and the expected one if one is expected."""
    if not isinstance(data, str):
        raise TypeError(f"Expected a string, got an instance of {type(data)}.")
    if expected is not None and data != expected:
        raise ValueError(f"Expected '{expected}'. Got {data} instead.")
    return data


def parse_configuration(data: JSON) -> dict[str, Any]:
    """A dict."""
    if not isinstance(data, dict):
        raise TypeError(f"Expected dict, got {type(data)}")
    return data


def parse_named_configuration(
    data: Any, expected_name: str | None = None, *, require_configuration: bool = True
) -> tuple[str, dict[str, Any] | None]:
    """Name and configuration of an object of a version 3 document.

    Raises
    ------
    TypeError
        If it is no dict, or its name no string.
    ValueError
        If it has another name than the expected one, or lacks what it must have.
    """
    if not isinstance(data, dict):
        raise TypeError(f"Expected dict, got {type(data)}")
    if "name" not in data:
        raise ValueError(f"Named configuration does not have a 'name' key. Got {data}.")
    name = parse_name(data["name"], expected_name)
    if "configuration" in data:
        return name, parse_configuration(data["configuration"])
    if require_configuration:
        raise ValueError(f"Named configuration does not have a 'configuration' key. Got {data}.")
    return name, None


def parse_shapelike(data: ShapeLike) -> tuple[int, ...]:
    """A shape as Python integers; an integer is a shape of one axis.

    Raises
    ------
    TypeError
        If it is no iterable of integers.
    ValueError
        If an extent is negative.
    """
    if isinstance(data, int | np.integer):
        if data < 0:
            raise ValueError(f"Expected a non-negative integer. Got {data} instead")
        return (int(data),)
    try:
        extents = tuple(data)
    except TypeError as error:
        raise TypeError(
            f"Expected an integer or an iterable of integers. Got {data} instead."
        ) from error
    if not all(isinstance(extent, int | np.integer) for extent in extents):
        raise TypeError(f"Expected an iterable of integers. Got {data} instead.")
    if any(extent < 0 for extent in extents):
        raise ValueError(f"Expected all values to be non-negative. Got {data} instead.")
    return tuple(int(extent) for extent in extents)


def parse_fill_value(data: Any) -> Any:
    """``data``: only a data type can say what fills an array."""
    return data


def parse_order(data: Any) -> Literal["C", "F"]:
    """``data`` if it is an order of axes in memory."""
    if data == "C":
        return "C"
    if data == "F":
        return "F"
    raise ValueError(f"Expected one of ('C', 'F'), got {data} instead.")


def parse_bool(data: Any) -> bool:
    """``data`` if it is a bool."""
    if isinstance(data, bool):
        return data
    raise ValueError(f"Expected bool, got {data} instead.")


def _warn_write_empty_chunks_kwarg() -> None:
    warnings.warn(
        "The `write_empty_chunks` keyword argument is deprecated and will be removed in future "
        "versions. To control whether empty chunks are written to storage, either use the "
        "`config` keyword argument, as in `config={'write_empty_chunks': True}`,"
        "or change the global 'array.write_empty_chunks' configuration variable.",
        ZarrRuntimeWarning,
        stacklevel=2,
    )


def _warn_order_kwarg() -> None:
    warnings.warn(
        "The `order` keyword argument has no effect for Zarr format 3 arrays. "
        "To control the memory layout of the array, either use the `config` keyword "
        "argument, as in `config={'order': 'C'}`,"
        "or change the global 'array.order' configuration variable.",
        ZarrRuntimeWarning,
        stacklevel=2,
    )


def _default_zarr_format() -> ZarrFormat:
    """The format of what is created where nobody says."""
    return 2 if int(zarr_config.get("default_zarr_format", 3)) == 2 else 3
