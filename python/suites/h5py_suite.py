"""Runs the tests that h5py ships over `stook.h5compat`, which lends its name, and counts.

    python python/suites/h5py_suite.py            runs them and says how each file fared
    python python/suites/h5py_suite.py --record   writes the counts, which python/status.py shows
    python python/suites/h5py_suite.py --failures lists what failed, and with what

Files that test h5py's own low-level modules are left out. Test files are copied first, because the
name `h5py` is lent, and with it `h5py.tests`. A failure has one of the reasons below, by what its
error says; the last is for all others.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
COUNTS = HERE / "h5py_counts.json"

FILES = (
    "attribute_create", "attrs", "attrs_data", "base", "big_endian_file", "dataset", "dataset_getitem", "dataset_swmr",
    "datatype", "dimension_scales", "dims_dimensionproxy", "dtype", "errors", "file", "file2", "file_image", "filters",
    "group", "native_complex", "npystrings", "slicing",
)  # fmt: skip

# Why a test may fail → what its error says then.
REASONS = {
    "asks for a low-level module, id or internal of h5py": r"low-level: |LowLevel|AttributeError: (module 'stook|'[A-Za-z]+' object has)"
    r"|mpi_file_name|ObjectID|elink|HardLink|isinstance\(\) arg 2|Datatype\(\) takes",
    "asks for what is not made: external storage, copies of what references lead to, complex256": r"UnsupportedError",
    "asks for attributes by name where nobody said so": r"Lists differ",
    "asks for the byte order of attributes, or of times": r"Dtype mismatch|!= dtype\('>",
}
OTHERS = "others"


# In the place of h5py's low-level modules, which tests import and some of them use.
LOWLEVEL = """
import os
import sys
import threading
from types import ModuleType

import h5py


class LowLevel(ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def lacking(*arguments, **options):
            raise NotImplementedError(f"low-level: {self.__name__}.{name}")

        return lacking


for name in ("h5a", "h5d", "h5ds", "h5f", "h5g", "h5i", "h5o", "h5p", "h5pl", "h5z", "_objects", "_hl", "_hl.base",
             "_hl.files", "_hl.compat", "_hl.filters", "_hl.dataset", "_hl.selections", "_errors", "_proxy", "_conv"):
    module = LowLevel(f"h5py.{name}")
    module.__path__ = []
    sys.modules[f"h5py.{name}"] = module
    if "." not in name:
        setattr(h5py, name, module)
    else:
        setattr(h5py._hl, name.partition(".")[2], module)
h5py._objects.phil = threading.RLock()
h5py._hl.base.is_hdf5, h5py._hl.base.Empty = h5py.is_hdf5, h5py.Empty
h5py._hl.compat.filename_encode = os.fsencode
h5py._hl.files.direct_vfd = False
h5py._hl.files._drivers = {}
h5py.h5z.filter_avail = lambda number: number in (1, 2, 3, 4, 6, 32000)
"""


def run(folder: Path) -> dict[str, tuple[str, str]]:
    """How each test ended, and with which error."""
    spec = find_spec("h5py")
    if spec is None or spec.origin is None:
        raise SystemExit("h5py is not installed")
    source = Path(spec.origin).parent / "tests"
    suite = folder / "h5suite"
    suite.mkdir()
    shutil.copytree(source / "data_files", suite / "data_files")
    for name in ("__init__", "common", *(f"test_{name}" for name in FILES)):
        text = (source / f"{name}.py").read_text(encoding="utf-8")
        (suite / f"{name}.py").write_text(text.replace("h5py.tests", "h5suite").replace("from .. import", "from h5py import").replace("from ..h5py_warnings", "from h5py.h5py_warnings").replace("from .._hl", "from h5py._hl"), encoding="utf-8")
    shutil.copy(source / "conftest.py", suite / "conftest.py")
    # The package is imported before its tests, in processes that they start, too.
    (suite / "lowlevel.py").write_text(LOWLEVEL, encoding="utf-8")
    with open(suite / "__init__.py", "a", encoding="utf-8") as package:
        package.write("\nfrom . import lowlevel\n")
    report = folder / "report.xml"
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\nmarkers =\n  slow\n  mpi\n  mpi_skip\n  nonetwork\n  thread_unsafe\n  parallel_threads\n")
    command = [sys.executable, "-m", "stook.compat", "h5py", "--", "-m", "pytest", "-c", str(settings), "-q", "--tb=line", "--continue-on-collection-errors"]
    command += ["-p", "no:cacheprovider", "--disable-warnings", f"--junitxml={report}", "--timeout=60", "h5suite"]
    if find_spec("pytest_timeout") is None:
        command.remove("--timeout=60")
    known = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=known, stdout=sys.stderr, check=False)
    if done.returncode not in (0, 1) or not report.exists():
        raise SystemExit(f"pytest ended with {done.returncode}")
    return dict(outcomes(report))


def outcomes(report: Path):
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').removeprefix('h5suite.test_')}::{case.get('name')}"
        for kind in ("failure", "error", "skipped"):
            found = case.find(kind)
            if found is not None:
                yield name, (kind, f"{found.get('message')} {found.text}")
                break
        else:
            yield name, ("passed", "")


def reason(text: str) -> str:
    for known, pattern in REASONS.items():
        if re.search(pattern, text):
            return known
    return OTHERS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--failures", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder))
    kinds = Counter(kind if kind in ("passed", "skipped") else "failed" for kind, _ in found.values())
    reasons = Counter(reason(text) for kind, text in found.values() if kind in ("failure", "error"))
    for name, (kind, text) in found.items():
        if options.failures and kind in ("failure", "error"):
            print(f"{name}: {text.strip()[:300]!r}")
    print(dict(kinds), dict(reasons))
    if options.record:
        COUNTS.write_text(json.dumps({"counts": dict(kinds), "reasons": dict(reasons.most_common())}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
