"""Compares stook with other libraries, all in one interleaved run (`cargo xtask bench`)."""

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

import codec_bench
import labelled_bench
import libraries
import loom_bench
import nodes_bench
import numpy as np
import onedata_bench
import report
import zarr_libraries
from child import Child, Failed
from data import Files
from memory import place_to_write
from report import Measured, Result
from task import Task
from workloads import Workload, all_workloads

HERE = Path(__file__).resolve().parent
RUST_WORKERS = {"stook (Rust)": "bench-stook", "zarrs (Rust)": "bench-zarrs"}


class Worker(Child):
    """A library in its process."""

    def __init__(self, library: str, options: argparse.Namespace):
        if library in RUST_WORKERS:
            if options.rust_workers is None:
                raise Failed("not built (no --rust-workers)")
            command = [str(options.rust_workers / RUST_WORKERS[library])]
        else:
            python = sys.executable
            if library in libraries.NEWEST:
                if options.newest_python is None:
                    raise Failed("not installed (no --newest-python)")
                python = options.newest_python
            command = [str(python), str(HERE / "worker.py"), library]
        super().__init__(command)
        self.idle_len_bytes = 0

    def greet(self) -> None:
        """Waits until the library is imported."""
        self.idle_len_bytes = self.answer()["peak_len_bytes"]


class Server:
    """The bench's S3 server, with copies of what is read from it; started when it is needed."""

    def __init__(self, files: Files, options: argparse.Namespace):
        self._files, self._options = files, options
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        if self._process:
            return
        if self._options.rust_workers is None:
            raise Failed("no server (no --rust-workers)")
        files = self._files
        folders = [files.small("raw"), files.small("zstd"),
                   files.tree(300, consolidated=False), files.tree(300, consolidated=True)]
        command = [str(self._options.rust_workers / "bench-s3")]
        command += [f"{folder.name}={folder}" for folder in folders]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        port = int(self._process.stdout.readline())
        os.environ.update({
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        })

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def expected_digest(workload: Workload, files: Files) -> str:
    task = Task(**workload.task)
    match task.kind:
        case "read" | "open_and_read":
            values = np.memmap(files.raw(workload.elements), task.dtype, shape=tuple(task.shape))
            chosen = np.ascontiguousarray(values[next(task.indices())])
            return f"{zlib.crc32(chosen.reshape(-1).view('u1')):08x}"
        case "create_arrays" | "create_tree" | "list_tree":
            return f"n={task.n_nodes}"
        case "list_arrays" | "open_tree":
            return f"n={task.n_arrays * task.size}"
    return f"n={task.size}"


def check_written(workload: Workload, files: Files) -> None:
    """Reads what was just written with the library that the format is known by."""
    task = Task(**workload.task)
    match task.kind:
        case "write_zarr" | "round_trip":
            import zarr

            place = zarr_libraries.by_obstore(zarr)(task, "r")
            found = zarr.open_array(place, mode="r")[...]
        case "write_hdf5":
            import h5py

            with h5py.File(task.path) as file:
                found = file[task.node][...]
        case "create_arrays" | "create_tree":
            import zarr

            for path in (task.array_paths()[0], task.array_paths()[-1]):
                shape = zarr.open_array(task.path, path=path, mode="r").shape
                if shape != tuple(task.shape):
                    raise Failed(f"WRONG: `{path}` has the shape {shape}")
            return
        case _:
            return
    expected = np.memmap(files.raw(workload.elements), task.dtype, shape=found.shape)
    if not np.array_equal(found, expected):
        raise Failed("WRONG: what was written reads back as something else")


def measure(
    workload: Workload, files: Files, server: Server, options: argparse.Namespace
) -> Measured:
    results, workers, spent = [], {}, {}
    if Task(**workload.task).is_remote:
        server.start()
    expected = expected_digest(workload, files)
    for library in workload.libraries:
        if options.libraries and library not in options.libraries:
            continue
        result = Result(library)
        results.append(result)
        try:
            workers[library] = Worker(library, options)
        except Failed as failure:
            result.failure = str(failure)
    # All are importing by now.
    for result in results:
        if result.failure:
            continue
        try:
            worker = workers[result.library]
            worker.greet()
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
            if result.failure or spent.get(result.library, 0) > options.patience:
                continue
            began = time.perf_counter()
            try:
                answer = workers[result.library].ask(measure=options.seconds)
                result.samples += answer["samples"]
                result.peak_len_bytes = answer["peak_len_bytes"]
            except Failed as failure:
                result.failure = str(failure)
            spent[result.library] = spent.get(result.library, 0) + time.perf_counter() - began
    for worker in workers.values():
        worker.close()
    return Measured(workload, results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cargo xtask bench --", description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="smaller files, two rounds of 0.1 s: some minutes")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="only workloads whose name contains this (may be repeated)")
    parser.add_argument("--libraries", type=lambda text: text.split(","), metavar="A,B",
                        help="only these libraries")
    parser.add_argument("--patience", type=float, default=10, metavar="SECONDS",
                        help="a library that took longer has no further rounds of the workload")
    parser.add_argument("--codecs", action="store_true",
                        help="each codec beside numcodecs', and nothing else")
    parser.add_argument("--loom", action="store_true",
                        help="Loom files beside loompy, and nothing else")
    parser.add_argument("--large", action="store_true",
                        help="with --loom: one of 30,000 x 200,000, made and used within 1 GB of memory")
    parser.add_argument("--labelled", action="store_true",
                        help="labelled arrays beside larray and others, and nothing else")
    parser.add_argument("--nodes", action="store_true",
                        help="the acquisition tree beside tables and h5py, and nothing else")
    parser.add_argument("--onedata", action="store_true",
                        help="sessions beside numpy and scipy, and nothing else")
    parser.add_argument("--list", action="store_true", help="print the workloads and end")
    parser.add_argument("--rounds", type=int, help="rounds of each workload (default: 5)")
    parser.add_argument("--seconds", type=float,
                        help="time of a library in a round, at least one call (default: 0.3)")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write the measurements to this file, or - for standard output")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path, default=report.ROOT / "target/bench",
                        help="where the files are made and kept")
    parser.add_argument("--scratch", type=Path, metavar="FOLDER",
                        help="where arrays are written (default: a file system in memory)")
    parser.add_argument("--rust-workers", type=Path, metavar="FOLDER",
                        help="the programs of bench/, built (cargo xtask bench gives this)")
    parser.add_argument("--newest-python", type=Path, metavar="FILE",
                        help="a Python with the newest zarr (cargo xtask bench gives this)")
    parser.add_argument("--loompy-python", type=Path, metavar="FILE",
                        help="a Python with loompy (cargo xtask bench -- --loom gives this)")
    parser.add_argument("--larray-python", type=Path, metavar="FILE",
                        help="a Python with larray (cargo xtask bench -- --labelled gives this)")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.1 if options.quick else 0.3)
    return options


def main() -> int:
    options = parse_arguments()
    if options.codecs:
        return codec_bench.run(options)
    if options.loom:
        return loom_bench.run(options)
    if options.labelled:
        return labelled_bench.run(options)
    if options.nodes:
        return nodes_bench.run(options)
    if options.onedata:
        return onedata_bench.run(options)
    folder = options.folder.resolve() / ("quick" if options.quick else "full")
    scratch = place_to_write(folder, options) / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    out = sys.stderr if options.json == Path("-") else sys.stdout
    files = Files(folder, quick=options.quick, is_made=not options.list)
    versions = report.versions(options.newest_python)
    print(f"{report.machine()}", file=out)
    print(", ".join(f"{k} {v}" for k, v in versions.items()), file=out)
    measured, group, server = [], None, Server(files, options)
    for workload in all_workloads(files, scratch):
        if options.only and not any(text in workload.name for text in options.only):
            continue
        if options.list:
            print(f"{workload.name:28} {workload.group}: {workload.title}", file=out)
            continue
        if workload.group != group:
            group = workload.group
            print(f"\n{group}", file=out)
        each = measure(workload, files, server, options)
        measured.append(each)
        print(f"\n  {workload.title} [{workload.name}]", file=out)
        for line in report.table(report.HEADINGS, each.rows()).splitlines():
            print(f"  {line}", file=out, flush=True)
        # What was written and moved aside would fill the disk.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
    server.close()
    shutil.rmtree(scratch, ignore_errors=True)
    for headings, rows in ((report.SUMMARY_HEADINGS, [each.summary() for each in measured]),
                           (report.TARGET_HEADINGS, [r for each in measured for r in each.targets()])):
        if rows:
            print("\n" + report.table(headings, rows), file=out)
    save(measured, versions, options)
    failures = [r for each in measured for r in each.results if r.failure]
    for failure in failures:
        print(f"{failure.library}: {failure.failure}", file=sys.stderr)
    return 1 if any("WRONG" in failure.failure for failure in failures) else 0


def save(
    measured: list[Measured], versions: dict[str, str], options: argparse.Namespace
) -> None:
    date = datetime.date.today().isoformat()
    if options.json:
        found = {"date": date, "machine": report.machine(), "versions": versions,
                 "workloads": [each.as_json() for each in measured]}
        report.write_json(found, options.json)
    if options.save:
        command = "cargo xtask bench -- --save" + (" --quick" if options.quick else "")
        command += f" --rounds {options.rounds} --seconds {options.seconds:g}"
        path = report.ROOT / "docs/benchmarks.md"
        path.write_text(report.document(measured, versions, date, command))


if __name__ == "__main__":
    sys.exit(main())
