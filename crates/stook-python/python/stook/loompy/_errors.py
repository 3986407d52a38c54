"""Opening, with the classes of exceptions that programs of the peer catch."""

from __future__ import annotations

from .._errors import Error, FormatError, UnsupportedError, recast
from .._stook import Loom


class NotHdf5Error(UnsupportedError, OSError):
    """The file is of no format that is known."""


class DamagedFileError(FormatError, OSError):
    """The file's bytes contradict its format."""


_CLASSES: dict[type[Error], type[Error]] = {
    UnsupportedError: NotHdf5Error,
    FormatError: DamagedFileError,
}


def open_loom(path: str, writable: bool) -> Loom:
    """Opens a file.

    Raises
    ------
    OSError
        If it is of no format that is known, or damaged, or somebody else writes it.
    InvalidInputError
        If it is no Loom file.
    """
    try:
        return Loom.open(path, writable)
    except Error as error:
        raised = recast(error, _CLASSES)
        if raised is None:
            raise
        raise raised from None
