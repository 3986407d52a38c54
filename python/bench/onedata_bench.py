"""Compares stook.vranalysis with numpy and scipy as vrAnalysis uses them, in turn
(`cargo xtask bench -- --onedata`)."""

import argparse
import json
import shutil
from pathlib import Path

import contest
import numpy as np
from contest import Contest, Goal, Operation

NUMPY = "numpy"

#: Operations by name: what they are, and what is promised.
OPERATIONS = {
    "load": Operation("load an array", (Goal(1e-3),)),
    "load-sum": Operation("load an array, read all"),
    "load-row": Operation("load an array, one row"),
    "save": Operation("save an array over another", (Goal(1, NUMPY),)),
    "save-in-place": Operation("the same, numpy in place"),
    "save-new": Operation("save an array of a new name"),
    "load-sparse": Operation("load a sparse matrix"),
    "load-dense": Operation("load a sparse matrix as an array", (Goal(0.088),)),
    "load-columns": Operation("100 columns of a sparse matrix"),
    "save-sparse": Operation("save a sparse matrix", (Goal(10, NUMPY),)),
    "save-sparse-deflated": Operation("save a sparse matrix, deflated"),
    "transpose": Operation("suite2p's F by a recipe, transposed", (Goal(0.1),)),
    "save-recipe": Operation("save a recipe", (Goal(1, NUMPY),)),
    "load-recipe": Operation("load by a recipe", (Goal(1, NUMPY),)),
    "index": Operation("index a tree"),
    "index-again": Operation("index a tree that has not changed"),
    "query": Operation("find the sessions of a mouse"),
}


def prepare(folder: Path, shape: list[int], n_sessions: int) -> bool:
    """Makes the files that both read, once."""
    facts = {"shape": shape, "n_sessions": n_sessions}
    path = folder / "facts.json"
    if path.exists() and json.loads(path.read_text()) == facts:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    rows, columns = shape
    plane = folder / "suite2p/plane0"
    plane.mkdir(parents=True)
    np.save(plane / "F.npy", random.random((rows, columns), dtype="f4"))
    np.save(folder / "array.npy", random.random((rows, columns), dtype="f4"))
    counts = random.binomial(rows, 0.05, columns)
    pointers = np.concatenate([[0], np.cumsum(counts)]).astype("i4")
    indices = [np.sort(random.choice(rows, count, replace=False)) for count in counts]
    np.savez(folder / "matrix.npz", indices=np.concatenate(indices).astype("i4"), indptr=pointers,
             data=random.random(pointers[-1], dtype="f4"), shape=np.array(shape),
             format=np.array(b"csc"), _is_array=np.array(True))
    tree(folder / "tree", n_sessions)
    path.write_text(json.dumps(facts))
    return True


def tree(root: Path, n_sessions: int) -> None:
    """Sessions of three small files each, 100 a mouse."""
    for number in range(n_sessions):
        mouse, day = number // 100, number % 100
        date = f"2024-{1 + day // 28:02}-{1 + day % 28:02}"
        folder = root / f"M{mouse:03}" / date / "701/onedata"
        folder.mkdir(parents=True)
        for name in ("mpci.times", "mpci.roiActivityF", "positionTracking.times"):
            np.save(folder / f"{name}.npy", np.zeros((number % 7, 3), "f4"))


def run(options: argparse.Namespace) -> int:
    shape, n_sessions = ([1000, 5000], 500) if options.quick else ([5000, 10_000], 10_000)
    folder = options.folder.resolve() / ("onedata-quick" if options.quick else "onedata")
    prepare(folder, shape, n_sessions)
    told = (f"numpy {np.__version__} and scipy as vrAnalysis uses them. Arrays of {shape[0]:,} × {shape[1]:,}"
            f" float32, {4 * shape[0] * shape[1] / 1e6:,.0f} MB; sparse matrices of that shape, by columns,"
            f" 5 % not zero. An array that is saved over another is a new file that is renamed, with numpy as with"
            f" ours; vrAnalysis empties the old one, which is a line of its own. The tree has {n_sessions:,}"
            f" sessions of three files each.")

    def tidy(folder: Path) -> None:
        for path in folder.glob("[0-9]*-*"):
            shutil.rmtree(path, ignore_errors=True)

    sessions = Contest("--onedata", "docs/benchmarks-onedata.md", "Sessions beside numpy and scipy",
                       (NUMPY, contest.OURS), "onedata_worker.py", OPERATIONS, told, by_cpu=True,
                       tidy=tidy)
    return contest.run(sessions, folder, options, import_limit=0.2)
