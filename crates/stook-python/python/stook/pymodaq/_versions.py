"""The versions that a new file is marked with."""

from __future__ import annotations

from importlib import metadata

# The version of the peer whose behaviour this is.
API = "5.3.0"


def versions() -> list[tuple[str, str]]:
    """Names of attributes and the versions that they say."""
    found = []
    for name, fallback in (("pymodaq", "0.0.0"), ("pymodaq_data", API)):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = fallback
        found.append((f"{name}_version", version))
    return found
