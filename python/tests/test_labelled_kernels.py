"""The kernels of labelled arrays give what numpy gives, for every type and layout."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stook import _stook

INTS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8"]
COMPLEX = ["c8", "c16"]
RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def numbers(dtype: str, shape: tuple[int, ...], nans: bool = False) -> NDArray[Any]:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return RNG.random(shape) < 0.6
    if kind in "iu":
        return RNG.integers(0 if kind == "u" else -9, 20, shape).astype(dtype)
    array = RNG.normal(size=shape).astype(dtype) * 3
    if kind == "c":
        array = array + (RNG.normal(size=shape) * 1j).astype(dtype)
    if nans:
        array[RNG.random(shape) < 0.2] = np.nan
    return array.astype(dtype)


def layouts(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The same elements in C order, Fortran order, every second one, and backwards."""
    yield array
    yield np.asfortranarray(array)
    wide = np.zeros([2 * n + 1 for n in array.shape], array.dtype)
    view = wide[(..., *(slice(0, 2 * n, 2) for n in array.shape))]
    view[...] = array
    yield view
    back = (..., *(slice(None, None, -1) for _ in array.shape))
    yield np.ascontiguousarray(array[back])[back]


def close(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind in "fc":
        rtol = {2: 4e-3, 4: 2e-6, 8: 1e-12, 16: 1e-12}[expected.dtype.itemsize]
        rtol = 2e-6 if expected.dtype == "c8" else rtol
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)
    else:
        np.testing.assert_array_equal(found, expected)


REDUCTIONS = ["sum", "prod", "mean", "min", "max", "std", "var", "median", "all", "any"]
AXES: list[tuple[int, ...]] = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), ()]


@pytest.mark.parametrize("dtype", ["?", *INTS, *FLOATS, *COMPLEX])
def test_reductions(dtype: str) -> None:
    for shape in [(3, 4, 5), (2, 1, 40), (70, 9, 20)]:
        array = numbers(dtype, shape)
        if shape[0] == 70 and dtype not in ("i4", "f8"):
            continue
        for layout, axes, op in itertools.product(layouts(array), AXES, REDUCTIONS):
            is_complex = np.dtype(dtype).kind == "c"
            if is_complex and op in ("min", "max", "std", "var", "median"):
                with pytest.raises(NotImplementedError):
                    _stook.labelled_reduce(layout, op, axes)
                continue
            if op == "median" and not axes:
                continue
            if op == "prod" and np.dtype(dtype).kind in "fc":
                layout = layout / np.asarray(3, layout.dtype)
            found = _stook.labelled_reduce(layout, op, axes, ddof=1)
            extra = {"ddof": 1} if op in ("std", "var") else {}
            base = layout.astype("f4") if dtype == "f2" else layout
            expected = np.asarray(getattr(np, op)(base, axis=axes, **extra))
            if dtype == "f2" and op not in ("all", "any"):
                expected = expected.astype("f2")
            close(found, expected)
            kept = _stook.labelled_reduce(layout, op, axes, ddof=1, keepdims=True)
            assert kept.shape == np.sum(layout, axis=axes, keepdims=True).shape


@pytest.mark.parametrize("dtype", FLOATS)
def test_what_is_no_number(dtype: str) -> None:
    array = numbers(dtype, (6, 7, 9), nans=True)
    array[2] = np.nan
    for layout, axes, op in itertools.product(
        layouts(array), [(0,), (1,), (1, 2)], ["sum", "mean", "min", "max", "std", "var", "median"]
    ):
        base = layout.astype("f8")
        expected = getattr(np, "nan" + op)(base, axis=axes).astype(dtype)
        close(_stook.labelled_reduce(layout, op, axes), expected)
        expected = getattr(np, op)(base, axis=axes).astype(dtype)
        close(_stook.labelled_reduce(layout, op, axes, skipna=False), expected)


def test_sums_are_as_exact_as_those_of_pairs() -> None:
    array = np.full(1_000_003, 0.1)
    assert abs(_stook.labelled_reduce(array, "sum") - 100000.3) < 1e-9
    rows = np.full((100_003, 9), 0.1)
    assert np.abs(_stook.labelled_reduce(rows, "sum", [0]) - 10000.3).max() < 1e-9
    large = 1e9 + RNG.random(300_000)
    assert abs(_stook.labelled_reduce(large, "var", skipna=False) - np.var(large - 1e9)) < 1e-7


def test_groups_of_positions() -> None:
    array = numbers("f8", (5, 8, 6), nans=True)
    groups = [slice(0, 3), slice(None, None, -2), np.array([1, 1, 7]), np.array([-1]), slice(2, 2)]
    for axis, op in itertools.product([0, 1, 2], ["sum", "mean"]):
        chosen = [g if isinstance(g, slice) else g % array.shape[axis] for g in groups]
        found = _stook.labelled_reduce_groups(array, op, axis, chosen)
        moved = np.moveaxis(array, axis, 0)
        parts = [getattr(np, "nan" + op)(moved[g], axis=0) for g in chosen]
        close(found, np.moveaxis(np.stack(parts), 0, axis))
    with pytest.raises(ValueError, match="out of bounds"):
        _stook.labelled_reduce_groups(array, "sum", 0, [np.array([5])])


METHODS = (
    "inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen weibull "
    "linear median_unbiased normal_unbiased lower higher midpoint nearest"
).split()


@pytest.mark.parametrize("dtype", ["i2", "u4", "f4", "f8"])
@pytest.mark.parametrize("method", METHODS)
def test_quantiles(dtype: str, method: str) -> None:
    q = [0.0, 0.13, 0.5, 0.77, 1.0]
    for shape in [(4, 5, 6), (2, 90, 3)]:
        array = numbers(dtype, shape)
        for layout, axes in itertools.product(layouts(array), [(0,), (1,), (2,), (0, 2)]):
            expected = np.quantile(layout.astype("f8"), q, axis=axes, method=method)
            for some in (slice(None), slice(1, 3)):
                found = _stook.labelled_quantile(layout, q[some], axes, method=method)
                np.testing.assert_allclose(found, expected[some], rtol=2e-6 if dtype == "f4" else 1e-12)
    if dtype != "f4":  # which numpy widens for some methods
        assert found.dtype == np.quantile(array, q, axis=axes, method=method).dtype


def test_quantiles_of_what_is_no_number() -> None:
    array = numbers("f8", (6, 50), nans=True)
    array[3] = np.nan
    array[0] = np.linspace(0, 1, 50)
    close(
        _stook.labelled_quantile(array, [0.2, 0.9], [1]), np.nanquantile(array, [0.2, 0.9], axis=1)
    )
    close(
        _stook.labelled_quantile(array, [0.2], [1], skipna=False),
        np.quantile(array, [0.2], axis=1),
    )
    with pytest.raises(ValueError, match="between 0 and 1"):
        _stook.labelled_quantile(array, [1.5], [1])


BINARY = (
    "add subtract multiply divide floor_divide remainder power minimum maximum bitwise_and bitwise_or "
    "bitwise_xor equal not_equal less less_equal greater greater_equal"
).split()


@pytest.mark.parametrize("op", BINARY)
def test_arithmetic(op: str) -> None:
    for a_type, b_type in itertools.product(["?", *INTS, *FLOATS, *COMPLEX], repeat=2):
        a, b = numbers(a_type, (4, 5)), numbers(b_type, (4, 5))
        if op == "power":
            b = np.abs(b) if np.dtype(b_type).kind != "c" else b
            b = b.astype(b_type) % 4 if np.dtype(b_type).kind not in "?cb" else b
        try:
            expected = getattr(np, op)(a, b)
        except (TypeError, ValueError):
            with pytest.raises((NotImplementedError, ValueError)):
                _stook.labelled_binary(op, a, b)
            continue
        try:
            found = _stook.labelled_binary(op, a, b)
        except NotImplementedError:
            assert "c" in (np.dtype(a_type).kind, np.dtype(b_type).kind)
            continue
        if expected.dtype == "f2" and op in ("power", "remainder", "floor_divide"):
            continue
        close(found, expected)


def test_layouts_and_broadcasting() -> None:
    for shapes in [((30, 40), (30, 40)), ((30, 40), (40,)), ((30, 1), (1, 40)), ((3, 4, 5), ())]:
        a, b = numbers("f8", shapes[0]), numbers("i4", shapes[1])
        for x, y in itertools.product(layouts(a), layouts(b)):
            close(_stook.labelled_binary("add", x, y), x + y)
    row, tall = numbers("f8", (3,)), numbers("f8", (5000, 3))
    close(_stook.labelled_binary("multiply", tall, row), tall * row)
    with pytest.raises(ValueError, match="do not match"):
        _stook.labelled_binary("add", np.zeros(3), np.zeros(4))
    with pytest.raises(NotImplementedError):
        _stook.labelled_binary("add", np.zeros(3, ">f8"), np.zeros(3))


def test_large_integers_of_both_signs_compare_exactly() -> None:
    a = np.array([-1, 2**63 - 1, 5], "i8")
    b = np.array([2**64 - 1, 2**63, 5], "u8")
    for op in BINARY[12:]:
        close(_stook.labelled_binary(op, a, b), getattr(np, op)(a, b))
        close(_stook.labelled_binary(op, b, a), getattr(np, op)(b, a))


def test_times() -> None:
    a = np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[D]")
    b = np.array(["2020-01-01", "NaT", "2020-01-01"], "M8[D]")
    for op in BINARY[12:]:
        close(_stook.labelled_binary(op, a, b), getattr(np, op)(a, b))
    assert _stook.labelled_element_equals(a, b, nans_equal=True).tolist() == [True, True, False]
    assert _stook.labelled_element_equals(a, b).tolist() == [True, False, False]
    assert _stook.labelled_filter(a, a == b).tolist() == a[a == b].tolist()


def test_closeness() -> None:
    a = numbers("f8", (40, 50), nans=True)
    b = a * (1 + RNG.normal(size=a.shape) * 1e-3)
    b[0, :3] = [np.inf, -np.inf, np.nan]
    a[0, :3] = [np.inf, np.inf, np.nan]
    for x, y in itertools.product(layouts(a), layouts(b)):
        for rtol, atol, nans in [(0, 0, False), (1e-3, 0, False), (1e-3, 1e-3, True)]:
            expected = np.isclose(x, y, rtol, atol, equal_nan=nans)
            keys = {"rtol": rtol, "atol": atol, "nans_equal": nans}
            close(_stook.labelled_element_equals(x, y, **keys), expected)
            assert _stook.labelled_equals(x, y, **keys) == expected.all()
    assert _stook.labelled_equals(a, a, nans_equal=True)


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4", "f8", "c16", "U3", "S5"])
def test_picking(dtype: str) -> None:
    text = np.array([f"{i % 37}" for i in range(7 * 6 * 9)]).reshape(7, 6, 9)
    array = text.astype(dtype) if dtype[0] in "US" else numbers(dtype, (7, 6, 9))
    mask = RNG.random(array.shape) < 0.4
    some = [np.array([3, 0, 0, -1]), np.array([5, 1, 1, 2]), np.array([8, 8, 0, 4])]
    keys: list[tuple[Any, ...]] = [
        (slice(None), some[1], slice(None, None, -3)),
        (2, slice(1, 4), some[2]),
        (some[0], some[1], some[2]),
        (some[0], 0, -1),
    ]
    for layout, truth in itertools.product(layouts(array), layouts(mask)):
        close(_stook.labelled_filter(layout, truth), layout[truth])
    for layout, key in itertools.product(layouts(array), keys):
        lists = [np.arange(n)[k] for n, k in zip(array.shape, key, strict=True)]
        whole = layout[np.ix_(*[np.atleast_1d(k) for k in lists])]
        expected = whole.reshape([len(k) for k in lists if np.ndim(k)])
        close(_stook.labelled_take(layout, key), expected)
        if not isinstance(key[0], slice) and key is not keys[1]:
            close(_stook.labelled_take(layout, key, points=True), layout[key])
    assert _stook.labelled_count_true(mask) == mask.sum()
    for found, expected in zip(_stook.labelled_nonzero(mask), mask.nonzero(), strict=True):
        close(found, expected)
    close(_stook.labelled_true_positions(mask.T), np.flatnonzero(mask.T))
    with pytest.raises(ValueError, match="out of bounds"):
        _stook.labelled_take(array, (np.array([7]), 0, 0))


def test_large_filters() -> None:
    array = RNG.random((300, 1000))
    for mask in [array > 0.5, array > 0.999, array > 2, array > -1]:
        close(_stook.labelled_filter(array, mask), array[mask])
        close(_stook.labelled_filter(array.T, mask.T), array.T[mask.T])
        close(_stook.labelled_true_positions(mask), np.flatnonzero(mask))


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f4", "f8"])
def test_order_and_running_sums(dtype: str) -> None:
    array = numbers(dtype, (6, 5, 40))
    for layout, axis in itertools.product(layouts(array), range(3)):
        close(_stook.labelled_argsort(layout, axis), layout.argsort(axis=axis, kind="stable"))
        for which in ("min", "max"):
            expected = getattr(np, "arg" + which)(layout, axis=axis)
            close(_stook.labelled_arg_extreme(layout, which, [axis]), expected)
        for op in ("cumsum", "cumprod"):
            close(_stook.labelled_scan(layout, op, axis), getattr(np, op)(layout, axis=axis))
    flat = _stook.labelled_arg_extreme(array, "max")
    assert flat == array.argmax()


def test_positions_of_extremes_pass_over_what_is_no_number() -> None:
    array = np.array([[np.nan, 3, 1], [2, np.nan, 5]])
    close(_stook.labelled_arg_extreme(array, "min", [1]), np.nanargmin(array, axis=1))
    close(_stook.labelled_arg_extreme(array, "min", [1], skipna=False), np.argmin(array, axis=1))
    with pytest.raises(ValueError, match="no elements"):
        _stook.labelled_arg_extreme(np.full(3, np.nan), "max")


def test_empty_arrays_and_scalars() -> None:
    empty = np.zeros((0, 3))
    for op in ("sum", "prod", "all", "any", "mean", "var", "median"):
        for axes in [(0,), (1,), (0, 1)]:
            close(_stook.labelled_reduce(empty, op, axes), getattr(np, op)(empty, axis=axes))
    with pytest.raises(ValueError, match="no elements"):
        _stook.labelled_reduce(empty, "min", (0,))
    scalar = np.array(2.5)
    for op in REDUCTIONS:
        if op not in ("std", "var"):
            close(_stook.labelled_reduce(scalar, op), np.asarray(getattr(np, op)(scalar)))
    close(_stook.labelled_filter(scalar, np.array(True)), np.array([2.5]))
    assert _stook.labelled_filter(empty, empty > 0).shape == (0,)
    assert _stook.labelled_equals(empty, empty)
