"""Which classes there are for codecs, pipelines, buffers and chunk keys, by their names.

Where several classes are registered under one name, the configuration says which is meant. Other
packages offer classes by the entry points that zarr-python reads (``zarr.codecs`` and so on);
they are looked up when a name is asked for that nobody registered.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .core.config import BadConfigError, config
from .core.numcodec import get_numcodec, is_configured
from .errors import ZarrUserWarning

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from .abc.codec import (
        ArrayArrayCodec,
        ArrayBytesCodec,
        BytesBytesCodec,
        Codec,
        CodecPipeline,
    )
    from .core.chunk_key_encodings import ChunkKeyEncoding

__all__ = [
    "Registry",
    "get_buffer_class",
    "get_chunk_key_encoding_class",
    "get_codec_class",
    "get_ndbuffer_class",
    "get_numcodec",
    "get_pipeline_class",
    "register_buffer",
    "register_chunk_key_encoding",
    "register_codec",
    "register_ndbuffer",
    "register_pipeline",
]

T = TypeVar("T")


_PACKAGE = __name__.removesuffix("registry")
# Classes that scripts and packages registered.
_foreign: set[type] = set()


class Registry(dict[str, type[T]], Generic[T]):
    """Classes by their full names, and those that packages offer but nobody loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.lazy_load_list: list[EntryPoint] = []

    def lazy_load(self, use_entrypoint_name: bool = False) -> None:
        """Load what packages offer."""
        waiting, self.lazy_load_list = self.lazy_load_list, []
        for entry in waiting:
            self.register(entry.load(), entry.name if use_entrypoint_name else None)

    def register(self, cls: type[T], qualname: str | None = None) -> None:
        """Add a class under its full name, or under ``qualname``."""
        self[_public(qualname or fully_qualified_name(cls))] = cls
        if not cls.__module__.startswith(_PACKAGE):
            _foreign.add(cls)


_codecs: dict[str, Registry[Any]] = defaultdict(Registry)
_pipelines: Registry[Any] = Registry()
_buffers: Registry[Any] = Registry()
_ndbuffers: Registry[Any] = Registry()
_chunk_key_encodings: Registry[Any] = Registry()
_is_collected = False


def fully_qualified_name(cls: type) -> str:
    """Module and name of a class, as the configuration has it."""
    return _public(f"{cls.__module__}.{cls.__qualname__}")


def _public(name: str) -> str:
    """Classes of this package go by the names that zarr-python gives them."""
    return name.removeprefix("stook.") if name.startswith("stook.zarr.") else name


def _collect_entrypoints() -> list[Registry[Any]]:
    """Note what packages offer, once."""
    global _is_collected
    registries = [*_codecs.values(), _pipelines, _buffers, _ndbuffers, _chunk_key_encodings]
    if _is_collected:
        return registries
    _is_collected = True
    from importlib.metadata import entry_points

    from .core.dtype import data_type_registry

    offered = entry_points()
    targets: list[tuple[str, list[EntryPoint]]] = [
        ("buffer", _buffers.lazy_load_list),
        ("ndbuffer", _ndbuffers.lazy_load_list),
        ("data_type", data_type_registry._lazy_load_list),
        ("chunk_key_encoding", _chunk_key_encodings.lazy_load_list),
        ("codec_pipeline", _pipelines.lazy_load_list),
    ]
    for kind, waiting in targets:
        waiting.extend(offered.select(group=f"zarr.{kind}"))
        waiting.extend(offered.select(group="zarr", name=kind))
    for entry in offered.select(group="zarr.codecs"):
        _codecs[entry.name].lazy_load_list.append(entry)
    for group in offered.groups:
        if group.startswith("zarr.codecs."):
            _codecs[group.split(".")[2]].lazy_load_list.extend(offered.select(group=group))
    return [*_codecs.values(), _pipelines, _buffers, _ndbuffers, _chunk_key_encodings]


def _reload_config() -> None:
    config.refresh()


def register_codec(key: str, codec_cls: type[Codec], *, qualname: str | None = None) -> None:
    """Add a class for the codecs that documents call ``key``."""
    _codecs[key].register(codec_cls, qualname=qualname)


def register_pipeline(pipe_cls: type[CodecPipeline]) -> None:
    """Add a class of pipelines."""
    _pipelines.register(pipe_cls)


def register_ndbuffer(cls: type[Any], qualname: str | None = None) -> None:
    """Add a class of buffers that hold arrays."""
    _ndbuffers.register(cls, qualname)


def register_buffer(cls: type[Any], qualname: str | None = None) -> None:
    """Add a class of buffers that hold bytes."""
    _buffers.register(cls, qualname)


def register_chunk_key_encoding(key: str, cls: type[Any]) -> None:
    """Add a class for the chunk key encodings that documents call ``key``."""
    _chunk_key_encodings.register(cls, key)


def get_codec_class(key: str, reload_config: bool = False) -> type[Codec]:
    """The class for the codecs that documents call ``key``.

    Raises
    ------
    KeyError
        If there is none, or not the one that the configuration names.
    """
    if reload_config:
        _reload_config()
    from . import codecs as _builtin  # noqa: F401  (they register themselves)

    wanted = config.get("codecs", {}).get(key)
    classes = _codecs.get(key, Registry())
    if not classes or (wanted is not None and _public(wanted) not in classes):
        _collect_entrypoints()
        classes = _codecs.get(key, Registry())
        classes.lazy_load()
    if not classes:
        raise KeyError(key)
    if wanted is not None:
        return classes[_public(wanted)]
    if len(classes) > 1:
        warnings.warn(
            f"Codec '{key}' not configured in config. Selecting any implementation.",
            stacklevel=2,
            category=ZarrUserWarning,
        )
    return list(classes.values())[-1]


def is_builtin_codec(key: str) -> bool:
    """Whether documents' ``key`` means a codec of this package: then the engine runs it."""
    try:
        cls = get_codec_class(key)
    except KeyError:
        return False
    return cls.__module__.startswith(f"{_PACKAGE}codecs.")


def has_foreign_codecs() -> bool:
    """Whether a document may name a codec that is none of this package and yet known."""
    loaded = sys.modules.get("numcodecs.registry")
    theirs = getattr(loaded, "codec_registry", ())
    return bool(_foreign) or any(not is_configured(codec_id) for codec_id in theirs)


def _resolve_codec(data: Mapping[str, Any]) -> Codec:
    return get_codec_class(data["name"]).from_dict(dict(data))


def _parse_codec(data: Any, kind: type[Any], article: str) -> Any:
    codec = _resolve_codec(data) if isinstance(data, dict) else data
    if isinstance(codec, kind):
        return codec
    name = kind.__name__
    if isinstance(data, dict):
        raise TypeError(
            f"Expected a dict representation of {article} {name}; "
            f"got a dict representation of a {type(codec)} instead."
        )
    raise TypeError(f"Expected {article} {name}. Got {type(data)} instead.")


def _parse_bytes_bytes_codec(data: Any) -> BytesBytesCodec:
    from .abc.codec import BytesBytesCodec

    return _parse_codec(data, BytesBytesCodec, "a")


def _parse_array_bytes_codec(data: Any) -> ArrayBytesCodec:
    from .abc.codec import ArrayBytesCodec

    return _parse_codec(data, ArrayBytesCodec, "an")


def _parse_array_array_codec(data: Any) -> ArrayArrayCodec:
    from .abc.codec import ArrayArrayCodec

    return _parse_codec(data, ArrayArrayCodec, "an")


def _configured(registry: Registry[Any], path: str, what: str, plural: str) -> type[Any]:
    found = registry.get(_public(path))
    if found is None:
        _collect_entrypoints()
        registry.lazy_load()
        found = registry.get(_public(path))
    if found is None:
        raise BadConfigError(
            f"{what} class '{path}' not found in registered {plural}: {list(registry)}."
        )
    return found


def get_pipeline_class(reload_config: bool = False) -> type[CodecPipeline]:
    """The class of pipelines that the configuration names; BadConfigError if nobody added it."""
    if reload_config:
        _reload_config()
    from .core import codec_pipeline as _builtin  # noqa: F401  (it registers itself)

    return _configured(_pipelines, config.get("codec_pipeline.path"), "Pipeline", "pipelines")


def get_buffer_class(reload_config: bool = False) -> type[Any]:
    """The class of buffers that the configuration names; BadConfigError if nobody added it."""
    if reload_config:
        _reload_config()
    from .core import buffer as _builtin  # noqa: F401  (it registers itself)

    return _configured(_buffers, config.get("buffer"), "Buffer", "buffers")


def get_ndbuffer_class(reload_config: bool = False) -> type[Any]:
    """The class of array buffers that the configuration names; BadConfigError without it."""
    if reload_config:
        _reload_config()
    from .core import buffer as _builtin  # noqa: F401  (it registers itself)

    return _configured(_ndbuffers, config.get("ndbuffer"), "NDBuffer", "buffers")


def get_chunk_key_encoding_class(key: str) -> type[ChunkKeyEncoding]:
    """The class for the chunk key encodings that documents call ``key``; KeyError without it."""
    from .core.chunk_key_encodings import DefaultChunkKeyEncoding, V2ChunkKeyEncoding

    _chunk_key_encodings.setdefault("default", DefaultChunkKeyEncoding)
    _chunk_key_encodings.setdefault("v2", V2ChunkKeyEncoding)
    if key not in _chunk_key_encodings:
        _collect_entrypoints()
        _chunk_key_encodings.lazy_load(use_entrypoint_name=True)
    if key not in _chunk_key_encodings:
        raise KeyError(
            f"Chunk key encoding '{key}' not found in registered chunk key encodings: "
            f"{list(_chunk_key_encodings)}."
        )
    return _chunk_key_encodings[key]
