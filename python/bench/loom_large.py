"""A loom larger than memory: made piece by piece and used within a bound (`cargo xtask bench -- --loom --large`).

Each operation runs in a process of its own, which tells the most memory that it had.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import contest
import report

SHAPE, QUICK_SHAPE = (30_000, 200_000), (3_000, 20_000)
#: Of so many elements, one is not zero.
DENSITY = 0.05
#: Columns that are added at once.
STEP = 5_000
#: What no operation may exceed.
MOST_BYTES = 1_000_000_000
PAGE = "docs/benchmarks-loom-large.md"

OPERATIONS = {
    "create": "create, 5,000 columns at a time",
    "map-rows": "map mean and std of rows",
    "map-columns": "map mean and std of columns",
    "aggregate": "mean of 20 groups",
    "scan-columns": "scan columns, sum",
    "scan-key": "scan a tenth of the columns, rows by a key, sum",
    "columns": "100 columns at random",
    "rows": "100 rows at random",
    "add-columns": "add 1,000 columns",
    "permute-columns": "permute columns",
    "permute-rows": "permute rows",
}


def batch(n: int, m: int, seed: int):
    """Columns of numbers of which few are not zero, as a sparse matrix."""
    import numpy as np
    from scipy.sparse import csc_matrix

    random = np.random.default_rng(seed)
    n_elements = int(n * m * DENSITY)
    places = np.cumsum(random.integers(1, round(2 / DENSITY), n_elements), dtype="i8")
    places = places[: np.searchsorted(places, n * m)]
    pointers = np.searchsorted(places, np.arange(m + 1, dtype="i8") * n)
    numbers = random.geometric(0.5, len(places)).astype("f4")
    return csc_matrix((numbers, (places % n).astype("i4"), pointers), shape=(n, m))


def create(path: str, n: int, m: int) -> float:
    import numpy as np
    import stook.loompy as loompy

    rows = {"Gene": np.array([f"gene{i}" for i in range(n)]),
            "Accession": np.array([f"ENSG{i * 7919 % n:011d}" for i in range(n)])}
    total = 0.0
    with loompy.new(path) as ds:
        for start in range(0, m, STEP):
            columns = np.arange(start, min(start + STEP, m))
            matrix = batch(n, len(columns), start)
            total += float(matrix.data.sum(dtype="f8"))
            cells = {"CellID": np.array([f"cell{i}" for i in columns]), "Clusters": columns * 7919 % 20}
            ds.add_columns(matrix, cells, row_attrs=rows)
    return total


def operations(path: str, n: int, m: int) -> dict[str, Callable[[], float]]:
    """What is done to the file at `path`; each gives a number to compare with what it should be."""
    import numpy as np
    import stook.loompy as loompy

    random = np.random.default_rng(5)
    order = [random.permutation(n), random.permutation(m)]
    tenth, few_columns = (np.sort(random.choice(m, k, replace=False)) for k in (m // 10, 100))
    few_rows = np.sort(random.choice(n, 100, replace=False))

    def on(work, mode="r"):
        def run():
            with loompy.connect(path, mode, validate=False) as ds:
                return float(work(ds))
        return run

    def scan(**how):
        return lambda ds: sum(float(view[:, :].sum(dtype="f8")) for _, _, view in ds.scan(axis=1, **how))

    def add(ds):
        cells = {"CellID": np.array([f"new{i}" for i in range(1000)]), "Clusters": np.zeros(1000, int)}
        ds.add_columns(np.ones((n, 1000), "f4"), cells)
        return n * 1000

    def permuted(axis):
        def work(ds):
            before = ds[:, :10] if axis == 0 else ds[:10, :]
            ds.permute(order[axis], axis=axis)
            after = ds[:, :10] if axis == 0 else ds[:10, :]
            if not (after == np.take(before, order[axis], axis=axis)).all():
                raise SystemExit("WRONG: what was permuted is not in its new order")
            return 0
        return work

    mean_and_std = [np.mean, np.std]
    return {
        "create": lambda: create(path, n, m),
        "map-rows": on(lambda ds: ds.map(mean_and_std, axis=0)[0].sum() * m),
        "map-columns": on(lambda ds: ds.map(mean_and_std, axis=1)[0].sum() * n),
        "aggregate": on(lambda ds: ds.aggregate(group_by="Clusters", aggr_by="sum").sum()),
        "scan-columns": on(scan()),
        "scan-key": on(scan(items=tenth, key="Accession")),
        "columns": on(lambda ds: ds[:, few_columns].sum(dtype="f8")),
        "rows": on(lambda ds: ds[few_rows, :].sum(dtype="f8")),
        "add-columns": on(add, "r+"),
        "permute-columns": on(permuted(1), "r+"),
        "permute-rows": on(permuted(0), "r+"),
    }


#: Those that pass over all, and so find the sum of all.
OF_ALL = ("map-rows", "map-columns", "aggregate", "scan-columns")


def work(name: str, path: str, n: int, m: int) -> None:
    """Does one operation in this process, and says what it took."""
    from serve import Clock, peak_len_bytes

    with Clock() as clock:
        found = operations(path, n, m)[name]()
    print(json.dumps({"wall": clock.wall, "cpu": clock.cpu, "peak": peak_len_bytes(), "found": found}))


def run(options: argparse.Namespace) -> int:
    n, m = QUICK_SHAPE if options.quick else SHAPE
    folder = options.folder.resolve() / "loom-large"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "large.loom"
    rows, total, is_within, began = [], 0.0, True, time.monotonic()
    load = os.getloadavg()[0]
    try:
        for name, title in OPERATIONS.items():
            # Those that were added are there by then.
            columns = m + 1000 if name.startswith("permute") else m
            command = [sys.executable, __file__, name, str(path), str(n), str(columns)]
            answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
            told = json.loads(answer.splitlines()[-1])
            if name == "create":
                total = told["found"]
            elif name in OF_ALL and abs(told["found"] - total) > 1e-6 * total:
                raise SystemExit(f"WRONG: {title}: {told['found']}, expected {total}")
            is_within &= told["peak"] <= MOST_BYTES
            rows.append([title, contest.seconds(told["wall"]), contest.seconds(told["cpu"]),
                         f"{told['peak'] / 1e6:,.0f}", f"{path.stat().st_size / 1e9:.2f}"])
            print("  ".join(f"{cell:>14}" for cell in rows[-1]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    verdict = f"Every operation stayed within {MOST_BYTES / 1e9:g} GB: {'yes' if is_within else 'no'}."
    print(f"{verdict} {time.monotonic() - began:.0f} s")
    if options.save:
        (report.ROOT / PAGE).write_text(document((n, m), rows, verdict, load))
    return 0 if is_within else 1


def document(shape: tuple[int, int], rows: list[list[str]], verdict: str, load: float) -> str:
    n, m = shape
    busy = "" if load < 0.5 else (
        f" Other programs had the processors, too (load average {load:.1f} before the run): seconds by the"
        " wall clock are longer than they would be.")
    names = ["operation", "wall s", "CPU s", "peak MB", "file GB"]
    lines = [
        "# A loom larger than memory", "",
        f"{datetime.date.today().isoformat()}, {report.machine()}. {n:,} genes × {m:,} cells of float32,"
        f" 5 % not zero: {n * m * 4 / 1e9:,.0f} GB if it were dense. One run; each operation in a process of"
        " its own through `stook.loompy`, Python and numpy included in what it had of memory. The sums that"
        f" passes over all find are compared with that of what was written.{busy}", "",
        "`cargo xtask bench -- --loom --large --save`", "",
        "| " + " | ".join(names) + " |", "|---" + "|---:" * (len(names) - 1) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", verdict, ""])


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
