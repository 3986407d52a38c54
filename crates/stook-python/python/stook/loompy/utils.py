"""Times and versions."""

from __future__ import annotations

import datetime
import logging
from inspect import currentframe, getouterframes
from typing import Any

from .normalize import materialize_attr_values

__all__ = ["compare_loom_spec_version", "deprecated", "get_loom_spec_version", "timestamp"]


def deprecated(message: str) -> None:
    """Logs that something has another name now, and where it was used."""
    caller = getouterframes(currentframe())[2]
    logging.warning("%s (%s, line %s)", message, caller.filename, caller.lineno)


def timestamp() -> str:
    """The time now, in UTC, as Loom files have it.

    >>> from stook import loompy
    >>> len(loompy.timestamp())
    23
    """
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")


def get_loom_spec_version(f: Any) -> str:
    """The version of the specification that an open file of h5py's API follows."""
    version: Any = "0.0.0"
    if "attrs" in f and "LOOM_SPEC_VERSION" in f["attrs"]:
        version = f["attrs"]["LOOM_SPEC_VERSION"][()]
    if "LOOM_SPEC_VERSION" in f.attrs:
        version = f.attrs["LOOM_SPEC_VERSION"]
    found = materialize_attr_values(version)
    return str(found if isinstance(found, str) else found[0])


def compare_loom_spec_version(f: Any, v: str) -> int:
    """-1, 0 or 1: whether the file's version is before ``v``, that, or after it."""
    own, other = (tuple(map(int, version.split("."))) for version in (get_loom_spec_version(f), v))
    return (own > other) - (own < other)
