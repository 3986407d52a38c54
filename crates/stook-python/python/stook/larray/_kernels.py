"""Where the library's kernels do better than numpy: quantiles that leave NaN out."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook import _stook


def _axes(axis: Any) -> list[int] | None:
    return None if axis is None else [axis] if isinstance(axis, int) else list(axis)


def quantile(data: np.ndarray, q: float, axis: Any, skipna: bool, method: str = "linear") -> Any:
    """A quantile, of 0 to 1, along an axis, several or all; NaN where there are no numbers.

    :param data: numbers of any shape
    """
    found = _stook.labelled_quantile(data, [q], _axes(axis), method=method, skipna=skipna)[0]
    return found if np.ndim(found) else found[()]


def median(data: np.ndarray, axis: Any) -> Any:
    """The median without NaN along an axis, several or all; NaN where there are no numbers."""
    found = _stook.labelled_reduce(data, "median", _axes(axis), skipna=True)
    return found if found.ndim else found[()]
