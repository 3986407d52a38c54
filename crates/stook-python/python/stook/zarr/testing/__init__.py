"""Help for tests of stores and of what uses them."""

from .utils import assert_bytes_equal

__all__ = ["assert_bytes_equal"]
