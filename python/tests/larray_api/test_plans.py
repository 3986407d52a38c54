"""What the library's plans select and align is what arrays of the door give: both were made from larray's rules."""

from __future__ import annotations

import numpy as np
import pytest
import stook.larray as la
from larray_api.random_lines import _Lines
from stook import _stook
from stook.larray._broadcast import united


def native_axis(axis):
    labels = len(axis) if axis.iswildcard else np.ascontiguousarray(axis.labels)
    return _stook.LabelledAxis(labels, axis.name)


def native_axes(axes):
    return _stook.LabelledAxes([native_axis(axis) for axis in axes])


def native_key(key):
    if isinstance(key, tuple):
        return tuple(map(native_key, key))
    if isinstance(key, la.Group):
        axis = key.axis.name if key.axis.is_reference else native_axis(key.axis)
        return _stook.LabelledGroup(key.key, key.name, axis, is_positional=isinstance(key, la.IGroup))
    return key


def described(axes):
    return [(axis.name, list(map(str, axis.labels))) for axis in axes]


@pytest.mark.parametrize("seed", range(20))
def test_keys_select_the_same(seed):
    made = _Lines(seed)
    axes = [la.Axis(labels, name) for name, labels in made.axes]
    array = la.ndtest(axes)
    native = native_axes(array.axes)
    for _ in range(30):
        text = made.key()
        key = eval(f"({text},)", {"X": la.X, "ax": axes})
        try:
            ours = array[key]
        except (ValueError, IndexError):
            with pytest.raises((ValueError, IndexError)):
                native.select(native_key(key))
            continue
        basic, lists, found = native.select(native_key(key))
        data = array.data[basic]
        data = data if lists is None else data[lists]
        assert np.array_equal(data, np.asarray(ours)), text
        assert described([] if found is None else found.axes) == described(getattr(ours, "axes", [])), text


@pytest.mark.parametrize("seed", range(20))
def test_axes_go_together_the_same(seed):
    made = _Lines(seed)
    axes = [la.Axis(labels, name) for name, labels in made.axes]
    for _ in range(10):
        first = made.random.sample(axes, made.random.randint(0, len(axes)))
        second = made.random.sample(axes, made.random.randint(0, len(axes)))
        if second and made.random.random() < 0.3:
            second[0] = la.Axis([*second[0].labels.tolist()[:-1], made.random.choice(["q", 77])], second[0].name)
        mine, other = la.AxisCollection(first), la.AxisCollection(second)
        try:
            ours, left, right = united(mine, other)
        except ValueError:
            with pytest.raises(ValueError, match="incompatible axes"):
                native_axes(mine).align(native_axes(other))
            continue
        found, left_of, right_of = native_axes(mine).align(native_axes(other))
        assert described(found.axes) == described(ours)
        assert [at for at, where in enumerate(left_of) if where is not None] == sorted(left)
        assert [right_of[place] for place in right] == list(range(len(right)))
