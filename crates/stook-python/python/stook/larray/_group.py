"""Groups: labels (`LGroup`, `LSet`) or positions (`IGroup`) of an axis, with a name or without."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stook.larray import _syntax

if TYPE_CHECKING:
    from stook.larray._axis import Axis


def is_group(value: Any) -> bool:
    """Whether a value is a group."""
    return isinstance(value, Group)


def unwrapped(value: Any) -> Any:
    """The labels of a group, and anything else as it is."""
    return value.eval() if isinstance(value, Group) else value


def _binary(name: str, reflected: bool = False) -> Callable[[Group, Any], Any]:
    """An operator of the labels of a group."""
    function = getattr(operator, name)

    def method(self: Group, other: Any) -> Any:
        mine, theirs = self.eval(), unwrapped(other)
        return function(theirs, mine) if reflected else function(mine, theirs)

    return method


def label_text(label: Any) -> str:
    """A label as it is shown within brackets."""
    return repr(label.item() if isinstance(label, np.generic) and label.dtype.kind != "M" else label)


def bound_text(bound: Any) -> str:
    return "" if bound is None else label_text(bound)


def slice_text(key: slice) -> str:
    text = f"{bound_text(key.start)}:{bound_text(key.stop)}"
    return text if key.step is None else f"{text}:{key.step}"


def key_text(key: Any) -> str:
    """A key as it is shown within brackets."""
    if isinstance(key, slice):
        return slice_text(key)
    if isinstance(key, (list, tuple)) or (isinstance(key, np.ndarray) and key.ndim == 1):
        return ", ".join(label_text(unwrapped(label)) for label in key)
    return label_text(key) if not isinstance(key, Group) else label_text(key.eval())


class Group:
    """A part of an axis.

    :param key: labels or positions: one, a list, or a slice
    :param name: a name, given to the label that an aggregate makes of it
    :param axis: an axis, or its name or number
    """

    __slots__ = ("key", "name", "axis")
    format_string: str | None = None
    key: Any
    name: Any
    axis: Any

    def __init__(self, key: Any, name: Any = None, axis: Any = None) -> None:
        if isinstance(key, Group):
            name = key.name if name is None else name
            axis = key.axis if axis is None else axis
            key = key.key
        if axis is not None and not isinstance(axis, (str, int)) and not _is_axis(axis):
            raise AssertionError(f"invalid axis '{axis}' ({type(axis).__name__})")
        if name is not None:
            name = _checked_name(name)
        self.key = key
        self.name = name
        self.axis = axis

    # What it stands for.

    def eval(self) -> Any:
        """The label, or the labels of the group, as a list or an array of shape (n,)."""
        raise NotImplementedError

    def to_label(self) -> Any:
        """The key in terms of labels: a label, a list, or a slice."""
        raise NotImplementedError

    def translate(self, bound: Any = None) -> Any:
        """Positions on the axis: a number, a slice, or an array of shape (n,)."""
        raise NotImplementedError

    def named(self, name: Any) -> Group:
        """The same group with a name."""
        return type(self)(self.key, name, self.axis)

    def __rshift__(self, name: Any) -> Group:
        return self.named(name)

    def with_axis(self, axis: Any) -> Group:
        """The same key on another axis."""
        return type(self)(self.key, self.name, axis)

    def retarget_to(self, target_axis: Axis) -> Group:
        """A group of the same labels on another axis.

        :raises ValueError: where the axes have different names
        """
        if self.axis is target_axis:
            return self
        name = self.axis if isinstance(self.axis, (str, int)) else getattr(self.axis, "name", None)
        if self.axis is not None and not isinstance(name, int) and name != target_axis.name:
            raise ValueError(f"cannot retarget a Group defined without a real axis object (e.g. using "
                             f"an AxisReference (X.)) to an axis with a different name "
                             f"({name} != {target_axis.name})")
        if _is_real(self.axis):
            return LGroup(_listed(self.to_label()), self.name, target_axis)
        return type(self)(self.key, self.name, target_axis)

    def equals(self, other: Any) -> bool:
        """Whether labels and names are the same, and the axes have the same labels and names."""
        if self.name != other.name:
            return False
        if _is_real(self.axis) and _is_real(other.axis):
            same_axis = self.axis.equals(other.axis)
        else:
            same_axis = _axis_name(self.axis) == _axis_name(other.axis)
        mine, theirs = np.asarray(self.eval()), np.asarray(other.eval())
        return bool(
            same_axis and mine.shape == theirs.shape
            and np.all(mine == theirs)
        )

    # Sets of labels.

    def set(self) -> LSet:
        """The labels as an ordered set."""
        return LSet(self.eval(), self.name, self.axis)

    def union(self, other: Any) -> LSet:
        """A set of the labels of both, mine first."""
        return self.set().union(other)

    def intersection(self, other: Any) -> LSet:
        """A set of the labels that both have, in my order."""
        return self.set().intersection(other)

    def difference(self, other: Any) -> LSet:
        """A set of my labels that the other has not."""
        return self.set().difference(other)

    # Labels chosen by their text.

    def containing(self, substring: Any) -> LGroup:
        """The labels with a text in them."""
        substring = unwrapped(substring)
        return LGroup([label for label in self._labels() if substring in label], None, self.axis)

    def startingwith(self, prefix: Any) -> LGroup:
        """The labels that begin with a text."""
        prefix = unwrapped(prefix)
        return LGroup([label for label in self._labels() if label.startswith(prefix)], None, self.axis)

    def endingwith(self, suffix: Any) -> LGroup:
        """The labels that end with a text."""
        suffix = unwrapped(suffix)
        return LGroup([label for label in self._labels() if label.endswith(suffix)], None, self.axis)

    def matching(self, deprecated: Any = None, pattern: Any = None, regex: Any = None) -> LGroup:
        """The labels that a pattern (``*``, ``?``, ``[]``) or a regular expression matches wholly.

        :raises ValueError: unless exactly one of both is given
        """
        import fnmatch
        import re

        if deprecated is not None:
            raise TypeError("`matching` takes `pattern` or `regex` by their names")
        if (pattern is None) == (regex is None):
            raise ValueError("must provide either pattern or regex, but not both"
                             if pattern is not None else
                             "must provide at least one of pattern or regex")
        rule = re.compile(regex) if regex is not None else re.compile(fnmatch.translate(pattern))
        return LGroup([label for label in self._labels() if rule.match(label)], None, self.axis)

    def _labels(self) -> list[Any]:
        found = self.eval()
        if isinstance(found, np.ndarray):
            return list(found.tolist() if found.dtype.kind != "M" else found)
        return list(found) if isinstance(found, (list, tuple)) else [found]

    def by(self, length: int, step: int | None = None, template: str | None = None) -> tuple[Group, ...]:
        """The group in parts of a length, each ``step`` labels (a length) after the one before.

        :param template: names of the parts, with ``{start}`` and ``{end}``
        """
        return parts_of(self, self._labels(), length, step, template)

    def to_hdf(self, filepath: Any, key: str | None = None, axis_key: str | None = None) -> None:
        """Writes the group, and its axis, to a file of HDF5."""
        from stook.larray._io import group_to_hdf

        group_to_hdf(self, filepath, key, axis_key)

    # As the labels it stands for.

    def __len__(self) -> int:
        return len(self.eval())

    def __iter__(self) -> Iterator[LGroup]:
        return iter([LGroup(label, None, self.axis) for label in self.eval()])

    def __getitem__(self, key: Any) -> Any:
        found = self.eval()
        taken = found[key]
        if isinstance(found, str) or np.isscalar(found):
            return taken
        return LGroup(taken, None, self.axis)

    def __contains__(self, item: Any) -> bool:
        item = unwrapped(item)
        found = self.eval()
        return bool(item in found)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return getattr(self.eval(), key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.eval(), dtype=dtype)

    def __hash__(self) -> int:
        return hash(hashable(self.to_label()))

    def __eq__(self, other: Any) -> Any:
        found = self.eval() == unwrapped(other)
        return found

    def __ne__(self, other: Any) -> Any:
        return self.eval() != unwrapped(other)

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, operator.lt, "<")

    def __le__(self, other: Any) -> Any:
        return self._compared(other, operator.le, "<=")

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, operator.gt, ">")

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, operator.ge, ">=")

    def _compared(self, other: Any, function: Callable[[Any, Any], Any], sign: str) -> Any:
        try:
            return function(self.eval(), unwrapped(other))
        except TypeError:
            raise TypeError(f"'{sign}' not supported between instances of '{type(self).__name__}' and "
                            f"'{type(other).__name__}'") from None

    __add__ = _binary("add")
    __sub__ = _binary("sub")
    __mul__ = _binary("mul")
    __truediv__ = _binary("truediv")
    __floordiv__ = _binary("floordiv")
    __mod__ = _binary("mod")
    __pow__ = _binary("pow")
    __and__ = _binary("and_")
    __or__ = _binary("or_")
    __xor__ = _binary("xor")
    __matmul__ = _binary("matmul")
    __radd__ = _binary("add", True)
    __rsub__ = _binary("sub", True)
    __rmul__ = _binary("mul", True)
    __rtruediv__ = _binary("truediv", True)
    __rfloordiv__ = _binary("floordiv", True)
    __rmod__ = _binary("mod", True)
    __rpow__ = _binary("pow", True)
    __rand__ = _binary("and_", True)
    __ror__ = _binary("or_", True)
    __rxor__ = _binary("xor", True)
    __rmatmul__ = _binary("matmul", True)

    def __divmod__(self, other: Any) -> Any:
        return divmod(self.eval(), unwrapped(other))

    def __rdivmod__(self, other: Any) -> Any:
        return divmod(unwrapped(other), self.eval())

    def __int__(self) -> int:
        return int(self.eval())

    def __float__(self) -> float:
        return float(self.eval())

    def __index__(self) -> int:
        return operator.index(self.eval())

    def __bool__(self) -> bool:
        found = self.eval()
        return bool(len(found)) if isinstance(found, (list, np.ndarray, str)) else bool(found)

    def __str__(self) -> str:
        return str(self.eval())

    def __format__(self, spec: str) -> str:
        return format(self.eval(), spec)

    def __repr__(self) -> str:
        key = key_text(self.key)
        if self.axis is None:
            shown = self.key if not isinstance(self.key, Group) else self.key.eval()
            text = f"{type(self).__name__}({shown!r})"
        else:
            text = (self.format_string or "{axis}[{key}]").format(axis=axis_text(self.axis), key=key)
        return text if self.name is None else f"{text} >> {self.name!r}"

    def __reduce__(self) -> Any:
        return type(self), (self.key, self.name, self.axis)

    def __copy__(self) -> Group:
        return type(self)(self.key, self.name, self.axis)


def _is_axis(value: Any) -> bool:
    from stook.larray._axis import Axis

    return isinstance(value, Axis)


def _is_real(axis: Any) -> bool:
    """Whether an axis has labels."""
    return axis is not None and not isinstance(axis, (str, int)) and not axis.is_reference


def _axis_name(axis: Any) -> Any:
    return axis if isinstance(axis, (str, int)) else getattr(axis, "name", None)


def _checked_name(name: Any) -> Any:
    return unwrapped(name)


def _listed(label: Any) -> Any:
    return label.tolist() if isinstance(label, np.ndarray) and label.dtype.kind != "M" else label


def axis_text(axis: Any) -> str:
    """How an axis is named in the text of a group."""
    if isinstance(axis, (str, int)):
        return str(axis)
    if axis.is_reference:
        return f"X.{axis.name}" if isinstance(axis.name, str) and axis.name.isidentifier() else f"X[{axis.name!r}]"
    return "{?}" if axis.name is None else str(axis.name)


def hashable(label: Any) -> Any:
    """What a group hashes as: its label, or its labels as text."""
    if isinstance(label, slice):
        bounds = ["" if b is None else str(b) for b in (label.start, label.stop)]
        return ":".join(bounds if label.step is None else [*bounds, str(label.step)])
    if isinstance(label, (list, tuple, np.ndarray)):
        return ",".join(map(str, label))
    return label.item() if isinstance(label, np.generic) and label.dtype.kind != "M" else label


class LGroup(Group):
    """Labels of an axis: one, a list, or a slice whose end belongs to it.

    :param key: a label, labels, a slice, or text in the notation of keys
    """

    __slots__ = ()
    format_string = "{axis}[{key}]"

    def __init__(self, key: Any, name: Any = None, axis: Any = None) -> None:
        if isinstance(key, str):
            written = _syntax.parse(key)
            key = written.key
            if axis is None and not written.positional and written.axis is not None:
                axis = None
        elif isinstance(key, IGroup):
            name = key.name if name is None else name
            axis = key.axis if axis is None else axis
            key = _listed(key.to_label())
        elif isinstance(key, tuple):
            key = list(key)
        super().__init__(key, name, axis)

    @classmethod
    def _of(cls, key: Any, axis: Any, name: Any = None) -> LGroup:
        """A group whose key needs no reading."""
        group = object.__new__(cls)
        group.key = key
        group.name = name
        group.axis = axis
        return group

    def eval(self) -> Any:
        key = self.key
        if isinstance(key, slice):
            if not _is_real(self.axis):
                raise ValueError("Cannot evaluate a slice group without axis")
            return self.axis.labels[self.axis.index(key)]
        if isinstance(key, (list, tuple)) and any(isinstance(label, Group) for label in key):
            return [unwrapped(label) for label in key]
        return key

    def to_label(self) -> Any:
        return self.key

    def translate(self, bound: Any = None) -> Any:
        if not _is_real(self.axis):
            raise ValueError("Cannot translate an LGroup without axis")
        return self.axis.index(self.key)


class LSet(LGroup):
    """An ordered set of labels: ``|`` joins, ``&`` intersects, ``-`` takes away."""

    __slots__ = ()

    def __init__(self, key: Any, name: Any = None, axis: Any = None) -> None:
        super().__init__(key, name, axis)
        found = self.eval()
        if isinstance(found, np.ndarray):
            found = list(found.tolist() if found.dtype.kind != "M" else found)
        elif not isinstance(found, (list, tuple)):
            found = [found]
        self.key = list(dict.fromkeys(found))

    def _other(self, other: Any) -> list[Any]:
        if not isinstance(other, LSet):
            other = LSet(other, None, self.axis)
        return list(other.key)

    def set(self) -> LSet:
        return self

    def union(self, other: Any) -> LSet:
        return LSet([*self.key, *self._other(other)], None, self.axis)

    def intersection(self, other: Any) -> LSet:
        theirs = set(self._other(other))
        return LSet([label for label in self.key if label in theirs], None, self.axis)

    def difference(self, other: Any) -> LSet:
        theirs = set(self._other(other))
        return LSet([label for label in self.key if label not in theirs], None, self.axis)

    def __or__(self, other: Any) -> LSet:
        return self.union(other)

    def __and__(self, other: Any) -> LSet:
        return self.intersection(other)

    def __sub__(self, other: Any) -> LSet:
        return self.difference(other)

    def __repr__(self) -> str:
        if self.axis is None:
            text = f"LSet({key_text(self.key)})"
        else:
            text = f"{axis_text(self.axis)}[{key_text(self.key)}].set()"
        return text if self.name is None else f"{text} >> {self.name!r}"

    __hash__ = Group.__hash__


class IGroup(Group):
    """Positions of an axis: one, a list, or a slice.

    :param key: a number, numbers, or a slice
    """

    __slots__ = ()
    format_string = "{axis}.i[{key}]"

    def __init__(self, key: Any, name: Any = None, axis: Any = None) -> None:
        if isinstance(key, tuple):
            key = list(key)
        super().__init__(key, name, axis)

    def eval(self) -> Any:
        if not _is_real(self.axis):
            raise ValueError("Cannot evaluate a positional group without axis")
        return self.axis.labels[self.key]

    def to_label(self) -> Any:
        return self.eval()

    def translate(self, bound: Any = None) -> Any:
        return self.key

    def __hash__(self) -> int:
        return hash(("IGroup", hashable(self.key))) if not _is_real(self.axis) else super().__hash__()

    # Each class that hashes compares, too.
    __eq__ = Group.__eq__


class IGroupMaker:
    """What ``axis.i`` gives: groups by position."""

    __slots__ = ("axis",)

    def __init__(self, axis: Any) -> None:
        self.axis = axis

    def __getitem__(self, key: Any) -> IGroup:
        if isinstance(key, tuple):
            key = list(key)
        if not self.axis.is_reference:
            length = len(self.axis)
            numbers = key if isinstance(key, (list, np.ndarray)) else [key]
            for number in numbers:
                if isinstance(number, (int, np.integer)) and not -length <= number < length:
                    raise IndexError(f"{number} is out of range for axis of length {length}")
        return IGroup(key, None, self.axis)

    def __len__(self) -> int:
        return len(self.axis)


def parts_of(
    group: Any, labels: list[Any], length: int, step: int | None, template: str | None
) -> tuple[Group, ...]:
    """A group or an axis in parts of a length."""
    step = length if step is None else step
    template = "{start}:{end}" if template is None else template
    axis = group.axis if isinstance(group, Group) else group
    whole = not isinstance(group, Group) or isinstance(group.key, slice)
    offset = 0
    if isinstance(group, Group) and isinstance(group.key, slice) and labels:
        offset = axis.index(labels[0])
    parts: list[Group] = []
    for start in range(0, len(labels), step):
        chosen = labels[start:start + length]
        if len(chosen) > 1:
            name = template.format(start=chosen[0], end=chosen[-1])
        else:
            name = str(chosen[0])
        if whole:
            stop = min(start + length, len(labels))
            parts.append(IGroup(slice(offset + start, offset + stop), name, axis))
        else:
            parts.append(LGroup(chosen if len(chosen) > 1 else chosen[0], name, axis))
    return tuple(parts)
