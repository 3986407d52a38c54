"""What both versions of array metadata share."""

from __future__ import annotations

import json
from typing import Any

from ..config import config

__all__ = ["document_bytes", "parse_attributes"]


def parse_attributes(data: dict[str, Any] | None) -> dict[str, Any]:
    """The attributes; none of None."""
    return {} if data is None else data


def document_bytes(document: dict[str, Any]) -> bytes:
    """A document as it is stored."""
    return json.dumps(document, indent=config.get("json_indent"), allow_nan=True).encode()
