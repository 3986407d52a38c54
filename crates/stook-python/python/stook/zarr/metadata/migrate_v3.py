"""Documents of version 3 for hierarchies of version 2, whose chunks stay as they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from ..abc.codec import ArrayArrayCodec, BytesBytesCodec, Codec
from ..abc.store import Store
from ..codecs.blosc import BloscCodec, BloscShuffle
from ..codecs.bytes import BytesCodec
from ..codecs.gzip import GzipCodec
from ..codecs.transpose import TransposeCodec
from ..codecs.zstd import ZstdCodec
from ..core._open import node_at
from ..core.array import Array
from ..core.buffer.core import default_buffer_prototype
from ..core.chunk_key_encodings import V2ChunkKeyEncoding
from ..core.common import (
    ZARR_JSON,
    ZARRAY_JSON,
    ZATTRS_JSON,
    ZGROUP_JSON,
    ZMETADATA_V2_JSON,
    ZarrFormat,
)
from ..core.dtype.common import HasEndianness
from ..core.group import Group, GroupMetadata, face
from ..core.metadata.v2 import ArrayV2Metadata
from ..core.metadata.v3 import ArrayV3Metadata
from ..core.sync import sync
from ..registry import get_codec_class
from ..storage import StorePath

__all__ = ["migrate_to_v3", "migrate_v2_to_v3", "remove_metadata"]

_logger = logging.getLogger(__name__)

_DOCUMENTS = {
    2: (ZARRAY_JSON, ZATTRS_JSON, ZGROUP_JSON, ZMETADATA_V2_JSON),
    3: (ZARR_JSON,),
}
_NODES = {2: (ZARRAY_JSON, ZGROUP_JSON), 3: (ZARR_JSON,)}


def migrate_v2_to_v3(
    *, input_store: Store, output_store: Store | None = None, dry_run: bool = False
) -> None:
    """Writes a ``zarr.json`` for every node of version 2; the documents that are there stay.

    All documents are made before the first is written: what cannot be said in version 3 leaves the
    store as it was.

    Parameters
    ----------
    input_store : Store
        Where the hierarchy is.
    output_store : Store, optional
        Where the documents go, if not beside the old ones; no chunks are copied.
    dry_run : bool
        Only log what would be written.

    Raises
    ------
    TypeError
        If the hierarchy is not of version 2, or a filter is none of arrays.
    ValueError
        If there is a ``zarr.json``, or a codec that version 3 has no name for.
    NotImplementedError
        If metadata is consolidated.
    """
    from ..api.synchronous import open

    root = open(store=input_store, mode="r+")
    place = root.store_path
    if output_store is not None:
        place = sync(StorePath.open(output_store, path="", mode="w-"))
    migrate_to_v3(root, place, dry_run=dry_run)


def migrate_to_v3(
    zarr_v2: Array[Any] | Group, output_path: StorePath, dry_run: bool = False
) -> None:
    """Writes a ``zarr.json`` for an array, or a group and all below it, at ``output_path``.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As :func:`migrate_v2_to_v3`.
    """
    made = list(_documents(zarr_v2, output_path))
    for path, _ in made:
        if sync(path.exists()):
            raise ValueError(f"{ZARR_JSON} already exists at {path}")
    for path, metadata in made:
        _logger.info("Saving metadata to %s", path)
        if not dry_run:
            document = metadata.to_buffer_dict(default_buffer_prototype())[ZARR_JSON]
            sync(path.set_if_not_exists(document))


async def remove_metadata(
    store: Store, zarr_format: ZarrFormat, force: bool = False, dry_run: bool = False
) -> None:
    """Removes the documents of one version from all nodes.

    Parameters
    ----------
    store : Store
        Where the hierarchy is.
    zarr_format : {2, 3}
        The version whose documents go.
    force : bool
        Remove them also where the node has none of the other version.
    dry_run : bool
        Only log what would be removed.

    Raises
    ------
    ValueError
        If the store cannot remove, or a node would be lost; nothing is removed then.
    """
    if not store.supports_deletes:
        raise ValueError("Store must support deletes to remove metadata")
    root = await StorePath.open(store, path="", mode="r+")
    doomed = []
    async for key in store.list():
        parent, _, name = key.rpartition("/")
        if name not in _DOCUMENTS[zarr_format]:
            continue
        other: ZarrFormat = 3 if zarr_format == 2 else 2
        if not force and not await _is_node(root / parent, other):
            raise ValueError(
                f"Cannot remove v{zarr_format} metadata at {root / key} - no v{other} metadata "
                "exists. To delete anyway, use the 'force' option."
            )
        _logger.info("Deleting metadata at %s", root / key)
        doomed.append(root / key)
    if not dry_run:
        await asyncio.gather(*(path.delete() for path in doomed))


async def _is_node(path: StorePath, zarr_format: ZarrFormat) -> bool:
    return any([await (path / name).exists() for name in _NODES[zarr_format]])


def _documents(
    node: Array[Any] | Group, path: StorePath
) -> Iterator[tuple[StorePath, ArrayV3Metadata | GroupMetadata]]:
    """The documents of a node and of all below it, with where they go; children come first."""
    metadata: Any = node.metadata
    if metadata.zarr_format != 2:
        raise TypeError("Only arrays / groups with zarr v2 metadata can be converted")
    if isinstance(node, Group):
        if metadata.consolidated_metadata is not None:
            raise NotImplementedError("Migration of consolidated metadata isn't supported.")
        for name in node:
            # Where there is a document of version 3 as well, the other one counts.
            child = face(node_at(node.store_path / name, 2))
            yield from _documents(child, path / name)
        yield (
            path / ZARR_JSON,
            GroupMetadata(
                attributes=metadata.attributes,
                zarr_format=3,
                consolidated_metadata=None,
            ),
        )
    else:
        yield path / ZARR_JSON, _array_metadata(metadata)


def _array_metadata(metadata: ArrayV2Metadata) -> ArrayV3Metadata:
    dtype = metadata.dtype
    codecs: list[Codec] = []
    if metadata.order == "F":
        codecs.append(TransposeCodec(order=tuple(reversed(range(len(metadata.shape))))))
    for filter_ in metadata.filters or ():
        codec = _named(filter_)
        if not isinstance(codec, ArrayArrayCodec):
            raise TypeError(f"Filter {type(codec)} is not an ArrayArrayCodec")
        codecs.append(codec)
    codecs.append(BytesCodec(endian=dtype.endianness if isinstance(dtype, HasEndianness) else None))
    if metadata.compressor is not None:
        codecs.append(_compressor(metadata.compressor, dtype.to_native_dtype().itemsize))
    return ArrayV3Metadata(
        shape=metadata.shape,
        data_type=dtype,
        chunk_grid=metadata.chunk_grid,
        chunk_key_encoding=V2ChunkKeyEncoding(separator=metadata.dimension_separator),
        fill_value=metadata.fill_value,
        codecs=codecs,
        attributes=metadata.attributes,
        dimension_names=None,
    )


def _compressor(codec: Any, item_size: int) -> BytesBytesCodec:
    if codec.codec_id == "blosc":
        return BloscCodec(
            typesize=item_size,
            cname=codec.cname,
            clevel=codec.clevel,
            shuffle=BloscShuffle.from_int(codec.shuffle),
            blocksize=codec.blocksize,
        )
    if codec.codec_id == "zstd":
        return ZstdCodec(level=codec.level, checksum=codec.checksum)
    if codec.codec_id == "gzip":
        return GzipCodec(level=codec.level)
    named = _named(codec)
    if not isinstance(named, BytesBytesCodec):
        raise TypeError(f"Compressor {type(named)} is not a BytesBytesCodec")
    return named


def _named(codec: Any) -> Codec:
    """The codec that version 3 names after one of numcodecs."""
    name = f"numcodecs.{codec.codec_id}"
    try:
        found = get_codec_class(name)
    except KeyError as error:
        raise ValueError(
            f"Couldn't find corresponding zarr.codecs.numcodecs codec for {codec.codec_id}"
        ) from error
    return found.from_dict({"name": name, "configuration": codec.get_config()})
