"""Compares stook.loompy with loompy, in turn, each in its environment (`cargo xtask bench -- --loom`)."""

import argparse
import datetime
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import report

HERE = Path(__file__).resolve().parent
LIBRARIES = ("loompy", "stook")

#: Operations by name: what they are, and how many times as fast ours is to be.
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
}

HEADINGS = ["operation", "loompy s", "stook s", "times as fast", "goal", "loompy MB", "stook MB"]


class Failed(Exception):
    """A library that cannot do something."""


class Worker:
    """A library in its process."""

    def __init__(self, library: str, folder: Path, options: argparse.Namespace):
        python = sys.executable if library == "stook" else str(options.loompy_python)
        command = [python, str(HERE / "loom_worker.py"), library, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"the process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"].splitlines()[0])
        return answer

    def ask(self, **request) -> dict:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def prepare(folder: Path, options: argparse.Namespace) -> list[int]:
    """Makes the files, once."""
    shape = [2000, 1000] if options.quick else [20_000, 10_000]
    facts = folder / "facts.json"
    if (folder / "part.loom").exists() and json.loads(facts.read_text())["shape"] == shape:
        return shape
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
    worker = Worker("loompy", folder, options)
    worker.ask(make=True)
    worker.close()
    return shape


def measure(name: str, folder: Path, options: argparse.Namespace) -> dict[str, dict]:
    """Walls and peaks by library; rounds go in turn, and each begins with another one."""
    workers = {library: Worker(library, folder, options) for library in LIBRARIES}
    found: dict[str, dict] = {library: {"walls": [], "peak": 0} for library in LIBRARIES}
    try:
        for number in range(options.rounds):
            for library in LIBRARIES if number % 2 else LIBRARIES[::-1]:
                of = found[library]
                if "failure" in of:
                    continue
                try:
                    answer = workers[library].ask(run=name)
                except Failed as failure:
                    of["failure"] = str(failure)
                    continue
                of["walls"].append(answer["wall"])
                of["peak"] = max(of["peak"], answer["peak"])
                of["found"] = answer["found"]
    finally:
        for worker in workers.values():
            worker.close()
    return found


def row_of(name: str, found: dict[str, dict]) -> tuple[list[str], float | None]:
    title, goal = OPERATIONS[name]
    theirs, ours = (found[library] for library in LIBRARIES)
    for library in LIBRARIES:
        if "failure" in found[library]:
            return [title, *["–"] * 5, f"{library}: {found[library]['failure']}"], None
    if not math.isclose(theirs["found"], ours["found"], rel_tol=1e-5):
        raise SystemExit(f"WRONG: {title}: loompy {theirs['found']}, stook {ours['found']}")
    walls = [median(theirs["walls"]), median(ours["walls"])]
    ratio = walls[0] / walls[1]
    peaks = [f"{each['peak'] / 1e6:,.0f}" for each in (theirs, ours)]
    return [title, f"{walls[0]:.4f}", f"{walls[1]:.4f}", f"{ratio:.1f}", f"{goal}", *peaks], ratio


def imports(folder: Path, options: argparse.Namespace) -> list[str]:
    """Importing the package, by the processor's time."""
    found = {}
    for library in LIBRARIES:
        walls = []
        for _ in range(options.rounds):
            worker = Worker(library, folder, options)
            walls.append(worker.facts["imported"])
            worker.close()
        found[library] = min(walls, key=lambda each: each["cpu"])
    theirs, ours = (found[library] for library in LIBRARIES)
    peaks = [f"{each['peak'] / 1e6:,.0f}" for each in (theirs, ours)]
    return ["import (CPU)", f"{theirs['cpu']:.4f}", f"{ours['cpu']:.4f}",
            f"{theirs['cpu'] / ours['cpu']:.1f}", "< 0.2 s", *peaks]


def run(options: argparse.Namespace) -> int:
    if options.loompy_python is None:
        print("no --loompy-python: cargo xtask bench -- --loom gives it", file=sys.stderr)
        return 1
    folder = options.folder.resolve() / ("loom-quick" if options.quick else "loom")
    shape = prepare(folder, options)
    # What else runs on the machine.
    load = os.getloadavg()[0]
    print(f"{report.machine()}\n{shape[0]:,} × {shape[1]:,} f4, 5 % not zero")
    rows, ratios = [imports(folder, options)], []
    for name in OPERATIONS:
        if options.only and not any(text in name for text in options.only):
            continue
        row, ratio = row_of(name, measure(name, folder, options))
        rows.append(row)
        ratios += [ratio] if ratio else []
        print("  ".join(f"{cell:>14}" for cell in row), flush=True)
        for path in folder.glob("[0-9]*-*"):
            path.unlink()
    print("\n" + report.table(HEADINGS, rows))
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 0
    print(f"\ngeometric mean of {len(ratios)}: {mean:.1f} times as fast")
    if options.save:
        (report.ROOT / "docs/benchmarks-loom.md").write_text(
            document(shape, rows, mean, conditions(options.rounds, load)))
    return 0


def conditions(rounds: int, load: float) -> str:
    """How much the figures are worth."""
    told = f"{rounds} round{'s' if rounds > 1 else ''} of each operation"
    if load < 0.5:
        return f"{told}; nothing else ran."
    return (f"{told}, while other programs had the processors, too (load average {load:.1f} before the"
            " run): what uses both of them looks slower than it is. Run it again for figures to quote.")


def document(shape: list[int], rows: list[list[str]], mean: float, conditions: str) -> str:
    lines = [
        "# Loom beside loompy", "",
        f"{datetime.date.today().isoformat()}, {report.machine()}. loompy 3.0.8 in its own environment"
        " (numpy 2.3.5, h5py 3.16). "
        f"{shape[0]:,} genes × {shape[1]:,} cells of float32, 5 % not zero. Both do each operation in"
        " turn; seconds are the median of the rounds, memory is the most that the process had during the"
        " operation, with what it was given. What one finds is compared with what the other does.", "",
        conditions, "",
        "`cargo xtask bench -- --loom --save`", "",
        "| " + " | ".join(HEADINGS) + " |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", f"Geometric mean without the import: {mean:.1f} times as fast.", ""]
    return "\n".join(lines)
