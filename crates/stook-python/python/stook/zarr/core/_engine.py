"""The engine below arrays and groups: one open tree for each store, nodes by their paths.

What the library raises becomes what zarr raises where both have a word for it.
"""

from __future__ import annotations

import json
import math
import os
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..._errors import AlreadyExistsError, InvalidInputError, NotFoundError
from ..._stook import Tree
from ..errors import ContainsArrayError, ContainsGroupError
from ..registry import has_foreign_codecs
from ..storage import LocalStore, MemoryStore
from ..storage._common import StorePath, make_store_path
from ..storage._native import native
from ..storage._native import tree as tree_in
from ._files import FileStore, open_file
from .config import config as zarr_config
from .sync import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..._stook import Array as NativeArray
    from .array_spec import ArrayConfig

#: The trees of stores that are in use; a process that was forked opens its own.
_TREES: dict[int, tuple[weakref.ref[Any], bool, Tree]] = {}
#: Those of stores that are written in Python, which their trees keep alive: a few of them.
_BRIDGED: list[int] = []
_N_BRIDGED = 4
#: The trees of places that several stores may name, and by how many they are used: so that all
#: handles to an array see one shape.
_SHARED: dict[tuple[int, str, bool], list[Any]] = {}


def tree_of(store: Any) -> Tree:
    """The tree in a store. It is opened once for a store, and may be empty."""
    if isinstance(store, FileStore):
        return store.tree
    found = _TREES.get(id(store))
    read_only: bool = store.read_only
    if found is not None and found[0]() is store and found[1] == read_only:
        return found[2]
    return _open_tree(store, read_only)


def _open_tree(store: Any, read_only: bool) -> Tree:
    key, place = id(store), None
    if type(store) is LocalStore:
        found = native(store)
        # A folder that is made anew may get the number of one that was removed.
        place = found.identity, found.location, read_only
        shared = _SHARED.setdefault(place, [None, 0])
        shared[1] += 1
        opened = shared[0] = shared[0] or tree_in(store, not read_only)
    else:
        opened = tree_in(store, not read_only)
    reference = weakref.ref(store, partial(_forget, key, place))
    _TREES[key] = (reference, read_only, opened)
    if "_native" not in vars(type(store)):
        _BRIDGED.append(key)
        while len(_BRIDGED) > _N_BRIDGED:
            _TREES.pop(_BRIDGED.pop(0), None)
    return opened


def _forget(
    key: int,
    place: tuple[int, str, bool] | None,
    _: object,
    # Where the interpreter ends, the names of the module are gone before the last store.
    trees: dict[int, Any] = _TREES,
    shares: dict[Any, Any] = _SHARED,
) -> None:
    trees.pop(key, None)
    shared = None if place is None else shares.get(place)
    if place is not None and shared is not None:
        shared[1] -= 1
        if shared[1] <= 0:
            shares.pop(place, None)


# Appending is reading a shape and growing it: writers of this process take turns.
_N_TURNS = 64
_TURNS = [threading.Lock() for _ in range(_N_TURNS)]


def _after_fork() -> None:
    _TURNS[:] = [threading.Lock() for _ in range(_N_TURNS)]
    _TREES.clear()
    _SHARED.clear()
    _BRIDGED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def turn(store_path: StorePath) -> threading.Lock:
    """The lock of those that change the shape of an array."""
    return _TURNS[hash((str(store_path.store), store_path.path)) % _N_TURNS]


def store_path_of(
    store: Any,
    path: str | None = "",
    mode: Any = None,
    storage_options: dict[str, Any] | None = None,
) -> StorePath:
    """The place that somebody names: a store, and a path in it.

    Nothing is removed in mode ``w``: who creates a node in the place of another does so once
    it knows what to create.
    """
    if storage_options is None and isinstance(store, (str, os.PathLike)):
        file = open_file(store, mode)
        if file is not None:
            # No store of keys, but of nodes: all that is asked of it here.
            return StorePath(cast("Any", file), path or "")
    if isinstance(store, StorePath) and not storage_options:
        return store / path if path else store
    if mode not in _MODES:
        raise ValueError(f"Invalid mode: {mode}, expected one of {_MODES[1:]}")
    if storage_options is None and isinstance(store, (str, Path)) and not _is_url(store):
        found = StorePath(_folder(store, mode), path or "")
    else:
        coro = make_store_path(
            store,
            path=path,
            mode="a" if mode in ("w", "w-") else mode,
            storage_options=storage_options,
        )
        found = _now(coro) if _waits_for_nothing(store) else sync(coro)
    if mode == "w-" and not is_empty(found):
        raise FileExistsError(
            f"Cannot create '{found.path}' with mode 'w-' because it already contains data. "
            "Use mode 'w' to overwrite or 'a' to append."
        )
    return found


_MODES = (None, "r", "r+", "a", "w", "w-")


def _is_url(store: str | Path) -> bool:
    return isinstance(store, str) and ("://" in store or "::" in store)


def _folder(root: str | Path, mode: Any) -> Any:
    """A folder as a store, opened."""
    store = LocalStore(root, read_only=mode == "r")
    if mode == "r+" and not os.path.exists(root):
        raise FileNotFoundError(f"{store.root} does not exist")
    store._ensure_open_sync()
    return store


def _waits_for_nothing(store: Any) -> bool:
    """Whether a store is made without an event loop."""
    return store is None or type(store) in (dict, LocalStore, MemoryStore)


def _now(coro: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coro.send(None)
    except StopIteration as done:
        return done.value
    coro.close()
    raise RuntimeError("a store of this package waits for an event loop")


def below(store_path: StorePath, name: str) -> StorePath:
    """The place of a name in a group, which needs no check."""
    found = object.__new__(type(store_path))
    found.store = store_path.store
    found.path = f"{store_path.path}/{name}" if store_path.path else name
    return found


def _at(store_path: StorePath) -> str:
    return "/" + store_path.path


def check_writable(store_path: StorePath) -> None:
    """
    Raises
    ------
    ValueError
        If the store is read-only.
    """
    if store_path.read_only:
        raise ValueError("store was opened in read-only mode and does not support writing")


def native_array(store_path: StorePath, config: ArrayConfig) -> NativeArray:
    """The engine's array at a place.

    Raises
    ------
    NotFoundError
        If there is no node.
    InvalidInputError
        If there is a group.
    """
    if has_foreign_codecs():
        found = _array_in_python(store_path, config)
        if found is not None:
            return cast("NativeArray", found)
    return tree_of(store_path.store).array(_at(store_path), config.write_empty_chunks)


def _array_in_python(store_path: StorePath, config: ArrayConfig) -> Any:
    """The array, if all that the engine lacks is a codec that somebody registered."""
    from ._array_state import parse_array_metadata
    from ._python_array import PythonArray, may_need_python
    from .codec_pipeline import needs_python

    document = None if isinstance(store_path.store, FileStore) else find_document(store_path)
    if document is None or "shape" not in document or not may_need_python(document):
        return None
    try:
        metadata = parse_array_metadata(document)
    except (ValueError, TypeError, KeyError):
        return None  # which the engine says in its words
    if not needs_python(metadata):
        return None
    store = native(store_path.store)
    return PythonArray(store, store_path.path, metadata, config.write_empty_chunks)


def find_document(store_path: StorePath, zarr_format: Any = None) -> dict[str, Any] | None:
    """The document of a node, of version 2 with its attributes; ``None`` if there is none."""
    store = store_path.store
    if isinstance(store, FileStore):
        return store.document(store_path.path)
    names = {2: (".zarray", ".zgroup"), 3: ("zarr.json",)}.get(zarr_format, _DOCUMENTS)
    for name in names:
        text = find_value(store_path / name)
        if text is not None:
            raw = _parse(store_path, text)
            if name != "zarr.json":
                raw["attributes"] = _attributes_v2(store_path)
            return raw
    return None


_DOCUMENTS = ("zarr.json", ".zarray", ".zgroup")


def _attributes_v2(store_path: StorePath) -> dict[str, Any]:
    text = find_value(store_path / ".zattrs")
    return {} if text is None else _parse(store_path, text)


def _parse(store_path: StorePath, text: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise json.JSONDecodeError(f"{store_path}: {error.msg}", error.doc, error.pos) from None
    if not isinstance(found, dict):
        raise ValueError(f"{store_path}: expected a JSON object, found {type(found).__name__}")
    return found


def document_of(store_path: StorePath) -> dict[str, Any]:
    """The document of a node that is there.

    Raises
    ------
    NotFoundError
        If it is gone.
    """
    found = find_document(store_path)
    if found is None:
        raise NotFoundError("there is no such group or array", node=_at(store_path))
    return found


def find_value(store_path: StorePath) -> bytes | None:
    """The value of a key; ``None`` if it is missing."""
    return native(store_path.store).get(store_path.path)


def bytes_stored(store_path: StorePath) -> int:
    """The bytes of all values below a place."""
    if isinstance(store_path.store, FileStore):
        return tree_of(store_path.store).array(_at(store_path)).len_stored_bytes()
    return native(store_path.store).getsize_prefix(store_path.path)


def children_of(
    store_path: StorePath, config: ArrayConfig
) -> Iterator[tuple[str, str, int | None, NativeArray | None]]:
    """Name, kind and identity of the nodes in a group, with the engine's arrays where they are
    all there is to it."""
    nodes = tree_of(store_path.store).nodes(_at(store_path), config.write_empty_chunks)
    is_native = not has_foreign_codecs()
    for name, kind, identity, array in nodes:
        if kind in ("array", "group"):
            yield name, kind, identity, array if is_native else None


def create_node(store_path: StorePath, document: dict[str, Any], *, overwrite: bool) -> None:
    """Creates the node that a document describes, of version 2 with its attributes in it, and the
    groups above it that are missing.

    Raises
    ------
    ContainsArrayError, ContainsGroupError
        If there is a node, and it is not to be overwritten.
    """
    check_writable(store_path)
    store = store_path.store
    attributes = None
    if not is_plain_json(document.get("attributes")):
        create_node(store_path, {**document, "attributes": {}}, overwrite=overwrite)
        edit_attributes(store_path, document["attributes"], clear=True)
        return
    if document.get("zarr_format") == 2:
        document = dict(document)
        attributes = json.dumps(document.pop("attributes", None) or {})
        if "shape" not in document:
            document = {"zarr_format": 2}
    if isinstance(store, FileStore):
        try:
            store.create_node(_at(store_path), json.dumps(document), attributes, overwrite)
        except AlreadyExistsError:
            raise contains(store_path, store.tree.kind(_at(store_path))) from None
        return
    tree = tree_of(store)
    if document.get("zarr_format") == 2:
        _create_parents_v2(tree, store_path.path)
    checked = None
    if has_foreign_codecs():
        from ._python_array import stand_in

        checked = stand_in(document)
    text = json.dumps(document if checked is None else checked)
    try:
        tree.create_document(_at(store_path), text, attributes, overwrite)
    except AlreadyExistsError:
        raise contains(store_path, tree.kind(_at(store_path))) from None
    if checked is not None:
        from .metadata.common import document_bytes

        key = store_path / (".zarray" if document.get("zarr_format") == 2 else "zarr.json")
        native(store).set(key.path, document_bytes(document))


def keeps_documents(store_path: StorePath) -> bool:
    """Whether the document of a new node is kept as it is given: other formats have one of their
    own, which tells what was made."""
    return not isinstance(store_path.store, FileStore)


def _create_parents_v2(tree: Tree, path: str) -> None:
    """Makes the groups above a path that are missing, with empty attributes as zarr writes them."""
    missing = []
    while path:
        path = path.rpartition("/")[0]
        if tree.kind("/" + path) is not None:
            break
        missing.append(path)
    for parent in reversed(missing):
        try:
            tree.create_document("/" + parent, '{"zarr_format": 2}', "{}", False)
        except AlreadyExistsError:
            # Another writer was faster.
            pass


def contains(store_path: StorePath, kind: str | None) -> ValueError:
    """What zarr says of a node that is in the way."""
    place = f"in store {store_path.store!r} at path {store_path.path!r}."
    if kind == "array":
        return ContainsArrayError(f"An array exists {place}")
    return ContainsGroupError(f"A group exists {place}")


def consolidate(store_path: StorePath, nodes: dict[str, dict[str, Any]] | None) -> None:
    """Writes the documents of all nodes below a group into that of the group; those of version 2
    are given, because zarr has a form of its own for them."""
    if nodes is None:
        tree_of(store_path.store).consolidate(_at(store_path))
        return
    docs: dict[str, Any] = {}
    for path, raw in nodes.items():
        own = dict(raw)
        head = f"{path}/" if path else ""
        docs[f"{head}.zattrs"] = own.pop("attributes", {})
        if "shape" in own:
            docs[f"{head}.zarray"] = own
        else:
            below = {"metadata": {}, "must_understand": False, "kind": "inline"}
            group = {"zarr_format": 2}
            docs[f"{head}.zgroup"] = {**group, "consolidated_metadata": below} if path else group
    text = json.dumps({"metadata": docs, "zarr_consolidated_format": 1})
    native(store_path.store).set((store_path / ".zmetadata").path, text.encode())


def edit_attributes(store_path: StorePath, changes: dict[str, Any], *, clear: bool) -> None:
    """Sets attributes of a node, and removes all others if ``clear``."""
    check_writable(store_path)
    tree = tree_of(store_path.store)
    if not isinstance(store_path.store, FileStore):
        # As zarr would write them; what is no JSON is a TypeError.
        changes = json.loads(json.dumps(changes))
        kept = None if clear else document_of(store_path).get("attributes")
        if not is_plain_json([changes, kept]):
            _edit_document(tree, store_path, changes, clear=clear)
            return
    tree.edit_attributes(_at(store_path), clear, list(changes.items()), [])


def is_plain_json(value: Any) -> bool:
    """Whether JSON has all numbers in a value: NaN and infinities are Python's own, and integers
    beyond 64 bits are rounded by others."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    if isinstance(value, dict):
        return all(map(is_plain_json, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain_json, value))
    return True


def _edit_document(
    tree: Tree, store_path: StorePath, changes: dict[str, Any], *, clear: bool
) -> None:
    """The same for numbers that only Python's JSON has: in the document's text."""
    with turn(store_path):
        raw = document_of(store_path)
        # Consolidated metadata is dropped by an edit that changes nothing.
        tree.edit_attributes(_at(store_path), False, [], [])
        attributes = changes if clear else {**(raw.get("attributes") or {}), **changes}
        key = ".zattrs"
        document = attributes
        if raw.get("zarr_format") == 3:
            key, document = "zarr.json", {**raw, "attributes": attributes}
        text = json.dumps(document, indent=zarr_config.get("json_indent"))
        native(store_path.store).set((store_path / key).path, text.encode())


def remove_node(store_path: StorePath) -> None:
    """Removes a node with all that is below it, if it is there."""
    try:
        tree_of(store_path.store).remove(_at(store_path))
    except NotFoundError:
        if not isinstance(store_path.store, FileStore):
            from ..storage._native import native

            native(store_path.store).delete_prefix(store_path.path)


def rename_node(source: StorePath, dest: StorePath) -> None:
    """Gives a node another path.

    Raises
    ------
    KeyError
        If there is none.
    ContainsArrayError, ContainsGroupError
        If there is one at the other path.
    """
    tree = tree_of(source.store)
    try:
        tree.rename(_at(source), _at(dest))
    except AlreadyExistsError:
        raise contains(dest, tree.kind(_at(dest))) from None
    except InvalidInputError as error:
        raise ValueError(str(error)) from None


def is_empty(store_path: StorePath) -> bool:
    """Whether there is nothing at a place."""
    store = store_path.store
    if isinstance(store, FileStore):
        return not store.is_made or store.tree.kind(_at(store_path)) is None
    return not native(store_path.store).list_dir(store_path.path)
