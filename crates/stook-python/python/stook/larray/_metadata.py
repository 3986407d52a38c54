"""`Metadata`: what is told about an array or a session, by name."""

from __future__ import annotations

from typing import Any

from stook.larray._warn import warn


class Metadata(dict):  # type: ignore[type-arg]
    """Names and values, as items and as attributes, in the order they were given.

    Values are text, numbers, dates and times where they are to be saved.
    """

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __dir__(self) -> list[str]:
        return sorted({*dict.__dir__(self), *(key for key in self if isinstance(key, str))})

    def __repr__(self) -> str:
        return "\n".join(f"{key}: {value}" for key, value in self.items())

    def __larray__(self) -> Any:
        from stook.larray._array import Array
        from stook.larray._axis import Axis

        return Array(list(self.values()), Axis(list(self.keys()), "metadata"))

    @classmethod
    def from_array(cls, array: Any) -> Metadata:
        """The metadata that an array of one axis holds: labels are names."""
        from stook.larray._create import asarray

        array = asarray(array)
        if array.ndim != 1:
            raise ValueError(f"Expected Array object of dimension 1. Got array of dimension {array.ndim}")
        values = array.data.tolist()
        return cls(zip(array.axes[0]._items(), values))

    def to_hdf(self, hdfstore: Any, key: str | None = None) -> None:
        """Writes the metadata to an open store of pandas."""
        if len(self):
            attributes = hdfstore.get_storer(key).attrs if key is not None else hdfstore.root._v_attrs
            attributes.metadata = self

    @classmethod
    def from_hdf(cls, hdfstore: Any, key: str | None = None) -> Metadata | None:
        """The metadata in an open store of pandas."""
        attributes = hdfstore.get_storer(key).attrs if key is not None else hdfstore.root._v_attrs
        return attributes.metadata if "metadata" in attributes else None


def metadata_of(meta: Any, title: Any = None) -> Metadata:
    """Metadata of what may stand for it."""
    if title is not None:
        warn("title argument is deprecated. Please use meta argument instead")
        meta = Metadata() if meta is None else meta
        meta = Metadata(meta)
        meta["title"] = title
    if meta is None:
        return Metadata()
    if isinstance(meta, Metadata):
        return meta
    if isinstance(meta, (dict, list, tuple)):
        return Metadata(meta)
    raise TypeError(f"Expected list of pairs or dict or Metadata object instead of {type(meta).__name__}")
