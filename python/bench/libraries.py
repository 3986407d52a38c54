"""How each Python library does each task, in the way its documentation says is the fastest.

An entry of `LIBRARIES` imports its library and returns a function from a task to what resets it
(or None) and what is timed. Threads and caches are as each library sets them by default; an array
is opened once for a task of the kind `read`, and with every call for `open_and_read`.
"""

import math

import numpy as np
import zarr_libraries
from task import Task, unsupported


def stook():
    import stook

    def create_tree(task: Task) -> int:
        root = stook.create(task.path)
        for g in range(task.n_groups):
            root.create_group(f"group_{g}")
        for path in task.array_paths():
            root.create_array(path, shape=tuple(task.shape), chunks=tuple(task.chunks),
                              dtype=task.dtype)
        return task.n_nodes

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
            case "round_trip":

                def copy() -> int:
                    stook.open(task.path, mode="r+")[...] = stook.open(task.template)[...]
                    return task.size

                return task.start_over, copy
            case "write_hdf5":
                values = task.values()

                def write() -> int:
                    with stook.create(task.path) as file:
                        file.create_array(task.node, data=values, chunks=tuple(task.chunks),
                                          codecs=[{"name": "zlib", "level": 2}])
                    return task.size

                return task.remove, write
            case "create_arrays" | "create_tree":
                return task.remove, lambda: create_tree(task)
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape) for array in stook.open(task.path).values()
                )
            case "list_tree":
                return None, lambda: sum(1 for _ in stook.open(task.path).walk())
            case "open_tree":
                return None, lambda: sum(
                    math.prod(node.shape) for _, node in stook.open(task.path).walk()
                    if isinstance(node, stook.Array)
                )
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
    "stook.zarr": zarr_libraries.stook_zarr,
    "stook": stook,
    "zarr-python": zarr_libraries.zarr_python,
    "zarr-python, obstore": zarr_libraries.zarr_python_obstore,
    "zarr-python 3.4": zarr_libraries.zarr_python_obstore,
    "zarr-python 3.4, fused": zarr_libraries.zarr_python_fused,
    "zarr-python + zarrs": zarr_libraries.zarr_python_with_zarrs,
    "zarrista": zarr_libraries.zarrista,
    "tensorstore": zarr_libraries.tensorstore,
    "h5py": h5py,
    "h5py, row by row": h5py_by_row,
}

#: Those that need the environment of the newest zarr-python, which asks for a newer Python.
NEWEST = ("zarr-python 3.4", "zarr-python 3.4, fused")
