"""``blosc``: items shuffled, then compressed in blocks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

from ..core.common import parse_enum, parse_named_configuration
from ..core.dtype.common import HasItemSize
from ._native import NativeBytesBytes

if TYPE_CHECKING:
    from ..core.array_spec import ArraySpec

__all__ = ["BloscCname", "BloscCodec", "BloscShuffle"]

Shuffle: TypeAlias = Literal["noshuffle", "shuffle", "bitshuffle"]
SHUFFLE: Final = ("noshuffle", "shuffle", "bitshuffle")
CName: TypeAlias = Literal["lz4", "lz4hc", "blosclz", "snappy", "zlib", "zstd"]


class BloscShuffle(Enum):
    """What is shuffled before compressing: nothing, bytes or bits."""

    noshuffle = "noshuffle"
    shuffle = "shuffle"
    bitshuffle = "bitshuffle"

    @classmethod
    def from_int(cls, num: int) -> BloscShuffle:
        """The shuffle that documents of version 2 have as a number."""
        if num not in range(len(SHUFFLE)):
            raise ValueError(f"Value must be between 0 and 2. Got {num}.")
        return cls(SHUFFLE[num])


class BloscCname(Enum):
    """The compressor."""

    lz4 = "lz4"
    lz4hc = "lz4hc"
    blosclz = "blosclz"
    zstd = "zstd"
    snappy = "snappy"
    zlib = "zlib"


def parse_typesize(data: Any) -> int:
    """A positive integer."""
    if not isinstance(data, int):
        raise TypeError(f"Value must be an int. Got {type(data)} instead.")
    if data <= 0:
        raise ValueError(f"Value must be greater than 0. Got {data}, which is less or equal to 0.")
    return data


def _parse_int(data: Any) -> int:
    if not isinstance(data, int):
        raise TypeError(f"Value should be an int. Got {type(data)} instead.")
    return data


parse_clevel = _parse_int
parse_blocksize = _parse_int


@dataclass(frozen=True)
class BloscCodec(NativeBytesBytes):
    """Blosc.

    Parameters
    ----------
    typesize
        The size of items in bytes; by default that of the array's items.
    cname
        The compressor.
    clevel
        How hard it tries, from 0 to 9.
    shuffle
        What is shuffled; by default bytes, or bits where items have one byte.
    blocksize
        The size of blocks in bytes; 0 leaves it to Blosc.
    """

    # The parameters that nobody set, which the array decides about.
    _tunable_attrs: set[Literal["typesize", "shuffle"]] = field(init=False)
    is_fixed_size = False
    typesize: int
    cname: BloscCname
    clevel: int
    shuffle: BloscShuffle
    blocksize: int

    def __init__(
        self,
        *,
        typesize: int | None = None,
        cname: BloscCname | CName = BloscCname.zstd,
        clevel: int = 5,
        shuffle: BloscShuffle | Shuffle | None = None,
        blocksize: int = 0,
    ) -> None:
        tunable: set[str] = set()
        if typesize is None:
            typesize = 1
            tunable.add("typesize")
        if shuffle is None:
            shuffle = BloscShuffle.bitshuffle
            tunable.add("shuffle")
        object.__setattr__(self, "_tunable_attrs", tunable)
        object.__setattr__(self, "typesize", parse_typesize(typesize))
        object.__setattr__(self, "cname", parse_enum(cname, BloscCname))
        object.__setattr__(self, "clevel", parse_clevel(clevel))
        object.__setattr__(self, "shuffle", parse_enum(shuffle, BloscShuffle))
        object.__setattr__(self, "blocksize", parse_blocksize(blocksize))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, "blosc")
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {
            "name": "blosc",
            "configuration": {
                "typesize": self.typesize,
                "cname": self.cname.value,
                "clevel": self.clevel,
                "shuffle": self.shuffle.value,
                "blocksize": self.blocksize,
            },
        }

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        dtype = array_spec.dtype
        item_size = dtype.item_size if isinstance(dtype, HasItemSize) else 1
        changes: dict[str, Any] = {}
        if "typesize" in self._tunable_attrs:
            changes["typesize"] = item_size
        if "shuffle" in self._tunable_attrs:
            is_byte = item_size == 1
            changes["shuffle"] = BloscShuffle.bitshuffle if is_byte else BloscShuffle.shuffle
        return replace(self, **changes) if changes else self
