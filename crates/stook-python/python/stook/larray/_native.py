"""Sessions in binary files and workbooks, which the library reads and writes."""

from __future__ import annotations

from typing import Any


def load(path: str, engine: str, names: list[str] | None) -> tuple[list[tuple[str, Any]], Any]:
    """The objects of a file and its metadata."""
    raise NotImplementedError(f"loading sessions by {engine}")


def save(path: str, engine: str, items: list[tuple[str, Any]], meta: Any, overwrite: bool, options: dict[str, Any]
         ) -> None:
    """Saves objects and metadata to a file, as a whole or not at all."""
    raise NotImplementedError(f"saving sessions by {engine}")
