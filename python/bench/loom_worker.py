"""One library of Loom files in a process of its own (`serve.py`).

loompy's environment runs this, too: it needs numpy and scipy alone.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from serve import Operation, nothing, serve

class Files:
    """What the operations read, below a folder."""

    def __init__(self, folder: str, np, sparse):
        self.folder, self.np, self.sparse = Path(folder), np, sparse
        self.facts = json.loads((self.folder / "facts.json").read_text())
        self.base = str(self.folder / "base.loom")

    def scratch(self, name: str) -> str:
        path = self.folder / f"{os.getpid()}-{name}"
        path.unlink(missing_ok=True)
        return str(path)

    def with_sidecar(self, loompy) -> str:
        """A copy that has a sidecar, made once: the others are measured without one."""
        path = str(self.folder / "with-sidecar.loom")
        if not os.path.exists(path + ".csr"):
            shutil.copyfile(self.base, path)
            with loompy.connect(path, "r", validate=False) as ds:
                ds.make_sidecar()
        return path

    def copy(self) -> str:
        return shutil.copyfile(self.base, self.scratch("copy.loom"))

    def matrix(self):
        parts = [self.np.load(self.folder / f"{name}.npy") for name in ("data", "indices", "indptr")]
        return self.sparse.csc_matrix(tuple(parts), shape=tuple(self.facts["shape"]))

    def attributes(self):
        n, m = self.facts["shape"]
        np = self.np
        rows = {"Gene": np.array([f"gene{i}" for i in range(n)]),
                "Accession": np.array([f"ENSG{i * 7919 % n:011d}" for i in range(n)]),
                "Length": np.arange(n)}
        cells = {"CellID": np.array([f"cell{i}" for i in range(m)]),
                 "Clusters": np.arange(m) * 7919 % 20, "Age": np.arange(m) * 0.5}
        return rows, cells


def operations(loompy, files: Files) -> dict[str, Operation]:
    """By name; files that are changed are copied outside of the clock."""
    np = files.np
    n, m = files.facts["shape"]
    random = np.random.default_rng(5)
    columns = np.sort(random.choice(m, 100, replace=False))
    rows = np.sort(random.choice(n, 100, replace=False))
    items = np.sort(random.choice(m, m // 2, replace=False))

    def opened(work):
        def run(_):
            with loompy.connect(files.base, "r", validate=False) as ds:
                return work(ds)
        return run

    def changed(work):
        def run(path):
            with loompy.connect(path, "r+", validate=False) as ds:
                return work(ds)
        return run

    def create(matrix):
        path = files.scratch("new.loom")
        loompy.create(path, matrix, *files.attributes())
        os.remove(path)
        return n * m

    def all_attributes(ds):
        return sum(len(values) for part in (ds.ra, ds.ca) for _, values in part.items())

    def scan(**how):
        def work(ds):
            total = 0.0
            for _, _, view in ds.scan(**how):
                total += float(np.asarray(view[:, :]).sum(dtype="f8"))
            return total
        return work

    def more(ds):
        new = np.ones((n, 1000), "f4")
        cells = {"CellID": np.array([f"new{i}" for i in range(1000)]), "Clusters": np.zeros(1000, int),
                 "Age": np.zeros(1000)}
        ds.add_columns(new, cells)
        return ds.shape[1]

    def export(path):
        with loompy.connect(path, "r", validate=False) as ds:
            out = files.scratch("out.tab")
            ds.export(out)
        return os.path.getsize(out)

    order = [random.permutation(n), random.permutation(m)]
    part = str(files.folder / "part.loom")
    statistics = [np.mean, np.std]
    found = {
        "create-sparse": (files.matrix, create),
        "create-dense": (lambda: files.matrix().toarray(), create),
        "open": (nothing, opened(lambda ds: ds.shape[1])),
        "open-attributes": (nothing, opened(all_attributes)),
        "read-all": (nothing, opened(lambda ds: float(ds[:, :].sum(dtype="f8")))),
        "scan-columns": (nothing, opened(scan(axis=1))),
        "scan-rows": (nothing, opened(scan(axis=0))),
        "scan-items-key": (nothing, opened(scan(axis=1, items=items, key="Accession"))),
        "map-rows": (nothing, opened(lambda ds: float(sum(map(np.sum, ds.map(statistics, axis=0)))))),
        "map-columns": (nothing, opened(lambda ds: float(sum(map(np.sum, ds.map(statistics, axis=1)))))),
        "sparse": (nothing, opened(lambda ds: float(ds.sparse().data.sum()))),
        "aggregate": (nothing, opened(lambda ds: float(ds.aggregate(group_by="Clusters").sum()))),
        "100-columns": (nothing, opened(lambda ds: float(ds[:, columns].sum(dtype="f8")))),
        "100-rows": (nothing, opened(lambda ds: float(ds[rows, :].sum(dtype="f8")))),
        "1-row": (nothing, opened(lambda ds: float(ds[n // 2, :].sum(dtype="f8")))),
        "permute-rows": (files.copy, changed(lambda ds: ds.permute(order[0], axis=0) or n)),
        "permute-columns": (files.copy, changed(lambda ds: ds.permute(order[1], axis=1) or m)),
        "add-columns": (files.copy, changed(more)),
        "export": (lambda: part, export),
    }
    if hasattr(loompy.LoomConnection, "make_sidecar"):
        found |= with_sidecar(loompy, files, found)
    return {name: Operation(*each, repeats=each[0] is nothing) for name, each in found.items()}


def with_sidecar(loompy, files: Files, without: dict[str, tuple]) -> dict[str, tuple]:
    """The operations that take elements from a sidecar, on a file that has one."""
    bare = files.base

    def make(path):
        with loompy.connect(path, "r", validate=False) as ds:
            return os.path.getsize(ds.make_sidecar())

    def on(run):
        def work(path):
            files.base = path
            try:
                return run(None)
            finally:
                files.base = bare
        return work

    names = ("scan-rows", "map-rows", "map-columns", "sparse", "aggregate")
    found = {f"sidecar-{name}": (lambda: files.with_sidecar(loompy), on(without[name][1])) for name in names}
    return {"sidecar-make": (files.copy, make)} | found


def make(loompy, files: Files) -> None:
    """The files that both read."""
    loompy.create(files.base, files.matrix(), *files.attributes())
    with loompy.connect(files.base, "r") as ds:
        k, m = min(1000, ds.shape[0]), min(1000, ds.shape[1])
        view = ds.view[:k, :m]
    loompy.create(str(files.folder / "part.loom"), view.layers, view.ra, view.ca)


def main() -> None:
    name, folder = sys.argv[1:]

    def import_library():
        if name == "loompy":
            import loompy
        else:
            import stook.loompy as loompy
        return loompy

    def files() -> Files:
        import numpy as np
        import scipy.sparse as sparse

        return Files(folder, np, sparse)

    serve(import_library, lambda loompy: operations(loompy, files()), lambda loompy: make(loompy, files()))


if __name__ == "__main__":
    main()
