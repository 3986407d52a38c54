"""Operations that several libraries do in turn, each in its process and environment, and a page of it."""

import argparse
import datetime
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import report
from child import Child, Failed

HERE = Path(__file__).resolve().parent
OURS = "stook"


@dataclass(frozen=True)
class Goal:
    """What is promised: to be at least `factor` times as fast as `library`, or, where there is none,
    to take at most `factor` seconds."""

    factor: float
    library: str | None = None

    def __str__(self) -> str:
        if self.library is None:
            return f"≤ {self.factor * 1e6:g} µs" if self.factor < 1e-3 else f"≤ {self.factor:g} s"
        if self.factor < 1:
            return f"≤ {1 / self.factor:.3g} × the time of {self.library}"
        return f"≥ {self.factor:g} × {self.library}"

    def is_met(self, times: dict[str, float]) -> bool | None:
        """None where the library did not do it."""
        if self.library is None:
            return times[OURS] <= self.factor
        if self.library not in times:
            return None
        return times[self.library] >= self.factor * times[OURS]


@dataclass(frozen=True)
class Operation:
    """One line of the page: the first library of the contest is the one that `times as fast` is of."""

    title: str
    goals: tuple[Goal, ...] = ()


@dataclass
class Contest:
    """What is compared."""

    #: The option of `cargo xtask bench --` that asks for it.
    option: str
    page: str
    title: str
    #: The first is the one that we stand in for, the last is ours.
    libraries: tuple[str, ...]
    #: The program that runs in a library's process and answers as `serve.py` does; its arguments are the
    #: library and the folder of the files.
    worker: str
    operations: dict[str, Operation]
    #: What the page says of the files and of the peers.
    told: str
    #: The Python of libraries that live apart.
    pythons: dict[str, Path] = field(default_factory=dict)
    #: Whether seconds are the processor's, all threads together, or the wall clock's.
    by_cpu: bool = False
    #: How much results may differ, relatively.
    tolerance: float = 1e-5
    #: Takes away what an operation left.
    tidy: Callable[[Path], None] = lambda _: None

    @property
    def peer(self) -> str:
        return self.libraries[0]

    def child(self, library: str, folder: Path) -> Child:
        python = self.pythons.get(library, Path(sys.executable))
        return Child([str(python), str(HERE / self.worker), library, str(folder)])

    def make(self, folder: Path) -> None:
        """Has the peer make the files that all read."""
        child = self.child(self.peer, folder)
        child.answer()
        child.ask(make=True)
        child.close()


def measure(contest: Contest, name: str, folder: Path, options: argparse.Namespace) -> dict[str, dict]:
    """Seconds and peaks by library; rounds go in turn, and each begins with another one."""
    children = {library: contest.child(library, folder) for library in contest.libraries}
    found: dict[str, dict] = {library: {"times": [], "peak": 0} for library in contest.libraries}
    clock = "cpu" if contest.by_cpu else "wall"
    try:
        for library, child in children.items():
            try:
                child.answer()
            except Failed as failure:
                found[library]["failure"] = str(failure)
        for number in range(options.rounds):
            turn = number % len(children)
            for library in contest.libraries[turn:] + contest.libraries[:turn]:
                of = found[library]
                if "failure" in of or "absent" in of:
                    continue
                try:
                    answer = children[library].ask(run=name)
                except Failed as failure:
                    of["failure"] = str(failure)
                    continue
                if "absent" in answer:
                    of["absent"] = True
                    continue
                of["times"].append(answer[clock])
                of["peak"] = max(of["peak"], answer["peak"])
                of["found"] = answer["found"]
    finally:
        for child in children.values():
            child.close()
    return found


def seconds(value: float) -> str:
    """Four digits, whatever the size; fractions of a millisecond as microseconds."""
    return f"{value:.4f}" if value >= 1e-3 else f"{value * 1e6:.3g} µ"


class Line:
    """What came of one operation."""

    def __init__(self, contest: Contest, name: str, found: dict[str, dict]):
        self.operation = contest.operations[name]
        self._contest, self._found = contest, found
        self.times = {library: median(of["times"]) for library, of in found.items() if of["times"]}
        self.failures = {library: of["failure"] for library, of in found.items() if "failure" in of}
        self._check()

    def _check(self) -> None:
        if OURS not in self.times:
            return
        ours = self._found[OURS]["found"]
        for library in self.times:
            theirs = self._found[library]["found"]
            if not math.isclose(theirs, ours, rel_tol=self._contest.tolerance):
                raise SystemExit(f"WRONG: {self.operation.title}: {library} {theirs}, {OURS} {ours}")

    @property
    def ratio(self) -> float | None:
        peer = self._contest.peer
        return self.times[peer] / self.times[OURS] if peer in self.times and OURS in self.times else None

    def verdict(self) -> str:
        if self.failures:
            return "; ".join(f"{library}: {failure}" for library, failure in self.failures.items())
        if OURS not in self.times:
            return ""
        met = [each for goal in self.operation.goals if (each := goal.is_met(self.times)) is not None]
        return ("met" if all(met) else "not met") if met else ""

    def cells(self) -> list[str]:
        libraries = self._contest.libraries
        times = [seconds(self.times[each]) if each in self.times else "–" for each in libraries]
        goals = " and ".join(map(str, self.operation.goals))
        peaks = [f"{self._found[each]['peak'] / 1e6:,.0f}" if each in self.times else "–"
                 for each in (self._contest.peer, OURS)]
        ratio = f"{self.ratio:.1f}" if self.ratio else "–"
        return [self.operation.title, *times, ratio, goals, self.verdict(), *peaks]


def headings(contest: Contest) -> list[str]:
    return ["operation", *(f"{each} s" for each in contest.libraries), f"× {contest.peer}", "promised", "",
            f"{contest.peer} MB", f"{OURS} MB"]


def imports(contest: Contest, folder: Path, options: argparse.Namespace, limit: float) -> list[str]:
    """Importing the package, by the processor's time."""
    found: dict[str, dict] = {}
    for library in (contest.peer, OURS):
        times = []
        for _ in range(options.rounds + 1):
            child = contest.child(library, folder)
            times.append(child.answer()["imported"])
            child.close()
        # The first one may have written compiled files.
        found[library] = min(times, key=lambda each: each["cpu"])
    theirs, ours = found[contest.peer], found[OURS]
    times = [seconds(found[each]["cpu"]) if each in found else "–" for each in contest.libraries]
    return ["import (CPU)", *times, f"{theirs['cpu'] / ours['cpu']:.1f}", f"≤ {limit:g} s",
            "met" if ours["cpu"] <= limit else "not met",
            *(f"{each['peak'] / 1e6:,.0f}" for each in (theirs, ours))]


def run(contest: Contest, folder: Path, options: argparse.Namespace, import_limit: float) -> int:
    """Measures all, prints it, and writes the page if that is asked for."""
    # What else runs on the machine.
    load = os.getloadavg()[0]
    print(f"{report.machine()}\n{contest.told}")
    rows, lines = [imports(contest, folder, options, import_limit)], []
    for name in contest.operations:
        if options.only and not any(text in name for text in options.only):
            continue
        line = Line(contest, name, measure(contest, name, folder, options))
        lines.append(line)
        rows.append(line.cells())
        print("  ".join(f"{cell:>14}" for cell in rows[-1]), flush=True)
        contest.tidy(folder)
    print("\n" + report.table(headings(contest), rows))
    told = summary(contest, lines)
    print("\n" + told)
    if options.json:
        report.write_json([dict(zip(headings(contest), row, strict=True)) for row in rows], options.json)
    if options.save:
        page = document(contest, rows, told, conditions(contest, options.rounds, load))
        (report.ROOT / contest.page).write_text(page)
    failures = [failure for line in lines for failure in line.failures.items()]
    for library, failure in failures:
        print(f"{library}: {failure}", file=sys.stderr)
    return 1 if any(library == OURS for library, _ in failures) else 0


def summary(contest: Contest, lines: list[Line]) -> str:
    ratios = [line.ratio for line in lines if line.ratio]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 0
    verdicts = [line.verdict() for line in lines if line.operation.goals]
    return (f"Geometric mean of {len(ratios)}, without the import: {mean:.1f} times as fast as {contest.peer};"
            f" {verdicts.count('met')} of {len(verdicts)} promises met.")


def conditions(contest: Contest, rounds: int, load: float) -> str:
    """How much the figures are worth."""
    clock = "of processor time, all threads together" if contest.by_cpu else "by the wall clock"
    told = (f"{rounds} round{'s' if rounds > 1 else ''} of each operation, every library in turn; seconds"
            f" {clock}, the median of the rounds (µ: millionths). Memory is the most that the process had"
            " during the operation, with what it was given. What one finds is compared with what the others"
            " do. ")
    if load < 0.5:
        return f"{told}Nothing else ran."
    return (f"{told}Other programs had the processors, too (load average {load:.1f} before the run): what uses"
            " both of them looks slower than it is. Run it again for figures to quote.")


def document(contest: Contest, rows: list[list[str]], told: str, conditions: str) -> str:
    names = headings(contest)
    lines = [
        f"# {contest.title}", "",
        f"{datetime.date.today().isoformat()}, {report.machine()}. {contest.told}", "",
        conditions, "",
        f"`cargo xtask bench -- {contest.option} --save`", "",
        "| " + " | ".join(names) + " |", "|---" + "|---:" * (len(names) - 1) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    # What was found out about the lines by looking closer, `notes-labelled.md` for `--labelled`.
    notes = HERE / f"notes{contest.option[1:]}.md"
    more = [notes.read_text().rstrip(), ""] if notes.exists() else []
    return "\n".join([*lines, "", told, "", *more])
