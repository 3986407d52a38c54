"""Copies of nodes, within a file or into another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ._array import Array
from ._errors import NotFoundError, UnsupportedError

if TYPE_CHECKING:
    from ._group import Group

#: About so many bytes are read and written at once.
_USUAL_ORDER = {"name": "bytes", "endian": "little"}
_BLOCK_LEN_BYTES = 64 << 20


class Copying(NamedTuple):
    """What is copied, and how."""

    #: Groups below the first are made, and are empty.
    is_shallow: bool = False
    with_attributes: bool = True
    #: What soft links lead to is copied in their place, and what external ones lead to.
    expands_soft: bool = False
    expands_external: bool = False


WHOLE = Copying()


def copy_node(
    source: Group | Array, group: Group, path: str, how: Copying = WHOLE
) -> Group | Array:
    """Copies ``source``, and all below it, to ``path`` in ``group``."""
    return _copy_node(source, group, path, (how, ()))


def _copy_node(
    source: Group | Array, group: Group, path: str, way: tuple[Copying, tuple[Group, ...]]
) -> Group | Array:
    """``way`` is how, and the groups above, which are being copied."""
    how, above = way
    if isinstance(source, Array):
        return _copy_array(source, group, path, how)
    # Listed before anything is written: the copy may lie within the source.
    links = source.links()
    nodes = [(name, source[name]) for name in source if name not in links]
    copied = group.create_group(path)
    if how.with_attributes:
        copied.attrs.put(source.attrs.asdict())
    if above and how.is_shallow:
        return copied
    for name, (target, file) in links.items():
        expands = how.expands_soft if file is None else how.expands_external
        node = _behind(source, name) if expands else None
        # A link to what is being copied would never end.
        if node is None or node == source or node in above:
            copied.create_link(name, target, file=file)
        else:
            nodes.append((name, node))
    for name, node in nodes:
        _copy_node(node, copied, name, (how, (*above, source)))
    return copied


def _behind(group: Group, name: str) -> Group | Array | None:
    """What a link leads to, if that is there."""
    try:
        return group[name]
    except NotFoundError:
        return None


def _copy_array(source: Array, group: Group, path: str, how: Copying) -> Array:
    options: dict[str, Any] = {
        "shape": source.shape,
        "dtype": source.dtype,
        "fill_value": source.fill_value,
        "dimension_names": source.dimension_names,
        "attributes": source.attrs.asdict() if how.with_attributes else None,
    }
    layout: dict[str, Any] = {
        "chunks": source.chunks,
        "shards": source.shards,
        "codecs": source.codecs,
        "max_shape": source.max_shape,
    }
    if source.chunks is None:
        # One piece: a byte order that is not the usual one is all there is to say.
        codecs = [codec for codec in source.codecs if codec != _USUAL_ORDER]
        whole = tuple(max(1, length) for length in source.shape)
        layout.update(codecs=codecs, max_shape=None, chunks=whole if codecs else None)
    if source.format == group.format:
        copied = group.create_array(path, **options, **layout)
    else:
        try:
            copied = group.create_array(path, **options, **layout)
        except UnsupportedError:
            # The other format lays it out in its own way.
            copied = group.create_array(path, **options)
    if source.size:
        for part in _blocks(source):
            copied[part] = source[part]
    return copied


def _blocks(array: Array) -> list[Any]:
    """Rows of whole chunks."""
    if not array.shape:
        return [...]
    row = max(array.nbytes // array.shape[0], 1)
    chunk = (array.shards or array.chunks or (1,))[0]
    step = chunk if isinstance(chunk, int) else 1
    step *= max(_BLOCK_LEN_BYTES // (row * step), 1)
    return [slice(start, start + step) for start in range(0, array.shape[0], step)]
