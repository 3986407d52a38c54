"""Iterative proportional fitting: an array with given sums along each of its axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._create import asarray


def ipfp(target_sums: Any, a: Any = None, axes: Any = None, maxiter: int = 1000, threshold: float = 0.5,
         stepstoabort: int = 10, nzvzs: str = "raise", no_convergence: str = "raise",
         display_progress: bool = False) -> Array:
    """An array whose sums along axes are those that are given, proportional to another one.

    :param target_sums: the sums over each axis, in the order of the axes: each is an array of the other axes
    :param a: the array to begin with, ones unless told otherwise
    :param axes: the axes that the sums are over
    :param maxiter: how often all sums are met in turn
    :param threshold: the largest difference of a sum that is left
    :param stepstoabort: after how many steps without an improvement it gives up
    :param nzvzs: what to do with a sum that is not 0 where the array is 0: ``"raise"``, ``"warn"`` or ``"fix"``
    :param no_convergence: what to do where the threshold is not met: ``"raise"``, ``"warn"`` or ``"ignore"``
    :raises ValueError: for sums that contradict one another, or where the threshold is not met
    """
    from stook.larray._warn import warn

    sums = [asarray(one) for one in target_sums]
    if a is None:
        # The sum over the first axis has the others, and so on.
        order: list[Any] = []
        for one in reversed(sums):
            order += [axis for axis in one.axes if not any(axis.equals(own) for own in order)]
        found = Array._new(np.ones([len(axis) for axis in order]), AxisCollection(order))
    else:
        found = asarray(a).astype(float)
    chosen = [found.axes[axis] for axis in axes] if axes is not None else list(found.axes)
    if len(chosen) != len(sums):
        raise ValueError(f"expected {len(chosen)} target sums, got {len(sums)}")
    for number, (axis, one) in enumerate(zip(chosen, sums)):
        expected = found.axes - axis
        if [own.name for own in one.axes] != [own.name for own in expected]:
            raise ValueError(f"axes of target sum along {axis.name} (axis {number}) do not match corresponding array "
                             f"axes: got {one.axes} but expected {expected}. Are the target sums in the correct order?")
    totals = [one.data.sum() for one in sums]
    for number in range(1, len(sums)):
        if abs(totals[number] - totals[0]) > 1e-9 * max(1.0, abs(totals[0])):
            raise ValueError(f"target sum along {chosen[number].name} (axis {number}) is different than target sum along "
                             f"{chosen[0].name} (axis 0): {totals[number]} vs {totals[0]}")
    _check_zeros(found, chosen, sums, nzvzs)
    best, since = np.inf, 0
    largest = np.inf
    for step in range(maxiter):
        for axis, one in zip(chosen, sums):
            current = found.sum(axis)
            found = found * one.divnot0(current)
        largest = max(float(np.max(np.abs((found.sum(axis) - one).data), initial=0)) for axis, one in zip(chosen, sums))
        if display_progress:
            print(f"iteration {step + 1}: largest difference {largest}")  # noqa: T201
        if largest < threshold:
            return found
        best, since = (largest, 0) if largest < best else (best, since + 1)
        if since >= stepstoabort:
            break
    text = f"does not seem to converge (no improvement for the last {since} iterations): largest difference {largest}"
    if no_convergence == "raise":
        raise ValueError(text)
    if no_convergence == "warn":
        warn(text, UserWarning)
    return found


def _check_zeros(array: Array, axes: list[Any], sums: list[Any], what: str) -> None:
    from stook.larray._warn import warn

    for axis, one in zip(axes, sums):
        wrong = (array.sum(axis).data == 0) & (one.data != 0)
        if not wrong.any():
            continue
        text = f"found {int(wrong.sum())} non zero target value sum(s) where all elements along {axis.name} are zero"
        if what == "raise":
            raise ValueError(text)
        if what == "warn":
            warn(text, UserWarning)
        else:
            data = np.moveaxis(array.data, array.axes.index(axis), -1)
            data[wrong] = 1e-30
