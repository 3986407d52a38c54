"""The short notation of axes and keys: ``a=a0..a2``, ``2000..2010 step 5``, ``a0,a1 >> name``, ``a.i[0:2]``.

Text is taken apart, never evaluated: what is in braces is text, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)\Z")
_RANGE = re.compile(r"(?P<start>.*?)\s*\.\.\s*(?P<stop>.*?)(?:\s+step\s+(?P<step>\S+))?\Z", re.DOTALL)
_PIECE = re.compile(r"\d+|\D")
_ON_AXIS = re.compile(r"(?P<axis>[^\[\]]+?)(?P<place>\.i)?\[(?P<key>.*)\]\Z", re.DOTALL)
#: Text without any of these is one label.
_SPECIAL = re.compile(r"[,:;\[>]|\.\.|^\s|\s\Z|^\Z")


class Written(NamedTuple):
    """A key as it was written: what it selects, of which axis, by position or not, and its name."""

    key: Any
    axis: str | int | None = None
    positional: bool = False
    name: str | None = None


def scalar(text: str) -> Any:
    """One label of a list: an integer where it is written as one, None where nothing is there."""
    text = text.strip()
    if not text:
        return None
    return int(text) if _INTEGER.match(text) else text


def labels(text: str) -> list[Any]:
    """The labels of an axis.

    :raises ValueError: for a slice, or a range without an end
    """
    return list(_labels(text))


def _read_labels(text: str) -> tuple[Any, ...]:
    if ":" in text:
        raise ValueError("using : to define axes is deprecated, please use .. instead")
    parts = text.split(",")
    if len(parts) == 1 and not text.strip():
        return ()
    return tuple(_elements(parts))


def _elements(parts: list[str]) -> list[Any]:
    """The parts of a list, ranges unrolled; what is empty at its ends is left out."""
    while parts and not parts[-1].strip():
        parts = parts[:-1]
    while parts and not parts[0].strip():
        parts = parts[1:]
    found: list[Any] = []
    for part in parts:
        if ".." in part:
            found.extend(_range(part))
        else:
            found.append(scalar(part))
    return found


def _range(text: str) -> list[Any]:
    """``a0..a2``, ``1..3``, ``..3``, ``a0..b1`` (each part that differs is a range), with a step."""
    match = _RANGE.match(text.strip())
    start, stop = (match["start"].strip(), match["stop"].strip()) if match else ("", "")
    if not stop:
        raise ValueError(f"no stop bound provided in range: {text.strip()!r}")
    step = 1
    if match is not None and match["step"] is not None:
        written = match["step"]
        if not written.lstrip("-").isdigit() or int(written) == 0:
            raise ValueError("step must be a positive integer or None")
        # A range goes from its start to its end, whatever the sign of its step.
        step = max(int(written), 1)
    if not start:
        start = "0"
    if _INTEGER.match(start):
        if _INTEGER.match(stop):
            return _integers(int(start), int(stop), step)
        if not stop.isdigit():
            raise ValueError(
                "expected an integer for the stop bound (because the start bound is an integer)"
                f" but got {stop!r} instead"
            )
    return _texts(text.strip(), start, stop, step)


def _integers(start: int, stop: int, step: int) -> list[int]:
    if start <= stop:
        return list(range(start, stop + 1, step))
    return list(range(start, stop - 1, -step))


def _texts(text: str, start: str, stop: str, step: int) -> list[str]:
    """A range of texts: pieces that are alike stay, those that differ are numbers or letters."""
    first, last = _PIECE.findall(start), _PIECE.findall(stop)
    if len(first) != len(last):
        raise ValueError(f"bounds of range {text!r} do not have the same form")
    choices = []
    for one, other in zip(first, last):
        if one == other:
            choices.append([one])
        elif one.isdigit() and other.isdigit():
            padded = any(len(bound) > 1 and bound[0] == "0" for bound in (one, other))
            width = (len(other) if other[0] == "0" and len(other) > 1 else len(one)) if padded else 0
            numbers = _integers(int(one), int(other), step)
            choices.append([str(number).zfill(width) for number in numbers])
        elif one.isalpha() and other.isalpha():
            choices.append([chr(code) for code in _integers(ord(one), ord(other), step)])
        else:
            raise ValueError(f"bounds of range {text!r} do not have the same form")
    return ["".join(parts) for parts in product(*choices)]


def _read(text: str) -> Written:
    text, name = _named(text.strip())
    match = _ON_AXIS.match(text)
    if match is None and text.count("[") > text.count("]"):
        raise ValueError("malformed expression: reached end of string without finding the expected ']'")
    if match is not None:
        axis = match["axis"].strip()
        place: str | int | None = int(axis) if axis.isdigit() else axis
        positional = match["place"] is not None
        key = _selection(match["key"])
        if positional and isinstance(key, str):
            key = scalar(key)
        return Written(key, place, positional, name)
    return Written(_selection(text), None, False, name)


def _named(text: str) -> tuple[str, str | None]:
    """Text before ``>>``, and the name after it."""
    if ">>" not in text:
        return text, None
    text, name = text.split(">>", 1)
    return text.strip(), name.strip()


def _selection(text: str) -> Any:
    """What is within brackets: a label, a list, a slice, or a range."""
    text = text.strip()
    if ":" in text:
        return slice(*[scalar(bound) for bound in text.split(":")][:3])
    if "," in text:
        return tuple(_elements(text.split(",")))
    if ".." in text:
        return tuple(_range(text))
    return text or None


_labels: Callable[[str], tuple[Any, ...]] = lru_cache(maxsize=256)(_read_labels)
#: What is read once is kept; lists are kept as tuples, which nobody changes.
_parsed: Callable[[str], Written] = lru_cache(maxsize=4096)(_read)


def parse(text: str) -> Written:
    """A key in the notation of keys."""
    if _SPECIAL.search(text) is None:
        return Written(text)
    found = _parsed(text)
    if isinstance(found.key, tuple):
        return found._replace(key=list(found.key))
    return found


def is_plain(text: str) -> bool:
    """Whether text is one label and nothing else."""
    return _SPECIAL.search(text) is None


def several(text: str) -> list[Written]:
    """Keys apart by semicolons."""
    return [parse(part) for part in text.split(";")]
