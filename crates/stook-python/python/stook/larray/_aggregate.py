"""Aggregates: over axes, and over groups of their labels, NaN left out unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _kernels, _syntax
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._group import Group, IGroup, LGroup, key_text
from stook.larray._index import place_of
from stook.larray._reference import AxisReference
from stook.larray._select import Selected, is_array, on_axis

if TYPE_CHECKING:
    from stook.larray._array import Array

#: Keywords that are no names of axes.
_OPTIONS = ("axis", "out", "dtype", "skipna", "keepaxes", "keepdims", "ddof", "q", "method", "interpolation", "where",
            "initial")


def _has_nan(data: np.ndarray) -> bool:
    """Whether there is a NaN: one pass, that needs no memory."""
    if data.dtype.kind not in "fc" or not data.size:
        return False
    smallest = np.min(data)
    return bool(smallest != smallest)


def _plain(function: Callable[..., Any], without_nan: Callable[..., Any]) -> Callable[..., Any]:
    """An aggregate of numpy: the one that leaves NaN out only where there are some."""

    def aggregate(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
        chosen = without_nan if skipna and _has_nan(data) else function
        return chosen(data, axis=axis, **options)

    return aggregate


def _sum(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
    found = np.add.reduce(data, axis=axis, **options)
    if skipna and data.dtype.kind in "fc" and (found != found if axis is None else np.isnan(found).any()):
        return np.nansum(data, axis=axis, **options)
    return found


def _any(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
    return np.any(data, axis=axis, **options)


def _all(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
    return np.all(data, axis=axis, **options)


def _ptp(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
    return np.ptp(data, axis=axis, **options)


def _deviation(function: Callable[..., Any], without_nan: Callable[..., Any]) -> Callable[..., Any]:
    inner = _plain(function, without_nan)

    def aggregate(data: np.ndarray, axis: Any, skipna: bool, ddof: int = 1, **options: Any) -> Any:
        return inner(data, axis, skipna, ddof=ddof, **options)

    return aggregate


def _percentile(data: np.ndarray, axis: Any, skipna: bool, q: Any = None, **options: Any) -> Any:
    is_plain = (data.dtype == np.float64 and not options.keys() - {"method"}
                and options.get("method", "linear") == "linear" and isinstance(q, (int, float)) and 0 <= q <= 100)
    if is_plain:
        found = _kernels.certain(_kernels.quantile, data, q / 100, axis)
        if found is not None:
            return found
    if skipna and _has_nan(data):
        # numpy leaves NaN out row by row.
        if data.dtype.kind == "f" and 0 <= q <= 100 and not options.keys() - {"method"}:
            try:
                return _kernels.quantile(data, q / 100, axis, True, **options)
            except NotImplementedError:
                pass
        return np.nanpercentile(data, q, axis=axis, **options)
    return np.percentile(data, q, axis=axis, **options)


def _median(data: np.ndarray, axis: Any, skipna: bool, **options: Any) -> Any:
    if data.dtype == np.float64 and not options:
        found = _kernels.certain(_kernels.median, data, axis)
        if found is not None:
            return found
    if skipna and _has_nan(data):
        if data.dtype.kind == "f" and not options:
            try:
                return _kernels.median(data, axis, True)
            except NotImplementedError:
                pass
        return np.nanmedian(data, axis=axis, **options)
    return np.median(data, axis=axis, **options)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum, "any": _any, "all": _all, "ptp": _ptp, "percentile": _percentile,
    "mean": _plain(np.mean, np.nanmean), "min": _plain(np.min, np.nanmin), "max": _plain(np.max, np.nanmax),
    "prod": _plain(np.prod, np.nanprod), "median": _median,
    "std": _deviation(np.std, np.nanstd), "var": _deviation(np.var, np.nanvar),
}


def _group_label(group: Group) -> Any:
    """The label that a group has in a result."""
    if group.name is not None:
        return group.name
    key = group.key
    if isinstance(group, IGroup):
        key = _label_slice(group) if isinstance(key, slice) else group.eval()
    if isinstance(key, slice):
        bounds = ["" if bound is None else str(bound) for bound in (key.start, key.stop)]
        return ":".join(bounds if key.step is None else [*bounds, str(key.step)])
    if isinstance(key, np.ndarray) and isinstance(group, IGroup):
        return str(key)
    if isinstance(key, (list, tuple, np.ndarray)):
        return ",".join(str(label.eval() if isinstance(label, Group) else label) for label in key)
    return key


def _label_slice(group: IGroup) -> slice:
    """A slice of positions as one of labels, whose end belongs to it."""
    key, labels = group.key, group.axis._items()
    start = None if key.start is None else labels[key.start]
    return slice(start, None if key.stop is None else labels[key.stop - 1], key.step)


class Over:
    """What an aggregate goes over: some axes at once, or groups of one."""

    __slots__ = ("axes", "groups", "collapse", "axis")

    def __init__(self, axes: list[Any] | None = None, groups: list[Group] | None = None, collapse: bool = False,
                 axis: Any = None) -> None:
        self.axes = axes
        self.groups = groups
        self.collapse = collapse
        self.axis = axis


def _written(text: str) -> Group:
    written = _syntax.parse(text)
    if written.key is None:
        raise TypeError("None has an invalid type (NoneType) for a key")
    if written.positional:
        return IGroup(written.key, written.name, written.axis)
    return LGroup._of(written.key, written.axis, written.name)


def _as_group(key: Any) -> Group:
    if isinstance(key, Group):
        return key
    if isinstance(key, str):
        return _written(key)
    if isinstance(key, (list, np.ndarray)):
        return LGroup._of(list(key), None)
    if isinstance(key, (int, np.integer, slice, bytes, np.generic)) or is_array(key):
        return LGroup._of(key, None)
    if isinstance(key, tuple):
        return LGroup._of(list(key), None)
    raise TypeError(f"{key!r} has invalid type ({type(key).__name__}) for a group aggregate key")


class Aggregates:
    """The aggregates of arrays."""

    __slots__ = ()

    # Each of these goes over axes (names, references, axes) or groups of labels, one after another:
    #   array.sum("a"), array.sum(X.a, X.b), array.sum("a0,a1 >> low; a2 >> high"), array.sum(a="a0,a1")
    # and takes axis, dtype, out, skipna (True), keepaxes (False, True, or the label to keep).

    def sum(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The sum over axes or groups; of nothing but NaN it is 0."""
        if not args and not kwargs:
            data = self.data
            if data.dtype.kind in "iu":
                return np.add.reduce(data, axis=None)
        if len(args) == 1 and not kwargs and type(args[0]) is str:
            number = self.axes._named(args[0])
            if number is not None and self.data.ndim > 1:
                axes = self.axes._list
                return type(self)._new(_sum(self.data, number, True), AxisCollection._of(
                    axes[:number] + axes[number + 1:]))
        return self._aggregate("sum", args, kwargs)

    def mean(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The mean over axes or groups."""
        return self._aggregate("mean", args, kwargs)

    def min(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The smallest element over axes or groups."""
        return self._aggregate("min", args, kwargs)

    def max(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The largest element over axes or groups."""
        return self._aggregate("max", args, kwargs)

    def prod(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The product over axes or groups."""
        return self._aggregate("prod", args, kwargs)

    def std(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The standard deviation over axes or groups, ``ddof`` 1 unless told otherwise."""
        return self._aggregate("std", args, kwargs)

    def var(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The variance over axes or groups, ``ddof`` 1 unless told otherwise."""
        return self._aggregate("var", args, kwargs)

    def median(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The median over axes or groups."""
        return self._aggregate("median", args, kwargs)

    def any(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Whether any element is true, over axes or groups."""
        return self._aggregate("any", args, kwargs)

    def all(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Whether all elements are true, over axes or groups."""
        return self._aggregate("all", args, kwargs)

    def ptp(self: Array, *args: Any, out: Any = None, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The largest less the smallest element, over axes or groups."""
        return self._aggregate("ptp", args, {**kwargs, "out": out})

    def percentile(self: Array, q: Any, *args: Any, out: Any = None, method: str = "linear",  # type: ignore[misc]
                   skipna: Any = None, keepaxes: Any = False, **kwargs: Any) -> Any:
        """The percentiles ``q`` (0 to 100) over axes or groups; of several, an axis ``percentile`` comes first."""
        return self._percentiles(q, args, {**kwargs, "out": out, "method": method, "skipna": skipna,
                                           "keepaxes": keepaxes}, False)

    # The same, over all axes but those, or in groups of those.

    def sum_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The sum for each label of axes, or each group."""
        return self._by("sum", args, kwargs)

    def mean_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The mean for each label of axes, or each group."""
        return self._by("mean", args, kwargs)

    def min_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The smallest element for each label of axes, or each group."""
        return self._by("min", args, kwargs)

    def max_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The largest element for each label of axes, or each group."""
        return self._by("max", args, kwargs)

    def prod_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The product for each label of axes, or each group."""
        return self._by("prod", args, kwargs)

    def std_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The standard deviation for each label of axes, or each group."""
        return self._by("std", args, kwargs)

    def var_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The variance for each label of axes, or each group."""
        return self._by("var", args, kwargs)

    def median_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """The median for each label of axes, or each group."""
        return self._by("median", args, kwargs)

    def any_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Whether any element is true, for each label of axes, or each group."""
        return self._by("any", args, kwargs)

    def all_by(self: Array, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Whether all elements are true, for each label of axes, or each group."""
        return self._by("all", args, kwargs)

    def percentile_by(self: Array, q: Any, *args: Any, out: Any = None, method: str = "linear",  # type: ignore[misc]
                      skipna: Any = None, keepaxes: Any = False, **kwargs: Any) -> Any:
        """The percentiles ``q`` for each label of axes, or each group."""
        return self._percentiles(q, args, {**kwargs, "out": out, "method": method, "skipna": skipna,
                                           "keepaxes": keepaxes}, True)

    def cumsum(self: Array, axis: Any = -1) -> Any:  # type: ignore[misc]
        """The sums of the elements up to each one along an axis."""
        return type(self)._new(np.cumsum(self.data, axis=self.axes.index(axis)), self.axes)

    def cumprod(self: Array, axis: Any = -1) -> Any:  # type: ignore[misc]
        """The products of the elements up to each one along an axis."""
        return type(self)._new(np.cumprod(self.data, axis=self.axes.index(axis)), self.axes)

    # How.

    def _percentiles(self: Array, q: Any, args: Any, options: dict[str, Any], by: bool) -> Any:  # type: ignore[misc]
        one = self._by if by else self._aggregate
        if options.get("out") is None:
            options.pop("out", None)
        if not isinstance(q, (list, tuple, np.ndarray)):
            return one("percentile", args, {**options, "q": q})
        parts = [one("percentile", args, {**options, "q": each}) for each in q]
        from stook.larray._create import stack

        found = stack(parts, Axis(list(q), "percentile"))
        return found.transpose("percentile", ...) if found.ndim > 1 else found

    def _by(self: Array, name: str, args: Any, kwargs: dict[str, Any]) -> Any:  # type: ignore[misc]
        steps, options = self._steps(args, kwargs)
        kept: list[int] = []
        grouped: list[Any] = []
        for step in steps:
            if step.axes is not None:
                kept += [self.axes._number(axis) for axis in step.axes]
            else:
                number, _ = on_axis(self.axes, (step.groups or [])[0])
                kept.append(number)
                grouped.append(step)
        others = [axis for number, axis in enumerate(self.axes) if number not in kept]
        # What is wanted of all elements of a group at once is asked of them at once where numbers may differ.
        found: Any = self._reduced(name, others, dict(options)) if others else self
        for step in grouped:
            found = found._grouped(name, step, dict(options))
        return found if steps else self._reduced(name, list(self.axes), dict(options))

    def _steps(self: Array, args: Any, kwargs: dict[str, Any]) -> tuple[list[Over], dict[str, Any]]:  # type: ignore[misc]
        """What arguments go over, and the options among them."""
        options = {key: value for key, value in kwargs.items() if key in _OPTIONS}
        named = {key: value for key, value in kwargs.items() if key not in _OPTIONS}
        steps: list[Over] = []
        axis = options.pop("axis", None)
        if axis is not None:
            steps.append(Over(list(axis) if isinstance(axis, (tuple, list)) else [axis]))
        for arg in args:
            self._add_step(steps, arg)
        for name, value in named.items():
            own = self.axes[name]
            if isinstance(value, str):
                written = [_written(part) for part in value.split(";")]
            elif isinstance(value, tuple):
                written = [_as_group(part) for part in value]
            else:
                written = [_as_group(value)]
            collapse = len(written) == 1 and not isinstance(value, tuple)
            groups = [group if isinstance(group, IGroup) or group.axis is not None else LGroup._of(
                group.key, own, group.name) for group in written]
            steps.append(Over(None, groups, collapse, own))
        return steps, options

    def _add_step(self: Array, steps: list[Over], arg: Any) -> None:  # type: ignore[misc]
        if isinstance(arg, Axis) or (isinstance(arg, str) and self.axes._find(arg) is not None):
            own = self.axes[arg] if isinstance(arg, (AxisReference, str)) or arg in self.axes else arg
            if own not in self.axes:
                raise KeyError(f"axis '{own.name}' not found in {self.axes}")
            own = self.axes[own]
            if steps and steps[-1].axes is not None:
                if any(one is own for one in steps[-1].axes):
                    AxisCollection([*steps[-1].axes, own])
                steps[-1].axes.append(own)
            else:
                steps.append(Over([own]))
            return
        if isinstance(arg, str):
            parts = arg.split(";")
            groups = [_written(part) for part in parts]
            steps.append(Over(None, groups, len(parts) == 1))
        elif isinstance(arg, tuple):
            steps.append(Over(None, [_as_group(part) for part in arg], False))
        else:
            steps.append(Over(None, [_as_group(arg)], True))

    def _aggregate(self: Array, name: str, args: Any, kwargs: dict[str, Any]) -> Any:  # type: ignore[misc]
        steps, options = self._steps(args, kwargs)
        if not steps:
            return self._reduced(name, list(self.axes), options)
        found: Any = self
        for step in steps:
            if not is_array(found):
                raise ValueError(f"there is no axis left to aggregate over by {step.groups or step.axes}")
            if step.axes is not None:
                found = found._reduced(name, step.axes, dict(options))
            else:
                found = found._grouped(name, step, dict(options))
        return found

    def _reduced(self: Array, name: str, axes: list[Any], options: dict[str, Any]) -> Any:  # type: ignore[misc]
        """An aggregate over whole axes."""
        numbers = [self.axes.index(axis) % max(self.ndim, 1) for axis in axes]
        keep = options.pop("keepaxes", False)
        skipna = options.pop("skipna", None)
        out = options.pop("out", None)
        if out is not None:
            options["out"] = out.data if is_array(out) else out
        options = {key: value for key, value in options.items() if value is not None or key == "dtype"}
        if options.get("dtype", 0) is None:
            del options["dtype"]
        if options.pop("keepdims", False):
            keep = True
        where: Any = None if len(numbers) == self.ndim else (numbers[0] if len(numbers) == 1 else tuple(numbers))
        if not numbers and self.ndim:
            return self
        data = FUNCTIONS[name](self.data, where, skipna is None or bool(skipna), **options)
        if out is not None:
            return out
        if keep is not False:
            label = name if keep is True else keep
            kept = [Axis._of(np.asarray([label]), axis.name) if number in numbers else axis
                    for number, axis in enumerate(self.axes)]
            return type(self)(np.asarray(data).reshape([len(axis) for axis in kept]), AxisCollection._of(kept))
        if where is None:
            return data
        return type(self)._new(data, AxisCollection._of(
            [axis for number, axis in enumerate(self.axes._list) if number not in numbers]))

    def _grouped(self: Array, name: str, step: Over, options: dict[str, Any]) -> Any:  # type: ignore[misc]
        """An aggregate over each of some groups of one axis."""
        options.pop("keepaxes", None)
        numbers = []
        places = []
        for group in step.groups or []:
            if step.axis is not None and isinstance(group, IGroup) and group.axis is None:
                group = IGroup(group.key, group.name, step.axis)
            axis = group.axis
            if axis is not None and not isinstance(axis, (str, int)) and self.axes._find(axis) is None:
                raise ValueError(f"axis {axis.name!r} is not in collection")
            number, positions = on_axis(self.axes, group)
            numbers.append(number)
            places.append(positions)
        if len(set(numbers)) > 1:
            raise ValueError("groups of several axes in one aggregate: "
                             + ", ".join(key_text(group.key) for group in step.groups or []))
        number = numbers[0]
        axis = self.axes[number]
        parts: list[Any] = []
        for positions in places:
            selected = Selected()
            selected.takes[number] = [positions] if isinstance(positions, (int, np.integer)) else positions
            part = self._read(place_of(self.axes, selected))
            parts.append(part._reduced(name, [part.axes[number]], dict(options)))
        if step.collapse:
            return parts[0]
        groups = [group if group.axis is not None and not isinstance(group.axis, (str, int)) and not
                  group.axis.is_reference else type(group)(group.key, group.name, axis)
                  for group in step.groups or []]
        own = Axis([_group_label(group) for group in groups], axis.name)
        data = np.stack([np.asarray(part) for part in parts], axis=number)
        kept = list(self.axes._list)
        kept[number] = own
        return type(self)(data, AxisCollection._of(kept))
