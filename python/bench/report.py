"""The measurements as tables: for the terminal, for docs/benchmarks.md and as JSON."""

import json
import platform
import statistics
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from workloads import Target, Workload

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS_PYTHON, OURS_RUST = ("stook.zarr", "stook"), "stook (Rust)"
OURS = (*OURS_PYTHON, OURS_RUST)
OTHER_RUST = "zarrs (Rust)"
HEADINGS = ("library", "wall, best", "median", "CPU, best", "peak MB", "ours ÷ it", "CPU ÷ its")

SUMMARY_HEADINGS = ("workload", "ours", "best other", "", "ours ÷ it", "CPU ÷ its", "stook (Rust)",
                    "zarrs (Rust)", "ours ÷ it")
TARGET_HEADINGS = ("workload", "promised", "found", "by CPU", "")
BEHIND_HEADINGS = ("workload", "behind", "ours ÷ it", "CPU ÷ its")


def write_json(found: object, place: Path) -> None:
    """Writes to a file, or for `-` to standard output."""
    text = json.dumps(found, indent=1) + "\n"
    if place == Path("-"):
        sys.stdout.write(text)
    else:
        place.write_text(text)


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
        if library in OURS:
            return None
        if library.endswith("(Rust)"):
            return self.result(OURS_RUST)
        return next(filter(None, map(self.result, (*OURS_PYTHON, OURS_RUST))), None)

    def best_other(self, *, is_rust: bool) -> Result | None:
        """The fastest one of the others."""
        others = [each for each in self.results if not each.failure and each.library not in OURS
                  and each.library.endswith("(Rust)") == is_rust]
        return min(others, key=lambda each: each.wall, default=None)

    def summary(self) -> tuple[str, ...]:
        """The workload in a line: our package and the best of the others, our crate and zarrs."""
        row = [f"{self.workload.title} [{self.workload.name}]"]
        for is_rust in (False, True):
            other = self.best_other(is_rust=is_rust)
            ours = self.ours_for(OTHER_RUST if is_rust else "")
            row.append(duration(ours.wall) if ours else "")
            if not is_rust:
                row.append(other.library if other else "")
            row.append(duration(other.wall) if other else "")
            row += self.ratios(other)[: 1 if is_rust else 2] if other else ["", ""][is_rust:]
        return tuple(row)

    def behind(self) -> list[tuple[str, ...]]:
        """Where another one is faster, by wall time."""
        rows = []
        for result in self.results:
            ours = None if result.failure else self.ours_for(result.library)
            if ours and ours.wall > result.wall:
                rows.append((f"{self.workload.title} [{self.workload.name}]", result.library,
                             *self.ratios(result)))
        return rows

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
            if target.peer is None:
                rows.append(self._limit(target))
                continue
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

    def _limit(self, target: Target) -> tuple[str, ...]:
        ours = self.result(target.library)
        promised = f"≤ {duration(target.cpu_seconds)} of CPU"
        if not ours:
            return self.workload.title, promised, "not measured", "", "–"
        verdict = "met" if ours.cpu <= target.cpu_seconds else "missed"
        return self.workload.title, promised, "", duration(ours.cpu), verdict

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


def versions(newest_python: Path | None) -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in ("stook", "zarr", "zarrs", "zarrista", "tensorstore", "obstore", "s3fs", "h5py", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if newest_python:
        ask = "import platform, zarr; print(zarr.__version__, platform.python_version())"
        answer = subprocess.run([newest_python, "-c", ask], text=True, capture_output=True,
                                check=True)
        zarr, python = answer.stdout.split()
        found["newest zarr"] = f"{zarr} (Python {python})"
    lock = tomllib.loads((ROOT / "bench/Cargo.lock").read_text())
    crate = next((package for package in lock["package"] if package["name"] == "zarrs"), None)
    if crate:
        found["zarrs (Rust)"] = crate["version"]
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True,
                         capture_output=True, check=False)
    if git.returncode == 0:
        found["commit"] = git.stdout.strip()
    return found


def document(
    measured: list[Measured], versions: dict[str, str], date: str, command: str
) -> str:
    """The text of docs/benchmarks.md."""
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    groups: dict[str, list[Measured]] = {}
    for each in measured:
        groups.setdefault(each.workload.group, []).append(each)
    parts = [INTRODUCTION.format(date=date, machine=machine(), names=names, command=command)]
    parts.append("## Summary\n\n" + SUMMARY)
    for group, members in groups.items():
        rows = [each.summary() for each in members]
        parts.append(f"**{group}**\n\n" + table(SUMMARY_HEADINGS, rows))
    targets = [row for each in measured for row in each.targets()]
    parts.append("## Targets\n\n" + table(TARGET_HEADINGS, targets))
    behind = [row for each in measured for row in each.behind()]
    notes = (HERE / "notes.md").read_text().rstrip()
    parts.append("## Where others are ahead\n\n" + table(BEHIND_HEADINGS, behind))
    parts.append(notes)
    for group, members in groups.items():
        parts.append(f"## {group}")
        for each in members:
            parts.append(f"### {each.workload.title}\n\n" + table(HEADINGS, each.rows()))
    return "\n\n".join(parts) + "\n"


SUMMARY = """\
`stook.zarr` is ours where it is measured, else `stook`; the best other is the fastest library for
Python by wall time. Below 1, ours is faster."""

INTRODUCTION = """\
# Benchmarks

Written by `{command}`. What each library does in each workload is in
`python/bench/libraries.py`, `python/bench/zarr_libraries.py` and `bench/src/bin/`.

- {date}; {machine}.
- {names}.

Every library is in a process of its own; in each round each library has its turn, so that what
else the machine does meets all of them. Every result is compared with the elements that were
stored before anything is timed, and what is written is read back by zarr-python. Files are in the
page cache. Threads and caches are those that each library sets by default, but for S3, where
zarr-python and zarrs are told to have as many requests under way as stook has by default (64).
stook keeps 64 MiB of decoded chunks for partial reads, so that one point and `vindex` of zstd chunks
come from memory after the first time; of the others none keeps decoded chunks of Zarr. An array is
open already, but for HDF5, where the time is that of opening the file, reading and closing it,
because libraries keep chunks of an open file. S3 is a server in memory on the same machine
(`bench/src/bin/s3.rs`), which answers at once, or 10 ms late as a data centre does; it takes
processor time of the same cores, which is not in the figures. The processor time is that of all
threads; the peak is that of the whole process, with the interpreter and, where something is written,
its elements. `ours ÷ it` divides the best wall times: below 1, ours is faster; `CPU ÷ its` does the
same with processor times, which suffer less from what else runs on the machine. Ours is `stook.zarr`,
the API of zarr-python, where it is measured; else `stook`; for Rust libraries the crate."""
