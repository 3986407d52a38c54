"""Exceptions: each is a :class:`Error` and the builtin that Python users expect."""

from __future__ import annotations

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
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))


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
    file: str | None,
    node: str | None,
    chunk: list[int] | None,
    hint: str | None,
    causes: list[str],
) -> Error:
    """The exception for an error of the library."""
    cls = _CLASSES.get(kind, Error)
    if cls is NotFoundError and node is None:
        cls = MissingFileError
    at = None if chunk is None else tuple(chunk)
    return cls(message, file=file, node=node, chunk=at, hint=hint, causes=tuple(causes))


def _rebuild(cls: type[Error], message: str, state: dict[str, object]) -> Error:
    error = cls(message)
    error.__dict__.update(state)
    return error
