"""What is measured: the workloads by group, each with the task that every library gets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data import Files
from task import BUCKET, LATE_BUCKET

OURS = ("stook.zarr", "stook", "stook (Rust)")

#: Libraries by what they read, in the order in which tables list them. Python libraries are
#: compared with `stook.zarr` (with `stook` for HDF5), `zarrs (Rust)` with `stook (Rust)`.
ZARR = (*OURS, "zarr-python", "zarr-python 3.4", "zarr-python 3.4, fused", "zarr-python + zarrs",
        "zarrista", "tensorstore", "zarrs (Rust)")
#: How chunks are decoded makes no difference to nodes.
TREES = tuple(name for name in ZARR if name not in ("zarr-python 3.4, fused",
                                                    "zarr-python + zarrs"))
REMOTE = (*OURS, "zarr-python", "zarr-python, obstore", "zarr-python 3.4", "zarr-python + zarrs",
          "zarrista", "tensorstore", "zarrs (Rust)")
HDF5 = ("stook", "stook (Rust)", "h5py")


@dataclass(frozen=True)
class Target:
    """What is promised: at least `factor` times as fast as `peer`, or, without one, no more than
    `cpu_seconds` of `library`."""

    peer: str | None = None
    factor: float = 1.0
    library: str = "stook.zarr"
    cpu_seconds: float = 0.0


def at_most(cpu_ms: float) -> Target:
    return Target(cpu_seconds=cpu_ms / 1e3)


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
    yield from deep_trees(files, scratch)
    yield from large(files, scratch)
    yield from remote(files)
    yield from hdf5(files, scratch)


def without(libraries: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(library for library in libraries if library not in names)


def small(files: Files, scratch: Path) -> Iterator[Workload]:
    group = "Zarr, 2,500 chunks of 1.6 kB (1000 × 1000 float32, chunks 20 × 20)"
    common = {"shape": list(files.small_shape), "dtype": "float32"}
    zarrista = Target("zarrista")

    def read(name, title, codec, selected, *, sharded=False, libraries=ZARR, targets=()):
        path = str(files.small(codec, sharded=sharded))
        task = {**common, "kind": "read", "path": path, "selected": selected}
        return Workload(f"small-{name}", group, title, task, libraries, targets, "small")

    rows, columns = files.random_points(1000)
    points = [list(point) for point in zip(rows, columns)]
    yield read("point-raw", "one point, raw", "raw", {"point": points},
               targets=(zarrista, at_most(0.012)))
    yield read("point-zstd", "one point, zstd", "zstd", {"point": points}, targets=(zarrista,))
    yield read("all-raw", "all, raw", "raw", "all", targets=(zarrista, at_most(15)))
    yield read("all-zstd", "all, zstd", "zstd", "all", targets=(zarrista, at_most(25)))
    yield read("all-shard", "all of one shard, zstd", "zstd", "all", sharded=True,
               targets=(zarrista,))
    yield read("half-shard", "half of one shard, zstd", "zstd", {"rows": [0, 500]}, sharded=True,
               targets=(zarrista,))
    fancy = without(ZARR, "zarrista", "zarrs (Rust)")
    for codec, limit in (("raw", 11), ("zstd", 15)):
        yield read(f"vindex-{codec}", f"vindex of 1,000 points, {codec}", codec,
                   {"points": [rows, columns]}, libraries=fancy,
                   targets=(Target("tensorstore"), at_most(limit)))
    path = str(files.small("raw"))
    yield Workload("small-open", group, "open an array", {**common, "kind": "open", "path": path},
                   ZARR, (zarrista, at_most(0.020)))
    for codec, sharded in (("raw", False), ("zstd", False), ("zstd", True)):
        template = str(files.small(codec, sharded=sharded))
        task = {**common, "kind": "write_zarr", "path": str(scratch / "out.zarr"),
                "aside": str(scratch / "aside"), "template": template,
                "data": str(files.raw("small"))}
        title = f"write all, {codec}" + (", one shard" if sharded else "")
        name = "small-write" + {"raw": "-raw", "zstd": ""}[codec] + ("-shard" if sharded else "")
        yield Workload(name, group, title, task, ZARR, (zarrista,), elements="small")


def trees(files: Files, scratch: Path) -> Iterator[Workload]:
    group, n = "Zarr, 300 arrays in a group", 300
    common = {"shape": [100], "chunks": [10], "dtype": "float32", "n": n}
    task = {**common, "kind": "create_arrays", "path": str(scratch / "tree.zarr"),
            "aside": str(scratch / "aside")}
    # TensorStore has no groups, and zarrista creates no arrays from a shape.
    yield Workload("tree-create", group, "create", task, without(TREES, "zarrista"))
    for consolidated in (False, True):
        path = str(files.tree(n, consolidated=consolidated))
        name = "tree-list" + ("-consolidated" if consolidated else "")
        title = "open each" + (", consolidated" if consolidated else "")
        task = {**common, "kind": "list_arrays", "path": path}
        targets = (at_most(0.010 * n),) if consolidated else ()
        yield Workload(name, group, title, task, without(TREES, "tensorstore"), targets)


def deep_trees(files: Files, scratch: Path) -> Iterator[Workload]:
    n_groups, n = files.tree_shape
    group = f"Zarr, {n_groups * (n + 1):,} nodes ({n_groups} groups of {n} arrays)"
    common = {"shape": [100], "chunks": [10], "dtype": "float32", "n": n, "n_groups": n_groups}
    task = {**common, "kind": "create_tree", "path": str(scratch / "deep.zarr"),
            "aside": str(scratch / "aside")}
    yield Workload("deep-create", group, "create", task, without(TREES, "zarrista"))
    for consolidated in (False, True):
        path = str(files.deep_tree(consolidated=consolidated))
        suffix, label = ("-consolidated", ", consolidated") if consolidated else ("", "")
        libraries = without(TREES, "tensorstore")
        targets = (at_most(0.010 * n * n_groups),) if consolidated else ()
        yield Workload(f"deep-list{suffix}", group, f"list{label}",
                       {**common, "kind": "list_tree", "path": path}, libraries)
        yield Workload(f"deep-open{suffix}", group, f"open each{label}",
                       {**common, "kind": "open_tree", "path": path}, libraries, targets)


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
        read = {**common, "kind": "read", "path": str(path)}
        write = {**common, "kind": "write_zarr", "path": str(scratch / "out.zarr"),
                 "template": str(path)}
        yield Workload(f"large-read-{name}", group, f"read all, {label}",
                       {**read, "selected": "all"}, ZARR, targets, "large")
        boxes = {"chunk": files.large_chunks}
        if sharded:
            boxes = {"shard": files.large_shards, "subchunk": files.large_subchunks}
        for box, box_shape in boxes.items():
            yield Workload(f"large-by-{box}-{name}", group, f"read a {box} after the other, {label}",
                           {**read, "selected": {"boxes": list(box_shape)}}, ZARR, targets, "large")
        yield Workload(f"large-write-{name}", group, f"write all, {label}",
                       {**write, "data": str(files.raw("large"))}, ZARR, targets, "large")
        yield Workload(f"large-round-trip-{name}", group, f"read all and write it, {label}",
                       {**write, "kind": "round_trip"}, ZARR, targets, "large")


def remote(files: Files) -> Iterator[Workload]:
    group = "Zarr behind S3 on loopback, 2,500 chunks of 1.6 kB"
    common = {"shape": list(files.small_shape), "dtype": "float32"}
    # zarr-python by s3fs takes ten seconds for each of these.
    many = without(REMOTE, "zarr-python") if files.quick else REMOTE
    raw, zstd = (f"s3://{BUCKET}/{files.small(codec).name}" for codec in ("raw", "zstd"))
    rows, columns = files.random_points(1000)
    points = [list(point) for point in zip(rows, columns)]
    yield Workload("s3-open", group, "open an array", {**common, "kind": "open", "path": raw},
                   REMOTE)
    yield Workload("s3-point", group, "one point, raw",
                   {**common, "kind": "read", "path": raw, "selected": {"point": points}}, REMOTE,
                   elements="small")
    for codec, path in (("raw", raw), ("zstd", zstd)):
        yield Workload(f"s3-all-{codec}", group, f"all, {codec}",
                       {**common, "kind": "read", "path": path}, many, elements="small")
    late = raw.replace(BUCKET, LATE_BUCKET, 1)
    yield Workload("s3-all-late", group, "all, raw, each answer 10 ms late",
                   {**common, "kind": "read", "path": late}, without(many, "zarr-python"),
                   elements="small")
    write = {**common, "kind": "write_zarr", "data": str(files.raw("small"))}
    for codec in ("raw", "zstd"):
        task = {**write, "path": f"s3://{BUCKET}/out.zarr", "template": f"small-{codec}.zarr"}
        yield Workload(f"s3-write-{codec}", group, f"write all, {codec}", task, many,
                       elements="small")
    for consolidated in (False, True):
        name = files.tree(300, consolidated=consolidated).name
        task = {"kind": "list_arrays", "path": f"s3://{BUCKET}/{name}", "n": 300, "shape": [100]}
        yield Workload("s3-list" + ("-consolidated" if consolidated else ""), group,
                       "open 300 arrays of a group" + (", consolidated" if consolidated else ""),
                       task, without(REMOTE, "zarr-python + zarrs", "tensorstore"))


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
