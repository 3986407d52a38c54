"""``pymodaq_data.h5modules.backends`` 5.3.0: :class:`H5Backend` and the nodes of its files.

>>> from stook.pymodaq.backends import GroupType, H5Backend
>>> folder = getfixture("tmp_path")
>>> h5 = H5Backend("tables")
>>> _ = h5.open_file(folder / "run.h5", "w", title="a run")
>>> scan = h5.add_group("scan", GroupType.scan, h5.root(), metadata={"gain": 2.5})
>>> spectra = h5.create_earray(scan, "spectra", np.float64, (3,))
>>> for i in range(4):
...     spectra.append(np.arange(3.0) + i)
>>> h5.flush()
>>> h5.get_node("/Scan/spectra")[-1]
array([3., 4., 5.])
>>> scan.attrs["gain"], spectra.attrs["shape"]
(2.5, (4, 3))
>>> h5.close_file()

What is different on purpose is listed in docs/deviations.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import _stook
from .._errors import InvalidInputError, NotFoundError, UnsupportedError
from . import _library
from ._attributes import (
    Attributes,
    AttributeWarning,
    check_mandatory_attrs,
    described,
    get_attr,
    set_attr,
)
from ._enums import BaseEnum, GroupType, SaveType
from ._errors import (
    FileModeError,
    InvalidDataDimension,
    InvalidDataType,
    InvalidExport,
    InvalidGroupDataType,
    InvalidGroupType,
    InvalidSave,
    InvalidScanType,
    MissingNodeError,
    NodeError,
    NodeExistsError,
    node_errors,
)
from ._handles import File, Handle, handle_of, join
from ._nodes import CARRAY, EARRAY, GROUP, VLARRAY, Node, StringARRAY, node_of
from ._versions import versions

__all__ = [
    "CARRAY",
    "EARRAY",
    "GROUP",
    "SWMR_CAPABLE_BACKENDS",
    "VLARRAY",
    "AttributeWarning",
    "Attributes",
    "BaseEnum",
    "FileModeError",
    "GroupType",
    "H5Backend",
    "InvalidDataDimension",
    "InvalidDataType",
    "InvalidExport",
    "InvalidGroupDataType",
    "InvalidGroupType",
    "InvalidSave",
    "InvalidScanType",
    "MissingNodeError",
    "Node",
    "NodeError",
    "NodeExistsError",
    "SaveType",
    "StringARRAY",
    "backends_available",
    "check_mandatory_attrs",
    "get_attr",
    "is_h5py",
    "is_h5pyd",
    "is_tables",
    "set_attr",
]

is_tables = True
is_h5py = True
# Its client comes with the server; the backend has its name already.
is_h5pyd = False
backends_available = ["tables", "h5py"]
SWMR_CAPABLE_BACKENDS = frozenset({"h5py"})

_BACKENDS = ("tables", "h5py", "h5pyd")
# What PyTables and h5py are told of how to open a file, and what makes no difference here.
_IGNORED = frozenset(
    {"driver", "fs_page_size", "fs_persist", "fs_strategy", "fs_threshold", "libver", "locking"}
    | {"rdcc_nbytes", "rdcc_nslots", "rdcc_w0", "root_uep", "swmr", "track_order", "userblock_size"}
)

_Where = str | Node | Handle


class H5Backend:
    """An acquisition file: opened, closed, walked, and made nodes in.

    Parameters
    ----------
    backend
        ``tables`` or ``h5py``: whose conventions new files follow. Either reads the files of the
        other. ``h5pyd``, for files of a server, has a name and no client yet.
    """

    # The functions of PyTables' and h5py's modules that programs reach through a backend.
    h5_library: Any = _library

    def __init__(self, backend: str = "tables") -> None:
        self._h5file: File | None = None
        self.file_path: Any = None
        self.compression: dict[str, Any] | None = None
        self._swmr_mode = False
        self._swmr_enabled = False
        self.set_backend(backend)

    def set_backend(self, backend: str) -> None:
        """Changes the backend; a file that is open is closed."""
        if backend not in _BACKENDS:
            raise ValueError(f"Unknown backend: {backend!r}. Must be one of {list(_BACKENDS)}")
        self.close_file()
        self.backend = backend

    # The file.

    @property
    def swmr_mode(self) -> bool:
        """Whether the file was opened to be read while it is written."""
        return self._swmr_mode

    @property
    def h5file(self) -> Any:
        """The open file; ``None`` without one."""
        return self._h5file

    @h5file.setter
    def h5file(self, file: File) -> None:
        self.file_path = file.filename
        self._h5file = file

    @property
    def _file(self) -> File:
        if self._h5file is None:
            raise InvalidInputError("no file is open")
        return self._h5file

    @property
    def filename(self) -> str:
        """The path of the open file."""
        return self._file.filename

    def isopen(self) -> bool:
        """Whether a file is open."""
        return self._h5file is not None and self._h5file.is_open

    def open_file(
        self,
        fullpathname: str | os.PathLike[str],
        mode: str = "r",
        title: str = "PyMoDAQ file",
        swmr_mode: bool = False,
        *,
        durability: str = "flush",
        **kwargs: Any,
    ) -> File:
        """Opens a file: a path, or of Zarr also a URL.

        Parameters
        ----------
        fullpathname
            Its name says the format of a new file, and HDF5 where it says none.
        mode
            ``r``, ``r+``, ``a``, ``w``, ``x``. ``w`` replaces what is there only once the new file
            is made.
        title
            The title of a new file.
        swmr_mode
            Of a file that is written, whether others may follow it: see :meth:`enable_swmr`. One
            that is read is then seen as its writer flushed it last, each time it is looked at.
        durability
            How safely :meth:`flush` puts changes away: ``flush`` survives the end of this process,
            ``fsync`` a power cut.
        """
        unknown = sorted(set(kwargs) - _IGNORED)
        if unknown:
            raise TypeError(f"open_file: no keyword {', '.join(unknown)}")
        if self.backend == "h5pyd":
            raise UnsupportedError(
                "the client of HSDS comes with stook's server",
                file=os.fspath(fullpathname),
                hint="open a local file, or Zarr by its URL, with the backend tables or h5py",
            )
        self.close_file()
        self.file_path = fullpathname
        self._swmr_mode = swmr_mode
        path = os.fspath(fullpathname)
        with node_errors():
            readers = "v110" if swmr_mode and self.backend == "h5py" else None
            told = [] if mode in ("r", "r+") else versions()
            native = _stook.Acquisition.open(
                path, mode, self.backend, marks=(str(title), told, readers)
            )
        follows = swmr_mode and mode == "r"
        file = self._h5file = File(native, mode, durability, follows=follows)
        self._tell_compression()
        if mode == "w" and swmr_mode and self.backend == "h5py":
            self.root().attrs["swmr_compatible"] = True
        return file

    def close_file(self) -> None:
        """Flushes and closes the file.

        Where flushing fails, the error is raised and the file stays open with all that was
        appended, so that it can be closed again once there is room.
        """
        if self._h5file is not None:
            self._h5file.close()
        self._swmr_enabled = False
        self._h5file = None

    def flush(self) -> None:
        """Puts all changes so far into the file: what this acknowledges survives."""
        if self._h5file is not None:
            self._h5file.flush()

    def save_file_as(self, filenamepath: str | os.PathLike[str] = "h5copy.txt") -> None:
        """Writes a copy of the file as it is now; to a name of Zarr, as Zarr."""
        self._file.copy_file(os.fspath(filenamepath))

    # Reading while it is written.

    def enable_swmr(self) -> None:
        """From here on only rows are appended, and programs that read with h5py's ``swmr=True``
        may follow what is flushed. Attributes wait for :meth:`finalize_swmr`.

        Raises
        ------
        UnsupportedError
            If the file was made without ``swmr_mode``, for older readers.
        """
        if self._swmr_enabled:
            return
        if self.backend != "h5py":
            raise RuntimeError("SWMR mode is only supported with the h5py backend")
        if not self._swmr_mode:
            raise RuntimeError("File was not opened with swmr_mode=True")
        file = self._file
        if not file.swmr_mode:
            file.attrs["swmr_active"] = True
            file.swmr_mode = True
        self._swmr_enabled = True

    @property
    def is_swmr_active(self) -> bool:
        """Whether others may read the file now."""
        return self._swmr_enabled

    @property
    def is_swmr_compatible(self) -> bool:
        """Whether the open file was made to be read while it is written."""
        return self.isopen() and bool(self.root().attrs.get("swmr_compatible", False))

    @property
    def is_swmr_capable(self) -> bool:
        """Whether the backend lets others read while it writes."""
        return self.backend in SWMR_CAPABLE_BACKENDS

    def reconcile_swmr_attrs(self) -> None:
        """Tells the attributes of arrays that grew meanwhile."""
        root = self._file
        if "swmr_active" in root.attrs:
            root.attrs["swmr_active"] = False
        for node in self.walk_nodes("/"):
            if isinstance(node, EARRAY):
                set_attr(node, "shape", node.array.shape)

    def finalize_swmr(self, keep_open: bool = False) -> None:
        """Ends that others may read, and tells attributes; then the file is closed, or stays open."""
        path = Path(self.file_path)
        self.close_file()
        self.open_file(path, mode="a")
        self.reconcile_swmr_attrs()
        if not keep_open:
            self.close_file()

    # Nodes.

    def define_compression(self, compression: str | None, compression_opts: int | None) -> None:
        """Compresses arrays that are made from here on: ``gzip`` or ``zlib``, of level 0 to 9."""
        if compression not in (None, "gzip", "zlib"):
            raise UnsupportedError(
                f"compression {compression!r} is not known", hint="one of gzip, zlib"
            )
        level = 0 if compression is None or compression_opts is None else int(compression_opts)
        if not 0 <= level <= 9:
            raise InvalidInputError(f"expected a level from 0 to 9, found {level}")
        name = "zlib" if self.backend == "tables" else "gzip"
        self.compression = {"compression": name, "compression_opts": level} if level else None
        self._tell_compression()

    def _tell_compression(self) -> None:
        if self._h5file is not None:
            level = 0 if self.compression is None else self.compression["compression_opts"]
            self._h5file._native.set_compression(level)

    def root(self) -> GROUP:
        """The root."""
        return GROUP(self._file, self.backend)

    def get_attr(self, node: Any, attr_name: str | None = None) -> Any:
        """An attribute of a node, or a dict of all."""
        return get_attr(self._handle(node), attr_name, self.backend)

    def set_attr(self, node: Any, attr_name: str, attr_value: Any) -> None:
        """Sets an attribute of a node."""
        set_attr(self._handle(node), attr_name, attr_value, self.backend)

    def has_attr(self, node: Any, attr_name: str) -> bool:
        """Whether a node has an attribute."""
        return attr_name in self.get_node(node).attrs

    def _handle(self, where: _Where) -> Handle:
        if isinstance(where, Node):
            return where._node
        return where if isinstance(where, Handle) else self.get_node(where)._node

    def _path(self, where: _Where) -> str:
        if isinstance(where, Node):
            return where._node.name
        if isinstance(where, Handle):
            return where.name
        return "/" + where.strip("/")

    def get_node(self, where: _Where, name: str | None = None) -> Node:
        """The node at a path, or of a name in a group.

        Raises
        ------
        NodeError
            If there is none.
        """
        path = self._path(where)
        if name is not None:
            path = join(path, name)
        try:
            kind = self._file._native.node_class(path)
        except NotFoundError:
            kind = None
        if kind is None:
            raise MissingNodeError("there is no such node", file=self.filename, node=path)
        return self._node(path, kind)

    def _node(self, path: str, kind: str) -> Node:
        return node_of(handle_of(self._file, path, kind), self.backend, kind)

    def get_node_name(self, node: _Where) -> str:
        """The name of a node."""
        return self.get_node(node).name

    def get_node_path(self, node: _Where) -> str:
        """The path of a node."""
        return self.get_node(node).path

    def get_parent_node(self, node: _Where) -> Node | None:
        """The group that a node is in; ``None`` of the root."""
        return self.get_node(node).parent_node

    def get_children(self, where: _Where) -> dict[str, Node]:
        """The nodes in a group, by name."""
        path = self._path(where)
        with node_errors():
            children = self._file._native.children(path)
        return {name: self._node(join(path, name), kind) for name, kind in children}

    def is_node_in_group(self, where: _Where, name: str) -> bool:
        """Whether a node of a name is in a group, in small letters or large ones."""
        with node_errors():
            names = self._file._native.child_names(self._path(where))
        return name.lower() in (known.lower() for known in names)

    def get_group_by_title(self, where: _Where, title: str) -> GROUP | None:
        """The group in a group of a title."""
        for child in self.get_children(where).values():
            if isinstance(child, GROUP) and child.attrs.get("TITLE") == title:
                return child
        return None

    def walk_nodes(
        self, where: _Where, depth: int | None = None, only_groups: bool = False
    ) -> Iterator[Node]:
        """A node and those below it, down to a depth: 0 is the node itself."""
        with node_errors():
            found = self._file._native.walk(self._path(where), depth)
        for path, kind in found:
            if not only_groups or kind == "GROUP":
                yield self._node(path, kind)

    def walk_groups(self, where: _Where) -> Iterator[Node]:
        """A group and those below it."""
        return self.walk_nodes(where, only_groups=True)

    def read(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        """All values of an array."""
        del args, kwargs
        node = array if isinstance(array, Node) else self.get_node(array)
        if not isinstance(node, CARRAY):
            raise InvalidInputError("expected an array, found a group", node=node.path)
        return node.read()

    def get_set_group(self, where: _Where, name: str, title: str = "", **kwargs: Any) -> GROUP:
        """The group of a name in a group, made if it is not there; keywords become attributes."""
        parent = self._path(where)
        path = join(parent, name)
        native = self._file._native
        kind = native.node_class(path)
        if kind is None:
            if native.node_class(parent) is None:
                raise MissingNodeError("there is no such node", file=self.filename, node=parent)
            with node_errors():
                native.create_group(parent, name, str(title), [])
            handle = handle_of(self._file, path, "GROUP")
            for key, value in kwargs.items():
                handle.attrs[key] = value
        elif kind != "GROUP":
            raise NodeError(f"node `{path}`: expected a group, found a {kind}")
        return GROUP(handle_of(self._file, path, "GROUP"), self.backend)

    def add_group(
        self,
        group_name: str,
        group_type: GroupType | str,
        where: _Where,
        title: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> GROUP:
        """The group of a name in a group, whose first letter becomes a large one where it is made;
        with its type and metadata as attributes."""
        kind = group_type.name if isinstance(group_type, Enum) else group_type
        marks = {"type": kind.lower(), **(metadata or {})}
        parent = self._path(where)
        native = self._file._native
        if native.node_class(join(parent, group_name)) is not None:
            node = self.get_node(parent, group_name)
            node.attrs["backend"] = self.backend
            return GROUP(node, self.backend)
        name = group_name[:1].upper() + group_name[1:]
        marks["backend"] = self.backend
        if native.node_class(join(parent, name)) is None:
            texts = [("TITLE" if k == "title" else k, described(v)) for k, v in marks.items()]
            if native.node_class(parent) is None:
                raise MissingNodeError("there is no such node", file=self.filename, node=parent)
            with node_errors():
                native.create_group(parent, name, str(title), texts)
            return GROUP(handle_of(self._file, join(parent, name), "GROUP"), self.backend)
        group = self.get_set_group(parent, name, title)
        for key, value in marks.items():
            group.attrs[key] = value
        return group

    def create_carray(
        self, where: _Where, name: str, obj: Any = None, title: str = ""
    ) -> CARRAY:
        """Makes an array of a fixed shape from values."""
        if obj is None:
            raise ValueError("Data to be saved as carray cannot be None")
        values = np.asarray(obj)
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        file = self._file
        with node_errors():
            path = file._native.create_carray(self._path(where), name, values, str(title))
        return CARRAY(handle_of(file, path, "CARRAY"), self.backend)

    def create_earray(
        self,
        where: _Where,
        name: str,
        dtype: DTypeLike,
        data_shape: tuple[int, ...] | None = None,
        title: str = "",
    ) -> EARRAY:
        """Makes an array of no rows that grows, of rows of a shape."""
        file = self._file
        row = [int(length) for length in data_shape or ()]
        if any(length < 0 for length in row):
            raise InvalidInputError(f"expected lengths of axes, found {data_shape}")
        native_dtype = np.dtype(dtype).newbyteorder("=")
        with node_errors():
            path = file._native.create_earray(self._path(where), name, (native_dtype, row), str(title))
        return EARRAY(handle_of(file, path, "EARRAY"), self.backend)

    def create_vlarray(
        self, where: _Where, name: str, dtype: DTypeLike, title: str = ""
    ) -> VLARRAY:
        """Makes an array of rows of different lengths, or with ``string`` one of texts."""
        file, parent = self._file, self._path(where)
        if isinstance(dtype, str) and dtype == "string":
            with node_errors():
                path = file._native.create_string_array(parent, name, str(title))
            return StringARRAY(handle_of(file, path, "StringARRAY"), self.backend)
        native_dtype = np.dtype(dtype).newbyteorder("=")
        with node_errors():
            path = file._native.create_vlarray(parent, name, native_dtype, str(title))
        return VLARRAY(handle_of(file, path, "VLARRAY"), self.backend)
