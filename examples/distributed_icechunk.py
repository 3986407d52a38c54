"""Writes one array from several processes in one transaction, through icechunk.

    python -m stook.compat zarr -- examples/distributed_icechunk.py run.icechunk
    python -m stook.compat zarr -- examples/distributed_icechunk.py s3://bucket/run

icechunk is written for zarr-python: the name is lent to stook, here and in the workers. A store of
icechunk is a session: it is forked for the workers, each gives its fork back, and the forks are merged
and committed together. Nobody sees a part of it.
"""

from __future__ import annotations

import argparse
import os
from urllib.parse import urlsplit

import icechunk
import numpy as np
import zarr
from dask.distributed import Client, LocalCluster

SHAPE, CHUNKS, SHARDS = (2048, 1024), (128, 128), (256, 1024)


def storage(target: str) -> icechunk.Storage:
    """A folder, or a place on S3 that the environment describes."""
    parts = urlsplit(target)
    if parts.scheme != "s3":
        return icechunk.local_filesystem_storage(target)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return icechunk.s3_storage(
        bucket=parts.netloc,
        prefix=parts.path.strip("/"),
        region=os.environ.get("AWS_REGION", "us-east-1"),
        endpoint_url=endpoint,
        allow_http=endpoint is not None and endpoint.startswith("http:"),
        force_path_style=endpoint is not None,
        from_env=True,
    )


def rows(first: int, last: int) -> np.ndarray:
    """What the array holds there."""
    return np.arange(first * SHAPE[1], last * SHAPE[1], dtype="i4").reshape(-1, SHAPE[1])


def write(fork: icechunk.session.ForkSession, first: int) -> tuple[object, int]:
    """Writes one shard through the session that was forked for it, and gives that back."""
    array = zarr.open_array(fork.store, path="x", mode="r+")
    last = min(first + SHARDS[0], SHAPE[0])
    array[first:last] = rows(first, last)
    return fork, os.getpid()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", help="a folder, or s3://bucket/prefix")
    options = parser.parse_args()

    repository = icechunk.Repository.open_or_create(storage(options.target))
    # What is forked is what was committed: the array is made first.
    session = repository.writable_session("main")
    root = zarr.open_group(session.store, mode="a")
    root.create_array(
        "x", shape=SHAPE, dtype="i4", chunks=CHUNKS, shards=SHARDS, overwrite=True
    )
    session.commit("make the array")

    session = repository.writable_session("main")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        fork = session.fork()
        tasks = client.map(write, [fork] * (SHAPE[0] // SHARDS[0]), range(0, SHAPE[0], SHARDS[0]))
        forks, processes = zip(*client.gather(tasks), strict=True)
    session.merge(*forks)
    seen_before = zarr.open_array(repository.readonly_session("main").store, path="x", mode="r")
    assert not seen_before[:].any(), "a part was seen before the commit"
    session.commit("write all shards")

    array = zarr.open_array(repository.readonly_session("main").store, path="x", mode="r")
    assert np.array_equal(array[:], rows(0, SHAPE[0])), "what was read is not what was written"
    messages = [snapshot.message for snapshot in repository.ancestry(branch="main")]
    print(
        f"{type(array).__module__.split('.')[0]}: {len(forks)} shards by {len(set(processes))}"
        f" processes; history: {', '.join(reversed(messages))}"
    )


if __name__ == "__main__":
    main()
