"""Compares stook.larray with larray, pandas, xarray, h5py and numpy (`cargo xtask bench -- --labelled`)."""

import argparse
import json
import shutil
import sys
from pathlib import Path

import contest
import memory
from contest import Contest, Goal, Operation

LIBRARIES = ("larray", "pandas", "xarray", "h5py", "numpy", "stook")


def than_larray(factor: float, *others: Goal) -> tuple[Goal, ...]:
    return (Goal(factor, "larray"), *others)


#: No slower than 1.2 times that.
BESIDE_H5PY = Goal(1 / 1.2, "h5py")

OPERATIONS = {
    "hdf-save": Operation("HDF5: save all", than_larray(9, BESIDE_H5PY)),
    "hdf-load": Operation("HDF5: load all", than_larray(9, BESIDE_H5PY)),
    "hdf-one": Operation("HDF5: load one of all", than_larray(60)),
    "pickle-save": Operation("pickle: save all", than_larray(1)),
    "pickle-load": Operation("pickle: load all", than_larray(1)),
    "csv-save": Operation("csv: save two", than_larray(5)),
    "csv-load": Operation("csv: load two", than_larray(5)),
    "xlsx-save": Operation("xlsx: save two", than_larray(8)),
    "xlsx-load": Operation("xlsx: load two", than_larray(8)),
    "element-equals": Operation("element_equals", than_larray(2)),
    "minus": Operation("session − session", than_larray(1)),
    "times": Operation("session × 2", than_larray(1)),
    "compact": Operation("compact", than_larray(1)),
    "percentile": Operation("percentile along an axis", than_larray(50)),
    "median": Operation("median along an axis"),
    "sum": Operation("sum along an axis", than_larray(1)),
    "filter": Operation("filter by a condition", than_larray(10)),
    "add": Operation("sum of two aligned arrays", than_larray(1, Goal(1, "numpy"))),
    "cell": Operation("one cell by labels", than_larray(1)),
    "label": Operation("one label", than_larray(1, Goal(15e-6))),
    "list": Operation("a list of labels", than_larray(1)),
    "group": Operation("a group", than_larray(1)),
    "small-add": Operation("3 × 3: sum of two", than_larray(1)),
    "small-sum": Operation("3 × 3: sum along an axis", than_larray(1)),
    "small-index": Operation("3 × 3: one label", than_larray(1)),
}


def contest_of(facts: dict, options: argparse.Namespace) -> Contest:
    shape = " × ".join(map(str, facts["shape"]))
    told = (f"larray 0.35.2 in its own environment (pandas 2.3.3). {facts['arrays']} arrays of {shape} f64 with"
            " labels of text; what is saved goes to a file system in memory. h5py and numpy keep no labels: what"
            " they do is the least that could be done.")

    def tidy(_: Path) -> None:
        shutil.rmtree(facts["scratch"])
        Path(facts["scratch"]).mkdir()

    return Contest("--labelled", "docs/benchmarks-labelled.md", "Labelled arrays beside larray", LIBRARIES,
                   "labelled_worker.py", OPERATIONS, told, {"larray": options.larray_python}, tidy=tidy)


def run(options: argparse.Namespace) -> int:
    if options.larray_python is None:
        print("no --larray-python: cargo xtask bench -- --labelled gives it", file=sys.stderr)
        return 1
    folder = options.folder.resolve() / ("labelled-quick" if options.quick else "labelled")
    scratch = memory.place_to_write(folder, options) / "labelled-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    facts = {"arrays": 10 if options.quick else 50, "shape": [20, 20, 10] if options.quick else [100, 100, 20],
             "scratch": str(scratch)}
    known = folder / "facts.json"
    is_made = (folder / "two.xlsx").exists() and json.loads(known.read_text()) == facts
    arrays = contest_of(facts, options)
    if not is_made:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        known.write_text(json.dumps(facts))
        arrays.make(folder)
    try:
        return contest.run(arrays, folder, options, import_limit=0.2)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
