"""What a worker is asked to do, and where: in a file, a folder, or behind the bench's S3 server."""

import itertools
import math
import os
import shutil
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

#: Buckets of the bench's server: two names of one place, the answers of the second come late.
BUCKET, LATE_BUCKET = "bench", "late"


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
    #: How many arrays, in each of so many groups; none but the root without groups.
    n: int = 0
    n_groups: int = 0

    def values(self) -> np.ndarray:
        return np.fromfile(self.data, self.dtype).reshape(self.shape)

    @property
    def is_remote(self) -> bool:
        return self.path.startswith("s3://")

    @property
    def prefix(self) -> str:
        """The path within the bucket."""
        return self.path.removeprefix("s3://").partition("/")[2]

    @property
    def bucket(self) -> str:
        return self.path.removeprefix("s3://").partition("/")[0]

    def remove(self) -> None:
        if self.is_remote:
            administer(f"remove/{self.prefix}/")
        elif self.aside and os.path.exists(self.path):
            os.makedirs(self.aside, exist_ok=True)
            os.rename(self.path, f"{self.aside}/{time.time_ns()}")
        elif os.path.isdir(self.path):
            shutil.rmtree(self.path)
        elif os.path.exists(self.path):
            os.remove(self.path)

    def start_over(self) -> None:
        """Puts the array's metadata alone at the path to write."""
        self.remove()
        if self.is_remote:
            administer(f"copy/{self.template}/zarr.json?to={self.prefix}/zarr.json")
            return
        os.makedirs(self.path)
        shutil.copy(Path(self.template) / "zarr.json", Path(self.path) / "zarr.json")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def array_paths(self) -> list[str]:
        """Those of the arrays of a tree."""
        if not self.n_groups:
            return [f"array_{i}" for i in range(self.n)]
        return [f"group_{g}/array_{i}" for g in range(self.n_groups) for i in range(self.n)]

    @property
    def n_nodes(self) -> int:
        """How many nodes a tree has below its root."""
        return self.n_groups * (1 + self.n) if self.n_groups else self.n

    @property
    def n_arrays(self) -> int:
        return max(self.n_groups, 1) * self.n

    def indices(self):
        """What goes between the brackets, call after call."""
        match self.selected:
            case "all":
                return itertools.repeat(...)
            case {"point": points}:
                return itertools.cycle([tuple(point) for point in points])
            case {"boxes": shape}:
                return itertools.cycle(boxes(self.shape, shape))
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


def boxes(shape: list[int], box: list[int]) -> list[tuple[slice, ...]]:
    """A regular grid of boxes over an array, the last axis fastest."""
    axes = [[slice(at, at + step) for at in range(0, n, step)] for n, step in zip(shape, box)]
    return list(itertools.product(*axes))


def endpoint() -> str:
    return os.environ["AWS_ENDPOINT_URL"]


def administer(what: str) -> None:
    """Asks the bench's S3 server for what no client of S3 would."""
    urllib.request.urlopen(urllib.request.Request(f"{endpoint()}/-/{what}", method="POST"))


def unsupported(task: Task):
    raise NotImplementedError(f"no {task.kind} here")
