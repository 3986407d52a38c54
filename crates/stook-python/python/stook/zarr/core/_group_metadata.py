"""The metadata of groups, with those of all nodes below where they are consolidated."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..abc.metadata import Metadata
from ..errors import MetadataValidationError
from .config import config
from .metadata import ArrayV2Metadata, ArrayV3Metadata

if TYPE_CHECKING:
    from .common import ZarrFormat

__all__ = ["ConsolidatedMetadata", "GroupMetadata"]


def parse_zarr_format(data: Any) -> ZarrFormat:
    """
    Raises
    ------
    ValueError
        If there is no such format.
    """
    if data == 2:
        return 2
    if data == 3:
        return 3
    raise ValueError(f"Invalid zarr_format. Expected one of 2 or 3. Got {data}.")


def parse_attributes(data: Any) -> dict[str, Any]:
    """
    Raises
    ------
    TypeError
        If it is no dict with texts as keys.
    """
    if data is None:
        return {}
    if isinstance(data, dict) and all(isinstance(key, str) for key in data):
        return data
    raise TypeError(f"Expected dict with string keys. Got {type(data)} instead.")


@dataclass(frozen=True)
class ConsolidatedMetadata:
    """The metadata of the nodes directly below a group; those of groups have their own."""

    metadata: dict[str, Any]
    kind: Literal["inline"] = "inline"
    must_understand: Literal[False] = False

    @property
    def flattened_metadata(self) -> dict[str, Any]:
        """The metadata of all nodes below by their paths; groups with none of their own."""
        found: dict[str, Any] = {}
        for name, node in self.metadata.items():
            inner = getattr(node, "consolidated_metadata", None)
            if not isinstance(node, GroupMetadata):
                found[name] = node
            elif inner is None:
                found[name] = replace(node, consolidated_metadata=None)
            else:
                found[name] = replace(node, consolidated_metadata=ConsolidatedMetadata({}))
                for path, below in inner.flattened_metadata.items():
                    found[f"{name}/{path}"] = below
        return found

    def to_dict(self) -> dict[str, Any]:
        """The document: flat, nodes above before those below."""

        def order(path: str) -> tuple[int, str]:
            return path.count("/"), unicodedata.normalize("NFKC", path).casefold()

        flat = self.flattened_metadata
        nodes = {path: flat[path].to_dict() for path in sorted(flat, key=order)}
        return {"kind": self.kind, "must_understand": self.must_understand, "metadata": nodes}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ConsolidatedMetadata:
        """The consolidated metadata of a document.

        Raises
        ------
        ValueError, TypeError
            If it is none.
        """
        if data.get("kind") != "inline":
            raise ValueError(f"Consolidated metadata kind='{data.get('kind')}' is not supported.")
        raw = data.get("metadata")
        if not isinstance(raw, dict):
            raise TypeError(f"Unexpected type for 'metadata': {type(raw)}")
        nodes = {path: _node(path, doc) for path, doc in raw.items()}
        return cls(_nested(nodes))


def _node(path: str, doc: Any) -> Any:
    if not isinstance(doc, dict):
        kind = type(doc).__name__
        raise TypeError(f"Invalid value for metadata items. key='{path}', type='{kind}'")
    if parse_zarr_format(doc.get("zarr_format")) == 2:
        is_array = "shape" in doc
        return ArrayV2Metadata.from_dict(doc) if is_array else GroupMetadata.from_dict(doc)
    match doc.get("node_type"):
        case "group":
            return GroupMetadata.from_dict(doc)
        case "array":
            return ArrayV3Metadata.from_dict(doc)
        case other:
            raise MetadataValidationError(
                f"Invalid value for 'node_type'. Expected 'array' or 'group'. Got '{other}'."
            )


def _nested(nodes: dict[str, Any]) -> dict[str, Any]:
    """Nodes by their names, those of groups within them."""
    levels: dict[str, dict[str, Any]] = {"": {}}
    for path in sorted(nodes, key=lambda path: path.count("/")):
        parent, _, name = path.rpartition("/")
        node = nodes[path]
        if isinstance(node, GroupMetadata):
            below: dict[str, Any] = {}
            levels[path] = below
            node = replace(node, consolidated_metadata=ConsolidatedMetadata(below))
        # A node whose group is not there cannot be reached.
        levels.setdefault(parent, {})[name] = node
    return levels[""]


@dataclass(frozen=True)
class GroupMetadata(Metadata):
    """The metadata of a group."""

    attributes: dict[str, Any] = field(default_factory=dict)
    zarr_format: ZarrFormat = 3
    consolidated_metadata: ConsolidatedMetadata | None = None
    node_type: Literal["group"] = field(default="group", init=False)

    def __init__(
        self,
        attributes: dict[str, Any] | None = None,
        zarr_format: ZarrFormat = 3,
        consolidated_metadata: ConsolidatedMetadata | None = None,
    ) -> None:
        object.__setattr__(self, "attributes", parse_attributes(attributes))
        object.__setattr__(self, "zarr_format", parse_zarr_format(zarr_format))
        object.__setattr__(self, "consolidated_metadata", consolidated_metadata)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GroupMetadata:
        """The metadata of a document."""
        data = dict(data)
        kind = data.pop("node_type", None)
        assert kind in ("group", None), f"expected a group, found {kind}"
        consolidated = data.pop("consolidated_metadata", None)
        if consolidated:
            data["consolidated_metadata"] = ConsolidatedMetadata.from_dict(consolidated)
        if data.get("zarr_format") in (2, None):
            known = ("attributes", "zarr_format", "consolidated_metadata")
            data = {name: value for name, value in data.items() if name in known}
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """The document, of version 2 with its attributes."""
        found: dict[str, Any] = {
            "attributes": dict(self.attributes),
            "zarr_format": self.zarr_format,
            "node_type": self.node_type,
        }
        if self.consolidated_metadata is not None:
            found["consolidated_metadata"] = self.consolidated_metadata.to_dict()
        return found

    def to_buffer_dict(self, prototype: Any) -> dict[str, Any]:
        """The documents by the names of their keys, as buffers."""
        indent = config.get("json_indent")

        def buffer(doc: dict[str, Any]) -> Any:
            return prototype.buffer.from_bytes(json.dumps(doc, indent=indent).encode())

        if self.zarr_format == 3:
            return {"zarr.json": buffer(self.to_dict())}
        own = {".zgroup": {"zarr_format": 2}, ".zattrs": self.attributes}
        found = {name: buffer(doc) for name, doc in own.items()}
        if self.consolidated_metadata:
            docs: dict[str, Any] = dict(own)
            for path, doc in self.consolidated_metadata.to_dict()["metadata"].items():
                docs[f"{path}/.zattrs"] = doc.pop("attributes", {})
                if "shape" in doc:
                    docs[f"{path}/.zarray"] = doc
                else:
                    below = {"metadata": {}, "must_understand": False, "kind": "inline"}
                    docs[f"{path}/.zgroup"] = {"zarr_format": 2, "consolidated_metadata": below}
            found[".zmetadata"] = buffer({"metadata": docs, "zarr_consolidated_format": 1})
        return found
