"""Compares stook with other libraries, all in one interleaved run (`cargo xtask bench`)."""

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import codec_bench
import libraries
import numpy as np
import report
from data import Files
from report import Measured, Result
from workloads import Workload, all_workloads

HERE = Path(__file__).resolve().parent
RUST_WORKERS = {"stook (Rust)": "stook", "zarrs (Rust)": "zarrs"}


class Failed(Exception):
    """A library that cannot do a workload, or does it wrong."""


class Worker:
    """A library in its process."""

    def __init__(self, library: str, rust_workers: Path | None):
        if library in RUST_WORKERS:
            if rust_workers is None:
                raise Failed("not built (no --rust-workers)")
            command = [str(rust_workers / RUST_WORKERS[library])]
        else:
            command = [sys.executable, str(HERE / "worker.py"), library]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        self.idle_len_bytes = self._answer()["peak_len_bytes"]

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"the process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"].splitlines()[0])
        return answer

    def ask(self, **request) -> dict:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self._answer()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def expected_digest(workload: Workload, files: Files) -> str:
    task = libraries.Task(**workload.task)
    match task.kind:
        case "read" | "open_and_read":
            values = np.memmap(files.raw(workload.elements), task.dtype, shape=tuple(task.shape))
            chosen = np.ascontiguousarray(values[next(task.indices())])
            return f"{zlib.crc32(chosen.reshape(-1).view('u1')):08x}"
        case "create_arrays":
            return f"n={task.n}"
        case "list_arrays":
            return f"n={task.n * task.size}"
    return f"n={task.size}"


def check_written(workload: Workload, files: Files) -> None:
    """Reads what was just written with the library that the format is known by."""
    task = workload.task
    if task["kind"] == "write_zarr":
        import zarr

        found = zarr.open_array(task["path"], mode="r")[...]
    elif task["kind"] == "write_hdf5":
        import h5py

        with h5py.File(task["path"]) as file:
            found = file[task["node"]][...]
    else:
        return
    expected = np.memmap(files.raw(workload.elements), task["dtype"], shape=found.shape)
    if not np.array_equal(found, expected):
        raise Failed("WRONG: what was written reads back as something else")


def measure(workload: Workload, files: Files, options: argparse.Namespace) -> Measured:
    expected = expected_digest(workload, files)
    results, workers = [], {}
    for library in workload.libraries:
        if options.libraries and library not in options.libraries:
            continue
        result = Result(library)
        results.append(result)
        try:
            worker = Worker(library, options.rust_workers)
            workers[library] = worker
            result.idle_len_bytes = worker.idle_len_bytes
            found = worker.ask(prepare=workload.task)["digest"]
            if found != expected:
                raise Failed(f"WRONG: expected {expected}, found {found}")
            check_written(workload, files)
        except Failed as failure:
            result.failure = str(failure)
    for number in range(options.rounds):
        # Another one begins each time: none is always the one behind the slowest.
        turn = number % len(results) if results else 0
        for result in results[turn:] + results[:turn]:
            if result.failure:
                continue
            try:
                answer = workers[result.library].ask(measure=options.seconds)
                result.samples += answer["samples"]
                result.peak_len_bytes = answer["peak_len_bytes"]
            except Failed as failure:
                result.failure = str(failure)
    for worker in workers.values():
        worker.close()
    return Measured(workload, results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cargo xtask bench --", description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="smaller files (an eighth) and two rounds")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="only workloads whose name contains this (may be repeated)")
    parser.add_argument("--libraries", type=lambda text: text.split(","), metavar="A,B",
                        help="only these libraries")
    parser.add_argument("--codecs", action="store_true",
                        help="each codec beside numcodecs', and nothing else")
    parser.add_argument("--list", action="store_true", help="print the workloads and end")
    parser.add_argument("--rounds", type=int, help="rounds of each workload (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.3,
                        help="time of a library in a round, at least one call (default: 0.3)")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write the measurements to this file, or - for standard output")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path, default=report.ROOT / "target/bench",
                        help="where the files are made and kept")
    parser.add_argument("--rust-workers", type=Path, metavar="FOLDER",
                        help="the programs of bench/, built (cargo xtask bench gives this)")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    return options


def main() -> int:
    options = parse_arguments()
    if options.codecs:
        return codec_bench.run(options)
    folder = options.folder.resolve() / ("quick" if options.quick else "full")
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    out = sys.stderr if options.json == Path("-") else sys.stdout
    files = Files(folder, quick=options.quick, is_made=not options.list)
    print(f"{report.machine()}", file=out)
    print(", ".join(f"{k} {v}" for k, v in report.versions().items()), file=out)
    measured, group = [], None
    for workload in all_workloads(files, scratch):
        if options.only and not any(text in workload.name for text in options.only):
            continue
        if options.list:
            print(f"{workload.name:28} {workload.group}: {workload.title}", file=out)
            continue
        if workload.group != group:
            group = workload.group
            print(f"\n{group}", file=out)
        each = measure(workload, files, options)
        measured.append(each)
        print(f"\n  {workload.title} [{workload.name}]", file=out)
        for line in report.table(report.HEADINGS, each.rows()).splitlines():
            print(f"  {line}", file=out, flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    targets = [row for each in measured for row in each.targets()]
    if targets:
        print("\n" + report.table(report.TARGET_HEADINGS, targets), file=out)
    save(measured, options)
    failures = [r for each in measured for r in each.results if r.failure]
    for failure in failures:
        print(f"{failure.library}: {failure.failure}", file=sys.stderr)
    return 1 if any("WRONG" in failure.failure for failure in failures) else 0


def save(measured: list[Measured], options: argparse.Namespace) -> None:
    date = datetime.date.today().isoformat()
    if options.json:
        found = {"date": date, "machine": report.machine(), "versions": report.versions(),
                 "workloads": [each.as_json() for each in measured]}
        text = json.dumps(found, indent=1) + "\n"
        if options.json == Path("-"):
            sys.stdout.write(text)
        else:
            options.json.write_text(text)
    if options.save:
        command = "cargo xtask bench -- --save" + (" --quick" if options.quick else "")
        command += f" --rounds {options.rounds} --seconds {options.seconds:g}"
        path = report.ROOT / "docs/benchmarks.md"
        path.write_text(report.document(measured, date, command))


if __name__ == "__main__":
    sys.exit(main())
