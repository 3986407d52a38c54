"""What follows from aggregates: totals, shares, growth, and descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray._aggregate import FUNCTIONS, Over
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._select import on_axis
from stook.larray._warn import told

if TYPE_CHECKING:
    from stook.larray._array import Array


class Totals:
    """Aggregates beside what they are of."""

    __slots__ = ()

    def describe(self: Array, *args: Any, percentiles: Any = None) -> Any:  # type: ignore[misc]
        """Count, mean, standard deviation, extremes and percentiles over axes or groups, along ``statistic``."""
        return self._described(args, percentiles, "")

    def describe_by(self: Array, *args: Any, percentiles: Any = None) -> Any:  # type: ignore[misc]
        """The same for each label of axes, or each group."""
        return self._described(args, percentiles, "_by")

    def _described(self: Array, args: Any, percentiles: Any, suffix: str) -> Any:  # type: ignore[misc]
        from stook.larray._create import stack

        wanted = [25, 50, 75] if percentiles is None else list(percentiles)
        present = type(self)._new(~np.isnan(self.data), self.axes) if self.dtype.kind in "fc" else type(self)._new(
            np.ones(self.shape, bool), self.axes)
        labels = ["count", "mean", "std", "min", *(f"{each}%" for each in wanted), "max"]
        found = [getattr(present, f"sum{suffix}")(*args)]
        found += [getattr(self, f"{name}{suffix}")(*args) for name in ("mean", "std", "min")]
        found += [getattr(self, f"percentile{suffix}")(each, *args) for each in wanted]
        found.append(getattr(self, f"max{suffix}")(*args))
        return stack(found, Axis(labels, "statistic"))

    def with_total(self: Array, *args: Any, op: Any = None, label: Any = "total", **kwargs: Any) -> Any:  # type: ignore[misc]
        """The array with aggregates after its labels: of whole axes, or of groups. NaN counts, unless ``skipna`` is given.

        :param op: the aggregate: one of this package, ``sum`` unless told otherwise
        :param label: the label of what is aggregated over a whole axis
        """
        name = "sum" if op is None else getattr(op, "__name__", str(op))
        if name not in FUNCTIONS:
            raise ValueError(f"{op!r} is no aggregate that with_total knows")
        steps, options = self._steps(args, kwargs)
        options.setdefault("skipna", False)
        if not steps:
            steps = [Over(list(self.axes))]
        found: Any = self
        for step in steps:
            if step.axes is not None:
                for axis in step.axes:
                    own = found.axes[axis.name if axis.name is not None else self.axes.index(axis)]
                    value = found._reduced(name, [own], dict(options))
                    found = found.append(own, value, label)
            else:
                value = found._grouped(name, Over(None, step.groups, False, step.axis), dict(options))
                number, _ = on_axis(found.axes, (step.groups or [])[0])
                found = found.append(found.axes[number], value)
        return found

    def ratio(self: Array, *axes: Any) -> Any:  # type: ignore[misc]
        """The elements by their sum over axes (all axes)."""
        return self / self.sum(*axes)

    def rationot0(self: Array, *axes: Any) -> Any:  # type: ignore[misc]
        """The elements by their sum over axes, 0 where that is 0."""
        return self.divnot0(self.sum(*axes))

    def percent(self: Array, *axes: Any) -> Any:  # type: ignore[misc]
        """The elements in percent of their sum over axes."""
        return self * 100 / self.sum(*axes)

    def growth_rate(self: Array, axis: Any = -1, d: int = 1, label: str = "upper") -> Any:  # type: ignore[misc]
        """How much elements grow along an axis, relative to the one ``d`` before."""
        number, positions = self._along(axis)
        array = self if positions is None else self[self.axes[number].i[positions]]
        steps = array.diff(array.axes[number], d=d, label=label)
        index = (slice(None),) * number + (slice(None, -d) if d > 0 else slice(-d, None),)
        before = array.data[index] if d < len(array.axes[number]) else array.data[(slice(None),) * number + (slice(0, 0),)]
        with told():
            found = steps.data / before
        return type(self)._new(found, steps.axes)

    def diff(self: Array, axis: Any = -1, d: int = 1, n: int = 1, label: str = "upper") -> Any:  # type: ignore[misc]
        """The elements less those ``d`` before along an axis, ``n`` times.

        :param label: whether a difference has the label of the ``upper`` or the ``lower`` element
        """
        number, positions = self._along(axis)
        array = self if positions is None else self[self.axes[number].i[positions]]
        for _ in range(n):
            own = array.axes[number]
            lead = (slice(None),) * number
            upper, lower = array.data[lead + (slice(d, None),)], array.data[lead + (slice(None, max(len(own) - d, 0)),)]
            kept = list(array.axes._list)
            kept[number] = own.subaxis(slice(d, None) if label == "upper" else slice(None, max(len(own) - d, 0)))
            if array.dtype.kind == "b":
                upper, lower = upper.astype(int), lower.astype(int)
            array = type(self)._new(upper - lower, AxisCollection._of(kept))
        return array

    def _along(self: Array, axis: Any) -> tuple[int, Any]:  # type: ignore[misc]
        """The number of an axis, and positions where a group of it is given."""
        if isinstance(axis, Group):
            number, positions = on_axis(self.axes, axis)
            return number, positions
        return self.axes._number(axis) % self.ndim, None
