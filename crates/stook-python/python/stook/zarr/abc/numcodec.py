"""What a codec of Zarr version 2 must have, whoever wrote it: numcodecs, stook or a script."""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeGuard

__all__ = ["Numcodec"]


class Numcodec(Protocol):
    """A codec with an id and a configuration."""

    codec_id: str

    def encode(self, buf: Any) -> Any:
        """The encoding of a buffer."""
        ...

    def decode(self, buf: Any, out: Any | None = None) -> Any:
        """What an encoding decodes to."""
        ...

    def get_config(self) -> Any:
        """The configuration, with the id under ``id``."""
        ...

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """The codec of a configuration without its id."""
        ...


_METHODS = ("encode", "decode", "get_config", "from_config")


def _is_numcodec_cls(obj: object) -> TypeGuard[type[Numcodec]]:
    return (
        isinstance(obj, type)
        and isinstance(getattr(obj, "codec_id", None), str)
        and all(callable(getattr(obj, name, None)) for name in _METHODS)
    )


def _is_numcodec(obj: object) -> TypeGuard[Numcodec]:
    return _is_numcodec_cls(type(obj))
