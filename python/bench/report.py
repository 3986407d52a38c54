"""The measurements as tables: for the terminal, for docs/benchmarks.md and as JSON."""

import platform
import statistics
import subprocess
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from workloads import Workload

ROOT = Path(__file__).resolve().parents[2]
OURS, OURS_RUST = "stook", "stook (Rust)"
HEADINGS = ("library", "wall, best", "median", "CPU, best", "peak MB", "stook ÷ it", "CPU ÷ its")

TARGET_HEADINGS = ("workload", "promised", "found", "by CPU", "")


@dataclass
class Result:
    """What one library did in one workload."""

    library: str
    samples: list[dict] = field(default_factory=list)
    idle_len_bytes: int = 0
    peak_len_bytes: int = 0
    #: Why there is nothing, or nothing to trust.
    failure: str | None = None

    @property
    def wall(self) -> float:
        return min(sample["wall"] for sample in self.samples)

    @property
    def median(self) -> float:
        return statistics.median(sample["wall"] for sample in self.samples)

    @property
    def cpu(self) -> float:
        return min(sample["cpu"] for sample in self.samples)

    def as_json(self) -> dict:
        if self.failure:
            return {"library": self.library, "failure": self.failure}
        return {
            "library": self.library,
            "wall_seconds": {"best": self.wall, "median": self.median},
            "cpu_seconds": {"best": self.cpu},
            "n_samples": len(self.samples),
            "idle_len_bytes": self.idle_len_bytes,
            "peak_len_bytes": self.peak_len_bytes,
        }


@dataclass
class Measured:
    """What all libraries did in one workload."""

    workload: Workload
    results: list[Result]

    def result(self, library: str) -> Result | None:
        found = (r for r in self.results if r.library == library and not r.failure)
        return next(found, None)

    def ours_for(self, library: str) -> Result | None:
        """The result of ours that a library is compared with: Rust with Rust, else Python."""
        if library in (OURS, OURS_RUST):
            return None
        if library.endswith("(Rust)"):
            return self.result(OURS_RUST)
        return self.result(OURS) or self.result(OURS_RUST)

    def ratios(self, result: Result) -> tuple[str, str]:
        """Our time divided by its: wall and processor."""
        ours = self.ours_for(result.library)
        if not ours:
            return "", ""
        return f"{ours.wall / result.wall:.2f}", f"{ours.cpu / max(result.cpu, 1e-9):.2f}"

    def rows(self) -> list[tuple[str, ...]]:
        rows = []
        for result in self.results:
            if result.failure:
                rows.append((result.library, result.failure, *[""] * (len(HEADINGS) - 2)))
                continue
            rows.append((
                result.library, duration(result.wall), duration(result.median),
                duration(result.cpu), f"{result.peak_len_bytes / 1e6:.0f}", *self.ratios(result),
            ))
        return rows

    def targets(self) -> list[tuple[str, ...]]:
        """Workload, what was promised, what was found (wall, processor), whether that is enough."""
        rows = []
        for target in self.workload.targets:
            ours, peer = self.ours_for(target.peer), self.result(target.peer)
            promised = f"≥ {target.factor:g} × {target.peer}"
            if not ours or not peer:
                rows.append((self.workload.title, promised, "not measured", "", "–"))
                continue
            factor = peer.wall / ours.wall
            verdict = "met" if factor >= target.factor else "missed"
            by_cpu = f"{peer.cpu / max(ours.cpu, 1e-9):.2f} ×"
            rows.append((self.workload.title, promised, f"{factor:.2f} ×", by_cpu, verdict))
        return rows

    def as_json(self) -> dict:
        task = {key: value for key, value in self.workload.task.items() if key != "selected"}
        return {"name": self.workload.name, "group": self.workload.group,
                "title": self.workload.title, "task": task,
                "results": [result.as_json() for result in self.results]}


def duration(seconds: float) -> str:
    """Three digits with a unit."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        value = seconds * factor
        if value >= 1 or unit == "µs":
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{digits}f} {unit}"
    raise AssertionError("unreachable")


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table that reads as text and as Markdown; all columns but the first to the right."""
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    # A failure is a sentence in the second column: it does not widen it.
    short = [row[1] for row in rows if any(row[2:])]
    widths[1] = max(len(cell) for cell in (headings[1], *short))

    def line(cells: tuple[str, ...]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([line(headings), "| " + " | ".join(rule) + " |", *map(line, rows)])


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = f"{names[0].partition(':')[2].strip()}, {len(names)} cores" if names else model
    memory = Path("/proc/meminfo")
    if memory.exists():
        model += f", {int(memory.read_text().split()[1]) / 2**20:.0f} GiB"
    return f"{model}; {platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in ("stook", "zarr", "zarrs", "zarrista", "tensorstore", "h5py", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    lock = tomllib.loads((ROOT / "bench/Cargo.lock").read_text())
    crate = next((package for package in lock["package"] if package["name"] == "zarrs"), None)
    if crate:
        found["zarrs (Rust)"] = crate["version"]
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True,
                         capture_output=True, check=False)
    if git.returncode == 0:
        found["commit"] = git.stdout.strip()
    return found


def document(measured: list[Measured], date: str, command: str) -> str:
    """The text of docs/benchmarks.md."""
    names = ", ".join(f"{name} {version}" for name, version in versions().items())
    targets = [row for each in measured for row in each.targets()]
    groups: dict[str, list[Measured]] = {}
    for each in measured:
        groups.setdefault(each.workload.group, []).append(each)
    parts = [INTRODUCTION.format(date=date, machine=machine(), names=names, command=command)]
    parts.append("## Targets\n\n" + table(TARGET_HEADINGS, targets))
    for group, members in groups.items():
        parts.append(f"## {group}")
        for each in members:
            parts.append(f"### {each.workload.title}\n\n" + table(HEADINGS, each.rows()))
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """\
# Benchmarks

Written by `{command}`. What each library does in each workload is in
`python/bench/libraries.py` and `bench/src/bin/`.

- {date}; {machine}.
- {names}.

Every library is in a process of its own; in each round each library has its turn, so that what
else the machine does meets all of them. Every result is compared with the elements that were
stored before anything is timed. Files are in the page cache. Threads and caches are those that
each library sets by default: stook keeps 64 MiB of decoded chunks for partial reads, so that one
point and `vindex` of zstd chunks come from memory after the first time; of the others none keeps
decoded chunks of Zarr. An array is open already, but for HDF5, where the time is that of
opening the file, reading and closing it, because libraries keep chunks of an open file. The
processor time is that of all threads; the peak is that of the whole process, with the interpreter
and, where something is written, its elements. `stook ÷ it` divides the best wall times: below 1,
stook is faster; `CPU ÷ its` does the same with processor times, which suffer less from what else
runs on the machine. Rust libraries are compared with the Rust library, others with the Python package."""
