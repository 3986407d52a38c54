"""Opening a file again that its writer goes on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ._errors import FormatError, LockedError

T = TypeVar("T")

#: How often that is tried, and seconds until the second time; each wait is twice as long as the one before.
_MAX_TRIES, _WAIT = 10, 0.001


def opened_again(open_file: Callable[[], T]) -> T:
    """What a call opens, which is made again where the commit that it found was gone before it was open,
    as the library may put it in its own words; whatever else is wrong is so still, and raised."""
    for at in range(_MAX_TRIES - 1):
        try:
            return open_file()
        except (LockedError, FormatError):
            time.sleep(_WAIT * 2**at)
    return open_file()
