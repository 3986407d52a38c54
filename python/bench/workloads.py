"""What is measured: the workloads by group, each with the task that every library gets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data import Files

#: Libraries by what they read, in the order in which tables list them. The first is the one that
#: Python libraries are compared with; `zarrs (Rust)` is compared with `stook (Rust)`.
ZARR = ("stook", "stook (Rust)", "zarr-python", "zarr-python + zarrs", "zarrista", "tensorstore",
        "zarrs (Rust)")
HDF5 = ("stook", "stook (Rust)", "h5py")


@dataclass(frozen=True)
class Target:
    """What is promised: at least `factor` times as fast as `peer`."""

    peer: str
    factor: float = 1.0


@dataclass(frozen=True)
class Workload:
    name: str
    group: str
    title: str
    task: dict
    libraries: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    #: The elements (of `Files.raw`) that every result, or what was written, is compared with.
    elements: str | None = None


def all_workloads(files: Files, scratch: Path) -> Iterator[Workload]:
    yield from small(files, scratch)
    yield from trees(files, scratch)
    yield from large(files, scratch)
    yield from hdf5(files, scratch)


def small(files: Files, scratch: Path) -> Iterator[Workload]:
    group = "Zarr, 2,500 chunks of 1.6 kB (1000 × 1000 float32, chunks 20 × 20)"
    common = {"shape": list(files.small_shape), "dtype": "float32"}
    zarrista = (Target("zarrista"),)

    def read(name, title, codec, selected, *, sharded=False, libraries=ZARR, targets=()):
        path = str(files.small(codec, sharded=sharded))
        task = {**common, "kind": "read", "path": path, "selected": selected}
        return Workload(f"small-{name}", group, title, task, libraries, targets, "small")

    rows, columns = files.random_points(1000)
    points = [list(point) for point in zip(rows, columns)]
    yield read("point-raw", "one point, raw", "raw", {"point": points}, targets=zarrista)
    yield read("point-zstd", "one point, zstd", "zstd", {"point": points}, targets=zarrista)
    yield read("all-raw", "all, raw", "raw", "all", targets=zarrista)
    yield read("all-zstd", "all, zstd", "zstd", "all", targets=zarrista)
    yield read("half-shard", "half of one shard, zstd", "zstd", {"rows": [0, 500]}, sharded=True,
               targets=zarrista)
    fancy = tuple(name for name in ZARR if name not in ("zarrista", "zarrs (Rust)"))
    for codec in ("raw", "zstd"):
        yield read(f"vindex-{codec}", f"vindex of 1,000 points, {codec}", codec,
                   {"points": [rows, columns]}, libraries=fancy, targets=(Target("tensorstore"),))
    path = str(files.small("raw"))
    yield Workload("small-open", group, "open an array", {**common, "kind": "open", "path": path},
                   ZARR, zarrista)
    for sharded in (False, True):
        template = str(files.small("zstd", sharded=sharded))
        task = {**common, "kind": "write_zarr", "path": str(scratch / "out.zarr"),
                "aside": str(scratch / "aside"), "template": template,
                "data": str(files.raw("small"))}
        title = "write all, zstd" + (", one shard" if sharded else "")
        name = "small-write" + ("-shard" if sharded else "")
        yield Workload(name, group, title, task, ZARR, zarrista, elements="small")


def trees(files: Files, scratch: Path) -> Iterator[Workload]:
    group, n = "Zarr, 300 arrays in a group", 300
    common = {"shape": [100], "chunks": [10], "dtype": "float32", "n": n}
    task = {**common, "kind": "create_arrays", "path": str(scratch / "tree.zarr"),
            "aside": str(scratch / "aside")}
    # How chunks are decoded makes no difference here, and TensorStore has no groups.
    libraries = tuple(name for name in ZARR if name != "zarr-python + zarrs")
    creating = tuple(name for name in libraries if name != "zarrista")
    listing = tuple(name for name in libraries if name != "tensorstore")
    yield Workload("tree-create", group, "create", task, creating)
    for consolidated in (False, True):
        path = str(files.tree(n, consolidated=consolidated))
        name = "tree-list" + ("-consolidated" if consolidated else "")
        title = "open each" + (", consolidated" if consolidated else "")
        task = {**common, "kind": "list_arrays", "path": path}
        yield Workload(name, group, title, task, listing)


def large(files: Files, scratch: Path) -> Iterator[Workload]:
    shape = files.large_shape
    size = shape[0] * shape[1] * shape[2] * 2 >> 20
    group = f"Zarr, {size} MiB of uint16 (chunks of 4 MiB; shards of 32 MiB with chunks of 64 KiB)"
    common = {"shape": list(shape), "dtype": "uint16"}
    for codec, sharded in (("raw", False), ("zstd", False), ("zstd", True)):
        label = "sharded zstd" if sharded else codec
        path = files.large(codec, sharded=sharded)
        targets = (Target("tensorstore"),) if codec == "zstd" else ()
        name = label.replace(" ", "-")
        task = {**common, "kind": "read", "path": str(path), "selected": "all"}
        yield Workload(f"large-read-{name}", group, f"read all, {label}", task, ZARR, targets,
                       "large")
        task = {**common, "kind": "write_zarr", "path": str(scratch / "out.zarr"),
                "template": str(path), "data": str(files.raw("large"))}
        yield Workload(f"large-write-{name}", group, f"write all, {label}", task, ZARR, targets,
                       elements="large")


def hdf5(files: Files, scratch: Path) -> Iterator[Workload]:
    n_rows, n_columns = files.matrix_shape
    group = f"HDF5, {n_rows} × {n_columns} float32, 17 % not zero (gzip level 2, chunks 64 × 64)"
    common = {"node": "matrix", "shape": [n_rows, n_columns], "dtype": "float32"}
    first = n_rows // 3
    selections = {
        "full": "all",
        "rows": {"rows": [first, first + 500]},
        "columns": {"columns": [n_columns // 3, n_columns // 3 + 500]},
        "random-rows": {"row_list": files.random_rows()},
    }
    titles = {"full": "full read", "rows": "500 rows", "columns": "500 columns",
              "random-rows": f"{len(files.random_rows()):,} random rows"}
    targets = {("gzip", "full"): (Target("h5py", 5),),
               ("gzip", "random-rows"): (Target("h5py", 12),)}
    for layout in ("gzip", "contiguous"):
        for name, selected in selections.items():
            path = str(files.matrix(layout))
            task = {**common, "kind": "open_and_read", "path": path, "selected": selected}
            is_fancy = name == "random-rows" and layout == "gzip"
            libraries = (*HDF5, "h5py, row by row") if is_fancy else HDF5
            yield Workload(f"hdf5-{layout}-{name}", group, f"{layout}, {titles[name]}", task,
                           libraries, targets.get((layout, name), ()), "matrix")
    task = {**common, "kind": "write_hdf5", "path": str(scratch / "out.h5"),
            "chunks": list(files.matrix_chunks), "data": str(files.raw("matrix"))}
    yield Workload("hdf5-gzip-write", group, "gzip, write", task, HDF5, elements="matrix")
