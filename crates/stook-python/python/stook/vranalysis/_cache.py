"""The cache of a session's loads."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .. import _stook

# What caches hold unless told otherwise.
BUDGET = 2 << 30
# What an entry takes beside its value.
_ENTRY = 1024

Sources = list[_stook.OneSource]

# The files that the loads under way have read, the innermost last.
_READING: ContextVar[tuple[Sources, ...]] = ContextVar("reading", default=())


@contextmanager
def reading() -> Iterator[Sources]:
    """Collects the files that are read within; an outer load depends on them as well."""
    sources: Sources = []
    outer = _READING.get()
    token = _READING.set((*outer, sources))
    try:
        yield sources
    finally:
        _READING.reset(token)


def uses(sources: Sequence[_stook.OneSource]) -> None:
    """Says that the loads under way depend on these files."""
    for load in _READING.get():
        load.extend(sources)


class OneCache(Mapping[str, Any]):
    """What a session has loaded, by the name of the file: a mapping for reading.

    An entry is given out while the files it was made from are unchanged: the file itself, and those
    that a recipe led to. The least recently used entries go where ``budget`` bytes are exceeded.
    Arrays in it cannot be written to. What is mapped from a file takes none of the budget.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._native = _stook.OneCache(budget)

    @property
    def budget(self) -> int:
        """How many bytes entries may take."""
        return self._native.budget

    @budget.setter
    def budget(self, budget: int) -> None:
        self._native.budget = budget

    @property
    def nbytes(self) -> int:
        """How many bytes entries take."""
        return self._native.len_bytes

    def find(self, file: str, form: str) -> Any | None:
        """An entry, if it is current; ``None`` if not. The loads under way depend on its files."""
        found = self._native.get(file, form)
        if found is None:
            return None
        value, sources = found
        uses(sources)
        return value

    def keep(self, file: str, form: str, value: Any, nbytes: int, sources: Sources) -> None:
        """Keeps what was made from ``sources``."""
        self._native.put(file, form, (value, sources), nbytes + _ENTRY, sources)

    def forget(self, file: str | None = None) -> None:
        """Forgets a file, or all."""
        self._native.remove(file)

    def clear(self) -> None:
        """Forgets all."""
        self.forget()

    def pop(self, file: str, *default: Any) -> Any:
        """Forgets a file and returns what it had, as that of a dictionary does."""
        value = self.get(file, *default) if default else self[file]
        self.forget(file)
        return value

    def __getitem__(self, file: str) -> Any:
        for known, form in self._native.keys():
            if known == file and (found := self._native.get(file, form)) is not None:
                return given(found[0])
        raise KeyError(file)

    def __contains__(self, file: object) -> bool:
        return any(known == file for known, _ in self._native.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(file for file, _ in self._native.keys()))

    def __len__(self) -> int:
        return len(set(self))

    def __repr__(self) -> str:
        return f"<OneCache of {len(self)} files, {self.nbytes} of {self.budget} bytes>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process, and a copy, load for themselves.
        return OneCache, (self.budget,)


class Sparse:
    """The parts of a sparse matrix by columns; each use makes a matrix of them."""

    def __init__(self, parts: tuple[Any, ...]) -> None:
        *arrays, self.shape = parts
        self.arrays = tuple(frozen(array) for array in arrays)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)

    def matrix(self) -> Any:
        from scipy.sparse import csc_array  # type: ignore[import-untyped, unused-ignore]

        return csc_array(tuple(array.view() for array in self.arrays), shape=self.shape)


def frozen(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array, which nobody can write to any more: where somebody else may have it, a copy."""
    if not array.flags.writeable and _has_frozen_memory(array):
        return array
    # The caller's reference, this one, and that of the call.
    if array.base is not None or not array.flags.owndata or sys.getrefcount(array) > 3:
        array = array.copy(order="K")
    array.setflags(write=False)
    return array


def _has_frozen_memory(array: np.ndarray[Any, Any]) -> bool:
    memory: Any = array
    while isinstance(memory, np.ndarray):
        if memory.flags.writeable:
            return False
        memory = memory.base
    return True


def given(value: Any) -> Any:
    """What a cached value is to whom it is given: nothing of it can be changed, or all is new."""
    if isinstance(value, np.ndarray):
        # The flag of a view cannot be turned.
        return value.view()
    if isinstance(value, Sparse):
        return value.matrix()
    return value.to_array()
