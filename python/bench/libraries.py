"""How each Python library does each task, in the way its documentation says is the fastest.

An entry of `LIBRARIES` imports its library and returns a function from a task to what resets it
(or None) and what is timed. Threads and caches are as each library sets them by default; an array
is opened once for a task of the kind `read`, and with every call for `open_and_read`.
"""

import itertools
import math
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class Task:
    kind: str
    path: str
    node: str = ""
    dtype: str = "float32"
    shape: list[int] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    selected: dict | str = "all"
    template: str = ""
    data: str = ""
    #: Where what was written is moved to instead of being removed: a file system that has just
    #: lost thousands of files is slow to make new ones.
    aside: str = ""
    n: int = 0

    def values(self) -> np.ndarray:
        return np.fromfile(self.data, self.dtype).reshape(self.shape)

    def remove(self) -> None:
        if self.aside and os.path.exists(self.path):
            os.makedirs(self.aside, exist_ok=True)
            os.rename(self.path, f"{self.aside}/{time.time_ns()}")
        elif os.path.isdir(self.path):
            shutil.rmtree(self.path)
        elif os.path.exists(self.path):
            os.remove(self.path)

    def start_over(self) -> None:
        """Puts the array's metadata alone at the path to write."""
        self.remove()
        os.makedirs(self.path)
        shutil.copy(Path(self.template) / "zarr.json", Path(self.path) / "zarr.json")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def indices(self):
        """What goes between the brackets, call after call."""
        match self.selected:
            case "all":
                return itertools.repeat(...)
            case {"point": points}:
                return itertools.cycle([tuple(point) for point in points])
            case {"rows": [start, stop]}:
                return itertools.repeat(slice(start, stop))
            case {"columns": [start, stop]}:
                return itertools.repeat((slice(None), slice(start, stop)))
            case {"row_list": rows}:
                return itertools.repeat(np.array(rows))
            case {"points": coordinates}:
                return itertools.repeat(tuple(np.array(axis) for axis in coordinates))
        raise ValueError(f"selection {self.selected!r}")

    @property
    def is_points(self) -> bool:
        return isinstance(self.selected, dict) and "points" in self.selected


def unsupported(task: Task):
    raise NotImplementedError(f"no {task.kind} here")


def stook():
    import stook

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "read":
                array = stook.open(task.path)
                if task.is_points:
                    return None, lambda: array.vindex[next(indices)]
                return None, lambda: array[next(indices)]
            case "open_and_read":
                return None, lambda: stook.open(task.path)[task.node][next(indices)]
            case "open":
                return None, lambda: math.prod(stook.open(task.path).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    stook.open(task.path, mode="r+")[...] = values
                    return task.size

                return task.start_over, write
            case "write_hdf5":
                values = task.values()

                def write() -> int:
                    with stook.create(task.path) as file:
                        file.create_array(task.node, data=values, chunks=tuple(task.chunks),
                                          codecs=[{"name": "zlib", "level": 2}])
                    return task.size

                return task.remove, write
            case "create_arrays":

                def create() -> int:
                    group = stook.create(task.path)
                    for i in range(task.n):
                        group.create_array(f"array_{i}", shape=tuple(task.shape),
                                           chunks=tuple(task.chunks), dtype=task.dtype)
                    return task.n

                return task.remove, create
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape) for array in stook.open(task.path).values()
                )
        return unsupported(task)

    return prepare


def zarr_python():
    import zarr

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "read":
                array = zarr.open_array(task.path, mode="r")
                if task.is_points:
                    return None, lambda: array.vindex[next(indices)]
                return None, lambda: array[next(indices)]
            case "open":
                return None, lambda: math.prod(zarr.open_array(task.path, mode="r").shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    zarr.open_array(task.path, mode="r+")[...] = values
                    return task.size

                return task.start_over, write
            case "create_arrays":

                def create() -> int:
                    group = zarr.create_group(task.path)
                    for i in range(task.n):
                        group.create_array(f"array_{i}", shape=task.shape, chunks=task.chunks,
                                           dtype=task.dtype)
                    return task.n

                return task.remove, create
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape)
                    for _, array in zarr.open_group(task.path, mode="r").arrays()
                )
        return unsupported(task)

    return prepare


def zarr_python_with_zarrs():
    prepare = zarr_python()
    import zarr
    import zarrs  # noqa: F401

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
    return prepare


def zarrista():
    import zarrista
    from zarrista.store import FilesystemStore

    def open_array(task: Task):
        return zarrista.Array.open(FilesystemStore(task.path))

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "read" if not task.is_points:
                array = open_array(task)
                return None, lambda: array.retrieve_array_subset(next(indices)).to_numpy()
            case "open":
                return None, lambda: math.prod(open_array(task).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    open_array(task).store_array_subset(..., values)
                    return task.size

                return task.start_over, write
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape)
                    for array in zarrista.Group.open(FilesystemStore(task.path)).child_arrays()
                )
        return unsupported(task)

    return prepare


def tensorstore():
    import tensorstore as ts

    def open_array(path: str):
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": path}}
        return ts.open(spec, open=True).result()

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "read":
                array = open_array(task.path)
                view = array.vindex if task.is_points else array
                return None, lambda: view[next(indices)].read().result()
            case "open":
                return None, lambda: math.prod(open_array(task.path).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    open_array(task.path).write(values).result()
                    return task.size

                return task.start_over, write
            case "create_arrays":
                metadata = {"shape": task.shape, "data_type": task.dtype, "chunk_grid": {
                    "name": "regular", "configuration": {"chunk_shape": task.chunks}}}

                def create() -> int:
                    for i in range(task.n):
                        path = f"{task.path}/array_{i}"
                        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": path},
                                "metadata": metadata}
                        ts.open(spec, create=True).result()
                    return task.n

                return task.remove, create
        return unsupported(task)

    return prepare


def h5py():
    import h5py

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "open_and_read":

                def read():
                    with h5py.File(task.path) as file:
                        return file[task.node][next(indices)]

                return None, read
            case "write_hdf5":
                values = task.values()

                def write() -> int:
                    with h5py.File(task.path, "w") as file:
                        file.create_dataset(task.node, data=values, chunks=tuple(task.chunks),
                                            compression="gzip", compression_opts=2)
                    return task.size

                return task.remove, write
        return unsupported(task)

    return prepare


def h5py_by_row():
    """Lists of rows, a row at a time: faster than h5py's own selection of a list."""
    import h5py

    def prepare(task: Task):
        def read():
            with h5py.File(task.path) as file:
                dataset = file[task.node]
                rows = task.selected["row_list"]
                out = np.empty((len(rows), dataset.shape[1]), dataset.dtype)
                for at, row in enumerate(rows):
                    dataset.read_direct(out, np.s_[row], np.s_[at])
                return out

        return None, read

    return prepare


LIBRARIES = {
    "stook": stook,
    "zarr-python": zarr_python,
    "zarr-python + zarrs": zarr_python_with_zarrs,
    "zarrista": zarrista,
    "tensorstore": tensorstore,
    "h5py": h5py,
    "h5py, row by row": h5py_by_row,
}
