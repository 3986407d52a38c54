"""The files that the benchmarks read, written by zarr-python and h5py."""

import json
from pathlib import Path

import numpy as np

SEED = 20_260_101


class Files:
    """Files of one size below one folder; each is made once, when it is first asked for."""

    def __init__(self, folder: Path, *, quick: bool, is_made: bool = True):
        self.folder = folder
        self.quick = quick
        self.is_made = is_made

    def _made(self, name: str, make) -> Path:
        path = self.folder / name
        done = path.with_name(path.name + ".done")
        if self.is_made and not done.exists():
            make(path)
            done.touch()
        return path

    # Small chunks: 2,500 of 1.6 kB.

    small_shape = (1000, 1000)
    small_chunks = (20, 20)

    def small_values(self) -> np.ndarray:
        random = np.random.default_rng(SEED)
        smooth = np.add.outer(np.arange(1000), np.arange(1000)) // 50
        return (smooth + random.integers(0, 8, self.small_shape)).astype("f4")

    def small(self, codec: str, *, sharded: bool = False) -> Path:
        name = f"small-{codec}{'-shard' if sharded else ''}.zarr"
        return self._made(name, lambda path: write_zarr(
            path, self.small_values(), self.small_chunks, codec,
            shards=self.small_shape if sharded else None,
        ))

    # Large chunks.

    large_chunks = (128, 128, 128)
    large_shards = (256, 256, 256)
    large_subchunks = (32, 32, 32)

    @property
    def large_shape(self) -> tuple[int, ...]:
        return (256, 256, 256) if self.quick else (512, 512, 1024)

    def large_values(self) -> np.ndarray:
        """An image in 16 bits: a smooth object under seven bits of noise."""
        random = np.random.default_rng(SEED + 1)
        axes = [np.linspace(-1, 1, n, dtype="f4") ** 2 for n in self.large_shape]
        values = np.empty(self.large_shape, "u2")
        plane = 20_000 * np.exp(-2 * np.add.outer(axes[1], axes[2]))
        for z, weight in enumerate(np.exp(-2 * axes[0])):
            noise = random.integers(0, 128, plane.shape, dtype="u2")
            values[z] = (plane * weight).astype("u2") + noise
        return values

    def large(self, codec: str, *, sharded: bool = False) -> Path:
        name = f"large-{codec}{'-shard' if sharded else ''}.zarr"
        chunks = self.large_subchunks if sharded else self.large_chunks
        return self._made(name, lambda path: write_zarr(
            path, self.large_values(), chunks, codec,
            shards=self.large_shards if sharded else None,
        ))

    def raw(self, which: str) -> Path:
        """The elements alone, to write from."""
        values = {"small": self.small_values, "large": self.large_values,
                  "matrix": self.matrix_values}[which]
        return self._made(f"{which}.raw", lambda path: values().tofile(path))

    # A matrix as single cells give it: counts, five in six of them zero.

    matrix_chunks = (64, 64)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        return (3200, 4096) if self.quick else (12_800, 8192)

    def matrix_values(self) -> np.ndarray:
        random = np.random.default_rng(SEED + 2)
        values = np.zeros(self.matrix_shape, "f4")
        for rows in np.split(values, self.matrix_shape[0] // 64):
            is_there = random.random(rows.shape, "f4") < 0.17
            rows[is_there] = random.geometric(0.5, int(is_there.sum()))
        return values

    def matrix(self, layout: str) -> Path:
        def make(path: Path) -> None:
            import h5py

            options = {}
            if layout == "gzip":
                options = {"chunks": self.matrix_chunks, "compression": "gzip",
                           "compression_opts": 2}
            with h5py.File(path, "w") as file:
                file.create_dataset("matrix", data=self.matrix_values(), **options)

        return self._made(f"matrix-{layout}.h5", make)

    # Trees.

    @property
    def tree_shape(self) -> tuple[int, int]:
        """Groups, and arrays in each: 10,000 nodes."""
        return (20, 49) if self.quick else (100, 99)

    def deep_tree(self, *, consolidated: bool) -> Path:
        def make(path: Path) -> None:
            import zarr
            import zarr_libraries
            from task import Task

            n_groups, n = self.tree_shape
            task = Task("create_tree", str(path), shape=[100], chunks=[10], n=n, n_groups=n_groups)
            nodes = zarr_libraries.tree_documents(zarr, task)
            store = zarr.storage.LocalStore(path)
            for _ in zarr.create_hierarchy(store=store, nodes=nodes, overwrite=True):
                pass
            if consolidated:
                zarr.consolidate_metadata(path)

        return self._made(f"deep{'-consolidated' if consolidated else ''}.zarr", make)

    def tree(self, n: int, *, consolidated: bool) -> Path:
        def make(path: Path) -> None:
            import zarr

            group = zarr.create_group(path, overwrite=True)
            for i in range(n):
                group.create_array(f"array_{i}", shape=(100,), chunks=(10,), dtype="f4")
            if consolidated:
                zarr.consolidate_metadata(path)

        return self._made(f"tree{'-consolidated' if consolidated else ''}.zarr", make)

    def random_rows(self) -> list[int]:
        """A thousand rows, each once, in order: what every library can read."""
        n = self.matrix_shape[0]
        rows = np.random.default_rng(SEED + 3).choice(n, min(1000, n // 4), replace=False)
        return sorted(rows.tolist())

    def random_points(self, n: int) -> list[list[int]]:
        """Positions along each axis of the small array."""
        return np.random.default_rng(SEED + 4).integers(0, 1000, (2, n)).tolist()


def write_zarr(path: Path, values: np.ndarray, chunks, codec: str, shards=None) -> None:
    import zarr
    from zarr.codecs import ZstdCodec

    compressors = {"raw": None, "zstd": ZstdCodec(level=3)}[codec]
    zarr.create_array(
        path, data=values, chunks=chunks, shards=shards, compressors=compressors,
        filters=None, overwrite=True,
    )
    metadata = json.loads((path / "zarr.json").read_text())
    assert metadata["zarr_format"] == 3, metadata
