"""Links, which names in groups are."""

from __future__ import annotations

import os
from typing import Any

from .._errors import Error
from ._errors import told


class HardLink:
    """What ``get(name, getlink=True)`` gives for a name that leads to an object itself."""


class SoftLink:
    """A link to a path in the same file, which need not be there."""

    def __init__(self, path: Any) -> None:
        self._path = str(path)

    @property
    def path(self) -> str:
        """The path."""
        return self._path

    def __repr__(self) -> str:
        return f'<SoftLink to "{self.path}">'


class ExternalLink:
    """A link to a path in another file."""

    def __init__(self, filename: Any, path: Any) -> None:
        self._filename = os.fsdecode(filename)
        self._path = path

    @property
    def path(self) -> Any:
        """The path in the other file."""
        return self._path

    @property
    def filename(self) -> str:
        """The path of the other file."""
        return self._filename

    def __repr__(self) -> str:
        return f'<ExternalLink to "{self.path}" in file "{self.filename}"'


def link_of(child: Any, getclass: bool, default: Any) -> Any:
    """The link that a name is, or its class; ``default`` without one."""
    if child is None:
        return default
    link = child[2]
    if link is None:
        return HardLink if getclass else HardLink()
    if link[1] is None:
        return SoftLink if getclass else SoftLink(link[0])
    return ExternalLink if getclass else ExternalLink(link[1], link[0])


def as_link_error(error: OSError) -> Exception:
    """What h5py raises where a link cannot be made."""
    if isinstance(error, Error) and not isinstance(error, ValueError):
        return told(error, "Unable to create link", ValueError)
    return error
