"""Fixtures and comparisons that the tests of every door share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import stook

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files; see samples/README.md. Tests copy what they change."""
    return SAMPLES


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same in each run."""
    return np.random.default_rng(20_261_122)


@pytest.fixture
def same_bits():
    """`same_bits(expected, found)` fails unless shape, type and every bit are equal."""
    return assert_same_bits


def assert_same_bits(expected, found) -> None:
    """NaN equals NaN of the same bits, zero differs from minus zero, and a type is not widened.

    Byte order is part of how a file lies, not of a value: big and little endian compare equal.
    Strings of variable length compare as Python objects.
    """
    expected, found = np.asarray(expected), np.asarray(found)
    assert found.shape == expected.shape
    if expected.dtype.names:
        assert found.dtype.names == expected.dtype.names
        for name in expected.dtype.names:
            assert_same_bits(expected[name], found[name])
        return
    if expected.dtype.kind in "OT" or found.dtype.kind in "OT":
        assert found.tolist() == expected.tolist()
        return
    expected, found = native(expected), native(found)
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()


def native(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


@pytest.fixture
def file(tmp_path):
    """A new Zarr file, open."""
    with stook.create(tmp_path / "file.zarr") as file:
        yield file
