"""What zarr-python and stook.zarr make of the same arguments, in a form that compares."""

from __future__ import annotations

import json
import warnings
from typing import Any, NamedTuple

import stook.zarr.core.metadata as ours
import zarr


class Outcome(NamedTuple):
    """A document or an error, and the warnings on the way."""

    document: Any
    error: tuple[str, str] | None
    warned: tuple[str, ...]


def observe(make) -> Outcome:
    """What comes of a call that gives a document."""
    document, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            document = make()
        except Exception as raised:
            error = type(raised).__name__, str(raised)
    return Outcome(document, error, tuple(sorted({w.category.__name__ for w in caught})))


def stored_by_zarr(create, arguments: dict[str, Any]) -> Outcome:
    """The document that zarr-python stores, with the attributes of version 2 in it."""

    def make():
        store: dict[str, Any] = {}
        create(store=store, **arguments)
        if "zarr.json" in store:
            return json.loads(store["zarr.json"].to_bytes())
        document = json.loads(store[".zarray"].to_bytes())
        document["attributes"] = json.loads(store[".zattrs"].to_bytes())
        return document

    return observe(make)


def described_by_stook(build, arguments: dict[str, Any]) -> Outcome:
    """The document that stook.zarr has for the same arguments."""
    return observe(lambda: json.loads(json.dumps(build(**arguments).to_dict())))


def created(arguments: dict[str, Any]) -> tuple[Outcome, Outcome]:
    """Both outcomes of ``create_array``: that of zarr-python, that of stook."""
    return (
        stored_by_zarr(zarr.create_array, arguments),
        described_by_stook(ours.build_array_document, arguments),
    )


def created_legacy(arguments: dict[str, Any]) -> tuple[Outcome, Outcome]:
    """Both outcomes of ``create``."""
    arguments = {"fill_value": 0} | arguments
    return (
        stored_by_zarr(zarr.create, arguments),
        described_by_stook(ours.build_array_document_legacy, arguments),
    )
