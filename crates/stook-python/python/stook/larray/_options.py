"""How arrays are shown."""

from __future__ import annotations

from typing import Any

_DEFAULTS = {"display_precision": None, "display_width": 80, "display_maxlines": 200, "display_edgeitems": 5}
OPTIONS: dict[str, Any] = dict(_DEFAULTS)


class set_options:  # noqa: N801
    """Sets options, for good, or as a context manager for its block.

    :param display_precision: digits after the point, None for as many as tell a number from others
    :param display_width: characters a line
    :param display_maxlines: lines of a table; more are left out in its middle; -1 for all
    :param display_edgeitems: lines shown before and after those that are left out
    :raises ValueError: for an option that there is not, or a value it does not take
    """

    def __init__(self, **kwargs: Any) -> None:
        self.old: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name not in OPTIONS:
                known = ", ".join(sorted(OPTIONS))
                raise ValueError(f"Argument {name} is not in the set of valid options: {known}")
            _check(name, value)
            self.old[name] = OPTIONS[name]
        OPTIONS.update(kwargs)

    def __enter__(self) -> set_options:
        return self

    def __exit__(self, *args: object) -> None:
        OPTIONS.update(self.old)


def _check(name: str, value: Any) -> None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if name == "display_precision":
        if value is not None and not (is_number and value >= 0):
            raise ValueError("Expected None or positive integer")
    elif name == "display_maxlines":
        if not (is_number and value >= -1):
            raise ValueError("Expected integer")
    elif not (is_number and value > 0):
        raise ValueError("Expected positive integer")


def get_options() -> dict[str, Any]:
    """The options as they are."""
    return dict(OPTIONS)
