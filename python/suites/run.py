"""Runs the Zarr tests of other projects, as they ship them, over `stook.zarr` that lends its name.

    python python/suites/run.py                   all suites over stook; fails where one got worse
    python python/suites/run.py xarray            one of them
    python python/suites/run.py --package zarr    over zarr-python, for the counts to compare with
    python python/suites/run.py --record          writes the counts, which python/status.py shows

A test that fails and is not in `expected.toml`, one that is there and passes, and fewer passes than in
`counts.json` are failures. `expected.toml` says of each test why it may fail.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
COUNTS = HERE / "counts.json"
EXPECTED = HERE / "expected.toml"

# Of each suite: what is run, and what pytest is told, as the project's own configuration does.
XARRAY = ("backends", "backends_api", "backends_datatree", "distributed", "plugins")
DASK = ("array.tests.test_array_core", "array.tests.test_xarray", "tests.test_distributed")
DASK_MORE = ("tests.test_graph_manipulation", "tests.test_order", "tests.test_sizeof")
SUITES = {
    "xarray": [*(f"xarray.tests.test_{name}" for name in XARRAY), "-k", "zarr"],
    "dask": [
        *(f"dask.{name}" for name in DASK + DASK_MORE),
        "-k",
        "zarr",
        "-W",
        "error::dask.array.core.PerformanceWarning",
    ],
    # Its wheel has tests of stores alone.
    "zarr": [str(HERE / "test_stores_of_zarr.py"), "-o", "asyncio_mode=auto"],
}


def run(suite: str, package: str, workers: int, folder: Path) -> dict[str, tuple[str, str]]:
    """How each test of a suite ended over a package."""
    record = folder / "record.json"
    record.unlink(missing_ok=True)
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable]
    if package == "stook":
        command += ["-m", "stook.compat", "zarr", "--"]
    command += ["-m", "pytest", "-c", str(settings), "-q", "--tb=short", "-p", "plugin"]
    # Names of tests are relative to where the projects are installed.
    command += ["--rootdir", sysconfig.get_paths()["purelib"]]
    command += ["-p", "no:cacheprovider", "-n", str(workers), "--disable-warnings"]
    command += ["--pyargs", *SUITES[suite]]
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    known = {"SUITE_RECORD": str(record), "SUITE_PACKAGE": package, "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **known, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, cwd=folder, env=environment)
    # 1 is a test that failed.
    if done.returncode not in (0, 1) or not record.exists():
        raise SystemExit(f"{suite}: pytest ended with {done.returncode}")
    return {full_name(test): tuple(found) for test, found in json.loads(record.read_text()).items()}


def full_name(test: str) -> str:
    """The name of a test from its file on."""
    path, _, name = test.partition("::")
    return f"{Path(path).stem}::{name}"


def problems(suite: str, found: dict[str, tuple[str, str]], least: int) -> list[str]:
    """What is not as `expected.toml` and the recorded count say."""
    groups = tomllib.loads(EXPECTED.read_text())["expected"]
    expected = {test for group in groups if group["suite"] == suite for test in group["tests"]}
    failed = {test: reason for test, (outcome, reason) in found.items() if is_failure(outcome)}
    n_passed = sum(outcome == "passed" for outcome, _ in found.values())
    told = [f"{test} failed: {failed[test]}" for test in sorted(set(failed) - expected)]
    told += [f"{test} does not fail, as expected.toml has it" for test in expected - set(failed)]
    if n_passed < least:
        told.append(f"{n_passed} tests passed, {least} in counts.json")
    return told


def is_failure(outcome: str) -> bool:
    return outcome in ("failed", "xpassed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES])
    parser.add_argument("--package", choices=["stook", "zarr"], default="stook")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    assert find_spec("zarr") and find_spec("stook"), "both are to be installed"
    counts = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    told = []
    for suite in options.suites or SUITES:
        with tempfile.TemporaryDirectory() as folder:
            found = run(suite, options.package, options.workers, Path(folder))
        count = dict(sorted(Counter(outcome for outcome, _ in found.values()).items()))
        print(f"{suite} over {options.package}: {count}", flush=True)
        known = counts.setdefault(suite, {}).get(options.package, {})
        if options.record:
            counts[suite][options.package] = count
        elif options.package == "stook":
            told += [f"{suite}: {line}" for line in problems(suite, found, known.get("passed", 0))]
    if options.record:
        COUNTS.write_text(json.dumps(counts, indent=2) + "\n")
    for line in told:
        print(line, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
