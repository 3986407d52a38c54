"""Arrays seen in another way: as another dtype, or one field of structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._errors import DTypeError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import DTypeLike

    from ._array import Array

_Names = str | list[str]


class View:
    """An array, read as another dtype, or some fields of it. Nothing is read before it is
    indexed; indices are those of the array.

    >>> f = getfixture("file")
    >>> a = f.create_array("a", np.array([(1, 2.5), (3, 4.5)], "i4,f8"))
    >>> a.fields["f1"][:]
    array([2.5, 4.5])
    >>> a.fields["f1"][0] = -1
    >>> a.fields["f1"].astype("int8")[...]
    array([-1,  4], dtype=int8)
    """

    __slots__ = ("_array", "_dtype", "_names")

    def __init__(
        self, array: Array, names: _Names | None = None, dtype: np.dtype[Any] | None = None
    ) -> None:
        self._array = array
        self._names = names
        self._dtype = dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the array's axes. (A field that is an array itself adds its own.)"""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """The number of items."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of what is read."""
        if self._dtype is not None:
            return self._dtype
        own = self._array.dtype
        return own if self._names is None else own[self._names]

    def astype(self, dtype: DTypeLike) -> View:
        """The same, read as another dtype."""
        return View(self._array, self._names, np.dtype(dtype))

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        for item in self._array:
            yield self._seen(np.asarray(item))[()]

    def __getitem__(self, key: Any) -> Any:
        return self._seen(np.asarray(self._array[key]))[()]

    def __setitem__(self, key: Any, values: Any) -> None:
        """Writes fields: items are read, changed and written, which is not one step for another
        writer of the same items."""
        if self._names is None or self._dtype is not None:
            raise InvalidInputError("a view as another dtype is for reading: write the array")
        items = np.array(self._array[key])
        items[self._names] = values
        self._array[key] = items

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All items."""
        if copy is False:
            raise ValueError("the items lie in a file: reading them makes a copy")
        found = self._seen(np.asarray(self._array))
        return found if dtype is None else found.astype(dtype, copy=False)

    def _seen(self, found: NDArray[Any]) -> NDArray[Any]:
        if self._names is not None:
            found = found[self._names]
        return found if self._dtype is None else recast(found, self._dtype)

    def __repr__(self) -> str:
        names = "" if self._names is None else f"{self._names!r} of "
        return f"<View of {names}{self._array!r} as {self.dtype}>"


class Fields:
    """The fields of an array of structs: ``array.fields["x"]``, ``array.fields["x", "y"]``."""

    __slots__ = ("_array",)

    def __init__(self, array: Array) -> None:
        self._array = array

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields; none where the items are no structs."""
        return self._array.dtype.names or ()

    def __getitem__(self, names: str | Sequence[str]) -> View:
        wanted: _Names = names if isinstance(names, str) else list(names)
        for name in [wanted] if isinstance(wanted, str) else wanted:
            if name not in self.names:
                array = self._array
                message = f"there is no field `{name}`"
                raise NotFoundError(message, file=array.file, node=array.path)
        return View(self._array, wanted)

    def __call__(self, *names: str) -> View:
        return self[names[0] if len(names) == 1 else names]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Fields {', '.join(self.names)} of {self._array!r}>"


def recast(found: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """``found`` as another dtype; text that is bytes is decoded."""
    if dtype.kind in "UT":
        if found.dtype.kind == "S":
            found = np.strings.decode(found, "utf-8", "surrogateescape")
        elif found.dtype.kind == "O" and dict(found.dtype.metadata or {}).get("vlen") is bytes:
            decoded = [item.decode("utf-8", "surrogateescape") for item in found.flat]
            found = np.array(decoded, object).reshape(found.shape)
    try:
        return found.astype(dtype, copy=False)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"items of type {found.dtype} cannot become {dtype}: {error}") from None
