"""Under which key of a store a chunk lies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NotRequired, Self, TypeAlias, TypedDict

from ..abc.metadata import Metadata
from .common import parse_named_configuration

__all__ = [
    "ChunkKeyEncoding",
    "ChunkKeyEncodingLike",
    "ChunkKeyEncodingParams",
    "DefaultChunkKeyEncoding",
    "V2ChunkKeyEncoding",
    "parse_chunk_key_encoding",
    "parse_separator",
]

SeparatorLiteral: TypeAlias = Literal[".", "/"]


def parse_separator(data: Any) -> SeparatorLiteral:
    """``data`` if chunk indices may stand on both sides of it."""
    if data == ".":
        return "."
    if data == "/":
        return "/"
    raise ValueError(f"Expected an '.' or '/' separator. Got {data} instead.")


class ChunkKeyEncodingParams(TypedDict):
    """A chunk key encoding as a dict without nesting."""

    name: Literal["v2", "default"]
    separator: NotRequired[SeparatorLiteral]


@dataclass(frozen=True)
class ChunkKeyEncoding(ABC, Metadata):
    """A way from indices of chunks to keys; subclasses have a ``name`` and say how."""

    name: ClassVar[str]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The encoding that an object of a version 3 document describes."""
        _, configuration = parse_named_configuration(data, require_configuration=False)
        return cls(**configuration or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": self.name, "configuration": super().to_dict()}

    def decode_chunk_key(self, chunk_key: str) -> tuple[int, ...]:
        """The index of the chunk under a key; subclasses need not know."""
        raise NotImplementedError(f"{type(self).__name__} does not implement decode_chunk_key.")

    @abstractmethod
    def encode_chunk_key(self, chunk_coords: tuple[int, ...]) -> str:
        """The key of the chunk at an index."""


ChunkKeyEncodingLike: TypeAlias = dict[str, Any] | ChunkKeyEncodingParams | ChunkKeyEncoding


@dataclass(frozen=True)
class DefaultChunkKeyEncoding(ChunkKeyEncoding):
    """``c/0/1``."""

    name: ClassVar[str] = "default"
    separator: SeparatorLiteral = "/"

    def __post_init__(self) -> None:
        parse_separator(self.separator)

    def decode_chunk_key(self, chunk_key: str) -> tuple[int, ...]:
        if chunk_key == "c":
            return ()
        digits = chunk_key.removeprefix("c").removeprefix(self.separator)
        return tuple(map(int, digits.split(self.separator)))

    def encode_chunk_key(self, chunk_coords: tuple[int, ...]) -> str:
        return self.separator.join(("c", *map(str, chunk_coords)))


@dataclass(frozen=True)
class V2ChunkKeyEncoding(ChunkKeyEncoding):
    """``0.1``, as version 2 has it."""

    name: ClassVar[str] = "v2"
    separator: SeparatorLiteral = "."

    def __post_init__(self) -> None:
        parse_separator(self.separator)

    def decode_chunk_key(self, chunk_key: str) -> tuple[int, ...]:
        return tuple(map(int, chunk_key.split(self.separator)))

    def encode_chunk_key(self, chunk_coords: tuple[int, ...]) -> str:
        return self.separator.join(map(str, chunk_coords)) or "0"


def parse_chunk_key_encoding(data: Any) -> ChunkKeyEncoding:
    """An encoding, from one, from the object of a document, or from a flat dict.

    Raises
    ------
    ValueError
        If nobody registered one of that name.
    """
    if isinstance(data, ChunkKeyEncoding):
        return data
    from ..registry import get_chunk_key_encoding_class

    if "name" in data and "separator" in data:
        data = {"name": data["name"], "configuration": {"separator": data["separator"]}}
    name, _ = parse_named_configuration(data, require_configuration=False)
    try:
        return get_chunk_key_encoding_class(name).from_dict(data)
    except KeyError as error:
        raise ValueError(f"Unknown chunk key encoding: {error.args[0]!r}") from error
