"""Codecs of Zarr version 2 by their configuration, without numcodecs.

Each id has a class of the name, parameters, configuration and repr that numcodecs gives it; it
compares equal to the codec of numcodecs with the same configuration. Bytes are encoded by
``stook.codecs``. Where a script has imported numcodecs, :func:`get_numcodec` gives it the codecs
of that package instead, so that ``isinstance`` says what the script expects.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import numpy as np

from ..errors import UnknownCodecError

__all__ = ["ConfiguredCodec", "get_numcodec"]

_REQUIRED: Final = object()
_DTYPES: Final = ("dtype", "astype", "encode_dtype", "decode_dtype")


class ConfiguredCodec:
    """A codec with an id and parameters; its subclasses are made from a table."""

    codec_id: ClassVar[str]
    _parameters: ClassVar[dict[str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name, value in self._bind(args, kwargs).items():
            if name in _DTYPES and value is not None:
                value = np.dtype(value)
            object.__setattr__(self, name, value)
        if self.__dict__.get("astype", _REQUIRED) is None:
            object.__setattr__(self, "astype", self.__dict__["dtype"])

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        call = f"{type(self).__name__}.__init__()"
        names = list(self._parameters)
        if len(args) > len(names):
            raise TypeError(
                f"{call} takes {len(names) + 1} positional arguments but {len(args) + 1} were given"
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in self._parameters:
                raise TypeError(f"{call} got an unexpected keyword argument {name!r}")
            if name in given:
                raise TypeError(f"{call} got multiple values for argument {name!r}")
            given[name] = value
        missing = [n for n in names if n not in given and self._parameters[n] is _REQUIRED]
        if missing:
            what = " and ".join(repr(name) for name in missing)
            plural = "s" if len(missing) > 1 else ""
            raise TypeError(
                f"{call} missing {len(missing)} required positional argument{plural}: {what}"
            )
        return {name: given.get(name, default) for name, default in self._parameters.items()}

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a codec cannot be changed: make another one to set {name!r}")

    def get_config(self) -> dict[str, Any]:
        """The configuration, with the id under ``id``."""
        config: dict[str, Any] = {"id": self.codec_id}
        for name, value in self.__dict__.items():
            if name in _OPTIONAL.get(self.codec_id, ()) and value is None:
                continue
            config[name] = value.str if isinstance(value, np.dtype) else value
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The codec of a configuration without its id."""
        return cls(**config)

    def encode(self, buf: Any) -> Any:
        """The encoding of a buffer."""
        return self._native().encode(buf)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """What an encoding decodes to; ``out`` is filled if it is given."""
        return self._native().decode(buf, out)

    def _native(self) -> Any:
        from ...codecs import get_codec

        return get_codec(self.get_config())

    def __eq__(self, other: object) -> bool:
        config = getattr(other, "get_config", None)
        return callable(config) and bool(self.get_config() == config())

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        config = self.get_config()
        return _again, (config.pop("id"), config)

    def __repr__(self) -> str:
        config = self.get_config()
        names = _REPR_ORDER.get(self.codec_id, [name for name in config if name != "id"])
        if config.get("astype") == config.get("dtype"):
            names = [name for name in names if name != "astype"]
        shown = [f"{name}={_shown(self.codec_id, name, config[name])}" for name in names]
        return f"{type(self).__name__}({', '.join(shown)})"


def _shown(codec_id: str, name: str, value: Any) -> str:
    if codec_id == "blosc" and name == "shuffle":
        return _BLOSC_SHUFFLES.get(value, repr(value))
    return repr(value)


def _again(codec_id: str, config: dict[str, Any]) -> ConfiguredCodec:
    return _CLASSES[codec_id].from_config(config)


_BLOSC_SHUFFLES: Final = {-1: "AUTOSHUFFLE", 0: "NOSHUFFLE", 1: "SHUFFLE", 2: "BITSHUFFLE"}

# Id: name of the class, parameters with their defaults.
_TABLE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "adler32": ("Adler32", {"location": None}),
    "astype": ("AsType", {"encode_dtype": _REQUIRED, "decode_dtype": _REQUIRED}),
    "base64": ("Base64", {}),
    "bitround": ("BitRound", {"keepbits": _REQUIRED}),
    "blosc": (
        "Blosc",
        {"cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0, "typesize": None},
    ),
    "bz2": ("BZ2", {"level": 1}),
    "categorize": ("Categorize", {"labels": _REQUIRED, "dtype": _REQUIRED, "astype": "|u1"}),
    "crc32": ("CRC32", {"location": None}),
    "crc32c": ("CRC32C", {"location": None}),
    "delta": ("Delta", {"dtype": _REQUIRED, "astype": None}),
    "fixedscaleoffset": (
        "FixedScaleOffset",
        {"offset": _REQUIRED, "scale": _REQUIRED, "dtype": _REQUIRED, "astype": None},
    ),
    "fletcher32": ("Fletcher32", {}),
    "gzip": ("GZip", {"level": 1}),
    "jenkins_lookup3": ("JenkinsLookup3", {"initval": 0, "prefix": None}),
    "json2": (
        "JSON",
        {
            "encoding": "utf-8",
            "skipkeys": False,
            "ensure_ascii": True,
            "check_circular": True,
            "allow_nan": True,
            "sort_keys": True,
            "indent": None,
            "separators": None,
            "strict": True,
        },
    ),
    "lz4": ("LZ4", {"acceleration": 1}),
    "lzma": ("LZMA", {"format": 1, "check": -1, "preset": None, "filters": None}),
    "msgpack2": ("MsgPack", {"use_single_float": False, "use_bin_type": True, "raw": False}),
    "packbits": ("PackBits", {}),
    "pcodec": (
        "PCodec",
        {
            "level": 8,
            "mode_spec": "auto",
            "delta_spec": "auto",
            "paging_spec": "equal_pages_up_to",
            "delta_encoding_order": None,
            "equal_pages_up_to": 262144,
        },
    ),
    "pickle": ("Pickle", {"protocol": 5}),
    "quantize": ("Quantize", {"digits": _REQUIRED, "dtype": _REQUIRED, "astype": None}),
    "shuffle": ("Shuffle", {"elementsize": 4}),
    "vlen-array": ("VLenArray", {"dtype": _REQUIRED}),
    "vlen-bytes": ("VLenBytes", {}),
    "vlen-utf8": ("VLenUTF8", {}),
    "zfpy": (
        "ZFPY",
        {"mode": 4, "tolerance": -1, "rate": -1, "precision": -1, "compression_kwargs": None},
    ),
    "zlib": ("Zlib", {"level": 1}),
    "zstd": ("Zstd", {"level": 0, "checksum": False}),
}

# Parameters that a configuration leaves out where nobody set them. The size of items for Blosc
# is never said: it is that of what is encoded.
_OPTIONAL: Final = {
    "adler32": ("location",),
    "blosc": ("typesize",),
    "crc32": ("location",),
    "crc32c": ("location",),
}

_REPR_ORDER: Final = {
    "blosc": ["cname", "clevel", "shuffle", "blocksize"],
    "zstd": ["level"],
    "adler32": [],
    "crc32": [],
    "crc32c": [],
    "pcodec": [
        "delta_encoding_order", "delta_spec", "equal_pages_up_to", "level", "mode_spec",
        "paging_spec",
    ],
    "fixedscaleoffset": ["scale", "offset", "dtype", "astype"],
    "categorize": ["dtype", "astype", "labels"],
    "msgpack2": ["raw", "use_bin_type", "use_single_float"],
    "zfpy": ["mode", "tolerance", "rate", "precision"],
}  # fmt: skip

# What zfpy compresses by in each of its modes.
_ZFP_MODES: Final = {2: "rate", 3: "precision", 4: "tolerance"}


class _VLenBytes(ConfiguredCodec):
    def decode(self, buf: Any, out: Any = None) -> Any:
        # Without `out` the items come as text, in which what is no text is kept as surrogates.
        decoded = super().decode(buf)
        items = np.empty(len(decoded), dtype=object) if out is None else out
        for index, item in enumerate(decoded):
            is_text = isinstance(item, str)
            items[index] = item.encode("utf-8", "surrogateescape") if is_text else bytes(item)
        return items


class _Blosc(ConfiguredCodec):
    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("typesize", None)
        return config


class _Json(ConfiguredCodec):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.__dict__["separators"] is None:
            compact = (",", ":") if self.__dict__["indent"] is None else (", ", ": ")
            object.__setattr__(self, "separators", compact)


class _Zfpy(ConfiguredCodec):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by = _ZFP_MODES.get(self.__dict__["mode"])
        if by is not None:
            object.__setattr__(self, "compression_kwargs", {by: self.__dict__[by]})


_BASES: Final[dict[str, type[ConfiguredCodec]]] = {
    "blosc": _Blosc,
    "json2": _Json,
    "vlen-bytes": _VLenBytes,
    "zfpy": _Zfpy,
}


def _make_class(codec_id: str, name: str, parameters: dict[str, Any]) -> type[ConfiguredCodec]:
    base = _BASES.get(codec_id, ConfiguredCodec)
    body = {
        "__doc__": f"The codec ``{codec_id}`` of Zarr version 2.",
        "__module__": __name__,
        "codec_id": codec_id,
        "_parameters": parameters,
    }
    return type(name, (base,), body)


_CLASSES: Final = {
    codec_id: _make_class(codec_id, name, parameters)
    for codec_id, (name, parameters) in _TABLE.items()
}


def configured(codec_id: str, **settings: Any) -> ConfiguredCodec:
    """The codec of this package with an id, whether numcodecs is imported or not."""
    return _CLASSES[codec_id].from_config(settings)


def is_configured(codec_id: object) -> bool:
    """Whether there is a codec with this id here."""
    return isinstance(codec_id, str) and codec_id in _CLASSES


def get_numcodec(data: Mapping[str, Any]) -> Any:
    """The codec of a configuration that has its id under ``id``.

    Raises
    ------
    UnknownCodecError
        If nobody knows the id.
    TypeError
        If the codec has no such parameter.
    """
    config = dict(data)
    codec_id = config.pop("id", None)
    loaded = sys.modules.get("numcodecs.registry")
    theirs = getattr(loaded, "codec_registry", {}).get(codec_id)
    if theirs is not None:
        return theirs.from_config(config)
    ours = _CLASSES.get(codec_id) if isinstance(codec_id, str) else None
    if ours is not None:
        return ours.from_config(config)
    return _registered_elsewhere(dict(data))


def _registered_elsewhere(data: dict[str, Any]) -> Any:
    """Codecs that scripts and other packages registered with numcodecs, if that is installed."""
    try:
        from numcodecs.registry import get_codec  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise UnknownCodecError(f"codec not available: '{data.get('id')!r}'") from None
    return get_codec(data)
