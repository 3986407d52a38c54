"""An open file, which all handles of it share."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from .._errors import Error, FormatError, LockedError
from .._following import opened_again
from .._stook import Tree
from ._errors import closed, told

_Identity = tuple[int, int]
P = ParamSpec("P")
T = TypeVar("T")
# How often a read begins anew because its writer goes on.
_MAX_TRIES = 10


class OpenFile:
    """An open file, and what it was opened with. Handles of one file share it, and so do two
    files that were opened by one path."""

    def __init__(self, tree: Tree, filename: Any, mode: str, identity: _Identity | None) -> None:
        self._tree: Tree | None = tree
        self.filename = filename
        self.mode = mode
        self.identity = identity
        self.n_handles = 1
        self.driver = "sec2"
        self.libver = ("earliest", "v200")
        self.is_swmr = False
        self.meta_block_size = 2048
        #: Bytes before the file, where it was made here.
        self.user_block: int | None = None
        #: Where the file lies if it is a copy of something in memory.
        self.copy: MemoryCopy | None = None
        #: The file of which what lies here has no name yet.
        self.anonymous_in: OpenFile | None = None
        if identity is not None:
            _OPEN[identity] = self
        _ALL.add(self)

    @property
    def tree(self) -> Tree:
        """The library's file.

        Raises
        ------
        ClosedError
            If it is closed. It is a :class:`ValueError`, :class:`RuntimeError` and
            :class:`KeyError`.
        """
        if self._tree is None:
            raise closed()
        return self._tree

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._tree is not None

    def commit(self) -> None:
        """Puts changes with the operating system."""
        if self.mode != "r":
            self.tree.commit("flush")
            if self.copy is not None:
                self.copy.save()

    def start_swmr(self) -> None:
        """From here on programs that read with ``swmr=True`` may follow what is committed."""
        try:
            self.tree.start_swmr()
        except Error as error:
            raise told(error, "Unable to start swmr writing", RuntimeError) from error
        self.is_swmr = True

    def refresh(self) -> bool:
        """Looks at what other processes have committed; gives whether that was something.

        A file that is open for reading is opened anew; who writes it knows all there is.
        """
        tree = self.tree
        if self.mode != "r" or not tree.is_outdated():
            return False
        # The HDF5 library does not open a file in two ways at once.
        path = tree.path
        tree.close()
        self._tree = None
        self._tree = opened_again(lambda: Tree.open(path, False, False, None))
        return True

    def close(self) -> None:
        """Commits and closes, once the last file that shares it is closed. Where committing fails,
        it stays open."""
        if self._tree is None:
            return
        self._tree.close()
        self._tree = None
        if self.identity is not None and _OPEN.get(self.identity) is self:
            del _OPEN[self.identity]
        if self.copy is not None:
            self.copy.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()


_OPEN: weakref.WeakValueDictionary[_Identity, OpenFile] = weakref.WeakValueDictionary()
_ALL: weakref.WeakSet[OpenFile] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for state in list(_ALL):
        with suppress(Exception):
            state.close()


def identity_of(path: Any) -> _Identity | None:
    """What tells a file from others; ``None`` where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def known(identity: _Identity | None) -> OpenFile | None:
    """The open file of an identity, if this process has it open."""
    found = _OPEN.get(identity) if identity is not None else None
    return found if found is not None and found.is_open else None


def following(read: Callable[P, T]) -> Callable[P, T]:
    """A method that reads: where the commit that its file was opened at is no more, because a
    writer has gone on for long, it reads the last one."""

    @functools.wraps(read)
    def followed(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_MAX_TRIES):
            try:
                return read(*args, **kwargs)
            except (LockedError, FormatError):
                # The library puts it in its own words where it stands between.
                state: OpenFile = args[0]._state  # type: ignore[attr-defined]
                if not state.refresh():
                    raise
        return read(*args, **kwargs)

    return followed


class MemoryCopy:
    """A file of the system that stands for one in memory, or for a file-like object."""

    def __init__(self, fileobj: Any = None, content: bytes | None = None) -> None:
        self.folder = tempfile.mkdtemp(prefix="stook-")
        self.path = os.path.join(self.folder, "memory.h5")
        self.fileobj = fileobj
        self.is_changed = False
        if content is not None:
            with open(self.path, "wb") as file:
                file.write(content)

    def save(self) -> None:
        """Puts what is there into the file-like object."""
        if self.fileobj is not None and self.is_changed:
            self.fileobj.seek(0)
            with open(self.path, "rb") as file:
                shutil.copyfileobj(file, self.fileobj)
            self.fileobj.truncate()
            flush = getattr(self.fileobj, "flush", None)
            if flush is not None:
                flush()

    def close(self) -> None:
        """Saves, and removes the copy."""
        try:
            self.save()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
