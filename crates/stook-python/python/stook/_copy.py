"""Copies of nodes, within a file or into another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._array import Array
from ._errors import UnsupportedError

if TYPE_CHECKING:
    from ._group import Group

#: About so many bytes are read and written at once.
_USUAL_ORDER = {"name": "bytes", "endian": "little"}
_BLOCK_LEN_BYTES = 64 << 20


def copy_node(source: Group | Array, group: Group, path: str) -> Group | Array:
    """Copies ``source``, and all below it, to ``path`` in ``group``."""
    if isinstance(source, Array):
        return _copy_array(source, group, path)
    copied = group.create_group(path)
    copied.attrs.put(source.attrs.asdict())
    for name, (target, file) in source.links().items():
        copied.create_link(name, target, file=file)
    # Listed before anything is written: the copy may lie within the source.
    links = source.links()
    for name, node in [(name, node) for name, node in source.items() if name not in links]:
        copy_node(node, copied, name)
    return copied


def _copy_array(source: Array, group: Group, path: str) -> Array:
    options: dict[str, Any] = {
        "shape": source.shape,
        "dtype": source.dtype,
        "fill_value": source.fill_value,
        "dimension_names": source.dimension_names,
        "attributes": source.attrs.asdict(),
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
