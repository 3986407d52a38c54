"""Indexing means what it means in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import stook

SHAPE = (7, 5, 6)
LAYOUTS = {
    "zarr": ("x.zarr", {"chunks": (3, 2, 4)}),
    "zarr sharded": ("x.zarr", {"chunks": (2, 1, 3), "shards": (4, 3, 6)}),
    "zarr whole": ("x.zarr", {}),
    "zarr zip": ("x.zarr.zip", {"chunks": (3, 2, 4)}),
    "hdf5 chunked": ("x.h5", {"chunks": (3, 2, 4), "codecs": ["shuffle", "gzip"]}),
    "hdf5 contiguous": ("x.h5", {}),
    "npz": ("x.npz", {}),
}


@pytest.fixture(params=LAYOUTS)
def pair(request, tmp_path):
    """An array of numpy and one of stook with the same items."""
    name, options = LAYOUTS[request.param]
    items = np.arange(np.prod(SHAPE), dtype="int32").reshape(SHAPE)
    with stook.create(tmp_path / name) as file:
        yield items, file.create_array("x", items, **options)


def random_slice(rng, length):
    def end():
        return None if rng.random() < 0.3 else int(rng.integers(-length - 2, length + 3))

    step = int(rng.choice([1, 1, 2, 3, -1, -2]))
    return slice(end(), end(), None if step == 1 else step)


def random_basic(rng):
    key = []
    for length in SHAPE[: rng.integers(0, 4)]:
        if rng.random() < 0.35:
            key.append(int(rng.integers(-length, length)))
        else:
            key.append(random_slice(rng, length))
    if len(key) == 3 or rng.random() < 0.3:
        return with_extras(rng, key)
    return tuple(key)


def with_extras(rng, key):
    if rng.random() < 0.4:
        # Behind the ellipsis the entries speak of the last axes.
        at = int(rng.integers(0, len(key) + 1))
        if len(key) == len(SHAPE):
            key.insert(at, Ellipsis)
        else:
            key.append(Ellipsis)
    if rng.random() < 0.3:
        key.insert(int(rng.integers(0, len(key) + 1)), None)
    return tuple(key)


def random_list(rng, length, shape):
    return rng.integers(-length, length, shape)


def random_advanced(rng):
    together = tuple(rng.integers(1, 4, rng.integers(1, 3)))
    key = []
    for length in SHAPE:
        match rng.integers(0, 5):
            case 0:
                key.append(random_list(rng, length, together))
            case 1:
                key.append(random_list(rng, length, together[-1:]).tolist())
            case 2:
                key.append(int(rng.integers(-length, length)))
            case _:
                key.append(random_slice(rng, length))
    if rng.random() < 0.2:
        axis = int(rng.integers(0, 3))
        key[axis] = rng.random(SHAPE[axis]) < 0.5
        for other in range(3):
            if other != axis and isinstance(key[other], (np.ndarray, list)):
                key[other] = slice(None)
    if rng.random() < 0.2:
        key.insert(int(rng.integers(0, 4)), Ellipsis)
    return tuple(key)


def check_read(items, array, key):
    expected, found = items[key], array[key]
    assert type(found) is type(expected), key
    assert np.shape(found) == np.shape(expected), key
    np.testing.assert_array_equal(found, expected, err_msg=str(key))


def check_write(items, array, key, rng):
    expected = items[key]
    values = rng.integers(0, 1000, expected.shape, dtype="int32")
    if rng.random() < 0.3 and values.ndim:
        values = values[:1]
    items[key] = values
    array[key] = values
    np.testing.assert_array_equal(array[...], items, err_msg=str(key))


@pytest.mark.parametrize("make", [random_basic, random_advanced])
def test_reading_is_that_of_numpy(pair, make, rng):
    for _ in range(300):
        check_read(*pair, make(rng))


@pytest.mark.parametrize("make", [random_basic, random_advanced])
def test_writing_is_that_of_numpy(pair, make, rng):
    items, array = pair
    if array.format == "npz":
        pytest.skip("an archive is written once")
    for _ in range(60):
        key = make(rng)
        if all(not isinstance(part, (np.ndarray, list)) or no_repeats(key) for part in key):
            check_write(items, array, key, rng)


def no_repeats(key):
    """Which of several values for one item stays is not defined by numpy either."""
    places = np.arange(np.prod(SHAPE)).reshape(SHAPE)[key]
    return np.unique(places).size == places.size


@pytest.mark.parametrize(
    "key",
    [
        (),
        ...,
        (Ellipsis, None),
        (None, 0, None, slice(None), 0, None),
        np.int8(3),
        (np.uint64(2), np.array(1)),
        [],
        ([], slice(None), 0),
        np.array([], "int64"),
        [[0, 1], [2, 3]],
        np.array([True, False] * 3 + [True]),
        (slice(None), [True, False, True, False, True]),
        (0, [1, 2], slice(None)),
        (0, slice(None), [1, 2]),
        ([1, 2], slice(None), 0),
        ([1, 2], slice(None), [3, 4]),
        (slice(None), [1, 2], [3, 4]),
        ([[1], [2]], [[3, 4]]),
        np.ix_([0, 6], [1, 1], [5, 0, 2]),
        range(3),
        (slice(1, 4), *np.ix_([0, 4], [5, 0, 2])),
        (*np.ix_([0, 4], [3, 0, 2]), slice(None, None, -2)),
        (0, *np.ix_([0, 4], [3, 0, 2])),
        np.ones(SHAPE, bool),
        np.zeros(SHAPE[:2], bool),
        (np.ones(SHAPE[:1], bool), 0),
    ],
    ids=str,
)
def test_particular_indices(pair, key):
    check_read(*pair, key)


def test_masks_of_some_axes(pair, rng):
    items, array = pair
    for n_axes in (1, 2, 3):
        for share in (0.0, 0.1, 0.9):
            mask = rng.random(SHAPE[:n_axes]) < share
            check_read(items, array, mask)
            check_read(items, array, (mask, ...))
    mask = rng.random(SHAPE[1:]) < 0.5
    check_read(items, array, (..., mask))
    check_read(items, array, (slice(None, None, -2), mask))


def test_orthogonal_indexing_is_an_axis_at_a_time(pair, rng):
    items, array = pair
    rows, columns = rng.integers(-7, 7, 4), rng.random(6) < 0.5
    expected = items[rows][:, 1:4][:, :, columns]
    np.testing.assert_array_equal(array.oindex[rows, 1:4, columns], expected)
    np.testing.assert_array_equal(array.oindex[2, [4, 0]], items[2][[4, 0]])
    assert array.oindex[1, 2, 3] == items[1, 2, 3]
    if array.format != "npz":
        array.oindex[[0, 6], :, [1, 2]] = 5
        items[np.ix_([0, 6], range(5), [1, 2])] = 5
        np.testing.assert_array_equal(array[:], items)


def test_points_are_walked_together(pair, rng):
    items, array = pair
    points = tuple(rng.integers(-n, n, (3, 2)) for n in SHAPE)
    np.testing.assert_array_equal(array.vindex[points], items[points])
    mask = rng.random(SHAPE) < 0.2
    np.testing.assert_array_equal(array.vindex[mask], items[mask])
    if array.format != "npz":
        array.vindex[[0, 1], [0, 1], [5, 4]] = [70, 71]
        assert array[0, 0, 5] == 70
        assert array[1, 1, 4] == 71
        array[mask] = -1
        assert (array[:] == -1).sum() == mask.sum()


def test_blocks_are_whole_chunks(tmp_path):
    items = np.arange(35).reshape(7, 5)
    with stook.create(tmp_path / "x.zarr") as file:
        array = file.create_array("x", items, chunks=(3, 2))
        np.testing.assert_array_equal(array.blocks[1, 0], items[3:6, :2])
        np.testing.assert_array_equal(array.blocks[1:, -1], items[3:, 4:])
        array.blocks[0] = 0
        assert not array[:3].any()
        with pytest.raises(stook.SelectionError):
            array.blocks[3]


def test_rows_come_by_iteration(pair):
    items, array = pair
    assert len(array) == 7
    for expected, found in zip(items, array, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_array_is_an_argument_of_numpy(pair):
    items, array = pair
    np.testing.assert_array_equal(np.asarray(array), items)
    assert np.asarray(array, "float64").dtype == np.float64
    assert np.sum(array) == items.sum()
    with pytest.raises(ValueError, match="copy"):
        np.asarray(array, copy=False)


def test_fields_of_structs_are_selected_by_name(tmp_path):
    dtype = np.dtype([("a", "i4"), ("b", "f8", (2,)), ("c", "S3")])
    items = np.zeros(4, dtype)
    items["a"], items["c"] = range(4), b"xyz"
    with stook.create(tmp_path / "x.h5") as file:
        array = file.create_array("x", items)
        np.testing.assert_array_equal(array["a"], items["a"])
        np.testing.assert_array_equal(array["a", 1:3], items["a"][1:3])
        np.testing.assert_array_equal(array[["a", "c"]], items[["a", "c"]])
        assert array[1]["c"] == b"xyz"
