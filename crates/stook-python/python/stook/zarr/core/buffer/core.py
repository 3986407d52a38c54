"""The abstract classes of memory: flat bytes, and arrays of n axes."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    SupportsIndex,
    runtime_checkable,
)

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ...codecs.bytes import Endian
    from ..common import BytesLike

__all__: list[str] = []


@runtime_checkable
class ArrayLike(Protocol):
    """What a :class:`Buffer` may lie in."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    def __getitem__(self, key: slice) -> Self: ...
    def __setitem__(self, key: slice, value: Any) -> None: ...


@runtime_checkable
class NDArrayLike(Protocol):
    """What an :class:`NDBuffer` may lie in: an array of numpy, or one that behaves so."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: slice) -> Self: ...
    def __setitem__(self, key: slice, value: Any) -> None: ...
    def __array__(self) -> npt.NDArray[Any]: ...
    def reshape(
        self, shape: tuple[int, ...] | Literal[-1], *, order: Literal["A", "C", "F"] = ...
    ) -> Self: ...
    def view(self, dtype: npt.DTypeLike) -> Self: ...
    def astype(
        self, dtype: npt.DTypeLike, order: Literal["K", "A", "C", "F"] = ..., *, copy: bool = ...
    ) -> Self: ...
    def fill(self, value: Any) -> None: ...
    def copy(self) -> Self: ...
    def transpose(self, axes: SupportsIndex | Sequence[SupportsIndex] | None) -> Self: ...
    def ravel(self, order: Literal["K", "A", "C", "F"] = ...) -> Self: ...
    def all(self) -> bool: ...
    def __eq__(self, other: object) -> Self: ...  # type: ignore[override]


ScalarType = int | float | complex | bytes | str | bool | np.generic
NDArrayLikeOrScalar = ScalarType | NDArrayLike

_NOT_NUMBERS = ("U", "S", "T", "O", "V")


def check_item_key_is_1d_contiguous(key: Any) -> None:
    """Refuses all keys but slices without a step."""
    if not isinstance(key, slice):
        found = key.__class__.__name__
        raise TypeError(f"Item key has incorrect type (expected slice, got {found})")
    if key.step not in (None, 1):
        raise ValueError("slice must be contiguous")


class Buffer(ABC):
    """Flat bytes in an array of one axis; the array is referred to, not copied."""

    def __init__(self, array_like: ArrayLike) -> None:
        if array_like.ndim != 1:
            raise ValueError("array_like: only 1-dim allowed")
        if array_like.dtype != np.dtype("B"):
            raise ValueError("array_like: only byte dtype allowed")
        self._data = array_like

    @classmethod
    @abstractmethod
    def create_zero_length(cls) -> Self:
        """An empty buffer."""
        raise NotImplementedError("Cannot call abstract method on the abstract class 'Buffer'")

    @classmethod
    def from_array_like(cls, array_like: ArrayLike) -> Self:
        """A buffer in an array of bytes of one axis."""
        return cls(array_like)

    @classmethod
    @abstractmethod
    def from_buffer(cls, buffer: Buffer) -> Self:
        """The content of another buffer, which may be of another class."""
        raise NotImplementedError("Cannot call abstract method on the abstract class 'Buffer'")

    @classmethod
    @abstractmethod
    def from_bytes(cls, bytes_like: BytesLike) -> Self:
        """A buffer of ``bytes`` and the like."""
        raise NotImplementedError("Cannot call abstract method on the abstract class 'Buffer'")

    def as_array_like(self) -> ArrayLike:
        """The array; never a copy."""
        return self._data

    @abstractmethod
    def as_numpy_array(self) -> npt.NDArray[Any]:
        """The bytes as an array of numpy; a copy if they are elsewhere."""
        ...

    def as_buffer_like(self) -> BytesLike:
        """The bytes as an object of the buffer protocol."""
        return self.as_numpy_array().data

    def to_bytes(self) -> bytes:
        """A copy as ``bytes``."""
        return bytes(self.as_numpy_array())

    def __getitem__(self, key: slice) -> Self:
        check_item_key_is_1d_contiguous(key)
        return self.__class__(self._data[key])

    def __setitem__(self, key: slice, value: Any) -> None:
        check_item_key_is_1d_contiguous(key)
        self._data[key] = value

    def __len__(self) -> int:
        return self._data.size

    @abstractmethod
    def combine(self, others: Iterable[Buffer]) -> Self:
        """These bytes and those of others behind them."""
        ...

    def __add__(self, other: Buffer) -> Self:
        return self.combine([other])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buffer) and np.array_equal(
            self.as_numpy_array(), other.as_numpy_array()
        )

    __hash__ = None  # type: ignore[assignment]


class NDBuffer:
    """Elements in an array of n axes; the array is referred to, not copied."""

    def __init__(self, array: NDArrayLike | npt.NDArray[Any]) -> None:
        self._data: Any = array

    @classmethod
    def create(
        cls,
        *,
        shape: Iterable[int],
        dtype: npt.DTypeLike,
        order: Literal["C", "F"] = "C",
        fill_value: Any | None = None,
    ) -> Self:
        """A new buffer, filled with ``fill_value`` or zeros."""
        raise NotImplementedError("Cannot call abstract method on the abstract class 'NDBuffer'")

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], dtype: npt.DTypeLike, order: Literal["C", "F"] = "C"
    ) -> Self:
        """A new buffer whose elements may be anything."""
        return cls.create(shape=shape, dtype=dtype, order=order)

    @classmethod
    def from_ndarray_like(cls, ndarray_like: NDArrayLike | npt.NDArray[Any]) -> Self:
        """A buffer in an array."""
        return cls(ndarray_like)

    @classmethod
    def from_numpy_array(cls, array_like: npt.ArrayLike) -> Self:
        """A buffer in what numpy makes an array of."""
        raise NotImplementedError("Cannot call abstract method on the abstract class 'NDBuffer'")

    def as_ndarray_like(self) -> NDArrayLike:
        """The array; never a copy."""
        array: NDArrayLike = self._data
        return array

    def as_numpy_array(self) -> npt.NDArray[Any]:
        """The elements as an array of numpy; a copy if they are elsewhere."""
        raise NotImplementedError

    def as_scalar(self) -> ScalarType:
        """The only element."""
        if self._data.size != 1:
            raise ValueError("Buffer does not contain a single scalar value")
        scalar: Any = self.as_numpy_array()[()]
        return scalar  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def byteorder(self) -> Endian:
        from ...codecs.bytes import Endian

        names = {"<": "little", ">": "big"}
        return Endian(names.get(self.dtype.byteorder, sys.byteorder))

    def reshape(self, newshape: tuple[int, ...] | Literal[-1]) -> Self:
        return self.__class__(self._data.reshape(newshape))

    def squeeze(self, axis: tuple[int, ...]) -> Self:
        kept = tuple(length for at, length in enumerate(self.shape) if at not in axis)
        return self.__class__(self._data.reshape(kept))

    def astype(self, dtype: npt.DTypeLike, order: Literal["K", "A", "C", "F"] = "K") -> Self:
        return self.__class__(self._data.astype(dtype=dtype, order=order))

    def __getitem__(self, key: Any) -> Self:
        raise NotImplementedError

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"<NDBuffer shape={self.shape} dtype={self.dtype} {self._data!r}>"

    def all_equal(self, other: Any, equal_nan: bool = True) -> bool:
        """Whether every element is ``other``; 0.0 and -0.0 differ, ``None`` is no element."""
        if other is None:
            return False
        is_text = self._data.dtype.kind in _NOT_NUMBERS
        if np.asarray(other).dtype.kind == "f" and other == 0.0 and not is_text:
            own, value = np.broadcast_arrays(self._data, np.asarray(other, self._data.dtype))
            bits = f"V{own.dtype.itemsize}"
            return np.array_equal(own.view(bits), value.view(bits))
        own, value = np.broadcast_arrays(self._data, other)
        return np.array_equal(own, value, equal_nan=equal_nan and not is_text)

    def fill(self, value: Any) -> None:
        self._data.fill(value)

    def copy(self) -> Self:
        return self.__class__(self._data.copy())

    def transpose(self, axes: SupportsIndex | Sequence[SupportsIndex] | None) -> Self:
        return self.__class__(self._data.transpose(axes))


class BufferPrototype(NamedTuple):
    """Which classes new memory is to be of."""

    buffer: type[Buffer]
    nd_buffer: type[NDBuffer]


def default_buffer_prototype() -> BufferPrototype:
    """The classes that the configuration names."""
    from ...registry import get_buffer_class, get_ndbuffer_class

    return BufferPrototype(buffer=get_buffer_class(), nd_buffer=get_ndbuffer_class())
