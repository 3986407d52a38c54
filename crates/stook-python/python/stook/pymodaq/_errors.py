"""Exceptions: those of the peer's module, and ones that are both those and stook's."""

from __future__ import annotations

from typing import Any

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


class _NodeErrors:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Error):
            raised = recast(error, _CLASSES)
            if raised is not None:
                raise raised from None


_NODE_ERRORS = _NodeErrors()


def node_errors() -> _NodeErrors:
    """Raises errors about nodes as the classes that programs of the peer catch."""
    # This is done for each node that is made.
    return _NODE_ERRORS
