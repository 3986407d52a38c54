"""What ``info`` says of arrays and groups: tables in zarr-python's form."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .common import ZarrFormat

__all__ = ["ArrayInfo", "GroupInfo", "byte_info", "human_readable_size"]

_UNITS = "KMGTP"


def human_readable_size(size: int) -> str:
    """A number of bytes in the largest unit of 1024 that leaves it at least 1."""
    if size < 1024:
        return str(size)
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.1f}{_UNITS[power - 1]}"


def byte_info(size: int) -> str:
    """A number of bytes, and in which unit it is short."""
    return str(size) if size < 1024 else f"{size} ({human_readable_size(size)})"


def _table(rows: list[tuple[str, object]], width: int) -> str:
    return "\n".join(f"{name:<{width}}: {value}" for name, value in rows)


@dataclasses.dataclass(kw_only=True)
class GroupInfo:
    """What there is to know of a group.

    >>> zarr.group(path="g").info
    Name        : g
    Type        : Group
    Zarr format : 3
    Read-only   : False
    Store type  : MemoryStore
    """

    _name: str
    _type: Literal["Group"] = "Group"
    _zarr_format: ZarrFormat
    _read_only: bool
    _store_type: str
    _count_members: int | None = None
    _count_arrays: int | None = None
    _count_groups: int | None = None

    def __repr__(self) -> str:
        rows: list[tuple[str, object]] = [
            ("Name", self._name),
            ("Type", self._type),
            ("Zarr format", self._zarr_format),
            ("Read-only", self._read_only),
            ("Store type", self._store_type),
            ("No. members", self._count_members),
            ("No. arrays", self._count_arrays),
            ("No. groups", self._count_groups),
        ]
        return _table([row for row in rows if row[1] is not None], 12)


@dataclasses.dataclass(kw_only=True, frozen=True, slots=True)
class ArrayInfo:
    """What there is to know of an array without reading its items."""

    _type: Literal["Array"] = "Array"
    _zarr_format: ZarrFormat
    _data_type: Any
    _fill_value: object
    _shape: tuple[int, ...]
    _shard_shape: tuple[int, ...] | None = None
    _chunk_shape: tuple[int, ...] | None = None
    _order: Literal["C", "F"]
    _read_only: bool
    _store_type: str
    _filters: tuple[Any, ...] = ()
    _serializer: Any = None
    _compressors: tuple[Any, ...] = ()
    _count_bytes: int | None = None
    _count_bytes_stored: int | None = None
    _count_chunks_initialized: int | None = None

    def __repr__(self) -> str:
        rows: list[tuple[str, object]] = [
            ("Type", self._type),
            ("Zarr format", self._zarr_format),
            ("Data type", self._data_type),
            ("Fill value", self._fill_value),
            ("Shape", self._shape),
        ]
        if self._shard_shape is not None:
            rows.append(("Shard shape", self._shard_shape))
        chunks = "<variable>" if self._chunk_shape is None else self._chunk_shape
        rows.append(("Chunk shape", chunks))
        rows.append(("Order", self._order))
        rows.append(("Read-only", self._read_only))
        rows.append(("Store type", self._store_type))
        rows.append(("Filters", self._filters))
        if self._serializer is not None:
            rows.append(("Serializer", self._serializer))
        rows.append(("Compressors", self._compressors))
        return _table(rows + self._counts(), 19)

    def _counts(self) -> list[tuple[str, object]]:
        rows: list[tuple[str, object]] = []
        if self._count_bytes is not None:
            rows.append(("No. bytes", byte_info(self._count_bytes)))
        if self._count_bytes_stored is not None:
            rows.append(("No. bytes stored", byte_info(self._count_bytes_stored)))
        if self._count_bytes is not None and self._count_bytes_stored:
            rows.append(("Storage ratio", f"{self._count_bytes / self._count_bytes_stored:.1f}"))
        if self._count_chunks_initialized is not None:
            unit = "Chunks" if self._shard_shape is None else "Shards"
            rows.append((f"{unit} Initialized", self._count_chunks_initialized))
        return rows
