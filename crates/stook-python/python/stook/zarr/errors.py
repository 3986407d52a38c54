"""The exceptions and warnings of the Zarr API.

They are distinct from :class:`stook.Error`: a script that was written for zarr-python catches
these, and each inherits the builtin that it always did.
"""

from __future__ import annotations

__all__ = [
    "ArrayIndexError",
    "ArrayNotFoundError",
    "BaseZarrError",
    "BoundsCheckError",
    "ChunkNotFoundError",
    "ContainsArrayAndGroupError",
    "ContainsArrayError",
    "ContainsGroupError",
    "GroupNotFoundError",
    "MetadataValidationError",
    "NegativeStepError",
    "NodeNotFoundError",
    "NodeTypeValidationError",
    "UnknownCodecError",
    "UnstableSpecificationWarning",
    "VindexInvalidSelectionError",
    "ZarrDeprecationWarning",
    "ZarrFutureWarning",
    "ZarrRuntimeWarning",
    "ZarrUserWarning",
]


class BaseZarrError(ValueError):
    """What all errors of this module but those of indexing inherit.

    One argument is the message. Several fill the template of the class, which is how older
    scripts raise them.
    """

    _msg: str = "{}"

    def __init__(self, *args: object) -> None:
        super().__init__(args[0] if len(args) == 1 else self._msg.format(*args))


class NodeNotFoundError(BaseZarrError, FileNotFoundError):
    """There is neither an array nor a group at a path."""


class ArrayNotFoundError(NodeNotFoundError):
    """There is no array at a path."""

    _msg = "No array found in store {!r} at path {!r}"


class GroupNotFoundError(NodeNotFoundError):
    """There is no group at a path."""

    _msg = "No group found in store {!r} at path {!r}"


class ContainsGroupError(BaseZarrError):
    """A group is in the way."""

    _msg = "A group exists in store {!r} at path {!r}."


class ContainsArrayError(BaseZarrError):
    """An array is in the way."""

    _msg = "An array exists in store {!r} at path {!r}."


class ContainsArrayAndGroupError(BaseZarrError):
    """A path has the documents of both an array and a group, so it is neither."""

    _msg = (
        "Array and group metadata documents (.zarray and .zgroup) were both found in store "
        "{!r} at path {!r}. "
        "Only one of these files may be present in a given directory / prefix. "
        "Remove the .zarray file, or the .zgroup file, or both."
    )


class MetadataValidationError(BaseZarrError):
    """A metadata document says what it must not."""

    _msg = "Invalid value for '{}'. Expected '{}'. Got '{}'."


class NodeTypeValidationError(MetadataValidationError):
    """A document is of another kind of node than the one that was asked for."""


class UnknownCodecError(BaseZarrError):
    """A document names a codec that nobody registered."""


class ChunkNotFoundError(BaseZarrError):
    """A chunk is missing where missing chunks are no fill values."""


class ZarrFutureWarning(FutureWarning):
    """Something will change."""


class UnstableSpecificationWarning(ZarrFutureWarning):
    """What is written is in no specification yet."""


class ZarrDeprecationWarning(DeprecationWarning):
    """Something will go."""


class ZarrUserWarning(UserWarning):
    """Something is probably not what the caller meant."""


class ZarrRuntimeWarning(RuntimeWarning):
    """Something has no effect, or a dubious one."""


class VindexInvalidSelectionError(IndexError):
    """``vindex`` takes arrays of coordinates or masks only."""


class NegativeStepError(IndexError):
    """A slice runs backwards."""


class BoundsCheckError(IndexError):
    """An index lies outside of an array."""


class ArrayIndexError(IndexError):
    """An array of indices has the wrong shape or type."""
