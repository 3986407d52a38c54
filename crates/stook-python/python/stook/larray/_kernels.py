"""Where the library's kernels do better than numpy."""

from __future__ import annotations

from collections.abc import Callable
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


def median(data: np.ndarray, axis: Any, skipna: bool) -> Any:
    """The median along an axis, several or all; NaN where there are no numbers."""
    found = _stook.labelled_reduce(data, "median", _axes(axis), skipna=skipna)
    return found if found.ndim else found[()]


def certain(kernel: Callable[..., Any], data: np.ndarray, *args: Any) -> Any:
    """What a kernel that keeps NaN gives, where numpy would give the same without a warning: where all of it is finite.

    :param data: floats of 64 bits, of any shape
    :returns: None for numpy to be asked
    """
    if not data.size or args[-1] == ():
        return None
    try:
        found = kernel(data, *args, False)
    except NotImplementedError:
        return None
    return found if np.isfinite(found).all() else None


#: Arrays of fewer elements are faster with numpy: a thread takes some time to begin.
LARGE = 2 << 20

#: Operators that have a kernel for large arrays, and what the kernel calls them.
LARGE_NAMES = {"add": "add", "sub": "subtract", "mul": "multiply"}


def several_threads(name: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator that has several threads compute with large arrays, where numpy would give the same bits silently.

    :param name: one of `LARGE_NAMES`
    """
    op = LARGE_NAMES[name]

    def operated(first: Any, second: Any) -> Any:
        mine, theirs = (first, second) if type(first) is np.ndarray else (second, first)
        is_known = (type(mine) is np.ndarray and mine.dtype == np.float64 and (mine is first or op != "subtract")
                    and (type(theirs) is float or (type(theirs) is int and abs(theirs) <= 1 << 53)
                         or (type(theirs) is np.ndarray and theirs.dtype == np.float64)))
        # That a result is too small is no reason for numpy to warn, unless it is told so.
        if is_known and (op != "multiply" or np.geterr()["under"] == "ignore"):
            found = _stook.labelled_arithmetic(op, mine, theirs)
            if found is not None:
                return found
        return function(first, second)

    return operated
