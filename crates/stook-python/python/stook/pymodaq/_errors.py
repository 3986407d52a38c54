"""Exceptions: those of the peer's module, and ones that are both those and stook's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._errors import AlreadyExistsError, Error, NotFoundError, ReadOnlyError, recast


class NodeError(Exception):
    """A node is not there, or is there already."""


class InvalidExport(Exception):
    """An export that cannot be."""


class InvalidGroupType(Exception):
    """A group of no known type."""


class InvalidSave(Exception):
    """A file for no known use."""


class InvalidGroupDataType(Exception):
    """A group of data of no known type."""


class InvalidDataType(Exception):
    """Data of no known type."""


class InvalidDataDimension(Exception):
    """Data of no known dimension."""


class InvalidScanType(Exception):
    """A scan of no known type."""


class MissingNodeError(NodeError, NotFoundError):
    """The node does not exist."""


class NodeExistsError(NodeError, AlreadyExistsError, ValueError):
    """A node of this name exists."""


class FileModeError(ReadOnlyError, ValueError):
    """The file was opened for reading only."""


_CLASSES: dict[type[Error], type[Error]] = {
    NotFoundError: MissingNodeError,
    AlreadyExistsError: NodeExistsError,
    ReadOnlyError: FileModeError,
}


@contextmanager
def node_errors() -> Iterator[None]:
    """Raises errors about nodes as the classes that programs of the peer catch."""
    try:
        yield
    except Error as error:
        raised = recast(error, _CLASSES)
        if raised is None:
            raise
        raise raised from None
