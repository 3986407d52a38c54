"""What files, groups and datasets have in common: a place in an open file."""

from __future__ import annotations

import posixpath
from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .._errors import UnsupportedError
from ._references import Reference, RegionReference
from ._selection import region_mask, region_words, select

if TYPE_CHECKING:
    from ._attributes import AttributeManager
    from ._file import File
    from ._group import Group
    from ._state import OpenFile


class Empty:
    """A dataset or attribute that has a dtype and no value (HDF5's null dataspace).

    >>> import stook.h5compat as h5py
    >>> h5py.Empty("f4")
    Empty(dtype=dtype('float32'))
    """

    _stook_empty = True
    shape = None
    size = None

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Empty) and self.dtype == other.dtype

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Empty(dtype={self.dtype!r})"


def name_of(name: Any) -> str:
    """A name as text."""
    if isinstance(name, str):
        return name
    if isinstance(name, bytes):
        return name.decode("utf-8", "surrogateescape")
    raise TypeError(f"A name should be string or bytes, not {type(name)}")


def joined(group: str, name: str) -> str:
    """The path that ``name`` has, said in the group at the path ``group``."""
    if name[:1] == "/":
        path = name
    else:
        path = f"{group}/{name}" if group != "/" else f"/{name}"
    if "//" in path or "/." in path or (path[-1:] == "/" and path != "/"):
        parts = [part for part in path.split("/") if part not in ("", ".")]
        return "/" + "/".join(parts)
    return path


class ObjectID:
    """What ``.id`` is: whether the object is open, and which one it is."""

    __slots__ = ("_object",)

    def __init__(self, of: HLObject) -> None:
        self._object = of

    @property
    def valid(self) -> int:
        """1 while the file is open."""
        return int(bool(self._object))

    @property
    def id(self) -> int:
        """A number for the object while it is open; 0 after that."""
        return abs(hash(self)) % (1 << 62) + 1 if self._object else 0

    @property
    def name(self) -> bytes | None:
        """The path."""
        name = self._object.name
        return None if name is None else name.encode()

    @property
    def shape(self) -> Any:
        """Of a dataset, its shape."""
        return self._object.shape  # type: ignore[attr-defined]

    @property
    def rank(self) -> int:
        """Of a dataset, the number of its axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """Of a dataset, its dtype."""
        return self._object.dtype  # type: ignore[attr-defined]

    def get_num_chunks(self) -> int:
        """Of a dataset, the number of chunks that are stored."""
        return int(self._object._array.n_stored())  # type: ignore[attr-defined]

    def get_storage_size(self) -> int:
        """Of a dataset, the bytes that are stored."""
        return int(self._object._array.len_stored_bytes())  # type: ignore[attr-defined]

    def refresh(self) -> None:
        """Looks at what another process has written."""
        self._object._state.refresh()

    def flush(self) -> None:
        """Puts changes of the file with the operating system."""
        self._object._state.commit()

    def close(self) -> None:
        """Closes the file if it is one; other handles close with it."""
        close = getattr(self._object, "close", None)
        if close is not None:
            close()

    def __bool__(self) -> bool:
        return bool(self._object)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectID) and self._object == other._object

    def __hash__(self) -> int:
        return hash(self._object)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._object!r}>"


class HLObject:
    """A group, dataset or named type in an open file."""

    _state: OpenFile
    _path: str

    @property
    def file(self) -> File:
        """The file it is in."""
        from ._file import File

        return File._of_state(self._state.anonymous_in or self._state)

    @property
    def name(self) -> Any:
        """Its path; ``None`` once the file is closed, and of what was made without a name."""
        if not self._state.is_open or self._state.anonymous_in is not None:
            return None
        return self._path

    @property
    def parent(self) -> Group:
        """The group it is in; the root's is the root."""
        from ._group import Group

        self._state.tree  # noqa: B018 (an error where it is closed)
        if self._state.anonymous_in is not None:
            raise ValueError("Parent of an anonymous object is undefined")
        return Group._of(self._state, posixpath.dirname(self._path))

    @property
    def id(self) -> ObjectID:
        """Which object this is; ``id.valid`` says whether it is open."""
        return ObjectID(self)

    @property
    def ref(self) -> Reference:
        """A reference to it."""
        self._state.tree  # noqa: B018
        if self._state.anonymous_in is not None:
            raise UnsupportedError("what has no name yet cannot be referred to")
        return Reference(self._path)

    @property
    def regionref(self) -> RegionProxy:
        """``dataset.regionref[0:2]`` makes a reference to a region."""
        return RegionProxy(self)

    @property
    def attrs(self) -> AttributeManager:
        """Its attributes."""
        from ._attributes import AttributeManager

        return AttributeManager(self)

    def _identity(self) -> Any:
        """The same for all names of an object."""
        path = self._path
        for _ in range(16):
            if path == "/":
                return path
            child = self._state.tree.child(path)
            if child is None:
                return path
            if child[3] is not None:
                return child[3]
            if child[2] is None or child[2][1] is not None:
                return path
            path = joined(posixpath.dirname(path), child[2][0])
        return path

    def __hash__(self) -> int:
        if not self._state.is_open:
            raise TypeError("unhashable: the file is closed")
        return hash((id(self._state), self._identity()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ObjectID):
            other = other._object
        if not isinstance(other, HLObject):
            return NotImplemented
        if self._state is not other._state or not self._state.is_open:
            return self is other
        return self._path == other._path or self._identity() == other._identity()

    def __bool__(self) -> bool:
        return self._state.is_open

    def __getnewargs__(self) -> NoReturn:
        raise TypeError("h5py objects cannot be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("h5py objects cannot be pickled")

    __reduce__ = __getstate__  # type: ignore[assignment]


class RegionProxy:
    """Makes references to regions, and tells of them."""

    def __init__(self, of: HLObject) -> None:
        self.obj = of

    def __getitem__(self, args: Any) -> RegionReference:
        from ._dataset import Dataset

        if not isinstance(self.obj, Dataset):
            raise TypeError("Region references can only be made to datasets")
        args = args if isinstance(args, tuple) else (args,)
        shape = self.obj.shape
        return RegionReference(self.obj._path, region_words(select(shape, args), shape))

    def shape(self, ref: RegionReference) -> tuple[int, ...]:
        """The shape of the dataset that a reference leads to."""
        return tuple(self.obj.file[ref].shape)

    def selection(self, ref: RegionReference) -> tuple[int, ...]:
        """The shape of the region of a reference."""
        return region_mask(ref.region, self.shape(ref))[0]




class KeysViewHDF5(KeysView[str]):
    """The names of members or attributes."""

    _mapping: Any

    def __str__(self) -> str:
        return f"<KeysViewHDF5 {list(self)}>"

    def __reversed__(self) -> Iterator[str]:
        yield from reversed(self._mapping)

    __repr__ = __str__


class ValuesViewHDF5(ValuesView[Any]):
    """The members, or the values of attributes."""

    _mapping: Any

    def __contains__(self, value: object) -> bool:
        return any(value == found for found in self)

    def __iter__(self) -> Iterator[Any]:
        for key in self._mapping:
            yield self._mapping.get(key)

    def __reversed__(self) -> Iterator[Any]:
        for key in reversed(self._mapping):
            yield self._mapping.get(key)


class ItemsViewHDF5(ItemsView[str, Any]):
    """Names and members, or names and values of attributes."""

    _mapping: Any

    def __contains__(self, item: object) -> bool:
        pair: Any = item
        key, value = pair
        return key in self._mapping and bool(value == self._mapping.get(key))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for key in self._mapping:
            yield key, self._mapping.get(key)

    def __reversed__(self) -> Iterator[tuple[str, Any]]:
        for key in reversed(self._mapping):
            yield key, self._mapping.get(key)


class MappingHDF5(Mapping[str, Any]):
    """A mapping with views as h5py has them."""

    def keys(self) -> KeysViewHDF5:
        """The names."""
        return KeysViewHDF5(self)

    def values(self) -> ValuesViewHDF5:
        """What the names lead to."""
        return ValuesViewHDF5(self)

    def items(self) -> ItemsViewHDF5:
        """Both."""
        return ItemsViewHDF5(self)

    def _ipython_key_completions_(self) -> list[str]:
        return sorted(self.keys())


class MutableMappingHDF5(MappingHDF5, MutableMapping[str, Any]):
    """The same, of what can be changed."""


def product(nums: Any) -> int:
    """The product of lengths."""
    found = 1
    for n in nums:
        found *= n
    return found


