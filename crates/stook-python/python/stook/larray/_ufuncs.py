"""numpy's functions of elements, and aggregates, as functions of this package."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from stook.larray._arithmetic import broadcast_all
from stook.larray._array import Array
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._select import is_array
from stook.larray._warn import told, warn


def wrap_elementwise_array_func(func: Callable[..., Any], doc: str | None = None) -> Callable[..., Any]:
    """A function of labelled arrays made of one of ndarrays: they go together by the names of their axes.

    :param doc: the documentation of the new function
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        values = [one.__larray__() if isinstance(one, Axis) and not one.is_reference else one
                  for one in (*args, *kwargs.values())]
        if not builtins.any(is_array(one) for one in values):
            return func(*args, **kwargs)
        axes, data = broadcast_all(values)
        with told():
            found = func(*data[: len(args)], **dict(zip(kwargs, data[len(args):])))
        return _as_arrays(found, axes)

    wrapper.__name__ = wrapper.__qualname__ = getattr(func, "__name__", "wrapper")
    wrapper.__doc__ = doc if doc is not None else f"numpy's ``{wrapper.__name__}`` of labelled arrays."
    return wrapper


def _as_arrays(found: Any, axes: Any) -> Any:
    if isinstance(found, tuple):
        return tuple(_as_arrays(one, axes) for one in found)
    if isinstance(found, np.ndarray) and found.ndim == len(axes):
        return Array(found, axes) if found.shape == axes.shape else found
    return found


def _aggregate(name: str) -> Callable[..., Any]:
    own = getattr(builtins, name, None)
    theirs = getattr(np, name)

    def function(array: Any, *args: Any, **kwargs: Any) -> Any:
        if is_array(array) or isinstance(array, Axis):
            target = array.__larray__() if isinstance(array, Axis) else array
            return getattr(target, name)(*args, **kwargs)
        if own is not None and name != "sum" and not isinstance(array, np.ndarray):
            return own(array, *args, **kwargs)
        return theirs(array, *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The ``{name}`` of an array over axes or groups; of anything else what Python or numpy give."
    return function


sum = _aggregate("sum")
mean = _aggregate("mean")
min = _aggregate("min")
max = _aggregate("max")
prod = _aggregate("prod")
std = _aggregate("std")
var = _aggregate("var")
median = _aggregate("median")
ptp = _aggregate("ptp")
percentile = _aggregate("percentile")
cumsum = _aggregate("cumsum")
cumprod = _aggregate("cumprod")


def any(values: Any, axis: Any = None) -> Any:
    """Whether any element is true, over an axis or all."""
    if is_array(values):
        return values.any() if axis is None else values.any(axis)
    return builtins.any(values) if not isinstance(values, np.ndarray) else np.any(values, axis)


def all(values: Any, axis: Any = None) -> Any:
    """Whether all elements are true, over an axis or all."""
    if is_array(values):
        return values.all() if axis is None else values.all(axis)
    return builtins.all(values) if not isinstance(values, np.ndarray) else np.all(values, axis)


sin = wrap_elementwise_array_func(np.sin)
cos = wrap_elementwise_array_func(np.cos)
tan = wrap_elementwise_array_func(np.tan)
arcsin = wrap_elementwise_array_func(np.arcsin)
arccos = wrap_elementwise_array_func(np.arccos)
arctan = wrap_elementwise_array_func(np.arctan)
hypot = wrap_elementwise_array_func(np.hypot)
arctan2 = wrap_elementwise_array_func(np.arctan2)
degrees = wrap_elementwise_array_func(np.degrees)
radians = wrap_elementwise_array_func(np.radians)
unwrap = wrap_elementwise_array_func(np.unwrap)
sinh = wrap_elementwise_array_func(np.sinh)
cosh = wrap_elementwise_array_func(np.cosh)
tanh = wrap_elementwise_array_func(np.tanh)
arcsinh = wrap_elementwise_array_func(np.arcsinh)
arccosh = wrap_elementwise_array_func(np.arccosh)
arctanh = wrap_elementwise_array_func(np.arctanh)
rint = wrap_elementwise_array_func(np.rint)
fix = wrap_elementwise_array_func(np.fix)
floor = wrap_elementwise_array_func(np.floor)
ceil = wrap_elementwise_array_func(np.ceil)
trunc = wrap_elementwise_array_func(np.trunc)
exp = wrap_elementwise_array_func(np.exp)
expm1 = wrap_elementwise_array_func(np.expm1)
exp2 = wrap_elementwise_array_func(np.exp2)
log = wrap_elementwise_array_func(np.log)
log10 = wrap_elementwise_array_func(np.log10)
log2 = wrap_elementwise_array_func(np.log2)
log1p = wrap_elementwise_array_func(np.log1p)
logaddexp = wrap_elementwise_array_func(np.logaddexp)
logaddexp2 = wrap_elementwise_array_func(np.logaddexp2)
i0 = wrap_elementwise_array_func(np.i0)
sinc = wrap_elementwise_array_func(np.sinc)
signbit = wrap_elementwise_array_func(np.signbit)
copysign = wrap_elementwise_array_func(np.copysign)
frexp = wrap_elementwise_array_func(np.frexp)
ldexp = wrap_elementwise_array_func(np.ldexp)
angle = wrap_elementwise_array_func(np.angle)
real = wrap_elementwise_array_func(np.real)
imag = wrap_elementwise_array_func(np.imag)
conj = wrap_elementwise_array_func(np.conj)
convolve = wrap_elementwise_array_func(np.convolve)
sqrt = wrap_elementwise_array_func(np.sqrt)
absolute = wrap_elementwise_array_func(np.absolute)
fabs = wrap_elementwise_array_func(np.fabs)
sign = wrap_elementwise_array_func(np.sign)
fmax = wrap_elementwise_array_func(np.fmax)
fmin = wrap_elementwise_array_func(np.fmin)
nan_to_num = wrap_elementwise_array_func(np.nan_to_num)
real_if_close = wrap_elementwise_array_func(np.real_if_close)
interp = wrap_elementwise_array_func(np.interp)
where = wrap_elementwise_array_func(np.where)
maximum = wrap_elementwise_array_func(np.maximum)
minimum = wrap_elementwise_array_func(np.minimum)
clip = wrap_elementwise_array_func(np.clip)
isnan = wrap_elementwise_array_func(np.isnan)
isinf = wrap_elementwise_array_func(np.isinf)
round = wrap_elementwise_array_func(np.round)
around = wrap_elementwise_array_func(np.around)
round.__name__ = "round"


def round_(*args: Any, **kwargs: Any) -> Any:
    """`round` by the name it had."""
    warn("round_() is deprecated. Use round() instead.")
    return round(*args, **kwargs)


def inverse(*args: Any, **kwargs: Any) -> Any:
    """The inverse of a matrix: an array of two axes, which stay where they are."""
    from stook.larray._linear import inverse as inner

    return inner(*args, **kwargs)


def isscalar(element: Any) -> bool:
    """Whether a value is one label: no sequence, or a group of one label."""
    return bool(np.isscalar(element.eval() if isinstance(element, Group) else element))


__all__ = [
    "absolute", "all", "angle", "any", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "around", "ceil", "clip", "conj", "convolve", "copysign", "cos", "cosh", "cumprod", "cumsum", "degrees",
    "exp", "exp2", "expm1", "fabs", "fix", "floor", "fmax", "fmin", "frexp", "hypot", "i0", "imag", "interp",
    "inverse", "isinf", "isnan", "isscalar", "ldexp", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "max", "maximum", "mean", "median", "min", "minimum", "nan_to_num", "percentile", "prod", "ptp", "radians",
    "real", "real_if_close", "rint", "round", "round_", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "std",
    "sum", "tan", "tanh", "trunc", "unwrap", "var", "where", "wrap_elementwise_array_func",
]
