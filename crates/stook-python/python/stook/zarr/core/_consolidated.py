"""Consolidated metadata as it is read: documents by paths, looked up and never parsed whole."""

from __future__ import annotations

import json
from typing import Any


class Consolidated:
    """The documents of all nodes below a group. That of a group below is a view of the same."""

    __slots__ = ("_children", "_docs", "_prefix")

    def __init__(
        self,
        docs: dict[str, dict[str, Any]],
        children: dict[str, list[str]] | None = None,
        prefix: str = "",
    ) -> None:
        self._docs = docs
        self._prefix = prefix
        if children is None:
            children = {}
            for path in docs:
                children.setdefault(path.rpartition("/")[0], []).append(path)
        self._children = children

    @classmethod
    def of(cls, document: dict[str, Any]) -> Consolidated | None:
        """The consolidated metadata in a group's document, if there is any."""
        found = document.get("consolidated_metadata")
        if not found:
            return None
        kind = found.get("kind")
        if kind != "inline":
            raise ValueError(f"Consolidated metadata kind='{kind}' is not supported.")
        docs = found.get("metadata")
        if not isinstance(docs, dict):
            raise TypeError(f"Unexpected type for 'metadata': {type(docs)}")
        for path, doc in docs.items():
            if not isinstance(doc, dict):
                kind = type(doc).__name__
                raise TypeError(f"Invalid value for metadata items. key='{path}', type='{kind}'")
        return cls(docs)

    @classmethod
    def of_v2(cls, text: bytes | str) -> Consolidated:
        """What a `.zmetadata` holds."""
        docs: dict[str, dict[str, Any]] = {}
        for key, doc in json.loads(text)["metadata"].items():
            path, _, kind = key.rpartition("/")
            if path == "":
                continue
            if kind == ".zattrs":
                docs.setdefault(path, {})["attributes"] = doc
            elif kind in (".zarray", ".zgroup"):
                own = {name: part for name, part in doc.items() if name != "consolidated_metadata"}
                docs.setdefault(path, {}).update(own)
            else:
                raise ValueError(f"Invalid file type '{kind}' at path '{path}")
        # Attributes without a node are none of ours.
        return cls({path: doc for path, doc in docs.items() if "zarr_format" in doc})

    def _at(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def get(self, path: str) -> dict[str, Any] | None:
        """The document of the node at a path."""
        return self._docs.get(self._at(path))

    def names(self) -> list[str]:
        """The names of the nodes directly below."""
        return [path.rpartition("/")[2] for path in self._children.get(self._prefix, ())]

    def below(self, path: str) -> Consolidated:
        """What is known of the nodes below a node."""
        return Consolidated(self._docs, self._children, self._at(path))

    def document(self) -> dict[str, Any]:
        """The form in which a group's document has it."""
        start = self._prefix + "/" if self._prefix else ""
        docs = {
            path[len(start) :]: {k: v for k, v in doc.items() if k != "consolidated_metadata"}
            for path, doc in self._docs.items()
            if path.startswith(start)
        }
        for doc in docs.values():
            if "shape" not in doc:
                doc["consolidated_metadata"] = {
                    "kind": "inline",
                    "must_understand": False,
                    "metadata": {},
                }
        return {"kind": "inline", "must_understand": False, "metadata": docs}

    def __reduce__(self) -> Any:
        return Consolidated, (self._docs, None, self._prefix)
