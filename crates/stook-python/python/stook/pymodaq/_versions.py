"""The versions that a new file is marked with."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import metadata, util

# The version of the peer whose behaviour this is.
API = "5.3.0"

_FOLDER = ".dist-info"
#: The versions that were looked up.
_KNOWN: dict[str, str | None] = {}


def _version(name: str) -> str | None:
    """The version of a package; ``None`` where it is not installed."""
    # What `importlib.metadata` would find, which takes milliseconds to look at all packages.
    for folder in sys.path:
        with suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                package, _, version = entry.name.removesuffix(_FOLDER).partition("-")
                if entry.name.endswith(_FOLDER) and version and package.lower() == name:
                    return version
    # Installed in another way, if at all.
    with suppress(metadata.PackageNotFoundError, ValueError):
        if util.find_spec(name) is not None:
            return metadata.version(name)
    return None


def versions() -> list[tuple[str, str]]:
    """Names of attributes and the versions that they say."""
    fallbacks = {"pymodaq": "0.0.0", "pymodaq_data": API}
    for name in fallbacks.keys() - _KNOWN.keys():
        _KNOWN[name] = _version(name)
    return [(f"{name}_version", _KNOWN[name] or known) for name, known in fallbacks.items()]
