"""`Axis`: a name and labels, found by value through an index that is made when it is asked first."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax
from stook.larray._axis_changes import AxisChanges
from stook.larray._group import Group, IGroup, IGroupMaker, LGroup, parts_of, unwrapped
from stook.larray._labels import axis_name_of, kind_of, labels_of, summary_of
from stook.larray._warn import warn

if TYPE_CHECKING:
    from stook.larray._array import Array

_INVERTED = ("Arguments 'name' and 'labels' of Axis constructor have been inverted in version 0.22 of larray. "
             "Please check you are passing labels first and name as second argument.")
_NO_LABELS = "labels should be a sequence, a string or a single int but not None"

def _operator(name: str, reflected: bool = False) -> Callable[[Axis, Any], Any]:
    function = getattr(operator, name)

    def method(self: Axis, other: Any) -> Any:
        if isinstance(other, Axis):
            other = other.__larray__()
        mine = self.__larray__()
        return function(other, mine) if reflected else function(mine, other)

    return method


def _deprecated(name: str, instead: str) -> Callable[..., None]:
    def method(*args: Any, **kwargs: Any) -> None:
        raise TypeError(f"{name}() is deprecated. Use {instead}() instead.")

    method.__name__ = name
    return method


class Axis(AxisChanges):
    """A dimension: labels, and a name.

    :param labels: the labels: a sequence, text (``"a0,a1"``, ``"a0..a9"``, ``"name=a0,a1"``), or a number of
        positions that have no labels (a wildcard axis); they are shared with an array that is given
    :param name: text, a number, or None for an anonymous axis
    :raises TypeError: for labels that are no sequence, or a name of another type
    :raises ValueError: for two names
    """

    __slots__ = ("name", "_labels", "_length", "_wildcard", "_positions", "_maker", "__weakref__")
    name: Any
    _labels: Any
    _length: int
    _wildcard: bool
    _positions: dict[Any, int] | None
    _maker: IGroupMaker | None
    is_reference = False

    def __init__(self, labels: Any, name: Any = None) -> None:
        if isinstance(name, Axis):
            name = name.name
        if isinstance(labels, str):
            if "=" in labels:
                if name is not None:
                    raise ValueError("Axis(labels, name=None) cannot have both a string labels with an '=' sign "
                                     "and a value for the name argument")
                name, labels = labels.split("=")
                name = name.strip()
                if not labels.strip():
                    raise TypeError("len() of unsized object")
            elif name is None and (_syntax.is_plain(labels) or not labels.strip()):
                warn(_INVERTED)
                raise TypeError(_NO_LABELS)
            elif isinstance(name, (list, tuple, np.ndarray)) or (
                isinstance(name, str) and _syntax.is_plain(labels) and not _syntax.is_plain(name)
            ):
                warn(_INVERTED)
                labels, name = name, labels
        if isinstance(name, Group):
            name = name.to_label()
        if isinstance(name, np.generic):
            name = name.item()
        if name is not None and not isinstance(name, (int, str)):
            raise TypeError(f"Axis name should be None, int or str but is: {name} ({type(name).__name__})")
        if isinstance(labels, Group) and name is None and axis_name_of(labels) is not None:
            name = axis_name_of(labels)
        self.name = name
        self._maker = None
        self._positions = None
        self._set_labels(labels)

    @classmethod
    def _of(cls, labels: np.ndarray, name: Any) -> Axis:
        """An axis of labels that are an array already."""
        axis = object.__new__(cls)
        axis.name = name
        axis._labels = labels
        axis._length = len(labels)
        axis._wildcard = False
        axis._positions = None
        axis._maker = None
        return axis

    @classmethod
    def _made_of(cls, make: Callable[[], np.ndarray], length: int, name: Any) -> Axis:
        """An axis whose labels are made when they are asked first."""
        axis = cls._wild(length, name)
        axis._labels = make
        axis._wildcard = False
        return axis

    @classmethod
    def _wild(cls, length: int, name: Any) -> Axis:
        """A wildcard axis."""
        axis = object.__new__(cls)
        axis.name = name
        axis._labels = None
        axis._length = length
        axis._wildcard = True
        axis._positions = None
        axis._maker = None
        return axis

    def _set_labels(self, labels: Any) -> None:
        self._positions = None
        if labels is None:
            raise TypeError(_NO_LABELS)
        if isinstance(labels, (int, np.integer)) and not isinstance(labels, bool):
            self._length, self._labels, self._wildcard = int(labels), None, True
            return
        found = labels_of(labels)
        self._length, self._labels, self._wildcard = len(found), found, False

    @property
    def labels(self) -> np.ndarray:
        """The labels, an array of shape (n,); those of a wildcard axis are its positions."""
        if self._labels is None:
            self._labels = np.arange(self._length)
        elif type(self._labels) is not np.ndarray:
            # Labels that are made when they are asked first.
            self._labels = self._labels()
        found: np.ndarray = self._labels
        return found

    @labels.setter
    def labels(self, labels: Any) -> None:
        self._set_labels(labels)

    @property
    def iswildcard(self) -> bool:
        """Whether the axis has positions alone."""
        return self._wildcard

    @property
    def dtype(self) -> np.dtype:
        """The type of the labels."""
        return self.labels.dtype

    @property
    def id(self) -> Any:
        raise NotImplementedError("Axis.id is deprecated. Please use Axis.name instead.")

    @property
    def i(self) -> IGroupMaker:
        """Groups by position: ``axis.i[0, 2]``."""
        if self._maker is None:
            self._maker = IGroupMaker(self)
        return self._maker

    # Positions.

    def _index(self) -> dict[Any, int]:
        """Where each label is; of equal ones the first counts."""
        found = self._positions
        if found is None:
            labels = self.labels
            items = labels if labels.dtype.kind in "Mm" else labels.tolist()
            try:
                found = dict(zip(reversed(list(items)), range(len(labels) - 1, -1, -1)))
            except TypeError:
                raise TypeError("labels have to be hashable to be looked up") from None
            self._positions = found
        return found

    def _positions_of(self, labels: list[Any]) -> np.ndarray | None:
        """Where labels are, None unless all are there."""
        kind = self._kind()
        if kind == "U" and not self._wildcard:
            index = self._index()
            found = [index.get(label) if type(label) is str else self._position(unwrapped(label)) for label in labels]
        else:
            found = [self._position(unwrapped(label)) for label in labels]
        return None if None in found else np.array(found, dtype=np.intp)

    def _kind(self) -> str:
        kind = self.labels.dtype.kind if not self._wildcard else "i"
        return "i" if kind == "u" else kind

    def _position(self, label: Any) -> int | None:
        """Where a label is, None where it is not; a label of another kind is another."""
        kind = self._kind()
        if kind != "O" and kind_of(label) != kind:
            return None
        if self._wildcard:
            return int(label) if 0 <= label < self._length else None
        try:
            return self._index().get(label)
        except TypeError:
            return None

    def index(self, key: Any) -> Any:
        """The positions of a label, of labels, or of a slice whose end belongs to it.

        :param key: a label, labels, a slice, a group, or text in the notation of keys
        :returns: a number, an integer array of shape (n,), or a slice
        :raises KeyError: for a label that is not there
        """
        if isinstance(key, Group):
            if isinstance(key, IGroup):
                if key.axis is self or key.axis is None or not hasattr(key.axis, "labels"):
                    return key.key
                own = key.axis is not None and not isinstance(key.axis, (str, int)) and not key.axis.is_reference
                key = key.to_label() if own else key.key
                if not own:
                    return key
            else:
                key = key.key
        if isinstance(key, str):
            found = self._position(key)
            if found is not None:
                return found
            if not _syntax.is_plain(key):
                written = _syntax.parse(key)
                if written.positional:
                    return written.key
                key = written.key
        if isinstance(key, Axis):
            key = key.labels
        return self._locate(key)

    def _locate(self, key: Any) -> int | np.ndarray | slice:
        if isinstance(key, slice):
            return self._slice(key)
        if isinstance(key, (list, tuple)):
            return np.array([self._known(unwrapped(label)) for label in key], dtype=np.intp)
        if isinstance(key, np.ndarray) and key.ndim:
            if key.dtype.kind == "b" and self._kind() != "b":
                raise KeyError(f"key has not the same dtype than axis (key has {key.dtype.kind!r} kind while "
                               f"axis has {self.labels.dtype.kind!r} kind)\n{key}\n{self.labels}\n")
            items = key.ravel() if key.dtype.kind in "Mm" else key.ravel().tolist()
            found = np.array([self._known(label) for label in items], dtype=np.intp)
            return found.reshape(key.shape)
        if hasattr(key, "axes") and hasattr(key, "data"):
            return self._locate(np.asarray(key.data))
        return self._known(unwrapped(key))

    def _known(self, label: Any) -> int:
        found = self._position(label)
        if found is None:
            raise KeyError(label)
        return found

    def _slice(self, key: slice) -> slice:
        start = None if key.start is None else self._known(unwrapped(key.start))
        stop = None if key.stop is None else self._known(unwrapped(key.stop)) + 1
        return slice(start, stop, key.step)

    def __contains__(self, key: Any) -> bool:
        label = key.to_label() if isinstance(key, Group) else key
        try:
            return self._position(unwrapped(label)) is not None
        except TypeError:
            return False

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[IGroup]:
        return (IGroup(position, None, self) for position in range(len(self)))

    # Groups.

    def __getitem__(self, key: Any) -> Any:
        """A group of labels; of several lists several groups."""
        if isinstance(key, str):
            if not _syntax.is_plain(key):
                key = _syntax.parse(key).key
            return LGroup._of(key, self)
        if isinstance(key, (tuple, list)):
            parts = [part for part in key if isinstance(part, (tuple, list, slice, np.ndarray)) or (
                isinstance(part, Group) and not np.isscalar(part.eval()))]
            if parts:
                return type(key)(self[part] for part in key)
            return LGroup._of([unwrapped(part) for part in key], self)
        if isinstance(key, Group):
            if isinstance(key, IGroup):
                label = key.to_label()
                return LGroup._of(label.tolist() if isinstance(label, np.ndarray) else label, self, key.name)
            return LGroup._of(key.key, self, key.name)
        if isinstance(key, Axis):
            return LGroup._of(key.labels, self)
        if isinstance(key, (slice, np.ndarray, np.generic, int, float, bytes)) or hasattr(key, "axes"):
            return LGroup._of(key, self)
        if key is None or not np.isscalar(key):
            raise TypeError(f"{key!r} has an invalid type ({type(key).__name__}) for a key")
        return LGroup._of(key, self)

    def by(self, length: int, step: int | None = None, template: str | None = None) -> tuple[Group, ...]:
        """The axis in parts of a length, each ``step`` labels (a length) after the one before."""
        return parts_of(self, self._items(), length, step, template)

    def containing(self, substring: Any) -> LGroup:
        """The labels with a text in them."""
        return self[:].containing(substring)  # type: ignore[no-any-return]

    def startingwith(self, prefix: Any) -> LGroup:
        """The labels that begin with a text."""
        return self[:].startingwith(prefix)  # type: ignore[no-any-return]

    def endingwith(self, suffix: Any) -> LGroup:
        """The labels that end with a text."""
        return self[:].endingwith(suffix)  # type: ignore[no-any-return]

    def matching(self, deprecated: Any = None, pattern: Any = None, regex: Any = None) -> LGroup:
        """The labels that a pattern or a regular expression matches wholly."""
        return self[:].matching(deprecated, pattern, regex)  # type: ignore[no-any-return]

    # Comparison.

    def equals(self, other: Any) -> bool:
        """Whether name and labels are the same."""
        if self is other:
            return True
        return (isinstance(other, Axis) and self.name == other.name and self._wildcard == other._wildcard
                and self._same_labels(other))

    def _same_labels(self, other: Axis) -> bool:
        if self._length != other._length:
            return False
        if self._wildcard and other._wildcard:
            return True
        mine, theirs = self.labels, other.labels
        if mine is theirs or (mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes()):
            return True
        return bool(np.array_equal(mine, theirs))

    def iscompatible(self, other: Any) -> bool:
        """Whether arrays with both axes go together: names, and labels or lengths, agree."""
        if self is other:
            return True
        if not isinstance(other, Axis):
            return False
        if self.name is not None and other.name is not None and self.name != other.name:
            return False
        if self._wildcard or other._wildcard:
            # Any length goes with a wildcard axis of length 1.
            if self._wildcard and self._length == 1 or other._wildcard and other._length == 1:
                return True
            return self._length == other._length
        return self._same_labels(other)

    def min(self) -> Any:
        """The smallest label."""
        return np.nanmin(self.labels)

    def max(self) -> Any:
        """The largest label."""
        return np.nanmax(self.labels)

    # As an array of its labels.

    def __larray__(self) -> Array:
        from stook.larray._create import labels_array

        return labels_array(self)

    __add__ = _operator("add")
    __sub__ = _operator("sub")
    __mul__ = _operator("mul")
    __truediv__ = _operator("truediv")
    __floordiv__ = _operator("floordiv")
    __mod__ = _operator("mod")
    __pow__ = _operator("pow")
    __and__ = _operator("and_")
    __or__ = _operator("or_")
    __xor__ = _operator("xor")
    __lshift__ = _operator("lshift")
    __rshift__ = _operator("rshift")
    __matmul__ = _operator("matmul")
    __lt__ = _operator("lt")
    __le__ = _operator("le")
    __gt__ = _operator("gt")
    __ge__ = _operator("ge")
    __eq__ = _operator("eq")
    __ne__ = _operator("ne")
    __radd__ = _operator("add", True)
    __rsub__ = _operator("sub", True)
    __rmul__ = _operator("mul", True)
    __rtruediv__ = _operator("truediv", True)
    __rfloordiv__ = _operator("floordiv", True)
    __rmod__ = _operator("mod", True)
    __rpow__ = _operator("pow", True)
    __rand__ = _operator("and_", True)
    __ror__ = _operator("or_", True)
    __rxor__ = _operator("xor", True)
    __rlshift__ = _operator("lshift", True)
    __rrshift__ = _operator("rshift", True)
    __rmatmul__ = _operator("matmul", True)

    # Text.

    def labels_summary(self) -> str:
        """The first and the last labels as text."""
        return summary_of(self.labels)

    def __str__(self) -> str:
        name = "{?}" if self.name is None else str(self.name)
        return f"{name}*" if self._wildcard else name

    def __repr__(self) -> str:
        labels: Any = self._length if self._wildcard else list(self._items())
        return f"Axis({labels!r}, {self.name!r})"

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Axis:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Axis:
        if self._wildcard:
            return self.copy()
        return Axis._of(self.labels.copy(), self.name)

    def __reduce__(self) -> Any:
        return Axis, (self._length if self._wildcard else self.labels, self.name)

    def to_hdf(self, filepath: Any, key: str | None = None) -> None:
        """Writes the axis to a file of HDF5."""
        from stook.larray._io import axis_to_hdf

        axis_to_hdf(self, filepath, key)

    startswith = _deprecated("startswith", "startingwith")
    endswith = _deprecated("endswith", "endingwith")
    matches = _deprecated("matches", "matching")
    translate = _deprecated("translate", "index")

    def group(self, *args: Any, name: Any = None) -> None:
        key = args[0] if len(args) == 1 else args
        named = "" if name is None else f" >> {name!r}"
        raise NotImplementedError(f"Axis.group is deprecated. Use a[{key}]{named} instead.".replace(
            "a[", f"{self.name}["))

    def all(self, name: Any = None) -> None:
        named = "all" if name is None else name
        raise NotImplementedError(f"Axis.all is deprecated. Use {self.name}[:] >> {named!r} instead.")
