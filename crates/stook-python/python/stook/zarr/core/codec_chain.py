"""Chains of codecs: read from documents, and checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec, Codec
from ..errors import UnknownCodecError, ZarrUserWarning
from .common import parse_named_configuration
from .dtype import VariableLengthUTF8, ZDType

if TYPE_CHECKING:
    from .array_spec import ArraySpec

__all__ = [
    "codecs_from_list",
    "evolve_chain",
    "parse_codecs",
    "validate_array_bytes_codec",
    "validate_codecs",
]


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
        raise ValueError(
            f"For string dtype, ArrayBytesCodec must be `VLenUTF8Codec`, got `{name}`."
        )


def evolve_chain(codecs: Iterable[Codec], spec: ArraySpec) -> tuple[Codec, ...]:
    """Codecs with the settings filled in that depend on the array.

    As in zarr-python 3.1, all are told what goes into the chain. What follows a codec that came
    with 3.4 is told, as there, what comes out of it.
    """
    evolved: list[Codec] = []
    for codec in codecs:
        codec = codec.evolve_from_array_spec(spec)
        evolved.append(codec)
        if getattr(codec, "_tells_the_rest", False):
            codec.validate(shape=spec.shape, dtype=spec.dtype, chunk_grid=None)
            spec = codec.resolve_metadata(spec)
    return tuple(evolved)


def codecs_from_list(
    codecs: Iterable[Codec],
) -> tuple[tuple[ArrayArrayCodec, ...], ArrayBytesCodec, tuple[BytesBytesCodec, ...]]:
    """A chain by the kinds of its codecs.

    Raises
    ------
    TypeError
        If the codecs are not in an order that makes bytes of an array.
    ValueError
        If not just one codec makes bytes of an array.
    """
    from ..codecs.sharding import ShardingCodec

    chain = tuple(codecs)
    if len(chain) > 1 and any(isinstance(codec, ShardingCodec) for codec in chain):
        warnings.warn(
            "Combining a `sharding_indexed` codec disables partial reads and "
            "writes, which may lead to inefficient performance.",
            category=ZarrUserWarning,
            stacklevel=3,
        )
    filters: list[ArrayArrayCodec] = []
    serializer: ArrayBytesCodec | None = None
    compressors: list[BytesBytesCodec] = []
    before: Any = None
    for codec in chain:
        if isinstance(codec, ArrayArrayCodec):
            if isinstance(before, ArrayBytesCodec | BytesBytesCodec):
                raise TypeError(
                    f"Invalid codec order. ArrayArrayCodec {codec}"
                    "must be preceded by another ArrayArrayCodec. "
                    f"Got {type(before)} instead."
                )
            filters.append(codec)
        elif isinstance(codec, ArrayBytesCodec):
            if isinstance(before, BytesBytesCodec):
                raise TypeError(
                    f"Invalid codec order. ArrayBytes codec {codec}"
                    f" must be preceded by an ArrayArrayCodec. Got {type(before)} instead."
                )
            if serializer is not None:
                raise ValueError(
                    f"Got two instances of ArrayBytesCodec: {serializer} and {codec}. "
                    "Only one array-to-bytes codec is allowed."
                )
            serializer = codec
        elif isinstance(codec, BytesBytesCodec):
            compressors.append(codec)
        else:
            raise TypeError(f"expected a codec, found {type(codec)}")
        before = codec
    if serializer is None:
        raise ValueError("Required ArrayBytesCodec was not found.")
    return tuple(filters), serializer, tuple(compressors)
