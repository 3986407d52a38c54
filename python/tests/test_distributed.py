"""Several processes work on one Zarr: dask, xarray and icechunk over `stook.zarr`, local and on S3."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import stook.zarr as zarr
from children import write_and_tell
from test_remote import endpoint, url  # noqa: F401  (fixtures)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LENT = ["-m", "stook.compat", "zarr", "--"]


@pytest.fixture(params=["local", "s3"])
def place(request, tmp_path):
    """A folder, or a URL with what opens it in the environment."""
    return str(tmp_path / "run.zarr") if request.param == "local" else request.getfixturevalue("url")


def run(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


# Engines over the lent name.

DASK = """
    import sys
    import dask.array as da
    import numpy as np
    import zarr

    assert zarr.__name__ == "stook.zarr"
    place = sys.argv[1]
    items = np.arange(60 * 40, dtype="i4").reshape(60, 40)
    x = da.from_array(items, chunks=(20, 40))
    da.to_zarr(x, place, component="a")
    assert (da.from_zarr(place, component="a") == x).all().compute()
    assert zarr.open_array(place, path="a").chunks == (20, 40)

    b = zarr.create_array(place, name="b", shape=(80, 40), chunks=(5, 10), shards=(20, 40), dtype="i4")
    da.to_zarr(x, b, region=(slice(20, 80), slice(None)))
    assert not b[:20].any() and np.array_equal(b[20:], items)
    found = da.from_zarr(b)
    assert np.array_equal(found[20:].compute(), items)
    print(found.chunks[0][:2])
"""

XARRAY = """
    import sys
    import numpy as np
    import xarray as xr

    place = sys.argv[1]
    items = np.arange(12 * 6, dtype="f4").reshape(12, 6)
    x = xr.Dataset({"a": (("t", "x"), items, {"unit": "V"})}, coords={"t": np.arange(12)})
    options = {"zarr_format": int(sys.argv[2]), "consolidated": True}
    empty = xr.zeros_like(x.isel(t=slice(0, 8))).chunk(t=4)
    empty.to_zarr(place, compute=False, **options)
    for first in (0, 4):
        part = x.isel(t=slice(first, first + 4)).drop_vars("t")
        part.to_zarr(place, region={"t": slice(first, first + 4), "x": slice(None)})
    x.isel(t=slice(0, 8))[["t"]].to_zarr(place, region={"t": slice(0, 8)})
    x.isel(t=slice(8, 12)).to_zarr(place, append_dim="t")
    found = xr.open_zarr(place)
    xr.testing.assert_identical(found.compute(), x)
    assert found.a.chunks == ((4, 4, 4), (6,)), found.a.chunks

    # Blocks that share a chunk are refused before anything is written.
    parts = x.drop_vars("t").isel(t=slice(3, 9)).chunk(t=3)
    try:
        parts.to_zarr(place, region={"t": slice(2, 8)})
    except ValueError as error:
        assert "would overlap multiple Dask chunks" in str(error)
    else:
        raise AssertionError
    xr.testing.assert_identical(xr.open_zarr(place).compute(), x)
"""


def test_dask_writes_and_reads(place):
    assert run(*LENT, "-c", textwrap.dedent(DASK), place) == "(5, 5)\n"


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_xarray_writes_regions_and_appends(place, zarr_format):
    run("-W", "ignore", *LENT, "-c", textwrap.dedent(XARRAY), place, str(zarr_format))


# Two processes.


def test_two_processes_of_dask_write_one_array(url):  # noqa: F811
    found = run(str(EXAMPLES / "distributed_write.py"), url, "--rows", "1024")
    assert found.startswith("4 MB in 4 shards, 2 processes: written in ")


def test_icechunk_commits_what_two_processes_wrote(url):  # noqa: F811
    found = run(*LENT, str(EXAMPLES / "distributed_icechunk.py"), url)
    assert found == (
        "stook: 8 shards by 2 processes;"
        " history: Repository initialized, make the array, write all shards\n"
    )


# Parts of a chunk.


def in_another_process(array, *regions) -> list[list[str]]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(write_and_tell, [(array, region) for region in regions])


def unguarded(folder):
    """A store that does not replace a value only if nobody else did."""
    return zarr.storage.WrapperStore(zarr.storage.LocalStore(folder))


def test_a_process_that_was_given_an_array_is_warned_of_writing_parts(tmp_path):
    store = unguarded(tmp_path / "a")
    a = zarr.create_array(store, shape=(10, 8), chunks=(2, 2), shards=(4, 8), dtype="i1")
    whole = (slice(0, 4), slice(8, 10), slice(None), (slice(4, 8), slice(0, 8)), slice(3, 3))
    mask = (np.arange(80) % 7 == 0).reshape(10, 8)
    parts = (slice(0, 2), (slice(0, 4), slice(2, 8)), 3, (slice(0, 8, 2),), mask)
    told = in_another_process(a, *whole, *parts)
    assert told[: len(whole)] == [[]] * len(whole)
    for messages in told[len(whole) :]:
        assert len(messages) == 1 and "a part of a shard is written" in messages[0]
        assert "(4, 4, 2)" in messages[0]


def test_who_opened_an_array_is_not_warned(tmp_path):
    a = zarr.create_array(unguarded(tmp_path / "a"), shape=(8,), chunks=(4,), dtype="i1")
    assert write_and_tell((a, slice(0, 3))) == []
    assert write_and_tell((pickle.loads(pickle.dumps(a)), slice(0, 3))) == []
    # Neither is who writes to a store that keeps what others wrote, nor who writes chunks of one item.
    guarded = zarr.create_array(tmp_path / "a", shape=(8,), chunks=(4,), dtype="i1", overwrite=True)
    single = zarr.create_array(unguarded(tmp_path / "b"), shape=(8,), chunks=(1,), dtype="i1")
    assert in_another_process(guarded, slice(0, 3)) == [[]]
    assert in_another_process(single, slice(1, 6, 2)) == [[]]
