"""Attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _attributes
from .._errors import Error, NotFoundError
from ._base import Empty, MutableMappingHDF5, name_of, product
from ._datatype import Datatype
from ._dtypes import array_for_new_object, from_native, to_native
from ._errors import raised, told
from ._state import OpenFile, following
from ._values import finisher, unfinished
from ._writing import converted

if TYPE_CHECKING:
    from ._base import HLObject

# What JSON holds as it is.
_JSON = (str, bool, int, float)


class AttributeManager(MutableMappingHDF5):
    """The attributes of an object: a mapping of names to scalars, arrays, text.

    >>> import stook.h5compat as h5py
    >>> f = h5py.File(getfixture("tmp_path") / "a.h5", "w")
    >>> f.attrs["gain"] = [1.5, 2.0]
    >>> f.attrs.create("number", 3, dtype="i2")
    >>> f.attrs["gain"], f.attrs["number"], list(f.attrs)
    (array([1.5, 2. ]), np.int16(3), ['gain', 'number'])
    """

    def __init__(self, parent: HLObject) -> None:
        self._of = parent

    @property
    def _id(self) -> Any:
        return self._of.id

    @property
    def _state(self) -> OpenFile:
        return self._of._state

    @following
    def _value(self, name: Any) -> Any:
        """What is stored: an array in the library's form, or what JSON gives."""
        name = name_of(name)
        try:
            found = self._of._state.tree.attribute(self._of._path, name)
        except Error as error:
            raise told(error, "Unable to synchronously read attribute", OSError) from error
        if found is None:
            text = f"Unable to synchronously open attribute (can't locate attribute: '{name}')"
            of = self._of
            raise NotFoundError(text, file=str(of._state.filename), node=of._path)
        return found[0]

    def __getitem__(self, name: Any) -> Any:
        """The value of an attribute.

        Raises
        ------
        KeyError
            If there is none.
        """
        value = self._value(name)
        if isinstance(value, np.ndarray):
            if value.dtype.kind in "biufc":
                return value[()] if value.ndim == 0 else value
            native = value.dtype
            finish = finisher(native, from_native(native), keeps_str=True)
            found = value if finish is None else finish(value)
            return found[()] if found.ndim == 0 else found
        if isinstance(value, _attributes.Empty):
            return Empty(from_native(value.dtype))
        return _of_json(value)

    def get_id(self, name: Any) -> AttrID:
        """Dtype and shape of an attribute."""
        return AttrID(name_of(name), self._value(name))

    def __setitem__(self, name: Any, value: Any) -> None:
        """Sets an attribute; dtype and shape are those of the value."""
        tree = self._of._state.tree
        if type(value) in _JSON and tree.format.startswith("zarr"):
            tree.edit_attributes(self._of._path, False, [(name_of(name), value)], [])
            return
        self.create(name, value)

    def create(self, name: Any, data: Any, shape: Any = None, dtype: Any = None) -> None:
        """Sets an attribute of a shape and dtype, whatever there was.

        Raises
        ------
        ValueError
            If the data do not fit the shape.
        TypeError
            If HDF5 has no type for the dtype.
        """
        name = name_of(name)
        dtype = dtype.dtype if isinstance(dtype, Datatype) else dtype
        if isinstance(data, Empty):
            stored: Any = _attributes.Empty(to_native(np.dtype(dtype or data.dtype)))
        else:
            stored = _stored(data, shape, dtype)
        self._edit([(name, stored)], "Unable to synchronously create attribute")

    def _edit(self, changes: list[Any], what: str) -> None:
        try:
            self._of._state.tree.edit_attributes(self._of._path, False, changes, [])
        except Error as error:
            raise told(error, what, OSError) from error

    def modify(self, name: Any, value: Any) -> None:
        """Changes the value of an attribute, which keeps its dtype; creates it if it is missing.

        Raises
        ------
        TypeError
            If the value has another shape.
        """
        if name not in self:
            self[name] = value
            return
        old = self._value(name)
        if isinstance(old, _attributes.Empty):
            raise OSError("Empty attributes can't be modified")
        if not isinstance(old, np.ndarray):
            self[name] = value
            return
        shown = from_native(old.dtype)
        value = np.asarray(value, order="C", dtype=None if isinstance(value, np.ndarray) else shown)
        if value.shape != old.shape and not (value.size == 1 and old.size == 1):
            raise TypeError("Shape of data is incompatible with existing attribute")
        native = old.dtype
        made = unfinished(value, native) if native.hasobject else converted(value, native)
        made = made.reshape(old.shape)
        self._edit([(name_of(name), made)], "Unable to synchronously write attribute")

    def __delitem__(self, name: Any) -> None:
        """Removes an attribute.

        Raises
        ------
        KeyError
            If there is none, or the file was opened for reading.
        """
        what = "Unable to delete attribute"
        if name not in self:
            raise raised(NotFoundError, f"{what} (can't locate attribute)", KeyError)
        try:
            self._of._state.tree.edit_attributes(self._of._path, False, [], [name_of(name)])
        except Error as error:
            raise told(error, what, KeyError) from error

    def update(self, other: Any = (), /, **values: Any) -> None:
        """Sets several attributes."""
        for name, value in dict(other, **values).items():
            self[name] = value

    def clear(self) -> None:
        """Removes all attributes."""
        for name in list(self):
            del self[name]

    def __len__(self) -> int:
        return len(self._names())

    @following
    def _names(self) -> list[str]:
        return self._of._state.tree.attribute_names(self._of._path)

    def __iter__(self) -> Iterator[str]:
        yield from self._names()

    def __reversed__(self) -> Iterator[str]:
        yield from reversed(self._names())

    def __contains__(self, name: object) -> bool:
        return name_of(name) in self._names()

    def __repr__(self) -> str:
        if not self._of:
            return "<Attributes of closed HDF5 object>"
        return f"<Attributes of HDF5 object at {id(self._of)}>"


class AttrID:
    """Dtype and shape of an attribute; see :meth:`AttributeManager.get_id`."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name.encode()
        is_empty = isinstance(value, _attributes.Empty)
        array = value if isinstance(value, np.ndarray) or is_empty else np.asarray(value)
        self.dtype = from_native(array.dtype)
        self.shape = None if is_empty else array.shape

    def get_type(self) -> AttrID:
        """What has the dtype."""
        return self

    def get_storage_size(self) -> int:
        """Bytes of the value."""
        return int(product(self.shape or (0,)) * self.dtype.itemsize)


def _stored(data: Any, shape: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """A value in the library's form."""
    data = array_for_new_object(data, specified_dtype=dtype)
    shape = data.shape if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = data.dtype if dtype is None else np.dtype(dtype)
    native = to_native(dtype)
    if dtype.subdtype is not None:
        item, inner = dtype.subdtype
        if shape[len(shape) - len(inner) :] != inner:
            raise ValueError(f"Array dtype shape {inner} is incompatible with data shape {shape}")
        native = to_native(item)
    elif product(shape) != product(data.shape):
        raise ValueError("Shape of new attribute conflicts with shape of data")
    data = np.asarray(data.reshape(shape), dtype=dtype.base)
    if native.hasobject:
        return unfinished(data, native)
    return converted(data, native) if data.dtype.kind not in "mM" else data.view(native)


def _of_json(value: Any) -> Any:
    """What h5py would give for a value of JSON: numbers and arrays of numpy."""
    if isinstance(value, (str, dict)) or value is None:
        return value
    try:
        found = np.asarray(value)
    except ValueError:
        return value
    if found.dtype.kind == "U":
        found = found.astype(object)
    return found[()] if found.ndim == 0 else found
