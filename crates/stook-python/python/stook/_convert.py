"""Conversion from any format to any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

from ._stook import convert as _convert


@dataclass(frozen=True)
class Loss:
    """Something at a node that the target does not hold as the source does."""

    node: str
    """The node, in the source."""
    what: str
    """What it is: ``fill value``, ``codec blosc``, ``attribute units``."""
    becomes: str
    """What becomes of it."""

    def __str__(self) -> str:
        return f"{self.node}: {self.what}: {self.becomes}"


@dataclass(frozen=True)
class Report:
    """What a conversion did."""

    n_groups: int
    """Groups made."""
    n_arrays: int
    """Arrays copied."""
    n_attributes: int
    """Attributes copied."""
    len_bytes: int
    """Bytes of items copied."""
    losses: tuple[Loss, ...]
    """What the target does not hold as the source does."""
    left_out: tuple[Loss, ...]
    """Nodes that the target does not hold at all."""


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    overwrite: bool = False,
    node: str = "/",
    format: str | None = None,
    leave_out: bool = False,
    memory: int | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> Report:
    """Copies a file, or a part of it, to a new file of any format.

    The target is there whole, or after an error not at all.

    Parameters
    ----------
    source, target
        The paths. The source's format is told from its content, the target's from its name.
    overwrite
        Whether what is at ``target`` goes once the new file is whole.
    node
        The part of the source that becomes the root of the target.
    format
        The target's format where its name does not say it: zarr3, zarr2, hdf5, npy or npz.
    leave_out
        Whether nodes that the target cannot hold are left out, and reported; by default they
        are an error.
    memory
        Bytes that the conversion may hold, about (default 256 MiB).
    progress
        Called now and then with the node at work, bytes done, and bytes in all.

    Raises
    ------
    AlreadyExistsError
        If there is something at ``target`` and ``overwrite`` is not set.
    UnsupportedError
        If the target cannot hold a node.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.create(folder / "a.zarr") as f:
    ...     _ = f.create_array("x", np.arange(5), chunks=2)
    >>> report = stook.convert(folder / "a.zarr", folder / "a.h5")
    >>> report.n_arrays, report.len_bytes
    (1, 40)
    >>> stook.open(folder / "a.h5")["x"][:]
    array([0, 1, 2, 3, 4])
    """
    options = {
        "overwrite": overwrite,
        "node": node,
        "format": format,
        "leave_out": leave_out,
        "memory": memory,
        "progress": progress,
    }
    *numbers, losses, left_out = _convert(source, target, options)
    n_groups, n_arrays, n_attributes, len_bytes = numbers
    return Report(
        n_groups,
        n_arrays,
        n_attributes,
        len_bytes,
        tuple(Loss(*loss) for loss in losses),
        tuple(Loss(*loss) for loss in left_out),
    )
