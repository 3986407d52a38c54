"""Memory and a store of classes of their own, to test that those are kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ..core.buffer import Buffer, BufferPrototype, cpu
from ..storage import MemoryStore

if TYPE_CHECKING:
    from ..abc.store import ByteRequest

__all__ = ["NDBufferUsingTestNDArrayLike", "StoreExpectingTestBuffer", "TestBuffer"]


class TestNDArrayLike(np.ndarray):
    """An array that is none of numpy's own."""

    __test__ = False


class TestBuffer(cpu.Buffer):
    """Bytes of a class of their own."""

    __test__ = False


class NDBufferUsingTestNDArrayLike(cpu.NDBuffer):
    """Elements in a :class:`TestNDArrayLike`."""

    @classmethod
    def create(
        cls,
        *,
        shape: Iterable[int],
        dtype: npt.DTypeLike,
        order: Literal["C", "F"] = "C",
        fill_value: Any | None = None,
    ) -> Self:
        buffer = cls(TestNDArrayLike(shape=tuple(shape), dtype=dtype, order=order))
        if fill_value is not None:
            buffer.fill(fill_value)
        return buffer

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], dtype: npt.DTypeLike, order: Literal["C", "F"] = "C"
    ) -> Self:
        return cls.create(shape=shape, dtype=dtype, order=order)


class StoreExpectingTestBuffer(MemoryStore):
    """Wants a :class:`TestBuffer` for all but metadata."""

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        if "json" not in key:
            assert isinstance(value, TestBuffer)
        await super().set(key, value, byte_range)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        if "json" not in key:
            assert prototype is not None and prototype.buffer is TestBuffer
        return await super().get(key=key, prototype=prototype, byte_range=byte_range)
