"""One library of sessions in a process of its own: numpy and scipy as vrAnalysis calls them, or
stook.vranalysis."""

import json
import os
import shutil
import sys
from pathlib import Path

from serve import Operation, nothing, serve


class Files:
    """What the operations read, below a folder, and places for what they write."""

    def __init__(self, folder: str):
        self.folder = Path(folder)
        self.facts = json.loads((self.folder / "facts.json").read_text())

    def scratch(self) -> Path:
        path = self.folder / f"{os.getpid()}-scratch"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


class Upstream:
    """The calls of vrAnalysis, without its cache."""

    def __init__(self):
        import numpy as np
        from scipy.sparse import csc_array, load_npz, save_npz

        self.np, self.csc_array, self.load_npz, self.save_npz = np, csc_array, load_npz, save_npz

    def open(self, folder: Path) -> None:
        self.root = folder
        self.path = folder / "onedata"
        self.path.mkdir(exist_ok=True)

    def load(self, name: str):
        data = self.np.load(self.path / f"{name}.npy", allow_pickle=True)
        if data.dtype != object:
            return data
        recipe = data.item()
        data = self.np.load(self.root / f"suite2p/plane0/{recipe['source_arg']}.npy")
        return data.T if recipe["transforms"] == ["transpose"] else data

    def save(self, data, name: str) -> None:
        """As safe as ours: readers and crashes find the old file or the new one."""
        draft = self.path / f"draft-{name}.npy"
        self.np.save(draft, data)
        os.replace(draft, self.path / f"{name}.npy")

    def save_in_place(self, data, name: str) -> None:
        self.np.save(self.path / f"{name}.npy", data)

    def load_sparse(self, name: str, keep: bool):
        data = self.load_npz(self.path / f"{name}.npz")
        return data if keep else data.toarray()

    def load_columns(self, name: str, start: int, stop: int):
        return self.load_npz(self.path / f"{name}.npz")[:, start:stop].toarray()

    def save_sparse(self, data, name: str, deflate: bool) -> None:
        self.save_npz(self.path / f"{name}.npz", data)

    def save_recipe(self, name: str, source: str, transforms: list) -> None:
        recipe = {"marker": "__LOADING_RECIPE__", "loader_type": "S2P", "source_arg": source,
                  "transforms": transforms, "kwargs": {}}
        self.np.save(self.path / f"{name}.npy", self.np.array(recipe, dtype=object))


class Ours:
    """stook.vranalysis."""

    def __init__(self):
        import stook.vranalysis as vranalysis

        self.vranalysis = vranalysis

    def open(self, folder: Path) -> None:
        class Plain(self.vranalysis.Session):
            def _init_data_path(self):
                return folder

        class Deflated(Plain):
            deflate = True

        self.session = Plain("M", "2024-01-01")
        self.deflated = Deflated("M", "2024-01-01")

    def load(self, name: str):
        return self.session.loadone(name, force=True)

    def save(self, data, name: str) -> None:
        self.session.saveone(data, name)

    save_in_place = save

    def load_sparse(self, name: str, keep: bool):
        return self.session.loadone(name, sparse=True, keep_sparse=keep, force=True)

    def load_columns(self, name: str, start: int, stop: int):
        return self.session.load_columns(name, start=start, stop=stop)

    def save_sparse(self, data, name: str, deflate: bool) -> None:
        (self.deflated if deflate else self.session).saveone(data, name, sparse=True)

    def save_recipe(self, name: str, source: str, transforms: list) -> None:
        recipe = self.vranalysis.LoadingRecipe("S2P", source, transforms=transforms)
        self.session.saveone(recipe, name)


def operations(library, files: Files) -> dict[str, Operation]:
    """Those of both, and of ours what the other has not."""
    import numpy as np
    from scipy.sparse import csc_array

    place = files.scratch()
    library.open(place)
    (place / "onedata").mkdir(exist_ok=True)
    for name in ("array.npy", "matrix.npz"):
        os.link(files.folder / name, place / "onedata" / name)
    shutil.copytree(files.folder / "suite2p", place / "suite2p", copy_function=os.link)
    library.save_recipe("recipe", "F", [])
    library.save_recipe("turned", "F", ["transpose"])
    columns = files.facts["shape"][1]

    def matrix():
        parts = np.load(files.folder / "matrix.npz")
        return csc_array((parts["data"], parts["indices"], parts["indptr"]), shape=parts["shape"])

    def corner(array) -> float:
        return float(array[-1, -1]) + array.shape[0]

    def sparse_sum(found) -> float:
        return float(found.data.sum(dtype="f8"))

    def saved(save):
        def run(data):
            save(data)
            return 1.0
        return run

    def array(name: str, is_there: bool):
        """The array that is to be saved, with an older one in its place, or none."""
        def make():
            (place / f"onedata/{name}.npy").unlink(missing_ok=True)
            data = np.load(files.folder / "array.npy")
            if is_there:
                library.save(data, name)
            return data
        return make

    found = {
        "load": (nothing, lambda _: corner(library.load("array"))),
        "load-sum": (nothing, lambda _: float(library.load("array").sum(dtype="f8"))),
        "load-row": (nothing, lambda _: float(library.load("array")[columns // 3 % 1000].sum(dtype="f8"))),
        "save": (array("old", True), saved(lambda data: library.save(data, "old"))),
        "save-in-place": (array("old", True), saved(lambda data: library.save_in_place(data, "old"))),
        "save-new": (array("new", False), saved(lambda data: library.save(data, "new"))),
        "load-sparse": (nothing, lambda _: sparse_sum(library.load_sparse("matrix", True))),
        "load-dense": (nothing, lambda _: corner(library.load_sparse("matrix", False))),
        "load-columns": (nothing, lambda _: float(library.load_columns("matrix", 1000, 1100).sum(dtype="f8"))),
        "save-sparse": (matrix, saved(lambda data: library.save_sparse(data, "other", False))),
        "save-sparse-deflated": (matrix, saved(lambda data: library.save_sparse(data, "other", True))),
        "transpose": (nothing, lambda _: corner(np.ascontiguousarray(library.load("turned")))),
        "save-recipe": (nothing, lambda _: library.save_recipe("new-recipe", "F", ["transpose"]) or 1.0),
        "load-recipe": (nothing, lambda _: float(library.load("recipe")[0, 0])),
    }
    if isinstance(library, Ours):
        found.update(catalogue(library.vranalysis, files))
    return {name: Operation(*each, repeats=each[0] is nothing) for name, each in found.items()}


def catalogue(vranalysis, files: Files) -> dict:
    root = files.folder / "tree"
    path = files.folder / f"{os.getpid()}-scratch" / "catalogue.sqlite"

    def new():
        path.unlink(missing_ok=True)
        return vranalysis.Catalogue(root, path)

    def indexed():
        catalogue = new()
        catalogue.index()
        return catalogue

    def found(catalogue) -> float:
        return float(len(catalogue.query(mouse_name="M001", date=("2024-01-01", ">="))))

    return {
        "index": (new, lambda catalogue: float(catalogue.index().n_datasets)),
        "index-again": (indexed, lambda catalogue: float(catalogue.index().n_datasets)),
        "query": (indexed, found),
    }


def main() -> None:
    name, folder = sys.argv[1:]
    serve(Upstream if name == "numpy" else Ours, lambda library: operations(library, Files(folder)))


if __name__ == "__main__":
    main()
