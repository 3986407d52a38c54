"""What the acquisition tree and the h5py look-alike are measured by, and what must come of it.

A workload is a function of a library and a path that returns how many rows (or nodes, or reads) it
did. Appends end with a flush and a close, which are part of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: Groups of arrays of one number each, 5,000 nodes in all.
N_GROUPS, N_ARRAYS = 50, 99
#: Datasets of the look-alike's file, and attributes of each.
N_DATASETS, N_ATTRIBUTES = 2000, 4
IMAGE = 512


class Library:
    """A library: its module, and how a file is opened by it."""

    def __init__(self, name: str):
        self.name = name
        self.is_ours = name.startswith("stook")
        if name == "stook":
            from stook.pymodaq import backends as module
        elif name == "stook.h5compat":
            from stook import h5compat as module
        elif name == "h5py alone":
            import h5py as module
        else:
            from pymodaq_data.h5modules import backends as module
        self.module = module

    def backend(self, path: Path, mode: str, durability: str = "flush"):
        """An open ``H5Backend``."""
        h5 = self.module.H5Backend("tables" if self.is_ours else self.name)
        h5.open_file(path, mode, **({"durability": durability} if self.is_ours else {}))
        return h5


@dataclass
class Workload:
    """Something that is done by several libraries."""

    name: str
    #: How often each library does it: enough to take about a second; none where it cannot.
    counts: dict[str, int]
    work: Callable[[Library, Path, int], int]
    #: Reads with h5py what is in the file now, and fails if it is something else.
    check: Callable[[Path, int], None] | None = None
    #: Makes the file that is only read, with the same library.
    prepare: Callable[[Library, Path, int], int] | None = None


def image(noise: int = 6) -> np.ndarray:
    """A camera's picture: smooth, with noise in the lower bits."""
    rows, columns = np.mgrid[0:IMAGE, 0:IMAGE]
    smooth = 2000 * np.exp(-((rows - 256) ** 2 + (columns - 200) ** 2) / 20000)
    random = np.random.default_rng(7).integers(0, 1 << noise, (IMAGE, IMAGE))
    return (smooth + random).astype("u2")


def expect(found, expected, what: str) -> None:
    if not np.array_equal(found, expected):
        raise SystemExit(f"WRONG: {what}: expected {expected}, found {found}")


def appends(
    name: str,
    row: np.ndarray,
    counts: dict[str, int],
    *,
    batch: int = 1,
    level: int = 0,
    flush: bool = False,
    durability: str = "flush",
) -> Workload:
    """Appends rows, `batch` at a time, numbered in their first element."""
    shape = row.shape if row.shape != (1,) else None

    def work(library: Library, path: Path, n: int) -> int:
        h5 = library.backend(path, "w", durability)
        if level:
            h5.define_compression("gzip", level)
        array = h5.create_earray("/", "a", row.dtype, shape)
        rows = row.copy() if batch == 1 else np.repeat(row[None] if shape else row, batch, axis=0)
        numbers = rows.reshape(-1)
        for i in range(n // batch):
            numbers[0] = i
            array.append(rows, False)
            if flush:
                h5.flush()
        h5.close_file()
        return n

    def check(path: Path, n: int) -> None:
        import h5py

        with h5py.File(path) as file:
            array = file["a"]
            expect(array.shape[0], n, f"{name}: rows")
            for at in (0, (n // batch // 2), n // batch - 1):
                expected = row.copy()
                expected.reshape(-1)[0] = at
                found = array[at * batch]
                expect(np.squeeze(found), np.squeeze(expected), f"{name}: row {at * batch}")

    return Workload(name, counts, work, check)


def make_nodes(library: Library, path: Path, n: int) -> int:
    h5 = library.backend(path, "w")
    number = np.zeros(1)
    for i in range(N_GROUPS):
        group = h5.add_group(f"g{i:03}", "data", "/")
        for j in range(N_ARRAYS):
            number[0] = i * N_ARRAYS + j
            h5.create_carray(group, f"a{j:02}", number, title="an array")
    h5.close_file()
    return N_GROUPS * (N_ARRAYS + 1)


def check_nodes(path: Path, n: int) -> None:
    import h5py

    with h5py.File(path) as file:
        names: list[str] = []
        file.visit(names.append)
        expect(len(names), N_GROUPS * (N_ARRAYS + 1), "nodes")
        for i, j in ((0, 0), (N_GROUPS - 1, N_ARRAYS - 1)):
            # The first letter of a group becomes a large one.
            node = file[f"G{i:03}/a{j:02}"]
            expect(node[0], i * N_ARRAYS + j, node.name)
            title = node.attrs["TITLE"]
            expect(title.decode() if isinstance(title, bytes) else title, "an array", "title")


def walk_nodes(library: Library, path: Path, n: int) -> int:
    h5 = library.backend(path, "r")
    found = sum(1 for _ in h5.walk_nodes("/"))
    h5.close_file()
    expect(found, N_GROUPS * (N_ARRAYS + 1) + 1, "nodes walked")
    return found - 1


def walk_attributes(library: Library, path: Path, n: int) -> int:
    """Title and shape of each array."""
    h5 = library.backend(path, "r")
    found = 0
    for node in h5.walk_nodes("/"):
        if node.attrs["CLASS"] == "CARRAY":
            expect(node.title, "an array", "title")
            expect(tuple(node.attrs["shape"]), (1,), "shape")
            found += 1
    h5.close_file()
    expect(found, N_GROUPS * N_ARRAYS, "arrays")
    return found


def make_scan(library: Library, path: Path, n: int) -> int:
    h5 = library.backend(path, "w")
    array = h5.create_earray("/", "a", "f8", (2048,))
    row = np.linspace(0, 1, 2048)
    for i in range(n):
        row[0] = i
        array.append(row, False)
    h5.close_file()
    return n


def read_rows(library: Library, path: Path, n: int) -> int:
    """Rows of a scan, one at a time, here and there."""
    h5 = library.backend(path, "r")
    array = h5.get_node("/a")
    for i in range(n):
        at = i * 7919 % n
        expect(np.ravel(array[at])[0], at, f"row {at}")
    h5.close_file()
    return n


def read_scan(library: Library, path: Path, n: int) -> int:
    h5 = library.backend(path, "r")
    values = h5.read(h5.get_node("/a"))
    h5.close_file()
    expect(values[:, 0].sum(), n * (n - 1) / 2, "sum of the first column")
    return n


def make_datasets(library: Library, path: Path, n: int) -> int:
    with library.module.File(path, "w") as file:
        values = np.arange(16.0)
        for i in range(n):
            dataset = file.create_dataset(f"g{i // 100:03}/d{i:05}", data=values + i)
            for j in range(N_ATTRIBUTES):
                dataset.attrs[f"attribute {j}"] = i * j
    return n


def check_datasets(path: Path, n: int) -> None:
    import h5py

    with h5py.File(path) as file:
        for i in (0, n - 1):
            dataset = file[f"g{i // 100:03}/d{i:05}"]
            expect(dataset[...], np.arange(16.0) + i, dataset.name)
            expect(dataset.attrs["attribute 3"], i * 3, "attribute")


def visit_datasets(library: Library, path: Path, n: int) -> int:
    with library.module.File(path, "r") as file:
        shapes: list[tuple] = []

        def visit(name: str, node) -> None:
            if isinstance(node, library.module.Dataset):
                shapes.append(node.shape)

        file.visititems(visit)
        expect(shapes, [(16,)] * n, "shapes")
    return n


def read_attributes(library: Library, path: Path, n: int) -> int:
    with library.module.File(path, "r") as file:
        for i in range(n):
            found = dict(file[f"g{i // 100:03}/d{i:05}"].attrs)
            expect(found["attribute 2"], i * 2, "attribute")
            expect(len(found), N_ATTRIBUTES, "attributes")
    return n * N_ATTRIBUTES


def make_table(library: Library, path: Path, n: int) -> int:
    with library.module.File(path, "w") as file:
        values = np.random.default_rng(3).integers(0, 50, (2000, 2000)).astype("i4")
        file.create_dataset("a", data=values, chunks=(200, 200), compression="gzip",
                            compression_opts=4, shuffle=True)
        file["first"] = values[:, 0]
    return n


def read_slices(library: Library, path: Path, n: int) -> int:
    """Blocks of 100 rows by 100 columns of a compressed dataset."""
    with library.module.File(path, "r") as file:
        dataset, first = file["a"], file["first"][...]
        for i in range(n):
            row, column = i * 97 % 1900, i * 389 % 1900
            block = dataset[row : row + 100, column : column + 100]
            if column == 0:
                expect(block[:, 0], first[row : row + 100], "block")
    return n


SCALAR, SPECTRUM = np.zeros(1), np.linspace(0, 1, 2048)


def counts(tables: int, h5py: int, stook: int) -> dict[str, int]:
    return {"tables": tables, "h5py": h5py, "stook": stook}


def tree() -> list[Workload]:
    """The acquisition tree."""
    nodes = counts(1, 1, 1)
    rows = [
        appends("scalars, one a call", SCALAR, counts(4000, 2000, 400_000)),
        appends("scalars, 1,000 a call", SCALAR, counts(1_000_000, 500_000, 50_000_000), batch=1000),
        appends("scalars, flush each", SCALAR, counts(2000, 1000, 4000), flush=True),
        appends("scalars, fsync each", SCALAR, counts(0, 0, 500), flush=True, durability="fsync"),
        appends("spectra 2048 × f64", SPECTRUM, counts(3000, 1000, 30_000)),
        appends("spectra, flush each", SPECTRUM, counts(1500, 600, 4000), flush=True),
        appends("spectra, fsync each", SPECTRUM, counts(0, 0, 500), flush=True, durability="fsync"),
        appends("images 512 × 512 u16", image(), counts(800, 50, 1600)),
        appends("images, flush each", image(), counts(600, 50, 1000), flush=True),
        appends("images, fsync each", image(), counts(0, 0, 200), flush=True, durability="fsync"),
        appends("images, gzip 5", image(), counts(40, 10, 400), level=5),
        appends("images, gzip 5, flush each", image(), counts(40, 10, 400), level=5, flush=True),
    ]
    scan = counts(4000, 4000, 4000)
    return [
        *rows,
        Workload("5,000 nodes made", nodes, make_nodes, check_nodes),
        Workload("5,000 nodes walked", nodes, walk_nodes, prepare=make_nodes),
        Workload("5,000 nodes, title and shape of each", nodes, walk_attributes, prepare=make_nodes),
        Workload("spectra read one at a time", scan, read_rows, prepare=make_scan),
        Workload("spectra read at once", scan, read_scan, prepare=make_scan),
    ]


def look_alike() -> list[Workload]:
    """``stook.h5compat`` beside h5py."""
    n, blocks = N_DATASETS, 1000
    both = {"h5py alone": n, "stook.h5compat": n}
    reads = {"h5py alone": blocks, "stook.h5compat": blocks}
    return [
        Workload("2,000 datasets of 4 attributes made", both, make_datasets, check_datasets),
        Workload("2,000 datasets visited", both, visit_datasets, prepare=make_datasets),
        Workload("8,000 attributes read", both, read_attributes, prepare=make_datasets),
        Workload("blocks of a gzip dataset read", reads, read_slices, prepare=make_table),
    ]
