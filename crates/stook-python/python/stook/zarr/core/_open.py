"""Where nodes are opened: the store that somebody names, and what lies in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..._errors import InvalidInputError, NotFoundError, UnsupportedError
from ..errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    MetadataValidationError,
    NodeNotFoundError,
    NodeTypeValidationError,
)
from ._consolidated import Consolidated
from ._engine import find_document, find_value, native_array, store_path_of
from ._group_state import group_from_document
from .array_spec import parse_array_config

if TYPE_CHECKING:
    from ..storage._common import StorePath
    from .array import AsyncArray
    from .array_spec import ArrayConfig
    from .group import AsyncGroup

__all__ = ["node_at", "node_of", "open_array_at", "open_group_at", "store_path_of"]

_DOCUMENTS = {2: ".zarray", 3: "zarr.json"}


def check_format(zarr_format: Any) -> None:
    """
    Raises
    ------
    MetadataValidationError
        If there is no such format.
    """
    if zarr_format not in (2, 3, None):
        raise MetadataValidationError(
            f"Invalid value for 'zarr_format'. Expected 2, 3, or None. Got '{zarr_format}'."
        )


def node_of(
    store_path: StorePath,
    raw: dict[str, Any],
    view: Consolidated | None = None,
    config: ArrayConfig | None = None,
) -> AsyncArray[Any] | AsyncGroup:
    """The node that a document describes; below a group, what is consolidated is its own, or
    that of a group above."""
    from .array import AsyncArray
    from .group import AsyncGroup

    if "shape" in raw or raw.get("node_type") == "array":
        array: AsyncArray[Any] = AsyncArray._of(store_path, raw=raw, config=config)
        return array
    if raw.get("zarr_format") == 3 and raw.get("node_type") != "group":
        raise MetadataValidationError(
            f"Invalid value for 'node_type'. Expected 'array' or 'group'. "
            f"Got '{raw.get('node_type')}'."
        )
    group: AsyncGroup = AsyncGroup._of(store_path, raw, view or Consolidated.of(raw))
    return group


def node_at(store_path: StorePath, zarr_format: Any = None) -> AsyncArray[Any] | AsyncGroup:
    """The node at a place.

    Raises
    ------
    NodeNotFoundError
        If there is none.
    """
    raw = find_document(store_path, zarr_format)
    if raw is None:
        raise NodeNotFoundError(
            f"No array or group in store {store_path.store!r} at path {store_path.path!r}."
        )
    return node_of(store_path, raw)


def open_array_at(store_path: StorePath, zarr_format: Any = None, config: Any = None) -> Any:
    """The array at a place.

    Raises
    ------
    ArrayNotFoundError
        If there is none.
    NodeTypeValidationError
        If there is a group.
    """
    from .array import AsyncArray

    check_format(zarr_format)
    config = parse_array_config(config)
    raw = None
    if zarr_format is not None:
        raw = find_document(store_path, zarr_format)
        if raw is None or (zarr_format == 2 and "shape" not in raw):
            raise _no_array(store_path, zarr_format)
    try:
        native = native_array(store_path, config)
    except NotFoundError:
        raise _no_array(store_path, zarr_format) from None
    except (InvalidInputError, UnsupportedError):
        raw = raw or find_document(store_path)
        if raw is None:
            raise
        if "shape" not in raw and raw.get("node_type") != "array":
            if raw.get("zarr_format") == 2:
                raise _no_array(store_path, zarr_format) from None
            raise NodeTypeValidationError(
                f"Invalid value for 'node_type'. Expected 'array'. Got '{raw.get('node_type')}'."
            ) from None
        # In zarr's words, where they are wrong for zarr, too.
        AsyncArray._of(store_path, raw=raw).metadata  # noqa: B018
        raise
    return AsyncArray._of(store_path, native=native, raw=raw, config=config)


def _no_array(store_path: StorePath, zarr_format: Any) -> ArrayNotFoundError:
    what = {2: "A Zarr V2", 3: "A Zarr V3"}.get(zarr_format)
    place = f"in store {store_path.store!r} at path {store_path.path!r}"
    if what is None:
        return ArrayNotFoundError(
            f"Neither Zarr V3 nor Zarr V2 array metadata documents were found {place}."
        )
    return ArrayNotFoundError(f"{what} array metadata document was not found {place}.")


def open_group_at(
    store_path: StorePath, zarr_format: Any = None, use_consolidated: bool | str | None = None
) -> AsyncGroup:
    """The group at a place.

    Raises
    ------
    GroupNotFoundError
        If there is none.
    ContainsArrayError
        If there is an array.
    ValueError
        If consolidated metadata is asked for and there is none.
    """
    check_format(zarr_format)
    if not getattr(store_path.store, "supports_consolidated_metadata", True):
        if use_consolidated:
            name = type(store_path.store).__name__
            raise ValueError(
                f"The Zarr store in use ({name}) doesn't support consolidated metadata."
            )
        use_consolidated = False
    raw = find_document(store_path, zarr_format)
    if raw is None or (raw.get("zarr_format") == 2 and "shape" in raw):
        raise GroupNotFoundError(f"could not find zarr.json or .zgroup objects in {store_path}")
    if raw.get("zarr_format") == 2:
        return _open_v2(store_path, raw, use_consolidated)
    if not isinstance(use_consolidated, (bool, type(None))):
        raise TypeError("use_consolidated must be a bool or None for Zarr format 3.")
    if use_consolidated and raw.get("consolidated_metadata") is None:
        raise ValueError(
            "Consolidated metadata requested with 'use_consolidated=True' but not found in "
            f"'{store_path.path}'."
        )
    if use_consolidated is False:
        raw.pop("consolidated_metadata", None)
    return group_from_document(store_path, raw)


def _open_v2(
    store_path: StorePath, raw: dict[str, Any], use_consolidated: bool | str | None
) -> AsyncGroup:
    from .group import AsyncGroup

    key = use_consolidated if isinstance(use_consolidated, str) else ".zmetadata"
    text = None if use_consolidated is False else find_value(store_path / key)
    if text is None and use_consolidated:
        raise ValueError(key)
    view = None
    if text is not None:
        try:
            view = Consolidated.of_v2(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"`{key}` is no JSON: {error}") from error
    group: AsyncGroup = AsyncGroup._of(store_path, raw, view)
    return group
