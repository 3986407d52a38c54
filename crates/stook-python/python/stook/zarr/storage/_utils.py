"""Paths of nodes and keys, and ranges of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest

if TYPE_CHECKING:
    from ..abc.store import ByteRequest
    from ..core.buffer import Buffer

T = TypeVar("T")


def normalize_path(path: str | bytes | Path | None) -> str:
    """``a/b`` of ``/a//b/``, ``\\a\\b`` and the like; a path that leads upwards is refused."""
    if path is None:
        text = ""
    elif isinstance(path, bytes):
        text = str(path, "ascii")
    elif isinstance(path, (str, Path)):
        text = str(path)
    else:
        found = type(path).__name__
        raise TypeError(f'Object {path} has an invalid type for "path": {found}')
    text = re.sub("//+", "/", text.replace("\\", "/").strip("/"))
    if not {".", ".."}.isdisjoint(text.split("/")):
        raise ValueError(
            f"The path {path!r} is invalid because its string representation contains '.' or '..'"
            " segments."
        )
    return text


def _normalize_byte_range_index(data: Buffer, byte_range: ByteRequest | None) -> tuple[int, int]:
    """Start and stop of a slice of ``data``."""
    length = len(data)
    match byte_range:
        case None:
            return 0, length + 1
        case RangeByteRequest(start, end):
            return start, end
        case OffsetByteRequest(offset):
            return offset, length + 1
        case SuffixByteRequest(suffix):
            return max(0, length - suffix), length + 1
    raise ValueError(f"Unexpected byte_range, got {byte_range}.")


def _start_and_end(byte_range: ByteRequest | None) -> tuple[int | None, int | None]:
    """The same as the library takes it: a negative start counts from the end."""
    match byte_range:
        case None:
            return None, None
        case RangeByteRequest(start, end):
            return start, end
        case OffsetByteRequest(offset):
            return offset, None
        case SuffixByteRequest(0):
            return 0, 0
        case SuffixByteRequest(suffix):
            return -suffix, None
    raise TypeError(f"Unexpected byte_range, got {byte_range}.")


def _join_paths(paths: Iterable[str]) -> str:
    return "/".join(path for path in paths if path)


def _relativize_path(*, path: str, prefix: str) -> str:
    """The rest of ``path`` below ``prefix``."""
    if prefix == "":
        return path
    rest = path.removeprefix(f"{prefix}/")
    if rest == path:
        raise ValueError(f"The first component of {path} does not start with {prefix}.")
    return rest


def _normalize_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths as :func:`normalize_path` has them, none of them twice."""
    origins: dict[str, str] = {}
    for path in paths:
        normal = normalize_path(path)
        if normal in origins:
            raise ValueError(
                f"After normalization, the value '{path}' collides with '{origins[normal]}'. "
                f"Both '{path}' and '{origins[normal]}' normalize to the same value: '{normal}'. "
                f"You should use either '{path}' or '{origins[normal]}', but not both."
            )
        origins[normal] = path
    return tuple(origins)


def _normalize_path_keys(data: Mapping[str, T]) -> dict[str, T]:
    return dict(zip(_normalize_paths(data.keys()), data.values(), strict=True))
