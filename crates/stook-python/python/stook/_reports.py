"""What looking through arrays and trees finds: statistics, differences, faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ._stook import Tree
from ._stook import check as _check
from ._stook import diff as _diff

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._array import Array
    from ._group import Group

    _Where: TypeAlias = str | PathLike[str] | Group | Array


@dataclass(frozen=True)
class Stats:
    """Statistics of items; ``None`` where something makes no sense for their dtype."""

    n: int
    """How many items."""
    kind: str
    """What they are: numbers, magnitudes (of complex numbers), bools, times, texts (also bytes
    and sequences), raw, or structs."""
    dtype: np.dtype[Any] | None = None
    """Their dtype."""
    min: Any = None
    """The least; NaN and NaT are passed over."""
    max: Any = None
    """The greatest."""
    sum: Any = None
    """The sum; exact for integers."""
    mean: float | None = None
    """The mean."""
    std: float | None = None
    """The standard deviation of all items."""
    n_nan: int | None = None
    """How many are NaN, or NaT."""
    n_positive_infinite: int | None = None
    """How many are positive infinity."""
    n_negative_infinite: int | None = None
    """How many are negative infinity."""
    n_nonzero: int | None = None
    """How many are not zero, or true."""
    n_empty: int | None = None
    """How many are empty."""
    n_distinct: int | None = None
    """How many differ, up to some 65,000."""
    lengths: tuple[int, int] | None = None
    """The lengths of the shortest and the longest."""
    fields: dict[str, Stats] = field(default_factory=dict)
    """Of structs, the statistics of each member; members of members are joined by dots."""

    @classmethod
    def _of(cls, found: tuple[int, list[dict[str, Any]]]) -> Stats:
        n, members = found
        named = {member.pop("name"): member for member in members}
        if list(named) == [""]:
            return cls(**named[""])
        return cls(n, "structs", fields={name: cls(**member) for name, member in named.items()})


@dataclass(frozen=True)
class Cell:
    """Two items that differ."""

    index: tuple[int, ...]
    """Where they are."""
    member: str
    """The member of them; empty where it is the whole item."""
    a: Any
    """The first, as JSON has it."""
    b: Any
    """The second."""


@dataclass(frozen=True)
class Difference:
    """In what a node differs."""

    node: str
    """The node."""
    kind: str
    """In what: only (in the tree ``a`` says), kind, dtype, shape, dimension_names, attribute,
    layout, elements, or unread (``b`` says why)."""
    a: Any = None
    """What it is in the first tree."""
    b: Any = None
    """What it is in the second."""
    name: str | None = None
    """The attribute."""
    n: int | None = None
    """How many items differ."""
    n_elements: int | None = None
    """Of how many."""
    largest_absolute: tuple[float, tuple[int, ...]] | None = None
    """The largest difference of two numbers, and where it is."""
    largest_relative: tuple[float, tuple[int, ...]] | None = None
    """The largest difference divided by the larger number, and where it is."""
    cells: tuple[Cell, ...] = ()
    """The first items that differ."""

    @classmethod
    def _of(cls, found: dict[str, Any]) -> Difference:
        for name in ("largest_absolute", "largest_relative"):
            largest = found.get(name)
            if largest is not None:
                found[name] = (largest["value"], tuple(largest["at"]["index"]))
        cells = found.pop("first", ())
        found["cells"] = tuple(
            Cell(tuple(cell["at"]["index"]), cell["at"]["member"], cell["a"], cell["b"])
            for cell in cells
        )
        return cls(**found)

    def __str__(self) -> str:
        match self.kind:
            case "only":
                return f"{self.node}: only in {self.a}"
            case "elements":
                return f"{self.node}: {self.n} of {self.n_elements} items differ"
            case "attribute":
                return f"{self.node}: attribute {self.name}: {self.a!r} ≠ {self.b!r}"
            case "unread":
                return f"{self.node}: {self.b}"
            case kind:
                return f"{self.node}: {kind}: {self.a} ≠ {self.b}"


@dataclass(frozen=True)
class DiffReport:
    """What a comparison found. It is true where something differs."""

    n_nodes: int
    """Nodes compared."""
    n_elements: int
    """Items compared."""
    is_equal: bool
    """Whether nothing differs."""
    differences: tuple[Difference, ...]
    """What differs."""
    n_more: int
    """Differences that are counted only."""

    def __bool__(self) -> bool:
        return not self.is_equal

    def __str__(self) -> str:
        lines = [str(difference) for difference in self.differences]
        if self.n_more:
            lines.append(f"and {self.n_more} more")
        return "\n".join(lines) or "equal"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a file."""

    severity: str
    """warning (odd, and all can be read) or error."""
    node: str
    """The node."""
    chunk: tuple[int, ...] | None
    """The chunk, where it is one."""
    kind: str
    """Whose fault it is: corrupt, unsupported, ..."""
    message: str
    """What is wrong."""

    def __str__(self) -> str:
        chunk = "" if self.chunk is None else f": chunk {list(self.chunk)}"
        return f"{self.severity}: {self.node}{chunk}: {self.message}"


@dataclass(frozen=True)
class CheckReport:
    """What a check looked at, and what it found."""

    n_groups: int
    """Groups."""
    n_arrays: int
    """Arrays."""
    n_links: int
    """Links."""
    n_attributes: int
    """Attributes."""
    n_chunks: int
    """Chunks that were asked for, whether they are stored or not."""
    len_bytes: int
    """Bytes of items that were read."""
    findings: tuple[Finding, ...]
    """What is wrong."""

    @property
    def is_whole(self) -> bool:
        """Whether everything can be read."""
        return all(finding.severity != "error" for finding in self.findings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "nothing is wrong"


def diff(
    a: _Where,
    b: _Where,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    nan_differs: bool = False,
    ignore_dtypes: bool = False,
    ignore_attributes: bool = False,
    layout: bool = False,
    cells: int | None = None,
    memory: int | None = None,
) -> DiffReport:
    """Compares two trees, or parts of them, whatever their formats.

    Parameters
    ----------
    a, b
        Paths, or open groups and arrays.
    rtol, atol
        Numbers are equal that differ by no more than ``atol``, or by ``rtol`` of the larger one.
    nan_differs
        Whether NaN differs from NaN.
    ignore_dtypes, ignore_attributes
        What is not compared.
    layout
        Whether chunks, shards, codecs and fill values are compared, too.
    cells
        How many items that differ are told of each array.
    memory
        Bytes that the comparison may hold, about (default 256 MiB).

    Raises
    ------
    MissingFileError
        If there is nothing at a path. What cannot be read later is a difference.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> for name, value in (("a.zarr", 1.0), ("a.h5", 1.5)):
    ...     with stook.create(folder / name) as f:
    ...         f["x"] = [0.0, value]
    >>> report = stook.diff(folder / "a.zarr", folder / "a.h5")
    >>> print(report)
    /x: 1 of 2 items differ
    >>> report.differences[0].largest_absolute
    (0.5, (1,))
    """
    options = {
        "rtol": rtol,
        "atol": atol,
        "nan_differs": nan_differs,
        "ignore_dtypes": ignore_dtypes,
        "ignore_attributes": ignore_attributes,
        "layout": layout,
        "cells": cells,
        "memory": memory,
    }
    found = _diff(_place(a), _place(b), options)
    differences = tuple(Difference._of(one) for one in found["found"])
    return DiffReport(
        found["n_nodes"], found["n_elements"], found["is_equal"], differences, found["n_more"]
    )


def check(
    file: _Where, *, leave_out: tuple[str, ...] | list[str] = (), memory: int | None = None
) -> CheckReport:
    """Reads and verifies everything in a file.

    Parameters
    ----------
    file
        A path, or an open group or array, whose whole file is checked.
    leave_out
        Nodes that are not looked at, nor what is below them.
    memory
        Bytes that the check may hold, about (default 256 MiB).

    Raises
    ------
    FormatError, MissingFileError, UnsupportedError
        If the file cannot be opened at all. Everything else is a finding.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.create(folder / "c.zarr") as f:
    ...     f["x"] = np.arange(3)
    >>> print(stook.check(folder / "c.zarr"))
    nothing is wrong
    """
    tree, _ = _place(file)
    found = _check(tree, memory, list(leave_out))
    findings = tuple(
        Finding(
            one["severity"],
            one["node"],
            None if one["chunk"] is None else tuple(one["chunk"]),
            one["kind"],
            one["message"],
        )
        for one in found.pop("findings")
    )
    return CheckReport(**found, findings=findings)


def _place(where: Any) -> tuple[Tree, str]:
    """The file and node of a path or an open node."""
    tree = getattr(where, "_tree", None)
    if tree is not None:
        return tree, where.path
    return Tree.open(where, False, False), "/"
