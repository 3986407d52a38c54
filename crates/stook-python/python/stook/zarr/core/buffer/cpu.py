"""Memory in arrays of numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ...registry import register_buffer, register_ndbuffer
from . import core

if TYPE_CHECKING:
    from ..common import BytesLike
    from .core import ArrayLike, NDArrayLike


class Buffer(core.Buffer):
    """Flat bytes in an array of numpy."""

    def __init__(self, array_like: ArrayLike) -> None:
        super().__init__(array_like)

    @classmethod
    def create_zero_length(cls) -> Self:
        return cls(np.array([], dtype="B"))

    @classmethod
    def from_buffer(cls, buffer: core.Buffer) -> Self:
        return cls.from_array_like(buffer.as_numpy_array())

    @classmethod
    def from_bytes(cls, bytes_like: BytesLike) -> Self:
        return cls.from_array_like(np.frombuffer(bytes_like, dtype="B"))

    def as_numpy_array(self) -> npt.NDArray[Any]:
        return np.asanyarray(self._data)

    def combine(self, others: Iterable[core.Buffer]) -> Self:
        parts = [self.as_numpy_array()]
        for other in others:
            array = other.as_array_like()
            if array.dtype != np.dtype("B"):
                raise TypeError(f"expected bytes, found items of {array.dtype}")
            parts.append(np.asanyarray(array))
        return self.__class__(np.concatenate(parts))


class NDBuffer(core.NDBuffer):
    """Elements in an array of numpy."""

    def __init__(self, array: NDArrayLike | npt.NDArray[Any]) -> None:
        super().__init__(array)

    @classmethod
    def create(
        cls,
        *,
        shape: Iterable[int],
        dtype: npt.DTypeLike,
        order: Literal["C", "F"] = "C",
        fill_value: Any | None = None,
    ) -> Self:
        shape = tuple(shape)
        if fill_value is None or (isinstance(fill_value, int) and fill_value == 0):
            return cls(np.zeros(shape, dtype, order))
        return cls(np.full(shape, fill_value, dtype, order))

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], dtype: npt.DTypeLike, order: Literal["C", "F"] = "C"
    ) -> Self:
        return cls(np.empty(shape, dtype, order))

    @classmethod
    def from_numpy_array(cls, array_like: npt.ArrayLike) -> Self:
        return cls.from_ndarray_like(np.asanyarray(array_like))

    def as_numpy_array(self) -> npt.NDArray[Any]:
        return np.asanyarray(self._data)

    def __getitem__(self, key: Any) -> Self:
        return self.__class__(np.asanyarray(self._data[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._data[key] = value._data if isinstance(value, NDBuffer) else value


def as_numpy_array_wrapper(
    func: Callable[[npt.NDArray[Any]], bytes], buf: core.Buffer, prototype: core.BufferPrototype
) -> core.Buffer:
    """A buffer of what ``func`` makes of the bytes of ``buf``."""
    return prototype.buffer.from_bytes(func(buf.as_numpy_array()))


buffer_prototype = core.BufferPrototype(buffer=Buffer, nd_buffer=NDBuffer)


def numpy_buffer_prototype() -> core.BufferPrototype:
    """Memory in arrays of numpy, whatever the configuration says."""
    return buffer_prototype


for _module in ("zarr.buffer.cpu", "zarr.core.buffer.cpu"):
    register_buffer(Buffer, qualname=f"{_module}.Buffer")
    register_ndbuffer(NDBuffer, qualname=f"{_module}.NDBuffer")
