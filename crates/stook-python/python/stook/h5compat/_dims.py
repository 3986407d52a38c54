"""The axes of a dataset: labels and scales."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import _scales
from .h5py_warnings import H5pyDeprecationWarning

if TYPE_CHECKING:
    from ._dataset import Dataset


class DimensionProxy:
    """An axis of a dataset: a mapping of the names of its scales to datasets."""

    def __init__(self, dset: Dataset, dimension: int) -> None:
        self._dset = dset
        self._dimension = dimension

    @property
    def label(self) -> str:
        """The name of the axis."""
        return _scales.labels(self._dset)[self._dimension]

    @label.setter
    def label(self, val: str) -> None:
        _scales.set_label(self._dset, self._dimension, val)

    def _scales(self) -> list[Dataset]:
        return _scales.scales(self._dset, self._dimension)

    def attach_scale(self, dset: Dataset) -> None:
        """Makes a dataset a scale of the axis."""
        _scales.attach(self._dset, dset, self._dimension)

    def detach_scale(self, dset: Dataset) -> None:
        """Takes a scale from the axis."""
        _scales.detach(self._dset, dset, self._dimension)

    def items(self) -> list[tuple[str, Dataset]]:
        """Names and datasets of the scales."""
        return [(_scales.name_of_scale(scale), scale) for scale in self._scales()]

    def keys(self) -> list[str]:
        """Names of the scales."""
        return [name for name, _ in self.items()]

    def values(self) -> list[Dataset]:
        """The datasets that are scales."""
        return self._scales()

    def __getitem__(self, item: Any) -> Dataset:
        if isinstance(item, int):
            return self._scales()[item]
        for name, scale in self.items():
            if name == item:
                return scale
        raise KeyError(item)

    def __iter__(self) -> Iterator[str]:
        yield from self.keys()

    def __len__(self) -> int:
        return len(self._scales())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DimensionProxy) and hash(self) == hash(other)

    def __hash__(self) -> int:
        return hash((DimensionProxy, self._dset, self._dimension))

    def __repr__(self) -> str:
        if not self._dset:
            return "<Dimension of closed HDF5 dataset>"
        return f'<"{self.label}" dimension {self._dimension} of HDF5 dataset at {id(self._dset)}>'


class DimensionManager:
    """The axes of a dataset."""

    def __init__(self, parent: Dataset) -> None:
        self._dset = parent

    def __getitem__(self, index: int) -> DimensionProxy:
        if index > len(self) - 1:
            raise IndexError("Index out of range")
        return DimensionProxy(self._dset, index)

    def __len__(self) -> int:
        return self._dset.ndim

    def __iter__(self) -> Iterator[DimensionProxy]:
        for at in range(len(self)):
            yield self[at]

    def create_scale(self, dset: Dataset, name: str = "") -> None:
        """The older way to say ``dset.make_scale(name)``."""
        warnings.warn(
            "other_ds.dims.create_scale(ds, name) is deprecated. Use ds.make_scale(name) instead.",
            H5pyDeprecationWarning,
            stacklevel=2,
        )
        dset.make_scale(name)

    def __repr__(self) -> str:
        if not self._dset:
            return "<Dimensions of closed HDF5 dataset>"
        return f"<Dimensions of HDF5 object at {id(self._dset)}>"
