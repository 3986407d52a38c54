"""Arrays from and to xarray, which is imported when it is needed first."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis


def from_xarray(data: Any, meta: Any = None) -> Array:
    """The array of a ``DataArray``: an axis for each dimension, a wildcard axis where it has no coordinates.

    Elements are not copied; the attributes and the name (as ``title``) are metadata unless ``meta`` is given.

    :raises TypeError: for what is no ``DataArray``
    """
    if not (hasattr(data, "dims") and hasattr(data, "coords") and hasattr(data, "values")):
        raise TypeError(f"data must be an xarray DataArray, not {type(data).__name__}")
    axes = []
    for name, length in zip(data.dims, data.shape):
        if name in data.coords and data.coords[name].ndim == 1:
            labels = np.asarray(data.coords[name].values)
            if labels.dtype == object and all(isinstance(label, str) for label in labels):
                labels = labels.astype(str)
            axes.append(Axis(labels, str(name)))
        else:
            axes.append(Axis(int(length), str(name)))
    if meta is None:
        known = dict(data.attrs)
        if data.name is not None:
            known.setdefault("title", str(data.name))
        meta = known or None
    return Array(data.values, AxisCollection(axes), meta=meta)


def to_xarray(array: Array, name: Any = None) -> Any:
    """A ``DataArray`` with a dimension for each axis; elements are not copied.

    Labels are coordinates; anonymous axes are called ``dim_0`` and so on; metadata are attributes.
    """
    import xarray as xr

    names = [f"dim_{at}" if axis.name is None else str(axis.name) for at, axis in enumerate(array.axes)]
    coords = {own: axis.labels for own, axis in zip(names, array.axes) if not axis.iswildcard}
    return xr.DataArray(array.data, coords, names, name, dict(array.meta))
