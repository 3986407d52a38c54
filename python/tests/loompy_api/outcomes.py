"""What comes of a body of a test, in a form that is equal for loompy and for stook.loompy.

loompy's process imports this: it knows numpy and scipy, and neither pytest nor stook.
"""

from __future__ import annotations

import gc
import importlib
import logging
import math
import os
import warnings

import numpy as np

#: Modules of the folder ``bodies`` whose functions are run with both.
MODULES = ("attributes", "computing", "creating", "growing", "importing", "reading", "wrong")


def bodies() -> list[tuple[str, str]]:
    """The bodies: names of modules and of functions in them."""
    found = []
    for module in MODULES:
        functions = vars(importlib.import_module(f"loompy_api.bodies.{module}"))
        own = f"loompy_api.bodies.{module}"
        found += [
            (module, name)
            for name, function in functions.items()
            if callable(function) and not name.startswith("_") and function.__module__ == own
        ]
    return found


def body(module: str, name: str):
    """A body by its names."""
    return getattr(importlib.import_module(f"loompy_api.bodies.{module}"), name)


def differs(why: str, ours=None):
    """Marks a body whose outcome differs on purpose; ``ours`` is what stook's has to be."""

    def mark(function):
        function.differs = (why, ours)
        return function

    return mark


def outcome(module: str, name: str, loompy, folder: str):
    """What a body gives: ``["value", ...]``, or ``["error", names of its classes, text]``."""
    os.makedirs(folder, exist_ok=True)
    before = os.getcwd()
    os.chdir(folder)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ["value", plain(body(module, name)(loompy))]
    except Exception as error:
        return ["error", [cls.__name__ for cls in type(error).__mro__], str(error)]
    finally:
        # loompy leaves files open where it raises.
        gc.collect()
        logging.disable(logging.NOTSET)
        os.chdir(before)


class Close:
    """Numbers that two ways of computing give alike, but for the last digits."""

    def __init__(self, values):
        self.values = np.asarray(values)


def plain(found):
    """A value as JSON has it."""
    if isinstance(found, Close):
        array = found.values
        return {"close": array.astype("f8").ravel().tolist(), "shape": list(array.shape),
                "dtype": str(array.dtype)}
    if hasattr(found, "tocoo"):
        found = found.tocoo()
        order = np.lexsort((found.data, found.col, found.row))
        parts = [found.row[order].astype("i8"), found.col[order].astype("i8"), found.data[order]]
        return ["sparse", type(found).__name__, list(found.shape), *map(plain, parts)]
    if isinstance(found, np.ndarray):
        items = [str(item) for item in found.ravel()] if found.dtype == object else (
            repr(found.ravel().tolist()))
        return ["array", str(found.dtype), list(found.shape), items]
    if isinstance(found, str):
        return str(found)
    if isinstance(found, np.generic):
        return ["scalar", str(found.dtype), repr(found.item())]
    if isinstance(found, dict):
        return {str(key): plain(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in found]
    if found is None or isinstance(found, (bool, int)):
        return found
    if isinstance(found, float):
        return repr(found)
    return [type(found).__name__]


def equal(theirs, ours) -> bool:
    """Whether two plain values are the same, close numbers to a millionth."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if "close" in theirs and "close" in ours:
            return (
                theirs["shape"] == ours["shape"]
                and theirs["dtype"] == ours["dtype"]
                and all(map(near, theirs["close"], ours["close"]))
            )
        return theirs.keys() == ours.keys() and all(equal(theirs[k], ours[k]) for k in theirs)
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(equal, theirs, ours))
    return theirs == ours


def near(a: float, b: float) -> bool:
    """Whether two numbers are equal to a millionth."""
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=3e-6, abs_tol=1e-9)
