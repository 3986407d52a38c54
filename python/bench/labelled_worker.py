"""One library of labelled arrays in a process of its own (`serve.py`).

larray's environment runs this, too: it needs numpy alone, and the library that it is told.
"""

import importlib
import json
import os
import shutil
import sys
from pathlib import Path

from serve import Operation, nothing, serve

MODULES = {"stook": "stook.larray", "numpy": "numpy"}


class Files:
    """The arrays, and where they are saved: `facts.json` says how many there are and of what shape."""

    def __init__(self, folder: str):
        import numpy as np

        self.np, self.folder = np, Path(folder)
        facts = json.loads((self.folder / "facts.json").read_text())
        self.n_arrays, self.shape, self.scratch_folder = facts["arrays"], facts["shape"], Path(facts["scratch"])
        self.names = [f"arr{i:02d}" for i in range(self.n_arrays)]

    def values(self, number: int = 0):
        """The elements of one of the arrays."""
        return self.np.random.default_rng(number).standard_normal(self.shape)

    def labels(self) -> dict[str, list[str]]:
        return {name: [f"{name}{i}" for i in range(length)]
                for name, length in zip("abc", self.shape, strict=True)}

    def scratch(self, name: str) -> Path:
        """A place of this process where nothing lies."""
        place = self.scratch_folder / f"{os.getpid()}-{name}"
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        return place

    def made(self, name: str) -> str:
        """What larray saved."""
        return str(self.folder / name)


def len_bytes(place: Path) -> int:
    return sum(part.stat().st_size for part in (place.iterdir() if place.is_dir() else [place]))


class Session:
    """What larray and `stook.larray` do, by the same code."""

    def __init__(self, la, files: Files):
        self.la, self.files = la, files

    def array(self, values):
        la, labels = self.la, self.files.labels()
        return la.Array(values, [la.Axis(labels[name], name) for name in "abc"[:values.ndim]])

    def session(self, n: int | None = None):
        return self.la.Session([(name, self.array(self.files.values(number)))
                                for number, name in enumerate(self.files.names[:n])])

    def flat(self):
        """Two arrays of two axes: larray loads no others from xlsx."""
        la, columns = self.la, self.files.shape[-1]
        n_rows = self.files.shape[0] * self.files.shape[1]
        axes = [la.Axis([f"r{i}" for i in range(n_rows)], "row"), la.Axis(self.files.labels()["c"], "c")]
        return la.Session([(name, la.Array(self.files.values(number).reshape(n_rows, columns), axes))
                           for number, name in enumerate(self.files.names[:2])])

    def make(self) -> None:
        session = self.session()
        session.save(self.files.made("all.h5"))
        session.save(self.files.made("all.pkl"))
        session[self.files.names[:2]].save(self.files.made("two"), engine="pandas_csv")
        self.flat().save(self.files.made("two.xlsx"))

    def saved(self, name: str, **options):
        def run(session):
            place = self.files.scratch(name)
            session.save(str(place), **options)
            return float(len_bytes(place) > 1000)
        return run

    def loaded(self, name: str, names=None, **options):
        def run(_):
            session = self.la.Session()
            session.load(self.files.made(name), names=names, **options)
            return float(sum(float(value.data.flat[-1]) for value in session.values()))
        return run

    def operations(self) -> dict[str, tuple]:
        files, np = self.files, self.files.np
        two = lambda: self.session(2)  # noqa: E731
        both = lambda: (self.session(), self.session())  # noqa: E731
        found = {
            "hdf-save": (self.session, self.saved("all.h5")),
            "hdf-load": (nothing, self.loaded("all.h5")),
            "hdf-one": (nothing, self.loaded("all.h5", names=[files.names[-1]])),
            "pickle-save": (self.session, self.saved("all.pkl")),
            "pickle-load": (nothing, self.loaded("all.pkl")),
            "csv-save": (two, self.saved("two", engine="pandas_csv")),
            "xlsx-save": (self.flat, self.saved("two.xlsx")),
            "csv-load": (nothing, self.loaded("two", engine="pandas_csv")),
            "xlsx-load": (nothing, self.loaded("two.xlsx")),
            "element-equals": (lambda: [self.session()] * 2,
                               lambda s: float(np.asarray(s[0].element_equals(s[1])).sum())),
            "minus": (both, lambda s: float(len(s[0] - s[1]))),
            "times": (self.session, lambda s: float(len(s * 2))),
            "compact": (self.session, lambda s: float(len(s.compact()))),
        }
        found |= self.of_arrays()
        return found

    def of_arrays(self) -> dict[str, tuple]:
        la, files, np = self.la, self.files, self.files.np
        arr = self.array(files.values())
        i, j, k = (n // 2 for n in files.shape)
        labels = [f"b{n}" for n in range(0, files.shape[1], 7)]
        group = arr.axes["b"][labels]
        small = la.Array(np.arange(9.0).reshape(3, 3), [la.Axis("a=a0..a2"), la.Axis("b=b0..b2")])
        large = [self.array(files.values(number)) for number in range(2)]
        return {
            "percentile": (lambda: arr, lambda a: float(np.asarray(a.percentile(30, "a")).sum())),
            "median": (lambda: arr, lambda a: float(np.asarray(a.median("a")).sum())),
            "sum": (lambda: arr, lambda a: float(np.asarray(a.sum("a")).sum())),
            "filter": (lambda: arr, lambda a: float(a[a > 0.5].data.sum())),
            "cell": (lambda: arr, lambda a: float(a[f"a{i}", f"b{j}", f"c{k}"])),
            "label": (lambda: arr, lambda a: float(a[f"b{j}"].data[i, k])),
            "list": (lambda: arr, lambda a: float(a[labels].data[i, 1, k])),
            "group": (lambda: arr, lambda a: float(a[group].data[i, 1, k])),
            "small-add": (lambda: small, lambda a: float((a + a).data[2, 2])),
            "small-sum": (lambda: small, lambda a: float(np.asarray(a.sum("a"))[2])),
            "small-index": (lambda: small, lambda a: float(a["a1"].data[2])),
            "add": (lambda: large, lambda s: float((s[0] + s[1]).data[i, j, k])),
        }


def of_h5py(h5py, files: Files) -> dict[str, tuple]:
    """The elements alone, as fast as the library goes."""

    def save(arrays):
        place = files.scratch("all.h5")
        with h5py.File(place, "w") as file:
            for name, values in arrays.items():
                file.create_dataset(name, data=values)
        return float(len_bytes(place) > 1000)

    def load(names):
        def run(_):
            with h5py.File(files.made("all.h5")) as file:
                found = [file[name]["block0_values"][:] for name in names]
            return float(sum(float(values[-1, -1]) for values in found))
        return run

    def arrays():
        return {name: files.values(number) for number, name in enumerate(files.names)}

    return {"hdf-save": (arrays, save), "hdf-load": (nothing, load(files.names)),
            "hdf-one": (nothing, load(files.names[-1:]))}


def of_numpy(np, files: Files) -> dict[str, tuple]:
    values, other = files.values(0), files.values(1)
    arrays = lambda: [[files.values(number) for number in range(files.n_arrays)]] * 2  # noqa: E731
    at = tuple(n // 2 for n in files.shape)
    return {
        "element-equals": (arrays, lambda s: float(sum(np.array_equal(a, b)
                                                       for a, b in zip(*s, strict=True)))),
        "percentile": (nothing, lambda _: float(np.percentile(values, 30, axis=0).sum())),
        "median": (nothing, lambda _: float(np.median(values, axis=0).sum())),
        "sum": (nothing, lambda _: float(values.sum(axis=0).sum())),
        "filter": (nothing, lambda _: float(values[values > 0.5].sum())),
        "add": (lambda: (values, other), lambda s: float((s[0] + s[1])[at])),
    }


def of_pandas(pd, files: Files) -> dict[str, tuple]:
    np = files.np
    n = int(np.prod(files.shape[:2]))
    labels = files.labels()
    values = files.values()
    index = pd.MultiIndex.from_product([labels["a"], labels["b"]], names=["a", "b"])

    def frames():
        return [pd.DataFrame(files.values(number).reshape(n, -1), index=index, columns=labels["c"])
                for number in range(2)]

    series = pd.Series(values.reshape(-1), index=pd.MultiIndex.from_product(list(labels.values())))
    i, j, k = (length // 2 for length in files.shape)

    def save(frames):
        folder = files.scratch("two")
        folder.mkdir()
        for number, frame in enumerate(frames):
            frame.to_csv(folder / f"{number}.csv")
        return float(len_bytes(folder) > 1000)

    def load(_):
        parts = [pd.read_csv(path, index_col=[0, 1]) for path in sorted(Path(files.made("two")).glob("arr*.csv"))]
        return float(sum(part.to_numpy()[-1, -1] for part in parts))

    return {"csv-save": (frames, save), "csv-load": (nothing, load),
            "cell": (lambda: series, lambda s: float(s.loc[f"a{i}", f"b{j}", f"c{k}"]))}


def of_xarray(xr, files: Files) -> dict[str, tuple]:
    values, other = (xr.DataArray(files.values(number), dims=list("abc"), coords=files.labels())
                     for number in range(2))
    small = xr.DataArray(files.np.arange(9.0).reshape(3, 3), dims=["a", "b"],
                         coords={"a": ["a0", "a1", "a2"], "b": ["b0", "b1", "b2"]})
    i, j, k = (length // 2 for length in files.shape)
    labels = [f"b{n}" for n in range(0, files.shape[1], 7)]
    return {
        "percentile": (nothing, lambda _: float(values.quantile(0.3, "a").sum())),
        "median": (nothing, lambda _: float(values.median("a").sum())),
        "sum": (nothing, lambda _: float(values.sum("a").sum())),
        "cell": (nothing, lambda _: float(values.sel(a=f"a{i}", b=f"b{j}", c=f"c{k}"))),
        "label": (nothing, lambda _: float(values.sel(b=f"b{j}").data[i, k])),
        "list": (nothing, lambda _: float(values.sel(b=labels).data[i, 1, k])),
        "small-add": (lambda: small, lambda a: float((a + a).data[2, 2])),
        "small-sum": (lambda: small, lambda a: float(a.sum("a").data[2])),
        "small-index": (lambda: small, lambda a: float(a.sel(a="a1").data[2])),
        "add": (nothing, lambda _: float((values + other).data[i, j, k])),
    }


#: What can be done again with what was made ready once: nothing in them changes or is saved.
ONCE = ("hdf-save", "pickle-save", "csv-save", "xlsx-save")


def operations(name: str, library, files: Files) -> dict[str, Operation]:
    by_library = {"h5py": of_h5py, "numpy": of_numpy, "pandas": of_pandas, "xarray": of_xarray}
    if name in by_library:
        found = by_library[name](library, files)
    else:
        found = Session(library, files).operations()
    return {key: Operation(*each, repeats=key not in ONCE) for key, each in found.items()}


def main() -> None:
    name, folder = sys.argv[1:]
    serve(lambda: importlib.import_module(MODULES.get(name, name)),
          lambda library: operations(name, library, Files(folder)),
          lambda library: Session(library, Files(folder)).make())


if __name__ == "__main__":
    main()
