"""How zarr-python and what has its API, zarrista and TensorStore do each task."""

import math
from collections.abc import Callable
from typing import Any

from task import Task, endpoint, unsupported


def zarr_api(zarr: Any, place: Callable[[Task, str], Any]) -> Callable[[Task], Any]:
    """Tasks by the API of zarr-python; `place` gives what it opens for a task and a mode."""

    def open_array(task: Task, mode: str = "r"):
        return zarr.open_array(place(task, mode), mode=mode)

    def members(task: Task):
        return zarr.open_group(place(task, "r"), mode="r").members(max_depth=None)

    def prepare(task: Task):
        if task.is_remote:
            # As zarr-python's documentation advises for object stores; the default is 10.
            zarr.config.set({"async.concurrency": 64})
        indices = task.indices()
        match task.kind:
            case "read":
                array = open_array(task)
                if task.is_points:
                    return None, lambda: array.vindex[next(indices)]
                return None, lambda: array[next(indices)]
            case "open":
                return None, lambda: math.prod(open_array(task).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    open_array(task, "r+")[...] = values
                    return task.size

                return task.start_over, write
            case "round_trip":

                def copy() -> int:
                    open_array(task, "r+")[...] = zarr.open_array(task.template, mode="r")[...]
                    return task.size

                return task.start_over, copy
            case "create_arrays":

                def create() -> int:
                    group = zarr.create_group(place(task, "w"))
                    for path in task.array_paths():
                        group.create_array(path, shape=task.shape, chunks=task.chunks,
                                           dtype=task.dtype)
                    return task.n

                return task.remove, create
            case "create_tree":
                nodes = tree_documents(zarr, task)

                def create_all() -> int:
                    store = zarr.storage.LocalStore(task.path)
                    return len(list(zarr.create_hierarchy(store=store, nodes=nodes))) - 1

                return task.remove, create_all
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape)
                    for _, array in zarr.open_group(place(task, "r"), mode="r").arrays()
                )
            case "list_tree":
                return None, lambda: len(tuple(members(task)))
            case "open_tree":
                return None, lambda: sum(
                    math.prod(node.shape) for _, node in members(task) if hasattr(node, "shape")
                )
        return unsupported(task)

    return prepare


def tree_documents(zarr: Any, task: Task) -> dict[str, Any]:
    """The metadata of all nodes of a tree, as `create_hierarchy` takes it."""
    group = zarr.create_group({}).metadata
    array = zarr.create_array({}, shape=task.shape, chunks=task.chunks, dtype=task.dtype).metadata
    groups = {f"group_{g}": group for g in range(task.n_groups)}
    return {"": group} | groups | dict.fromkeys(task.array_paths(), array)


def by_url(task: Task, mode: str) -> Any:
    """What `zarr.open` takes; zarr-python reaches S3 by s3fs then."""
    return task.path


def by_obstore(zarr: Any) -> Callable[[Task, str], Any]:
    """Stores of `obstore` for what is remote."""

    def place(task: Task, mode: str) -> Any:
        if not task.is_remote:
            return task.path
        return zarr.storage.ObjectStore(s3_store(task), read_only=mode == "r")

    return place


def s3_store(task: Task) -> Any:
    from obstore.store import S3Store

    return S3Store(task.bucket, prefix=task.prefix, endpoint=endpoint(), region="us-east-1",
                   access_key_id="bench", secret_access_key="bench",
                   client_options={"allow_http": True})


def stook_zarr():
    import stook.zarr

    return zarr_api(stook.zarr, by_url)


def zarr_python():
    import zarr

    return zarr_api(zarr, by_url)


def zarr_python_obstore():
    import zarr

    return zarr_api(zarr, by_obstore(zarr))


def zarr_python_fused():
    """The pipeline of 3.4 that whoever asks for it has."""
    prepare = zarr_python()
    import zarr

    zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.FusedCodecPipeline"})
    return prepare


def zarr_python_with_zarrs():
    import zarr
    import zarrs  # noqa: F401

    prepare = zarr_api(zarr, by_obstore(zarr))
    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
    return prepare


def zarrista():
    import zarrista
    from zarrista.store import FilesystemStore

    def open_array(path: str):
        return zarrista.Array.open(FilesystemStore(path))

    def prepare(task: Task):
        if task.is_remote:
            return zarrista_remote(task)
        indices = task.indices()
        match task.kind:
            case "read" if not task.is_points:
                array = open_array(task.path)
                return None, lambda: array.retrieve_array_subset(next(indices)).to_numpy()
            case "open":
                return None, lambda: math.prod(open_array(task.path).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    open_array(task.path).store_array_subset(..., values)
                    return task.size

                return task.start_over, write
            case "round_trip":

                def copy() -> int:
                    values = open_array(task.template).retrieve_array_subset(...).to_numpy()
                    open_array(task.path).store_array_subset(..., values)
                    return task.size

                return task.start_over, copy
            case "list_arrays":
                return None, lambda: sum(
                    math.prod(array.shape)
                    for array in zarrista.Group.open(FilesystemStore(task.path)).child_arrays()
                )
            case "list_tree":
                return None, lambda: len(
                    zarrista.Group.open(FilesystemStore(task.path)).traverse())
            case "open_tree":
                return None, lambda: sum(
                    math.prod(node.shape)
                    for node in zarrista.Group.open(FilesystemStore(task.path)).traverse()
                    if isinstance(node, zarrista.Array)
                )
        return unsupported(task)

    return prepare


def zarrista_remote(task: Task):
    """Its coroutines, each call in an event loop that is there already."""
    import asyncio

    import zarrista

    store, loop, indices = s3_store(task), asyncio.new_event_loop(), task.indices()
    run = loop.run_until_complete

    async def opened():
        return await zarrista.AsyncArray.open(store)

    match task.kind:
        case "read" if not task.is_points:
            array = run(opened())

            async def read():
                return (await array.retrieve_array_subset(next(indices))).to_numpy()

            return None, lambda: run(read())
        case "open":
            return None, lambda: math.prod(run(opened()).shape)
        case "write_zarr":
            values = task.values()

            async def write() -> int:
                await (await opened()).store_array_subset(..., values)
                return task.size

            return task.start_over, lambda: run(write())
        case "list_arrays":

            async def list_arrays() -> int:
                arrays = await (await zarrista.AsyncGroup.open(store)).child_arrays()
                return sum(math.prod(array.shape) for array in arrays)

            return None, lambda: run(list_arrays())
    return unsupported(task)


def tensorstore():
    import tensorstore as ts

    def store_of(task: Task, path: str) -> dict:
        if not task.is_remote:
            return {"driver": "file", "path": path}
        return {"driver": "s3", "bucket": task.bucket, "path": f"{task.prefix}/",
                "endpoint": endpoint(), "aws_region": "us-east-1",
                "aws_credentials": {"type": "anonymous"}}

    def open_array(task: Task, path: str | None = None):
        spec = {"driver": "zarr3", "kvstore": store_of(task, path or task.path)}
        return ts.open(spec, open=True).result()

    def prepare(task: Task):
        indices = task.indices()
        match task.kind:
            case "read":
                array = open_array(task)
                view = array.vindex if task.is_points else array
                return None, lambda: view[next(indices)].read().result()
            case "open":
                return None, lambda: math.prod(open_array(task).shape)
            case "write_zarr":
                values = task.values()

                def write() -> int:
                    open_array(task).write(values).result()
                    return task.size

                return task.start_over, write
            case "round_trip":

                def copy() -> int:
                    source = open_array(task, task.template).read().result()
                    open_array(task).write(source).result()
                    return task.size

                return task.start_over, copy
            case "create_arrays" | "create_tree":
                metadata = {"shape": task.shape, "data_type": task.dtype, "chunk_grid": {
                    "name": "regular", "configuration": {"chunk_shape": task.chunks}}}

                def create() -> int:
                    # Groups are beyond it; all arrays at once is its way.
                    made = [
                        ts.open({"driver": "zarr3", "metadata": metadata,
                                 "kvstore": {"driver": "file", "path": f"{task.path}/{path}"}},
                                create=True)
                        for path in task.array_paths()
                    ]
                    return len([array.result() for array in made]) + task.n_groups

                return task.remove, create
        return unsupported(task)

    return prepare
