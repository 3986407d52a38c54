"""Writes one array from several processes with dask, each process to shards of its own.

    python examples/distributed_write.py s3://bucket/run.zarr
    python examples/distributed_write.py run.zarr --rows 4096 --workers 4

The object store is found as the AWS tools find it (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ...).
Every item is read back and compared. docs/distributed.md says how to choose the sizes.
"""

from __future__ import annotations

import argparse
import os
import time

import dask.array as da
import numpy as np
import stook.zarr as zarr
from dask.distributed import Client, LocalCluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", help="a folder or the URL of an object store")
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2, help="in each worker")
    options = parser.parse_args()

    # What is read at once is a chunk; what is written at once, by one task, is a shard.
    shape, chunks, shards = (options.rows, 1024), (128, 128), (256, 1024)
    target = zarr.create_array(
        options.target, shape=shape, dtype="i4", chunks=chunks, shards=shards, overwrite=True
    )
    # One block of dask for each write unit: no two tasks write to one shard.
    unit = target.write_chunk_sizes
    x = da.arange(np.prod(shape), dtype="i4", chunks=-1).reshape(shape).rechunk(unit)
    # Each task tells its process, to show that all of them wrote.
    x = x.map_blocks(lambda block: block, dtype=x.dtype)

    with (
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=options.threads,
            processes=True,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        processes = set(client.run(os.getpid).values())
        began = time.perf_counter()
        # The array goes to the workers by reference: its store, its path, its options.
        da.store(x, target, lock=False)
        written = time.perf_counter()
        found = da.from_array(zarr.open_array(options.target, mode="r"), chunks=unit)
        same = bool((found == x).all().compute())
        read = time.perf_counter()

    assert same, "what was read is not what was written"
    print(
        f"{target.nbytes / 1e6:.0f} MB in {target._nshards_initialized} shards,"
        f" {len(processes)} processes: written in {written - began:.2f} s,"
        f" read and compared in {read - written:.2f} s"
    )


if __name__ == "__main__":
    main()
