"""What the stores of this machine share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..abc.store import ByteRequest, Store
from ..core.buffer import default_buffer_prototype

if TYPE_CHECKING:
    from ..core.buffer import BufferPrototype


class HostStore(Store):
    """A store whose values may be read without saying what buffers they come in."""

    async def _get_bytes(
        self,
        key: str = "",
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> bytes:
        prototype = prototype or default_buffer_prototype()
        return await super()._get_bytes(key, prototype=prototype, byte_range=byte_range)

    def _get_bytes_sync(
        self,
        key: str = "",
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> bytes:
        prototype = prototype or default_buffer_prototype()
        return super()._get_bytes_sync(key, prototype=prototype, byte_range=byte_range)

    async def _get_json(
        self,
        key: str = "",
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Any:
        prototype = prototype or default_buffer_prototype()
        return await super()._get_json(key, prototype=prototype, byte_range=byte_range)

    def _get_json_sync(
        self,
        key: str = "",
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Any:
        prototype = prototype or default_buffer_prototype()
        return super()._get_json_sync(key, prototype=prototype, byte_range=byte_range)
