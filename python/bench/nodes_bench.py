"""Appends, makes nodes and walks: pymodaq_data over PyTables and h5py beside stook, interleaved.

    python nodes_bench.py [--rounds N] [--only WORKLOAD ...] [--json FILE]

Each measurement is a process of its own; a round measures every library once, so that what else the
machine does falls on all alike. Rates are rows (or nodes) a second of processor time, all threads
together, with the wall clock beside; the best of the rounds counts. Appends end with a flush and a
close, which are part of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LIBRARIES = ("tables", "h5py", "stook")


def load(library: str):
    """The module of a library and the name of its backend."""
    if library == "stook":
        from stook.pymodaq import backends

        return backends, "tables"
    from pymodaq_data.h5modules import backends

    return backends, library


def image(noise: int = 6) -> np.ndarray:
    """A camera's picture: smooth, with noise in the lower bits."""
    rows, columns = np.mgrid[0:512, 0:512]
    smooth = 2000 * np.exp(-((rows - 256) ** 2 + (columns - 200) ** 2) / 20000)
    random = np.random.default_rng(7).integers(0, 1 << noise, (512, 512))
    return (smooth + random).astype("u2")


def appends(row: np.ndarray, n: int, *, batch: int = 1, level: int = 0, flush: int = 0, durability: str = "flush"):
    """Appends `n` rows, `batch` at a time."""

    def work(backends, backend: str, path: Path, is_ours: bool) -> int:
        h5 = backends.H5Backend(backend)
        options = {"durability": durability} if is_ours else {}
        h5.open_file(path, "w", **options)
        if level:
            h5.define_compression("gzip", level)
        shape = row.shape if row.shape != (1,) else None
        array = h5.create_earray("/", "a", row.dtype, shape)
        rows = row if batch == 1 else np.repeat(row[None] if shape else row, batch, axis=0)
        for i in range(n // batch):
            array.append(rows, False)
            if flush and i % flush == 0:
                h5.flush()
        h5.close_file()
        return n

    return work


def make_nodes(backends, backend: str, path: Path, is_ours: bool) -> int:
    """Groups of arrays of one number each."""
    h5 = backends.H5Backend(backend)
    h5.open_file(path, "w")
    number = np.zeros(1)
    for i in range(50):
        group = h5.add_group(f"g{i:03}", "data", "/")
        for j in range(99):
            h5.create_carray(group, f"a{j:02}", number, title="an array")
    h5.close_file()
    return 5000


def walk_nodes(backends, backend: str, path: Path, is_ours: bool) -> int:
    """All nodes of the file that was made before."""
    h5 = backends.H5Backend(backend)
    h5.open_file(path, "r")
    n = sum(1 for _ in h5.walk_nodes("/"))
    h5.close_file()
    assert n == 5001, n
    return n


SCALAR, SPECTRUM = np.zeros(1), np.linspace(0, 1, 2048)
# What is done, and how many rows each library appends: enough to take about a second.
WORKLOADS = {
    "scalars, one a call": (lambda n: appends(SCALAR, n), (4000, 2000, 400_000)),
    "scalars, 1,000 a call": (
        lambda n: appends(SCALAR, n, batch=1000), (1_000_000, 500_000, 50_000_000)),
    "scalars, a flush each": (lambda n: appends(SCALAR, n, flush=1), (2000, 1000, 4000)),
    "scalars, an fsync each": (
        lambda n: appends(SCALAR, n, flush=1, durability="fsync"), (0, 0, 500)),
    "spectra 2048 × f64": (lambda n: appends(SPECTRUM, n), (3000, 1000, 30_000)),
    "images 512 × 512 u16": (lambda n: appends(image(), n), (800, 50, 1600)),
    "images, gzip 5": (lambda n: appends(image(), n, level=5), (40, 10, 200)),
    "5,000 nodes made": (lambda n: make_nodes, (1, 1, 1)),
    "5,000 nodes walked": (lambda n: walk_nodes, (1, 1, 1)),
}


def measure(library: str, name: str, folder: Path) -> None:
    """Prints what one library takes for one workload, as JSON."""
    backends, backend = load(library)
    make, counts = WORKLOADS[name]
    work = make(counts[LIBRARIES.index(library)])
    path = folder / f"{library}.h5"
    if "walked" in name:
        # By another process, so that its memory does not count.
        subprocess.run([sys.executable, __file__, "--measure", library, "5,000 nodes made",
                        str(folder)], check=True, stdout=subprocess.DEVNULL)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, processor = time.perf_counter(), time.process_time()
    n = work(backends, backend, path, library == "stook")
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"n": n, "wall": wall, "processor": processor, "kib": after - before}))


def run(options: argparse.Namespace) -> dict:
    """All rounds; the best of each."""
    best: dict = {}
    for _ in range(options.rounds):
        for name, (_, counts) in WORKLOADS.items():
            if options.only and name not in options.only:
                continue
            for library in LIBRARIES:
                if not counts[LIBRARIES.index(library)]:
                    continue
                folder = Path(tempfile.mkdtemp(prefix="nodes-bench-"))
                try:
                    done = subprocess.run(
                        [sys.executable, __file__, "--measure", library, name, str(folder)],
                        check=True, capture_output=True, text=True,
                        env={**os.environ, "HOME": str(folder)},
                    )
                finally:
                    shutil.rmtree(folder)
                found = json.loads(done.stdout.splitlines()[-1])
                found["rate"] = found["n"] / found["processor"]
                known = best.setdefault(name, {}).get(library)
                if known is None or found["rate"] > known["rate"]:
                    best[name][library] = found
    return best


def show(best: dict) -> None:
    """A table: rates a second of processor time, by the wall clock, and how many times the peers'."""
    print("| workload | tables | h5py | stook | × tables | × h5py | memory |")
    print("|---|---|---|---|---|---|---|")
    for name, results in best.items():
        cells = []
        for library in LIBRARIES:
            found = results.get(library)
            cells.append("—" if found is None
                         else f"{found['rate']:,.0f} ({found['n'] / found['wall']:,.0f})")
        ours = results["stook"]["rate"]
        times = [f"{ours / results[peer]['rate']:.1f}" if peer in results else "—"
                 for peer in LIBRARIES[:2]]
        memory = " / ".join(f"{results[one]['kib'] / 1024:.0f}" if one in results else "—"
                            for one in LIBRARIES)
        print(f"| {name} | {' | '.join(cells)} | {' | '.join(times)} | {memory} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", nargs=3, metavar=("LIBRARY", "WORKLOAD", "FOLDER"),
                        help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        library, name, folder = options.measure
        measure(library, name, Path(folder))
        return
    best = run(options)
    if options.json:
        options.json.write_text(json.dumps(best, indent=1))
    show(best)


if __name__ == "__main__":
    main()
