"""`LazySession`: a session in a file, of which only what is asked for is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from stook import _stook
from stook.larray import _files, _native
from stook.larray._axes import AxisCollection
from stook.larray._metadata import Metadata
from stook.larray._session import Session


class LazySession:
    """Names first, what they are next, elements last. HDF5, Arrow and Parquet are read so; other formats as a whole.

    :param fname: the file or folder
    :param engine: as `Session.load` has it
    :raises FileNotFoundError: where there is none
    """

    def __init__(self, fname: Any, engine: str = "auto") -> None:
        path = os.fspath(fname)
        if not os.path.exists(path):
            raise FileNotFoundError(f"``{os.path.abspath(path)}`` does not exist")
        self._file = _stook.LabelledFile.open(path, _files._engine(path, engine))
        self._names = self._file.names()
        self._path = path

    @property
    def names(self) -> list[str]:
        """The names, in the order of the file."""
        return list(self._names)

    @property
    def meta(self) -> Metadata:
        """The metadata of the session."""
        return Metadata(self._file.metadata())

    def keys(self) -> list[str]:
        """The names, in the order of the file."""
        return self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _checked(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        return name

    def __getitem__(self, name: str) -> Any:
        _, kind, parts = self._file.get(self._checked(name))
        return _native.object_of(kind, parts)

    def kind(self, name: str) -> str:
        """What an object is: ``Array``, ``Axis``, ``LGroup``, ``IGroup``, or the type of a value."""
        return self._file.describe(self._checked(name))[0]

    def axes(self, name: str) -> AxisCollection:
        """The axes of an array, without its elements.

        :raises TypeError: for what is no array
        """
        kind, axes, _ = self._file.describe(self._checked(name))
        if axes is None:
            raise TypeError(f"{name!r} is no array, but of kind {kind}")
        return AxisCollection._of([_native._axis(axis) for axis in axes])

    def dtype(self, name: str) -> str:
        """The type of the elements of an array, as the library names it.

        :raises TypeError: for what is no array
        """
        kind, _, dtype = self._file.describe(self._checked(name))
        if dtype is None:
            raise TypeError(f"{name!r} is no array, but of kind {kind}")
        return dtype

    def rows(self, name: str, start: int, stop: int) -> Any:
        """The labels ``start`` to ``stop``, by their positions, of the first axis of an array."""
        _, kind, parts = self._file.rows(self._checked(name), start, stop)
        return _native.object_of(kind, parts)

    def load(self, names: Any = None) -> Session:
        """The session, or some of its objects."""
        wanted = self._names if names is None else [names] if isinstance(names, str) else list(names)
        return Session([(name, self[name]) for name in wanted], meta=self.meta)

    def __repr__(self) -> str:
        return f"LazySession({self._path!r}: {', '.join(self._names)})"
