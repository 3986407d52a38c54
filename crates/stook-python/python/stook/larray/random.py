"""Arrays of random numbers, from numpy's generator of the process (``numpy.random.seed`` begins anew)."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._arithmetic import broadcast_all
from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._create import asarray
from stook.larray._select import is_array

__all__ = ["choice", "normal", "permutation", "randint", "uniform"]


def _drawn(function: Any, args: tuple[Any, ...], axes: Any, meta: Any) -> Array:
    """An array of what a function draws; its parameters may be arrays, whose axes the result has."""
    labelled = [one for one in args if is_array(one)]
    if labelled:
        own, values = broadcast_all(args)
        wanted = own if axes is None else AxisCollection(axes) | own
        values = [one.broadcast_with(wanted).data if is_array(one) else one for one in args]
    else:
        wanted, values = AxisCollection(axes), list(args)
    return Array(np.asarray(function(*values, size=wanted.shape)), wanted, meta=meta)


def randint(low: Any, high: Any = None, axes: Any = None, dtype: Any = "l", meta: Any = None) -> Array:
    """Integers from ``low`` to before ``high``, or from 0 to before ``low``."""
    if high is None:
        low, high = 0, low
    function: Any = np.random.randint
    return _drawn(lambda *args, size: function(*args, size=size, dtype=dtype), (low, high), axes, meta)


def normal(loc: Any = 0.0, scale: Any = 1.0, axes: Any = None, meta: Any = None) -> Array:
    """Numbers of a normal distribution of a mean and a standard deviation."""
    return _drawn(np.random.normal, (loc, scale), axes, meta)


def uniform(low: Any = 0.0, high: Any = 1.0, axes: Any = None, meta: Any = None) -> Array:
    """Numbers from ``low`` to before ``high``, all as likely."""
    return _drawn(np.random.uniform, (low, high), axes, meta)


def permutation(x: Any, axis: Any = 0) -> Array:
    """The numbers before ``x``, or the labels of an axis of an array with their elements, in a random order."""
    if isinstance(x, (int, np.integer)):
        return Array(np.random.permutation(x))
    array = asarray(x)
    own = array.axes[axis]
    return array[own.i[np.random.permutation(len(own))]]  # type: ignore[no-any-return]


def choice(choices: Any = None, axes: Any = None, replace: bool = True, p: Any = None, meta: Any = None) -> Array:
    """Elements of ``choices``, each as likely, or with the probabilities ``p``.

    :param choices: labels, or a number for those before it; those of the axis of ``p`` unless given
    :param p: probabilities, an array of one axis
    """
    if choices is None:
        if not is_array(p):
            raise ValueError("choices has to be given, or p with an axis")
        choices = p.axes[0].labels
    if isinstance(choices, Axis):
        choices = choices.labels
    own = AxisCollection(axes)
    weights = np.asarray(p) if p is not None else None
    drawn = np.random.choice(np.asarray(choices), size=own.shape, replace=replace, p=weights)
    return Array(np.asarray(drawn), own, meta=meta)
