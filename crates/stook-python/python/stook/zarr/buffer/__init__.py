"""Memory of numpy and, in name, of a GPU."""

from ..core.buffer import default_buffer_prototype
from . import cpu, gpu

__all__ = ["cpu", "default_buffer_prototype", "gpu"]
