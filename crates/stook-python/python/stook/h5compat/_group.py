"""Groups."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._copy import Copying, copy_node
from .._errors import AlreadyExistsError, Error, NotFoundError, UnsupportedError
from .._group import Group as NativeGroup
from .._group import open_node
from .._stook import Array as NativeArray
from ._anonymous import anonymous, name_it
from ._base import HLObject, MutableMappingHDF5, joined, name_of
from ._creating import new_dataset
from ._dataset import Dataset
from ._datatype import Datatype
from ._dtypes import to_native
from ._errors import missing, raised, told
from ._links import ExternalLink, SoftLink, as_link_error, link_of
from ._references import Reference
from ._state import OpenFile, following
from ._virtual import VirtualLayout
from .h5 import get_config


class Group(HLObject, MutableMappingHDF5):
    """A group: a mapping of names to groups, datasets and named types."""

    def __init__(self, bind: Any) -> None:
        """Another handle of the group that ``bind`` is the id of."""
        of = getattr(bind, "_object", bind)
        if not isinstance(of, Group):
            raise ValueError(f"{bind} is not a GroupID")
        self._state, self._path = of._state, of._path

    @classmethod
    def _of(cls, state: OpenFile, path: str) -> Group:
        group = Group.__new__(Group)
        group._state, group._path = state, path
        return group

    __hash__ = HLObject.__hash__
    __eq__ = HLObject.__eq__

    def _at(self, name: Any) -> str:
        return joined(self._path, name_of(name))

    # The mapping.

    @following
    def __getitem__(self, name: Any) -> Any:
        """The group, dataset or named type of a name, a path or a reference.

        Raises
        ------
        KeyError
            If there is none.
        """
        if isinstance(name, Reference):
            if not name:
                raise ValueError("Invalid HDF5 object reference")
            name = name.path
        elif not isinstance(name, (str, bytes)):
            raise TypeError(f"Accessing a group is done with bytes or str, not {type(name)}")
        path = self._at(name)
        found = self._state.tree.node(path)
        if type(found) is NativeArray:
            return Dataset._of(self._state, path, found)
        if found == "group":
            return Group._of(self._state, path)
        if found is not None:
            return Datatype._of(self._state, path)
        raise self._missing(path)

    def _missing(self, path: str) -> NotFoundError:
        above, name = posixpath.split(path)
        tree = self._state.tree
        if tree.child(path) is not None:
            text = "component not found"
        elif tree.kind(above) == "group":
            text = f"object '{name}' doesn't exist"
        else:
            text = "component not found"
        return missing(str(self._state.filename), path, text)

    @following
    def get(
        self,
        name: Any,
        default: Any = None,
        getclass: bool = False,
        getlink: bool = False,
        elink_mode: Any = None,
        elink_locking: Any = None,
        elink_swmr: Any = None,
    ) -> Any:
        """What a name leads to, or ``default``; with ``getclass`` its class; with ``getlink``
        the link, or its class."""
        if not (getclass or getlink):
            try:
                return self[name]
            except KeyError:
                return default
        path = self._at(name)
        tree = self._state.tree
        if getlink:
            return link_of(tree.child(path), getclass, default)
        match tree.kind(path):
            case None:
                return default
            case "group":
                return Group
            case "array":
                return Dataset
            case _:
                return Datatype

    @following
    def __contains__(self, name: object) -> bool:
        path = self._at(name)
        if not self._state.is_open or not name:
            return False
        tree = self._state.tree
        # A link that leads nowhere is a name, too.
        return tree.kind(path) is not None or tree.child(path) is not None

    def __iter__(self) -> Iterator[str]:
        yield from self._names()

    def __reversed__(self) -> Iterator[str]:
        yield from reversed(self._names())

    @following
    def __len__(self) -> int:
        return len(self._state.tree.children(self._path))

    @following
    def _names(self) -> list[str]:
        return self._state.tree.names(self._path)

    def __setitem__(self, name: Any, obj: Any) -> None:
        """Gives an object a further name, makes a link, or a dataset of what numpy makes an
        array of.

        Raises
        ------
        OSError
            If the name is taken. It is a :class:`ValueError`, too.
        """
        path = self._at(name)
        tree = self._state.tree
        try:
            match obj:
                case HLObject() if obj._state.anonymous_in is self._state:
                    name_it(obj, self, path)
                case HLObject():
                    if obj._state is not self._state:
                        text = "source and destination should be in the same file"
                        raise OSError(f"Unable to create link ({text})")
                    tree.create_hard_link(path, obj._path)
                case SoftLink():
                    tree.create_link(path, obj.path, None)
                case ExternalLink():
                    tree.create_link(path, name_of(obj.path), obj.filename)
                case np.dtype():
                    tree.create_named_type(path, to_native(obj))
                case _:
                    new_dataset(self, name, data=obj)
        except OSError as error:
            raise as_link_error(error) from error

    def __delitem__(self, name: Any) -> None:
        """Removes a name, and what is only known by it.

        Raises
        ------
        KeyError
            If there is none, or the file was opened for reading.
        """
        try:
            self._state.tree.remove(self._at(name))
        except Error as error:
            raise told(error, "Couldn't delete link", KeyError, "name doesn't exist") from error

    # Making.

    def create_group(
        self, name: Any, track_order: bool | None = None, *, track_times: bool | None = None
    ) -> Group:
        """Creates a group, and those above it. With ``track_order`` its names are listed in the order
        in which they were made.

        Raises
        ------
        ValueError
            If the name is taken, or the file was opened for reading.
        """
        if name is None:
            return anonymous(self, lambda group, name: group.create_group(name, track_order))
        path = self._at(name)
        tree = self._state.tree
        keeps_order = get_config().track_order if track_order is None else track_order
        try:
            tree.create_group(path, bool(keeps_order) and tree.format == "hdf5")
        except Error as error:
            raise told(error, "Unable to synchronously create group") from error
        return Group._of(self._state, path)

    def require_group(self, name: Any) -> Group:
        """The group of a name, created if it is missing.

        Raises
        ------
        TypeError
            If there is something else.
        """
        found = self.get(name)
        if found is None:
            return self.create_group(name)
        if not isinstance(found, Group):
            raise TypeError(f"Incompatible object ({type(found).__name__}) already exists")
        return found

    def create_dataset(
        self, name: Any, shape: Any = None, dtype: Any = None, data: Any = None, **kwds: Any
    ) -> Dataset:
        """Creates a dataset, and the groups above it; with ``data``, writes them.

        ``chunks``, ``maxshape``, ``compression`` (gzip, lzf, szip, the number of a filter),
        ``compression_opts``, ``scaleoffset``, ``shuffle``, ``fletcher32`` and ``fillvalue`` are
        as h5py has them.

        Raises
        ------
        ValueError
            If the name is taken, or options contradict each other.
        TypeError
            If HDF5 has no type for the dtype.
        """
        return new_dataset(self, name, shape, dtype, data, **kwds)

    def require_dataset(
        self, name: Any, shape: Any, dtype: Any, exact: bool = False, **kwds: Any
    ) -> Dataset:
        """The dataset of a name, created if it is missing.

        Raises
        ------
        TypeError
            If there is one of another shape, or of a dtype that ``dtype`` does not fit.
        """
        found = self.get(name)
        if found is None:
            return self.create_dataset(name, shape, dtype, **kwds)
        if not isinstance(found, Dataset):
            raise TypeError(f"Incompatible object ({type(found).__name__}) already exists")
        shape = (shape,) if isinstance(shape, int) else shape
        if shape != found.shape:
            if "maxshape" not in kwds:
                raise TypeError(f"Shapes do not match (existing {found.shape} vs new {shape})")
            if kwds["maxshape"] != found.maxshape:
                raise TypeError(
                    f"Max shapes do not match (existing {found.maxshape} vs new {kwds['maxshape']})"
                )
        if exact:
            if dtype != found.dtype:
                raise TypeError(
                    f"Datatypes do not exactly match (existing {found.dtype} vs new {dtype})"
                )
        elif not np.can_cast(dtype, found.dtype):
            raise TypeError(
                f"Datatypes cannot be safely cast (existing {found.dtype} vs new {dtype})"
            )
        return found

    def create_dataset_like(self, name: Any, other: Dataset, **kwupdate: Any) -> Dataset:
        """Creates a dataset with the shape, dtype and layout of another one."""
        for key in (
            "shape", "dtype", "chunks", "compression", "compression_opts", "scaleoffset",
            "shuffle", "fletcher32", "fillvalue",
        ):  # fmt: skip
            kwupdate.setdefault(key, getattr(other, key))
        if other.maxshape != other.shape:
            kwupdate.setdefault("maxshape", other.maxshape)
        return self.create_dataset(name, **kwupdate)

    def create_virtual_dataset(self, name: Any, layout: Any, fillvalue: Any = None) -> Dataset:
        """Makes a dataset of the items of others, which :class:`VirtualLayout` names.

        Raises
        ------
        ValueError
            If there is such a name, or a source and its place differ in size.
        """
        made: Dataset = layout.make_dataset(self, name, fillvalue)
        return made

    @contextmanager
    def build_virtual_dataset(
        self, name: Any, shape: Any, dtype: Any, maxshape: Any = None, fillvalue: Any = None
    ) -> Iterator[VirtualLayout]:
        """A layout to assign sources to; the dataset is made when the block ends."""
        layout = VirtualLayout(shape, dtype, maxshape, self.file.filename)
        yield layout
        self.create_virtual_dataset(name, layout, fillvalue)

    # Copies and moves.

    def copy(
        self,
        source: Any,
        dest: Any,
        name: Any = None,
        shallow: bool = False,
        expand_soft: bool = False,
        expand_external: bool = False,
        expand_refs: bool = False,
        without_attrs: bool = False,
    ) -> None:
        """Copies a node, and all below it, to a path or into a group, of any file.

        With ``shallow`` groups within are made, and are empty. ``expand_soft`` and
        ``expand_external`` copy what links lead to in their place.
        """
        if expand_refs:
            text = "what references lead to is not copied with them"
            raise raised(UnsupportedError, text, NotImplementedError)
        how = Copying(shallow, not without_attrs, expand_soft, expand_external)
        found = source if isinstance(source, HLObject) else self._source(source)
        if isinstance(dest, Group):
            to = dest._at(posixpath.basename(found._path) if name is None else name)
            tree = dest._state.tree
        elif isinstance(dest, HLObject):
            raise TypeError("Destination must be path or Group object")
        else:
            to, tree = self._at(dest), self._state.tree
        try:
            copy_node(open_node(found._state.tree, found._path), NativeGroup(tree, "/"), to, how)
        except Error as error:
            text = "Unable to synchronously copy object"
            raise told(error, text, RuntimeError) from error

    def _source(self, name: Any) -> HLObject:
        try:
            found: HLObject = self[name]
        except KeyError as error:
            text = f"Unable to synchronously copy object (object '{name}' doesn't exist)"
            raise raised(NotFoundError, text, RuntimeError) from error
        return found

    def move(self, source: Any, dest: Any) -> None:
        """Gives what has the name ``source`` the name ``dest``.

        Raises
        ------
        ValueError
            If there is none, or ``dest`` is taken.
        """
        if source == dest:
            return
        try:
            self._state.tree.rename(self._at(source), self._at(dest))
        except NotFoundError as error:
            raise told(error, "Unable to move link", ValueError, "name doesn't exist") from error
        except AlreadyExistsError as error:
            text = "Unable to move link (an object with that name already exists)"
            raise raised(type(error), text, ValueError, error) from error
        except Error as error:
            raise told(error, "Unable to move link") from error

    # Walks.

    def visit(self, func: Callable[[str], Any]) -> Any:
        """Calls ``func`` with each path below, once for each object, until it returns something
        that is not ``None``."""
        return self.visititems(lambda name, _: func(name), _opens=False)

    def visititems(self, func: Callable[[str, Any], Any], *, _opens: bool = True) -> Any:
        """The same with each path and object."""
        for name, child in self._below("", set(), links=False):
            found = func(name, self[name] if _opens else child)
            if found is not None:
                return found
        return None

    def visit_links(self, func: Callable[[str], Any]) -> Any:
        """Calls ``func`` with the path of each link below, hard ones included."""
        return self.visititems_links(lambda name, _: func(name))

    def visititems_links(self, func: Callable[[str, Any], Any]) -> Any:
        """The same with each path and link."""
        for name, child in self._below("", set(), links=True):
            found = func(name, link_of(child, False, None))
            if found is not None:
                return found
        return None

    def _below(self, prefix: str, seen: set[Any], links: bool) -> Iterator[tuple[str, Any]]:
        path = joined(self._path, prefix.rstrip("/")) if prefix else self._path
        for child in self._state.tree.children(path):
            name, kind, link, identity = child
            is_new = identity is None or identity not in seen
            if identity is not None:
                seen.add(identity)
            if links or (link is None and kind is not None and is_new):
                yield prefix + name, child
            if kind == "group" and link is None and is_new:
                yield from self._below(f"{prefix}{name}/", seen, links)

    def __repr__(self) -> str:
        if not self:
            return "<Closed HDF5 group>"
        if self.name is None:
            return f"<HDF5 group (anonymous) ({len(self)} members)>"
        return f'<HDF5 group "{self.name}" ({len(self)} members)>'
