"""The day of a session."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

_FORM = "%Y-%m-%d"


class PrettyDatetime(datetime):
    """A date and time that is written as its day.

    >>> from stook.vranalysis import PrettyDatetime
    >>> PrettyDatetime.make_pretty("2024-2-9")
    2024-02-09
    """

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}-{self.day:02}"

    def __repr__(self) -> str:
        return str(self)

    @classmethod
    def make_pretty(cls, dt: Any) -> Self:
        """The date that a ``datetime``, a ``date``, a text of the form year-month-day, or a float of
        seconds since 1970 says, in local time.

        Raises
        ------
        ValueError
            For any other type or form.
        """
        match dt:
            case datetime():
                local = dt if dt.tzinfo is None else dt.astimezone().replace(tzinfo=None)
                return cls.combine(local.date(), local.time())
            case date():
                return cls(dt.year, dt.month, dt.day)
            case str():
                return cls.strptime(dt, _FORM)
            case float():
                try:
                    return cls.fromtimestamp(dt)
                except (OverflowError, OSError) as error:
                    raise ValueError(f"{dt} seconds since 1970 are no date") from error
        raise ValueError(f"Invalid input type for PrettyDatetime: {type(dt)}")
