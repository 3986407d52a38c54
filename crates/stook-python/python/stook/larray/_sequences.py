"""Sequences made of others, an item at a time when it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any


class Product:
    """The combinations of the items of sequences, the last fastest."""

    def __init__(self, sequences: Sequence[Any]) -> None:
        self.sequences = list(sequences)
        self._lengths = [len(one) for one in self.sequences]

    def __len__(self) -> int:
        return prod(self._lengths)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return [self[at] for at in range(*key.indices(len(self)))]
        if not -len(self) <= key < len(self):
            raise IndexError("index out of range for Product")
        at = key % len(self)
        found = []
        for sequence, length in zip(reversed(self.sequences), reversed(self._lengths)):
            at, inner = divmod(at, length)
            found.append(sequence[inner])
        return tuple(reversed(found))

    def __iter__(self) -> Iterator[Any]:
        return (self[at] for at in range(len(self)))

    def __repr__(self) -> str:
        return f"Product({self.sequences!r})"


class SequenceZip:
    """Tuples of the items of sequences of one length."""

    def __init__(self, sequences: Sequence[Any]) -> None:
        self.sequences = sequences
        lengths = [len(one) for one in sequences]
        if any(length != lengths[0] for length in lengths[1:]):
            raise ValueError(f"sequences have different lengths: {', '.join(map(str, lengths))}")
        self._length = lengths[0] if lengths else 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return SequenceZip([one[key] for one in self.sequences])
        return tuple(one[key] for one in self.sequences)

    def __iter__(self) -> Iterator[Any]:
        return zip(*self.sequences)

    def __repr__(self) -> str:
        return f"SequenceZip({self.sequences!r})"


class Repeater:
    """One value, again and again."""

    def __init__(self, value: Any, n: int) -> None:
        self.value = value
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Repeater(self.value, len(range(*key.indices(self.n))))
        if not -self.n <= key < self.n:
            raise IndexError("index out of range")
        return self.value

    def __iter__(self) -> Iterator[Any]:
        return iter([self.value] * self.n)

    def __repr__(self) -> str:
        return f"Repeater({self.value!r}, {self.n})"
