"""Memory of a GPU, which this package does not use: the classes are there to say so."""

from __future__ import annotations

from typing import Any

from . import core, cpu

_MESSAGE = "memory of a GPU is not supported; read into memory of numpy, then copy"


class Buffer(cpu.Buffer):
    """Flat bytes on a GPU: not supported."""

    def __init__(self, array_like: Any) -> None:
        raise NotImplementedError(_MESSAGE)


class NDBuffer(cpu.NDBuffer):
    """Elements on a GPU: not supported."""

    def __init__(self, array: Any) -> None:
        raise NotImplementedError(_MESSAGE)


buffer_prototype = core.BufferPrototype(buffer=Buffer, nd_buffer=NDBuffer)
