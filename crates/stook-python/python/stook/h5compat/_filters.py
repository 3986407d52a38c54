"""The codecs of a dataset in the words of HDF5's filters."""

from __future__ import annotations

from typing import Any

_NUMBERS = {
    "gzip": 1, "zlib": 1, "shuffle": 2, "fletcher32": 3, "szip": 4, "nbit": 5, "scaleoffset": 6,
    "bz2": 307, "lzf": 32000, "blosc": 32001, "lz4": 32004, "bitshuffle": 32008, "zfp": 32013,
    "zstd": 32015, "blosc2": 32026,
}  # fmt: skip
_NAMES = {"zlib": "gzip"}
_BEFORE = ("shuffle", "fletcher32", "scaleoffset", "nbit")
_NOT_FILTERS = ("bytes", "vlen-utf8", "vlen-bytes", "transpose")
_ENTROPY = 4


class Filters:
    """The filters of a dataset, first applied first."""

    def __init__(self, codecs: list[dict[str, Any]]) -> None:
        self._codecs = {}
        for codec in codecs:
            name = codec["name"].removeprefix("numcodecs.").partition(" ")[0]
            if name not in _NOT_FILTERS:
                self._codecs[_NAMES.get(name, name)] = codec

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._codecs)

    @property
    def ids(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(_NUMBERS.get(name, 0) for name in self._codecs)

    @property
    def compression(self) -> str | None:
        """The name of the one that compresses."""
        for name in ("gzip", "lzf", "szip"):
            if name in self._codecs:
                return name
        return "unknown" if any(name not in _BEFORE for name in self._codecs) else None

    @property
    def options(self) -> Any:
        """The options of that one."""
        match self.compression:
            case "gzip":
                return self._codecs["gzip"]["level"]
            case "szip":
                szip = self._codecs["szip"]
                method = "ec" if szip["options"] & _ENTROPY else "nn"
                return method, szip["pixels_per_block"]
        return None

    @property
    def scale_offset(self) -> int | None:
        """The bits or digits that are kept."""
        codec = self._codecs.get("scaleoffset")
        return None if codec is None else int(codec["values"][1])
