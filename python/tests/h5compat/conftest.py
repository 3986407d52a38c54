"""The same test against h5py and against stook.h5compat.

`same(body)` runs a body with both and fails where their outcomes differ: the values with their
dtypes, or the class of the exception. `same.words(body)` also compares what the exception says.
"""

from __future__ import annotations

import pytest
from h5compat.outcomes import MODULES, outcome

# What h5py raises is a class of ours, too, under another name.
_BUILTINS = (KeyError, ValueError, TypeError, IndexError, OSError, RuntimeError, AttributeError)


class Same:
    """Runs bodies with both modules."""

    def __init__(self, folder):
        self.folder = folder
        self.n = 0

    def __call__(self, body, *, words: bool = False):
        self.n += 1
        here = self.folder / str(self.n)
        here.mkdir()
        theirs, ours = (outcome(body, name, here) for name in MODULES)
        if isinstance(theirs, Exception):
            if not isinstance(ours, Exception):
                raise AssertionError(f"h5py fails, stook does not: {ours!r}") from theirs
            expected = next((cls for cls in _BUILTINS if isinstance(theirs, cls)), type(theirs))
            assert isinstance(ours, expected), f"{ours!r} is no {expected.__name__}: {theirs!r}"
            if words:
                said = theirs.args[0] if theirs.args else ""
                assert str(said) in str(ours)
        elif isinstance(ours, Exception):
            raise ours
        else:
            assert ours == theirs
        return ours

    def words(self, body):
        """The same, and what exceptions say."""
        return self(body, words=True)


@pytest.fixture
def same(tmp_path):
    """See the module."""
    return Same(tmp_path)


@pytest.fixture(params=list(MODULES))
def h5(request):
    """h5py, then stook.h5compat."""
    return MODULES[request.param]


@pytest.fixture(params=["h5py writes", "stook writes"])
def pair(request):
    """Who writes and who reads: each in turn."""
    pair = MODULES["h5py"], MODULES["stook"]
    return pair if request.param == "h5py writes" else pair[::-1]
