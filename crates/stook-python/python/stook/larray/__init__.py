"""larray's API: labelled arrays and sessions of them, as a drop-in.

``import stook.larray as la`` or ``from stook.larray import *`` in the place of larray; scripts run unchanged by
``python -m stook.compat larray -- script.py``. docs/deviations.md tells what differs on purpose.
"""

from __future__ import annotations

from math import e, inf, nan, pi

from stook.larray import random
from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._checked import CheckedArray, CheckedParameters, CheckedSession
from stook.larray._create import (
    asarray,
    aslarray,
    create_sequential,
    diag,
    element_equal,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    labels_array,
    larray_equal,
    larray_nan_equal,
    nan_equal,
    ndrange,
    ndtest,
    ones,
    ones_like,
    sequence,
    stack,
    union,
    zeros,
    zeros_like,
    zip_array_items,
    zip_array_values,
)
from stook.larray._deprecated import LArray, PGroup
from stook.larray._group import Group, IGroup, LGroup, LSet
from stook.larray._ipfp import ipfp
from stook.larray._metadata import Metadata
from stook.larray._options import get_options, set_options
from stook.larray._readers import (
    from_frame,
    from_lists,
    from_series,
    from_string,
    from_xarray,
    read_csv,
    read_eurostat,
    read_excel,
    read_hdf,
    read_sas,
    read_stata,
    read_tsv,
)
from stook.larray._reference import X, x
from stook.larray._session import Session
from stook.larray._ufuncs import (
    absolute,
    all,
    angle,
    any,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    around,
    ceil,
    clip,
    conj,
    convolve,
    copysign,
    cos,
    cosh,
    cumprod,
    cumsum,
    degrees,
    exp,
    exp2,
    expm1,
    fabs,
    fix,
    floor,
    fmax,
    fmin,
    frexp,
    hypot,
    i0,
    imag,
    interp,
    inverse,
    isinf,
    isnan,
    isscalar,
    ldexp,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    max,
    maximum,
    mean,
    median,
    min,
    minimum,
    nan_to_num,
    percentile,
    prod,
    ptp,
    radians,
    real,
    real_if_close,
    rint,
    round,
    round_,
    sign,
    signbit,
    sin,
    sinc,
    sinh,
    sqrt,
    std,
    sum,
    tan,
    tanh,
    trunc,
    unwrap,
    var,
    where,
    wrap_elementwise_array_func,
)
from stook.larray._variables import arrays, global_arrays, local_arrays

#: The version of larray whose API this is.
__version__ = "0.35.2"
euler_gamma = 0.5772156649015329

__all__ = [
    "Array", "Axis", "AxisCollection", "CheckedArray", "CheckedParameters", "CheckedSession", "Group", "IGroup",
    "LArray", "LGroup", "LSet", "Metadata", "PGroup", "Session", "X", "absolute", "all", "angle", "any", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "around", "arrays", "asarray", "aslarray",
    "ceil", "clip", "conj", "convolve", "copysign", "cos", "cosh", "create_sequential", "cumprod", "cumsum",
    "degrees", "diag", "e", "element_equal", "empty", "empty_like", "euler_gamma", "exp", "exp2", "expm1", "eye",
    "fabs", "fix", "floor", "fmax", "fmin", "frexp", "from_frame", "from_lists", "from_series", "from_string", "from_xarray",
    "full", "full_like", "get_options", "global_arrays", "hypot", "i0", "identity", "imag", "inf", "interp",
    "inverse", "ipfp", "isinf", "isnan", "isscalar", "labels_array", "larray_equal", "larray_nan_equal", "ldexp",
    "local_arrays", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "max", "maximum", "mean",
    "median", "min", "minimum", "nan", "nan_equal", "nan_to_num", "ndrange", "ndtest", "ones", "ones_like",
    "percentile", "pi", "prod", "ptp", "radians", "random", "read_csv", "read_eurostat", "read_excel", "read_hdf",
    "read_sas", "read_stata", "read_tsv", "real", "real_if_close", "rint", "round", "round_", "sequence",
    "set_options", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "stack", "std", "sum", "tan", "tanh",
    "trunc", "union", "unwrap", "var", "where", "wrap_elementwise_array_func", "x", "zeros", "zeros_like",
    "zip_array_items", "zip_array_values",
]
