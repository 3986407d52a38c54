"""Codecs on buffers: what encodes the chunks of arrays, by itself.

The configurations, ids and bytes are those of numcodecs, so that either decodes what the other
encoded.

>>> codec = stook.codecs.get_codec({"id": "zlib", "level": 1})
>>> encoded = codec.encode(np.arange(1000))
>>> np.frombuffer(codec.decode(encoded), "int64").sum()
np.int64(499500)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._stook import Codec as NativeCodec
from ._stook import codec_ids

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["Codec", "available", "get_codec"]


class Codec(NativeCodec):
    """A codec, made by :func:`get_codec`. It has no state: threads may share it, and it pickles.

    >>> stook.codecs.get_codec("zstd")
    Codec('zstd')
    """

    @property
    def codec_id(self) -> str:
        """Its id."""
        config = self.config
        return str(config if isinstance(config, str) else config.get("id") or config.get("name"))

    def get_config(self) -> dict[str, Any]:
        """Its configuration, as :func:`get_codec` takes it."""
        config = self.config
        return {"id": config} if isinstance(config, str) else dict(config)

    def encode(self, buf: Any) -> bytes:
        """The encoding of a buffer.

        Parameters
        ----------
        buf
            An array in one piece (C or Fortran order; another one is copied), or anything with
            the buffer protocol. For codecs of objects (``vlen-utf8``, ``json2``, ...) an array
            of objects.

        Raises
        ------
        InvalidInputError
            If the codec cannot encode such items.
        """
        return super().encode(buf)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """What an encoding decodes to: bytes; an array of one axis where the codec knows the
        dtype of what comes out (``delta``, ``quantize``, ``packbits``, ``vlen-utf8``, ...). Where
        decoding is only checking (``crc32c``, ...) the array lies in ``buf``.

        Parameters
        ----------
        buf
            Bytes in one piece.
        out
            Writable memory in one piece, of exactly as many bytes as are decoded; it is filled
            and returned. For codecs of objects an array of objects.

        Raises
        ------
        FormatError
            If ``buf`` is no encoding.
        InvalidInputError
            If ``out`` has another length.
        """
        return super().decode(buf, out)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        config = self.config
        if isinstance(config, str):
            return f"Codec({config!r})"
        rest = {name: value for name, value in config.items() if name not in ("id", "name")}
        settings = "".join(f", {name}={value!r}" for name, value in rest.items())
        return f"Codec({self.codec_id!r}{settings})"


def get_codec(config: str | Mapping[str, Any], dtype: DTypeLike | None = None) -> Codec:
    """The codec of a configuration.

    Parameters
    ----------
    config
        A dict with ``id`` and settings as numcodecs has it, one with ``name`` and
        ``configuration`` as Zarr version 3 has it, or an id alone.
    dtype
        The dtype of the items, for codecs that depend on it (``blosc``, ``bitround``,
        ``shuffle``, ``pcodec``, ...); by default that of each array that is encoded.

    Raises
    ------
    UnsupportedError
        If there is no such codec.
    InvalidInputError
        If a setting is wrong.

    Examples
    --------
    >>> blosc = stook.codecs.get_codec({"id": "blosc", "cname": "zstd", "clevel": 3})
    >>> len(blosc.encode(np.zeros(1000))) < 100
    True
    """
    return Codec(dict(config) if isinstance(config, Mapping) else config, dtype)


def available() -> list[str]:
    """The ids of the codecs there are.

    >>> "zstd" in stook.codecs.available()
    True
    """
    return sorted(codec_ids())

