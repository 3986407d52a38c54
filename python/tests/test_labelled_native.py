"""Selection and alignment of the native axes, compared with what numpy gives position by position."""

from __future__ import annotations

import datetime
import itertools
import random
from typing import Any

import numpy as np
import pytest
from stook._stook import LabelledAxes, LabelledAxis, LabelledGroup


def axes(**labels: Any) -> LabelledAxes:
    return LabelledAxes([LabelledAxis(np.asarray(own), name) for name, own in labels.items()])


AB = axes(a=["a0", "a1", "a2", "a3"], b=["b0", "b1", "b2"])


def taken(data: np.ndarray, selected: Any) -> np.ndarray:
    basic, advanced, _ = selected
    found = data[basic]
    return found if advanced is None else found[advanced]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 1, 2], "i4"),
        np.array(["a", "bbb"]),
        np.array(["2020-01-01", "NaT"], "M8[D]"),
        np.array([0.5, np.inf], "f4"),
        np.array([True, False]),
        np.array([b"a", b"bb"]),
        np.array([1, "a", None, datetime.date(2020, 2, 29)], object),
        np.array([], "i8"),
    ],
    ids=lambda labels: labels.dtype.str,
)
def test_labels_keep_their_dtype(labels: np.ndarray) -> None:
    axis = LabelledAxis(labels, "x")
    assert axis.labels.dtype == labels.dtype
    assert np.array_equal(axis.labels, labels, equal_nan=labels.dtype.kind == "f") or labels.dtype.kind == "M"
    for position, label in enumerate(labels):
        assert axis.position(label) == position


def test_a_label_is_found_by_its_kind_only() -> None:
    axis = LabelledAxis(np.array([1, 2]), "x")
    for label in (1.0, True, "1", None):
        with pytest.raises(KeyError):
            axis.position(label)


def test_one_label_gives_a_view() -> None:
    data = np.arange(12).reshape(4, 3)
    basic, advanced, rest = AB.select("a1")
    assert advanced is None
    assert np.shares_memory(data[basic], data)
    assert rest.info == "3\n b [3]: 'b0' 'b1' 'b2'"
    basic, advanced, rest = AB.select(("b2", "a1"))
    assert data[basic] == 5 and rest is None


def test_errors_are_those_of_python() -> None:
    with pytest.raises(ValueError, match="'zz' is not a valid label for any axis"):
        AB.select("zz")
    with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0 with size 4"):
        AB.select("a.i[9]")
    with pytest.raises(KeyError, match="axis 'zz' not found in {a, b}"):
        AB.select(LabelledAxis(np.array(["a0"]), "zz"))
    with pytest.raises(TypeError, match="invalid type"):
        AB.select(object())


def test_groups_know_their_axis() -> None:
    both = axes(a=[1, 2, 3], b=[1, 2, 3, 4])
    data = np.arange(12).reshape(3, 4)
    with pytest.raises(ValueError, match="ambiguous"):
        both.select(1)
    assert taken(data, both.select(LabelledGroup(1, axis="a"))).tolist() == [0, 1, 2, 3]
    group = LabelledGroup([0, -1], "ends", "b", is_positional=True)
    assert repr(group) == "b.i[0, -1] >> 'ends'"
    assert taken(data, both.select(group)).tolist() == [[0, 3], [4, 7], [8, 11]]


def test_selection_is_that_of_a_naive_search() -> None:
    chance = random.Random(5)
    names = ["a", "b", "c", "d"]
    for _ in range(200):
        lengths = [chance.randint(1, 4) for _ in range(chance.randint(1, 4))]
        names_now = names[: len(lengths)]
        labels = [[f"{name}{i}" for i in range(n)] for name, n in zip(names_now, lengths, strict=True)]
        data = np.arange(np.prod(lengths)).reshape(lengths)
        own = axes(**dict(zip(names_now, labels, strict=True)))
        key: list[Any] = []
        positions: list[list[int]] = []
        for row in labels:
            n = len(row)
            kind = chance.choice(["all", "one", "slice", "list", "down"])
            first, last = sorted([chance.randrange(n), chance.randrange(n)])
            if kind == "all":
                key.append(slice(None))
                positions.append(list(range(n)))
            elif kind == "one":
                key.append(row[first])
                positions.append([first])
            elif kind == "slice":
                key.append(slice(row[first], row[last]))
                positions.append(list(range(first, last + 1)))
            elif kind == "down":
                key.append(slice(row[last], None, -1))
                positions.append(list(range(last, -1, -1)))
            else:
                chosen = [chance.randrange(n) for _ in range(3)]
                key.append([row[i] for i in chosen])
                positions.append(chosen)
        expected = [int(data[index]) for index in itertools.product(*positions)]
        order = list(range(len(key)))
        chance.shuffle(order)
        selected = own.select(tuple(key[i] for i in order))
        found = taken(data, selected)
        assert np.ravel(found).tolist() == expected
        assert np.shape(found) == (selected[2].shape if selected[2] is not None else ())


def test_points_lie_where_their_axes_say() -> None:
    data = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    own = axes(a=["a0", "a1"], b=["b0", "b1", "b2"], c=["c0", "c1", "c2", "c3"])
    selected = own.select_points((["b0", "b2"], ["c3", "c1"]))
    assert np.array_equal(taken(data, selected), data[:, [0, 2], [3, 1]])
    assert selected[2].info.splitlines()[2] == " b_c [2]: 'b0_c3' 'b2_c1'"
    selected = own.select_points((["a0", "a1"], ["c3", "c1"]))
    assert np.array_equal(taken(data, selected), data[[0, 1], :, [3, 1]])
    assert selected[2].shape == (2, 3)


def test_alignment_is_by_name() -> None:
    left = axes(a=["a0", "a1"], b=["b0"])
    both, own, theirs = left.align(axes(c=["c0"], a=["a0", "a1"]))
    assert repr(both) == "{a, b, c}"
    assert (own, theirs) == ([0, 1, None], [1, None, 0])
    with pytest.raises(ValueError, match="incompatible axes"):
        left.align(axes(a=["a1", "a0"]))
