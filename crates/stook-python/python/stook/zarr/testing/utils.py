"""Comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.buffer import Buffer

if TYPE_CHECKING:
    from ..core.common import BytesLike

__all__ = ["assert_bytes_equal"]


def assert_bytes_equal(b1: Buffer | BytesLike | None, b2: Buffer | BytesLike | None) -> None:
    """Fails unless two values have the same bytes, or both are ``None``."""
    first, second = (value.to_bytes() if isinstance(value, Buffer) else value for value in (b1, b2))
    assert first == second
