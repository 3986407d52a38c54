"""Hierarchies of version 2 get the documents of version 3 that zarr-python gives them."""

from __future__ import annotations

import asyncio
import importlib
import json
import warnings

import numcodecs
import numpy as np
import pytest


def migrate_of(zarr):
    return importlib.import_module(f"{zarr.__name__}.metadata.migrate_v3")


def documents(folder):
    """All documents of version 3 by their path, and the names of those of version 2."""
    new = {
        str(path.relative_to(folder)): json.loads(path.read_text())
        for path in sorted(folder.rglob("zarr.json"))
    }
    return new, sorted(str(path.relative_to(folder)) for path in folder.rglob(".z*"))


ARRAYS = {
    "default": {"dtype": "f4"},
    "fortran": {"dtype": ">i4", "order": "F"},
    "separator": {
        "dtype": "u1",
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
    },
    "raw": {"dtype": "f8", "compressors": None, "fill_value": np.nan},
    "gzip": {"dtype": "i8", "compressors": numcodecs.GZip(level=3)},
    "blosc": {"dtype": "u2", "compressors": numcodecs.Blosc("zlib", 3, 2, 64)},
    "zstd": {"dtype": "u2", "compressors": numcodecs.Zstd(level=7, checksum=True)},
    "zlib": {"dtype": "i4", "compressors": numcodecs.Zlib(level=4)},
    "delta": {"dtype": "i4", "filters": [numcodecs.Delta("i4")]},
    "bool": {"dtype": "?", "attributes": {"unit": "m", "n": [1, 2.5]}},
    "no fill value": {"dtype": "i2", "fill_value": None},
    "texts": {"dtype": "U4"},
    "objects": {"dtype": str},
    "fields": {"dtype": [("a", "i4"), ("b", "f8")]},
    "filter of bytes": {"dtype": "i4", "filters": [numcodecs.Zlib()]},
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array(same, name):
    def body(zarr, folder):
        place = folder / "a.zarr"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            zarr.create_array(place, shape=(4, 6), chunks=(2, 3), zarr_format=2, **ARRAYS[name])
            migrate_of(zarr).migrate_v2_to_v3(input_store=zarr.storage.LocalStore(place))
        return documents(place)

    same(body)


def fill(zarr, place):
    root = zarr.open_group(place, mode="w", zarr_format=2, attributes={"a": 1})
    array = root.create_array("g/h/x", shape=(4,), chunks=(2,), dtype="i4")
    array[:] = np.arange(4)
    root.create_array("y", shape=(), dtype="f4", attributes={"b": [1]})
    return zarr.storage.LocalStore(place)


def test_a_hierarchy_and_back(same):
    def body(zarr, folder):
        place = folder / "a.zarr"
        store, migrate = fill(zarr, place), migrate_of(zarr)
        found = []
        migrate.migrate_v2_to_v3(input_store=store, dry_run=True)
        found.append(documents(place))
        migrate.migrate_v2_to_v3(input_store=store)
        found.append(documents(place))
        asyncio.run(migrate.remove_metadata(store, 2, dry_run=True))
        found.append(documents(place))
        asyncio.run(migrate.remove_metadata(store, 2))
        found.append(documents(place))
        root = zarr.open_group(place, mode="r")
        found.append((root.metadata.zarr_format, root["g/h/x"][:].tolist(), dict(root.attrs)))
        return found

    same(body)


def test_into_another_store(same):
    def body(zarr, folder):
        store, migrate = fill(zarr, folder / "a.zarr"), migrate_of(zarr)
        other = zarr.storage.LocalStore(folder / "b.zarr")
        migrate.migrate_v2_to_v3(input_store=store, output_store=other)
        return documents(folder / "a.zarr"), documents(folder / "b.zarr")

    same(body)


def test_what_is_there_stays(same):
    def body(zarr, folder):
        store, migrate = fill(zarr, folder / "a.zarr"), migrate_of(zarr)
        migrate.migrate_v2_to_v3(input_store=store)
        migrate.migrate_to_v3(zarr.open_group(store, zarr_format=2), zarr.storage.StorePath(store))

    same(body, error=ValueError)


def test_version_3_is_refused(same):
    def body(zarr, folder):
        zarr.create_group(folder / "a.zarr")
        store = zarr.storage.LocalStore(folder / "a.zarr")
        migrate_of(zarr).migrate_v2_to_v3(input_store=store)

    same(body, error=TypeError)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_node_is_not_lost(same, zarr_format):
    def body(zarr, folder):
        zarr.open_group(folder / "a.zarr", mode="w", zarr_format=zarr_format)
        store, migrate = zarr.storage.LocalStore(folder / "a.zarr"), migrate_of(zarr)
        with pytest.raises(ValueError, match="no v"):
            asyncio.run(migrate.remove_metadata(store, zarr_format))
        kept = documents(folder / "a.zarr")
        asyncio.run(migrate.remove_metadata(store, zarr_format, force=True))
        return kept, documents(folder / "a.zarr")

    same(body)


def test_all_or_nothing(tmp_path):
    """zarr-python leaves the documents that it wrote before it met what it cannot say."""
    import stook.zarr as zarr

    store = fill(zarr, tmp_path / "a.zarr")
    zarr.create_array(store, name="z", shape=4, dtype=str, zarr_format=2)
    with pytest.raises(ValueError, match="vlen-utf8"):
        migrate_of(zarr).migrate_v2_to_v3(input_store=store)
    assert documents(tmp_path / "a.zarr")[0] == {}
