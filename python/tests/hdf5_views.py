"""What h5py and stook show of an HDF5 file, in one form in which it can be compared.

A view of a file is a dict of node → `Node`. References are the paths of what they refer to, text is
`str`, byte order is left out of values and kept in what h5py says of a dtype on disk.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import stook

assert hdf5plugin, "which brings h5py the filters"


@dataclass
class Node:
    """A dataset, a group, a named datatype or a link that is not hard."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


class Failed:
    """A value that could not be read. It equals nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __eq__(self, other: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


# Values.


def canonical(value: Any, file: h5py.File | None = None) -> Any:
    """A value in the common form: of h5py if the file is given, of stook if not."""
    if value is None:
        return "undefined"
    if isinstance(value, (h5py.Empty, stook.Empty)):
        return "empty", describe(value.dtype)
    if isinstance(value, h5py.RegionReference):
        return region(value, file)
    if isinstance(value, h5py.Reference):
        return refer(value, file)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes) and not isinstance(value, np.bytes_):
        # What varies in length is bytes in stook, and numbers in h5py.
        return raw_bytes(value) if file is None else value.decode("utf-8", "surrogateescape")
    array = np.asarray(value)
    if array.dtype.names == ("dataset", "region") and file is None:
        return regions_of_stook(array)
    if array.dtype.names is not None:
        return {name: canonical(array[name], file) for name in array.dtype.names}
    if array.dtype.kind == "O":
        item = (array.dtype.metadata or {}).get("vlen")
        if file is not None and isinstance(item, np.dtype) and item.byteorder == ">":
            # h5py 3.16 reads big endian sequences without telling numpy of their byte order.
            return array.shape, [canonical(part.view(item), file) for part in array.flat]
        return array.shape, [canonical(part, file) for part in array.flat]
    if array.dtype.kind in "SU":
        return array.shape, array.ravel().tolist()
    if array.dtype.char in "gG":
        return str(native(array.dtype)), array.shape, [repr(item) for item in array.flat]
    return str(native(array.dtype)), array.shape, array.astype(native(array.dtype)).tobytes()


def raw_bytes(value: bytes) -> Any:
    return "uint8", (len(value),), value


def native(dtype: np.dtype) -> np.dtype:
    return np.dtype(dtype).newbyteorder("=")


def refer(reference: h5py.Reference, file: h5py.File | None) -> str:
    return file[reference].name if reference else ""


def region(reference: h5py.RegionReference, file: h5py.File | None) -> Any:
    if not reference:
        return "region", ""
    target = file[reference]
    space = h5py.h5r.get_region(reference, file.id)
    bounds = tuple(tuple(int(n) for n in part) for part in space.get_select_bounds())
    return "region", target.name, space.get_select_npoints(), bounds


def same_plain(expected: Any, found: Any) -> bool:
    """Whether values are the same but for what JSON cannot tell: types, shapes, kinds of text."""
    ours, theirs = list(scalars(expected)), list(scalars(found))
    if isinstance(found, str) and found[:1] in "[{" and not isinstance(expected, str):
        theirs = list(scalars_of_json(json.loads(found)))
    return len(ours) == len(theirs) and all(map(same_scalar, ours, theirs))


def scalars(value: Any) -> Iterator[Any]:
    """The numbers and texts in a canonical value, in order; complex ones as two."""
    match value:
        case ("empty", _):
            yield None
        case (str() as dtype, tuple(), bytes() as raw):
            numbers = np.frombuffer(raw, dtype)
            if numbers.dtype.kind == "c":
                numbers = numbers.view(numbers.real.dtype)
            # Opaque bytes are in base64 there; what they say is not looked at.
            yield from [None] * len(numbers) if numbers.dtype.kind == "V" else numbers
        case (tuple(), list() as items):
            for item in items:
                yield from scalars(item)
        case dict():
            for item in value.values():
                yield from scalars(item)
        case bytes():
            yield value.decode("utf-8", "surrogateescape")
        case _:
            yield value


def scalars_of_json(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from scalars_of_json(item)
    else:
        yield value


def same_scalar(ours: Any, theirs: Any) -> bool:
    if ours is None or isinstance(ours, str) or isinstance(theirs, (str, type(None))):
        return ours is None or ours == theirs
    return bool(ours == type(ours)(theirs) or (ours != ours and theirs != theirs))


def regions_of_stook(array: np.ndarray) -> Any:
    """References to regions, which are a path and an index in the words of Python."""
    found = [region_of_stook(*item) for item in array.ravel().tolist()]
    return (array.shape, found) if array.shape else found[0]


def region_of_stook(path: str, index: str) -> Any:
    if not path:
        return "region", ""
    ranges = [range(*(int(n) for n in part.split(":"))) for part in index.split(", ")]
    n_items = int(np.prod([len(part) for part in ranges]))
    bounds = tuple(part[0] for part in ranges), tuple(part[-1] for part in ranges)
    return "region", path, n_items, bounds


# Dtypes.


def describe(dtype: np.dtype, *, ordered: bool = False, ours: bool = False) -> Any:
    """What a dtype of either library means, with its byte order if `ordered`."""
    dtype = np.dtype(dtype)
    metadata = dtype.metadata or {}
    within = {"ordered": ordered, "ours": ours}
    if ours and metadata.get("vlen") is bytes:
        return "sequence", "|u1"
    text = h5py.check_string_dtype(dtype)
    # Text of ASCII and of UTF-8 that varies in length is text to both.
    if text is not None:
        return "text" if text.length is None else f"S{text.length} {text.encoding}"
    if "enum" in metadata:
        return "enum", spelled(dtype, ordered), dict(metadata["enum"])
    if "ref" in metadata:
        return "region" if metadata["ref"] is h5py.RegionReference else "text"
    if "vlen" in metadata:
        return "sequence", describe(metadata["vlen"], **within)
    if ours and dtype.names == ("dataset", "region"):
        return "region"
    if dtype.names is not None:
        return [(name, describe(dtype[name], **within)) for name in dtype.names]
    if dtype.subdtype is not None:
        return describe(dtype.subdtype[0], **within), dtype.subdtype[1]
    return spelled(dtype, ordered)


def spelled(dtype: np.dtype, ordered: bool) -> str:
    if dtype.type.__module__ == "ml_dtypes" or dtype.kind == "V":
        return str(dtype)
    return (dtype if ordered else native(dtype)).str


# What h5py shows.


@contextlib.contextmanager
def inside(folder: Path):
    """Storage elsewhere is looked for where the process is, by libhdf5."""
    with contextlib.chdir(folder):
        yield


def seen_by_h5py(path: Path, *, ordered: bool = False) -> dict[str, Node]:
    """All nodes of a file, each under the first name it is found by."""
    found: dict[str, Node] = {}
    with inside(path.parent), h5py.File(path, swmr=path.name == "swmr-unfinished.h5") as file:
        found["/"] = Node("group", {"names": sorted(file)}, h5py_attributes(file))
        seen = {h5py.h5o.get_info(file.id).addr}
        todo = [file["/"]]
        while todo:
            group = todo.pop()
            for name in sorted(group):
                at = f"{group.name.rstrip('/')}/{name}"
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.SoftLink):
                    found[at] = Node("link", {"target": (link.path, None)})
                elif isinstance(link, h5py.ExternalLink):
                    found[at] = Node("link", {"target": (link.path, link.filename)})
                else:
                    child = group[name]
                    address = h5py.h5o.get_info(child.id).addr
                    if address in seen:
                        continue
                    seen.add(address)
                    found[at] = h5py_node(child, ordered)
                    if isinstance(child, h5py.Group):
                        todo.append(child)
    return found


def h5py_node(node: Any, ordered: bool) -> Node:
    attributes = h5py_attributes(node)
    if isinstance(node, h5py.Group):
        return Node("group", {"names": sorted(node)}, attributes)
    if isinstance(node, h5py.Datatype):
        return Node("type", {}, attributes)
    facts: dict[str, Any] = {"shape": node.shape, "max_shape": node.maxshape}
    facts["chunks"] = node.chunks
    try:
        facts["dtype"] = describe(node.dtype, ordered=ordered)
    except (TypeError, ValueError):
        # A number of a form that numpy has not.
        facts |= unusual(node)
        return Node("array", facts, attributes)
    if node.shape is None:
        return Node("array", facts, attributes)
    facts["fill"] = attempt(lambda: h5py_fill(node))
    try:
        facts["values"] = canonical(node[()], node.file)
    except OSError as error:
        # libhdf5 does not convert what has another tag or byte order and no numbers.
        is_lost = "conversion" not in str(error)
        facts["values"] = Failed(error) if is_lost else unusual(node)["values"]
    return Node("array", facts, attributes)


def h5py_fill(dataset: h5py.Dataset) -> Any:
    properties = dataset.id.get_create_plist()
    defined = properties.fill_value_defined()
    if defined == h5py.h5d.FILL_VALUE_UNDEFINED:
        return "undefined"
    if properties.get_fill_time() == h5py.h5d.FILL_TIME_NEVER:
        return "undefined"
    if dataset.dtype.hasobject and defined == h5py.h5d.FILL_VALUE_DEFAULT:
        return "default"
    return canonical(dataset.fillvalue, dataset.file)


def unusual(dataset: h5py.Dataset) -> dict[str, Any]:
    """What libhdf5 makes of items that numpy has no dtype for."""
    kind = dataset.id.get_type()
    size = kind.get_size()
    if isinstance(kind, h5py.h5t.TypeIntegerID) and size < 8:
        sign = "i" if kind.get_sign() == h5py.h5t.SGN_2 else "u"
        wide = 4 if size < 4 else 8
        names = {"i": "INT", "u": "UINT"}
        memory = getattr(h5py.h5t, f"NATIVE_{names[sign]}{8 * wide}")
        dtype = np.dtype(f"{sign}{wide}")
    elif isinstance(kind, h5py.h5t.TypeBitfieldID):
        memory, dtype = getattr(h5py.h5t, f"NATIVE_B{8 * size}"), np.dtype(f"u{size}")
    else:
        memory, dtype = kind, np.dtype(f"V{size}")
    values = np.zeros(dataset.shape, dtype)
    dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=memory)
    return {"dtype": spelled(dtype, False), "values": canonical(values)}


def h5py_attributes(node: Any) -> dict[str, Any]:
    file = node.file if not isinstance(node, h5py.Datatype) else h5py.File(h5py.h5i.get_file_id(node.id))
    return {name: attempt(lambda name=name: canonical(node.attrs[name], file)) for name in node.attrs}


def attempt(read: Any) -> Any:
    try:
        return read()
    except (OSError, TypeError, ValueError, KeyError, RuntimeError, UnicodeError, stook.Error) as error:
        return Failed(error)


# What stook shows.


def seen_by_stook(path: Path, like: dict[str, Node]) -> dict[str, Node]:
    """The nodes that h5py has found, as stook shows them."""
    found = {}
    links: dict[str, dict[str, tuple[str, str | None]]] = {}
    with stook.open(path) as file:
        for at, expected in like.items():
            if expected.kind == "link":
                group, _, name = at.rpartition("/")
                if group not in links:
                    links[group] = (file[group] if group else file).links()
                found[at] = Node("link", {"target": links[group].get(name)})
            elif expected.kind == "type":
                found[at] = Node("type" if at in file else "missing")
            else:
                node = attempt(lambda: file if at == "/" else file[at])
                found[at] = stook_node(node, expected)
    return found


def stook_node(node: Any, like: Node) -> Node:
    if isinstance(node, Failed):
        return Node(f"{node}")
    attributes = attempt(lambda: {name: canonical(v) for name, v in node.attrs.items()})
    if isinstance(attributes, Failed):
        attributes = {"all": attributes}
    if isinstance(node, stook.Group):
        return Node("group", {"names": sorted(node)}, attributes)
    if "DIMENSION_LABELS" in like.attributes and node.dimension_names is not None:
        # An attribute to h5py, a property here.
        names = [name or "" for name in node.dimension_names]
        attributes["DIMENSION_LABELS"] = (len(names),), names
    facts = {
        "shape": attempt(lambda: None if node._native.is_null else node.shape),
        "max_shape": attempt(lambda: None if node._native.is_null else node.max_shape),
        "chunks": attempt(lambda: None if node._native.is_null else node.chunks),
        "dtype": attempt(lambda: describe(node.dtype, ours=True)),
        "fill": attempt(lambda: canonical(node.fill_value)),
        "values": attempt(lambda: canonical(node[()])),
    }
    return Node("array", facts, attributes)


# Differences.


def differences(expected: dict[str, Node], found: dict[str, Node]) -> list[tuple[str, str, str]]:
    """Node, what, and how it differs."""
    lines = []
    for at, node in expected.items():
        other = found.get(at, Node("missing"))
        if node.kind != other.kind:
            lines.append((at, "kind", f"expected {node.kind}, found {other.kind}"))
            continue
        for what, value in node.facts.items():
            if not same(what, value, other.facts.get(what)):
                lines.append((at, what, unequal(value, other.facts.get(what))))
        if node.kind in ("link", "type"):
            continue
        for name in [*node.attributes, *(n for n in other.attributes if n not in node.attributes)]:
            pair = (node.attributes.get(name, "absent"), other.attributes.get(name, "absent"))
            if not same("attribute", *pair):
                lines.append((at, f"attribute {name}", unequal(*pair)))
    return lines


def same(what: str, expected: Any, found: Any) -> bool:
    if what == "fill" and (expected in ("undefined", "default") or found == "default"):
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(expected) == list(found) and all(
            same("field", value, found[name]) for name, value in expected.items()
        )
    return bool(expected == found)


def unequal(expected: Any, found: Any) -> str:
    return f"expected {str(expected)[:160]}, found {str(found)[:300]}"
