"""The transforms that recipes in use ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _stook


def transpose(data: Any) -> Any:
    """The transposed array, contiguous in C order: one read through it runs along memory.

    A matrix is turned in blocks, by several threads. An array that is contiguous the other way round
    already is not copied.

    >>> from stook.vranalysis import transpose
    >>> transpose(np.array([[1, 2, 3], [4, 5, 6]])).tolist()
    [[1, 4], [2, 5], [3, 6]]
    """
    if not isinstance(data, np.ndarray) or data.ndim != 2:
        return data.T
    turned = data.T
    if turned.flags.c_contiguous or data.dtype.hasobject or not data.flags.c_contiguous:
        return np.ascontiguousarray(turned)
    return _stook.transpose(data)


def idx_column1(data: Any) -> Any:
    """The second column, such as suite2p's probability that a cell is red."""
    return data[:, 1]
