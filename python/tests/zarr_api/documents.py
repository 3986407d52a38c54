"""What zarr-python and stook.zarr make of the same arguments, in a form that compares."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import stook.zarr.core.metadata as ours
import zarr

PARTS = ("codecs", "codecs.numcodecs", "dtype", "core.chunk_key_encodings")


class Outcome(NamedTuple):
    """A document or an error, and the classes of warnings on the way."""

    document: Any
    error: tuple[str, str] | None
    warned: tuple[str, ...]


def observe(make: Callable[[], Any]) -> Outcome:
    """What comes of a call. Classes of both libraries go by the same names."""
    document, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            document = make()
        except Exception as raised:
            error = type(raised).__name__, str(raised).replace("stook.zarr.", "zarr.")
    return Outcome(document, error, tuple(sorted({w.category.__name__ for w in caught})))


class By:
    """An argument that each library makes with its own classes.

    ``By(lambda m: m.codecs.GzipCodec(level=1))``: ``m`` has the public modules as attributes.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make

    def __repr__(self) -> str:
        code = self.make.__code__
        return f"By({', '.join(map(str, (*code.co_names, *code.co_consts)))})"


class Modules:
    """The public modules of a library, by short names."""

    def __init__(self, root: str) -> None:
        self.codecs, self.numcodecs, self.dtype, self.keys = (
            importlib.import_module(f"{root}.{part}") for part in PARTS
        )


THEIRS, OURS = Modules("zarr"), Modules("stook.zarr")


def resolve(value: Any, modules: Modules) -> Any:
    """An argument, made by a library."""
    if isinstance(value, By):
        return value.make(modules)
    if isinstance(value, (list, tuple)) and any(isinstance(item, By) for item in value):
        return type(value)(resolve(item, modules) for item in value)
    return value


def _stored(create, arguments: dict[str, Any]) -> Outcome:
    """The document that zarr-python stores, with the attributes of version 2 in it."""

    def make():
        store: dict[str, Any] = {}
        create(store=store, **{key: resolve(v, THEIRS) for key, v in arguments.items()})
        if "zarr.json" in store:
            return json.loads(store["zarr.json"].to_bytes())
        document = json.loads(store[".zarray"].to_bytes())
        return document | {"attributes": json.loads(store[".zattrs"].to_bytes())}

    return observe(make)


def _described(build, arguments: dict[str, Any]) -> Outcome:
    """The document that stook.zarr has for the same arguments."""

    def make():
        metadata = build(**{key: resolve(v, OURS) for key, v in arguments.items()})
        return json.loads(json.dumps(metadata.to_dict()))

    return observe(make)


def assert_created_alike(**arguments: Any) -> Outcome:
    """``create_array`` comes to the same: document or error, and warnings."""
    expected = _stored(zarr.create_array, arguments)
    found = _described(ours.build_array_document, arguments)
    assert found == expected, arguments
    return found


def assert_created_alike_legacy(**arguments: Any) -> Outcome:
    """``create`` comes to the same: document or error, and warnings."""
    arguments = {"fill_value": 0} | arguments
    expected = _stored(zarr.create, arguments)
    found = _described(ours.build_array_document_legacy, arguments)
    assert found == expected, arguments
    return found
