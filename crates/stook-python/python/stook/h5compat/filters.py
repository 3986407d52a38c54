"""Filters that are said by an object, under the name that h5py has for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: What can be asked for by name.
encode = ("gzip", "lzf", "szip")
decode = encode


class FilterRefBase(Mapping[str, Any]):
    """A filter and its options, to be given as ``compression=`` or with ``**``.

    Attributes
    ----------
    filter_id, filter_options
        The number of the filter, and what it is set up with.
    """

    filter_id: int
    filter_options: tuple[int, ...] = ()

    @property
    def _kwargs(self) -> dict[str, Any]:
        return {"compression": self.filter_id, "compression_opts": self.filter_options}

    def __getitem__(self, key: str) -> Any:
        return self._kwargs[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kwargs)

    def __len__(self) -> int:
        return len(self._kwargs)

    def __hash__(self) -> int:
        return hash((self.filter_id, self.filter_options))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilterRefBase):
            return NotImplemented
        return (self.filter_id, self.filter_options) == (other.filter_id, other.filter_options)


class Gzip(FilterRefBase):
    """gzip of a level."""

    filter_id = 1

    def __init__(self, level: int = 4) -> None:
        self.filter_options = (level,)
