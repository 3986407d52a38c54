"""Names of before, which say what took their place."""

from __future__ import annotations

from typing import Any

from stook.larray._array import Array
from stook.larray._warn import warn


class LArray(Array):
    """`Array` by the name it had."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warn("LArray has been renamed as Array.")
        super().__init__(*args, **kwargs)


def PGroup(*args: Any, **kwargs: Any) -> None:  # noqa: N802
    raise TypeError("PGroup() is deprecated. Use IGroup() instead.")
