"""Memory of a GPU, which is not supported."""

from ..core.buffer.gpu import Buffer, NDBuffer, buffer_prototype

__all__ = ["Buffer", "NDBuffer", "buffer_prototype"]
