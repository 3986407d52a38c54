"""`CheckedSession`: a session whose class declares what it holds, checked when it is set; no pydantic is needed."""

from __future__ import annotations

import sys
from typing import Any, get_args, get_origin

import numpy as np

from stook.larray._array import Array
from stook.larray._axes import AxisCollection
from stook.larray._axis import Axis
from stook.larray._create import empty
from stook.larray._group import Group
from stook.larray._session import Session
from stook.larray._warn import warn

_UNSAFE = """
Array {name!r} was declared with dtype {declared} but got value with {given} dtype.

It will be converted to {declared} like in previous larray versions but this is 
not a safe operation (some information could be lost in the conversion). 

If you want to keep doing this conversion and silence this warning, please
convert the value explicitly using value.astype(<declared_type>). 

This warning will become an error in a future version of larray."""  # noqa: W291


class NotLoaded:
    """Stands for a declared object that was not given."""


_NOT_LOADED = NotLoaded()


class CheckedArrayDef:
    """What an array has to be: its axes, and the type of its elements."""

    __slots__ = ("axes", "dtype")

    def __init__(self, axes: AxisCollection, dtype: np.dtype) -> None:
        self.axes = axes
        self.dtype = dtype

    def checked(self, name: str, value: Any) -> Array:
        """The value as such an array.

        :raises TypeError: for what is neither an array nor a scalar
        :raises ValueError: for an array with other axes
        """
        if not isinstance(value, Array):
            if not np.isscalar(value):
                raise TypeError(f"Expected object of type 'Array' or a scalar for the variable '{name}' but got object "
                                f"of type '{type(value).__name__}'")
            found = empty(self.axes, dtype=self.dtype)
            try:
                found.data[...] = np.asarray(value).astype(self.dtype)
            except ValueError as error:
                raise ValueError(_assigning(name) + str(error)) from None
            return found
        unexpected = [axis for axis in value.axes if axis not in self.axes]
        if unexpected:
            plural = "axes" if len(unexpected) > 1 else "axis"
            raise ValueError(_assigning(name) + f"Array '{name}' was declared with axes {self.axes} but got array with "
                             f"axes {value.axes} (unexpected {AxisCollection(unexpected)} {plural})")
        for axis in value.axes:
            own = self.axes[axis]
            if not own.iscompatible(axis):
                raise ValueError(_assigning(name) + f"Incompatible axis for array '{name}':\n{axis!r}\nvs\n{own!r}")
        if value.dtype != self.dtype and not np.can_cast(value.dtype, self.dtype, casting="safe"):
            warn(_UNSAFE.format(name=name, declared=self.dtype, given=value.dtype))
        if value.dtype == self.dtype and value.axes == self.axes:
            return value
        found = empty(self.axes, dtype=self.dtype)
        try:
            found.data[...] = value.broadcast_with(self.axes).data.astype(self.dtype)
        except ValueError as error:
            raise ValueError(_assigning(name) + str(error)) from None
        return found


def CheckedArray(axes: Any, dtype: Any = float) -> Any:  # noqa: N802
    """Declares an array in a `CheckedSession`: its axes, which a value may lack, and its type.

    :param axes: axes, or what makes some
    :param dtype: the type of the elements; others are converted, with a warning where that may lose something
    """
    return CheckedArrayDef(axes if isinstance(axes, AxisCollection) else AxisCollection(axes), np.dtype(dtype))


def _assigning(name: str) -> str:
    return f"Error while assigning value to variable '{name}':\n"


def _annotations(cls: type, frame: Any) -> dict[str, Any]:
    """What a class declares, texts looked up where it was defined."""
    own = cls.__dict__.get("__annotations__")
    if own is None and sys.version_info >= (3, 14):
        import annotationlib  # type: ignore[import-not-found,unused-ignore]

        own = annotationlib.get_annotations(cls, format=annotationlib.Format.VALUE)
    found = {}
    for name, declared in (own or {}).items():
        if isinstance(declared, str):
            found[name] = _looked_up(cls, name, declared, frame)
        else:
            found[name] = declared
    return found


def _looked_up(cls: type, name: str, text: str, frame: Any) -> Any:
    """An annotation that is text because of ``from __future__ import annotations``: the program's own source."""
    module = sys.modules.get(cls.__module__)
    variables = {**vars(module)} if module is not None else {}
    if frame is not None:
        variables.update(frame.f_globals)
        variables.update(frame.f_locals)
    try:
        return eval(text, variables, dict(vars(cls)))  # noqa: S307
    except NameError as error:
        raise TypeError(f"the type of '{name}' in '{cls.__name__}' is not known: {error}") from None


class CheckedSession(Session):
    """A session whose class declares names and types of what it holds.

    A class attribute ``name: type = value`` declares an object, with or without a value; types are Python's,
    `Axis`, `Group`, `Array` and what `CheckedArray` gives.

    - a name that is not declared: ``UserWarning``
    - a value of another type: ``TypeError``, or ``ValueError`` for numbers and texts
    - an array with other axes: ``ValueError``
    """

    _declared: dict[str, Any] = {}
    _defaults: dict[str, Any] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            declared.update(base.__dict__.get("_declared", {}))
            defaults.update(base.__dict__.get("_defaults", {}))
        for name, kind in _annotations(cls, sys._getframe(1)).items():
            if not name.startswith("_"):
                declared[name] = kind
        for name, value in list(vars(cls).items()):
            if name.startswith("_") or callable(value) and name not in declared or isinstance(
                value, (property, classmethod, staticmethod)
            ):
                continue
            defaults[name] = value
            declared.setdefault(name, type(value))
            delattr(cls, name)
        cls._declared = declared
        cls._defaults = defaults

    def __init__(self, /, *args: Any, meta: Any = None, **kwargs: Any) -> None:
        object.__setattr__(self, "_ready", False)
        given = Session(*args, meta=meta, **kwargs)
        object.__setattr__(self, "_objects", {})
        object.__setattr__(self, "_meta", given._meta)
        for name in self._declared:
            if name in given._objects:
                self._put(name, given._objects[name])
            elif name in self._defaults:
                self._put(name, self._defaults[name])
            else:
                warn(f"No value passed for the declared variable '{name}'", UserWarning)
                self._objects[name] = _NOT_LOADED
        for name, value in given._objects.items():
            if name not in self._declared:
                self._put(name, value)
        object.__setattr__(self, "_ready", True)

    def _put(self, key: str, value: Any) -> None:
        if key not in self._declared:
            warn(f"'{key}' is not declared in '{type(self).__name__}'", UserWarning)
        elif value is not _NOT_LOADED:
            value = _checked(key, value, self._declared[key])
        self._objects[key] = value

    def _like(self, pairs: Any) -> Session:
        found = object.__new__(type(self))
        found.__setstate__({"_objects": {}, "_meta": Session()._meta, "_ready": True})
        for key, value in pairs:
            if key not in self._declared:
                warn(f"'{key}' is not declared in '{type(self).__name__}'", UserWarning)
            elif value is not _NOT_LOADED:
                try:
                    value = _checked(key, value, self._declared[key])
                except (TypeError, ValueError):
                    # The result of an operation need not be what was declared.
                    pass
            found._objects[key] = value
        return found

    def dict(self, exclude: Any = frozenset()) -> Any:
        """The objects by name, but for some."""
        return {key: value for key, value in self.items() if key not in exclude}


class CheckedParameters(CheckedSession):
    """A `CheckedSession` that does not change once it is made."""

    def _put(self, key: str, value: Any) -> None:
        if self._ready:
            raise TypeError(f"Cannot change the value of the variable '{key}' since '{type(self).__name__}' is immutable "
                            "and does not support item assignment")
        super()._put(key, value)

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"Cannot delete the variable '{key}' since '{type(self).__name__}' is immutable and does not "
                        "support item deletion")


def _checked(name: str, value: Any, kind: Any) -> Any:
    """A value of a declared type, converted where that loses nothing."""
    if isinstance(kind, CheckedArrayDef):
        return kind.checked(name, value)
    origin = get_origin(kind)
    if origin is not None:
        return _checked_generic(name, value, kind, origin)
    if kind is Any or not isinstance(kind, type):
        return value
    if isinstance(value, Group) and not issubclass(kind, Group):
        value = value.eval()
    if isinstance(value, np.generic) and not issubclass(kind, np.generic):
        value = value.item()
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int:
        return _integer(name, value)
    if kind is float:
        return _float(name, value)
    if kind is bool:
        if value in (0, 1):
            return bool(value)
        raise ValueError(_assigning(name) + "Input should be a valid boolean, unable to interpret input")
    if isinstance(value, kind):
        return value
    if kind is str:
        raise ValueError(_assigning(name) + "Input should be a valid string")
    raise TypeError(_assigning(name) + f"Input should be an instance of {kind.__name__}. Got input value of type "
                    f"'{type(value).__name__}'.")


def _checked_generic(name: str, value: Any, kind: Any, origin: Any) -> Any:
    import types
    from typing import Annotated, Union

    if origin is Annotated:
        return _checked(name, value, get_args(kind)[0])
    if origin is Union or origin is getattr(types, "UnionType", None):
        for one in get_args(kind):
            if one is type(None) and value is None:
                return value
            if isinstance(one, type) and isinstance(value, one):
                return value
        for one in get_args(kind):
            try:
                return _checked(name, value, one)
            except (TypeError, ValueError):
                continue
        raise TypeError(_assigning(name) + f"Input should be an instance of {kind}. Got input value of type "
                        f"'{type(value).__name__}'.")
    if isinstance(origin, type) and not isinstance(value, origin):
        raise ValueError(_assigning(name) + f"Input should be a valid {origin.__name__}")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise ValueError(_assigning(name) + "Input should be a valid integer, got a number with a fractional part")
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise ValueError(_assigning(name) + "Input should be a valid integer, unable to parse string as an integer"
                             ) from None
    raise ValueError(_assigning(name) + "Input should be a valid integer")


def _float(name: str, value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ValueError(_assigning(name) + "Input should be a valid number, unable to parse string as a number"
                             ) from None
    raise ValueError(_assigning(name) + "Input should be a valid number")


__all__ = ["Axis", "CheckedArray", "CheckedParameters", "CheckedSession"]
