"""Compares stook.loompy with loompy, in turn, each in its environment (`cargo xtask bench -- --loom`)."""

import argparse
import json
import shutil
import sys
from pathlib import Path

import contest
import loom_large
import numpy as np
from contest import Contest, Goal, Operation

#: Operations by name: what they are, and how many times as fast ours is to be, if that is promised.
OPERATIONS = {
    "create-sparse": ("create from a sparse matrix", 6),
    "create-dense": ("create from a dense matrix", 6),
    "open": ("open", 15),
    "open-attributes": ("open, and read all attributes", 15),
    "read-all": ("read all", 4),
    "scan-columns": ("scan columns, sum", 9),
    "scan-rows": ("scan rows, sum", 9),
    "scan-items-key": ("scan half of the columns, rows by a key, sum", 12),
    "map-rows": ("map mean and std of rows", 10),
    "map-columns": ("map mean and std of columns", 22),
    "sparse": ("sparse matrix of all", 12),
    "aggregate": ("mean of 20 groups", 12),
    "100-columns": ("100 columns at random", 15),
    "100-rows": ("100 rows at random", 7),
    "1-row": ("one row", 4),
    "permute-rows": ("permute rows", 5),
    "permute-columns": ("permute columns", 10),
    "add-columns": ("add 1,000 columns", 4),
    "export": ("export 1,000 × 1,000 as text", 20),
    "sidecar-make": ("write the sidecar", None),
    "sidecar-scan-rows": ("with the sidecar: scan rows, sum", None),
    "sidecar-map-rows": ("with the sidecar: map mean and std of rows", None),
    "sidecar-map-columns": ("with the sidecar: map mean and std of columns", None),
    "sidecar-sparse": ("with the sidecar: sparse matrix of all", None),
    "sidecar-aggregate": ("with the sidecar: mean of 20 groups", None),
}


def contest_of(shape: list[int], options: argparse.Namespace) -> Contest:
    told = ("loompy 3.0.8 in its own environment (numpy 2.3.5, h5py 3.16). "
            f"{shape[0]:,} genes × {shape[1]:,} cells of float32, 5 % not zero.")
    operations = {name: Operation(title, (Goal(factor, "loompy"),) if factor else ())
                  for name, (title, factor) in OPERATIONS.items()}

    def tidy(folder: Path) -> None:
        for path in folder.glob("[0-9]*-*"):
            path.unlink()

    return Contest("--loom", "docs/benchmarks-loom.md", "Loom beside loompy", ("loompy", "stook"),
                   "loom_worker.py", operations, told, {"loompy": options.loompy_python}, tidy=tidy)


def prepare(folder: Path, shape: list[int]) -> bool:
    """Makes what files are made of, once; tells whether it did."""
    facts = folder / "facts.json"
    if (folder / "part.loom").exists() and json.loads(facts.read_text())["shape"] == shape:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts.write_text(json.dumps({"shape": shape}))
    random = np.random.default_rng(1)
    n, m = shape
    counts = random.binomial(n, 0.05, m)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype("i8")
    indices = np.concatenate([np.sort(random.choice(n, k, replace=False)) for k in counts])
    np.save(folder / "indptr.npy", indptr)
    np.save(folder / "indices.npy", indices.astype("i4"))
    np.save(folder / "data.npy", random.geometric(0.5, len(indices)).astype("f4"))
    return True


def run(options: argparse.Namespace) -> int:
    if options.loompy_python is None:
        print("no --loompy-python: cargo xtask bench -- --loom gives it", file=sys.stderr)
        return 1
    if options.large:
        return loom_large.run(options)
    shape = [2000, 1000] if options.quick else [20_000, 10_000]
    folder = options.folder.resolve() / ("loom-quick" if options.quick else "loom")
    looms = contest_of(shape, options)
    if prepare(folder, shape):
        looms.make(folder)
    return contest.run(looms, folder, options, import_limit=0.2)
