"""`Session`: named objects, of which arrays are computed with, saved and compared together."""

from __future__ import annotations

import sys
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axis import Axis
from stook.larray._group import Group, LGroup
from stook.larray._metadata import Metadata, metadata_of
from stook.larray._session_text import metadata_lines, summary_line
from stook.larray._text import size_text
from stook.larray._warn import warn
from stook.larray._warn import warn as _warn


def _deprecated(name: str, instead: str) -> Callable[..., None]:
    def method(*args: Any, **kwargs: Any) -> None:
        raise TypeError(f"{name}() is deprecated. Use {instead}() instead.")

    method.__name__ = name
    return method


class Session:
    """Objects by name: arrays, axes, groups, scalars, and anything else.

    :param args: a file or folder to load, a mapping, or pairs of names and objects
    :param meta: metadata: a mapping or pairs
    :param kwargs: objects by name
    """

    _objects: dict[str, Any]
    _meta: Metadata

    def __init__(self, /, *args: Any, meta: Any = None, **kwargs: Any) -> None:
        object.__setattr__(self, "_objects", {})
        object.__setattr__(self, "_meta", metadata_of(meta))
        if len(args) == 1:
            first = args[0]
            if isinstance(first, (str, bytes)) or hasattr(first, "__fspath__"):
                self.load(first)
            elif isinstance(first, Array):
                raise TypeError("Expected names and objects, got an Array: pass it as name=array")
            else:
                self.update(first)
        elif args:
            warn("Session(obj1, ...) is deprecated, please use Session(obj1name=obj1, ...) instead")
            for one in args:
                self[one.name] = one
        self.update(kwargs)

    # Objects by name.

    def _put(self, key: str, value: Any) -> None:
        """Sets an object; the only place where one is set."""
        self._objects[key] = value

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._objects[key]
        if isinstance(key, (int, np.integer)):
            return list(self._objects.values())[key]
        if isinstance(key, LGroup):
            return self._objects[key.eval()]
        if isinstance(key, Array):
            if key.dtype.kind != "b" or key.ndim != 1:
                raise AssertionError("a session is selected from by a boolean array of one axis")
            return Session([(name, self._objects[name]) for name, true in zip(key.axes[0]._items(), key.data) if true])
        if isinstance(key, slice):
            raise TypeError("unhashable type: 'slice'")
        return Session([(name, self[name]) for name in key])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            key = list(self._objects)[key]
        self._put(key, value)

    def __delitem__(self, key: str) -> None:
        del self._objects[key]

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute {key!r}")
        try:
            return self._objects[key]
        except KeyError:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute {key!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        if key == "meta":
            object.__setattr__(self, "_meta", metadata_of(value))
        elif key.startswith("_"):
            object.__setattr__(self, key, value)
        else:
            self._put(key, value)

    def __delattr__(self, key: str) -> None:
        del self[key]

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._objects})

    def get(self, key: str, default: Any = None) -> Any:
        """The object of a name, a default where there is none."""
        return self._objects.get(key, default)

    def keys(self) -> KeysView[str]:
        """A view of the names."""
        return self._objects.keys()

    def values(self) -> ValuesView[Any]:
        """A view of the objects."""
        return self._objects.values()

    def items(self) -> ItemsView[str, Any]:
        """A view of the names and objects."""
        return self._objects.items()

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._objects.values()))

    def __contains__(self, key: Any) -> bool:
        return key in self._objects if isinstance(key, str) else any(key is one for one in self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def __str__(self) -> str:
        return f"Session({', '.join(self._objects)})"

    __repr__ = __str__

    def __getstate__(self) -> dict[str, Any]:
        return {"_objects": self._objects, "_meta": self._meta}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, value)

    def update(self, other: Any = None, **kwargs: Any) -> None:
        """Sets objects of another session, a mapping, pairs, or keywords."""
        if other is not None:
            if isinstance(other, (Session, Mapping)):
                pairs = list(other.items())
            elif hasattr(other, "__iter__"):
                pairs = [_pair(one) for one in other]
            else:
                raise ValueError("Expected Session, dict-like or iterable object for 'other' argument. "
                                 f"Got {type(other).__name__}.")
            for key, value in pairs:
                self._put(key, value)
        for key, value in kwargs.items():
            self._put(key, value)

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Sets objects that have names of their own, and keywords."""
        warn("Session.add() is deprecated. Please use Session.update() instead.")
        for one in args:
            self._put(one.name, one)
        for key, value in kwargs.items():
            self._put(key, value)

    # What it is.

    @property
    def meta(self) -> Metadata:
        """The metadata of the session."""
        return self._meta

    @meta.setter
    def meta(self, meta: Any) -> None:
        object.__setattr__(self, "_meta", metadata_of(meta))

    @property
    def names(self) -> list[str]:
        """The names, in the order of the alphabet."""
        return sorted(self._objects)

    @property
    def nbytes(self) -> int:
        """The bytes that the elements of arrays take."""
        return sum(getattr(one, "nbytes", 0) for one in self._objects.values() if isinstance(one, (Array, np.ndarray)))

    @property
    def memory_used(self) -> str:
        """The same with a unit."""
        return size_text(self.nbytes)

    def summary(self, template: Any = None) -> str:
        """A line for each object.

        :param template: for types, texts (with ``{key}``, ``{value}``, and for arrays ``{axes_names}``, ``{shape}``,
            ``{dtype}``, ``{title}``, for axes ``{name}``, ``{labels}``, ``{length}``, for groups ``{key}``, ``{name}``, ``{axis}``,
            ``{labels}``, ``{length}``), or functions of the name and the object; ``Metadata`` has that for each metadatum
        """
        given = dict(template or {})
        lines = []
        if self._meta:
            lines += metadata_lines(self._meta, given.get(Metadata))
        for key, value in self._objects.items():
            found = next((own for kind, own in given.items() if isinstance(kind, type) and isinstance(value, kind)), None)
            if callable(found):
                lines.append(found(key, value))
            else:
                lines.append(summary_line(key, value, found))
        return "\n".join(lines)

    # Other sessions.

    def copy(self) -> Session:
        """A session of its own of the same objects, without metadata."""
        return self._like(self._objects.items())

    def _like(self, pairs: Any) -> Session:
        return Session(list(pairs))

    def filter(self, pattern: str | None = None, kind: Any = None) -> Session:
        """A session of the objects whose name a pattern matches, and that are of some types.

        :param pattern: ``*`` for any text, ``?`` for a character, ``[]`` for one of several
        :param kind: a type, or several
        """
        kinds = tuple(kind) if isinstance(kind, list) else kind
        return Session([
            (key, value) for key, value in self._objects.items()
            if (pattern is None or fnmatchcase(key, pattern)) and (kinds is None or isinstance(value, kinds))
        ])

    def apply(self, func: Callable[..., Any], *args: Any, kind: Any = Array, **kwargs: Any) -> Session:
        """A session in which a function has replaced the objects of some types.

        :param func: given an object and the further arguments
        """
        kinds = tuple(kind) if isinstance(kind, list) else kind
        return Session([(key, func(value, *args, **kwargs) if isinstance(value, kinds) else value)
                        for key, value in self._objects.items()])

    def transpose(self, *args: Any) -> Session:
        """A session whose arrays have their axes in another order; names that an array has not are passed over."""
        if len(args) == 1 and isinstance(args[0], (list, tuple)):
            args = tuple(args[0])

        def one(array: Array) -> Array:
            known = [axis for axis in args if axis is Ellipsis or axis in array.axes]
            return array.transpose(*known) if known or not args else array

        return self.apply(one)

    def compact(self, display: bool = False) -> Session:
        """A session whose arrays have lost the axes along which they are constant."""
        return Session([(key, value.compact(display=display, name=key) if isinstance(value, Array) else value)
                        for key, value in self._objects.items()])

    def align(self, *other: Any, join: str = "outer", fill_value: Any = np.nan) -> tuple[Session, ...]:
        """Sessions whose arrays of one name have the same labels.

        :param join: as `Array.align` has it
        """
        from stook.larray._axes import AxisCollection

        sessions: list[Any] = [self, *(one if isinstance(one, Session) else Session(one) for one in other)]
        found: list[dict[str, Any]] = [dict(one.items()) for one in sessions]
        for key in dict.fromkeys(name for one in found for name in one):
            held = [one for one in found if isinstance(one.get(key), Array)]
            if len(held) < 2:
                continue
            arrays = []
            for one in held:
                array = one[key]
                arrays.append(array if None not in array.axes.names else Array._new(array.data, AxisCollection._of(
                    [axis if axis.name is not None else axis.rename(f"axis{at}") for at, axis in enumerate(array.axes)])))
            for one, aligned in zip(held, arrays[0].align(*arrays[1:], join=join, fill_value=fill_value)):
                one[key] = aligned
        return tuple(Session(list(one.items())) for one in found)

    # Comparison and arithmetic.

    def element_equals(self, other: Any, rtol: float = 0, atol: float = 0, nans_equal: bool = False) -> Array:
        """Which axes, groups and arrays are equal to those of another session, along ``name``.

        :param rtol: a part of the other number that a number may differ by
        :param atol: what it may differ by beside that
        :param nans_equal: whether NaN is equal to NaN
        """
        other = other if isinstance(other, Session) else Session(other)
        mine = self.filter(kind=(Axis, Group, Array))
        theirs = other.filter(kind=(Axis, Group, Array))
        names = list(dict.fromkeys([*mine.keys(), *theirs.keys()]))
        found = [_equal(mine.get(name), theirs.get(name), rtol, atol, nans_equal) for name in names]
        return Array(np.array(found, dtype=bool), Axis(names, "name"))

    def equals(self, other: Any, rtol: float = 0, atol: float = 0, nans_equal: bool = False) -> bool:
        """Whether all axes, groups and arrays are equal to those of another session."""
        return bool(np.all(self.element_equals(other, rtol, atol, nans_equal).data))

    def _operated(self, name: str, other: Any, reflected: bool = False) -> Session:
        import operator

        function = getattr(operator, name)
        every = name in ("eq", "ne")
        both = isinstance(other, (Session, Mapping))
        names = list(dict.fromkeys([*self.keys(), *(other.keys() if both else ())]))
        found = []
        with np.errstate(all="ignore"):
            for key in names:
                mine = self.get(key, np.nan)
                theirs = other.get(key, np.nan) if both else other
                if not every and not isinstance(mine, Array):
                    found.append((key, mine))
                    continue
                try:
                    result = function(theirs, mine) if reflected else function(mine, theirs)
                except Exception:  # What cannot be computed is missing, as everywhere in a session.
                    result = np.nan
                found.append((key, np.nan if result is NotImplemented else result))
        return Session(found) if every else self._like(found)

    def _unary(self, function: Callable[[Any], Any]) -> Session:
        found = []
        for key, value in self._objects.items():
            try:
                value = function(value)
            except Exception:  # What cannot be computed is missing, as everywhere in a session.
                value = np.nan
            found.append((key, value))
        return self._like(found)

    def __add__(self, other: Any) -> Session:
        return self._operated("add", other)

    def __radd__(self, other: Any) -> Session:
        return self._operated("add", other, True)

    def __sub__(self, other: Any) -> Session:
        return self._operated("sub", other)

    def __rsub__(self, other: Any) -> Session:
        return self._operated("sub", other, True)

    def __mul__(self, other: Any) -> Session:
        return self._operated("mul", other)

    def __rmul__(self, other: Any) -> Session:
        return self._operated("mul", other, True)

    def __truediv__(self, other: Any) -> Session:
        return self._operated("truediv", other)

    def __rtruediv__(self, other: Any) -> Session:
        return self._operated("truediv", other, True)

    def __eq__(self, other: Any) -> Any:
        return self._operated("eq", other)

    def __ne__(self, other: Any) -> Any:
        return self._operated("ne", other)

    __hash__ = None  # type: ignore[assignment]

    def __neg__(self) -> Session:
        return self._unary(lambda array: -array)

    def __pos__(self) -> Session:
        return self._unary(lambda array: +array)

    def __abs__(self) -> Session:
        return self._unary(abs)

    def __invert__(self) -> Session:
        return self._unary(lambda array: ~array)

    # Files.

    def load(self, fname: Any, names: Any = None, engine: str = "auto", display: bool = False, **kwargs: Any) -> Any:
        """Loads objects from a file, or from files of a folder, into this session; its metadata are replaced.

        :param names: which objects; all
        :param engine: ``pandas_csv``, ``pandas_excel``, ``pandas_hdf``, ``pickle``, ``zarr``, ``arrow`` or
            ``parquet``, else by the extension
        :param display: whether each object is told
        :param report: with ``report=True`` what was loaded, and what was not and why, is returned
        """
        from stook.larray import _files

        wants_report = kwargs.pop("report", False)
        report = _files.load_session(self, fname, names, engine, display, kwargs)
        return report if wants_report else None

    def save(self, fname: Any, names: Any = None, engine: str = "auto", overwrite: bool = True, display: bool = False,
             **kwargs: Any) -> Any:
        """Saves objects to a file, or to files of a folder; what is there before is replaced as a whole.

        :param names: which objects; all
        :param overwrite: whether a file is replaced, else objects are added to it
        :param report: with ``report=True`` what was saved, and what was not and why, is returned
        """
        from stook.larray import _files

        wants_report = kwargs.pop("report", False)
        report = _files.save_session(self, fname, names, engine, overwrite, display, kwargs)
        return report if wants_report else None

    @classmethod
    def open(cls, fname: Any, engine: str = "auto") -> Any:
        """A session in a file, of which names, axes and types are read first, and objects when they are asked for.

        :param engine: as `load` has it
        :returns: a `LazySession`
        """
        from stook.larray._lazy import LazySession

        return LazySession(fname, engine)

    def to_pickle(self, fname: Any, names: Any = None, overwrite: bool = True, display: bool = False,
                  **kwargs: Any) -> None:
        """Saves objects as a pickle."""
        self.save(fname, names, "pickle", overwrite, display, **kwargs)

    def to_hdf(self, fname: Any, names: Any = None, overwrite: bool = True, display: bool = False,
               **kwargs: Any) -> None:
        """Saves objects to a file of HDF5."""
        self.save(fname, names, "pandas_hdf", overwrite, display, **kwargs)

    def to_excel(self, fname: Any, names: Any = None, overwrite: bool = True, display: bool = False,
                 **kwargs: Any) -> None:
        """Saves arrays to the sheets of a workbook."""
        self.save(fname, names, "pandas_excel", overwrite, display, **kwargs)

    def to_csv(self, fname: Any, names: Any = None, display: bool = False, **kwargs: Any) -> None:
        """Saves arrays to files of a folder as text."""
        self.save(fname, names, "pandas_csv", True, display, **kwargs)

    dump = _deprecated("dump", "save")
    dump_csv = _deprecated("dump_csv", "to_csv")
    dump_excel = _deprecated("dump_excel", "to_excel")
    dump_hdf = _deprecated("dump_hdf", "to_hdf")
    array_equals = _deprecated("array_equals", "element_equals")

    def to_globals(self, names: Any = None, depth: int = 0, warn: bool = True, inplace: bool = False) -> None:
        """Makes global variables of the objects.

        :param names: which objects; all
        :param depth: how many frames above the caller the variables are
        :param inplace: whether elements of arrays that are there are replaced, instead of the arrays
        """
        if warn:
            _warn("Session.to_globals should usually only be used in interactive consoles and not in scripts. "
                  "Use warn=False to deactivate this warning.", RuntimeWarning)
        if isinstance(names, str):
            names = [names]
        target = sys._getframe(depth + 1).f_globals
        for key, value in self.items():
            if names is not None and key not in names:
                continue
            if inplace:
                if key not in target:
                    raise ValueError(f"{key!r} not found in globals() but inplace=True")
                if isinstance(value, Array):
                    there = target[key]
                    if not isinstance(there, Array) or there.axes != value.axes:
                        raise ValueError(
                            "Session.to_globals(inplace=True) requires the existing (destination) arrays to have the "
                            "same axes than those stored in the session and this is not the case for "
                            f"{key!r}.\nexisting: {getattr(there, 'info', there)}\nsession: {value.info}")
                    there.data[...] = value.data
            else:
                target[key] = value


def _pair(one: Any) -> tuple[str, Any]:
    key, value = one
    return key, value


def _equal(mine: Any, theirs: Any, rtol: float, atol: float, nans_equal: bool) -> bool:
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, Array):
        return mine.equals(theirs, rtol=rtol, atol=atol, nans_equal=nans_equal)
    return bool(mine.equals(theirs))
