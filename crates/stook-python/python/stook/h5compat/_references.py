"""References to objects and to regions of datasets."""

from __future__ import annotations

from typing import Any


class Reference:
    """A reference to a group or dataset of a file: ``file[reference]`` opens it.

    It is the path that the object had when it was referred to or read.
    """

    __slots__ = ("path",)

    def __init__(self, path: str = "") -> None:
        self.path = path

    @property
    def typecode(self) -> int:
        """0 of objects, 1 of regions."""
        return 0

    def __bool__(self) -> bool:
        return bool(self.path)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars_of(other) == vars_of(self)

    def __hash__(self) -> int:
        return hash(vars_of(self))

    def __repr__(self) -> str:
        return f"<HDF5 object reference{'' if self else ' (null)'}>"


class RegionReference(Reference):
    """A reference to a region of a dataset: ``dataset[reference]`` reads it."""

    __slots__ = ("region",)

    def __init__(self, path: str = "", region: str = "") -> None:
        super().__init__(path)
        self.region = region

    @property
    def typecode(self) -> int:
        """0 of objects, 1 of regions."""
        return 1

    def __repr__(self) -> str:
        return f"<HDF5 region reference{'' if self else ' (null)'}>"


def vars_of(reference: Any) -> tuple[str, str]:
    """What a reference says."""
    return reference.path, getattr(reference, "region", "")
