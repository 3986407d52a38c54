"""A class for each codec; its parameters are those of numcodecs, kept as they are given."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self
from warnings import warn

import numpy as np

from ...abc.metadata import Metadata
from ...core.common import parse_named_configuration, product
from ...core.dtype import UInt8, parse_dtype
from ...core.numcodec import get_numcodec
from ...errors import ZarrUserWarning
from .._native import NativeArrayArray, NativeArrayBytes, NativeBytesBytes

if TYPE_CHECKING:
    from ...core.array_spec import ArraySpec

CODEC_PREFIX: Final = "numcodecs."


def _expect_name_prefix(codec_name: str) -> str:
    if not codec_name.startswith(CODEC_PREFIX):
        raise ValueError(f"Expected name to start with '{CODEC_PREFIX}'. Got {codec_name} instead.")
    return codec_name.removeprefix(CODEC_PREFIX)


def _parse_codec_configuration(data: dict[str, Any]) -> dict[str, Any]:
    name, configuration = parse_named_configuration(data)
    return {"id": _expect_name_prefix(name), **(configuration or {})}


@dataclass(frozen=True)
class _NumcodecsCodec(Metadata):
    codec_name: str
    codec_config: dict[str, Any]

    def __init_subclass__(cls, *, codec_name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if codec_name is not None:
            cls.codec_name = f"{CODEC_PREFIX}{codec_name}"
            cls.__doc__ = (
                f"The codec ``{codec_name}``, with the parameters that numcodecs gives it."
            )

    def __init__(self, **codec_config: Any) -> None:
        if not self.codec_name:
            raise ValueError(
                "The codec name needs to be supplied through the `codec_name` attribute."
            )
        codec_id = _expect_name_prefix(self.codec_name)
        if codec_config.setdefault("id", codec_id) != codec_id:
            raise ValueError(f"Codec id does not match {codec_id}. Got: {codec_config['id']}.")
        object.__setattr__(self, "codec_config", codec_config)
        warn(
            "Numcodecs codecs are not in the Zarr version 3 specification and "
            "may not be supported by other zarr implementations.",
            category=ZarrUserWarning,
            stacklevel=2,
        )

    @property
    def _codec(self) -> Any:
        return get_numcodec(self.codec_config)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec that an object of a version 3 document describes."""
        return cls(**_parse_codec_configuration(data))

    def to_dict(self) -> dict[str, Any]:
        """The object of a version 3 document."""
        return {"name": self.codec_name, "configuration": self._settings()}

    def _settings(self) -> dict[str, Any]:
        return {key: value for key, value in self.codec_config.items() if key != "id"}

    def _with(self, **settings: Any) -> Self:
        return type(self)(**{**self.codec_config, **settings})

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(codec_name={self.codec_name!r}, "
            f"codec_config={self._settings()!r})"
        )


class _NumcodecsBytesBytesCodec(_NumcodecsCodec, NativeBytesBytes):
    pass


class _NumcodecsArrayArrayCodec(_NumcodecsCodec, NativeArrayArray):
    pass


class _NumcodecsArrayBytesCodec(_NumcodecsCodec, NativeArrayBytes):
    pass


class Blosc(_NumcodecsBytesBytesCodec, codec_name="blosc"):
    pass


class LZ4(_NumcodecsBytesBytesCodec, codec_name="lz4"):
    pass


class Zstd(_NumcodecsBytesBytesCodec, codec_name="zstd"):
    pass


class Zlib(_NumcodecsBytesBytesCodec, codec_name="zlib"):
    pass


class GZip(_NumcodecsBytesBytesCodec, codec_name="gzip"):
    pass


class BZ2(_NumcodecsBytesBytesCodec, codec_name="bz2"):
    pass


class LZMA(_NumcodecsBytesBytesCodec, codec_name="lzma"):
    pass


class Shuffle(_NumcodecsBytesBytesCodec, codec_name="shuffle"):
    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        if self.codec_config.get("elementsize") is not None:
            return self
        return self._with(elementsize=array_spec.dtype.to_native_dtype().itemsize)


def _recast(chunk_spec: ArraySpec, dtype: Any) -> ArraySpec:
    return replace(chunk_spec, dtype=parse_dtype(np.dtype(dtype), zarr_format=3))


class _Filter(_NumcodecsArrayArrayCodec):
    """A filter that may leave items of another type, and needs to know what it gets."""

    _dtype_setting: str | None = None

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        astype = self.codec_config.get("astype")
        return _recast(chunk_spec, astype) if astype else chunk_spec

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        name = self._dtype_setting
        if name is None or self.codec_config.get(name) is not None:
            return self
        return self._with(**{name: str(array_spec.dtype.to_native_dtype())})


class Delta(_Filter, codec_name="delta"):
    pass


class BitRound(_NumcodecsArrayArrayCodec, codec_name="bitround"):
    pass


class FixedScaleOffset(_Filter, codec_name="fixedscaleoffset"):
    _dtype_setting = "dtype"


class Quantize(_Filter, codec_name="quantize"):
    _dtype_setting = "dtype"


class PackBits(_NumcodecsArrayArrayCodec, codec_name="packbits"):
    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        n_bytes = 1 + math.ceil(product(chunk_spec.shape) / 8)
        return replace(chunk_spec, shape=(n_bytes,), dtype=UInt8())

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        if dtype.to_native_dtype() != np.dtype("bool"):
            raise ValueError(f"Packbits filter requires bool dtype. Got {dtype}.")


class AsType(_Filter, codec_name="astype"):
    _dtype_setting = "decode_dtype"

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        return _recast(chunk_spec, self.codec_config["encode_dtype"])


class _NumcodecsChecksumCodec(_NumcodecsBytesBytesCodec):
    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        return input_byte_length + 4


class CRC32(_NumcodecsChecksumCodec, codec_name="crc32"):
    pass


class CRC32C(_NumcodecsChecksumCodec, codec_name="crc32c"):
    pass


class Adler32(_NumcodecsChecksumCodec, codec_name="adler32"):
    pass


class Fletcher32(_NumcodecsChecksumCodec, codec_name="fletcher32"):
    pass


class JenkinsLookup3(_NumcodecsChecksumCodec, codec_name="jenkins_lookup3"):
    pass


class PCodec(_NumcodecsArrayBytesCodec, codec_name="pcodec"):
    pass


class ZFPY(_NumcodecsArrayBytesCodec, codec_name="zfpy"):
    pass
