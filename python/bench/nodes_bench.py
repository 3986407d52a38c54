"""The acquisition tree beside pymodaq_data over PyTables and h5py, and the h5py look-alike beside
h5py (`cargo xtask bench -- --nodes`).

Each measurement is a process of its own; a round measures every library once, so that what else the
machine does falls on all alike. Rates are rows (or nodes, or reads) a second of processor time, all
threads together, with the wall clock beside; the best of the rounds counts. What was written is read
with h5py and compared.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import report
from nodes_workloads import Library, Workload, look_alike, tree

#: What the page promises: ours, the peer's workload, the peer, and how many times it.
PROMISES = [
    ("scalars, one a call", "scalars, one a call", "tables", 100),
    ("scalars, 1,000 a call", "scalars, one a call", "tables", 500),
    ("spectra 2048 × f64", "spectra 2048 × f64", "tables", 20),
    ("images 512 × 512 u16", "images 512 × 512 u16", "tables", 2.5),
    ("images 512 × 512 u16", "images 512 × 512 u16", "h5py", 60),
    ("images, gzip 5", "images, gzip 5", "tables", 10),
    ("5,000 nodes made", "5,000 nodes made", "tables", 20),
    ("5,000 nodes walked", "5,000 nodes walked", "tables", 50),
]
#: Memory that making or walking 5,000 nodes may take.
MAX_MIB = 10
QUICK = 8


def measure(library_name: str, name: str, folder: Path, n: int) -> None:
    """Prints what one library takes for one workload, as JSON."""
    workload = next(each for each in tree() + look_alike() if each.name == name)
    library = Library(library_name)
    path = folder / "file.h5"
    if workload.prepare and not path.exists():
        workload.prepare(library, path, n)
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, processor = time.perf_counter(), time.process_time()
    done = workload.work(library, path, n)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"n": done, "wall": wall, "processor": processor, "kib": after - before,
                      "len": path.stat().st_size}))


def run_one(workload: Workload, library: str, n: int, folder: Path) -> dict:
    """One measurement, in a process of its own, checked."""
    command = [sys.executable, __file__, "--measure", library, workload.name, str(folder), str(n)]
    place = {**os.environ, "HOME": str(folder)}
    times = 2 if workload.prepare else 1
    for _ in range(times):
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=place)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SystemExit(f"{workload.name}, {library}: {last}")
    found = json.loads(done.stdout.splitlines()[-1])
    if workload.check:
        workload.check(folder / "file.h5", found["n"])
    found["rate"] = found["n"] / found["processor"]
    found["wall_rate"] = found["n"] / found["wall"]
    return found


def fewer(n: int) -> int:
    """A part of `n`, in thousands where it is of thousands."""
    return n // QUICK // 1000 * 1000 or max(n // QUICK, 1)


def measure_all(workloads: list[Workload], options: argparse.Namespace) -> dict:
    """The best of the rounds, by workload and library."""
    best: dict = {}
    for workload in workloads:
        if options.only and not any(text in workload.name for text in options.only):
            continue
        results = best.setdefault(workload.name, {})
        for _ in range(options.rounds):
            for library, n in workload.counts.items():
                if n == 0:
                    continue
                n = fewer(n) if options.quick else n
                folder = Path(tempfile.mkdtemp(prefix="nodes-bench-"))
                try:
                    found = run_one(workload, library, n, folder)
                finally:
                    shutil.rmtree(folder)
                known = results.get(library)
                if known is None or found["rate"] > known["rate"]:
                    results[library] = found
        print("  ".join(f"{cell:>14}" for cell in row(workload.name, results)), flush=True)
    return best


def ours_of(results: dict) -> dict:
    return next(found for library, found in results.items() if library.startswith("stook"))


def row(name: str, results: dict) -> tuple[str, ...]:
    """A line: rates of each, how many times the peers' ours is, and memory."""
    ours, peers = ours_of(results), [one for one in results if not one.startswith("stook")]
    ratio = {peer: f"{ours['rate'] / results[peer]['rate']:,.1f}" for peer in peers}
    both = "h5py alone" if "h5py alone" in results else "h5py"

    def rate(library: str) -> str:
        found = results.get(library)
        return f"{found['rate']:,.0f} ({found['wall_rate']:,.0f})" if found else "–"

    memory = " / ".join(f"{results[one]['kib'] / 1024:.0f}" if one in results else "–"
                        for one in ("tables", both)) + f" / {ours['kib'] / 1024:.0f}"
    return (name, rate("tables"), rate(both), f"{ours['rate']:,.0f} ({ours['wall_rate']:,.0f})",
            ratio.get("tables", "–"), ratio.get(both, "–"), memory)


HEADINGS = ("workload", "tables", "h5py", "stook", "× tables", "× h5py", "memory, MiB")


def promises(best: dict) -> list[tuple[str, ...]]:
    """What was promised, and what was found."""
    rows = []
    for name, other, peer, least in PROMISES:
        if peer not in best.get(other, {}) or "stook" not in best.get(name, {}):
            continue
        ours, theirs = best[name]["stook"], best[other][peer]
        found, wall = ours["rate"] / theirs["rate"], ours["wall_rate"] / theirs["wall_rate"]
        named = name if name == other else f"{name}, beside {other}"
        rows.append((named, f"≥ {least:g} × {peer}", f"{found:,.1f}", f"{wall:,.1f}",
                     "met" if found >= least else "not met"))
    for name in ("5,000 nodes made", "5,000 nodes walked"):
        if "stook" in best.get(name, {}):
            mib = best[name]["stook"]["kib"] / 1024
            rows.append((f"{name}, memory", f"≤ {MAX_MIB} MiB", f"{mib:.1f} MiB", "–",
                         "met" if mib <= MAX_MIB else "not met"))
    return rows


PROMISE_HEADINGS = ("workload", "promised", "found, by CPU", "by wall", "")


def versions() -> str:
    names = ("stook", "pymodaq_data", "tables", "h5py", "numpy")
    found = {name: metadata.version(name) for name in names if is_installed(name)}
    return ", ".join(f"{name} {version}" for name, version in found.items())


def is_installed(name: str) -> bool:
    """Whether it is; stook may be run out of its folder."""
    return any(metadata.distributions(name=name))


def markdown(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(headings) + " |",
             "|---|" + "---:|" * (len(headings) - 1)]
    return lines + ["| " + " | ".join(cells) + " |" for cells in rows]


def document(best: dict, options: argparse.Namespace) -> str:
    command = f"cargo xtask bench -- --nodes --save --rounds {options.rounds}"
    names = {each.name for each in look_alike()}
    trees = [row(name, results) for name, results in best.items() if name not in names]
    alike = [row(name, results) for name, results in best.items() if name in names]
    lines = [
        "# The acquisition tree beside PyTables and h5py", "",
        f"{datetime.date.today().isoformat()}, {report.machine()}; {versions()}.", "",
        f"`{command + (' --quick' if options.quick else '')}`", "",
        "Rates are rows, nodes or reads a second of processor time, all threads together, and in "
        "brackets by the wall clock; a flush and a close are part of it. Each measurement is a process "
        "of its own; a round measures every library once, the best of the rounds counts. Memory is what "
        "the peak grew by, of tables, h5py and stook. tables and h5py are pymodaq_data's backends. What "
        "was written was read with h5py and compared. Nobody but stook syncs.", "",
        "## Promised", "",
        *markdown(PROMISE_HEADINGS, promises(best)), "",
        "## The tree", "",
        *markdown(HEADINGS, trees), "",
        "## `stook.h5compat` beside h5py", "",
        *markdown(HEADINGS, alike), "",
        (Path(__file__).parent / "notes-nodes.md").read_text().rstrip(), "",
    ]
    return "\n".join(lines)


def run(options: argparse.Namespace) -> int:
    print(f"{report.machine()}; {versions()}")
    print("  ".join(f"{cell:>14}" for cell in HEADINGS), flush=True)
    best = measure_all(tree() + look_alike(), options)
    print("\n" + report.table(HEADINGS, [row(*each) for each in best.items()]))
    print("\n" + report.table(PROMISE_HEADINGS, promises(best)))
    if options.json:
        Path(options.json).write_text(json.dumps(best, indent=1) + "\n")
    if options.save:
        (report.ROOT / "docs/benchmarks-nodes.md").write_text(document(best, options))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] != ["--measure"]:
        raise SystemExit("cargo xtask bench -- --nodes")
    _, _, library_name, workload_name, folder_name, count = sys.argv
    measure(library_name, workload_name, Path(folder_name), int(count))
