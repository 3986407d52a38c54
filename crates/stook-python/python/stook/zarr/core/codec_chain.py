"""Chains of codecs: read from documents, and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec, Codec
from ..errors import UnknownCodecError
from .common import parse_named_configuration
from .dtype import VariableLengthUTF8, ZDType

__all__ = ["parse_codecs", "validate_array_bytes_codec", "validate_codecs"]


def parse_codecs(data: object) -> tuple[Codec, ...]:
    """Codecs from codecs or the objects of a version 3 document.

    Raises
    ------
    TypeError
        If it is no iterable of these.
    UnknownCodecError
        If nobody registered a codec.
    """
    from ..registry import get_codec_class

    if not isinstance(data, Iterable):
        raise TypeError(f"Expected iterable, got {type(data)}")
    codecs: list[Codec] = []
    for item in data:
        if isinstance(item, ArrayArrayCodec | ArrayBytesCodec | BytesBytesCodec):
            codecs.append(item)
            continue
        name, _ = parse_named_configuration(item, require_configuration=False)
        try:
            codecs.append(get_codec_class(name).from_dict(item))
        except KeyError as error:
            raise UnknownCodecError(f"Unknown codec: {error.args[0]!r}") from error
    return tuple(codecs)


def validate_array_bytes_codec(codecs: Iterable[Codec]) -> ArrayBytesCodec:
    """The one codec that makes bytes of arrays; ValueError unless there is just one."""
    found = [codec for codec in codecs if isinstance(codec, ArrayBytesCodec)]
    if not found:
        raise ValueError("At least one ArrayBytesCodec is required.")
    if len(found) > 1:
        raise ValueError("Only one ArrayBytesCodec is allowed.")
    return found[0]


def validate_codecs(codecs: Iterable[Codec], dtype: ZDType[Any, Any]) -> None:
    """ValueError unless the chain can hold items of a type."""
    from ..codecs.sharding import ShardingCodec

    serializer = validate_array_bytes_codec(codecs)
    while isinstance(serializer, ShardingCodec):
        serializer = validate_array_bytes_codec(serializer.codecs)
    name = type(serializer).__name__
    if isinstance(dtype, VariableLengthUTF8) and name != "VLenUTF8Codec":
        raise ValueError(f"For string dtype, ArrayBytesCodec must be `VLenUTF8Codec`, got `{name}`.")
