"""A file, which is its root group."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import AlreadyExistsError, Error, FormatError, MissingFileError, UnsupportedError
from .._stook import Tree
from ._base import ObjectID
from ._errors import raised
from ._group import Group
from ._state import MemoryCopy, OpenFile, identity_of, known
from .h5 import get_config

if TYPE_CHECKING:
    from typing import Self

_MODES = ("r", "r+", "w", "w-", "x", "a")
_DRIVERS = (None, "sec2", "stdio", "core", "fileobj", "windows", "direct", "split")
_LOCKING = (None, True, False, "true", "false", "best-effort")
# Names that ask for another format than HDF5.
_OTHERS = (".zarr", ".zarr.zip", ".npz", ".npy")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class File(Group):
    """A file that is open: HDF5, and whatever else :mod:`stook` opens.

    >>> import stook.h5compat as h5py
    >>> path = getfixture("tmp_path") / "run.h5"
    >>> with h5py.File(path, "w") as f:
    ...     dset = f.create_dataset("camera/image", data=np.arange(6).reshape(2, 3))
    ...     dset.attrs["unit"] = "count"
    >>> with h5py.File(path) as f:
    ...     f["camera/image"][1, :2], f["camera/image"].attrs["unit"]
    (array([3, 4]), 'count')
    """

    def __init__(
        self,
        name: Any,
        mode: str = "r",
        driver: str | None = None,
        libver: Any = None,
        userblock_size: int | None = None,
        swmr: bool = False,
        rdcc_nslots: int | None = None,
        rdcc_nbytes: int | None = None,
        rdcc_w0: float | None = None,
        track_order: bool | None = None,
        fs_strategy: str | None = None,
        fs_persist: bool = False,
        fs_threshold: int = 1,
        fs_page_size: int | None = None,
        page_buf_size: int | None = None,
        min_meta_keep: int = 0,
        min_raw_keep: int = 0,
        locking: Any = None,
        alignment_threshold: int = 1,
        alignment_interval: int = 1,
        meta_block_size: int | None = None,
        *,
        track_times: bool = False,
        **kwds: Any,
    ) -> None:
        """Opens or creates a file.

        ``name`` is a path, or an object like a file. ``mode``, ``driver`` (``core`` and
        ``fileobj`` keep the file in a temporary one meanwhile), ``swmr``, ``userblock_size`` and
        ``track_order`` (of the names in the root) are as h5py has them; what tunes the HDF5
        library is taken and does nothing here.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        FileExistsError
            If there is one, in modes ``w-`` and ``x``.
        OSError
            If it is no HDF5 file, or cannot be opened so.
        """
        if mode not in _MODES:
            raise ValueError("Invalid mode; must be one of r, r+, w, w-, x, a")
        if isinstance(name, ObjectID):
            self._share(name._object._state)
            return
        if driver not in _DRIVERS:
            raise ValueError(f'Unknown driver type "{driver}"')
        for key in kwds:
            if driver in (None, "sec2") and key in ("backing_store", "file_image", "block_size"):
                raise TypeError(f"'{key}' is an invalid keyword argument for this driver")
        if locking not in _LOCKING:
            raise ValueError(f"Unsupported locking value: {locking}")
        is_fileobj = hasattr(name, "read") and hasattr(name, "seek")
        if is_fileobj and driver not in (None, "fileobj"):
            raise ValueError("Driver must be 'fileobj' for file-like object if specified.")
        if fs_strategy and mode not in ("w", "w-", "x"):
            raise ValueError("Unable to set file space strategy of an existing file")
        new = _New(
            _readers(libver),
            bool(get_config().track_order if track_order is None else track_order),
            _user_block(userblock_size, mode),
        )
        state: OpenFile
        if is_fileobj:
            state = _open_memory(name, mode, new)
        elif driver == "core" and not kwds.get("backing_store", True):
            state = _open_core(name, mode, kwds.get("file_image"), new)
        else:
            state = _open(name, mode, driver or "sec2", new)
        if meta_block_size is not None:
            state.meta_block_size = int(meta_block_size)
        if userblock_size is not None:
            _expect_user_block(state, new.user_block)
        if libver is not None:
            low, high = libver if isinstance(libver, tuple) else (libver, "latest")
            state.libver = (_version(low), _version(high))
        state.is_swmr = state.is_swmr or (swmr and mode == "r")
        self._state, self._path, self._is_closed = state, "/", False

    @classmethod
    def _of_state(cls, state: OpenFile) -> File:
        file = cls.__new__(cls)
        file._state, file._path, file._is_closed = state, "/", False
        return file

    def _share(self, state: OpenFile) -> None:
        state.tree  # noqa: B018 (an error where it is closed)
        self._state, self._path, self._is_closed = state, "/", False

    @classmethod
    def in_memory(cls, file_image: Any = None, **kwargs: Any) -> File:
        """A new file in memory, or one with the content ``file_image``."""
        for key in ("driver", "locking", "backing_store"):
            if key in kwargs:
                raise TypeError(f"File.in_memory() got an unexpected keyword argument {key!r}")
        image = None if file_image is None else bytes(file_image)
        state = _open_core("stook_in_memory_nonfile", "w", image, _New())
        return cls._of_state(state)

    @property
    def attrs(self) -> Any:
        """Attributes of the root."""
        from ._attributes import AttributeManager

        return AttributeManager(self)

    @property
    def filename(self) -> str:
        """Its path, as it was opened."""
        self._state.tree  # noqa: B018
        return str(self._state.filename)

    @property
    def mode(self) -> str:
        """``r`` or ``r+``."""
        self._state.tree  # noqa: B018
        return self._state.mode

    @property
    def driver(self) -> str:
        """What reads and writes it, in the words of HDF5."""
        self._state.tree  # noqa: B018
        return self._state.driver

    @property
    def libver(self) -> tuple[str, str]:
        """The range of versions that was asked for."""
        self._state.tree  # noqa: B018
        return self._state.libver

    @property
    def userblock_size(self) -> int:
        """The bytes before the HDF5 file begins, which are its user's."""
        return _user_block_of(self._state)

    @property
    def meta_block_size(self) -> int:
        """How much room is taken at once for metadata."""
        return self._state.meta_block_size

    @property
    def swmr_mode(self) -> bool:
        """Whether others follow it as it is written, or it is read while another process writes it.

        Set to ``True`` it lets programs that read with ``swmr=True`` follow what is flushed; from
        then on elements are written and datasets grow, and nothing else is changed. The file must
        have been made with ``libver="latest"``, as for h5py.
        """
        return self._state.is_swmr

    @swmr_mode.setter
    def swmr_mode(self, value: bool) -> None:
        if not value:
            raise ValueError("It is not possible to forcibly switch SWMR mode off.")
        if self._state.mode == "r":
            raise ValueError("SWMR mode is for who writes; open with swmr=True to read")
        if not self._state.is_swmr:
            self._state.start_swmr()

    def start_swmr(self) -> None:
        """The same as ``swmr_mode = True``."""
        self.swmr_mode = True

    def flush(self) -> None:
        """Puts changes with the operating system: they survive the end of this process."""
        self._state.commit()

    def close(self) -> None:
        """Commits and closes. Other handles of the file close with it, unless it was opened a
        second time. Closing again does nothing.

        Where committing fails, the error is raised and the file stays open with all that was
        written, so that it can be closed again once there is room.
        """
        if self._is_closed or not self._state.is_open:
            return
        if self._state.n_handles <= 1:
            self._state.close()
        self._is_closed = True
        self._state.n_handles -= 1

    def __bool__(self) -> bool:
        return not self._is_closed and self._state.is_open

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not self:
            return "<Closed HDF5 file>"
        name = os.path.basename(str(self._state.filename))
        return f'<HDF5 file "{name}" (mode {self._state.mode})>'


def is_hdf5(fname: Any) -> bool:
    """Whether a file is there and HDF5.

    >>> import stook.h5compat as h5py
    >>> h5py.is_hdf5("nothing.h5")
    False
    """
    path = os.path.abspath(os.fspath(fname))
    return os.path.isfile(path) and _user_block_size(path, -1) >= 0


def _version(name: Any) -> str:
    return "v200" if name == "latest" else str(name)


def _readers(libver: Any) -> str | None:
    """Who shall read a new file: only versions since 1.10 read what can be read while written."""
    oldest = libver[0] if isinstance(libver, tuple) else libver
    return None if oldest in (None, "earliest", "v108") else "v110"


class _New(NamedTuple):
    """What a new file is."""

    readers: str | None = None
    keeps_order: bool = False
    user_block: int = 0


def _open(name: Any, mode: str, driver: str, new: _New) -> OpenFile:
    path = os.fspath(name)
    path = path.decode() if isinstance(path, bytes) else path
    identity = identity_of(path)
    state = known(identity)
    if state is not None:
        return _again(state, mode)
    user_block: int | None = None
    try:
        if mode in ("r", "r+") or (mode == "a" and identity is not None):
            tree = Tree.open(path, mode != "r", False, None)
        else:
            is_other = path.rstrip("/").endswith(_OTHERS)
            if is_other and new.user_block:
                raise UnsupportedError("a file of another format than HDF5 has no user block")
            tree = Tree.create(path, mode == "w", None if is_other else "hdf5", new)
            user_block = new.user_block
    except Error as error:
        raise _open_error(error, path, mode) from error
    state = OpenFile(tree, path, "r" if mode == "r" else "r+", identity_of(path))
    state.driver, state.user_block = driver, user_block
    return state


def _again(state: OpenFile, mode: str) -> OpenFile:
    """A file that this process has open, opened once more."""
    if mode in ("w", "w-", "x"):
        if mode == "w":
            text = "unable to truncate a file which is already open"
        else:
            text = "unable to open file: error message = 'File exists'"
        raise _again_error(mode, text)
    if mode in ("r+", "a") and state.mode == "r":
        raise _again_error("r+", "file is already open for read-only")
    state.n_handles += 1
    return state


def _again_error(mode: str, text: str) -> Error:
    verb = "open" if mode == "r+" else "create"
    cls = AlreadyExistsError if mode != "r+" else UnsupportedError
    return raised(cls, f"Unable to synchronously {verb} file ({text})", OSError)


def _open_error(error: Error, path: str, mode: str) -> Error:
    verb = "open" if mode in ("r", "r+", "a") else "create"
    match error:
        case MissingFileError():
            what = "No such file or directory"
            text = f"unable to open file: name = '{path}', error message = '{what}'"
        case AlreadyExistsError():
            text = f"unable to open file: name = '{path}', error message = 'File exists'"
        case UnsupportedError() | FormatError() if not is_hdf5(path) and os.path.isfile(path):
            text = "file signature not found"
        case _:
            text = error.message
    made = raised(type(error), f"Unable to synchronously {verb} file ({text})", OSError, error)
    return made


def _open_core(name: Any, mode: str, image: bytes | None, new: _New) -> OpenFile:
    if image is None and mode in ("r", "r+", "a") and os.path.exists(name):
        with open(name, "rb") as file:
            image = file.read()
    elif mode in ("r", "r+") and image is None:
        raise FileNotFoundError(f"Unable to synchronously open file (unable to open file: {name})")
    state = _open_copy(MemoryCopy(None, image), mode, image is not None, new)
    state.filename, state.driver = name, "core"
    return state


def _open_memory(fileobj: Any, mode: str, new: _New) -> OpenFile:
    fileobj.seek(0, os.SEEK_END)
    is_there = fileobj.tell() > 0
    content = None
    if mode in ("r", "r+") or (mode == "a" and is_there):
        fileobj.seek(0)
        content = fileobj.read()
    elif mode in ("w-", "x") and is_there:
        raise FileExistsError("Unable to synchronously create file (File exists)")
    state = _open_copy(MemoryCopy(fileobj, content), mode, content is not None, new)
    state.filename, state.driver = repr(fileobj), "fileobj"
    return state


def _open_copy(copy: MemoryCopy, mode: str, is_there: bool, new: _New) -> OpenFile:
    copy.is_changed = mode != "r"
    try:
        mode = ("r" if mode == "r" else "r+") if is_there else "w"
        state = _open(copy.path, mode, "core", new)
    except BaseException:
        copy.is_changed = False
        copy.close()
        raise
    state.copy = copy
    return state


def _user_block(size: Any, mode: str) -> int:
    if size is None:
        return 0
    if mode in ("r", "r+"):
        raise ValueError("User block may only be specified when creating a file")
    try:
        size = int(size)
    except (TypeError, ValueError) as error:
        raise ValueError("User block size must be an integer") from error
    if size and (size < 512 or size & (size - 1)):
        raise ValueError("User block size must be a power of 2 and at least 512")
    return size


def _expect_user_block(state: OpenFile, size: int) -> None:
    """A file that was there may have another one."""
    found = _user_block_of(state)
    if found != size:
        if state.n_handles <= 1:
            state.close()
        else:
            state.n_handles -= 1
        raise ValueError(
            f"Requested userblock size ({size}) does not match that of existing file ({found})"
        )


def _user_block_of(state: OpenFile) -> int:
    # A new file is not written before it is committed.
    path = os.fspath(state.tree.path)
    return _user_block_size(path) if state.user_block is None else state.user_block


def _user_block_size(path: str, default: int = 0) -> int:
    try:
        with open(path, "rb") as file:
            at, end = 0, file.seek(0, os.SEEK_END)
            while at < end:
                file.seek(at)
                if file.read(8) == _SIGNATURE:
                    return at
                at = at * 2 or 512
    except OSError:
        pass
    return default
