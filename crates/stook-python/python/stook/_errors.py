"""Exceptions: each is a :class:`Error` and the builtin that Python users expect."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from contextlib import suppress

__all__ = [
    "AlreadyExistsError",
    "DTypeError",
    "Error",
    "FormatError",
    "InvalidInputError",
    "IoError",
    "LimitError",
    "LockedError",
    "MissingFileError",
    "NotFoundError",
    "ReadOnlyError",
    "SelectionError",
    "UnsupportedError",
]


class Error(Exception):
    """What went wrong and where; the base of all exceptions of this package.

    Attributes
    ----------
    message
        What went wrong, without the place.
    file, node, chunk
        Where: the path of the file, the path of the node in it, the index of the chunk in the
        array's grid; ``None`` where that does not matter.
    hint
        A remedy, if one is known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        file: str | None = None,
        node: str | None = None,
        chunk: tuple[int, ...] | None = None,
        hint: str | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.node = node
        self.chunk = chunk
        self.hint = hint
        self.causes = causes

    def __str__(self) -> str:
        # Not inherited: KeyError quotes its argument, OSError has a form of its own.
        places = []
        if self.file is not None:
            places.append(f"`{self.file}`")
        if self.node is not None:
            places.append(f"node `{self.node}`")
        if self.chunk is not None:
            places.append(f"chunk {list(self.chunk)}")
        text = ": ".join([*places, self.message, *self.causes])
        return f"{text} (hint: {self.hint})" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        error, cause = self.__dict__.get("_parts", (self, None))
        rebuilt = (_rebuild, (type(error), error.message, error.__dict__.copy()))
        if cause is None:
            return rebuilt
        try:
            pickle.loads(pickle.dumps(cause))
        except Exception:
            # Not every exception survives that; its text is in this one.
            return rebuilt
        return (_joined, (error, cause))


class NotFoundError(Error, KeyError):
    """A node, attribute or file does not exist."""


class MissingFileError(NotFoundError, FileNotFoundError):
    """The file or folder does not exist."""


class AlreadyExistsError(Error, FileExistsError):
    """What was to be created exists."""


class InvalidInputError(Error, ValueError):
    """An argument is wrong."""


class SelectionError(InvalidInputError, IndexError):
    """A selection does not fit its array."""


class DTypeError(InvalidInputError, TypeError):
    """Values cannot become items of the array's dtype without a change that nobody asked for."""


class ReadOnlyError(Error, PermissionError):
    """The file was opened for reading only, or the system allows no more."""


class UnsupportedError(Error, NotImplementedError):
    """Valid, but not something that this version or the file's format can do."""


class LimitError(Error, MemoryError):
    """A size in a file, or one that was asked for, is beyond what is allowed."""


class FormatError(Error):
    """The file's bytes contradict its format."""


class LockedError(Error, BlockingIOError):
    """Another process holds the file."""


class IoError(Error, OSError):
    """The operating system failed."""


def recast(error: Error, classes: Mapping[type[Error], type[Error]]) -> Error | None:
    """The same error as the class that ``classes`` has for its own; ``None`` if they have none."""
    wanted = classes.get(type(error))
    if wanted is None:
        return None
    return wanted(
        error.message,
        file=error.file,
        node=error.node,
        chunk=error.chunk,
        hint=error.hint,
        causes=error.causes,
    )


_CLASSES: dict[str, type[Error]] = {
    "not found": NotFoundError,
    "already exists": AlreadyExistsError,
    "invalid input": InvalidInputError,
    "selection": SelectionError,
    "read-only": ReadOnlyError,
    "unsupported": UnsupportedError,
    "limit exceeded": LimitError,
    "corrupt": FormatError,
    "locked": LockedError,
    "i/o": IoError,
}


def _from_native(
    kind: str,
    message: str,
    at: tuple[str | None, str | None, list[int] | None],
    hint: str | None,
    causes: list[str],
    cause: Exception | None,
) -> Error:
    """The exception for an error of the library; ``cause`` is what Python raised below it."""
    file, node, chunk = at
    cls = _CLASSES.get(kind, Error)
    if cls is NotFoundError and node is None:
        cls = MissingFileError
    error = cls(
        message,
        file=file,
        node=node,
        chunk=None if chunk is None else tuple(chunk),
        hint=hint,
        causes=tuple(causes),
    )
    return error if cause is None else _joined(error, cause)


# Classes that were made of two others.
_KNOWN: dict[tuple[type, type], type[Error]] = {}


def _joined(error: Error, cause: Exception) -> Error:
    """The error as an exception of the class of ``cause``, too: who expects that catches it."""
    own, other = type(error), type(cause)
    cls = _KNOWN.get((own, other)) or _KNOWN.setdefault((own, other), _join(own, other))
    joined = error
    if cls is not own:
        # Their ``__init__`` may want anything.
        # Nor does every ``__new__`` take a class whose memory is laid out by another base.
        made = OSError if issubclass(cls, OSError) else cls
        joined = made.__new__(cls, error.message)
        joined.__dict__.update(cause.__dict__)
        joined.__dict__.update(error.__dict__)
        joined.__dict__["_parts"] = (error, cause)
    if isinstance(joined, OSError) and isinstance(cause, OSError):
        joined.errno, joined.strerror = cause.errno, cause.strerror
        joined.filename = cause.filename
    return joined


def _join(cls: type[Error], other: type[Exception]) -> type[Error]:
    if issubclass(cls, other):
        return cls
    namespace = {"__module__": cls.__module__, "__doc__": cls.__doc__}
    # Two builtins with fields of their own have no common subclass.
    for base in (cls, Error):
        with suppress(TypeError):
            return type(base.__name__, (base, other), namespace)
    return cls


def _rebuild(cls: type[Error], message: str, state: dict[str, object]) -> Error:
    error = cls(message)
    error.__dict__.update(state)
    return error
