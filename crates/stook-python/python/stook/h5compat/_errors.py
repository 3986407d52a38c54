"""Errors in h5py's words and of its classes, which are those of :mod:`stook`, too."""

from __future__ import annotations

from .._errors import (
    AlreadyExistsError,
    Error,
    InvalidInputError,
    NotFoundError,
    ReadOnlyError,
    _joined,
)


def told(
    error: Error, what: str, other: type[Exception] = ValueError, missing: str | None = None
) -> Error:
    """The error as h5py tells it: ``what`` failed, with the reason in its words.

    The exception is of the class of ``error`` and of ``other``, the one that h5py raises.
    """
    match error:
        case ClosedError():
            return error
        case AlreadyExistsError():
            reason = "name already exists"
        case ReadOnlyError():
            reason = "no write intent on file"
        case NotFoundError() if missing is not None:
            reason = missing
        case _:
            reason = error.message
    return raised(type(error), f"{what} ({reason})", other, error)


def raised(
    cls: type[Error], message: str, other: type[Exception], source: Error | None = None
) -> Error:
    """A new error of class ``cls`` that is one of ``other``, too."""
    made = cls(
        message,
        file=None if source is None else source.file,
        node=None if source is None else source.node,
        chunk=None if source is None else source.chunk,
        hint=None if source is None else source.hint,
        causes=_causes(message, source),
    )
    return made if isinstance(made, other) else _joined(made, other(message))


def _causes(message: str, source: Error | None) -> tuple[str, ...]:
    if source is None:
        return ()
    return source.causes if source.message in message else (source.message, *source.causes)


def missing(file: str, node: str, text: str) -> NotFoundError:
    """A node that is not there."""
    return NotFoundError(f"Unable to synchronously open object ({text})", file=file, node=node)


class ClosedError(InvalidInputError, RuntimeError, KeyError):
    """The file of a handle is closed. (h5py raises one or another of these.)"""


def closed(what: str = "Unable to synchronously open object") -> ClosedError:
    """The error of a handle whose file is closed."""
    return ClosedError(f"{what} (invalid identifier: the file is closed)")
